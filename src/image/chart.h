/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_IMAGE_CHART_H
#define DETECT_IMAGE_CHART_H

#include "detect/draw.h"
#include "src/base/text.h"

/** Appends a chart as an SVG document; see det_chart_write.
 *  @return DET_OK, DET_ARGUMENT (an axis without a range, a side), DET_MEMORY, DET_INTERNAL. */
det_status det_chart_svg(const det_chart *chart, det_text *svg, det_error *error);

#endif
