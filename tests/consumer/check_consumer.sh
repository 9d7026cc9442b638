#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs a build, moves the tree, and uses it as somebody else would: the program, and a project built with the CMake
# package and with pkg-config, against the shared library and against the static one.
#   check_consumer.sh BUILD_FOLDER MAKE_MODEL    MAKE_MODEL FILE writes a small model file
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/harness/checks.sh
source "$here/../harness/checks.sh"
build=$1 make_model=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
prefix=$scratch/moved
unset LD_LIBRARY_PATH CMAKE_PREFIX_PATH

it_installs_and_moves() { cmake --install "$build" --prefix "$scratch/prefix" && mv "$scratch/prefix" "$prefix"; }

the_program_runs() { "$prefix/bin/detect" --version; }
the_configurations_and_schemas_are_there() {
  [ -f "$prefix/share/detect/det.json" ] && [ -f "$prefix/share/detect/det.schema.json" ]
}
a_model_is_made() { "$make_model" "$scratch/model.safetensors"; }
the_manual_page_and_the_completion_are_there() {
  grep -q '^\.TH' "$prefix/share/man/man1/detect.1" && bash -n "$prefix/share/bash-completion/completions/detect"
}

# with_cmake KIND: builds into $scratch/cmake-KIND.
with_cmake() {
  cmake -G Ninja -S "$here" -B "$scratch/cmake-$1" -DCMAKE_PREFIX_PATH="$prefix" \
    -DCONSUMER_STATIC="$([ "$1" = static ] && echo ON || echo OFF)" && cmake --build "$scratch/cmake-$1"
}

# with_pkg_config KIND: builds into $scratch/pkg-config-KIND.
with_pkg_config() {
  local out=$scratch/pkg-config-$1 program libs flags
  mkdir "$out" && export PKG_CONFIG_PATH=$libdir/pkgconfig || return 1
  flags=$(pkg-config --cflags detect) || return 1
  if [ "$1" = static ]; then
    libs=$(pkg-config --static --libs detect | sed 's/-ldetect\b/-l:libdetect.a/') || return 1
  else
    libs="$(pkg-config --libs detect) -Wl,-rpath,$libdir" || return 1
  fi
  for program in draw propose find; do
    # shellcheck disable=SC2086 # several words on purpose
    "${CC:-cc}" $flags "$here/$program.c" -o "$out/$program" $libs || return 1
  done
}

holds_the_library() { [ -x "$1" ] && ! links_the_library "$1"; }
links_the_library() { readelf -d "$1" | grep -q 'NEEDED.*libdetect\.so\.'; }

# programs_work FOLDER
programs_work() {
  "$1/draw" "$scratch/picture.png" && "$1/propose" "$scratch/picture.png" | grep -qE '^([0-9.]+ ){3}[0-9.]+$' &&
    "$1/find" "$scratch/model.safetensors" "$scratch/picture.png" | grep -qE '^[a-z]+ [01]\.[0-9]+ ([0-9.]+ ){3}[0-9.]+$'
}
a_missing_model_is_named() {
  refuses no-model.safetensors "$1/find" no-model.safetensors "$scratch/picture.png"
}

check it_installs_and_moves
libdir=$(dirname "$(find "$prefix" -name libdetect.a)")
check the_program_runs
check the_configurations_and_schemas_are_there
check a_model_is_made
check the_manual_page_and_the_completion_are_there
for kind in shared static; do
  for way in cmake pkg-config; do
    folder=$scratch/$way-$kind
    check "the project builds with $way, $kind" "with_${way/-/_}" $kind
    if [ $kind = shared ]; then
      check "its programs load the library ($way)" links_the_library "$folder/find"
    else
      check "its programs hold the library ($way)" holds_the_library "$folder/find"
    fi
    check "its programs work ($way, $kind)" programs_work "$folder"
    check "a missing model is named ($way, $kind)" a_missing_model_is_named "$folder"
  done
done
finish
