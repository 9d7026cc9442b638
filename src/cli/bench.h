/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_BENCH_H
#define DETECT_CLI_BENCH_H

#include "src/cli/options.h"

/** Uniform bytes, always the same (SplitMix64, Steele et al. 2014). */
void cli_fill_random(uint8_t *bytes, size_t size);

/** 'detect bench network --regions N': random regions of a random picture, cropped and pooled by
 *  turns. Prints the table, or writes the document. */
det_status cli_bench_regions(const cli_values *values, det_error *error);

#endif
