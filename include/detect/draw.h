/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DRAW_H
#define DETECT_DRAW_H

#include "detect/proposals.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A box to draw. */
typedef struct det_drawn_box {
    det_box box;       /**< pixels of the picture */
    const char *label; /**< UTF-8, borrowed; NULL draws no label */
    uint32_t color;    /**< 0xRRGGBB */
} det_drawn_box;

/** A colour for a class (or any other index): neighbouring indices look apart, and white or black
 *  text can be read on each. @return 0xRRGGBB. */
DET_API uint32_t det_draw_color(size_t index);

/** Draws boxes with their labels onto a picture, the first on top. Line width and letters grow with
 *  the picture; a label stays inside it. Boxes partly outside are clipped, empty ones left out.
 *  @return DET_OK, DET_ARGUMENT (an empty picture), DET_MEMORY.
 *  Thread-safe for different pictures. */
DET_API det_status det_draw_boxes(det_image *image, const det_drawn_box *boxes, size_t count,
                                  det_error *error);

/** Draws the segments of a picture: each in the mean colour of its pixels, with a darker line
 *  along every border of two (a lighter one where they are nearly black).
 *  @param segmentation of any size; it is stretched over the picture.
 *  @param drawn        receives a picture of the size of `image`; det_image_free it.
 *  @return DET_OK, DET_ARGUMENT (an empty picture, a label outside 0 to count - 1), DET_MEMORY.
 *  Thread-safe. */
DET_API det_status det_draw_segments(const det_image *image, const det_segmentation *segmentation,
                                     det_image *drawn, det_error *error);

#ifdef __cplusplus
}
#endif
#endif
