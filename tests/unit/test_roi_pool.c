/* SPDX-License-Identifier: Apache-2.0 */
/* RoI align, RoI max pooling and their gradients: by hand, against the formulas read literally, and
 * against differences. */
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

/* ---- Gradients ---- */

/* Of a map of 4 x 4. */
static void assert_gradient(bool maximum, det_box box, int height, int width,
                            const float *gradients, const float *expected)
{
    const det_roi_map map = numbers();
    const det_roi_gradients regions = {&box, 1, height, width, gradients};
    float found[16] = {0};
    if (maximum)
        det_roi_max_gradient(&regions, &map, found, 1);
    else
        test_assert_ok(det_roi_align_gradient(&regions, map.shape, found, 1), NULL);
    for (int i = 0; i < 16; i++)
        if (fabsf(found[i] - expected[i]) > 1e-5f)
            fail_msg("cell %d: %g, not %g", i, (double)found[i], (double)expected[i]);
}

/* (2, 2) lies between four cells; of (.75, .5) the first cell has 3/4, the next one 1/4. */
static void a_sample_gives_its_gradient_to_the_cells_it_lies_between(void **state)
{
    (void)state;
    assert_gradient(false, (det_box){1.75f, 1.75f, 2.25f, 2.25f}, 1, 1, (const float[]){8},
                    (const float[16]){[5] = 2, 2, [9] = 2, 2});
    assert_gradient(false, (det_box){.5f, 0, 1.5f, 1}, 1, 2, (const float[]){4, -8},
                    (const float[16]){3 - 2, 1 - 6});
    assert_gradient(false, (det_box){20, 20, 30, 30}, 1, 2, (const float[]){1, 2},
                    (const float[16]){[15] = 3});
}

/* 3 cells in 2 bins share cell 1, which is the greatest of the first bin alone. */
static void the_greatest_cell_of_a_bin_takes_its_gradient(void **state)
{
    (void)state;
    assert_gradient(true, (det_box){0, 0, 4, 4}, 2, 2, (const float[]){1, 2, 3, 4},
                    (const float[16]){[5] = 1, [7] = 2, [13] = 3, [15] = 4});
    assert_gradient(true, (det_box){0, 0, 3, 1}, 1, 2, (const float[]){1, 2},
                    (const float[16]){[1] = 1, 2});
    assert_gradient(true, (det_box){1.2f, 2.2f, 1.3f, 2.3f}, 2, 2, (const float[]){1, 2, 3, 4},
                    (const float[16]){[9] = 10});
    assert_gradient(true, (det_box){-2, 0, 2, 1}, 1, 2, (const float[]){1, 2},
                    (const float[16]){[1] = 2});
}

static void of_equal_cells_the_first_takes_the_gradient(void **state)
{
    (void)state;
    static const float values[] = {-1, 2, 2, 2};
    const det_roi_map map = {values, {1, 2, 2}};
    const det_box box = {0, 0, 2, 2};
    float found[4] = {1, 1, 1, 1}; /* they are added to */
    det_roi_max_gradient(&(det_roi_gradients){&box, 1, 1, 1, (const float[]){5}}, &map, found, 1);
    const float expected[4] = {1, 6, 1, 1};
    assert_memory_equal(found, expected, sizeof found);
}

enum { CHANNELS = 70, HEIGHT = 6, WIDTH = 7, BINS = 3, COLUMNS = 2, REGIONS = 5 };
enum { MAP = CHANNELS * HEIGHT * WIDTH, POOLED = BINS * COLUMNS * CHANNELS };

typedef struct {
    float *map, *gradients; /* MAP; REGIONS * POOLED */
    det_box boxes[REGIONS];
} example;

static example make_example(void)
{
    example e = {.map = test_random_values(MAP, 3),
                 .gradients = test_random_values((size_t)REGIONS * POOLED, 4)};
    det_random random = det_random_create(5, 0);
    for (int i = 0; i < REGIONS; i++) e.boxes[i] = random_box(&random);
    return e;
}

static void free_example(example *e)
{
    det_free(e->map);
    det_free(e->gradients);
}

static det_roi_gradients regions_of(const example *e)
{
    return (det_roi_gradients){e->boxes, REGIONS, BINS, COLUMNS, e->gradients};
}

static const det_shape example_shape = {CHANNELS, HEIGHT, WIDTH};

/* A loss whose gradient by the pooled regions is e->gradients: the sum of their products. */
static double loss(const example *e, bool maximum)
{
    const det_roi_map map = {e->map, example_shape};
    double sum = 0;
    for (int n = 0; n < REGIONS; n++) {
        float out[POOLED];
        if (maximum)
            det_roi_max(&map, e->boxes[n], BINS, COLUMNS, out);
        else
            test_assert_ok(det_roi_align(&map, e->boxes[n], BINS, COLUMNS, out), NULL);
        for (int i = 0; i < POOLED; i++) sum += (double)out[i] * e->gradients[n * POOLED + i];
    }
    return sum;
}

static void find_gradient(const example *e, bool maximum, int threads, float *found)
{
    const det_roi_map map = {e->map, example_shape};
    const det_roi_gradients regions = regions_of(e);
    memset(found, 0, MAP * sizeof *found);
    if (maximum)
        det_roi_max_gradient(&regions, &map, found, threads);
    else
        test_assert_ok(det_roi_align_gradient(&regions, example_shape, found, threads), NULL);
}

/* Every 31st value, of all channels. Align is linear; the greatest value is so only within a step
 * that is shorter than the distance of any two values that are compared. */
static void assert_differences(bool maximum)
{
    const float step = maximum ? 1.f / 65536 : .25f;
    example e = make_example();
    float found[MAP];
    int moved = 0;
    find_gradient(&e, maximum, 1, found);
    for (int i = 0; i < MAP; i += 31) {
        const float value = e.map[i];
        e.map[i] = value + step;
        const double change = (double)e.map[i] - value, after = loss(&e, maximum);
        e.map[i] = value;
        const double slope = (after - loss(&e, maximum)) / change;
        if (fabs(slope - (double)found[i]) > 1e-4)
            fail_msg("%d: %g, not %g", i, (double)found[i], slope);
        moved += fabs(slope) > .1;
    }
    assert_true(moved > 10);
    free_example(&e);
}

static void gradients_are_those_of_pooled_regions(void **state)
{
    (void)state;
    assert_differences(false);
    assert_differences(true);
}

static void gradients_do_not_depend_on_threads(void **state)
{
    (void)state;
    example e = make_example();
    for (int maximum = 0; maximum < 2; maximum++) {
        float one[MAP], several[MAP];
        find_gradient(&e, maximum, 1, one);
        find_gradient(&e, maximum, 3, several);
        assert_memory_equal(one, several, sizeof one);
    }
    free_example(&e);
}

static void no_regions_leave_the_gradient_as_it_is(void **state)
{
    (void)state;
    const det_roi_map map = numbers();
    const det_roi_gradients none = {NULL, 0, 2, 2, NULL};
    float found[16] = {3};
    test_assert_ok(det_roi_align_gradient(&none, map.shape, found, 1), NULL);
    det_roi_max_gradient(&none, &map, found, 1);
    assert_true(found[0] == 3);
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

static void a_gradient_without_memory_adds_nothing(void **state)
{
    (void)state;
    const det_box box = {0, 0, 3, 3};
    const det_roi_gradients regions = {&box, 1, 1, 1, (const float[]){1}};
    for (uint64_t n = 1;; n++) {
        float found[16] = {0};
        det_memory_fail_at(n);
        const det_status status = det_roi_align_gradient(&regions, numbers().shape, found, 1);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        if (!failed) {
            test_assert_ok(status, NULL);
            break;
        }
        assert_int_equal(status, DET_MEMORY);
        for (int i = 0; i < 16; i++) assert_true(found[i] == 0);
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
        cmocka_unit_test(a_sample_gives_its_gradient_to_the_cells_it_lies_between),
        cmocka_unit_test(the_greatest_cell_of_a_bin_takes_its_gradient),
        cmocka_unit_test(of_equal_cells_the_first_takes_the_gradient),
        cmocka_unit_test(gradients_are_those_of_pooled_regions),
        cmocka_unit_test(gradients_do_not_depend_on_threads),
        cmocka_unit_test(no_regions_leave_the_gradient_as_it_is),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(a_gradient_without_memory_adds_nothing),
        cmocka_unit_test(memory_that_runs_out_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
