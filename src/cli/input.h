/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_INPUT_H
#define DETECT_CLI_INPUT_H

#include "detect/image.h"

/** Reads a picture file, or from standard input where `path` is "-".
 *  @return as det_image_read; DET_CANCELLED when a signal ends the wait for standard input. */
det_status cli_input_read(const char *path, const det_image_limits *limits, det_image *image,
                          det_error *error);

/** Whether two paths lead to one file, which exists. */
bool cli_same_file(const char *a, const char *b);

#endif
