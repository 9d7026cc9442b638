/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/class_verdict.h"
#include "tests/unit/support.h"

#include <math.h>

static void assert_verdict(size_t images, double low, double high, det_class_verdict expected,
                           size_t expected_wanted)
{
    const det_interval ap50 = {.value = (low + high) / 2, .low = low, .high = high};
    size_t wanted = 99;
    assert_int_equal(det_judge_class(images, &ap50, &wanted), expected);
    assert_int_equal(wanted, expected_wanted);
}

static void few_pictures_say_nothing_whatever_came_out(void **state)
{
    (void)state;
    assert_verdict(9, .9, 1, DET_CLASS_FEW_PICTURES, 1);
    assert_verdict(1, 0, 0, DET_CLASS_FEW_PICTURES, 9);
    assert_verdict(0, (double)NAN, (double)NAN, DET_CLASS_FEW_PICTURES, 10);
    assert_verdict(10, .9, 1, DET_CLASS_LEARNED, 0);
}

static void what_surely_fails_is_not_learned_and_wants_as_many_pictures_again(void **state)
{
    (void)state;
    assert_verdict(12, 0, .29, DET_CLASS_NOT_LEARNED, 12);
    assert_verdict(12, .25, .29, DET_CLASS_NOT_LEARNED, 12);
    assert_verdict(12, .25, .3, DET_CLASS_LEARNED, 0);
}

static void what_may_be_chance_is_unsure(void **state)
{
    (void)state;
    assert_verdict(20, .09, .5, DET_CLASS_UNSURE, 20);
    assert_verdict(20, .1, .5, DET_CLASS_LEARNED, 0);
    assert_verdict(20, (double)NAN, (double)NAN, DET_CLASS_UNSURE, 20);
}

static void verdicts_have_names(void **state)
{
    (void)state;
    assert_string_equal(det_class_verdict_name(DET_CLASS_LEARNED), "learned");
    assert_string_equal(det_class_verdict_name(DET_CLASS_FEW_PICTURES), "few_pictures");
    assert_string_equal(det_class_verdict_name(DET_CLASS_NOT_LEARNED), "not_learned");
    assert_string_equal(det_class_verdict_name(DET_CLASS_UNSURE), "unsure");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_pictures_say_nothing_whatever_came_out),
        cmocka_unit_test(what_surely_fails_is_not_learned_and_wants_as_many_pictures_again),
        cmocka_unit_test(what_may_be_chance_is_unsure),
        cmocka_unit_test(verdicts_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
