#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of validate.py and of the schemas: sound documents pass, and a document with one fault is refused for it."""
import json
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True  # the source tree stays as it is
import validate  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SCHEMAS = HERE.parent.parent / "configs"
VALIDATORS = {kind: validate.validator_of(SCHEMAS, kind) for kind in validate.KINDS}

BOX = {"x": 1, "y": 2, "width": 3.5, "height": 4}
DETECTION = {"class": "cat", "class_id": 3, "score": 0.5, "box": BOX, "source": "selective_search"}
PROPOSAL = {"box": BOX, "score": 1, "source": "picture", "hierarchy": 0}
PICTURE = {"file": "a.jpg", "width": 8, "height": 6, "detections": [], "proposal_count": 9, "error": None}
ERROR = {"status": "io", "file": "a.jpg", "where": "", "message": "gone"}
PROPOSED = {**{k: v for k, v in PICTURE.items() if k != "detections"}, "proposals": [PROPOSAL], "too_small_count": 2}
LABELLED = {"file": "a.jpg", "width": 8, "height": 6, "error": None,
            "labels": [{"class": "cat", "class_id": 3, "score": 0.5}]}
FAILED = {**PICTURE, "width": 0, "height": 0, "error": ERROR}
TIMINGS = {"decode": 1, "proposals": 2, "crops": 3, "network": 4, "fusion": 5, "total": 15}
DETECTOR = {"version": "0.1.0", "models": ["m"], "proposals": ["multibox"], "precision": "f32", "threads": 2}


def without(members, key):
    return {name: value for name, value in members.items() if name != key}


def document(*pictures):
    return json.dumps({"schema_version": 1, "detector": DETECTOR, "images": pictures})


def picture(**changes):
    return document({**PICTURE, **changes})


def detection(**changes):
    return picture(detections=[{**DETECTION, **changes}])


FIGURES = {"ap": 0.5, "ar": 1, "ap_iou": [0.5], "recall_iou": [1]}
MISTAKE = {"count": 1, "cost": 0.1}
KINDS = ["class", "box", "both", "duplicate", "background", "missed", "false_positives", "false_negatives"]
MISTAKES = {kind: MISTAKE for kind in KINDS}
SCORES = {"true": [1] * 20, "false": [0] * 20, "best": {"score": 2.5, "f1": 1, "precision": 1, "recall": 1}}
CLASS = {"class": "cat", "category_id": 3, "objects": 1, "ignored": 0, "detections": 2, "cut": 0, "reason": None,
         **FIGURES, "precision": [[0.5] * 101], "mistakes": MISTAKES, "scores": SCORES}
WITHOUT = {**CLASS, "objects": 0, "reason": "none", "ap": -1, "ar": -1, "ap_iou": [-1], "recall_iou": [-1],
           "precision": None, "scores": {**SCORES, "best": None}}
EVALUATION = {
    "schema_version": 1, "version": "0.1.0", "annotations": "a.json", "annotations_format": "coco",
    "results": "r.json", "results_format": "json", "metric": "voc10", "corrected": False, "iou": [0.5],
    "max_detections": [], "images": 1, "failed_images": 0,
    "objects": {"counted": 1, "ignored": 0, "left_out": 0, "never_found": 0, "replaced": 0},
    "detections": {"listed": 2, "counted": 2, "cut": 0, "left_out": 0, "unknown_images": 0, "unknown_classes": 0},
    "unknown_classes": [], "warnings": [], "mean": {**FIGURES, "classes": 1}, "bootstrap": None, "compared": None,
    "mistakes": {"iou": 0.5, "background_iou": 0.1, **MISTAKES}, "scores": {"low": 0, "high": 1, **SCORES},
    "confusion": {"iou": 0.5, "score": None, "counts": [[1, 0], [0, 0]]},
    "classes": [CLASS, WITHOUT]}


SETTINGS = {"schema_version": 1, "version": "0.1.0", "precision": "f32", "models": ["xxh3-128:" + "0f" * 16],
            "proposals.methods": ["selective_search"], "postprocess.nms.iou": 0.3}
TIMES = {f"{step}_ms{least}": 1.5 for step in ("annotations", "results", "evaluation", "total") for least in ("", "_min")}
BENCH = {"schema_version": 1, "version": "0.1.0", "images": 5, "objects": 6, "classes": 2, "detections": 9,
         "annotation_bytes": 10, "result_bytes": 11, "threads": 0, "repeats": 1, "ap": 0.5, **TIMES,
         "peak_memory_mb": 9.5}


def evaluation(**changes):
    return json.dumps({**EVALUATION, **changes})


GOOD = {
    "a document without pictures": ("output", document()),
    "a document of detections": ("output", detection()),
    "a document of proposals": ("output", document(PROPOSED)),
    "a document of labels": ("output", document(LABELLED)),
    "a document with timings": ("output", picture(timings_ms=TIMINGS)),
    "a picture that failed": ("output", document(FAILED)),
    "two lines": ("lines", (json.dumps({"schema_version": 1, **PICTURE}) + "\n") * 2),
    "an empty configuration": ("config", "{}"),
    "an evaluation": ("eval", evaluation()),
    "settings": ("settings", json.dumps(SETTINGS)),
    "a benchmark of evaluation": ("bench_eval", json.dumps(BENCH)),
}

BAD = {
    "a document without detector": ("output", "'detector' is a required", '{"schema_version":1,"images":[]}'),
    "another version": ("output", "1 was expected", document().replace('version": 1', 'version": 2')),
    "detections and proposals at once": ("output", "is valid under each of", picture(proposals=[])),
    "detections and labels at once": ("output", "is valid under each of", picture(labels=[])),
    "detections without the number of proposals": (
        "output", "'proposal_count' is a dependency", document(without(PICTURE, "proposal_count"))),
    "a label with a box": (
        "output", "'box' was unexpected", document({**LABELLED, "labels": [{**LABELLED["labels"][0], "box": BOX}]})),
    "proposals without what was too small": (
        "output", "'too_small_count' is a dependency", document(without(PROPOSED, "too_small_count"))),
    "neither detections nor proposals": ("output", "not valid under any", document(without(PICTURE, "detections"))),
    "an unknown key": ("output", "'votes' was unexpected", picture(votes=1)),
    "a version in a picture of a document": ("output", "'schema_version' was unexpected", picture(schema_version=1)),
    "a picture without width": ("output", "0 is less than the minimum of 1", picture(width=0)),
    "a score of two": ("output", "2 is greater than the maximum of 1", detection(score=2)),
    "a score of null": ("output", "None is not of type 'number'", detection(score=None)),
    "a score of nan": ("output", "NaN is not JSON", detection(score=float("nan"))),
    "a negative width": ("output", "-3 is less than the minimum of 0", detection(box={**BOX, "width": -3})),
    "an unknown source": ("output", "is not one of", detection(source="elsewhere")),
    "a detection without source": (
        "output", "'source' is a required", picture(detections=[without(DETECTION, "source")])),
    "an unknown kind of error": (
        "output", "is not valid under any of", document({**FAILED, "error": {**ERROR, "status": "bad"}})),
    "timings without total": ("output", "'total' is a required", picture(timings_ms=without(TIMINGS, "total"))),
    "a key that is there twice": ("output", "a key is there twice", document().replace("{", '{"images":[],', 1)),
    "broken syntax": ("output", "line 1 column", document()[:-1] + ",}"),
    "a line without version": ("lines", "'schema_version' is a required", json.dumps(PICTURE)),
    "a blank line": ("lines", "Expecting", "\n"),
    "no line": ("lines", "no document", ""),
    "a figure of -2": ("eval", "is not valid under any", evaluation(mean={**FIGURES, "ap": -2, "classes": 1})),
    "a figure of null": ("eval", "is not valid under any", evaluation(mean={**FIGURES, "ap": None, "classes": 1})),
    "an evaluation of coco without stats": ("eval", "'stats' is a required", evaluation(metric="coco")),
    "an evaluation of voc with stats": ("eval", "False schema", evaluation(stats=[0] * 12)),
    "a class with a key too many": ("eval", "Unevaluated", evaluation(classes=[{**CLASS, "extra": 1}])),
    "mistakes without a kind": (
        "eval", "'both' is a required", evaluation(classes=[{**CLASS, "mistakes": without(MISTAKES, "both")}])),
    "a cost below 0": ("eval", "is not valid under any", evaluation(
        classes=[{**CLASS, "mistakes": {**MISTAKES, "box": {"count": 1, "cost": -0.1}}}])),
    "scores in too few bins": ("eval", "is too short", evaluation(classes=[{**CLASS, "scores": {**SCORES, "true": [1]}}])),
    "a short curve": ("eval", "is too short", evaluation(classes=[{**CLASS, "precision": [[1]]}])),
    "settings with a number of threads": ("settings", "False schema", json.dumps({**SETTINGS, "runtime.threads": 2})),
    "settings without models": ("settings", "[]", json.dumps({**SETTINGS, "models": []})),
    "a benchmark without total": ("bench_eval", "'total_ms' is a required", json.dumps(without(BENCH, "total_ms"))),
    "a negative time": ("bench_eval", "-1 is less than", json.dumps({**BENCH, "total_ms": -1})),
    "an unknown key of a benchmark": ("bench_eval", "'extra' was unexpected", json.dumps({**BENCH, "extra": 1})),
    "an unknown key of a configuration": ("config", "'thread' was unexpected", '{"runtime":{"thread":1}}'),
    "a value out of range": ("config", "2 is greater than the maximum", '{"postprocess":{"nms":{"iou":2}}}'),
    "a letter twice": ("config", "does not match", '{"proposals":{"selective_search":{"similarities":["CC"]}}}'),
}


def run(name, fault):
    """Prints a line a test, as cmocka does. @return whether it failed."""
    print(f"[ RUN      ] {name}")
    if fault:
        print(fault)
    print(f"[  FAILED  ] {name}" if fault else f"[       OK ] {name}")
    return bool(fault)


def fault_of_good(kind, text):
    return "\n".join(validate.faults(VALIDATORS[kind], kind, text))


def fault_of_bad(kind, complaint, text):
    found = "\n".join(validate.faults(VALIDATORS[kind], kind, text))
    return "" if complaint in found else f'no "{complaint}" in: {found}'


def fault_of_empty_folder():
    result = subprocess.run([HERE / "validate.py", SCHEMAS, "/nonexistent"], capture_output=True, text=True, check=False)
    return "" if result.returncode == 1 and "no document of the kind output" in result.stdout else result.stdout


failures = [run(f"{name} passes", fault_of_good(*case)) for name, case in GOOD.items()]
failures += [run(f"{name} is refused", fault_of_bad(*case)) for name, case in BAD.items()]
failures.append(run("nothing to validate is a failure", fault_of_empty_folder()))
sys.exit(any(failures))
