#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A detector run over annotated pictures and measured in one step: what it keeps, and how it goes on.
# shellcheck source=tests/cli/support.sh
source "$PWD/tests/cli/support.sh"

make_small_model model.safetensors
sed 's/elderberry/blackberry/' model.safetensors >other.safetensors # the weights are the same
mkdir pictures
for i in 1 2 3 4 5 6; do draw_picture pictures/$i.png 30$i 200; done

# annotations FILE NAME...: pictures 301 to 306 pixels wide, of which the first two have an object.
annotations() {
  /usr/bin/python3 - "$@" >"$1" <<'PY'
import json, sys
names = sys.argv[2:]
print(json.dumps({
    "images": [{"id": i, "file_name": name} for i, name in enumerate(names, 1)],
    "categories": [{"id": 1, "name": "date"}, {"id": 2, "name": "elderberry"}],
    "annotations": [{"id": i, "image_id": i, "category_id": i, "bbox": [0, 0, 300, 200], "area": 60000,
                     "iscrowd": 0} for i in (1, 2)]}))
PY
}
annotations truth.json {1,2,3,4,5,6}.png

# run ARGUMENT...: one step, with the pictures as they are, so that each takes some time.
run() {
  detect eval -a truth.json --images pictures -m model.safetensors --set proposals.selective_search.width=0 "$@"
}

lines() { [ "$(wc -l <"$1")" = "$2" ] || fail "$1 has $(wc -l <"$1") lines, not $2"; }
lacks() { [ ! -e "$1" ] || fail "there is a file $1"; }

# What an uninterrupted run keeps and finds.
exits 0 run -R whole.jsonl --json whole.json

# The figures of a document but for what it was made from.
figures() { json_value "$1" '{key: d[key] for key in d if key not in ("results", "results_format")}'; }
same_figures() { [ "$(figures "$1")" = "$(figures "$2")" ] || fail "$1 and $2 have other figures"; }

it_equals_detect_and_eval_one_after_the_other() {
  exits 0 detect -m model.safetensors --set proposals.selective_search.width=0 --format jsonl pictures
  cp .run/out detect.jsonl
  cmp detect.jsonl whole.jsonl || fail 'other results'
  matches_schema whole.jsonl lines
  exits 0 detect eval -a truth.json -R detect.jsonl --json two.json
  same_figures two.json whole.json
  matches_schema whole.json eval
  json whole.json 'd["results"] == "whole.jsonl" and d["failed_images"] == 0 and d["detections"]["listed"] > 20'
}

results_are_kept_in_the_working_directory_and_that_is_said() {
  exits 0 run
  says 'eval-results.jsonl: results of 6 pictures are kept here'
  prints 'Results        eval-results.jsonl (jsonl)'
  cmp eval-results.jsonl whole.jsonl
  cmp eval-results.settings.json whole.settings.json
  matches_schema eval-results.settings.json settings
  exits 0 run
  says 'holds all 6 pictures already' '--restart'
  exits 0 run -q
  says_nothing
  rm eval-results.*
}

# interrupted SIGNAL: starts a run, and sends it the signal when two pictures are done.
interrupted() {
  local status=0 process
  rm -f half.jsonl half.settings.json
  "$build/detect" eval -a truth.json --images pictures -m model.safetensors \
    --set proposals.selective_search.width=0 -R half.jsonl --json half.json >.run/out 2>.run/err &
  process=$!
  until [ -e half.jsonl ] && [ "$(wc -l <half.jsonl)" -ge 2 ]; do
    kill -0 "$process" || fail 'it ended before it was interrupted'
    sleep .01
  done
  kill -s "$1" "$process"
  wait "$process" 2>/dev/null || status=$?
  [ "$status" = "$2" ] || fail "exit status $status, not $2"
  [ "$(wc -l <half.jsonl)" -lt 6 ] || fail 'it was done before it was interrupted'
  lacks half.json
}

goes_on() {
  exits 0 run -R half.jsonl --json half.json
  says "half.jsonl: holds $1 of 6 pictures"
  cmp half.jsonl whole.jsonl || fail 'other results'
  same_figures half.json whole.json
  rm half.json
}

an_interrupted_run_goes_on() {
  interrupted INT 130
  says 'half.jsonl: what is done is kept' 'interrupted'
  goes_on "$(wc -l <half.jsonl)"
}

a_killed_run_goes_on_and_half_a_line_is_cut_off() {
  interrupted KILL 137
  goes_on "$(wc -l <half.jsonl)"
  truncate -s -30 half.jsonl
  goes_on 5
  head -c 10 whole.jsonl >half.jsonl
  exits 0 run -R half.jsonl
  cmp half.jsonl whole.jsonl || fail 'other results'
}

# A limit of the size of files stands for the end of the space on a disk.
a_full_disk_loses_the_picture_being_made_alone() {
  rm -f half.*
  limited() { (trap '' XFSZ && ulimit -f $(($(wc -c <whole.jsonl) / 2048)) && run -R half.jsonl); }
  exits 1 limited
  says 'half.jsonl' 'File too large' 'what is done is kept'
  goes_on "$(wc -l <half.jsonl)"
  ln -s /dev/full full.jsonl
  exits 2 run -R full.jsonl
  says 'full.jsonl: is no regular file'
  rm full.jsonl
  exits 1 run -R half.jsonl --json /dev/full
  says '/dev/full' 'No space left'
  [ -c /dev/full ] || fail '/dev/full was replaced'
}

other_settings_are_refused_until_restart() {
  cp whole.jsonl half.jsonl
  cp whole.settings.json half.settings.json
  exits 2 run -R half.jsonl -s postprocess.nms.iou=0.4
  says 'half.jsonl: was made with other settings: "postprocess.nms.iou":0.3 there, "postprocess.nms.iou":0.4 now;' --restart
  exits 2 run -R half.jsonl -s postprocess.nms.iou=0.4 -s classifier.batch=2
  says '(and 1 more)'
  exits 2 detect eval -a truth.json --images pictures -m other.safetensors -R half.jsonl \
    --set proposals.selective_search.width=0
  says '"models":["xxh3-128:'
  cmp half.jsonl whole.jsonl || fail 'a refused run changed the results'
  exits 0 run -R half.jsonl -t 1
  says 'holds all 6 pictures'
  exits 0 run -R half.jsonl -s postprocess.nms.iou=0.4 --restart
  grep -q 'nms.iou":0.4' half.settings.json || fail 'the old settings stayed'
  lines half.jsonl 6
  rm half.*
}

results_of_other_pictures_or_of_nobody_are_refused() {
  annotations fewer.json {1,2,3}.png
  annotations others.json {1,2,6,4,5,3}.png
  cp whole.jsonl half.jsonl
  rm -f half.settings.json
  exits 2 run -R half.jsonl
  says 'half.jsonl: holds results, but without half.settings.json'
  cp whole.settings.json half.settings.json
  exits 2 run -R half.jsonl -a fewer.json
  says 'results of more than the 3 pictures'
  exits 2 run -R half.jsonl -a others.json
  says 'its line 3 is not of pictures/6.png'
  cmp half.jsonl whole.jsonl || fail 'a refused run changed the results'
  head -n 3 whole.jsonl >half.jsonl
  exits 0 run -R half.jsonl -a fewer.json
  exits 0 run -R half.jsonl
  says 'holds 3 of 6 pictures'
  cmp half.jsonl whole.jsonl || fail 'other results'
  exits 2 run -R half.json
  says 'ends in .jsonl'
  rm half.*
}

two_runs_do_not_write_to_one_file() {
  cp whole.jsonl half.jsonl
  cp whole.settings.json half.settings.json
  exits 2 flock half.jsonl "$build/detect" eval -a truth.json --images pictures -m model.safetensors \
    --set proposals.selective_search.width=0 -R half.jsonl
  says 'half.jsonl: another run is writing to it'
  rm half.*
}

missing_pictures_are_named_and_nothing_is_run() {
  annotations missing.json {1,2}.png {a,b,c,d}.png
  exits 1 run -a missing.json -R half.jsonl
  says 'missing.json: 4 of 6 annotated pictures are not there (pictures/a.png, pictures/b.png, pictures/c.png, ...)' \
    '--images FOLDER'
  lacks half.jsonl
  mkdir below
  cp pictures/*.png below
  exits 0 run --images below -R below.jsonl --json below.json
  same_figures below.json whole.json
}

a_corrupt_picture_counts_as_one_without_detections() {
  mkdir corrupt
  cp pictures/*.png corrupt
  head -c 100 pictures/1.png >corrupt/1.png
  exits 1 run --images corrupt -R corrupt.jsonl --json corrupt.json
  says 'corrupt/1.png' '6 pictures, failures: 1' 'failed when they were run, without detections: 1'
  prints 'Failed         1 pictures'
  lines corrupt.jsonl 6
  matches_schema corrupt.jsonl lines
  json corrupt.json 'd["failed_images"] == 1 and d["classes"][0]["detections"] < 100'
  json corrupt.json 'd["classes"][0]["ap"] == 0 and d["classes"][1]["ap"] >= 0'
  exits 1 run --images corrupt -R corrupt.jsonl
  says 'holds all 6 pictures already'
  exits 0 detect eval -a truth.json -R corrupt.jsonl
  prints 'Failed         1 pictures'
}

pictures_that_results_cannot_tell_apart_are_refused() {
  annotations twice.json {1,2,2,4}.png
  exits 2 run -a twice.json -R half.jsonl
  says 'pictures/2.png' '2 images that this name fits equally well'
  lacks half.jsonl
}

senseless_figures_are_refused_before_the_run() {
  exits 2 run -R half.jsonl --iou 2
  says '(0, 1]'
  exits 1 run -R half.jsonl --compare nothing.json
  says 'nothing.json'
  exits 2 run -R half.jsonl --json half.jsonl
  says 'overwrite'
  lacks half.jsonl
}

a_configuration_does_as_well_as_options() {
  echo '{"classifier": {"models": ["model.safetensors"]}, "proposals": {"selective_search": {"width": 0}}}' >det.json
  exits 0 detect eval -c det.json -a truth.json --images pictures -R config.jsonl --compare whole.jsonl
  cmp config.jsonl whole.jsonl || fail 'other results'
  cmp config.settings.json whole.settings.json || fail 'other settings'
  prints 'Difference +0.000'
  exits 2 detect eval -s runtime.threads=1 -a truth.json --images pictures
  says 'no model to run' '--model FILE'
  exits 2 detect eval -a truth.json -R whole.jsonl --restart
  says '--restart needs a detector'
  exits 2 detect eval -a truth.json -R whole.jsonl --images pictures
  says 'a detector to run'
  exits 1 detect eval -m nothing.safetensors -a truth.json --images pictures
  says nothing.safetensors
}

check it_equals_detect_and_eval_one_after_the_other
check results_are_kept_in_the_working_directory_and_that_is_said
check an_interrupted_run_goes_on
check a_killed_run_goes_on_and_half_a_line_is_cut_off
check a_full_disk_loses_the_picture_being_made_alone
check other_settings_are_refused_until_restart
check results_of_other_pictures_or_of_nobody_are_refused
check two_runs_do_not_write_to_one_file
check missing_pictures_are_named_and_nothing_is_run
check a_corrupt_picture_counts_as_one_without_detections
check pictures_that_results_cannot_tell_apart_are_refused
check senseless_figures_are_refused_before_the_run
check a_configuration_does_as_well_as_options
finish
