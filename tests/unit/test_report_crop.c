/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/report/crop.h"
#include "tests/unit/support_image.h"

#include <math.h>

static det_report_crop chosen(int width, int height, const double (*boxes)[4], size_t count)
{
    det_report_crop crop = {0};
    const det_image image = {.width = width, .height = height};
    assert_true(det_report_crop_choose(&image, boxes, count, &crop));
    return crop;
}

static void assert_crop(const det_report_crop *crop, const int expected[6])
{
    const int values[] = {crop->x,      crop->y,           crop->width,
                          crop->height, crop->shown_width, crop->shown_height};
    for (int i = 0; i < 6; i++) assert_int_equal(values[i], expected[i]);
}

/* 100 x 50 at (100, 100): the margin is 33 1/3, so x goes from 66 2/3 to 233 1/3; 3/4 of that
 * width is 125, so y goes from 62.5 to 187.5. Whole pixels: 168 x 126, which is 4 : 3. */
static void a_part_shows_a_box_with_a_third_around_it_as_4_to_3(void **state)
{
    (void)state;
    const double boxes[][4] = {{100, 100, 200, 150}};
    const det_report_crop crop = chosen(1000, 800, boxes, 1);
    assert_crop(&crop, (int[]){66, 62, 168, 126, 360, 270});
    double place[4];
    det_report_crop_place(&crop, boxes[0], place);
    const double expected[] = {34. / 168, 38. / 126, 100. / 168, 50. / 126};
    for (int i = 0; i < 4; i++) assert_true(fabs(place[i] - expected[i]) < 1e-12);
}

/* 30 x 30 with at least 12 around is 54 x 54, widened to 72 and moved from the edges inwards. */
static void a_part_at_a_corner_is_moved_into_the_picture(void **state)
{
    (void)state;
    const det_report_crop crop = chosen(100, 60, (const double[][4]){{0, 0, 30, 30}}, 1);
    assert_crop(&crop, (int[]){0, 0, 72, 54, 360, 270});
}

/* The two span 20 to 80 of both axes: 60 with 20 around it, 100 of 100 pixels. */
static void a_part_shows_all_boxes(void **state)
{
    (void)state;
    const double boxes[][4] = {{20, 20, 40, 40}, {60, 60, 80, 80}};
    const det_report_crop crop = chosen(100, 100, boxes, 2);
    assert_crop(&crop, (int[]){0, 0, 100, 100, 270, 270});
}

static void boxes_are_cut_at_the_picture_and_those_outside_have_no_part(void **state)
{
    (void)state;
    const det_report_crop whole = chosen(100, 60, (const double[][4]){{-50, -50, 500, 500}}, 1);
    assert_crop(&whole, (int[]){0, 0, 100, 60, 360, 216});
    const double outside[][4] = {{-10, -10, -5, -5}, {120, 0, 130, 10}, {5, 5, 5, 9}};
    const det_image image = {.width = 100, .height = 60};
    det_report_crop crop;
    assert_false(det_report_crop_choose(&image, outside, 3, &crop));
    assert_false(det_report_crop_choose(&image, outside, 0, &crop));
    const double one_inside[][4] = {{-10, -10, -5, -5}, {0, 0, 30, 30}};
    crop = chosen(100, 60, one_inside, 2);
    assert_crop(&crop, (int[]){0, 0, 72, 54, 360, 270});
}

static void a_sliver_has_a_pixel(void **state)
{
    (void)state;
    const det_report_crop crop = chosen(5000, 1, (const double[][4]){{0, 0, 5000, 1}}, 1);
    assert_crop(&crop, (int[]){0, 0, 5000, 1, 360, 1});
}

static det_image encoded(const det_image *picture, const double (*boxes)[4])
{
    det_error error = {0};
    det_text jpeg = {0};
    const det_report_crop crop = chosen(picture->width, picture->height, boxes, 1);
    test_assert_ok(det_report_crop_encode(picture, &crop, &jpeg, &error), &error);
    return test_decode(&jpeg);
}

static void a_large_part_is_made_smaller_and_a_small_one_kept(void **state)
{
    (void)state;
    det_image picture = test_picture(1200, 900);
    det_image image = encoded(&picture, (const double[][4]){{0, 0, 1200, 900}});
    assert_int_equal(image.width, 360);
    assert_int_equal(image.height, 270);
    det_image_free(&image);
    image = encoded(&picture, (const double[][4]){{100, 100, 200, 150}});
    assert_int_equal(image.width, 168);
    assert_int_equal(image.height, 126);
    const det_image part = {168, 126, picture.stride,
                            picture.pixels + 62 * picture.stride + (size_t)3 * 66};
    assert_true(test_largest_difference(&part, &image) < 64);
    det_image_free(&image);
    det_image_free(&picture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_shows_a_box_with_a_third_around_it_as_4_to_3),
        cmocka_unit_test(a_part_at_a_corner_is_moved_into_the_picture),
        cmocka_unit_test(a_part_shows_all_boxes),
        cmocka_unit_test(boxes_are_cut_at_the_picture_and_those_outside_have_no_part),
        cmocka_unit_test(a_sliver_has_a_pixel),
        cmocka_unit_test(a_large_part_is_made_smaller_and_a_small_one_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
