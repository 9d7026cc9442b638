/* SPDX-License-Identifier: Apache-2.0 */
#include "proposals/selective_search/near_duplicates.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "tests/unit/support.h"

#include <string.h>

static det_ranked box(int x0, int y0, int x1, int y1, int position)
{
    return (det_ranked){.box = {x0, y0, x1, y1}, .rank = position, .position = position};
}

/* 100 x 100 against 100 x 95 inside it: 9500 / 10000 = .95; 100 x 80: .8. */
static void a_box_too_near_to_a_better_one_goes_behind_all_others(void **state)
{
    (void)state;
    det_ranked boxes[] = {box(0, 0, 100, 100, 1), box(0, 0, 100, 95, 2), box(0, 0, 100, 80, 3),
                          box(200, 0, 300, 100, 4)};
    assert_int_equal(det_defer_near_duplicates(boxes, 4, .9), DET_OK);
    static const int order[] = {1, 3, 4, 2};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(boxes[i].position, order[i]);
        assert_true(boxes[i].near_duplicate == (i == 3));
    }
}

static void an_overlap_of_exactly_the_limit_is_not_too_near(void **state)
{
    (void)state;
    det_ranked boxes[] = {box(0, 0, 100, 100, 1), box(0, 0, 100, 50, 2), box(300, 0, 310, 10, 3)};
    assert_int_equal(det_defer_near_duplicates(boxes, 3, .5), DET_OK);
    for (int i = 0; i < 3; i++) assert_int_equal(boxes[i].position, i + 1);
    assert_int_equal(det_defer_near_duplicates(boxes, 3, .499), DET_OK);
    assert_int_equal(boxes[2].position, 2);
}

/* 90 of 100 rows overlap the first, 81 the second only: 100, 92, 84 high. */
static void what_was_put_behind_puts_nothing_behind(void **state)
{
    (void)state;
    det_ranked boxes[] = {box(0, 0, 100, 100, 1), box(0, 0, 100, 92, 2), box(0, 0, 100, 84, 3)};
    assert_int_equal(det_defer_near_duplicates(boxes, 3, .9), DET_OK);
    assert_int_equal(boxes[0].position, 1);
    assert_int_equal(boxes[1].position, 3);
    assert_int_equal(boxes[2].position, 2);
}

static void a_limit_of_one_leaves_the_order_of_the_paper(void **state)
{
    (void)state;
    det_ranked boxes[] = {box(0, 0, 100, 100, 1), box(0, 0, 100, 99, 2), box(9, 9, 30, 30, 3)};
    assert_int_equal(det_defer_near_duplicates(boxes, 3, 1), DET_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(boxes[i].position, i + 1);
        assert_false(boxes[i].near_duplicate);
    }
    assert_int_equal(det_defer_near_duplicates(NULL, 0, .9), DET_OK);
}

static double overlap(det_rectangle a, det_rectangle b)
{
    const int x0 = a.x0 > b.x0 ? a.x0 : b.x0, x1 = a.x1 < b.x1 ? a.x1 : b.x1;
    const int y0 = a.y0 > b.y0 ? a.y0 : b.y0, y1 = a.y1 < b.y1 ? a.y1 : b.y1;
    if (x0 >= x1 || y0 >= y1) return 0;
    const double common = (double)(x1 - x0) * (y1 - y0);
    return common /
           ((double)(a.x1 - a.x0) * (a.y1 - a.y0) + (double)(b.x1 - b.x0) * (b.y1 - b.y0) - common);
}

/* The plain way: each box against all that were kept before it. */
static size_t defer_plainly(const det_ranked *boxes, size_t count, double iou, int *order)
{
    size_t kept = 0, behind = 0;
    bool near[400] = {false};
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i && !near[i]; j++)
            near[i] = !near[j] && overlap(boxes[i].box, boxes[j].box) > iou;
        if (!near[i]) order[kept++] = boxes[i].position;
    }
    for (size_t i = 0; i < count; i++)
        if (near[i]) order[kept + behind++] = boxes[i].position;
    return behind;
}

static void random_boxes_are_ordered_as_comparing_all_with_all_does(void **state)
{
    (void)state;
    enum { count = 400 };
    static const double limits[] = {.9, .7, .5, .15};
    size_t behind = 0;
    for (uint64_t seed = 0; seed < 12; seed++) {
        det_random random = det_random_create(seed, 0);
        const int size = seed < 6 ? 60 : 3000; /* small boxes often overlap; large ones fill the
                                                   last cells */
        det_ranked boxes[count];
        for (int i = 0; i < count; i++) {
            const int x = (int)det_random_below(&random, 20), y = (int)det_random_below(&random, 9);
            const int w = 1 + (int)det_random_below(&random, (uint32_t)size);
            const int h = 1 + (int)det_random_below(&random, (uint32_t)size);
            boxes[i] = box(x, y, x + w, y + h, i);
        }
        int expected[count];
        const double limit = limits[seed % 4];
        behind += defer_plainly(boxes, count, limit, expected);
        assert_int_equal(det_defer_near_duplicates(boxes, count, limit), DET_OK);
        for (int i = 0; i < count; i++) assert_int_equal(boxes[i].position, expected[i]);
    }
    assert_true(behind > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_box_too_near_to_a_better_one_goes_behind_all_others),
        cmocka_unit_test(an_overlap_of_exactly_the_limit_is_not_too_near),
        cmocka_unit_test(what_was_put_behind_puts_nothing_behind),
        cmocka_unit_test(a_limit_of_one_leaves_the_order_of_the_paper),
        cmocka_unit_test(random_boxes_are_ordered_as_comparing_all_with_all_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
