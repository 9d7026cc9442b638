/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_PROPOSALS_FEATURES_H
#define DETECT_PROPOSALS_FEATURES_H

#include "proposals/selective_search/adjacency.h"

enum {
    DET_COLOR_BINS = 25,       /**< of one channel */
    DET_TEXTURE_BINS = 80,     /**< of one channel: 8 orientations of 10 */
    DET_HISTOGRAM_FULL = 32767 /**< the share of a bin that holds every pixel */
};

/** Which bins each pixel falls into: 5 bytes a channel and pixel, first a colour bin for each
 *  channel (channel * 25 + bin), then for each channel and axis (0, 45, 90, 135 degrees) the bin of
 *  the one of its two orientations in which the derivative is positive, (channel * 4 + axis) * 20 +
 *  bin, with 10 added for the opposite orientation; the place of bin 0 of the first stands for
 *  "bin 0 in both". */
typedef struct det_codes {
    int channels;
    uint8_t *values;
} det_codes;

/** @param texture DET_TEXTURE_*.
 *  @param arena   the codes are taken from it.
 *  @param scratch another, for what is needed on the way.
 *  @param codes   receives them.
 *  @return DET_OK, DET_MEMORY. Thread-safe. */
det_status det_codes_create(const det_planes *planes, det_texture texture, det_arena *arena,
                            det_arena *scratch, det_codes *codes, det_error *error);

/** Histograms of regions, a row each: the colour bins, filled up with zeros to a multiple of 16,
 *  then the texture bins (channel, orientation, bin). `counts` are pixels, `shares` the same
 *  rounded to multiples of 1 / DET_HISTOGRAM_FULL of the region's size. */
typedef struct det_histograms {
    int rows, channels;
    int color_bins, bins; /**< of a row: colour with its padding, all */
    int32_t *counts;
    int16_t *shares;
} det_histograms;

/** Histograms of all segments.
 *  @param blobs      the same segments.
 *  @param arena      the histograms are taken from it.
 *  @param histograms receives them.
 *  @return DET_OK, DET_MEMORY. Thread-safe. */
det_status det_histograms_create(const det_codes *codes, const det_segments *segments,
                                 const det_blob *blobs, det_arena *arena,
                                 det_histograms *histograms, det_error *error);
/** A copy, taken from the arena. @return DET_OK, DET_MEMORY. Thread-safe. */
det_status det_histograms_copy(const det_histograms *from, det_arena *arena, det_histograms *to,
                               det_error *error);
/** Adds row b to row a, whose regions together have `size` pixels. */
void det_histograms_merge(det_histograms *histograms, int a, int b, int32_t size);

/** Intersections of the L1-normalised histograms of rows a and b: 0 to 1, but for the rounding of
 *  the shares (at most 1 / DET_HISTOGRAM_FULL a bin). */
float det_histograms_color(const det_histograms *histograms, int a, int b);
float det_histograms_texture(const det_histograms *histograms, int a, int b);

#endif
