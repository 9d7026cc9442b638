/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/support_caffe.h"

#include <string.h>

enum { wire_varint = 0, wire_bytes = 2, wire_float = 5 };

/* ---- Wire format ---------------------------------------------------------------------------- */

void test_wire_varint(det_text *text, uint64_t value)
{
    do {
        const char byte = (char)((value & 0x7F) | (value > 0x7F ? 0x80 : 0));
        det_text_append(text, &byte, 1);
        value >>= 7;
    } while (value > 0);
    assert_false(text->failed);
}

void test_wire_number(det_text *text, unsigned field, uint64_t value)
{
    test_wire_varint(text, field << 3 | wire_varint);
    test_wire_varint(text, value);
}

void test_wire_float(det_text *text, unsigned field, float value)
{
    test_wire_varint(text, field << 3 | wire_float);
    det_text_append(text, (const char *)&value, sizeof value);
}

void test_wire_bytes(det_text *text, unsigned field, const void *bytes, size_t size)
{
    test_wire_varint(text, field << 3 | wire_bytes);
    test_wire_varint(text, size);
    det_text_append(text, bytes, size);
}

void test_wire_string(det_text *text, unsigned field, const char *string)
{
    test_wire_bytes(text, field, string, strlen(string));
}

void test_wire_message(det_text *text, unsigned field, det_text *inner)
{
    test_wire_bytes(text, field, inner->data, inner->length);
    det_text_free(inner);
}

/* ---- Layers --------------------------------------------------------------------------------- */

unsigned test_caffe_field(test_caffe_part part, bool old_format)
{
    static const unsigned numbers[][2] = {
        [TEST_CAFFE_NAME] = {1, 4},       [TEST_CAFFE_TYPE] = {2, 5},
        [TEST_CAFFE_BOTTOM] = {3, 2},     [TEST_CAFFE_TOP] = {4, 3},
        [TEST_CAFFE_BLOBS] = {7, 6},      [TEST_CAFFE_INCLUDE] = {8, 32},
        [TEST_CAFFE_EXCLUDE] = {9, 33},   [TEST_CAFFE_TRANSFORM] = {100, 36},
        [TEST_CAFFE_CONCAT] = {104, 9},   [TEST_CAFFE_CONVOLUTION] = {106, 10},
        [TEST_CAFFE_DROPOUT] = {108, 12}, [TEST_CAFFE_INNER_PRODUCT] = {117, 17},
        [TEST_CAFFE_LRN] = {118, 18},     [TEST_CAFFE_POOLING] = {121, 19},
        [TEST_CAFFE_RELU] = {123, 30},    [TEST_CAFFE_SOFTMAX] = {125, 39},
    };
    return numbers[part][old_format];
}

static void add_words(det_text *text, unsigned field, const char *words)
{
    while (*words) {
        const size_t length = strcspn(words, " ");
        test_wire_bytes(text, field, words, length);
        words += length + (words[length] == ' ');
    }
}

det_text test_caffe_layer(const char *name, const char *type, int old_type, const char *bottoms,
                          const char *tops)
{
    const bool old_format = old_type >= 0;
    det_text layer = {0};
    test_wire_string(&layer, test_caffe_field(TEST_CAFFE_NAME, old_format), name);
    if (old_format)
        test_wire_number(&layer, test_caffe_field(TEST_CAFFE_TYPE, true), (uint64_t)old_type);
    else
        test_wire_string(&layer, test_caffe_field(TEST_CAFFE_TYPE, false), type);
    add_words(&layer, test_caffe_field(TEST_CAFFE_BOTTOM, old_format), bottoms);
    add_words(&layer, test_caffe_field(TEST_CAFFE_TOP, old_format), tops);
    return layer;
}

void test_caffe_add(det_text *network, bool old_format, det_text *layer)
{
    test_wire_message(network, old_format ? 2 : 100, layer);
}

det_text test_caffe_blob(const float *values, size_t count, const int64_t *shape, int dimensions,
                         bool old_format)
{
    det_text blob = {0}, packed = {0};
    for (int i = 0; old_format && i < 4; i++) {
        const int from = i - (4 - dimensions);
        test_wire_number(&blob, (unsigned)i + 1, from < 0 ? 1 : (uint64_t)shape[from]);
    }
    test_wire_bytes(&blob, 5, values, count * sizeof *values);
    if (old_format) return blob;
    for (int i = 0; i < dimensions; i++) test_wire_varint(&packed, (uint64_t)shape[i]);
    det_text message = {0};
    test_wire_message(&message, 1, &packed);
    test_wire_message(&blob, 7, &message);
    return blob;
}

/* ---- A whole model -------------------------------------------------------------------------- */

typedef struct exporter {
    const det_model *model;
    bool old_format;
} exporter;

/* The blob that holds a node's output. */
static const char *blob_of(const det_model *model, int node)
{
    while (node >= 0 && (model->graph.nodes[node].op == DET_OP_RELU ||
                         model->graph.nodes[node].op == DET_OP_DROPOUT))
        node = model->graph.nodes[node].inputs[0];
    return node < 0 ? model->input_name : model->graph.nodes[node].name;
}

static void add_part(const exporter *e, det_text *layer, test_caffe_part part, det_text *message)
{
    test_wire_message(layer, test_caffe_field(part, e->old_format), message);
}

static void add_blobs(const exporter *e, det_text *layer, const det_node *node)
{
    const det_window *w = &node->window;
    const int64_t rows = node->channels, columns = (int64_t)node->weights.count / rows;
    const int64_t area = (int64_t)w->kernel_h * w->kernel_w;
    const int64_t kernels[] = {rows, area ? columns / area : 0, w->kernel_h, w->kernel_w};
    const int64_t matrix[] = {rows, columns};
    const bool convolution = node->op == DET_OP_CONVOLUTION;
    det_text weights =
        test_caffe_blob(node->weights.values, node->weights.count, convolution ? kernels : matrix,
                        convolution ? 4 : 2, e->old_format);
    det_text biases = test_caffe_blob(node->bias.values, node->bias.count, &rows, 1, e->old_format);
    add_part(e, layer, TEST_CAFFE_BLOBS, &weights);
    add_part(e, layer, TEST_CAFFE_BLOBS, &biases);
}

static void add_convolution(const exporter *e, det_text *layer, const det_node *node)
{
    det_text p = {0};
    test_wire_number(&p, 1, (uint64_t)node->channels);
    test_wire_number(&p, 3, (uint64_t)node->window.pad_h);
    test_wire_number(&p, 4, (uint64_t)node->window.kernel_h);
    test_wire_number(&p, 6, (uint64_t)node->window.stride_h);
    add_part(e, layer, TEST_CAFFE_CONVOLUTION, &p);
    add_blobs(e, layer, node);
}

static void add_pool(const exporter *e, det_text *layer, const det_node *node)
{
    det_text p = {0};
    test_wire_number(&p, 1, node->op == DET_OP_AVERAGE_POOL);
    if (node->global)
        test_wire_number(&p, 12, 1);
    else
        test_wire_number(&p, 2, (uint64_t)node->window.kernel_h);
    test_wire_number(&p, 3, (uint64_t)node->window.stride_h);
    add_part(e, layer, TEST_CAFFE_POOLING, &p);
}

static void add_parameters(const exporter *e, det_text *layer, const det_node *node)
{
    det_text p = {0};
    switch (node->op) {
    case DET_OP_CONVOLUTION:
        add_convolution(e, layer, node);
        break;
    case DET_OP_MAX_POOL:
    case DET_OP_AVERAGE_POOL:
        add_pool(e, layer, node);
        break;
    case DET_OP_LRN:
        test_wire_number(&p, 1, (uint64_t)node->local_size);
        test_wire_float(&p, 2, node->alpha);
        test_wire_float(&p, 3, node->beta);
        test_wire_float(&p, 5, node->k);
        add_part(e, layer, TEST_CAFFE_LRN, &p);
        break;
    case DET_OP_DROPOUT:
        test_wire_float(&p, 1, node->ratio);
        add_part(e, layer, TEST_CAFFE_DROPOUT, &p);
        break;
    case DET_OP_INNER_PRODUCT:
        test_wire_number(&p, 1, (uint64_t)node->channels);
        add_part(e, layer, TEST_CAFFE_INNER_PRODUCT, &p);
        add_blobs(e, layer, node);
        break;
    default:
        break;
    }
}

static det_text export_node(const exporter *e, int index)
{
    static const struct {
        const char *type;
        int old_type;
    } types[] = {
        [DET_OP_CONVOLUTION] = {"Convolution", 4},
        [DET_OP_RELU] = {"ReLU", 18},
        [DET_OP_MAX_POOL] = {"Pooling", 17},
        [DET_OP_AVERAGE_POOL] = {"Pooling", 17},
        [DET_OP_LRN] = {"LRN", 15},
        [DET_OP_CONCAT] = {"Concat", 3},
        [DET_OP_DROPOUT] = {"Dropout", 6},
        [DET_OP_INNER_PRODUCT] = {"InnerProduct", 14},
        [DET_OP_SOFTMAX] = {"Softmax", 20},
        [DET_OP_SIGMOID] = {"Sigmoid", 19},
    };
    const det_node *node = &e->model->graph.nodes[index];
    det_text bottoms = {0};
    for (int i = 0; i < node->input_count; i++) {
        if (i > 0) det_text_add(&bottoms, " ");
        det_text_add(&bottoms, blob_of(e->model, node->inputs[i]));
    }
    det_text layer = test_caffe_layer(node->name, types[node->op].type,
                                      e->old_format ? types[node->op].old_type : -1, bottoms.data,
                                      blob_of(e->model, index));
    add_parameters(e, &layer, node);
    det_text_free(&bottoms);
    return layer;
}

static void add_input(const exporter *e, det_text *bytes)
{
    const det_model_input *input = &e->model->input;
    const uint64_t sides[] = {10, 3, (uint64_t)input->height, (uint64_t)input->width};
    if (e->old_format) {
        test_wire_string(bytes, 3, e->model->input_name);
        for (int i = 0; i < 4; i++) test_wire_number(bytes, 4, sides[i]);
        return;
    }
    det_text shape = {0}, parameter = {0};
    for (int i = 0; i < 4; i++) test_wire_number(&shape, 1, sides[i]); /* not packed */
    test_wire_message(&parameter, 1, &shape);
    det_text layer = test_caffe_layer("input", "Input", -1, "", e->model->input_name);
    test_wire_message(&layer, 143, &parameter);
    test_caffe_add(bytes, false, &layer);
}

void test_caffe_model(const det_model *model, bool old_format, det_text *bytes, size_t *ends)
{
    const exporter e = {model, old_format};
    test_wire_string(bytes, 1, "made by a test");
    add_input(&e, bytes);
    for (int i = 0; i < model->graph.count; i++) {
        det_text layer = export_node(&e, i);
        test_caffe_add(bytes, old_format, &layer);
        if (ends) ends[i] = bytes->length;
    }
}
