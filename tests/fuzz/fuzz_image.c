/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a picture: decoded or refused, never more, within small limits. */
#include "detect/image.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const det_image_limits limits = {.max_pixels = 1 << 18, .max_file_bytes = 1 << 20};
    det_image image;
    det_error error = {0};
    const det_status status = det_image_decode(data, size, "input", &limits, &image, &error);

    if (status == DET_OK && (image.width < 1 || image.height < 1 || !image.pixels)) abort();
    if (status < 0 && (image.pixels || error.status != status || !*error.message)) abort();
    det_image_free(&image);
    return 0;
}
