/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DETECTOR_NMS_H
#define DETECT_DETECTOR_NMS_H

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

#endif
