/* SPDX-License-Identifier: Apache-2.0 */
/* The colour spaces of selective search (Uijlings et al., IJCV 2013, section 3.2), each as 8-bit
 * planes over 0..255, which is what gives the scale k of the segmentation its meaning.
 *
 *   HSV   hue 256 / 360 degrees, 255 (max - min) / max, max
 *   Lab   CIE L* 255 / 100, a* + 128, b* + 128 of sRGB under D65
 *   RGB   as it is
 *   I     grey, (299 R + 587 G + 114 B) / 1000
 *   rgI   r and g of the normalised colours, and I
 *   rgb   r = R / (R + G + B), likewise g and b; black is grey
 *   C     the opponent colours over the intensity, (R - G) / S and (R + G - 2 B) / S with
 *         S = R + G + B, spread from their ranges -1..1 and -2..1 over 0..255
 *   H     the hue of HSV
 *
 * Divisions, powers and roots come from tables, made anew for each picture, which takes less time
 * than a hundredth of it. */
#include "proposals/selective_search/color.h"

#include "src/base/error.h"

#include <math.h>

enum {
    cube_steps = 8192, /* in the table of cube roots: near black a step is half a unit of a* */
    table_size = 256 + cube_steps + 1
};

/* Converts `count` pixels. */
typedef void converter(const float *tables, const uint8_t *bgr, size_t count, uint8_t *const to[3]);

/* tables[v] = 255 / v, tables[256 + d] = 256 / (6 d). */
static void prepare_hsv(float *tables)
{
    tables[0] = tables[256] = 0;
    for (int i = 1; i < 256; i++) {
        tables[i] = 255 / (float)i;
        tables[256 + i] = 256 / (6 * (float)i);
    }
}

static void to_hsv(const float *tables, const uint8_t *bgr, size_t count, uint8_t *const to[3])
{
    for (size_t i = 0; i < count; i++, bgr += 3) {
        const int b = bgr[0], g = bgr[1], r = bgr[2];
        const int low = b < g ? (b < r ? b : r) : (g < r ? g : r);
        const int high = b > g ? (b > r ? b : r) : (g > r ? g : r);
        const int spread = high - low;
        const int part = high == r ? g - b : high == g ? b - r + 2 * spread : r - g + 4 * spread;
        const float hue = (float)part * tables[256 + spread]; /* -256 / 6 to 256 * 5 / 6 */
        to[0][i] = (uint8_t)((int)(hue + 256.5f) & 255);
        to[1][i] = (uint8_t)(int)((float)spread * tables[high] + .5f);
        to[2][i] = (uint8_t)high;
    }
}

static void to_h(const float *tables, const uint8_t *bgr, size_t count, uint8_t *const to[3])
{
    to_hsv(tables, bgr, count, (uint8_t *const[]){to[0], to[1], to[1]});
}

/* tables[v]: the linear intensity of a value of sRGB; tables[256 + i]: f(i / cube_steps), where
 * f(t) = t^(1/3), and a straight line near black. */
static void prepare_lab(float *tables)
{
    for (int i = 0; i < 256; i++) {
        const float v = (float)i / 255;
        tables[i] = v <= .04045f ? v / 12.92f : powf((v + .055f) / 1.055f, 2.4f);
    }
    for (int i = 0; i <= cube_steps; i++) {
        const float t = (float)i / cube_steps;
        tables[256 + i] = t > .008856f ? cbrtf(t) : 7.787f * t + 16 / 116.f;
    }
}

static float cube_root(const float *tables, float t)
{
    const int step = (int)(t * cube_steps + .5f);
    return tables[256 + (step < cube_steps ? step : cube_steps)];
}

static void to_lab(const float *tables, const uint8_t *bgr, size_t count, uint8_t *const to[3])
{
    for (size_t i = 0; i < count; i++, bgr += 3) {
        const float b = tables[bgr[0]], g = tables[bgr[1]], r = tables[bgr[2]];
        const float x = .433953f * r + .376219f * g + .189828f * b; /* over that of white */
        const float y = .212671f * r + .715160f * g + .072169f * b;
        const float z = .017758f * r + .109477f * g + .872766f * b;
        const float fx = cube_root(tables, x), fy = cube_root(tables, y), fz = cube_root(tables, z);
        to[0][i] = (uint8_t)(int)((116 * fy - 16) * 2.55f + .5f);
        to[1][i] = (uint8_t)(int)(500 * (fx - fy) + 128.5f); /* -86 to 99 of sRGB's colours */
        to[2][i] = (uint8_t)(int)(200 * (fy - fz) + 128.5f); /* -108 to 95 */
    }
}

static uint8_t grey(const uint8_t *bgr)
{
    return (uint8_t)((299 * bgr[2] + 587 * bgr[1] + 114 * bgr[0] + 500) / 1000);
}

/* round(255 part / sum); the share of a third for black. */
static uint8_t share(int part, int sum)
{
    return (uint8_t)(sum ? (255 * part + sum / 2) / sum : 85);
}

static void to_rgb(const float *tables, const uint8_t *bgr, size_t count, uint8_t *const to[3])
{
    (void)tables;
    for (size_t i = 0; i < count; i++, bgr += 3)
        for (size_t c = 0; c < 3; c++) to[c][i] = bgr[2 - c];
}

static void to_i(const float *tables, const uint8_t *bgr, size_t count, uint8_t *const to[3])
{
    (void)tables;
    for (size_t i = 0; i < count; i++, bgr += 3) to[0][i] = grey(bgr);
}

static void to_rgi(const float *tables, const uint8_t *bgr, size_t count, uint8_t *const to[3])
{
    (void)tables;
    for (size_t i = 0; i < count; i++, bgr += 3) {
        const int sum = bgr[0] + bgr[1] + bgr[2];
        to[0][i] = share(bgr[2], sum);
        to[1][i] = share(bgr[1], sum);
        to[2][i] = grey(bgr);
    }
}

static void to_nrgb(const float *tables, const uint8_t *bgr, size_t count, uint8_t *const to[3])
{
    (void)tables;
    for (size_t i = 0; i < count; i++, bgr += 3) {
        const int sum = bgr[0] + bgr[1] + bgr[2];
        for (size_t c = 0; c < 3; c++) to[c][i] = share(bgr[2 - c], sum);
    }
}

static void to_c(const float *tables, const uint8_t *bgr, size_t count, uint8_t *const to[3])
{
    (void)tables;
    for (size_t i = 0; i < count; i++, bgr += 3) {
        const int b = bgr[0], g = bgr[1], r = bgr[2], sum = r + g + b;
        to[0][i] = sum ? share(r - g + sum, 2 * sum) : 128;
        to[1][i] = sum ? share(r + g - 2 * b + 2 * sum, 3 * sum) : 170;
    }
}

typedef struct {
    unsigned space;
    const char *name;
    int channels;
    converter *convert;
    void (*prepare)(float *tables); /* or NULL */
} color_space;

static const color_space spaces[] = {
    {DET_COLOR_HSV, "hsv", 3, to_hsv, prepare_hsv},
    {DET_COLOR_LAB, "lab", 3, to_lab, prepare_lab},
    {DET_COLOR_RGB, "rgb", 3, to_rgb, NULL},
    {DET_COLOR_I, "i", 1, to_i, NULL},
    {DET_COLOR_RGI, "rgi", 3, to_rgi, NULL},
    {DET_COLOR_NRGB, "nrgb", 3, to_nrgb, NULL},
    {DET_COLOR_C, "c", 2, to_c, NULL},
    {DET_COLOR_H, "h", 1, to_h, prepare_hsv},
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

det_status det_color_convert(const det_image *image, unsigned space, det_arena *arena,
                             det_planes *planes, det_error *error)
{
    const color_space *found = find_space(space);
    if (!found) return det_fail(error, DET_ARGUMENT, "no colour space has the number %u", space);

    const size_t width = (size_t)image->width, pixels = width * (size_t)image->height;
    float *tables = det_arena_take(arena, table_size, sizeof *tables);
    uint8_t *values = det_arena_take(arena, pixels, (size_t)found->channels);
    uint8_t *unused = det_arena_take(arena, width, 1); /* what to_h has no plane for */
    if (!tables || !values || !unused)
        return det_fail_memory(error, "a picture in another colour space");

    if (found->prepare) found->prepare(tables);
    for (size_t y = 0; y < (size_t)image->height; y++) {
        uint8_t *to[3] = {unused, unused, unused};
        for (size_t c = 0; c < (size_t)found->channels; c++)
            to[c] = values + c * pixels + y * width;
        found->convert(tables, image->pixels + y * image->stride, width, to);
    }
    *planes = (det_planes){image->width, image->height, found->channels,
                           found->channels == 1 ? 3 : 1, values};
    return DET_OK;
}
