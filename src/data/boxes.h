/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DATA_BOXES_H
#define DETECT_DATA_BOXES_H

#include "detect/results.h"

/** A box of one form in another, in double: xmin = x + 1, xmax = x + width, and back x = xmin - 1,
 *  width = xmax - xmin + 1. The same form keeps every bit. */
void det_box_convert(const double from[4], det_box_form form, det_box_form wanted, double to[4]);

/** Whether two boxes are the same to the last bit. */
bool det_box_same(const double a[4], const double b[4]);

/** The box of an object in a form. That of YOLO becomes pixels, x, y, width, height, first. */
void det_annotations_box_in(const det_annotations *annotations, size_t object, det_box_form wanted,
                            double box[4]);

#endif
