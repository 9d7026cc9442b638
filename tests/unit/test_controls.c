/* SPDX-License-Identifier: Apache-2.0 */
/* The proposals that do not look at the picture. */
#include "proposals/regions.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "tests/unit/support.h"

#include <math.h>
#include <string.h>

typedef det_status control(const det_image *image, const det_control_options *options,
                           det_region **regions, size_t *count, det_error *error);
static control *const controls[] = {det_propose_uniform, det_propose_sliding};

typedef struct {
    det_region *regions;
    size_t count;
} found;

/* The controls look at nothing but the size. */
static det_image size_of(int width, int height)
{
    return (det_image){.width = width, .height = height};
}

static found propose(control *run, int width, int height, const det_control_options *options)
{
    found f;
    det_error error;
    const det_image image = size_of(width, height);
    test_assert_ok(run(&image, options, &f.regions, &f.count, &error), &error);
    return f;
}

static bool same_box(det_box a, det_box b)
{
    return a.x0 == b.x0 && a.y0 == b.y0 && a.x1 == b.x1 && a.y1 == b.y1;
}

static void assert_boxes(const found *f, const det_box *boxes, size_t count)
{
    assert_int_equal(f->count, count);
    for (size_t i = 0; i < count; i++)
        if (!same_box(f->regions[i].box, boxes[i]))
            fail_msg("box %zu is %g %g %g %g", i, (double)f->regions[i].box.x0,
                     (double)f->regions[i].box.y0, (double)f->regions[i].box.x1,
                     (double)f->regions[i].box.y1);
}

/* Inside the picture, no side under `least`, no two alike, scores falling from 1. */
static void assert_sound(const found *f, int width, int height, double least)
{
    for (size_t i = 0; i < f->count; i++) {
        const det_box b = f->regions[i].box;
        assert_true(b.x0 >= 0 && b.y0 >= 0 && b.x1 <= (float)width && b.y1 <= (float)height);
        assert_true(b.x1 - b.x0 > least - 1e-3 && b.y1 - b.y0 > least - 1e-3);
        assert_true(f->regions[i].score == (float)(1 / (1. + (double)i)));
        assert_int_equal(f->regions[i].hierarchy, 0);
        for (size_t j = 0; j < i; j++) assert_false(same_box(b, f->regions[j].box));
    }
}

static void both_give_the_number_that_is_asked_for(void **state)
{
    (void)state;
    const det_control_options some = {.max = 150, .width_px = -1};
    for (size_t i = 0; i < 2; i++) {
        found f = propose(controls[i], 640, 480, NULL);
        assert_true(f.count <= 1000 && f.count > 950);
        assert_sound(&f, 640, 480, 20 * 640 / 500.);
        det_regions_free(f.regions);
        f = propose(controls[i], 640, 480, &some);
        assert_true(f.count <= 150 && f.count > 140);
        assert_sound(&f, 640, 480, 20);
        det_regions_free(f.regions);
    }
}

static void regions_name_their_source(void **state)
{
    (void)state;
    static const det_source sources[] = {DET_SOURCE_UNIFORM, DET_SOURCE_SLIDING};
    for (size_t i = 0; i < 2; i++) {
        found f = propose(controls[i], 100, 100, NULL);
        for (size_t r = 0; r < f.count; r++) assert_int_equal(f.regions[r].source, sources[i]);
        det_regions_free(f.regions);
    }
}

static void pictures_of_any_size_have_regions(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1},   {1, 2},     {1, 300},   {300, 1},
                                   {7, 700}, {4000, 40}, {20000, 1}, {1, 20000}};
    const det_control_options own = {.max = 200, .min_side_px = -1, .width_px = -1};
    const det_control_options resized = {.max = 200, .min_side_px = -1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t c = 0; c < 4; c++) {
            const int width = sizes[i][0], height = sizes[i][1];
            found f = propose(controls[c % 2], width, height, c < 2 ? &own : &resized);
            assert_true(f.count >= 1 && f.count <= 200);
            assert_sound(&f, width, height, 0);
            det_regions_free(f.regions);
        }
}

static void a_picture_of_one_pixel_is_one_region(void **state)
{
    (void)state;
    const det_control_options own = {.min_side_px = -1, .width_px = -1};
    for (size_t i = 0; i < 2; i++) {
        found f = propose(controls[i], 1, 1, &own);
        assert_boxes(&f, &(det_box){0, 0, 1, 1}, 1);
        det_regions_free(f.regions);
    }
}

static void a_picture_thinner_than_the_shortest_side_has_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        found f = propose(controls[i], 1900, 19, &(det_control_options){.width_px = -1});
        assert_non_null(f.regions);
        assert_int_equal(f.count, 0);
        det_regions_free(f.regions);
    }
}

/* ---- Uniform ---- */

/* The formula for a picture of 100 x 50 pixels and a shortest side of 10: root of the area from 10
 * to sqrt(5000), the aspect's from 5^-.5 to 5^.5. */
static det_box draw_plainly(det_random *random)
{
    const double x = 100 * det_random_double(random), y = 50 * det_random_double(random);
    const double side = 10 + (sqrt(5000) - 10) * det_random_double(random);
    const double aspect = exp(log(5) * (2 * det_random_double(random) - 1));
    const double width = side * sqrt(aspect), height = side / sqrt(aspect);
    return (det_box){(float)fmax(0, round(x - width / 2)), (float)fmax(0, round(y - height / 2)),
                     (float)fmin(100, round(x + width / 2)),
                     (float)fmin(50, round(y + height / 2))};
}

static void uniform_boxes_follow_the_formula(void **state)
{
    (void)state;
    const det_control_options options = {.max = 300, .min_side_px = 10, .width_px = -1, .seed = 7};
    found f = propose(det_propose_uniform, 100, 50, &options);
    det_random random = det_random_create(7, 0);
    size_t found_count = 0, tries = 0;
    for (; found_count < f.count && tries < 10000; tries++) {
        const det_box box = draw_plainly(&random);
        if (box.x1 - box.x0 < 10 || box.y1 - box.y0 < 10) continue;
        bool again = false;
        for (size_t i = 0; i < found_count; i++) again |= same_box(f.regions[i].box, box);
        if (again) continue;
        if (!same_box(f.regions[found_count].box, box)) fail_msg("region %zu", found_count);
        found_count++;
    }
    assert_int_equal(found_count, 300);
    det_regions_free(f.regions);
}

static void a_smaller_maximum_gives_the_first_of_the_same_boxes(void **state)
{
    (void)state;
    found all = propose(det_propose_uniform, 320, 240, &(det_control_options){.max = 500});
    found few = propose(det_propose_uniform, 320, 240, &(det_control_options){.max = 70});
    for (size_t i = 0; i < 70; i++) assert_true(same_box(all.regions[i].box, few.regions[i].box));
    det_regions_free(all.regions);
    det_regions_free(few.regions);
}

static void the_seed_chooses_the_boxes(void **state)
{
    (void)state;
    found runs[3];
    for (size_t i = 0; i < 3; i++)
        runs[i] = propose(det_propose_uniform, 320, 240, &(det_control_options){.seed = i / 2});
    const size_t size = runs[0].count * sizeof *runs[0].regions;
    assert_memory_equal(runs[0].regions, runs[1].regions, size);
    assert_true(memcmp(runs[0].regions, runs[2].regions, size) != 0);
    for (size_t i = 0; i < 3; i++) det_regions_free(runs[i].regions);
}

/* 3 x 2 pixels have 6 * 3 = 18 boxes. */
static void a_small_picture_gives_every_box_it_has(void **state)
{
    (void)state;
    const det_control_options options = {.min_side_px = -1, .width_px = -1};
    found f = propose(det_propose_uniform, 3, 2, &options);
    assert_int_equal(f.count, 18);
    assert_sound(&f, 3, 2, 1);
    det_regions_free(f.regions);
}

/* ---- Sliding ---- */

/* 64 x 48: the whole; half the height, in the middle; half the width, in the middle. */
static void the_first_windows_are_the_largest_of_each_size(void **state)
{
    (void)state;
    const det_control_options options = {.max = 3, .min_side_px = -1, .width_px = -1};
    static const det_box boxes[] = {{0, 0, 64, 48}, {0, 12, 64, 36}, {16, 0, 48, 48}};
    found f = propose(det_propose_sliding, 64, 48, &options);
    assert_boxes(&f, boxes, 3);
    det_regions_free(f.regions);
}

/* 40 x 20 with sides of at least 20 has the sizes 40 x 20 (one place) and 20 x 20. Three of these
 * begin at 0, 10 and 20: the middle one comes first, then (Bayer: 0 2 1) the left, the right. */
static void the_windows_of_a_size_are_spread_evenly(void **state)
{
    (void)state;
    const det_control_options options = {.max = 4, .width_px = -1};
    static const det_box boxes[] = {
        {0, 0, 40, 20}, {10, 0, 30, 20}, {0, 0, 20, 20}, {20, 0, 40, 20}};
    found f = propose(det_propose_sliding, 40, 20, &options);
    assert_boxes(&f, boxes, 4);
    det_regions_free(f.regions);
}

/* Sides 256, 128, 64, 32 in both directions: 16 sizes, so that 16 windows have each once, and the
 * next 15 each but the whole once more. */
static void every_size_takes_its_turn(void **state)
{
    (void)state;
    found f = propose(det_propose_sliding, 256, 256,
                      &(det_control_options){.max = 500, .min_side_px = 32, .width_px = -1});
    int seen[5][5] = {0};
    for (size_t i = 0; i < 31; i++) {
        const det_box b = f.regions[i].box;
        seen[(int)log2((double)(b.x1 - b.x0) / 32)][(int)log2((double)(b.y1 - b.y0) / 32)]++;
    }
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) assert_int_equal(seen[i][j], i == 3 && j == 3 ? 1 : 2);
    det_regions_free(f.regions);
}

/* ---- Union ---- */

static void a_union_keeps_each_box_as_its_best_region(void **state)
{
    (void)state;
    const det_box a = {0, 0, 1, 1}, b = {0, 0, 1, 2}, c = {5, 0, 6, 1};
    det_region regions[] = {{c, .25f, DET_SOURCE_SLIDING, 0}, {a, .5f, DET_SOURCE_UNIFORM, 0},
                            {a, .75f, DET_SOURCE_SLIDING, 0}, {b, .25f, DET_SOURCE_UNIFORM, 0},
                            {b, .25f, DET_SOURCE_SLIDING, 0}, {a, .5f, DET_SOURCE_SLIDING, 0}};
    assert_int_equal(det_regions_unite(regions, 6), 3);
    assert_true(same_box(regions[0].box, a) && regions[0].score == .75f);
    assert_true(same_box(regions[1].box, b) && regions[1].source == DET_SOURCE_UNIFORM);
    assert_true(same_box(regions[2].box, c));
    assert_int_equal(det_regions_unite(regions, 0), 0);
}

/* ---- Errors ---- */

static void an_empty_picture_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        found f;
        det_error error;
        const det_image empty = size_of(0, 5);
        test_assert_error(controls[i](&empty, NULL, &f.regions, &f.count, &error), DET_ARGUMENT,
                          &error, "empty");
        assert_null(f.regions);
        assert_int_equal(f.count, 0);
    }
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
#ifdef DET_FAULT_INJECTION
    const det_image image = size_of(100, 100);
    for (size_t i = 0; i < 2; i++)
        for (uint64_t nth = 1;; nth++) {
            found f;
            det_error error;
            det_memory_fail_at(nth);
            const det_status status = controls[i](&image, NULL, &f.regions, &f.count, &error);
            const bool failed = det_memory_failed();
            det_memory_fail_at(0);
            det_regions_free(f.regions);
            if (!failed) break;
            assert_int_equal(status, DET_MEMORY);
            assert_null(f.regions);
        }
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_give_the_number_that_is_asked_for),
        cmocka_unit_test(regions_name_their_source),
        cmocka_unit_test(pictures_of_any_size_have_regions),
        cmocka_unit_test(a_picture_of_one_pixel_is_one_region),
        cmocka_unit_test(a_picture_thinner_than_the_shortest_side_has_none),
        cmocka_unit_test(uniform_boxes_follow_the_formula),
        cmocka_unit_test(a_smaller_maximum_gives_the_first_of_the_same_boxes),
        cmocka_unit_test(the_seed_chooses_the_boxes),
        cmocka_unit_test(a_small_picture_gives_every_box_it_has),
        cmocka_unit_test(the_first_windows_are_the_largest_of_each_size),
        cmocka_unit_test(the_windows_of_a_size_are_spread_evenly),
        cmocka_unit_test(every_size_takes_its_turn),
        cmocka_unit_test(a_union_keeps_each_box_as_its_best_region),
        cmocka_unit_test(an_empty_picture_is_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
