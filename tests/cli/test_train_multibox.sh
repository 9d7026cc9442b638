#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Training of a head that proposes regions.
# shellcheck source=tests/cli/support_train.sh
source "$PWD/tests/cli/support_train.sh"

boxes=(--folds 2 --set train.multibox.boxes=4 --set train.bootstrap=50)

a_head_is_learned_and_measured_where_it_is_asked_for() {
  exits 0 train photos.json "${boxes[@]}" -o out.safetensors
  prints 'MultiBox proposes from 4 priors' 'On pictures that the head never saw (9 objects on 6 pictures)' \
    'On classes that the head never saw' 'its priors:' 'proposals' 'both'
  exits 0 detect model info out.safetensors
  prints 'MultiBox from head/multibox (4 priors)'
  exits 0 detect model info --provenance out.safetensors
  cp .run/out provenance.json
  json provenance.json 'd["multibox"]["priors"] == 4'
  json provenance.json 'd["multibox"]["unseen_images"]["objects"] == 9'
  json provenance.json '{"boxes", "multibox", "priors", "proposals", "both"} == set(d["multibox"]["unseen_images"]["recall"][0])'
  exits 0 train photos.json --folds 2 -o plain.safetensors
  ! grep -q MultiBox .run/out || fail 'a head that nobody wanted'
  exits 0 detect model info --json plain.json plain.safetensors
  json plain.json 'd["outputs"]["multibox"] is None'
}

# All pictures show an object in the upper left quarter, half of them one in the lower right quarter; their mirror images
# the others.
it_proposes_what_it_learned() {
  exits 0 train photos.json "${boxes[@]}" -o out.safetensors
  exits 0 detect propose -m out.safetensors --method multibox -a photos.json --images photos --json out.json
  json out.json 'd["methods"][0]["method"] == "multibox"'
  json out.json 'd["methods"][0]["budgets"][-1]["recall"][0] == 1 and d["methods"][0]["budgets"][-1]["boxes_per_image"] == 4'
  exits 0 detect -m out.safetensors --set proposals.methods=multibox --set postprocess.score_threshold=0.001 -o found.json photos/1.png
  json found.json 'd["images"][0]["proposal_count"] == 4'
}

equal_runs_give_equal_files() {
  exits 0 train photos.json "${boxes[@]}" -o first.safetensors --cache kept
  exits 0 train photos.json "${boxes[@]}" -o second.safetensors --cache kept
  exits 0 train photos.json "${boxes[@]}" -o third.safetensors --cache other
  cmp -s first.safetensors second.safetensors || fail 'the second run differs'
  cmp -s first.safetensors third.safetensors || fail 'another cache gives another model'
  exits 0 train photos.json "${boxes[@]}" -o matched.safetensors --cache kept --set train.multibox.match=predictions
  exits 0 detect model verify matched.safetensors
}

it_is_learned_where_regions_are_pooled_as_well() {
  exits 0 train photos.json "${boxes[@]}" -o pooled.safetensors --set classifier.regions=pool --set classifier.pool.scales=64
  exits 0 detect -m pooled.safetensors --set proposals.methods=multibox --set postprocess.score_threshold=0.001 -o found.json photos/1.png
  json found.json 'd["images"][0]["proposal_count"] == 4'
}

a_detector_may_learn_from_what_a_head_proposes() {
  exits 0 train photos.json "${boxes[@]}" -o head.safetensors
  exits 0 detect train photos.json --images photos -m head.safetensors --folds 2 -o again.safetensors --set train.layer=concat \
    --set 'proposals.methods=["selective_search","multibox"]' "${small_boxes[@]}"
  exits 0 detect model verify again.safetensors
}

a_head_outlives_the_addition_of_a_class() {
  python3 - <<'PYTHON' || exit 1
import json
for wanted, name in ((1, "thing.json"), (4, "other.json")):
    part = json.load(open("photos.json"))
    part["annotations"] = [o for o in part["annotations"] if o["category_id"] == wanted]
    json.dump(part, open(name, "w"))
PYTHON
  exits 0 train thing.json "${boxes[@]}" -o first.safetensors
  exits 0 detect train --add-class -m first.safetensors "${small_boxes[@]}" --images photos other.json \
    --folds 2 -o both.safetensors
  exits 0 detect propose -m first.safetensors --method multibox --format csv photos/1.png
  cp .run/out first.csv
  exits 0 detect propose -m both.safetensors --method multibox --format csv photos/1.png
  cmp -s .run/out first.csv || fail 'another class changes what is proposed'
}

settings_that_make_no_sense_are_refused() {
  exits 2 train photos.json -o out.safetensors --set train.multibox.match=everything
  says train.multibox.match priors predictions
  exits 2 train photos.json -o out.safetensors --set train.multibox.boxes=20000
  says train.multibox.boxes 10000
  exits 2 train photos.json -o out.safetensors --set 'proposals.methods=["selective_search","multibox"]'
  says small.safetensors proposals.methods outputs.multibox
}

check a_head_is_learned_and_measured_where_it_is_asked_for
check it_proposes_what_it_learned
check equal_runs_give_equal_files
check it_is_learned_where_regions_are_pooled_as_well
check a_detector_may_learn_from_what_a_head_proposes
check a_head_outlives_the_addition_of_a_class
check settings_that_make_no_sense_are_refused
finish
