# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For check scripts: source it, call `check` and `refuses`, end with `finish`. Lines are cmocka's, so that tally.awk
# counts them.
failures=0

# check NAME [COMMAND...]: passes when the command (default: the function NAME) succeeds; else its output is shown.
check() {
  local name=$1 output
  shift
  printf '[ RUN      ] %s\n' "$name"
  [ $# -gt 0 ] || set -- "$name"
  if output=$("$@" 2>&1); then
    printf '[       OK ] %s\n' "$name"
  else
    printf '%s\n[  FAILED  ] %s\n' "$output" "$name"
    failures=$((failures + 1))
  fi
}

# refuses TEXT COMMAND...: succeeds when the command fails and its output contains TEXT.
refuses() {
  local text=$1 output
  shift
  if output=$("$@" 2>&1); then
    echo "succeeded: $*"
    return 1
  fi
  [[ $output == *"$text"* ]] || { printf 'no "%s" in:\n%s\n' "$text" "$output"; return 1; }
}

skip() { printf '[ RUN      ] %s\n[  SKIPPED ] %s\n' "$1" "$1"; }

finish() { exit $((failures > 0)); }
