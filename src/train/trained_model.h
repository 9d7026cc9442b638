/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_TRAINED_MODEL_H
#define DETECT_TRAIN_TRAINED_MODEL_H

#include "detect/train.h"
#include "src/nn/model_file.h"
#include "src/train/linear_head.h"
#include "src/train/multibox_fit.h"

/** What a model file is made of. Everything is borrowed. */
typedef struct det_trained_model {
    const det_config *config;
    const det_model *source; /**< the network that the head was learned on */
    const det_training_set *set;
    const det_feature_store *store;
    const char *layer; /**< that features come from */
    const det_linear_head *head;
    const det_model *extends; /**< whose classes the first ones of the head are; NULL: all are those
                                   of the set */
    const det_multibox_head *multibox; /**< of features of whole pictures; NULL: that of `extends`,
                                            if there is one */
    const det_training *training;      /**< for the provenance, as is ...; NULL: nothing is known
                                            yet of how good it is */
    const char *annotations_digest;
} det_trained_model;

/** Writes the network that the head was learned on, with the head behind it: the windows of the
 * grid as average pooling, the classes as an inner product and softmax or sigmoid, the moves of
 * boxes as another inner product, and so a MultiBox head. @return DET_OK, DET_IO, DET_LIMIT,
 * DET_MEMORY. */
det_status det_trained_model_write(const det_trained_model *model, const char *path,
                                   det_error *error);

#endif
