/* SPDX-License-Identifier: Apache-2.0 */
/* Compiles a graph: finds the layers between what is fed and what is wanted, fuses ReLUs into the
 * layers before them, lets the branches of a concat write where the concat's result lies, turns
 * each layer into oneDNN steps, and plans the memory. */
#include "src/base/parallel.h"
#include "src/nn/model_file.h"
#include "src/nn/onednn/plan.h"
#include "src/nn/onednn/processor.h"

#include "detect/version.h"

#include <string.h>

#define TEXT(x) #x
#define JOIN(a, b, c) TEXT(a) "." TEXT(b) "." TEXT(c)

const char *det_version_onednn(void)
{
    return "oneDNN " JOIN(DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR, DNNL_VERSION_PATCH);
}

/* What is known of a layer while the graph is compiled. */
typedef struct {
    int uses;        /* by needed layers and as an output of the network */
    int tensor;      /* with its result, or -1 */
    int destination; /* tensor to write into: a part of a concat's; or -1 */
    int producer;    /* the layer whose step writes the result: itself, or the one it is fused to */
    const det_node *relu; /* fused behind it, or NULL */
    int value;            /* the layer whose result its step gives: itself, or that ReLU */
} layer_state;

typedef struct {
    det_network *network;
    const det_graph *graph;
    const det_network_options *options;
    int from;
    int *to;
    size_t to_count;
    det_shape *shapes;
    bool *needed;
    layer_state *layers;
    det_types types;
    int input_tensor;
} compilation;

/* ---- What to compute ---------------------------------------------------------------------------
 */

static det_status find_outputs(compilation *c, det_error *error)
{
    const det_network_options *options = c->options;
    const det_model *model = c->network->model;
    c->to_count = options->to ? options->to_count : 1;
    if (c->to_count == 0) return det_fail(error, DET_ARGUMENT, "no output layer is named");
    c->to = det_alloc_array(c->to_count, sizeof *c->to);
    if (!c->to) return det_fail_memory(error, "the outputs of a network");

    if (!options->to) {
        c->to[0] = model->probabilities;
        return model->probabilities >= 0
                   ? DET_OK
                   : det_fail(error, DET_ARGUMENT, "the model has no class probabilities");
    }
    for (size_t i = 0; i < c->to_count; i++) {
        const det_status status = det_graph_require(c->graph, options->to[i], &c->to[i], error);
        if (status < 0) return status;
        if (c->to[i] == c->from)
            return det_fail_at(error, DET_ARGUMENT, NULL, options->to[i],
                               "the layer that is fed cannot be an output too");
    }
    return DET_OK;
}

static det_status find_input(compilation *c, det_error *error)
{
    const det_network_options *options = c->options;
    const det_model *model = c->network->model;
    det_network *network = c->network;
    if (!options->from) {
        c->from = DET_PICTURE;
        network->input_shape =
            (det_shape){3, options->height > 0 ? options->height : model->input.height,
                        options->width > 0 ? options->width : model->input.width};
        return DET_OK;
    }

    const det_status status = det_graph_require(c->graph, options->from, &c->from, error);
    if (status < 0) return status;
    network->takes_tensor = true;
    network->input_shape = model->shapes[c->from];
    if (options->from_shape[0] > 0)
        network->input_shape =
            (det_shape){options->from_shape[0], options->from_shape[1], options->from_shape[2]};
    return DET_OK;
}

static det_status mark_needed(compilation *c, det_error *error)
{
    for (size_t i = 0; i < c->to_count; i++) {
        c->needed[c->to[i]] = true;
        c->layers[c->to[i]].uses++;
    }
    for (int i = c->graph->count - 1; i >= 0; i--) {
        const det_node *node = &c->graph->nodes[i];
        if (!c->needed[i] || i == c->from) continue;
        for (int j = 0; j < node->input_count; j++) {
            const int input = node->inputs[j];
            if (input >= 0) {
                c->needed[input] = true;
                c->layers[input].uses++;
            } else if (c->from != DET_PICTURE) {
                return det_fail_at(error, DET_ARGUMENT, NULL, node->name,
                                   "needs the picture, which lies before '%s'", c->options->from);
            }
        }
    }
    return DET_OK;
}

/* ---- What runs together ------------------------------------------------------------------------
 */

/* A ReLU behind a layer that nobody else looks at runs within it; a dropout does nothing. */
static void fuse(compilation *c)
{
    for (int i = 0; i < c->graph->count; i++) {
        const det_node *node = &c->graph->nodes[i];
        layer_state *layer = &c->layers[i];
        layer->producer = layer->value = i;
        if (!c->needed[i] || i == c->from || node->inputs[0] < 0) continue;
        const int input = node->inputs[0];
        const int before = c->layers[input].producer;
        if (node->op == DET_OP_DROPOUT) layer->producer = before;
        if (node->op != DET_OP_RELU || c->layers[input].uses != 1 || input == c->from) continue;

        const det_op op = c->graph->nodes[before].op;
        const bool fusible = op == DET_OP_CONVOLUTION || op == DET_OP_INNER_PRODUCT;
        if (!fusible || before == c->from || c->layers[before].relu) continue;
        if (before != input && c->layers[before].uses != 1) continue;
        c->layers[before].relu = node;
        c->layers[before].value = i;
        layer->producer = before;
    }
}

static bool is_integer(const compilation *c, int node)
{
    return c->types.integers && c->types.integers[node];
}

/* Scales of the channels where the result of a layer is to be u8, else NULL. */
static const float *byte_scales(const compilation *c, int node)
{
    return c->types.bytes && c->types.bytes[node] ? c->types.scales[node] : NULL;
}

/* Whether the step of a layer can write blocks of channels anywhere, in bytes or not. */
static bool writes_anywhere(const compilation *c, int producer, bool bytes)
{
    const det_plan *plan = &c->network->plan;
    const det_node *node = &c->graph->nodes[producer];
    const int input = node->inputs[0];
    if (bytes && !plan->byte_tiles) return false;
    switch (node->op) {
    case DET_OP_CONVOLUTION: {
        const int channels =
            input < 0 ? c->network->input_shape.channels : c->shapes[input].channels;
        const bool integers = is_integer(c, producer);
        return det_runs_in_tiles(plan, node, channels, integers) || !(integers || bytes);
    }
    case DET_OP_MAX_POOL:
        return true;
    case DET_OP_AVERAGE_POOL:
        return !bytes;
    default:
        return false;
    }
}

static bool is_placeable(const compilation *c, int node, int input)
{
    const int block = c->network->plan.block;
    if (input < 0) return false;
    const int producer = c->layers[input].producer;
    const bool bytes = byte_scales(c, c->layers[producer].value) != NULL;
    if (bytes != (byte_scales(c, node) != NULL) || !writes_anywhere(c, producer, bytes) ||
        producer == c->from || c->layers[producer].destination >= 0)
        return false;
    if (c->shapes[producer].channels % block != 0) return false;

    const det_node *concat = &c->graph->nodes[node];
    int times = 0;
    for (int i = 0; i < concat->input_count; i++)
        if (concat->inputs[i] >= 0 && c->layers[concat->inputs[i]].producer == producer) times++;
    return times == 1;
}

static bool all_placeable(const compilation *c, int node)
{
    const det_node *concat = &c->graph->nodes[node];
    if (c->network->plan.block == 0) return false;
    for (int i = 0; i < concat->input_count; i++)
        if (!is_placeable(c, node, concat->inputs[i])) return false;
    return true;
}

static det_status place_branches(compilation *c, int node, det_error *error)
{
    det_plan *plan = &c->network->plan;
    const det_node *concat = &c->graph->nodes[node];
    const dnnl_data_type_t type = byte_scales(c, node) ? dnnl_u8 : plan->type;
    const int whole = det_plan_add_tensor(
        plan, det_plan_blocked_layout(plan, c->shapes[node], type), c->shapes[node], error);
    if (whole < 0) return (det_status)whole;
    plan->tensors[whole].scales = byte_scales(c, node);
    size_t offset = 0;
    for (int i = 0; i < concat->input_count; i++) {
        const int producer = c->layers[concat->inputs[i]].producer;
        const det_shape shape = c->shapes[producer];
        const int part =
            det_plan_add_tensor(plan, det_plan_blocked_layout(plan, shape, type), shape, error);
        if (part < 0) return (det_status)part;
        plan->tensors[part].parent = whole;
        plan->tensors[part].parent_offset = offset;
        offset += plan->tensors[part].size;
        c->layers[producer].destination = part;
    }
    c->layers[node].tensor = whole;
    return DET_OK;
}

static det_status place_concats(compilation *c, det_error *error)
{
    for (int i = 0; i < c->graph->count; i++) {
        if (!c->needed[i] || i == c->from) continue;
        if (c->graph->nodes[i].op != DET_OP_CONCAT || !all_placeable(c, i)) continue;
        const det_status status = place_branches(c, i, error);
        if (status < 0) return status;
    }
    return DET_OK;
}

/* ---- Steps -------------------------------------------------------------------------------------
 */

static int tensor_of(const compilation *c, int node)
{
    return node < 0 ? c->input_tensor : c->layers[node].tensor;
}

static int add_general_concat(compilation *c, const det_layer *layer, det_error *error)
{
    const det_node *node = layer->node;
    int *inputs = det_alloc_array((size_t)node->input_count, sizeof *inputs);
    if (!inputs) return det_fail_memory(error, "a concat");
    for (int i = 0; i < node->input_count; i++) inputs[i] = tensor_of(c, node->inputs[i]);
    const int output = det_add_concat(&c->network->plan, layer, inputs, error);
    det_free(inputs);
    return output;
}

static const int8_t *rounded_weights(const compilation *c, int node)
{
    const det_network *network = c->network;
    return network->model->quantization.layers[node]
        .rounded[det_weight_width_of(network->plan.weight_bits)];
}

static int add_layer(compilation *c, int index, det_error *error)
{
    const det_node *node = &c->graph->nodes[index];
    det_plan *plan = &c->network->plan;
    const int first = node->inputs[0], input = tensor_of(c, first);
    const det_layer layer = {
        .node = node,
        .relu = c->layers[index].relu,
        .in = first < 0 ? c->network->input_shape : c->shapes[first],
        .out = c->shapes[index],
        .destination = c->layers[index].destination,
        .in_scales = c->types.scales && first >= 0 ? c->types.scales[first] : NULL,
        .in_means = c->types.means && first >= 0 ? c->types.means[first] : NULL,
        .out_scales = byte_scales(c, c->layers[index].value),
        .weight_scales =
            is_integer(c, index) ? c->network->model->quantization.layers[index].weights : NULL,
        .rounded = is_integer(c, index) ? rounded_weights(c, index) : NULL,
    };
    if (layer.weight_scales) return det_add_integer_layer(plan, &layer, input, error);
    switch (node->op) {
    case DET_OP_CONVOLUTION:
        return det_add_convolution(plan, &layer, input, error);
    case DET_OP_INNER_PRODUCT:
        return det_add_inner_product(plan, &layer, input, error);
    case DET_OP_MAX_POOL:
    case DET_OP_AVERAGE_POOL:
        return det_add_pool(plan, &layer, input, error);
    case DET_OP_LRN:
        return det_add_lrn(plan, &layer, input, error);
    case DET_OP_RELU:
        return det_add_relu(plan, &layer, input, error);
    case DET_OP_SOFTMAX:
        return det_add_softmax(plan, &layer, input, error);
    case DET_OP_SIGMOID:
        return det_add_sigmoid(plan, &layer, input, error);
    case DET_OP_CONCAT:
        return add_general_concat(c, &layer, error);
    case DET_OP_DROPOUT:
        return input;
    case DET_OP_BATCH_NORM: /* folded before a network is compiled */
    case DET_OP_COUNT:
        break;
    }
    return det_fail(error, DET_INTERNAL, "operation %d is not known", (int)node->op);
}

static det_status add_layers(compilation *c, det_error *error)
{
    for (int i = 0; i < c->graph->count; i++) {
        layer_state *layer = &c->layers[i];
        if (!c->needed[i] || i == c->from || layer->tensor >= 0) continue;
        layer->tensor =
            layer->producer == i ? add_layer(c, i, error) : c->layers[layer->producer].tensor;
        if (layer->tensor < 0) {
            det_error_where(error, "layer '%s'", c->graph->nodes[i].name);
            return (det_status)layer->tensor;
        }
    }
    return DET_OK;
}

/* The layout of the maps that the caller feeds or receives. */
static det_layout outer_layout(bool channels_last, det_shape shape)
{
    return channels_last ? det_channels_last_layout(shape, dnnl_f32, 4) : det_plain_layout(shape);
}

static det_status add_input(compilation *c, det_error *error)
{
    det_network *network = c->network;
    const det_shape shape = network->input_shape;
    det_layout layout = outer_layout(c->from >= 0 && c->options->from_channels_last, shape);
    network->input = det_plan_add_tensor(&network->plan, layout, shape, error);
    if (network->input < 0) return (det_status)network->input;
    c->input_tensor = network->input;
    if (c->from >= 0) c->layers[c->from].tensor = network->input;
    return DET_OK;
}

static det_status add_outputs(compilation *c, det_error *error)
{
    det_network *network = c->network;
    network->outputs = det_alloc_array(c->to_count, sizeof *network->outputs);
    network->output_shapes = det_alloc_array(c->to_count, sizeof *network->output_shapes);
    if (!network->outputs || !network->output_shapes)
        return det_fail_memory(error, "the outputs of a network");

    for (size_t i = 0; i < c->to_count; i++) {
        int tensor = c->layers[c->to[i]].tensor;
        const char *name = c->graph->nodes[c->to[i]].name;
        const det_plan_tensor *t = &network->plan.tensors[tensor];
        const bool last = c->options->to_channels_last;
        if (!t->plain || (last && det_layout_ndims(t->layout) == 4)) {
            det_layout outer = outer_layout(last, c->shapes[c->to[i]]);
            if (!outer) return det_fail_memory(error, "an output of a network");
            tensor = det_plan_reorder(&network->plan, name, tensor, outer, error);
            det_layout_free(outer);
        }
        if (tensor < 0) return (det_status)tensor;
        network->outputs[i] = tensor;
        network->output_shapes[i] = c->shapes[c->to[i]];
        network->output_count = i + 1;
    }
    for (size_t i = 0; i < c->to_count; i++) /* alive until they are copied out */
        network->plan.tensors[network->outputs[i]].last = network->plan.step_count;
    network->plan.tensors[network->input].first = 0; /* written before the first step */
    return DET_OK;
}

/* ---- All of it ---------------------------------------------------------------------------------
 */

static det_status prepare(compilation *c, det_error *error)
{
    const size_t count = (size_t)c->graph->count;
    c->layers = det_alloc_zeroed(count, sizeof *c->layers);
    c->shapes = det_alloc_array(count, sizeof *c->shapes);
    c->needed = det_alloc_zeroed(count, sizeof *c->needed);
    if (!c->layers || !c->shapes || !c->needed)
        return det_fail_memory(error, "the graph of a network");
    for (size_t i = 0; i < count; i++) c->layers[i].tensor = c->layers[i].destination = -1;

    det_status status = find_input(c, error);
    if (status == DET_OK) status = find_outputs(c, error);
    if (status == DET_OK) status = mark_needed(c, error);
    if (status == DET_OK)
        status = det_graph_infer_needed(c->graph, c->needed, c->from, c->network->input_shape,
                                        c->shapes, error);
    return status;
}

/* Of the maps that are not u8. */
static dnnl_data_type_t float_type(det_precision precision)
{
    if (precision == DET_F32) return dnnl_f32;
    return precision == DET_BF16 || det_processor_has_bf16() ? dnnl_bf16 : dnnl_f32;
}

static det_status build(compilation *c, det_error *error)
{
    det_status status =
        det_plan_create(&c->network->plan, float_type(c->network->precision), error);
    if (status == DET_OK) det_plan_choose_kernels(&c->network->plan, c->network->precision);
    if (status == DET_OK && c->network->precision == DET_INT8)
        status = det_types_choose(c->network->model, c->network->plan.weight_bits, c->needed,
                                  c->from, &c->types, error);
    if (status == DET_OK) status = add_input(c, error);
    if (status < 0) return status;
    fuse(c);
    status = place_concats(c, error);
    if (status == DET_OK) status = add_layers(c, error);
    if (status == DET_OK) status = add_outputs(c, error);
    return status == DET_OK ? det_plan_place_tensors(&c->network->plan, error) : status;
}

typedef struct {
    compilation *compilation;
    det_error *error;
    det_status status;
} build_call;

static void call_build(void *context)
{
    build_call *call = context;
    call->status = build(call->compilation, call->error);
}

static det_status check_options(const det_network_options *options, det_error *error)
{
    if (options->weight_bits != 0 && options->weight_bits != 7 && options->weight_bits != 8)
        return det_fail(error, DET_ARGUMENT, "weights of %d bits; int8 has 8 or 7",
                        options->weight_bits);
    const det_status status = det_precision_check(options->precision, error);
    if (status < 0) return status;
    if (options->width < 0 || options->height < 0 || options->threads < 0)
        return det_fail(error, DET_ARGUMENT,
                        "width %d, height %d and threads %d must not be negative", options->width,
                        options->height, options->threads);
    if (options->from && options->from_shape[0] != 0 &&
        (options->from_shape[0] < 1 || options->from_shape[1] < 1 || options->from_shape[2] < 1))
        return det_fail(error, DET_ARGUMENT, "a shape of %d x %d x %d is empty",
                        options->from_shape[0], options->from_shape[1], options->from_shape[2]);
    return DET_OK;
}

det_status det_network_compile(det_model *model, const det_network_options *options,
                               det_network **network, det_error *error)
{
    const det_network_options defaults = {0};
    if (!options) options = &defaults;
    det_status status = check_options(options, error);
    if (status < 0) return status;
    det_network *made = det_alloc_zeroed(1, sizeof *made);
    if (!made) return det_fail_memory(error, "a network");
    made->model = det_model_share(model);
    made->precision = options->precision == DET_AUTO
                          ? det_fastest_precision(&(const det_model *){model}, 1)
                          : options->precision;
    made->plan.weight_bits =
        options->weight_bits ? options->weight_bits : det_integer_weight_bits();
    made->batch = options->batch ? options->batch : 1;
    made->threads = det_resolve_threads(options->threads);
    made->inner_threads = made->batch == 1 ? made->threads : 1;
    made->plan.winograd = options->winograd;

    status = det_check_model_precision(model, made->precision, made->plan.weight_bits, error);
    compilation c = {.network = made, .graph = &made->model->graph, .options = options};
    if (status == DET_OK) status = prepare(&c, error);
    if (status == DET_OK) {
        /* oneDNN splits its work for the thread count in force while a primitive is made. */
        build_call call = {&c, error, DET_OK};
        det_with_threads(made->inner_threads, call_build, &call);
        status = call.status;
    }
    det_free(c.layers);
    det_free(c.shapes);
    det_free(c.needed);
    det_free(c.to);
    det_types_free(made->model, &c.types);
    if (status < 0) {
        det_network_free(made);
        return status;
    }
    *network = made;
    return DET_OK;
}

void det_network_free(det_network *network)
{
    if (!network) return;
    det_plan_free(&network->plan);
    det_free(network->outputs);
    det_free(network->output_shapes);
    det_model_free(network->model);
    det_free(network);
}

const det_model *det_network_model(const det_network *network)
{
    return network->model;
}

det_precision det_network_precision(const det_network *network)
{
    return network->precision;
}

int det_network_weight_bits(const det_network *network)
{
    return network->precision == DET_INT8 ? network->plan.weight_bits : 0;
}

size_t det_network_batch(const det_network *network)
{
    return network->batch;
}

int det_network_threads(const det_network *network)
{
    return network->threads;
}

det_shape det_network_input_shape(const det_network *network)
{
    return network->input_shape;
}

size_t det_network_output_count(const det_network *network)
{
    return network->output_count;
}

det_shape det_network_output_shape(const det_network *network, size_t index)
{
    return index < network->output_count ? network->output_shapes[index] : (det_shape){0};
}

int det_network_lanes(const det_network *network)
{
    if (network->inner_threads > 1) return 1;
    return network->batch < (size_t)network->threads ? (int)network->batch : network->threads;
}

size_t det_network_memory(const det_network *network)
{
    const det_plan *plan = &network->plan;
    return plan->constant_size + plan->arena_size * (size_t)det_network_lanes(network);
}

size_t det_network_step_count(const det_network *network)
{
    return (size_t)network->plan.step_count;
}

void det_network_step(const det_network *network, size_t index, const char **layer,
                      const char **implementation)
{
    const det_step *step = &network->plan.steps[index];
    *layer = step->layer;
    *implementation = step->implementation;
}

static const char *primitive_kind(const_dnnl_primitive_t primitive)
{
    static const struct {
        dnnl_primitive_kind_t kind;
        const char *name;
    } names[] = {
        {dnnl_convolution, "convolution"},
        {dnnl_inner_product, "inner product"},
        {dnnl_pooling, "pooling"},
        {dnnl_lrn, "LRN"},
        {dnnl_concat, "concat"},
        {dnnl_reorder, "reorder"},
        {dnnl_eltwise, "ReLU"},
        {dnnl_softmax, "softmax"},
    };
    const_dnnl_primitive_desc_t pd = NULL;
    dnnl_primitive_kind_t kind = dnnl_undefined_primitive;
    if (dnnl_primitive_get_primitive_desc(primitive, &pd) == dnnl_success)
        dnnl_primitive_desc_query(pd, dnnl_query_primitive_kind, 0, &kind);
    if (kind == dnnl_eltwise && det_eltwise_algorithm(pd) == dnnl_eltwise_logistic)
        return "sigmoid";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].kind == kind) return names[i].name;
    return "other";
}

const char *det_network_step_kind(const det_network *network, size_t index)
{
    const det_step *step = &network->plan.steps[index];
    return step->kernel ? step->kernel->kind : primitive_kind(step->primitive);
}
