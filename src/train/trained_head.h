/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_TRAINED_HEAD_H
#define DETECT_TRAIN_TRAINED_HEAD_H

#include "src/nn/model_file.h"
#include "src/train/linear_head.h"

/** The head of a finished model: what det_trained_model_write has written. {0} is empty. */
typedef struct det_trained_head {
    const char *layer; /**< of the model, which it belongs to: whose map is looked at */
    int grid;          /**< windows along a side */
    det_linear_head head;
    const char *classes, *boxes; /**< the layers that give its outputs, and move boxes or NULL;
                                      likewise */
} det_trained_head;

/** Reads the head of a model.
 *  @param trained borrows names of the model; det_trained_head_free it, also after a failure.
 *  @return DET_OK; DET_UNSUPPORTED (a model that `detect train` has not made); DET_MEMORY. */
det_status det_trained_head_read(const det_model *model, det_trained_head *trained,
                                 det_error *error);
/** Takes {0}. */
void det_trained_head_free(det_trained_head *trained);

#endif
