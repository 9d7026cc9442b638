/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_IMAGE_CHART_H
#define DETECT_IMAGE_CHART_H

#include "detect/draw.h"
#include "src/base/text.h"

/** Appends a chart as an SVG document; see det_chart_write.
 *  @return DET_OK, DET_ARGUMENT (an axis without a range, a side), DET_MEMORY, DET_INTERNAL. */
det_status det_chart_svg(const det_chart *chart, det_text *svg, det_error *error);

/** The same for several charts, one below the other, at the left edge of a picture that is as wide
 *  as the widest; `count` is above 0. All have the room of the widest legend, so that the axes of
 *  charts of one width lie below each other. Also DET_ARGUMENT: higher than 4000 pixels in all. */
det_status det_charts_svg(const det_chart *charts, size_t count, det_text *svg, det_error *error);
/** As det_chart_write. */
det_status det_charts_write(const det_chart *charts, size_t count, const char *path,
                            det_error *error);

#endif
