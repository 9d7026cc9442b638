/* SPDX-License-Identifier: Apache-2.0 */
/* Writes model files. The JSON object `model` is written member by member; members that were in the
 * file the model came from, and that this version does not know, follow as they were. */
#include "detect/json.h"
#include "src/base/memory.h"
#include "src/nn/model_file.h"

#include <stdio.h>
#include <string.h>

/* ---- Tensors -------------------------------------------------------------------------------- */

/* A tensor that several layers share is written once. */
static void add_source(det_tensor_source *sources, size_t *count, const det_weights *weights,
                       const det_tensor_source *shape)
{
    if (!weights->tensor) return;
    for (size_t i = 0; i < *count; i++)
        if (strcmp(sources[i].name, weights->tensor) == 0) return;
    sources[*count] = *shape;
    sources[*count].name = weights->tensor;
    sources[*count].dtype = "F32";
    sources[*count].values = weights->values;
    sources[*count].size = weights->count * sizeof *weights->values;
    ++*count;
}

/* A convolution's weights are channels x inputs / groups x kernel_h x kernel_w, an inner product's
 * channels x inputs, biases channels. */
static void add_sources(det_tensor_source *sources, size_t *count, const det_node *node)
{
    const det_window *w = &node->window;
    const int64_t rows = node->channels;
    det_tensor_source shape = {.shape = {rows}, .dimensions = 2};
    if (node->op == DET_OP_CONVOLUTION)
        shape = (det_tensor_source){.shape = {rows, 0, w->kernel_h, w->kernel_w}, .dimensions = 4};
    const int64_t area = shape.dimensions == 4 ? (int64_t)w->kernel_h * w->kernel_w : 1;
    if (node->weights.tensor) shape.shape[1] = (int64_t)node->weights.count / rows / area;
    add_source(sources, count, &node->weights, &shape);

    const det_tensor_source bias = {.shape = {rows}, .dimensions = 1};
    add_source(sources, count, &node->bias, &bias);
}

/* The rounded weights of a layer; `names` owns what they are called. */
static bool add_rounded(det_tensor_source *sources, size_t *count, const det_model *model,
                        int index, char **names)
{
    const det_node *node = &model->graph.nodes[index];
    for (int width = 0; model->quantization.layers && width < DET_WEIGHT_WIDTHS; width++) {
        const int8_t *rounded = model->quantization.layers[index].rounded[width];
        if (!rounded) continue;
        names[width] = det_rounded_name(node, (det_weight_width)width);
        if (!names[width]) return false;
        const int64_t rows = node->channels;
        sources[(*count)++] =
            (det_tensor_source){.name = names[width],
                                .dtype = "I8",
                                .shape = {rows, (int64_t)node->weights.count / rows},
                                .dimensions = 2,
                                .values = rounded,
                                .size = node->weights.count};
    }
    return true;
}

static bool collect_sources(const det_model *model, det_tensor_source *sources, size_t *count,
                            char **names)
{
    for (int i = 0; i < model->graph.count; i++)
        add_sources(sources, count, &model->graph.nodes[i]);
    for (int i = 0; i < model->graph.count; i++)
        if (!add_rounded(sources, count, model, i, names + (ptrdiff_t)DET_WEIGHT_WIDTHS * i))
            return false;
    return true;
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static const char *node_name(const det_model *model, int node)
{
    if (node == DET_NO_NODE) return NULL;
    return node == DET_PICTURE ? model->input_name : model->graph.nodes[node].name;
}

static void add_attribute(det_json *json, const det_attribute *attribute, const det_node *node)
{
    const void *member = (const char *)node + attribute->offset;
    const int *integers = member;
    switch (attribute->kind) {
    case DET_ATTRIBUTE_INT:
        det_json_integer(json, attribute->name, integers[0]);
        break;
    case DET_ATTRIBUTE_PAIR:
        det_json_begin_array(json, attribute->name);
        det_json_integer(json, NULL, integers[0]);
        det_json_integer(json, NULL, integers[1]);
        det_json_end(json);
        break;
    case DET_ATTRIBUTE_BOOL:
        det_json_bool(json, attribute->name, *(const bool *)member);
        break;
    case DET_ATTRIBUTE_NUMBER:
        det_json_number(json, attribute->name, (double)*(const float *)member);
        break;
    }
}

static void add_weights(det_json *json, const det_node *node)
{
    det_json_begin_object(json, "weights");
    if (node->weights.tensor) det_json_string(json, "weight", node->weights.tensor);
    if (node->bias.tensor) det_json_string(json, "bias", node->bias.tensor);
    det_json_end(json);
}

static void add_node(det_json *json, const det_model *model, const det_node *node)
{
    det_json_begin_object(json, NULL);
    det_json_string(json, "name", node->name);
    if (node->alias) det_json_string(json, "alias", node->alias);
    det_json_string(json, "op", det_op_name(node->op));
    det_json_begin_array(json, "inputs");
    for (int i = 0; i < node->input_count; i++)
        det_json_string(json, NULL, node_name(model, node->inputs[i]));
    det_json_end(json);
    det_json_begin_array(json, "outputs");
    det_json_string(json, NULL, node->name);
    det_json_end(json);
    det_json_begin_object(json, "attributes");
    for (const det_attribute *a = det_attributes; a->name; a++)
        if (a->ops >> node->op & 1) add_attribute(json, a, node);
    det_json_end(json);
    add_weights(json, node);
    det_json_end(json);
}

static bool is_among(const char *key, const char *const *keys)
{
    while (*keys && strcmp(*keys, key) != 0) keys++;
    return *keys != NULL;
}

/* Copies the members of `object` (may be NULL) whose keys are not among the known ones. */
static void keep_unknown(det_json *json, json_object *object, const char *const *known)
{
    if (!object) return;
    json_object_object_foreach(object, key, value)
    {
        if (is_among(key, known)) continue;
        const char *text = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN);
        det_json_raw(json, key, text ? text : "null");
    }
}

static json_object *old_member(const det_model *model, const char *key)
{
    return model->metadata ? json_object_object_get(model->metadata, key) : NULL;
}

static void add_input(det_json *json, const det_model *model)
{
    static const char *const known[] = {"name",          "width",      "height",
                                        "channel_order", "mean",       "scale",
                                        "interpolation", "context_px", NULL};
    const det_model_input *input = &model->input;
    det_json_begin_object(json, "input");
    det_json_string(json, "name", model->input_name);
    det_json_integer(json, "width", input->width);
    det_json_integer(json, "height", input->height);
    det_json_string(json, "channel_order", input->channel_order);
    det_json_begin_array(json, "mean");
    for (int i = 0; i < 3; i++) det_json_number(json, NULL, (double)input->mean[i]);
    det_json_end(json);
    det_json_begin_array(json, "scale");
    for (int i = 0; i < 3; i++) det_json_number(json, NULL, (double)input->scale[i]);
    det_json_end(json);
    det_json_string(json, "interpolation", input->interpolation);
    det_json_integer(json, "context_px", input->context_px);
    keep_unknown(json, old_member(model, "input"), known);
    det_json_end(json);
}

static void add_class(det_json *json, const det_class *class)
{
    det_json_begin_object(json, NULL);
    det_json_string(json, "name", class->name);
    if (class->category_id >= 0) det_json_integer(json, "id", class->category_id);
    if (class->synset) det_json_string(json, "synset", class->synset);
    if (class->synonym_count > 0) {
        det_json_begin_array(json, "synonyms");
        for (size_t i = 0; i < class->synonym_count; i++)
            det_json_string(json, NULL, class->synonyms[i]);
        det_json_end(json);
    }
    det_json_end(json);
}

static void add_outputs(det_json *json, const det_model *model)
{
    static const char *const known[] = {"probabilities", "features", "box_deltas",
                                        "regions",       "multibox", NULL};
    det_json_begin_object(json, "outputs");
    det_json_string(json, "probabilities", node_name(model, model->probabilities));
    det_json_string(json, "features", node_name(model, model->features));
    if (model->box_deltas >= 0)
        det_json_string(json, "box_deltas", node_name(model, model->box_deltas));
    if (model->regions >= 0) det_json_string(json, "regions", node_name(model, model->regions));
    if (model->multibox >= 0) det_json_string(json, "multibox", node_name(model, model->multibox));
    keep_unknown(json, old_member(model, "outputs"), known);
    det_json_end(json);
}

static void add_priors(det_json *json, const det_model *model)
{
    if (model->prior_count == 0) return;
    det_json_begin_array(json, "priors");
    for (size_t i = 0; i < model->prior_count; i++) {
        const det_box box = model->priors[i];
        det_json_begin_array(json, NULL);
        det_json_number(json, NULL, (double)box.x0);
        det_json_number(json, NULL, (double)box.y0);
        det_json_number(json, NULL, (double)box.x1);
        det_json_number(json, NULL, (double)box.y1);
        det_json_end(json);
    }
    det_json_end(json);
}

static void add_quantization(det_json *json, const det_model *model)
{
    static const char *const known[] = {"activations", "means",     "weights",
                                        "kept_higher", "agreement", "kept_higher_in_7_bits",
                                        NULL};
    if (!model->quantization.layers) return;
    det_json_begin_object(json, "quantization");
    det_quantization_write(json, &model->graph, model->shapes, &model->quantization);
    keep_unknown(json, old_member(model, "quantization"), known);
    det_json_end(json);
}

static void add_model(det_json *json, const det_model *model)
{
    static const char *const known[] = {"graph",    "input",  "classes",      "background_index",
                                        "outputs",  "priors", "quantization", "provenance",
                                        "settings", NULL};
    det_json_begin_object(json, NULL);
    det_json_begin_array(json, "graph");
    for (int i = 0; i < model->graph.count; i++) add_node(json, model, &model->graph.nodes[i]);
    det_json_end(json);
    add_input(json, model);
    det_json_begin_array(json, "classes");
    for (size_t i = 0; i < model->class_count; i++) add_class(json, &model->classes[i]);
    det_json_end(json);
    if (model->background_index >= 0)
        det_json_integer(json, "background_index", model->background_index);
    else
        det_json_null(json, "background_index");
    add_outputs(json, model);
    add_priors(json, model);
    add_quantization(json, model);
    det_json_raw(json, "provenance", model->provenance ? model->provenance : "{}");
    if (model->settings && strcmp(model->settings, "{}") != 0)
        det_json_raw(json, "settings", model->settings);
    keep_unknown(json, model->metadata, known);
    det_json_end(json);
}

/* ---- The file ------------------------------------------------------------------------------- */

static det_status write_file(const det_tensor_source *sources, size_t count, const char *json,
                             const char *path, det_error *error)
{
    char digest[DET_DIGEST_SIZE], version[16];
    if (!det_tensors_digest(sources, count, digest)) return det_fail_memory(error, "a digest");
    snprintf(version, sizeof version, "%d", DET_MODEL_FORMAT_VERSION);
    const det_metadata_entry metadata[] = {{"format", "detect-model"},
                                           {"format_version", version},
                                           {"digest", digest},
                                           {"model", json}};
    return det_safetensors_write(path, metadata, sizeof metadata / sizeof *metadata, sources, count,
                                 error);
}

/* Readers know no batch norms. */
static det_status check_operations(const det_model *model, det_error *error)
{
    for (int i = 0; i < model->graph.count; i++)
        if (model->graph.nodes[i].op == DET_OP_BATCH_NORM)
            return det_fail_at(error, DET_ARGUMENT, NULL, model->graph.nodes[i].name,
                               "a batch norm must be folded before its model is written");
    return DET_OK;
}

det_status det_model_write(const det_model *model, const char *path, det_error *error)
{
    det_status status = check_operations(model, error);
    if (status < 0) return det_error_file(error, path, status);
    const size_t layers = (size_t)model->graph.count;
    size_t count = 0;
    const char *text;
    det_json *json = det_json_create();
    det_tensor_source *sources = det_alloc_array((2 + DET_WEIGHT_WIDTHS) * layers, sizeof *sources);
    char **names = det_alloc_zeroed(DET_WEIGHT_WIDTHS * layers, sizeof *names);
    if (!json || !sources || !names || !collect_sources(model, sources, &count, names)) {
        status = det_fail_memory(error, "a model file");
        goto done;
    }
    add_model(json, model);
    status = det_json_finish(json, &text, NULL, error);
    if (status == DET_OK) status = write_file(sources, count, text, path, error);
done:
    for (size_t i = 0; names && i < DET_WEIGHT_WIDTHS * layers; i++) det_free(names[i]);
    det_free(names);
    det_json_free(json);
    det_free(sources);
    return det_error_file(error, path, status);
}
