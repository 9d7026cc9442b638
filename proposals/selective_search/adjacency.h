/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_PROPOSALS_ADJACENCY_H
#define DETECT_PROPOSALS_ADJACENCY_H

#include "proposals/selective_search/segment.h"

/** A rectangle of whole pixels, half-open. */
typedef struct det_rectangle {
    int32_t x0, y0, x1, y1;
} det_rectangle;

/** A segment, or several merged into one. */
typedef struct det_blob {
    det_rectangle box;
    int32_t size; /**< pixels */
    int32_t row;  /**< of its histograms */
} det_blob;

/** Two segments that touch, over 8 neighbours; a < b. */
typedef struct det_touching {
    int32_t a, b;
} det_touching;

/** What the grouping needs to know of a segmentation's geometry. */
typedef struct det_adjacency {
    int count;              /**< of segments */
    det_blob *blobs;        /**< the segments, each with the row of its own number */
    det_touching *touching; /**< each pair once, in the order of its first pixel */
    size_t touching_count;
} det_adjacency;

/** @param arena     the result is taken from it.
 *  @param adjacency receives it.
 *  @return DET_OK, DET_MEMORY. Thread-safe. */
det_status det_adjacency_create(const det_segments *segments, det_arena *arena,
                                det_adjacency *adjacency, det_error *error);

#endif
