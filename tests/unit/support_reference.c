/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/support_reference.h"

#include "src/base/memory.h"
#include "src/base/random.h"
#include "tests/unit/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

float *test_random_values(size_t count, uint64_t seed)
{
    det_random random = det_random_create(seed, 1);
    float *values = det_alloc_array(count, sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++) values[i] = (float)(det_random_double(&random) * 2 - 1);
    return values;
}

test_sketch test_sketch_create(int height, int width)
{
    det_model *model = det_alloc_zeroed(1, sizeof *model);
    assert_non_null(model);
    atomic_init(&model->references, 1);
    model->path = det_copy_string("sketch");
    model->input = (det_model_input){.width = width,
                                     .height = height,
                                     .channel_order = "BGR",
                                     .scale = {1, 1, 1},
                                     .interpolation = "bilinear"};
    model->input_name = det_copy_string("data");
    model->background_index = -1;
    model->probabilities = model->features = DET_NO_NODE;
    model->box_deltas = model->regions = model->multibox = DET_NO_NODE;
    return (test_sketch){.model = model};
}

void test_sketch_free(test_sketch *sketch)
{
    det_model_free(sketch->model);
    for (int i = 0; i < sketch->value_count; i++) det_free(sketch->values[i]);
}

static void give_weights(test_sketch *sketch, det_weights *weights, size_t count)
{
    float *values = test_random_values(count, (uint64_t)sketch->value_count + 100);
    assert_true(sketch->value_count < 64);
    sketch->values[sketch->value_count++] = values;
    weights->values = values;
    weights->count = count;
}

static det_shape shape_of(const det_model *model, int node)
{
    return node >= 0 ? model->shapes[node]
                     : (det_shape){3, model->input.height, model->input.width};
}

int test_sketch_add(test_sketch *sketch, const char *name, det_node node, const int *inputs,
                    int input_count)
{
    det_model *model = sketch->model;
    det_graph *graph = &model->graph;
    const int index = graph->count;
    const det_shape in = shape_of(model, inputs[0]);

    node.name = det_copy_string(name);
    node.inputs = det_alloc_array((size_t)input_count, sizeof *inputs);
    memcpy(node.inputs, inputs, (size_t)input_count * sizeof *inputs);
    node.input_count = input_count;
    if (node.op == DET_OP_CONVOLUTION) {
        if (node.groups == 0) node.groups = 1;
        if (node.window.dilation_h == 0) node.window.dilation_h = node.window.dilation_w = 1;
        give_weights(sketch, &node.weights,
                     (size_t)node.channels * (size_t)(in.channels / node.groups) *
                         (size_t)node.window.kernel_h * (size_t)node.window.kernel_w);
        give_weights(sketch, &node.bias, (size_t)node.channels);
    }
    if (node.op == DET_OP_INNER_PRODUCT) {
        give_weights(sketch, &node.weights, (size_t)node.channels * det_shape_values(in));
        give_weights(sketch, &node.bias, (size_t)node.channels);
    }
    if (node.op == DET_OP_BATCH_NORM) {
        det_weights *const all[] = {&node.weights, &node.bias, &node.mean, &node.variance};
        for (int i = 0; i < 4; i++) give_weights(sketch, all[i], (size_t)in.channels);
        float *variances = sketch->values[sketch->value_count - 1];
        for (int c = 0; c < in.channels; c++) variances[c] = variances[c] * variances[c] + .5F;
    }
    graph->nodes = det_realloc_array(graph->nodes, (size_t)index + 1, sizeof *graph->nodes);
    model->shapes = det_realloc_array(model->shapes, (size_t)index + 1, sizeof *model->shapes);
    graph->nodes[index] = node;
    graph->count = index + 1;
    det_error error = {0};
    test_assert_ok(
        det_graph_infer(graph, DET_PICTURE, shape_of(model, DET_PICTURE), model->shapes, &error),
        &error);
    return index;
}

int test_sketch_chain(test_sketch *sketch, const char *name, det_node node, int input)
{
    return test_sketch_add(sketch, name, node, &input, 1);
}

/* ---- The formulas ------------------------------------------------------------------------------
 */

typedef struct {
    const det_node *node;
    const double *const *in; /* inputs, each C x H x W */
    const det_shape *in_shapes;
    det_shape out;
} layer;

/* x[c][y][x], 0 outside. */
static double at(const double *values, det_shape s, int c, int y, int x)
{
    if (y < 0 || x < 0 || y >= s.height || x >= s.width) return 0;
    return values[((size_t)c * (size_t)s.height + (size_t)y) * (size_t)s.width + (size_t)x];
}

static double convolve(const layer *l, int o, int y, int x)
{
    const det_node *n = l->node;
    const det_window *w = &n->window;
    const int in_group = l->in_shapes[0].channels / n->groups;
    const int first = o / (n->channels / n->groups) * in_group;
    const float *weights = n->weights.values + (ptrdiff_t)o * in_group * w->kernel_h * w->kernel_w;
    double sum = n->bias.values ? (double)n->bias.values[o] : 0;
    for (int i = 0; i < in_group; i++)
        for (int ky = 0; ky < w->kernel_h; ky++)
            for (int kx = 0; kx < w->kernel_w; kx++)
                sum += (double)weights[(i * w->kernel_h + ky) * w->kernel_w + kx] *
                       at(l->in[0], l->in_shapes[0], first + i,
                          y * w->stride_h - w->pad_h + ky * w->dilation_h,
                          x * w->stride_w - w->pad_w + kx * w->dilation_w);
    return sum;
}

/* Caffe's pooling_layer.cpp, line by line: the window is clipped to the padded input (its area
 * divides an average), then to the picture. */
static double pool(const layer *l, int c, int y, int x)
{
    const det_shape s = l->in_shapes[0];
    det_window w = l->node->window;
    if (l->node->global) w = (det_window){s.height, s.width, 1, 1, 0, 0, 1, 1};
    int y0 = y * w.stride_h - w.pad_h, x0 = x * w.stride_w - w.pad_w;
    int y1 = y0 + w.kernel_h, x1 = x0 + w.kernel_w;
    if (y1 > s.height + w.pad_h) y1 = s.height + w.pad_h;
    if (x1 > s.width + w.pad_w) x1 = s.width + w.pad_w;
    const double area = (double)((y1 - y0) * (x1 - x0));
    if (y0 < 0) y0 = 0;
    if (x0 < 0) x0 = 0;
    if (y1 > s.height) y1 = s.height;
    if (x1 > s.width) x1 = s.width;
    double sum = 0, best = -INFINITY;
    for (int i = y0; i < y1; i++)
        for (int j = x0; j < x1; j++) {
            sum += at(l->in[0], s, c, i, j);
            best = fmax(best, at(l->in[0], s, c, i, j));
        }
    return l->node->op == DET_OP_MAX_POOL ? best : sum / area;
}

static double normalise(const layer *l, int c, int y, int x)
{
    const det_node *n = l->node;
    const int half = (n->local_size - 1) / 2;
    double sum = 0;
    for (int i = c - half; i <= c + half; i++)
        if (i >= 0 && i < l->out.channels) sum += pow(at(l->in[0], l->out, i, y, x), 2);
    return at(l->in[0], l->out, c, y, x) /
           pow((double)n->k + (double)n->alpha / n->local_size * sum, (double)n->beta);
}

static double concatenate(const layer *l, int c, int y, int x)
{
    int i = 0;
    while (c >= l->in_shapes[i].channels) c -= l->in_shapes[i++].channels;
    return at(l->in[i], l->in_shapes[i], c, y, x);
}

static double multiply(const layer *l, int o)
{
    const size_t count = det_shape_values(l->in_shapes[0]);
    double sum = l->node->bias.values ? (double)l->node->bias.values[o] : 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)l->node->weights.values[(size_t)o * count + i] * l->in[0][i];
    return sum;
}

static double exponential_share(const layer *l, int c, int y, int x)
{
    double sum = 0;
    for (int i = 0; i < l->out.channels; i++)
        sum += exp(at(l->in[0], l->out, i, y, x) - at(l->in[0], l->out, c, y, x));
    return 1 / sum;
}

static double compute(const layer *l, int c, int y, int x)
{
    const double v = l->node->op == DET_OP_CONCAT
                         ? 0
                         : at(l->in[0], l->in_shapes[0], c % l->in_shapes[0].channels, y, x);
    switch (l->node->op) {
    case DET_OP_CONVOLUTION:
        return convolve(l, c, y, x);
    case DET_OP_RELU:
        return v > 0 ? v : v * (double)l->node->negative_slope;
    case DET_OP_MAX_POOL:
    case DET_OP_AVERAGE_POOL:
        return pool(l, c, y, x);
    case DET_OP_LRN:
        return normalise(l, c, y, x);
    case DET_OP_CONCAT:
        return concatenate(l, c, y, x);
    case DET_OP_DROPOUT:
        return v;
    case DET_OP_INNER_PRODUCT:
        return multiply(l, c);
    case DET_OP_SOFTMAX:
        return exponential_share(l, c, y, x);
    case DET_OP_SIGMOID:
        return 1 / (1 + exp(-v));
    case DET_OP_BATCH_NORM:
        return (v - (double)l->node->mean.values[c]) /
                   sqrt((double)l->node->variance.values[c] + (double)l->node->epsilon) *
                   (double)l->node->weights.values[c] +
               (double)l->node->bias.values[c];
    case DET_OP_COUNT:
        break;
    }
    fail_msg("operation %d", (int)l->node->op);
    return 0;
}

static double *run_layer(const layer *l)
{
    double *out = det_alloc_array(det_shape_values(l->out), sizeof *out);
    assert_non_null(out);
    double *next = out;
    for (int c = 0; c < l->out.channels; c++)
        for (int y = 0; y < l->out.height; y++)
            for (int x = 0; x < l->out.width; x++) *next++ = compute(l, c, y, x);
    return out;
}

/* Whether a layer's inputs have been computed. */
static bool is_known(const det_node *node, int from, double *const *results)
{
    for (int j = 0; j < node->input_count; j++)
        if (node->inputs[j] != from && (node->inputs[j] < 0 || !results[node->inputs[j]]))
            return false;
    return true;
}

double *test_reference_values(const det_model *model, int from, const double *input, int to)
{
    enum { most_inputs = 16, most_layers = 256 };
    double *results[most_layers] = {0};
    assert_true(to < most_layers);
    for (int i = from + 1; i <= to; i++) {
        const det_node *node = &model->graph.nodes[i];
        const double *in[most_inputs];
        det_shape shapes[most_inputs];
        assert_true(node->input_count <= most_inputs);
        if (!is_known(node, from, results)) continue;
        for (int j = 0; j < node->input_count; j++) {
            in[j] = node->inputs[j] == from ? input : results[node->inputs[j]];
            shapes[j] = shape_of(model, node->inputs[j]);
        }
        results[i] = run_layer(&(layer){node, in, shapes, model->shapes[i]});
    }
    for (int i = 0; i < to; i++) det_free(results[i]);
    assert_non_null(results[to]);
    return results[to];
}

float *test_reference_run(const det_model *model, const float *input, int to)
{
    const size_t in = det_shape_values(shape_of(model, DET_PICTURE)),
                 count = det_shape_values(model->shapes[to]);
    double *values = det_alloc_array(in, sizeof *values);
    float *out = det_alloc_array(count, sizeof *out);
    assert_non_null(values);
    assert_non_null(out);
    for (size_t i = 0; i < in; i++) values[i] = (double)input[i];
    double *results = test_reference_values(model, DET_PICTURE, values, to);
    for (size_t i = 0; i < count; i++) out[i] = (float)results[i];
    det_free(results);
    det_free(values);
    return out;
}
