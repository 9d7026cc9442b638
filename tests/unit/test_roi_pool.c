/* SPDX-License-Identifier: Apache-2.0 */
/* RoI align and RoI max pooling: by hand, and against the formulas read literally. */
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/nn/roi_pool.h"
#include "tests/unit/support_network.h"

#include <math.h>
#include <string.h>

/* 0 1 2 3 / 4 5 6 7 / 8 9 10 11 / 12 13 14 15 */
static det_roi_map numbers(void)
{
    static const float values[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return (det_roi_map){values, {1, 4, 4}};
}

static void assert_align(det_box box, int height, int width, const float *expected)
{
    const det_roi_map map = numbers();
    float out[16];
    test_assert_ok(det_roi_align(&map, box, height, width, out), NULL);
    for (int i = 0; i < height * width; i++)
        if (fabsf(out[i] - expected[i]) > 1e-5f)
            fail_msg("bin %d: %g, not %g", i, (double)out[i], (double)expected[i]);
}

static void assert_max(det_box box, int height, int width, const float *expected)
{
    const det_roi_map map = numbers();
    float out[16];
    det_roi_max(&map, box, height, width, out);
    for (int i = 0; i < height * width; i++) assert_true(out[i] == expected[i]);
}

/* ---- Align ---- */

static void bins_that_are_cells_give_the_map_bit_for_bit(void **state)
{
    (void)state;
    float *values = test_random_values((size_t)7 * 5 * 3, 1), out[7 * 5 * 3];
    const det_roi_map map = {values, {3, 7, 5}};
    test_assert_ok(det_roi_align(&map, (det_box){0, 0, 5, 7}, 7, 5, out), NULL);
    assert_memory_equal(out, values, sizeof out);
    det_roi_max(&map, (det_box){0, 0, 5, 7}, 7, 5, out);
    assert_memory_equal(out, values, sizeof out);
    det_free(values);
}

/* A value stands at the middle of its cell: (2, 2) lies between 5, 6, 9 and 10. */
static void a_bin_smaller_than_a_cell_is_one_sample_at_its_middle(void **state)
{
    (void)state;
    assert_align((det_box){1.75f, 1.75f, 2.25f, 2.25f}, 1, 1, (const float[]){7.5f});
    assert_align((det_box){.5f, .5f, 1.5f, 1.5f}, 1, 1, (const float[]){2.5f});
    assert_align((det_box){.25f, .25f, .75f, .75f}, 1, 1, (const float[]){0});
    /* x = .75 and 1.25 of a row: a quarter and three quarters of the way from 0 to 1 */
    assert_align((det_box){.5f, 0, 1.5f, 1}, 1, 2, (const float[]){.25f, .75f});
}

/* A bin of 2 cells has 2 x 2 samples, one of 1.5 too: at 3/8 and 9/8, whose mean is 3/4. */
static void a_larger_bin_is_the_mean_of_its_samples(void **state)
{
    (void)state;
    assert_align((det_box){0, 0, 4, 4}, 2, 2, (const float[]){2.5f, 4.5f, 10.5f, 12.5f});
    /* y: samples at 2/3, 2 and 10/3 of 4 rows: indices 1/6, 1.5, 17/6; mean 1.5; x alike */
    assert_align((det_box){0, 0, 4, 4}, 1, 1, (const float[]){7.5f});
    /* x from .5 to 3.5: bins of 1.5 cells, samples at .875, 1.625 | 2.375, 3.125 (indices .375,
       1.125 | 1.875, 2.625); y: cell 0 alone */
    assert_align((det_box){.5f, 0, 3.5f, 1}, 1, 2, (const float[]){.75f, 2.25f});
}

static void beyond_the_map_stand_the_values_at_its_edge(void **state)
{
    (void)state;
    assert_align((det_box){-9, -9, -8, -8}, 1, 1, (const float[]){0});
    assert_align((det_box){20, 20, 30, 30}, 2, 2, (const float[]){15, 15, 15, 15});
    assert_align((det_box){-1, 1, 1, 2}, 1, 2, (const float[]){4, 4});
    assert_align((det_box){-1e30f, -1e30f, 1e30f, 1e30f}, 2, 2, (const float[]){0, 3, 12, 15});
}

static double at(const det_roi_map *map, int y, int x, int c)
{
    return (double)map->values[(y * map->shape.width + x) * map->shape.channels + c];
}

/* One bilinear sample, the edge continued. */
static double sample(const det_roi_map *map, double y, double x, int c)
{
    y = fmin(fmax(y - .5, 0), map->shape.height - 1);
    x = fmin(fmax(x - .5, 0), map->shape.width - 1);
    const int top = (int)y, left = (int)x;
    const int bottom = top + 1 < map->shape.height ? top + 1 : top;
    const int right = left + 1 < map->shape.width ? left + 1 : left;
    const double down = y - top, across = x - left;
    return (1 - down) * ((1 - across) * at(map, top, left, c) + across * at(map, top, right, c)) +
           down * ((1 - across) * at(map, bottom, left, c) + across * at(map, bottom, right, c));
}

static double reference_bin(const det_roi_map *map, det_box bin, int c)
{
    const double width = (double)bin.x1 - bin.x0, height = (double)bin.y1 - bin.y0;
    const int across = (int)fmax(ceil(width - 1e-4), 1), down = (int)fmax(ceil(height - 1e-4), 1);
    double sum = 0;
    for (int i = 0; i < down; i++)
        for (int j = 0; j < across; j++)
            sum += sample(map, bin.y0 + (i + .5) * height / down,
                          bin.x0 + (j + .5) * width / across, c);
    return sum / (across * down);
}

static det_box random_box(det_random *random)
{
    const float x = (float)det_random_double(random) * 14 - 2;
    const float y = (float)det_random_double(random) * 12 - 2;
    return (det_box){x, y, x + .01f + (float)det_random_double(random) * 11,
                     y + .01f + (float)det_random_double(random) * 9};
}

static void align_is_what_its_formula_says(void **state)
{
    (void)state;
    enum { channels = 19, height = 9, width = 11, bins = 5, columns = 4 };
    float *values = test_random_values((size_t)channels * height * width, 2);
    const det_roi_map map = {values, {channels, height, width}};
    det_random random = det_random_create(7, 0);
    for (int n = 0; n < 200; n++) {
        const det_box box = random_box(&random);
        const float down = (box.y1 - box.y0) / bins, across = (box.x1 - box.x0) / columns;
        float out[bins * columns * channels];
        test_assert_ok(det_roi_align(&map, box, bins, columns, out), NULL);
        for (int i = 0; i < bins * columns * channels; i++) {
            const int c = i % channels, y = i / channels / columns, x = i / channels % columns;
            const det_box bin = {box.x0 + (float)x * across, box.y0 + (float)y * down,
                                 box.x0 + (float)(x + 1) * across, box.y0 + (float)(y + 1) * down};
            assert_true(fabs((double)out[i] - reference_bin(&map, bin, c)) < 1e-4);
        }
    }
    det_free(values);
}

/* ---- Max ---- */

static void a_bin_takes_the_greatest_of_its_cells(void **state)
{
    (void)state;
    assert_max((det_box){0, 0, 4, 4}, 2, 2, (const float[]){5, 7, 13, 15});
    /* 3 cells in 2 bins: [floor(0), ceil(1.5)) and [floor(1.5), ceil(3)) share cell 1 */
    assert_max((det_box){0, 0, 3, 1}, 1, 2, (const float[]){1, 2});
    assert_max((det_box){.4f, .4f, 3.4f, 1.4f}, 1, 2, (const float[]){1, 2});
    assert_max((det_box){.6f, .6f, 3.6f, 1.6f}, 1, 1, (const float[]){7});
}

static void at_least_one_cell_remains_and_cells_outside_do_not_count(void **state)
{
    (void)state;
    assert_max((det_box){1.2f, 2.2f, 1.3f, 2.3f}, 2, 2, (const float[]){9, 9, 9, 9});
    assert_max((det_box){-2, 0, 2, 1}, 1, 2, (const float[]){0, 1});
    assert_max((det_box){-9, -9, -8, -8}, 1, 1, (const float[]){0});
    assert_max((det_box){9, 0, 12, 4}, 1, 2, (const float[]){0, 0});
    assert_max((det_box){-1e6f, -1e6f, 1e6f, 1e6f}, 1, 1, (const float[]){15});
}

static void a_maximum_may_be_negative(void **state)
{
    (void)state;
    static const float values[] = {-3, -1, -2, -4};
    const det_roi_map map = {values, {1, 2, 2}};
    float out;
    det_roi_max(&map, (det_box){0, 0, 2, 2}, 1, 1, &out);
    assert_true(out == -1);
}

/* ---- Memory ---- */

#ifdef DET_FAULT_INJECTION
static void memory_that_runs_out_is_an_error(void **state)
{
    (void)state;
    const det_roi_map map = numbers();
    float out[4];
    for (uint64_t n = 1;; n++) {
        det_memory_fail_at(n);
        const det_status status = det_roi_align(&map, (det_box){0, 0, 3, 3}, 2, 2, out);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        if (!failed) {
            test_assert_ok(status, NULL);
            break;
        }
        assert_int_equal(status, DET_MEMORY);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bins_that_are_cells_give_the_map_bit_for_bit),
        cmocka_unit_test(a_bin_smaller_than_a_cell_is_one_sample_at_its_middle),
        cmocka_unit_test(a_larger_bin_is_the_mean_of_its_samples),
        cmocka_unit_test(beyond_the_map_stand_the_values_at_its_edge),
        cmocka_unit_test(align_is_what_its_formula_says),
        cmocka_unit_test(a_bin_takes_the_greatest_of_its_cells),
        cmocka_unit_test(at_least_one_cell_remains_and_cells_outside_do_not_count),
        cmocka_unit_test(a_maximum_may_be_negative),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(memory_that_runs_out_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
