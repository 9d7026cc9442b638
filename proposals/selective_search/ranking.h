/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_PROPOSALS_RANKING_H
#define DETECT_PROPOSALS_RANKING_H

#include "proposals/selective_search/adjacency.h"

/** The boxes of one grouping. */
typedef struct det_hierarchy {
    int segments;         /**< it began with */
    bool contributes;     /**< its segments too, which another hierarchy does otherwise */
    det_rectangle *boxes; /**< of the segments, if it contributes them, then of the merges */
} det_hierarchy;

/** A box with its rank: a random number in [0, 1) times its position in its hierarchy, counted from
 *  the whole picture, 1, down to the first segment. Lower is better; equal ranks by hierarchy, then
 *  by position. */
typedef struct det_ranked {
    det_rectangle box;
    double rank;
    int32_t hierarchy, position;
    bool near_duplicate; /**< of a better one (near_duplicates.h); not set by det_rank */
} det_ranked;

/** Ranks the boxes of all hierarchies, best first, each box once, with its best rank.
 *  @param min_side boxes with a shorter side are left out, and counted in *too_small.
 *  @param ranked   receives an array of *count; det_free it.
 *  @return DET_OK, DET_MEMORY. */
det_status det_rank(const det_hierarchy *hierarchies, int hierarchy_count, uint64_t seed,
                    int min_side, det_ranked **ranked, size_t *count, size_t *too_small);

#endif
