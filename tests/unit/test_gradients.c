/* SPDX-License-Identifier: Apache-2.0 */
/* Gradients of every kind of layer against differences of its formula in plain C, computed in
 * double (support_reference.c); those in bf16 against those in f32. */
#include "src/base/memory.h"
#include "tests/unit/support.h"
#include "tests/unit/support_network.h"
#include "tests/unit/support_trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { HEIGHT = 5, WIDTH = 6, BATCH = 2 };

static double difference(const float *values, const float *like, size_t count)
{
    double squares = 0, all = 0;
    for (size_t i = 0; i < count; i++) {
        squares += pow((double)values[i] - (double)like[i], 2);
        all += pow((double)like[i], 2);
    }
    return sqrt(squares / (all + 1e-12));
}

/* A number in bf16 keeps 8 bits, so that what goes in, weights and what comes out are each off by
 * up to 2^-9 of themselves; errors of many values cancel out. Behind other layers ReLUs whose input
 * is about 0 let other gradients pass. */
enum { ALONE, BEHIND };
static const double tolerances[] = {.01, .1};

static void assert_alike(const float *values, const float *like, size_t count, double tolerance,
                         const char *what)
{
    const double off = difference(values, like, count);
    if (!(off <= tolerance)) fail_msg("%s in bf16 is off by %g of itself", what, off);
}

/* What is fed are multiples of 1/128, which bf16 holds, so that maxima are the same ones. */
static void check_bf16(const test_sketch *sketch, int from, int to, double tolerance)
{
    if (det_precision_check(DET_BF16, NULL) < 0) return;
    test_lesson exact =
        test_lesson_create(sketch, from, to, BATCH, (det_trainer_options){0}, 0x1p-7F);
    test_lesson half = test_lesson_create(sketch, from, to, BATCH,
                                          (det_trainer_options){.precision = DET_BF16}, 0x1p-7F);
    test_lesson_run(&exact, 0);
    test_lesson_run(&half, 0);
    assert_alike(det_trainer_output(half.trainer, 0), det_trainer_output(exact.trainer, 0),
                 exact.out, tolerance, "the output");
    assert_alike(det_trainer_input_gradient(half.trainer),
                 det_trainer_input_gradient(exact.trainer), exact.in, tolerance,
                 "the input's gradient");
    for (size_t i = 0; i < det_trainer_parameter_count(exact.trainer); i++) {
        const det_parameter *p = det_trainer_parameter(half.trainer, i),
                            *like = det_trainer_parameter(exact.trainer, i);
        if (p->gradients)
            assert_alike(p->gradients, like->gradients, p->count, tolerance,
                         det_parameter_kind_name(p->kind));
    }
    test_lesson_free(&exact);
    test_lesson_free(&half);
}

static void check(const test_sketch *sketch, int from, int to, int place)
{
    test_lesson lesson = test_lesson_create(sketch, from, to, BATCH, (det_trainer_options){0}, 0);
    test_lesson_check(&lesson);
    test_lesson_free(&lesson);
    check_bf16(sketch, from, to, tolerances[place]);
}

/* The layer alone, fed with maps of 16 channels (a whole block) and of 5 (not). */
static void check_layer(det_node node)
{
    static const int widths[] = {16, 5};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        test_sketch sketch = test_sketch_create(HEIGHT, WIDTH);
        const int source = test_sketch_chain(&sketch, "source",
                                             (det_node){.op = DET_OP_CONVOLUTION,
                                                        .channels = widths[i],
                                                        .window = test_window(1, 1, 0)},
                                             DET_PICTURE);
        check(&sketch, source, test_sketch_chain(&sketch, "layer", node, source), ALONE);
        test_sketch_free(&sketch);
    }
}

static det_node convolution(int channels, det_window window)
{
    return (det_node){.op = DET_OP_CONVOLUTION, .channels = channels, .window = window};
}

static void convolutions_of_every_window(void **state)
{
    (void)state;
    static const det_window windows[] = {
        {1, 1, 1, 1, 0, 0, 1, 1}, {3, 3, 1, 1, 1, 1, 1, 1}, {5, 5, 1, 1, 2, 2, 1, 1},
        {3, 2, 2, 3, 0, 1, 1, 1}, {3, 3, 1, 1, 2, 2, 2, 2}, {4, 4, 3, 3, 1, 1, 1, 1},
        {7, 7, 2, 2, 3, 3, 1, 1},
    };
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        check_layer(convolution(16, windows[i]));
        if (i < 3) check_layer(convolution(7, windows[i]));
    }
}

static void a_convolution_of_pictures(void **state)
{
    (void)state;
    test_sketch sketch = test_sketch_create(15, 14);
    check(&sketch, DET_PICTURE,
          test_sketch_chain(&sketch, "conv", convolution(16, test_window(7, 2, 3)), DET_PICTURE),
          ALONE);
    test_sketch_free(&sketch);
}

static void convolutions_in_groups(void **state)
{
    (void)state;
    static const int channels[][3] = {{16, 2, 32}, {6, 3, 9}, {16, 16, 16}, {32, 2, 32}};
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++) {
        test_sketch sketch = test_sketch_create(HEIGHT, WIDTH);
        const int source = test_sketch_chain(
            &sketch, "source", convolution(channels[i][0], test_window(1, 1, 0)), DET_PICTURE);
        det_node node = convolution(channels[i][2], test_window(3, 1, 1));
        node.groups = channels[i][1];
        check(&sketch, source, test_sketch_chain(&sketch, "grouped", node, source), ALONE);
        test_sketch_free(&sketch);
    }
}

static void layers_without_a_bias(void **state)
{
    (void)state;
    test_sketch sketch = test_sketch_create(HEIGHT, WIDTH);
    const int conv =
        test_sketch_chain(&sketch, "conv", convolution(16, test_window(3, 1, 1)), DET_PICTURE);
    const int fc = test_sketch_chain(&sketch, "fc",
                                     (det_node){.op = DET_OP_INNER_PRODUCT, .channels = 3}, conv);
    sketch.model->graph.nodes[conv].bias = (det_weights){0};
    sketch.model->graph.nodes[fc].bias = (det_weights){0};
    check(&sketch, DET_PICTURE, fc, BEHIND);
    test_sketch_free(&sketch);
}

static void pools(det_op op, bool overhanging_padding)
{
    static const det_window windows[] = {
        {3, 3, 2, 2, 0, 0, 1, 1}, {3, 3, 1, 1, 1, 1, 1, 1}, {2, 2, 2, 2, 0, 0, 1, 1},
        {5, 5, 3, 3, 0, 0, 1, 1}, {2, 2, 3, 3, 0, 0, 1, 1}, {3, 2, 3, 2, 1, 0, 1, 1},
        {4, 4, 3, 3, 1, 1, 1, 1},
    };
    const size_t count = sizeof windows / sizeof *windows;
    for (size_t i = 0; i < count - (overhanging_padding ? 0 : 2); i++) {
        check_layer((det_node){.op = op, .window = windows[i], .ceil_mode = true});
        check_layer((det_node){.op = op, .window = windows[i]});
    }
    check_layer((det_node){.op = op, .global = true});
}

static void max_pools(void **state)
{
    (void)state;
    pools(DET_OP_MAX_POOL, true);
}

static void average_pools(void **state)
{
    (void)state;
    pools(DET_OP_AVERAGE_POOL, false);
}

/* 6 pixels, windows of 4 every 3, padding 1: the third one covers 6 to 10 of 1 + 6 + 1. */
static void an_average_over_windows_that_hang_over_padding_is_refused(void **state)
{
    (void)state;
    enum { SIDE = 6 };
    test_sketch sketch = test_sketch_create(SIDE, SIDE);
    const det_node pool = {
        .op = DET_OP_AVERAGE_POOL, .window = test_window(4, 3, 1), .ceil_mode = true};
    test_sketch_chain(&sketch, "pool", pool, DET_PICTURE);
    const char *const to[] = {"pool"};
    const det_trainer_options options = {
        .batch = 1, .input = {3, SIDE, SIDE}, .to = to, .to_count = 1};
    det_trainer *trainer = NULL;
    det_error error = {0};
    test_assert_error(det_trainer_create(&sketch.model->graph, &options, &trainer, &error),
                      DET_UNSUPPORTED, &error, "hang over padding");
    assert_string_equal(error.where, "pool");
    test_sketch_free(&sketch);
}

static void lrn(void **state)
{
    (void)state;
    check_layer(
        (det_node){.op = DET_OP_LRN, .local_size = 5, .alpha = 1e-4F, .beta = .75F, .k = 1});
    check_layer((det_node){.op = DET_OP_LRN, .local_size = 5, .alpha = 2, .beta = .75F, .k = 1});
    check_layer((det_node){.op = DET_OP_LRN, .local_size = 3, .alpha = .5F, .beta = .75F, .k = 2});
}

static void relus_with_and_without_a_slope(void **state)
{
    (void)state;
    check_layer((det_node){.op = DET_OP_RELU});
    check_layer((det_node){.op = DET_OP_RELU, .negative_slope = .1F});
}

/* A ReLU runs within the layer, or in place, or (something else reads the layer, too) apart. */
static void check_relu_behind(det_node node, bool apart)
{
    test_sketch sketch = test_sketch_create(HEIGHT, WIDTH);
    int layer =
        test_sketch_chain(&sketch, "source", convolution(16, test_window(1, 1, 0)), DET_PICTURE);
    layer = test_sketch_chain(&sketch, "layer", node, layer);
    const int relu = test_sketch_chain(&sketch, "relu", (det_node){.op = DET_OP_RELU}, layer);
    const int both[] = {relu, layer};
    check(&sketch, DET_PICTURE,
          apart ? test_sketch_add(&sketch, "both", (det_node){.op = DET_OP_CONCAT}, both, 2) : relu,
          BEHIND);
    test_sketch_free(&sketch);
}

static void relus_behind_layers(void **state)
{
    (void)state;
    static const det_node layers[] = {
        {.op = DET_OP_CONVOLUTION, .channels = 16, .window = {3, 3, 1, 1, 1, 1, 1, 1}},
        {.op = DET_OP_LRN, .local_size = 5, .alpha = 1, .beta = .75F, .k = 1},
        {.op = DET_OP_INNER_PRODUCT, .channels = 16},
    };
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        check_relu_behind(layers[i], false);
        if (layers[i].op != DET_OP_INNER_PRODUCT) check_relu_behind(layers[i], true);
    }
}

static void inner_products_of_maps_and_of_rows(void **state)
{
    (void)state;
    check_layer((det_node){.op = DET_OP_INNER_PRODUCT, .channels = 10});
    test_sketch sketch = test_sketch_create(HEIGHT, WIDTH);
    int layer = test_sketch_chain(
        &sketch, "fc1", (det_node){.op = DET_OP_INNER_PRODUCT, .channels = 20}, DET_PICTURE);
    layer = test_sketch_chain(&sketch, "relu", (det_node){.op = DET_OP_RELU}, layer);
    layer = test_sketch_chain(&sketch, "fc2", (det_node){.op = DET_OP_INNER_PRODUCT, .channels = 9},
                              layer);
    check(&sketch, DET_PICTURE, layer, BEHIND);
    test_sketch_free(&sketch);
}

/* An inception module with branches of the given widths behind a convolution that all read. */
static int add_inception(test_sketch *sketch, const int widths[4])
{
    const det_node relu = {.op = DET_OP_RELU};
    const int stem =
        test_sketch_chain(sketch, "stem", convolution(16, test_window(3, 1, 1)), DET_PICTURE);
    const int a =
        test_sketch_chain(sketch, "1x1", convolution(widths[0], test_window(1, 1, 0)), stem);
    const int b =
        test_sketch_chain(sketch, "3x3", convolution(widths[1], test_window(3, 1, 1)), stem);
    const int c =
        test_sketch_chain(sketch, "5x5", convolution(widths[2], test_window(5, 1, 2)), stem);
    const int pool = test_sketch_chain(
        sketch, "pool",
        (det_node){.op = DET_OP_MAX_POOL, .window = test_window(3, 1, 1), .ceil_mode = true}, stem);
    const int d =
        test_sketch_chain(sketch, "proj", convolution(widths[3], test_window(1, 1, 0)), pool);
    const int branches[] = {
        test_sketch_chain(sketch, "relu a", relu, a), test_sketch_chain(sketch, "relu b", relu, b),
        test_sketch_chain(sketch, "relu c", relu, c), test_sketch_chain(sketch, "relu d", relu, d)};
    return test_sketch_add(sketch, "out", (det_node){.op = DET_OP_CONCAT}, branches, 4);
}

static void an_inception_module_whatever_its_widths(void **state)
{
    (void)state;
    static const int widths[][4] = {{16, 32, 16, 16}, {8, 24, 16, 16}, {5, 16, 3, 1}};
    for (size_t i = 0; i < 3; i++) {
        test_sketch sketch = test_sketch_create(HEIGHT, WIDTH);
        int layer = add_inception(&sketch, widths[i]);
        layer = test_sketch_chain(&sketch, "after", convolution(7, test_window(3, 2, 0)), layer);
        test_lesson lesson =
            test_lesson_create(&sketch, DET_PICTURE, layer, BATCH, (det_trainer_options){0}, 0);
        test_lesson_check(&lesson);
        test_lesson_free(&lesson);
        test_sketch_free(&sketch);
    }
}

/* Ten branches, one of them twice, of widths that fill no blocks. */
static void a_concat_of_many_and_layers_behind_it(void **state)
{
    (void)state;
    static const det_node behind[] = {
        {.op = DET_OP_RELU},
        {.op = DET_OP_LRN, .local_size = 5, .alpha = 1, .beta = .75F, .k = 1},
        {.op = DET_OP_AVERAGE_POOL, .window = {2, 2, 2, 2, 0, 0, 1, 1}},
        {.op = DET_OP_INNER_PRODUCT, .channels = 4},
    };
    for (size_t i = 0; i < sizeof behind / sizeof *behind; i++) {
        test_sketch sketch = test_sketch_create(HEIGHT, WIDTH);
        int inputs[10];
        for (int k = 0; k < 9; k++) {
            char name[24];
            snprintf(name, sizeof name, "conv %d", k);
            inputs[k] = test_sketch_chain(
                &sketch, name, convolution(k == 3 ? 16 : 1 + k, test_window(1, 1, 0)), DET_PICTURE);
        }
        inputs[9] = inputs[3];
        const int all =
            test_sketch_add(&sketch, "all", (det_node){.op = DET_OP_CONCAT}, inputs, 10);
        check(&sketch, DET_PICTURE, test_sketch_chain(&sketch, "behind", behind[i], all), BEHIND);
        test_sketch_free(&sketch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions_of_every_window),
        cmocka_unit_test(a_convolution_of_pictures),
        cmocka_unit_test(convolutions_in_groups),
        cmocka_unit_test(layers_without_a_bias),
        cmocka_unit_test(max_pools),
        cmocka_unit_test(average_pools),
        cmocka_unit_test(an_average_over_windows_that_hang_over_padding_is_refused),
        cmocka_unit_test(lrn),
        cmocka_unit_test(relus_with_and_without_a_slope),
        cmocka_unit_test(relus_behind_layers),
        cmocka_unit_test(inner_products_of_maps_and_of_rows),
        cmocka_unit_test(an_inception_module_whatever_its_widths),
        cmocka_unit_test(a_concat_of_many_and_layers_behind_it),
    };
    return cmocka_run_group_tests_name("gradients", tests, NULL, NULL);
}
