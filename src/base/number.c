/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/number.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>
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

const char *det_exact_text(char text[DET_NUMBER_SIZE], double value)
{
    double read = 0;
    for (int digits = 15; digits < 17; digits++) {
        det_number_text(text, value, digits);
        if (!isfinite(value)) return text;
        if (det_number_scan(text, strlen(text), &read) > 0 && read == value) return text;
    }
    return det_number_text(text, value, 17);
}

const char *det_fixed_text(char text[DET_NUMBER_SIZE], double value, int places)
{
    if (!isfinite(value)) return strcpy(text, "null");
    snprintf(text, DET_NUMBER_SIZE, "%.*f", places, value);
    use_point(text);
    return text;
}

const char *det_coordinate_text(char text[DET_NUMBER_SIZE], double value)
{
    det_fixed_text(text, value, 2);
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

/* A decimal number in parts: mantissa * 10^exponent. */
typedef struct decimal {
    uint64_t mantissa;
    size_t digits; /* of the mantissa, zeros in front not counted */
    int exponent;
} decimal;

/* Adds the digits at hand. @return how many there are. */
static size_t scan_digits(const char *text, size_t size, decimal *d)
{
    size_t length = 0;
    for (; length < size && text[length] >= '0' && text[length] <= '9'; length++) {
        d->mantissa = d->mantissa * 10 + (uint64_t)(text[length] - '0');
        d->digits += d->mantissa > 0;
    }
    return length;
}

/* e, an optional sign, digits. @return its length; 0 where it is none; *exponent is at most 9999.
 */
static size_t scan_exponent(const char *text, size_t size, int *exponent)
{
    size_t at = 1;
    const bool negative = size > at && text[at] == '-';
    if (size > at && (text[at] == '-' || text[at] == '+')) at++;
    const size_t begin = at;
    *exponent = 0;
    for (; at < size && text[at] >= '0' && text[at] <= '9'; at++)
        if (*exponent < 1000) *exponent = *exponent * 10 + (text[at] - '0');
    if (negative) *exponent = -*exponent;
    return at > begin ? at : 0;
}

/* The length of a number without its sign; 0 where there is none. */
static size_t scan_decimal(const char *text, size_t size, decimal *d)
{
    const size_t whole = scan_digits(text, size, d);
    size_t at = whole;
    if (whole == 0 || (whole > 1 && text[0] == '0')) return 0;
    if (at < size && text[at] == '.') {
        const size_t places = scan_digits(text + at + 1, size - at - 1, d);
        if (places == 0) return 0;
        at += 1 + places;
        d->exponent = places < 9999 ? -(int)places : -9999;
    }
    if (at < size && (text[at] == 'e' || text[at] == 'E')) {
        int exponent = 0;
        const size_t length = scan_exponent(text + at, size - at, &exponent);
        if (length == 0) return 0;
        at += length;
        d->exponent += exponent;
    }
    return at;
}

/* Mantissa and power of ten are exact in double, so one rounding makes it correct (Clinger 1990).
 */
static bool convert_exactly(const decimal *d, double *value)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const int most = sizeof powers / sizeof *powers - 1;
    if (FLT_EVAL_METHOD != 0 || d->digits > 19 || d->mantissa > UINT64_C(1) << DBL_MANT_DIG)
        return false;
    if (d->exponent < -most || d->exponent > most) return false;
    *value = d->exponent < 0 ? (double)d->mantissa / powers[-d->exponent]
                             : (double)d->mantissa * powers[d->exponent];
    return true;
}

size_t det_number_scan(const char *text, size_t size, double *value)
{
    decimal d = {0};
    const size_t sign = size > 0 && text[0] == '-';
    const size_t length = scan_decimal(text + sign, size - sign, &d);
    if (length == 0) return 0;
    if (convert_exactly(&d, value)) {
        if (sign) *value = -*value;
        return sign + length;
    }
    return det_number_parse(text, sign + length, value) ? sign + length : 0;
}
