#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Detections measured against annotations.
# shellcheck source=tests/cli/support.sh
source "$PWD/tests/cli/support.sh"

# Three pictures (the last without objects), two cats of which one has the id 0, a crowd of dogs, no bird.
cat >truth.json <<'JSON'
{"images": [{"id": 1, "file_name": "1.jpg", "width": 90, "height": 60},
            {"id": 2, "file_name": "2.jpg", "width": 60, "height": 80},
            {"id": 3, "file_name": "3.jpg", "width": 60, "height": 80}],
 "categories": [{"id": 5, "name": "cat"}, {"id": 7, "name": "dog"}, {"id": 9, "name": "bird"}],
 "annotations": [
  {"id": 1, "image_id": 1, "category_id": 5, "bbox": [0, 0, 40, 40], "area": 1600, "iscrowd": 0},
  {"id": 0, "image_id": 2, "category_id": 5, "bbox": [0, 0, 10, 10], "area": 100, "iscrowd": 0},
  {"id": 2, "image_id": 2, "category_id": 7, "bbox": [9, 9, 9, 9], "area": 81, "iscrowd": 1}]}
JSON

# Both cats, one detection on an unknown picture, one of an unknown class.
cat >found.json <<'JSON'
[{"image_id": 1, "category_id": 5, "bbox": [0, 0, 40, 40], "score": 0.9},
 {"image_id": 2, "category_id": 5, "bbox": [0, 0, 10, 10], "score": 0.8},
 {"image_id": 8, "category_id": 5, "bbox": [0, 0, 10, 10], "score": 0.7},
 {"image_id": 3, "category_id": 91, "bbox": [0, 0, 10, 10], "score": 0.6}]
JSON

# What detect writes, with names of classes.
cat >found.jsonl <<'JSONL'
{"schema_version":1,"file":"x/1.jpg","detections":[{"class":"kitten","score":0.5,"box":{"x":0,"y":0,"width":40,"height":40}}]}
{"schema_version":1,"file":"x/2.jpg","detections":[{"class":"cat","score":0.4,"box":{"x":0,"y":0,"width":10,"height":5}}]}
{"schema_version":1,"file":"x/3.jpg","detections":[]}
JSONL

# A VOC folder: cats of 10 x 10 pixels, the second one difficult; results of two classes.
mkdir -p voc/Annotations voc/ImageSets/Main results
cat >voc/Annotations/a.xml <<'XML'
<annotation><filename>a.jpg</filename>
<object><name>cat</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>10</xmax><ymax>10</ymax></bndbox></object>
<object><name>cat</name><difficult>1</difficult>
<bndbox><xmin>51</xmin><ymin>1</ymin><xmax>60</xmax><ymax>10</ymax></bndbox></object></annotation>
XML
echo a >voc/ImageSets/Main/test.txt
printf 'a 0.9 51 1 60 10\na 0.8 1 1 10 5\n' >results/comp4_det_test_cat.txt
printf 'a 0.9 1 1 10 10\n' >results/comp4_det_test_dog.txt

coco_prints_its_twelve_figures_and_a_table_of_classes() {
  exits 0 detect eval -a truth.json -R found.json
  prints ' Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 0.505' \
    ' Average Precision  (AP) @[ IoU=0.75      | area=   all | maxDets=100 ] = 0.505' \
    ' Average Precision  (AP) @[ IoU=0.50:0.95 | area= large | maxDets=100 ] =   n/a' \
    ' Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=  1 ] = 0.500' \
    'of 2 of 3 classes no object counts' 'APs' 'bird'
  [ "$(grep -c '@\[' .run/out)" = 12 ] || fail 'not twelve lines'
}

what_is_left_out_is_counted_and_named() {
  exits 0 detect eval -a truth.json -R found.json
  says 'left out: 1 (first: image_id 8)' 'left out: 1 (category_id 91: 1)' '--class-map FROM=TO' \
    'objects with the id 0 count as never found' '--corrected: 1'
  prints '1 on unknown pictures, 1 of unknown classes'
  exits 0 detect eval -q -a truth.json -R found.json
  says_nothing
}

json_holds_everything() {
  exits 0 detect eval -a truth.json -R found.json --json out.json
  matches_schema out.json eval
  json out.json 'd["detections"] == {"listed": 4, "counted": 2, "cut": 0, "left_out": 0, "unknown_images": 1, "unknown_classes": 1}'
  json out.json 'd["objects"] == {"counted": 2, "ignored": 1, "left_out": 0, "never_found": 1, "replaced": 0}'
  json out.json 'd["unknown_classes"] == [{"class": "category_id 91", "detections": 1}]'
  json out.json 'abs(d["stats"][0] - 51 / 101) < 1e-12 and d["stats"][5] == -1 and d["mean"]["classes"] == 1'
  json out.json '[c["ap"] for c in d["classes"]][1:] == [-1, -1] and "no object" in d["classes"][1]["reason"]'
  json out.json 'd["classes"][0]["precision"][0][50] == 1 and d["classes"][0]["precision"][0][51] == 0'
  json out.json 'len(d["warnings"]) == 3 and d["bootstrap"] is None and d["compared"] is None'
}

# A dog on a cat, a poor box of the other cat, a cat where nothing is: AP 0. With the dog as a cat, or with a better box,
# one of two cats is the first that was found: AP 1/2.
errors_are_told_by_kind_and_cost() {
  cat >wrong.json <<'JSON'
[{"image_id": 1, "category_id": 7, "bbox": [0, 0, 40, 40], "score": 0.9},
 {"image_id": 2, "category_id": 5, "bbox": [0, 0, 10, 4], "score": 0.8},
 {"image_id": 3, "category_id": 5, "bbox": [0, 0, 10, 10], "score": 0.7}]
JSON
  exits 0 detect eval -q -a truth.json -R wrong.json -M voc10 --errors --json out.json
  prints 'Kinds of errors (TIDE) at IoU 0.50' 'how many   AP lost'
  grep -qE '^class .* 1 +0.500$' .run/out || fail 'the class costs something else'
  grep -qE '^missed .* 0 +0.000$' .run/out || fail 'something is missed'
  matches_schema out.json eval
  json out.json '[d["mistakes"][k]["count"] for k in ("class", "box", "both", "background", "missed")] == [1, 1, 0, 1, 0]'
  json out.json '[d["mistakes"][k]["cost"] for k in ("class", "box", "background")] == [0.5, 0.5, 0]'
  json out.json 'd["mistakes"]["false_positives"]["count"] == 3 and d["mistakes"]["background_iou"] == 0.1'
  json out.json 'd["classes"][0]["mistakes"]["box"]["count"] == 1 and d["classes"][2]["mistakes"]["box"]["cost"] == -1'
  json out.json 'd["scores"]["false"][14:19] == [1, 0, 1, 0, 1] and d["scores"]["best"] is None'
  json out.json 'd["confusion"]["score"] == 0.7 and d["confusion"]["counts"][0] == [0, 1, 0, 1]'
  exits 0 detect eval -q -a truth.json -R found.json --errors
  prints 'Best F1 0.667 at a score of 0.9 and more: precision 1.000, recall 0.500'
  exits 0 detect eval -q -a truth.json -R found.json
  ! grep -q 'Kinds of errors' .run/out || fail 'errors are told that nobody asked for'
  exits 0 detect eval -q -a truth.json -R wrong.json --iou 0.3,0.6 --errors
  prints 'at IoU 0.30'
}

json_on_standard_output_takes_the_place_of_the_table() {
  exits 0 detect eval -q -a truth.json -R found.json --json -
  cp .run/out stdout.json
  matches_schema stdout.json eval
  exits 0 detect eval -q -t 1 -a truth.json -R found.json --json file.json
  cmp stdout.json file.json
}

corrected_figures_find_an_object_with_the_id_0() {
  exits 0 detect eval -a truth.json -R found.json --corrected --json out.json
  json out.json 'd["stats"][0] == 1 and d["corrected"] and d["objects"]["never_found"] == 0'
  exits 2 detect eval -a truth.json -R found.json --metric voc07 --corrected
  says --corrected
}

objects_that_share_an_id_count_as_the_last_one() {
  sed 's/"id": 1, "image_id": 1, "category/"id": 0, "image_id": 1, "category/' truth.json >same.json
  exits 0 detect eval -a same.json -R found.json --json out.json
  says 'an id that another has, too: 1 (first: 0)' 'count as that one' 'see --corrected: 1'
  json out.json 'd["objects"]["replaced"] == 1 and d["stats"][0] == 0'
  exits 0 detect eval -a same.json -R found.json --corrected --json out.json
  says_nothing_of 'count as that one'
  json out.json 'd["objects"]["replaced"] == 0 and d["stats"][0] == 1'
}

classes_are_matched_by_name_and_by_the_map() {
  exits 0 detect eval -a truth.json -R found.jsonl --metric voc10 --json out.json
  says 'kitten: 1'
  matches_schema out.json eval
  json out.json 'd["results_format"] == "jsonl" and d["mean"]["ap"] == 0.5 and d["max_detections"] == []'
  exits 0 detect eval -a truth.json -R found.jsonl --metric voc10 --class-map kitten=cat --json out.json
  says_nothing_of kitten
  json out.json 'd["mean"]["ap"] == 1'
  exits 2 detect eval -a truth.json -R found.jsonl --class-map kitten=lion
  says lion kitten
  exits 2 detect eval -a truth.json -R found.jsonl --class-map kitten
  says 'FROM=TO'
}
says_nothing_of() { ! grep -q "$1" .run/err || fail "a word of $1"; }

voc_folders_and_comp4_files_are_read() {
  exits 0 detect eval -a voc --split test -R results -M voc07 --json out.json
  says 'dog: 1'
  prints 'Mean 11-point AP at IoU 0.50   1.000' 'voc (voc)' 'results (voc)'
  matches_schema out.json eval
  json out.json 'd["mean"]["ap"] == 1 and d["objects"]["ignored"] == 1'
  exits 0 detect eval -a voc -R results -M voc10 --iou 0.4,0.6 --json out.json
  prints 'at IoU 0.40: AP  1.000' 'at IoU 0.60: AP  0.000'
  json out.json 'd["iou"] == [0.4, 0.6] and d["mean"]["ap_iou"] == [1, 0]'
}

ilsvrc_has_thresholds_of_its_own_and_pairs_to_leave_out() {
  printf 'a 0.9 1 1 5 5\n' >results/comp4_det_test_cat.txt
  exits 0 detect eval -q -a voc -R results -M ilsvrc --json out.json
  json out.json 'd["mean"]["ap"] == 0.5 and d["objects"]["counted"] == 2'
  echo 'a cat' >pairs.txt
  exits 0 detect eval -q -a voc -R results -M ilsvrc --left-out pairs.txt --json out.json
  prints '2 objects and 1 detections by --left-out'
  json out.json 'd["objects"]["left_out"] == 2 and d["mean"]["ap"] == -1'
  echo 'b cat' >pairs.txt
  exits 1 detect eval -a voc -R results -M ilsvrc --left-out pairs.txt
  says 'pairs.txt: line 1' '"b"'
  exits 2 detect eval -a voc -R results -M voc07 --left-out pairs.txt
  says 'for --metric ilsvrc'
}

intervals_and_differences_are_over_samples_of_pictures() {
  exits 0 detect eval -q -a truth.json -R found.json --bootstrap 50 --json out.json
  prints '95 % interval of AP over 50 samples' 'samples have no object'
  matches_schema out.json eval
  json out.json 'd["bootstrap"]["samples"] == 50 and 0 <= d["bootstrap"]["low"] < d["bootstrap"]["high"] <= 1'
  exits 0 detect eval -q -a truth.json -R found.json --compare found.jsonl --json out.json
  prints '95 % interval of AP over 1000 samples' 'found.jsonl has AP 0.000' 'Difference +0.505'
  matches_schema out.json eval
  json out.json 'd["compared"]["ap"] == 0 and d["compared"]["above_zero"] > 0.5'
}

without_objects_there_is_neither_a_figure_nor_an_interval() {
  echo '{"images": [{"id": 1, "file_name": "1.jpg"}], "categories": [{"id": 5, "name": "cat"}], "annotations": []}' >none.json
  exits 0 detect eval -q -a none.json -R found.json --compare found.jsonl --json out.json
  prints 'maxDets=100 ] =   n/a' 'No interval'
  matches_schema out.json eval
  json out.json 'set(d["stats"]) == {-1} and d["compared"]["difference"] is None and d["bootstrap"]["low"] == -1'
}

other_numbers_of_detections_can_be_asked_for() {
  exits 0 detect eval -q -a truth.json -R found.json --max-detections 1,300 --json out.json
  prints 'maxDets=300' 'maxDets=  1'
  json out.json 'd["max_detections"] == [1, 300] and d["stats"][8] == -1'
  exits 2 detect eval -a truth.json -R found.json --max-detections 3,2
  says 'does not ascend'
  exits 2 detect eval -a truth.json -R found.json --max-detections 1.5
  says 'whole numbers'
  exits 2 detect eval -a truth.json -R found.json --iou 0.5,
  says 'numbers with commas'
  exits 2 detect eval -a truth.json -R found.json --iou 1.5
  says '(0, 1]'
}

the_bench_makes_a_set_measures_and_leaves_nothing() {
  mkdir temporary
  TMPDIR=$PWD/temporary exits 0 detect bench eval --repeats 1 --json out.json
  prints '5000 pictures, 36000 objects, 80 classes' '500000 detections' 'evaluation' 'Peak memory'
  matches_schema out.json bench_eval
  json out.json 'd["repeats"] == 1 and 0 < d["ap"] < 1 and d["total_ms"] >= d["results_ms"] > 0'
  [ -z "$(ls temporary)" ] || fail "$(ls temporary) is left"
  TMPDIR=$PWD/missing exits 1 detect bench eval
  says 'temporary folder'
}

what_is_missing_or_wrong_is_named() {
  exits 2 detect eval -a truth.json
  says '--results PATH'
  exits 2 detect eval -a truth.json -R found.json more
  says "'more'"
  exits 1 detect eval -a truth.json -R missing.json
  says 'missing.json' 'No such file'
  exits 1 detect eval -a truth.json -R truth.json
  says 'truth.json' 'images[0]' 'COCO annotations'
  exits 2 detect eval -a truth.json -R found.json --json truth.json
  says 'overwrite'
  exits 2 detect eval -a truth.json -R found.json --json ./found.json
  says 'overwrite'
}

check coco_prints_its_twelve_figures_and_a_table_of_classes
check what_is_left_out_is_counted_and_named
check json_holds_everything
check errors_are_told_by_kind_and_cost
check json_on_standard_output_takes_the_place_of_the_table
check corrected_figures_find_an_object_with_the_id_0
check objects_that_share_an_id_count_as_the_last_one
check classes_are_matched_by_name_and_by_the_map
check voc_folders_and_comp4_files_are_read
check ilsvrc_has_thresholds_of_its_own_and_pairs_to_leave_out
check intervals_and_differences_are_over_samples_of_pictures
check without_objects_there_is_neither_a_figure_nor_an_interval
check other_numbers_of_detections_can_be_asked_for
check the_bench_makes_a_set_measures_and_leaves_nothing
check what_is_missing_or_wrong_is_named
finish
