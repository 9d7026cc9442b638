/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_CROSS_VALIDATION_H
#define DETECT_TRAIN_CROSS_VALIDATION_H

#include "detect/eval.h"
#include "src/train/linear_head.h"

/* Heads measured on pictures that they never saw. */

/** The changes of the outputs that make held-out probabilities most likely, from all proposals that
 *  teach something. Of a softmax that is one temperature, which all outputs are divided by (Guo et
 *  al., "On Calibration of Modern Neural Networks", 2017, section 4.2). Of independent classes it
 *  is a sigmoid each (Platt, "Probabilistic Outputs for Support Vector Machines", 1999); a class
 *  that does not get more probable as its outputs rise takes the sigmoid of all classes together.
 *  @param heads   fold_count, of one kind; each looks at the pictures of its own fold alone.
 *  @param changes receives as many as a head has outputs.
 *  @return DET_OK, DET_MEMORY. */
det_status det_held_out_calibration(const det_training_set *set, const det_linear_head *heads,
                                    const int *folds, det_output_change *changes, det_error *error);

/** Detections against the annotations of a set, as x, y, width and height. {0} is empty. */
typedef struct det_held_out_objects {
    det_detected_object *items; /**< count; det_free them */
    size_t count;
} det_held_out_objects;

/** Detects in every picture with the head that did not see it. Detections of classes without a
 *  category (SIZE_MAX) are left out. @return DET_OK, DET_MEMORY. */
det_status det_detect_held_out(const det_training_set *set, const det_linear_head *heads,
                               const int *folds, const det_head_options *options, int threads,
                               det_held_out_objects *objects, det_error *error);

#endif
