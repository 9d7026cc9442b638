/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/augmentation.h"
#include "tests/unit/support.h"

#include <math.h>

enum { DRAWS = 4000 };

static void without_strengths_nothing_changes(void **state)
{
    (void)state;
    const det_augmentation none = {0};
    const det_box box = {10, 20, 30, 60};
    det_random random = det_random_create(1, 1);
    for (int i = 0; i < 100; i++) {
        const det_box drawn = det_draw_box(&none, box, &random);
        assert_memory_equal(&drawn, &box, sizeof box);
        assert_false(det_draw_mirror(&none, &random));
        const det_color_changes changes = det_draw_colors(&none, &random);
        const double expected[DET_COLOR_CHANGES] = {1, 1, 1, 0};
        for (int k = 0; k < DET_COLOR_CHANGES; k++)
            assert_float_equal(changes.amounts[k], expected[k], 0);
    }
    assert_false(det_augmentation_changes_colors(&none));
}

static void every_second_picture_is_mirrored(void **state)
{
    (void)state;
    const det_augmentation mirror = {.mirror = true};
    det_random random = det_random_create(2, 1);
    int mirrored = 0;
    for (int i = 0; i < DRAWS; i++) mirrored += det_draw_mirror(&mirror, &random);
    assert_in_range(mirrored, 1840, 2160); /* 5 standard deviations are 158 */
}

static void check_moved(double middle, double side, double low, double high)
{
    assert_true(fabs(middle - 100) <= .2 * side + 1e-4);
    assert_true(high - low >= side / 1.5 - 1e-4 && high - low <= side * 1.5 + 1e-4);
}

/* A box of 40 x 80 about (100, 100). Sides are halved as often as they are doubled. */
static void boxes_move_and_grow_within_their_shares(void **state)
{
    (void)state;
    const det_augmentation moves = {.move = .2, .scale = .5};
    det_random random = det_random_create(3, 1);
    double most_x = 0, most_width = 0;
    int grown = 0, right = 0, along = 0;
    for (int i = 0; i < DRAWS; i++) {
        const det_box b = det_draw_box(&moves, (det_box){80, 60, 120, 140}, &random);
        const double x = (double)(b.x0 + b.x1) / 2, y = (double)(b.y0 + b.y1) / 2;
        const double width = (double)(b.x1 - b.x0), height = (double)(b.y1 - b.y0);
        check_moved(x, 40, (double)b.x0, (double)b.x1);
        check_moved(y, 80, (double)b.y0, (double)b.y1);
        most_x = fmax(most_x, x - 100);
        most_width = fmax(most_width, width);
        grown += width > 40;
        right += x > 100;
        along += (width > 40) == (height > 80);
    }
    assert_true(most_x > 7.9 && most_width > 59.5);
    assert_in_range(grown, 1840, 2160);
    assert_in_range(right, 1840, 2160);
    assert_in_range(along, 1840, 2160);
}

static void colors_change_within_their_strengths_in_any_order(void **state)
{
    (void)state;
    const det_augmentation colors = {.brightness = .5, .contrast = .4, .saturation = .3, .hue = .1};
    const double middle[] = {1, 1, 1, 0}, most[] = {.5, .4, .3, .1};
    det_random random = det_random_create(4, 1);
    double reached[DET_COLOR_CHANGES] = {0};
    int first[DET_COLOR_CHANGES] = {0};
    for (int i = 0; i < DRAWS; i++) {
        const det_color_changes changes = det_draw_colors(&colors, &random);
        unsigned kinds = 0;
        for (int k = 0; k < DET_COLOR_CHANGES; k++) {
            const double distance = fabs(changes.amounts[k] - middle[k]);
            assert_true(distance <= most[k]);
            reached[k] = fmax(reached[k], distance);
            kinds |= 1U << changes.order[k];
        }
        assert_int_equal(kinds, 15);
        first[changes.order[0]]++;
    }
    for (int k = 0; k < DET_COLOR_CHANGES; k++) {
        assert_true(reached[k] > .99 * most[k]);
        assert_in_range(first[k], 860, 1140); /* 5 standard deviations are 137 */
    }
    assert_true(det_augmentation_changes_colors(&colors));
}

/* Of a square picture of 600 x 600 no draw fails but where sides are above 600: areas below 3/4 of
 * it always fit, and .08 to .54 is half of the range. */
static void parts_have_any_area_shape_and_place(void **state)
{
    (void)state;
    det_random random = det_random_create(5, 1);
    int small = 0, wide = 0, left = 0, fitting = 0;
    for (int i = 0; i < DRAWS; i++) {
        const det_patch p = det_draw_patch(600, 600, .08, &random);
        const double share = (double)p.width * p.height / (600. * 600.);
        const double aspect = (double)p.width / p.height;
        assert_true(p.x >= 0 && p.y >= 0 && p.x + p.width <= 600 && p.y + p.height <= 600);
        assert_true(share > .0795 && aspect > .745 && aspect < 1.342);
        if (share > .75) continue;
        fitting++;
        small += share < (.08 + .75) / 2;
        wide += p.width > p.height;
        left += 2 * p.x < 600 - p.width;
    }
    assert_in_range(small, fitting / 2 - 150, fitting / 2 + 150);
    assert_in_range(wide, fitting / 2 - 170, fitting / 2 + 150);
    assert_in_range(left, fitting / 2 - 170, fitting / 2 + 150);
}

/* All of 1000 x 100 pixels never fits; the largest part that is at most 4/3 as wide as high is 133
 * wide, from (1000 - 133) / 2 on. */
static void where_no_part_fits_it_is_the_middle(void **state)
{
    (void)state;
    det_random random = det_random_create(6, 1);
    const det_patch wide = det_draw_patch(1000, 100, 1, &random);
    const det_patch high = det_draw_patch(30, 90, 1, &random);
    const det_patch pixel = det_draw_patch(1, 1, .08, &random);
    assert_memory_equal(&wide, (&(det_patch){433, 0, 133, 100}), sizeof wide);
    assert_memory_equal(&high, (&(det_patch){0, 25, 30, 40}), sizeof high);
    assert_memory_equal(&pixel, (&(det_patch){0, 0, 1, 1}), sizeof pixel);
}

static void strengths_are_in_their_ranges(void **state)
{
    (void)state;
    det_augmentation a = det_augmentation_of(true, .1, .2);
    assert_true(a.mirror && det_augmentation_is_sound(&a));
    assert_float_equal(a.hue, .05, 1e-12);
    a.hue = .6;
    assert_false(det_augmentation_is_sound(&a));
    a.hue = 0;
    a.contrast = NAN;
    assert_false(det_augmentation_is_sound(&a));
    a.contrast = 0;
    a.move = -.1;
    assert_false(det_augmentation_is_sound(&a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_strengths_nothing_changes),
        cmocka_unit_test(every_second_picture_is_mirrored),
        cmocka_unit_test(boxes_move_and_grow_within_their_shares),
        cmocka_unit_test(colors_change_within_their_strengths_in_any_order),
        cmocka_unit_test(parts_have_any_area_shape_and_place),
        cmocka_unit_test(where_no_part_fits_it_is_the_middle),
        cmocka_unit_test(strengths_are_in_their_ranges),
    };
    return cmocka_run_group_tests_name("augmentation", tests, NULL, NULL);
}
