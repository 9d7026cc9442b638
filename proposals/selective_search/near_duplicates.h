/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_PROPOSALS_NEAR_DUPLICATES_H
#define DETECT_PROPOSALS_NEAR_DUPLICATES_H

#include "proposals/selective_search/ranking.h"

/** Puts the boxes that overlap a better one by more than `iou` behind all others, and marks them;
 *  otherwise the order stays. Only boxes that are not put behind count as better ones.
 *  @param boxes count of them, best first, none empty.
 *  @param iou   in (0, 1); 1 and more: nothing moves.
 *  @return DET_OK, DET_MEMORY (the boxes are as they were). */
det_status det_defer_near_duplicates(det_ranked *boxes, size_t count, double iou);

#endif
