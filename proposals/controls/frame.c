/* SPDX-License-Identifier: Apache-2.0 */
/* What the controls share: options, and boxes of the working picture as regions. */
#include "proposals/controls/frame.h"

#include "proposals/regions.h"
#include "src/base/error.h"

det_status det_frame_create(const det_image *image, const det_control_options *options,
                            det_frame *frame, det_error *error)
{
    static const det_control_options defaults;
    if (!options) options = &defaults;
    if (image->width < 1 || image->height < 1)
        return det_fail(error, DET_ARGUMENT, "an empty picture has no regions");
    double width, height;
    det_working_size(image, options->width_px == 0 ? 500 : options->width_px, &width, &height);
    const int min_side = options->min_side_px == 0 ? 20 : options->min_side_px;
    *frame = (det_frame){.width = (int)width,
                         .height = (int)height,
                         .scale_x = image->width / width,
                         .scale_y = image->height / height,
                         .min_side = min_side < 1 ? 1 : min_side,
                         .max = options->max == 0 ? 1000 : options->max,
                         .seed = options->seed};
    return DET_OK;
}

det_box det_frame_box(const det_frame *frame, int x0, int y0, int x1, int y1)
{
    const double sx = frame->scale_x, sy = frame->scale_y;
    return (det_box){(float)(x0 * sx), (float)(y0 * sy), (float)(x1 * sx), (float)(y1 * sy)};
}

void det_frame_score(det_region *regions, size_t count, det_source source)
{
    for (size_t i = 0; i < count; i++) {
        regions[i].score = (float)(1 / (1 + (double)i));
        regions[i].source = source;
        regions[i].hierarchy = 0;
    }
}
