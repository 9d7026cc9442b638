/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TESTS_FUZZ_H
#define DETECT_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/** What a fuzz target defines: feeds bytes to a parser and returns 0. A crash, a sanitizer's
 * report, a leak or minutes of work is the failure that it looks for. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
