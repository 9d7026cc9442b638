/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the JSON object `model` of a model file and joins it to the tensors. Everything is checked
 * here, so that whoever runs the network need not: names, attributes, the order of layers, the
 * sizes of weights (through det_graph_infer), and what the outputs are called. */
#include "src/base/json_reader.h"
#include "src/base/memory.h"
#include "src/nn/json_fields.h"
#include "src/nn/model_file.h"
#include "src/nn/names.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { max_layers = 65536, max_side = 16384 };

/* ---- A layer -------------------------------------------------------------------------------- */

typedef struct graph_reader {
    const det_safetensors *file;
    det_model *model;
    det_names names; /* of layers and of the picture -> node */
} graph_reader;

static det_status read_attribute(json_object *attributes, const det_attribute *a, det_node *node,
                                 det_error *error)
{
    void *member = (char *)node + a->offset;
    switch (a->kind) {
    case DET_ATTRIBUTE_INT:
        return det_json_get_int(attributes, a->name, a->min, a->max, member, error);
    case DET_ATTRIBUTE_PAIR:
        return det_json_get_ints(attributes, a->name, a->min, a->max, member, 2, error);
    case DET_ATTRIBUTE_BOOL:
        return det_json_get_bool(attributes, a->name, member, error);
    default:
        return det_json_get_number(attributes, a->name, member, error);
    }
}

static det_status read_attributes(json_object *layer, det_node *node, det_error *error)
{
    json_object *attributes;
    det_status status = det_json_get(layer, "attributes", json_type_object, &attributes, error);
    node->groups = node->window.dilation_h = node->window.dilation_w = 1;
    for (const det_attribute *a = det_attributes; status == DET_OK && a->name; a++)
        if (a->ops >> node->op & 1)
            status = det_error_inside(error, "attributes", ".",
                                      read_attribute(attributes, a, node, error));
    return status;
}

static det_status read_op(json_object *layer, det_node *node, det_error *error)
{
    const char *name;
    const det_status status = det_json_get_text(layer, "op", &name, error);
    if (status < 0) return status;
    node->op = det_op_parse(name);
    if (node->op != DET_OP_COUNT) return DET_OK;
    det_fail(error, DET_UNSUPPORTED,
             "the operation '%s' is not known to this version; a newer one may run it", name);
    det_error_where(error, "op");
    return DET_UNSUPPORTED;
}

static det_status find_input(const graph_reader *reader, json_object *value, int *node,
                             det_error *error)
{
    if (!json_object_is_type(value, json_type_string))
        return det_fail(error, DET_FORMAT, "must be strings");
    const char *name = json_object_get_string(value);
    if (det_names_get(&reader->names, name, node)) return DET_OK;
    return det_fail(error, DET_FORMAT, "'%s' is neither the picture nor an earlier layer", name);
}

static det_status read_inputs(const graph_reader *reader, json_object *layer, det_node *node,
                              det_error *error)
{
    json_object *array;
    det_status status = det_json_get(layer, "inputs", json_type_array, &array, error);
    if (status < 0) return status;
    const size_t count = json_object_array_length(array);
    if (count == 0 || count > INT_MAX || (count > 1 && node->op != DET_OP_CONCAT)) {
        det_fail(error, DET_FORMAT, "%zu inputs do not suit the operation %s", count,
                 det_op_name(node->op));
        return det_error_inside(error, "inputs", ".", DET_FORMAT);
    }
    node->inputs = det_alloc_array(count, sizeof *node->inputs);
    if (!node->inputs) return det_fail_memory(error, "a layer");
    for (size_t i = 0; status == DET_OK && i < count; i++)
        status = find_input(reader, json_object_array_get_idx(array, i), &node->inputs[i], error);
    node->input_count = (int)count;
    return det_error_inside(error, "inputs", ".", status);
}

static det_status read_tensor(const graph_reader *reader, json_object *weights, const char *key,
                              bool required, det_weights *result, det_error *error)
{
    json_object *value;
    det_status status = required
                            ? det_json_get(weights, key, json_type_string, &value, error)
                            : det_json_get_optional(weights, key, json_type_string, &value, error);
    if (status < 0 || !value) return status;

    const char *name = json_object_get_string(value);
    const det_tensor *tensor = det_safetensors_find(reader->file, name);
    if (!tensor)
        return det_error_inside(error, key, ".",
                                det_fail(error, DET_FORMAT, "there is no tensor '%s'", name));
    if (strcmp(tensor->dtype, "F32") != 0)
        return det_error_inside(error, key, ".",
                                det_fail(error, DET_UNSUPPORTED,
                                         "tensor '%s' is %s; weights must be F32", name,
                                         tensor->dtype));
    if ((uintptr_t)tensor->data % sizeof(float) != 0)
        return det_error_inside(error, key, ".",
                                det_fail(error, DET_FORMAT,
                                         "tensor '%s' is not aligned to 4 bytes: pad the header",
                                         name));
    result->tensor = det_copy_string(name);
    if (!result->tensor) return det_fail_memory(error, "the name of a tensor");
    result->values = (const float *)(const void *)tensor->data;
    result->count = tensor->count;
    return DET_OK;
}

static det_status read_weights(const graph_reader *reader, json_object *layer, det_node *node,
                               det_error *error)
{
    if (node->op != DET_OP_CONVOLUTION && node->op != DET_OP_INNER_PRODUCT) return DET_OK;
    json_object *weights;
    det_status status = det_json_get(layer, "weights", json_type_object, &weights, error);
    if (status < 0) return status;
    status = read_tensor(reader, weights, "weight", true, &node->weights, error);
    if (status == DET_OK) status = read_tensor(reader, weights, "bias", false, &node->bias, error);
    return det_error_inside(error, "weights", ".", status);
}

static det_status copy_text(json_object *object, const char *key, bool required, char **copy,
                            det_error *error)
{
    json_object *value;
    const det_status status =
        required ? det_json_get(object, key, json_type_string, &value, error)
                 : det_json_get_optional(object, key, json_type_string, &value, error);
    if (status < 0 || !value) return status;
    *copy = det_copy_string(json_object_get_string(value));
    return *copy ? DET_OK : det_fail_memory(error, key);
}

/* The one output of a layer carries the layer's name. */
static det_status check_outputs(json_object *layer, const det_node *node, det_error *error)
{
    json_object *array;
    const det_status status = det_json_get(layer, "outputs", json_type_array, &array, error);
    if (status < 0) return status;
    const char *name = json_object_get_string(json_object_array_get_idx(array, 0));
    if (json_object_array_length(array) == 1 && name && strcmp(name, node->name) == 0)
        return DET_OK;
    return det_error_inside(
        error, "outputs", ".",
        det_fail(error, DET_FORMAT, "must be the layer's name, '%s', alone", node->name));
}

static det_status register_name(graph_reader *reader, const char *name, int node, det_error *error)
{
    int other;
    if (det_names_get(&reader->names, name, &other))
        return det_error_inside(error, "name", ".",
                                det_fail(error, DET_FORMAT, "'%s' is there twice", name));
    return det_names_set(&reader->names, name, node) ? DET_OK : det_fail_memory(error, "names");
}

static det_status read_node(graph_reader *reader, json_object *layer, int index, det_node *node,
                            det_error *error)
{
    if (!json_object_is_type(layer, json_type_object))
        return det_fail(error, DET_FORMAT, "must be an object");
    det_status status = copy_text(layer, "name", true, &node->name, error);
    if (status == DET_OK) status = copy_text(layer, "alias", false, &node->alias, error);
    if (status == DET_OK) status = read_op(layer, node, error);
    if (status == DET_OK) status = read_inputs(reader, layer, node, error);
    if (status == DET_OK) status = check_outputs(layer, node, error);
    if (status == DET_OK) status = read_attributes(layer, node, error);
    if (status == DET_OK) status = read_weights(reader, layer, node, error);
    return status < 0 ? status : register_name(reader, node->name, index, error);
}

/* ---- The graph ------------------------------------------------------------------------------ */

static det_status read_layers(graph_reader *reader, json_object *array, det_error *error)
{
    det_graph *graph = &reader->model->graph;
    const size_t count = json_object_array_length(array);
    if (count == 0 || count > max_layers)
        return det_error_inside(error, "graph", ".",
                                det_fail(error, count ? DET_LIMIT : DET_FORMAT,
                                         "%zu layers; 1 to %d are read", count, max_layers));
    graph->nodes = det_alloc_zeroed(count, sizeof *graph->nodes);
    if (!graph->nodes) return det_fail_memory(error, "the layers of a network");
    for (int i = 0; i < (int)count; i++) {
        graph->count = i + 1;
        const det_status status = read_node(reader, json_object_array_get_idx(array, (size_t)i), i,
                                            &graph->nodes[i], error);
        if (status < 0) {
            char place[32];
            snprintf(place, sizeof place, "graph[%d]", i);
            return det_error_inside(error, place, ".", status);
        }
    }
    return DET_OK;
}

static det_status infer_shapes(det_model *model, det_error *error)
{
    const det_status status = det_model_infer_shapes(model, error);
    if (status == DET_ARGUMENT && error) error->status = DET_FORMAT;
    return status == DET_ARGUMENT ? DET_FORMAT : status;
}

static det_status read_graph(const det_safetensors *file, det_model *model, det_error *error)
{
    json_object *array;
    det_status status = det_json_get(model->metadata, "graph", json_type_array, &array, error);
    if (status < 0) return status;
    graph_reader reader = {.file = file, .model = model};
    status = register_name(&reader, model->input_name, DET_PICTURE, error);
    if (status == DET_OK) status = read_layers(&reader, array, error);
    det_names_free(&reader.names);
    return status;
}

/* ---- Input, classes, outputs ---------------------------------------------------------------- */

static det_status copy_word(json_object *object, const char *key, const char *const *allowed,
                            char *word, size_t size, det_error *error)
{
    const char *text;
    const det_status status = det_json_get_text(object, key, &text, error);
    if (status < 0) return status;
    for (; *allowed; allowed++)
        if (strcmp(*allowed, text) == 0) {
            snprintf(word, size, "%s", text);
            return DET_OK;
        }
    return det_error_inside(error, key, ".",
                            det_fail(error, DET_UNSUPPORTED, "'%s' is not supported", text));
}

static det_status read_input(det_model *model, det_error *error)
{
    static const char *const orders[] = {"BGR", "RGB", NULL};
    static const char *const interpolations[] = {"bilinear", NULL};
    det_model_input *input = &model->input;
    json_object *object;
    det_status status = det_json_get(model->metadata, "input", json_type_object, &object, error);
    if (status < 0) return status;

    status = copy_text(object, "name", true, &model->input_name, error);
    if (status == DET_OK)
        status = det_json_get_int(object, "width", 1, max_side, &input->width, error);
    if (status == DET_OK)
        status = det_json_get_int(object, "height", 1, max_side, &input->height, error);
    if (status == DET_OK)
        status = copy_word(object, "channel_order", orders, input->channel_order,
                           sizeof input->channel_order, error);
    if (status == DET_OK) status = det_json_get_numbers(object, "mean", input->mean, 3, error);
    if (status == DET_OK) status = det_json_get_numbers(object, "scale", input->scale, 3, error);
    if (status == DET_OK)
        status = copy_word(object, "interpolation", interpolations, input->interpolation,
                           sizeof input->interpolation, error);
    if (status == DET_OK)
        status = det_json_get_int(object, "context_px", 0, max_side, &input->context_px, error);
    return det_error_inside(error, "input", ".", status);
}

static det_status read_synonyms(json_object *object, det_class *class, det_error *error)
{
    json_object *array;
    const det_status status =
        det_json_get_optional(object, "synonyms", json_type_array, &array, error);
    if (status < 0 || !array) return status;
    const size_t count = json_object_array_length(array);
    class->synonyms = det_alloc_zeroed(count, sizeof *class->synonyms);
    if (!class->synonyms) return det_fail_memory(error, "the names of a class");
    for (size_t i = 0; i < count; i++) {
        json_object *name = json_object_array_get_idx(array, i);
        if (!json_object_is_type(name, json_type_string))
            return det_error_inside(error, "synonyms", ".",
                                    det_fail(error, DET_FORMAT, "must be strings"));
        class->synonyms[i] = det_copy_string(json_object_get_string(name));
        if (!class->synonyms[i]) return det_fail_memory(error, "the names of a class");
        class->synonym_count = i + 1;
    }
    return DET_OK;
}

static det_status read_class(json_object *object, det_class *class, det_error *error)
{
    class->category_id = -1;
    if (!json_object_is_type(object, json_type_object))
        return det_fail(error, DET_FORMAT, "must be an object");
    json_object *id;
    det_status status = copy_text(object, "name", true, &class->name, error);
    if (status == DET_OK) status = copy_text(object, "synset", false, &class->synset, error);
    if (status == DET_OK) status = read_synonyms(object, class, error);
    if (status == DET_OK) status = det_json_get_optional(object, "id", json_type_int, &id, error);
    if (status < 0 || !id) return status;
    class->category_id = json_object_get_int64(id);
    if (class->category_id >= 0) return DET_OK;
    return det_error_inside(error, "id", ".",
                            det_fail(error, DET_FORMAT, "must not be negative, but is %lld",
                                     (long long)class->category_id));
}

static det_status read_classes(det_model *model, det_error *error)
{
    json_object *array;
    det_status status = det_json_get(model->metadata, "classes", json_type_array, &array, error);
    if (status < 0) return status;
    const size_t count = json_object_array_length(array);
    model->classes = det_alloc_zeroed(count, sizeof *model->classes);
    if (!model->classes) return det_fail_memory(error, "the classes");
    for (size_t i = 0; i < count; i++) {
        model->class_count = i + 1;
        status = read_class(json_object_array_get_idx(array, i), &model->classes[i], error);
        if (status < 0) {
            char place[40];
            snprintf(place, sizeof place, "classes[%zu]", i);
            return det_error_inside(error, place, ".", status);
        }
    }
    return DET_OK;
}

static det_status read_output(det_model *model, json_object *outputs, const char *key, int *node,
                              det_error *error)
{
    json_object *value;
    *node = DET_NO_NODE;
    const det_status status = det_json_get_optional(outputs, key, json_type_string, &value, error);
    if (status < 0 || !value) return status;
    const char *name = json_object_get_string(value);
    *node = det_graph_find(&model->graph, name);
    if (*node != DET_NO_NODE) return DET_OK;
    return det_error_inside(error, key, ".",
                            det_fail(error, DET_FORMAT, "there is no layer '%s'", name));
}

static det_status read_outputs(det_model *model, det_error *error)
{
    json_object *outputs;
    det_status status = det_json_get(model->metadata, "outputs", json_type_object, &outputs, error);
    if (status < 0) return status;
    status = read_output(model, outputs, "probabilities", &model->probabilities, error);
    if (status == DET_OK) status = read_output(model, outputs, "features", &model->features, error);
    if (status == DET_OK)
        status = read_output(model, outputs, "box_deltas", &model->box_deltas, error);
    if (status == DET_OK) status = read_output(model, outputs, "regions", &model->regions, error);
    if (status == DET_OK) status = read_output(model, outputs, "multibox", &model->multibox, error);
    return det_error_inside(error, "outputs", ".", status);
}

static det_status read_prior(json_object *corners, det_box *prior, det_error *error)
{
    float c[4];
    const det_status status = det_json_numbers(corners, c, 4, error);
    if (status == DET_OK) *prior = (det_box){c[0], c[1], c[2], c[3]};
    return status;
}

static det_status read_priors(det_model *model, det_error *error)
{
    json_object *array;
    det_status status =
        det_json_get_optional(model->metadata, "priors", json_type_array, &array, error);
    if (status < 0 || !array) return status;
    const size_t count = json_object_array_length(array);
    if (count > DET_PRIORS_MAX)
        return det_error_inside(
            error, "priors", ".",
            det_fail(error, DET_LIMIT, "%zu priors; at most %d are read", count, DET_PRIORS_MAX));
    model->priors = det_alloc_array(count, sizeof *model->priors);
    if (!model->priors) return det_fail_memory(error, "the priors");
    model->prior_count = count;
    for (size_t i = 0; i < count; i++) {
        status = read_prior(json_object_array_get_idx(array, i), &model->priors[i], error);
        if (status < 0) {
            char place[40];
            snprintf(place, sizeof place, "priors[%zu]", i);
            return det_error_inside(error, place, ".", status);
        }
    }
    return DET_OK;
}

static det_status read_background(det_model *model, det_error *error)
{
    json_object *value;
    model->background_index = -1;
    const det_status status =
        det_json_get_optional(model->metadata, "background_index", json_type_int, &value, error);
    if (status < 0 || !value) return status;
    return det_json_get_int(model->metadata, "background_index", 0, INT_MAX,
                            &model->background_index, error);
}

/* Rounded weights are there or not; the layer without them rounds its own. */
static det_status find_rounded(const det_safetensors *file, const det_node *node,
                               det_weight_width width, const int8_t **rounded, det_error *error)
{
    char *name = det_rounded_name(node, width);
    if (!name) return det_fail_memory(error, "the name of a tensor");
    const det_tensor *tensor = det_safetensors_find(file, name);
    det_free(name);
    if (!tensor) return DET_OK;
    if (strcmp(tensor->dtype, "I8") != 0 || tensor->count != node->weights.count) {
        det_fail(error, DET_FORMAT, "%zu values of type %s, not the %zu of the layer, of type I8",
                 tensor->count, tensor->dtype, node->weights.count);
        det_error_where(error, "tensor '%s'", tensor->name);
        return DET_FORMAT;
    }
    *rounded = (const int8_t *)tensor->data;
    return DET_OK;
}

static det_status read_rounded(const det_safetensors *file, det_model *model, det_error *error)
{
    det_status status = DET_OK;
    for (int i = 0; status == DET_OK && i < model->graph.count; i++) {
        det_layer_scales *layer = &model->quantization.layers[i];
        for (int width = 0; status == DET_OK && layer->weights && width < DET_WEIGHT_WIDTHS;
             width++)
            status = find_rounded(file, &model->graph.nodes[i], (det_weight_width)width,
                                  &layer->rounded[width], error);
    }
    return status;
}

static det_status read_quantization(const det_safetensors *file, det_model *model, det_error *error)
{
    json_object *object;
    det_status status =
        det_json_get_optional(model->metadata, "quantization", json_type_object, &object, error);
    if (status < 0 || !object) return status;
    status =
        det_quantization_read(object, &model->graph, model->shapes, &model->quantization, error);
    if (status < 0) return det_error_inside(error, "quantization", ".", status);
    return read_rounded(file, model, error);
}

/* An object that is kept as text, "{}" where there is none. */
static det_status read_text(const det_model *model, const char *key, char **copy, det_error *error)
{
    json_object *value;
    const det_status status =
        det_json_get_optional(model->metadata, key, json_type_object, &value, error);
    if (status < 0) return status;
    const char *text = value ? json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN) : "{}";
    *copy = text ? det_copy_string(text) : NULL;
    return *copy ? DET_OK : det_fail_memory(error, "what a model says of itself");
}

/* ---- The file ------------------------------------------------------------------------------- */

static det_status fail_metadata(det_error *error, det_status status, const char *key)
{
    char place[64];
    snprintf(place, sizeof place, "__metadata__.%s", key);
    return det_error_inside(error, place, ", ", status);
}

static det_status check_format(const det_safetensors *file, det_error *error)
{
    const char *format = det_safetensors_metadata(file, "format");
    const char *version = det_safetensors_metadata(file, "format_version");
    if (!format || strcmp(format, "detect-model") != 0)
        return fail_metadata(error,
                             det_fail(error, DET_FORMAT,
                                      "is %s%s%s, not 'detect-model': a safetensors file, but not "
                                      "a model of this program",
                                      format ? "'" : "", format ? format : "missing",
                                      format ? "'" : ""),
                             "format");
    int number = 0, length = 0;
    if (!version || sscanf(version, "%9d%n", &number, &length) != 1 || version[length] ||
        number < 1)
        return fail_metadata(
            error, det_fail(error, DET_FORMAT, "'%s' is not a version", version ? version : ""),
            "format_version");
    if (number > DET_MODEL_FORMAT_VERSION)
        return fail_metadata(error,
                             det_fail(error, DET_UNSUPPORTED,
                                      "version %d is newer than %d, the newest this program reads; "
                                      "a newer one is needed",
                                      number, DET_MODEL_FORMAT_VERSION),
                             "format_version");
    return DET_OK;
}

static det_status read_digest(const det_safetensors *file, det_model *model, det_error *error)
{
    const char *digest = det_safetensors_metadata(file, "digest");
    if (digest && strncmp(digest, "xxh3-128:", 9) == 0 && strlen(digest) == 9 + 32) {
        strcpy(model->digest, digest);
        return DET_OK;
    }
    return fail_metadata(error,
                         det_fail(error, DET_FORMAT, "'%.64s' is not 'xxh3-128:' and 32 digits",
                                  digest ? digest : ""),
                         "digest");
}

static det_status read_metadata(const det_safetensors *file, det_model *model, det_error *error)
{
    const char *text = det_safetensors_metadata(file, "model");
    if (!text) return fail_metadata(error, det_fail(error, DET_FORMAT, "is missing"), "model");
    det_status status = det_json_parse(text, strlen(text), &model->metadata, error);
    if (status < 0) return fail_metadata(error, status, "model");
    if (json_object_is_type(model->metadata, json_type_object)) return DET_OK;
    return fail_metadata(error, det_fail(error, DET_FORMAT, "is not a JSON object"), "model");
}

det_status det_model_read(const det_safetensors *file, det_model *model, det_error *error)
{
    det_status status = check_format(file, error);
    if (status == DET_OK) status = read_digest(file, model, error);
    if (status == DET_OK) status = read_metadata(file, model, error);
    if (status < 0) return status;

    status = read_input(model, error);
    if (status == DET_OK) status = read_graph(file, model, error);
    if (status == DET_OK) status = read_classes(model, error);
    if (status == DET_OK) status = read_background(model, error);
    if (status == DET_OK) status = read_outputs(model, error);
    if (status == DET_OK) status = read_priors(model, error);
    if (status == DET_OK) status = read_text(model, "provenance", &model->provenance, error);
    if (status == DET_OK) status = read_text(model, "settings", &model->settings, error);
    if (status < 0) return det_error_inside(error, "model", ".", status);

    status = infer_shapes(model, error); /* says the layer, so "model." would not help */
    if (status < 0) return status;
    status = det_model_check_outputs(model, error);
    if (status == DET_OK) status = read_quantization(file, model, error);
    return det_error_inside(error, "model", ".", status);
}
