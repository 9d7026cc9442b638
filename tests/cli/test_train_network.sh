#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Training of the network itself, after its heads.
# shellcheck source=tests/cli/support_train.sh
source "$PWD/tests/cli/support_train.sh"

tuned=(--folds 2 --set train.bootstrap=50 --set train.network.batch=4 --set train.network.steps=6)

the_gain_is_told_beside_the_network_as_it_was() {
  exits 0 train photos.json "${tuned[@]}" -o out.safetensors
  prints 'The network itself was trained' 'as it was; trained'
  exits 0 detect model verify out.safetensors
  exits 0 detect model info --provenance out.safetensors
  cp .run/out provenance.json
  json provenance.json 'd["settings"]["train.network.steps"] == 6'
  python3 - <<'PYTHON' || fail 'steps of three networks are in the log'
import json
steps = [e for e in map(json.loads, open("out.safetensors.cache/log.jsonl")) if e["event"] == "step"]
assert [(e["network"], e["step"]) for e in steps] == [(n, s) for n in range(3) for s in range(1, 7)], steps
assert all(e["steps"] == 6 and e["loss"] > 0 for e in steps)
PYTHON
  exits 0 detect -m out.safetensors photos/1.png
}

other_weights_are_written_and_frozen_layers_keep_theirs() {
  exits 0 train photos.json --folds 2 -o plain.safetensors --cache kept
  exits 0 train photos.json "${tuned[@]}" -o out.safetensors --cache kept --set 'train.network.rates={"conv1":0}'
  python3 - <<'PYTHON' || fail 'the weights are not as they should be'
import json, struct
def tensors(path):
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    return {k: data[8 + size + v["data_offsets"][0]:8 + size + v["data_offsets"][1]] for k, v in header.items() if k != "__metadata__"}
plain, tuned = tensors("plain.safetensors"), tensors("out.safetensors")
assert plain.keys() == tuned.keys()
assert plain["conv1.weight"] == tuned["conv1.weight"]
assert plain["branch2.weight"] != tuned["branch2.weight"]
PYTHON
}

equal_runs_give_equal_files_and_keep_their_networks() {
  exits 0 train photos.json "${tuned[@]}" -o first.safetensors --cache equal
  exits 0 train photos.json "${tuned[@]}" -o second.safetensors --cache equal
  exits 0 train photos.json "${tuned[@]}" -o third.safetensors --cache other
  cmp -s first.safetensors second.safetensors || fail 'the second run differs'
  cmp -s first.safetensors third.safetensors || fail 'another cache gives another model'
  [ "$(grep -c '"event":"step"' equal/log.jsonl)" = 18 ] || fail 'a network was trained twice'
}

# The network is in its third step or later when it is killed.
a_training_that_is_killed_ends_with_the_same_bits() {
  local long=("${tuned[@]}" --set train.network.steps=40 --set train.network.checkpoint=2)
  exits 0 train photos.json "${long[@]}" -o whole.safetensors --cache whole
  train photos.json "${long[@]}" -o out.safetensors --cache killed >.run/killed 2>&1 &
  local pid=$!
  for _ in $(seq 500); do
    grep -qs '"event":"step".*"step":3,' killed/log.jsonl && break
    sleep .02
  done
  kill -9 "$pid"
  wait "$pid" 2>/dev/null
  exits 0 detect train --resume -o out.safetensors --cache killed
  cmp -s whole.safetensors out.safetensors || fail 'it does not end with the same bits'
}

the_second_half_learns_where_regions_are_pooled() {
  exits 0 train photos.json "${tuned[@]}" -o pooled.safetensors --set classifier.regions=pool --set classifier.pool.scales=64
  prints 'The network itself was trained'
  exits 0 detect -m pooled.safetensors photos/1.png
}

a_pattern_that_fits_no_layer_is_refused() {
  exits 2 train photos.json "${tuned[@]}" -o out.safetensors --set 'train.network.rates={"conv9/*":0}'
  says 'train.network.rates' "no layer with weights has a name like 'conv9/*'"
}

a_network_does_not_learn_with_support_vector_machines() {
  exits 1 train photos.json "${tuned[@]}" -o out.safetensors --set train.head=svm
  says 'train.head' 'softmax'
}

check the_gain_is_told_beside_the_network_as_it_was
check other_weights_are_written_and_frozen_layers_keep_theirs
check equal_runs_give_equal_files_and_keep_their_networks
check a_training_that_is_killed_ends_with_the_same_bits
check the_second_half_learns_where_regions_are_pooled
check a_pattern_that_fits_no_layer_is_refused
check a_network_does_not_learn_with_support_vector_machines
finish
