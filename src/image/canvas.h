/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_IMAGE_CANVAS_H
#define DETECT_IMAGE_CANVAS_H

#include "src/base/error.h"

#include <cairo.h>

/* What everything that is drawn with cairo shares. */

/** A copy of a text for pango: what is not UTF-8, and control characters, are U+FFFD, and what is
 *  beyond some 256 bytes is cut. NULL when memory is short; det_free it. */
char *det_canvas_text(const char *label);

/** @param color 0xRRGGBB. */
void det_canvas_set_color(cairo_t *cairo, uint32_t color);

/** DET_OK, DET_MEMORY or DET_INTERNAL with what cairo says. */
det_status det_canvas_check(cairo_status_t status, det_error *error);

#endif
