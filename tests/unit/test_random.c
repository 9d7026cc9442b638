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

static void a_place_has_numbers_of_its_own(void **state)
{
    (void)state;
    uint32_t first[2 * 3 * 4];
    size_t count = 0;
    for (uint64_t seed = 0; seed < 2; seed++)
        for (uint64_t step = 0; step < 3; step++)
            for (uint64_t slot = 0; slot < 4; slot++) {
                det_random random = det_random_at(seed, step, slot);
                first[count] = det_random_u32(&random);
                for (size_t i = 0; i < count; i++) assert_int_not_equal(first[i], first[count]);
                count++;
            }
    det_random again = det_random_at(1, 2, 3);
    assert_int_equal(det_random_u32(&again), first[count - 1]);
}

/* The first numbers of 10000 neighbouring places: a mean of a half, and pairs that are not alike
 * (each of 16 cells has 625, 5 standard deviations are 121). */
static void neighbouring_places_are_independent(void **state)
{
    (void)state;
    int cells[16] = {0};
    double sum = 0, last = 0;
    for (uint64_t slot = 0; slot <= 10000; slot++) {
        det_random random = det_random_at(5, 77, slot);
        const double value = det_random_double(&random);
        if (slot > 0) cells[4 * (int)(4 * last) + (int)(4 * value)]++;
        sum += value;
        last = value;
    }
    assert_true(sum > 4850 && sum < 5150); /* 5 standard deviations are 144 */
    for (int i = 0; i < 16; i++) assert_in_range(cells[i], 504, 746);
}

static void each_turn_has_every_number_once(void **state)
{
    (void)state;
    for (size_t count = 1; count < 70; count++)
        for (uint64_t round = 0; round < 3; round++) {
            bool seen[70] = {false};
            for (size_t i = 0; i < count; i++) {
                const size_t number = det_random_turn(9, round * count + i, count);
                assert_true(number < count && !seen[number]);
                seen[number] = true;
            }
        }
    assert_int_equal(det_random_turn(9, 4, 0), 0);
}

/* Each of the 6 orders of three numbers, about 1000 times in 6000 turns. */
static void turns_have_every_order_as_often(void **state)
{
    (void)state;
    int seen[27] = {0}, orders = 0;
    for (uint64_t round = 0; round < 6000; round++) {
        size_t code = 0;
        for (uint64_t i = 0; i < 3; i++) code = 3 * code + det_random_turn(1, 3 * round + i, 3);
        seen[code]++;
    }
    for (size_t i = 0; i < 27; i++) {
        if (seen[i] == 0) continue;
        assert_in_range(seen[i], 850, 1150);
        orders++;
    }
    assert_int_equal(orders, 6);
}

/* 1000 numbers: where the first half of a turn lies. */
static void turns_of_many_numbers_are_well_mixed(void **state)
{
    (void)state;
    int low = 0;
    for (uint64_t i = 0; i < 500; i++) low += det_random_turn(2, i, 1000) < 500;
    assert_in_range(low, 210, 290); /* a standard deviation is 8 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_of_the_reference_implementation),
        cmocka_unit_test(doubles_lie_in_zero_to_one_and_average_a_half),
        cmocka_unit_test(a_bound_is_never_reached_and_every_value_below_it_is),
        cmocka_unit_test(every_order_has_the_same_chance),
        cmocka_unit_test(a_place_has_numbers_of_its_own),
        cmocka_unit_test(neighbouring_places_are_independent),
        cmocka_unit_test(each_turn_has_every_number_once),
        cmocka_unit_test(turns_have_every_order_as_often),
        cmocka_unit_test(turns_of_many_numbers_are_well_mixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
