/* SPDX-License-Identifier: Apache-2.0 */
/* What det_model_verify checks beyond opening a model: things that cost time to find out or that do
 * no harm by themselves, but that a sound file does not have. */
#include "src/base/memory.h"
#include "src/nn/model_file.h"

#include <math.h>
#include <string.h>

det_status det_weights_check(const det_weights *weights, det_error *error)
{
    for (size_t i = 0; i < weights->count; i++)
        if (!isfinite(weights->values[i])) {
            det_fail(error, DET_FORMAT, "value %zu of %zu is %s", i, weights->count,
                     isnan(weights->values[i]) ? "not a number" : "infinite");
            det_error_where(error, "tensor '%s'", weights->tensor);
            return DET_FORMAT;
        }
    return DET_OK;
}

static void mark_used(const det_safetensors *file, const det_weights *weights, bool *used)
{
    if (weights->tensor) used[det_safetensors_find(file, weights->tensor) - file->tensors] = true;
}

/* Larger magnitudes would overflow where the processor sums two products in 16 bits. */
static det_status check_rounded(const det_node *node, const int8_t *rounded, int limit,
                                det_error *error)
{
    for (size_t i = 0; rounded && i < node->weights.count; i++)
        if (rounded[i] > limit || rounded[i] < -limit) {
            det_fail(error, DET_FORMAT, "rounded weight %zu is %d, beyond %d", i, rounded[i],
                     limit);
            det_error_where(error, "layer '%s'", node->name);
            return DET_FORMAT;
        }
    return DET_OK;
}

static det_status check_all_rounded(const det_model *model, det_error *error)
{
    const det_layer_scales *layers = model->quantization.layers;
    det_status status = DET_OK;
    for (int i = 0; layers && i < model->graph.count; i++)
        for (int w = 0; status == DET_OK && w < DET_WEIGHT_WIDTHS; w++)
            status = check_rounded(&model->graph.nodes[i], layers[i].rounded[w],
                                   det_weight_limit((det_weight_width)w), error);
    return status;
}

static void mark_rounded(const det_safetensors *file, const det_layer_scales *layer, bool *used)
{
    for (size_t i = 0; i < file->count; i++)
        for (int w = 0; w < DET_WEIGHT_WIDTHS; w++)
            if (layer->rounded[w] && file->tensors[i].data == (const uint8_t *)layer->rounded[w])
                used[i] = true;
}

static det_status check_used(const det_model *model, const det_safetensors *file, det_error *error)
{
    bool *used = det_alloc_zeroed(file->count, sizeof *used);
    if (!used) return det_fail_memory(error, "the list of tensors");
    for (int i = 0; i < model->graph.count; i++) {
        mark_used(file, &model->graph.nodes[i].weights, used);
        mark_used(file, &model->graph.nodes[i].bias, used);
        if (model->quantization.layers) mark_rounded(file, &model->quantization.layers[i], used);
    }
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < file->count; i++)
        if (!used[i]) {
            status =
                det_fail(error, DET_FORMAT, "no layer uses its %zu values", file->tensors[i].count);
            det_error_where(error, "tensor '%s'", file->tensors[i].name);
        }
    det_free(used);
    return status;
}

static det_status check_names(const det_model *model, det_error *error)
{
    for (size_t i = 0; i < model->class_count; i++)
        if (!*model->classes[i].name) {
            det_fail(error, DET_FORMAT, "the class has no name");
            det_error_where(error, "model.classes[%zu].name", i);
            return DET_FORMAT;
        }
    return DET_OK;
}

static det_status check_outputs(const det_model *model, det_error *error)
{
    if (model->probabilities != DET_NO_NODE) return DET_OK;
    det_fail(error, DET_FORMAT, "no layer gives probabilities");
    det_error_where(error, "model.outputs.probabilities");
    return DET_FORMAT;
}

det_status det_model_verify_contents(const det_model *model, const det_safetensors *file,
                                     det_error *error)
{
    det_status status = DET_OK;
    for (int i = 0; status == DET_OK && i < model->graph.count; i++) {
        status = det_weights_check(&model->graph.nodes[i].weights, error);
        if (status == DET_OK) status = det_weights_check(&model->graph.nodes[i].bias, error);
    }
    if (status == DET_OK) status = check_all_rounded(model, error);
    if (status == DET_OK) status = check_used(model, file, error);
    if (status == DET_OK) status = check_names(model, error);
    return status < 0 ? status : check_outputs(model, error);
}
