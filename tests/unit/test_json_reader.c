/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/json_reader.h"
#include "src/base/memory.h"
#include "tests/unit/support.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

static json_object *parse(const char *text)
{
    json_object *value = NULL;
    det_error error = {0};
    test_assert_ok(det_json_parse(text, strlen(text), &value, &error), &error);
    return value;
}

/* `text` parses and is written back by json-c as `expected`. */
static void assert_parsed(const char *text, const char *expected)
{
    json_object *value = parse(text);
    assert_string_equal(json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN |
                                                                  JSON_C_TO_STRING_NOSLASHESCAPE),
                        expected);
    json_object_put(value);
}

static void assert_refused_bytes(const char *text, size_t size, const char *where,
                                 const char *message)
{
    json_object *value = NULL;
    det_error error = {0};
    test_assert_error(det_json_parse(text, size, &value, &error), DET_FORMAT, &error, message);
    assert_string_equal(error.where, where);
    assert_null(value);
}

static void assert_refused(const char *text, const char *where, const char *message)
{
    assert_refused_bytes(text, strlen(text), where, message);
}

static void every_kind_of_value_is_read(void **state)
{
    (void)state;
    assert_parsed("null", "null");
    assert_parsed(" true\n", "true");
    assert_parsed("false", "false");
    assert_parsed("\"\"", "\"\"");
    assert_parsed("[]", "[]");
    assert_parsed("{}", "{}");
    assert_parsed("[ 1 , [ ] , { } ]", "[1,[],{}]");
    assert_parsed("{ \"a\" : 1,\t\"b\" :\r\n[ true , null ] }", "{\"a\":1,\"b\":[true,null]}");
    assert_parsed("\xEF\xBB\xBF[1]", "[1]");
}

static void numbers_keep_their_value(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } cases[] = {{"0", 0},           {"-0", 0},        {"-12", -12},   {"0.5", .5},
                 {"1e3", 1000},      {"1E+3", 1000},   {"25e-1", 2.5}, {"-1.25e2", -125},
                 {"1e-999", 0},      {"1e308", 1e308}, {"0.1", 0.1},   {"1e23", 1e23},
                 {"5e-324", 5e-324}, {"1e22", 1e22}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_object *value = parse(cases[i].text);
        assert_true(json_object_get_double(value) == cases[i].value);
        json_object_put(value);
    }
}

static void integers_are_exact_up_to_64_bits_and_doubles_beyond(void **state)
{
    (void)state;
    json_object *value = parse("[9223372036854775807, -9223372036854775808, 18446744073709551615,"
                               " 18446744073709551616, -9223372036854775809]");
    assert_true(json_object_get_int64(json_object_array_get_idx(value, 0)) == INT64_MAX);
    assert_true(json_object_get_int64(json_object_array_get_idx(value, 1)) == INT64_MIN);
    assert_true(json_object_get_uint64(json_object_array_get_idx(value, 2)) == UINT64_MAX);
    assert_true(json_object_is_type(json_object_array_get_idx(value, 3), json_type_double));
    assert_true(json_object_get_double(json_object_array_get_idx(value, 3)) == 0x1p64);
    assert_true(json_object_get_double(json_object_array_get_idx(value, 4)) == -0x1p63);
    json_object_put(value);
}

static void numbers_are_read_with_a_point_in_any_locale(void **state)
{
    (void)state;
    /* Whatever locale with a comma the machine has; with none the test still reads the number. */
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "ru_RU.UTF-8"};
    for (size_t i = 0; i < 3 && !setlocale(LC_NUMERIC, names[i]); i++) {
    }
    json_object *value = parse("1.5");
    setlocale(LC_NUMERIC, "C");
    assert_true(json_object_get_double(value) == 1.5);
    json_object_put(value);
}

static void escapes_are_decoded(void **state)
{
    (void)state;
    json_object *value = parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\\ud83d\\uDE00\"");
    assert_string_equal(json_object_get_string(value),
                        "\"\\/\b\f\n\r\tA\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
    json_object_put(value);

    value = parse("\"a\\u0000b\"");
    assert_int_equal(json_object_get_string_len(value), 3);
    assert_memory_equal(json_object_get_string(value), "a\0b", 4);
    json_object_put(value);
}

static void every_utf8_length_passes_through(void **state)
{
    (void)state;
    assert_parsed("\"a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\x7F\"",
                  "\"a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\x7F\"");
}

static void mistakes_are_named_with_line_and_column(void **state)
{
    (void)state;
    static const struct {
        const char *text, *where, *message;
    } cases[] = {
        {"", "line 1, column 1", "expected a value, found the end of the text"},
        {" \n ", "line 2, column 2", "found the end of the text"},
        {"{\"a\":1\n \"b\":2}", "line 2, column 2",
         "expected ',' or '}' after a member, found '\"'"},
        {"[1 2]", "line 1, column 4", "expected ',' or ']' after an element, found '2'"},
        {"[1,]", "line 1, column 4", "no comma may follow the last element"},
        {"{\"a\":1,}", "line 1, column 8", "no comma may follow the last member"},
        {"[,1]", "line 1, column 2", "expected a value, found ','"},
        {"{1:2}", "line 1, column 2", "expected a key in double quotes, found '1'"},
        {"{\"a\" 1}", "line 1, column 6", "expected ':' after a key, found '1'"},
        {"{\"a\":}", "line 1, column 6", "expected a value, found '}'"},
        {"[1", "line 1, column 3", "found the end of the text"},
        {"{\"a\":1", "line 1, column 7", "found the end of the text"},
        {"1 2", "line 1, column 3", "expected nothing after the value, found '2'"},
        {"{} x", "line 1, column 4", "expected nothing after the value, found 'x'"},
        {"tru", "line 1, column 1", "expected a value, found 't'"},
        {"nulll", "line 1, column 5", "expected nothing after the value"},
        {"{\n\"k\": {\"a\":1,\n  \"a\":2}}", "line 3, column 3", "the key \"a\" is there twice"},
        {"{'a':1}", "line 1, column 2", "strings take double quotes"},
        {"['a']", "line 1, column 2", "strings take double quotes"},
        {"[NaN]", "line 1, column 2", "NaN is not a number in JSON"},
        {"[nan]", "line 1, column 2", "NaN is not a number in JSON"},
        {"[Infinity]", "line 1, column 2", "Infinity is not a number in JSON"},
        {"[-Infinity]", "line 1, column 2", "Infinity is not a number in JSON"},
        {"[True]", "line 1, column 2", "true in small letters"},
        {"[None]", "line 1, column 2", "JSON writes null"},
        {"[1] // one", "line 1, column 5", "JSON has no comments"},
        {"/* a */ 1", "line 1, column 1", "JSON has no comments"},
        {"# a", "line 1, column 1", "JSON has no comments"},
        {"+1", "line 1, column 1", "a number has no plus sign"},
        {".5", "line 1, column 1", "a number begins with a digit"},
        {"-", "line 1, column 2", "expected a digit, found the end of the text"},
        {"-x", "line 1, column 2", "expected a digit, found 'x'"},
        {"01", "line 1, column 3", "a number may not begin with 0"},
        {"1.", "line 1, column 3", "a digit after the point"},
        {"1.e5", "line 1, column 3", "a digit after the point, found 'e'"},
        {"1e", "line 1, column 3", "a digit in the exponent"},
        {"1e+", "line 1, column 4", "a digit in the exponent"},
        {"0x10", "line 1, column 2", "expected nothing after the value, found 'x'"},
        {"[1e309]", "line 1, column 2", "the number 1e309 is outside the range of double"},
        {"\"a\nb\"", "line 1, column 3", "the line ends inside a string"},
        {"\"a\tb\"", "line 1, column 3", "control character U+0009"},
        {"\"abc", "line 1, column 5", "the text ends inside a string"},
        {"\"\\x\"", "line 1, column 3", "after a backslash, found 'x'"},
        {"\"\\u12G4\"", "line 1, column 6", "four hexadecimal digits after \\u, found 'G'"},
        {"\"\\udc00\"", "line 1, column 8", "\\uDC00 is the second half"},
        {"\"\\ud800\"", "line 1, column 8", "\\uD800 needs the second half"},
        {"\"\\ud800\\u0041\"", "line 1, column 14", "\\uD800\\u0041 is not a surrogate pair"},
        {"{\"a\\u0000\":1}", "line 1, column 2", "a key with U+0000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].text, cases[i].where, cases[i].message);
}

/* e with acute, the euro sign and a face are one column each. */
static void columns_count_characters_and_lines_may_end_in_crlf(void **state)
{
    (void)state;
    assert_refused("[1,\r\n\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\" x]", "line 2, column 7",
                   "found 'x'");
    assert_refused("\xEF\xBB\xBF x", "line 1, column 2", "found 'x'");
    assert_refused("[\xC3\xA9]", "line 1, column 2", "found '\xC3\xA9'");
}

static void bytes_that_are_not_utf8_are_refused(void **state)
{
    (void)state;
    assert_refused("\"\xC3\"", "line 1, column 2", "byte 0xC3 is not valid UTF-8");
    assert_refused("\"ab\x80\"", "line 1, column 4", "byte 0x80 is not valid UTF-8");
    assert_refused("\"\xED\xA0\x80\"", "line 1, column 2", "byte 0xED is not valid UTF-8");
    assert_refused("\xFF\xFE[", "line 1, column 1", "found byte 0xFF");
    assert_refused_bytes("[1,\0]", 5, "line 1, column 4", "found byte 0x00");
    assert_refused_bytes("\"\0\"", 3, "line 1, column 2", "control character U+0000");
}

static void a_text_that_is_cut_anywhere_is_refused(void **state)
{
    (void)state;
    const char *text = "{\"a\":[1.5e3,true,\"\\u00e9\\ud83d\\ude00\",null],\"b\":{}}";
    for (size_t size = 0; size < strlen(text); size++) {
        char copy[128]; /* exactly as long, so that a sanitizer sees a read beyond the end */
        char *exact = det_alloc(size);
        assert_non_null(exact);
        memcpy(exact, strcpy(copy, text), size);
        json_object *value = NULL;
        det_error error = {0};
        assert_int_equal(det_json_parse(exact, size, &value, &error), DET_FORMAT);
        assert_memory_equal(error.where, "line 1, column ", 15);
        det_free(exact);
    }
}

static void nesting_ends_at_64(void **state)
{
    (void)state;
    char text[2 * 65 + 1];
    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    text[128] = '\0';
    json_object_put(parse(text));

    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    text[130] = '\0';
    assert_refused(text, "line 1, column 65", "more than 64 deep");
    memset(text, '[', sizeof text);
    assert_refused_bytes(text, sizeof text, "line 1, column 65", "more than 64 deep");
}

static void siblings_do_not_count_as_depth(void **state)
{
    (void)state;
    det_error error = {0};
    enum { elements = 200, size = 3 * elements };
    char text[size + 2] = "[";
    for (size_t i = 0; i < elements; i++) memcpy(text + 1 + 3 * i, "[],", 3);
    text[size] = ']';
    json_object *value = NULL;
    test_assert_ok(det_json_parse(text, 3 * 200 + 1, &value, &error), &error);
    assert_int_equal(json_object_array_length(value), 200);
    json_object_put(value);
}

static void a_failure_without_an_error_record_is_a_failure(void **state)
{
    (void)state;
    json_object *value = NULL;
    assert_int_equal(det_json_parse("[", 1, &value, NULL), DET_FORMAT);
}

static void files_are_read_and_named_in_errors(void **state)
{
    (void)state;
    json_object *value = NULL;
    det_error error = {0};
    const char *path = test_path("a.json");
    test_write_file(path, "[1]", 3);
    test_assert_ok(det_json_read(path, &value, &error), &error);
    json_object_put(value);

    test_write_file(path, "[1", 2);
    test_assert_error(det_json_read(path, &value, &error), DET_FORMAT, &error, "end of the text");
    assert_string_equal(error.file, path);
    assert_string_equal(error.where, "line 1, column 3");

    path = test_path("none.json");
    test_assert_error(det_json_read(path, &value, &error), DET_IO, &error, "No such file");
    assert_string_equal(error.file, path);
}

/* ---- An element at a time ---- */

typedef struct seen {
    char text[256];
    size_t stop_at; /* the element at which the visitor fails */
} seen;

static det_status see(void *context, const char *key, size_t index, json_object *element,
                      det_error *error)
{
    seen *s = context;
    const size_t length = strlen(s->text);
    snprintf(s->text + length, sizeof s->text - length, "%s[%zu]=%s ", key, index,
             json_object_to_json_string_ext(element, JSON_C_TO_STRING_PLAIN));
    return index == s->stop_at ? det_fail(error, DET_FORMAT, "enough") : DET_OK;
}

static const char *const wanted[] = {"images", "annotations", NULL};

static det_status stream(const char *text, seen *s, det_error *error)
{
    return det_json_each(text, strlen(text), wanted, see, s, error);
}

static void elements_of_the_wanted_arrays_come_one_by_one(void **state)
{
    (void)state;
    seen s = {.stop_at = SIZE_MAX};
    det_error error = {0};
    test_assert_ok(stream("{\"info\":{\"images\":[9]},\"annotations\":[1,{\"a\":[2]}],"
                          "\"other\":[3],\"images\":[null,\"x\"], \"n\":1}",
                          &s, &error),
                   &error);
    assert_string_equal(
        s.text, "annotations[0]=1 annotations[1]={\"a\":[2]} images[0]=null images[1]=\"x\" ");
}

static void an_array_at_the_top_has_an_empty_key(void **state)
{
    (void)state;
    seen s = {.stop_at = SIZE_MAX};
    det_error error = {0};
    test_assert_ok(stream(" [1,[2]] ", &s, &error), &error);
    assert_string_equal(s.text, "[0]=1 [1]=[2] ");
}

static void streaming_is_as_strict_as_parsing(void **state)
{
    (void)state;
    static const struct {
        const char *text, *where, *message;
    } cases[] = {
        {"{\"images\":[1,]}", "line 1, column 14", "no comma may follow"},
        {"{\"images\":[],\n\"images\":[]}", "line 2, column 1", "\"images\" is there twice"},
        {"{\"x\":[{\"a\":1,\"a\":2}]}", "line 1, column 14", "\"a\" is there twice"},
        {"{\"images\":{}}", "line 1, column 11", "\"images\" must be an array"},
        {"{\"images\":[]} x", "line 1, column 15", "nothing after the value"},
        {"3", "line 1, column 1", "expected an object or an array, found '3'"},
        {"", "line 1, column 1", "found the end of the text"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        seen s = {.stop_at = SIZE_MAX};
        det_error error = {0};
        test_assert_error(stream(cases[i].text, &s, &error), DET_FORMAT, &error, cases[i].message);
        assert_string_equal(error.where, cases[i].where);
    }
}

static void members_that_nobody_wants_are_null(void **state)
{
    (void)state;
    static const char *const members[] = {"id", "bbox", NULL};
    const char *text = "{\"images\":[{\"outline\":[[1,2.5],{\"size\":[3],\"a\\u0041\":\"x\"}],"
                       "\"bbox\":[1,-2],\"f\":null,\"id\":7,\"g\":-1e3},5],\"n\":[{\"id\":true}]}";
    seen s = {.stop_at = SIZE_MAX};
    det_error error = {0};
    test_assert_ok(det_json_each_in(text, strlen(text), &(det_json_wanted){wanted, members, NULL},
                                    see, &s, &error),
                   &error);
    assert_string_equal(s.text, "images[0]={\"outline\":null,\"bbox\":[1,-2],\"f\":null,\"id\":7,"
                                "\"g\":null} images[1]=5 ");
}

typedef struct dropped_names {
    seen s; /* comes first: the context of `see` */
    char text[256];
} dropped_names;

static void hear(void *context, const char *array, const char *key)
{
    dropped_names *d = context;
    const size_t length = strlen(d->text);
    snprintf(d->text + length, sizeof d->text - length, "%s.%s ", array, key);
}

static void members_that_are_dropped_are_told_unless_they_are_empty(void **state)
{
    (void)state;
    static const char *const members[] = {"id", NULL};
    const char *text = "{\"info\":{\"year\":1},\"licenses\":[],\"images\":[{\"id\":1,\"url\":\"x\","
                       "\"a\":[],\"b\":null,\"c\":{},\"d\":\"\",\"e\":[[]]}],\"n\":[{\"id\":1}]}";
    dropped_names d = {.s = {.stop_at = SIZE_MAX}};
    det_error error = {0};
    test_assert_ok(det_json_each_in(text, strlen(text), &(det_json_wanted){wanted, members, hear},
                                    see, &d, &error),
                   &error);
    assert_string_equal(d.text, ".info images.url images.e .n ");
}

/* Whatever a parser refuses is refused where it is passed over, too, with the same words. */
static void what_is_passed_over_is_checked_as_strictly(void **state)
{
    (void)state;
    static const char *const values[] = {
        "[1,]",  "[01]",     "1e999", "{\"a\":1,\"a\":2}", "\"\\x\"",     "\"\xff\"", "NaN", "-inf",
        "[1 2]", "{\"a\":}", "-",     "{'a':1}",           "\"\\ud800\"", "[true,f",  "+1",  "1.",
        "nul",   "[[[1]]",
    };
    static const char *const none[] = {NULL};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[64];
        det_error parsed = {0}, passed = {0};
        json_object *value = NULL;
        seen s = {.stop_at = SIZE_MAX};
        snprintf(text, sizeof text, "{\"images\":[{\"x\":%s}]}", values[i]);
        assert_int_equal(det_json_parse(text, strlen(text), &value, &parsed), DET_FORMAT);
        assert_int_equal(det_json_each_in(text, strlen(text),
                                          &(det_json_wanted){wanted, none, NULL}, see, &s, &passed),
                         DET_FORMAT);
        assert_string_equal(passed.where, parsed.where);
        assert_string_equal(passed.message, parsed.message);
    }
    /* 400 digits */
    char text[512] = "{\"images\":[{\"x\":1";
    memset(text + strlen(text), '0', 400);
    memcpy(text + strlen(text), "}]}", 4);
    seen s = {.stop_at = SIZE_MAX};
    det_error error = {0};
    test_assert_error(det_json_each_in(text, strlen(text), &(det_json_wanted){wanted, none, NULL},
                                       see, &s, &error),
                      DET_FORMAT, &error, "outside the range of double");
}

static void a_visitor_that_fails_ends_the_reading_at_its_element(void **state)
{
    (void)state;
    seen s = {.stop_at = 1};
    det_error error = {0};
    test_assert_error(stream("{\"images\":[1,2,3]}", &s, &error), DET_FORMAT, &error, "enough");
    assert_string_equal(error.where, "images[1]");
    assert_string_equal(s.text, "images[0]=1 images[1]=2 ");
}

static void a_file_streams_like_a_text(void **state)
{
    (void)state;
    seen s = {.stop_at = SIZE_MAX};
    det_error error = {0};
    const char *path = test_path("b.json");
    test_write_file(path, "{\"images\":[7]}", 14);
    test_assert_ok(det_json_each_in_file(path, &(det_json_wanted){.keys = wanted}, see, &s, &error),
                   &error);
    assert_string_equal(s.text, "images[0]=7 ");

    test_write_file(path, "", 0);
    test_assert_error(
        det_json_each_in_file(path, &(det_json_wanted){.keys = wanted}, see, &s, &error),
        DET_FORMAT, &error, "empty");
    assert_string_equal(error.file, path);
}

#ifdef DET_FAULT_INJECTION
static void every_allocation_may_fail(void **state)
{
    (void)state;
    const char *text = "{\"images\":[\"a string\",1.5],\"k\":{}}";
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        json_object *value = NULL;
        det_error error = {0};
        det_memory_fail_at(nth);
        const det_status status = det_json_parse(text, strlen(text), &value, &error);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        assert_int_equal(value == NULL, failed);
        json_object_put(value);
        assert_true(nth < 100);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_value_is_read),
        cmocka_unit_test(numbers_keep_their_value),
        cmocka_unit_test(integers_are_exact_up_to_64_bits_and_doubles_beyond),
        cmocka_unit_test(numbers_are_read_with_a_point_in_any_locale),
        cmocka_unit_test(escapes_are_decoded),
        cmocka_unit_test(every_utf8_length_passes_through),
        cmocka_unit_test(mistakes_are_named_with_line_and_column),
        cmocka_unit_test(columns_count_characters_and_lines_may_end_in_crlf),
        cmocka_unit_test(bytes_that_are_not_utf8_are_refused),
        cmocka_unit_test(a_text_that_is_cut_anywhere_is_refused),
        cmocka_unit_test(nesting_ends_at_64),
        cmocka_unit_test(siblings_do_not_count_as_depth),
        cmocka_unit_test(a_failure_without_an_error_record_is_a_failure),
        cmocka_unit_test(files_are_read_and_named_in_errors),
        cmocka_unit_test(elements_of_the_wanted_arrays_come_one_by_one),
        cmocka_unit_test(an_array_at_the_top_has_an_empty_key),
        cmocka_unit_test(streaming_is_as_strict_as_parsing),
        cmocka_unit_test(members_that_nobody_wants_are_null),
        cmocka_unit_test(members_that_are_dropped_are_told_unless_they_are_empty),
        cmocka_unit_test(what_is_passed_over_is_checked_as_strictly),
        cmocka_unit_test(a_visitor_that_fails_ends_the_reading_at_its_element),
        cmocka_unit_test(a_file_streams_like_a_text),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(every_allocation_may_fail),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
