/* SPDX-License-Identifier: Apache-2.0 */
#include "proposals/selective_search/plan.h"
#include "tests/unit/support.h"

static det_search_plan plan_of(const det_selective_search_options *options)
{
    det_search_plan plan;
    det_error error;
    test_assert_ok(det_search_plan_create(options, &plan, &error), &error);
    return plan;
}

static void nothing_given_is_the_fast_version_of_the_paper(void **state)
{
    (void)state;
    const det_search_plan plan = plan_of(NULL);
    assert_int_equal(plan.spaces, 2);
    assert_int_equal(plan.space[0], DET_COLOR_HSV);
    assert_int_equal(plan.space[1], DET_COLOR_LAB);
    assert_int_equal(plan.ks, 2);
    assert_true(plan.k[0] == 50 && plan.k[1] == 100);
    assert_int_equal(plan.similarity_sets, 2);
    assert_int_equal(plan.min_side_px, 20);
    assert_int_equal(plan.width_px, 500);
}

static void the_minimum_size_of_a_segment_is_k_unless_it_is_given(void **state)
{
    (void)state;
    const det_search_plan of_k = plan_of(NULL);
    assert_int_equal(of_k.min_size[0], 50);
    assert_int_equal(of_k.min_size[1], 100);
    const det_search_plan given = plan_of(&(det_selective_search_options){.min_size_px = 30});
    assert_int_equal(given.min_size[0], 30);
    assert_int_equal(given.min_size[1], 30);
}

/* 2 to the power of .8 is 1.741. */
static void
superpixels_of_twice_the_area_have_twice_the_k_and_1_74_times_the_minimum_size(void **state)
{
    (void)state;
    const det_search_plan plan = plan_of(&(det_selective_search_options){.superpixel_scale = 2});
    assert_true(plan.k[0] == 100 && plan.k[1] == 200);
    assert_true(plan.least_k == 100 && plan.most_k == 200);
    assert_int_equal(plan.min_size[0], 87);
    assert_int_equal(plan.min_size[1], 174);
}

static void pictures_are_worked_on_at_the_width_unless_they_are_very_long(void **state)
{
    (void)state;
    static const struct {
        int given[2], width_px, expected[2];
    } cases[] = {
        {{500, 375}, 0, {500, 375}},      {{4000, 3000}, 0, {500, 375}},
        {{50, 40}, 0, {500, 400}},        {{4000, 3000}, -1, {4000, 3000}},
        {{4000, 3000}, 800, {800, 600}},  {{1, 1}, 0, {500, 500}},
        {{2000, 500}, 0, {500, 125}},     {{8000, 1000}, 0, {1000, 125}}, /* not below 500 / 4 */
        {{10000, 100}, 0, {10000, 100}},  {{400, 10}, 0, {500, 13}},
        {{50, 300}, 0, {333, 2000}},      {{100, 10000}, 0, {100, 10000}}, /* not above 4 x 500 */
        {{1000, 10000}, 0, {500, 5000}},  {{10000, 1}, 0, {10000, 1}},
        {{8000, 6000}, -1, {8000, 6000}},
    };
    uint8_t pixel = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const det_search_plan plan =
            plan_of(&(det_selective_search_options){.width_px = cases[i].width_px});
        const det_image image = {
            .width = cases[i].given[0], .height = cases[i].given[1], .pixels = &pixel};
        int width, height;
        det_error error;
        test_assert_ok(det_search_plan_size(&plan, &image, &width, &height, &error), &error);
        assert_int_equal(width, cases[i].expected[0]);
        assert_int_equal(height, cases[i].expected[1]);
    }
}

static void a_working_picture_of_more_than_2_to_28_pixels_is_refused(void **state)
{
    (void)state;
    const det_search_plan plan = plan_of(&(det_selective_search_options){.width_px = -1});
    uint8_t pixel = 0;
    const det_image image = {.width = 20000, .height = 20000, .pixels = &pixel};
    int width, height;
    det_error error;
    test_assert_error(det_search_plan_size(&plan, &image, &width, &height, &error), DET_LIMIT,
                      &error, "20000 x 20000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_given_is_the_fast_version_of_the_paper),
        cmocka_unit_test(the_minimum_size_of_a_segment_is_k_unless_it_is_given),
        cmocka_unit_test(
            superpixels_of_twice_the_area_have_twice_the_k_and_1_74_times_the_minimum_size),
        cmocka_unit_test(pictures_are_worked_on_at_the_width_unless_they_are_very_long),
        cmocka_unit_test(a_working_picture_of_more_than_2_to_28_pixels_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
