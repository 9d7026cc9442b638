# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For the tests of the command line: source it with the build folder as the script's argument. A test is a function of
# commands: `exits STATUS COMMAND...` runs one, `says`, `prints` and their like look at what it wrote. The first that
# does not hold ends the test. Each script works in an empty folder of its own.
# shellcheck source=tests/harness/checks.sh
source "$PWD/tests/harness/checks.sh"

source_folder=$PWD
build=${1:?the build folder is missing}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
mkdir .run

detect() { "$build/detect" "$@"; }
draw_picture() { "$build/tests/draw_picture" "$@"; }
make_small_model() { "$build/tests/make_small_model" "$@"; }

# Ends the test as failed, showing what the last command wrote.
fail() {
  printf '%s\n--- standard output:\n' "$1"
  head -c 2000 .run/out
  printf '\n--- standard error:\n'
  head -c 2000 .run/err
  exit 1
}

# exits STATUS COMMAND...: runs a command and checks its exit status.
exits() {
  local expected=$1 status=0
  shift
  "$@" >.run/out 2>.run/err || status=$?
  [ "$status" = "$expected" ] || fail "exit status $status, not $expected: $*"
}

# Standard error, standard output contain each of the texts.
says() { contains .run/err "$@"; }
prints() { contains .run/out "$@"; }
contains() {
  local file=$1 text
  shift
  for text; do grep -qF -- "$text" "$file" || fail "no \"$text\" in ${file#.run/}"; done
}

# Standard error, standard output are empty.
says_nothing() { [ ! -s .run/err ] || fail "something on standard error"; }
prints_nothing() { [ ! -s .run/out ] || fail "something on standard output"; }

# Standard output is this, up to the line ends at its end.
prints_exactly() { [ "$(cat .run/out)" = "$1" ] || fail "expected on standard output: $1"; }

# holds FOLDER NAME...: the folder holds these names and nothing else, such as a half-written file.
holds() {
  local folder=$1 found
  shift
  found=$(cd "$folder" && find . -mindepth 1 -maxdepth 1 -not -name .run -printf '%f\n' | sort | tr '\n' ' ')
  [ "$found" = "$(printf '%s\n' "$@" | sort | tr '\n' ' ')" ] || fail "$folder holds: $found"
}

# json FILE EXPRESSION: a Python expression over the document `d` is true.
json() {
  /usr/bin/python3 - "$@" <<'PY' || fail "not true of $1: $2"
import json, sys
with open(sys.argv[1]) as file:
    d = json.load(file)
sys.exit(not eval(sys.argv[2]))
PY
}

# json_value FILE EXPRESSION: prints the value of a Python expression over the document `d`.
json_value() {
  /usr/bin/python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$@"
}

# matches_schema FILE KIND: the document is valid; the kinds are those of tests/schema/validate.py (`output`, `eval` ...).
matches_schema() {
  "$source_folder/tests/schema/validate.py" "$source_folder/configs" "$2" "$1" || fail "$1 is no valid $2"
}
