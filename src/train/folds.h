/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_FOLDS_H
#define DETECT_TRAIN_FOLDS_H

#include "detect/annotations.h"

/** Splits pictures into the folds of a cross-validation, so that each fold has its share of every
 *  class, also of rare ones (iterative stratification: Sechidis, Tsoumakas and Vlahavas, "On the
 *  Stratification of Multi-label Data", 2011, algorithm 1). The class that fewest pictures are left
 *  of is dealt out first; each of its pictures goes to the fold that has fewest pictures of the
 *  class, of equals to the one with fewest pictures, of these to the one that lots were drawn for
 *  first. Pictures without objects come last. Crowds, difficult and ignored objects do not count.
 *
 *  @param fold_count at least 1.
 *  @param seed       lots: the same seed gives the same folds on every machine.
 *  @param folds      image_count; receives numbers below fold_count.
 *  @return DET_OK, DET_MEMORY. Thread-safe. */
det_status det_split_folds(const det_annotations *annotations, size_t fold_count, uint64_t seed,
                           int *folds, det_error *error);

#endif
