/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_CLASS_WEIGHTS_H
#define DETECT_TRAIN_CLASS_WEIGHTS_H

#include "src/train/fit.h"

/** Weights with which the classes and the background count alike for each head, however many
 *  examples they have: an example of n of its class weighs so many times what it weighed as
 *  (all) / (classes with examples * n), all and n being sums of weights. The sum of all stays.
 *  @param weights examples->head_count x examples->count; receives them.
 *  @return DET_OK, DET_MEMORY. */
det_status det_balance_weights(const det_fit_examples *examples, float *weights, det_error *error);

#endif
