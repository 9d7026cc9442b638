/* SPDX-License-Identifier: Apache-2.0 */
/* Model files as the rest of the library sees them: opened by memory mapping, shared by reference
 * counting, asked for their layers and classes. */
#include "src/base/memory.h"
#include "src/base/text.h"
#include "src/nn/model_file.h"

#include <string.h>

/* ---- Opening and sharing -------------------------------------------------------------------- */

static void free_class(det_class *class)
{
    for (size_t i = 0; i < class->synonym_count; i++) det_free(class->synonyms[i]);
    det_free(class->synonyms);
    det_free(class->name);
    det_free(class->synset);
}

void det_model_free_contents(det_model *model)
{
    for (size_t i = 0; i < model->class_count; i++) free_class(&model->classes[i]);
    det_free(model->classes);
    det_quantization_free(&model->quantization);
    det_graph_free(&model->graph);
    det_free(model->shapes);
    det_free(model->priors);
    det_free(model->input_name);
    det_free(model->provenance);
    det_free(model->settings);
    det_free(model->path);
    if (model->metadata) json_object_put(model->metadata);
    det_bytes_free(&model->file);
    *model = (det_model){0};
}

static det_status check_digest(const det_model *model, const det_safetensors *file,
                               det_error *error)
{
    char found[DET_DIGEST_SIZE];
    const void *data = file->data;
    if (!det_digest(&data, &file->data_size, 1, found)) return det_fail_memory(error, "a digest");
    if (strcmp(found, model->digest) == 0) return DET_OK;
    det_fail(error, DET_FORMAT,
             "the weights are damaged: their digest is %s, but the file says %s; fetch or import "
             "the model again",
             found, model->digest);
    det_error_where(error, "byte %zu", file->data_offset);
    return DET_FORMAT;
}

det_status det_model_open_bytes(const uint8_t *bytes, size_t size, det_model *model,
                                det_safetensors *file, det_error *error)
{
    det_status status = det_safetensors_parse(bytes, size, file, error);
    if (status == DET_OK) status = det_model_read(file, model, error);
    if (status == DET_OK) status = check_digest(model, file, error);
    return status;
}

/* Opens a model into `model` {0}; on failure it holds what there is to free. */
static det_status open_file(const char *path, det_model *model, det_safetensors *file,
                            det_error *error)
{
    model->path = det_copy_string(path);
    if (!model->path) return det_fail_memory(error, "a model");
    det_status status = det_file_map(path, &model->file, error);
    if (status == DET_OK)
        status = det_model_open_bytes(model->file.data, model->file.size, model, file, error);
    return det_error_file(error, path, status);
}

det_status det_model_infer_shapes(det_model *model, det_error *error)
{
    model->shapes = det_alloc_array((size_t)model->graph.count, sizeof *model->shapes);
    if (!model->shapes) return det_fail_memory(error, "the shapes of a network");
    const det_shape picture = {3, model->input.height, model->input.width};
    return det_graph_infer(&model->graph, DET_PICTURE, picture, model->shapes, error);
}

det_status det_model_open(const char *path, det_model **model, det_error *error)
{
    *model = NULL;
    det_model *opened = det_alloc_zeroed(1, sizeof *opened);
    if (!opened) return det_error_file(error, path, det_fail_memory(error, "a model"));
    atomic_init(&opened->references, 1);

    det_safetensors file = {0};
    const det_status status = open_file(path, opened, &file, error);
    det_safetensors_free(&file);
    if (status < 0)
        det_model_free(opened);
    else
        *model = opened;
    return status;
}

det_model *det_model_share(det_model *model)
{
    atomic_fetch_add(&model->references, 1);
    return model;
}

void det_model_free(det_model *model)
{
    if (!model || atomic_fetch_sub(&model->references, 1) > 1) return;
    det_model_free_contents(model);
    det_free(model);
}

det_status det_model_verify(const char *path, det_error *error)
{
    det_model model = {0};
    det_safetensors file = {0};
    det_status status = open_file(path, &model, &file, error);
    if (status == DET_OK)
        status = det_error_file(error, path, det_model_verify_contents(&model, &file, error));
    det_safetensors_free(&file);
    det_model_free_contents(&model);
    return status;
}

/* ---- Questions ------------------------------------------------------------------------------ */

const char *det_model_path(const det_model *model)
{
    return model->path;
}

const char *det_model_digest(const det_model *model)
{
    return model->digest;
}

_Static_assert((int)DET_MODEL_DIGEST_SIZE == (int)DET_DIGEST_SIZE, "what callers make room for");

det_status det_model_file_digest(const det_model *model, char text[DET_MODEL_DIGEST_SIZE],
                                 det_error *error)
{
    const void *const bytes = model->file.data;
    if (det_digest(&bytes, &model->file.size, 1, text)) return DET_OK;
    return det_error_file(error, model->path, det_fail_memory(error, "a digest"));
}

const det_model_input *det_model_get_input(const det_model *model)
{
    return &model->input;
}

size_t det_model_class_count(const det_model *model)
{
    return model->class_count;
}

const char *det_model_class_name(const det_model *model, size_t class_id)
{
    return class_id < model->class_count ? model->classes[class_id].name : "";
}

int64_t det_model_class_category(const det_model *model, size_t class_id)
{
    return class_id < model->class_count ? model->classes[class_id].category_id : -1;
}

static bool has_synonym(const det_class *class, const char *name)
{
    for (size_t i = 0; i < class->synonym_count; i++)
        if (det_text_equal_fold(class->synonyms[i], name)) return true;
    return false;
}

int64_t det_model_find_class(const det_model *model, const char *name)
{
    for (size_t i = 0; i < model->class_count; i++)
        if (det_text_equal_fold(model->classes[i].name, name)) return (int64_t)i;
    for (size_t i = 0; i < model->class_count; i++)
        if (has_synonym(&model->classes[i], name)) return (int64_t)i;
    return -1;
}

size_t det_model_layer_count(const det_model *model)
{
    return (size_t)model->graph.count;
}

static void copy_shape(int64_t sides[3], det_shape shape)
{
    sides[0] = shape.channels;
    sides[1] = shape.height;
    sides[2] = shape.width;
}

det_status det_model_layer(const det_model *model, size_t index, det_layer_info *info)
{
    if (index >= (size_t)model->graph.count) return DET_ARGUMENT;
    const det_node *node = &model->graph.nodes[index];
    const int first = node->inputs[0];
    const det_shape in = first == DET_PICTURE
                             ? (det_shape){3, model->input.height, model->input.width}
                             : model->shapes[first];
    *info = (det_layer_info){
        .name = node->name,
        .op = det_op_name(node->op),
        .parameters = node->weights.count + node->bias.count,
        .weighted = det_node_is_weighted(node),
        .integer = model->quantization.layers &&
                   det_layer_is_integer(&model->quantization.layers[index],
                                        det_weight_width_of(det_integer_weight_bits())),
        .macs = det_node_macs(node, in, model->shapes[index])};
    copy_shape(info->input, in);
    copy_shape(info->output, model->shapes[index]);
    return DET_OK;
}

static int output_node(const det_model *model, det_model_role role)
{
    switch (role) {
    case DET_ROLE_PROBABILITIES:
        return model->probabilities;
    case DET_ROLE_FEATURES:
        return model->features;
    case DET_ROLE_BOX_DELTAS:
        return model->box_deltas;
    case DET_ROLE_REGIONS:
        return model->regions;
    case DET_ROLE_MULTIBOX:
        return model->multibox;
    default:
        return DET_NO_NODE;
    }
}

const char *det_model_output(const det_model *model, det_model_role role)
{
    const int node = output_node(model, role);
    return node >= 0 ? model->graph.nodes[node].name : NULL;
}

size_t det_model_prior_count(const det_model *model)
{
    return model->prior_count;
}

det_box det_model_prior(const det_model *model, size_t index)
{
    return index < model->prior_count ? model->priors[index] : (det_box){0};
}

const char *det_model_provenance(const det_model *model)
{
    return model->provenance;
}

const char *det_model_settings(const det_model *model)
{
    return model->settings;
}

bool det_model_is_calibrated(const det_model *model)
{
    return model->quantization.layers;
}

size_t det_model_agreement_count(const det_model *model)
{
    return model->quantization.agreement_count;
}

const det_agreement *det_model_agreement(const det_model *model, size_t index)
{
    return &model->quantization.agreements[index];
}
