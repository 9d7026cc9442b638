/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/html.h"

#include <stdint.h>
#include <string.h>

/* What stands for a character; NULL where it is itself. */
static const char *escape_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\t':
    case '\n':
    case '\r':
        return NULL;
    default:
        return (c >= 0 && c < ' ') || c == 0x7F ? "\xEF\xBF\xBD" : NULL;
    }
}

void det_html_text(det_text *html, const char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        size_t length = det_utf8_length(text, left);
        const char *escape = length == 0 ? "\xEF\xBF\xBD" : escape_of(*text);
        if (length == 0) length = 1;
        if (escape)
            det_text_add(html, escape);
        else
            det_text_append(html, text, length);
        text += length;
        left -= length;
    }
}

void det_html_element(det_text *html, const char *tag, const char *text)
{
    det_text_format(html, "<%s>", tag);
    det_html_text(html, text);
    det_text_format(html, "</%.*s>", (int)strcspn(tag, " "), tag);
}

void det_html_data(det_text *html, const char *type, const void *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *at = bytes;
    det_text_format(html, "data:%s;base64,", type);
    for (size_t left = size; left > 0;) {
        const size_t count = left < 3 ? left : 3;
        uint32_t bits = (uint32_t)at[0] << 16;
        if (count > 1) bits |= (uint32_t)at[1] << 8;
        if (count > 2) bits |= at[2];
        const char group[] = {digits[bits >> 18], digits[bits >> 12 & 63],
                              count > 1 ? digits[bits >> 6 & 63] : '=',
                              count > 2 ? digits[bits & 63] : '='};
        det_text_append(html, group, sizeof group);
        at += count;
        left -= count;
    }
}
