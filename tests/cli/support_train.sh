# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What tests of `detect train` begin with: six pictures, their annotations, a small network.
# shellcheck source=tests/cli/support.sh
source "$PWD/tests/cli/support.sh"

make_small_model small.safetensors
mkdir photos
for i in 1 2 3 4 5 6; do draw_picture photos/$i.png 90 60 $i; done

# Each picture shows a thing in its upper left quarter; half of them another in the lower right one.
python3 - <<'PYTHON' || exit 1
import json
images = [{"id": i, "file_name": f"{i}.png", "width": 90, "height": 60} for i in range(1, 7)]
objects = [(i, 1, [0, 0, 45, 30]) for i in range(1, 7)] + [(i, 4, [45, 30, 45, 30]) for i in (1, 3, 5)]
json.dump({"images": images,
           "categories": [{"id": 1, "name": "thing"}, {"id": 4, "name": "other"}, {"id": 9, "name": "none"}],
           "annotations": [{"id": n + 1, "image_id": i, "category_id": c, "bbox": b, "area": b[2] * b[3], "iscrowd": 0}
                           for n, (i, c, b) in enumerate(objects)]}, open("photos.json", "w"))
PYTHON

# Objects of these pictures are proposed, and pictures are not enlarged first, which takes longer.
small_boxes=(--set proposals.selective_search.min_side=5 --set proposals.selective_search.width=0)

train() {
  detect train -m small.safetensors "${small_boxes[@]}" --images photos "$@"
}
