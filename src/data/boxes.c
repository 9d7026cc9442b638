/* SPDX-License-Identifier: Apache-2.0 */
#include "src/data/boxes.h"

#include <string.h>

void det_box_convert(const double from[4], det_box_form form, det_box_form wanted, double to[4])
{
    memcpy(to, from, 4 * sizeof *to);
    if (form == wanted) return;
    for (size_t i = 0; i < 2; i++) {
        to[i] = wanted == DET_BOX_INCLUSIVE ? from[i] + 1 : from[i] - 1;
        to[i + 2] = wanted == DET_BOX_INCLUSIVE ? from[i] + from[i + 2] : from[i + 2] - from[i] + 1;
    }
}

bool det_box_same(const double a[4], const double b[4])
{
    return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3];
}

void det_annotations_box_in(const det_annotations *annotations, size_t object, det_box_form wanted,
                            double box[4])
{
    const double *own = annotations->objects[object].box;
    if (annotations->format != DET_ANNOTATIONS_YOLO) {
        const bool voc = annotations->format == DET_ANNOTATIONS_VOC;
        det_box_convert(own, voc ? DET_BOX_INCLUSIVE : DET_BOX_SIZED, wanted, box);
        return;
    }
    double corners[4];
    det_annotations_corners(annotations, object, corners);
    const double sized[4] = {corners[0], corners[1], corners[2] - corners[0],
                             corners[3] - corners[1]};
    det_box_convert(sized, DET_BOX_SIZED, wanted, box);
}
