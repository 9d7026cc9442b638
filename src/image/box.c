/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/image.h"

static double area(det_box box)
{
    const double width = (double)box.x1 - box.x0, height = (double)box.y1 - box.y0;
    return width > 0 && height > 0 ? width * height : 0;
}

static det_box intersect(det_box a, det_box b)
{
    return (det_box){a.x0 > b.x0 ? a.x0 : b.x0, a.y0 > b.y0 ? a.y0 : b.y0,
                     a.x1 < b.x1 ? a.x1 : b.x1, a.y1 < b.y1 ? a.y1 : b.y1};
}

double det_box_iou(det_box a, det_box b)
{
    const double area_a = area(a), area_b = area(b);
    if (!(area_a > 0 && area_b > 0)) return 0;
    const double common = area(intersect(a, b));
    const double iou = common / (area_a + area_b - common);
    return iou > 0 ? iou : 0; /* an infinite box gives NaN or 0 */
}
