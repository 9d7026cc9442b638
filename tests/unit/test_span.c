/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "src/base/span.h"
#include "tests/unit/support.h"

#include <string.h>

static det_span of(const char *text)
{
    return det_span_of(text, strlen(text));
}

static void a_byte_order_mark_is_no_part_of_the_text(void **state)
{
    (void)state;
    assert_true(det_span_equals(of("\xEF\xBB\xBFx"), "x"));
    assert_true(det_span_equals(of("\xEF\xBB"), "\xEF\xBB"));
    assert_true(det_span_equals(det_span_of(NULL, 0), ""));
}

static void white_space_at_the_ends_is_trimmed(void **state)
{
    (void)state;
    assert_true(det_span_equals(det_span_trim(of(" \t\r\n a b\v\f")), "a b"));
    assert_true(det_span_equals(det_span_trim(of(" \n")), ""));
}

static void lines_are_cut_off_with_their_ends(void **state)
{
    (void)state;
    static const char *const lines[] = {"one", "", "two words"};
    det_span text = of("one\r\n\n two words ");
    for (size_t i = 0; i < 3; i++) {
        assert_true(text.length > 0);
        assert_true(det_span_equals(det_span_cut(&text, '\n'), lines[i]));
    }
    assert_int_equal(text.length, 0);
    assert_true(det_span_equals(det_span_cut(&text, '\n'), ""));
}

static void words_are_cut_off_with_what_follows_them(void **state)
{
    (void)state;
    det_span text = of("a\t bc  d");
    assert_true(det_span_equals(det_span_word(&text), "a"));
    assert_true(det_span_equals(det_span_word(&text), "bc"));
    assert_true(det_span_equals(det_span_word(&text), "d"));
    assert_int_equal(text.length, 0);
}

static void text_is_utf8_without_zero(void **state)
{
    (void)state;
    assert_true(det_span_is_text(of("B\xC3\xA4r")));
    assert_false(det_span_is_text(of("B\xE4r")));
    assert_false(det_span_is_text((det_span){"a\0b", 3}));
}

static void a_copy_is_terminated(void **state)
{
    (void)state;
    char *copy = det_span_copy((det_span){"abc", 2});
    assert_string_equal(copy, "ab");
    det_free(copy);
    copy = det_span_copy((det_span){NULL, 0});
    assert_string_equal(copy, "");
    det_free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_byte_order_mark_is_no_part_of_the_text),
        cmocka_unit_test(white_space_at_the_ends_is_trimmed),
        cmocka_unit_test(lines_are_cut_off_with_their_ends),
        cmocka_unit_test(words_are_cut_off_with_what_follows_them),
        cmocka_unit_test(text_is_utf8_without_zero),
        cmocka_unit_test(a_copy_is_terminated),
    };
    return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
