/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_NETWORK_LOSS_H
#define DETECT_TRAIN_NETWORK_LOSS_H

#include "src/base/error.h"
#include "src/detector/box_deltas.h"

/* What a network is trained for: losses of its outputs, and their gradients with respect to these.
 * Gradients are added to what is there, so that several losses of one output add up; the caller
 * sets them to 0 first. Each loss is multiplied by `factor`: 1 / rows makes a mean of it. Sums are
 * in double and in the order of rows. */

/** Outputs of a layer for some rows (regions, pictures). Borrowed. */
typedef struct det_loss_outputs {
    const float *values; /**< row_count x width, before any softmax */
    float *gradients;    /**< likewise; or NULL: the loss alone is wanted */
    size_t row_count, width;
} det_loss_outputs;

/** @return DET_OK; DET_ARGUMENT (a loss that is not finite: the message names the loss, its value
 * and the step). */
det_status det_loss_check(const char *name, double loss, uint64_t step, det_error *error);

/** The loss of true labels. */
typedef struct det_label_loss {
    double loss;
    size_t right; /**< rows, of those with a weight, whose greatest output is that of their label */
} det_label_loss;

/** Softmax cross-entropy: factor * sum over rows of weight * -log p[label], p = softmax(outputs).
 *  Among classes and the background it is R-CNN's (section 2.3), with factor 1 / row_count.
 *  @param labels  row_count, below the width.
 *  @param weights row_count, at least 0; NULL: all 1. A row of weight 0 is not looked at. */
det_label_loss det_lose_labels(const det_loss_outputs *outputs, const size_t *labels,
                               const float *weights, double factor);

/** A softer aim: factor * T^2 * sum over rows of sum over classes of q log(q / p), where p and q
 * are the softmax of outputs / T and of the teacher's outputs / T (Hinton et al., "Distilling the
 *  Knowledge in a Neural Network", 2015, section 2, whose cross-entropy differs by the entropy of
 * q, a constant). 0 where both say the same.
 *  @param teacher     row_count x width: outputs before softmax, or logarithms of probabilities,
 *                     -INFINITY for 0; each row with a finite one.
 *  @param temperature T, above 0; gradients of all T are of one size, for 1 / T^2 is undone. */
double det_lose_teacher(const det_loss_outputs *outputs, const float *teacher, double temperature,
                        double factor);

/** By what the numbers of a box's move (src/detector/box_deltas.h) are divided to be of one size:
 * .1, .1, .2, .2, as in the published code of Faster R-CNN (BBOX_NORMALIZE_STDS). A network that
 * has learned them so gives moves divided by them. */
extern const float det_delta_deviations[DET_BOX_DELTAS];

/** Smooth L1 of the moves of boxes (Girshick, "Fast R-CNN", 2015, equations 2 and 3): factor * sum
 *  over rows that show a class c of the sum over the four numbers of
 *
 *    s(outputs[4 c + i] - moves[i] / deviations[i]),  s(x) = x^2 / 2 where |x| < 1, else |x| - 1 /
 * 2
 *
 *  @param outputs width: 4 x classes.
 *  @param labels  row_count; a label that is not below width / 4 (the background) costs nothing.
 *  @param moves   of each row to its object, as det_box_deltas_encode gives them; not looked at
 * where the row shows no class. */
double det_lose_boxes(const det_loss_outputs *outputs, const size_t *labels,
                      const float (*moves)[DET_BOX_DELTAS], double factor);

/** Squared differences to the teacher's features: factor * sum of (value - teacher)^2 / 2 (Romero
 * et al., "FitNets", 2015, equation 3). Twice the reciprocal of the number of values makes the mean
 *  squared error of it.
 *  @param teacher row_count x width.
 *  @param threads 0: as many as the process may use; results do not depend on it. Thread-safe. */
double det_lose_features(const det_loss_outputs *outputs, const float *teacher, double factor,
                         int threads);

#endif
