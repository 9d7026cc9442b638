#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The main job on real photographs: check_fruit.py DETECT PROJECT

An ImageNet GoogLeNet looks at the 41 test photographs with a banana or an orange. It has no
background class, so junk is to be expected, but the fruit must be among the three best detections
in at least 24 of them, and that same detection must overlap a true box of that fruit by an IoU of
at least .5 in at least 18. The whole picture is no proposal, and the same command with one proposal
a picture must fail the bar: else the bar would say nothing of the pipeline. The settings in
configs/imagenet.json were chosen on training photographs.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile

CLASSES = ("banana", "orange")
BEST, IOU, AMONG_BEST, WELL_PLACED = 3, 0.5, 24, 18


def overlap(a, b):
    """IoU of two boxes x, y, width, height."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0
    return width * height / (a[2] * a[3] + b[2] * b[3] - width * height)


def truth_of(path):
    """File name -> [(class, box)], of pictures with at least one of the classes."""
    with open(path, encoding="utf-8") as file:
        annotations = json.load(file)
    names = {c["id"]: c["name"] for c in annotations["categories"]}
    files = {i["id"]: i["file_name"] for i in annotations["images"]}
    truth = {}
    for a in annotations["annotations"]:
        if names[a["category_id"]] in CLASSES:
            truth.setdefault(files[a["image_id"]], []).append((names[a["category_id"]], a["bbox"]))
    return truth


def score(document, truth):
    """How many pictures have the fruit among the best, and how many have it in its place."""
    among, placed = 0, 0
    for image in document["images"]:
        boxes = truth[os.path.basename(image["file"])]
        hits = [d for d in image["detections"][:BEST] if d["class"] in {name for name, _ in boxes}]
        among += bool(hits)
        placed += any(
            name == d["class"] and overlap([d["box"][k] for k in ("x", "y", "width", "height")], box) >= IOU
            for d in hits for name, box in boxes)
    return among, placed


def main(detect, project):
    name = "the_fruit_is_found_on_real_photographs"
    print(f"[ RUN      ] {name}")
    data = os.environ.get("DETECT_TEST_DATA", os.path.join(project, "..", "shared"))
    weights = os.path.join(data, "models", "bvlc_googlenet.caffemodel")
    photographs = os.path.join(data, "data", "fruit", "test")
    if not os.path.exists(weights) or not os.path.isdir(photographs):
        print(f"no test data at {data}\n[  SKIPPED ] {name}")
        return 0

    truth = truth_of(photographs + ".json")
    with tempfile.TemporaryDirectory() as folder:
        model = os.path.join(folder, "googlenet.safetensors")
        labels = os.path.join(data, "models", "synset_words.txt")
        subprocess.run([detect, "model", "import", weights, "--labels", labels, "-o", model], check=True)

        def run(*more):
            command = [detect, "--config", os.path.join(project, "configs", "imagenet.json"), "--model", model,
                       "--set", "proposals.whole_picture=false", "--timings", *more]
            pictures = [os.path.join(photographs, file) for file in sorted(truth)]
            return json.loads(subprocess.run(command + pictures, check=True, stdout=subprocess.PIPE).stdout)

        document = run()
        chance = score(run("--set", "proposals.max=1"), truth)
    among, placed = score(document, truth)
    median_ms = statistics.median(i["timings_ms"]["total"] for i in document["images"])
    print(f"{len(truth)} photographs: the fruit is among the {BEST} best in {among} (at least {AMONG_BEST}), "
          f"in its place in {placed} (at least {WELL_PLACED}); with one proposal {chance[0]} and {chance[1]}; "
          f"{median_ms:.0f} ms a picture (median)")

    good = (len(truth) == 41 and among >= AMONG_BEST and placed >= WELL_PLACED
            and (chance[0] < AMONG_BEST or chance[1] < WELL_PLACED))
    print(f"[       OK ] {name}" if good else f"[  FAILED  ] {name}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
