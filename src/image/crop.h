/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_IMAGE_CROP_H
#define DETECT_IMAGE_CROP_H

#include "detect/image.h"

/** How a region becomes the input of a network. */
typedef struct det_crop_options {
    int width, height;  /**< of the crop, pixels */
    int context_px;     /**< pixels of the crop, on each side, that show the surroundings */
    uint8_t outside[3]; /**< B G R of what lies outside the picture: the model's mean */
} det_crop_options;

/** Warps a region to a crop, with its surroundings (R-CNN, appendix A, "warp" with context).
 *
 *  The box, not rounded, maps to the crop less `context_px` on each side; scale differs in x and y.
 *  Bilinear, without anti-aliasing; pixel centres at .5: crop pixel (i, j) takes the picture at
 *  x = x0 + (i + .5 - context) * (x1 - x0) / (width - 2 context) - .5, likewise y. Where a sample
 *  leaves the picture it fades into `outside`, as if the picture were surrounded by it.
 *
 *  @param pixels height x width x 3 bytes, BGR, written whole.
 *  Within one grey level of exact arithmetic.
 *  @return DET_OK; DET_ARGUMENT (an empty picture, an empty or non-finite box, context that leaves
 *          nothing); DET_MEMORY (a few rows). Thread-safe. */
det_status det_crop(const det_image *image, det_box box, const det_crop_options *options,
                    uint8_t *pixels);

#endif
