/* SPDX-License-Identifier: Apache-2.0 */
#include "src/image/crop.h"

#include <math.h>

static double sample(const det_image *image, int x, int y, int c, const uint8_t *outside)
{
    if (x < 0 || y < 0 || x >= image->width || y >= image->height) return outside[c];
    return image->pixels[(size_t)y * image->stride + 3 * (size_t)x + (size_t)c];
}

det_status det_crop(const det_image *image, det_box box, const det_crop_options *options,
                    uint8_t *pixels)
{
    const int inner_width = options->width - 2 * options->context_px;
    const int inner_height = options->height - 2 * options->context_px;
    if (inner_width < 1 || inner_height < 1 || !(box.x1 > box.x0) || !(box.y1 > box.y0))
        return DET_ARGUMENT;
    const double step_x = ((double)box.x1 - box.x0) / inner_width;
    const double step_y = ((double)box.y1 - box.y0) / inner_height;
    for (int j = 0; j < options->height; j++)
        for (int i = 0; i < options->width; i++) {
            double x = box.x0 + (i + .5 - options->context_px) * step_x - .5;
            double y = box.y0 + (j + .5 - options->context_px) * step_y - .5;
            x = fmin(fmax(x, -1), image->width);
            y = fmin(fmax(y, -1), image->height);
            const int x0 = (int)floor(x), y0 = (int)floor(y);
            const double fx = x - x0, fy = y - y0;
            for (int c = 0; c < 3; c++) {
                const double top = (1 - fx) * sample(image, x0, y0, c, options->outside) +
                                   fx * sample(image, x0 + 1, y0, c, options->outside);
                const double low = (1 - fx) * sample(image, x0, y0 + 1, c, options->outside) +
                                   fx * sample(image, x0 + 1, y0 + 1, c, options->outside);
                *pixels++ = (uint8_t)((1 - fy) * top + fy * low + .5);
            }
        }
    return DET_OK;
}
