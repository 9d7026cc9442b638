/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/augmentation.h"

#include <math.h>

det_augmentation det_augmentation_of(bool mirror, double jitter, double color)
{
    return (det_augmentation){.mirror = mirror,
                              .move = jitter,
                              .scale = jitter,
                              .brightness = color,
                              .contrast = color,
                              .saturation = color,
                              .hue = color / 4};
}

static bool within(double value, double most)
{
    return value >= 0 && value <= most;
}

bool det_augmentation_is_sound(const det_augmentation *a)
{
    return within(a->move, 1) && within(a->scale, 1) && within(a->brightness, 1) &&
           within(a->contrast, 1) && within(a->saturation, 1) && within(a->hue, .5);
}

/* Uniform in [-most, most). */
static double draw(double most, det_random *random)
{
    return most * (2 * det_random_double(random) - 1);
}

bool det_draw_mirror(const det_augmentation *augmentation, det_random *random)
{
    return augmentation->mirror && det_random_below(random, 2) == 1;
}

det_box det_draw_box(const det_augmentation *augmentation, det_box box, det_random *random)
{
    const double width = (double)box.x1 - (double)box.x0, height = (double)box.y1 - (double)box.y0;
    const double x = (double)box.x0 + width / 2 + width * draw(augmentation->move, random);
    const double y = (double)box.y0 + height / 2 + height * draw(augmentation->move, random);
    const double most = log1p(augmentation->scale);
    const double half_width = width / 2 * exp(draw(most, random));
    const double half_height = height / 2 * exp(draw(most, random));
    return (det_box){(float)(x - half_width), (float)(y - half_height), (float)(x + half_width),
                     (float)(y + half_height)};
}

/* The largest part in the middle that is neither too wide nor too high. */
static det_patch middle_patch(int width, int height, double most_aspect)
{
    const double wide = fmin(width, most_aspect * height), high = fmin(height, most_aspect * width);
    det_patch patch = {.width = (int)fmax(1, round(wide)), .height = (int)fmax(1, round(high))};
    patch.x = (width - patch.width) / 2;
    patch.y = (height - patch.height) / 2;
    return patch;
}

det_patch det_draw_patch(int width, int height, double least_area, det_random *random)
{
    enum { tries = 10 };
    const double most_aspect = 4. / 3, picture = (double)width * height;
    for (int i = 0; i < tries; i++) {
        const double area = picture * (1 - (1 - least_area) * det_random_double(random));
        const double aspect = exp(draw(log(most_aspect), random));
        const double wide = fmax(1, round(sqrt(area * aspect))),
                     high = fmax(1, round(sqrt(area / aspect)));
        if (wide > width || high > height) continue;
        const det_patch patch = {.width = (int)wide, .height = (int)high};
        const uint32_t right = (uint32_t)(width - patch.width) + 1,
                       down = (uint32_t)(height - patch.height) + 1;
        const int x = (int)det_random_below(random, right);
        return (det_patch){x, (int)det_random_below(random, down), patch.width, patch.height};
    }
    return middle_patch(width, height, most_aspect);
}

bool det_augmentation_changes_colors(const det_augmentation *a)
{
    return a->brightness > 0 || a->contrast > 0 || a->saturation > 0 || a->hue > 0;
}

det_color_changes det_draw_colors(const det_augmentation *augmentation, det_random *random)
{
    const double most[DET_COLOR_CHANGES] = {augmentation->brightness, augmentation->contrast,
                                            augmentation->saturation, augmentation->hue};
    det_color_changes changes;
    size_t order[DET_COLOR_CHANGES];
    det_random_order(random, order, DET_COLOR_CHANGES);
    for (int k = 0; k < DET_COLOR_CHANGES; k++) {
        changes.order[k] = (det_color_change)order[k];
        changes.amounts[k] = draw(most[k], random) + (k == DET_CHANGE_HUE ? 0 : 1);
    }
    return changes;
}
