/* SPDX-License-Identifier: Apache-2.0 */
/* Boxes moved by four numbers, and the numbers that move them. Computed in double: a float box of
 * a picture 16,384 pixels wide keeps its last bit. */
#include "src/detector/box_deltas.h"

#include <math.h>

typedef struct {
    double x, y, width, height; /* x, y: of the middle */
} middle_box;

static middle_box middle_of(det_box box)
{
    return (middle_box){((double)box.x0 + (double)box.x1) / 2,
                        ((double)box.y0 + (double)box.y1) / 2, (double)box.x1 - (double)box.x0,
                        (double)box.y1 - (double)box.y0};
}

void det_box_deltas_encode(det_box region, det_box object, float deltas[DET_BOX_DELTAS])
{
    const middle_box p = middle_of(region), g = middle_of(object);
    deltas[0] = (float)((g.x - p.x) / p.width);
    deltas[1] = (float)((g.y - p.y) / p.height);
    deltas[2] = (float)log(g.width / p.width);
    deltas[3] = (float)log(g.height / p.height);
}

/* NaN stays NaN. */
static double scale_of(float log_scale)
{
    const double value = (double)log_scale;
    if (value > DET_LOG_SCALE_MAX) return exp(DET_LOG_SCALE_MAX);
    return exp(value < -DET_LOG_SCALE_MAX ? -DET_LOG_SCALE_MAX : value);
}

det_box det_box_deltas_decode(det_box region, const float deltas[DET_BOX_DELTAS])
{
    const middle_box p = middle_of(region);
    const double x = p.x + p.width * (double)deltas[0], y = p.y + p.height * (double)deltas[1];
    const double half_width = p.width * scale_of(deltas[2]) / 2,
                 half_height = p.height * scale_of(deltas[3]) / 2;
    return (det_box){(float)(x - half_width), (float)(y - half_height), (float)(x + half_width),
                     (float)(y + half_height)};
}

/* NaN stays NaN. */
static float clamp(float value, float most)
{
    return value < 0 ? 0 : value > most ? most : value;
}

det_box det_box_clip(det_box box, int width, int height)
{
    const float right = (float)width, bottom = (float)height;
    return (det_box){clamp(box.x0, right), clamp(box.y0, bottom), clamp(box.x1, right),
                     clamp(box.y1, bottom)};
}

bool det_box_is_sound(det_box box)
{
    return isfinite(box.x0) && isfinite(box.y0) && isfinite(box.x1) && isfinite(box.y1) &&
           box.x1 > box.x0 && box.y1 > box.y0;
}
