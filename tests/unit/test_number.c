/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/number.h"
#include "tests/unit/support.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimal_numbers_are_read),
        cmocka_unit_test(nothing_else_is_a_number),
        cmocka_unit_test(only_the_given_size_is_read),
    };
    return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
