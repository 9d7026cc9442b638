#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a training keeps, and what another one makes of it.
# shellcheck source=tests/cli/support_train.sh
source "$PWD/tests/cli/support_train.sh"

what_has_not_changed_is_not_repeated() {
  exits 0 train photos.json --folds 2 -o first.safetensors --cache stages
  ! grep -q 'Kept from before' .run/out || fail 'a first run says that something was kept'
  exits 0 train photos.json --folds 2 -o first.safetensors --cache stages
  prints 'Kept from before: proposals of 6 of 6 pictures, features of 6, box regression, heads, calibration.'
  exits 0 train photos.json --folds 2 -o other.safetensors --cache stages --set train.l2=0.01
  prints 'Kept from before: proposals of 6 of 6 pictures, features of 6, box regression.'
  ! cmp -s first.safetensors other.safetensors || fail 'another l2 gives the same model'
}

# Pictures that are enlarged, and weights that are hardly held back: a fit that takes long enough to be interrupted.
long=(-m small.safetensors --set proposals.selective_search.min_side=5 --set train.l2=1e-9 --images photos photos.json --folds 3)

# turn_last_byte FILE: into another one.
turn_last_byte() {
  printf x | dd of="$1" bs=1 seek=$(($(stat -c %s "$1") - 1)) conv=notrunc status=none
}

damaged_files_are_made_again() {
  exits 0 train photos.json --folds 2 -o whole.safetensors --cache damaged
  for file in damaged/*; do turn_last_byte "$file"; done
  for file in damaged/proposals*; do : >"$file"; done
  exits 0 train photos.json --folds 2 -o again.safetensors --cache damaged
  ! grep -q 'Kept from before' .run/out || fail 'damaged files are believed'
  cmp -s whole.safetensors again.safetensors || fail 'damaged files change the model'
}

# interrupted SIGNAL: starts a training that takes long, and sends it the signal while it fits heads.
interrupted() {
  local status=0 process waited=0
  "$build/detect" train "${long[@]}" -o half.safetensors >.run/out 2>.run/err &
  process=$!
  while ! grep -qs '"iteration"' half.safetensors.cache/log.jsonl; do
    kill -0 "$process" || fail 'it ended before it was interrupted'
    [ $((waited += 1)) -lt 3000 ] || fail 'no head is fitted'
    sleep .01
  done
  kill -s "$1" "$process"
  wait "$process" || status=$?
  echo "$status" >.run/status
}

a_training_that_is_interrupted_goes_on_to_the_same_model() {
  exits 0 detect train "${long[@]}" -o whole.safetensors
  interrupted INT
  [ "$(cat .run/status)" = 130 ] || fail "exit status $(cat .run/status): it was done before it was interrupted"
  says 'half.safetensors.cache: what is done is kept' 'detect train --resume -o half.safetensors' 'interrupted'
  ls half.safetensors.cache/fit-*.safetensors >.run/out || fail 'the state of the fit is not kept'
  [ ! -e half.safetensors ] || fail 'a model was written'
  matches_schema half.safetensors.cache/training.json training
  matches_schema half.safetensors.cache/log.jsonl log
  exits 0 detect train --resume -o half.safetensors
  prints 'Kept from before: proposals of 6 of 6 pictures, features of 6, box regression.'
  cmp -s whole.safetensors half.safetensors || fail 'the model is not that of an uninterrupted training'
  ! ls half.safetensors.cache/fit-*.safetensors >.run/out 2>&1 || fail 'the state of a fit that is done is kept'
  matches_schema half.safetensors.cache/log.jsonl log
  json half.safetensors.cache/training.json 'd["finished"]'
}

elsewhere() { (cd elsewhere && "$build/detect" "$@"); }

an_interrupted_training_goes_on_in_another_folder() {
  rm -rf half.safetensors*
  interrupted TERM
  [ "$(cat .run/status)" = 143 ] || fail "exit status $(cat .run/status)"
  mkdir elsewhere
  exits 0 elsewhere train --resume -o ../half.safetensors
  cmp -s whole.safetensors half.safetensors || fail 'the model is not that of an uninterrupted training'
}

without_an_interrupted_training_nothing_is_resumed() {
  exits 2 detect train --resume -o nothing.safetensors
  says 'nothing.safetensors.cache/training.json' 'no training to go on with' 'without --resume'
  exits 2 detect train --resume -o half.safetensors
  says 'the last one was finished'
  exits 2 detect train --resume
  says '--output'
  exits 2 detect train --resume -o half.safetensors --folds 2
  says 'leave out --folds'
  exits 2 detect train photos.json --resume -o half.safetensors
  says 'leave out ANNOTATIONS'
}

changed_annotations_are_not_gone_on_with() {
  sed -i 's/"finished":true/"finished":false/; s/"annotations_digest":"xxh3-128:./&0/' half.safetensors.cache/training.json
  exits 2 detect train --resume -o half.safetensors
  says 'the annotations have changed'
  echo '{' >half.safetensors.cache/training.json
  exits 1 detect train --resume -o half.safetensors
  says 'training.json'
}

every_event_is_a_line_of_the_log() {
  exits 0 train photos.json --folds 2 -o logged.safetensors --log events.jsonl
  matches_schema events.jsonl log
  exits 0 train photos.json --folds 2 -o logged.safetensors --log events.jsonl
  matches_schema events.jsonl log
  exits 1 train photos.json --folds 2 -o logged.safetensors --log nowhere/events.jsonl
  says 'nowhere/events.jsonl'
  python3 - <<'PYTHON' || fail 'the log is not as it should be'
import json
lines = [json.loads(line) for line in open("events.jsonl")]
first = [line["event"] for line in lines].index("run_ended") + 1
assert [line["stage"] for line in lines[:first] if line["event"] == "stage_begun"] == \
    ["features", "boxes", "heads", "calibration", "detections"]
assert all(line["reused"] == 0 for line in lines[:first] if line["event"] == "stage_ended")
assert all(line["made"] == 0 for line in lines[first:] if line["event"] == "stage_ended")
losses = [line["losses"] for line in lines[:first] if line["event"] == "iteration"]
assert len(losses) > 2 and all(len(each) == 3 for each in losses) and sum(losses[-1]) < sum(losses[0])
assert lines[first]["event"] == "run_begun" and not any(line["event"] == "iteration" for line in lines[first:])
assert lines[first - 1]["classes"][0]["name"] == "thing"
PYTHON
}

check what_has_not_changed_is_not_repeated
check damaged_files_are_made_again
check a_training_that_is_interrupted_goes_on_to_the_same_model
check an_interrupted_training_goes_on_in_another_folder
check without_an_interrupted_training_nothing_is_resumed
check changed_annotations_are_not_gone_on_with
check every_event_is_a_line_of_the_log
finish
