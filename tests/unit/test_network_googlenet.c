/* SPDX-License-Identifier: Apache-2.0 */
/* The real GoogLeNet against what another runtime computed on six crops. */
#include "detect/image.h"
#include "detect/network.h"
#include "src/base/json_reader.h"
#include "src/base/memory.h"
#include "src/nn/model_file.h"
#include "src/nn/onednn/processor.h"
#include "tests/unit/support_network.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { outputs = 4 };
static const char *const wanted[outputs] = {"prob", "pool5/7x7_s1", "conv2/norm2",
                                            "inception_4e/output"};

/* The imported model, and the oracle; shared by the tests. */
static char model_path[4096];

static const char *imported_model(void)
{
    if (*model_path) return model_path;
    snprintf(model_path, sizeof model_path, "%s", test_googlenet("googlenet.safetensors"));
    return model_path;
}

static det_model *open_model(void)
{
    det_model *model = NULL;
    det_error error = {0};
    test_assert_ok(det_model_open(imported_model(), &model, &error), &error);
    return model;
}

static size_t values_of(det_shape s)
{
    return (size_t)s.channels * (size_t)s.height * (size_t)s.width;
}

static double norm(const float *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += (double)values[i] * (double)values[i];
    return sqrt(sum);
}

static void assert_near(double value, double expected, const char *what)
{
    if (fabs(value - expected) > 1e-4 * fabs(expected) + 1e-6)
        fail_msg("%s is %.9g, not %.9g", what, value, expected);
}

static double number(json_object *object, const char *key)
{
    json_object *value = NULL;
    assert_true(json_object_object_get_ex(object, key, &value));
    return json_object_get_double(value);
}

static void check_case(json_object *c, float *const results[outputs], const det_shape *shapes)
{
    json_object *list = NULL;
    assert_true(json_object_object_get_ex(c, "top10", &list));
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        json_object *item = json_object_array_get_idx(list, i);
        const size_t index = (size_t)number(item, "index");
        assert_near((double)results[0][index], number(item, "probability"), "a probability");
    }
    assert_true(json_object_object_get_ex(c, "pool5_first16", &list));
    for (size_t i = 0; i < 16; i++)
        assert_near((double)results[1][i],
                    json_object_get_double(json_object_array_get_idx(list, i)),
                    "a feature of pool5");
    assert_near(norm(results[1], values_of(shapes[1])), number(c, "pool5_l2"), "the norm of pool5");
    assert_near(norm(results[2], values_of(shapes[2])), number(c, "conv2_norm2_l2"),
                "the norm of conv2/norm2");
    assert_near(norm(results[3], values_of(shapes[3])), number(c, "inception_4e_l2"),
                "the norm of inception_4e");
}

/* How far six crops are from the oracle: first classes that stay, and the mean change of their
 * probabilities. */
static int same_classes;
static double total_change;

static void compare_first_class(json_object *c, float *const results[outputs],
                                const det_shape *shapes)
{
    json_object *list = NULL;
    assert_true(json_object_object_get_ex(c, "top10", &list));
    json_object *first = json_object_array_get_idx(list, 0);
    const size_t expected = (size_t)number(first, "index");
    const float *row = results[0];
    size_t best = 0;
    for (size_t i = 1; i < values_of(shapes[0]); i++)
        if (row[i] > row[best]) best = i;
    same_classes += best == expected;
    total_change += fabs((double)row[expected] - number(first, "probability"));
}

typedef void check(json_object *c, float *const results[outputs], const det_shape *shapes);

static const char *crop_path(size_t index)
{
    char name[64];
    snprintf(name, sizeof name, "oracles/googlenet/crop%zu.png", index);
    return test_data(name);
}

/* Scales from what the layers give for the six crops: the largest value of a layer is 255. */
static void add_scales(det_model *model)
{
    const int count = model->graph.count;
    const char **names = det_alloc_array((size_t)count, sizeof *names);
    det_quantization *q = &model->quantization;
    q->layers = det_alloc_zeroed((size_t)count, sizeof *q->layers);
    q->layer_count = count;
    int watched = 0;
    for (int i = 0; i < count; i++)
        if (det_node_has_activation(&model->graph.nodes[i]))
            names[watched++] = model->graph.nodes[i].name;

    det_network *network = NULL;
    det_worker *worker = NULL;
    det_error error = {0};
    const det_network_options options = {.to = names, .to_count = (size_t)watched};
    test_assert_ok(det_network_compile(model, &options, &network, &error), &error);
    test_assert_ok(det_worker_create((const det_network *const[]){network}, 1, &worker, &error),
                   &error);
    float **results = det_alloc_array((size_t)watched, sizeof *results);
    float *largest = det_alloc_zeroed((size_t)watched, sizeof *largest);
    for (int i = 0; i < watched; i++)
        results[i] =
            det_alloc_array(values_of(det_network_output_shape(network, (size_t)i)), sizeof(float));
    for (size_t crop = 0; crop < 6; crop++) {
        det_image image = {0};
        test_assert_ok(det_image_read(crop_path(crop), NULL, &image, &error), &error);
        test_assert_ok(det_network_run_pictures(network, worker, image.pixels, 1, results, &error),
                       &error);
        for (int i = 0; i < watched; i++)
            for (size_t j = 0; j < values_of(det_network_output_shape(network, (size_t)i)); j++)
                largest[i] = fmaxf(largest[i], results[i][j]);
        det_image_free(&image);
    }

    float **scales = det_alloc_array((size_t)count, sizeof *scales);
    for (int i = 0; i < watched; i++) {
        const int layer = det_graph_find(&model->graph, names[i]);
        const int channels = model->shapes[layer].channels;
        float *row = det_alloc_array((size_t)channels, sizeof *row);
        for (int c = 0; c < channels; c++) row[c] = largest[i] / 255;
        q->layers[layer].activation = row;
    }
    test_assert_ok(
        det_channel_values(&model->graph, model->shapes, q, DET_CHANNEL_SCALES, scales, &error),
        &error);
    for (int i = 0; i < count; i++) {
        const det_node *node = &model->graph.nodes[i];
        if (!det_node_can_be_integer(&model->graph, model->shapes, i)) continue;
        q->layers[i].weights = det_alloc_array((size_t)node->channels, sizeof(float));
        det_weight_scales(node, model->shapes[node->inputs[0]].channels, scales[node->inputs[0]],
                          q->layers[i].weights);
    }
    det_channel_values_free(&model->graph, DET_CHANNEL_SCALES, scales);
    for (int i = 0; i < watched; i++) det_free(results[i]);
    det_free(scales);
    det_free(results);
    det_free(largest);
    det_free(names);
    det_worker_free(worker);
    det_network_free(network);
}

/* Compiles the whole network; NULL where the processor lacks the precision, which it has to say. */
static det_network *compile(det_model *model, det_precision precision)
{
    det_network *network = NULL;
    det_error error = {0};
    const det_network_options options = {.precision = precision};
    const det_status possible = det_precision_check(precision, NULL);
    const det_status status = det_network_compile(model, &options, &network, &error);
    if (possible == DET_OK)
        test_assert_ok(status, &error);
    else
        test_assert_error(status, possible, &error, det_processor_features());
    return network;
}

/* Runs the six crops and checks each against the oracle. */
static void check_six_crops(det_model *model, det_precision precision, check *check_it)
{
    json_object *oracle = NULL, *cases = NULL;
    det_error error = {0};
    test_assert_ok(det_json_read(test_data("oracles/googlenet/expected.json"), &oracle, &error),
                   &error);
    assert_true(json_object_object_get_ex(oracle, "cases", &cases));

    det_network *network = NULL;
    det_worker *worker = NULL;
    const det_network_options options = {
        .precision = precision, .batch = 2, .to = wanted, .to_count = outputs};
    test_assert_ok(det_network_compile(model, &options, &network, &error), &error);
    test_assert_ok(det_worker_create((const det_network *const[]){network}, 1, &worker, &error),
                   &error);
    det_shape shapes[outputs];
    float *results[outputs];
    for (size_t i = 0; i < outputs; i++) {
        shapes[i] = det_network_output_shape(network, i);
        results[i] = det_alloc_array(2 * values_of(shapes[i]), sizeof(float));
    }

    assert_int_equal(json_object_array_length(cases), 6);
    for (size_t i = 0; i < 6; i++) {
        json_object *c = json_object_array_get_idx(cases, i), *name = NULL;
        assert_true(json_object_object_get_ex(c, "image", &name));
        char path[128];
        snprintf(path, sizeof path, "oracles/googlenet/%s", json_object_get_string(name));
        det_image image = {0};
        test_assert_ok(det_image_read(test_data(path), NULL, &image, &error), &error);
        assert_int_equal(image.stride, 224 * 3);
        test_assert_ok(det_network_run_pictures(network, worker, image.pixels, 1, results, &error),
                       &error);
        check_it(c, results, shapes);
        det_image_free(&image);
    }
    for (size_t i = 0; i < outputs; i++) det_free(results[i]);
    det_worker_free(worker);
    det_network_free(network);
    json_object_put(oracle);
}

static void six_crops_agree_with_another_runtime(void **state)
{
    (void)state;
    det_model *model = open_model();
    check_six_crops(model, DET_F32, check_case);
    det_model_free(model);
}

/* bf16 keeps every first class; its probability moves by .01 on average at most, as calibration
 * asks of a precision. */
static void six_crops_in_bf16_show_the_same(void **state)
{
    (void)state;
    det_model *model = open_model();
    det_network *network = compile(model, DET_BF16);
    same_classes = 0;
    total_change = 0;
    if (network) {
        check_six_crops(model, DET_BF16, compare_first_class);
        assert_int_equal(same_classes, 6);
        assert_true(total_change / 6 <= .01);
    }
    det_network_free(network);
    det_model_free(model);
}

/* Every layer in int8 but the first, with the plainest scales: one class of six may change, and
 * probabilities move by .06 on average at most. (Calibrated, it is .02 on a thousand regions.) */
static void six_crops_in_int8_show_much_the_same(void **state)
{
    (void)state;
    det_model *model = open_model();
    add_scales(model);
    same_classes = 0;
    total_change = 0;
    check_six_crops(model, DET_INT8, compare_first_class);
    if (same_classes < 5 || total_change / 6 > .06)
        fail_msg("%d classes of 6 are the same, probabilities change by %g", same_classes,
                 total_change / 6);
    det_model_free(model);
}

static void check_implementations(det_model *model, det_precision precision)
{
    det_network *network = compile(model, precision);
    if (!network) return;
    assert_int_equal(det_network_precision(network), precision);
    assert_true(det_network_step_count(network) > 60);
    for (size_t i = 0; i < det_network_step_count(network); i++) {
        const char *layer, *implementation;
        det_network_step(network, i, &layer, &implementation);
        if (strstr(implementation, "ref")) fail_msg("%s runs on %s", layer, implementation);
    }
    det_network_free(network);
}

static void no_layer_runs_on_a_reference_implementation(void **state)
{
    (void)state;
    det_model *model = open_model();
    check_implementations(model, DET_F32);
    check_implementations(model, DET_BF16);
    add_scales(model);
    check_implementations(model, DET_INT8);
    det_model_free(model);
}

/* The two halves of the network give what the whole gives. */
static void a_network_can_be_cut_at_any_layer(void **state)
{
    (void)state;
    static const char *const cuts[] = {"pool2/3x3_s2", "inception_3b/output",
                                       "inception_4c/relu_3x3", "pool5/drop_7x7_s1"};
    det_model *model = open_model();
    det_error error = {0};
    uint8_t *pixels = det_alloc(224 * 224 * 3);
    for (int i = 0; i < 224 * 224 * 3; i++) pixels[i] = (uint8_t)(i * 7 % 251);

    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        const char *both[] = {cuts[i], "prob"};
        det_network *whole = NULL, *half = NULL;
        det_worker *worker = NULL;
        const det_network_options to_both = {.to = both, .to_count = 2};
        const det_network_options rest = {.from = strstr(cuts[i], "relu") ? "inception_4c/output"
                                                                          : cuts[i]};
        both[0] = rest.from;
        test_assert_ok(det_network_compile(model, &to_both, &whole, &error), &error);
        test_assert_ok(det_network_compile(model, &rest, &half, &error), &error);
        test_assert_ok(
            det_worker_create((const det_network *const[]){whole, half}, 2, &worker, &error),
            &error);
        float *features =
            det_alloc_array(values_of(det_network_output_shape(whole, 0)), sizeof(float));
        float probabilities[1000], again[1000];
        float *const from_whole[] = {features, probabilities}, *const from_half[] = {again};
        test_assert_ok(det_network_run_pictures(whole, worker, pixels, 1, from_whole, &error),
                       &error);
        test_assert_ok(det_network_run_tensor(half, worker, features, 1, from_half, &error),
                       &error);
        for (int j = 0; j < 1000; j++) assert_true(fabsf(probabilities[j] - again[j]) <= 1e-5f);
        det_free(features);
        det_worker_free(worker);
        det_network_free(half);
        det_network_free(whole);
    }
    det_free(pixels);
    det_model_free(model);
}

static void other_input_sizes_compile_up_to_the_last_map(void **state)
{
    (void)state;
    det_model *model = open_model();
    det_error error = {0};
    const char *last = "inception_5b/output";
    static const int sizes[][4] = {{224, 224, 7, 7}, {500, 375, 15, 11}, {97, 65, 3, 2}};
    for (size_t i = 0; i < 3; i++) {
        det_network *network = NULL;
        const det_network_options options = {
            .width = sizes[i][0], .height = sizes[i][1], .to = &last, .to_count = 1};
        test_assert_ok(det_network_compile(model, &options, &network, &error), &error);
        const det_shape shape = det_network_output_shape(network, 0);
        assert_int_equal(shape.channels, 1024);
        assert_int_equal(shape.width, sizes[i][2]);
        assert_int_equal(shape.height, sizes[i][3]);
        det_network_free(network);
    }
    det_network *network = NULL;
    const det_network_options whole = {.width = 500, .height = 375};
    const det_status status = det_network_compile(model, &whole, &network, &error);
    test_assert_error(status, DET_ARGUMENT, &error, "");
    assert_non_null(strstr(error.where, "loss3/classifier"));
    det_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(six_crops_agree_with_another_runtime),
        cmocka_unit_test(six_crops_in_bf16_show_the_same),
        cmocka_unit_test(six_crops_in_int8_show_much_the_same),
        cmocka_unit_test(no_layer_runs_on_a_reference_implementation),
        cmocka_unit_test(a_network_can_be_cut_at_any_layer),
        cmocka_unit_test(other_input_sizes_compile_up_to_the_last_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
