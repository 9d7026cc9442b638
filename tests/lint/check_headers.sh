#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every public header compiles alone, as C and as C++, without a warning.
#   check_headers.sh [INCLUDE_FOLDER]
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/harness/checks.sh
source "$here/../harness/checks.sh"
include=${1:-$here/../../include}
warnings=(-Wall -Wextra -Wpedantic -Wconversion -Werror -fsyntax-only)

source_of() { printf '#include <detect/%s>\nextern int not_empty;\n' "$1"; }
c() { source_of "$1" | "${CC:-cc}" -std=c99 "${warnings[@]}" -Wstrict-prototypes -I "$include" -x c -; }
cxx() { source_of "$1" | "${CXX:-c++}" -std=c++11 "${warnings[@]}" -I "$include" -x c++ -; }

for header in "$include"/detect/*.h; do
  name=$(basename "$header")
  check "$name compiles alone as C" c "$name"
  check "$name compiles alone as C++" cxx "$name"
done

include=$(mktemp -d)
trap 'rm -rf "$include"' EXIT
mkdir "$include/detect"
echo 'int det_bad(class_that_is_not_there *x);' >"$include/detect/bad.h"
check "a header that lacks an include is refused as C" refuses class_that_is_not_there c bad.h
check "a header that lacks an include is refused as C++" refuses class_that_is_not_there cxx bad.h
finish
