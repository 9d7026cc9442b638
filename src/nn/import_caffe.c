/* SPDX-License-Identifier: Apache-2.0 */
/* From a Caffe network to a graph.
 *
 * Caffe's layers read and write named blobs, often in place; nodes of the graph are written once
 * each. So the layers are visited in order with a table of which node wrote each blob last. Before
 * that, layers that serve training alone are found in one pass from the end to the beginning. */
#include "src/nn/import_caffe.h"

#include "src/base/memory.h"
#include "src/nn/caffe_layers.h"
#include "src/nn/names.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- Which layers stay ---------------------------------------------------------------------- */

/* Who reads a blob after the layer at hand. */
enum { READ_BY_NOBODY = 0, READ_BY_DROPPED = 1, READ_BY_KEPT = 2 };

static bool names_test_phase(const DetCaffe__NetStateRule *rule)
{
    return !rule->has_phase || rule->phase == DET_CAFFE__PHASE__TEST;
}

static bool belongs_to_test(const det_caffe_layer *layer)
{
    for (size_t i = 0; i < layer->exclude_count; i++)
        if (names_test_phase(layer->exclude[i])) return false;
    for (size_t i = 0; i < layer->include_count; i++)
        if (names_test_phase(layer->include[i])) return true;
    return layer->include_count == 0;
}

static bool has_type(const det_caffe_layer *layer, const char *type)
{
    return strcmp(layer->type, type) == 0;
}

/* Index of the SoftmaxWithLoss that becomes the network's softmax; net->count where none does. */
static size_t find_final_loss(const det_caffe_net *net)
{
    size_t found = net->count;
    for (size_t i = 0; i < net->count; i++) {
        if (!belongs_to_test(&net->layers[i])) continue;
        if (has_type(&net->layers[i], "Softmax")) return net->count;
        if (has_type(&net->layers[i], "SoftmaxWithLoss")) found = i;
    }
    return found;
}

/* Readers of a layer's outputs, the strongest; the outputs count as unread from here on. */
static bool take_readers(det_names *readers, const det_caffe_layer *layer, int *strongest)
{
    *strongest = READ_BY_NOBODY;
    for (size_t i = 0; i < layer->top_count; i++) {
        int reader = READ_BY_NOBODY;
        det_names_get(readers, layer->tops[i], &reader);
        if (reader > *strongest) *strongest = reader;
        if (!det_names_set(readers, layer->tops[i], READ_BY_NOBODY)) return false;
    }
    return true;
}

/* Of the final SoftmaxWithLoss, only the first bottom counts: the other is the labels. */
static bool add_reader(det_names *readers, const det_caffe_layer *layer, bool kept)
{
    const size_t count = kept && layer->role == DET_CAFFE_TRAINING ? 1 : layer->bottom_count;
    for (size_t i = 0; i < count && i < layer->bottom_count; i++) {
        int reader = READ_BY_NOBODY;
        det_names_get(readers, layer->bottoms[i], &reader);
        const int now = kept ? READ_BY_KEPT : READ_BY_DROPPED;
        if (now > reader && !det_names_set(readers, layer->bottoms[i], now)) return false;
    }
    return true;
}

static det_status choose_layers(const det_caffe_net *net, bool *kept, det_error *error)
{
    det_names readers = {0};
    det_status status = DET_OK;
    const size_t final_loss = find_final_loss(net);
    for (size_t i = net->count; status == DET_OK && i-- > 0;) {
        const det_caffe_layer *layer = &net->layers[i];
        kept[i] = false;
        if (!belongs_to_test(layer)) continue;

        int reader;
        if (!take_readers(&readers, layer, &reader)) status = det_fail_memory(error, "names");
        kept[i] = i == final_loss || has_type(layer, "Softmax") ||
                  (layer->role != DET_CAFFE_TRAINING && reader != READ_BY_DROPPED);
        if (!add_reader(&readers, layer, kept[i])) status = det_fail_memory(error, "names");
    }
    det_names_free(&readers);
    return status;
}

/* ---- The graph ------------------------------------------------------------------------------ */

typedef struct graph_builder {
    const det_caffe_net *net;
    det_model *model;
    size_t capacity;
    det_names blobs;  /* name of a blob -> node that wrote it last, DET_PICTURE, or DET_NO_NODE for
                         labels */
    det_names layers; /* name of a node -> its index */
    int width, height;
    bool has_input, has_mean;
} graph_builder;

static det_status set_blob(graph_builder *builder, const char *name, int node, det_error *error)
{
    return det_names_set(&builder->blobs, name, node) ? DET_OK : det_fail_memory(error, "names");
}

/* Batch, channels, height, width: the shape of an input. */
static det_status set_input_size(graph_builder *builder, const int64_t dimensions[4],
                                 det_error *error)
{
    enum { max_side = 16384 };
    if (dimensions[1] != 3)
        return det_fail(error, DET_UNSUPPORTED, "an input of %lld channels; pictures have 3",
                        (long long)dimensions[1]);
    for (int i = 2; i < 4; i++)
        if (dimensions[i] < 1 || dimensions[i] > max_side)
            return det_fail(error, DET_FORMAT, "an input of %lldx%lld (height x width)",
                            (long long)dimensions[2], (long long)dimensions[3]);
    builder->height = (int)dimensions[2];
    builder->width = (int)dimensions[3];
    return DET_OK;
}

static det_status set_input_shape(graph_builder *builder, const DetCaffe__BlobShape *shape,
                                  det_error *error)
{
    if (shape->n_dim != 4)
        return det_fail(error, DET_UNSUPPORTED,
                        "an input of %zu dimensions; batch, channels, height and width are needed",
                        shape->n_dim);
    return set_input_size(builder, shape->dim, error);
}

static det_status declare_input(graph_builder *builder, const char *name, det_error *error)
{
    det_model *model = builder->model;
    if (builder->has_input)
        return det_fail(error, DET_UNSUPPORTED,
                        "a second input '%s' beside '%s'; networks with one are supported", name,
                        model->input_name);
    model->input_name = det_copy_string(name);
    if (!model->input_name) return det_fail_memory(error, "the name of the input");
    builder->has_input = true;
    return set_blob(builder, name, DET_PICTURE, error);
}

/* `input`, `input_shape` and `input_dim` of the network itself. */
static det_status read_net_input(graph_builder *builder, det_error *error)
{
    const DetCaffe__NetParameter *net = builder->net->net;
    for (size_t i = 0; i < net->n_input; i++) {
        const det_status status = declare_input(builder, net->input[i], error);
        if (status < 0) return status;
    }
    if (net->n_input == 0) return DET_OK;
    if (net->n_input_shape > 0) return set_input_shape(builder, net->input_shape[0], error);
    if (net->n_input_dim == 0) return DET_OK;
    if (net->n_input_dim != 4)
        return det_fail(error, DET_FORMAT, "%zu values of input_dim, not 4", net->n_input_dim);
    const int64_t dimensions[] = {net->input_dim[0], net->input_dim[1], net->input_dim[2],
                                  net->input_dim[3]};
    return set_input_size(builder, dimensions, error);
}

/* Mean and scale of a data layer; values of the command line come before these. */
static det_status read_transform(graph_builder *builder, const DetCaffe__TransformationParameter *p,
                                 det_error *error)
{
    det_model_input *input = &builder->model->input;
    if (p->crop_size > 0) {
        const int64_t dimensions[] = {1, 3, p->crop_size, p->crop_size};
        const det_status status = set_input_size(builder, dimensions, error);
        if (status < 0) return status;
    }
    if (p->n_mean_value > 0 && p->n_mean_value != 1 && p->n_mean_value != 3)
        return det_fail(error, DET_FORMAT, "%zu values of mean_value, not 1 or 3", p->n_mean_value);
    for (size_t i = 0; i < 3; i++) {
        if (p->n_mean_value > 0 && !builder->has_mean)
            input->mean[i] = p->mean_value[i % p->n_mean_value];
        input->scale[i] = p->scale;
        if (!isfinite(input->mean[i]) || !isfinite(input->scale[i]))
            return det_fail(error, DET_FORMAT, "mean_value or scale is not a finite number");
    }
    return DET_OK;
}

static det_status read_dummy_size(graph_builder *builder, const DetCaffe__DummyDataParameter *p,
                                  det_error *error)
{
    if (p->n_shape > 0) return set_input_shape(builder, p->shape[0], error);
    if (p->n_channels == 0 || p->n_height == 0 || p->n_width == 0) return DET_OK;
    const int64_t dimensions[] = {1, p->channels[0], p->height[0], p->width[0]};
    return set_input_size(builder, dimensions, error);
}

/* The first output of a data layer is the picture, the others are labels. */
static det_status read_input_layer(graph_builder *builder, const det_caffe_layer *layer,
                                   det_error *error)
{
    if (layer->top_count == 0) return det_fail(error, DET_FORMAT, "an input layer without a top");
    det_status status = declare_input(builder, layer->tops[0], error);
    for (size_t i = 1; status == DET_OK && i < layer->top_count; i++)
        status = set_blob(builder, layer->tops[i], DET_NO_NODE, error);
    if (status == DET_OK && layer->input && layer->input->n_shape > 0)
        status = set_input_shape(builder, layer->input->shape[0], error);
    if (status == DET_OK && layer->dummy_data)
        status = read_dummy_size(builder, layer->dummy_data, error);
    if (status == DET_OK && layer->transform)
        status = read_transform(builder, layer->transform, error);
    return status;
}

/* A blob that nobody wrote is the picture where the file declares no input. */
static det_status find_bottom(graph_builder *builder, const char *name, int *node, det_error *error)
{
    if (!det_names_get(&builder->blobs, name, node)) {
        if (builder->has_input)
            return det_fail(error, DET_FORMAT, "no layer before it writes its bottom '%s'", name);
        *node = DET_PICTURE;
        return declare_input(builder, name, error);
    }
    if (*node != DET_NO_NODE) return DET_OK;
    return det_fail(error, DET_UNSUPPORTED, "its bottom '%s' is not computed from the picture",
                    name);
}

static det_status read_bottoms(graph_builder *builder, const det_caffe_layer *layer, det_node *node,
                               det_error *error)
{
    const bool concat = has_type(layer, "Concat");
    const bool loss = layer->role == DET_CAFFE_TRAINING;
    const size_t count = loss && layer->bottom_count > 1 ? 1 : layer->bottom_count;
    if (count == 0 || (count > 1 && !concat) || count > INT_MAX)
        return det_fail(error, DET_FORMAT, "%zu bottoms; %s", count,
                        concat ? "at least one is needed" : "exactly one is needed");
    node->inputs = det_alloc_array(count, sizeof *node->inputs);
    if (!node->inputs) return det_fail_memory(error, "a layer");
    for (size_t i = 0; i < count; i++) {
        const det_status status = find_bottom(builder, layer->bottoms[i], &node->inputs[i], error);
        if (status < 0) return status;
    }
    node->input_count = (int)count;
    return DET_OK;
}

static det_status add_split(graph_builder *builder, const det_caffe_layer *layer, det_error *error)
{
    int node;
    if (layer->bottom_count != 1)
        return det_fail(error, DET_FORMAT, "%zu bottoms; exactly one is needed",
                        layer->bottom_count);
    det_status status = find_bottom(builder, layer->bottoms[0], &node, error);
    for (size_t i = 0; status == DET_OK && i < layer->top_count; i++)
        status = set_blob(builder, layer->tops[i], node, error);
    return status;
}

static det_status name_node(graph_builder *builder, const det_caffe_layer *layer, det_node *node,
                            int index, det_error *error)
{
    int other;
    if (!*layer->name) return det_fail(error, DET_FORMAT, "it has neither a name nor a top");
    if (det_names_get(&builder->layers, layer->name, &other))
        return det_fail(error, DET_FORMAT, "a second layer of this name");
    node->name = det_copy_string(layer->name);
    if (!node->name || !det_names_set(&builder->layers, node->name, index))
        return det_fail_memory(error, "the name of a layer");
    return DET_OK;
}

static det_status add_node(graph_builder *builder, const det_caffe_layer *layer, det_error *error)
{
    det_graph *graph = &builder->model->graph;
    if (!det_grow_array(&graph->nodes, &builder->capacity, (size_t)graph->count + 1,
                        sizeof *graph->nodes))
        return det_fail_memory(error, "the layers of a network");
    const int index = graph->count++;
    det_node *node = &graph->nodes[index];
    *node = (det_node){0};

    det_status status = name_node(builder, layer, node, index, error);
    if (status == DET_OK) status = det_caffe_convert(layer, node, error);
    if (status == DET_OK) status = read_bottoms(builder, layer, node, error);
    if (status < 0) return status;
    if (layer->role == DET_CAFFE_TRAINING || layer->top_count == 0) return DET_OK;
    return set_blob(builder, layer->tops[0], index, error);
}

static det_status add_layer(graph_builder *builder, const det_caffe_layer *layer, det_error *error)
{
    switch (layer->role) {
    case DET_CAFFE_INPUT:
        return read_input_layer(builder, layer, error);
    case DET_CAFFE_SPLIT:
        return add_split(builder, layer, error);
    default:
        return add_node(builder, layer, error);
    }
}

/* ---- What the graph is for ------------------------------------------------------------------ */

static int find_last(const det_graph *graph, det_op op)
{
    for (int i = graph->count - 1; i >= 0; i--)
        if (graph->nodes[i].op == op) return i;
    return DET_NO_NODE;
}

/* What the last inner product reads, before any dropout. */
static int find_features(const det_graph *graph)
{
    int node = find_last(graph, DET_OP_INNER_PRODUCT);
    if (node < 0) return DET_NO_NODE;
    do node = graph->nodes[node].inputs[0];
    while (node >= 0 && graph->nodes[node].op == DET_OP_DROPOUT);
    return node >= 0 ? node : DET_NO_NODE;
}

static void find_outputs(det_model *model)
{
    const int softmax = find_last(&model->graph, DET_OP_SOFTMAX);
    model->probabilities = softmax >= 0 ? softmax : model->graph.count - 1;
    model->features = find_features(&model->graph);
}

/* The names of blobs that no layer has become aliases of the node that wrote them last. */
static det_status set_aliases(graph_builder *builder, const det_caffe_net *net, det_error *error)
{
    det_graph *graph = &builder->model->graph;
    for (size_t i = 0; i < net->count; i++)
        for (size_t j = 0; j < net->layers[i].top_count; j++) {
            const char *blob = net->layers[i].tops[j];
            int node, other;
            if (!det_names_get(&builder->blobs, blob, &node) || node < 0) continue;
            if (graph->nodes[node].alias || det_names_get(&builder->layers, blob, &other)) continue;
            graph->nodes[node].alias = det_copy_string(blob);
            if (!graph->nodes[node].alias) return det_fail_memory(error, "the name of a blob");
        }
    return DET_OK;
}

/* Layer of the file that became a node, for the place of an error. */
static const det_caffe_layer *find_layer(const det_caffe_net *net, const bool *kept,
                                         const char *where)
{
    char place[sizeof((det_error *)0)->where];
    for (size_t i = 0; i < net->count; i++) {
        snprintf(place, sizeof place, "layer '%s'", net->layers[i].name);
        if (kept[i] && strcmp(place, where) == 0) return &net->layers[i];
    }
    return NULL;
}

/* Shapes of the whole graph; sizes that do not fit are the file's fault here. */
static det_status infer(graph_builder *builder, const bool *kept, det_error *error)
{
    det_model *model = builder->model;
    model->shapes = det_alloc_array((size_t)model->graph.count, sizeof *model->shapes);
    if (!model->shapes) return det_fail_memory(error, "the shapes of a network");

    det_error reason = {0};
    det_status status = det_graph_infer(&model->graph, DET_PICTURE,
                                        (det_shape){3, model->input.height, model->input.width},
                                        model->shapes, &reason);
    if (status == DET_OK) return DET_OK;
    if (status == DET_ARGUMENT) status = DET_FORMAT;
    const det_caffe_layer *layer = find_layer(builder->net, kept, reason.where);
    det_fail(error, status, "%s", reason.message);
    return layer ? det_caffe_place(layer, status, error) : status;
}

/* ---- All of it ------------------------------------------------------------------------------ */

static void set_defaults(graph_builder *builder, const det_model_import_options *options)
{
    static const float imagenet_mean[] = {104, 117, 123};
    const float *mean = options->mean ? options->mean : imagenet_mean;
    det_model_input *input = &builder->model->input;
    *input = (det_model_input){.channel_order = "BGR",
                               .mean = {mean[0], mean[1], mean[2]},
                               .scale = {1, 1, 1},
                               .interpolation = "bilinear",
                               .context_px = 16};
    builder->has_mean = options->mean != NULL;
    builder->model->background_index = -1;
    builder->model->probabilities = builder->model->features = DET_NO_NODE;
    builder->model->box_deltas = builder->model->regions = builder->model->multibox = DET_NO_NODE;
}

static int first_positive(int a, int b, int c)
{
    return a > 0 ? a : b > 0 ? b : c;
}

static det_status build(graph_builder *builder, const det_model_import_options *options, bool *kept,
                        det_error *error)
{
    enum { default_side = 224 };
    const det_caffe_net *net = builder->net;
    set_defaults(builder, options);
    det_status status = choose_layers(net, kept, error);
    if (status == DET_OK) status = read_net_input(builder, error);
    for (size_t i = 0; status == DET_OK && i < net->count; i++)
        if (kept[i])
            status =
                det_caffe_place(&net->layers[i], add_layer(builder, &net->layers[i], error), error);
    if (status < 0) return status;

    det_model *model = builder->model;
    if (model->graph.count == 0)
        return det_fail(error, DET_FORMAT, "none of its %zu layers computes anything", net->count);
    int clash;
    if (det_names_get(&builder->layers, model->input_name, &clash))
        return det_fail(error, DET_FORMAT, "the input and a layer are both called '%s'",
                        model->input_name);
    model->input.width = first_positive(builder->width, options->width, default_side);
    model->input.height = first_positive(builder->height, options->height, default_side);
    find_outputs(model);
    status = set_aliases(builder, net, error);
    return status < 0 ? status : infer(builder, kept, error);
}

det_status det_caffe_build(const det_caffe_net *net, const det_model_import_options *options,
                           det_model *model, det_error *error)
{
    graph_builder builder = {.net = net, .model = model};
    bool *kept = det_alloc_array(net->count, sizeof *kept);
    const det_status status = kept ? build(&builder, options, kept, error)
                                   : det_fail_memory(error, "the layers of a network");
    det_free(kept);
    det_names_free(&builder.blobs);
    det_names_free(&builder.layers);
    if (status < 0) det_model_free_contents(model);
    return status;
}
