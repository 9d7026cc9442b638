/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_SUBSPACE_H
#define DETECT_TRAIN_SUBSPACE_H

#include "detect/status.h"

/** Finds directions that hold most of the squares of rows: nearly the subspace of their first
 *  principal components, by randomized subspace iteration (Halko, Martinsson and Tropp, "Finding
 *  Structure with Randomness", 2011, algorithm 4.4).
 *
 *  @param rows  count x width, centred, finite.
 *  @param rank  directions that are wanted, at least 1.
 *  @param basis rank x width; receives directions of length 1, at right angles; those beyond what
 *               the rows have are 0.
 *  @return DET_OK, DET_MEMORY. Deterministic in `seed`. */
det_status det_find_subspace(const float *rows, size_t count, size_t width, size_t rank,
                             uint64_t seed, float *basis, det_error *error);

#endif
