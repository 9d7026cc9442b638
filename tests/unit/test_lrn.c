/* SPDX-License-Identifier: Apache-2.0 */
/* Our own local response normalisation, against its formula. */
#include "src/nn/kernels/lrn.h"

#include "src/base/memory.h"
#include "src/nn/onednn/processor.h"
#include "tests/unit/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const det_node googlenet = {
    .op = DET_OP_LRN, .local_size = 5, .alpha = 1e-4F, .beta = .75F, .k = 1};
static const det_node strong = {
    .op = DET_OP_LRN, .local_size = 5, .alpha = 2, .beta = .75F, .k = .5F};

/* The next code that this processor runs, NULL behind the last. */
static const det_lrn_code *next_code(size_t *at)
{
#if defined(__x86_64__)
    const struct {
        const det_lrn_code *code;
        bool runs;
    } codes[] = {{&det_lrn_avx2, det_processor_has_avx2()},
                 {&det_lrn_avx512, det_processor_has_avx512()}};
    while (*at < sizeof codes / sizeof *codes)
        if (codes[(*at)++].runs) return codes[*at - 1].code;
#else
    (void)at;
#endif
    return NULL;
}

static size_t place(int block, det_shape shape, int channel, int pixel)
{
    return (size_t)((channel / block * shape.height * shape.width + pixel) * block +
                    channel % block);
}

static size_t values_of(int block, det_shape shape)
{
    return (size_t)((shape.channels + block - 1) / block * block * shape.height * shape.width);
}

static float value_at(int channel, int pixel)
{
    return (float)((channel * 29 + pixel * 53) % 400) * .5F - 20;
}

static float *make_map(int block, det_shape shape)
{
    float *map = calloc(values_of(block, shape), sizeof *map);
    assert_non_null(map);
    for (int c = 0; c < shape.channels; c++)
        for (int p = 0; p < shape.height * shape.width; p++)
            map[place(block, shape, c, p)] = value_at(c, p);
    return map;
}

static double expected_at(const det_node *node, det_shape shape, int channel, int pixel)
{
    double sum = 0;
    for (int i = channel - 2; i <= channel + 2; i++)
        if (i >= 0 && i < shape.channels) sum += pow((double)value_at(i, pixel), 2);
    const double base = (double)node->k + (double)node->alpha / 5 * sum;
    return (double)value_at(channel, pixel) * pow(base, -.75);
}

static void run(const det_lrn_code *code, const det_node *node, det_shape shape, det_values type,
                const float *steps, const void *in, void *out, int threads)
{
    det_kernel *kernel = NULL;
    det_error error;
    test_assert_ok(det_lrn_create(code, node, shape, type, steps, &kernel, &error), &error);
    kernel->run(kernel, in, out, threads);
    kernel->destroy(kernel);
}

static void check(const det_lrn_code *code, const det_node *node, det_shape shape)
{
    float *map = make_map(code->block, shape), *out = make_map(code->block, shape);
    run(code, node, shape, DET_VALUES_F32, NULL, map, out, 1);
    for (int c = 0; c < shape.channels; c++)
        for (int p = 0; p < shape.height * shape.width; p++) {
            const double expected = expected_at(node, shape, c, p),
                         y = (double)out[place(code->block, shape, c, p)];
            if (!(fabs(y - expected) <= 1e-6 * fabs(expected)))
                fail_msg("%s: channel %d, pixel %d is %.9g, not %.9g", code->name, c, p, y,
                         expected);
        }
    for (int c = shape.channels; c % code->block != 0; c++)
        assert_float_equal(out[place(code->block, shape, c, 0)], 0, 0);
    free(map);
    free(out);
}

static void every_value_is_that_of_the_formula(void **state)
{
    (void)state;
    const det_lrn_code *code;
    for (size_t at = 0; (code = next_code(&at));)
        for (int channels = 1; channels <= 40; channels += 3) {
            check(code, &googlenet, (det_shape){channels, 3, 5});
            check(code, &strong, (det_shape){channels, 13, 11});
        }
}

static void bytes_are_the_nearest_steps_within_0_and_255(void **state)
{
    (void)state;
    const det_shape shape = {24, 9, 9};
    float steps[24];
    for (int c = 0; c < 24; c++) steps[c] = .25F + (float)(c % 3);
    const det_lrn_code *code;
    for (size_t at = 0; (code = next_code(&at));) {
        float *map = make_map(code->block, shape);
        uint8_t *out = calloc(values_of(code->block, shape), 1);
        assert_non_null(out);
        run(code, &googlenet, shape, DET_VALUES_F32, steps, map, out, 1);
        for (int c = 0; c < shape.channels; c++)
            for (int p = 0; p < 81; p++) {
                const double step =
                    fmin(fmax(expected_at(&googlenet, shape, c, p) / (double)steps[c], 0), 255);
                assert_true(fabs(out[place(code->block, shape, c, p)] - step) < .5001);
            }
        free(map);
        free(out);
    }
}

static float from_half(uint16_t half)
{
    const uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The inputs, halves and integers below 256, are exact in bf16. */
static void bf16_differs_by_half_a_unit_in_the_last_place(void **state)
{
    (void)state;
#if defined(__x86_64__)
    if (!det_processor_has_avx512()) skip();
    const det_shape shape = {32, 4, 4};
    float *map = make_map(16, shape);
    const size_t values = values_of(16, shape);
    uint16_t *halves = calloc(values, sizeof *halves), *out = calloc(values, sizeof *out);
    assert_true(halves && out);
    for (size_t i = 0; i < values; i++) {
        map[i] = floorf(map[i]);
        uint32_t bits;
        memcpy(&bits, &map[i], sizeof bits);
        halves[i] = (uint16_t)(bits >> 16);
        map[i] = from_half(halves[i]);
    }
    float *exact = make_map(16, shape);
    run(&det_lrn_avx512, &strong, shape, DET_VALUES_F32, NULL, map, exact, 1);
    run(&det_lrn_avx512, &strong, shape, DET_VALUES_BF16, NULL, halves, out, 1);
    for (size_t i = 0; i < values; i++)
        assert_true(fabsf(from_half(out[i]) - exact[i]) <= fabsf(exact[i]) / 256);
    free(map);
    free(exact);
    free(halves);
    free(out);
#else
    skip();
#endif
}

static void threads_change_no_bit(void **state)
{
    (void)state;
    const det_shape shape = {20, 17, 19};
    const det_lrn_code *code;
    for (size_t at = 0; (code = next_code(&at));) {
        float *map = make_map(code->block, shape), *one = make_map(code->block, shape),
              *many = make_map(code->block, shape);
        run(code, &strong, shape, DET_VALUES_F32, NULL, map, one, 1);
        run(code, &strong, shape, DET_VALUES_F32, NULL, map, many, 3);
        assert_memory_equal(one, many, values_of(code->block, shape) * sizeof *one);
        free(map);
        free(one);
        free(many);
    }
}

static void other_sizes_and_powers_are_not_ours(void **state)
{
    (void)state;
    assert_true(det_lrn_suits(&googlenet));
    det_node other = googlenet;
    other.local_size = 3;
    assert_false(det_lrn_suits(&other));
    other = googlenet;
    other.beta = .5F;
    assert_false(det_lrn_suits(&other));
}

#ifdef DET_FAULT_INJECTION
static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    size_t at = 0;
    const det_lrn_code *code = next_code(&at);
    if (!code) skip();
    const float steps[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    for (uint64_t nth = 1; nth <= 2; nth++) {
        det_kernel *kernel = NULL;
        det_error error;
        det_memory_fail_at(nth);
        assert_int_equal(det_lrn_create(code, &googlenet, (det_shape){8, 2, 2}, DET_VALUES_F32,
                                        steps, &kernel, &error),
                         DET_MEMORY);
        det_memory_fail_at(0);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_is_that_of_the_formula),
        cmocka_unit_test(bytes_are_the_nearest_steps_within_0_and_255),
        cmocka_unit_test(bf16_differs_by_half_a_unit_in_the_last_place),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(other_sizes_and_powers_are_not_ours),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(every_failed_allocation_is_reported),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
