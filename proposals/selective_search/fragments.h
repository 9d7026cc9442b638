/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_PROPOSALS_FRAGMENTS_H
#define DETECT_PROPOSALS_FRAGMENTS_H

#include "proposals/selective_search/graph.h"

/** Two pixels or fragments that an edge joins. */
typedef struct det_ends {
    int32_t a, b;
} det_ends;

/** What the segmentations of a picture at several scales have in common: groups of pixels that each
 *  of them joins, and the edges between these, sorted as the graph's are. Those of weight
 *  w / DET_EDGE_STEPS are edges[start[w]] to edges[start[w + 1] - 1]. */
typedef struct det_fragments {
    int width, height;
    int32_t count;
    int32_t *labels; /**< height x width: the fragment of each pixel, numbered by their first */
    int32_t *sizes;  /**< pixels of each fragment */
    float *inside;   /**< heaviest edge inside each, in steps of the graph */
    uint32_t *start; /**< DET_EDGE_BUCKETS + 1 */
    det_ends *edges;
} det_fragments;

/** @param least_k, most_k the smallest and the largest scale, in grey levels times pixels.
 *  @param arena     the fragments are taken from it.
 *  @param scratch   another, for what is needed on the way.
 *  @param fragments receives them.
 *  @return DET_OK, DET_MEMORY. Thread-safe. */
det_status det_fragments_create(const det_pixel_graph *graph, double least_k, double most_k,
                                det_arena *arena, det_arena *scratch, det_fragments *fragments,
                                det_error *error);

#endif
