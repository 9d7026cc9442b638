/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DETECTOR_LAYER_INPUTS_H
#define DETECT_DETECTOR_LAYER_INPUTS_H

#include "src/base/random.h"
#include "src/nn/model_file.h"
#include "src/nn/rounding.h"

/* What the layers with weights look at: patches of their inputs, from places drawn at random, of
 * many crops; and their weights rounded by that (src/nn/rounding.h). Layers that look at one input
 * through equal windows share their patches. */

/** An input and a window. */
typedef struct det_layer_input {
    int input;         /**< layer whose result it is */
    det_window window; /**< of an inner product one pixel */
    det_moments moments;
    det_random random; /**< the places */
} det_layer_input;

typedef struct det_layer_inputs {
    det_layer_input *inputs;
    size_t count;
    int *of_layer;  /**< one a layer: index in `inputs`, or -1 */
    size_t patches; /**< of a crop, at most */
} det_layer_inputs;

/** For all layers that can be integers.
 *  @param crops that will be looked at: of an input about 8,000 patches are enough.
 *  @return DET_OK, DET_MEMORY; det_layer_inputs_free it in any case. */
det_status det_layer_inputs_create(const det_model *model, size_t crops, det_layer_inputs *inputs,
                                   det_error *error);
void det_layer_inputs_free(det_layer_inputs *inputs);

/** Adds patches of `count` maps, one after another, to one input; on the calling thread alone.
 *  Calls for different inputs may run at a time. @return DET_OK, DET_MEMORY, DET_INTERNAL. */
det_status det_layer_inputs_add(det_layer_inputs *inputs, size_t index, const float *maps,
                                det_shape shape, size_t count, det_error *error);

/** Rounds the weights of every layer that has scales for them.
 *  @param scales  of the layers' channels (det_channel_values).
 *  @param rounded room for graph->count x DET_WEIGHT_WIDTHS pointers, NULL or to room for the
 *                 weights of a layer; allocates where it is NULL. The caller frees.
 *  @return DET_OK, DET_MEMORY. The same on any number of threads. */
det_status det_layer_inputs_round(const det_layer_inputs *inputs, const det_model *model,
                                  float *const *scales, int threads, int8_t **rounded,
                                  det_error *error);

#endif
