/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/support_network.h"

#include "detect/model.h"
#include "src/base/memory.h"
#include "src/nn/model_edit.h"

#include <stdio.h>
#include <string.h>

det_window test_window(int kernel, int stride, int pad)
{
    return (det_window){kernel, kernel, stride, stride, pad, pad, 1, 1};
}

static void name_tensor(det_weights *weights, const char *layer, const char *suffix)
{
    if (!weights->values) return;
    weights->tensor = det_alloc(strlen(layer) + strlen(suffix) + 1);
    assert_non_null(weights->tensor);
    strcpy(weights->tensor, layer);
    strcat(weights->tensor, suffix);
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

void test_sketch_complete(test_sketch *sketch)
{
    det_model *model = sketch->model;
    for (int i = 0; i < model->graph.count; i++) {
        det_node *node = &model->graph.nodes[i];
        name_tensor(&node->weights, node->name, ".weight");
        name_tensor(&node->bias, node->name, ".bias");
        if (node->op == DET_OP_INNER_PRODUCT && node->inputs[0] >= 0)
            model->features = node->inputs[0];
    }
    model->probabilities = model->graph.count - 1;
    name_classes(model, (size_t)model->shapes[model->probabilities].channels);
}

/* A picture of the mean colour shall give every class the same: fc's biases undo its features. */
static void balance(test_sketch *sketch)
{
    const det_model *model = sketch->model;
    float *picture = det_alloc_zeroed((size_t)3 * 16 * 16, sizeof *picture);
    const det_node *fc = &model->graph.nodes[det_graph_find(&model->graph, "fc")];
    float *features = test_reference_run(model, picture, fc->inputs[0]);
    float *biases = sketch->values[sketch->value_count - 1];
    for (int i = 0; i < fc->channels; i++) {
        biases[i] = 0;
        for (int j = 0; j < 8; j++) biases[i] -= fc->weights.values[8 * i + j] * features[j];
    }
    det_free(features);
    det_free(picture);
}

test_sketch test_small_sketch(void)
{
    const det_node relu = {.op = DET_OP_RELU};
    test_sketch sketch = test_sketch_create(16, 16);
    memcpy(sketch.model->input.mean, (const float[]){104, 117, 123}, sizeof(float[3]));
    for (int i = 0; i < 3; i++) sketch.model->input.scale[i] = 1.f / 64;
    sketch.model->input.context_px = 1;

    int node = test_sketch_chain(
        &sketch, "conv1",
        (det_node){.op = DET_OP_CONVOLUTION, .channels = 4, .window = test_window(3, 1, 1)},
        DET_PICTURE);
    node = test_sketch_chain(&sketch, "relu1", relu, node);
    node = test_sketch_chain(
        &sketch, "pool1",
        (det_node){.op = DET_OP_MAX_POOL, .window = test_window(3, 2, 0), .ceil_mode = true}, node);
    node = test_sketch_chain(
        &sketch, "norm1",
        (det_node){.op = DET_OP_LRN, .local_size = 5, .alpha = 1e-4f, .beta = .75f, .k = 1}, node);

    int branches[2];
    branches[0] = test_sketch_chain(
        &sketch, "branch1",
        (det_node){.op = DET_OP_CONVOLUTION, .channels = 3, .window = test_window(1, 1, 0)}, node);
    branches[0] = test_sketch_chain(&sketch, "branch1_relu", relu, branches[0]);
    branches[1] = test_sketch_chain(
        &sketch, "branch2",
        (det_node){.op = DET_OP_CONVOLUTION, .channels = 5, .window = test_window(3, 1, 1)}, node);
    branches[1] = test_sketch_chain(&sketch, "branch2_relu", relu, branches[1]);
    node = test_sketch_add(&sketch, "concat", (det_node){.op = DET_OP_CONCAT}, branches, 2);

    node = test_sketch_chain(
        &sketch, "pool2",
        (det_node){.op = DET_OP_AVERAGE_POOL, .window = test_window(1, 1, 0), .global = true},
        node);
    node = test_sketch_chain(&sketch, "drop", (det_node){.op = DET_OP_DROPOUT, .ratio = .4f}, node);
    node = test_sketch_chain(&sketch, "fc", (det_node){.op = DET_OP_INNER_PRODUCT, .channels = 5},
                             node);
    test_sketch_chain(&sketch, "prob", (det_node){.op = DET_OP_SOFTMAX}, node);
    balance(&sketch);
    test_sketch_complete(&sketch);
    return sketch;
}

void test_small_network(const char *path)
{
    test_sketch sketch = test_small_sketch();
    det_error error = {0};
    test_assert_ok(det_model_write(sketch.model, path, &error), &error);
    test_sketch_free(&sketch);
}

const det_box test_priors[TEST_PRIORS] = {{0, 0, .5f, .5f}, {.5f, .5f, 1, 1}, {.25f, 0, .75f, 1}};
const float test_logits[TEST_PRIORS] = {0, 2, -1};

void test_multibox_network(const char *path, const float *weights)
{
    enum { values = 5 * TEST_PRIORS };
    static const float zeros[TEST_MULTIBOX_WEIGHTS];
    float biases[values] = {0};
    memcpy(biases + 4 * (size_t)TEST_PRIORS, test_logits, sizeof test_logits);
    const det_new_layer layer = {
        .name = "boxes",
        .inputs = {"pool2"},
        .node = {.op = DET_OP_INNER_PRODUCT,
                 .channels = values,
                 .weights = {.values = weights ? weights : zeros, .count = TEST_MULTIBOX_WEIGHTS},
                 .bias = {.values = biases, .count = values}}};
    test_sketch sketch = test_small_sketch();
    const det_model_recipe recipe = {.layers = &layer,
                                     .layer_count = 1,
                                     .probabilities = "prob",
                                     .features = "drop",
                                     .multibox = "boxes",
                                     .priors = test_priors,
                                     .prior_count = TEST_PRIORS,
                                     .classes = sketch.model->classes,
                                     .class_count = sketch.model->class_count,
                                     .background_index = -1,
                                     .context_px = -1};
    det_error error = {0};
    test_assert_ok(det_model_derive(sketch.model, &recipe, path, &error), &error);
    test_sketch_free(&sketch);
}

void test_sketch_round_branch(test_sketch *sketch, const int8_t *rounded_8, const int8_t *rounded_7)
{
    det_model *model = sketch->model;
    det_quantization *q = &model->quantization;
    const int norm = det_graph_find(&model->graph, "norm1");
    const int branch = det_graph_find(&model->graph, "branch1");
    det_quantization_free(q);
    q->layers = det_alloc_zeroed((size_t)model->graph.count, sizeof *q->layers);
    q->layer_count = model->graph.count;
    q->agreements = det_alloc(0);
    q->layers[norm].activation = det_alloc_array(4, sizeof(float));
    q->layers[branch].weights = det_alloc_array(3, sizeof(float));
    for (int i = 0; i < 4; i++) q->layers[norm].activation[i] = .25f;
    for (int i = 0; i < 3; i++) q->layers[branch].weights[i] = .5f;
    q->layers[branch].rounded[DET_WEIGHTS_8] = rounded_8;
    q->layers[branch].rounded[DET_WEIGHTS_7] = rounded_7;
}

const char *test_googlenet(const char *name)
{
    char weights[4096], labels[4096];
    snprintf(weights, sizeof weights, "%s", test_data("models/bvlc_googlenet.caffemodel"));
    snprintf(labels, sizeof labels, "%s", test_data("models/synset_words.txt"));
    const char *path = test_path(name);
    const det_model_import_options options = {.weights = weights, .labels = labels};
    det_error error = {0};
    test_assert_ok(det_model_import(&options, path, &error), &error);
    return path;
}
