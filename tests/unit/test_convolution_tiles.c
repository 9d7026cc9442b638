/* SPDX-License-Identifier: Apache-2.0 */
/* Our own convolutions, against the sum that defines them. */
#include "src/nn/kernels/convolution.h"

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

typedef struct {
    geometry g;
    det_shape in, out;
    det_node node, relu;
    float *weights, *bias, *map; /* map: channels x height x width */
} setting;

static void make_setting(const geometry *g, float slope, setting *s)
{
    unsigned state = 7;
    const int taps = g->window.kernel_h * g->window.kernel_w;
    const size_t weights = (size_t)(g->channels * g->in_channels * taps);
    *s = (setting){.g = *g, .in = {g->in_channels, g->height, g->width}, .out = output_of(g)};
    s->weights = calloc(weights, sizeof(float));
    s->bias = calloc((size_t)g->channels, sizeof(float));
    s->map = calloc(det_shape_values(s->in), sizeof(float));
    for (size_t i = 0; i < weights; i++) s->weights[i] = number(&state);
    for (int i = 0; i < g->channels; i++) s->bias[i] = number(&state);
    for (size_t i = 0; i < det_shape_values(s->in); i++) s->map[i] = number(&state);
    s->relu.negative_slope = slope;
    s->node = (det_node){.op = DET_OP_CONVOLUTION,
                         .window = g->window,
                         .channels = g->channels,
                         .groups = 1,
                         .weights = {.values = s->weights, .count = weights},
                         .bias = {.values = s->bias, .count = (size_t)g->channels}};
}

static void free_setting(setting *s)
{
    free(s->weights);
    free(s->bias);
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

static void put(const det_tiles *tiles, void *map, size_t index, float value)
{
    if (tiles->value_size == sizeof(float)) {
        ((float *)map)[index] = value;
        return;
    }
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    ((uint16_t *)map)[index] = (uint16_t)(bits >> 16);
}

static float get(const det_tiles *tiles, const void *map, size_t index)
{
    if (tiles->value_size == sizeof(float)) return ((const float *)map)[index];
    const uint32_t bits = (uint32_t)((const uint16_t *)map)[index] << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void *make_map(const det_tiles *tiles, det_shape shape)
{
    const size_t values =
        (size_t)padded(tiles, shape.channels) * (size_t)shape.height * (size_t)shape.width;
    void *map = calloc(values, tiles->value_size);
    assert_non_null(map);
    return map;
}

static void *input_map(const det_tiles *tiles, const setting *s)
{
    void *map = make_map(tiles, s->in);
    const int area = s->in.height * s->in.width;
    for (int c = 0; c < s->in.channels; c++)
        for (int p = 0; p < area; p++)
            put(tiles, map, place(tiles, s->in, c, p), s->map[c * area + p]);
    return map;
}

static det_convolution *make(const det_tiles *tiles, const setting *s, const det_node *relu)
{
    det_convolution *convolution = NULL;
    det_error error;
    assert_int_equal(
        det_convolution_create(tiles, &s->node, relu, s->in, s->out, &convolution, &error), DET_OK);
    return convolution;
}

static void *run(const det_tiles *tiles, const setting *s, const det_node *relu, int threads)
{
    det_convolution *convolution = make(tiles, s, relu);
    void *in = input_map(tiles, s), *out = make_map(tiles, s->out);
    memset(out, 0x7f,
           (size_t)padded(tiles, s->out.channels) * (size_t)s->out.height * (size_t)s->out.width *
               tiles->value_size);
    det_convolution_run(convolution, in, out, threads);
    det_convolution_free(convolution);
    free(in);
    return out;
}

/* ---- Which tiles this processor runs -----------------------------------------------------------
 */

typedef struct {
    const det_tiles *tiles;
    bool runs;
} choice;

static size_t all_tiles(choice all[4])
{
    size_t count = 0;
    all[count++] = (choice){&det_tiles_plain, true};
#if defined(__x86_64__)
    all[count++] = (choice){&det_tiles_avx2, det_processor_has_avx2()};
    all[count++] = (choice){&det_tiles_avx512, det_processor_has_avx512()};
    all[count++] = (choice){&det_tiles_avx512_bf16, det_processor_has_bf16()};
#endif
    return count;
}

/* bf16 keeps 8 bits: half a unit in the last place is 1/256 of the value. */
static float tolerance(const det_tiles *tiles, float value)
{
    return tiles->pair == 1 ? 0 : fabsf(value) / 256;
}

static void check_against_the_definition(const det_tiles *tiles, const geometry *g, float slope)
{
    setting s;
    make_setting(g, slope, &s);
    void *out = run(tiles, &s, &s.relu, 1);
    for (int o = 0; o < padded(tiles, g->channels); o++)
        for (int p = 0; p < s.out.height * s.out.width; p++) {
            const float sum = o < g->channels ? sum_at(&s, o, p / s.out.width, p % s.out.width) : 0;
            const float expected = sum < 0 ? slope * sum : sum,
                        value = get(tiles, out, place(tiles, s.out, o, p));
            if (!(fabsf(value - expected) <= tolerance(tiles, expected)))
                fail_msg("%s, %d to %d channels, %dx%d: channel %d, pixel %d is %g, not %g",
                         tiles->name, g->in_channels, g->channels, g->width, g->height, o, p,
                         (double)value, (double)expected);
        }
    free(out);
    free_setting(&s);
}

static void every_tile_gives_the_sum_that_defines_a_convolution(void **state)
{
    (void)state;
    choice all[4];
    const size_t count = all_tiles(all);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; all[i].runs && j < sizeof geometries / sizeof *geometries; j++)
            check_against_the_definition(all[i].tiles, &geometries[j], 0);
}

static void a_map_of_any_number_of_pixels_and_blocks_is_covered(void **state)
{
    (void)state;
    choice all[4];
    const size_t count = all_tiles(all);
    for (size_t i = 0; i < count; i++)
        for (int size = 1; all[i].runs && size <= 30; size++) {
            const geometry g = {8, 1, size, 9 * size, {1, 1, 1, 1, 0, 0, 1, 1}};
            check_against_the_definition(all[i].tiles, &g, 0);
        }
}

static void a_leaky_relu_keeps_its_share_of_negative_sums(void **state)
{
    (void)state;
    choice all[4];
    const size_t count = all_tiles(all);
    for (size_t i = 0; i < count; i++)
        if (all[i].runs) check_against_the_definition(all[i].tiles, &geometries[1], .25F);
}

static void without_a_relu_negative_sums_stay(void **state)
{
    (void)state;
    choice all[4];
    const size_t count = all_tiles(all);
    for (size_t i = 0; i < count; i++) {
        if (!all[i].runs) continue;
        setting s;
        make_setting(&geometries[1], 1, &s);
        void *leaky = run(all[i].tiles, &s, &s.relu, 1), *none = run(all[i].tiles, &s, NULL, 1);
        assert_memory_equal(leaky, none,
                            (size_t)padded(all[i].tiles, s.out.channels) * 49 *
                                all[i].tiles->value_size);
        free(leaky);
        free(none);
        free_setting(&s);
    }
}

static void threads_change_no_bit(void **state)
{
    (void)state;
    choice all[4];
    const size_t count = all_tiles(all);
    for (size_t i = 0; i < count; i++)
        for (int threads = 2; all[i].runs && threads <= 5; threads++) {
            setting s;
            make_setting(&geometries[3], 0, &s);
            void *one = run(all[i].tiles, &s, &s.relu, 1),
                 *many = run(all[i].tiles, &s, &s.relu, threads);
            assert_memory_equal(one, many,
                                (size_t)padded(all[i].tiles, s.out.channels) *
                                    (size_t)(s.out.height * s.out.width) *
                                    all[i].tiles->value_size);
            free(one);
            free(many);
            free_setting(&s);
        }
}

static void what_is_not_a_number_stays_so_behind_a_relu(void **state)
{
    (void)state;
    choice all[4];
    const size_t count = all_tiles(all);
    for (size_t i = 0; i < count; i++) {
        if (!all[i].runs) continue;
        setting s;
        make_setting(&geometries[0], 0, &s);
        s.map[3] = NAN;
        void *out = run(all[i].tiles, &s, &s.relu, 1);
        assert_true(isnan(get(all[i].tiles, out, 0)));
        free(out);
        free_setting(&s);
    }
}

static void maps_beyond_32_bits_are_refused(void **state)
{
    (void)state;
    setting s;
    make_setting(&geometries[0], 0, &s);
    det_convolution *convolution = NULL;
    det_error error;
    const det_shape vast = {16, 1 << 15, 1 << 14};
    assert_int_equal(
        det_convolution_create(&det_tiles_plain, &s.node, NULL, vast, vast, &convolution, &error),
        DET_LIMIT);
    assert_non_null(strstr(error.message, "16384 x 32768"));
    free_setting(&s);
}

#ifdef DET_FAULT_INJECTION
static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    setting s;
    make_setting(&geometries[2], 0, &s);
    for (uint64_t nth = 1;; nth++) {
        det_convolution *convolution = NULL;
        det_error error;
        det_memory_fail_at(nth);
        const det_status status = det_convolution_create(&det_tiles_plain, &s.node, NULL, s.in,
                                                         s.out, &convolution, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        det_convolution_free(convolution);
        if (!failed) break;
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
