/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_CLASS_VERDICT_H
#define DETECT_TRAIN_CLASS_VERDICT_H

#include "detect/train.h"

/** What can be said of a class that so many pictures show, by the rules of det_class_verdict.
 *  @param ap50   NaN in its fields where there are no such figures.
 *  @param wanted receives how many more pictures are wanted at least. */
det_class_verdict det_judge_class(size_t images, const det_interval *ap50, size_t *wanted);

#endif
