#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the main job writes: every format, to standard output, files and folders, and what happens when it cannot.
# shellcheck source=tests/cli/support.sh
source "$PWD/tests/cli/support.sh"

mkdir photos
draw_picture photos/1.png 90 60 1
draw_picture photos/2.jpg 60 80 2
make_small_model small.safetensors

# Small pictures stay small, so that the search is quick.
quick=(--set proposals.selective_search.width=0 --set proposals.selective_search.min_side=5)
found() { detect --model small.safetensors "${quick[@]}" "$@"; }
propose() { detect propose "${quick[@]}" "$@"; }

one_document_for_all_pictures() {
  exits 0 found --output out.json photos
  prints_nothing
  says_nothing
  matches_schema out.json output
  json out.json '[i["file"] for i in d["images"]] == ["photos/1.png", "photos/2.jpg"]'
  json out.json '[(i["width"], i["height"]) for i in d["images"]] == [(90, 60), (60, 80)]'
  json out.json 'd["detector"]["models"] == ["small.safetensors"] and d["detector"]["threads"] >= 1'
  json out.json 'all(i["detections"] and i["proposal_count"] for i in d["images"])'
  json out.json 'not any("timings_ms" in i for i in d["images"])'
}

standard_output_and_a_file_get_the_same_bytes() {
  exits 0 found photos
  cp .run/out first
  exits 0 found -o second photos
  cmp first second
}

json_lines_hold_a_picture_each() {
  exits 0 found --format jsonl -o out.jsonl photos
  [ "$(wc -l <out.jsonl)" = 2 ] || fail 'not two lines'
  matches_schema out.jsonl lines
}

timings_come_only_when_asked_for() {
  exits 0 found --timings -o timed.json photos
  matches_schema timed.json output
  json timed.json 'all(i["timings_ms"]["total"] > 0 for i in d["images"])'
}

coco_results_are_an_array_numbered_by_the_file_names() {
  exits 0 found --format coco -o coco.json photos
  json coco.json '{e["image_id"] for e in d} == {1, 2}'
  json coco.json 'all(len(e["bbox"]) == 4 and 1 <= e["category_id"] <= 5 and 0 < e["score"] <= 1 for e in d)'
}

coco_numbers_come_from_the_annotations() {
  cat >annotations.json <<'JSON'
{"images": [{"id": 71, "file_name": "2.jpg"}, {"id": 5, "file_name": "1.png"}], "annotations": [], "categories": []}
JSON
  exits 0 found --format coco --annotations annotations.json -o coco.json photos
  json coco.json '{e["image_id"] for e in d} == {5, 71}'
}

coco_without_numbers_is_refused_with_advice() {
  cp photos/1.png word.png
  exits 2 found --format coco word.png
  says word.png --annotations
}

annotations_without_coco_are_wrong_usage() {
  exits 2 found --annotations photos/1.png photos
  says --annotations 'coco'
}

voc_results_are_a_file_a_class() {
  exits 0 found --format voc -o voc photos
  [ -s voc/comp4_det_test_elderberry.txt ] || fail "$(ls voc)"
  grep -Eqx '1 [0-9.e-]+( [0-9.]+){4}' voc/comp4_det_test_elderberry.txt || fail "$(head -2 voc/*elderberry*)"
}

yolo_results_are_a_file_a_picture() {
  exits 0 found --format yolo -o yolo photos
  grep -Eqx '[0-4]( [0-9.e-]+){5}' yolo/1.txt || fail "$(ls yolo)"
  [ -s yolo/2.txt ] || fail "$(ls yolo)"
}

voc_and_yolo_need_a_folder() {
  local format
  for format in voc yolo; do
    exits 2 found --format "$format" photos
    says --output
  done
}

csv_has_a_header_and_a_line_a_detection() {
  exits 0 found --format csv photos
  prints 'file,class,class_id,score,x,y,width,height,source' 'photos/1.png,'
}

proposals_match_the_schema() {
  exits 0 propose -o regions.json photos
  matches_schema regions.json output
  json regions.json 'all(len(i["proposals"]) == i["proposal_count"] > 0 for i in d["images"])'
}

proposals_and_the_main_job_use_the_same_regions() {
  exits 0 propose -o regions.json photos
  exits 0 found -o out.json photos
  local counts
  counts=$(json_value regions.json '[i["proposal_count"] for i in d["images"]]')
  json out.json "[i['proposal_count'] for i in d['images']] == $counts"
}

controls_propose_as_many_boxes_as_asked_for() {
  local method
  for method in uniform sliding; do
    exits 0 propose --method "$method" --set proposals.max=60 -o "$method.json" photos
    matches_schema "$method.json" output
    json "$method.json" "d['detector']['proposals'] == ['$method']"
    json "$method.json" "{p['source'] for i in d['images'] for p in i['proposals']} == {'$method'}"
    json "$method.json" 'all(50 < i["proposal_count"] <= 60 for i in d["images"])'
  done
}

a_method_of_the_command_line_wins_over_the_file_and_set_over_both() {
  echo '{"proposals": {"methods": ["selective_search"], "max": 20}}' >methods.json
  exits 0 propose -c methods.json --method uniform -o out.json photos
  json out.json 'd["detector"]["proposals"] == ["uniform"]'
  exits 0 propose -c methods.json --method uniform --set 'proposals.methods=["sliding","selective_search"]' \
    -o out.json photos
  json out.json 'd["detector"]["proposals"] == ["selective_search", "sliding"]'
  json out.json '{p["source"] for p in d["images"][0]["proposals"]} == {"selective_search", "sliding"}'
  exits 2 propose --method watershed photos
  says --method multibox uniform
}

a_model_proposes_where_it_has_a_head_that_does() {
  make_small_model boxes.safetensors multibox
  exits 0 propose -m boxes.safetensors --method multibox -o out.json photos/1.png
  matches_schema out.json output
  json out.json 'd["detector"]["models"] == ["boxes.safetensors"] and d["detector"]["proposals"] == ["multibox"]'
  json out.json '[p["source"] for p in d["images"][0]["proposals"]] == ["multibox"] * 3'
  json out.json '[round(p["score"], 3) for p in d["images"][0]["proposals"]] == [0.881, 0.5, 0.269]'
  exits 0 propose -m boxes.safetensors --set 'proposals.methods=["multibox","selective_search"]' -o both.json photos/1.png
  json both.json '[p["source"] for p in d["images"][0]["proposals"]][:4] == ["selective_search", "multibox"] * 2'
  exits 0 detect -m boxes.safetensors --set proposals.methods=multibox --set postprocess.score_threshold=0 \
    -o found.json photos/1.png
  json found.json 'd["images"][0]["proposal_count"] == 3'
  json found.json '{e["source"] for e in d["images"][0]["detections"]} == {"multibox"}'
}

a_model_without_a_head_does_not_propose() {
  exits 2 propose --method multibox photos
  says proposals.methods 'no model is named' 'detect train'
  make_small_model plain.safetensors
  exits 2 propose -m plain.safetensors --method multibox photos
  says plain.safetensors proposals.methods outputs.multibox 'detect train'
  exits 2 detect -m plain.safetensors --set 'proposals.methods=["selective_search","multibox"]' photos
  says plain.safetensors proposals.methods outputs.multibox 'detect train'
}

boxes_that_are_too_small_are_counted() {
  exits 0 propose --set proposals.selective_search.min_side=40 -o large.json photos
  json large.json 'all(i["too_small_count"] > i["proposal_count"] for i in d["images"])'
  says 'with a side under 40 pixels of the picture, were left out' min_side proposals.selective_search.width
  exits 0 propose --set proposals.selective_search.min_side=0 -o all.json photos
  json all.json 'all(i["too_small_count"] == 0 for i in d["images"])'
  says_nothing
}

advice_about_small_boxes_comes_only_where_it_helps() {
  local large=(--set proposals.selective_search.min_side=40 -o large.json)
  exits 0 found "${large[@]}" photos
  says 'left out'
  exits 0 propose "${large[@]}" --quiet photos
  says_nothing
  exits 0 propose "${large[@]}" --set proposals.max=5 photos
  says_nothing
  exits 0 propose --method sliding "${large[@]}" photos
  says_nothing
  exits 0 propose -o out.json --verbose --set proposals.selective_search.width=120 \
    --set proposals.selective_search.min_side=30 photos/1.png
  says 'with a side under 30 pixels at width 120 were left out'
}

the_seed_of_the_run_chooses_random_boxes() {
  exits 0 propose --method uniform -o zero.json photos
  exits 0 propose --method uniform --set runtime.seed=1 -o one.json photos
  ! cmp -s zero.json one.json || fail 'another seed changed nothing'
}

equal_runs_give_equal_bytes_on_any_number_of_threads() {
  exits 0 found --format jsonl -t 1 -o one.jsonl photos
  exits 0 found --format jsonl -t 2 -o two.jsonl photos
  cmp one.jsonl two.jsonl
  exits 0 found -t 2 -o first.json photos
  exits 0 found -t 2 -o second.json photos
  cmp first.json second.json
}

only_the_classes_asked_for_are_kept() {
  exits 0 found --classes 'Banana, elderberry' --set postprocess.score_threshold=0 -o out.json photos
  json out.json '{e["class"] for i in d["images"] for e in i["detections"]} <= {"banana", "elderberry"}'
  exits 2 found --classes orange photos
  says orange 'detect model info'
  exits 2 found --classes , photos
  says --classes
}

two_models_vote() {
  exits 0 found --model small.safetensors -o two.json photos
  exits 0 found -o one.json photos
  json two.json 'len(d["detector"]["models"]) == 2'
  local scores
  scores=$(json_value one.json '[round(e["score"], 5) for i in d["images"] for e in i["detections"]]')
  json two.json "[round(e['score'], 5) for i in d['images'] for e in i['detections']] == $scores"
}

# ---- Annotated pictures ----------------------------------------------------------------------------------------------

annotated_pictures_keep_name_and_kind() {
  rm -rf drawn
  exits 0 found --draw drawn -o out.json photos
  holds drawn 1.png 2.jpg
  [ "$(head -c 3 drawn/2.jpg | od -An -tx1)" = ' ff d8 ff' ] || fail 'no JPEG'
  exits 0 propose drawn/1.png drawn/2.jpg
  ! cmp -s photos/1.png drawn/1.png || fail 'nothing was drawn'
}

pictures_of_one_name_do_not_overwrite_each_other() {
  rm -rf drawn
  mkdir -p other/more
  cp photos/1.png other/
  cp photos/1.png other/1-2.png
  cp photos/1.png other/more/
  exits 0 propose --draw drawn --top 3 -r -o out.json photos/1.png other
  holds drawn 1.png 1-2.png 1-3.png 1-4.png
}

pictures_are_never_drawn_over() {
  cp -r photos kept
  exits 2 propose --draw photos photos
  says photos 'overwritten'
  ln -s photos link
  exits 2 propose --draw link photos/1.png
  cmp photos/1.png kept/1.png
}

segments_are_drawn_as_png() {
  rm -rf drawn segments
  exits 0 propose --segments segments --draw drawn --verbose -o out.json photos
  says ' segments, '
  holds segments 1.png 2.png
  holds drawn 1.png 2.jpg
  [ "$(head -c 4 segments/2.png | tail -c 3)" = PNG ] || fail 'no PNG'
  exits 0 propose --method uniform -o seen.json segments
  json seen.json '[(i["width"], i["height"]) for i in d["images"]] == [(90, 60), (60, 80)]'
  exits 0 propose --method uniform --segments again -o out.json photos
  cmp segments/1.png again/1.png
}

segments_and_boxes_need_a_folder_each() {
  exits 2 propose --segments both --draw ./both photos
  says --segments --draw
  exits 2 propose --segments photos photos
  says --segments 'overwritten'
  echo text >file
  exits 1 propose --segments file photos
  says file --segments 'Not a directory'
}

a_draw_folder_that_cannot_be_is_found_at_once() {
  echo text >file
  exits 1 found --draw file photos
  prints_nothing
  says file 'Not a directory'
  exits 1 found --draw no/such/folder photos
  prints_nothing
  says no/such/folder 'No such file or directory'
}

# ---- Outputs that fail -----------------------------------------------------------------------------------------------

an_unwritable_output_is_found_at_once() {
  echo text >file
  exits 1 found --output file/out.json photos
  says file/out.json 'Not a directory'
  exits 1 found --output no/such/out.json photos
  says no/such/out.json 'No such file or directory'
}

an_output_never_replaces_what_is_read() {
  local before
  before=$(cksum photos/1.png small.safetensors)
  exits 2 found -o photos/1.png photos
  says 'overwrite' photos/1.png
  exits 2 found -o small.safetensors photos
  [ "$(cksum photos/1.png small.safetensors)" = "$before" ] || fail 'replaced'
}

a_failed_run_leaves_the_old_output_alone() {
  echo old >old.json
  exits 1 found -o old.json nowhere/*.jpg photos --model missing.safetensors
  [ "$(cat old.json)" = old ] || fail 'replaced'
}

# Runs a program whose standard output is a pipe that nobody reads any more.
into_a_closed_pipe() {
  /usr/bin/python3 -c '
import os, signal, sys
reader, writer = os.pipe()
os.dup2(writer, 1)
os.close(reader)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$@"
}

a_closed_pipe_is_an_error() {
  exits 1 into_a_closed_pipe "$build/detect" --model small.safetensors photos/1.png
  says 'standard output' 'Broken pipe'
}

a_full_disk_is_an_error() {
  exits 1 eval 'found photos >/dev/full'
  says 'standard output' 'No space left on device'
  exits 1 eval 'detect model info small.safetensors >/dev/full'
  says 'standard output' 'No space left on device'
}

a_closed_standard_output_is_found_at_once() {
  exits 1 eval 'found photos >&-'
  says 'standard output is closed' '--output'
  exits 0 eval 'found -o closed.json photos >&-'
}

# A file opened in place of a closed descriptor would receive the results.
closed_descriptors_hurt_no_file() {
  local before
  before=$(cksum photos/* small.safetensors)
  "$build/detect" -m small.safetensors photos <&- >&- 2>&- && fail 'succeeded'
  [ "$(cksum photos/* small.safetensors)" = "$before" ] || fail 'a file was written'
}

progress_is_for_terminals_only() {
  exits 0 found -o out.json photos
  says_nothing
  exits 0 found --verbose -o out.json photos
  says 'photos/1.png: 90 x 60 pixels' 'detections'
}

check one_document_for_all_pictures
check standard_output_and_a_file_get_the_same_bytes
check json_lines_hold_a_picture_each
check timings_come_only_when_asked_for
check coco_results_are_an_array_numbered_by_the_file_names
check coco_numbers_come_from_the_annotations
check coco_without_numbers_is_refused_with_advice
check annotations_without_coco_are_wrong_usage
check voc_results_are_a_file_a_class
check yolo_results_are_a_file_a_picture
check voc_and_yolo_need_a_folder
check csv_has_a_header_and_a_line_a_detection
check proposals_match_the_schema
check proposals_and_the_main_job_use_the_same_regions
check controls_propose_as_many_boxes_as_asked_for
check a_method_of_the_command_line_wins_over_the_file_and_set_over_both
check a_model_proposes_where_it_has_a_head_that_does
check a_model_without_a_head_does_not_propose
check boxes_that_are_too_small_are_counted
check advice_about_small_boxes_comes_only_where_it_helps
check the_seed_of_the_run_chooses_random_boxes
check equal_runs_give_equal_bytes_on_any_number_of_threads
check only_the_classes_asked_for_are_kept
check two_models_vote
check annotated_pictures_keep_name_and_kind
check pictures_of_one_name_do_not_overwrite_each_other
check pictures_are_never_drawn_over
check segments_are_drawn_as_png
check segments_and_boxes_need_a_folder_each
check a_draw_folder_that_cannot_be_is_found_at_once
check an_unwritable_output_is_found_at_once
check an_output_never_replaces_what_is_read
check a_failed_run_leaves_the_old_output_alone
check a_closed_pipe_is_an_error
if [ -e /dev/full ]; then check a_full_disk_is_an_error; else skip a_full_disk_is_an_error; fi
check a_closed_standard_output_is_found_at_once
check closed_descriptors_hurt_no_file
check progress_is_for_terminals_only
finish
