/* SPDX-License-Identifier: Apache-2.0 */
/* A model made from another. The new model is put together in memory, its weights borrowed from the
 * source and from the recipe, checked as a file would be, and written. */
#include "src/nn/model_edit.h"

#include "src/base/json_reader.h"
#include "src/base/memory.h"
#include "src/base/text.h"
#include "src/nn/region_layer.h"

#include <string.h>

typedef struct {
    const det_model *source;
    const det_model_recipe *recipe;
    int *places; /* of the source's layers in the new graph; DET_NO_NODE: left out */
    det_model model;
} builder;

/* Any place, before it is known. */
enum { needed = 0 };

/* ---- Names ---------------------------------------------------------------------------------- */

/* @return index of one of the first `count` new layers, or DET_NO_NODE. */
static int find_new(const det_model_recipe *recipe, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(recipe->layers[i].name, name) == 0) return (int)i;
    return DET_NO_NODE;
}

static int kept_count(const builder *b)
{
    int count = 0;
    for (int i = 0; i < b->source->graph.count; i++) count += b->places[i] != DET_NO_NODE;
    return count;
}

static bool is_picture(const builder *b, const char *name)
{
    return strcmp(b->source->input_name, name) == 0;
}

/* The place in the new graph of what one of the first `count` new layers, or the source, calls so;
 * it is there once the source's layers have their places. */
static int place_of(const builder *b, size_t count, const char *name)
{
    const int added = find_new(b->recipe, count, name);
    if (added >= 0) return kept_count(b) + added;
    if (is_picture(b, name)) return DET_PICTURE;
    const int layer = det_graph_find(&b->source->graph, name);
    return layer < 0 ? DET_NO_NODE : b->places[layer];
}

static size_t input_count(const det_new_layer *layer)
{
    size_t count = 0;
    while (count < DET_NEW_INPUTS && layer->inputs[count]) count++;
    return count;
}

/* ---- What is kept --------------------------------------------------------------------------- */

/* @param count of the new layers that are known where the name stands. */
static det_status need(builder *b, size_t count, const char *name, det_error *error)
{
    if (!name || find_new(b->recipe, count, name) >= 0 || is_picture(b, name)) return DET_OK;
    int layer;
    const det_status status = det_graph_require(&b->source->graph, name, &layer, error);
    if (status == DET_OK) b->places[layer] = needed;
    return status;
}

static det_status need_inputs(builder *b, size_t at, det_error *error)
{
    const det_new_layer *layer = &b->recipe->layers[at];
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < input_count(layer); i++)
        status = need(b, at, layer->inputs[i], error);
    return status;
}

static det_status need_outputs(builder *b, det_error *error)
{
    const det_model_recipe *recipe = b->recipe;
    const char *const outputs[] = {recipe->probabilities, recipe->box_deltas, recipe->features,
                                   recipe->regions, recipe->multibox};
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < sizeof outputs / sizeof *outputs; i++)
        status = need(b, recipe->layer_count, outputs[i], error);
    return status;
}

static det_status choose_layers(builder *b, det_error *error)
{
    const det_graph *graph = &b->source->graph;
    det_status status = need_outputs(b, error);
    for (size_t i = 0; status == DET_OK && i < b->recipe->layer_count; i++)
        status = need_inputs(b, i, error);
    for (int i = graph->count - 1; i >= 0; i--)
        for (int j = 0; b->places[i] != DET_NO_NODE && j < graph->nodes[i].input_count; j++)
            if (graph->nodes[i].inputs[j] >= 0) b->places[graph->nodes[i].inputs[j]] = needed;
    for (int i = 0, place = 0; i < graph->count; i++)
        if (b->places[i] != DET_NO_NODE) b->places[i] = place++;
    return status;
}

/* ---- The graph ------------------------------------------------------------------------------ */

static bool copy_text(const char *text, char **copy)
{
    if (text) *copy = det_copy_string(text);
    return !text || *copy;
}

static bool name_weights(const char *layer, const char *suffix, const det_weights *given,
                         det_weights *weights)
{
    *weights = (det_weights){.values = given->values, .count = given->count};
    if (!given->values) return true;
    weights->tensor = det_text_join(layer, suffix);
    return weights->tensor;
}

static bool add_layer(const builder *b, size_t at, det_node *to)
{
    const det_new_layer *layer = &b->recipe->layers[at];
    *to = layer->node;
    to->name = to->alias = NULL;
    to->input_count = (int)input_count(layer);
    to->inputs = det_alloc_array((size_t)to->input_count, sizeof *to->inputs);
    for (int i = 0; to->inputs && i < to->input_count; i++)
        to->inputs[i] = place_of(b, at, layer->inputs[i]);
    const bool weights = name_weights(layer->name, ".weight", &layer->node.weights, &to->weights);
    const bool bias = name_weights(layer->name, ".bias", &layer->node.bias, &to->bias);
    return copy_text(layer->name, &to->name) && to->inputs && weights && bias;
}

static det_status check_attribute(const det_node *node, const det_attribute *a, det_error *error)
{
    const int *values = (const int *)(const void *)((const char *)node + a->offset);
    const int count = a->kind == DET_ATTRIBUTE_PAIR ? 2 : a->kind == DET_ATTRIBUTE_INT;
    for (int i = 0; i < count; i++)
        if (values[i] < a->min || values[i] > a->max)
            return det_fail_at(error, DET_ARGUMENT, NULL, node->name, "%s is %d, not %d to %d",
                               a->name, values[i], a->min, a->max);
    return DET_OK;
}

static det_status check_layer(const det_node *node, det_error *error)
{
    det_status status = DET_OK;
    for (const det_attribute *a = det_attributes; status == DET_OK && a->name; a++)
        if (a->ops >> node->op & 1) status = check_attribute(node, a, error);
    if (status < 0) return status;
    if (node->input_count == 1 || (node->input_count > 1 && node->op == DET_OP_CONCAT))
        return DET_OK;
    return det_fail_at(error, DET_ARGUMENT, NULL, node->name,
                       "%d inputs do not suit the operation %s", node->input_count,
                       det_op_name(node->op));
}

static bool same_tensor(const det_weights *a, const det_weights *b)
{
    return a->tensor && b->tensor && strcmp(a->tensor, b->tensor) == 0;
}

static bool share_a_tensor(const det_node *a, const det_node *b)
{
    return same_tensor(&a->weights, &b->weights) || same_tensor(&a->weights, &b->bias) ||
           same_tensor(&a->bias, &b->weights) || same_tensor(&a->bias, &b->bias);
}

/* The layers of the source may share tensors with each other; a new one shares with none. */
static det_status check_names(const builder *b, int at, det_error *error)
{
    const det_node *node = &b->model.graph.nodes[at];
    bool twice = is_picture(b, node->name);
    for (int i = 0; i < at; i++) {
        const det_node *other = &b->model.graph.nodes[i];
        twice = twice || strcmp(other->name, node->name) == 0;
        if (share_a_tensor(other, node))
            return det_fail_at(error, DET_ARGUMENT, NULL, node->name,
                               "its weights would be called as those of layer '%s'", other->name);
    }
    if (!twice) return DET_OK;
    return det_fail_at(error, DET_ARGUMENT, NULL, node->name, "this name is there twice");
}

static det_status as_argument(det_status status, det_error *error)
{
    if (status == DET_FORMAT && error) error->status = DET_ARGUMENT;
    return status == DET_FORMAT ? DET_ARGUMENT : status;
}

static det_status check_new(const builder *b, int at, det_error *error)
{
    const det_node *node = &b->model.graph.nodes[at];
    det_status status = check_layer(node, error);
    if (status == DET_OK) status = check_names(b, at, error);
    if (status == DET_OK) status = det_weights_check(&node->weights, error);
    if (status == DET_OK) status = det_weights_check(&node->bias, error);
    return as_argument(status, error);
}

static det_status build_graph(builder *b, det_error *error)
{
    const det_graph *old = &b->source->graph;
    det_graph *graph = &b->model.graph;
    const int kept = kept_count(b);
    graph->nodes = det_alloc_zeroed((size_t)kept + b->recipe->layer_count, sizeof *graph->nodes);
    bool done = graph->nodes;
    for (int i = 0; done && i < old->count; i++)
        if (b->places[i] != DET_NO_NODE)
            done = det_node_copy(&old->nodes[i], b->places, &graph->nodes[graph->count++]);
    for (size_t i = 0; done && i < b->recipe->layer_count; i++)
        done = add_layer(b, i, &graph->nodes[graph->count++]);
    if (!done) return det_fail_memory(error, "the layers of a network");
    if (graph->count == 0) return det_fail(error, DET_ARGUMENT, "a model without layers");

    det_status status = DET_OK;
    for (int i = kept; status == DET_OK && i < graph->count; i++) status = check_new(b, i, error);
    return status == DET_OK ? det_model_infer_shapes(&b->model, error) : status;
}

/* ---- The rest ------------------------------------------------------------------------------- */

static bool copy_class(const det_class *from, det_class *to)
{
    *to = (det_class){.category_id = from->category_id};
    to->synonyms = det_alloc_zeroed(from->synonym_count, sizeof *to->synonyms);
    bool done = to->synonyms && copy_text(from->name, &to->name) && to->name &&
                copy_text(from->synset, &to->synset);
    for (; done && to->synonym_count < from->synonym_count; to->synonym_count++)
        done = copy_text(from->synonyms[to->synonym_count], &to->synonyms[to->synonym_count]);
    return done;
}

static det_status copy_classes(builder *b, det_error *error)
{
    det_model *model = &b->model;
    const det_model_recipe *recipe = b->recipe;
    model->classes = det_alloc_zeroed(recipe->class_count, sizeof *model->classes);
    bool done = model->classes;
    for (; done && model->class_count < recipe->class_count; model->class_count++)
        done =
            copy_class(&recipe->classes[model->class_count], &model->classes[model->class_count]);
    return done ? DET_OK : det_fail_memory(error, "the classes");
}

static det_status copy_priors(builder *b, det_error *error)
{
    det_model *model = &b->model;
    const size_t count = b->recipe->prior_count;
    if (count > DET_PRIORS_MAX)
        return det_fail_at(error, DET_ARGUMENT, NULL, "priors", "%zu are more than %d", count,
                           DET_PRIORS_MAX);
    model->priors = det_alloc_array(count, sizeof *model->priors);
    if (!model->priors) return det_fail_memory(error, "the priors");
    if (count > 0) memcpy(model->priors, b->recipe->priors, count * sizeof *model->priors);
    model->prior_count = count;
    return DET_OK;
}

/* Takes over what must be a JSON object. */
static det_status copy_object(const char *given, const char *key, char **copy, det_error *error)
{
    const char *text = given ? given : "{}";
    json_object *value = NULL;
    det_status status = det_json_parse(text, strlen(text), &value, error);
    if (status == DET_OK && !json_object_is_type(value, json_type_object))
        status = det_fail(error, DET_FORMAT, "is not a JSON object");
    json_object_put(value);
    if (status < 0) return as_argument(det_error_inside(error, key, ", ", status), error);
    *copy = det_copy_string(text);
    return *copy ? DET_OK : det_fail_memory(error, "what a model says of itself");
}

static det_status describe(builder *b, det_error *error)
{
    const det_status status =
        copy_object(b->recipe->provenance, "provenance", &b->model.provenance, error);
    if (status < 0) return status;
    return copy_object(b->recipe->settings, "settings", &b->model.settings, error);
}

/* Whether the regions of the new model can be pooled from a layer. */
static det_status suits_regions(const det_model *model, int layer)
{
    det_status status = DET_OK;
    if (model->probabilities >= 0)
        status = det_region_layer_check(&model->graph, layer, model->probabilities, NULL);
    if (status == DET_OK && model->box_deltas >= 0)
        status = det_region_layer_check(&model->graph, layer, model->box_deltas, NULL);
    return status;
}

/* The layer that regions were pooled from in the source, which has the new model look at them as
 * its features were learned: the pools of a new head would else be taken for the network's. */
static det_status take_over_regions(builder *b, det_error *error)
{
    const det_model *source = b->source;
    int layer = source->regions;
    det_status status = DET_OK;
    if (layer == DET_NO_NODE && source->probabilities >= 0)
        status = det_region_layer_find(&source->graph, source->shapes, source->probabilities,
                                       &layer, NULL);
    if (status == DET_OK && layer >= 0 && b->places[layer] != DET_NO_NODE) {
        status = suits_regions(&b->model, b->places[layer]);
        if (status == DET_OK) b->model.regions = b->places[layer];
    }
    return status == DET_MEMORY ? det_fail_memory(error, "the layers of a network") : DET_OK;
}

static det_status name_outputs(builder *b, det_error *error)
{
    const det_model_recipe *recipe = b->recipe;
    det_model *model = &b->model;
    const struct {
        const char *name;
        int *node;
    } outputs[] = {{recipe->probabilities, &model->probabilities},
                   {recipe->box_deltas, &model->box_deltas},
                   {recipe->features, &model->features},
                   {recipe->regions, &model->regions},
                   {recipe->multibox, &model->multibox}};
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++) {
        const char *name = outputs[i].name;
        *outputs[i].node = name ? place_of(b, recipe->layer_count, name) : DET_NO_NODE;
        if (*outputs[i].node == DET_PICTURE)
            return det_fail_at(error, DET_ARGUMENT, NULL, name, "the picture is no layer");
    }
    model->background_index = recipe->background_index;
    return recipe->regions ? DET_OK : take_over_regions(b, error);
}

static det_status copy_input(builder *b, det_error *error)
{
    enum { max_context = 16384 };
    b->model.input = b->source->input;
    b->model.input_name = det_copy_string(b->source->input_name);
    if (!b->model.input_name) return det_fail_memory(error, "a model");
    if (b->recipe->context_px > max_context)
        return det_fail_at(error, DET_ARGUMENT, NULL, "context_px", "%d is more than %d",
                           b->recipe->context_px, max_context);
    if (b->recipe->context_px >= 0) b->model.input.context_px = b->recipe->context_px;
    return DET_OK;
}

static det_status build(builder *b, det_error *error)
{
    const size_t layers = (size_t)b->source->graph.count;
    b->places = det_alloc_array(layers, sizeof *b->places);
    if (!b->places) return det_fail_memory(error, "the layers of a network");
    for (size_t i = 0; i < layers; i++) b->places[i] = DET_NO_NODE;
    det_status status = choose_layers(b, error);
    if (status == DET_OK) status = copy_input(b, error);
    if (status == DET_OK) status = build_graph(b, error);
    if (status == DET_OK) status = copy_classes(b, error);
    if (status == DET_OK) status = copy_priors(b, error);
    if (status == DET_OK) status = describe(b, error);
    if (status == DET_OK) status = name_outputs(b, error);
    if (status < 0) return status;
    return as_argument(det_model_check_outputs(&b->model, error), error);
}

det_status det_model_derive(const det_model *source, const det_model_recipe *recipe,
                            const char *path, det_error *error)
{
    builder b = {.source = source, .recipe = recipe};
    det_status status = build(&b, error);
    if (status == DET_OK) status = det_model_write(&b.model, path, error);
    det_model_free_contents(&b.model);
    det_free(b.places);
    return status;
}

/* ---- Other values --------------------------------------------------------------------------- */

static det_status replace(const det_graph *graph, const det_new_values *values, det_error *error)
{
    const int index = det_graph_find(graph, values->layer);
    det_node *node = index >= 0 ? &graph->nodes[index] : NULL;
    det_weights *weights = !node ? NULL : values->bias ? &node->bias : &node->weights;
    if (!weights || !weights->values)
        return det_fail_at(error, DET_ARGUMENT, NULL, values->layer, "%s",
                           !node          ? "there is no such layer"
                           : values->bias ? "the layer has no biases"
                                          : "the layer has no weights");
    weights->values = values->values;
    return DET_OK;
}

det_status det_model_replace_values(const det_model *source, const det_new_values *values,
                                    size_t count, const char *path, det_error *error)
{
    const size_t layers = (size_t)source->graph.count;
    det_node *nodes = det_alloc_array(layers, sizeof *nodes);
    if (!nodes) return det_fail_memory(error, "the layers of a network");
    memcpy(nodes, source->graph.nodes, layers * sizeof *nodes);
    det_model model = *source; /* only what is changed is its own */
    model.graph.nodes = nodes;
    model.quantization = (det_quantization){0};
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < count; i++)
        status = replace(&model.graph, &values[i], error);
    if (status == DET_OK) status = det_model_write(&model, path, error);
    det_free(nodes);
    return status;
}
