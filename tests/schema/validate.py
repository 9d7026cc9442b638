#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Validates documents against the schemas of configs/.

    validate.py SCHEMAS KIND FILE ...   config, output (a document), lines (JSON Lines), recall, eval,
                                        settings, training, log, bench_network, bench_regions, bench_proposals, bench_eval
    validate.py SCHEMAS FOLDER          every FOLDER/KIND/*.json, a check each; none at all of a kind that
                                        unit tests write is a failure

Exits 0 when every document is valid, 1 when one is not, 77 without python3-jsonschema."""
import json
import pathlib
import sys

try:
    import jsonschema
except ImportError:
    print("validate.py: python3-jsonschema is not installed", file=sys.stderr)
    sys.exit(77)

# A kind of document: its schema, where in it, and whether each line is a document of its own.
KINDS = {
    "config": ("det.schema.json", "", False),
    "output": ("output.schema.json", "", False),
    "lines": ("output.schema.json", "#/$defs/line", True),
    "recall": ("recall.schema.json", "", False),
    "eval": ("eval.schema.json", "", False),
    "settings": ("settings.schema.json", "", False),
    "training": ("training.schema.json", "", False),
    "log": ("log.schema.json", "", True),
    "bench_network": ("bench.schema.json", "#/$defs/network", False),
    "bench_regions": ("bench.schema.json", "#/$defs/regions", False),
    "bench_proposals": ("bench.schema.json", "#/$defs/proposals", False),
    "bench_eval": ("bench.schema.json", "#/$defs/eval", False),
}
OF_UNIT_TESTS = ("config", "output", "lines")


def without_duplicates(pairs):
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError(f"a key is there twice: {[key for key, _ in pairs]}")
    return members


def refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


def parse(text):
    return json.loads(text, object_pairs_hook=without_duplicates, parse_constant=refuse_constant)


def validator_of(schemas, kind):
    file, place, _ = KINDS[kind]
    schema = parse((schemas / file).read_text(encoding="utf-8"))
    if place:
        schema = {"$schema": schema["$schema"], "$ref": place, "$defs": schema["$defs"]}
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def faults(validator, kind, text):
    """What is wrong with a text, a line each."""
    try:
        documents = [parse(line) for line in text.splitlines()] if KINDS[kind][2] else [parse(text)]
    except ValueError as fault:
        return [str(fault)]
    if not documents:
        return ["no document"]
    return [f"{error.json_path}: {error.message}" for document in documents for error in validator.iter_errors(document)]


def check(schemas, kind, paths):
    """Prints a line a document, as cmocka does. @return how many are invalid."""
    validator = validator_of(schemas, kind)
    failures = 0
    for path in paths:
        name = f"{kind} {path.name} follows its schema"
        print(f"[ RUN      ] {name}")
        found = faults(validator, kind, path.read_text(encoding="utf-8", errors="surrogateescape"))
        for fault in found:
            print(fault)
        print(f"[  FAILED  ] {name}" if found else f"[       OK ] {name}")
        failures += bool(found)
    return failures


def main(schemas, first, *files):
    schemas = pathlib.Path(schemas)
    if files:
        return check(schemas, first, [pathlib.Path(file) for file in files]) > 0
    documents = {kind: sorted(pathlib.Path(first, kind).glob("*.json")) for kind in OF_UNIT_TESTS}
    missing = [kind for kind, paths in documents.items() if not paths]
    for kind in missing:
        print(f"no document of the kind {kind} in {first}: have the unit tests run?")
    return sum(check(schemas, kind, paths) for kind, paths in documents.items()) + len(missing) > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
