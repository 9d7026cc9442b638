# SPDX-License-Identifier: Apache-2.0
# Compiler flags for our own targets, gathered in the interface target detect_flags.
add_library(detect_flags INTERFACE)
target_compile_definitions(detect_flags INTERFACE _GNU_SOURCE)
target_compile_options(detect_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wvla
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>
  -fvisibility=hidden -fno-omit-frame-pointer -ffp-contract=off
  $<$<BOOL:${DETECT_WERROR}>:-Werror>)
if(DETECT_SANITIZE)
  target_compile_options(detect_flags INTERFACE -fsanitize=${DETECT_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(detect_flags INTERFACE -fsanitize=${DETECT_SANITIZE})
endif()
if(DETECT_COVERAGE)
  target_compile_options(detect_flags INTERFACE --coverage)
  target_link_options(detect_flags INTERFACE --coverage)
endif()
if(DETECT_FUZZ)
  target_compile_options(detect_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
