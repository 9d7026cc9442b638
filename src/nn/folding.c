/* SPDX-License-Identifier: Apache-2.0 */
#include "src/nn/folding.h"

#include "src/base/memory.h"
#include "src/base/text.h"

#include <math.h>
#include <string.h>

typedef struct {
    const det_model *source;
    det_folded_model *folded;
    int *places; /* of the source's layers in the new graph; of a batch norm that of its layer */
    int *norms;  /* of each layer of the source its batch norm, or DET_NO_NODE */
    float *next; /* where values that are changed go */
    det_error *error;
} folding;

/* ---- What is folded into what --------------------------------------------------------------- */

static bool has_role(const det_model *model, int layer)
{
    const int roles[] = {model->probabilities, model->features, model->box_deltas, model->regions,
                         model->multibox};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (roles[i] == layer) return true;
    return false;
}

static int count_readers(const det_graph *graph, int layer)
{
    int readers = 0;
    for (int i = layer + 1; i < graph->count; i++)
        for (int j = 0; j < graph->nodes[i].input_count; j++)
            readers += graph->nodes[i].inputs[j] == layer;
    return readers;
}

static det_status find_layer(folding *f, int norm)
{
    const det_graph *graph = &f->source->graph;
    const char *name = graph->nodes[norm].name;
    const int layer = graph->nodes[norm].inputs[0];
    const det_op op = layer == DET_PICTURE ? DET_OP_COUNT : graph->nodes[layer].op;
    if (op != DET_OP_CONVOLUTION && op != DET_OP_INNER_PRODUCT)
        return det_fail_at(f->error, DET_ARGUMENT, NULL, name,
                           "this batch norm follows no convolution or inner product that it could "
                           "be folded into, but %s%s",
                           op == DET_OP_COUNT ? "the picture" : "the operation ",
                           op == DET_OP_COUNT ? "" : det_op_name(op));
    if (count_readers(graph, layer) > 1 || has_role(f->source, layer))
        return det_fail_at(f->error, DET_ARGUMENT, NULL, name,
                           "this batch norm cannot be folded into '%s', whose own output is needed",
                           graph->nodes[layer].name);
    f->norms[layer] = norm;
    return DET_OK;
}

static det_status find_layers(folding *f)
{
    const det_graph *graph = &f->source->graph;
    det_status status = DET_OK;
    for (int i = 0; i < graph->count; i++) f->norms[i] = DET_NO_NODE;
    for (int i = 0; status == DET_OK && i < graph->count; i++)
        if (graph->nodes[i].op == DET_OP_BATCH_NORM) status = find_layer(f, i);
    for (int i = 0, place = 0; status == DET_OK && i < graph->count; i++)
        f->places[i] = graph->nodes[i].op == DET_OP_BATCH_NORM
                           ? f->places[graph->nodes[i].inputs[0]]
                           : place++;
    return status;
}

static size_t count_values(const folding *f)
{
    const det_graph *graph = &f->source->graph;
    size_t count = 0;
    for (int i = 0; i < graph->count; i++)
        if (f->norms[i] != DET_NO_NODE)
            count += graph->nodes[i].weights.count + (size_t)graph->nodes[i].channels;
    return count;
}

/* ---- Values --------------------------------------------------------------------------------- */

/* @param gain scale / sqrt(variance + epsilon). */
static det_status find_gain(const folding *f, const det_node *norm, int channel, double *gain)
{
    const double variance = (double)norm->variance.values[channel] + (double)norm->epsilon;
    *gain = (double)norm->weights.values[channel] / sqrt(variance);
    if (variance > 0 && isfinite(*gain)) return DET_OK;
    return det_fail_at(
        f->error, DET_ARGUMENT, NULL, norm->name, "channel %d has the variance %g and the scale %g",
        channel, (double)norm->variance.values[channel], (double)norm->weights.values[channel]);
}

/* The weights (a row of each channel) and the bias of one channel. */
static det_status fold_channel(const folding *f, const det_node *from, const det_node *norm,
                               int channel, float *row, float *bias)
{
    const size_t inputs = from->weights.count / (size_t)from->channels;
    const float *weights = from->weights.values + (size_t)channel * inputs;
    const double before = from->bias.values ? (double)from->bias.values[channel] : 0;
    double gain;
    const det_status status = find_gain(f, norm, channel, &gain);
    if (status < 0) return status;
    *bias = (float)(gain * (before - (double)norm->mean.values[channel]) +
                    (double)norm->bias.values[channel]);
    bool finite = isfinite(*bias);
    for (size_t i = 0; i < inputs; i++) {
        row[i] = (float)(gain * (double)weights[i]);
        finite = finite && isfinite(row[i]);
    }
    if (finite) return DET_OK;
    return det_fail_at(f->error, DET_ARGUMENT, NULL, from->name,
                       "folding '%s' makes channel %d infinite", norm->name, channel);
}

static det_status fold_values(folding *f, int layer, det_node *to)
{
    const det_node *from = &f->source->graph.nodes[layer];
    const det_node *norm = &f->source->graph.nodes[f->norms[layer]];
    const size_t channels = (size_t)from->channels, inputs = from->weights.count / channels;
    float *weights = f->next, *biases = weights + from->weights.count;
    det_status status = DET_OK;
    for (int c = 0; status == DET_OK && c < from->channels; c++)
        status = fold_channel(f, from, norm, c, weights + (size_t)c * inputs, biases + c);
    to->weights.values = weights;
    to->bias.values = biases;
    to->bias.count = channels;
    f->next = biases + channels;
    return status;
}

/* ---- The graph ------------------------------------------------------------------------------ */

/* A layer that is changed shares its tensors with no other any more. */
static bool name_tensors(det_node *node)
{
    det_free(node->weights.tensor);
    det_free(node->bias.tensor);
    node->weights.tensor = det_text_join(node->name, ".weight");
    node->bias.tensor = det_text_join(node->name, ".bias");
    return node->weights.tensor && node->bias.tensor;
}

static det_status copy_layer(folding *f, int layer, det_node *to)
{
    const bool folds = f->norms[layer] != DET_NO_NODE;
    if (!det_node_copy(&f->source->graph.nodes[layer], f->places, to) ||
        (folds && !name_tensors(to)))
        return det_fail_memory(f->error, "the layers of a network");
    return folds ? fold_values(f, layer, to) : DET_OK;
}

static bool same(const det_weights *a, const det_weights *b)
{
    return a->tensor && b->tensor && strcmp(a->tensor, b->tensor) == 0;
}

/* A changed layer must not be called as one that is not. */
static det_status check_tensors(const folding *f, int layer)
{
    const det_graph *graph = &f->folded->model.graph;
    const det_node *node = &graph->nodes[f->places[layer]];
    for (int i = 0; i < graph->count; i++) {
        const det_node *other = &graph->nodes[i];
        if (other != node &&
            (same(&node->weights, &other->weights) || same(&node->weights, &other->bias) ||
             same(&node->bias, &other->weights) || same(&node->bias, &other->bias)))
            return det_fail_at(f->error, DET_ARGUMENT, NULL, node->name,
                               "its folded weights would be called as those of layer '%s'",
                               other->name);
    }
    return DET_OK;
}

static det_status build_graph(folding *f)
{
    const det_graph *source = &f->source->graph;
    det_graph *graph = &f->folded->model.graph;
    det_status status = DET_OK;
    graph->nodes = det_alloc_zeroed((size_t)source->count, sizeof *graph->nodes);
    f->folded->values = f->next = det_alloc_array(count_values(f), sizeof *f->next);
    if (!graph->nodes || !f->next) return det_fail_memory(f->error, "the layers of a network");
    for (int i = 0; status == DET_OK && i < source->count; i++)
        if (source->nodes[i].op != DET_OP_BATCH_NORM)
            status = copy_layer(f, i, &graph->nodes[graph->count++]);
    for (int i = 0; status == DET_OK && i < source->count; i++)
        if (f->norms[i] != DET_NO_NODE) status = check_tensors(f, i);
    return status;
}

/* ---- The model ------------------------------------------------------------------------------ */

static void move_roles(const folding *f)
{
    det_model *model = &f->folded->model;
    int *const roles[] = {&model->probabilities, &model->features, &model->box_deltas,
                          &model->regions, &model->multibox};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (*roles[i] >= 0) *roles[i] = f->places[*roles[i]];
}

static det_status fold(folding *f)
{
    det_status status = find_layers(f);
    if (status == DET_OK) status = build_graph(f);
    if (status < 0) return status;
    move_roles(f);
    return det_model_infer_shapes(&f->folded->model, f->error);
}

det_status det_model_fold(const det_model *source, det_folded_model *folded, det_error *error)
{
    const size_t layers = (size_t)source->graph.count;
    folding f = {.source = source, .folded = folded, .error = error};
    *folded = (det_folded_model){.model = *source};
    folded->model.graph = (det_graph){0};
    folded->model.shapes = NULL;
    folded->model.quantization = (det_quantization){0};
    f.places = det_alloc_array(layers, sizeof *f.places);
    f.norms = det_alloc_array(layers, sizeof *f.norms);
    const det_status status =
        f.places && f.norms ? fold(&f) : det_fail_memory(error, "the layers of a network");
    det_free(f.places);
    det_free(f.norms);
    if (status < 0) det_folded_model_free(folded);
    return status;
}

void det_folded_model_free(det_folded_model *folded)
{
    if (!folded) return;
    det_graph_free(&folded->model.graph);
    det_free(folded->model.shapes);
    det_free(folded->values);
    *folded = (det_folded_model){0};
}
