/* SPDX-License-Identifier: Apache-2.0 */
/* Boxes and the four numbers that move them. */
#include "src/base/random.h"
#include "src/detector/box_deltas.h"
#include "tests/unit/support.h"

#include <math.h>
#include <string.h>

static void assert_near(const float *a, const float *b, float tolerance)
{
    for (int i = 0; i < 4; i++)
        if (!(fabsf(a[i] - b[i]) <= tolerance))
            fail_msg("number %d is %g, not %g", i, (double)a[i], (double)b[i]);
}

/* The region's middle is (30, 30), its size 40 x 20; the object's (40, 30) and 40 x 10: a quarter
 * of the width to the right, and half the height, of which the logarithm is -.693. */
static const det_box region = {10, 20, 50, 40}, object = {20, 25, 60, 35};
static const float moves[4] = {.25f, 0, 0, -.6931472f};

static void an_object_is_so_far_from_its_region(void **state)
{
    (void)state;
    float found[4];
    det_box_deltas_encode(region, object, found);
    assert_near(found, moves, 1e-7f);
}

static void a_region_is_moved_to_its_object(void **state)
{
    (void)state;
    const det_box found = det_box_deltas_decode(region, moves);
    assert_near(&found.x0, &object.x0, 1e-5f);
}

static void zeros_leave_a_box_as_it_is(void **state)
{
    (void)state;
    const float zeros[4] = {0};
    const det_box odd = {.1f, 1234.567f, 7.3f, 15999.99f};
    const det_box found = det_box_deltas_decode(odd, zeros);
    assert_memory_equal(&found, &odd, sizeof odd);
}

/* Moving there and back, wherever the boxes are. */
static void what_is_encoded_is_decoded(void **state)
{
    (void)state;
    det_random random = det_random_create(5, 1);
    for (int i = 0; i < 1000; i++) {
        det_box boxes[2];
        for (int j = 0; j < 2; j++) {
            const float x = (float)det_random_double(&random) * 2000,
                        y = (float)det_random_double(&random) * 2000;
            boxes[j] = (det_box){x, y, x + 20 + (float)det_random_double(&random) * 900,
                                 y + 20 + (float)det_random_double(&random) * 900};
        }
        float deltas[4];
        det_box_deltas_encode(boxes[0], boxes[1], deltas);
        const det_box found = det_box_deltas_decode(boxes[0], deltas);
        assert_near(&found.x0, &boxes[1].x0, 2e-3f);
    }
}

/* exp(log(1000 / 16)) = 62.5: 40 pixels become 2,500 and 20 become .32, however large the
 * numbers. */
static void sizes_change_by_a_factor_of_62_at_most(void **state)
{
    (void)state;
    static const float wild[][4] = {{0, 0, 10, -10}, {0, 0, INFINITY, -INFINITY}};
    const det_box expected = {30 - 1250, 30 - .16f, 30 + 1250, 30 + .16f};
    for (int i = 0; i < 2; i++) {
        const det_box found = det_box_deltas_decode(region, wild[i]);
        assert_near(&found.x0, &expected.x0, 1e-3f);
    }
}

static void a_number_that_is_none_gives_no_box(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        float deltas[4] = {0};
        deltas[i] = NAN;
        assert_false(det_box_is_sound(det_box_deltas_decode(region, deltas)));
        assert_false(
            det_box_is_sound(det_box_clip(det_box_deltas_decode(region, deltas), 100, 100)));
    }
}

static void a_box_is_cut_at_the_edges_of_the_picture(void **state)
{
    (void)state;
    const det_box cut = det_box_clip((det_box){-5, 10, 300, 90}, 200, 80);
    assert_memory_equal(&cut, (&(det_box){0, 10, 200, 80}), sizeof cut);
    const det_box inside = det_box_clip(object, 200, 80);
    assert_memory_equal(&inside, &object, sizeof inside);
    assert_false(det_box_is_sound(det_box_clip((det_box){-20, 0, -5, 10}, 200, 80)));
    assert_false(det_box_is_sound(det_box_clip((det_box){10, 80, 30, 95}, 200, 80)));
}

static void empty_and_infinite_boxes_are_not_sound(void **state)
{
    (void)state;
    assert_true(det_box_is_sound(object));
    assert_false(det_box_is_sound((det_box){1, 1, 1, 2}));
    assert_false(det_box_is_sound((det_box){1, 2, 3, 2}));
    assert_false(det_box_is_sound((det_box){0, 0, INFINITY, 1}));
    assert_false(det_box_is_sound((det_box){NAN, 0, 1, 1}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_is_so_far_from_its_region),
        cmocka_unit_test(a_region_is_moved_to_its_object),
        cmocka_unit_test(zeros_leave_a_box_as_it_is),
        cmocka_unit_test(what_is_encoded_is_decoded),
        cmocka_unit_test(sizes_change_by_a_factor_of_62_at_most),
        cmocka_unit_test(a_number_that_is_none_gives_no_box),
        cmocka_unit_test(a_box_is_cut_at_the_edges_of_the_picture),
        cmocka_unit_test(empty_and_infinite_boxes_are_not_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
