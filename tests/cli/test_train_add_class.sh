#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Classes that are added to a finished detector.
# shellcheck source=tests/cli/support_train.sh
source "$PWD/tests/cli/support_train.sh"

# of_class NAME FILE: the annotations with the objects of one class, and with all categories.
of_class() {
  python3 - "$1" "$2" <<'PYTHON' || exit 1
import json, sys
set = json.load(open("photos.json"))
kept = [c["id"] for c in set["categories"] if c["name"] == sys.argv[1]]
set["annotations"] = [o for o in set["annotations"] if o["category_id"] in kept]
json.dump(set, open(sys.argv[2], "w"))
PYTHON
}

of_class thing thing.json
of_class other other.json

add() {
  detect train --add-class -m first.safetensors "${small_boxes[@]}" --images photos "$@"
}

a_class_is_added_and_the_others_stay() {
  exits 0 train thing.json --folds 3 -o first.safetensors
  exits 0 add other.json --folds 3 -o both.safetensors
  prints 'Learned from 3 objects of 1 class' 'other' 'both.safetensors is ready'
  matches_schema both.safetensors.cache/log.jsonl log
  exits 0 detect model verify both.safetensors
  python3 - <<'PYTHON' || fail 'the weights that were there have changed'
import json, struct

def read(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    return header, {name: data[t["data_offsets"][0]:t["data_offsets"][1]] for name, t in header.items() if name[:2] != "__"}

(old_header, old), (header, new) = read("first.safetensors"), read("both.safetensors")
assert set(old) == set(new)
for name in old:
    if not name.startswith("head/"):
        assert old[name] == new[name], name
# thing, background; thing, other, background
for part in ("weight", "bias"):
    name = "head/classes." + part
    row = len(old[name]) // 2
    assert len(new[name]) == 3 * row
    assert new[name][:row] == old[name][:row] and new[name][2 * row:] == old[name][row:]
    assert new["head/boxes." + part].startswith(old["head/boxes." + part])
model = json.loads(header["__metadata__"]["model"])
assert [c["name"] for c in model["classes"]] == ["thing", "other"]
assert model["background_index"] == 2
PYTHON
}

it_finds_the_old_and_the_new_class() {
  exits 0 detect -m both.safetensors --set postprocess.score_threshold=0.001 photos/1.png
  cp .run/out found.json
  json found.json '{i["class"] for i in d["images"][0]["detections"]} <= {"thing", "other"}'
  json found.json 'any(i["class"] == "thing" for i in d["images"][0]["detections"])'
}

objects_of_old_classes_count_as_examples_of_what_it_is_not() {
  exits 0 add photos.json --folds 3 -o beside.safetensors
  prints 'Learned from 9 objects of 2 classes' 'thing' 'other'
  ! cmp -s both.safetensors beside.safetensors || fail 'what is annotated of old classes makes no difference'
}

equal_runs_give_equal_files() {
  exits 0 add other.json --folds 3 -o again.safetensors --cache both.safetensors.cache
  prints 'features of 6'
  cmp -s both.safetensors again.safetensors || fail 'the second run differs'
}

what_cannot_be_added_is_refused() {
  exits 2 add thing.json --folds 3 -o out.safetensors
  says 'first.safetensors' 'has all 1 annotated classes already (thing)' 'without --add-class'
  exits 2 detect train --add-class other.json -m small.safetensors --images photos -o out.safetensors
  says 'small.safetensors' 'a model that detect train has made'
  [ ! -e out.safetensors ] || fail 'a model was written'
}

check a_class_is_added_and_the_others_stay
check it_finds_the_old_and_the_new_class
check objects_of_old_classes_count_as_examples_of_what_it_is_not
check equal_runs_give_equal_files
check what_cannot_be_added_is_refused
finish
