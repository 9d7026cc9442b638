/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of colours as matrices. The hue turns about the axis (1, 1, 1), as a rotation by the
 * angle t does (Rodrigues): cos t I + (1 - cos t) / 3 J + sin t / sqrt(3) K, J all ones and K the
 * cross product with (1, 1, 1). It keeps B + G + R. */
#include "src/image/color_change.h"

#include <math.h>

static const double grey_of[3] = {.114, .587, .299}; /* B G R */

/* p becomes matrix * p + offset. */
typedef struct {
    double matrix[3][3], offset[3];
} affine;

static double dot(const double a[3], const double b[3])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static affine brightness(double factor)
{
    return (affine){{{factor, 0, 0}, {0, factor, 0}, {0, 0, factor}}, {0}};
}

static affine contrast(double factor, double mean_grey)
{
    affine change = brightness(factor);
    for (int c = 0; c < 3; c++) change.offset[c] = (1 - factor) * mean_grey;
    return change;
}

static affine saturation(double factor)
{
    affine change = brightness(factor);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) change.matrix[i][j] += (1 - factor) * grey_of[j];
    return change;
}

static affine hue(double turns)
{
    static const double cross[3][3] = {{0, 1, -1}, {-1, 0, 1}, {1, -1, 0}};
    const double angle = 2 * M_PI * turns, along = cos(angle), across = sin(angle) / sqrt(3);
    affine change = brightness(along);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) change.matrix[i][j] += (1 - along) / 3 + across * cross[i][j];
    return change;
}

static affine change_of(det_color_change kind, double amount, const double mean[3])
{
    switch (kind) {
    case DET_CHANGE_BRIGHTNESS:
        return brightness(amount);
    case DET_CHANGE_CONTRAST:
        return contrast(amount, dot(grey_of, mean));
    case DET_CHANGE_SATURATION:
        return saturation(amount);
    case DET_CHANGE_HUE:
        return hue(amount);
    default:
        return brightness(1);
    }
}

static void apply(const affine *change, const double p[3], double out[3])
{
    for (int i = 0; i < 3; i++) out[i] = dot(change->matrix[i], p) + change->offset[i];
}

/* first, then second. */
static affine compose(const affine *first, const affine *second)
{
    affine both;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            const double column[3] = {first->matrix[0][j], first->matrix[1][j],
                                      first->matrix[2][j]};
            both.matrix[i][j] = dot(second->matrix[i], column);
        }
    apply(second, first->offset, both.offset);
    return both;
}

det_color_map det_color_map_of(const det_color_changes *changes, const double mean[3])
{
    affine all = brightness(1);
    for (int k = 0; k < DET_COLOR_CHANGES; k++) {
        double mean_now[3];
        apply(&all, mean, mean_now);
        const det_color_change kind = changes->order[k];
        const affine change = change_of(kind, changes->amounts[kind], mean_now);
        all = compose(&all, &change);
    }
    det_color_map map;
    for (int i = 0; i < 3; i++) {
        map.offset[i] = (float)all.offset[i];
        for (int j = 0; j < 3; j++) map.matrix[i][j] = (float)all.matrix[i][j];
    }
    return map;
}

void det_mean_color(const uint8_t *pixels, size_t count, double mean[3])
{
    uint64_t blue = 0, green = 0, red = 0;
    for (const uint8_t *end = pixels + 3 * count, *p = pixels; p < end; p += 3) {
        blue += p[0];
        green += p[1];
        red += p[2];
    }
    mean[0] = (double)blue / (double)count;
    mean[1] = (double)green / (double)count;
    mean[2] = (double)red / (double)count;
}
