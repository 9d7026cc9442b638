/* SPDX-License-Identifier: Apache-2.0 */
/* Resizes pictures. Every way to do it is separable and a weighted sum of neighbouring pixels: a
 * table per axis says which and how much. The sum down the columns comes first, because it runs
 * over whole rows, which GCC turns into vector instructions. */
#include "src/image/resize.h"

#include "src/base/error.h"
#include "src/base/memory.h"

#include <math.h>

/* Output i is the sum of weights[i * room + t] * input[first[i] + t], t < count[i]. */
typedef struct {
    int *first, *count;
    float *weights;
    size_t room;
} taps;

static void free_taps(taps *t)
{
    det_free(t->first);
    det_free(t->count);
    det_free(t->weights);
}

/* Output i covers [i, i + 1) * scale of the input; each pixel weighs what is covered of it. */
static void average(taps *t, int i, double scale, int size)
{
    const double low = i * scale, high = fmin((i + 1) * scale, size);
    const int first = (int)low;
    float *weights = t->weights + (size_t)i * t->room;
    int count = 0;
    for (int x = first; x < size && x < high && (size_t)count < t->room; x++) {
        const double covered = fmin(x + 1, high) - fmax(x, low);
        weights[count++] = (float)(covered / (high - low));
    }
    t->first[i] = first;
    t->count[i] = count;
}

static void nearest(taps *t, int i, double scale, int size)
{
    const int at = (int)((i + .5) * scale);
    t->first[i] = at < size ? at : size - 1;
    t->count[i] = 1;
    t->weights[(size_t)i * t->room] = 1;
}

static void interpolate(taps *t, int i, double scale, int size)
{
    const double at = fmin(fmax((i + .5) * scale - .5, 0), size - 1);
    const int first = (int)at;
    float *weights = t->weights + (size_t)i * t->room;
    weights[1] = (float)(at - first);
    weights[0] = 1 - weights[1];
    t->first[i] = first;
    t->count[i] = weights[1] > 0 ? 2 : 1;
}

/* What a pixel counts at a distance from the place (Keys, equation 15). */
static double cubic_weight(double distance)
{
    const double x = fabs(distance);
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? ((-.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

/* Pixels beyond the picture are those at its edge, which then count for several. */
static void interpolate_cubic(taps *t, int i, double scale, int size)
{
    const double at = (i + .5) * scale - .5;
    const int low = (int)floor(at) - 1, last = size - 1;
    const int first = low > 0 ? low : 0, end = low + 3 < last ? low + 3 : last;
    float *weights = t->weights + (size_t)i * t->room;
    t->first[i] = first;
    t->count[i] = end - first + 1;
    for (int k = 0; k < t->count[i]; k++) weights[k] = 0;
    for (int x = low; x <= low + 3; x++) {
        const int inside = x < 0 ? 0 : x > last ? last : x;
        weights[inside - first] += (float)cubic_weight(at - x);
    }
}

static void make_tap(taps *t, int i, double scale, int size, det_interpolation how)
{
    switch (how) {
    case DET_INTERPOLATE_NEAREST:
        nearest(t, i, scale, size);
        return;
    case DET_INTERPOLATE_CUBIC:
        interpolate_cubic(t, i, scale, size);
        return;
    case DET_INTERPOLATE_AREA:
        if (scale > 1) {
            average(t, i, scale, size);
            return;
        }
        break;
    default:
        break;
    }
    interpolate(t, i, scale, size);
}

static bool make_taps(taps *t, int from, int to, det_interpolation how)
{
    enum { most_neighbours = 4 };
    const double scale = (double)from / to;
    const size_t count = (size_t)to;
    size_t weights;
    t->room = how == DET_INTERPOLATE_AREA ? (size_t)ceil(scale) + 1 : most_neighbours;
    if (!det_multiply_size(count, t->room, &weights)) return false;
    t->first = det_alloc_array(count, sizeof *t->first);
    t->count = det_alloc_array(count, sizeof *t->count);
    t->weights = det_alloc_array(weights, sizeof *t->weights);
    if (!t->first || !t->count || !t->weights) return false;
    for (int i = 0; i < to; i++) make_tap(t, i, scale, from, how);
    return true;
}

/* sum[k] is the weighted sum of row pixels k of the rows that output row y takes. */
static void sum_rows(const det_image *image, const taps *t, int y, float *restrict sum)
{
    const size_t count = 3 * (size_t)image->width;
    const float *weights = t->weights + (size_t)y * t->room;
    for (size_t k = 0; k < count; k++) sum[k] = 0;
    for (int i = 0; i < t->count[y]; i++) {
        const uint8_t *restrict row = image->pixels + (size_t)(t->first[y] + i) * image->stride;
        const float weight = weights[i];
        for (size_t k = 0; k < count; k++) sum[k] += weight * row[k];
    }
}

static void sum_columns(const float *sums, const taps *t, int width, uint8_t *out)
{
    for (int x = 0; x < width; x++, out += 3) {
        const float *from = sums + 3 * (size_t)t->first[x];
        const float *weights = t->weights + (size_t)x * t->room;
        float total[3] = {.5f, .5f, .5f};
        for (int i = 0; i < t->count[x]; i++, from += 3)
            for (int c = 0; c < 3; c++) total[c] += weights[i] * from[c];
        for (int c = 0; c < 3; c++) out[c] = (uint8_t)fminf(fmaxf(total[c], 0), 255);
    }
}

det_status det_image_resample(const det_image *image, det_interpolation how, int width, int height,
                              uint8_t *pixels)
{
    if (image->width < 1 || image->height < 1 || width < 1 || height < 1) return DET_ARGUMENT;
    taps across = {0}, down = {0};
    float *sums = det_alloc_array((size_t)image->width, 3 * sizeof *sums);
    const bool ready = sums && make_taps(&across, image->width, width, how) &&
                       make_taps(&down, image->height, height, how);
    for (int y = 0; ready && y < height; y++) {
        sum_rows(image, &down, y, sums);
        sum_columns(sums, &across, width, pixels + (size_t)y * 3 * (size_t)width);
    }
    free_taps(&across);
    free_taps(&down);
    det_free(sums);
    return ready ? DET_OK : DET_MEMORY;
}

det_status det_image_resize(const det_image *image, int width, int height, det_image *out,
                            det_error *error)
{
    *out = (det_image){0};
    if (image->width < 1 || image->height < 1)
        return det_fail(error, DET_ARGUMENT, "an empty picture cannot be resized");
    const det_status status = det_image_create(width, height, out, error);
    if (status < 0) return status;
    if (det_image_resample(image, DET_INTERPOLATE_AREA, width, height, out->pixels) == DET_OK)
        return DET_OK;
    det_image_free(out);
    return det_fail_memory(error, "resizing a picture");
}
