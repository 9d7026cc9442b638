/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/number.h"

#include "src/base/random.h"
#include "tests/unit/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void decimal_numbers_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        {"0", 0},      {"-12", -12},    {"+3.5", 3.5},          {".5", .5}, {"5.", 5},
        {"1e3", 1000}, {"2.5E-1", .25}, {"0.479492", 0.479492}, {"007", 7}, {"1e-999", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value = -1;
        assert_true(det_number_parse(cases[i].text, strlen(cases[i].text), &value));
        assert_true(value == cases[i].value);
    }
}

static void nothing_else_is_a_number(void **state)
{
    (void)state;
    static const char *const texts[] = {"",   " 1",  "1 ",    "1,5", "0x10", "nan", "inf", "1e999",
                                        "1e", "--1", "1.2.3", "e5",  ".",    "one", "1-2"};
    char long_text[102];
    double value;
    memset(long_text, '1', sizeof long_text);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (det_number_parse(texts[i], strlen(texts[i]), &value)) fail_msg("\"%s\"", texts[i]);
    assert_false(det_number_parse(long_text, sizeof long_text, &value));
    assert_true(det_number_parse(long_text, 100, &value));
    assert_false(det_number_parse("1\0", 2, &value));
}

/* "12" cut out of "123" is 12: the text need not be terminated. */
static void only_the_given_size_is_read(void **state)
{
    (void)state;
    double value = 0;
    assert_true(det_number_parse("123", 2, &value));
    assert_true(value == 12);
}

static void scanned_numbers_are_those_of_strtod(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0",
        "-0",
        "258.15",
        "0.236",
        "1e22",
        "1e23",
        "9007199254740993",
        "9007199254740992.5",
        "0.1234567890123456789",
        "123456789012345678901234567890",
        "1.7976931348623157e308",
        "5e-324",
        "2.2250738585072011e-308",
        "0.000000000000000000000000000001",
        "-8.5E-3",
        "0.30000000000000004",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        double value = 7;
        char longer[80];
        snprintf(longer, sizeof longer, "%s, 12", texts[i]);
        assert_int_equal(det_number_scan(longer, strlen(longer), &value), strlen(texts[i]));
        assert_true(value == strtod(texts[i], NULL));
        assert_int_equal(signbit(value) != 0, *texts[i] == '-');
    }
}

/* Every number of up to three places and 17 random digits, against the C library. */
static void scanned_random_numbers_are_those_of_strtod(void **state)
{
    (void)state;
    det_random random = det_random_create(5, 0);
    for (int i = 0; i < 20000; i++) {
        char text[80];
        double value = 7;
        const double scale = det_random_below(&random, 2) ? 640 : 1e-6;
        snprintf(text, sizeof text, "%.*g", 1 + (int)det_random_below(&random, 17),
                 det_random_double(&random) * scale);
        assert_int_equal(det_number_scan(text, strlen(text), &value), strlen(text));
        assert_true(value == strtod(text, NULL));
    }
}

static void what_json_does_not_take_is_not_scanned(void **state)
{
    (void)state;
    static const char *const texts[] = {"",   "-",   "+1",  "01",    ".5",  "5.",
                                        "1e", "1e+", "nan", "1e999", "--1", " 1"};
    double value;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(det_number_scan(texts[i], strlen(texts[i]), &value), 0);
}

static void written_numbers_have_a_point_and_the_places_asked_for(void **state)
{
    (void)state;
    char text[DET_NUMBER_SIZE];
    assert_string_equal(det_fixed_text(text, .25, 3), "0.250");
    assert_string_equal(det_fixed_text(text, -2.5, 0), "-2");
    assert_string_equal(det_fixed_text(text, NAN, 2), "null");
    assert_string_equal(det_coordinate_text(text, 12.5), "12.5");
    assert_string_equal(det_coordinate_text(text, -.001), "0");
    assert_string_equal(det_coordinate_text(text, INFINITY), "null");
    assert_int_equal(strlen(det_fixed_text(text, -1.7e308, 9)), 320);
}

/* 2^60 has 19 digits, of which 16 tell it from its neighbours, 128 and 256 away. */
static void exact_numbers_have_the_fewest_digits_that_read_back(void **state)
{
    (void)state;
    char text[DET_NUMBER_SIZE];
    assert_string_equal(det_exact_text(text, .1), "0.1");
    assert_string_equal(det_exact_text(text, 473.07), "473.07");
    assert_string_equal(det_exact_text(text, .1 + .2), "0.30000000000000004");
    assert_string_equal(det_exact_text(text, 0x1p60), "1.152921504606847e+18");
    assert_string_equal(det_exact_text(text, -12), "-12");
    assert_string_equal(det_exact_text(text, 5e-324), "4.94065645841247e-324");
    assert_string_equal(det_exact_text(text, NAN), "null");
    det_random random = det_random_create(3, 1);
    for (int i = 0; i < 20000; i++) {
        double value = 0, read = 0;
        const uint64_t bits = (uint64_t)det_random_u32(&random) << 32 | det_random_u32(&random);
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        det_exact_text(text, value);
        assert_true(det_number_parse(text, strlen(text), &read) && read == value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimal_numbers_are_read),
        cmocka_unit_test(nothing_else_is_a_number),
        cmocka_unit_test(scanned_numbers_are_those_of_strtod),
        cmocka_unit_test(scanned_random_numbers_are_those_of_strtod),
        cmocka_unit_test(what_json_does_not_take_is_not_scanned),
        cmocka_unit_test(only_the_given_size_is_read),
        cmocka_unit_test(exact_numbers_have_the_fewest_digits_that_read_back),
        cmocka_unit_test(written_numbers_have_a_point_and_the_places_asked_for),
    };
    return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
