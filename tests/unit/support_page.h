/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TESTS_SUPPORT_PAGE_H
#define DETECT_TESTS_SUPPORT_PAGE_H

#include <stddef.h>

/** The page index.html in a folder, terminated; det_free it. */
char *test_page_in(const char *folder);
/** Fails the test unless the page has a text; unless it does not. */
void test_assert_says(const char *page, const char *text);
void test_assert_silent(const char *page, const char *text);
/** How often the page has a text. */
size_t test_count_text(const char *page, const char *text);
/** Fails the test unless every src and href is data or a place in the page, and the policy forbids
 *  all else. */
void test_assert_page_needs_no_file(const char *page);

#endif
