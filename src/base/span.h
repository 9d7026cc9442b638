/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_BASE_SPAN_H
#define DETECT_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>

/** A part of a text, borrowed and not terminated. */
typedef struct det_span {
    const char *text;
    size_t length;
} det_span;

/** A whole text, without the byte order mark of UTF-8 where it begins with one. */
det_span det_span_of(const char *text, size_t size);
/** Without white space at both ends. */
det_span det_span_trim(det_span span);
/** Cuts the part before the next separator off the front of a text, the separator dropped: the
 *  lines of a text are cut at '\n'. @return that part, trimmed. */
det_span det_span_cut(det_span *text, char separator);
/** Cuts the part before the next white space off the front of a trimmed text, and what is left is
 *  trimmed again. */
det_span det_span_word(det_span *text);
bool det_span_equals(det_span span, const char *text);
/** Valid UTF-8 without U+0000. */
bool det_span_is_text(det_span span);
/** Terminated. NULL when memory is short; det_free it. */
char *det_span_copy(det_span span);

#endif
