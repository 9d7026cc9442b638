/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_L2_CHOICE_H
#define DETECT_TRAIN_L2_CHOICE_H

#include "src/train/fit.h"

/** What is tried for l2, ascending; and what a head gets that sees too few pictures to try. */
extern const double det_l2_candidates[];
enum { DET_L2_CANDIDATES = 4 };
#define DET_L2_DEFAULT 1e-3

/** Chooses l2 for each head from the pictures that it sees alone, so that no fold of a
 *  cross-validation chooses with its own. Every third of these pictures is held out, a head is
 *  fitted to the others for each candidate, and the one is taken under which the labels held out
 *  are the most likely, at the temperature that suits it best. At most 6000 examples, evenly
 *  chosen, and 30 iterations: a choice costs about as much as a fit.
 *  @param run progress counts candidates.
 *  @param l2  examples->head_count; receives them.
 *  @return DET_OK, DET_CANCELLED, DET_MEMORY. */
det_status det_choose_l2(const det_fit_examples *examples, const det_run *run, double *l2,
                         det_error *error);

#endif
