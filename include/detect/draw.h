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

/** A line of a chart: points joined in their order. Everything is borrowed. */
typedef struct det_chart_line {
    const char *name;    /**< in the legend, UTF-8; NULL: not there */
    const double *x, *y; /**< count points; one that is not finite, or not above 0 on a logarithmic
                              axis, breaks the line */
    size_t count;
    int color;    /**< not negative: which of 7 colours that colour-blind people can tell apart,
                       modulo 7: blue, orange-red, green, pink, orange, light blue, black */
    bool dashed;  /**< and its markers hollow */
    bool markers; /**< marks the points, each colour in another shape */
} det_chart_line;

typedef struct det_chart_axis {
    const char *label;       /**< UTF-8, or NULL */
    double minimum, maximum; /**< finite, ascending; above 0 on a logarithmic axis */
    bool logarithmic;
} det_chart_axis;

/** A chart of lines. */
typedef struct det_chart {
    const char *title; /**< UTF-8, or NULL */
    det_chart_axis x, y;
    const det_chart_line *lines; /**< line_count of them, the first on top */
    size_t line_count;
    int width, height; /**< pixels of SVG, 200 to 4000; 0: 600 and 380 */
} det_chart;

/** Writes a chart as SVG or PNG (three times as many pixels), by the ending of the name (any case),
 *  with a grid, and a legend right of the lines. Lines are cut at the axes. The texts of SVG are
 *  texts, shown in whatever sans-serif font there is. Written to a temporary name and renamed.
 *  @return DET_OK; DET_ARGUMENT (another ending, an axis without a range, a side); DET_IO;
 *          DET_MEMORY; DET_INTERNAL (cairo). Thread-safe. */
DET_API det_status det_chart_write(const det_chart *chart, const char *path, det_error *error);

#ifdef __cplusplus
}
#endif
#endif
