/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "src/base/text.h"
#include "tests/unit/support.h"

#include <string.h>

static void a_text_grows_as_it_is_written(void **state)
{
    (void)state;
    det_text text = {0};
    for (int i = 0; i < 100; i++) det_text_format(&text, "%d,", i);
    det_text_add(&text, "end");
    det_text_append(&text, "\0x", 2);
    assert_false(text.failed);
    assert_int_equal(text.length, 10 * 2 + 90 * 3 + 3 + 2);
    assert_memory_equal(text.data + text.length - 6, ",end\0x", 6);
    assert_int_equal(text.data[text.length], 0);
    det_text_free(&text);
    assert_null(text.data);
    det_text_free(NULL);
}

#ifdef DET_FAULT_INJECTION
static void a_text_that_could_not_grow_says_so_at_the_end(void **state)
{
    (void)state;
    det_text text = {0};
    det_memory_fail_at(1);
    det_text_add(&text, "lost");
    det_memory_fail_at(0);
    det_text_add(&text, "also lost");
    assert_true(text.failed);
    assert_int_equal(text.length, 0);
    det_text_free(&text);
}
#endif

static void letters_compare_without_case_but_only_ascii_ones(void **state)
{
    (void)state;
    assert_true(det_text_equal_fold("Photo.JPG", "pHOTO.jpg"));
    assert_false(det_text_equal_fold("a", "ab"));
    assert_false(det_text_equal_fold("@", "`")); /* 32 apart, no letters */
    assert_false(det_text_equal_fold("\xc3\x84", "\xc3\xa4"));
    assert_true(det_text_ends_fold("a/b.JPeG", ".jpeg"));
    assert_false(det_text_ends_fold("jpeg", ".jpeg"));
}

static void utf8_is_checked_to_the_last_bit(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
    } cases[] = {
        {"a", 1},
        {"\x7f", 1},
        {"\xc2\x80", 2},
        {"\xdf\xbf", 2},
        {"\xe0\xa0\x80", 3},
        {"\xed\x9f\xbf", 3},
        {"\xee\x80\x80", 3},
        {"\xf0\x90\x80\x80", 4},
        {"\xf4\x8f\xbf\xbf", 4},
        {"\x80", 0},             /* a continuation alone */
        {"\xc0\x80", 0},         /* overlong */
        {"\xc1\xbf", 0},         /* overlong */
        {"\xe0\x9f\xbf", 0},     /* overlong */
        {"\xed\xa0\x80", 0},     /* a surrogate */
        {"\xf0\x8f\xbf\xbf", 0}, /* overlong */
        {"\xf4\x90\x80\x80", 0}, /* above U+10FFFF */
        {"\xf5\x80\x80\x80", 0},
        {"\xe2\x82", 0}, /* cut off */
        {"\xe2\x28\xa1", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(det_utf8_length(cases[i].bytes, strlen(cases[i].bytes)), cases[i].length);
    assert_int_equal(det_utf8_length("", 0), 0);
}

/* kitten, sitten, sittin, sitting. */
static void the_distance_counts_bytes_to_insert_delete_and_replace(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        size_t distance;
    } cases[] = {{"", "", 0},         {"abc", "abc", 0}, {"", "abc", 3},
                 {"abc", "", 3},      {"abc", "ac", 1},  {"ac", "abc", 1},
                 {"abc", "axc", 1},   {"iou", "iuo", 2}, {"kitten", "sitting", 3},
                 {"abcdef", "xyz", 6}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(det_text_distance(cases[i].a, cases[i].b), cases[i].distance);

    char text[257];
    memset(text, 'x', 256);
    text[256] = '\0';
    assert_true(det_text_distance("a", text) == SIZE_MAX);
    text[255] = '\0';
    assert_int_equal(det_text_distance("x", text), 254);
}

static void texts_are_joined(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"conv1", ".weight", "conv1.weight"}, {"", "a", "a"}, {"a", "", "a"}, {"", "", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = det_text_join(cases[i][0], cases[i][1]);
        assert_string_equal(text, cases[i][2]);
        det_free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_joined),
        cmocka_unit_test(a_text_grows_as_it_is_written),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(a_text_that_could_not_grow_says_so_at_the_end),
#endif
        cmocka_unit_test(letters_compare_without_case_but_only_ascii_ones),
        cmocka_unit_test(utf8_is_checked_to_the_last_bit),
        cmocka_unit_test(the_distance_counts_bytes_to_insert_delete_and_replace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
