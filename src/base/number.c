/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The locale's decimal point, one or more bytes, becomes a point. */
static void use_point(char *text)
{
    char *foreign = text + strspn(text, "+-0123456789");
    const size_t length = strcspn(foreign, "+-0123456789e");
    if (length == 0) return;
    *foreign = '.';
    memmove(foreign + 1, foreign + length, strlen(foreign + length) + 1);
}

static void drop_trailing_zeros(char *text)
{
    if (!strchr(text, '.')) return;
    char *last = text + strlen(text) - 1;
    while (*last == '0') *last-- = '\0';
    if (*last == '.') *last = '\0';
}

const char *det_number_text(char text[DET_NUMBER_SIZE], double value, int digits)
{
    if (!isfinite(value)) return strcpy(text, "null");
    snprintf(text, DET_NUMBER_SIZE, "%.*g", digits, value);
    use_point(text);
    return text;
}

const char *det_coordinate_text(char text[DET_NUMBER_SIZE], double value)
{
    if (!isfinite(value)) return strcpy(text, "null");
    snprintf(text, DET_NUMBER_SIZE, "%.2f", value);
    use_point(text);
    drop_trailing_zeros(text);
    return strcmp(text, "-0") == 0 ? strcpy(text, "0") : text;
}

/* strtod takes more than a decimal number, but its every other form has a letter of its own. */
bool det_number_parse(const char *text, size_t size, double *value)
{
    enum { max_size = 100 };
    char copy[max_size + 1], *end = copy;
    if (size == 0 || size > max_size) return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    if (strspn(copy, "+-.0123456789eE") != size) return false;

    const locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!locale) return false;
    *value = strtod_l(copy, &end, locale);
    freelocale(locale);
    return end == copy + size && isfinite(*value);
}
