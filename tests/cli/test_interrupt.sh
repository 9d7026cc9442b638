#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Signals: the work ends soon, nothing is left half-written, and the exit status tells.
# shellcheck source=tests/cli/support.sh
source "$PWD/tests/cli/support.sh"

draw_picture small.png 30 20
draw_picture large.png 1200 900

make_small_model model.safetensors

# interrupted SIGNAL ARGUMENT...: starts `detect ARGUMENT...` on a list that does not end soon, and sends it the signal
# once the first picture is done.
interrupted() {
  local signal=$1 status=0 process
  shift
  {
    echo small.png
    for _ in {1..50}; do echo large.png; done
  } >names
  : >.run/err # what the last one said there must not be taken for this one's
  "$build/detect" --verbose --set proposals.selective_search.width=0 "$@" @names >.run/out 2>.run/err &
  process=$!
  while kill -0 "$process" && ! grep -q 'small.png' .run/err; do sleep .02; done
  kill -s "$signal" "$process"
  wait "$process" || status=$?
  echo "$status" >.run/status
}

ctrl_c_ends_with_130_and_leaves_no_file() {
  interrupted INT propose -o out.json
  [ "$(cat .run/status)" = 130 ] || fail "exit status $(cat .run/status)"
  says 'interrupted'
  holds . large.png model.safetensors names small.png
}

an_interrupted_document_on_standard_output_is_whole() {
  interrupted INT propose
  [ "$(cat .run/status)" = 130 ] || fail "exit status $(cat .run/status)"
  cp .run/out partial.json
  json partial.json 'd["images"][0]["file"] == "small.png" and len(d["images"]) < 51'
  rm partial.json
}

the_main_job_ends_like_propose() {
  interrupted INT --model model.safetensors -o out.json
  [ "$(cat .run/status)" = 130 ] || fail "exit status $(cat .run/status)"
  says 'interrupted'
  holds . large.png model.safetensors names small.png
}

sigterm_ends_with_143() {
  interrupted TERM propose -o out.json
  [ "$(cat .run/status)" = 143 ] || fail "exit status $(cat .run/status)"
  holds . large.png model.safetensors names small.png
}

check ctrl_c_ends_with_130_and_leaves_no_file
check an_interrupted_document_on_standard_output_is_whole
check the_main_job_ends_like_propose
check sigterm_ends_with_143
finish
