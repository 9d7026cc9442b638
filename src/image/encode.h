/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_IMAGE_ENCODE_H
#define DETECT_IMAGE_ENCODE_H

#include "detect/image.h"
#include "src/base/text.h"

/** Appends a picture as a JPEG file to `bytes`.
 *  @param quality 1 to 100, as libjpeg counts it.
 *  @return DET_OK, DET_ARGUMENT (an empty picture, or a side too long for JPEG), DET_MEMORY. */
det_status det_image_encode_jpeg(const det_image *image, int quality, det_text *bytes,
                                 det_error *error);

#endif
