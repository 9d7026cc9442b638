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

check what_has_not_changed_is_not_repeated
check damaged_files_are_made_again
finish
