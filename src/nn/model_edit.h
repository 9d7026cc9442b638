/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_MODEL_EDIT_H
#define DETECT_NN_MODEL_EDIT_H

#include "src/nn/model_file.h"

/* A model made from another: the layers of one that are still needed, and new ones behind them, as
 * training makes a detector of a network that was trained for something else. */

enum { DET_NEW_INPUTS = 4 };

/** A layer to add. Everything is borrowed. */
typedef struct det_new_layer {
    const char *name;                   /**< not that of another layer of the new model */
    const char *inputs[DET_NEW_INPUTS]; /**< layers; NULL ends them before the last. Earlier new
                                             ones come before those of the source of equal name;
                                             the source's name of the picture is one as well */
    det_node node; /**< op, attributes, and values and counts of weights and bias; the rest is not
                        read. Tensors are named after the layer: "NAME.weight", "NAME.bias" */
} det_new_layer;

/** What the new model is. Everything is borrowed. */
typedef struct det_model_recipe {
    const det_new_layer *layers; /**< layer_count, inputs before their use */
    size_t layer_count;
    /** Layers, new or of the source, or NULL where the new model has no such output. The layers of
     * the source that none of them and no new layer needs are left out. */
    const char *probabilities, *box_deltas, *features;
    const char *regions;   /**< that regions are pooled from; NULL: as in the source, where all new
                                outputs go through that layer, else none is named */
    const char *multibox;  /**< that says where objects are in a whole picture, or NULL */
    const det_box *priors; /**< prior_count, which it moves */
    size_t prior_count;
    const det_class *classes; /**< class_count, without the background */
    size_t class_count;
    int background_index;   /**< its probability, -1: none */
    int context_px;         /**< of the crops; -1: as in the source */
    const char *provenance; /**< JSON text, NULL: {} */
    const char *settings;   /**< JSON text, NULL: {}; those of the source are left out */
} det_model_recipe;

/** Makes a model from another and writes it as a file (atomically). How pictures are fed is as in
 *  the source but for context_px. What calibration found is left out: it holds for the old model.
 *  So are keys that this version does not know.
 *
 *  @return DET_OK; DET_ARGUMENT (a name that is missing or there twice, attributes out of range,
 *          weights that do not fit or are not finite, as many classes as no probabilities,
 *          priors that do not fit the layer or are no boxes in the picture, provenance that is no
 *          JSON object: error->where is the layer, the tensor or the key); DET_LIMIT (the largest
 *          shapes), DET_IO, DET_MEMORY. Thread-safe. */
det_status det_model_derive(const det_model *source, const det_model_recipe *recipe,
                            const char *path, det_error *error);

/** New values for weights or biases of a layer that has some. Borrowed. */
typedef struct det_new_values {
    const char *layer;
    bool bias;
    const float *values; /**< as many as there are, in the same order */
} det_new_values;

/** Writes a model that differs from another in the values of some weights alone (atomically). What
 *  calibration found is left out: it holds for the old values.
 *
 *  @return DET_OK; DET_ARGUMENT (a layer that is not there or has no such weights: error->where);
 *          DET_IO, DET_MEMORY. Thread-safe. */
det_status det_model_replace_values(const det_model *source, const det_new_values *values,
                                    size_t count, const char *path, det_error *error);

#endif
