/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a picture: decoded or refused, never more, within small limits; and what can be
 * decoded has headers that tell its size, upright or not (decoders drop an orientation that has a
 * wrong checksum). */
#include "src/image/decode.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

static void check_size(const uint8_t *data, size_t size, det_status decoded, const det_image *image)
{
    int width = 0, height = 0;
    det_error error = {0};
    const det_status status = det_image_measure(data, size, "input", &width, &height, &error);
    if (status < 0 && (decoded == DET_OK || !*error.message)) abort();
    if (decoded < 0) return;
    const bool same = width == image->width && height == image->height;
    const bool turned = width == image->height && height == image->width;
    if (!same && !turned) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const det_image_limits limits = {.max_pixels = 1 << 18, .max_file_bytes = 1 << 20};
    det_image image;
    det_error error = {0};
    const det_status status = det_image_decode(data, size, "input", &limits, &image, &error);

    if (status == DET_OK && (image.width < 1 || image.height < 1 || !image.pixels)) abort();
    if (status < 0 && (image.pixels || error.status != status || !*error.message)) abort();
    check_size(data, size, status, &image);
    det_image_free(&image);
    return 0;
}
