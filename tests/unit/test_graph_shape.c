/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes and costs of layers, worked out by hand. */
#include "src/nn/graph.h"
#include "tests/unit/support.h"

#include <string.h>

/* (size + 2 pad - kernel) / stride + 1, rounded as the mode says. */
static void a_pool_rounds_up_in_ceil_mode_and_down_otherwise(void **state)
{
    (void)state;
    assert_int_equal(det_pool_size(112, 3, 2, 0, true), 56); /* 54.5 up, + 1 */
    assert_int_equal(det_pool_size(112, 3, 2, 0, false), 55);
    assert_int_equal(det_pool_size(28, 3, 2, 0, true), 14);
    assert_int_equal(det_pool_size(7, 3, 2, 0, true), 3); /* exact: both the same */
    assert_int_equal(det_pool_size(7, 3, 2, 0, false), 3);
    assert_int_equal(det_pool_size(28, 3, 1, 1, true), 28);
    assert_int_equal(det_pool_size(7, 7, 1, 0, true), 1);
    assert_int_equal(det_pool_size(14, 5, 3, 0, true), 4); /* the auxiliary heads */
}

/* 4 wide, padded by 1, windows of 2 every 3: ceil((4 + 2 - 2) / 3) + 1 = 3 windows, which begin 0,
 * 3 and 6 pixels from the padding's edge. The pixels end at 1 + 4 = 5 there, so the
 * last window is dropped; it would be at 6 of 6 for a width of 5, and at 6 of 7, inside, for 6. */
static void a_last_window_beyond_the_input_is_dropped(void **state)
{
    (void)state;
    assert_int_equal(det_pool_size(4, 2, 3, 1, true), 2);
    assert_int_equal(det_pool_size(5, 2, 3, 1, true), 2);
    assert_int_equal(det_pool_size(6, 2, 3, 1, true), 3);
    assert_int_equal(det_pool_size(5, 1, 3, 0, true), 2); /* the same without padding */
}

static void a_window_larger_than_the_padded_input_has_no_size(void **state)
{
    (void)state;
    assert_int_equal(det_pool_size(6, 7, 1, 0, true), 0);
    assert_int_equal(det_pool_size(6, 7, 2, 0, false), 0);
    assert_int_equal(det_pool_size(6, 8, 1, 1, true), 1);
}

/* A graph of at most four layers, on the stack. */
typedef struct small_graph {
    det_node nodes[4];
    int inputs[4][4];
    det_graph graph;
} small_graph;

static det_node *add(small_graph *g, const char *name, det_op op, int input)
{
    const int index = g->graph.count++;
    g->graph.nodes = g->nodes;
    g->inputs[index][0] = input;
    g->nodes[index] = (det_node){.name = (char *)(uintptr_t)name,
                                 .op = op,
                                 .inputs = g->inputs[index],
                                 .input_count = 1,
                                 .window = {1, 1, 1, 1, 0, 0, 1, 1},
                                 .groups = 1};
    return &g->nodes[index];
}

static void set_weights(det_node *node, int channels, size_t weights, size_t biases)
{
    static const float values[1];
    node->channels = channels;
    node->weights = (det_weights){.values = values, .count = weights};
    if (biases > 0) node->bias = (det_weights){.values = values, .count = biases};
}

static void assert_shape(det_shape shape, int channels, int height, int width)
{
    assert_int_equal(shape.channels, channels);
    assert_int_equal(shape.height, height);
    assert_int_equal(shape.width, width);
}

static void a_convolution_rounds_down_in_each_direction(void **state)
{
    (void)state;
    small_graph g = {0};
    det_node *node = add(&g, "conv", DET_OP_CONVOLUTION, DET_PICTURE);
    node->window = (det_window){7, 3, 2, 1, 3, 0, 1, 1};
    set_weights(node, 64, 64 * 3 * 7 * 3, 64);
    det_shape shapes[1];
    det_error error = {0};
    test_assert_ok(det_graph_infer(&g.graph, DET_PICTURE, (det_shape){3, 224, 20}, shapes, &error),
                   &error);
    assert_shape(shapes[0], 64, 112, 18); /* (224 + 6 - 7) / 2 = 111.5 down, + 1; 20 - 3 + 1 */
    /* 112 x 18 positions of 64 x 3 x 7 x 3 products */
    assert_int_equal(det_node_macs(node, (det_shape){3, 224, 20}, shapes[0]), 8128512);
}

/* A 3x3 kernel dilated by 2 covers 5 pixels: 10 + 2 - 5 + 1 = 8. */
static void dilation_widens_the_kernel(void **state)
{
    (void)state;
    small_graph g = {0};
    det_node *node = add(&g, "conv", DET_OP_CONVOLUTION, DET_PICTURE);
    node->window = (det_window){3, 3, 1, 1, 1, 1, 2, 2};
    set_weights(node, 2, 2 * 3 * 9, 0);
    det_shape shapes[1];
    det_error error = {0};
    test_assert_ok(det_graph_infer(&g.graph, DET_PICTURE, (det_shape){3, 10, 10}, shapes, &error),
                   &error);
    assert_shape(shapes[0], 2, 8, 8);

    det_status status =
        det_graph_infer(&g.graph, DET_PICTURE, (det_shape){3, 2, 9}, shapes, &error);
    test_assert_error(status, DET_ARGUMENT, &error, "3x3 (dilation 2x2)");
    test_assert_error(status, DET_ARGUMENT, &error, "2x9 with padding 1x1");
    assert_string_equal(error.where, "layer 'conv'");
}

/* 4 channels in 2 groups: each output channel reads 2, so 6 x 2 x 1 x 1 weights. */
static void groups_divide_weights_and_work(void **state)
{
    (void)state;
    small_graph g = {0};
    det_node *node = add(&g, "conv", DET_OP_CONVOLUTION, DET_PICTURE);
    node->groups = 2;
    set_weights(node, 6, 12, 6);
    det_shape shapes[1];
    det_error error = {0};
    test_assert_ok(det_graph_infer(&g.graph, DET_PICTURE, (det_shape){4, 5, 5}, shapes, &error),
                   &error);
    assert_int_equal(det_node_macs(node, (det_shape){4, 5, 5}, shapes[0]), 25 * 6 * 2);

    test_assert_error(det_graph_infer(&g.graph, DET_PICTURE, (det_shape){3, 5, 5}, shapes, &error),
                      DET_ARGUMENT, &error, "2 groups do not divide 3 input and 6 output channels");
}

static void pools_keep_channels_and_may_cover_the_whole_map(void **state)
{
    (void)state;
    small_graph g = {0};
    det_node *pool = add(&g, "pool", DET_OP_MAX_POOL, DET_PICTURE);
    pool->window = (det_window){3, 2, 2, 2, 0, 0, 1, 1};
    pool->ceil_mode = true;
    add(&g, "global", DET_OP_AVERAGE_POOL, 0)->global = true;
    det_shape shapes[2];
    det_error error = {0};
    test_assert_ok(det_graph_infer(&g.graph, DET_PICTURE, (det_shape){5, 8, 8}, shapes, &error),
                   &error);
    assert_shape(shapes[0], 5, 4, 4);
    assert_shape(shapes[1], 5, 1, 1);
    assert_int_equal(det_node_macs(pool, (det_shape){5, 8, 8}, shapes[0]), 0);
}

static void an_inner_product_reads_every_value(void **state)
{
    (void)state;
    small_graph g = {0};
    det_node *node = add(&g, "fc", DET_OP_INNER_PRODUCT, DET_PICTURE);
    set_weights(node, 10, 10 * 3 * 4 * 5, 10);
    det_shape shapes[1];
    det_error error = {0};
    test_assert_ok(det_graph_infer(&g.graph, DET_PICTURE, (det_shape){3, 4, 5}, shapes, &error),
                   &error);
    assert_shape(shapes[0], 10, 1, 1);
    assert_int_equal(det_node_macs(node, (det_shape){3, 4, 5}, shapes[0]), 600);

    test_assert_error(det_graph_infer(&g.graph, DET_PICTURE, (det_shape){3, 4, 6}, shapes, &error),
                      DET_ARGUMENT, &error, "600 weights do not fit 10 outputs x 3x4x6 inputs");
    node->bias.count = 9;
    test_assert_error(det_graph_infer(&g.graph, DET_PICTURE, (det_shape){3, 4, 5}, shapes, &error),
                      DET_ARGUMENT, &error, "9 biases do not fit 10 output channels");
}

static void concat_adds_channels_of_equal_maps(void **state)
{
    (void)state;
    small_graph g = {0};
    det_node *conv = add(&g, "conv", DET_OP_CONVOLUTION, DET_PICTURE);
    set_weights(conv, 5, 15, 0);
    det_node *concat = add(&g, "concat", DET_OP_CONCAT, DET_PICTURE);
    concat->input_count = 2;
    concat->inputs[1] = 0;
    det_shape shapes[2];
    det_error error = {0};
    test_assert_ok(det_graph_infer(&g.graph, DET_PICTURE, (det_shape){3, 6, 7}, shapes, &error),
                   &error);
    assert_shape(shapes[1], 8, 6, 7);

    conv->window.stride_w = 2;
    test_assert_error(det_graph_infer(&g.graph, DET_PICTURE, (det_shape){3, 6, 7}, shapes, &error),
                      DET_ARGUMENT, &error, "input 0 is 6x7 but input 1 is 6x4");
}

static void inference_can_begin_at_any_layer(void **state)
{
    (void)state;
    small_graph g = {0};
    set_weights(add(&g, "conv", DET_OP_CONVOLUTION, DET_PICTURE), 5, 15, 0);
    add(&g, "relu", DET_OP_RELU, 0);
    add(&g, "other", DET_OP_RELU, DET_PICTURE);
    add(&g, "last", DET_OP_SOFTMAX, 1);
    det_shape shapes[4];
    det_error error = {0};
    test_assert_ok(det_graph_infer(&g.graph, 0, (det_shape){7, 2, 3}, shapes, &error), &error);
    assert_shape(shapes[0], 7, 2, 3);
    assert_shape(shapes[1], 7, 2, 3);
    assert_shape(shapes[2], 0, 0, 0);
    assert_shape(shapes[3], 7, 2, 3);
}

static void sizes_beyond_any_memory_are_refused(void **state)
{
    (void)state;
    small_graph g = {0};
    det_node *node = add(&g, "conv", DET_OP_CONVOLUTION, DET_PICTURE);
    set_weights(node, 1 << 24, (size_t)3 << 24, 0);
    det_shape shapes[1];
    det_error error = {0};
    test_assert_error(
        det_graph_infer(&g.graph, DET_PICTURE, (det_shape){3, 65535, 65535}, shapes, &error),
        DET_LIMIT, &error, "16777216x65535x65535");
    test_assert_error(det_graph_infer(&g.graph, DET_PICTURE, (det_shape){3, 0, 5}, shapes, &error),
                      DET_ARGUMENT, &error, "3x0x5 is empty");
}

static void layers_are_found_by_name_before_alias(void **state)
{
    (void)state;
    small_graph g = {0};
    char names[][2] = {"b", "c"};
    add(&g, "a", DET_OP_RELU, DET_PICTURE)->alias = names[0];
    add(&g, "b", DET_OP_RELU, 0)->alias = names[1];
    assert_int_equal(det_graph_find(&g.graph, "b"), 1);
    assert_int_equal(det_graph_find(&g.graph, "c"), 1);
    assert_int_equal(det_graph_find(&g.graph, "d"), DET_NO_NODE);
}

static void every_operation_has_a_name_that_leads_back_to_it(void **state)
{
    (void)state;
    for (int op = 0; op < DET_OP_COUNT; op++)
        if (op != DET_OP_BATCH_NORM) assert_int_equal(det_op_parse(det_op_name((det_op)op)), op);
    /* Model files have it folded. */
    assert_int_equal(det_op_parse(det_op_name(DET_OP_BATCH_NORM)), DET_OP_COUNT);
    assert_int_equal(det_op_parse("deconvolution"), DET_OP_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pool_rounds_up_in_ceil_mode_and_down_otherwise),
        cmocka_unit_test(a_last_window_beyond_the_input_is_dropped),
        cmocka_unit_test(a_window_larger_than_the_padded_input_has_no_size),
        cmocka_unit_test(a_convolution_rounds_down_in_each_direction),
        cmocka_unit_test(dilation_widens_the_kernel),
        cmocka_unit_test(groups_divide_weights_and_work),
        cmocka_unit_test(pools_keep_channels_and_may_cover_the_whole_map),
        cmocka_unit_test(an_inner_product_reads_every_value),
        cmocka_unit_test(concat_adds_channels_of_equal_maps),
        cmocka_unit_test(inference_can_begin_at_any_layer),
        cmocka_unit_test(sizes_beyond_any_memory_are_refused),
        cmocka_unit_test(layers_are_found_by_name_before_alias),
        cmocka_unit_test(every_operation_has_a_name_that_leads_back_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
