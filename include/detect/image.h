/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_IMAGE_H
#define DETECT_IMAGE_H

#include "detect/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A rectangle in a picture: corners in pixels, 0-based, half-open. A box of the VOC kind (1-based,
 *  inclusive) is x0 = xmin - 1, x1 = xmax. Empty when x1 <= x0 or y1 <= y0. */
typedef struct det_box {
    float x0, y0, x1, y1;
} det_box;

/** Intersection over union, in [0, 1]; 0 when either box is empty. Computed in double, so that the
 *  order of the two does not matter. */
DET_API double det_box_iou(det_box a, det_box b);

/** A picture: 8-bit BGR, rows from the top, upright (EXIF orientation applied), alpha over white.
 *  Pixel (x, y) is at pixels[y * stride + 3 * x]. Owns its pixels; {0} is an empty picture. */
typedef struct det_image {
    int width, height; /**< pixels */
    size_t stride;     /**< bytes from one row to the next */
    uint8_t *pixels;
} det_image;

/** What a picture from outside may cost. Zero in a field means its default. */
typedef struct det_image_limits {
    uint64_t max_pixels; /**< width times height; default 100,000,000; checked before allocation */
    uint64_t max_file_bytes; /**< default 1 GiB */
} det_image_limits;

/** Reads a picture file: JPEG, PNG or WebP, recognised by content, never by name.
 *
 *  JPEG: 8-bit baseline, progressive and arithmetic; grey, YCbCr, RGB, CMYK, YCCK. PNG: every
 *  colour type and depth. WebP: the first frame. EXIF orientation is applied in all three.
 *
 *  @param path   the file; "-" has no special meaning here.
 *  @param limits or NULL for the defaults.
 *  @param image  receives the picture; free with det_image_free. Left empty on failure.
 *  @return DET_OK; DET_IO (missing, unreadable); DET_FORMAT (empty, truncated, corrupt, not a
 *          picture); DET_UNSUPPORTED (12-bit or lossless JPEG, HEIC, AVIF, TIFF, BMP, GIF: the
 *          message names a command that converts it); DET_LIMIT; DET_MEMORY.
 *  Thread-safe. */
DET_API det_status det_image_read(const char *path, const det_image_limits *limits,
                                  det_image *image, det_error *error);

/** The same from memory. `name` stands for the file in errors ("standard input"). */
DET_API det_status det_image_decode(const void *bytes, size_t size, const char *name,
                                    const det_image_limits *limits, det_image *image,
                                    det_error *error);

/** Tells how large a picture is, upright, from the headers of its file alone: the pixels are
 * neither read nor checked, and no limit applies.
 *  @return as det_image_read, without DET_LIMIT. Thread-safe. */
DET_API det_status det_image_size(const char *path, int *width, int *height, det_error *error);

/** Makes a black picture of width x height pixels, rows without padding.
 *  @return DET_OK, DET_ARGUMENT (a side < 1), DET_MEMORY. */
DET_API det_status det_image_create(int width, int height, det_image *image, det_error *error);

/** Writes a picture as PNG, or as JPEG of quality 92 when the name ends in .jpg or .jpeg (any
 *  case). Written to a temporary name beside it and renamed, so that nothing half-written stays.
 *  @return DET_OK, DET_ARGUMENT (another ending), DET_IO, DET_MEMORY. */
DET_API det_status det_image_write(const det_image *image, const char *path, det_error *error);

/** Frees the pixels and empties the picture. Takes NULL and empty pictures. */
DET_API void det_image_free(det_image *image);

#ifdef __cplusplus
}
#endif
#endif
