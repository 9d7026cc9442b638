/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_KEPT_HEADS_H
#define DETECT_TRAIN_KEPT_HEADS_H

#include "src/train/cross_validation.h"
#include "src/train/fit.h"

/* What is learned from features, kept in the same folder under a digest of everything that it
 * depends on: each of these reads what an equal call has left there, or computes it and leaves it
 * there. */

/** How often results were there, and how often they had to be made. */
typedef struct det_kept_count {
    size_t reused, made;
} det_kept_count;

typedef struct det_kept_results {
    const char *folder; /**< that there is */
    det_event_log *log; /**< that is told of stages; NULL: none */
    det_kept_count boxes, classes, calibration, detections;
} det_kept_results;

/** As det_fit_boxes. Also DET_IO, DET_LIMIT: the file cannot be written. */
det_status det_keep_boxes(det_kept_results *kept, const det_fit_examples *examples, double lambda,
                          const det_run *run, det_linear_head *heads, det_error *error);
/** As det_fit_heads; what a cancelled fit has reached is kept as well, and an equal call goes on
 *  from there. */
det_status det_keep_classes(det_kept_results *kept, const det_fit_examples *examples,
                            const det_fit_options *options, const det_run *run,
                            det_linear_head *heads, det_error *error);

/** Heads of a cross-validation, and what they are measured on. Everything is borrowed. */
typedef struct det_held_out {
    const det_training_set *set;
    const det_linear_head *heads; /**< head_count */
    size_t head_count;
    const int *folds; /**< of each picture: the head that did not see it */
} det_held_out;

/** As det_held_out_calibration. */
det_status det_keep_calibration(det_kept_results *kept, const det_held_out *from,
                                det_output_change *changes, det_error *error);
/** As det_detect_held_out. */
det_status det_keep_detections(det_kept_results *kept, const det_held_out *from,
                               const det_head_options *options, int threads,
                               det_held_out_objects *objects, det_error *error);

#endif
