/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_IMAGE_OPENCV_H
#define DETECT_IMAGE_OPENCV_H

#include "detect/image.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All of OpenCV that the library uses, behind C. Sizes are checked before each call, and every
 * exception becomes a status: DET_ARGUMENT (sizes), DET_MEMORY, DET_INTERNAL. Each call runs on the
 * calling thread alone and touches no process-wide setting. Thread-safe. */

/** Converts `rows` rows of 3-channel 8-bit BGR to HSV with hue over 0..255 (COLOR_BGR2HSV_FULL).
 *  @param in  rows x width x 3, in_stride bytes a row. @param out likewise, out_stride; may be the
 *  same memory. */
det_status det_cv_bgr_to_hsv(const uint8_t *in, size_t in_stride, uint8_t *out, size_t out_stride,
                             int width, int rows, det_error *error);
/** The same to 8-bit Lab (COLOR_BGR2Lab). */
det_status det_cv_bgr_to_lab(const uint8_t *in, size_t in_stride, uint8_t *out, size_t out_stride,
                             int width, int rows, det_error *error);

/** Gaussian blur of a float picture of 1 to 4 interleaved channels, borders reflected
 * (BORDER_REFLECT_101).
 *  @param in, out  height x width x channels floats without padding; may be the same.
 *  @param sigma_px in (0, 1000]. */
det_status det_cv_gaussian_blur(const float *in, float *out, int width, int height, int channels,
                                double sigma_px, det_error *error);

#ifdef __cplusplus
}
#endif
#endif
