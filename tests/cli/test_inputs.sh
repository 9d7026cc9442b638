#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What may be named on the command line, and pictures that cannot be read.
# shellcheck source=tests/cli/support.sh
source "$PWD/tests/cli/support.sh"

mkdir -p photos/deeper empty
draw_picture photos/b.png 40 30 1
draw_picture photos/a.jpg 50 30 2
draw_picture photos/deeper/c.png 60 30 3
draw_picture 'two words.png' 30 30 4

# Small pictures stay small, so that the search is quick.
propose() { detect propose --set proposals.selective_search.width=0 --set proposals.selective_search.min_side=5 "$@"; }

# proposes STATUS WIDTHS ARGUMENT...: the pictures' widths, in the order of the output.
proposes() {
  exits "$1" propose --format jsonl "${@:3}"
  local widths
  widths=$(sed -n 's/.*"width":\([0-9]*\),"height":[0-9]*,"proposals".*/\1/p' .run/out | tr '\n' ' ')
  [ "$widths" = "$2 " ] || fail "widths $widths, not $2"
}

a_file_stands_for_itself() {
  proposes 0 '30' 'two words.png'
  says_nothing
}

a_folder_stands_for_its_pictures_in_order() { proposes 0 '50 40' photos; }

a_folder_and_those_below_it() { proposes 0 '50 40 60' --recursive photos; }

a_list_names_a_picture_a_line() {
  printf 'photos/b.png\n\ntwo words.png\n' >names
  proposes 0 '40 30' @names
}

a_list_may_come_from_standard_input() { printf 'photos/b.png\nphotos/a.jpg\n' | proposes 0 '40 50' @-; }

a_picture_may_come_from_standard_input() {
  proposes 0 '40' - <photos/b.png
  prints '"file":"-"'
}

standard_input_is_read_once() {
  exits 2 propose - @- <photos/b.png
  says 'standard input'
}

a_folder_without_pictures_is_wrong_usage() {
  exits 2 propose empty
  prints_nothing
  says empty 'no pictures'
}

a_list_that_is_missing_is_named() {
  exits 1 propose @nowhere
  prints_nothing
  says nowhere 'No such file or directory'
}

a_missing_picture_is_named() {
  exits 1 propose nowhere.jpg
  says nowhere.jpg 'No such file or directory'
}

a_folder_as_standard_input_is_an_error() {
  exits 1 propose - <photos
  says 'standard input' 'Is a directory'
}

an_empty_picture_is_refused() {
  : >empty.jpg
  exits 1 propose empty.jpg
  says empty.jpg empty
}

an_empty_standard_input_is_refused() {
  exits 1 propose - </dev/null
  says 'standard input'
}

a_truncated_picture_is_refused() {
  local kind
  for kind in a.jpg b.png; do
    head -c 200 "photos/$kind" >"cut-$kind"
    exits 1 propose "cut-$kind"
    says "cut-$kind"
  done
}

a_text_file_named_jpg_is_refused() {
  echo 'Just some words, no picture at all.' >text.jpg
  exits 1 propose text.jpg
  says text.jpg JPEG PNG WebP
}

# The header of a JPEG of 65535 x 65535 pixels: the sizes stand in the frame header.
a_hostile_jpeg_is_refused_before_memory_is_taken() {
  printf '\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03\x01\x11\x00\x02\x11\x01\x03\x11\x01\xff\xda\x00\x0c\x03\x01\x00\x02\x11\x03\x11\x00\x3f\x00\xff\xd9' >huge.jpg
  exits 1 propose huge.jpg
  says huge.jpg 65535
}

a_picture_above_the_limit_is_refused_with_the_key_that_allows_it() {
  exits 1 propose --set limits.max_pixels=100 photos/b.png
  says photos/b.png 100 max_pixels
}

a_picture_that_takes_too_long_is_given_up() {
  exits 1 propose --set limits.timeout_s=0.000001 photos/b.png
  says photos/b.png limits.timeout_s
}

a_bad_picture_among_many_leaves_the_others_alone() {
  echo 'no picture' >bad.png
  exits 1 propose photos/a.jpg bad.png photos/b.png
  says 'detect: bad.png:' 'detect: 3 pictures, failures: 1'
  cp .run/out out.json
  json out.json 'len(d["images"]) == 3'
  json out.json '[i["error"] is None for i in d["images"]] == [True, False, True]'
  json out.json 'd["images"][1]["error"]["status"] == "format" and d["images"][1]["proposals"] == []'
  json out.json 'len(d["images"][2]["proposals"]) > 0'
}

a_name_with_odd_bytes_is_written_as_json() {
  local name=$'odd "name"\t\xff.png'
  cp photos/b.png "$name"
  exits 0 propose "$name"
  cp .run/out odd.json
  json odd.json '"odd" in d["images"][0]["file"]'
}

check a_file_stands_for_itself
check a_folder_stands_for_its_pictures_in_order
check a_folder_and_those_below_it
check a_list_names_a_picture_a_line
check a_list_may_come_from_standard_input
check a_picture_may_come_from_standard_input
check standard_input_is_read_once
check a_folder_without_pictures_is_wrong_usage
check a_list_that_is_missing_is_named
check a_missing_picture_is_named
check a_folder_as_standard_input_is_an_error
check an_empty_picture_is_refused
check an_empty_standard_input_is_refused
check a_truncated_picture_is_refused
check a_text_file_named_jpg_is_refused
check a_hostile_jpeg_is_refused_before_memory_is_taken
check a_picture_above_the_limit_is_refused_with_the_key_that_allows_it
check a_picture_that_takes_too_long_is_given_up
check a_bad_picture_among_many_leaves_the_others_alone
check a_name_with_odd_bytes_is_written_as_json
finish
