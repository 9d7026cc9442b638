#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Configuration files and --set: what wins, and what is refused.
# shellcheck source=tests/cli/support.sh
source "$PWD/tests/cli/support.sh"

draw_picture a.png 80 60
mkdir settings
make_small_model settings/small.safetensors

# config JSON: writes settings/det.json.
config() { printf '%s\n' "$1" >settings/det.json; }
run_config() { detect --config settings/det.json --set proposals.selective_search.width=0 -o out.json a.png "$@"; }

refused() {
  local status=$1 text=$2
  shift 2
  rm -f out.json
  exits "$status" run_config "$@"
  prints_nothing
  says "$text"
  [ ! -e out.json ] || fail 'there is an output'
}

models_are_found_beside_the_configuration() {
  config '{"schema_version": 1, "classifier": {"models": ["small.safetensors"]}}'
  matches_schema settings/det.json config
  exits 0 run_config
  json out.json 'd["detector"]["models"] == ["settings/small.safetensors"]'
}

the_configuration_that_comes_with_the_program_is_valid() {
  matches_schema "$source_folder/configs/det.json" config
}

the_model_option_wins_over_the_file() {
  config '{"schema_version": 1, "classifier": {"models": ["missing.safetensors"]}}'
  exits 0 run_config --model settings/small.safetensors
  exits 1 run_config
  says settings/missing.safetensors 'No such file'
}

set_wins_over_options_in_its_order() {
  config '{"schema_version": 1, "runtime": {"threads": 1}}'
  exits 0 run_config -m settings/small.safetensors
  json out.json 'd["detector"]["threads"] == 1'
  exits 0 run_config -m settings/small.safetensors --threads 2
  json out.json 'd["detector"]["threads"] == 2'
  exits 0 run_config -m settings/small.safetensors --set runtime.threads=4 --threads 2 --set runtime.threads=3
  json out.json 'd["detector"]["threads"] == 3'
}

keys_change_what_is_done() {
  config '{"schema_version": 1, "classifier": {"models": ["small.safetensors"]}, "proposals": {"max": 3}}'
  exits 0 run_config
  json out.json 'd["images"][0]["proposal_count"] == 3'
  exits 0 run_config --set proposals.max=2 --set postprocess.max_detections=1
  json out.json 'd["images"][0]["proposal_count"] == 2 and len(d["images"][0]["detections"]) == 1'
}

a_missing_file_is_named() {
  rm -f settings/det.json
  refused 1 'settings/det.json'
}

a_syntax_error_is_named_with_line_and_column() {
  config '{"schema_version": 1,
 "runtime": {"threads" 2}}'
  refused 1 'line 2, column 24'
}

bad_keys_and_values_are_named_with_their_path() {
  config '{"schema_version": 1, "postprocess": {"nms": {"iuo": 0.3}}}'
  refused 1 'postprocess.nms.iuo'
  config '{"schema_version": 1, "postprocess": {"nms": {"iou": "big"}}}'
  refused 1 'postprocess.nms.iou'
  config '{"schema_version": 1, "postprocess": {"nms": {"iou": 1.5}}}'
  refused 1 '1.5'
  config '{"schema_version": 1, "runtime": {"threads": 1, "threads": 2}}'
  refused 1 'threads'
  config '{"schema_version": 99}'
  refused 1 '99'
  config "{'schema_version': 1}"
  refused 1 'line 1, column 2'
}

set_refuses_what_it_does_not_know() {
  config '{"schema_version": 1, "classifier": {"models": ["small.safetensors"]}}'
  refused 2 'postprocess.nms.iuo' --set postprocess.nms.iuo=0.3
  refused 2 'postprocess.nms.iou' --set postprocess.nms.iou=much
  refused 2 'proposals.max' --set proposals.max=-1
  refused 2 'KEY=VALUE' --set proposals.max
}

what_this_version_cannot_do_is_refused_by_key() {
  config '{"schema_version": 1, "classifier": {"models": ["small.safetensors"]}}'
  refused 1 'classifier.cascade' --set classifier.cascade=true
}

regions_are_pooled_where_that_is_set() {
  config '{"schema_version": 1, "classifier": {"models": ["small.safetensors"], "regions": "pool"}}'
  exits 0 run_config --set 'classifier.pool.scales=[24, 48]' --set classifier.pool.method=max --timings
  json out.json 'd["images"][0]["proposal_count"] > 1 and d["images"][0]["timings_ms"]["network"] > 0'
  refused 2 'classifier.pool.layer' --set classifier.pool.layer=nowhere
  refused 2 "does not go through 'branch1'" --set classifier.pool.layer=branch1
}

check models_are_found_beside_the_configuration
check the_configuration_that_comes_with_the_program_is_valid
check the_model_option_wins_over_the_file
check set_wins_over_options_in_its_order
check keys_change_what_is_done
check a_missing_file_is_named
check a_syntax_error_is_named_with_line_and_column
check bad_keys_and_values_are_named_with_their_path
check set_refuses_what_it_does_not_know
check what_this_version_cannot_do_is_refused_by_key
check regions_are_pooled_where_that_is_set
finish
