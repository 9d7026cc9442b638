/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_SVM_FIT_H
#define DETECT_TRAIN_SVM_FIT_H

#include "src/train/fit.h"

/** Fits classes: for each head a support vector machine a class, as R-CNN trains them
 *  (src/train/svm_head.h has the sources and the numbers). Each head learns from the examples whose
 *  weight for it is above 0. Positive for a class are the boxes of its objects alone, not what
 *  overlaps them; negative are background, and what shows another class and overlaps every object
 *  of this one by less than `options->negative_iou`. The outputs are scores, 1 and -1 at the
 *  margin, which det_held_out_calibration makes the logits of probabilities.
 *  @param heads head_count of them, of the kind DET_HEAD_SIGMOID; their weights are replaced.
 *  @param run   progress counts classes of heads, which are spread over its threads.
 *  @return as det_fit_svms. */
det_status det_fit_svm_heads(const det_fit_examples *examples, const det_fit_options *options,
                             const det_run *run, det_linear_head *heads, det_error *error);

#endif
