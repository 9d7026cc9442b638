/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a .caffemodel, a NetParameter message. Its layers are found by our own walk and unpacked
 * one by one, so that a fault can be told by layer and byte; both formats of layers become one. */
#include "src/nn/caffe_file.h"

#include "src/base/memory.h"
#include "src/base/text.h"
#include "src/nn/protobuf_walk.h"

#include <stdio.h>
#include <string.h>

enum { field_old_layers = 2, field_layer = 100, max_layers = 65536 };

/* Types of layers; `old` is the value of V1LayerParameter.LayerType, -1 where it has none. */
static const struct {
    const char *name;
    int old;
    det_caffe_role role;
} types[] = {
    {"Convolution", 4, DET_CAFFE_LAYER},
    {"ReLU", 18, DET_CAFFE_LAYER},
    {"Pooling", 17, DET_CAFFE_LAYER},
    {"LRN", 15, DET_CAFFE_LAYER},
    {"Concat", 3, DET_CAFFE_LAYER},
    {"Dropout", 6, DET_CAFFE_LAYER},
    {"InnerProduct", 14, DET_CAFFE_LAYER},
    {"Softmax", 20, DET_CAFFE_LAYER},
    {"Split", 22, DET_CAFFE_SPLIT},
    {"Input", -1, DET_CAFFE_INPUT},
    {"Data", 5, DET_CAFFE_INPUT},
    {"DummyData", 32, DET_CAFFE_INPUT},
    {"HDF5Data", 9, DET_CAFFE_INPUT},
    {"ImageData", 12, DET_CAFFE_INPUT},
    {"MemoryData", 29, DET_CAFFE_INPUT},
    {"WindowData", 24, DET_CAFFE_INPUT},
    {"Accuracy", 1, DET_CAFFE_TRAINING},
    {"ArgMax", 30, DET_CAFFE_TRAINING},
    {"ContrastiveLoss", 37, DET_CAFFE_TRAINING},
    {"EuclideanLoss", 7, DET_CAFFE_TRAINING},
    {"HDF5Output", 10, DET_CAFFE_TRAINING},
    {"HingeLoss", 28, DET_CAFFE_TRAINING},
    {"InfogainLoss", 13, DET_CAFFE_TRAINING},
    {"MultinomialLogisticLoss", 16, DET_CAFFE_TRAINING},
    {"SigmoidCrossEntropyLoss", 27, DET_CAFFE_TRAINING},
    {"Silence", 36, DET_CAFFE_TRAINING},
    {"SoftmaxWithLoss", 21, DET_CAFFE_TRAINING},
    {"AbsVal", 35, DET_CAFFE_UNSUPPORTED},
    {"BNLL", 2, DET_CAFFE_UNSUPPORTED},
    {"Deconvolution", 39, DET_CAFFE_UNSUPPORTED},
    {"Eltwise", 25, DET_CAFFE_UNSUPPORTED},
    {"Exp", 38, DET_CAFFE_UNSUPPORTED},
    {"Flatten", 8, DET_CAFFE_UNSUPPORTED},
    {"Im2col", 11, DET_CAFFE_UNSUPPORTED},
    {"MVN", 34, DET_CAFFE_UNSUPPORTED},
    {"Power", 26, DET_CAFFE_UNSUPPORTED},
    {"Sigmoid", 19, DET_CAFFE_UNSUPPORTED},
    {"Slice", 33, DET_CAFFE_UNSUPPORTED},
    {"TanH", 23, DET_CAFFE_UNSUPPORTED},
    {"Threshold", 31, DET_CAFFE_UNSUPPORTED},
};
enum { type_count = sizeof types / sizeof *types };

void det_caffe_list_types(char *text, size_t size)
{
    size_t length = 0;
    *text = '\0';
    for (int i = 0; i < type_count && length < size; i++)
        if (types[i].role < DET_CAFFE_TRAINING)
            length += (size_t)snprintf(text + length, size - length, "%s%s", length ? ", " : "",
                                       types[i].name);
}

static det_caffe_role role_of(const char *type)
{
    for (int i = 0; i < type_count; i++)
        if (strcmp(types[i].name, type) == 0) return types[i].role;
    return DET_CAFFE_UNSUPPORTED;
}

static const char *old_type_name(int type)
{
    for (int i = 0; i < type_count; i++)
        if (types[i].old == type) return types[i].name;
    return "";
}

det_status det_caffe_place(const det_caffe_layer *layer, det_status status, det_error *error)
{
    if (status == DET_OK) return status;
    det_error_where(error, "byte %zu", layer->offset);
    if (!layer->name) return status;
    char place[160];
    snprintf(place, sizeof place, "layer '%.140s'", layer->name);
    return det_error_inside(error, place, ", ", status);
}

/* ---- One layer ------------------------------------------------------------------------------ */

/* The two messages name their common fields alike, in a different order. */
#define TAKE_COMMON(layer, m)                                                                      \
    do {                                                                                           \
        (layer)->name = (m)->name;                                                                 \
        (layer)->bottoms = (m)->bottom, (layer)->bottom_count = (m)->n_bottom;                     \
        (layer)->tops = (m)->top, (layer)->top_count = (m)->n_top;                                 \
        (layer)->blobs = (m)->blobs, (layer)->blob_count = (m)->n_blobs;                           \
        (layer)->include = (m)->include, (layer)->include_count = (m)->n_include;                  \
        (layer)->exclude = (m)->exclude, (layer)->exclude_count = (m)->n_exclude;                  \
        (layer)->concat = (m)->concat_param;                                                       \
        (layer)->convolution = (m)->convolution_param;                                             \
        (layer)->dropout = (m)->dropout_param;                                                     \
        (layer)->dummy_data = (m)->dummy_data_param;                                               \
        (layer)->inner_product = (m)->inner_product_param;                                         \
        (layer)->lrn = (m)->lrn_param;                                                             \
        (layer)->pooling = (m)->pooling_param;                                                     \
        (layer)->relu = (m)->relu_param;                                                           \
        (layer)->softmax = (m)->softmax_param;                                                     \
        (layer)->transform = (m)->transform_param;                                                 \
    } while (0)

static void take_new_layer(det_caffe_layer *layer)
{
    const DetCaffe__LayerParameter *message = (const DetCaffe__LayerParameter *)layer->message;
    TAKE_COMMON(layer, message);
    layer->type = message->type ? message->type : "";
    layer->input = message->input_param;
}

static void take_old_layer(det_caffe_layer *layer)
{
    const DetCaffe__V1LayerParameter *message = (const DetCaffe__V1LayerParameter *)layer->message;
    TAKE_COMMON(layer, message);
    layer->type = old_type_name(message->type);
}

/* Layers without a name are called after their output. */
static void complete_layer(det_caffe_layer *layer)
{
    if ((!layer->name || !*layer->name) && layer->top_count > 0) layer->name = layer->tops[0];
    if (!layer->name) layer->name = "";
    layer->role = role_of(layer->type);
}

/* The name of a layer that may be damaged further on, for the error. */
static bool find_name(const det_protobuf_field *field, uint32_t number, char *name, size_t size)
{
    det_protobuf_cursor cursor = {.bytes = field->data, .size = field->size};
    det_protobuf_field inner;
    while (cursor.at < cursor.size && det_protobuf_next(&cursor, &inner, NULL) == DET_OK) {
        if (inner.number != number) continue;
        snprintf(name, size, "%.*s", (int)inner.size, (const char *)inner.data);
        return inner.wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    }
    return false;
}

static det_status read_layer(const det_protobuf_field *field, bool old_format,
                             det_caffe_layer *layer, det_error *error)
{
    const ProtobufCMessageDescriptor *descriptor = old_format
                                                       ? &det_caffe__v1_layer_parameter__descriptor
                                                       : &det_caffe__layer_parameter__descriptor;
    enum { new_name_field = 1, old_name_field = 4 };
    *layer = (det_caffe_layer){.offset = field->offset};

    det_status status =
        det_protobuf_check(descriptor, field->data, field->size, field->data_offset, error);
    if (status == DET_OK)
        status = det_protobuf_unpack(descriptor, field->data, field->size, &layer->message, error);
    if (status < 0) {
        char name[96];
        if (find_name(field, old_format ? old_name_field : new_name_field, name, sizeof name))
            layer->name = name;
        det_caffe_place(layer, status, error);
        layer->name = NULL;
        return status;
    }
    if (old_format)
        take_old_layer(layer);
    else
        take_new_layer(layer);
    complete_layer(layer);
    return DET_OK;
}

/* ---- The network ---------------------------------------------------------------------------- */

typedef struct net_reader {
    det_caffe_net *net;
    size_t capacity;
    det_text header; /* the fields that are not layers, as they were in the file */
} net_reader;

static det_status add_layer(net_reader *reader, const det_protobuf_field *field, det_error *error)
{
    det_caffe_net *net = reader->net;
    const bool old_format = field->number == field_old_layers;
    if (net->count > 0 && net->old_format != old_format) {
        det_fail(error, DET_FORMAT, "the file mixes the formats `layer` and `layers`");
        det_error_where(error, "byte %zu", field->offset);
        return DET_FORMAT;
    }
    if (net->count == max_layers)
        return det_fail(error, DET_LIMIT, "more than %d layers", max_layers);
    if (!det_grow_array(&net->layers, &reader->capacity, net->count + 1, sizeof *net->layers))
        return det_fail_memory(error, "the layers of a network");
    net->old_format = old_format;
    const det_status status = read_layer(field, old_format, &net->layers[net->count], error);
    if (status == DET_OK) net->count++;
    return status;
}

static det_status read_field(net_reader *reader, det_protobuf_cursor *cursor, det_error *error)
{
    det_protobuf_field field;
    det_status status = det_protobuf_next(cursor, &field, error);
    if (status < 0) return status;

    const bool is_layer = field.number == field_layer || field.number == field_old_layers;
    if (is_layer && field.wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
        return add_layer(reader, &field, error);

    const ProtobufCMessageDescriptor *descriptor = &det_caffe__net_parameter__descriptor;
    status = det_protobuf_check_field(descriptor, &field, error);
    if (status == DET_OK && protobuf_c_message_descriptor_get_field(descriptor, field.number))
        det_text_append(&reader->header, (const char *)cursor->bytes + field.begin,
                        field.end - field.begin);
    return status;
}

static det_status read_fields(net_reader *reader, det_protobuf_cursor cursor, det_error *error)
{
    while (cursor.at < cursor.size) {
        const det_status status = read_field(reader, &cursor, error);
        if (status < 0) return status;
    }
    if (reader->header.failed) return det_fail_memory(error, "the header of a network");
    if (reader->net->count == 0)
        return det_fail(error, DET_FORMAT,
                        "there are no layers in these %zu bytes: a .caffemodel holds them in field "
                        "100 (`layer`) or 2 (`layers`)",
                        cursor.size);
    ProtobufCMessage *message;
    const det_status status = det_protobuf_unpack(&det_caffe__net_parameter__descriptor,
                                                  (const uint8_t *)reader->header.data,
                                                  reader->header.length, &message, error);
    if (status == DET_OK) reader->net->net = (DetCaffe__NetParameter *)message;
    return status;
}

det_status det_caffe_read(const uint8_t *bytes, size_t size, det_caffe_net *net, det_error *error)
{
    *net = (det_caffe_net){0};
    net_reader reader = {.net = net};
    const det_status status =
        read_fields(&reader, (det_protobuf_cursor){.bytes = bytes, .size = size}, error);
    det_text_free(&reader.header);
    if (status < 0) det_caffe_free(net);
    return status;
}

void det_caffe_free(det_caffe_net *net)
{
    for (size_t i = 0; i < net->count; i++) det_protobuf_free(net->layers[i].message);
    det_free(net->layers);
    det_protobuf_free((ProtobufCMessage *)net->net);
    *net = (det_caffe_net){0};
}
