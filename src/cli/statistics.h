/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_STATISTICS_H
#define DETECT_CLI_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

/** The median of count values, which it sorts, ascending; 0 where there are none. */
double cli_median(double *values, size_t count);

/** Prints a share with three digits in a column of `width`, "n/a" for NaN. */
void cli_print_share(int width, double share);

/** The next of a stream of random numbers: SplitMix64 (Steele et al. 2014). */
uint64_t cli_random(uint64_t *state);

/** The most memory that this process has held, in MiB. */
double cli_peak_memory_mb(void);

#endif
