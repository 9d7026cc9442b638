/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_LINEAR_HEAD_H
#define DETECT_TRAIN_LINEAR_HEAD_H

#include "src/detector/candidates.h"
#include "src/train/training_set.h"

/* What is learned: a linear function of the features of a region that gives the classes'
 * probabilities, and one that moves the region's box. */

/** How outputs become probabilities. */
typedef enum det_head_kind {
    DET_HEAD_SOFTMAX = 0, /**< of the classes and the background, which is the last output */
    DET_HEAD_SIGMOID      /**< of each class by itself: 1 / (1 + exp(-output)); no background */
} det_head_kind;

typedef struct det_linear_head {
    det_head_kind kind;
    size_t width;         /**< features */
    size_t class_count;   /**< without the background */
    size_t output_count;  /**< with it where the kind has it */
    float *weights;       /**< output_count x width */
    float *biases;        /**< output_count */
    float *delta_weights; /**< 4 class_count x width: dx, dy, dw, dh of each class; or NULL */
    float *delta_biases;  /**< 4 class_count */
} det_linear_head;

/** A head of zeros. @return DET_OK, DET_MEMORY. */
det_status det_linear_head_create(det_head_kind kind, size_t width, size_t class_count, bool deltas,
                                  det_linear_head *head, det_error *error);
/** Takes {0}. */
void det_linear_head_free(det_linear_head *head);

/** Outputs of a head for `class_count` classes. */
size_t det_head_outputs(det_head_kind kind, size_t class_count);

/** Another output in place of one: slope * output + offset. */
typedef struct det_output_change {
    float slope, offset;
} det_output_change;

/** Changes the outputs of a head, with its weights. @param changes output_count. */
void det_linear_head_change(det_linear_head *head, const det_output_change *changes);

/** The outputs for a region, output_count of them, before they become probabilities. */
void det_linear_head_outputs(const det_linear_head *head, const det_region_features *regions,
                             size_t region, float *outputs);
/** Probabilities of these outputs, in their place. */
void det_linear_head_probabilities(const det_linear_head *head, float *outputs);
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
