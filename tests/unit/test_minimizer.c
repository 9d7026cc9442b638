/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "src/train/minimizer.h"
#include "tests/unit/support.h"

#include <math.h>
#include <string.h>

enum { SIZE = 8 };

/* sum of (1 + i) ^ 2 (x_i - i)^2 / 2, least at x_i = i; curvatures from 1 to 64. */
static double evaluate(const float *x, float *gradient)
{
    double value = 0;
    for (int i = 0; i < SIZE; i++) {
        const double curvature = (1.0 + i) * (1 + i), from = (double)x[i] - i;
        value += curvature * from * from / 2;
        gradient[i] = (float)(curvature * from);
    }
    return value;
}

static det_minimizer *create(int iterations)
{
    det_minimizer *minimizer = NULL;
    det_error error;
    test_assert_ok(
        det_minimizer_create(SIZE, &(det_minimizer_options){iterations, 1e-12}, &minimizer, &error),
        &error);
    return minimizer;
}

static double run(det_minimizer *minimizer, int *evaluations)
{
    float gradient[SIZE];
    double value = 0;
    for (*evaluations = 0; !det_minimizer_is_done(minimizer) && *evaluations < 1000;
         ++*evaluations) {
        value = evaluate(det_minimizer_point(minimizer), gradient);
        det_minimizer_tell(minimizer, value, gradient);
    }
    return evaluate(det_minimizer_point(minimizer), gradient);
}

static void a_quadratic_function_is_minimised(void **state)
{
    (void)state;
    int evaluations;
    det_minimizer *minimizer = create(200);
    assert_true(run(minimizer, &evaluations) < 1e-6);
    for (int i = 0; i < SIZE; i++) assert_float_equal(det_minimizer_point(minimizer)[i], i, 1e-3);
    assert_true(evaluations < 100);
    det_minimizer_free(minimizer);
}

static void the_first_point_is_0_and_each_iteration_is_lower(void **state)
{
    (void)state;
    det_minimizer *minimizer = create(200);
    const float zeros[SIZE] = {0};
    assert_memory_equal(det_minimizer_point(minimizer), zeros, sizeof zeros);
    det_minimizer_free(minimizer);
    double last = INFINITY;
    for (int most = 1; most <= 8; most++) {
        int evaluations;
        minimizer = create(most);
        const double value = run(minimizer, &evaluations);
        assert_true(det_minimizer_is_done(minimizer));
        assert_true(value < last);
        last = value;
        det_minimizer_free(minimizer);
    }
}

static void a_flat_function_is_done_at_once(void **state)
{
    (void)state;
    det_minimizer *minimizer = create(10);
    det_minimizer_tell(minimizer, 3, (const float[SIZE]){0});
    assert_true(det_minimizer_is_done(minimizer));
    det_minimizer_free(minimizer);
}

/* Interrupted after every number of evaluations, among them some in the middle of a line search. */
static void a_state_that_is_saved_goes_on_to_the_same_point(void **state)
{
    (void)state;
    int evaluations, most;
    det_minimizer *whole = create(60);
    const double least = run(whole, &most);
    for (int before = 0; before <= most; before++) {
        float gradient[SIZE];
        det_minimizer *first = create(60), *second = create(60);
        for (int i = 0; i < before; i++) {
            const double value = evaluate(det_minimizer_point(first), gradient);
            det_minimizer_tell(first, value, gradient);
        }
        const size_t size = det_minimizer_state_size(first);
        void *saved = det_alloc(size);
        assert_non_null(saved);
        det_minimizer_save(first, saved);
        assert_true(det_minimizer_restore(second, saved, size));
        assert_true(run(second, &evaluations) == least);
        assert_int_equal(before + evaluations, most);
        assert_memory_equal(det_minimizer_point(second), det_minimizer_point(whole),
                            SIZE * sizeof(float));
        det_free(saved);
        det_minimizer_free(first);
        det_minimizer_free(second);
    }
    det_minimizer_free(whole);
}

static void a_state_of_another_minimisation_is_not_taken(void **state)
{
    (void)state;
    const float zeros[SIZE] = {0};
    det_minimizer *minimizer = create(5), *other = NULL;
    det_error error;
    int evaluations;
    test_assert_ok(
        det_minimizer_create(SIZE + 1, &(det_minimizer_options){5, 1e-12}, &other, &error), &error);
    const size_t size = det_minimizer_state_size(other);
    uint8_t *saved = det_alloc(size);
    assert_non_null(saved);
    det_minimizer_save(other, saved);
    assert_false(det_minimizer_restore(minimizer, saved, size));
    assert_false(det_minimizer_restore(minimizer, saved, 3));
    det_free(saved);

    det_minimizer *longer = create(50);
    run(longer, &evaluations);
    saved = det_alloc(det_minimizer_state_size(longer));
    assert_non_null(saved);
    det_minimizer_save(longer, saved); /* more iterations than there are to be */
    assert_false(det_minimizer_restore(minimizer, saved, det_minimizer_state_size(longer)));
    assert_false(det_minimizer_restore(longer, saved, det_minimizer_state_size(longer) - 1));
    assert_memory_equal(det_minimizer_point(minimizer), zeros, sizeof zeros);
    det_free(saved);
    det_minimizer_free(minimizer);
    det_minimizer_free(other);
    det_minimizer_free(longer);
}

static void short_memory_is_reported(void **state)
{
    (void)state;
#ifdef DET_FAULT_INJECTION
    bool failed = true;
    for (uint64_t n = 1; failed; n++) {
        det_minimizer *minimizer = NULL;
        det_error error = {0};
        det_memory_fail_at(n);
        const det_status status =
            det_minimizer_create(SIZE, &(det_minimizer_options){5, 1e-6}, &minimizer, &error);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        det_minimizer_free(minimizer);
    }
#else
    skip();
#endif
}

/* At the least already, the first slope is 0. */
static void a_minimisation_may_begin_elsewhere(void **state)
{
    (void)state;
    int evaluations;
    det_minimizer *minimizer = create(200);
    for (int i = 0; i < SIZE; i++) det_minimizer_start(minimizer)[i] = (float)i;
    assert_true(run(minimizer, &evaluations) == 0);
    assert_int_equal(evaluations, 1);
    det_minimizer_free(minimizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quadratic_function_is_minimised),
        cmocka_unit_test(a_minimisation_may_begin_elsewhere),
        cmocka_unit_test(the_first_point_is_0_and_each_iteration_is_lower),
        cmocka_unit_test(a_flat_function_is_done_at_once),
        cmocka_unit_test(a_state_that_is_saved_goes_on_to_the_same_point),
        cmocka_unit_test(a_state_of_another_minimisation_is_not_taken),
        cmocka_unit_test(short_memory_is_reported),
    };
    return cmocka_run_group_tests_name("minimizer", tests, NULL, NULL);
}
