/* SPDX-License-Identifier: Apache-2.0 */
/* Which layers of a network in int8 compute in 8-bit integers, and which results they hand on as
 * u8: a result is u8 where somebody who reads it wants that and its scales are known. */
#include "src/nn/model_file.h"
#include "src/nn/onednn/plan.h"

static bool computes_in_integers(const det_model *model, det_weight_width width,
                                 const det_types *types, int index)
{
    const det_layer_scales *layers = model->quantization.layers;
    return layers && det_layer_is_integer(&layers[index], width) &&
           det_node_can_be_integer(&model->graph, model->shapes, index) &&
           types->scales[model->graph.nodes[index].inputs[0]];
}

/* An average is taken in f32, but of what a concat has joined as bytes. */
static bool wants_bytes(const det_graph *graph, const det_types *types, int index)
{
    const det_node *node = &graph->nodes[index];
    switch (node->op) {
    case DET_OP_CONVOLUTION:
    case DET_OP_INNER_PRODUCT:
        return types->integers[index];
    case DET_OP_MAX_POOL:
    case DET_OP_DROPOUT:
    case DET_OP_CONCAT:
        return types->bytes[index];
    case DET_OP_AVERAGE_POOL:
        return node->inputs[0] >= 0 && graph->nodes[node->inputs[0]].op == DET_OP_CONCAT;
    default:
        return false;
    }
}

static void choose(const det_model *model, det_weight_width width, const bool *needed, int from,
                   det_types *types)
{
    const det_graph *graph = &model->graph;
    for (int i = 0; i < graph->count; i++)
        types->integers[i] = needed[i] && i != from && computes_in_integers(model, width, types, i);
    for (int i = graph->count - 1; i >= 0; i--) {
        const det_node *node = &graph->nodes[i];
        if (!needed[i] || i == from || !wants_bytes(graph, types, i)) continue;
        for (int j = 0; j < node->input_count; j++) {
            const int input = node->inputs[j];
            if (input >= 0 && types->scales[input]) types->bytes[input] = true;
        }
    }
}

det_status det_types_choose(const det_model *model, int weight_bits, const bool *needed, int from,
                            det_types *types, det_error *error)
{
    const size_t count = (size_t)model->graph.count;
    types->integers = det_alloc_zeroed(count, sizeof *types->integers);
    types->bytes = det_alloc_zeroed(count, sizeof *types->bytes);
    types->scales = det_alloc_zeroed(count, sizeof *types->scales);
    types->means = det_alloc_zeroed(count, sizeof *types->means);
    if (!types->integers || !types->bytes || !types->scales || !types->means)
        return det_fail_memory(error, "the scales of a network");
    det_status status = det_channel_values(&model->graph, model->shapes, &model->quantization,
                                           DET_CHANNEL_SCALES, types->scales, error);
    if (status == DET_OK)
        status = det_channel_values(&model->graph, model->shapes, &model->quantization,
                                    DET_CHANNEL_MEANS, types->means, error);
    if (status == DET_OK) choose(model, det_weight_width_of(weight_bits), needed, from, types);
    return status;
}

void det_types_free(const det_model *model, det_types *types)
{
    det_channel_values_free(&model->graph, DET_CHANNEL_SCALES, types->scales);
    det_channel_values_free(&model->graph, DET_CHANNEL_MEANS, types->means);
    det_free(types->scales);
    det_free(types->means);
    det_free(types->bytes);
    det_free(types->integers);
    *types = (det_types){0};
}
