/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_EVAL_OVERLAP_H
#define DETECT_EVAL_OVERLAP_H

#include <stdbool.h>

/* Intersection over union, in double, in the order of operations of the official evaluations. */

static inline double det_least(double a, double b)
{
    return a < b ? a : b;
}

static inline double det_greatest(double a, double b)
{
    return a > b ? a : b;
}

/** Of boxes x, y, width, height. With a crowd, intersection over the area of the detection. */
static inline double det_overlap_sized(const double detection[4], const double object[4],
                                       bool crowd)
{
    const double width = det_least(detection[2] + detection[0], object[2] + object[0]) -
                         det_greatest(detection[0], object[0]);
    if (!(width > 0)) return 0;
    const double height = det_least(detection[3] + detection[1], object[3] + object[1]) -
                          det_greatest(detection[1], object[1]);
    if (!(height > 0)) return 0;
    const double common = width * height, area = detection[2] * detection[3];
    return common / (crowd ? area : area + object[2] * object[3] - common);
}

/** Of boxes of inclusive corners: a side is xmax - xmin + 1 pixels. */
static inline double det_overlap_inclusive(const double detection[4], const double object[4])
{
    const double width =
        det_least(detection[2], object[2]) - det_greatest(detection[0], object[0]) + 1;
    const double height =
        det_least(detection[3], object[3]) - det_greatest(detection[1], object[1]) + 1;
    if (!(width > 0 && height > 0)) return 0;
    const double common = width * height;
    return common / ((detection[2] - detection[0] + 1) * (detection[3] - detection[1] + 1) +
                     (object[2] - object[0] + 1) * (object[3] - object[1] + 1) - common);
}

#endif
