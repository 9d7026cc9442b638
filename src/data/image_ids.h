/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DATA_IMAGE_IDS_H
#define DETECT_DATA_IMAGE_IDS_H

#include "detect/convert.h"
#include "detect/data.h"

/** Settles the number of every picture in a COCO data set.
 *
 *  @param annotations COCO JSON whose "images" give "id" and "file_name": a picture is the one of
 *                     the same base name, and where several have that, of the longest common end
 *                     of the path, folder by folder. NULL: the digits of the names, where every
 *                     name is a number (000000000139.jpg is 139).
 *  @param ids         receives a number for each of `inputs`, all different.
 *  @return DET_OK; DET_ARGUMENT (a picture without a number, or two with the same); DET_IO;
 *          DET_FORMAT (the annotations); DET_MEMORY. */
det_status det_image_ids(const det_inputs *inputs, const char *annotations, int64_t *ids,
                         det_error *error);

#endif
