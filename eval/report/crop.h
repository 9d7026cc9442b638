/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_EVAL_REPORT_CROP_H
#define DETECT_EVAL_REPORT_CROP_H

#include "detect/image.h"
#include "src/base/text.h"

/** The most pixels of the page that a part has: 4 : 3. */
enum { DET_REPORT_CROP_WIDTH = 360, DET_REPORT_CROP_HEIGHT = 270 };

/** A part of a picture to be shown. */
typedef struct det_report_crop {
    int x, y, width, height;       /**< pixels of the picture */
    int shown_width, shown_height; /**< pixels of the page */
} det_report_crop;

/** Chooses the part that shows boxes with some of what is around them: a third of their longer side
 *  and at least 12 pixels, cut at the edges of the picture, and as wide as 4:3 where the picture
 *  allows.
 *  @param boxes count corners x0, y0, x1, y1; pixels, half-open; finite.
 *  @return false where none of them lies in the picture. */
bool det_report_crop_choose(const det_image *image, const double (*boxes)[4], size_t count,
                            det_report_crop *crop);

/** Appends the part as a JPEG file, made smaller where it has more pixels than are shown.
 *  @return DET_OK, DET_MEMORY. */
det_status det_report_crop_encode(const det_image *image, const det_report_crop *crop,
                                  det_text *jpeg, det_error *error);

/** Where a box lies in the part: left, top, width and height as shares of its sides. */
void det_report_crop_place(const det_report_crop *crop, const double box[4], double place[4]);

#endif
