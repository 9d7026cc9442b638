/* SPDX-License-Identifier: Apache-2.0 */
/* Our own convolutions, against the sum that defines them. */
#include "src/nn/kernels/convolution.h"
#include "src/nn/kernels/picture_rows.h"

#include "src/base/memory.h"
#include "src/nn/onednn/processor.h"
#include "tests/unit/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int in_channels, height, width, channels;
    det_window window;
} geometry;

static const geometry geometries[] = {
    {16, 1, 1, 16, {1, 1, 1, 1, 0, 0, 1, 1}},   {24, 7, 7, 40, {3, 3, 1, 1, 1, 1, 1, 1}},
    {9, 5, 11, 70, {5, 5, 1, 1, 2, 2, 1, 1}},   {33, 14, 13, 208, {1, 1, 1, 1, 0, 0, 1, 1}},
    {16, 12, 9, 130, {3, 3, 2, 2, 1, 1, 1, 1}}, {17, 9, 10, 24, {3, 2, 1, 2, 0, 1, 1, 1}},
    {8, 11, 12, 48, {3, 3, 1, 1, 2, 2, 2, 2}},  {40, 3, 3, 96, {3, 3, 1, 1, 1, 1, 1, 1}},
};

/* Channels from which on a map holds zeros. */
static int padded(const det_tiles *tiles, int channels)
{
    return (channels + tiles->block - 1) / tiles->block * tiles->block;
}

static det_shape output_of(const geometry *g)
{
    const det_window *w = &g->window;
    const int height = g->height + 2 * w->pad_h - (w->kernel_h - 1) * w->dilation_h - 1,
              width = g->width + 2 * w->pad_w - (w->kernel_w - 1) * w->dilation_w - 1;
    return (det_shape){g->channels, height / w->stride_h + 1, width / w->stride_w + 1};
}

/* Multiples of 1/8 within [-1, 1]: exact in bf16, and every sum of them is exact in f32. */
static float number(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)((int)(*state >> 28) - 8) / 8;
}

/* The map is channels x height x width. As bytes it holds eight times the values, which are not
 * negative then, and the integers are eight times the weights. */
typedef struct {
    geometry g;
    det_shape in, out;
    det_node node, relu;
    float *weights, *bias, *scale, *steps, *map;
    int8_t *integers;
    det_values out_type;
} setting;

static void make_setting(const det_tiles *tiles, const geometry *g, float slope, setting *s)
{
    const bool bytes = tiles->in_type == DET_VALUES_BYTES;
    unsigned state = 7;
    const int taps = g->window.kernel_h * g->window.kernel_w;
    const size_t weights = (size_t)(g->channels * g->in_channels * taps);
    *s = (setting){.g = *g, .in = {g->in_channels, g->height, g->width}, .out = output_of(g)};
    s->weights = calloc(weights, sizeof(float));
    s->bias = calloc((size_t)g->channels, sizeof(float));
    s->scale = calloc((size_t)g->channels, sizeof(float));
    s->steps = calloc((size_t)g->channels, sizeof(float));
    s->integers = calloc(weights, 1);
    s->map = calloc(det_shape_values(s->in), sizeof(float));
    for (size_t i = 0; i < weights; i++) s->weights[i] = number(&state);
    for (size_t i = 0; i < weights; i++) s->integers[i] = (int8_t)(8 * s->weights[i]);
    for (int i = 0; i < g->channels; i++) {
        s->bias[i] = number(&state);
        s->scale[i] = 1.F / 64;
        s->steps[i] = (float)(1 + i % 3) / 4;
    }
    for (size_t i = 0; i < det_shape_values(s->in); i++) {
        s->map[i] = number(&state);
        if (bytes) s->map[i] = fabsf(s->map[i]);
    }
    s->out_type = bytes ? DET_VALUES_F32 : tiles->in_type;
    s->relu.negative_slope = slope;
    s->node = (det_node){.op = DET_OP_CONVOLUTION,
                         .window = g->window,
                         .channels = g->channels,
                         .groups = 1,
                         .weights = {.values = s->weights, .count = weights}};
}

static void free_setting(setting *s)
{
    free(s->weights);
    free(s->bias);
    free(s->scale);
    free(s->steps);
    free(s->integers);
    free(s->map);
}

static float input_at(const setting *s, int channel, int y, int x)
{
    if (y < 0 || x < 0 || y >= s->in.height || x >= s->in.width) return 0;
    return s->map[(channel * s->in.height + y) * s->in.width + x];
}

/* The definition, before the ReLU. */
static float sum_at(const setting *s, int o, int y, int x)
{
    const det_window *w = &s->g.window;
    double sum = s->bias[o];
    const float *weight = s->weights + (ptrdiff_t)o * s->in.channels * w->kernel_h * w->kernel_w;
    for (int i = 0; i < s->in.channels; i++)
        for (int kh = 0; kh < w->kernel_h; kh++)
            for (int kw = 0; kw < w->kernel_w; kw++)
                sum += (double)*weight++ *
                       (double)input_at(s, i, y * w->stride_h - w->pad_h + kh * w->dilation_h,
                                        x * w->stride_w - w->pad_w + kw * w->dilation_w);
    return (float)sum;
}

/* ---- Maps in blocks ----------------------------------------------------------------------------
 */

static size_t place(const det_tiles *tiles, det_shape shape, int channel, int pixel)
{
    const size_t area = (size_t)shape.height * (size_t)shape.width, block = (size_t)tiles->block;
    return ((size_t)channel / block * area + (size_t)pixel) * block + (size_t)channel % block;
}

static void put(det_values type, void *map, size_t index, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (type == DET_VALUES_F32)
        ((float *)map)[index] = value;
    else if (type == DET_VALUES_BF16)
        ((uint16_t *)map)[index] = (uint16_t)(bits >> 16);
    else
        ((uint8_t *)map)[index] = (uint8_t)(8 * value);
}

/* Bytes are given in their steps. */
static float get(det_values type, const void *map, size_t index)
{
    if (type == DET_VALUES_F32) return ((const float *)map)[index];
    if (type == DET_VALUES_BYTES) return ((const uint8_t *)map)[index];
    const uint32_t bits = (uint32_t)((const uint16_t *)map)[index] << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static size_t map_size(const det_tiles *tiles, det_shape shape, det_values type)
{
    return (size_t)padded(tiles, shape.channels) * (size_t)shape.height * (size_t)shape.width *
           det_values_size(type);
}

static void *make_map(const det_tiles *tiles, det_shape shape, det_values type)
{
    void *map = calloc(map_size(tiles, shape, type), 1);
    assert_non_null(map);
    return map;
}

static void *input_map(const det_tiles *tiles, const setting *s)
{
    void *map = make_map(tiles, s->in, tiles->in_type);
    const int area = s->in.height * s->in.width;
    for (int c = 0; c < s->in.channels; c++)
        for (int p = 0; p < area; p++)
            put(tiles->in_type, map, place(tiles, s->in, c, p), s->map[c * area + p]);
    return map;
}

static det_convolution_parts parts_of(const det_tiles *tiles, const setting *s,
                                      const det_node *relu)
{
    const bool bytes = tiles->in_type == DET_VALUES_BYTES;
    return (det_convolution_parts){
        .node = &s->node,
        .relu = relu,
        .in = s->in,
        .out = s->out,
        .integers = bytes ? s->integers : NULL,
        .scale = bytes ? s->scale : NULL,
        .bias = s->bias,
        .out_type = s->out_type,
        .steps = s->out_type == DET_VALUES_BYTES ? s->steps : NULL,
    };
}

static void *run(const det_tiles *tiles, const setting *s, const det_node *relu, int threads)
{
    const det_convolution_parts parts = parts_of(tiles, s, relu);
    det_kernel *kernel = NULL;
    det_error error;
    test_assert_ok(det_convolution_create(tiles, &parts, &kernel, &error), &error);
    void *in = input_map(tiles, s), *out = make_map(tiles, s->out, s->out_type);
    memset(out, 0x7f, map_size(tiles, s->out, s->out_type));
    kernel->run(kernel, in, out, threads);
    kernel->destroy(kernel);
    free(in);
    return out;
}

/* ---- Which tiles this processor runs -----------------------------------------------------------
 */

/* The next tiles that this processor runs, NULL behind the last. */
static const det_tiles *next_tiles(size_t *at)
{
    const struct {
        const det_tiles *tiles;
        bool runs;
    } all[] = {
        {&det_tiles_plain, true},
#if defined(__x86_64__)
        {&det_tiles_avx2, det_processor_has_avx2()},
        {&det_tiles_avx512, det_processor_has_avx512()},
        {&det_tiles_avx512_bf16, det_processor_has_bf16()},
        {&det_tiles_avx2_bytes, det_processor_has_avx2()},
        {&det_tiles_avx2_vnni, det_processor_has_avx2_vnni()},
        {&det_tiles_avx512_bytes, det_processor_has_avx512_vnni()},
#endif
    };
    while (*at < sizeof all / sizeof *all)
        if (all[(*at)++].runs) return all[*at - 1].tiles;
    return NULL;
}

/* Half a step of bytes; bf16 keeps 8 bits, and half a unit in the last place is 1/256 of the value.
 */
static float tolerance(det_values type, float value)
{
    if (type == DET_VALUES_BYTES) return .5F;
    return type == DET_VALUES_BF16 ? fabsf(value) / 256 : 0;
}

static float expected_at(const setting *s, int o, int pixel)
{
    if (o >= s->out.channels) return 0;
    const float sum = sum_at(s, o, pixel / s->out.width, pixel % s->out.width);
    const float value = sum < 0 ? s->relu.negative_slope * sum : sum;
    if (s->out_type != DET_VALUES_BYTES) return value;
    const float steps = value / s->steps[o];
    return steps < 0 ? 0 : steps > 255 ? 255 : steps;
}

static void check_values(const det_tiles *tiles, const setting *s, const void *out)
{
    for (int o = 0; o < padded(tiles, s->out.channels); o++)
        for (int p = 0; p < s->out.height * s->out.width; p++) {
            const float expected = expected_at(s, o, p),
                        value = get(s->out_type, out, place(tiles, s->out, o, p));
            if (!(fabsf(value - expected) <= tolerance(s->out_type, expected)))
                fail_msg("%s, %d to %d channels, %dx%d: channel %d, pixel %d is %g, not %g",
                         tiles->name, s->in.channels, s->out.channels, s->in.width, s->in.height, o,
                         p, (double)value, (double)expected);
        }
}

static void check_output(const det_tiles *tiles, const setting *s)
{
    void *out = run(tiles, s, &s->relu, 1);
    check_values(tiles, s, out);
    free(out);
}

static void check_against_the_definition(const det_tiles *tiles, const geometry *g, float slope)
{
    setting s;
    make_setting(tiles, g, slope, &s);
    check_output(tiles, &s);
    free_setting(&s);
}

static void every_tile_gives_the_sum_that_defines_a_convolution(void **state)
{
    (void)state;
    const det_tiles *tiles;
    for (size_t at = 0; (tiles = next_tiles(&at));)
        for (size_t i = 0; i < sizeof geometries / sizeof *geometries; i++)
            check_against_the_definition(tiles, &geometries[i], 0);
}

static void a_map_of_any_number_of_pixels_and_blocks_is_covered(void **state)
{
    (void)state;
    const det_tiles *tiles;
    for (size_t at = 0; (tiles = next_tiles(&at));)
        for (int size = 1; size <= 30; size++) {
            const geometry g = {8, 1, size, 9 * size, {1, 1, 1, 1, 0, 0, 1, 1}};
            check_against_the_definition(tiles, &g, 0);
        }
}

static void a_leaky_relu_keeps_its_share_of_negative_sums(void **state)
{
    (void)state;
    const det_tiles *tiles;
    for (size_t at = 0; (tiles = next_tiles(&at));)
        check_against_the_definition(tiles, &geometries[1], .25F);
}

/* The rows of the picture, then the convolution on them. */
static void *run_on_picture(const det_tiles *tiles, const setting *s, int threads)
{
    det_kernel *rows = NULL, *kernel = NULL;
    det_error error;
    test_assert_ok(det_picture_rows_create(&s->node.window, s->in, tiles->in_type, &rows, &error),
                   &error);
    det_convolution_parts parts = parts_of(tiles, s, &s->relu);
    parts.picture = true;
    parts.in = det_picture_rows_shape(&s->node.window, s->in);
    test_assert_ok(det_convolution_create(tiles, &parts, &kernel, &error), &error);
    void *between = calloc(det_shape_values(parts.in), det_values_size(tiles->in_type)),
         *out = make_map(tiles, s->out, s->out_type);
    assert_non_null(between);
    memset(between, 0xff, det_shape_values(parts.in) * det_values_size(tiles->in_type));
    rows->run(rows, s->map, between, threads);
    kernel->run(kernel, between, out, threads);
    rows->destroy(rows);
    kernel->destroy(kernel);
    free(between);
    return out;
}

static void a_picture_of_few_channels_goes_row_by_row(void **state)
{
    (void)state;
    static const geometry pictures[] = {
        {3, 20, 17, 64, {7, 7, 2, 2, 3, 3, 1, 1}},
        {1, 9, 9, 20, {3, 3, 1, 1, 1, 1, 1, 1}},
        {4, 12, 13, 33, {5, 3, 1, 2, 2, 0, 2, 1}},
    };
    const det_tiles *tiles;
    for (size_t at = 0; (tiles = next_tiles(&at));)
        for (size_t i = 0; i < 3 && tiles->in_type != DET_VALUES_BYTES; i++) {
            setting s;
            make_setting(tiles, &pictures[i], 0, &s);
            void *out = run_on_picture(tiles, &s, 1), *same = run_on_picture(tiles, &s, 3);
            check_values(tiles, &s, out);
            assert_memory_equal(out, same, map_size(tiles, s.out, s.out_type));
            free(out);
            free(same);
            free_setting(&s);
        }
}

static void bytes_are_the_nearest_steps_within_0_and_255(void **state)
{
    (void)state;
    const det_tiles *tiles;
    for (size_t at = 0; (tiles = next_tiles(&at));) {
        if (tiles == &det_tiles_plain) continue;
        setting s;
        make_setting(tiles, &geometries[4], 0, &s);
        s.out_type = DET_VALUES_BYTES;
        for (int i = 0; i < s.out.channels; i += 5) s.steps[i] = 1.F / 128;
        check_output(tiles, &s);
        free_setting(&s);
    }
}

static void integers_can_be_handed_on_in_bf16(void **state)
{
    (void)state;
#if defined(__x86_64__)
    if (!det_processor_has_avx512_vnni()) skip();
    setting s;
    make_setting(&det_tiles_avx512_bytes, &geometries[2], 0, &s);
    s.out_type = DET_VALUES_BF16;
    check_output(&det_tiles_avx512_bytes, &s);
    free_setting(&s);
#else
    skip();
#endif
}

#if defined(__x86_64__)
/* 255 * 63 * 2 * 200 channels, which overflow 16 bits 200 times over. */
static void the_largest_bytes_and_weights_do_not_overflow(void **state)
{
    (void)state;
    const det_tiles *tiles;
    for (size_t at = 0; (tiles = next_tiles(&at));) {
        if (tiles->in_type != DET_VALUES_BYTES) continue;
        const geometry g = {200, 1, 1, 16, {1, 1, 1, 1, 0, 0, 1, 1}};
        setting s;
        make_setting(tiles, &g, 0, &s);
        for (int i = 0; i < g.in_channels; i++) s.map[i] = 255.F / 8;
        for (size_t i = 0; i < s.node.weights.count; i++)
            s.integers[i] = (int8_t)(tiles->weight_limit);
        for (int i = 0; i < g.channels; i++) s.bias[i] = 0;
        float *out = run(tiles, &s, NULL, 1);
        assert_float_equal(out[0], (float)(200 * 255 * tiles->weight_limit) / 64, 0);
        free(out);
        free_setting(&s);
    }
}
#endif

static void without_a_relu_negative_sums_stay(void **state)
{
    (void)state;
    const det_tiles *tiles;
    for (size_t at = 0; (tiles = next_tiles(&at));) {
        setting s;
        make_setting(tiles, &geometries[1], 1, &s);
        void *leaky = run(tiles, &s, &s.relu, 1), *none = run(tiles, &s, NULL, 1);
        assert_memory_equal(leaky, none, map_size(tiles, s.out, s.out_type));
        free(leaky);
        free(none);
        free_setting(&s);
    }
}

static void threads_change_no_bit(void **state)
{
    (void)state;
    const det_tiles *tiles;
    for (size_t at = 0; (tiles = next_tiles(&at));)
        for (int threads = 2; threads <= 5; threads++) {
            setting s;
            make_setting(tiles, &geometries[3], 0, &s);
            void *one = run(tiles, &s, &s.relu, 1), *many = run(tiles, &s, &s.relu, threads);
            assert_memory_equal(one, many, map_size(tiles, s.out, s.out_type));
            free(one);
            free(many);
            free_setting(&s);
        }
}

static void what_is_not_a_number_stays_so_behind_a_relu(void **state)
{
    (void)state;
    const det_tiles *tiles;
    for (size_t at = 0; (tiles = next_tiles(&at));) {
        if (tiles->in_type == DET_VALUES_BYTES) continue;
        setting s;
        make_setting(tiles, &geometries[0], 0, &s);
        s.map[3] = NAN;
        void *out = run(tiles, &s, &s.relu, 1);
        assert_true(isnan(get(s.out_type, out, 0)));
        free(out);
        free_setting(&s);
    }
}

static void maps_beyond_32_bits_are_refused(void **state)
{
    (void)state;
    setting s;
    make_setting(&det_tiles_plain, &geometries[0], 0, &s);
    det_convolution_parts parts = parts_of(&det_tiles_plain, &s, NULL);
    parts.in = parts.out = (det_shape){16, 1 << 15, 1 << 14};
    det_kernel *kernel = NULL;
    det_error error;
    assert_int_equal(det_convolution_create(&det_tiles_plain, &parts, &kernel, &error), DET_LIMIT);
    assert_non_null(strstr(error.message, "16384 x 32768"));
    free_setting(&s);
}

#ifdef DET_FAULT_INJECTION
static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    setting s;
    make_setting(&det_tiles_plain, &geometries[2], 0, &s);
    det_convolution_parts parts = parts_of(&det_tiles_plain, &s, NULL);
    parts.scale = s.scale;
    parts.steps = s.steps;
    for (uint64_t nth = 1;; nth++) {
        det_kernel *kernel = NULL;
        det_error error;
        det_memory_fail_at(nth);
        const det_status status = det_convolution_create(&det_tiles_plain, &parts, &kernel, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        if (!failed) {
            kernel->destroy(kernel);
            break;
        }
        assert_int_equal(status, DET_MEMORY);
    }
    free_setting(&s);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tile_gives_the_sum_that_defines_a_convolution),
        cmocka_unit_test(a_map_of_any_number_of_pixels_and_blocks_is_covered),
        cmocka_unit_test(a_leaky_relu_keeps_its_share_of_negative_sums),
        cmocka_unit_test(a_picture_of_few_channels_goes_row_by_row),
        cmocka_unit_test(bytes_are_the_nearest_steps_within_0_and_255),
        cmocka_unit_test(integers_can_be_handed_on_in_bf16),
#if defined(__x86_64__)
        cmocka_unit_test(the_largest_bytes_and_weights_do_not_overflow),
#endif
        cmocka_unit_test(without_a_relu_negative_sums_stay),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(what_is_not_a_number_stays_so_behind_a_relu),
        cmocka_unit_test(maps_beyond_32_bits_are_refused),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(every_failed_allocation_is_reported),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
