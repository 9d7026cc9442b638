/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_IMAGE_DECODE_H
#define DETECT_IMAGE_DECODE_H

#include "detect/image.h"

/** What a decoder is given: the bytes of a whole file and what its picture may cost. */
typedef struct det_encoded {
    const uint8_t *bytes;
    size_t size;
    uint64_t max_pixels;
} det_encoded;

/** Decodes a picture whose first bytes say that it is of that kind.
 *
 *  @param image       receives the picture as it is stored, not yet turned upright.
 *  @param orientation receives its EXIF orientation, 1 to 8.
 *  @return DET_OK, DET_FORMAT, DET_UNSUPPORTED, DET_LIMIT (found on the header, before pixels are
 *          allocated), DET_MEMORY. Errors name the byte or row, not the file. */
typedef det_status det_decoder(const det_encoded *encoded, det_image *image, int *orientation,
                               det_error *error);

det_decoder det_decode_jpeg, det_decode_png, det_decode_webp;

/** What the headers of a picture say. */
typedef struct det_image_header {
    uint32_t width, height; /**< as the pixels are stored */
    int orientation;        /**< 1 to 8 */
} det_image_header;

/** Reads the headers of a picture whose first bytes say that it is of that kind.
 *  @param header `orientation` is 1 before the call.
 *  @return DET_OK, DET_FORMAT, DET_UNSUPPORTED, DET_MEMORY. */
typedef det_status det_measurer(const det_encoded *encoded, det_image_header *header,
                                det_error *error);

det_measurer det_measure_jpeg, det_measure_png, det_measure_webp;

/** Reads the headers of a picture in memory. `name` stands for the file in errors.
 *  @return as det_image_size. */
det_status det_image_inspect(const void *bytes, size_t size, const char *name,
                             det_image_header *header, det_error *error);

/** det_image_size from memory. `name` stands for the file in errors. */
det_status det_image_measure(const void *bytes, size_t size, const char *name, int *width,
                             int *height, det_error *error);

/** Refuses the size that a header claims: DET_FORMAT (a side of 0), DET_LIMIT. */
det_status det_decode_check(const det_encoded *encoded, uint32_t width, uint32_t height,
                            det_error *error);

/** Makes the picture, or refuses its size: every decoder's way from a header to pixels.
 *  @param channels 3, or 4 for BGRA, which det_decode_blend then makes a proper picture. */
det_status det_decode_create(const det_encoded *encoded, uint32_t width, uint32_t height,
                             size_t channels, det_image *image, det_error *error);

/** Lays a picture of four channels over white, in place. */
void det_decode_blend(det_image *image);

/** Lays pixels with straight alpha over white: (c a + 255 (255 - a)) / 255, rounded.
 *  @param bgra count x 4 bytes. @param bgr count x 3 bytes; may begin where bgra does. */
void det_blend_over_white(const uint8_t *bgra, size_t count, uint8_t *bgr);

/** Orientation in an EXIF block (a TIFF header and its first directory, after "Exif\0\0" or not):
 *  1 to 8, and 1 where the block says nothing or makes no sense. */
int det_exif_orientation(const uint8_t *bytes, size_t size);

/** Turns a picture upright.
 *  @param orientation 1 to 8 (EXIF 2.3, tag 0x0112).
 *  @return DET_OK, DET_MEMORY; the picture is unchanged after a failure. */
det_status det_image_orient(det_image *image, int orientation, det_error *error);

/** Turns a box with the picture that it is in.
 *  @param corners       x0, y0, x1, y1, half-open; x0 <= x1 and y0 <= y1 stay so.
 *  @param width, height of the stored picture. */
void det_corners_orient(double corners[4], double width, double height, int orientation);

#endif
