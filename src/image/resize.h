/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_IMAGE_RESIZE_H
#define DETECT_IMAGE_RESIZE_H

#include "detect/image.h"

/** Resizes a picture to width x height: along each axis area averaging where it shrinks, bilinear
 *  where it grows (pixel centres at .5, edges repeated). On the calling thread alone.
 *  @param out receives a new picture; det_image_free it.
 *  @return DET_OK, DET_ARGUMENT (an empty picture, a side < 1), DET_MEMORY. Thread-safe. */
det_status det_image_resize(const det_image *image, int width, int height, det_image *out,
                            det_error *error);

#endif
