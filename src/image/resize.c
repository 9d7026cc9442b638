/* SPDX-License-Identifier: Apache-2.0 */
/* Resizes pictures. Area averaging and bilinear interpolation are separable, and both are weighted
 * sums of neighbouring pixels: a table per axis says which and how much. The sum down the columns
 * comes first, because it runs over whole rows, which GCC turns into vector instructions. */
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

static bool make_taps(taps *t, int from, int to)
{
    const double scale = (double)from / to;
    const size_t count = (size_t)to;
    size_t weights;
    t->room = (size_t)ceil(scale) + 1;
    if (!det_multiply_size(count, t->room, &weights)) return false;
    t->first = det_alloc_array(count, sizeof *t->first);
    t->count = det_alloc_array(count, sizeof *t->count);
    t->weights = det_alloc_array(weights, sizeof *t->weights);
    if (!t->first || !t->count || !t->weights) return false;
    for (int i = 0; i < to; i++)
        if (to < from)
            average(t, i, scale, from);
        else
            interpolate(t, i, scale, from);
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
        for (int c = 0; c < 3; c++) out[c] = (uint8_t)fminf(total[c], 255);
    }
}

det_status det_image_resize(const det_image *image, int width, int height, det_image *out,
                            det_error *error)
{
    *out = (det_image){0};
    if (image->width < 1 || image->height < 1)
        return det_fail(error, DET_ARGUMENT, "an empty picture cannot be resized");
    det_status status = det_image_create(width, height, out, error);
    if (status < 0) return status;

    taps across = {0}, down = {0};
    float *sums = det_alloc_array((size_t)image->width, 3 * sizeof *sums);
    if (!sums || !make_taps(&across, image->width, width) ||
        !make_taps(&down, image->height, height)) {
        status = det_fail_memory(error, "resizing a picture");
        det_image_free(out);
        goto done;
    }
    for (int y = 0; y < height; y++) {
        sum_rows(image, &down, y, sums);
        sum_columns(sums, &across, width, out->pixels + (size_t)y * out->stride);
    }
done:
    free_taps(&across);
    free_taps(&down);
    det_free(sums);
    return status;
}
