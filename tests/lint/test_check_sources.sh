#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Tests of check_sources.pl: the project passes, and a made-up file with one fault each is refused by the right rule.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/harness/checks.sh
source "$here/../harness/checks.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# project PATH LINE...: a project of one file; prints its folder.
project() {
  local root
  root=$(mktemp -d -p "$scratch") && mkdir -p "$root/$(dirname "$1")"
  printf '%s\n' '/* SPDX-License-Identifier: Apache-2.0 */' "${@:2}" >"$root/$1"
  printf '%s' "$root"
}
bad() { # RULE PATH LINE
  check "$1_is_refused_in_$2: $3" refuses "$2:2: $1" "$here/check_sources.pl" "$(project "$2" "$3")"
}
good() { # PATH LINE
  check "$1 may hold: $2" "$here/check_sources.pl" "$(project "$1" "$2")"
}

check the_project_keeps_its_rules "$here/check_sources.pl" "$here/../.."

bad layer src/base/a.c '#include "src/image/crop.h"'
bad layer src/nn/a.c '#include "src/nn/onednn/compat.h"'
bad layer src/image/a.cpp '#  include "src/nn/graph.h"'
bad layer proposals/selective_search/a.c '#include "proposals/multibox/priors.h"'
bad layer src/cli/a.c '#include "src/base/memory.h"'
bad layer src/detector/a.c '#include "tests/unit/support.h"'
bad root src/base/a.c '#include "memory.h"'
bad root src/image/a.c '#include "caffe.pb-c.h"'
bad public include/detect/a.h '#include <json-c/json.h>'
bad public include/detect/a.h '#include "src/base/memory.h"'
bad onednn src/nn/a.c '#include <oneapi/dnnl/dnnl.h>'
bad opencv src/image/a.c '#include <opencv2/core.hpp>'
bad blas src/train/a.c '#include <cblas.h>'
bad blas src/detector/a.c '#  include <lapacke.h>'
bad layer src/detector/a.c '#include "src/train/blas.h"'
bad openmp src/image/a.c '#include <omp.h>'
bad openmp src/image/a.c '#pragma omp parallel for'
bad printing src/base/a.c 'void f(void) { printf("x"); }'
bad printing eval/a.c 'void f(void) { fprintf(stderr, "x"); }'
bad exit src/data/a.c 'void f(void) { if (1) exit(1); }'
bad exit src/data/a.c 'void f(void) { abort (); }'
bad memory src/base/a.c 'void f(void *p) { free(p); }'
bad memory src/base/a.c 'char *f(const char *p) { return strdup(p); }'
bad global src/image/a.c 'void f(void) { openblas_set_num_threads(1); }'
bad unsafe src/cli/a.c 'void f(char *a) { sprintf(a, "x"); }'

good src/detector/a.c '#include "proposals/selective_search/segment.h"'
good src/nn/onednn/a.c '#include "src/nn/graph.h"'
good src/nn/a.c '#include "caffe.pb-c.h"'
good src/nn/onednn/a.c '#include <oneapi/dnnl/dnnl.h>'
good src/train/a.c '#include "src/detector/box_deltas.h"'
good src/train/blas.c '#include <f77blas.h>'
good src/base/parallel.c '#include <omp.h>'
good src/base/memory.c 'void f(void *p) { free(p); }'
good src/cli/a.c 'void f(void) { printf("x"); exit(1); }'
good src/base/a.c 'void f(char *p) { snprintf(p, 1, "exit(1)"); } /* free(p) */ // abort()'
good src/base/a.c 'void f(void *p) { det_free(p); allocator->free(p); allocator.free(p); }'
good include/detect/a.h '#include <stdint.h>'

file_without_a_licence_line_is_refused() {
  local root
  root=$(project src/base/a.c '') && echo 'int a;' >"$root/src/base/a.c"
  refuses 'a.c:1: licence' "$here/check_sources.pl" "$root"
}
check file_without_a_licence_line_is_refused
finish
