#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# detect classify: labels of whole pictures in every format, and the errors measured against what the pictures show.
# shellcheck source=tests/cli/support.sh
source "$PWD/tests/cli/support.sh"

mkdir photos
draw_picture photos/1.png 90 60 1
draw_picture photos/2.jpg 60 80 2
make_small_model small.safetensors
classify() { detect classify --model small.safetensors "$@"; }

# The best and the worst class of photos/1.png, which the tests of errors call right and wrong.
classify --format csv photos/1.png >labels.csv
best=$(sed -n 2p labels.csv | cut -d, -f2)
worst=$(sed -n 6p labels.csv | cut -d, -f2)

labels_take_the_place_of_detections() {
  exits 0 classify -o out.json photos
  prints_nothing
  says_nothing
  matches_schema out.json output
  json out.json '[i["file"] for i in d["images"]] == ["photos/1.png", "photos/2.jpg"]'
  json out.json '[(i["width"], i["height"]) for i in d["images"]] == [(90, 60), (60, 80)]'
  json out.json 'all(len(i["labels"]) == 5 for i in d["images"])'
  json out.json 'all(abs(sum(l["score"] for l in i["labels"]) - 1) < 1e-5 for i in d["images"])'
  json out.json 'd["detector"]["crops"] == 1 and d["detector"]["proposals"] == []'
}

crops_are_1_10_or_144() {
  local crops
  for crops in 1 10 144; do
    exits 0 classify --crops "$crops" -o "$crops.json" photos
    json "$crops.json" "d['detector']['crops'] == $crops"
  done
  exits 2 classify --crops 12 photos
  says 12 144
}

as_many_labels_as_asked_for() {
  exits 0 classify --top 2 -o two.json photos
  json two.json 'all(len(i["labels"]) == 2 for i in d["images"])'
}

pictures_classified_together_give_what_each_gives_alone() {
  local picture
  mkdir -p many
  for picture in 1 2 3 4 5; do draw_picture "many/$picture.png" "$((40 + 9 * picture))" 60 "$picture"; done
  exits 0 classify --format jsonl -o together.jsonl --set classifier.batch=3 many
  : >alone.jsonl
  for picture in many/*; do
    exits 0 classify --format jsonl -o one.jsonl "$picture"
    cat one.jsonl >>alone.jsonl
  done
  cmp together.jsonl alone.jsonl
  exits 0 classify --format jsonl -o timed.jsonl --set limits.timeout_s=60 many
  cmp timed.jsonl alone.jsonl
}

one_bad_picture_among_many_spares_the_others() {
  mkdir -p mixed
  cp photos/1.png mixed/a.png
  echo nothing >mixed/b.png
  cp photos/2.jpg mixed/c.jpg
  exits 1 classify -o mixed.json mixed
  says mixed/b.png
  json mixed.json '[i["error"] is None for i in d["images"]] == [True, False, True]'
  json mixed.json '[len(i["labels"]) for i in d["images"]] == [5, 0, 5]'
}

json_lines_hold_a_picture_each() {
  exits 0 classify --format jsonl --timings -o out.jsonl photos
  [ "$(wc -l <out.jsonl)" = 2 ] || fail 'not two lines'
  matches_schema out.jsonl lines
}

csv_and_text_hold_a_line_a_label() {
  exits 0 classify --format csv --top 1 photos
  prints 'file,class,class_id,score' "photos/1.png,$best,"
  exits 0 classify --format text --top 1 photos
  prints photos/1.png "%  $best"
  exits 2 classify --format coco photos
}

equal_runs_give_equal_bytes_in_any_batch() {
  exits 0 classify --crops 10 -o a.csv --format csv --set classifier.batch=1 --threads 1 photos
  exits 0 classify --crops 10 -o b.csv --format csv --set classifier.batch=7 --threads 1 photos
  cmp a.csv b.csv
}

models_are_averaged() {
  exits 0 classify --model small.safetensors -o one.csv --format csv photos
  exits 0 detect classify -m small.safetensors -m small.safetensors -m small.safetensors -f csv -o three.csv photos
  cmp <(cut -d, -f1-3 one.csv) <(cut -d, -f1-3 three.csv)
}

a_bad_picture_leaves_the_others_alone() {
  echo no picture >bad.jpg
  exits 1 classify -o some.json bad.jpg photos/1.png
  says bad.jpg
  matches_schema some.json output
  json some.json 'd["images"][0]["error"] and not d["images"][0]["labels"] and d["images"][1]["labels"]'
}

a_crop_larger_than_the_picture_is_wrong_usage() {
  exits 2 classify --shorter-side 15 photos
  says '16 x 16' 15
  exits 2 classify --shorter-side 20 --crops 144 photos
  says 144
  exits 0 classify --shorter-side 16 photos
}

without_a_model_it_says_how_to_get_one() {
  exits 2 detect classify photos
  says 'detect classify --model FILE' 'detect model import'
}

errors_are_measured_against_the_annotations() {
  printf '1.png %s\n2.jpg 0\n' "$best" >truth.txt
  exits 0 classify -a truth.txt -o out.json --json errors.json photos/1.png
  prints 'Top-1 error    0.00 %  (0 of 1 pictures)' 'Top-5 error    0.00 %  (0 of 1 pictures)'
  json errors.json 'd["pictures"] == 1 and d["top1_wrong"] == 0 and d["top1_error"] == 0 and d["top5_error"] == 0'
}

the_worst_of_five_is_wrong_as_the_best_and_right_among_five() {
  printf 'photos/1.png\t%s\n' "$worst" >truth.txt
  exits 0 classify --top 1 -a truth.txt -o out.json photos
  prints 'Top-1 error  100.00 %  (1 of 1 pictures)' 'Top-5 error    0.00 %  (0 of 1 pictures)' \
    'Without a true class: 1 pictures'
}

with_annotations_labels_are_written_only_to_a_file() {
  printf '1.png %s\n' "$best" >truth.txt
  exits 0 classify -a truth.txt photos
  [ "$(wc -l <.run/out)" = 3 ] || fail 'not three lines'
  prints 'Top-1 error' 'Top-5 error' 'Without a true class: 1'
  local option
  for option in --format=text --top=1 --timings; do
    exits 2 classify -a truth.txt "$option" photos
    says --output
  done
}

no_true_class_at_all_gives_no_error() {
  printf 'other.png 0\n' >truth.txt
  exits 0 classify -a truth.txt --json - photos
  cp .run/out errors.json
  json errors.json 'd["pictures"] == 0 and d["pictures_without_label"] == 2 and d["top1_error"] is None'
}

annotations_that_make_no_sense_are_refused() {
  printf '1.png aple\n' >truth.txt
  exits 1 classify -a truth.txt photos
  says truth.txt 'line 1' "near it: 'apple'"
  exits 1 classify -a missing.txt photos
  says missing.txt
  exits 2 classify --json errors.json photos
  says --annotations
  printf '1.png apple\n' >truth.txt
  exits 2 classify -a truth.txt --json truth.txt photos
  says truth.txt overwrite
  exits 2 classify -a truth.txt -o truth.txt photos
  says truth.txt overwrite
}

check labels_take_the_place_of_detections
check crops_are_1_10_or_144
check as_many_labels_as_asked_for
check pictures_classified_together_give_what_each_gives_alone
check one_bad_picture_among_many_spares_the_others
check json_lines_hold_a_picture_each
check csv_and_text_hold_a_line_a_label
check equal_runs_give_equal_bytes_in_any_batch
check models_are_averaged
check a_bad_picture_leaves_the_others_alone
check a_crop_larger_than_the_picture_is_wrong_usage
check without_a_model_it_says_how_to_get_one
check errors_are_measured_against_the_annotations
check the_worst_of_five_is_wrong_as_the_best_and_right_among_five
check with_annotations_labels_are_written_only_to_a_file
check no_true_class_at_all_gives_no_error
check annotations_that_make_no_sense_are_refused
finish
