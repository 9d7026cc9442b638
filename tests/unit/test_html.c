/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/html.h"
#include "tests/unit/support.h"

#include <string.h>

static void assert_escaped(const char *text, const char *expected)
{
    det_text html = {0};
    det_html_text(&html, text);
    det_text_add(&html, "");
    assert_string_equal(html.data, expected);
    det_text_free(&html);
}

static void text_cannot_become_markup(void **state)
{
    (void)state;
    assert_escaped("<script>alert('a' & \"b\")</script>",
                   "&lt;script&gt;alert(&#39;a&#39; &amp; &quot;b&quot;)&lt;/script&gt;");
    assert_escaped("&lt;", "&amp;lt;");
    assert_escaped("", "");
}

static void other_alphabets_stay_and_what_is_no_text_becomes_a_mark(void **state)
{
    (void)state;
    assert_escaped("\xC3\xA4 \xF0\x9F\x90\x88", "\xC3\xA4 \xF0\x9F\x90\x88");
    assert_escaped("a\xFF<", "a\xEF\xBF\xBD&lt;");
    assert_escaped("\xC3", "\xEF\xBF\xBD");
    assert_escaped("\x1B[1m\x7F\b", "\xEF\xBF\xBD[1m\xEF\xBF\xBD\xEF\xBF\xBD");
    assert_escaped("a\tb\nc", "a\tb\nc");
}

static void an_element_ends_with_its_own_name(void **state)
{
    (void)state;
    det_text html = {0};
    det_html_element(&html, "td", "1 < 2");
    det_html_element(&html, "th scope=\"col\"", "a");
    assert_string_equal(html.data, "<td>1 &lt; 2</td><th scope=\"col\">a</th>");
    det_text_free(&html);
}

/* RFC 4648, section 10. */
static void bytes_are_written_in_base64(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_text html = {0};
        det_html_data(&html, "text/plain", cases[i][0], strlen(cases[i][0]));
        assert_memory_equal(html.data, "data:text/plain;base64,", 23);
        assert_string_equal(html.data + 23, cases[i][1]);
        det_text_free(&html);
    }
    det_text html = {0};
    det_html_data(&html, "a/b", "\xFB\xFF\x00", 3);
    assert_string_equal(html.data, "data:a/b;base64,+/8A");
    det_text_free(&html);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_cannot_become_markup),
        cmocka_unit_test(other_alphabets_stay_and_what_is_no_text_becomes_a_mark),
        cmocka_unit_test(an_element_ends_with_its_own_name),
        cmocka_unit_test(bytes_are_written_in_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
