/* SPDX-License-Identifier: Apache-2.0 */
/* RoI align and RoI max pooling. The mean of bilinear samples is separable: a bin of the result is
 *
 *   out[i][j] = sum over cells y, x of down[i][y] * across[j][x] * map[y][x]
 *
 * where down[i] holds the weights of the few rows that samples of bin i lie between. A row of the
 * result first sums its rows of the map over the columns that the box reaches, and then sums
 * columns. All inner loops run over channels. */
#include "src/nn/roi_pool.h"

#include "src/base/memory.h"

#include <math.h>
#include <string.h>

/* ---- Align ------------------------------------------------------------------------------------
 */

/* One side of a box, divided into bins. */
typedef struct {
    double start, bin; /* cells */
    int samples;       /* of a bin */
    int size;          /* of the map */
} axis;

static axis make_axis(float low, float high, int bins, int size)
{
    const double bin = ((double)high - low) / bins;
    /* A side of one cell may come out a rounding error longer. More samples than cells the map has
     * would look at its edge alone. */
    const double samples = fmin(fmax(ceil(bin - 1e-4), 1), size);
    return (axis){low, bin, (int)samples, size};
}

/* Cells that samples of a bin lie between: `first`, and `count` with the weights `weights`. */
typedef struct {
    int first, count;
    float *weights;
} taps;

/* The place of sample k of bin `at`, as an index of cells that may be broken. */
static double place(const axis *a, int at, int k)
{
    const double x = a->start + (at + (k + .5) / a->samples) * a->bin - .5;
    return fmin(fmax(x, 0), a->size - 1);
}

/* Samples of a bin go from left to right, so the first and the last bound its cells. */
static void find_taps(const axis *a, int at, taps *t)
{
    t->first = (int)floor(place(a, at, 0));
    t->count = (int)ceil(place(a, at, a->samples - 1)) - t->first + 1;
    memset(t->weights, 0, (size_t)t->count * sizeof *t->weights);
    for (int k = 0; k < a->samples; k++) {
        const double x = place(a, at, k);
        const int cell = (int)floor(x);
        const double part = x - cell;
        t->weights[cell - t->first] += (float)((1 - part) / a->samples);
        if (part > 0) t->weights[cell - t->first + 1] += (float)(part / a->samples);
    }
}

/* out[c] = a x[c], or out[c] += a x[c] */
static void set_scaled(float *restrict out, const float *restrict x, float a, size_t count)
{
    for (size_t i = 0; i < count; i++) out[i] = a * x[i];
}

static void add_scaled(float *restrict out, const float *restrict x, float a, size_t count)
{
    for (size_t i = 0; i < count; i++) out[i] += a * x[i];
}

static void set_scaled_two(float *restrict out, const float *restrict x, float a,
                           const float *restrict y, float b, size_t count)
{
    for (size_t i = 0; i < count; i++) out[i] = a * x[i] + b * y[i];
}

/* The sum of t->count vectors that lie `step` floats apart, from t->first on. */
static void sum_taps(const taps *t, const float *values, size_t step, size_t count, float *out)
{
    const float *x = values + (size_t)t->first * step;
    if (t->count > 1)
        set_scaled_two(out, x, t->weights[0], x + step, t->weights[1], count);
    else
        set_scaled(out, x, t->weights[0], count);
    for (int i = 2; i < t->count; i++) add_scaled(out, x + (size_t)i * step, t->weights[i], count);
}

/* What a call needs besides: the taps of all columns, those of a row, and a row of the map. */
typedef struct {
    taps *columns; /* width */
    taps row;
    float *weights; /* of all of them */
    float *mixed;   /* columns of the map x channels */
} scratch;

static bool make_scratch(scratch *s, const axis *x, const axis *y, int width, int channels)
{
    const size_t room = (size_t)ceil(fmin(x->bin, x->size)) + 3;
    const size_t room_down = (size_t)ceil(fmin(y->bin, y->size)) + 3;
    s->columns = det_alloc_array((size_t)width, sizeof *s->columns);
    s->weights = det_alloc_array((size_t)width * room + room_down, sizeof *s->weights);
    if (!s->columns || !s->weights) return false;
    for (int j = 0; j < width; j++) {
        s->columns[j].weights = s->weights + (size_t)j * room;
        find_taps(x, j, &s->columns[j]);
    }
    s->row.weights = s->weights + (size_t)width * room;
    const taps *last = &s->columns[width - 1];
    const int reach = last->first + last->count - s->columns[0].first;
    s->mixed = det_alloc_aligned((size_t)reach * (size_t)channels * sizeof *s->mixed);
    return s->mixed;
}

static void align_row(const det_roi_map *map, const scratch *s, int width, float *out)
{
    const size_t channels = (size_t)map->shape.channels;
    const size_t step = (size_t)map->shape.width * channels;
    const int first = s->columns[0].first;
    const taps *last = &s->columns[width - 1];
    const size_t reach = (size_t)(last->first + last->count - first) * channels;
    sum_taps(&s->row, map->values + (size_t)first * channels, step, reach, s->mixed);
    for (int j = 0; j < width; j++) {
        taps t = s->columns[j];
        t.first -= first;
        sum_taps(&t, s->mixed, channels, channels, out + (size_t)j * channels);
    }
}

det_status det_roi_align(const det_roi_map *map, det_box box, int height, int width, float *out)
{
    const axis x = make_axis(box.x0, box.x1, width, map->shape.width);
    const axis y = make_axis(box.y0, box.y1, height, map->shape.height);
    scratch s = {0};
    const bool ready = make_scratch(&s, &x, &y, width, map->shape.channels);
    for (int i = 0; ready && i < height; i++, out += (size_t)width * (size_t)map->shape.channels) {
        find_taps(&y, i, &s.row);
        align_row(map, &s, width, out);
    }
    det_free(s.columns);
    det_free(s.weights);
    det_free(s.mixed);
    return ready ? DET_OK : DET_MEMORY;
}

/* ---- Max --------------------------------------------------------------------------------------
 */

/* One side of a box in whole cells. */
typedef struct {
    double start, cells;
    int bins, size;
} whole_axis;

static whole_axis make_whole(float low, float high, int bins, int size)
{
    const double start = round((double)low), cells = round((double)high) - start;
    return (whole_axis){start, cells < 1 ? 1 : cells, bins, size};
}

/* Cells [*from, *to) of a bin that are on the map. */
static void find_cells(const whole_axis *a, int at, int *from, int *to)
{
    const double first = a->start + floor(at * a->cells / a->bins);
    const double end = a->start + ceil((at + 1) * a->cells / a->bins);
    *from = (int)fmin(fmax(first, 0), a->size);
    *to = (int)fmin(fmax(end, 0), a->size);
}

static void take_greater(float *restrict out, const float *restrict x, size_t count)
{
    for (size_t i = 0; i < count; i++) out[i] = x[i] > out[i] ? x[i] : out[i];
}

void det_roi_max(const det_roi_map *map, det_box box, int height, int width, float *out)
{
    const size_t channels = (size_t)map->shape.channels;
    const whole_axis x = make_whole(box.x0, box.x1, width, map->shape.width);
    const whole_axis y = make_whole(box.y0, box.y1, height, map->shape.height);
    for (int i = 0; i < height * width; i++, out += channels) {
        int left, right, top, bottom;
        find_cells(&y, i / width, &top, &bottom);
        find_cells(&x, i % width, &left, &right);
        const int columns = right - left, cells = (bottom - top) * columns;
        if (cells <= 0) memset(out, 0, channels * sizeof *out);
        for (int k = 0; k < cells; k++) {
            const int cell = (top + k / columns) * map->shape.width + left + k % columns;
            const float *value = map->values + (size_t)cell * channels;
            if (k == 0)
                memcpy(out, value, channels * sizeof *out);
            else
                take_greater(out, value, channels);
        }
    }
}
