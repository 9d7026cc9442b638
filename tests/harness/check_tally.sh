#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Tests of tally.awk, on made-up logs.
set -u
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/harness/checks.sh
source "$here/checks.sh"

# counts EXPECTED: EXPECTED is what tally.awk makes of standard input.
counts() {
  local got
  got=$(awk -f "$here/tally.awk" | tr '\n' ';')
  [ "$got" = "$1" ] || { printf 'expected %s\n     got %s\n' "$1" "$got"; return 1; }
}

# program STATUS OUTPUT: what ctest writes of a program called p.
program() {
  printf '\t<testcase name="p" classname="p" time="1" status="%s">\n%b\t\t<system-out>%b</system-out>\n\t</testcase>\n' \
    "$1" "${3-}" "$2"
}

ok='[ RUN      ] a\n[       OK ] a\n'
failed='[ RUN      ] b\n[  ERROR   ] --- 1 != 2\n[  FAILED  ] b\n'
skipped='[ RUN      ] c\n[  SKIPPED ] c\n'
list='[==========] 3 test(s) run.\n[  PASSED  ] 1 test(s).\n[  SKIPPED ] 1 test(s), listed below:\n[  SKIPPED ] c\n'
list+='[  FAILED  ] 1 test(s), listed below:\n[  FAILED  ] b\n\n 1 FAILED TEST(S)\n'

every_function_counts_once() {
  program fail "[==========] Running 3 test(s).\n$ok$failed$skipped$list" | counts 'passed p: a;failed p: b;skipped p: c;'
}
two_groups_of_one_program_both_count() {
  program fail "$ok$failed${list}[==========] g: Running 1 test(s).\n$ok" | counts 'passed p: a;failed p: b;passed p: a;'
}
a_program_without_lines_is_one_test() {
  program run 'hello\n' | counts 'passed p: the whole program;' && program fail '' | counts 'failed p: the whole program;'
}
a_program_that_dies_fails_in_the_function_it_was_in() {
  program fail "${ok}[ RUN      ] b\n" | counts 'passed p: a;failed p: b;'
}
a_program_that_fails_after_its_last_function_fails() {
  program fail "$ok" | counts 'passed p: a;failed p: the whole program;'
}
a_program_that_skips_is_skipped_and_one_that_cannot_start_fails() {
  program notrun '' '\t\t<skipped message="SKIP_RETURN_CODE=77"/>\n' | counts 'skipped p: the whole program;' &&
    program notrun '' '\t\t<skipped message="Unable to find executable"/>\n' | counts 'failed p: the whole program;'
}
a_script_that_stops_in_a_check_fails_there() {
  printf '%b' "${ok}[ RUN      ] b\n" | counts 'passed a;failed b;'
}

for name in every_function_counts_once two_groups_of_one_program_both_count a_program_without_lines_is_one_test \
  a_program_that_dies_fails_in_the_function_it_was_in a_program_that_fails_after_its_last_function_fails \
  a_program_that_skips_is_skipped_and_one_that_cannot_start_fails a_script_that_stops_in_a_check_fails_there; do
  check "$name"
done
finish
