/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_HEADS_H
#define DETECT_TRAIN_HEADS_H

#include "src/train/fit.h"

/** Fits classes as the kind of the heads asks for: softmax by det_fit_classes, of examples that
 *  det_balance_weights balances first where `options` say so, with an l2 that det_choose_l2 chooses
 *  where it is 0; independent classes by det_fit_svm_heads.
 *  @param heads examples->head_count, of one kind; their weights are replaced.
 *  @return DET_OK, DET_CANCELLED, DET_MEMORY. */
det_status det_fit_heads(const det_fit_examples *examples, const det_fit_options *options,
                         const det_run *run, det_linear_head *heads, det_error *error);

#endif
