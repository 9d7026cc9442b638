#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The page of an evaluation, looked at with a browser where there is one.
# shellcheck source=tests/cli/support.sh
source "$PWD/tests/cli/support.sh"
# shellcheck source=tests/cli/support_browser.sh
source "$source_folder/tests/cli/support_browser.sh"

# Three pictures; a cat whose name is markup is found, one is found as a dog, one dog is missed; something is seen
# where nothing is, and one picture is not there.
mkdir pictures
draw_picture pictures/1.jpg 300 200
draw_picture pictures/2.jpg 200 400 2
cat >truth.json <<'JSON'
{"images": [{"id": 1, "file_name": "1.jpg", "width": 300, "height": 200},
            {"id": 2, "file_name": "2.jpg", "width": 200, "height": 400},
            {"id": 3, "file_name": "<img src=x>.jpg", "width": 60, "height": 80}],
 "categories": [{"id": 1, "name": "<script>cat()</script>"}, {"id": 2, "name": "dog \"&' <b>"}],
 "annotations": [
  {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 90, 90], "area": 8100, "iscrowd": 0},
  {"id": 2, "image_id": 2, "category_id": 1, "bbox": [20, 40, 90, 200], "area": 18000, "iscrowd": 0},
  {"id": 3, "image_id": 3, "category_id": 2, "bbox": [9, 9, 30, 30], "area": 900, "iscrowd": 0}]}
JSON
cat >found.json <<'JSON'
[{"image_id": 1, "category_id": 1, "bbox": [10, 10, 90, 90], "score": 0.9},
 {"image_id": 2, "category_id": 2, "bbox": [20, 40, 95, 200], "score": 0.8},
 {"image_id": 1, "category_id": 2, "bbox": [190, 90, 100, 100], "score": 0.7},
 {"image_id": 1, "category_id": 9, "bbox": [190, 90, 100, 100], "score": 0.7}]
JSON

a_report_is_a_page_and_its_curves() {
  exits 0 detect eval -a truth.json -R found.json --images pictures --report out
  prints 'Report         out/index.html, 3 mistakes, 2 with a picture' 'Average Precision'
  holds out index.html curves
  [ "$(find out/curves -name '*.svg' | wc -l)" = 3 ] || fail "curves: $(ls out/curves)"
  contains out/index.html '&lt;script&gt;cat()&lt;/script&gt;' 'src="data:image/jpeg;base64,' '<code>truth.json</code>' \
    'category_id 9' 'pictures/&lt;img src=x&gt;.jpg'
  /usr/bin/python3 - out/curves/*.svg <<'PY' || fail 'no XML'
import sys, xml.etree.ElementTree
for path in sys.argv[1:]:
    assert xml.etree.ElementTree.parse(path).getroot().tag.endswith("svg")
PY
}

equal_runs_give_equal_files() {
  exits 0 detect eval -q -a truth.json -R found.json --images pictures --report one --bootstrap 20 -t 1
  exits 0 detect eval -q -a truth.json -R found.json --images pictures --report other --bootstrap 20
  diff -r one other || fail 'they differ'
}

mistakes_can_be_more_fewer_or_none() {
  exits 0 detect eval -q -a truth.json -R found.json --images pictures --report out --mistakes 1
  prints 'Report         out/index.html, 1 mistakes'
  exits 0 detect eval -q -a truth.json -R found.json --report out --mistakes 0 --json -
  ! grep -q 'id="mistakes"' out/index.html || fail 'mistakes'
  ! grep -q 'Report' .run/out || fail 'no JSON'
}

pictures_are_found_beside_the_annotations_or_the_page_says_so() {
  exits 0 detect eval -q -a truth.json -R found.json --report out
  prints '3 mistakes, 0 with a picture'
  contains out/index.html '--images FOLDER' 'No such file or directory'
  cp truth.json pictures/
  exits 0 detect eval -q -a pictures/truth.json -R found.json --report out
  prints '3 mistakes, 2 with a picture'
}

what_is_wrong_is_said_before_the_work() {
  exits 2 detect eval -a truth.json -R found.json --mistakes 3
  says '--mistakes needs --report FOLDER'
  exits 2 detect eval -a truth.json -R found.json --images pictures
  says '--images needs --report FOLDER'
  exits 1 detect eval -a truth.json -R found.json --report truth.json
  says 'truth.json' '--report'
  prints_nothing
  exits 1 detect eval -a truth.json -R found.json --report no/such/folder
  says 'no/such/folder'
}

a_browser_fetches_nothing_for_it_and_finds_no_fault() {
  exits 0 detect eval -q -a truth.json -R found.json --images pictures --report out
  browse out/index.html
  contains .run/dom '<section id="confusion">' 'Written by detect'
  [ ! -s .run/console ] || fail "on the console: $(cat .run/console)"
  [ ! -s .run/fetched ] || fail "fetched: $(cat .run/fetched)"
}

# The check above can fail: a page that does what it must not is found out, by its own policy and without one.
a_page_that_fetches_or_fails_would_be_found_out() {
  exits 0 detect eval -q -a truth.json -R found.json --images pictures --report out
  sed 's|</main>|<img src="http://127.0.0.1:9/a.png"><img src="curves/mean.svg"></main>|' out/index.html >out/fetching.html
  browse out/fetching.html
  contains .run/console '127.0.0.1:9/a.png' 'curves/mean.svg' 'Content Security Policy'
  sed -i 's|<meta http-equiv[^>]*>|<script>nothing.there()</script>|' out/fetching.html
  browse out/fetching.html
  contains .run/console 'nothing is not defined'
  contains .run/fetched 'http://127.0.0.1:9/a.png'
}

# A script in a copy without the policy measures, in a frame of so many pixels: whatever is wide scrolls in its own box.
pictures_are_shown_and_the_page_is_no_wider_than_a_telephone() {
  local width
  exits 0 detect eval -q -a truth.json -R found.json --images pictures --report out
  sed -e 's|<meta http-equiv[^>]*>||' -e 's|<details>|<details open>|' out/index.html >out/measured.html
  cat >>out/measured.html <<'HTML'
<script>
addEventListener("load", () => {
  const images = [...document.images], shown = images.filter(image => image.naturalWidth > 0);
  parent.postMessage([innerWidth, document.documentElement.scrollWidth, images.length, shown.length].join(" "), "*");
});
</script>
HTML
  for width in 400 1280; do
    printf '<!DOCTYPE html><script>onmessage = event => document.title = event.data</script>
      <iframe width="%s" height="800" frameborder="0" src="measured.html"></iframe>' "$width" >out/framed.html
    browse out/framed.html
    contains .run/dom "<title>$width $width 5 5</title>"
  done
}

check a_report_is_a_page_and_its_curves
check equal_runs_give_equal_files
check mistakes_can_be_more_fewer_or_none
check pictures_are_found_beside_the_annotations_or_the_page_says_so
check what_is_wrong_is_said_before_the_work
check_in_browser a_browser_fetches_nothing_for_it_and_finds_no_fault
check_in_browser a_page_that_fetches_or_fails_would_be_found_out
check_in_browser pictures_are_shown_and_the_page_is_no_wider_than_a_telephone
finish
