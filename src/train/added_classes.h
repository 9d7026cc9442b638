/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_ADDED_CLASSES_H
#define DETECT_TRAIN_ADDED_CLASSES_H

#include "src/train/cross_validation.h"
#include "src/train/fit.h"
#include "src/train/trained_head.h"

/* Classes that are added to a finished model. What it has stays as it is, number for number: of its
 * head as of the network. Under a softmax a new class has an output z of its own beside the outputs
 * o that there are, and is learned by
 *
 *     P(new | x) = exp z / (exp z + sum over o of exp o)
 *
 * with the sum as it is: a logistic regression with an offset that differs from region to region.
 * So the classes that there were keep their order among one another everywhere, and lose
 * probability where a new one takes it. Of independent classes (sigmoid) they lose nothing. */

/** {0} is empty. */
typedef struct det_added_classes {
    const det_model *model;        /**< borrowed */
    det_trained_head trained;      /**< the head that there is */
    det_learned_classes annotated; /**< that the set had before det_added_relabel */
} det_added_classes;

/** Finds the head of a finished model, one that `detect train` has written.
 *  @param added det_added_free it, also after a failure.
 *  @return DET_OK; DET_ARGUMENT (a model of another kind); DET_MEMORY. */
det_status det_added_open(const det_model *model, det_added_classes *added, det_error *error);
/** Takes {0}. */
void det_added_free(det_added_classes *added);

/** Gives a set the classes of the model, and behind them those of its own that the model lacks. A
 *  class of the model without annotations has the category SIZE_MAX.
 *  @return DET_OK; DET_ARGUMENT (the model has them all; what to do); DET_MEMORY. */
det_status det_added_relabel(det_added_classes *added, det_training_set *set, det_error *error);

/** Learns the new classes, and copies the old ones with what moves their boxes.
 *  @param heads as for det_fit_classes, of all classes and of the kind of the old head.
 *  @param run   progress counts iterations.
 *  @return DET_OK, DET_CANCELLED, DET_MEMORY. */
det_status det_added_fit(const det_added_classes *added, const det_fit_examples *examples,
                         const det_fit_options *options, const det_run *run, det_linear_head *heads,
                         det_error *error);

/** Multiplies the outputs of the new classes of all heads by the number that makes held-out
 *  regions most likely: calibration, which leaves the old classes alone.
 *  @param heads the heads of `from`, which are changed. @return DET_OK, DET_MEMORY. */
det_status det_added_calibrate(const det_added_classes *added, const det_training_set *set,
                               const int *folds, det_linear_head *heads, size_t head_count,
                               det_error *error);

/** The set with the classes that its annotations have, as it is measured. */
det_training_set det_added_measured(const det_added_classes *added, const det_training_set *set);

#endif
