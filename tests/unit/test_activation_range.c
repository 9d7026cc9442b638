/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of activations: histograms whose bins were worked out by hand. */
#include "src/detector/activation_range.h"

#include "src/base/memory.h"
#include "tests/unit/support.h"

#include <math.h>

static det_activation_range *new_range(void)
{
    det_activation_range *range = det_alloc_zeroed(1, sizeof *range);
    assert_non_null(range);
    return range;
}

/* The largest of the first values is 3: 512 bins up to 4, 1/128 each. 3 lies in bin 384, 1 in 128;
 * zeros lie in none, but count for the mean: 4 / 4. */
static void values_fall_into_bins_of_a_power_of_two(void **state)
{
    (void)state;
    det_activation_range *range = new_range();
    det_range_add(range, (const float[]){3, 0, 1, 0}, 4);
    assert_true(range->width == 1.0 / 128);
    assert_int_equal(range->counts[384], 1);
    assert_int_equal(range->counts[128], 1);
    assert_int_equal(range->counts[0], 0);
    assert_true(range->sum == 4 && range->total == 4);
    det_free(range);
}

/* 5 does not fit below 4: bins of 1/64 up to 8; 3 moves to bin 192, 1 to 64, 5 lies in 320. */
static void larger_values_double_the_width(void **state)
{
    (void)state;
    det_activation_range *range = new_range();
    det_range_add(range, (const float[]){3, 1}, 2);
    det_range_add(range, (const float[]){5}, 1);
    assert_true(range->width == 1.0 / 64);
    assert_int_equal(range->counts[192], 1);
    assert_int_equal(range->counts[64], 1);
    assert_int_equal(range->counts[320], 1);
    assert_true(range->largest == 5);
    det_free(range);
}

/* A power of two is beyond the last bin of its own width. */
static void a_power_of_two_fits(void **state)
{
    (void)state;
    det_activation_range *range = new_range();
    det_range_add(range, (const float[]){4}, 1);
    assert_true(range->width == 1.0 / 64);
    assert_int_equal(range->counts[256], 1);
    det_free(range);
}

static void the_largest_value_is_a_limit(void **state)
{
    (void)state;
    det_activation_range *range = new_range();
    assert_true(det_range_limit(range, DET_RANGE_LARGEST) == 0);
    assert_true(det_range_limit(range, DET_RANGE_ERROR) == 0);
    det_range_add(range, (const float[]){0, 0}, 2);
    assert_true(det_range_limit(range, DET_RANGE_PERCENTILE) == 0);
    det_range_add(range, (const float[]){.5f, 6.5f}, 2);
    assert_true(det_range_limit(range, DET_RANGE_LARGEST) == 6.5f);
    det_free(range);
}

/* 19999 values of 1 and one of 100: 99.99 % of 20000 are 19998, so the bin of 1 ends it: bins of
 * 128 / 512 = 1/4, the bin of 1 ends at 1.25. */
static void the_percentile_leaves_out_one_in_ten_thousand(void **state)
{
    (void)state;
    det_activation_range *range = new_range();
    for (int i = 0; i < 19999; i++) det_range_add(range, (const float[]){1}, 1);
    det_range_add(range, (const float[]){100}, 1);
    assert_true(det_range_limit(range, DET_RANGE_PERCENTILE) == 1.25f);
    det_free(range);
}

/* Two values alike: any smaller limit clips both. Many small ones and one large: rounding all of
 * 10^6 ones in steps of 100 / 255 costs 10^6 * .0128 = 12800, clipping the one at 50 costs 2500 and
 * rounding then 3200: the least error lies below the largest. */
static void the_least_error_weighs_rounding_against_clipping(void **state)
{
    (void)state;
    det_activation_range *range = new_range();
    det_range_add(range, (const float[]){8, 8}, 2);
    assert_true(det_range_limit(range, DET_RANGE_ERROR) == 8);
    det_free(range);

    range = new_range();
    for (int i = 0; i < 1000000; i++) det_range_add(range, (const float[]){1}, 1);
    det_range_add(range, (const float[]){100}, 1);
    const float limit = det_range_limit(range, DET_RANGE_ERROR);
    assert_true(limit > 1 && limit < 100);
    det_free(range);
}

static void values_that_u8_cannot_hold_are_noted(void **state)
{
    (void)state;
    static const float bad[] = {-1e-6f, NAN, INFINITY};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        det_activation_range *range = new_range();
        det_range_add(range, (const float[]){1, bad[i]}, 2);
        assert_true(range->negative);
        det_free(range);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_fall_into_bins_of_a_power_of_two),
        cmocka_unit_test(larger_values_double_the_width),
        cmocka_unit_test(a_power_of_two_fits),
        cmocka_unit_test(the_largest_value_is_a_limit),
        cmocka_unit_test(the_percentile_leaves_out_one_in_ten_thousand),
        cmocka_unit_test(the_least_error_weighs_rounding_against_clipping),
        cmocka_unit_test(values_that_u8_cannot_hold_are_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
