/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_BASE_NUMBER_H
#define DETECT_BASE_NUMBER_H

/* Numbers as text, with a point whatever the locale of the process says. */

/** Room for any number that these functions write: 309 digits before the point of a double. */
enum { DET_NUMBER_SIZE = 336 };

/** %.Ng for `digits` significant digits; "null" for a number that is not finite. @return text. */
const char *det_number_text(char text[DET_NUMBER_SIZE], double value, int digits);

/** %.2f without trailing zeros, never "-0"; "null" for a number that is not finite. @return text.
 */
const char *det_coordinate_text(char text[DET_NUMBER_SIZE], double value);

#endif
