/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_BASE_HTML_H
#define DETECT_BASE_HTML_H

#include "src/base/text.h"

/* HTML being written into a text. Markup of our own is appended as it is (det_text_add); whatever
 * comes from outside goes through these functions. */

/** Appends a text so that it says the same between tags and in an attribute in quotes of either
 *  kind: & < > " ' are escaped. What is not UTF-8, and control characters but tabs and line ends,
 *  become U+FFFD. */
void det_html_text(det_text *html, const char *text);

/** Appends <tag>text</tag>. The tag may have attributes, which are appended as they are: "td
 *  class=name". */
void det_html_element(det_text *html, const char *tag, const char *text);

/** Appends bytes as a data: URI (RFC 2397, base64 of RFC 4648), so that a page needs no file beside
 *  it.
 *  @param type "image/jpeg". */
void det_html_data(det_text *html, const char *type, const void *bytes, size_t size);

#endif
