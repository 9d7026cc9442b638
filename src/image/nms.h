/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_IMAGE_NMS_H
#define DETECT_IMAGE_NMS_H

#include "detect/image.h"

/** Non-maximum suppression: keeps the best of boxes that overlap.
 *
 *  Greedy (Felzenszwalb et al. 2010; R-CNN, section 2.2): boxes in order of score, highest first,
 *  equal scores by position; a box is dropped when its IoU with a kept one is greater than
 *  `iou_max`. The order is total, so the result depends on nothing else.
 *
 *  @param boxes   n boxes, pixels, half-open; read only.
 *  @param scores  n scores, any finite values.
 *  @param iou_max in [0, 1].
 *  @param kept    room for n indices; receives the survivors, best first.
 *  @return number kept, or a negative det_status: DET_ARGUMENT (iou_max outside [0, 1], a score not
 *          finite), DET_MEMORY.
 *  Thread-safe. O(n log n + kept * n). */
int64_t det_nms_hard(const det_box *boxes, const float *scores, size_t n, float iou_max,
                     size_t *kept);

/** Box voting: each kept box moves to where those around it are (Gidaris and Komodakis, "Object
 *  detection via a multi-region and semantic segmentation-aware CNN model", 2015, section 5.2): to
 *  the mean, weighted by scores, of all boxes whose IoU with it is at least `iou_min`, whether they
 *  were kept or not. Its score stays.
 *
 *  @param boxes, scores n of each, finite, of one class; scores that are not positive have no vote.
 *  @param kept          count indices, as det_nms_hard gives them.
 *  @param voted         room for count boxes, apart from `boxes`: the kept ones at their new
 * places. Thread-safe. O(n * count). */
void det_nms_vote(const det_box *boxes, const float *scores, size_t n, const size_t *kept,
                  size_t count, float iou_min, det_box *voted);

/** How much overlapping boxes lose. */
typedef struct det_soft_nms {
    bool linear;     /**< a score is multiplied by 1 - IoU where IoU is greater than `iou_max`; else
                          by exp(-IoU^2 / sigma), whatever IoU is */
    float iou_max;   /**< in [0, 1] */
    float sigma;     /**< above 0 */
    float score_min; /**< boxes whose score falls below are dropped */
} det_soft_nms;

/** Soft suppression (Bodla et al., "Soft-NMS", 2017): boxes in order of score as it then is,
 * highest first, equal scores by position; all that are left lose by their overlap with the one
 * taken.
 *
 *  @param boxes  n boxes, as det_nms_hard.
 *  @param scores n finite, not negative; each receives what the box has left.
 *  @param kept   room for n indices; receives the boxes that keep score_min, best first.
 *  @return number kept, or a negative det_status: DET_ARGUMENT (iou_max outside [0, 1], sigma not
 *          above 0, a score not finite or negative), DET_MEMORY.
 *  Thread-safe. O(n * kept). */
int64_t det_nms_soft(const det_box *boxes, float *scores, size_t n, const det_soft_nms *how,
                     size_t *kept);

#endif
