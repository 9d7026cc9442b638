/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_PROPOSALS_COLOR_H
#define DETECT_PROPOSALS_COLOR_H

#include "detect/proposals.h"
#include "src/base/arena.h"

/** A picture in one colour space: 8-bit planes of width x height values, without padding, one
 *  after the other. Where the paper repeats one channel three times (I, H), it is here once, and
 *  `repeat` says how often it counts in a distance. */
typedef struct det_planes {
    int width, height;
    int channels; /**< 1 to 3 */
    int repeat;   /**< 3 for a single channel, else 1 */
    uint8_t *values;
} det_planes;

/** The paper's name of a colour space, in lower case: "hsv", "lab", "rgb", "i", "rgi", "nrgb", "c",
 *  "h"; NULL for anything but one of DET_COLOR_*. */
const char *det_color_name(unsigned space);

/** Converts a picture.
 *  @param space  one of DET_COLOR_*.
 *  @param arena  the planes are taken from it.
 *  @param planes receives them.
 *  @return DET_OK, DET_ARGUMENT (no such space), DET_MEMORY. Thread-safe. */
det_status det_color_convert(const det_image *image, unsigned space, det_arena *arena,
                             det_planes *planes, det_error *error);

#endif
