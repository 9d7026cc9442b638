/* SPDX-License-Identifier: Apache-2.0 */
/* Scales of networks in 8-bit integers: in model files, spread over the layers, applied to weights.
 */
#include "src/nn/quantization.h"

#include "src/base/memory.h"
#include "src/base/text.h"
#include "src/nn/json_fields.h"

#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

void det_quantization_free(det_quantization *quantization)
{
    for (int i = 0; quantization->layers && i < quantization->layer_count; i++) {
        det_free(quantization->layers[i].activation);
        det_free(quantization->layers[i].mean);
        det_free(quantization->layers[i].weights);
    }
    det_free(quantization->layers);
    det_free(quantization->agreements);
    *quantization = (det_quantization){0};
}

bool det_node_is_weighted(const det_node *node)
{
    return node->op == DET_OP_CONVOLUTION || node->op == DET_OP_INNER_PRODUCT;
}

bool det_layer_is_integer(const det_layer_scales *layer, det_weight_width width)
{
    return layer->weights && !(width == DET_WEIGHTS_7 && layer->only_in_8_bits);
}

bool det_node_has_mean(const det_node *node)
{
    return det_node_has_activation(node) || node->op == DET_OP_MAX_POOL;
}

bool det_node_can_be_integer(const det_graph *graph, const det_shape *shapes, int index)
{
    const det_node *node = &graph->nodes[index];
    const int input = node->inputs[0];
    if (!det_node_is_weighted(node) || input < 0) return false;
    if (node->op == DET_OP_CONVOLUTION) return node->groups == 1;
    return shapes[input].height == 1 && shapes[input].width == 1;
}

/* ---- Reading -------------------------------------------------------------------------------- */

static det_status fail_unknown(det_error *error, const char *name)
{
    return det_fail(error, DET_FORMAT, "there is no layer '%s' that could have it", name);
}

/* The layer of that very name; an alias will not do. */
static int find_layer(const det_graph *graph, const char *name)
{
    const int index = det_graph_find(graph, name);
    return index >= 0 && strcmp(graph->nodes[index].name, name) == 0 ? index : DET_NO_NODE;
}

bool det_node_has_activation(const det_node *node)
{
    return (node->op == DET_OP_RELU && node->negative_slope == 0) || node->op == DET_OP_LRN ||
           node->op == DET_OP_AVERAGE_POOL;
}

/* One of the three objects that hold a row of numbers for some layers. */
typedef struct {
    const char *key;
    bool (*may_have)(const det_node *node);
    size_t member; /* of det_layer_scales */
    bool positive; /* else not negative */
} row_kind;

static const row_kind row_kinds[] = {
    {"activations", det_node_has_activation, offsetof(det_layer_scales, activation), true},
    {"means", det_node_has_mean, offsetof(det_layer_scales, mean), false},
    {"weights", det_node_is_weighted, offsetof(det_layer_scales, weights), true},
};

enum { row_kind_count = sizeof row_kinds / sizeof *row_kinds };

static float **row_of(const row_kind *kind, det_layer_scales *layer)
{
    return (float **)(void *)((char *)layer + kind->member);
}

static det_status check_row(const float *values, size_t count, bool positive, det_error *error)
{
    for (size_t i = 0; i < count; i++)
        if (!(positive ? values[i] > 0 : values[i] >= 0))
            return det_fail(error, DET_FORMAT, "value %zu is %g, but must %s", i, (double)values[i],
                            positive ? "be positive" : "not be negative");
    return DET_OK;
}

static det_status read_row(json_object *object, const char *name, int channels,
                           const row_kind *kind, float **row, det_error *error)
{
    const size_t count = (size_t)channels;
    *row = det_alloc_array(count, sizeof **row);
    if (!*row) return det_fail_memory(error, "the scales of a layer");
    const det_status status = det_json_get_numbers(object, name, *row, count, error);
    return status < 0
               ? status
               : det_error_inside(error, name, ".", check_row(*row, count, kind->positive, error));
}

static det_status read_rows(json_object *parent, const det_graph *graph, const det_shape *shapes,
                            const row_kind *kind, det_quantization *quantization, det_error *error)
{
    json_object *object;
    det_status status = det_json_get(parent, kind->key, json_type_object, &object, error);
    if (status < 0) return status;
    json_object_object_foreach(object, name, value)
    {
        (void)value;
        const int layer = find_layer(graph, name);
        status = layer >= 0 && kind->may_have(&graph->nodes[layer])
                     ? read_row(object, name, shapes[layer].channels, kind,
                                row_of(kind, &quantization->layers[layer]), error)
                     : fail_unknown(error, name);
        if (status < 0) return det_error_inside(error, kind->key, ".", status);
    }
    return DET_OK;
}

/* Every layer that has weights has scales or is in the list, and none is both. */
static det_status check_kept(json_object *array, const det_graph *graph,
                             const det_quantization *quantization, det_error *error)
{
    const size_t count = json_object_array_length(array);
    size_t expected = 0;
    for (int i = 0; i < graph->count; i++)
        if (det_node_is_weighted(&graph->nodes[i]) && !quantization->layers[i].weights) expected++;
    for (size_t i = 0; i < count; i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(array, i));
        const int layer = name ? find_layer(graph, name) : DET_NO_NODE;
        if (layer < 0 || !det_node_is_weighted(&graph->nodes[layer]))
            return fail_unknown(error, name ? name : "null");
        if (quantization->layers[layer].weights)
            return det_fail(error, DET_FORMAT, "layer '%s' has weight scales all the same", name);
    }
    if (count == expected) return DET_OK;
    return det_fail(error, DET_FORMAT, "%zu layers, but %zu have weights without scales", count,
                    expected);
}

/* "kept_higher_in_7_bits" may be missing; its layers have scales. */
static det_status read_only_8(json_object *object, const det_graph *graph,
                              det_quantization *quantization, det_error *error)
{
    static const char key[] = "kept_higher_in_7_bits";
    json_object *array;
    const det_status status = det_json_get_optional(object, key, json_type_array, &array, error);
    if (status < 0 || !array) return status;
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(array, i));
        const int layer = name ? find_layer(graph, name) : DET_NO_NODE;
        if (layer < 0 || !quantization->layers[layer].weights)
            return det_error_inside(error, key, ".", fail_unknown(error, name ? name : "null"));
        quantization->layers[layer].only_in_8_bits = true;
    }
    return DET_OK;
}

static det_status read_share(json_object *object, const char *key, double *share, det_error *error)
{
    float value = 0;
    const det_status status = det_json_get_number(object, key, &value, error);
    if (status < 0) return status;
    *share = (double)value;
    if (value >= 0 && value <= 1) return DET_OK;
    return det_error_inside(error, key, ".",
                            det_fail(error, DET_FORMAT, "%g is not in [0, 1]", (double)value));
}

static det_status read_agreement(json_object *object, det_agreement *agreement, det_error *error)
{
    const char *name = NULL;
    int regions = 0;
    if (!json_object_is_type(object, json_type_object))
        return det_fail(error, DET_FORMAT, "must be an object");
    det_status status = det_json_get_text(object, "precision", &name, error);
    if (status == DET_OK && !det_precision_parse(name, &agreement->precision))
        status = det_error_inside(error, "precision", ".",
                                  det_fail(error, DET_UNSUPPORTED, "'%s' is not known", name));
    if (status == DET_OK && agreement->precision == DET_INT8)
        status = det_json_get_int(object, "weight_bits", 7, 8, &agreement->weight_bits, error);
    if (status == DET_OK) status = det_json_get_int(object, "regions", 1, INT_MAX, &regions, error);
    agreement->regions = (size_t)regions;
    if (status == DET_OK) status = read_share(object, "same_class", &agreement->same_class, error);
    if (status == DET_OK) status = read_share(object, "change", &agreement->change, error);
    if (status == DET_OK)
        status = det_json_get_bool(object, "verified", &agreement->verified, error);
    return status;
}

static det_status read_agreements(json_object *array, det_quantization *quantization,
                                  det_error *error)
{
    const size_t count = json_object_array_length(array);
    quantization->agreements = det_alloc_zeroed(count, sizeof *quantization->agreements);
    if (!quantization->agreements) return det_fail_memory(error, "the agreement of precisions");
    for (size_t i = 0; i < count; i++) {
        const det_status status = read_agreement(json_object_array_get_idx(array, i),
                                                 &quantization->agreements[i], error);
        if (status < 0) {
            char place[40];
            snprintf(place, sizeof place, "[%zu]", i);
            return det_error_inside(error, place, ".", status);
        }
        quantization->agreement_count = i + 1;
    }
    return DET_OK;
}

det_status det_quantization_read(json_object *object, const det_graph *graph,
                                 const det_shape *shapes, det_quantization *quantization,
                                 det_error *error)
{
    json_object *kept, *agreement;
    det_status status = det_json_get(object, "kept_higher", json_type_array, &kept, error);
    if (status == DET_OK)
        status = det_json_get(object, "agreement", json_type_array, &agreement, error);
    if (status < 0) return status;

    quantization->layers = det_alloc_zeroed((size_t)graph->count, sizeof *quantization->layers);
    if (!quantization->layers) return det_fail_memory(error, "the scales of a network");
    quantization->layer_count = graph->count;
    for (int i = 0; status == DET_OK && i < row_kind_count; i++)
        status = read_rows(object, graph, shapes, &row_kinds[i], quantization, error);
    if (status == DET_OK)
        status = det_error_inside(error, "kept_higher", ".",
                                  check_kept(kept, graph, quantization, error));
    if (status == DET_OK) status = read_only_8(object, graph, quantization, error);
    if (status == DET_OK)
        status = det_error_inside(error, "agreement", "",
                                  read_agreements(agreement, quantization, error));
    return status;
}

/* ---- Writing -------------------------------------------------------------------------------- */

static void write_agreement(det_json *json, const det_agreement *agreement)
{
    det_json_begin_object(json, NULL);
    det_json_string(json, "precision", det_precision_name(agreement->precision));
    if (agreement->precision == DET_INT8)
        det_json_integer(json, "weight_bits", agreement->weight_bits);
    det_json_integer(json, "regions", (int64_t)agreement->regions);
    det_json_number(json, "same_class", agreement->same_class);
    det_json_number(json, "change", agreement->change);
    det_json_bool(json, "verified", agreement->verified);
    det_json_end(json);
}

static void write_row(det_json *json, const char *name, const float *values, int count)
{
    det_json_begin_array(json, name);
    for (int i = 0; i < count; i++) det_json_number(json, NULL, (double)values[i]);
    det_json_end(json);
}

void det_quantization_write(det_json *json, const det_graph *graph, const det_shape *shapes,
                            const det_quantization *quantization)
{
    det_layer_scales *layers = quantization->layers;
    for (int k = 0; k < row_kind_count; k++) {
        det_json_begin_object(json, row_kinds[k].key);
        for (int i = 0; i < graph->count; i++) {
            const float *row = *row_of(&row_kinds[k], &layers[i]);
            if (row) write_row(json, graph->nodes[i].name, row, shapes[i].channels);
        }
        det_json_end(json);
    }
    det_json_begin_array(json, "kept_higher");
    for (int i = 0; i < graph->count; i++)
        if (det_node_is_weighted(&graph->nodes[i]) && !layers[i].weights)
            det_json_string(json, NULL, graph->nodes[i].name);
    det_json_end(json);
    det_json_begin_array(json, "kept_higher_in_7_bits");
    for (int i = 0; i < graph->count; i++)
        if (layers[i].only_in_8_bits) det_json_string(json, NULL, graph->nodes[i].name);
    det_json_end(json);
    det_json_begin_array(json, "agreement");
    for (size_t i = 0; i < quantization->agreement_count; i++)
        write_agreement(json, &quantization->agreements[i]);
    det_json_end(json);
}

/* ---- Values of channels --------------------------------------------------------------------- */

/* Its output's values are its input's, the same array. */
static bool passes(const det_node *node, det_channel_kind kind)
{
    return node->op == DET_OP_DROPOUT ||
           (kind == DET_CHANNEL_SCALES && node->op == DET_OP_MAX_POOL);
}

static bool copy(float **row, const float *values, int channels)
{
    *row = det_alloc_array((size_t)channels, sizeof **row);
    if (*row) memcpy(*row, values, (size_t)channels * sizeof **row);
    return *row;
}

static bool join(const det_node *node, const det_shape *shapes, float *const *rows, int channels,
                 float **joined)
{
    for (int i = 0; i < node->input_count; i++)
        if (node->inputs[i] < 0 || !rows[node->inputs[i]]) return true;
    *joined = det_alloc_array((size_t)channels, sizeof **joined);
    for (int i = 0, at = 0; *joined && i < node->input_count; i++) {
        const int count = shapes[node->inputs[i]].channels;
        memcpy(*joined + at, rows[node->inputs[i]], (size_t)count * sizeof **joined);
        at += count;
    }
    return *joined;
}

det_status det_channel_values(const det_graph *graph, const det_shape *shapes,
                              const det_quantization *quantization, det_channel_kind kind,
                              float **values, det_error *error)
{
    memset(values, 0, (size_t)graph->count * sizeof *values);
    bool done = true;
    for (int i = 0; done && i < graph->count; i++) {
        const det_node *node = &graph->nodes[i];
        const det_layer_scales *layer = quantization->layers ? &quantization->layers[i] : NULL;
        const float *own = !layer                       ? NULL
                           : kind == DET_CHANNEL_SCALES ? layer->activation
                                                        : layer->mean;
        if (passes(node, kind))
            values[i] = node->inputs[0] >= 0 ? values[node->inputs[0]] : NULL;
        else if (node->op == DET_OP_CONCAT)
            done = join(node, shapes, values, shapes[i].channels, &values[i]);
        else if (own)
            done = copy(&values[i], own, shapes[i].channels);
    }
    return done ? DET_OK : det_fail_memory(error, "the scales of a network");
}

void det_channel_values_free(const det_graph *graph, det_channel_kind kind, float **values)
{
    for (int i = 0; values && i < graph->count; i++)
        if (!passes(&graph->nodes[i], kind)) det_free(values[i]);
}

/* ---- Weights -------------------------------------------------------------------------------- */

/* The weights of output channel o are `inputs` runs of `area` values; the first input channel that
 * they look at is first(o). */
typedef struct {
    int inputs, area, outputs_in_group;
} weight_shape;

static weight_shape shape_of(const det_node *node, int input_channels)
{
    const int groups = node->op == DET_OP_CONVOLUTION ? node->groups : 1;
    const int inputs = input_channels / groups;
    const size_t row = node->weights.count / (size_t)node->channels;
    return (weight_shape){inputs, (int)(row / (size_t)inputs), node->channels / groups};
}

static const float *input_of(const weight_shape *s, const float *input, int o)
{
    const int group = o / s->outputs_in_group;
    return input + (size_t)group * (size_t)s->inputs;
}

void det_weight_scales(const det_node *node, int input_channels, const float *input, float *scales)
{
    const weight_shape s = shape_of(node, input_channels);
    const float *weight = node->weights.values;
    for (int o = 0; o < node->channels; o++) {
        const float *a = input_of(&s, input, o);
        float largest = 0;
        for (int c = 0; c < s.inputs; c++)
            for (int i = 0; i < s.area; i++) largest = fmaxf(largest, fabsf(*weight++ * a[c]));
        scales[o] = largest > 0 ? largest / 127 : 1;
    }
}

det_weight_width det_weight_width_of(int weight_bits)
{
    return weight_bits == 8 ? DET_WEIGHTS_8 : DET_WEIGHTS_7;
}

int det_weight_limit(det_weight_width width)
{
    return width == DET_WEIGHTS_8 ? 127 : 63;
}

char *det_rounded_name(const det_node *node, det_weight_width width)
{
    return det_text_join(node->name, width == DET_WEIGHTS_8 ? ".int8" : ".int7");
}

static float step_of(const det_integer_layer *layer, int o)
{
    return layer->weights[o] * (127 / (float)layer->limit);
}

void det_weights_in_steps(const det_integer_layer *layer, int o, float *values)
{
    const weight_shape s = shape_of(layer->node, layer->input_channels);
    const float *weight =
        layer->node->weights.values + (size_t)o * (size_t)s.inputs * (size_t)s.area;
    const float *a = input_of(&s, layer->input, o);
    const float step = step_of(layer, o);
    for (int c = 0; c < s.inputs; c++)
        for (int i = 0; i < s.area; i++) *values++ = *weight++ * a[c] / step;
}

void det_quantize_weights(const det_integer_layer *layer, int8_t *quantized)
{
    const det_node *node = layer->node;
    const weight_shape s = shape_of(node, layer->input_channels);
    const float *weight = node->weights.values;
    const float bound = (float)layer->limit;
    for (int o = 0; o < node->channels; o++) {
        const float *a = input_of(&s, layer->input, o);
        const float step = step_of(layer, o);
        for (int c = 0; c < s.inputs; c++)
            for (int i = 0; i < s.area; i++) {
                const float q = *weight++ * a[c] / step;
                *quantized++ = (int8_t)lrintf(fminf(fmaxf(q, -bound), bound));
            }
    }
}

void det_correct_bias(const det_integer_layer *layer, const int8_t *quantized, float *bias)
{
    const det_node *node = layer->node;
    const weight_shape s = shape_of(node, layer->input_channels);
    const float *weight = node->weights.values;
    for (int o = 0; layer->means && o < node->channels; o++) {
        const float *a = input_of(&s, layer->input, o), *m = input_of(&s, layer->means, o);
        const float step = step_of(layer, o);
        double sum = 0;
        for (int c = 0; c < s.inputs; c++)
            for (int i = 0; i < s.area; i++)
                sum += (double)((*weight++ - step * (float)*quantized++ / a[c]) * m[c]);
        bias[o] += (float)sum;
    }
}
