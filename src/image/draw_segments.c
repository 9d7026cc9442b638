/* SPDX-License-Identifier: Apache-2.0 */
/* Draws the segments of a picture, each in the mean colour of its pixels, with a line along every
 * border of two. */
#include "detect/draw.h"

#include "src/base/error.h"
#include "src/base/memory.h"

typedef struct {
    uint64_t sum[3]; /* b, g, r */
    uint64_t pixels;
    uint8_t mean[3]; /* rounded */
} color_sum;

typedef struct {
    const det_image *image;
    const det_segmentation *map;
    int line;        /* pixels */
    color_sum *sums; /* map->count */
} drawing;

/* Segment at a pixel of the picture, whose centre lies in one of the labels' cells. */
static int32_t label_at(const drawing *d, int x, int y)
{
    const int64_t column = (2 * (int64_t)x + 1) * d->map->width / (2 * (int64_t)d->image->width);
    const int64_t row = (2 * (int64_t)y + 1) * d->map->height / (2 * (int64_t)d->image->height);
    return d->map->labels[row * d->map->width + column];
}

static void sum_colors(const drawing *d)
{
    for (int y = 0; y < d->image->height; y++) {
        const uint8_t *pixel = d->image->pixels + (size_t)y * d->image->stride;
        for (int x = 0; x < d->image->width; x++, pixel += 3) {
            color_sum *sum = &d->sums[label_at(d, x, y)];
            for (int c = 0; c < 3; c++) sum->sum[c] += pixel[c];
            sum->pixels++;
        }
    }
}

/* A segment without a pixel of the picture, which is smaller than the labels, is not painted. */
static void find_means(const drawing *d)
{
    for (color_sum *sum = d->sums; sum < d->sums + d->map->count; sum++)
        for (int c = 0; c < 3 && sum->pixels > 0; c++)
            sum->mean[c] = (uint8_t)((sum->sum[c] + sum->pixels / 2) / sum->pixels);
}

/* Whether another segment begins within a line's width to the right or below. */
static bool at_border(const drawing *d, int x, int y, int32_t label)
{
    const int right = x + d->line, below = y + d->line;
    return (right < d->image->width && label_at(d, right, y) != label) ||
           (below < d->image->height && label_at(d, x, below) != label);
}

/* Darker than the segment, or lighter where that is nearly black. */
static uint8_t border_value(const uint8_t mean[3], int channel)
{
    enum { nearly_black = 40, lighter = 50 };
    const int grey = (mean[0] + 2 * mean[1] + mean[2]) / 4;
    return (uint8_t)(grey < nearly_black ? mean[channel] / 2 + lighter : mean[channel] / 2);
}

static void paint(const drawing *d, det_image *drawn)
{
    for (int y = 0; y < drawn->height; y++) {
        uint8_t *pixel = drawn->pixels + (size_t)y * drawn->stride;
        for (int x = 0; x < drawn->width; x++, pixel += 3) {
            const int32_t label = label_at(d, x, y);
            const uint8_t *mean = d->sums[label].mean;
            const bool border = at_border(d, x, y, label);
            for (int c = 0; c < 3; c++) pixel[c] = border ? border_value(mean, c) : mean[c];
        }
    }
}

static det_status check(const det_image *image, const det_segmentation *map, det_error *error)
{
    if (!image->pixels || image->width < 1 || image->height < 1)
        return det_fail(error, DET_ARGUMENT, "an empty picture cannot be drawn");
    if (!map->labels || map->width < 1 || map->height < 1)
        return det_fail(error, DET_ARGUMENT, "an empty segmentation cannot be drawn");
    const size_t count = (size_t)map->width * (size_t)map->height;
    for (size_t i = 0; i < count; i++)
        if (map->labels[i] < 0 || map->labels[i] >= map->count)
            return det_fail(error, DET_ARGUMENT, "label %d at %zu is not one of %d segments",
                            map->labels[i], i, map->count);
    return DET_OK;
}

det_status det_draw_segments(const det_image *image, const det_segmentation *segmentation,
                             det_image *drawn, det_error *error)
{
    enum { pixels_a_line = 1000 };
    *drawn = (det_image){0};
    det_status status = check(image, segmentation, error);
    if (status < 0) return status;
    color_sum *sums = det_alloc_zeroed((size_t)segmentation->count, sizeof *sums);
    if (!sums) return det_fail_memory(error, "the colours of segments");

    const int side = image->width > image->height ? image->width : image->height;
    const drawing d = {image, segmentation, 1 + side / pixels_a_line, sums};
    status = det_image_create(image->width, image->height, drawn, error);
    if (status == DET_OK) {
        sum_colors(&d);
        find_means(&d);
        paint(&d, drawn);
    }
    det_free(sums);
    return status;
}
