/* SPDX-License-Identifier: Apache-2.0 */
/* Warps regions to crops (R-CNN, Girshick et al. 2014, appendix A).
 *
 * Bilinear interpolation is separable. A row of the crop first blends the two picture rows around
 * it over the columns that the crop needs, which GCC turns into vector instructions; then every
 * crop pixel blends two neighbours in that row. The row has one more column at each end of the
 * picture, of the colour outside, so that the inner loops know no borders.
 *
 * Weights are fixed-point: 8 bits down (sums stay in 16) and 11 across. Their rounding moves a
 * value by less than 255 / 512 + 255 / 4096, so a crop differs by one grey level at most from exact
 * arithmetic. */
#include "src/image/crop.h"

#include "src/base/memory.h"

#include <math.h>

enum { down_bits = 8, across_bits = 11, down_one = 1 << down_bits, across_one = 1 << across_bits };

/* Where a sample lies between two picture rows or columns: `first` and the one after it, from -1
 * (outside, then 0) to size - 1 (the last, then outside). The second one has `weight`. */
typedef struct {
    int first;
    unsigned weight;
} tap;

/* Crop pixel i of one axis takes the picture at start + i * step, in pixel indices. */
typedef struct {
    double start, step;
    int size; /* of the picture */
} axis;

typedef struct {
    tap *columns;    /* one a crop column */
    uint16_t *mixed; /* picture columns first .. last, blended down */
    uint8_t *beyond; /* a picture row of the colour outside */
    int first, last;
} scratch;

static axis make_axis(float low, float high, int inner, int context, int size)
{
    const double step = ((double)high - low) / inner;
    return (axis){low + (.5 - context) * step - .5, step, size};
}

static tap take(const axis *a, int index, unsigned one)
{
    const double at = fmin(fmax(a->start + index * a->step, -1), a->size);
    const int first = at >= a->size ? a->size - 1 : (int)floor(at);
    return (tap){first, (unsigned)lround((at - first) * one)};
}

/* mixed = upper * (1 - weight) + lower * weight, down_bits of fraction. */
static void mix_rows(const uint8_t *restrict upper, const uint8_t *restrict lower, unsigned weight,
                     size_t count, uint16_t *restrict mixed)
{
    const uint16_t b = (uint16_t)weight, a = (uint16_t)(down_one - b);
    for (size_t i = 0; i < count; i++) mixed[i] = (uint16_t)(upper[i] * a + lower[i] * b);
}

/* out is (width, 3): column i takes mixed columns columns[i].first and the next. */
static void mix_columns(const scratch *s, int width, uint8_t *restrict out)
{
    const unsigned half = 1u << (down_bits + across_bits - 1);
    for (int i = 0; i < width; i++, out += 3) {
        const tap t = s->columns[i];
        const uint16_t *p = s->mixed + 3 * (ptrdiff_t)(t.first - s->first);
        const unsigned b = t.weight, a = across_one - b;
        for (int c = 0; c < 3; c++)
            out[c] = (uint8_t)((p[c] * a + p[c + 3] * b + half) >> (down_bits + across_bits));
    }
}

static void fill_outside(uint16_t *mixed, const uint8_t *outside)
{
    for (int c = 0; c < 3; c++) mixed[c] = (uint16_t)(outside[c] * down_one);
}

/* Columns of the crop grow to the right, so the first and the last tap bound them all. */
static bool prepare(scratch *s, const axis *x, const det_crop_options *options)
{
    s->columns = det_alloc_array((size_t)options->width, sizeof *s->columns);
    if (!s->columns) return false;
    for (int i = 0; i < options->width; i++) s->columns[i] = take(x, i, across_one);
    s->first = s->columns[0].first;
    s->last = s->columns[options->width - 1].first + 1;

    const size_t count = (size_t)(s->last - s->first) + 1;
    s->mixed = det_alloc_array(count, 3 * sizeof *s->mixed);
    s->beyond = det_alloc_array(count, 3);
    if (!s->mixed || !s->beyond) return false;
    if (s->first < 0) fill_outside(s->mixed, options->outside);
    if (s->last >= x->size) fill_outside(s->mixed + 3 * (count - 1), options->outside);
    for (size_t i = 0; i < 3 * count; i++) s->beyond[i] = options->outside[i % 3];
    return true;
}

/* Row y of the picture from column `from` on, or the colour outside where there is none. */
static const uint8_t *row_at(const det_image *image, const scratch *s, int y, int from)
{
    if (y < 0 || y >= image->height) return s->beyond;
    return image->pixels + (size_t)y * image->stride + 3 * (size_t)from;
}

static void crop_rows(const det_image *image, const scratch *s, const axis *y,
                      const det_crop_options *options, uint8_t *pixels)
{
    const int from = s->first < 0 ? 0 : s->first;
    const int to = s->last >= image->width ? image->width : s->last + 1;
    const size_t count = 3 * (size_t)(to - from);
    uint16_t *mixed = s->mixed + 3 * (size_t)(from - s->first);
    for (int j = 0; j < options->height; j++) {
        const tap t = take(y, j, down_one);
        mix_rows(row_at(image, s, t.first, from), row_at(image, s, t.first + 1, from), t.weight,
                 count, mixed);
        mix_columns(s, options->width, pixels + (size_t)j * 3 * (size_t)options->width);
    }
}

static bool is_sound(det_box box)
{
    return isfinite(box.x0) && isfinite(box.y0) && isfinite(box.x1) && isfinite(box.y1) &&
           box.x1 > box.x0 && box.y1 > box.y0;
}

det_status det_crop(const det_image *image, det_box box, const det_crop_options *options,
                    uint8_t *pixels)
{
    const int context = options->context_px;
    if (context < 0 || options->width < 1 || options->height < 1) return DET_ARGUMENT;
    if ((options->width - 1) / 2 < context || (options->height - 1) / 2 < context)
        return DET_ARGUMENT;
    if (image->width < 1 || image->height < 1 || !is_sound(box)) return DET_ARGUMENT;

    const axis x = make_axis(box.x0, box.x1, options->width - 2 * context, context, image->width);
    const axis y = make_axis(box.y0, box.y1, options->height - 2 * context, context, image->height);
    scratch s = {0};
    const bool ready = prepare(&s, &x, options);
    if (ready) crop_rows(image, &s, &y, options, pixels);
    det_free(s.columns);
    det_free(s.mixed);
    det_free(s.beyond);
    return ready ? DET_OK : DET_MEMORY;
}
