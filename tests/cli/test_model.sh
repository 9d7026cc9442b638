#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Model files: info, verify, import, and the benchmark of a network; files that are cut or altered.
# shellcheck source=tests/cli/support.sh
source "$PWD/tests/cli/support.sh"

make_small_model small.safetensors
draw_picture a.png 40 30

info_shows_layers_shapes_and_totals() {
  exits 0 detect model info small.safetensors
  says_nothing
  prints 'xxh3-128:' '16 x 16 pixels, BGR' 'apple; banana; cherry; date; elderberry'
  prints 'Outputs    probabilities from prob, features from drop'
  grep -Eqx 'conv1 +convolution +3x16x16 +4x16x16 +112 +0\.028' .run/out || fail 'no line of conv1'
  grep -Eq '^Total +13 layers +357 ' .run/out || fail 'no totals'
}

a_head_that_proposes_boxes_is_shown_with_its_priors() {
  make_small_model boxes.safetensors multibox
  exits 0 detect model info --json boxes.json boxes.safetensors
  prints 'MultiBox from boxes (3 priors)'
  json boxes.json 'd["outputs"]["multibox"] == "boxes"'
  json boxes.json 'd["priors"] == [[0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1], [0.25, 0, 0.75, 1]]'
  exits 0 detect model verify boxes.safetensors
}

a_head_that_proposes_boxes_outlives_calibration() {
  make_small_model boxes.safetensors multibox
  exits 0 detect model calibrate boxes.safetensors --images a.png --regions 20 -o int8.safetensors
  exits 0 detect model info --json info.json int8.safetensors
  json info.json 'd["outputs"]["multibox"] == "boxes" and len(d["priors"]) == 3'
}

# conv1 has 4 x 3 x 3 x 3 weights and 4 biases, and runs 108 multiplications at 16 x 16 places.
info_as_json_holds_the_same() {
  exits 0 detect model info --json - small.safetensors
  cp .run/out info.json
  json info.json 'd["parameters"] == 357 and len(d["layers"]) == 13 and len(d["classes"]) == 5'
  json info.json 'd["outputs"] == {"probabilities": "prob", "features": "drop", "box_deltas": None,
                                   "regions": None, "multibox": None} and d["priors"] == []'
  json info.json 'd["layers"][0] == {"name": "conv1", "op": "convolution", "input": [3, 16, 16],
                                     "output": [4, 16, 16], "parameters": 112, "macs": 27648}'
  exits 0 detect model info --json info2.json small.safetensors
  cmp info.json info2.json
  prints 'Total'
  holds . a.png info.json info2.json small.safetensors
}

info_shows_the_provenance_alone() {
  exits 0 detect model info --provenance small.safetensors
  cp .run/out provenance.json
  json provenance.json 'isinstance(d, dict)'
}

an_unwritable_json_file_is_an_error() {
  exits 1 detect model info --json no/such/file.json small.safetensors
  says no/such/file.json 'No such file or directory'
}

verify_says_ok_with_figures() {
  exits 0 detect model verify small.safetensors
  says_nothing
  prints 'small.safetensors: ok: 13 layers, 357 parameters, 5 classes, xxh3-128:'
}

a_missing_model_is_named() {
  exits 1 detect model info nowhere.safetensors
  says nowhere.safetensors 'No such file or directory'
  exits 1 detect --model nowhere.safetensors a.png
  prints_nothing
  says nowhere.safetensors
}

a_truncated_model_is_refused_everywhere() {
  local size
  for size in 0 5 100 $(($(stat -c %s small.safetensors) - 1)); do
    head -c "$size" small.safetensors >cut.safetensors
    exits 1 detect model verify cut.safetensors
    says cut.safetensors
    prints_nothing
    exits 1 detect --model cut.safetensors a.png
    says cut.safetensors
    prints_nothing
  done
}

# One bit of the last weight is turned over.
an_altered_weight_is_found_by_the_digest() {
  cp small.safetensors altered.safetensors
  local last
  last=$(tail -c 1 small.safetensors | od -An -tu1)
  # shellcheck disable=SC2059
  printf "\\x$(printf %x $((last ^ 1)))" |
    dd of=altered.safetensors bs=1 seek=$(($(stat -c %s small.safetensors) - 1)) conv=notrunc 2>/dev/null
  exits 1 detect model verify altered.safetensors
  says altered.safetensors digest
  exits 1 detect --model altered.safetensors a.png
  says altered.safetensors digest
}

a_picture_is_no_model() {
  exits 1 detect model info a.png
  says a.png
  prints_nothing
}

import_needs_a_place_to_write_to() {
  exits 2 detect model import weights.caffemodel
  says --output
}

import_refuses_what_is_no_caffemodel() {
  head -c 3000 "$build/detect" >noise.caffemodel
  exits 1 detect model import noise.caffemodel -o out.safetensors
  says noise.caffemodel
  [ ! -e out.safetensors ] || fail 'there is an output'
  exits 1 detect model import nowhere.caffemodel -o out.safetensors
  says nowhere.caffemodel 'No such file or directory'
}

import_never_replaces_the_weights() {
  echo weights >w.caffemodel
  exits 2 detect model import w.caffemodel -o ./w.caffemodel
  says overwrite
  [ "$(cat w.caffemodel)" = weights ] || fail 'replaced'
}

import_refuses_a_wrong_mean() {
  local mean
  for mean in 1,2 1,2,3,4 a,b,c 1,2,nan; do
    exits 2 detect model import w.caffemodel -o out.safetensors --mean "$mean"
    says "$mean" 'blue, green and red'
  done
}

bench_prints_a_table() {
  exits 0 detect bench network --model small.safetensors --batch 2 --repeats 3
  says_nothing
  prints 'median' 'A crop' 'GMAC/s' 'Set-up' 'Peak memory'
}

bench_writes_json() {
  exits 0 detect bench network --model small.safetensors --precision f32 --batch 2 --threads 1 --repeats 3 --json -
  cp .run/out bench.json
  matches_schema bench.json bench_network
  json bench.json 'd["ms_per_crop"] > 0 and d["ms_per_crop"] >= d["ms_per_crop_min"]'
  json bench.json 'd["batch"] == 2 and d["threads"] == 1 and d["repeats"] == 3 and d["peak_memory_mb"] > 0'
}

# A processor without bf16 refuses it and says what it has.
bench_runs_in_bf16_or_says_why_not() {
  if detect bench network -m small.safetensors -p bf16 --json - >bench.json 2>said; then
    json bench.json 'd["precision"] == "bf16"'
  else
    exits 1 detect bench network -m small.safetensors -p bf16
    says 'does not compute in bf16: it has'
  fi
}

int8_needs_a_calibrated_model() {
  exits 1 detect bench network -m small.safetensors -p int8
  says 'detect model calibrate'
}

calibrate_writes_a_model_that_runs_in_int8() {
  mkdir -p pictures
  draw_picture pictures/1.png 90 70
  draw_picture pictures/2.png 120 60
  draw_picture pictures/3.png 80 80
  exits 0 detect model calibrate small.safetensors --images pictures --regions 24 -o int8.safetensors
  says_nothing
  prints 'int8.safetensors: 13 layers' 'kept higher: conv1' 'weights of 7 bits' 'auto on this processor'
  exits 0 detect model verify int8.safetensors
  exits 0 detect model info int8.safetensors --json info.json
  prints 'kept higher: conv1'
  json info.json 'd["calibrated"] and len(d["agreement"]) >= 1 and d["layers"][0]["int8"] == False'
  exits 0 detect bench network -m int8.safetensors -p int8 --repeats 1 --json -
  cp .run/out bench.json
  json bench.json 'd["precision"] == "int8"'
  exits 0 detect -m int8.safetensors --set classifier.precision=int8 pictures/1.png
  cp .run/out found.json
  json found.json 'd["detector"]["precision"] == "int8"'
  exits 0 detect -m small.safetensors --set classifier.precision=auto pictures/1.png
  cp .run/out found.json
  json found.json 'd["detector"]["precision"] == "f32"'
}

calibrate_says_what_is_missing() {
  exits 2 detect model calibrate small.safetensors --images a.png
  says '--output'
  exits 2 detect model calibrate small.safetensors -o out.safetensors
  says '--images'
  exits 1 detect model calibrate small.safetensors --images no.png -o out.safetensors
  says no.png
  [ ! -e out.safetensors ] || fail 'a file all the same'
}

bench_measures_regions_cropped_and_pooled() {
  exits 0 detect bench network -m small.safetensors --regions 20 --repeats 2 --threads 1
  prints Cropped Pooled 'times as fast'
  exits 0 detect bench network -m small.safetensors --regions 20 --repeats 1 --batch 4 --json -
  cp .run/out bench.json
  matches_schema bench.json bench_regions
  json bench.json 'd["regions"] == 20 and d["batch"] == 32 and d["crop"]["ms"] > 0 and d["pool"]["first_ms"] > 0'
  exits 2 detect bench network -m small.safetensors --regions 0
}

bench_lists_the_implementations() {
  exits 0 detect bench network -m small.safetensors --repeats 1 --verbose
  says 'small.safetensors in f32' 'conv1  ' 'prob  '
}

bench_shows_kinds_of_layers() {
  exits 0 detect bench network -m small.safetensors --batch 2 --repeats 2 --layers
  prints "inner product" " %"
  exits 0 detect bench network -m small.safetensors --batch 2 --repeats 2 --layers --json bench.json
  matches_schema bench.json bench_network
  json bench.json 'abs(sum(l["share"] for l in d["layers"]) - 1) < 1e-9'
  json bench.json '{"convolution", "softmax", "input and output"} <= {l["kind"] for l in d["layers"]}'
}

bench_compares_winograd_with_direct_convolutions() {
  exits 0 detect bench network -m small.safetensors --repeats 2 --winograd
  prints 'Winograd: a crop takes' 'Probabilities differ by'
  exits 0 detect bench network -m small.safetensors --repeats 2 --winograd --json bench.json
  matches_schema bench.json bench_network
  json bench.json 'd["direct"]["ms_per_crop"] > 0 and 0 <= d["direct"]["largest_error"] < 1e-3'
}

bench_needs_one_model() {
  exits 2 detect bench network
  says --model
  exits 2 detect bench network -m small.safetensors --precision int3
  says f32
}

googlenet_is_imported_and_verified() {
  exits 0 detect model import "$weights/bvlc_googlenet.caffemodel" --labels "$weights/synset_words.txt" -o g.safetensors
  prints 'g.safetensors: 142 layers, 6,998,552 parameters, 1,000 classes'
  exits 0 detect model verify g.safetensors
  exits 0 detect model info g.safetensors
  prints '1582.6'
}

check info_shows_layers_shapes_and_totals
check info_as_json_holds_the_same
check info_shows_the_provenance_alone
check a_head_that_proposes_boxes_is_shown_with_its_priors
check an_unwritable_json_file_is_an_error
check verify_says_ok_with_figures
check a_missing_model_is_named
check a_truncated_model_is_refused_everywhere
check an_altered_weight_is_found_by_the_digest
check a_picture_is_no_model
check import_needs_a_place_to_write_to
check import_refuses_what_is_no_caffemodel
check import_never_replaces_the_weights
check import_refuses_a_wrong_mean
check bench_prints_a_table
check bench_writes_json
check bench_runs_in_bf16_or_says_why_not
check int8_needs_a_calibrated_model
check calibrate_writes_a_model_that_runs_in_int8
check calibrate_says_what_is_missing
check a_head_that_proposes_boxes_outlives_calibration
check bench_measures_regions_cropped_and_pooled
check bench_lists_the_implementations
check bench_shows_kinds_of_layers
check bench_compares_winograd_with_direct_convolutions
check bench_needs_one_model
weights=${DETECT_TEST_DATA:-$source_folder/../shared}/models
if [ -e "$weights/bvlc_googlenet.caffemodel" ]; then
  check googlenet_is_imported_and_verified
else
  skip googlenet_is_imported_and_verified
fi
finish
