/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/support_network.h"

#include "src/base/memory.h"
#include "src/base/random.h"

#include <stdio.h>
#include <string.h>

enum { max_nodes = 64 };

void test_network_begin(test_network *network, int width, int height)
{
    *network = (test_network){0};
    det_model *model = &network->model;
    model->input = (det_model_input){.width = width,
                                     .height = height,
                                     .channel_order = "BGR",
                                     .mean = {104, 117, 123},
                                     .scale = {1, 1, 1},
                                     .interpolation = "bilinear",
                                     .context_px = 1};
    model->input_name = det_copy_string("data");
    model->graph.nodes = det_alloc_zeroed(max_nodes, sizeof *model->graph.nodes);
    assert_non_null(model->input_name);
    assert_non_null(model->graph.nodes);
}

det_window test_window(int kernel, int stride, int pad)
{
    return (det_window){kernel, kernel, stride, stride, pad, pad, 1, 1};
}

static int add_node(test_network *network, const char *name, det_op op, const int *inputs,
                    int input_count)
{
    det_graph *graph = &network->model.graph;
    assert_true(graph->count < max_nodes);
    det_node *node = &graph->nodes[graph->count];
    *node = (det_node){.name = det_copy_string(name),
                       .op = op,
                       .inputs = det_alloc_array((size_t)input_count, sizeof *node->inputs),
                       .input_count = input_count,
                       .window = {.dilation_h = 1, .dilation_w = 1},
                       .groups = 1};
    assert_non_null(node->name);
    assert_non_null(node->inputs);
    memcpy(node->inputs, inputs, (size_t)input_count * sizeof *inputs);
    return graph->count++;
}

static det_shape shape_of(const test_network *network, int node)
{
    const det_model_input *input = &network->model.input;
    const det_shape picture = {3, input->height, input->width};
    det_shape shapes[max_nodes];
    det_error error = {0};
    test_assert_ok(det_graph_infer(&network->model.graph, DET_PICTURE, picture, shapes, &error),
                   &error);
    return node == DET_PICTURE ? picture : shapes[node];
}

static void fill(det_weights *weights, const det_node *node, const char *suffix, size_t count,
                 uint64_t stream)
{
    float *values = det_alloc_array(count, sizeof *values);
    weights->tensor = det_alloc(strlen(node->name) + strlen(suffix) + 1);
    assert_non_null(values);
    assert_non_null(weights->tensor);
    strcpy(weights->tensor, node->name);
    strcat(weights->tensor, suffix);

    det_random random = det_random_create(1, stream);
    for (size_t i = 0; i < count; i++) values[i] = (float)(det_random_double(&random) - .5);
    weights->values = values;
    weights->count = count;
}

static void fill_node(det_node *node, int channels, size_t inputs, int index)
{
    node->channels = channels;
    fill(&node->weights, node, ".weight", (size_t)channels * inputs, 2 * (uint64_t)index);
    fill(&node->bias, node, ".bias", (size_t)channels, 2 * (uint64_t)index + 1);
}

int test_add_convolution(test_network *network, const char *name, int input, int channels,
                         det_window window, int groups)
{
    const det_shape in = shape_of(network, input);
    const int index = add_node(network, name, DET_OP_CONVOLUTION, &input, 1);
    det_node *node = &network->model.graph.nodes[index];
    node->window = window;
    node->groups = groups;
    fill_node(node, channels, (size_t)(in.channels / groups * window.kernel_h * window.kernel_w),
              index);
    return index;
}

int test_add_inner_product(test_network *network, const char *name, int input, int channels)
{
    const det_shape in = shape_of(network, input);
    const int index = add_node(network, name, DET_OP_INNER_PRODUCT, &input, 1);
    fill_node(&network->model.graph.nodes[index], channels,
              (size_t)(in.channels * in.height * in.width), index);
    return index;
}

int test_add_simple(test_network *network, const char *name, det_op op, int input)
{
    const int index = add_node(network, name, op, &input, 1);
    det_node *node = &network->model.graph.nodes[index];
    node->ratio = op == DET_OP_DROPOUT ? .4f : 0;
    if (op == DET_OP_LRN) node->local_size = 5, node->alpha = 1e-4f, node->beta = .75f, node->k = 1;
    return index;
}

int test_add_pool(test_network *network, const char *name, det_op op, int input, det_window window)
{
    const int index = add_node(network, name, op, &input, 1);
    det_node *node = &network->model.graph.nodes[index];
    node->global = window.kernel_h == 0;
    node->ceil_mode = true;
    node->window = node->global ? test_window(1, 1, 0) : window;
    return index;
}

int test_add_concat(test_network *network, const char *name, const int *inputs, int count)
{
    return add_node(network, name, DET_OP_CONCAT, inputs, count);
}

float *test_network_weights(test_network *network, int node)
{
    return (float *)(uintptr_t)network->model.graph.nodes[node].weights.values;
}

float *test_network_biases(test_network *network, int node)
{
    return (float *)(uintptr_t)network->model.graph.nodes[node].bias.values;
}

static void name_classes(det_model *model, size_t count)
{
    static const char *const names[] = {"apple", "banana", "cherry", "date", "elderberry"};
    model->classes = det_alloc_zeroed(count, sizeof *model->classes);
    assert_non_null(model->classes);
    model->class_count = count;
    for (size_t i = 0; i < count; i++) {
        char number[32];
        snprintf(number, sizeof number, "class %zu", i);
        const char *name = i < sizeof names / sizeof *names ? names[i] : number;
        model->classes[i] = (det_class){.name = det_copy_string(name), .category_id = -1};
        assert_non_null(model->classes[i].name);
    }
}

void test_network_finish(test_network *network)
{
    det_model *model = &network->model;
    const det_graph *graph = &model->graph;
    const det_shape picture = {3, model->input.height, model->input.width};
    det_error error = {0};
    model->shapes = det_alloc_array((size_t)graph->count, sizeof *model->shapes);
    assert_non_null(model->shapes);
    test_assert_ok(det_graph_infer(graph, DET_PICTURE, picture, model->shapes, &error), &error);

    model->background_index = -1;
    model->features = DET_NO_NODE;
    model->probabilities = graph->count - 1;
    for (int i = 0; i < graph->count; i++)
        if (graph->nodes[i].op == DET_OP_INNER_PRODUCT) model->features = graph->nodes[i].inputs[0];
    if (model->features == DET_PICTURE) model->features = DET_NO_NODE;
    name_classes(model, (size_t)model->shapes[model->probabilities].channels);
}

void test_network_free(test_network *network)
{
    for (int i = 0; i < network->model.graph.count; i++) {
        det_free(test_network_weights(network, i));
        det_free(test_network_biases(network, i));
    }
    det_model_free_contents(&network->model);
}

void test_small_network_build(test_network *network)
{
    test_network_begin(network, 16, 16);
    int node = test_add_convolution(network, "conv1", DET_PICTURE, 4, test_window(3, 1, 1), 1);
    node = test_add_simple(network, "relu1", DET_OP_RELU, node);
    node = test_add_pool(network, "pool1", DET_OP_MAX_POOL, node, test_window(3, 2, 0));
    node = test_add_simple(network, "norm1", DET_OP_LRN, node);

    int branches[2];
    branches[0] = test_add_convolution(network, "branch1", node, 3, test_window(1, 1, 0), 1);
    branches[0] = test_add_simple(network, "branch1_relu", DET_OP_RELU, branches[0]);
    branches[1] = test_add_convolution(network, "branch2", node, 5, test_window(3, 1, 1), 1);
    branches[1] = test_add_simple(network, "branch2_relu", DET_OP_RELU, branches[1]);
    node = test_add_concat(network, "concat", branches, 2);

    node = test_add_pool(network, "pool2", DET_OP_AVERAGE_POOL, node, test_window(0, 1, 0));
    node = test_add_simple(network, "drop", DET_OP_DROPOUT, node);
    node = test_add_inner_product(network, "fc", node, 5);
    test_add_simple(network, "prob", DET_OP_SOFTMAX, node);
    test_network_finish(network);
    /* Activations are of the order of 100; without this, one class would always have 1. */
    for (int i = 0; i < 5 * 8; i++) test_network_weights(network, 11)[i] *= .02f;
}

void test_small_network(const char *path)
{
    test_network network;
    det_error error = {0};
    test_small_network_build(&network);
    test_assert_ok(det_model_write(&network.model, path, &error), &error);
    test_network_free(&network);
}
