/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_TRAINING_SET_H
#define DETECT_TRAIN_TRAINING_SET_H

#include "src/train/examples.h"

/* The regions of all annotated pictures, with their features and what they teach. */

typedef struct det_training_image {
    det_region_features features;
    det_region_labels labels;
} det_training_image;

/** Owns what it points to but for the annotations. */
typedef struct det_training_set {
    const det_annotations *annotations;
    det_learned_classes classes;
    det_training_image *images; /**< of the annotations, in their order */
    size_t image_count;
    size_t width;                         /**< features of a region */
    size_t region_count;                  /**< proposed, of all pictures */
    char digest[DET_DIGEST_SIZE];         /**< of everything that can be learned from it */
    char picture_digest[DET_DIGEST_SIZE]; /**< of the bytes of all pictures */
} det_training_set;

/** Gathers what annotated pictures teach; the features come from stores of equal width.
 *  @param folds of each picture: the store that its features come from; NULL: the first for all.
 *  @param run progress counts pictures.
 *  @param set det_training_set_free it, also after a failure.
 *  @return DET_OK; DET_ARGUMENT (no object counts); as det_feature_store_get, with the file. */
det_status det_training_set_make(const det_annotations *annotations,
                                 det_feature_store *const *stores, const int *folds,
                                 const det_example_options *options, const det_run *run,
                                 det_training_set *set, det_error *error);
/** Takes {0}. */
void det_training_set_free(det_training_set *set);

/** A region of a set. */
typedef struct det_row {
    uint32_t image, region;
} det_row;

/** The label of a row. */
int det_row_label(const det_training_set *set, det_row row);

/** Writes the features of a row as numbers: width of them. */
void det_row_features(const det_training_set *set, det_row row, float *features);

#endif
