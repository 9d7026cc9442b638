/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of colours, worked out by hand. Pixels are B G R. */
#include "src/image/color_change.h"
#include "tests/unit/support.h"

static const double mean[3] = {100, 100, 100};

static det_color_changes unchanged(void)
{
    return (det_color_changes){
        {1, 1, 1, 0},
        {DET_CHANGE_BRIGHTNESS, DET_CHANGE_CONTRAST, DET_CHANGE_SATURATION, DET_CHANGE_HUE}};
}

static void assert_becomes(const det_color_map *map, const float from[3], const float expected[3])
{
    for (int i = 0; i < 3; i++) {
        float value = map->offset[i];
        for (int j = 0; j < 3; j++) value += map->matrix[i][j] * from[j];
        assert_float_equal(value, expected[i], 1e-3);
    }
}

static void assert_change(det_color_change kind, double amount, const float from[3],
                          const float expected[3])
{
    det_color_changes changes = unchanged();
    changes.amounts[kind] = amount;
    const det_color_map map = det_color_map_of(&changes, mean);
    assert_becomes(&map, from, expected);
}

static const float color[3] = {10, 20, 40};

static void changes_of_nothing_keep_every_bit(void **state)
{
    (void)state;
    const det_color_changes changes = unchanged();
    const det_color_map map = det_color_map_of(&changes, mean);
    for (int i = 0; i < 3; i++) {
        assert_float_equal(map.offset[i], 0, 0);
        for (int j = 0; j < 3; j++) assert_float_equal(map.matrix[i][j], i == j, 0);
    }
}

static void brightness_multiplies(void **state)
{
    (void)state;
    assert_change(DET_CHANGE_BRIGHTNESS, 1.5, color, (const float[3]){15, 30, 60});
}

/* Half way to the mean grey, 100. */
static void contrast_moves_away_from_the_mean_grey(void **state)
{
    (void)state;
    assert_change(DET_CHANGE_CONTRAST, .5, color, (const float[3]){55, 60, 70});
    assert_change(DET_CHANGE_CONTRAST, 2, color, (const float[3]){-80, -60, -20});
}

/* The grey of (10, 20, 40) is 1.14 + 11.74 + 11.96 = 24.84. */
static void saturation_moves_away_from_the_grey_of_the_pixel(void **state)
{
    (void)state;
    assert_change(DET_CHANGE_SATURATION, 0, color, (const float[3]){24.84F, 24.84F, 24.84F});
    assert_change(DET_CHANGE_SATURATION, 1.5, color, (const float[3]){2.58F, 17.58F, 47.58F});
}

static void a_third_of_a_turn_makes_red_green_and_greys_stay(void **state)
{
    (void)state;
    assert_change(DET_CHANGE_HUE, 1. / 3, (const float[3]){0, 0, 200}, (const float[3]){0, 200, 0});
    assert_change(DET_CHANGE_HUE, 1. / 3, color, (const float[3]){20, 40, 10});
    assert_change(DET_CHANGE_HUE, -1. / 3, color, (const float[3]){40, 10, 20});
    assert_change(DET_CHANGE_HUE, .17, (const float[3]){70, 70, 70}, (const float[3]){70, 70, 70});
}

/* Twice as bright, the mean grey is 200: half way to it from (20, 40, 80) is (110, 120, 140), as
 * (55, 60, 70) doubled is. Grey and then turned it is 49.68 / 2 + 100; turned and then grey, of
 * (20, 40, 10), 28.75 + 100. */
static void changes_follow_one_another_in_their_order(void **state)
{
    (void)state;
    det_color_changes changes = unchanged();
    changes.amounts[DET_CHANGE_BRIGHTNESS] = 2;
    changes.amounts[DET_CHANGE_CONTRAST] = .5;
    det_color_map map = det_color_map_of(&changes, mean);
    assert_becomes(&map, color, (const float[3]){110, 120, 140});
    changes.order[0] = DET_CHANGE_CONTRAST;
    changes.order[1] = DET_CHANGE_BRIGHTNESS;
    map = det_color_map_of(&changes, mean);
    assert_becomes(&map, color, (const float[3]){110, 120, 140});
    changes.amounts[DET_CHANGE_HUE] = 1. / 3;
    changes.amounts[DET_CHANGE_SATURATION] = 0;
    map = det_color_map_of(&changes, mean);
    assert_becomes(&map, color, (const float[3]){124.84F, 124.84F, 124.84F});
    changes.order[2] = DET_CHANGE_HUE;
    changes.order[3] = DET_CHANGE_SATURATION;
    map = det_color_map_of(&changes, mean);
    assert_becomes(&map, color, (const float[3]){128.75F, 128.75F, 128.75F});
}

static void the_mean_is_taken_of_each_channel(void **state)
{
    (void)state;
    static const uint8_t pixels[] = {0, 1, 255, 10, 2, 255, 20, 6, 255};
    double found[3];
    det_mean_color(pixels, 3, found);
    assert_float_equal(found[0], 10, 0);
    assert_float_equal(found[1], 3, 0);
    assert_float_equal(found[2], 255, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_of_nothing_keep_every_bit),
        cmocka_unit_test(brightness_multiplies),
        cmocka_unit_test(contrast_moves_away_from_the_mean_grey),
        cmocka_unit_test(saturation_moves_away_from_the_grey_of_the_pixel),
        cmocka_unit_test(a_third_of_a_turn_makes_red_green_and_greys_stay),
        cmocka_unit_test(changes_follow_one_another_in_their_order),
        cmocka_unit_test(the_mean_is_taken_of_each_channel),
    };
    return cmocka_run_group_tests_name("color_change", tests, NULL, NULL);
}
