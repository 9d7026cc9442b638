/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DETECTOR_CANDIDATES_H
#define DETECT_DETECTOR_CANDIDATES_H

#include "detect/data.h"
#include "src/base/error.h"

/** A region that may show an object of a class. */
typedef struct det_candidate {
    size_t class_id, region; /**< region: its position among the proposals */
    float score;
    det_box box; /**< where the object is: the region's, or where regression moved it */
} det_candidate;

/** A list that grows; {0} is empty. */
typedef struct det_candidates {
    det_candidate *items;
    size_t count, capacity;
} det_candidates;

/** @return false when memory is short. */
bool det_candidates_add(det_candidates *list, det_candidate candidate);
void det_candidates_free(det_candidates *list);

/** How candidates become detections. */
typedef struct det_fusion_options {
    det_nms_method method;
    float iou;             /**< of NMS; of DET_NMS_SOFT where it is linear */
    float vote_iou;        /**< of DET_NMS_VOTE */
    bool linear;           /**< DET_NMS_SOFT: else Gaussian */
    float sigma;           /**< of the Gaussian */
    float score_min;       /**< what a score may become with DET_NMS_SOFT */
    size_t max_detections; /**< 0: all */
} det_fusion_options;

/** What the keys of postprocess say. */
det_fusion_options det_fusion_options_of(const det_config *config);

/** Suppresses per class and keeps the best: the list is put in the order score descending, then
 *  region, then class, and shortened to the survivors. Voting moves their boxes, soft suppression
 *  lowers their scores.
 *  @return DET_OK, DET_ARGUMENT (as det_nms_hard), DET_MEMORY. */
det_status det_candidates_fuse(det_candidates *list, const det_fusion_options *options,
                               det_error *error);

#endif
