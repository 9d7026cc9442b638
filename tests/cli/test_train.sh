#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Detectors of one's own boxes.
# shellcheck source=tests/cli/support_train.sh
source "$PWD/tests/cli/support_train.sh"

a_detector_is_made_and_measured() {
  exits 0 train photos.json --folds 3 -o out.safetensors
  prints 'Learned from 9 objects of 2 classes on 6 pictures' 'AP50' '95 % interval' 'thing' 'other'
  prints 'detect -m out.safetensors'
  exits 0 detect model verify out.safetensors
  exits 0 detect model info out.safetensors
  prints 'head/classes' 'head/prob' 'head/boxes'
  exits 0 detect -m out.safetensors --set postprocess.score_threshold=0.01 photos/1.png
  cp .run/out found.json
  json found.json 'len(d["images"][0]["detections"]) > 0'
  json found.json '{i["class"] for i in d["images"][0]["detections"]} <= {"thing", "other"}'
}

a_model_is_run_as_it_was_trained() {
  exits 0 train photos.json --folds 2 -o pooled.safetensors --set classifier.regions=pool --set classifier.pool.scales=64 \
    --set proposals.max=4 --set postprocess.nms.method=none
  run() { detect -m pooled.safetensors --set postprocess.score_threshold=0.001 "$@" photos/1.png; }
  exits 0 run
  cp .run/out as_trained.json
  json as_trained.json 'd["images"][0]["proposal_count"] == 4'
  exits 0 run --set classifier.regions=pool --set classifier.pool.scales=64 --set proposals.max=4 --set postprocess.nms.method=none \
    "${small_boxes[@]}"
  cmp -s .run/out as_trained.json || fail 'a model does not remember how it was trained'
  exits 0 run --set proposals.max=3
  cp .run/out told.json
  json told.json 'd["images"][0]["proposal_count"] == 3'
}

box_regression_can_be_left_out() {
  exits 0 train photos.json --folds 2 -o unmoved.safetensors --set postprocess.box_regression=false
  exits 0 detect model info unmoved.safetensors
  prints 'head/classes' 'head/prob'
  ! grep -q 'head/boxes' .run/out || fail 'boxes are moved'
}

support_vector_machines_become_a_detector() {
  exits 0 train photos.json --folds 2 -o svm.safetensors --set train.head=svm --set train.class_weights=balanced
  prints 'AP50' 'thing' 'other'
  exits 0 detect model verify svm.safetensors
  exits 0 detect model info --json - svm.safetensors
  cp .run/out info.json
  json info.json '[l["op"] for l in d["layers"] if l["name"] == "head/prob"] == ["sigmoid"]'
  exits 0 detect model info --provenance svm.safetensors
  cp .run/out provenance.json
  json provenance.json '(d["settings"]["train.head"], d["settings"]["train.class_weights"]) == ("svm", "balanced")'
  exits 0 detect -m svm.safetensors --set postprocess.score_threshold=0.01 photos/1.png
  cp .run/out found.json
  json found.json '{i["class"] for i in d["images"][0]["detections"]} <= {"thing", "other"}'
  json found.json 'len(d["images"][0]["detections"]) > 0'
}

heads_are_kept_apart() {
  exits 0 train photos.json --folds 2 -o first.safetensors --cache apart
  exits 0 train photos.json --folds 2 -o second.safetensors --cache apart --set train.head=svm
  prints 'box regression'
  ! grep -q 'box regression, heads' .run/out || fail 'one head is taken for another'
  exits 0 train photos.json --folds 2 -o third.safetensors --cache apart --set train.head=svm
  prints 'box regression, heads'
  cmp -s second.safetensors third.safetensors || fail 'kept heads give another model'
}

weights_of_classes_and_l2_can_be_set() {
  exits 0 train photos.json --folds 2 -o plain.safetensors
  exits 0 train photos.json --folds 2 -o balanced.safetensors --set train.class_weights=balanced
  ! cmp -s plain.safetensors balanced.safetensors || fail 'balanced weights change nothing'
  exits 0 train photos.json --folds 2 -o chosen.safetensors --set train.l2=null
  exits 0 detect model info --provenance chosen.safetensors
  cp .run/out provenance.json
  json provenance.json 'd["settings"]["train.l2"] is None and "train.head" not in d["settings"]'
  exits 2 train photos.json -o out.safetensors --set train.head=boosting
  says 'train.head' '"boosting" is not one of "softmax", "svm"'
  exits 2 train photos.json -o out.safetensors --set train.l2=0
  says 'train.l2' '0 is outside the range'
}

where_it_comes_from_is_written_down() {
  exits 0 train photos.json --folds 3 -o out.safetensors
  exits 0 detect model info --provenance out.safetensors
  cp .run/out provenance.json
  json provenance.json 'd["tool"] == "detect train" and d["objects"] == 9 and d["cross_validation"]["folds"] == 3'
  json provenance.json '[(c["name"], c["images"], c["objects"]) for c in d["cross_validation"]["classes"]] == [("thing", 6, 6), ("other", 3, 3)]'
  json provenance.json 'all(0 <= c["ap50"]["low"] <= c["ap50"]["high"] <= 1 for c in d["cross_validation"]["classes"])'
  json provenance.json '[c["images_wanted"] for c in d["cross_validation"]["classes"]] == [4, 7]'
  json provenance.json 'd["settings"]["train.folds"] == 3 and d["settings"]["proposals.selective_search.min_side"] == 5'
  json provenance.json 'd["seed"] == 0 and not any("annotations" in k or "models" in k for k in d["settings"])'
  json provenance.json 'all(d[k].startswith("xxh3-128:") for k in ("pictures_digest", "annotations_digest"))'
}

classes_of_few_pictures_are_not_called_learned() {
  exits 0 train photos.json --folds 3 -o out.safetensors
  prints 'too few pictures: 4 more wanted' 'too few pictures: 7 more wanted' '0 of 2 classes are learned' \
    '2 are on fewer than 10 pictures'
}

equal_runs_give_equal_files_with_and_without_what_was_kept() {
  exits 0 train photos.json --folds 2 -o first.safetensors --cache kept
  exits 0 train photos.json --folds 2 -o second.safetensors --cache kept
  exits 0 train photos.json --folds 2 -o third.safetensors --cache other
  cmp -s first.safetensors second.safetensors || fail 'the second run differs'
  cmp -s first.safetensors third.safetensors || fail 'another cache gives another model'
}

a_configuration_says_it_all() {
  cat > train.json <<'JSON'
{"schema_version": 1, "proposals": {"selective_search": {"min_side": 5, "width": 0}},
 "classifier": {"models": ["small.safetensors"]},
 "train": {"annotations": "photos.json", "pictures": "photos", "output": "configured.safetensors", "cache": "configured",
           "folds": 3, "l2": 0.01}}
JSON
  exits 0 detect train --config train.json
  prints 'the other 2 of 3 parts' 'configured.safetensors is ready'
  [ -d configured ] || fail 'no cache where train.cache says'
  exits 0 train photos.json -o same.safetensors --cache configured --folds 3 --set train.l2=0.01
  cmp -s same.safetensors configured.safetensors || fail 'options give another model than a configuration'
  exits 0 detect train --config train.json -o other.safetensors --folds 9
  prints 'the other 5 of 6 parts' 'other.safetensors is ready'
}

a_folder_with_coco_annotations_suffices() {
  mkdir folder
  cp photos/*.png photos.json folder
  exits 0 detect train folder -m small.safetensors "${small_boxes[@]}" --folds 2 \
    -o folder.safetensors
  prints 'Learned from 9 objects of 2 classes on 6 pictures'
  cp photos.json folder/val.json
  exits 2 train folder -o out2.safetensors
  says '2 COCO files, photos.json, val.json' '--split'
  exits 0 detect train folder -m small.safetensors "${small_boxes[@]}" --split val --folds 2 \
    -o folder.safetensors
}

folders_of_voc_and_yolo_suffice() {
  local format
  for format in voc yolo; do
    exits 0 detect convert -a photos.json --images photos --to "$format" -o "as $format"
    exits 0 detect train "as $format" -m small.safetensors "${small_boxes[@]}" --folds 2 \
      -o "$format.safetensors"
    prints 'Learned from 9 objects of 2 classes on 6 pictures'
  done
}

# Twenty pictures, which show the thing as the others do.
make_many() {
  mkdir -p many
  for i in {1..20}; do draw_picture "many/$i.png" 45 30 "$i"; done
  python3 - <<'PYTHON'
import json
json.dump({"images": [{"id": i, "file_name": f"{i}.png", "width": 45, "height": 30} for i in range(1, 21)],
           "categories": [{"id": 1, "name": "thing"}],
           "annotations": [{"id": i, "image_id": i, "category_id": 1, "bbox": [0, 0, 22, 15], "area": 330, "iscrowd": 0}
                           for i in range(1, 21)]}, open("many.json", "w"))
PYTHON
}

# Folds of four pictures: a quarter of the training part is 4 of 16.
a_learning_curve_says_what_more_pictures_would_give() {
  make_many
  exits 0 train many.json --images many -o curved.safetensors --cache many.cache
  prints 'Learning curve: AP50' ' from 4 pictures' ' from 8' ' from 16.' '20 more pictures: about' 'points of AP50'
  exits 0 detect model info --provenance curved.safetensors
  cp .run/out provenance.json
  json provenance.json '[p["images"] for p in d["cross_validation"]["learning_curve"]] == [4, 8, 16]'
  json provenance.json 'd["cross_validation"]["learning_curve"][2]["ap50"] == d["cross_validation"]["ap50"]'
  json provenance.json 'd["cross_validation"]["more_images"]["images"] == 20'
  json provenance.json '{"value", "low", "high"} == set(d["cross_validation"]["more_images"]["ap50"])'
}

a_learning_curve_can_be_left_out_and_changes_no_figure() {
  exits 0 train many.json --images many -o plain.safetensors --cache plain.cache --set train.learning_curve=false
  ! grep -q 'Learning curve' .run/out || fail 'a curve was printed'
  cp provenance.json curved.json
  exits 0 detect model info --provenance plain.safetensors
  cp .run/out provenance.json
  json provenance.json '"learning_curve" not in d["cross_validation"]'
  json provenance.json 'd["cross_validation"]["ap"] == json.load(open("curved.json"))["cross_validation"]["ap"]'
}

a_network_that_lies_where_the_demo_puts_it_is_taken() {
  mkdir -p build/demo
  cp small.safetensors build/demo/googlenet.safetensors
  exits 0 detect train photos.json "${small_boxes[@]}" --images photos --folds 2 -o taken.safetensors
  says 'build/demo/googlenet.safetensors: this network is trained on'
  rm -r build
  exits 0 train photos.json --folds 2 -o named.safetensors --cache taken.safetensors.cache
  cmp -s taken.safetensors named.safetensors || fail 'another network was taken'
}

what_is_missing_is_said() {
  exits 2 train photos.json
  says '--output'
  exits 2 detect train photos.json -o out2.safetensors
  says '--model' 'detect model import bvlc_googlenet.caffemodel' \
    'detect train photos.json -m googlenet.safetensors -o out2.safetensors'
  exits 2 detect train photos.json --add-class -o out2.safetensors
  says '--add-class' '--model'
  exits 2 train photos.json -m small.safetensors -o out2.safetensors
  says 'one network, not with 2'
  exits 1 train nowhere.json -o out2.safetensors
  says 'nowhere.json'
  exits 2 train -o out2.safetensors
  says 'nothing to learn from'
  exits 2 train photos.json -o out2.safetensors --set train.negative_iou=0.6
  says 'train.negative_iou' '0.6' 'train.positive_iou 0.5'
  [ ! -e out2.safetensors ] || fail 'a model was written'
}

check a_detector_is_made_and_measured
check a_model_is_run_as_it_was_trained
check box_regression_can_be_left_out
check support_vector_machines_become_a_detector
check heads_are_kept_apart
check weights_of_classes_and_l2_can_be_set
check where_it_comes_from_is_written_down
check classes_of_few_pictures_are_not_called_learned
check equal_runs_give_equal_files_with_and_without_what_was_kept
check a_configuration_says_it_all
check a_folder_with_coco_annotations_suffices
check folders_of_voc_and_yolo_suffice
check a_learning_curve_says_what_more_pictures_would_give
check a_learning_curve_can_be_left_out_and_changes_no_figure
check a_network_that_lies_where_the_demo_puts_it_is_taken
check what_is_missing_is_said
finish
