#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What each part of training brings: cross-validated figures of one set of pictures, a part changed at a time.
#   tests/bench/ablation.sh NETWORK ANNOTATIONS FOLDER [detect option]...
# FOLDER keeps features and models, so that a second run repeats what has changed alone. Prints the table of
# docs/training.md. DETECT names the program, by default the one of the release build.
set -euo pipefail

detect=${DETECT:-build/release/detect}
network=$1 annotations=$2 folder=$3
shift 3
mkdir -p "$folder"

# The AP50 and AP of a model file with their intervals, as cells of the table.
figures() {
  "$detect" model info --provenance "$1" | python3 -c '
import json, sys
v = json.load(sys.stdin)["cross_validation"]
print(" | ".join("%.3f [%.3f, %.3f]" % tuple(v[k][n] for n in ("value", "low", "high")) for k in ("ap50", "ap")))'
}

# row NAME WHAT [detect option]...: a training and its row. What went wrong stands in NAME.log.
row() {
  local name=$1 what=$2
  shift 2
  local began=$SECONDS
  if "$detect" train "$annotations" -m "$network" --cache "$folder/cache" -o "$folder/$name.safetensors" "${common[@]}" \
    "$@" >"$folder/$name.log" 2>&1; then
    echo "| $what | $(figures "$folder/$name.safetensors") | $((SECONDS - began)) |"
  else
    echo "| $what | failed: $folder/$name.log | |"
  fi
}

common=(--set proposals.max=300 "$@")
echo '| what is changed | AP50 | AP | seconds |'
echo '|---|---|---|---|'
row base 'nothing: crops with context, softmax, box regression, hard suppression'
row pool 'pooled regions' --set classifier.regions=pool
row svm 'linear SVMs' --set train.head=svm
row balanced 'balanced class weights' --set train.class_weights=balanced
row unmoved 'no box regression' --set postprocess.box_regression=false
row no_context 'no context around crops' --set classifier.context_px=0
row scale_2 'superpixels of twice the area' --set proposals.selective_search.superpixel_scale=2
row vote 'box voting' --set postprocess.nms.method=vote
row soft 'soft suppression' --set postprocess.nms.method=soft
