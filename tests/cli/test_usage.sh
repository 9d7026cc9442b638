#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Help, version, wrong usage, completion and the manual page.
# shellcheck source=tests/cli/support.sh
source "$PWD/tests/cli/support.sh"

no_arguments_give_a_short_usage() {
  exits 2 detect
  prints_nothing
  says 'Usage: detect --model FILE' 'detect propose' 'detect help'
}

help_lists_commands_and_teaches() {
  exits 0 detect --help
  says_nothing
  prints 'Usage: detect [OPTION]...' 'propose' 'model import' '--config FILE' 'Examples:' 'Exit status: 0: done.'
}

help_of_a_command_is_the_same_in_both_ways() {
  exits 0 detect help model info
  mv .run/out first
  exits 0 detect model info --help
  cmp first .run/out
}

help_of_a_group_lists_its_commands() {
  exits 0 detect help model
  prints 'model import' 'model info' 'model verify'
}

the_version_names_the_library_underneath() {
  exits 0 detect --version
  says_nothing
  grep -Eqx 'detect [0-9]+\.[0-9]+\.[0-9]+' .run/out || fail 'no version'
  grep -Eqx 'oneDNN [0-9]+\.[0-9]+\.[0-9]+' .run/out || fail 'no version of oneDNN'
}

the_keys_of_the_configuration_are_explained() {
  exits 0 detect help keys
  says_nothing
  prints 'postprocess.nms.iou = 0.3' 'runtime.threads = 0'
}

an_unknown_option_is_corrected() {
  exits 2 detect --modle x a.jpg
  prints_nothing
  says "did you mean '--model'?" "Try 'detect --help'."
}

a_mistyped_command_is_corrected() {
  exits 2 detect porpose a.jpg
  says "did you mean 'detect propose'?"
}

half_a_command_says_what_is_missing() {
  exits 2 detect model
  says 'import, info, verify' "Try 'detect model --help'."
}

a_main_job_without_a_model_gets_advice() {
  draw_picture a.png 20 20
  exits 2 detect a.png
  prints_nothing
  says 'no model' 'detect --model FILE' 'detect model import' 'detect propose'
}

help_into_a_full_disk_fails() {
  [ -e /dev/full ] || return 0
  exits 1 eval 'detect --help >/dev/full'
  says 'standard output' 'No space left on device'
}

# completes WORD... EXPECTED: what bash would offer for the last word.
completes() {
  local expected=${*: -1}
  COMP_WORDS=(detect "${@:1:$#-1}")
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  COMPREPLY=()
  _detect
  [ "${COMPREPLY[*]}" = "$expected" ] || fail "completed to: ${COMPREPLY[*]}, not: $expected"
}

bash_completes_commands_options_values_and_files() {
  touch photo.jpg
  mkdir pictures
  # shellcheck source=/dev/null
  source <(detect --print-completion bash)
  completes pro propose
  completes mod model
  completes model in info
  completes --ann --annotations
  completes propose --fo --format
  completes propose --format '' 'json jsonl csv'
  completes --format = co coco
  completes -f v voc
  completes --threads '' ''
  completes --draw p pictures
  completes --set postprocess.nms.m 'postprocess.nms.method='
  completes --set runtime. 'runtime.threads= runtime.seed='
  completes pho photo.jpg
  completes model verify pho photo.jpg
  completes help mod model
}

the_completion_is_a_sound_script() {
  exits 0 detect --print-completion bash
  bash -n .run/out || fail 'bash refuses it'
}

the_manual_page_has_no_warnings() {
  exits 0 detect --print-man
  groff -man -ww -z -Tascii .run/out 2>.run/warnings || fail 'groff refuses it'
  [ ! -s .run/warnings ] || fail "$(cat .run/warnings)"
}

the_build_made_the_manual_page_and_the_completion() {
  detect --print-man | cmp - "$build/detect.1" && detect --print-completion bash | cmp - "$build/detect.bash"
}

check no_arguments_give_a_short_usage
check help_lists_commands_and_teaches
check help_of_a_command_is_the_same_in_both_ways
check help_of_a_group_lists_its_commands
check the_version_names_the_library_underneath
check the_keys_of_the_configuration_are_explained
check an_unknown_option_is_corrected
check a_mistyped_command_is_corrected
check half_a_command_says_what_is_missing
check a_main_job_without_a_model_gets_advice
check help_into_a_full_disk_fails
check bash_completes_commands_options_values_and_files
check the_completion_is_a_sound_script
if command -v groff >/dev/null; then check the_manual_page_has_no_warnings; else skip the_manual_page_has_no_warnings; fi
check the_build_made_the_manual_page_and_the_completion
finish
