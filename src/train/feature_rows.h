/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_FEATURE_ROWS_H
#define DETECT_TRAIN_FEATURE_ROWS_H

#include "src/train/training_set.h"

/** Rows of features, wherever and however they are kept. Borrowed by whom it is given to. */
typedef struct det_feature_rows {
    size_t count, width;
    /** Writes the features of a row, `width` numbers. Called from several threads at once. */
    void (*read)(const void *context, size_t row, float *features);
    const void *context;
} det_feature_rows;

/** Rows of a training set. */
typedef struct det_set_rows {
    const det_training_set *set;
    const det_row *rows; /**< count */
    size_t count;
} det_set_rows;

/** These rows; `list` is borrowed. */
det_feature_rows det_rows_of_set(const det_set_rows *list);

#endif
