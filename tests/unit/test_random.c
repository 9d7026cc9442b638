/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/random.h"
#include "tests/unit/support.h"

/* pcg32-demo of the reference implementation, seed 42, stream 54. */
static void numbers_are_those_of_the_reference_implementation(void **state)
{
    (void)state;
    static const uint32_t expected[] = {0xa15c02b7, 0x7b47f409, 0xba1d3330,
                                        0x83d2f293, 0xbfa4784b, 0xcbed606e};
    det_random random = det_random_create(42, 54);
    for (size_t i = 0; i < 6; i++) assert_int_equal(det_random_u32(&random), expected[i]);
}

static void doubles_lie_in_zero_to_one_and_average_a_half(void **state)
{
    (void)state;
    det_random random = det_random_create(1, 1);
    double sum = 0;
    for (int i = 0; i < 100000; i++) {
        const double value = det_random_double(&random);
        assert_true(value >= 0 && value < 1);
        sum += value;
    }
    assert_true(sum > 49500 && sum < 50500); /* 5 standard deviations are 456 */
}

static void a_bound_is_never_reached_and_every_value_below_it_is(void **state)
{
    (void)state;
    det_random random = det_random_create(7, 0);
    int seen[5] = {0};
    for (int i = 0; i < 1000; i++) {
        const uint32_t value = det_random_below(&random, 5);
        assert_true(value < 5);
        seen[value]++;
    }
    for (int i = 0; i < 5; i++) assert_true(seen[i] > 100);
    assert_int_equal(det_random_below(&random, 0), 0);
}

/* Each of the 6 orders of three numbers, about 1000 times in 6000. */
static void every_order_has_the_same_chance(void **state)
{
    (void)state;
    det_random random = det_random_create(3, 0);
    int seen[27] = {0}, orders = 0;
    for (int i = 0; i < 6000; i++) {
        size_t order[3];
        det_random_order(&random, order, 3);
        seen[order[0] * 9 + order[1] * 3 + order[2]]++;
    }
    for (size_t i = 0; i < 27; i++) {
        if (seen[i] == 0) continue;
        assert_true(i / 9 != i / 3 % 3 && i / 3 % 3 != i % 3 && i / 9 != i % 3);
        assert_in_range(seen[i], 850, 1150);
        orders++;
    }
    assert_int_equal(orders, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_of_the_reference_implementation),
        cmocka_unit_test(doubles_lie_in_zero_to_one_and_average_a_half),
        cmocka_unit_test(a_bound_is_never_reached_and_every_value_below_it_is),
        cmocka_unit_test(every_order_has_the_same_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
