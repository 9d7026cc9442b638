#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# detect classify --features: files of features, of whole pictures and of regions.
# shellcheck source=tests/cli/support.sh
source "$PWD/tests/cli/support.sh"

mkdir photos
draw_picture photos/1.png 90 60 1
draw_picture photos/2.jpg 60 80 2
make_small_model small.safetensors
extract() { detect classify --model small.safetensors --features "$@"; }
detect propose --set proposals.selective_search.min_side=5 --set proposals.max=7 -o regions.json photos

# tensors FILE EXPRESSION: a Python expression is true of `t` (name: dtype, shape, bytes) and `m`, the metadata. Checks
# that the tensors lie one behind the other, aligned, up to the end of the file.
tensors() {
  /usr/bin/python3 - "$@" <<'PY' || fail "not true of $1: $2"
import json, struct, sys
data = open(sys.argv[1], "rb").read()
length = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + length])
m = header.pop("__metadata__")
assert length % 8 == 0
end, t, size = 0, {}, {"F32": 4, "I32": 4, "U8": 1}
for name, x in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
    begin, stop = x["data_offsets"]
    count = 1
    for side in x["shape"]:
        count *= side
    assert begin == end and begin % size[x["dtype"]] == 0 and stop - begin == count * size[x["dtype"]], name
    end = stop
    t[name] = (x["dtype"], x["shape"], data[8 + length + begin:8 + length + stop])
assert len(data) == 8 + length + end
numbers = lambda name, kind: list(struct.unpack(f"<{len(t[name][2]) // struct.calcsize(kind)}{kind}", t[name][2]))
sys.exit(not eval(sys.argv[2]))
PY
}

a_row_a_picture_by_default() {
  exits 0 extract concat -o f.safetensors photos
  prints_nothing
  says_nothing
  tensors f.safetensors 't["features"][:2] == ("F32", [2, 8, 8, 8]) and numbers("image_index", "i") == [0, 1]'
  tensors f.safetensors 'json.loads(m["files"]) == ["photos/1.png", "photos/2.jpg"] and m["layer"] == "concat"'
  tensors f.safetensors 'm["crops"] == "1" and m["format"] == "detect-features"'
  holds . f.safetensors photos regions.json small.safetensors
}

vectors_have_two_dimensions_and_every_crop_a_row() {
  exits 0 extract fc --crops 10 -o f.safetensors photos
  tensors f.safetensors 't["features"][1] == [20, 5] and numbers("mirrored", "B") == [0, 1] * 10'
  tensors f.safetensors 'numbers("image_index", "i") == [0] * 10 + [1] * 10 and t["boxes"][1] == [20, 4]'
}

regions_of_proposals_have_a_row_each() {
  exits 0 extract fc --regions regions.json -o f.safetensors photos
  local count
  count=$(json_value regions.json 'sum(i["proposal_count"] for i in d["images"])')
  tensors f.safetensors "t['features'][1] == [$count, 5] and m['crops'] == 'regions'"
  local x
  x=$(json_value regions.json '[p["box"]["x"] for i in d["images"] for p in i["proposals"]]')
  tensors f.safetensors "all(abs(a - b) < .01 for a, b in zip(numbers('boxes', 'f')[::4], $x))"
}

annotated_objects_can_be_the_regions() {
  cat >coco.json <<'JSON'
{"images": [{"id": 1, "file_name": "1.png"}, {"id": 2, "file_name": "2.jpg"}], "categories": [{"id": 1, "name": "a"}],
 "annotations": [{"id": 1, "image_id": 2, "category_id": 1, "bbox": [1, 2, 30, 40]}]}
JSON
  exits 0 extract fc --regions coco.json -o f.safetensors photos
  tensors f.safetensors 'numbers("boxes", "f") == [1, 2, 31, 42] and numbers("image_index", "i") == [1]'
  rm coco.json
}

a_bad_picture_and_one_without_regions_leave_the_others_alone() {
  echo no picture >bad.jpg
  draw_picture other.png 20 20 3
  exits 1 extract fc --regions regions.json -o f.safetensors bad.jpg other.png photos/1.png
  says bad.jpg other.png 'no image of this name'
  tensors f.safetensors 'set(numbers("image_index", "i")) == {2} and len(json.loads(m["files"])) == 3'
  rm bad.jpg other.png
}

equal_runs_give_equal_bytes_in_any_batch() {
  exits 0 extract fc --crops 10 --set classifier.batch=1 --threads 1 -o a.safetensors photos
  exits 0 extract fc --crops 10 --set classifier.batch=7 --threads 1 -o b.safetensors photos
  cmp a.safetensors b.safetensors
}

unknown_layers_are_refused_with_near_ones() {
  exits 2 extract conv2 -o f.safetensors photos
  says "'conv1'"
}

what_makes_no_sense_is_wrong_usage() {
  exits 2 extract fc photos
  says --output
  exits 2 extract fc -o f.safetensors --format csv photos
  says --format
  exits 2 extract fc -o f.safetensors --regions regions.json --crops 10 photos
  says --crops
  exits 2 extract fc -o regions.json --regions regions.json photos
  says regions.json overwrite
  exits 2 detect classify -m small.safetensors --regions regions.json photos
  says --features
  exits 2 extract fc -m small.safetensors -o f.safetensors photos
  says 'one model'
  exits 1 extract fc -o no/such/folder/f photos
  says no/such/folder
  exits 1 extract fc -o f.safetensors --regions missing.json photos
  says missing.json
}

a_pipe_is_refused() {
  extract fc -o /dev/stdout photos 2>.run/err | cat >.run/out
  says 'cannot write'
}

check a_row_a_picture_by_default
check vectors_have_two_dimensions_and_every_crop_a_row
check regions_of_proposals_have_a_row_each
check annotated_objects_can_be_the_regions
check a_bad_picture_and_one_without_regions_leave_the_others_alone
check equal_runs_give_equal_bytes_in_any_batch
check unknown_layers_are_refused_with_near_ones
check what_makes_no_sense_is_wrong_usage
check a_pipe_is_refused
finish
