/* SPDX-License-Identifier: Apache-2.0 */
#include "proposals/selective_search/ranking.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "tests/unit/support.h"

typedef struct {
    det_ranked *boxes;
    size_t count, too_small;
} ranked;

static ranked rank(const det_hierarchy *hierarchies, int count, uint64_t seed, int min_side)
{
    ranked r;
    assert_int_equal(det_rank(hierarchies, count, seed, min_side, &r.boxes, &r.count, &r.too_small),
                     DET_OK);
    return r;
}

static bool same(det_rectangle a, det_rectangle b)
{
    return a.x0 == b.x0 && a.y0 == b.y0 && a.x1 == b.x1 && a.y1 == b.y1;
}

static const det_ranked *find(const ranked *r, det_rectangle box)
{
    const det_ranked *found = NULL;
    for (size_t i = 0; i < r->count; i++)
        if (same(r->boxes[i].box, box)) {
            assert_null(found);
            found = &r->boxes[i];
        }
    return found;
}

/* Three segments side by side, and their merges. */
static det_rectangle boxes[] = {
    {0, 0, 10, 30}, {10, 0, 20, 30}, {20, 0, 30, 30}, {0, 0, 20, 30}, {0, 0, 30, 30}};
static det_rectangle *const merged = boxes + 3;

/* From the top: the whole (the last merge), the first merge, then the segments, last one first. */
static void the_rank_is_a_random_number_times_the_position(void **state)
{
    (void)state;
    const det_hierarchy h = {3, true, boxes};
    for (uint64_t seed = 0; seed < 20; seed++) {
        ranked r = rank(&h, 1, seed, 0);
        assert_int_equal(r.count, 5);
        det_random random = det_random_create(seed, 0);
        for (int position = 1; position <= 5; position++) {
            const det_ranked *box = find(&r, boxes[5 - position]);
            assert_non_null(box);
            assert_int_equal(box->position, position);
            assert_true(box->rank == position * det_random_double(&random));
        }
        for (size_t i = 1; i < r.count; i++) assert_true(r.boxes[i - 1].rank <= r.boxes[i].rank);
        det_free(r.boxes);
    }
}

static void segments_that_another_hierarchy_contributes_are_left_out(void **state)
{
    (void)state;
    const det_hierarchy h = {3, false, merged};
    ranked r = rank(&h, 1, 1, 0);
    assert_int_equal(r.count, 2);
    assert_null(find(&r, boxes[0]));
    det_free(r.boxes);
}

static void a_box_of_several_hierarchies_keeps_its_best_rank(void **state)
{
    (void)state;
    const det_hierarchy both[] = {{3, false, merged}, {3, false, merged}};
    int from_second = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        ranked r = rank(both, 2, seed, 0);
        assert_int_equal(r.count, 2);
        double best = 2;
        int winner = 0;
        for (int i = 0; i < 2; i++) {
            det_random random = det_random_create(seed, (uint64_t)i);
            const double here = det_random_double(&random);
            if (here < best) {
                best = here;
                winner = i;
            }
        }
        const det_ranked *whole = find(&r, merged[1]);
        assert_true(whole->rank == best);
        assert_int_equal(whole->hierarchy, winner);
        from_second += winner;
        det_free(r.boxes);
    }
    assert_true(from_second > 5 && from_second < 35);
}

static void a_box_with_a_short_side_is_counted_once(void **state)
{
    (void)state;
    const det_hierarchy both[] = {{3, true, boxes}, {3, true, boxes}};
    ranked r = rank(both, 2, 1, 11);
    assert_int_equal(r.count, 2);
    assert_int_equal(r.too_small, 3);
    det_free(r.boxes);
    r = rank(both, 2, 1, 10);
    assert_int_equal(r.count, 5);
    assert_int_equal(r.too_small, 0);
    det_free(r.boxes);
    r = rank(both, 2, 1, 31);
    assert_int_equal(r.count, 0);
    assert_int_equal(r.too_small, 5);
    det_free(r.boxes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rank_is_a_random_number_times_the_position),
        cmocka_unit_test(segments_that_another_hierarchy_contributes_are_left_out),
        cmocka_unit_test(a_box_of_several_hierarchies_keeps_its_best_rank),
        cmocka_unit_test(a_box_with_a_short_side_is_counted_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
