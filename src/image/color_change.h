/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_IMAGE_COLOR_CHANGE_H
#define DETECT_IMAGE_COLOR_CHANGE_H

#include <stddef.h>
#include <stdint.h>

/* Photometric changes of a picture, in an order of one's own (Howard, "Some Improvements on Deep
 * Convolutional Neural Network Based Image Classification", 2013, section 2.2). Grey is .299 R +
 * .587 G + .114 B. Each change is linear, so that all of them together are one matrix, applied in
 * one pass; values are cut to [0, 255] at the end only, not between changes. */

typedef enum det_color_change {
    DET_CHANGE_BRIGHTNESS = 0, /**< p becomes a p */
    DET_CHANGE_CONTRAST = 1,   /**< a p + (1 - a) m, m the mean grey of the picture as it then is */
    DET_CHANGE_SATURATION = 2, /**< a p + (1 - a) g, g the grey of the pixel */
    DET_CHANGE_HUE = 3,        /**< turned about the axis of greys by `a` whole turns: a third makes
                                    red green, green blue and blue red, as in HSV */
    DET_COLOR_CHANGES = 4
} det_color_change;

/** Each change once. */
typedef struct det_color_changes {
    double amounts[DET_COLOR_CHANGES];         /**< by kind; 1, 1, 1 and 0 change nothing */
    det_color_change order[DET_COLOR_CHANGES]; /**< first one first */
} det_color_changes;

/** A pixel p, B G R, becomes matrix * p + offset. */
typedef struct det_color_map {
    float matrix[3][3], offset[3];
} det_color_map;

/** Changes as one map. @param mean B G R of the picture before. */
det_color_map det_color_map_of(const det_color_changes *changes, const double mean[3]);

/** The mean B G R of `count` pixels, at least 1. */
void det_mean_color(const uint8_t *pixels, size_t count, double mean[3]);

#endif
