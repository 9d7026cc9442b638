/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_FIT_H
#define DETECT_TRAIN_FIT_H

#include "src/train/event_log.h"
#include "src/train/linear_head.h"

/* Classes from examples. All heads of a cross-validation are fitted together: each sees the
 * examples that its weights let it see, and a pass over the features serves them all. Features are
 * centred and scaled to a mean norm of 20 (R-CNN, section 2.3 of its code) while heads are fitted;
 * the heads take features as they are. */

/** Outputs that are there already and stay: what is fitted are `count` classes beside them. */
typedef struct det_fit_beside {
    const float *outputs; /**< of each example: the output of all that is none of the new classes */
    size_t first, count;  /**< labels of the new classes; all others count as none of them */
} det_fit_beside;

/** Examples, and how much each of them counts for each head. */
typedef struct det_fit_examples {
    const det_training_set *set;
    const det_row *rows; /**< count; rows that teach nothing are not allowed */
    size_t count;
    const float *weights; /**< head_count x count, at least 0; some above 0 for each head */
    size_t head_count;
    const det_fit_beside *beside; /**< or NULL: all classes and the background are fitted */
} det_fit_examples;

/** det_fit_classes looks at the first six alone. */
typedef struct det_fit_options {
    double l2;             /**< half of it times the squares of the weights is added to the mean
                                cross-entropy; det_fit_heads: 0 is chosen for each head */
    const double *head_l2; /**< that of each head; NULL: l2 for all */
    int iterations;        /**< of L-BFGS, at most */
    double tolerance;      /**< of a head; it is done where an iteration lowers what is minimised by
                                a smaller share */
    const char *state;     /**< file where a fit that is cancelled is kept, and from which an equal
                                one goes on as if it had not been; NULL: none */
    det_event_log *log;    /**< that is told of every pass; NULL: none */
    bool balanced;         /**< classes count alike, not examples */
    double negative_iou;   /**< of support vector machines: what overlaps the objects of a class by
                                less shows none of them */
    uint64_t seed;         /**< likewise: of the order of examples */
} det_fit_options;

/** Fits classes: multinomial logistic regression.
 *  @param heads head_count of them: what gives classes is where the fit begins, and is replaced.
 *  @param run   progress counts iterations.
 *  @return DET_OK, DET_CANCELLED, DET_MEMORY. */
det_status det_fit_classes(const det_fit_examples *examples, const det_fit_options *options,
                           const det_run *run, det_linear_head *heads, det_error *error);

#endif
