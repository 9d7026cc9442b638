/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/schedule.h"
#include "tests/unit/support.h"

#include <math.h>

static void assert_rate(const det_schedule *schedule, uint64_t step, uint64_t steps, double rate)
{
    const double found = det_schedule_rate(schedule, step, steps);
    if (!(fabs(found - rate) < 1e-12)) fail_msg("step %d: %g, not %g", (int)step, found, rate);
}

static void a_constant_rate_stays(void **state)
{
    (void)state;
    const det_schedule schedule = {.rate = .01};
    assert_rate(&schedule, 0, 10, .01);
    assert_rate(&schedule, 9, 10, .01);
}

static void a_step_multiplies_the_rate_by_the_factor(void **state)
{
    (void)state;
    const det_schedule schedule = {DET_SCHEDULE_STEP, .rate = .001, .factor = .1, .every = 20000};
    assert_rate(&schedule, 0, 50000, .001);
    assert_rate(&schedule, 19999, 50000, .001);
    assert_rate(&schedule, 20000, 50000, .0001);
    assert_rate(&schedule, 40000, 50000, .00001);
}

/* .01 * (1 - 75 / 100)^.5 = .01 * .5; the last step: .01 * sqrt(.01) */
static void a_polynomial_reaches_zero_behind_the_last_step(void **state)
{
    (void)state;
    const det_schedule schedule = {DET_SCHEDULE_POLY, .rate = .01, .power = .5};
    assert_rate(&schedule, 0, 100, .01);
    assert_rate(&schedule, 75, 100, .005);
    assert_rate(&schedule, 99, 100, .001);
}

/* (1 + cos(pi / 3)) / 2 = 3 / 4 */
static void a_cosine_is_half_way_down_in_the_middle(void **state)
{
    (void)state;
    const det_schedule schedule = {DET_SCHEDULE_COSINE, .rate = .2};
    assert_rate(&schedule, 0, 60, .2);
    assert_rate(&schedule, 20, 60, .15);
    assert_rate(&schedule, 30, 60, .1);
    assert_rate(&schedule, 40, 60, .05);
}

static void warm_up_rises_in_equal_steps_to_the_rate_of_the_schedule(void **state)
{
    (void)state;
    const det_schedule constant = {.rate = .4, .warm_up = 4};
    const double rates[] = {.1, .2, .3, .4, .4};
    for (uint64_t t = 0; t < 5; t++) assert_rate(&constant, t, 10, rates[t]);
    const det_schedule falling = {DET_SCHEDULE_POLY, .rate = .4, .power = 1, .warm_up = 2};
    assert_rate(&falling, 0, 4, .2);
    assert_rate(&falling, 1, 4, .3);
    assert_rate(&falling, 2, 4, .2);
}

static void a_number_outside_its_range_is_refused(void **state)
{
    (void)state;
    const struct {
        det_schedule schedule;
        const char *message;
    } cases[] = {
        {{.rate = 0}, "a learning rate of 0"},
        {{.rate = (double)NAN}, "a learning rate of nan"},
        {{DET_SCHEDULE_STEP, .rate = 1, .factor = 2, .every = 1}, "a factor of 2"},
        {{DET_SCHEDULE_STEP, .rate = 1, .factor = .1}, "every 0 steps"},
        {{DET_SCHEDULE_POLY, .rate = 1, .power = -1}, "power -1"},
    };
    det_error error = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        test_assert_error(det_schedule_check(&cases[i].schedule, &error), DET_ARGUMENT, &error,
                          cases[i].message);
    test_assert_ok(det_schedule_check(&(det_schedule){.rate = .1}, &error), &error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_constant_rate_stays),
        cmocka_unit_test(a_step_multiplies_the_rate_by_the_factor),
        cmocka_unit_test(a_polynomial_reaches_zero_behind_the_last_step),
        cmocka_unit_test(a_cosine_is_half_way_down_in_the_middle),
        cmocka_unit_test(warm_up_rises_in_equal_steps_to_the_rate_of_the_schedule),
        cmocka_unit_test(a_number_outside_its_range_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
