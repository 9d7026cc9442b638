/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DATA_CONVERT_H
#define DETECT_DATA_CONVERT_H

#include "src/base/file.h"
#include "src/data/losses.h"

/* What the writers of annotations and of results share. */

/** Opens the file or stream that the output is. @return DET_OK; DET_ARGUMENT (it exists); DET_IO;
 *  DET_MEMORY. */
det_status det_convert_open(const char *path, const det_convert_options *options,
                            det_output *output, det_error *error);

/** The path of a picture. NULL when memory is short; det_free it. */
char *det_convert_picture(const det_annotations *annotations, size_t image);

/** The size of a picture, from the header of its file where the annotations do not say; 0 where
 *  that does not, either. @return DET_OK, DET_MEMORY. */
det_status det_convert_size(const det_annotations *annotations, size_t image, int *width,
                            int *height, det_error *error);

#endif
