/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_BASE_TEXT_H
#define DETECT_BASE_TEXT_H

#include "detect/export.h"

#include <stdbool.h>
#include <stddef.h>

/** A text that grows. {0} is empty; `data` is NULL or terminated. After an allocation failed,
 * `failed` is set and further appends do nothing, so that one check at the end suffices. */
typedef struct det_text {
    char *data;
    size_t length, capacity;
    bool failed;
} det_text;

void det_text_append(det_text *text, const char *bytes, size_t count);
void det_text_add(det_text *text, const char *string);
void det_text_format(det_text *text, const char *format, ...) DET_PRINTF(2, 3);
void det_text_free(det_text *text);

/** A text followed by another. NULL when memory is short; det_free it. */
char *det_text_join(const char *first, const char *second);

/** a and b are the same but for the case of ASCII letters. */
bool det_text_equal_fold(const char *a, const char *b);
/** `string` ends in `suffix`, ASCII letters compared without case. */
bool det_text_ends_fold(const char *string, const char *suffix);
/** How many bytes must be inserted, deleted or replaced to make b of a (Levenshtein distance);
 *  SIZE_MAX where b has more than 255 bytes. */
size_t det_text_distance(const char *a, const char *b);
/** Length of the UTF-8 sequence that begins at bytes[0], 1 to 4; 0 where it is not valid UTF-8
 *  (overlong, a surrogate, above U+10FFFF, or cut off by `available`). */
size_t det_utf8_length(const char *bytes, size_t available);

#endif
