/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_PROPOSALS_GRAPH_H
#define DETECT_PROPOSALS_GRAPH_H

#include "proposals/selective_search/color.h"

enum {
    DET_EDGE_STEPS = 64,     /**< weights are multiples of 1/64 grey level */
    DET_EDGE_BUCKETS = 28268 /**< 255 * sqrt(3) * 64, the largest weight, and one for 0 */
};

/** The edges of a picture's 8-neighbour grid, sorted by weight, then by position: an edge is
 *  4 * pixel + direction, and its other end is pixel + offset[direction]. Those of weight
 *  w / DET_EDGE_STEPS are edges[start[w]] to edges[start[w + 1] - 1]. */
typedef struct det_pixel_graph {
    int width, height;
    int32_t offset[4]; /**< right, below left, below, below right */
    uint32_t *start;   /**< DET_EDGE_BUCKETS + 1 */
    uint32_t *edges;
} det_pixel_graph;

/** Blurs the planes, weighs every edge by the Euclidean distance of its two pixels over the
 *  channels, and sorts the edges. The planes hold at most 2^28 pixels.
 *  @param sigma_px of the Gaussian blur; 0: none.
 *  @param arena    the graph is taken from it.
 *  @param scratch  another, for what is needed on the way.
 *  @param graph    receives it.
 *  @return DET_OK, DET_MEMORY. Thread-safe. */
det_status det_pixel_graph_create(const det_planes *planes, double sigma_px, det_arena *arena,
                                  det_arena *scratch, det_pixel_graph *graph, det_error *error);

#endif
