#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Training on data that have faults: what is said of them, and that it goes on.
# shellcheck source=tests/cli/support.sh
source "$PWD/tests/cli/support.sh"

make_small_model small.safetensors
mkdir photos
for i in 1 2 3 4 5; do draw_picture photos/$i.png 90 60 $i; done
cp photos/1.png photos/again.png
head -c 300 photos/2.png >photos/broken.png

# 5.png gets an orientation: a quarter turn. Its annotations are of the 90 x 60 pixels that are stored.
python3 - <<'PYTHON' || exit 1
import json, struct, zlib
data = open("photos/5.png", "rb").read()
exif = b"eXIf" + b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
open("photos/5.png", "wb").write(
    data[:33] + struct.pack(">I", len(exif) - 4) + exif + struct.pack(">I", zlib.crc32(exif)) + data[33:])
files = ["1", "2", "3", "4", "5", "again", "broken", "gone"]
images = [{"id": i, "file_name": f"{name}.png", "width": 90, "height": 60} for i, name in enumerate(files, 1)]
images[3].update(width=180, height=120)
boxes = {i: [0, 0, 45, 30] for i in range(1, 9)}
boxes[2], boxes[4] = [-5, 0, 50, 30], [0, 0, 90, 60]
objects = [{"id": i, "image_id": i, "category_id": 1, "bbox": b, "area": b[2] * b[3]} for i, b in boxes.items()]
objects += [{"id": 3, "image_id": 3, "category_id": 1, "bbox": [9, 9, 0, 9], "area": 0},
            {"id": 3, "image_id": 3, "category_id": 1, "bbox": [50, 30, 40, 30], "area": 1200}]
json.dump({"images": images, "annotations": objects,
           "categories": [{"id": 1, "name": "thing"}, {"id": 2, "name": "unicorn"}]}, open("photos/all.json", "w"))
json.dump({"images": images[7:], "annotations": objects[7:8],
           "categories": [{"id": 1, "name": "thing"}]}, open("gone.json", "w"))
PYTHON

train() {
  detect train -m small.safetensors --set proposals.selective_search.min_side=5 --folds 2 --cache kept "$@"
}

every_fault_is_said_and_training_goes_on() {
  exits 0 train photos -o out.safetensors
  prints 'on 5 pictures'
  says 'not there, left out: 1 of 8 (gone.png)' '--images'
  says 'cannot be read, left out: 1 of 8 (broken.png: '
  says 'there twice, taken as one with the boxes of both: 1 of 8 (again.png is 1.png)'
  says 'boxes are turned, too: 1 of 8 (5.png, annotated as 90 x 60 pixels, is 60 x 90 upright)'
  says 'boxes are scaled: 1 of 8 (4.png, annotated as 180 x 120 pixels, is 90 x 60 upright)'
  says 'cut at its edges: 1 of 10 (object 2 on 2.png)'
  says 'without an area inside the picture, left out: 1 of 10 (object 3 on 3.png)'
  says 'numbered anew: 1 of 10 (object 3 on 3.png)'
  says 'not learned: 1 of 2 (unicorn)'
  [ "$(wc -l <.run/err)" = 9 ] || fail 'more is said than that'
}

quiet_says_nothing() {
  exits 0 train photos -q -o quiet.safetensors
  says_nothing
  cmp -s out.safetensors quiet.safetensors || fail 'another model'
}

without_a_picture_there_is_nothing_to_do() {
  exits 1 train gone.json -o none.safetensors
  says 'none of the 1 pictures is there' 'gone.png' '--images FOLDER'
  [ ! -e none.safetensors ] || fail 'a model was written'
}

check every_fault_is_said_and_training_goes_on
check quiet_says_nothing
check without_a_picture_there_is_nothing_to_do
finish
