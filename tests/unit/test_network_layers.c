/* SPDX-License-Identifier: Apache-2.0 */
/* Every layer of the engine against its formula in plain C (support_reference.c), in f32 and in
 * bf16. */
#include "detect/network.h"
#include "src/base/memory.h"
#include "src/nn/onednn/processor.h"
#include "tests/unit/support.h"
#include "tests/unit/support_reference.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { side_h = 13, side_w = 17 };

static size_t values_of(det_shape s)
{
    return (size_t)s.channels * (size_t)s.height * (size_t)s.width;
}

static det_precision precision; /* that the tests run in */

static int in_f32(void **state)
{
    (void)state;
    precision = DET_F32;
    return 0;
}

static int in_bf16(void **state)
{
    (void)state;
    precision = DET_BF16;
    return 0;
}

/* A processor without bf16 has to say so. */
static bool can_run(const test_sketch *sketch)
{
    if (precision != DET_BF16 || det_processor_has_bf16()) return true;
    det_error error = {0};
    det_network *network = NULL;
    const det_network_options options = {.precision = precision};
    const det_status status = det_network_compile(sketch->model, &options, &network, &error);
    test_assert_error(status, DET_UNSUPPORTED, &error, det_processor_features());
    return false;
}

/* f32: 1e-4 of the value, or of 1. bf16: a number keeps 8 bits, so that the input, the weights and
 * the output of each layer are off by up to 2^-9 of themselves, here of the largest: 2 %. */
static double tolerance(double value, double largest)
{
    return precision == DET_F32 ? 1e-4 * fmax(1, fabs(value)) : .02 * fmax(largest, .05);
}

static double largest_of(const float *values, size_t count)
{
    double largest = 0;
    for (size_t i = 0; i < count; i++) largest = fmax(largest, fabs((double)values[i]));
    return largest;
}

/* Runs layer `to` of the sketch on random input and compares with the reference. */
static void assert_agrees(const test_sketch *sketch, int to)
{
    if (!can_run(sketch)) return;
    det_error error = {0};
    det_network *network = NULL;
    det_worker *worker = NULL;
    const char *name = sketch->model->graph.nodes[to].name;
    const det_network_options options = {
        .precision = precision, .to = &name, .to_count = 1, .batch = 2, .threads = 2};
    test_assert_ok(det_network_compile(sketch->model, &options, &network, &error), &error);
    test_assert_ok(det_worker_create((const det_network *const[]){network}, 1, &worker, &error),
                   &error);

    const size_t in = values_of(det_network_input_shape(network));
    const det_shape shape = det_network_output_shape(network, 0);
    const size_t out = values_of(shape);
    assert_memory_equal(&shape, &sketch->model->shapes[to], sizeof shape);
    float *input = test_random_values(2 * in, 5);
    float *output = det_alloc_array(2 * out, sizeof *output);
    test_assert_ok(det_network_run_tensor(network, worker, input, 2, &output, &error), &error);
    for (size_t picture = 0; picture < 2; picture++) {
        float *expected = test_reference_run(sketch->model, input + picture * in, to);
        const double largest = largest_of(expected, out);
        for (size_t i = 0; i < out; i++) {
            const double difference = fabs((double)(output[picture * out + i] - expected[i]));
            if (difference > tolerance((double)expected[i], largest))
                fail_msg("%s: value %zu of picture %zu is %g, not %g", name, i, picture,
                         (double)output[picture * out + i], (double)expected[i]);
        }
        det_free(expected);
    }
    det_free(output);
    det_free(input);
    det_worker_free(worker);
    det_network_free(network);
}

/* A first convolution, so that the layer under test gets a map of `channels`. */
static int add_stem(test_sketch *sketch, int channels)
{
    return test_sketch_chain(sketch, "stem",
                             (det_node){.op = DET_OP_CONVOLUTION,
                                        .channels = channels,
                                        .window = {3, 3, 1, 1, 1, 1, 1, 1}},
                             DET_PICTURE);
}

/* The layer behind a stem of 16 channels (whole blocks), of 5 (not), and on the picture itself. */
static void assert_layer_agrees(det_node node)
{
    static const int widths[] = {16, 5, 0};
    for (size_t i = 0; i < 3; i++) {
        test_sketch sketch = test_sketch_create(side_h, side_w);
        const int input = widths[i] ? add_stem(&sketch, widths[i]) : DET_PICTURE;
        assert_agrees(&sketch, test_sketch_chain(&sketch, "layer", node, input));
        test_sketch_free(&sketch);
    }
}

static det_node convolution(int channels, det_window window)
{
    return (det_node){.op = DET_OP_CONVOLUTION, .channels = channels, .window = window};
}

static void convolutions_of_every_window_agree(void **state)
{
    (void)state;
    static const det_window windows[] = {
        {1, 1, 1, 1, 0, 0, 1, 1}, {3, 3, 1, 1, 1, 1, 1, 1}, {7, 7, 2, 2, 3, 3, 1, 1},
        {5, 5, 1, 1, 2, 2, 1, 1}, {3, 2, 2, 3, 0, 1, 1, 1}, {3, 3, 1, 1, 2, 2, 2, 2},
        {1, 3, 1, 2, 0, 1, 1, 3}, {4, 4, 3, 3, 1, 1, 1, 1},
    };
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        assert_layer_agrees(convolution(32, windows[i]));
        assert_layer_agrees(convolution(7, windows[i]));
    }
}

static void a_convolution_in_groups_agrees(void **state)
{
    (void)state;
    static const int channels[][3] = {{16, 2, 32}, {6, 3, 9}, {16, 16, 16}};
    for (size_t i = 0; i < 3; i++) {
        test_sketch sketch = test_sketch_create(side_h, side_w);
        const int stem = add_stem(&sketch, channels[i][0]);
        det_node node = convolution(channels[i][2], (det_window){3, 3, 1, 1, 1, 1, 1, 1});
        node.groups = channels[i][1];
        assert_agrees(&sketch, test_sketch_chain(&sketch, "grouped", node, stem));
        test_sketch_free(&sketch);
    }
}

static void a_convolution_without_a_bias_agrees(void **state)
{
    (void)state;
    test_sketch sketch = test_sketch_create(side_h, side_w);
    const int layer = add_stem(&sketch, 16);
    if (!can_run(&sketch)) {
        test_sketch_free(&sketch);
        return;
    }
    det_node *node = &sketch.model->graph.nodes[layer];
    static const float zeros[16];
    const float *biased = node->bias.values;
    node->bias.values = NULL;
    const char *name = node->name;
    det_network *network = NULL;
    det_worker *worker = NULL;
    det_error error = {0};
    const det_network_options options = {.precision = precision, .to = &name, .to_count = 1};
    test_assert_ok(det_network_compile(sketch.model, &options, &network, &error), &error);
    test_assert_ok(det_worker_create((const det_network *const[]){network}, 1, &worker, &error),
                   &error);
    float *input = test_random_values((size_t)3 * side_h * side_w, 3);
    float *output = det_alloc_array((size_t)16 * side_h * side_w, sizeof *output);
    test_assert_ok(det_network_run_tensor(network, worker, input, 1, &output, &error), &error);
    node->bias.values = zeros; /* the reference adds the bias it finds */
    float *expected = test_reference_run(sketch.model, input, layer);
    node->bias.values = biased;
    const double largest = largest_of(expected, (size_t)16 * side_h * side_w);
    for (int i = 0; i < 16 * side_h * side_w; i++)
        assert_true(fabs((double)(output[i] - expected[i])) <=
                    tolerance((double)expected[i], largest));
    det_free(expected);
    det_free(output);
    det_free(input);
    det_worker_free(worker);
    det_network_free(network);
    test_sketch_free(&sketch);
}

static void pools_agree(det_op op)
{
    static const det_window windows[] = {
        {3, 3, 2, 2, 0, 0, 1, 1}, {3, 3, 1, 1, 1, 1, 1, 1}, {2, 2, 2, 2, 0, 0, 1, 1},
        {3, 3, 2, 2, 1, 1, 1, 1}, {5, 5, 3, 3, 0, 0, 1, 1}, {3, 2, 3, 2, 1, 0, 1, 1},
        {4, 4, 3, 3, 1, 1, 1, 1}, {2, 2, 3, 3, 0, 0, 1, 1},
    };
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        assert_layer_agrees((det_node){.op = op, .window = windows[i], .ceil_mode = true});
        assert_layer_agrees((det_node){.op = op, .window = windows[i], .ceil_mode = false});
    }
    assert_layer_agrees((det_node){.op = op, .global = true});
}

static void max_pools_agree_with_windows_that_hang_over(void **state)
{
    (void)state;
    pools_agree(DET_OP_MAX_POOL);
}

static void average_pools_count_padding_but_not_the_overhang(void **state)
{
    (void)state;
    pools_agree(DET_OP_AVERAGE_POOL);
}

/* 2x2 window, stride 2, pad 1, on 3x3 ones with Caffe's rounding: 3 places a side. The first window
 * covers 1 pixel of 4 places, the next 2x1 of 4, the last again: padding counts, nothing hangs
 * over. */
static void an_average_pool_by_hand(void **state)
{
    (void)state;
    test_sketch sketch = test_sketch_create(2, 2);
    const int layer = test_sketch_chain(&sketch, "pool",
                                        (det_node){.op = DET_OP_AVERAGE_POOL,
                                                   .window = {3, 3, 2, 2, 1, 1, 1, 1},
                                                   .ceil_mode = true},
                                        DET_PICTURE);
    /* Size: ceil((2 + 2 - 3) / 2) + 1 = 2. Window 0: rows -1..1, of 3 rows 2 on the picture:
     * 4 ones / 9. Window 1: rows 1..3, clipped to the padded end 3: 2 rows, 1 on the picture. */
    const float expected[4] = {4.f / 9, 2.f / 6, 2.f / 6, 1.f / 4};
    assert_int_equal(sketch.model->shapes[layer].height, 2);
    float ones[12];
    for (int i = 0; i < 12; i++) ones[i] = 1;
    float *reference = test_reference_run(sketch.model, ones, layer);
    for (int i = 0; i < 12; i++) assert_true(fabsf(reference[i] - expected[i % 4]) < 1e-6f);
    det_free(reference);
    assert_agrees(&sketch, layer);
    test_sketch_free(&sketch);
}

static void lrn_agrees(void **state)
{
    (void)state;
    assert_layer_agrees(
        (det_node){.op = DET_OP_LRN, .local_size = 5, .alpha = 1e-4f, .beta = .75f, .k = 1});
    assert_layer_agrees(
        (det_node){.op = DET_OP_LRN, .local_size = 3, .alpha = .5f, .beta = .6f, .k = 2});
}

static void relus_agree_with_and_without_a_slope(void **state)
{
    (void)state;
    assert_layer_agrees((det_node){.op = DET_OP_RELU});
    assert_layer_agrees((det_node){.op = DET_OP_RELU, .negative_slope = .1f});
}

static void softmax_and_inner_product_agree(void **state)
{
    (void)state;
    assert_layer_agrees((det_node){.op = DET_OP_SOFTMAX});
    assert_layer_agrees((det_node){.op = DET_OP_INNER_PRODUCT, .channels = 10});
    test_sketch sketch = test_sketch_create(side_h, side_w);
    int layer = add_stem(&sketch, 16);
    layer = test_sketch_chain(&sketch, "fc1",
                              (det_node){.op = DET_OP_INNER_PRODUCT, .channels = 20}, layer);
    layer = test_sketch_chain(&sketch, "relu", (det_node){.op = DET_OP_RELU}, layer);
    layer = test_sketch_chain(&sketch, "drop", (det_node){.op = DET_OP_DROPOUT}, layer);
    layer = test_sketch_chain(&sketch, "fc2", (det_node){.op = DET_OP_INNER_PRODUCT, .channels = 9},
                              layer);
    assert_agrees(&sketch, layer);
    assert_agrees(&sketch,
                  test_sketch_chain(&sketch, "prob", (det_node){.op = DET_OP_SOFTMAX}, layer));
    test_sketch_free(&sketch);
}

static void sigmoids_of_maps_and_of_an_inner_product_agree(void **state)
{
    (void)state;
    assert_layer_agrees((det_node){.op = DET_OP_SIGMOID});
    test_sketch sketch = test_sketch_create(side_h, side_w);
    int layer = add_stem(&sketch, 16);
    layer = test_sketch_chain(
        &sketch, "mean",
        (det_node){.op = DET_OP_AVERAGE_POOL, .window = {1, 1, 1, 1, 0, 0, 1, 1}, .global = true},
        layer);
    layer = test_sketch_chain(&sketch, "fc", (det_node){.op = DET_OP_INNER_PRODUCT, .channels = 7},
                              layer);
    assert_agrees(&sketch,
                  test_sketch_chain(&sketch, "prob", (det_node){.op = DET_OP_SIGMOID}, layer));
    test_sketch_free(&sketch);
}

/* An inception module with branches of the given widths; returns the concat. */
static int add_inception(test_sketch *sketch, const int widths[4])
{
    const det_node relu = {.op = DET_OP_RELU};
    const int stem = add_stem(sketch, 16);
    const int a = test_sketch_chain(
        sketch, "1x1", convolution(widths[0], (det_window){1, 1, 1, 1, 0, 0, 1, 1}), stem);
    const int b = test_sketch_chain(
        sketch, "3x3", convolution(widths[1], (det_window){3, 3, 1, 1, 1, 1, 1, 1}), stem);
    const int c = test_sketch_chain(
        sketch, "5x5", convolution(widths[2], (det_window){5, 5, 1, 1, 2, 2, 1, 1}), stem);
    const int pool = test_sketch_chain(
        sketch, "pool",
        (det_node){.op = DET_OP_MAX_POOL, .window = {3, 3, 1, 1, 1, 1, 1, 1}, .ceil_mode = true},
        stem);
    const int d = test_sketch_chain(
        sketch, "proj", convolution(widths[3], (det_window){1, 1, 1, 1, 0, 0, 1, 1}), pool);
    const int branches[] = {
        test_sketch_chain(sketch, "relu a", relu, a), test_sketch_chain(sketch, "relu b", relu, b),
        test_sketch_chain(sketch, "relu c", relu, c), test_sketch_chain(sketch, "relu d", relu, d)};
    return test_sketch_add(sketch, "out", (det_node){.op = DET_OP_CONCAT}, branches, 4);
}

static void an_inception_module_agrees_whatever_its_widths(void **state)
{
    (void)state;
    static const int widths[][4] = {{16, 32, 16, 48}, {8, 24, 16, 8}, {5, 16, 3, 1}};
    for (size_t i = 0; i < 3; i++) {
        test_sketch sketch = test_sketch_create(side_h, side_w);
        const int module = add_inception(&sketch, widths[i]);
        assert_agrees(&sketch, module);
        const det_node pool = {
            .op = DET_OP_MAX_POOL, .window = {3, 3, 2, 2, 0, 0, 1, 1}, .ceil_mode = true};
        const int after = test_sketch_chain(&sketch, "after", pool, module);
        assert_agrees(&sketch, after);
        const int both[] = {module, module};
        assert_agrees(&sketch,
                      test_sketch_add(&sketch, "twice", (det_node){.op = DET_OP_CONCAT}, both, 2));
        test_sketch_free(&sketch);
    }
}

/* The concat's branch is read by another layer too, and is an output. */
static void a_branch_that_others_read_keeps_its_values(void **state)
{
    (void)state;
    test_sketch sketch = test_sketch_create(side_h, side_w);
    add_inception(&sketch, (const int[4]){16, 16, 16, 16});
    const int branch = det_graph_find(&sketch.model->graph, "relu a");
    const int extra = test_sketch_chain(
        &sketch, "extra", convolution(16, (det_window){3, 3, 1, 1, 1, 1, 1, 1}), branch);
    const int parts[] = {det_graph_find(&sketch.model->graph, "out"), extra};
    const int sum = test_sketch_add(&sketch, "all", (det_node){.op = DET_OP_CONCAT}, parts, 2);
    assert_agrees(&sketch, sum);
    assert_agrees(&sketch, branch);
    test_sketch_free(&sketch);
}

/* Runs a network once; free what it gives. */
static float *run_once(const test_sketch *sketch, const det_network_options *options,
                       const float *input)
{
    det_network *network = NULL;
    det_worker *worker = NULL;
    det_error error = {0};
    test_assert_ok(det_network_compile(sketch->model, options, &network, &error), &error);
    test_assert_ok(det_worker_create((const det_network *const[]){network}, 1, &worker, &error),
                   &error);
    float *output = det_alloc_array(values_of(det_network_output_shape(network, 0)), sizeof(float));
    test_assert_ok(det_network_run_tensor(network, worker, input, 1, &output, &error), &error);
    det_worker_free(worker);
    det_network_free(network);
    return output;
}

static float *with_channels_last(const float *values, det_shape s)
{
    const int area = s.height * s.width;
    float *last = det_alloc_array(values_of(s), sizeof *last);
    for (int c = 0; c < s.channels; c++)
        for (int i = 0; i < area; i++) last[i * s.channels + c] = values[c * area + i];
    return last;
}

/* A pool or a convolution first behind the cut; an inner product reads the map, or none does. */
static void maps_may_be_fed_and_received_with_channels_last(void **state)
{
    (void)state;
    for (int variant = 0; variant < 4; variant++) {
        test_sketch sketch = test_sketch_create(side_h, side_w);
        const int stem = add_stem(&sketch, variant < 2 ? 16 : 5);
        int to = test_sketch_chain(
            &sketch, "layer",
            variant % 2 ? convolution(32, (det_window){3, 3, 1, 1, 1, 1, 1, 1})
                        : (det_node){.op = DET_OP_MAX_POOL, .window = {3, 3, 2, 2, 0, 0, 1, 1}},
            stem);
        if (variant == 3)
            to = test_sketch_chain(&sketch, "fc",
                                   (det_node){.op = DET_OP_INNER_PRODUCT, .channels = 3}, to);
        if (!can_run(&sketch)) {
            test_sketch_free(&sketch);
            continue;
        }
        const char *name = sketch.model->graph.nodes[to].name;
        const det_shape in = sketch.model->shapes[stem], out = sketch.model->shapes[to];
        det_network_options options = {
            .precision = precision, .from = "stem", .to = &name, .to_count = 1};
        float *rows = test_random_values(values_of(in), 3), *last = with_channels_last(rows, in);
        float *expected = run_once(&sketch, &options, rows);
        float *expected_last = with_channels_last(expected, out);
        options.from_channels_last = true;
        float *fed = run_once(&sketch, &options, last);
        options.to_channels_last = true;
        float *both = run_once(&sketch, &options, last);
        const double largest = largest_of(expected, values_of(out));
        for (size_t i = 0; i < values_of(out); i++) {
            assert_true(fabs((double)(fed[i] - expected[i])) <= tolerance(0, largest));
            assert_true(fabs((double)(both[i] - expected_last[i])) <= tolerance(0, largest));
        }
        float *const all[] = {rows, last, expected, expected_last, fed, both};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) det_free(all[i]);
        test_sketch_free(&sketch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions_of_every_window_agree),
        cmocka_unit_test(a_convolution_in_groups_agrees),
        cmocka_unit_test(a_convolution_without_a_bias_agrees),
        cmocka_unit_test(max_pools_agree_with_windows_that_hang_over),
        cmocka_unit_test(average_pools_count_padding_but_not_the_overhang),
        cmocka_unit_test(an_average_pool_by_hand),
        cmocka_unit_test(lrn_agrees),
        cmocka_unit_test(relus_agree_with_and_without_a_slope),
        cmocka_unit_test(softmax_and_inner_product_agree),
        cmocka_unit_test(sigmoids_of_maps_and_of_an_inner_product_agree),
        cmocka_unit_test(an_inception_module_agrees_whatever_its_widths),
        cmocka_unit_test(a_branch_that_others_read_keeps_its_values),
        cmocka_unit_test(maps_may_be_fed_and_received_with_channels_last),
    };
    const int failures = cmocka_run_group_tests_name("in f32", tests, in_f32, NULL);
    return failures + cmocka_run_group_tests_name("in bf16", tests, in_bf16, NULL);
}
