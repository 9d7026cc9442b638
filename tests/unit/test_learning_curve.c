/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "src/train/learning_curve.h"
#include "tests/unit/support.h"
#include "tests/unit/support_eval.h"

#include <math.h>
#include <string.h>

enum { PICTURES = 40, FOLDS = 2, LAST = DET_CURVE_POINTS - 1 };

/* ---- Pictures ------------------------------------------------------------------------------- */

/* Pictures take turns to be of fold 0 and 1. The first 24 show class 0, the others class 1. */
static test_set *make_set(int *folds)
{
    test_set *set = test_set_begin(DET_BOX_SIZED, PICTURES, 2);
    for (size_t i = 0; i < PICTURES; i++) {
        test_set_object(set, i, i < 24 ? 0 : 1, 0, 0, 10, 10);
        folds[i] = (int)(i % FOLDS);
    }
    return set;
}

static void deal(const test_set *set, const int *folds, uint64_t seed, int *points)
{
    det_error error = {0};
    memset(points, 0xff, PICTURES * sizeof *points);
    test_assert_ok(det_deal_curve(&set->annotations, folds, FOLDS, seed, points, &error), &error);
}

/* Pictures of a fold from `first` on, below `end`, that join at a point. */
static size_t count(const int *folds, const int *points, int fold, int point, size_t first,
                    size_t end)
{
    size_t sum = 0;
    for (size_t i = first; i < end; i++) sum += folds[i] == fold && points[i] == point;
    return sum;
}

/* A fold has 12 pictures of class 0 and 8 of class 1: a quarter is 3 and 2. */
static void each_fold_and_class_gives_its_quarters(void **state)
{
    (void)state;
    int folds[PICTURES], points[PICTURES];
    const test_set *set = make_set(folds);
    deal(set, folds, 5, points);
    for (int fold = 0; fold < FOLDS; fold++)
        for (int point = 0; point < DET_CURVE_POINTS; point++) {
            const size_t quarters = point == LAST ? 2 : 1;
            assert_int_equal(count(folds, points, fold, point, 0, 24), 3 * quarters);
            assert_int_equal(count(folds, points, fold, point, 24, PICTURES), 2 * quarters);
        }
}

static void lots_follow_the_seed(void **state)
{
    (void)state;
    int folds[PICTURES], points[3][PICTURES];
    const test_set *set = make_set(folds);
    deal(set, folds, 5, points[0]);
    deal(set, folds, 5, points[1]);
    deal(set, folds, 6, points[2]);
    assert_memory_equal(points[0], points[1], sizeof points[0]);
    assert_memory_not_equal(points[0], points[2], sizeof points[0]);
}

/* ---- Examples ------------------------------------------------------------------------------- */

static void a_part_has_the_examples_of_its_pictures_with_their_weights(void **state)
{
    (void)state;
    const int points[] = {0, 2, 1, 0};
    const det_row rows[] = {{0, 3}, {1, 0}, {1, 1}, {2, 7}, {3, 5}};
    const float weights[] = {1, 0, 1, 1, 0, 0, 1, .5F, 0, 2};
    const det_fit_examples all = {NULL, rows, 5, weights, 2, NULL};
    const float halves[] = {1, 1, 0, 0, 0, 2};
    det_error error = {0};
    det_example_part part = {0};
    test_assert_ok(det_take_part(&all, points, 0, &part, &error), &error);
    assert_int_equal(part.examples.count, 2);
    assert_int_equal(part.examples.rows[1].image, 3);
    assert_int_equal(part.examples.rows[1].region, 5);
    det_example_part_free(&part);
    test_assert_ok(det_take_part(&all, points, 1, &part, &error), &error);
    assert_int_equal(part.examples.count, 3);
    assert_int_equal(part.examples.head_count, 2);
    assert_int_equal(part.examples.rows[1].region, 7);
    assert_memory_equal(part.examples.weights, halves, sizeof halves);
    det_example_part_free(&part);
    test_assert_ok(det_take_part(&all, points, 2, &part, &error), &error);
    assert_int_equal(part.examples.count, 5);
    assert_memory_equal(part.examples.weights, weights, sizeof weights);
    det_example_part_free(&part);
}

/* ---- More pictures -------------------------------------------------------------------------- */

/* AP50 = .1 + .2 log(pictures / 10) of 10, 20 and 40 pictures, exactly, in all samples but one,
 * where it is .1 more, and another, which has no value. */
enum { SAMPLES = 4 };

static void make_curve(det_curve_samples *curve)
{
    *curve = (det_curve_samples){.count = DET_CURVE_POINTS, .samples = SAMPLES};
    for (int p = 0; p < DET_CURVE_POINTS; p++) {
        curve->images[p] = 10 << p;
        curve->ap50[p] = .1 + .2 * p * log(2);
        curve->values[p] = det_alloc_array(SAMPLES, sizeof(double));
        assert_non_null(curve->values[p]);
        for (int i = 0; i < SAMPLES; i++) curve->values[p][i] = curve->ap50[p];
        curve->values[p][1] += .1;
        curve->values[p][2] = (double)NAN;
    }
}

static det_interval find_gain(const det_curve_samples *curve, size_t images, size_t more)
{
    det_error error = {0};
    det_interval gain;
    test_assert_ok(det_curve_gain(curve, images, more, &gain, &error), &error);
    return gain;
}

static void more_pictures_give_what_the_law_says(void **state)
{
    (void)state;
    det_curve_samples curve;
    make_curve(&curve);
    const det_interval twice = find_gain(&curve, 50, 50), none = find_gain(&curve, 50, 0);
    test_assert_figure(twice.value, .2 * log(2));
    test_assert_figure(twice.low, .2 * log(2));
    test_assert_figure(twice.high, .2 * log(2));
    assert_int_equal(twice.samples, SAMPLES - 1);
    test_assert_figure(none.value, 0);
    det_curve_samples_free(&curve);
}

/* Logarithms in units of log 2: 0, 1, 2 with AP50 .1, .5, .6. By least squares the slope is
 * (.6 - .1) / 2 = .25. */
static void the_law_is_fitted_by_least_squares(void **state)
{
    (void)state;
    det_curve_samples curve;
    make_curve(&curve);
    const double ap50[] = {.1, .5, .6};
    memcpy(curve.ap50, ap50, sizeof ap50);
    test_assert_figure(find_gain(&curve, 30, 30).value, .25);
    det_curve_samples_free(&curve);
}

/* .1 + .4 log 2 = .377 of 40 pictures leaves room for .623. */
static void no_number_of_pictures_gives_more_than_1(void **state)
{
    (void)state;
    det_curve_samples curve;
    make_curve(&curve);
    const det_interval gain = find_gain(&curve, 1, 1000000);
    test_assert_figure(gain.value, .9 - .4 * log(2));
    test_assert_figure(gain.high, .9 - .4 * log(2));
    assert_true(gain.low < .9 - .4 * log(2) - .09); /* in the sample that has .1 more */
    det_curve_samples_free(&curve);
}

static void less_than_two_points_have_no_gain(void **state)
{
    (void)state;
    const det_interval gain = find_gain(&(det_curve_samples){0}, 50, 50);
    assert_true(isnan(gain.value) && isnan(gain.low) && isnan(gain.high));
    assert_int_equal(gain.samples, 0);
}

/* Half of the pictures' objects are found at first, then all. */
static void points_are_measured_over_the_same_samples(void **state)
{
    (void)state;
    int folds[PICTURES];
    test_set *set = make_set(folds);
    const det_training_set training = {.annotations = &set->annotations};
    det_curve_samples curve = {0};
    det_error error = {0};
    for (int p = 0; p < 2; p++) {
        set->results.object_count = 0;
        for (uint32_t i = 0; i < PICTURES; i += p == 0 ? 2 : 1) {
            test_set_found(set, i, .9, 0, 0, 10, 10);
            set->found[set->results.object_count - 1].category = i < 24 ? 0 : 1;
        }
        const det_held_out_objects found = {set->found, set->results.object_count};
        const det_measuring measuring = {&training, &found, 30, 3, 1};
        test_assert_ok(det_curve_add(&curve, &measuring, 10 * (p + 1), &error), &error);
    }
    assert_int_equal(curve.count, 2);
    assert_true(fabs(curve.ap50[0] - 51. / 101) < 1e-9); /* recalls 0, .01, ... .5 */
    test_assert_figure(curve.ap50[1], 1);
    test_assert_figure(curve.images[1], 20);
    for (size_t i = 0; i < curve.samples; i++) {
        assert_true(curve.values[0][i] > .2 && curve.values[0][i] < .8);
        test_assert_figure(curve.values[1][i], 1);
    }
    det_curve_samples_free(&curve);
}

#ifdef DET_FAULT_INJECTION
static det_status do_all(const test_set *set, const int *folds, det_error *error)
{
    const det_training_set training = {.annotations = &set->annotations};
    const det_held_out_objects found = {(det_detected_object *)set->found, 0};
    const det_measuring measuring = {&training, &found, 5, 3, 1};
    const det_row row = {0, 0};
    const float weight = 1;
    const det_fit_examples all = {&training, &row, 1, &weight, 1, NULL};
    int points[PICTURES];
    det_example_part part = {0};
    det_curve_samples curve = {0};
    det_interval gain;
    det_status status = det_deal_curve(&set->annotations, folds, FOLDS, 1, points, error);
    if (status == DET_OK) status = det_take_part(&all, points, LAST, &part, error);
    for (int p = 0; status == DET_OK && p < 2; p++)
        status = det_curve_add(&curve, &measuring, 10 * (p + 1), error);
    if (status == DET_OK) status = det_curve_gain(&curve, 20, 20, &gain, error);
    det_curve_samples_free(&curve);
    det_example_part_free(&part);
    return status;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    int folds[PICTURES];
    const test_set *set = make_set(folds);
    for (uint64_t nth = 1;; nth++) {
        det_error error = {0};
        det_memory_fail_at(nth);
        const det_status status = do_all(set, folds, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        if (!failed) {
            test_assert_ok(status, &error);
            return;
        }
        test_assert_error(status, DET_MEMORY, &error, "out of memory");
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fold_and_class_gives_its_quarters),
        cmocka_unit_test(lots_follow_the_seed),
        cmocka_unit_test(a_part_has_the_examples_of_its_pictures_with_their_weights),
        cmocka_unit_test(more_pictures_give_what_the_law_says),
        cmocka_unit_test(the_law_is_fitted_by_least_squares),
        cmocka_unit_test(no_number_of_pictures_gives_more_than_1),
        cmocka_unit_test(less_than_two_points_have_no_gain),
        cmocka_unit_test(points_are_measured_over_the_same_samples),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(every_failing_allocation_is_reported),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
