/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_PROPOSALS_GROUPING_H
#define DETECT_PROPOSALS_GROUPING_H

#include "proposals/selective_search/similarity.h"

/** Merges segments, the two most similar neighbours first, until one region is left.
 *
 *  Regions are numbered: the segments 0 to n - 1, then each merge the next number. Of equally
 *  similar pairs the one whose later region has the smaller number goes first, then the one whose
 *  earlier region has.
 *
 *  @param adjacency  of n connected segments.
 *  @param histograms of the segments; not looked at without colour or texture.
 *  @param terms      DET_SIMILARITY_*, at least one.
 *  @param pixels     of the whole picture.
 *  @param arena      for what is needed on the way.
 *  @param merged     room for n - 1 boxes; receives those of the merges, in their order.
 *  @return DET_OK, DET_MEMORY. Thread-safe. */
det_status det_group(const det_adjacency *adjacency, const det_histograms *histograms,
                     unsigned terms, int64_t pixels, det_arena *arena, det_rectangle *merged,
                     det_error *error);

#endif
