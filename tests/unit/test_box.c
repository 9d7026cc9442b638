/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/image.h"
#include "tests/unit/support.h"

#include <float.h>
#include <math.h>

static double iou(det_box a, det_box b)
{
    const double value = det_box_iou(a, b);
    assert_true(value >= 0 && value <= 1);
    assert_true(value == det_box_iou(b, a));
    return value;
}

/* [0,0,2,2] and [1,0,3,2] share 1 x 2 of 4 + 4 - 2. */
static void overlap_is_the_intersection_over_the_union(void **state)
{
    (void)state;
    assert_true(iou((det_box){0, 0, 2, 2}, (det_box){1, 0, 3, 2}) == 2. / 6);
    assert_true(iou((det_box){0, 0, 4, 4}, (det_box){1, 1, 3, 3}) == 4. / 16);
    assert_true(iou((det_box){-1.5f, -1, 1, .5f}, (det_box){-1.5f, -1, 1, .5f}) == 1);
}

/* VOC's inclusive pixels 1..2 and 2..3, each way, are 0..2 and 1..3 here: 1 of 4 + 4 - 1. */
static void half_open_corners_count_as_voc_counts(void **state)
{
    (void)state;
    assert_true(iou((det_box){0, 0, 2, 2}, (det_box){1, 1, 3, 3}) == 1. / 7);
}

static void boxes_that_only_touch_do_not_overlap(void **state)
{
    (void)state;
    assert_true(iou((det_box){0, 0, 2, 2}, (det_box){2, 0, 4, 2}) == 0);
    assert_true(iou((det_box){0, 0, 2, 2}, (det_box){2, 2, 4, 4}) == 0);
    assert_true(iou((det_box){0, 0, 2, 2}, (det_box){5, 5, 6, 6}) == 0);
}

static void an_empty_or_senseless_box_overlaps_nothing(void **state)
{
    (void)state;
    const det_box whole = {0, 0, 10, 10};
    assert_true(iou(whole, (det_box){5, 5, 5, 8}) == 0);
    assert_true(iou(whole, (det_box){8, 8, 2, 2}) == 0);
    assert_true(iou((det_box){0}, (det_box){0}) == 0);
    assert_true(iou(whole, (det_box){NAN, 0, 4, 4}) == 0);
    assert_true(iou((det_box){0, 0, INFINITY, 4}, (det_box){0, 0, INFINITY, 4}) == 0);
    assert_true(iou(whole, (det_box){-INFINITY, -INFINITY, INFINITY, INFINITY}) == 0);
}

static void the_largest_floats_do_not_overflow(void **state)
{
    (void)state;
    const det_box all = {-FLT_MAX, -FLT_MAX, FLT_MAX, FLT_MAX};
    assert_true(iou(all, all) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overlap_is_the_intersection_over_the_union),
        cmocka_unit_test(half_open_corners_count_as_voc_counts),
        cmocka_unit_test(boxes_that_only_touch_do_not_overlap),
        cmocka_unit_test(an_empty_or_senseless_box_overlaps_nothing),
        cmocka_unit_test(the_largest_floats_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
