/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_PROPOSALS_SEGMENT_H
#define DETECT_PROPOSALS_SEGMENT_H

#include "proposals/selective_search/fragments.h"

/** A picture cut into segments, each connected over 8 neighbours. */
typedef struct det_segments {
    int width, height;
    int count;             /**< at least 1 */
    const int32_t *labels; /**< height x width, 0 to count - 1, numbered by their first pixel */
} det_segments;

/** Segments a picture.
 *  @param k        scale, between those that the fragments were made for, in grey levels times
 *                  pixels: larger gives larger segments.
 *  @param min_size pixels; smaller segments join a neighbour.
 *  @param arena    the labels are taken from it.
 *  @param segments receives them.
 *  @return DET_OK, DET_MEMORY. Thread-safe. */
det_status det_segment(const det_fragments *fragments, double k, int min_size, det_arena *arena,
                       det_segments *segments, det_error *error);

#endif
