#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Labels that a training doubts, and its page.
# shellcheck source=tests/cli/support_train.sh
source "$PWD/tests/cli/support_train.sh"
# shellcheck source=tests/cli/support_browser.sh
source "$source_folder/tests/cli/support_browser.sh"

# The thing of picture 2 is labelled twice, and as another thing in picture 4. No name can become markup.
python3 - <<'PYTHON' || exit 1
import json
set = json.load(open("photos.json"))
set["categories"][0]["name"] = "<b>thing</b>"
set["annotations"] += [
    {"id": 90, "image_id": 2, "category_id": 1, "bbox": [0, 0, 44, 30], "area": 1320, "iscrowd": 0},
    {"id": 91, "image_id": 4, "category_id": 4, "bbox": [0, 0, 45, 29], "area": 1305, "iscrowd": 0}]
json.dump(set, open("spoilt.json", "w"))
PYTHON

# 44 of 45 columns are common, 29 of 30 rows.
doubtful_labels_are_told() {
  exits 0 train spoilt.json --folds 3 -o out.safetensors
  prints 'Labels worth a look, the most doubtful first' \
    'duplicate    2.png [0, 0, 44, 30]: labelled twice, <b>thing</b> and <b>thing</b>: their boxes have an IoU of 0.98' \
    'duplicate    4.png [0, 0, 45, 29]: labelled twice, <b>thing</b> and other: their boxes have an IoU of 0.97'
}

a_report_is_a_page_with_their_pictures() {
  exits 0 train spoilt.json --folds 3 -o out.safetensors --report page
  prints 'Report: page/index.html'
  holds page index.html
  contains page/index.html 'id="figures"' 'id="classes"' 'id="labels"' 'id="settings"' 'src="data:image/jpeg;base64,' \
    '<code>spoilt.json</code>, coco' '&lt;b&gt;thing&lt;/b&gt;' '<b>duplicate</b>' '<dt>train.folds</dt><dd><code>3</code>' \
    '<dt>digest of the network</dt><dd><code>xxh3' '<dt>of the pictures</dt><dd><code>xxh3' \
    '<dt>of the annotations</dt><dd><code>xxh3'
  ! grep -qE '<b>thing|<script|https?:' page/index.html || fail 'the page has what it must not have'
}

equal_runs_give_equal_pages() {
  exits 0 train spoilt.json --folds 3 -o out.safetensors --report one
  exits 0 train spoilt.json --folds 3 -o out.safetensors --report other
  cmp -s one/index.html other/index.html || fail 'they differ'
}

a_browser_fetches_nothing_for_it_and_finds_no_fault() {
  exits 0 train spoilt.json --folds 3 -o out.safetensors --report page
  browse page/index.html
  contains .run/dom '<section id="labels">' 'Written by detect'
  [ ! -s .run/console ] || fail "on the console: $(cat .run/console)"
  [ ! -s .run/fetched ] || fail "fetched: $(cat .run/fetched)"
}

a_folder_that_cannot_be_is_told_before_the_work() {
  exits 1 train spoilt.json --folds 3 -o none.safetensors --report spoilt.json
  says '--report' 'spoilt.json'
  [ ! -e none.safetensors ] || fail 'a model was written'
}

check doubtful_labels_are_told
check a_report_is_a_page_with_their_pictures
check equal_runs_give_equal_pages
check_in_browser a_browser_fetches_nothing_for_it_and_finds_no_fault
check a_folder_that_cannot_be_is_told_before_the_work
finish
