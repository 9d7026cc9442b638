/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_MULTIBOX_TRAINING_H
#define DETECT_TRAIN_MULTIBOX_TRAINING_H

#include "src/train/multibox_report.h"
#include "src/train/picture_features.h"
#include "src/train/training_set.h"

/* MultiBox as a part of a training: what it learns from, a head, and how good such heads are beside
 * their priors and what the training's configuration proposes. */

/** {0} is none. Owns what it points to. */
typedef struct det_multibox_training {
    size_t width;
    float *features;      /**< rows x width: of each picture DET_PICTURE_ROWS rows */
    size_t *pictures;     /**< of each row */
    size_t *first_object; /**< rows + 1 */
    float (*corners)[DET_MULTIBOX_CORNERS];
    uint32_t *classes;
    size_t picture_count, object_count; /**< objects: of all rows */
    float (*beside)[DET_MULTIBOX_CORNERS];
    size_t *first_beside; /**< picture_count + 1 */
    det_multibox_head head;
    det_multibox_report report;
} det_multibox_training;

/** Gathers what the pictures of a set teach: features of pictures and of their mirror images, the
 *  objects that count, and the proposals of each.
 *  @param training det_multibox_training_free it, also after a failure.
 *  @param run      progress counts pictures.
 *  @return DET_OK, DET_CANCELLED, as det_picture_features_get. */
det_status det_multibox_gather(const det_training_set *set, det_picture_features *features,
                               const det_run *run, det_multibox_training *training,
                               det_error *error);

/** Measures heads and fits one on all pictures, as `train` of the configuration says.
 *  @param folds fold_count of them: that of each picture.
 *  @param run   progress counts heads.
 *  @return as det_fit_multibox. */
det_status det_multibox_learn(const det_config *config, const int *folds, size_t fold_count,
                              const det_run *run, det_multibox_training *training,
                              det_error *error);

/** Takes {0}. */
void det_multibox_training_free(det_multibox_training *training);

#endif
