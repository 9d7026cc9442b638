/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/json.h"
#include "src/base/json_reader.h"
#include "src/base/memory.h"
#include "tests/unit/support.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Finishes and frees the document, whose text must be `expected`. */
static void assert_written(det_json *json, const char *expected)
{
    const char *text;
    size_t size;
    det_error error = {0};
    test_assert_ok(det_json_finish(json, &text, &size, &error), &error);
    assert_string_equal(text, expected);
    assert_int_equal(size, strlen(expected));
    det_json_free(json);
}

static det_json *create(void)
{
    det_json *json = det_json_create();
    assert_non_null(json);
    return json;
}

static void commas_and_names_come_by_themselves(void **state)
{
    (void)state;
    det_json *json = create();
    det_json_begin_object(json, NULL);
    det_json_string(json, "s", "x");
    det_json_integer(json, "i", INT64_MIN);
    det_json_bool(json, "yes", true);
    det_json_bool(json, "no", false);
    det_json_null(json, "n");
    det_json_string(json, "none", NULL);
    det_json_begin_array(json, "a");
    det_json_begin_array(json, NULL);
    det_json_end(json);
    det_json_begin_object(json, NULL);
    det_json_end(json);
    det_json_integer(json, NULL, 1);
    det_json_raw(json, NULL, "{\"r\":[]}");
    det_json_end(json);
    det_json_end(json);
    assert_written(json, "{\"s\":\"x\",\"i\":-9223372036854775808,\"yes\":true,\"no\":false,"
                         "\"n\":null,\"none\":null,\"a\":[[],{},1,{\"r\":[]}]}");
}

static void a_single_value_is_a_document(void **state)
{
    (void)state;
    det_json *json = create();
    det_json_bool(json, NULL, true);
    assert_written(json, "true");
}

static void strings_are_escaped_and_what_is_not_utf8_is_replaced(void **state)
{
    (void)state;
    det_json *json = create();
    det_json_begin_object(json, NULL);
    det_json_string(json, "\"k\"", "a\"b\\c/\b\f\n\r\t\x01\x1F\x7F");
    det_json_string(json, "u", "\xC3\xA9\xF0\x9F\x98\x80 \xFF\xC3(\xE2\x82");
    det_json_end(json);
    assert_written(json, "{\"\\\"k\\\"\":\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001f\x7F\","
                         "\"u\":\"\xC3\xA9\xF0\x9F\x98\x80 \xEF\xBF\xBD\xEF\xBF\xBD("
                         "\xEF\xBF\xBD\xEF\xBF\xBD\"}");
}

static void coordinates_have_two_places_without_trailing_zeros(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"},          {-0.0, "0"},
                 {-.001, "0"},      {1, "1"},
                 {1.5, "1.5"},      {1.25, "1.25"},
                 {1.256, "1.26"},   {100, "100"},
                 {-12.10, "-12.1"}, {1e15, "1000000000000000"},
                 {NAN, "null"},     {-INFINITY, "null"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_json *json = create();
        det_json_coordinate(json, NULL, cases[i].value);
        assert_written(json, cases[i].text);
    }
    det_json *json = create();
    det_json_coordinate(json, NULL, -1.7976931348623157e308);
    const char *text;
    size_t size;
    assert_int_equal(det_json_finish(json, &text, &size, NULL), DET_OK);
    assert_int_equal(size, 310); /* a sign and 309 digits */
    det_json_free(json);
}

static void floats_and_doubles_read_back_bit_for_bit(void **state)
{
    (void)state;
    static const float scores[] = {0, 1, .1f, .05f, 1.f / 3, 0x1p-149f, .99999994f, 3.4028235e38f};
    static const double values[] = {.1, 1. / 3, 5e-324, 1.7976931348623157e308, 0x1p53 + 2, 1e22};
    for (size_t i = 0; i < sizeof scores / sizeof *scores; i++) {
        det_json *json = create();
        det_json_number(json, NULL, scores[i]);
        const char *text;
        assert_int_equal(det_json_finish(json, &text, NULL, NULL), DET_OK);
        assert_true((float)strtod(text, NULL) == scores[i]);
        det_json_free(json);
    }
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        det_json *json = create();
        det_json_exact(json, NULL, values[i]);
        const char *text;
        assert_int_equal(det_json_finish(json, &text, NULL, NULL), DET_OK);
        assert_true(strtod(text, NULL) == values[i]);
        det_json_free(json);
    }
}

static void numbers_that_are_not_finite_become_null(void **state)
{
    (void)state;
    det_json *json = create();
    det_json_begin_array(json, NULL);
    det_json_number(json, NULL, NAN);
    det_json_number(json, NULL, INFINITY);
    det_json_exact(json, NULL, -INFINITY);
    det_json_end(json);
    assert_written(json, "[null,null,null]");
}

static void numbers_have_a_point_in_any_locale(void **state)
{
    (void)state;
    /* Whatever locale with a comma the machine has; with none the test still checks the text. */
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "ps_AF.UTF-8"};
    for (size_t i = 0; i < 3 && !setlocale(LC_NUMERIC, names[i]); i++) {
    }
    det_json *json = create();
    det_json_begin_array(json, NULL);
    det_json_number(json, NULL, -1.5e-7);
    det_json_exact(json, NULL, 1.5);
    det_json_coordinate(json, NULL, -2.25);
    det_json_number(json, NULL, 12);
    det_json_end(json);
    setlocale(LC_NUMERIC, "C");
    assert_written(json, "[-1.5e-07,1.5,-2.25,12]");
}

static void assert_misuse(det_json *json, const char *message)
{
    const char *text = NULL;
    det_error error = {0};
    test_assert_error(det_json_finish(json, &text, NULL, &error), DET_ARGUMENT, &error, message);
    assert_null(text);
    det_json_free(json);
}

static void misuse_is_reported_once_at_the_end(void **state)
{
    (void)state;
    det_json *json = create();
    assert_misuse(json, "no value at all");

    json = create();
    det_json_begin_object(json, NULL);
    assert_misuse(json, "not ended");

    json = create();
    det_json_begin_object(json, NULL);
    det_json_integer(json, NULL, 1);
    det_json_end(json);
    assert_misuse(json, "a member without a key");

    json = create();
    det_json_begin_array(json, NULL);
    det_json_integer(json, "k", 1);
    det_json_end(json);
    assert_misuse(json, "a key outside of an object");

    json = create();
    det_json_integer(json, NULL, 1);
    det_json_integer(json, NULL, 2);
    assert_misuse(json, "a second value at the top");

    json = create();
    det_json_end(json);
    assert_misuse(json, "an end without a beginning");

    json = create();
    for (int i = 0; i < 65; i++) det_json_begin_array(json, NULL);
    for (int i = 0; i < 65; i++) det_json_end(json);
    assert_misuse(json, "deeper than 64");
}

static void the_reader_takes_what_is_written_at_any_depth_allowed(void **state)
{
    (void)state;
    det_json *json = create();
    for (int i = 0; i < 64; i++) det_json_begin_array(json, NULL);
    for (int i = 0; i < 64; i++) det_json_end(json);
    const char *text;
    size_t size;
    json_object *value = NULL;
    det_error error = {0};
    test_assert_ok(det_json_finish(json, &text, &size, &error), &error);
    test_assert_ok(det_json_parse(text, size, &value, &error), &error);
    json_object_put(value);
    det_json_free(json);
}

static void freeing_nothing_is_allowed(void **state)
{
    (void)state;
    det_json_free(NULL);
}

#ifdef DET_FAULT_INJECTION
static void every_allocation_may_fail(void **state)
{
    (void)state;
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        const char *text;
        det_memory_fail_at(nth);
        det_json *json = det_json_create();
        det_status status = DET_MEMORY;
        if (json) {
            det_json_begin_array(json, NULL);
            for (int i = 0; i < 100; i++) det_json_string(json, NULL, "something long enough");
            det_json_end(json);
            status = det_json_finish(json, &text, NULL, NULL);
        }
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        det_json_free(json);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_and_names_come_by_themselves),
        cmocka_unit_test(a_single_value_is_a_document),
        cmocka_unit_test(strings_are_escaped_and_what_is_not_utf8_is_replaced),
        cmocka_unit_test(coordinates_have_two_places_without_trailing_zeros),
        cmocka_unit_test(floats_and_doubles_read_back_bit_for_bit),
        cmocka_unit_test(numbers_that_are_not_finite_become_null),
        cmocka_unit_test(numbers_have_a_point_in_any_locale),
        cmocka_unit_test(misuse_is_reported_once_at_the_end),
        cmocka_unit_test(the_reader_takes_what_is_written_at_any_depth_allowed),
        cmocka_unit_test(freeing_nothing_is_allowed),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(every_allocation_may_fail),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
