/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/image.h"

#include "src/base/error.h"
#include "src/base/memory.h"

det_status det_image_create(int width, int height, det_image *image, det_error *error)
{
    *image = (det_image){0};
    if (width < 1 || height < 1)
        return det_fail(error, DET_ARGUMENT, "a picture of %d x %d pixels cannot be made", width,
                        height);

    size_t stride;
    if (!det_multiply_size((size_t)width, 3, &stride))
        return det_fail_memory(error, "a picture"); /* only where size_t has 32 bits */
    uint8_t *pixels = det_alloc_zeroed((size_t)height, stride);
    if (!pixels)
        return det_fail(error, DET_MEMORY, "out of memory for a picture of %d x %d pixels", width,
                        height);
    *image = (det_image){width, height, stride, pixels};
    return DET_OK;
}

void det_image_free(det_image *image)
{
    if (!image) return;
    det_free(image->pixels);
    *image = (det_image){0};
}
