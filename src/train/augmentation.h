/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_AUGMENTATION_H
#define DETECT_TRAIN_AUGMENTATION_H

#include "detect/image.h"
#include "src/base/random.h"
#include "src/image/color_change.h"

/* What is changed at random in pictures before a network learns from them. */

/** How much is changed; {0} changes nothing. */
typedef struct det_augmentation {
    bool mirror;       /**< left and right are exchanged in every second case */
    double move;       /**< a box moves by up to this share of its sides, each way */
    double scale;      /**< each side is multiplied or divided by up to 1 + scale; the logarithm of
                            the factor is uniform */
    double brightness; /**< these three are multiplied by 1 - x to 1 + x, x in [0, 1] */
    double contrast, saturation;
    double hue; /**< turned by up to so many whole turns, each way, at most .5 */
} det_augmentation;

/** Strengths of one number each, as a configuration has them. @param jitter of boxes, in [0, 1].
 *  @param color in [0, 1]; hue turns by a quarter of it. */
det_augmentation det_augmentation_of(bool mirror, double jitter, double color);

/** Whether strengths are in their ranges. */
bool det_augmentation_is_sound(const det_augmentation *augmentation);

bool det_draw_mirror(const det_augmentation *augmentation, det_random *random);

/** Moves and scales a box about its middle. It may leave the picture. */
det_box det_draw_box(const det_augmentation *augmentation, det_box box, det_random *random);

/** A part of a picture, in whole pixels. */
typedef struct det_patch {
    int x, y, width, height;
} det_patch;

/** Draws a part of a picture (Szegedy et al., "Going Deeper with Convolutions", 2015, section 6):
 *  its area is uniform from `least_area` of the picture's to all of it, the logarithm of width /
 *  height uniform from log 3/4 to log 4/3, and its place uniform. Where 10 draws do not fit it is
 *  the largest part in the middle whose shape is within these bounds.
 *  @param least_area in (0, 1]; the paper: .08. */
det_patch det_draw_patch(int width, int height, double least_area, det_random *random);

/** Whether colours are changed at all. */
bool det_augmentation_changes_colors(const det_augmentation *augmentation);
/** Amounts of each change, in an order that each has the same chance of. */
det_color_changes det_draw_colors(const det_augmentation *augmentation, det_random *random);

#endif
