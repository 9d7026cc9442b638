#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Annotations and results in other formats.
# shellcheck source=tests/cli/support.sh
source "$PWD/tests/cli/support.sh"

mkdir photos
draw_picture photos/1.png 90 60 1
draw_picture photos/2.png 64 80 2

# Three objects that every format can hold, one to be ignored and a crowd.
cat >photos.json <<'JSON'
{"images": [{"id": 1, "file_name": "1.png", "width": 90, "height": 60},
            {"id": 2, "file_name": "2.png", "width": 64, "height": 80}],
 "categories": [{"id": 5, "name": "cat"}, {"id": 7, "name": "hot dog"}],
 "annotations": [
  {"id": 1, "image_id": 1, "category_id": 5, "bbox": [0, 0, 90, 60], "area": 5400, "iscrowd": 0},
  {"id": 2, "image_id": 1, "category_id": 7, "bbox": [9, 6, 18, 24], "area": 432, "iscrowd": 0},
  {"id": 3, "image_id": 2, "category_id": 5, "bbox": [32, 20, 16, 40], "area": 640, "iscrowd": 0},
  {"id": 4, "image_id": 2, "category_id": 7, "bbox": [1, 1, 2, 2], "area": 4, "ignore": 1},
  {"id": 5, "image_id": 2, "category_id": 7, "bbox": [9, 9, 9, 9], "area": 81, "iscrowd": 1, "segmentation": [[1]]}]}
JSON

cat >found.json <<'JSON'
[{"image_id": 1, "category_id": 5, "bbox": [0, 0, 90, 60], "score": 0.9},
 {"image_id": 2, "category_id": 7, "bbox": [9, 9, 9, 9], "score": 0.8},
 {"image_id": 2, "category_id": 5, "bbox": [32, 20, 16, 40], "score": 0.7},
 {"image_id": 1, "category_id": 7, "bbox": [9, 6, 18, 20], "score": 0.6}]
JSON

convert() { detect convert "$@"; }

# AP of annotations and results by a metric.
ap_of() {
  detect eval -q -a "$1" -R "$2" --metric "$3" --json ap.json >/dev/null || fail "no evaluation of $2"
  json_value ap.json 'd["mean"]["ap"]'
}

coco_becomes_yolo_that_reads_back() {
  exits 0 convert -a photos.json --to yolo -o set
  prints_nothing
  says 'annotations.segmentation: 1' 'crowds, left out: 1 (first: object 5 on 2.png)' \
    'to be ignored, left out: 1' '5 becomes 0, cat' 'set: 2 pictures with 5 objects of 2 classes, as yolo'
  holds set config.yaml images labels
  [ "$(cat set/labels/train/2.txt)" = '0 0.625 0.5 0.25 0.5' ] || fail 'wrong label'
  exits 0 detect propose --annotations set --set proposals.selective_search.width=0
  prints 'set (yolo)' '2 of 2, with 3 objects'
}

another_part_is_added_and_none_replaced() {
  exits 2 convert -a photos.json --to yolo -o set
  says 'the part "train" already' '--part' '--overwrite'
  exits 0 convert -q -a photos.json --to yolo --part val -o set
  says_nothing
  exits 0 convert -q -a photos.json --to yolo --part val -o set --overwrite
  grep -q "^train: \['images/train'\]$" set/config.yaml || fail 'the first part is gone'
  exits 0 convert -a set --split val --to coco
  says '2 pictures with 3 objects'
  exits 2 convert -a photos.json --to yolo --part trainval -o other
  says 'train, val and test'
}

yolo_becomes_voc_that_reads_back() {
  exits 0 convert -a set --split train --to voc -o voc
  says 'as voc'
  [ "$(cat voc/ImageSets/Main/train.txt)" = $'1\n2' ] || fail 'wrong list'
  grep -q '<xmin>33</xmin>' voc/Annotations/2.xml || fail 'wrong corner'
  exits 0 detect propose --annotations voc --split train --set proposals.selective_search.width=0
  prints 'voc (voc)' '2 of 2, with 3 objects'
}

voc_becomes_coco_on_standard_output() {
  exits 0 convert -a voc --to coco
  cp .run/out back.json
  json back.json '[i["file_name"] for i in d["images"]] == ["1.png", "2.png"]'
  json back.json 'sorted(a["bbox"] for a in d["annotations"]) == [[0, 0, 90, 60], [9, 6, 18, 24], [32, 20, 16, 40]]'
  exits 0 convert -a voc --to coco -o -
  cmp .run/out back.json
  exits 1 eval "$(declare -f detect); build=$build; detect convert -q -a voc --to coco >/dev/full"
}

corners_are_rounded_on_demand() {
  sed 's/\[9, 6, 18, 24\]/[9.25, 6, 18, 24.5]/' photos.json >fractions.json
  exits 0 convert -a fractions.json --images photos --to voc -o fractions
  says 'which are kept' '--round' ': 1 (first: object 2 on 1.png)'
  grep -q '<xmin>10.25</xmin>' fractions/Annotations/1.xml || fail 'no fraction'
  exits 0 convert -a fractions.json --images photos --to voc --round -o rounded
  says 'rounded: 1'
  grep -q '<ymax>31</ymax>' rounded/Annotations/1.xml || fail 'not rounded'
}

# The difficult object of VOC is one in COCO's file, too, but for pycocotools.
marks_of_voc_come_back() {
  exits 0 convert -q -a photos.json --to voc -o marked
  exits 0 convert -a marked --to coco -o marked.json
  says 'pycocotools does not look: 2'
  exits 0 convert -q -a marked.json --to voc -o again
  cmp marked/Annotations/2.xml again/Annotations/2.xml
}

results_keep_their_figures_in_every_format() {
  exits 0 convert -a photos.json -R found.json --to json -o found-own.json
  matches_schema found-own.json output
  exits 0 convert -a photos.json -R found.json --to jsonl -o found.jsonl
  matches_schema found.jsonl lines
  exits 0 convert -a photos.json -R found.json --to voc -o found-voc
  holds found-voc comp4_det_test_cat.txt comp4_det_test_hot_dog.txt
  exits 0 convert -a photos.json -R found-voc --to coco -o found-back.json
  says 'whose names the annotations give: 2'
  json found-back.json 'len(d) == 4 and d[0] == {"image_id": 1, "category_id": 5, "bbox": [0, 0, 90, 60], "score": 0.9}'
  for metric in coco voc10; do
    expected=$(ap_of photos.json found.json "$metric")
    for results in found-own.json found.jsonl found-voc found-back.json; do
      [ "$(ap_of photos.json "$results" "$metric")" = "$expected" ] || fail "$metric of $results is not $expected"
    done
  done
  [ "$(ap_of marked found-voc voc10)" = "$(ap_of photos.json found.json voc10)" ] || fail 'VOC has another AP'
}

classes_of_results_are_mapped() {
  exits 0 convert -a photos.json -R found-own.json --class-map cat='hot dog' --to coco
  cp .run/out mapped.json
  json mapped.json 'all(r["category_id"] == 7 for r in d)'
  exits 2 convert -a photos.json -R found-own.json --class-map cat=lion --to coco
  says 'lion'
}

nothing_that_is_converted_is_replaced() {
  exits 2 convert -a photos.json --to coco -o photos.json --overwrite
  says 'would overwrite photos.json'
  exits 2 convert -a photos.json --to coco -o ./photos.json
  says 'would overwrite'
  exits 2 convert -a set --to yolo -o set --overwrite
  says 'would overwrite set'
  exits 2 convert -a set/config.yaml --to yolo -o ./set --overwrite
  says 'would overwrite'
  exits 2 convert -a voc/Annotations --to voc -o voc --overwrite
  says 'would overwrite'
  exits 2 convert -a photos.json -R found.json --to coco -o found.json --overwrite
  says 'would overwrite found.json'
  exits 2 convert -a photos.json -R found-voc/comp4_det_test_cat.txt --to voc -o found-voc --overwrite
  says 'would overwrite'
  exits 2 convert -a photos.json -R found.json --to json -o photos.json --overwrite
  says 'would overwrite photos.json'
  exits 2 convert -a photos.json --to coco -o back.json
  says 'back.json' 'exists' '--overwrite'
  exits 2 convert -a photos.json --to yolo -o photos
  says 'photos' 'is not empty'
  exits 0 convert -q -a photos.json --to coco -o back.json --overwrite
}

# A data set may be made around its pictures, which stay as they are.
pictures_stay_where_they_are() {
  mkdir -p own/images/train
  cp photos/1.png photos/2.png own/images/train
  cp photos.json own/train.json
  exits 0 convert -a own/train.json --images own/images/train --to yolo -o own --overwrite
  cmp photos/1.png own/images/train/1.png
  [ ! -L own/images/train/1.png ] || fail 'a picture became a link'
  exits 0 convert -a own --to coco
  says '2 pictures with 3 objects'
}

# Names that lead elsewhere, or are the same without their folders.
hostile_names_are_tamed_or_refused() {
  for name in ../../escape.png /tmp/escape.png 'x/../../y.png'; do
    sed "s|\"1.png\"|\"$name\"|" photos.json >hostile.json
    rm -rf hostile-yolo hostile-voc
    exits 0 convert -q -a hostile.json --to yolo -o hostile-yolo
    exits 0 convert -q -a hostile.json --to voc -o hostile-voc
    holds hostile-voc Annotations ImageSets JPEGImages
    [ ! -e ../escape.txt ] || fail "$name escaped"
  done
  sed 's|"1.png"|"a/x.png"|; s|"2.png"|"b/x.png"|' photos.json >twice.json
  exits 2 convert -a twice.json --to voc -o twice
  says 'b/x.png' 'another picture is called "x"'
  exits 0 convert -q -a twice.json --to yolo -o twice-yolo
  sed 's|"hot dog"|"R\&D <\\u00e4> '"'"'1'"'"'"|' photos.json >special.json
  exits 0 convert -q -a special.json --to voc -o special-voc
  exits 0 convert -q -a special.json --to yolo -o special-yolo
  for set in special-voc special-yolo; do
    exits 0 convert -q -a "$set" --to coco
    cp .run/out special-back.json
    json special-back.json "any(c['name'] == \"R&D <\u00e4> '1'\" for c in d['categories'])"
  done
}

# Its size is not known, and nobody writes into the pipe.
a_picture_that_is_a_pipe_is_not_waited_for() {
  mkfifo pipe.png
  echo '{"images": [{"id": 1, "file_name": "pipe.png"}], "categories": []}' >pipe.json
  exits 0 timeout 10 "$build/detect" convert -q -a pipe.json --to coco
}

wrong_usage_is_named() {
  exits 2 convert -a photos.json
  says '--to FORMAT'
  exits 2 convert --to coco
  says '--annotations PATH'
  exits 2 convert -a photos.json --to voc
  says 'a folder' '--output'
  exits 2 convert -a photos.json --to json
  says '--results'
  exits 2 convert -a photos.json -R found.json --to yolo -o x
  says 'for annotations'
  exits 2 convert -a photos.json -R found.json --to voc -o x --part val
  says '--part'
  exits 2 convert -a photos.json --to yolo -o x --round
  says '--round'
  exits 2 convert -a photos.json --to coco --class-map a=b
  says '--class-map'
  exits 2 convert -a set --images photos --to coco
  says '--images'
  exits 2 convert -a photos.json --to xml
  says 'coco|voc|yolo'
  exits 1 convert -a missing.json --to coco
  says 'missing.json' 'No such file'
  exits 1 convert -a photos.json --to coco -o no/such/folder.json
  says 'no/such/folder.json'
}

check coco_becomes_yolo_that_reads_back
check another_part_is_added_and_none_replaced
check yolo_becomes_voc_that_reads_back
check voc_becomes_coco_on_standard_output
check corners_are_rounded_on_demand
check marks_of_voc_come_back
check results_keep_their_figures_in_every_format
check classes_of_results_are_mapped
check nothing_that_is_converted_is_replaced
check pictures_stay_where_they_are
check hostile_names_are_tamed_or_refused
check a_picture_that_is_a_pipe_is_not_waited_for
check wrong_usage_is_named
finish
