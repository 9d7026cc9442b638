/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_RIDGE_H
#define DETECT_TRAIN_RIDGE_H

#include "src/train/feature_rows.h"

/** What linear functions are fitted to. Several fits may share the rows, as those of a
 *  cross-validation do. */
typedef struct det_ridge_examples {
    const det_feature_rows *rows; /**< every feature finite */
    const float *targets;         /**< rows->count x outputs, finite */
    size_t outputs;
    const bool *seen; /**< fit_count x rows->count: whether a fit sees the row */
    size_t fit_count;
} det_ridge_examples;

typedef struct det_ridge_options {
    double lambda; /**< above 0 */
    double norm;   /**< features are scaled so that their distance from the mean is so large on
                        average (root mean square over all rows); 0: they stay as they are */
} det_ridge_options;

/** Ridge regression (Hoerl and Kennard 1970): of each fit the w and b of least
 *
 *      sum over the rows that it sees of (w . x + b - target)^2 + lambda |w|^2
 *
 *  for each output, exactly, by Cholesky's factors of a matrix of as many rows and columns as there
 *  are features or, where these are fewer, rows (w is then a sum of them; Saunders, Gammerman and
 *  Vovk 1998). The matrix is in double: 8 bytes times the square of the smaller number, twice. A
 *  fit that sees no row is 0.
 *
 *  Other than R-CNN (bounding-box regression of its code) it leaves the targets as they are:
 *  decorrelating them before the fit and undoing it behind changes nothing, because a fit is a
 *  linear function of its targets.
 *
 *  @param run     progress counts blocks of rows and fits.
 *  @param weights fit_count x outputs x width; for features as they are.
 *  @param biases  fit_count x outputs.
 *  @return DET_OK; DET_ARGUMENT (lambda not above 0, or too small beside the features for the
 *          precision of double); DET_MEMORY; DET_CANCELLED. */
det_status det_fit_ridge(const det_ridge_examples *examples, const det_ridge_options *options,
                         const det_run *run, float *weights, float *biases, det_error *error);

#endif
