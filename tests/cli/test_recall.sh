#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Proposals measured against annotations.
# shellcheck source=tests/cli/support.sh
source "$PWD/tests/cli/support.sh"

mkdir photos
draw_picture photos/1.png 90 60 1
draw_picture photos/2.png 60 80 2
draw_picture photos/3.png 50 50 3

# An object that is the whole picture, which selective search always proposes; a crowd; a box without an area.
cat >photos.json <<'JSON'
{"images": [{"id": 1, "file_name": "1.png", "width": 90, "height": 60},
            {"id": 2, "file_name": "2.png", "width": 60, "height": 80}],
 "categories": [{"id": 5, "name": "whole"}, {"id": 7, "name": "speck"}, {"id": 9, "name": "none"}],
 "annotations": [
  {"id": 1, "image_id": 1, "category_id": 5, "bbox": [0, 0, 90, 60], "area": 5400, "iscrowd": 0},
  {"id": 2, "image_id": 2, "category_id": 7, "bbox": [1, 1, 1, 1], "area": 1, "iscrowd": 0},
  {"id": 3, "image_id": 2, "category_id": 7, "bbox": [9, 9, 9, 9], "area": 81, "iscrowd": 1}]}
JSON

# A VOC folder of one picture with a difficult object and an easy one.
mkdir -p voc/Annotations voc/JPEGImages voc/ImageSets/Main
draw_picture voc/JPEGImages/a.jpg 90 60 1
cat >voc/Annotations/a.xml <<'XML'
<annotation><filename>a.jpg</filename><size><width>90</width><height>60</height><depth>3</depth></size>
<object><name>whole</name><difficult>0</difficult>
<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>90</xmax><ymax>60</ymax></bndbox></object>
<object><name>speck</name><difficult>1</difficult>
<bndbox><xmin>5</xmin><ymin>5</ymin><xmax>6</xmax><ymax>6</ymax></bndbox></object></annotation>
XML
echo a >voc/ImageSets/Main/test.txt

quick=(--set proposals.selective_search.width=0 --set proposals.selective_search.min_side=5)
propose() { detect propose "${quick[@]}" "$@"; }

# The figures of all regions of a method.
all_of() { echo "next(m for m in d['methods'] if m['method'] == '$1')['budgets'][-1]"; }

the_annotated_pictures_are_run_without_operands() {
  exits 0 propose --annotations photos.json
  says_nothing
  prints 'photos.json (coco)' 'Pictures       2 of 2, with 2 objects' 'Left out       1 objects: 1 of a crowd'
  prints 'recall at IoU' 'selective_search' 'uniform' 'MABO' 'whole' 'speck'
  grep -q '^none' .run/out && fail 'a class without objects'
  grep -qF '{' .run/out && fail 'regions beside the table'
  return 0
}

json_holds_all_figures() {
  exits 0 propose --annotations photos.json --json out.json
  prints 'recall at IoU'
  matches_schema out.json recall
  json out.json "$(all_of selective_search)['recall'] == [0.5] * 11"
  json out.json "$(all_of selective_search)['average_recall'] == 0.5"
  json out.json "$(all_of selective_search)['abo'][0] == 1 and $(all_of selective_search)['abo'][2] is None"
  json out.json 'd["objects"] == {"counted": 2, "crowd": 1, "difficult": 0, "empty": 0}'
  json out.json '[c["objects"] for c in d["classes"]] == [1, 1, 0]'
}

json_on_standard_output_takes_the_place_of_the_table() {
  exits 0 propose --annotations photos.json --json -
  says_nothing
  cp .run/out stdout.json
  matches_schema stdout.json recall
  exits 0 propose -t 1 --annotations photos.json --json file.json
  cmp stdout.json file.json
}

compared_methods_propose_as_many_boxes() {
  exits 0 propose --annotations photos.json --compare sliding --compare uniform --json out.json
  matches_schema out.json recall
  json out.json '[m["method"] for m in d["methods"]] == ["selective_search", "sliding", "uniform"]'
  json out.json "$(all_of uniform)['boxes_per_image'] == $(all_of selective_search)['boxes_per_image']"
  json out.json "$(all_of sliding)['boxes_per_image'] <= $(all_of selective_search)['boxes_per_image']"
}

a_head_that_proposes_is_measured_alone_and_in_a_union() {
  make_small_model boxes.safetensors multibox
  exits 0 propose -m boxes.safetensors --annotations photos.json --set 'proposals.methods=["selective_search","multibox"]' \
    --compare selective_search --compare multibox --json out.json
  matches_schema out.json recall
  json out.json '[m["method"] for m in d["methods"]] == ["selective_search+multibox", "selective_search", "multibox"]'
  json out.json "$(all_of multibox)['boxes_per_image'] == 3"
  exits 2 propose --annotations photos.json --compare multibox
  says 'detect train'
}

random_boxes_are_compared_with_what_is_named_alone() {
  exits 0 propose --annotations photos.json --method uniform --json out.json
  json out.json '[m["method"] for m in d["methods"]] == ["uniform"]'
  exits 2 propose --annotations photos.json --method uniform --compare uniform
  says --compare uniform 'already'
}

regions_go_to_a_file_alone() {
  exits 0 propose --annotations photos.json -o regions.json
  prints 'recall at IoU'
  matches_schema regions.json output
  json regions.json '[i["file"] for i in d["images"]] == ["photos/1.png", "photos/2.png"]'
  exits 2 propose --annotations photos.json --format jsonl
  says --format --output
  exits 2 propose --annotations photos.json --timings
  says --timings --output
}

pictures_that_are_named_are_run() {
  exits 0 propose --annotations photos.json photos/3.png photos/1.png photos/./1.png
  says 'without annotations, not measured: 1 (first: photos/3.png)' 'measured once: 1' 'not run: 1 of 2'
  prints 'Pictures       1 of 2, with 1 objects'
}

pictures_of_another_size_are_told_about() {
  mkdir turned
  draw_picture turned/1.png 60 90 1
  exits 0 propose --annotations photos.json turned/1.png
  says 'another size' 'turned/1.png'
}

another_folder_may_hold_the_pictures() {
  mkdir elsewhere
  mv photos/1.png photos/2.png elsewhere
  exits 1 propose --annotations photos.json
  says '1.png' 'No such file' 'not run: 2 of 2'
  prints 'n/a'
  exits 0 propose --annotations photos.json --images elsewhere
  prints 'Pictures       2 of 2'
  mv elsewhere/*.png photos
}

difficult_objects_of_voc_count_unless_told_otherwise() {
  exits 0 propose --annotations voc --split test --json out.json
  prints 'voc (voc)' 'Pictures       1 of 1, with 2 objects'
  matches_schema out.json recall
  exits 0 propose --annotations voc --without-difficult --json out.json
  prints 'with 1 objects' '1 difficult'
  json out.json "$(all_of selective_search)['mabo'] == 1"
}

what_is_strange_about_annotations_is_said() {
  sed 's/"id": 2, "image_id": 2/"id": 2, "image_id": 8/' photos.json >strange.json
  exits 0 propose --annotations strange.json --images photos
  says 'strange.json' 'left out: 1'
  exits 0 propose --quiet --annotations strange.json --images photos
  says_nothing
}

curves_are_drawn_as_svg_and_png() {
  exits 0 propose --annotations photos.json --compare uniform --compare sliding --plots plots
  holds plots average-recall.png average-recall.svg recall-boxes.png recall-boxes.svg recall-iou.png recall-iou.svg
  /usr/bin/python3 - plots/*.svg <<'PY' || fail 'no XML'
import sys, xml.dom.minidom
for name in sys.argv[1:]:
    root = xml.dom.minidom.parse(name).documentElement
    assert root.tagName == "svg" and root.getElementsByTagName("path"), name
PY
  exits 0 propose --method uniform -o seen.json plots
  json seen.json '[(i["width"], i["height"]) for i in d["images"]] == [(1800, 1140)] * 3'
}

the_curves_of_nothing_are_drawn_too() {
  echo '{"images": [{"id": 1, "file_name": "1.png"}], "annotations": [], "categories": []}' >nothing.json
  exits 0 propose --annotations nothing.json --images photos --plots empty
  prints 'n/a'
  [ -s empty/recall-iou.svg ] || fail 'no chart'
  exits 1 propose --annotations photos.json --plots photos.json
  says photos.json --plots
}

presets_are_measured_beside_one_another() {
  exits 0 detect bench proposals "${quick[@]}" --annotations photos.json --pictures 1 -t 1 --json bench.json
  matches_schema bench.json bench_proposals
  prints 'on 1 threads' 'quality' 'recall .5' 'Peak memory'
  json bench.json '[v["preset"] for v in d["variants"][::2]] == ["single", "fast", "quality"]'
  json bench.json 'all(v["recall_50"] == 1 and v["boxes_per_image"] > 0 for v in d["variants"])'
  json bench.json 'd["images"] == 1 and d["objects"] == 1 and d["peak_memory_mb"] > 1'
  exits 0 detect bench proposals "${quick[@]}" --json - photos
  cp .run/out bench.json
  matches_schema bench.json bench_proposals
  json bench.json 'd["images"] == 3 and "recall_50" not in d["variants"][0] and "annotations" not in d'
  exits 2 detect bench proposals
  says 'nothing to work on'
  exits 2 detect bench proposals --annotations photos.json --json photos.json
  says 'would overwrite the annotations'
}

wrong_usage_is_found_at_once() {
  exits 2 propose
  says 'nothing to work on'
  exits 1 propose --annotations missing.json
  says missing.json
  exits 2 propose --annotations voc --split no-such
  says no-such
  exits 2 propose --json - photos
  says --json --annotations
  exits 2 propose --compare sliding photos
  says --compare --annotations
  exits 2 propose --annotations photos.json --json photos.json
  says 'overwrite'
  exits 1 propose --annotations photos.json --json no/such/out.json
  says no/such/out.json
  prints_nothing
  json photos.json 'len(d["images"]) == 2'
}

check the_annotated_pictures_are_run_without_operands
check json_holds_all_figures
check json_on_standard_output_takes_the_place_of_the_table
check compared_methods_propose_as_many_boxes
check a_head_that_proposes_is_measured_alone_and_in_a_union
check random_boxes_are_compared_with_what_is_named_alone
check regions_go_to_a_file_alone
check pictures_that_are_named_are_run
check pictures_of_another_size_are_told_about
check another_folder_may_hold_the_pictures
check difficult_objects_of_voc_count_unless_told_otherwise
check what_is_strange_about_annotations_is_said
check curves_are_drawn_as_svg_and_png
check the_curves_of_nothing_are_drawn_too
check presets_are_measured_beside_one_another
check wrong_usage_is_found_at_once
finish
