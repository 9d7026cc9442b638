/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_IMAGE_RESIZE_H
#define DETECT_IMAGE_RESIZE_H

#include "detect/image.h"

/** How the pixels of a resized picture come from those of the picture, along each axis. Pixel
 *  centres lie at .5, edges are repeated. */
typedef enum det_interpolation {
    DET_INTERPOLATE_AREA = 0,     /**< the mean of what a pixel covers where the picture shrinks,
                                       bilinear where it grows */
    DET_INTERPOLATE_NEAREST = 1,  /**< the pixel in which the middle lies */
    DET_INTERPOLATE_BILINEAR = 2, /**< the two around it, also where the picture shrinks */
    DET_INTERPOLATE_CUBIC = 3,    /**< the four around it, likewise (Keys, "Cubic Convolution
                                       Interpolation for Digital Image Processing", 1981, a = -1/2)
                                   */
    DET_INTERPOLATIONS = 4
} det_interpolation;

/** Resizes a picture, or the part of one that `image` is a window on, to width x height. On the
 *  calling thread alone.
 *  @param pixels height x width x 3 bytes, BGR, written whole.
 *  @return DET_OK, DET_ARGUMENT (an empty picture, a side < 1), DET_MEMORY. Thread-safe. */
det_status det_image_resample(const det_image *image, det_interpolation how, int width, int height,
                              uint8_t *pixels);

/** Resizes a picture with DET_INTERPOLATE_AREA.
 *  @param out receives a new picture; det_image_free it.
 *  @return DET_OK, DET_ARGUMENT (an empty picture, a side < 1), DET_MEMORY. Thread-safe. */
det_status det_image_resize(const det_image *image, int width, int height, det_image *out,
                            det_error *error);

#endif
