/* SPDX-License-Identifier: Apache-2.0 */
/* The colour spaces of selective search (Uijlings et al., IJCV 2013, section 3.2), each as 8-bit
 * planes over 0..255, which is what gives the scale k of the segmentation its meaning.
 *
 *   HSV, Lab   OpenCV's 8-bit conversions, hue over 0..255
 *   RGB        as it is
 *   I          grey, (299 R + 587 G + 114 B) / 1000
 *   rgI        r and g of the normalised colours, and I
 *   rgb        r = R / (R + G + B), likewise g and b; black is grey
 *   C          the opponent colours over the intensity, (R - G) / S and (R + G - 2 B) / S with
 *              S = R + G + B, spread from their ranges -1..1 and -2..1 over 0..255
 *   H          the hue of HSV */
#include "proposals/selective_search/color.h"

#include "src/base/error.h"
#include "src/image/opencv.h"

/* Rows handed to OpenCV at a time: a strip stays in the cache until it is split into planes. */
enum { strip_rows = 16 };

typedef det_status converter(const uint8_t *in, size_t in_stride, uint8_t *out, size_t out_stride,
                             int width, int rows, det_error *error);

static uint8_t grey(const uint8_t *bgr)
{
    return (uint8_t)((299 * bgr[2] + 587 * bgr[1] + 114 * bgr[0] + 500) / 1000);
}

/* round(255 part / sum); the share of a third for black. */
static uint8_t share(int part, int sum)
{
    return (uint8_t)(sum ? (255 * part + sum / 2) / sum : 85);
}

static det_status to_rgb(const uint8_t *in, size_t in_stride, uint8_t *out, size_t out_stride,
                         int width, int rows, det_error *error)
{
    (void)error;
    for (int y = 0; y < rows; y++, in += in_stride, out += out_stride)
        for (size_t x = 0; x < (size_t)width; x++)
            for (size_t c = 0; c < 3; c++) out[3 * x + c] = in[3 * x + 2 - c];
    return DET_OK;
}

static det_status to_i(const uint8_t *in, size_t in_stride, uint8_t *out, size_t out_stride,
                       int width, int rows, det_error *error)
{
    (void)error;
    for (int y = 0; y < rows; y++, in += in_stride, out += out_stride)
        for (size_t x = 0; x < (size_t)width; x++) out[3 * x] = grey(in + 3 * x);
    return DET_OK;
}

static det_status to_rgi(const uint8_t *in, size_t in_stride, uint8_t *out, size_t out_stride,
                         int width, int rows, det_error *error)
{
    (void)error;
    for (int y = 0; y < rows; y++, in += in_stride, out += out_stride)
        for (size_t x = 0; x < (size_t)width; x++) {
            const uint8_t *bgr = in + 3 * x;
            const int sum = bgr[0] + bgr[1] + bgr[2];
            out[3 * x] = share(bgr[2], sum);
            out[3 * x + 1] = share(bgr[1], sum);
            out[3 * x + 2] = grey(bgr);
        }
    return DET_OK;
}

static det_status to_nrgb(const uint8_t *in, size_t in_stride, uint8_t *out, size_t out_stride,
                          int width, int rows, det_error *error)
{
    (void)error;
    for (int y = 0; y < rows; y++, in += in_stride, out += out_stride)
        for (size_t x = 0; x < (size_t)width; x++) {
            const uint8_t *bgr = in + 3 * x;
            const int sum = bgr[0] + bgr[1] + bgr[2];
            for (size_t c = 0; c < 3; c++) out[3 * x + c] = share(bgr[2 - c], sum);
        }
    return DET_OK;
}

static det_status to_c(const uint8_t *in, size_t in_stride, uint8_t *out, size_t out_stride,
                       int width, int rows, det_error *error)
{
    (void)error;
    for (int y = 0; y < rows; y++, in += in_stride, out += out_stride)
        for (size_t x = 0; x < (size_t)width; x++) {
            const int b = in[3 * x], g = in[3 * x + 1], r = in[3 * x + 2];
            const int sum = r + g + b;
            out[3 * x] = sum ? share(r - g + sum, 2 * sum) : 128;
            out[3 * x + 1] = sum ? share(r + g - 2 * b + 2 * sum, 3 * sum) : 170;
        }
    return DET_OK;
}

typedef struct {
    unsigned space;
    const char *name;
    converter *convert; /* from BGR to three interleaved channels, of which `channels` count */
    int channels;
} color_space;

static const color_space spaces[] = {
    {DET_COLOR_HSV, "hsv", det_cv_bgr_to_hsv, 3},
    {DET_COLOR_LAB, "lab", det_cv_bgr_to_lab, 3},
    {DET_COLOR_RGB, "rgb", to_rgb, 3},
    {DET_COLOR_I, "i", to_i, 1},
    {DET_COLOR_RGI, "rgi", to_rgi, 3},
    {DET_COLOR_NRGB, "nrgb", to_nrgb, 3},
    {DET_COLOR_C, "c", to_c, 2},
    {DET_COLOR_H, "h", det_cv_bgr_to_hsv, 1},
};

static const color_space *find_space(unsigned space)
{
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
        if (spaces[i].space == space) return &spaces[i];
    return NULL;
}

const char *det_color_name(unsigned space)
{
    const color_space *found = find_space(space);
    return found ? found->name : NULL;
}

static void split(const uint8_t *interleaved, size_t count, int channels, uint8_t *plane,
                  size_t plane_size)
{
    for (int c = 0; c < channels; c++, plane += plane_size)
        for (size_t i = 0; i < count; i++) plane[i] = interleaved[3 * i + (size_t)c];
}

static det_status convert_strips(const det_image *image, const color_space *space, uint8_t *strip,
                                 det_planes *planes, det_error *error)
{
    const size_t width = (size_t)image->width, plane_size = width * (size_t)image->height;
    for (int y = 0; y < image->height; y += strip_rows) {
        const int left = image->height - y, rows = left < strip_rows ? left : strip_rows;
        const det_status status =
            space->convert(image->pixels + (size_t)y * image->stride, image->stride, strip,
                           3 * width, image->width, rows, error);
        if (status < 0) return status;
        split(strip, width * (size_t)rows, space->channels, planes->values + (size_t)y * width,
              plane_size);
    }
    return DET_OK;
}

det_status det_color_convert(const det_image *image, unsigned space, det_arena *arena,
                             det_planes *planes, det_error *error)
{
    const color_space *found = find_space(space);
    if (!found) return det_fail(error, DET_ARGUMENT, "no colour space has the number %u", space);

    const size_t width = (size_t)image->width, pixels = width * (size_t)image->height;
    uint8_t *strip = det_arena_take(arena, 3 * width, strip_rows);
    uint8_t *values = det_arena_take(arena, pixels, (size_t)found->channels);
    if (!strip || !values) return det_fail_memory(error, "a picture in another colour space");
    *planes = (det_planes){image->width, image->height, found->channels,
                           found->channels == 1 ? 3 : 1, values};
    return convert_strips(image, found, strip, planes, error);
}
