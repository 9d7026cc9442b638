/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DETECTOR_ACTIVATION_RANGE_H
#define DETECT_DETECTOR_ACTIVATION_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DET_RANGE_BINS = 512 };

/** What is known of the values of one channel of a layer's output: a histogram over [0, width *
 * DET_RANGE_BINS). The width doubles as larger values come, so that one pass is enough. {0} is
 * empty. */
typedef struct det_activation_range {
    uint32_t counts[DET_RANGE_BINS]; /**< of values above 0, bin [i * width, (i + 1) * width) */
    double width;                    /**< a power of two, or 0 while there are none */
    double sum;
    uint64_t total; /**< values, zeros too */
    float largest;
    bool negative; /**< a value below 0, or no number, was met */
} det_activation_range;

/** Adds values. */
void det_range_add(det_activation_range *range, const float *values, size_t count);

/** How the largest value that u8 shall hold is found. */
typedef enum det_range_rule {
    DET_RANGE_LARGEST,    /**< nothing is clipped */
    DET_RANGE_PERCENTILE, /**< 99.99 % of the values above 0 are at most that large */
    DET_RANGE_ERROR,      /**< the squared error of rounding and clipping is least */
    DET_RANGE_RULES
} det_range_rule;

/** The largest value to hold; 0 where no value above 0 was met. */
float det_range_limit(const det_activation_range *range, det_range_rule rule);

#endif
