/* SPDX-License-Identifier: Apache-2.0 */
/* Scales of networks in 8-bit integers: rounding by hand, scales of concats, and what model files
 * say of them. */
#include "src/nn/quantization.h"

#include "src/base/json_reader.h"
#include "src/base/memory.h"
#include "tests/unit/support.h"
#include "tests/unit/support_reference.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static det_node two_outputs(const float *weights)
{
    return (det_node){.op = DET_OP_INNER_PRODUCT,
                      .channels = 2,
                      .groups = 1,
                      .weights = {.values = weights, .count = 4}};
}

/* a = (2, .5): W a = (2, -1) and (0, 0). The largest of a row becomes 127, an empty row gets 1. */
static void the_largest_weight_of_a_channel_becomes_127(void **state)
{
    (void)state;
    const float weights[] = {1, -2, 0, 0}, input[] = {2, .5f};
    float scales[2];
    int8_t q[4];
    const det_node node = two_outputs(weights);
    det_weight_scales(&node, 2, input, scales);
    assert_true(scales[0] == 2.f / 127 && scales[1] == 1);
    det_integer_layer layer = {
        .node = &node, .input_channels = 2, .input = input, .weights = scales, .limit = 127};
    det_quantize_weights(&layer, q);
    assert_memory_equal(q, ((const int8_t[]){127, -64, 0, 0}), 4); /* -63.5, to even */
    layer.limit = 63;
    det_quantize_weights(&layer, q);
    assert_memory_equal(q, ((const int8_t[]){63, -32, 0, 0}), 4); /* -31.5, to even */
}

/* The same weights before they are rounded. */
static void weights_are_counted_in_steps(void **state)
{
    (void)state;
    const float weights[] = {1, -2, 3, 0}, input[] = {2, .5f}, scales[] = {2.f / 127, 6.f / 127};
    const det_node node = two_outputs(weights);
    det_integer_layer layer = {
        .node = &node, .input_channels = 2, .input = input, .weights = scales, .limit = 127};
    float values[2];
    det_weights_in_steps(&layer, 0, values);
    assert_true(fabsf(values[0] - 127) < 1e-4f && fabsf(values[1] + 63.5f) < 1e-4f);
    layer.limit = 63;
    det_weights_in_steps(&layer, 1, values);
    assert_true(fabsf(values[0] - 63) < 1e-4f && values[1] == 0);
}

static void widths_have_limits_and_names(void **state)
{
    (void)state;
    assert_int_equal(det_weight_limit(det_weight_width_of(8)), 127);
    assert_int_equal(det_weight_limit(det_weight_width_of(7)), 63);
    char name[] = "conv";
    const det_node node = {.name = name};
    char *rounded = det_rounded_name(&node, DET_WEIGHTS_7);
    assert_string_equal(rounded, "conv.int7");
    det_free(rounded);
}

/* w = 2 / 127; q = (127, -64): the second weight is -64 w / .5 = -2.01575 instead of -2. With a
 * mean of 10 there the sum is .1575 too low, which the correction adds: (-2 + 2.01575) * 10. */
static void the_bias_takes_back_what_rounding_adds_on_average(void **state)
{
    (void)state;
    const float weights[] = {1, -2, 0, 0}, input[] = {2, .5f}, means[] = {3, 10};
    float scales[2], bias[2] = {1, 1};
    int8_t q[4];
    const det_node node = two_outputs(weights);
    det_weight_scales(&node, 2, input, scales);
    det_integer_layer layer = {
        .node = &node, .input_channels = 2, .input = input, .weights = scales, .limit = 127};
    det_quantize_weights(&layer, q);
    det_correct_bias(&layer, q, bias);
    assert_true(bias[0] == 1 && bias[1] == 1); /* no means, no correction */
    layer.means = means;
    det_correct_bias(&layer, q, bias);
    assert_true(fabsf(bias[0] - 1.157480f) < 1e-5f);
    assert_true(bias[1] == 1);
}

/* stem -> relu (2 channels) -> max pool; both -> concat -> dropout; the picture has no scales. */
static void concats_join_scales_and_pools_pass_them_on(void **state)
{
    (void)state;
    test_sketch sketch = test_sketch_create(4, 4);
    const det_window one = {1, 1, 1, 1, 0, 0, 1, 1};
    int inputs[2];
    const int stem = test_sketch_chain(
        &sketch, "stem", (det_node){.op = DET_OP_CONVOLUTION, .channels = 2, .window = one},
        DET_PICTURE);
    inputs[0] = test_sketch_chain(&sketch, "relu", (det_node){.op = DET_OP_RELU}, stem);
    inputs[1] = test_sketch_chain(&sketch, "pool", (det_node){.op = DET_OP_MAX_POOL, .window = one},
                                  inputs[0]);
    const int all = test_sketch_add(&sketch, "all", (det_node){.op = DET_OP_CONCAT}, inputs, 2);
    const int drop = test_sketch_chain(&sketch, "drop", (det_node){.op = DET_OP_DROPOUT}, all);
    const int with_stem[] = {all, stem};
    const int half =
        test_sketch_add(&sketch, "half", (det_node){.op = DET_OP_CONCAT}, with_stem, 2);

    float activation[] = {.25f, .5f}, mean[] = {1, 2}, pool_mean[] = {3, 4};
    det_layer_scales layers[6] = {{0}};
    layers[inputs[0]] = (det_layer_scales){.activation = activation, .mean = mean};
    layers[inputs[1]].mean = pool_mean;
    const det_quantization q = {.layers = layers, .layer_count = 6};
    const det_graph *graph = &sketch.model->graph;
    float *scales[6], *means[6];
    det_error error = {0};
    test_assert_ok(
        det_channel_values(graph, sketch.model->shapes, &q, DET_CHANNEL_SCALES, scales, &error),
        &error);
    test_assert_ok(
        det_channel_values(graph, sketch.model->shapes, &q, DET_CHANNEL_MEANS, means, &error),
        &error);
    assert_null(scales[stem]);
    assert_null(scales[half]); /* one of its inputs has none */
    assert_ptr_equal(scales[inputs[1]], scales[inputs[0]]);
    assert_memory_equal(scales[drop], ((const float[]){.25f, .5f, .25f, .5f}), 4 * sizeof(float));
    assert_memory_equal(means[drop], ((const float[]){1, 2, 3, 4}), 4 * sizeof(float));
    det_channel_values_free(graph, DET_CHANNEL_SCALES, scales);
    det_channel_values_free(graph, DET_CHANNEL_MEANS, means);
    test_sketch_free(&sketch);
}

/* picture -> conv -> relu -> fc -> relu2: fc could be computed in integers. */
static test_sketch small_sketch(void)
{
    test_sketch sketch = test_sketch_create(1, 1);
    int node = test_sketch_chain(
        &sketch, "conv",
        (det_node){.op = DET_OP_CONVOLUTION, .channels = 2, .window = {1, 1, 1, 1, 0, 0, 1, 1}},
        DET_PICTURE);
    node = test_sketch_chain(&sketch, "relu", (det_node){.op = DET_OP_RELU}, node);
    node = test_sketch_chain(&sketch, "fc", (det_node){.op = DET_OP_INNER_PRODUCT, .channels = 2},
                             node);
    test_sketch_chain(&sketch, "relu2", (det_node){.op = DET_OP_RELU, .negative_slope = .1f}, node);
    return sketch;
}

static const char sound[] =
    "{\"activations\":{\"relu\":[0.5,0.25]},\"means\":{\"relu\":[3,0]},"
    "\"weights\":{\"fc\":[1,2]},\"kept_higher\":[\"conv\"],"
    "\"agreement\":[{\"precision\":\"bf16\",\"regions\":300,\"same_class\":0.99,\"change\":0.004,"
    "\"verified\":true},{\"precision\":\"int8\",\"weight_bits\":7,\"regions\":300,"
    "\"same_class\":0.9,\"change\":0.03,\"verified\":false}]}";

static det_status read_text(const det_model *model, const char *text, det_quantization *q,
                            det_error *error)
{
    json_object *object = NULL;
    test_assert_ok(det_json_parse(text, strlen(text), &object, error), error);
    const det_status status = det_quantization_read(object, &model->graph, model->shapes, q, error);
    json_object_put(object);
    return status;
}

static void what_was_read_is_written_again(void **state)
{
    (void)state;
    test_sketch sketch = small_sketch();
    det_quantization q = {0};
    det_error error = {0};
    test_assert_ok(read_text(sketch.model, sound, &q, &error), &error);
    assert_true(q.layers[1].activation[1] == .25f && q.layers[1].mean[0] == 3);
    assert_true(q.layers[2].weights[1] == 2);
    assert_null(q.layers[0].weights);
    assert_int_equal(q.agreement_count, 2);
    assert_true(q.agreements[0].verified && !q.agreements[1].verified);
    assert_int_equal(q.agreements[1].weight_bits, 7);

    det_json *json = det_json_create();
    const char *text;
    det_json_begin_object(json, NULL);
    det_quantization_write(json, &sketch.model->graph, sketch.model->shapes, &q);
    det_json_end(json);
    test_assert_ok(det_json_finish(json, &text, NULL, &error), &error);
    det_quantization again = {0};
    test_assert_ok(read_text(sketch.model, text, &again, &error), &error);
    assert_memory_equal(again.layers[2].weights, q.layers[2].weights, 2 * sizeof(float));
    assert_memory_equal(again.agreements, q.agreements, 2 * sizeof *q.agreements);
    det_json_free(json);
    det_quantization_free(&again);
    det_quantization_free(&q);
    test_sketch_free(&sketch);
}

/* Replaces the first `from` in the sound text. */
static void replace(const char *from, const char *to, char *text, size_t size)
{
    const char *at = strstr(sound, from);
    assert_non_null(at);
    snprintf(text, size, "%.*s%s%s", (int)(at - sound), sound, to, at + strlen(from));
}

static void a_layer_may_be_higher_in_7_bits_only(void **state)
{
    (void)state;
    test_sketch sketch = small_sketch();
    det_quantization q = {0};
    det_error error = {0};
    char text[1024];
    replace("\"agreement\"", "\"kept_higher_in_7_bits\":[\"fc\"],\"agreement\"", text, sizeof text);
    test_assert_ok(read_text(sketch.model, text, &q, &error), &error);
    assert_true(det_layer_is_integer(&q.layers[2], DET_WEIGHTS_8));
    assert_false(det_layer_is_integer(&q.layers[2], DET_WEIGHTS_7));
    assert_false(det_layer_is_integer(&q.layers[0], DET_WEIGHTS_8));
    det_quantization_free(&q);

    replace("\"agreement\"", "\"kept_higher_in_7_bits\":[\"conv\"],\"agreement\"", text,
            sizeof text);
    assert_int_equal(read_text(sketch.model, text, &q, &error), DET_FORMAT);
    assert_string_equal(error.where, "kept_higher_in_7_bits");
    det_quantization_free(&q);
    test_sketch_free(&sketch);
}

static void faults_are_refused_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *where, *message;
    } cases[] = {
        {"\"activations\"", "\"activation\"", "activations", "is missing"},
        {"\"means\"", "\"mean\"", "means", "is missing"},
        {"\"kept_higher\":[\"conv\"],", "", "kept_higher", "is missing"},
        {"[0.5,0.25]", "[0.5]", "activations.relu", ""},
        {"[0.5,0.25]", "[0.5,0]", "activations.relu", "must be positive"},
        {"[3,0]", "[3,-1]", "means.relu", "not be negative"},
        {"[1,2]", "[1,1e39]", "weights.fc", ""},
        {"{\"fc\"", "{\"fd\"", "weights", "no layer 'fd'"},
        {"{\"fc\"", "{\"relu\"", "weights", "no layer 'relu'"},
        {"{\"relu\":[0.5", "{\"relu2\":[0.5", "activations",
         "no layer 'relu2'"}, /* it may be < 0 */
        {"[\"conv\"]", "[]", "kept_higher", "0 layers, but 1"},
        {"[\"conv\"]", "[\"fc\"]", "kept_higher", "'fc' has weight scales"},
        {"[\"conv\"]", "[3]", "kept_higher", "no layer"},
        {"\"bf16\"", "\"fp4\"", "agreement[0].precision", "'fp4' is not known"},
        {"\"weight_bits\":7", "\"weight_bits\":6", "agreement[1].weight_bits", ""},
        {"\"same_class\":0.99", "\"same_class\":1.5", "agreement[0].same_class", "not in [0, 1]"},
        {"\"verified\":true", "\"verified\":1", "agreement[0].verified", ""},
    };
    test_sketch sketch = small_sketch();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        det_quantization q = {0};
        det_error error = {0};
        replace(cases[i].from, cases[i].to, text, sizeof text);
        const det_status status = read_text(sketch.model, text, &q, &error);
        assert_true(status == DET_FORMAT || status == DET_UNSUPPORTED);
        assert_string_equal(error.where, cases[i].where);
        if (!strstr(error.message, cases[i].message))
            fail_msg("'%s' does not say '%s'", error.message, cases[i].message);
        det_quantization_free(&q);
    }
    test_sketch_free(&sketch);
}

static void short_memory_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
    test_sketch sketch = small_sketch();
    json_object *object = NULL;
    test_assert_ok(det_json_parse(sound, strlen(sound), &object, NULL), NULL);
    bool done = false;
    for (uint64_t nth = 1; !done; nth++) {
        det_quantization q = {0};
        det_error error = {0};
        det_memory_fail_at(nth);
        const det_status status =
            det_quantization_read(object, &sketch.model->graph, sketch.model->shapes, &q, &error);
        done = !det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, done ? DET_OK : DET_MEMORY);
        det_quantization_free(&q);
    }
    json_object_put(object);
    test_sketch_free(&sketch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_weight_of_a_channel_becomes_127),
        cmocka_unit_test(weights_are_counted_in_steps),
        cmocka_unit_test(widths_have_limits_and_names),
        cmocka_unit_test(a_layer_may_be_higher_in_7_bits_only),
        cmocka_unit_test(the_bias_takes_back_what_rounding_adds_on_average),
        cmocka_unit_test(concats_join_scales_and_pools_pass_them_on),
        cmocka_unit_test(what_was_read_is_written_again),
        cmocka_unit_test(faults_are_refused_with_their_place),
        cmocka_unit_test(short_memory_is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
