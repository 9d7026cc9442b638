/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/number.h"

#include <math.h>
#include <stdio.h>
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
