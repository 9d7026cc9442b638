/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/span.h"

#include "src/base/memory.h"
#include "src/base/text.h"

#include <string.h>

/* As isspace in the C locale, whatever the locale of the process. */
static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static det_span skip(det_span span, size_t count)
{
    return (det_span){span.text + count, span.length - count};
}

det_span det_span_of(const char *text, size_t size)
{
    const bool marked = size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0;
    return skip((det_span){text, size}, marked ? 3 : 0);
}

det_span det_span_trim(det_span span)
{
    while (span.length > 0 && is_space(span.text[0])) span = skip(span, 1);
    while (span.length > 0 && is_space(span.text[span.length - 1])) span.length--;
    return span;
}

det_span det_span_cut(det_span *text, char separator)
{
    const char *end = text->length > 0 ? memchr(text->text, separator, text->length) : NULL;
    const size_t length = end ? (size_t)(end - text->text) : text->length;
    const det_span part = {text->text, length};
    *text = skip(*text, end ? length + 1 : length);
    return det_span_trim(part);
}

det_span det_span_word(det_span *text)
{
    size_t length = 0;
    while (length < text->length && !is_space(text->text[length])) length++;
    const det_span word = {text->text, length};
    *text = det_span_trim(skip(*text, length));
    return word;
}

bool det_span_equals(det_span span, const char *text)
{
    return span.length == strlen(text) &&
           (span.length == 0 || memcmp(span.text, text, span.length) == 0);
}

bool det_span_is_text(det_span span)
{
    for (size_t i = 0; i < span.length;) {
        const size_t length = det_utf8_length(span.text + i, span.length - i);
        if (length == 0 || span.text[i] == '\0') return false;
        i += length;
    }
    return true;
}

char *det_span_copy(det_span span)
{
    char *text = det_alloc(span.length + 1);
    if (!text) return NULL;
    if (span.length > 0) memcpy(text, span.text, span.length);
    text[span.length] = '\0';
    return text;
}
