/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_NETWORK_MODEL_H
#define DETECT_TRAIN_NETWORK_MODEL_H

#include "src/nn/model_edit.h"
#include "src/nn/trainer.h"

/* What becomes of a network that has learned: a model file. */

/** What it learned from, and how. Everything is borrowed. */
typedef struct det_network_provenance {
    const char *procedure;       /**< "training from scratch" */
    const det_model *source;     /**< what it began with */
    size_t images;               /**< that it learned from */
    const char *pictures_digest; /**< of their bytes */
    const char *labels_digest;   /**< of what is said of them */
    uint64_t seed, steps;
    const char *settings; /**< what else it was told, a JSON object */
    const char *figure;   /**< what was measured on pictures that it did not learn from, such as
                               "top1"; NULL: nothing */
    double value;         /**< of the figure */
    size_t unseen_images; /**< that it was measured on */
} det_network_provenance;

/** Says it as a JSON object (for det_model_recipe).
 *  @param text receives it; det_free it.
 *  @return DET_OK, DET_MEMORY. */
det_status det_network_provenance_write(const det_network_provenance *provenance, char **text,
                                        det_error *error);

/** Writes a network with the values of a trainer as a model file (atomically): batch norms are
 * folded into the layers before them, and what the recipe's outputs do not need, such as
 * classifiers that only serve training, is left out.
 *
 *  @param source of which the trainer was made, or a part of it: layers that the trainer does not
 * have stay as they are.
 *  @return as det_model_fold and det_model_derive; also DET_ARGUMENT: the trainer has a layer or
 *          values that the source does not have, error->where is the layer. */
det_status det_network_model_write(const det_model *source, const det_trainer *trainer,
                                   const det_model_recipe *recipe, const char *path,
                                   det_error *error);

#endif
