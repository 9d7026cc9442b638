/* SPDX-License-Identifier: Apache-2.0 */
/* Batch norms that become part of the layers before them. */
#include "src/base/memory.h"
#include "src/nn/folding.h"
#include "src/nn/googlenet.h"
#include "src/nn/model_edit.h"
#include "tests/unit/support_network.h"

#include <math.h>
#include <string.h>

static const det_node norm = {.op = DET_OP_BATCH_NORM, .epsilon = 1e-3f};

static det_node convolution(int channels, int kernel, int groups)
{
    return (det_node){.op = DET_OP_CONVOLUTION,
                      .channels = channels,
                      .groups = groups,
                      .window = test_window(kernel, 1, kernel / 2)};
}

/* Runs a model, as a file, on what a network is fed, and gives its probabilities. */
static float *run_file(const char *path, const float *input)
{
    det_model *model = NULL;
    det_network *network = NULL;
    det_worker *worker = NULL;
    det_error error = {0};
    test_assert_ok(det_model_open(path, &model, &error), &error);
    test_assert_ok(det_network_compile(model, &(det_network_options){0}, &network, &error), &error);
    test_assert_ok(det_worker_create((const det_network *const *)&network, 1, &worker, &error),
                   &error);
    float *result =
        det_alloc_array(det_shape_values(det_network_output_shape(network, 0)), sizeof *result);
    assert_non_null(result);
    test_assert_ok(det_network_run_tensor(network, worker, input, 1, &result, &error), &error);
    det_worker_free(worker);
    det_network_free(network);
    det_model_free(model);
    return result;
}

static void assert_near(const float *values, const float *expected, size_t count)
{
    float most = 0;
    for (size_t i = 0; i < count; i++) most = fmaxf(most, fabsf(expected[i]));
    for (size_t i = 0; i < count; i++) assert_float_equal(values[i], expected[i], 2e-5f * most);
}

/* 8 x 8 pixels; a convolution with biases, one in groups without, and an inner product, each with
 * its batch norm, and sigmoids as the last layer, which tell the logits. */
static test_sketch make_sketch(void)
{
    test_sketch sketch = test_sketch_create(8, 8);
    int at = test_sketch_chain(&sketch, "first", convolution(6, 3, 1), DET_PICTURE);
    at = test_sketch_chain(&sketch, "first/bn", norm, at);
    at = test_sketch_chain(&sketch, "relu", (det_node){.op = DET_OP_RELU}, at);
    at = test_sketch_chain(&sketch, "second", convolution(4, 3, 2), at);
    sketch.model->graph.nodes[at].bias = (det_weights){0};
    at = test_sketch_chain(&sketch, "second/bn", norm, at);
    at = test_sketch_chain(&sketch, "plain", convolution(4, 1, 1), at);
    at = test_sketch_chain(&sketch, "product",
                           (det_node){.op = DET_OP_INNER_PRODUCT, .channels = 5}, at);
    at = test_sketch_chain(&sketch, "product/bn", norm, at);
    test_sketch_chain(&sketch, "prob", (det_node){.op = DET_OP_SIGMOID}, at);
    test_sketch_complete(&sketch);
    sketch.model->features = det_graph_find(&sketch.model->graph, "second/bn");
    return sketch;
}

static void a_folded_model_computes_what_the_one_with_batch_norms_does(void **state)
{
    (void)state;
    test_sketch sketch = make_sketch();
    det_folded_model folded;
    det_error error = {0};
    const char *path = test_path("folded.safetensors");
    test_assert_ok(det_model_fold(sketch.model, &folded, &error), &error);
    assert_int_equal(folded.model.graph.count, sketch.model->graph.count - 3);
    assert_string_equal(folded.model.graph.nodes[folded.model.features].name, "second");
    assert_string_equal(folded.model.graph.nodes[folded.model.probabilities].name, "prob");
    test_assert_ok(det_model_write(&folded.model, path, &error), &error);
    det_folded_model_free(&folded);
    test_assert_ok(det_model_verify(path, &error), &error);

    float *input = test_random_values((size_t)3 * 8 * 8, 5);
    float *expected = test_reference_run(sketch.model, input, sketch.model->probabilities);
    float *result = run_file(path, input);
    assert_near(result, expected, 5);
    det_free(result);
    det_free(expected);
    det_free(input);
    test_sketch_free(&sketch);
}

/* One pixel and one channel: w = 2, b = 1; scale 3, shift 5, mean 4, variance .24 and epsilon .01
 * make the gain 3 / .5 = 6, so that 2 x + 1 becomes 6 (2 x + 1 - 4) + 5 = 12 x - 13. */
static void weights_are_scaled_and_biases_moved(void **state)
{
    (void)state;
    static const float two[3] = {2, 2, 2}, one = 1, scale = 3, shift = 5, mean = 4, variance = .24f;
    test_sketch sketch = test_sketch_create(1, 1);
    det_graph *graph = &sketch.model->graph;
    test_sketch_chain(&sketch, "layer", convolution(1, 1, 1), DET_PICTURE);
    test_sketch_chain(&sketch, "norm", norm, 0);
    graph->nodes[0].weights = (det_weights){.values = two, .count = 3};
    graph->nodes[0].bias = (det_weights){.values = &one, .count = 1};
    graph->nodes[1].weights.values = &scale;
    graph->nodes[1].bias.values = &shift;
    graph->nodes[1].mean.values = &mean;
    graph->nodes[1].variance.values = &variance;
    graph->nodes[1].epsilon = .01f;
    det_folded_model folded;
    det_error error = {0};
    test_assert_ok(det_model_fold(sketch.model, &folded, &error), &error);
    const det_node *node = folded.model.graph.nodes;
    assert_int_equal(folded.model.graph.count, 1);
    for (int i = 0; i < 3; i++) assert_float_equal(node->weights.values[i], 12, 1e-5);
    assert_float_equal(node->bias.values[0], -13, 1e-5);
    det_folded_model_free(&folded);
    test_sketch_free(&sketch);
}

static void a_model_without_batch_norms_stays_as_it_is(void **state)
{
    (void)state;
    test_sketch sketch = test_small_sketch();
    det_folded_model folded;
    det_bytes before = {0}, after = {0};
    det_error error = {0};
    test_assert_ok(det_model_write(sketch.model, test_path("before"), &error), &error);
    test_assert_ok(det_model_fold(sketch.model, &folded, &error), &error);
    test_assert_ok(det_model_write(&folded.model, test_path("after"), &error), &error);
    test_assert_ok(det_file_read(test_path("before"), 1 << 20, &before, &error), &error);
    test_assert_ok(det_file_read(test_path("after"), 1 << 20, &after, &error), &error);
    assert_int_equal(before.size, after.size);
    assert_memory_equal(before.data, after.data, before.size);
    det_bytes_free(&before);
    det_bytes_free(&after);
    det_folded_model_free(&folded);
    test_sketch_free(&sketch);
}

static void assert_refused(const test_sketch *sketch, const char *where, const char *part)
{
    det_folded_model folded;
    det_error error = {0};
    test_assert_error(det_model_fold(sketch->model, &folded, &error), DET_ARGUMENT, &error, part);
    assert_string_equal(error.where, where);
    assert_null(folded.model.graph.nodes);
}

static void what_cannot_be_folded_is_refused(void **state)
{
    (void)state;
    test_sketch sketch = test_sketch_create(8, 8);
    test_sketch_chain(&sketch, "norm", norm, DET_PICTURE);
    assert_refused(&sketch, "norm", "no convolution or inner product");
    test_sketch_free(&sketch);

    sketch = make_sketch();
    test_sketch_chain(&sketch, "again", norm, det_graph_find(&sketch.model->graph, "second/bn"));
    assert_refused(&sketch, "again", "but the operation batch_norm");
    test_sketch_free(&sketch);

    sketch = make_sketch();
    test_sketch_chain(&sketch, "reader", (det_node){.op = DET_OP_RELU},
                      det_graph_find(&sketch.model->graph, "first"));
    assert_refused(&sketch, "first/bn", "'first', whose own output is needed");
    test_sketch_free(&sketch);

    sketch = make_sketch();
    sketch.model->features = det_graph_find(&sketch.model->graph, "product");
    assert_refused(&sketch, "product/bn", "'product', whose own output is needed");
    test_sketch_free(&sketch);
}

static void values_that_would_not_be_finite_are_refused(void **state)
{
    (void)state;
    static const float wrong[] = {-1, -1e-3f, NAN};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const float variances[6] = {1, 1, 1, 1, 1, wrong[i]};
        test_sketch sketch = make_sketch();
        det_graph *graph = &sketch.model->graph;
        graph->nodes[det_graph_find(graph, "first/bn")].variance.values = variances;
        assert_refused(&sketch, "first/bn", "channel 5 has the variance");
        test_sketch_free(&sketch);
    }
    const float scales[6] = {0, 3e38f};
    test_sketch sketch = make_sketch();
    det_graph *graph = &sketch.model->graph;
    graph->nodes[det_graph_find(graph, "first/bn")].weights.values = scales;
    graph->nodes[det_graph_find(graph, "first/bn")].bias.values = scales;
    assert_refused(&sketch, "first", "makes channel 1 infinite");
    test_sketch_free(&sketch);
}

/* Two layers share weights, and only one has a batch norm. */
static void tensors_of_other_layers_are_not_overwritten(void **state)
{
    (void)state;
    test_sketch sketch = make_sketch();
    det_graph *graph = &sketch.model->graph;
    char **tensor = &graph->nodes[det_graph_find(graph, "plain")].weights.tensor;
    det_free(*tensor);
    *tensor = det_copy_string("second.bias");
    assert_refused(&sketch, "second", "called as those of layer 'plain'");
    test_sketch_free(&sketch);
}

static void a_model_with_batch_norms_is_not_written(void **state)
{
    (void)state;
    test_sketch sketch = make_sketch();
    det_error error = {0};
    test_assert_error(det_model_write(sketch.model, test_path("norms"), &error), DET_ARGUMENT,
                      &error, "must be folded");
    assert_string_equal(error.where, "first/bn");
    test_sketch_free(&sketch);
}

/* As after a training: statistics and scales that are not those it began with. */
static void change_norms(det_model *model)
{
    float *values = (float *)(void *)model->file.data;
    for (int i = 0; i < model->graph.count; i++) {
        const det_node *node = &model->graph.nodes[i];
        if (node->op != DET_OP_BATCH_NORM) continue;
        float *scales = values + (node->weights.values - values);
        float *shifts = values + (node->bias.values - values);
        float *means = values + (node->mean.values - values);
        float *variances = values + (node->variance.values - values);
        float *random = test_random_values(4 * node->mean.count, (uint64_t)i);
        for (size_t c = 0; c < node->mean.count; c++) {
            scales[c] = 1 + .5f * random[4 * c];
            shifts[c] = .3f * random[4 * c + 1];
            means[c] = .2f * random[4 * c + 2];
            variances[c] = 1.2f + random[4 * c + 3];
        }
        det_free(random);
    }
}

/* The narrowest GoogLeNet with what only serves training: written with classes, provenance and
 * settings, that is left out, and the rest computes the same. */
static void a_googlenet_that_has_learned_becomes_a_model_file(void **state)
{
    (void)state;
    const det_googlenet_options options = {
        .side = 80, .width = .05, .outputs = 3, .dropout = .4, .auxiliary = true, .seed = 1};
    static det_class classes[2] = {{.name = "cat", .category_id = -1},
                                   {.name = "dog", .category_id = 4}};
    const det_model_recipe recipe = {.probabilities = "prob",
                                     .features = "pool5/7x7_s1",
                                     .classes = classes,
                                     .class_count = 2,
                                     .background_index = 2,
                                     .context_px = 16,
                                     .provenance = "{\"procedure\":\"from scratch\"}",
                                     .settings = "{\"classifier.regions\":\"pool\"}"};
    det_model *model = NULL, *written = NULL;
    det_folded_model folded;
    det_error error = {0};
    const char *path = test_path("googlenet.safetensors");
    test_assert_ok(det_googlenet_create(&options, &model, &error), &error);
    change_norms(model);
    test_assert_ok(det_model_fold(model, &folded, &error), &error);
    test_assert_ok(det_model_derive(&folded.model, &recipe, path, &error), &error);
    det_folded_model_free(&folded);
    test_assert_ok(det_model_verify(path, &error), &error);

    test_assert_ok(det_model_open(path, &written, &error), &error);
    assert_int_equal(det_graph_find(&written->graph, "loss1/conv"), DET_NO_NODE);
    assert_string_equal(det_model_class_name(written, 1), "dog");
    assert_int_equal(written->background_index, 2);
    assert_int_equal(written->input.context_px, 16);
    assert_string_equal(det_model_output(written, DET_ROLE_REGIONS), "inception_4e/output");
    assert_non_null(strstr(det_model_provenance(written), "from scratch"));
    assert_non_null(strstr(det_model_settings(written), "pool"));
    det_model_free(written);

    float *input = test_random_values((size_t)3 * 80 * 80, 5);
    float *expected = test_reference_run(model, input, model->probabilities);
    float *result = run_file(path, input);
    assert_near(result, expected, 3);
    assert_true(fabsf(expected[0] - expected[1]) > 1e-3f);
    det_free(result);
    det_free(expected);
    det_free(input);
    det_model_free(model);
}

#ifdef DET_FAULT_INJECTION
static void short_memory_is_reported(void **state)
{
    (void)state;
    test_sketch sketch = make_sketch();
    bool failed = true;
    for (uint64_t n = 1; failed; n++) {
        det_folded_model folded;
        det_memory_fail_at(n);
        const det_status status = det_model_fold(sketch.model, &folded, NULL);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        det_folded_model_free(&folded);
    }
    test_sketch_free(&sketch);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folded_model_computes_what_the_one_with_batch_norms_does),
        cmocka_unit_test(weights_are_scaled_and_biases_moved),
        cmocka_unit_test(a_model_without_batch_norms_stays_as_it_is),
        cmocka_unit_test(what_cannot_be_folded_is_refused),
        cmocka_unit_test(values_that_would_not_be_finite_are_refused),
        cmocka_unit_test(tensors_of_other_layers_are_not_overwritten),
        cmocka_unit_test(a_model_with_batch_norms_is_not_written),
        cmocka_unit_test(a_googlenet_that_has_learned_becomes_a_model_file),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(short_memory_is_reported),
#endif
    };
    return cmocka_run_group_tests_name("folding", tests, NULL, NULL);
}
