/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_TRAINING_DATA_H
#define DETECT_TRAIN_TRAINING_DATA_H

#include "detect/train.h"
#include "src/train/learning_curve.h"
#include "src/train/multibox_report.h"
#include "src/train/suspicions.h"

/** What the caller of a training gets, while it is made. */
typedef struct det_training_data {
    det_training seen;          /**< comes first: the view that the caller has */
    det_trained_class *classes; /**< that it points to */
    char **names;
    det_learning_point curve[DET_CURVE_POINTS];
    det_suspicions suspicions;
    det_multibox_report multibox; /**< {0}: none */
    det_network_gain gain;
} det_training_data;

/** What a set has: its classes, and how many pictures and objects show them.
 *  @param result receives it; det_training_free its view. @return DET_OK, DET_MEMORY. */
det_status det_training_data_create(const det_training_set *set, det_training_data **result,
                                    det_error *error);

/** Measures AP50 and AP of the classes and of all, and judges the classes.
 *  @return DET_OK, DET_MEMORY. */
det_status det_training_data_measure(det_training_data *data, const det_measuring *measuring,
                                     det_error *error);

/** Adds a learning curve and what more pictures would give.
 *  @param curve its samples are sorted. @return DET_OK, DET_MEMORY. */
det_status det_training_data_add_curve(det_training_data *data, const det_curve_samples *curve,
                                       det_error *error);

#endif
