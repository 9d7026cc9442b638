/* SPDX-License-Identifier: Apache-2.0 */
/* Where a network can be cut in two, and where the cells of the map there lie. */
#include "src/base/memory.h"
#include "src/nn/region_layer.h"
#include "tests/unit/support_network.h"

#include <string.h>

static int convolve(test_sketch *s, const char *name, det_window window, int input)
{
    return test_sketch_chain(
        s, name, (det_node){.op = DET_OP_CONVOLUTION, .channels = 4, .window = window}, input);
}

static int pool(test_sketch *s, const char *name, det_window window, int input)
{
    return test_sketch_chain(
        s, name, (det_node){.op = DET_OP_MAX_POOL, .window = window, .ceil_mode = true}, input);
}

static int relu(test_sketch *s, const char *name, int input)
{
    return test_sketch_chain(s, name, (det_node){.op = DET_OP_RELU}, input);
}

static int classify(test_sketch *s, int input)
{
    const int fc =
        test_sketch_chain(s, "fc", (det_node){.op = DET_OP_INNER_PRODUCT, .channels = 5}, input);
    return test_sketch_chain(s, "prob", (det_node){.op = DET_OP_SOFTMAX}, fc);
}

static void assert_cells(const test_sketch *s, int layer, det_cells expected)
{
    det_cells cells;
    det_error error = {0};
    test_assert_ok(det_region_layer_cells(&s->model->graph, layer, &cells, &error), &error);
    assert_true(cells.x0 == expected.x0 && cells.y0 == expected.y0);
    assert_true(cells.step_x == expected.step_x && cells.step_y == expected.step_y);
}

/* ---- Cells ---- */

/* The first layers of GoogLeNet: a 7x7 window with 3 pixels of padding lies around pixel 0, whose
 * middle is at .5; a 3x3 pool without padding looks around its second cell. */
static void cells_lie_where_windows_have_their_middle(void **state)
{
    (void)state;
    test_sketch s = test_sketch_create(64, 64);
    int node = convolve(&s, "conv1", test_window(7, 2, 3), DET_PICTURE);
    assert_cells(&s, node, (det_cells){.5, .5, 2, 2});
    node = relu(&s, "relu1", node);
    node = pool(&s, "pool1", test_window(3, 2, 0), node);
    assert_cells(&s, node, (det_cells){2.5, 2.5, 4, 4});
    node = convolve(&s, "conv2", test_window(3, 1, 1), node);
    assert_cells(&s, node, (det_cells){2.5, 2.5, 4, 4});
    node = pool(&s, "pool2", test_window(3, 2, 0), node);
    assert_cells(&s, node, (det_cells){6.5, 6.5, 8, 8});
    test_sketch_free(&s);
}

static void sides_may_differ_and_windows_may_be_even_or_dilated(void **state)
{
    (void)state;
    test_sketch s = test_sketch_create(32, 32);
    int node = convolve(&s, "even", (det_window){2, 4, 2, 4, 0, 1, 1, 1}, DET_PICTURE);
    assert_cells(&s, node, (det_cells){.5 + 1.5 - 1, .5 + .5, 4, 2});
    node = convolve(&s, "dilated", (det_window){3, 3, 1, 1, 0, 2, 2, 2}, node);
    assert_cells(&s, node, (det_cells){1 + 4 * (2 - 2), 1 + 2 * 2, 4, 2});
    test_sketch_free(&s);
}

static void
behind_a_global_pool_an_inner_product_or_an_uneven_concat_there_are_no_cells(void **state)
{
    (void)state;
    test_sketch s = test_sketch_create(16, 16);
    const det_node mean = {.op = DET_OP_AVERAGE_POOL, .window = test_window(1, 1, 0), .global = 1};
    const int even[] = {convolve(&s, "one", test_window(1, 1, 0), DET_PICTURE),
                        convolve(&s, "three", test_window(3, 1, 1), DET_PICTURE)};
    const int joined = test_sketch_add(&s, "even", (det_node){.op = DET_OP_CONCAT}, even, 2);
    assert_cells(&s, joined, (det_cells){.5, .5, 1, 1});

    /* both have 8 x 8 cells: at .5, 2.5, ... and at 1, 3, ... */
    const int uneven[] = {convolve(&s, "middle", test_window(1, 2, 0), DET_PICTURE),
                          convolve(&s, "edge", test_window(2, 2, 0), DET_PICTURE)};
    const int apart = test_sketch_add(&s, "uneven", (det_node){.op = DET_OP_CONCAT}, uneven, 2);
    const int layers[] = {test_sketch_chain(&s, "mean", mean, joined), classify(&s, joined), apart,
                          relu(&s, "behind", apart)};
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        det_cells cells;
        det_error error = {0};
        test_assert_error(det_region_layer_cells(&s.model->graph, layers[i], &cells, &error),
                          DET_UNSUPPORTED, &error, "has no map");
        assert_string_equal(error.where, s.model->graph.nodes[layers[i]].name);
    }
    test_sketch_free(&s);
}

/* ---- The cut ---- */

/* picture - a - b - concat(b, a) - c - fc - prob: b can be bypassed, a and c cannot. */
typedef struct {
    test_sketch s;
    int a, b, concat, c, prob;
} bypassed;

static bypassed make_bypassed(void)
{
    bypassed n = {.s = test_sketch_create(8, 8)};
    n.a = convolve(&n.s, "a", test_window(3, 1, 1), DET_PICTURE);
    n.b = convolve(&n.s, "b", test_window(1, 1, 0), n.a);
    const int both[] = {n.b, n.a};
    n.concat = test_sketch_add(&n.s, "concat", (det_node){.op = DET_OP_CONCAT}, both, 2);
    n.c = pool(&n.s, "c", test_window(2, 1, 0), n.concat);
    n.prob = classify(&n.s, n.c);
    return n;
}

static void a_layer_that_can_be_bypassed_is_refused_with_who_reads_what(void **state)
{
    (void)state;
    bypassed n = make_bypassed();
    const det_graph *graph = &n.s.model->graph;
    det_error error = {0};
    assert_int_equal(det_region_layer_check(graph, n.a, n.prob, &error), DET_OK);
    assert_int_equal(det_region_layer_check(graph, n.concat, n.prob, &error), DET_OK);
    test_assert_error(det_region_layer_check(graph, n.b, n.prob, &error), DET_ARGUMENT, &error,
                      "reads 'a', which does not go through 'b'");
    assert_string_equal(error.where, "concat");
    error = (det_error){0};
    test_assert_error(det_region_layer_check(graph, n.c, n.b, &error), DET_ARGUMENT, &error,
                      "does not come after 'c'");
    assert_string_equal(error.where, "b");
    assert_int_equal(det_region_layer_check(graph, n.c, n.c, &error), DET_ARGUMENT);
    test_sketch_free(&n.s);
}

static int find(const test_sketch *s, int target)
{
    int layer = -9;
    det_error error = {0};
    test_assert_ok(
        det_region_layer_find(&s->model->graph, s->model->shapes, target, &layer, &error), &error);
    return layer;
}

static void the_default_is_what_the_last_pool_with_a_stride_reads(void **state)
{
    (void)state;
    test_sketch small = test_small_sketch();
    const det_graph *graph = &small.model->graph;
    assert_int_equal(find(&small, small.model->probabilities), det_graph_find(graph, "relu1"));
    test_sketch_free(&small);

    bypassed n = make_bypassed(); /* no stride: the last map of more than a cell */
    assert_int_equal(find(&n.s, n.prob), n.c);
    assert_int_equal(find(&n.s, n.c), n.concat);
    test_sketch_free(&n.s);

    test_sketch s = test_sketch_create(8, 8);
    const det_node mean = {.op = DET_OP_AVERAGE_POOL, .window = test_window(1, 1, 0), .global = 1};
    const int prob = classify(&s, test_sketch_chain(&s, "mean", mean, DET_PICTURE));
    int layer;
    det_error error = {0};
    test_assert_error(det_region_layer_find(&s.model->graph, s.model->shapes, prob, &layer, &error),
                      DET_UNSUPPORTED, &error, "no map that everything goes through");
    test_sketch_free(&s);
}

static void googlenet_is_cut_behind_inception_4e(void **state)
{
    (void)state;
    det_model *model = NULL;
    test_assert_ok(det_model_open(test_googlenet("googlenet.safetensors"), &model, NULL), NULL);
    int layer;
    det_cells cells;
    test_assert_ok(
        det_region_layer_find(&model->graph, model->shapes, model->probabilities, &layer, NULL),
        NULL);
    assert_string_equal(model->graph.nodes[layer].name, "inception_4e/output");
    assert_int_equal(model->shapes[layer].width, 14);
    test_assert_ok(det_region_layer_cells(&model->graph, layer, &cells, NULL), NULL);
    assert_true(cells.x0 == 14.5 && cells.y0 == 14.5 && cells.step_x == 16 && cells.step_y == 16);
    det_model_free(model);
}

#ifdef DET_FAULT_INJECTION
static void memory_that_runs_out_is_an_error(void **state)
{
    (void)state;
    bypassed n = make_bypassed();
    for (uint64_t k = 1;; k++) {
        int layer;
        det_error error = {0};
        det_memory_fail_at(k);
        const det_status status =
            det_region_layer_find(&n.s.model->graph, n.s.model->shapes, n.prob, &layer, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        if (!failed) break;
        assert_int_equal(status, DET_MEMORY);
        assert_int_equal(error.status, DET_MEMORY);
    }
    test_sketch_free(&n.s);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_lie_where_windows_have_their_middle),
        cmocka_unit_test(sides_may_differ_and_windows_may_be_even_or_dilated),
        cmocka_unit_test(
            behind_a_global_pool_an_inner_product_or_an_uneven_concat_there_are_no_cells),
        cmocka_unit_test(a_layer_that_can_be_bypassed_is_refused_with_who_reads_what),
        cmocka_unit_test(the_default_is_what_the_last_pool_with_a_stride_reads),
        cmocka_unit_test(googlenet_is_cut_behind_inception_4e),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(memory_that_runs_out_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
