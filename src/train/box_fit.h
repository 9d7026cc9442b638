/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_BOX_FIT_H
#define DETECT_TRAIN_BOX_FIT_H

#include "src/train/fit.h"

/** Fits what moves boxes: for each class ridge regression of the numbers of
 *  src/detector/box_deltas.h from the examples of that class, evenly chosen 4000 of them where
 * there are more (R-CNN, appendix C). Each head learns from the examples whose weight for it is
 * above 0.
 *  @param heads  as for det_fit_classes, with deltas, which are replaced; a class without an
 * example does not move boxes.
 *  @param lambda of features that are centred and scaled to a mean norm of 20; above 0; R-CNN:
 * 1000.
 *  @param run    progress counts classes.
 *  @return DET_OK, DET_CANCELLED, DET_MEMORY. */
det_status det_fit_boxes(const det_fit_examples *examples, double lambda, const det_run *run,
                         det_linear_head *heads, det_error *error);

#endif
