/* SPDX-License-Identifier: Apache-2.0 */
/* RoI align and RoI max pooling. The mean of bilinear samples is separable: a bin of the result is
 *
 *   out[i][j] = sum over cells y, x of down[i][y] * across[j][x] * map[y][x]
 *
 * where down[i] holds the weights of the few rows that samples of bin i lie between. A row of the
 * result first sums its rows of the map over the columns that the box reaches, and then sums
 * columns. All inner loops run over channels.
 *
 * The gradient goes the same way back: a row of bins is spread over columns, and the row of columns
 * over rows of the map. Regions overlap on the map, so threads share its channels, not regions. */
#include "src/nn/roi_pool.h"

#include "src/base/memory.h"
#include "src/base/parallel.h"

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

/* Weights that the taps of a bin may have. */
static size_t tap_room(const axis *a)
{
    return (size_t)ceil(fmin(a->bin, a->size)) + 3;
}

static bool make_scratch(scratch *s, const axis *x, const axis *y, int width, int channels)
{
    const size_t room = tap_room(x), room_down = tap_room(y);
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

/* ---- The gradient of align --------------------------------------------------------------------
 */

/* Channels that a thread takes at a time: a row of cells of them, and the rows of the map that it
 * is added to, stay in its cache. */
enum { SLICE = 64 };

static size_t slice_count(int channels)
{
    return ((size_t)channels + SLICE - 1) / SLICE;
}

/* The taps of all regions: of each the columns, then the rows. */
typedef struct {
    taps *taps; /* count x (width + height) */
    float *weights;
    size_t reach; /* cells of a row that a region looks at, at most */
} tap_table;

/* What threads work on. */
typedef struct {
    const det_roi_gradients *regions;
    det_shape shape;
    const float *values; /* of the map, or NULL */
    float *gradients;
    tap_table table;
    float *rows; /* of each thread: reach x SLICE */
} backward;

static axis column_axis(const backward *b, size_t region)
{
    const det_box box = b->regions->boxes[region];
    return make_axis(box.x0, box.x1, b->regions->width, b->shape.width);
}

static axis row_axis(const backward *b, size_t region)
{
    const det_box box = b->regions->boxes[region];
    return make_axis(box.y0, box.y1, b->regions->height, b->shape.height);
}

static float *fill_taps(const axis *a, int bins, taps *t, float *weights)
{
    for (int i = 0; i < bins; i++, weights += tap_room(a)) {
        t[i].weights = weights;
        find_taps(a, i, &t[i]);
    }
    return weights;
}

static bool make_table(backward *b)
{
    const det_roi_gradients *r = b->regions;
    const size_t bins = (size_t)r->width + (size_t)r->height;
    size_t room = 0;
    for (size_t i = 0; i < r->count; i++) {
        const axis x = column_axis(b, i), y = row_axis(b, i);
        room += (size_t)r->width * tap_room(&x) + (size_t)r->height * tap_room(&y);
    }
    b->table.taps = det_alloc_array(r->count, bins * sizeof *b->table.taps);
    b->table.weights = det_alloc_array(room, sizeof *b->table.weights);
    if (!b->table.taps || !b->table.weights) return false;
    float *weights = b->table.weights;
    for (size_t i = 0; i < r->count; i++) {
        const axis x = column_axis(b, i), y = row_axis(b, i);
        taps *t = b->table.taps + i * bins;
        weights = fill_taps(&x, r->width, t, weights);
        weights = fill_taps(&y, r->height, t + r->width, weights);
        const taps *last = &t[r->width - 1];
        const size_t reach = (size_t)(last->first + last->count - t->first);
        if (reach > b->table.reach) b->table.reach = reach;
    }
    return true;
}

/* Bins of a row, gradients[j][c], spread over the cells x of a row: row[x][c]. */
static void spread_bins(const backward *b, const taps *columns, const float *gradients,
                        size_t count, float *row)
{
    const size_t channels = (size_t)b->shape.channels;
    for (int j = 0; j < b->regions->width; j++, gradients += channels) {
        const taps *t = &columns[j];
        float *cell = row + (size_t)(t->first - columns->first) * SLICE;
        for (int k = 0; k < t->count; k++, cell += SLICE)
            add_scaled(cell, gradients, t->weights[k], count);
    }
}

/* That row, spread over the rows of the map. @param map its first channel of the slice. */
static void spread_row(const backward *b, const taps *columns, const taps *down, const float *row,
                       size_t count, float *map)
{
    const size_t channels = (size_t)b->shape.channels;
    const taps *last = &columns[b->regions->width - 1];
    const int reach = last->first + last->count - columns->first;
    for (int k = 0; k < down->count; k++) {
        const int first = (down->first + k) * b->shape.width + columns->first;
        float *cell = map + (size_t)first * channels;
        for (int x = 0; x < reach; x++, cell += channels)
            add_scaled(cell, row + (size_t)x * SLICE, down->weights[k], count);
    }
}

static size_t slice_size(const backward *b, size_t first)
{
    const size_t left = (size_t)b->shape.channels - first;
    return left < SLICE ? left : SLICE;
}

static void align_slice(void *context, size_t index, int worker)
{
    const backward *b = context;
    const det_roi_gradients *r = b->regions;
    const size_t first = index * SLICE, count = slice_size(b, first);
    const size_t channels = (size_t)b->shape.channels;
    float *row = b->rows + (size_t)worker * b->table.reach * SLICE;
    const float *gradients = r->values + first;
    for (size_t i = 0; i < r->count; i++) {
        const taps *columns = b->table.taps + i * ((size_t)r->width + (size_t)r->height);
        for (int y = 0; y < r->height; y++, gradients += (size_t)r->width * channels) {
            memset(row, 0, b->table.reach * SLICE * sizeof *row);
            spread_bins(b, columns, gradients, count, row);
            spread_row(b, columns, &columns[r->width + y], row, count, b->gradients + first);
        }
    }
}

det_status det_roi_align_gradient(const det_roi_gradients *regions, det_shape shape,
                                  float *gradients, int threads)
{
    if (regions->count == 0) return DET_OK;
    backward b = {.regions = regions, .shape = shape, .gradients = gradients};
    bool ready = make_table(&b);
    if (ready) {
        const size_t workers = (size_t)det_resolve_threads(threads);
        b.rows = det_alloc_aligned(workers * b.table.reach * SLICE * sizeof *b.rows);
        ready = b.rows;
    }
    if (ready) det_parallel_for(slice_count(shape.channels), threads, align_slice, &b);
    det_free(b.table.taps);
    det_free(b.table.weights);
    det_free(b.rows);
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

/* ---- The gradient of max ----------------------------------------------------------------------
 */

/* The cells of a bin. */
typedef struct {
    int left, right, top, bottom;
} cell_range;

/* Where the greatest value is that of a cell, the cell takes the bin's gradient, and none is left
 * for equal cells that follow. */
static void give_to_greatest(float *restrict cell, const float *restrict x,
                             const float *restrict most, float *restrict left, size_t count)
{
    for (size_t c = 0; c < count; c++) {
        const float all = left[c], share = x[c] == most[c] ? all : 0;
        cell[c] += share;
        left[c] -= share;
    }
}

static void find_greatest(const backward *b, const cell_range *range, size_t first, size_t count,
                          float *most)
{
    for (int y = range->top; y < range->bottom; y++)
        for (int x = range->left; x < range->right; x++) {
            const int cell = y * b->shape.width + x;
            const float *values = b->values + (size_t)cell * (size_t)b->shape.channels + first;
            if (y == range->top && x == range->left)
                memcpy(most, values, count * sizeof *most);
            else
                take_greater(most, values, count);
        }
}

/* @param first of the slice's channels. */
static void send_back(const backward *b, const cell_range *range, const float *gradients,
                      size_t first)
{
    const size_t channels = (size_t)b->shape.channels, count = slice_size(b, first);
    float most[SLICE], left[SLICE];
    find_greatest(b, range, first, count, most);
    memcpy(left, gradients, count * sizeof *left);
    for (int y = range->top; y < range->bottom; y++)
        for (int x = range->left; x < range->right; x++) {
            const int cell = y * b->shape.width + x;
            const size_t at = (size_t)cell * channels + first;
            give_to_greatest(b->gradients + at, b->values + at, most, left, count);
        }
}

static void max_slice(void *context, size_t index, int worker)
{
    (void)worker;
    const backward *b = context;
    const det_roi_gradients *r = b->regions;
    const size_t channels = (size_t)b->shape.channels;
    const float *gradients = r->values + index * SLICE;
    for (size_t n = 0; n < r->count; n++) {
        const det_box box = r->boxes[n];
        const whole_axis x = make_whole(box.x0, box.x1, r->width, b->shape.width);
        const whole_axis y = make_whole(box.y0, box.y1, r->height, b->shape.height);
        for (int i = 0; i < r->height; i++) {
            cell_range range;
            find_cells(&y, i, &range.top, &range.bottom);
            for (int j = 0; j < r->width; j++, gradients += channels) {
                find_cells(&x, j, &range.left, &range.right);
                if (range.left < range.right && range.top < range.bottom)
                    send_back(b, &range, gradients, index * SLICE);
            }
        }
    }
}

void det_roi_max_gradient(const det_roi_gradients *regions, const det_roi_map *map,
                          float *gradients, int threads)
{
    if (regions->count == 0) return;
    backward b = {
        .regions = regions, .shape = map->shape, .values = map->values, .gradients = gradients};
    det_parallel_for(slice_count(map->shape.channels), threads, max_slice, &b);
}
