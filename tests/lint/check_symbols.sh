#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The symbols of the libraries: the shared one exports exactly what include/detect/ declares with DET_API; in the
# static one, which can hide nothing, everything external begins with det_.
#   check_symbols.sh BUILD_FOLDER
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/harness/checks.sh
source "$here/../harness/checks.sh"
build=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Names of the functions that the headers of a folder declare with DET_API.
declared() {
  cat "$1"/*.h | sed '/^#/d' | tr '\n' ' ' | grep -oP '\bDET_API\b[^;]*;' | sed -E 's/^[^(]*\b(det_\w+)\(.*/\1/' |
    LC_ALL=C sort -u
}
exported() { nm -D --defined-only "$1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | LC_ALL=C sort -u; }

# shared_is_as_declared LIBRARY HEADER_FOLDER
shared_is_as_declared() {
  local missing extra
  missing=$(LC_ALL=C comm -23 <(declared "$2") <(exported "$1"))
  extra=$(LC_ALL=C comm -13 <(declared "$2") <(exported "$1"))
  [ -z "$missing" ] || echo "declared but not exported:" "$missing"
  [ -z "$extra" ] || echo "exported but not declared:" "$extra"
  [ -z "$missing$extra" ] && [ -n "$(declared "$2")" ]
}

# static_has_prefix LIBRARY: what every C++ object shares (weak, mangled) and the sanitizers' own symbols do not count.
static_has_prefix() {
  local others
  others=$(nm -g --defined-only "$1" | awk 'NF == 3 && !($2 ~ /[WVu]/ && $3 ~ /^(_Z|DW\.ref)/) { print $3 }' |
    grep -vE '^(det_|__odr_asan|__asan_)' | LC_ALL=C sort -u)
  [ -z "$others" ] || { echo "external without the prefix det_:" "$others"; return 1; }
}

# library SOURCE: compiles a made-up libx.so and libx.a.
library() {
  rm -f "$scratch"/* && echo "$1" >"$scratch/x.c" &&
    "${CC:-cc}" -fPIC -c "$scratch/x.c" -o "$scratch/x.o" &&
    "${CC:-cc}" -shared "$scratch/x.o" -o "$scratch/libx.so" && ar rc "$scratch/libx.a" "$scratch/x.o" &&
    printf '#define DET_API\nDET_API int det_a(int x,\n          int y);\n' >"$scratch/x.h"
}

check the_shared_library_exports_what_the_headers_declare \
  shared_is_as_declared "$build/libdetect.so" "$here/../../include/detect"
check the_static_library_keeps_to_its_prefix static_has_prefix "$build/libdetect.a"

library 'int det_a(int x, int y) { return x + y; }'
check a_library_as_declared_passes shared_is_as_declared "$scratch/libx.so" "$scratch"
check an_archive_with_the_prefix_passes static_has_prefix "$scratch/libx.a"
library 'int det_a(int x, int y) { return x + y; } int det_b;'
check an_undeclared_symbol_is_refused refuses 'not declared: det_b' shared_is_as_declared "$scratch/libx.so" "$scratch"
library 'int det_b(void); int other(void) { return 0; }'
check a_missing_symbol_is_refused refuses 'not exported: det_a' shared_is_as_declared "$scratch/libx.so" "$scratch"
check an_archive_without_the_prefix_is_refused refuses 'other' static_has_prefix "$scratch/libx.a"
finish
