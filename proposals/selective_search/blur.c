/* SPDX-License-Identifier: Apache-2.0 */
/* Gaussian blur along rows, then along columns. Of the rows blurred along themselves a ring holds
 * those that the kernel covers, so that the picture goes through the cache once.
 *
 * Both loops over x add the two pixels that share a weight, and vectorise. */
#include "proposals/selective_search/blur.h"

#include "src/base/error.h"

#include <math.h>

typedef struct {
    const uint8_t *plane;
    int width, height, radius;
    float *kernel; /* radius + 1 weights, that of the middle first */
    float *padded; /* a row with `radius` pixels more on both sides */
    float *ring;   /* 2 radius + 1 rows; that of row y is y modulo their number */
} blur;

/* The pixel that stands for pixel i of a row of n, which may lie outside. */
static int mirror(int i, int n)
{
    if (n == 1) return 0;
    const int period = 2 * (n - 1), inside = i % period;
    const int positive = inside < 0 ? inside + period : inside;
    return positive < n ? positive : period - positive;
}

static void fill_kernel(float *kernel, int radius, double sigma)
{
    double sum = 0;
    for (int i = 0; i <= radius; i++) sum += (i ? 2 : 1) * exp(-i * i / (2 * sigma * sigma));
    for (int i = 0; i <= radius; i++) kernel[i] = (float)(exp(-i * i / (2 * sigma * sigma)) / sum);
}

/* out[x] += weight * (a[x] + b[x]) */
static void add_pair(const float *restrict a, const float *restrict b, float weight,
                     float *restrict out, int count)
{
    for (int x = 0; x < count; x++) out[x] += weight * (a[x] + b[x]);
}

static void scale(const float *restrict in, float weight, float *restrict out, int count)
{
    for (int x = 0; x < count; x++) out[x] = weight * in[x];
}

static float *ring_row(const blur *b, int y)
{
    return b->ring + (size_t)(y % (2 * b->radius + 1)) * (size_t)b->width;
}

/* Row y of the plane, blurred along itself, into the ring. */
static void blur_row(const blur *b, int y)
{
    const int r = b->radius, width = b->width;
    const uint8_t *row = b->plane + (size_t)y * (size_t)width;
    float *middle = b->padded + r, *out = ring_row(b, y);
    for (int x = 0; x < width; x++) middle[x] = row[x];
    for (int i = 1; i <= r; i++) {
        middle[-i] = row[mirror(-i, width)];
        middle[width - 1 + i] = row[mirror(width - 1 + i, width)];
    }
    scale(middle, b->kernel[0], out, width);
    for (int i = 1; i <= r; i++) add_pair(middle - i, middle + i, b->kernel[i], out, width);
}

/* Row y of the result, from the rows of the ring. */
static void blur_columns(const blur *b, int y, float *out)
{
    scale(ring_row(b, y), b->kernel[0], out, b->width);
    for (int i = 1; i <= b->radius; i++)
        add_pair(ring_row(b, mirror(y - i, b->height)), ring_row(b, mirror(y + i, b->height)),
                 b->kernel[i], out, b->width);
}

static void convert(const uint8_t *plane, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) out[i] = plane[i];
}

det_status det_blur(const uint8_t *plane, int width, int height, double sigma_px, det_arena *arena,
                    float *blurred, det_error *error)
{
    if (sigma_px <= 0) {
        convert(plane, (size_t)width * (size_t)height, blurred);
        return DET_OK;
    }
    const int radius = (int)ceil(3 * sigma_px);
    const size_t taps = 2 * (size_t)radius + 1;
    const blur b = {.plane = plane,
                    .width = width,
                    .height = height,
                    .radius = radius,
                    .kernel = det_arena_take(arena, (size_t)radius + 1, sizeof *b.kernel),
                    .padded = det_arena_take(arena, (size_t)width + taps, sizeof *b.padded),
                    .ring = det_arena_take(arena, (size_t)width * taps, sizeof *b.ring)};
    if (!b.kernel || !b.padded || !b.ring) return det_fail_memory(error, "blurring a picture");

    fill_kernel(b.kernel, radius, sigma_px);
    int ready = 0; /* rows that have been through the ring */
    for (int y = 0; y < height; y++) {
        for (; ready < height && ready <= y + radius; ready++) blur_row(&b, ready);
        blur_columns(&b, y, blurred + (size_t)y * (size_t)width);
    }
    return DET_OK;
}
