/* SPDX-License-Identifier: Apache-2.0 */
/* Patches of what layers look at, from maps so small that there is one place to draw from. */
#include "src/detector/layer_inputs.h"

#include "src/base/memory.h"
#include "tests/unit/support.h"
#include "tests/unit/support_network.h"

#include <string.h>

/* picture (2x2) -> stem -> relu (2 channels) -> a, b (3x3, stride 2, pad 1), c (1x1), d (fc). */
static test_sketch sketch_of(void)
{
    test_sketch s = test_sketch_create(2, 2);
    int stem = test_sketch_chain(
        &s, "stem",
        (det_node){.op = DET_OP_CONVOLUTION, .channels = 2, .window = test_window(1, 1, 0)},
        DET_PICTURE);
    stem = test_sketch_chain(&s, "relu", (det_node){.op = DET_OP_RELU}, stem);
    const det_node wide = {.op = DET_OP_CONVOLUTION, .channels = 4, .window = test_window(3, 2, 1)};
    test_sketch_chain(&s, "a", wide, stem);
    test_sketch_chain(&s, "b", wide, stem);
    test_sketch_chain(
        &s, "c",
        (det_node){.op = DET_OP_CONVOLUTION, .channels = 3, .window = test_window(1, 1, 0)}, stem);
    test_sketch_chain(&s, "d", (det_node){.op = DET_OP_INNER_PRODUCT, .channels = 2}, stem);
    return s;
}

static void layers_that_look_at_the_same_share_it(void **state)
{
    (void)state;
    test_sketch s = sketch_of();
    det_layer_inputs inputs;
    test_assert_ok(det_layer_inputs_create(s.model, 10, &inputs, NULL), NULL);
    assert_int_equal(inputs.count, 2);
    const int expected[] = {-1, -1, 0, 0, 1, -1}; /* the picture; a map larger than a pixel */
    for (int i = 0; i < 6; i++) assert_int_equal(inputs.of_layer[i], expected[i]);
    assert_int_equal(inputs.inputs[0].moments.width, 18);
    assert_int_equal(inputs.inputs[1].moments.width, 2);
    det_layer_inputs_free(&inputs);
    test_sketch_free(&s);
}

/* The window at the only place covers rows and columns -1 to 1: of each channel the four pixels lie
 * at 4, 5, 7 and 8 of 9, the rest is padding. One patch a map: there is no second place. */
static void a_patch_is_what_the_window_sees(void **state)
{
    (void)state;
    test_sketch s = sketch_of();
    det_layer_inputs inputs;
    test_assert_ok(det_layer_inputs_create(s.model, 10, &inputs, NULL), NULL);
    const float maps[] = {1, 2, 3, 4, 5, 6, 7, 8, 2, 0, 0, 0, 0, 0, 0, 1};
    test_assert_ok(det_layer_inputs_add(&inputs, 0, maps, s.model->shapes[1], 2, NULL), NULL);
    const det_moments *m = &inputs.inputs[0].moments;
    assert_int_equal(m->count, 2);
    const float sums[] = {0, 0, 0, 0, 3, 2, 0, 3, 4, 0, 0, 0, 0, 5, 6, 0, 7, 9};
    assert_memory_equal(m->sums, sums, sizeof sums);
    assert_true(m->products[4 * 18 + 17] == 1 * 8 + 2 * 1);
    assert_true(m->products[17 * 18 + 17] == 8 * 8 + 1);

    test_assert_ok(det_layer_inputs_add(&inputs, 1, maps, s.model->shapes[1], 1, NULL), NULL);
    const det_moments *pixels = &inputs.inputs[1].moments;
    assert_int_equal(pixels->count, 4); /* of the four places, some more than once */
    assert_true(pixels->sums[1] - pixels->sums[0] == 16); /* 4 more in the second channel */
    det_layer_inputs_free(&inputs);
    test_sketch_free(&s);
}

static void calibrate(test_sketch *s)
{
    det_model *model = s->model;
    det_quantization *q = &model->quantization;
    q->layers = det_alloc_zeroed(6, sizeof *q->layers);
    q->layer_count = 6;
    q->layers[1].activation = det_alloc_array(2, sizeof(float));
    memcpy(q->layers[1].activation, ((const float[]){.5f, .25f}), 2 * sizeof(float));
    for (int i = 2; i < 5; i++) {
        const det_node *node = &model->graph.nodes[i];
        q->layers[i].weights = det_alloc_array((size_t)node->channels, sizeof(float));
        det_weight_scales(node, 2, q->layers[1].activation, q->layers[i].weights);
    }
}

/* One patch has no covariance: every weight goes to the nearest. */
static void weights_are_rounded_in_both_widths(void **state)
{
    (void)state;
    test_sketch s = sketch_of();
    calibrate(&s);
    float *scales[6] = {NULL, s.model->quantization.layers[1].activation};
    int8_t *rounded[6 * DET_WEIGHT_WIDTHS] = {NULL};
    det_layer_inputs inputs;
    test_assert_ok(det_layer_inputs_create(s.model, 10, &inputs, NULL), NULL);
    const float map[] = {1, 2, 3, 4, 5, 6, 7, 8};
    test_assert_ok(det_layer_inputs_add(&inputs, 0, map, s.model->shapes[1], 1, NULL), NULL);
    test_assert_ok(det_layer_inputs_round(&inputs, s.model, scales, 2, rounded, NULL), NULL);
    for (int i = 0; i < 6; i++)
        for (int w = 0; w < DET_WEIGHT_WIDTHS; w++) {
            int8_t *found = rounded[i * DET_WEIGHT_WIDTHS + w], nearest[4 * 18];
            assert_int_equal(found != NULL, i == 2 || i == 3); /* c was never looked at */
            if (!found) continue;
            const det_integer_layer layer = {.node = &s.model->graph.nodes[i],
                                             .input_channels = 2,
                                             .input = scales[1],
                                             .weights = s.model->quantization.layers[i].weights,
                                             .limit = w == DET_WEIGHTS_8 ? 127 : 63};
            det_quantize_weights(&layer, nearest);
            assert_memory_equal(found, nearest, sizeof nearest);
            det_free(found);
        }
    det_layer_inputs_free(&inputs);
    test_sketch_free(&s);
}

static det_status do_all(const test_sketch *s, float *const *scales, det_error *error)
{
    const float map[] = {1, 2, 3, 4, 5, 6, 7, 8};
    int8_t *rounded[6 * DET_WEIGHT_WIDTHS] = {NULL};
    det_layer_inputs inputs;
    det_status status = det_layer_inputs_create(s->model, 10, &inputs, error);
    if (status == DET_OK)
        status = det_layer_inputs_add(&inputs, 0, map, s->model->shapes[1], 1, error);
    if (status == DET_OK)
        status = det_layer_inputs_round(&inputs, s->model, scales, 1, rounded, error);
    for (int i = 0; i < 6 * DET_WEIGHT_WIDTHS; i++) det_free(rounded[i]);
    det_layer_inputs_free(&inputs);
    return status;
}

static void short_memory_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
    test_sketch s = sketch_of();
    calibrate(&s);
    float *scales[6] = {NULL, s.model->quantization.layers[1].activation};
    bool done = false;
    for (uint64_t nth = 1; !done; nth++) {
        det_error error = {0};
        det_memory_fail_at(nth);
        const det_status status = do_all(&s, scales, &error);
        done = !det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, done ? DET_OK : DET_MEMORY);
    }
    test_sketch_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_that_look_at_the_same_share_it),
        cmocka_unit_test(a_patch_is_what_the_window_sees),
        cmocka_unit_test(weights_are_rounded_in_both_widths),
        cmocka_unit_test(short_memory_is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
