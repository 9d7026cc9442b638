/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_LINEAR_HEAD_H
#define DETECT_TRAIN_LINEAR_HEAD_H

#include "src/detector/candidates.h"
#include "src/train/training_set.h"

/* What is learned: a linear function of the features of a region that gives the classes'
 * probabilities, and one that moves the region's box. */

typedef struct det_linear_head {
    size_t width;         /**< features */
    size_t class_count;   /**< without the background, which is the last output */
    float *weights;       /**< (class_count + 1) x width */
    float *biases;        /**< class_count + 1 */
    float *delta_weights; /**< 4 class_count x width: dx, dy, dw, dh of each class; or NULL */
    float *delta_biases;  /**< 4 class_count */
    float temperature;    /**< the outputs are divided by it before softmax; 1: as they are */
} det_linear_head;

/** A head of zeros. @return DET_OK, DET_MEMORY. */
det_status det_linear_head_create(size_t width, size_t class_count, bool deltas,
                                  det_linear_head *head, det_error *error);
/** Takes {0}. */
void det_linear_head_free(det_linear_head *head);

/** The outputs for a region before temperature and softmax: class_count + 1 of them. */
void det_linear_head_outputs(const det_linear_head *head, const det_region_features *regions,
                             size_t region, float *outputs);
/** Probabilities of these outputs, in their place. */
void det_linear_head_softmax(const det_linear_head *head, float *outputs);
/** Where the head moves the box of a region if it shows `class_id`: cut at the edges of the
 *  picture. */
det_box det_linear_head_box(const det_linear_head *head, const det_region_features *regions,
                            size_t region, size_t class_id);

typedef struct det_head_options {
    float threshold;           /**< candidates of a lower probability do not count */
    det_fusion_options fusion; /**< what becomes of the others */
} det_head_options;

/** Detects in a picture as the detector will: the proposals alone are looked at.
 *  @param found receives them, best first; det_candidates_free them, also after a failure.
 *  @return DET_OK, DET_ARGUMENT (as det_candidates_fuse), DET_MEMORY. Thread-safe. */
det_status det_linear_head_detect(const det_linear_head *head, const det_region_features *regions,
                                  const det_head_options *options, det_candidates *found,
                                  det_error *error);

#endif
