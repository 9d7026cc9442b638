/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/text.h"

#include "src/base/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool reserve(det_text *text, size_t count)
{
    if (text->failed) return false;
    const size_t needed = text->length + count + 1;
    if (needed <= count || !det_grow_array(&text->data, &text->capacity, needed, 1))
        text->failed = true;
    return !text->failed;
}

void det_text_append(det_text *text, const char *bytes, size_t count)
{
    if (!reserve(text, count)) return;
    if (count > 0) memcpy(text->data + text->length, bytes, count);
    text->length += count;
    text->data[text->length] = '\0';
}

void det_text_add(det_text *text, const char *string)
{
    det_text_append(text, string, strlen(string));
}

void det_text_format(det_text *text, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, arguments);
    if (length >= 0 && reserve(text, (size_t)length)) {
        vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
    va_end(arguments);
}

void det_text_free(det_text *text)
{
    if (!text) return;
    det_free(text->data);
    *text = (det_text){0};
}

static int fold(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

char *det_text_join(const char *first, const char *second)
{
    const size_t length = strlen(first), rest = strlen(second) + 1;
    char *text = det_alloc(length + rest);
    if (!text) return NULL;
    memcpy(text, first, length);
    memcpy(text + length, second, rest);
    return text;
}

bool det_text_equal_fold(const char *a, const char *b)
{
    while (*a && fold(*a) == fold(*b)) a++, b++;
    return fold(*a) == fold(*b);
}

bool det_text_ends_fold(const char *string, const char *suffix)
{
    const size_t length = strlen(string), end = strlen(suffix);
    return length >= end && det_text_equal_fold(string + length - end, suffix);
}

/* costs[j] is the distance of the part of a that has been read and the first j bytes of b. */
size_t det_text_distance(const char *a, const char *b)
{
    size_t costs[256];
    const size_t length = strlen(b);
    if (length >= sizeof costs / sizeof *costs) return SIZE_MAX;
    for (size_t j = 0; j <= length; j++) costs[j] = j;

    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = costs[0];
        costs[0] = i;
        for (size_t j = 1; j <= length; j++) {
            const size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = costs[j];
            const size_t other = (costs[j] < costs[j - 1] ? costs[j] : costs[j - 1]) + 1;
            costs[j] = replaced < other ? replaced : other;
        }
    }
    return costs[length];
}

size_t det_utf8_length(const char *bytes, size_t available)
{
    const unsigned char *b = (const unsigned char *)bytes;
    if (available == 0) return 0;
    if (b[0] < 0x80) return 1;

    const size_t length = b[0] >= 0xF0 ? 4 : b[0] >= 0xE0 ? 3 : 2;
    if (b[0] < 0xC2 || b[0] > 0xF4 || available < length) return 0;
    for (size_t i = 1; i < length; i++)
        if ((b[i] & 0xC0) != 0x80) return 0;
    if (b[0] == 0xE0 && b[1] < 0xA0) return 0; /* overlong */
    if (b[0] == 0xED && b[1] > 0x9F) return 0; /* surrogate */
    if (b[0] == 0xF0 && b[1] < 0x90) return 0; /* overlong */
    if (b[0] == 0xF4 && b[1] > 0x8F) return 0; /* above U+10FFFF */
    return length;
}
