/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/support_page.h"

#include "src/base/file.h"
#include "src/base/memory.h"
#include "tests/unit/support.h"

#include <stdio.h>
#include <string.h>

char *test_page_in(const char *folder)
{
    det_bytes bytes = {0};
    det_error error = {0};
    char path[4200];
    snprintf(path, sizeof path, "%s/index.html", folder);
    test_assert_ok(det_file_read(path, 1 << 26, &bytes, &error), &error);
    char *text = det_alloc(bytes.size + 1);
    assert_non_null(text);
    memcpy(text, bytes.data, bytes.size);
    text[bytes.size] = '\0';
    det_bytes_free(&bytes);
    return text;
}

void test_assert_says(const char *page, const char *text)
{
    if (!strstr(page, text)) fail_msg("the page does not say \"%s\"", text);
}

void test_assert_silent(const char *page, const char *text)
{
    if (strstr(page, text)) fail_msg("the page says \"%s\"", text);
}

size_t test_count_text(const char *page, const char *text)
{
    size_t count = 0;
    for (const char *at = page; (at = strstr(at, text)); at++) count++;
    return count;
}

void test_assert_page_needs_no_file(const char *page)
{
    test_assert_says(page,
                     "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\"");
    assert_int_equal(test_count_text(page, "src=\"data:"), test_count_text(page, "src="));
    assert_int_equal(test_count_text(page, "href=\"data:,\"") + test_count_text(page, "href=\"#"),
                     test_count_text(page, "href="));
    test_assert_silent(page, "<script");
    test_assert_silent(page, "@import");
    test_assert_silent(page, "url(");
    test_assert_silent(page, "http:");
    test_assert_silent(page, "https:");
}
