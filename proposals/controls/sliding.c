/* SPDX-License-Identifier: Apache-2.0 */
/* A grid of windows: "SlidingWindow" of Hosang et al. (PAMI 2016), with sizes that halve the
 * picture's instead of fixed ones, so that any picture has some. */
#include "proposals/controls/frame.h"
#include "src/base/error.h"
#include "src/base/memory.h"

#include <math.h>
#include <stdlib.h>

enum {
    most_halvings = 30,
    most_difference = 3, /* of the halvings of a width and a height */
    most_sizes = most_halvings * (2 * most_difference + 1)
};

/* Windows of one size: columns x rows of them. */
typedef struct {
    int x_halvings, y_halvings;
    int width, height;
    int columns, rows;
} lattice;

typedef struct {
    int size;      /* which lattice */
    uint32_t rank; /* among the windows of its size, after sort_ranks: 0, 1, 2, ... */
    int column, row;
} window;

/* ---- Sizes ---- */

/* Lengths length / 2^i that are at least `least`. */
static int halve(int length, int least, int lengths[most_halvings])
{
    int count = 0;
    for (; count < most_halvings; count++) {
        const double half = ldexp(length, -count);
        if (half < 1 || round(half) < least) break;
        lengths[count] = (int)round(half);
    }
    return count;
}

/* Large before small, then those most like the picture in their shape. */
static int largest_first(const void *a, const void *b)
{
    const lattice *p = a, *q = b;
    const int p_sum = p->x_halvings + p->y_halvings, q_sum = q->x_halvings + q->y_halvings;
    if (p_sum != q_sum) return p_sum - q_sum;
    const int p_difference = abs(p->x_halvings - p->y_halvings);
    const int q_difference = abs(q->x_halvings - q->y_halvings);
    if (p_difference != q_difference) return p_difference - q_difference;
    return p->x_halvings - q->x_halvings;
}

static int choose_sizes(const det_frame *frame, lattice sizes[most_sizes])
{
    int widths[most_halvings], heights[most_halvings], count = 0;
    const int width_count = halve(frame->width, frame->min_side, widths);
    const int height_count = halve(frame->height, frame->min_side, heights);
    for (int i = 0; i < width_count; i++)
        for (int j = 0; j < height_count; j++)
            if (abs(i - j) <= most_difference)
                sizes[count++] = (lattice){i, j, widths[i], heights[j], 1, 1};
    qsort(sizes, (size_t)count, sizeof *sizes, largest_first);
    return count;
}

/* ---- Places ---- */

/* From one window to the next along a side with `room` pixels to move in. */
static double step(int room, int count)
{
    return count > 1 ? (double)room / (count - 1) : room;
}

/* Adds columns and rows where the steps are longest, up to `most` windows. */
static void fill_lattice(lattice *l, const det_frame *frame, size_t most)
{
    const int x_room = frame->width - l->width, y_room = frame->height - l->height;
    for (;;) {
        const size_t columns = (size_t)l->columns, rows = (size_t)l->rows;
        const bool x_fits = l->columns <= x_room && (columns + 1) * rows <= most;
        const bool y_fits = l->rows <= y_room && columns * (rows + 1) <= most;
        if (!x_fits && !y_fits) return;
        const bool widen = !y_fits || (x_fits && step(x_room, l->columns) >= step(y_room, l->rows));
        if (widen)
            l->columns++;
        else
            l->rows++;
    }
}

/* Shares `max` windows among the sizes. @return how many there are. */
static size_t fill_lattices(const det_frame *frame, lattice *sizes, int size_count)
{
    size_t placed = 0;
    for (int i = 0; i < size_count; i++) {
        const size_t left = (size_t)(size_count - i);
        const size_t share = (frame->max - placed + left - 1) / left;
        if (share == 0) sizes[i].columns = sizes[i].rows = 0;
        if (share > 0) fill_lattice(&sizes[i], frame, share);
        placed += (size_t)sizes[i].columns * (size_t)sizes[i].rows;
    }
    return placed;
}

static int place(int room, int index, int count)
{
    return (int)round(count > 1 ? step(room, count) * index : room / 2.);
}

/* ---- Order ---- */

/* Element (x, y) of an endless Bayer matrix, of the 16 lower bits of both: any first elements in
 * the order of its values are spread evenly (Bayer 1973). */
static uint32_t bayer(unsigned x, unsigned y)
{
    uint32_t value = 0;
    for (int bit = 0; bit < 16; bit++) {
        const unsigned x_bit = x >> bit & 1, y_bit = y >> bit & 1;
        value = value << 2 | (x_bit ^ y_bit) << 1 | y_bit;
    }
    return value;
}

static int by_rank_then_place(const void *a, const void *b)
{
    const window *p = a, *q = b;
    if (p->rank != q->rank) return p->rank < q->rank ? -1 : 1;
    if (p->size != q->size) return p->size - q->size;
    return p->row != q->row ? p->row - q->row : p->column - q->column;
}

/* The windows of a size in the order of a Bayer matrix that begins in the middle. */
static size_t list_lattice(const lattice *l, int size, window *windows)
{
    size_t count = 0;
    for (int row = 0; row < l->rows; row++)
        for (int column = 0; column < l->columns; column++) {
            const unsigned x = (unsigned)((column + l->columns - l->columns / 2) % l->columns);
            const unsigned y = (unsigned)((row + l->rows - l->rows / 2) % l->rows);
            windows[count++] = (window){size, bayer(x, y), column, row};
        }
    qsort(windows, count, sizeof *windows, by_rank_then_place);
    for (size_t i = 0; i < count; i++) windows[i].rank = (uint32_t)i;
    return count;
}

static void list_windows(const lattice *sizes, int size_count, window *windows)
{
    size_t count = 0;
    for (int i = 0; i < size_count; i++) count += list_lattice(&sizes[i], i, windows + count);
    qsort(windows, count, sizeof *windows, by_rank_then_place);
}

static det_region to_region(const det_frame *frame, const lattice *l, const window *w)
{
    const int x = place(frame->width - l->width, w->column, l->columns);
    const int y = place(frame->height - l->height, w->row, l->rows);
    return (det_region){.box = det_frame_box(frame, x, y, x + l->width, y + l->height)};
}

det_status det_propose_sliding(const det_image *image, const det_control_options *options,
                               det_region **regions, size_t *count, det_error *error)
{
    *regions = NULL;
    *count = 0;
    det_frame frame;
    const det_status status = det_frame_create(image, options, &frame, error);
    if (status < 0) return status;

    lattice sizes[most_sizes];
    const int size_count = choose_sizes(&frame, sizes);
    const size_t window_count = fill_lattices(&frame, sizes, size_count);
    window *windows = det_alloc_array(window_count, sizeof *windows);
    det_region *placed = det_alloc_array(window_count, sizeof *placed);
    if (windows && placed) {
        list_windows(sizes, size_count, windows);
        for (size_t i = 0; i < window_count; i++)
            placed[i] = to_region(&frame, &sizes[windows[i].size], &windows[i]);
        det_frame_score(placed, window_count, DET_SOURCE_SLIDING);
        *regions = placed;
        *count = window_count;
    } else {
        det_free(placed);
    }
    det_free(windows);
    return *regions ? DET_OK : det_fail_memory(error, "the windows of a picture");
}
