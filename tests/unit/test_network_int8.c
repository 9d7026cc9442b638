/* SPDX-License-Identifier: Apache-2.0 */
/* Layers in 8-bit integers against exact integer arithmetic in plain C; which layers run so; and
 * what a processor or a model cannot do. Sums of integers have no rounding, so that every processor
 * has to give the same (CTest runs this file again for AVX2 and for AVX-512 without VNNI). */
#include "detect/network.h"
#include "src/base/memory.h"
#include "src/nn/onednn/processor.h"
#include "tests/unit/support.h"
#include "tests/unit/support_reference.h"

#include <math.h>
#include <string.h>

enum { side = 9 };

static size_t values_of(det_shape s)
{
    return (size_t)s.channels * (size_t)s.height * (size_t)s.width;
}

static float *row_of(int count, float first, float step)
{
    float *row = det_alloc_array((size_t)count, sizeof *row);
    assert_non_null(row);
    for (int i = 0; i < count; i++) row[i] = first + step * (float)(i % 5);
    return row;
}

/* Gives every ReLU and mean scales from `scale` on, different from channel to channel, and every
 * layer behind one weight scales; `kept` stays in floating point (or NULL). */
static void calibrate(test_sketch *sketch, const char *kept, float scale)
{
    det_model *model = sketch->model;
    det_graph *graph = &model->graph;
    det_quantization *q = &model->quantization;
    float *scales[64];
    det_error error = {0};
    assert_true(graph->count <= 64);
    q->layers = det_alloc_zeroed((size_t)graph->count, sizeof *q->layers);
    q->layer_count = graph->count;
    for (int i = 0; i < graph->count; i++)
        if (det_node_has_activation(&graph->nodes[i]))
            q->layers[i].activation = row_of(model->shapes[i].channels, scale, scale / 5);
    test_assert_ok(det_channel_values(graph, model->shapes, q, DET_CHANNEL_SCALES, scales, &error),
                   &error);
    for (int i = 0; i < graph->count; i++) {
        const det_node *node = &graph->nodes[i];
        if (!det_node_can_be_integer(graph, model->shapes, i) || !scales[node->inputs[0]]) continue;
        if (kept && strcmp(kept, node->name) == 0) continue;
        q->layers[i].weights = row_of(node->channels, 1, 0);
        det_weight_scales(node, model->shapes[node->inputs[0]].channels, scales[node->inputs[0]],
                          q->layers[i].weights);
    }
    det_channel_values_free(graph, DET_CHANNEL_SCALES, scales);
}

static const det_node relu = {.op = DET_OP_RELU};

static det_node convolution(int channels, int kernel, int stride)
{
    const int pad = kernel / 2;
    return (det_node){.op = DET_OP_CONVOLUTION,
                      .channels = channels,
                      .window = {kernel, kernel, stride, stride, pad, pad, 1, 1}};
}

/* picture -> stem -> "in" (ReLU) -> "layer" -> "out" (ReLU) -> "next" (1x1) -> "end" (ReLU) */
static test_sketch chain_of(int in_channels, det_node layer)
{
    test_sketch sketch = test_sketch_create(side, side);
    int node = test_sketch_chain(&sketch, "stem", convolution(in_channels, 3, 1), DET_PICTURE);
    node = test_sketch_chain(&sketch, "in", relu, node);
    node = test_sketch_chain(&sketch, "layer", layer, node);
    node = test_sketch_chain(&sketch, "out", relu, node);
    node = test_sketch_chain(&sketch, "next", convolution(16, 1, 1), node);
    test_sketch_chain(&sketch, "end", relu, node);
    calibrate(&sketch, NULL, .02f);
    return sketch;
}

/* The network from `from` to the layers `to`, run on one tensor. Free the outputs. */
static void run(const test_sketch *sketch, const det_network_options *options, const float *input,
                float **outputs)
{
    det_network *network = NULL;
    det_worker *worker = NULL;
    det_error error = {0};
    test_assert_ok(det_network_compile(sketch->model, options, &network, &error), &error);
    test_assert_ok(det_worker_create((const det_network *const[]){network}, 1, &worker, &error),
                   &error);
    for (size_t i = 0; i < options->to_count; i++)
        outputs[i] =
            det_alloc_array(values_of(det_network_output_shape(network, i)), sizeof(float));
    test_assert_ok(det_network_run_tensor(network, worker, input, 1, outputs, &error), &error);
    det_worker_free(worker);
    det_network_free(network);
}

/* ---- The arithmetic, in whole numbers ----------------------------------------------------------
 */

/* q[o][...] of a layer, by the formula of src/nn/quantization.h. */
static int weight_of(const det_node *node, const float *a, int limit, float w, int o, int c, int at,
                     int row, int area)
{
    const float value = node->weights.values[o * row + c * area + at] * a[c];
    const double q = nearbyint((double)(value / (w * (127 / (float)limit))));
    return (int)fmin(fmax(q, -limit), limit);
}

/* y[o] at (y, x): bytes (C,H,W) in, a real number out, not yet clipped. */
static double convolve(const det_model *model, int index, const uint8_t *bytes, int limit, int o,
                       int y, int x)
{
    const det_node *node = &model->graph.nodes[index];
    const det_window *win = &node->window;
    const det_shape s = model->shapes[node->inputs[0]];
    const det_quantization *q = &model->quantization;
    const float *a = q->layers[node->inputs[0]].activation, w = q->layers[index].weights[o];
    const int area = win->kernel_h * win->kernel_w, row = s.channels * area;
    const int8_t *rounded = q->layers[index].rounded[limit == 127 ? DET_WEIGHTS_8 : DET_WEIGHTS_7];
    int64_t sum = 0;
    for (int c = 0; c < s.channels; c++)
        for (int k = 0; k < area; k++) {
            const int iy = y * win->stride_h - win->pad_h + k / win->kernel_w;
            const int ix = x * win->stride_w - win->pad_w + k % win->kernel_w;
            if (iy < 0 || ix < 0 || iy >= s.height || ix >= s.width) continue;
            sum += (int64_t)bytes[(c * s.height + iy) * s.width + ix] *
                   (rounded ? rounded[o * row + c * area + k]
                            : weight_of(node, a, limit, w, o, c, k, row, area));
        }
    return (double)sum * (double)w * 127 / limit + (double)node->bias.values[o];
}

/* Whole numbers of a[c] as input; "out" has to be a[c] * round(y / a[c]), within the tie. */
static void check_layer(const test_sketch *sketch, int weight_bits)
{
    const det_model *model = sketch->model;
    const int in = det_graph_find(&model->graph, "in"), out = det_graph_find(&model->graph, "out");
    const int layer = out - 1, limit = weight_bits == 8 ? 127 : 63;
    const det_shape s = model->shapes[in], o = model->shapes[out];
    const float *a = model->quantization.layers[in].activation;
    const float *b = model->quantization.layers[out].activation;
    uint8_t *bytes = det_alloc(values_of(s));
    float *input = det_alloc_array(values_of(s), sizeof *input);
    for (size_t i = 0; i < values_of(s); i++) {
        bytes[i] = (uint8_t)(i * 37 % 256); /* 0 and 255 among them */
        input[i] = a[i / ((size_t)s.height * (size_t)s.width)] * (float)bytes[i];
    }
    const char *to[] = {"out", "end"};
    float *found[2];
    const det_network_options options = {
        .precision = DET_INT8, .weight_bits = weight_bits, .from = "in", .to = to, .to_count = 2};
    run(sketch, &options, input, found);
    const float *next = found[0];
    for (int c = 0; c < o.channels; c++)
        for (int y = 0; y < o.height; y++)
            for (int x = 0; x < o.width; x++, next++) {
                const double exact = convolve(model, layer, bytes, limit, c, y, x);
                const double clipped = fmin(fmax(exact, 0), 255 * (double)b[c]);
                if (fabs((double)*next - clipped) > .501 * (double)b[c])
                    fail_msg("channel %d at %d, %d is %g, not %g", c, y, x, (double)*next, clipped);
            }
    det_free(found[0]);
    det_free(found[1]);
    det_free(input);
    det_free(bytes);
}

static void check_both_widths(const test_sketch *sketch)
{
    check_layer(sketch, 7);
    if (det_processor_has_vnni()) check_layer(sketch, 8);
}

static void convolutions_are_exact_sums_of_integers(void **state)
{
    (void)state;
    static const int cases[][4] = {
        /* channels in, channels out, kernel, stride */
        {16, 32, 1, 1}, {32, 16, 3, 1}, {16, 16, 5, 1}, {16, 48, 3, 2},
        {24, 64, 5, 1}, {7, 5, 3, 1},   {5, 16, 1, 1},  {64, 7, 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int *c = cases[i];
        test_sketch sketch = chain_of(c[0], convolution(c[1], c[2], c[3]));
        check_both_widths(&sketch);
        test_sketch_free(&sketch);
    }
}

static void weights_that_were_rounded_are_taken_as_they_are(void **state)
{
    (void)state;
    enum { count = 16 * 16 * 9 };
    int8_t rounded[DET_WEIGHT_WIDTHS][count];
    test_sketch sketch = chain_of(16, convolution(16, 3, 1));
    const int layer = det_graph_find(&sketch.model->graph, "layer");
    for (int w = 0; w < DET_WEIGHT_WIDTHS; w++) {
        const int limit = det_weight_limit((det_weight_width)w);
        for (int i = 0; i < count; i++) rounded[w][i] = (int8_t)(i * 29 % (2 * limit + 1) - limit);
        sketch.model->quantization.layers[layer].rounded[w] = rounded[w];
    }
    check_both_widths(&sketch);
    test_sketch_free(&sketch);
}

/* The rounded weights are all 0, so that integers would leave the bias alone. */
static void a_layer_may_be_higher_in_7_bits_only(void **state)
{
    (void)state;
    static const int8_t zeros[16 * 16 * 9];
    test_sketch sketch = chain_of(16, convolution(16, 3, 1));
    det_layer_scales *layer =
        &sketch.model->quantization.layers[det_graph_find(&sketch.model->graph, "layer")];
    layer->only_in_8_bits = true;
    for (int w = 0; w < DET_WEIGHT_WIDTHS; w++) layer->rounded[w] = zeros;
    float *input = test_random_values(16 * side * side, 5), *found[2];
    const char *to = "layer";
    for (int i = 0; i < 2; i++) {
        const det_network_options options = {.precision = i ? DET_INT8 : DET_F32,
                                             .weight_bits = 7,
                                             .from = "in",
                                             .to = &to,
                                             .to_count = 1};
        run(&sketch, &options, input, &found[i]);
    }
    for (int i = 0; i < 16 * side * side; i++) assert_true(fabsf(found[0][i] - found[1][i]) < .05f);
    if (det_processor_has_vnni()) check_layer(&sketch, 8);
    for (int i = 0; i < 2; i++) det_free(found[i]);
    det_free(input);
    test_sketch_free(&sketch);
}

/* 255 x 63 x 2 = 32130 fits 16 bits, 255 x 127 x 2 does not: all weights alike, all bytes 255. */
static void sums_of_the_largest_products_do_not_overflow(void **state)
{
    (void)state;
    test_sketch sketch = chain_of(16, convolution(16, 3, 1));
    float *weights = sketch.values[2];
    for (int i = 0; i < 16 * 16 * 9; i++) weights[i] = 1e-4f;
    det_quantization_free(&sketch.model->quantization);
    calibrate(&sketch, NULL, .02f);
    const det_model *model = sketch.model;
    const float *a = model->quantization.layers[1].activation;
    float *input = det_alloc_array(16 * side * side, sizeof *input);
    for (int i = 0; i < 16 * side * side; i++) input[i] = 255 * a[i / (side * side)];
    const char *to = "layer";
    float *found, *expected = test_reference_run(model, input, 0); /* only to be freed */
    det_free(expected);
    const det_network_options options = {
        .precision = DET_INT8, .from = "in", .to = &to, .to_count = 1};
    run(&sketch, &options, input, &found);
    double sum = 0; /* in the middle of a map all 16 x 9 products count */
    for (int c = 0; c < 16; c++) sum += 9 * 255 * (double)a[c] * 1e-4;
    for (int o = 0; o < 16; o++) {
        const double y = (double)found[(o * side + side / 2) * side + side / 2];
        const double exact = sum + (double)model->graph.nodes[2].bias.values[o];
        assert_true(fabs(y - exact) < .02 * sum + fabs(exact) / 256); /* bf16 */
    }
    det_free(found);
    det_free(input);
    test_sketch_free(&sketch);
}

static void an_inner_product_is_an_exact_sum_of_integers(void **state)
{
    (void)state;
    test_sketch sketch = test_sketch_create(1, 1);
    int node = test_sketch_chain(&sketch, "stem", convolution(40, 1, 1), DET_PICTURE);
    node = test_sketch_chain(&sketch, "in", relu, node);
    node = test_sketch_chain(&sketch, "layer",
                             (det_node){.op = DET_OP_INNER_PRODUCT, .channels = 24}, node);
    test_sketch_chain(&sketch, "out", relu, node);
    calibrate(&sketch, NULL, .02f);
    det_model *model = sketch.model;
    const float *a = model->quantization.layers[1].activation;
    float input[40];
    for (int c = 0; c < 40; c++) input[c] = a[c] * (float)(c * 6);
    const char *to = "out";
    float *found;
    const det_network_options options = {
        .precision = DET_INT8, .weight_bits = 7, .from = "in", .to = &to, .to_count = 1};
    run(&sketch, &options, input, &found);
    const det_node *layer = &model->graph.nodes[2];
    for (int o = 0; o < 24; o++) {
        const float w = model->quantization.layers[2].weights[o];
        int64_t sum = 0;
        for (int c = 0; c < 40; c++)
            sum += (int64_t)c * 6 * weight_of(layer, a, 63, w, o, c, 0, 40, 1);
        const double exact =
            fmax(0, (double)sum * (double)w * 127 / 63 + (double)layer->bias.values[o]);
        assert_true(fabs((double)found[o] - exact) <= 1e-5 * fmax(1, exact));
    }
    det_free(found);
    test_sketch_free(&sketch);
}

/* ---- What runs how -----------------------------------------------------------------------------
 */

/* A stem, then an inception module of these widths, a pool over all of it, classes. */
static test_sketch inception_of(const int widths[4])
{
    test_sketch s = test_sketch_create(side, side);
    int stem = test_sketch_chain(&s, "stem", convolution(16, 3, 1), DET_PICTURE);
    stem = test_sketch_chain(&s, "stem relu", relu, stem);
    stem = test_sketch_chain(
        &s, "norm",
        (det_node){.op = DET_OP_LRN, .local_size = 5, .alpha = 1e-4f, .beta = .75f, .k = 1}, stem);
    const int pool = test_sketch_chain(
        &s, "pool", (det_node){.op = DET_OP_MAX_POOL, .window = {3, 3, 1, 1, 1, 1, 1, 1}}, stem);
    static const char *const names[][2] = {{"1x1", "a"}, {"3x3", "b"}, {"5x5", "c"}, {"proj", "d"}};
    static const int kernels[] = {1, 3, 5, 1};
    int branches[4];
    for (int i = 0; i < 4; i++) {
        const int layer = test_sketch_chain(&s, names[i][0], convolution(widths[i], kernels[i], 1),
                                            i == 3 ? pool : stem);
        branches[i] = test_sketch_chain(&s, names[i][1], relu, layer);
    }
    int node = test_sketch_add(&s, "all", (det_node){.op = DET_OP_CONCAT}, branches, 4);
    node =
        test_sketch_chain(&s, "mean", (det_node){.op = DET_OP_AVERAGE_POOL, .global = true}, node);
    node = test_sketch_chain(&s, "drop", (det_node){.op = DET_OP_DROPOUT}, node);
    node =
        test_sketch_chain(&s, "fc", (det_node){.op = DET_OP_INNER_PRODUCT, .channels = 10}, node);
    test_sketch_chain(&s, "prob", (det_node){.op = DET_OP_SOFTMAX}, node);
    return s;
}

/* Rounding to steps of .25 to .45 leaves the mean of a map within a part of a step. */
static void an_inception_module_stays_near_f32(void **state)
{
    (void)state;
    static const int widths[][4] = {{16, 32, 16, 48}, {5, 16, 3, 1}};
    static const char *const kept[] = {NULL, "3x3", "fc", "1x1"};
    for (size_t i = 0; i < 8; i++) {
        test_sketch sketch = inception_of(widths[i / 4]);
        calibrate(&sketch, kept[i % 4], .25f);
        float *input = test_random_values(3 * side * side, 7), *found[2];
        const char *to[] = {"mean", "fc"};
        const det_network_options options = {.precision = DET_INT8, .to = to, .to_count = 2};
        run(&sketch, &options, input, found);
        for (size_t j = 0; j < 2; j++) {
            const int node = det_graph_find(&sketch.model->graph, to[j]);
            const size_t count = values_of(sketch.model->shapes[node]);
            float *expected = test_reference_run(sketch.model, input, node);
            double largest = 0;
            for (size_t k = 0; k < count; k++) largest = fmax(largest, fabs((double)expected[k]));
            for (size_t k = 0; k < count; k++)
                if (fabs((double)(found[j][k] - expected[k])) > .04 * largest + .02)
                    fail_msg("%s, value %zu is %g, not %g", to[j], k, (double)found[j][k],
                             (double)expected[k]);
            det_free(expected);
            det_free(found[j]);
        }
        det_free(input);
        test_sketch_free(&sketch);
    }
}

static void integer_layers_run_on_integer_kernels(void **state)
{
    (void)state;
    static const int widths[4] = {16, 32, 16, 48};
    test_sketch sketch = inception_of(widths);
    calibrate(&sketch, NULL, .02f);
    det_network *network = NULL;
    det_error error = {0};
    const char *to = "prob";
    const det_network_options options = {.precision = DET_INT8, .to = &to, .to_count = 1};
    test_assert_ok(det_network_compile(sketch.model, &options, &network, &error), &error);
    assert_int_equal(det_network_precision(network), DET_INT8);
    assert_int_equal(det_network_weight_bits(network), det_processor_has_vnni() ? 8 : 7);
    int concats = 0;
    for (size_t i = 0; i < det_network_step_count(network); i++) {
        const char *layer, *implementation;
        det_network_step(network, i, &layer, &implementation);
        if (strstr(implementation, "ref")) fail_msg("%s runs on %s", layer, implementation);
        concats += strcmp(layer, "all") == 0;
    }
    assert_true(concats <= 1); /* of bytes, at once or free: nothing is reordered for it */
    det_network_free(network);
    test_sketch_free(&sketch);
}

static void equal_pictures_give_equal_bits_on_any_number_of_threads(void **state)
{
    (void)state;
    static const int widths[4] = {16, 32, 16, 48};
    test_sketch sketch = inception_of(widths);
    calibrate(&sketch, NULL, .02f);
    float *input = test_random_values(3 * side * side, 9), *first = NULL;
    const char *to = "prob";
    for (int threads = 1; threads <= 3; threads++) {
        float *found;
        const det_network_options options = {
            .precision = DET_INT8, .threads = threads, .to = &to, .to_count = 1};
        run(&sketch, &options, input, &found);
        if (first) {
            assert_memory_equal(first, found, 10 * sizeof *found);
            det_free(found);
        } else {
            first = found;
        }
    }
    det_free(first);
    det_free(input);
    test_sketch_free(&sketch);
}

/* ---- What cannot run ---------------------------------------------------------------------------
 */

static void a_model_without_scales_cannot_run_in_int8(void **state)
{
    (void)state;
    test_sketch sketch = inception_of((const int[4]){16, 16, 16, 16});
    det_network *network = NULL;
    det_error error = {0};
    const det_network_options options = {.precision = DET_INT8};
    test_assert_error(det_network_compile(sketch.model, &options, &network, &error),
                      DET_UNSUPPORTED, &error, "detect model calibrate");
    test_sketch_free(&sketch);
}

static void weights_have_7_or_8_bits_and_8_need_vnni(void **state)
{
    (void)state;
    test_sketch sketch = chain_of(16, convolution(16, 3, 1));
    det_network *network = NULL;
    det_error error = {0};
    const char *to = "end";
    det_network_options options = {
        .precision = DET_INT8, .weight_bits = 6, .to = &to, .to_count = 1};
    test_assert_error(det_network_compile(sketch.model, &options, &network, &error), DET_ARGUMENT,
                      &error, "6 bits");
    options.weight_bits = 8;
    const det_status status = det_network_compile(sketch.model, &options, &network, &error);
    if (det_processor_has_vnni())
        test_assert_ok(status, &error);
    else
        test_assert_error(status, DET_UNSUPPORTED, &error, det_processor_features());
    det_network_free(network);
    test_sketch_free(&sketch);
}

/* "auto" is the fastest precision that is listed as verified, with the weights used here. */
static void auto_takes_what_is_verified_and_native(void **state)
{
    (void)state;
    const int bits = det_integer_weight_bits();
    const det_precision bf16 = det_processor_has_bf16() ? DET_BF16 : DET_F32;
    const struct {
        det_agreement list[2];
        det_precision expected;
    } cases[] = {
        {{{DET_BF16, 0, 9, 1, 0, true}, {DET_INT8, bits, 9, 1, 0, true}}, DET_INT8},
        {{{DET_BF16, 0, 9, 1, 0, true}, {DET_INT8, bits, 9, 1, 0, false}}, bf16},
        {{{DET_BF16, 0, 9, 1, 0, true}, {DET_INT8, 15 - bits, 9, 1, 0, true}}, bf16},
        {{{DET_BF16, 0, 9, 1, 0, false}, {DET_INT8, bits, 9, 1, 0, false}}, DET_F32},
    };
    test_sketch sketch = chain_of(16, convolution(16, 3, 1));
    det_quantization *q = &sketch.model->quantization;
    q->agreements = det_alloc_array(2, sizeof *q->agreements);
    q->agreement_count = 2;
    const char *to = "end";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memcpy(q->agreements, cases[i].list, sizeof cases[i].list);
        det_network *network = NULL;
        det_error error = {0};
        const det_network_options options = {.precision = DET_AUTO, .to = &to, .to_count = 1};
        test_assert_ok(det_network_compile(sketch.model, &options, &network, &error), &error);
        assert_int_equal(det_network_precision(network), cases[i].expected);
        det_network_free(network);
    }
    test_sketch_free(&sketch);
}

static void short_memory_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
    test_sketch sketch = inception_of((const int[4]){16, 16, 16, 16});
    calibrate(&sketch, NULL, .02f);
    const char *to = "prob";
    const det_network_options options = {.precision = DET_INT8, .to = &to, .to_count = 1};
    bool done = false;
    for (uint64_t nth = 1; !done; nth++) {
        det_network *network = NULL;
        det_error error = {0};
        det_memory_fail_at(nth);
        const det_status status = det_network_compile(sketch.model, &options, &network, &error);
        done = !det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, done ? DET_OK : DET_MEMORY);
        det_network_free(network);
    }
    test_sketch_free(&sketch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions_are_exact_sums_of_integers),
        cmocka_unit_test(weights_that_were_rounded_are_taken_as_they_are),
        cmocka_unit_test(a_layer_may_be_higher_in_7_bits_only),
        cmocka_unit_test(sums_of_the_largest_products_do_not_overflow),
        cmocka_unit_test(an_inner_product_is_an_exact_sum_of_integers),
        cmocka_unit_test(an_inception_module_stays_near_f32),
        cmocka_unit_test(integer_layers_run_on_integer_kernels),
        cmocka_unit_test(equal_pictures_give_equal_bits_on_any_number_of_threads),
        cmocka_unit_test(a_model_without_scales_cannot_run_in_int8),
        cmocka_unit_test(weights_have_7_or_8_bits_and_8_need_vnni),
        cmocka_unit_test(auto_takes_what_is_verified_and_native),
        cmocka_unit_test(short_memory_is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
