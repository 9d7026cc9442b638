/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/report/crop.h"

#include "src/image/encode.h"
#include "src/image/resize.h"

#include <math.h>

enum { least_margin = 12, jpeg_quality = 82 };

/* The rectangle around boxes, or around those parts of them that lie in the picture. */
static bool unite(const det_image *image, const double (*boxes)[4], size_t count, double around[4])
{
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        const double *b = boxes[i];
        const double cut[4] = {fmax(b[0], 0), fmax(b[1], 0), fmin(b[2], image->width),
                               fmin(b[3], image->height)};
        if (!(cut[0] < cut[2] && cut[1] < cut[3])) continue;
        for (int k = 0; k < 4; k++)
            around[k] = !any ? cut[k] : k < 2 ? fmin(around[k], cut[k]) : fmax(around[k], cut[k]);
        any = true;
    }
    return any;
}

/* Widens [low, high] to at least `size` about its middle, moved so that it lies in [0, limit]. */
static void widen(double *low, double *high, double size, double limit)
{
    const double length = fmin(fmax(*high - *low, size), limit);
    const double middle = (*low + *high) / 2;
    *low = fmax(0, fmin(middle - length / 2, limit - length));
    *high = *low + length;
}

static void choose_shown(det_report_crop *crop)
{
    const double scale = fmin(DET_REPORT_CROP_WIDTH / (double)crop->width,
                              DET_REPORT_CROP_HEIGHT / (double)crop->height);
    crop->shown_width = (int)fmax(1, round(crop->width * scale));
    crop->shown_height = (int)fmax(1, round(crop->height * scale));
}

bool det_report_crop_choose(const det_image *image, const double (*boxes)[4], size_t count,
                            det_report_crop *crop)
{
    double a[4];
    if (!unite(image, boxes, count, a)) return false;
    const double margin = fmax(least_margin, fmax(a[2] - a[0], a[3] - a[1]) / 3);
    const double width = a[2] - a[0] + 2 * margin, height = a[3] - a[1] + 2 * margin;
    widen(&a[0], &a[2], fmax(width, height * DET_REPORT_CROP_WIDTH / DET_REPORT_CROP_HEIGHT),
          image->width);
    widen(&a[1], &a[3], fmax(height, width * DET_REPORT_CROP_HEIGHT / DET_REPORT_CROP_WIDTH),
          image->height);
    crop->x = (int)floor(a[0]);
    crop->y = (int)floor(a[1]);
    crop->width = (int)fmin(ceil(a[2]), image->width) - crop->x;
    crop->height = (int)fmin(ceil(a[3]), image->height) - crop->y;
    choose_shown(crop);
    return true;
}

det_status det_report_crop_encode(const det_image *image, const det_report_crop *crop,
                                  det_text *jpeg, det_error *error)
{
    const det_image view = {crop->width, crop->height, image->stride,
                            image->pixels + (size_t)crop->y * image->stride + 3 * (size_t)crop->x};
    if (crop->width <= crop->shown_width)
        return det_image_encode_jpeg(&view, jpeg_quality, jpeg, error);
    det_image smaller = {0};
    det_status status =
        det_image_resize(&view, crop->shown_width, crop->shown_height, &smaller, error);
    if (status == DET_OK) status = det_image_encode_jpeg(&smaller, jpeg_quality, jpeg, error);
    det_image_free(&smaller);
    return status;
}

void det_report_crop_place(const det_report_crop *crop, const double box[4], double place[4])
{
    place[0] = (box[0] - crop->x) / crop->width;
    place[1] = (box[1] - crop->y) / crop->height;
    place[2] = (box[2] - box[0]) / crop->width;
    place[3] = (box[3] - box[1]) / crop->height;
}
