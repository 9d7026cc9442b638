/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_BASE_NUMBER_H
#define DETECT_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* Numbers as text, with a point whatever the locale of the process says. */

/** Room for any number that these functions write: 309 digits before the point of a double. */
enum { DET_NUMBER_SIZE = 336 };

/** %.Ng for `digits` significant digits; "null" for a number that is not finite. @return text. */
const char *det_number_text(char text[DET_NUMBER_SIZE], double value, int digits);

/** The fewest digits that read back as the same double, 17 at most; "null" for a number that is not
 *  finite. @return text. */
const char *det_exact_text(char text[DET_NUMBER_SIZE], double value);

/** %.Nf for `places` places; "null" for a number that is not finite. @return text. */
const char *det_fixed_text(char text[DET_NUMBER_SIZE], double value, int places);

/** %.2f without trailing zeros, never "-0"; "null" for a number that is not finite. @return text.
 */
const char *det_coordinate_text(char text[DET_NUMBER_SIZE], double value);

/** Reads a decimal number: an optional sign, digits with a point or without, an optional exponent.
 *  @param size   of the text, which must be the number and nothing else: neither spaces nor "nan",
 *                "inf" or hexadecimal digits.
 *  @param value  finite; correctly rounded.
 *  @return whether it is a number, of at most 100 characters. */
bool det_number_parse(const char *text, size_t size, double *value);

/** Reads the number of JSON (RFC 8259) at the beginning of a text, fast where it has few digits.
 *  @param value finite; correctly rounded.
 *  @return its length in bytes; 0 where there is none, or one that is not finite or has more than
 *          100 bytes. */
size_t det_number_scan(const char *text, size_t size, double *value);

#endif
