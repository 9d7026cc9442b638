/* SPDX-License-Identifier: Apache-2.0 */
/* Colour and texture of regions (Uijlings et al., IJCV 2013, section 3.2).
 *
 * Colour: 25 bins a channel. Texture: Gaussian derivatives of each channel in 8 orientations, 45
 * degrees apart, negative ones counted as 0; 10 bins each over 0 to the response to an edge from
 * black to white. Since a derivative is positive in at most one of two opposite orientations, a
 * pixel has 4 values a channel, not 8. All bins of a pixel are found once for a colour space; a
 * segmentation then only counts.
 *
 * The derivative of a Gaussian of variance s^2 is a blur of variance s^2 - 1/3 followed by the
 * kernel [1 4 1]/6 x [-1 0 1]/2, whose variance is 1/3 along both axes. */
#include "proposals/selective_search/features.h"

#include "proposals/selective_search/blur.h"
#include "src/base/error.h"

#include <math.h>
#include <string.h>

enum { axes = 4, codes_per_channel = 1 + axes };

/* The two ways to measure texture. */
typedef struct {
    float sigma; /* of the Gaussian, pixels */
    float range; /* derivatives of 255 times this and above fall into the last bin */
    bool first_channel_only;
} texture_kind;

static const texture_kind texture_kinds[] = {
    /* The derivative of a unit step is the Gaussian itself, at most 1 / (sqrt(2 pi) sigma). */
    [DET_TEXTURE_PAPER] = {1, .398942f, false},
    [DET_TEXTURE_CODE] = {.8f, .43f, true},
};

static size_t pixel_count(const det_planes *planes)
{
    return (size_t)planes->width * (size_t)planes->height;
}

static void code_colors(const det_planes *planes, uint8_t *codes)
{
    const size_t pixels = pixel_count(planes), step = (size_t)planes->channels * codes_per_channel;
    for (int c = 0; c < planes->channels; c++) {
        const uint8_t *plane = planes->values + (size_t)c * pixels;
        for (size_t i = 0; i < pixels; i++)
            codes[i * step + (size_t)c] =
                (uint8_t)(c * DET_COLOR_BINS + plane[i] * DET_COLOR_BINS / 256);
    }
}

/* The place of a derivative, in tenths of the range, among the 20 bins of its axis. */
static uint32_t texture_bin(float tenths)
{
    const float size = fabsf(tenths);
    const int bin = (int)(size < 9 ? size : 9);
    const int opposite = tenths < 0 ? 10 : 0;
    return (uint32_t)(bin ? bin + opposite : 0);
}

/* What the derivatives of a row are made of: [1 4 1] and [-1 0 1] along its columns, and a value
 * repeated on both sides. */
typedef struct {
    float *smooth, *change; /* of pixel x at x + 1 */
    uint32_t *words;        /* the four codes of each pixel */
} texture_row;

static void combine_rows(const float *const rows[3], size_t width, const texture_row *t)
{
    const float *above = rows[0], *row = rows[1], *below = rows[2];
    float *restrict smooth = t->smooth + 1, *restrict change = t->change + 1;
    for (size_t x = 0; x < width; x++) {
        smooth[x] = above[x] + 4 * row[x] + below[x];
        change[x] = below[x] - above[x];
    }
    t->smooth[0] = smooth[0];
    t->change[0] = change[0];
    smooth[width] = smooth[width - 1];
    change[width] = change[width - 1];
}

/* words[x] = the codes of the axes at 0, 45, 90 and 135 degrees, the first in the lowest byte. */
static void code_row(const texture_row *t, size_t width, float tenths, uint32_t first_code)
{
    const float *restrict smooth = t->smooth, *restrict change = t->change;
    uint32_t *restrict words = t->words;
    const uint32_t start = first_code * 0x01010101u + 0x3c281400u; /* 60, 40, 20, 0 */
    const float straight = tenths / 12, diagonal = tenths / 12 * .70710678f;
    for (size_t x = 0; x < width; x++) {
        const float gx = smooth[x + 2] - smooth[x];
        const float gy = change[x] + 4 * change[x + 1] + change[x + 2];
        words[x] = start + texture_bin(gx * straight) + (texture_bin((gx + gy) * diagonal) << 8) +
                   (texture_bin(gy * straight) << 16) + (texture_bin((gy - gx) * diagonal) << 24);
    }
}

static void store_words(const uint32_t *words, size_t width, uint8_t *codes, size_t step)
{
    for (size_t x = 0; x < width; x++, codes += step)
        for (int a = 0; a < axes; a++) codes[a] = (uint8_t)(words[x] >> (8 * a));
}

/* Codes of channel `to` from a blurred plane. */
static void code_texture(const det_planes *planes, const float *blurred, float tenths, int to,
                         const texture_row *t, uint8_t *codes)
{
    const size_t width = (size_t)planes->width, height = (size_t)planes->height;
    const size_t step = (size_t)planes->channels * codes_per_channel;
    codes += planes->channels + axes * to;
    for (size_t y = 0; y < height; y++) {
        const float *row = blurred + y * width;
        const float *rows[3] = {y > 0 ? row - width : row, row, y + 1 < height ? row + width : row};
        combine_rows(rows, width, t);
        code_row(t, width, tenths, (uint32_t)(DET_TEXTURE_BINS * to));
        store_words(t->words, width, codes + y * width * step, step);
    }
}

/* Codes of every channel, from its own texture or that of the first. */
static det_status code_textures(const det_planes *planes, const texture_kind *kind,
                                det_arena *scratch, uint8_t *codes, det_error *error)
{
    const size_t pixels = pixel_count(planes), width = (size_t)planes->width;
    float *blurred = det_arena_take(scratch, pixels, sizeof *blurred);
    const texture_row row = {det_arena_take(scratch, width + 2, sizeof *row.smooth),
                             det_arena_take(scratch, width + 2, sizeof *row.change),
                             det_arena_take(scratch, width, sizeof *row.words)};
    if (!blurred || !row.smooth || !row.change || !row.words)
        return det_fail_memory(error, "the texture of a picture");

    const double sigma = sqrt(kind->sigma * kind->sigma - 1. / 3);
    for (int c = 0; c < planes->channels; c++) {
        const size_t from = kind->first_channel_only ? 0 : (size_t)c;
        const det_status status = det_blur(planes->values + from * pixels, planes->width,
                                           planes->height, sigma, scratch, blurred, error);
        if (status < 0) return status;
        code_texture(planes, blurred, 10 / (255 * kind->range), c, &row, codes);
    }
    return DET_OK;
}

det_status det_codes_create(const det_planes *planes, det_texture texture, det_arena *arena,
                            det_arena *scratch, det_codes *codes, det_error *error)
{
    uint8_t *values =
        det_arena_take(arena, pixel_count(planes), (size_t)planes->channels * codes_per_channel);
    if (!values) return det_fail_memory(error, "the features of a picture");
    *codes = (det_codes){planes->channels, values};
    code_colors(planes, values);
    return code_textures(planes, &texture_kinds[texture], scratch, values, error);
}

static det_status create_rows(int rows, int channels, det_arena *arena, det_histograms *histograms,
                              det_error *error)
{
    const int color_bins = (DET_COLOR_BINS * channels + 15) & ~15;
    const int bins = color_bins + DET_TEXTURE_BINS * channels;
    const size_t cells = (size_t)rows * (size_t)bins;
    *histograms =
        (det_histograms){.rows = rows,
                         .channels = channels,
                         .color_bins = color_bins,
                         .bins = bins,
                         .counts = det_arena_take(arena, cells, sizeof *histograms->counts),
                         .shares = det_arena_take(arena, cells, sizeof *histograms->shares)};
    if (histograms->counts && histograms->shares) return DET_OK;
    return det_fail_memory(error, "the histograms of regions");
}

static void count_codes(const det_codes *codes, const det_segments *segments,
                        det_histograms *histograms)
{
    const size_t pixels = (size_t)segments->width * (size_t)segments->height;
    const size_t colors = (size_t)codes->channels, step = colors * codes_per_channel;
    const size_t bins = (size_t)histograms->bins, color_bins = (size_t)histograms->color_bins;
    const uint8_t *code = codes->values;
    for (size_t i = 0; i < pixels; i++, code += step) {
        int32_t *row = histograms->counts + (size_t)segments->labels[i] * bins;
        for (size_t c = 0; c < colors; c++) row[code[c]]++;
        for (size_t c = colors; c < step; c++) row[color_bins + code[c]]++;
    }
}

/* Bin 0 of an orientation holds the pixels that none of its other bins does. */
static void fill_first_bins(int32_t *texture, int bins, int32_t size)
{
    for (int32_t *end = texture + bins; texture < end; texture += 10) {
        texture[0] = size;
        for (int b = 1; b < 10; b++) texture[0] -= texture[b];
    }
}

static void share_row(const det_histograms *histograms, int row, int32_t size)
{
    const size_t bins = (size_t)histograms->bins;
    const int32_t *counts = histograms->counts + (size_t)row * bins;
    int16_t *shares = histograms->shares + (size_t)row * bins;
    const float scale = (float)DET_HISTOGRAM_FULL / (float)size;
    for (size_t i = 0; i < bins; i++) shares[i] = (int16_t)(int)((float)counts[i] * scale + .5f);
}

det_status det_histograms_create(const det_codes *codes, const det_segments *segments,
                                 const det_blob *blobs, det_arena *arena,
                                 det_histograms *histograms, det_error *error)
{
    const det_status status =
        create_rows(segments->count, codes->channels, arena, histograms, error);
    if (status < 0) return status;

    const size_t bins = (size_t)histograms->bins;
    memset(histograms->counts, 0, (size_t)segments->count * bins * sizeof *histograms->counts);
    count_codes(codes, segments, histograms);
    for (int row = 0; row < segments->count; row++) {
        fill_first_bins(histograms->counts + (size_t)row * bins + histograms->color_bins,
                        histograms->bins - histograms->color_bins, blobs[row].size);
        share_row(histograms, row, blobs[row].size);
    }
    return DET_OK;
}

det_status det_histograms_copy(const det_histograms *from, det_arena *arena, det_histograms *to,
                               det_error *error)
{
    const det_status status = create_rows(from->rows, from->channels, arena, to, error);
    if (status < 0) return status;
    const size_t cells = (size_t)from->rows * (size_t)from->bins;
    memcpy(to->counts, from->counts, cells * sizeof *to->counts);
    memcpy(to->shares, from->shares, cells * sizeof *to->shares);
    return DET_OK;
}

void det_histograms_merge(det_histograms *histograms, int a, int b, int32_t size)
{
    const size_t bins = (size_t)histograms->bins;
    int32_t *to = histograms->counts + (size_t)a * bins;
    const int32_t *from = histograms->counts + (size_t)b * bins;
    for (size_t i = 0; i < bins; i++) to[i] += from[i];
    share_row(histograms, a, size);
}

/* Sum of the smaller of each pair. In integers, so that any order of summation gives the same. */
static int32_t intersection(const int16_t *a, const int16_t *b, int bins)
{
    int32_t sum = 0;
    for (int i = 0; i < bins; i++) sum += a[i] < b[i] ? a[i] : b[i];
    return sum;
}

float det_histograms_color(const det_histograms *histograms, int a, int b)
{
    const size_t bins = (size_t)histograms->bins;
    const int16_t *shares = histograms->shares;
    return (float)intersection(shares + (size_t)a * bins, shares + (size_t)b * bins,
                               histograms->color_bins) /
           (float)(histograms->channels * DET_HISTOGRAM_FULL);
}

float det_histograms_texture(const det_histograms *histograms, int a, int b)
{
    const size_t bins = (size_t)histograms->bins, skip = (size_t)histograms->color_bins;
    const int16_t *shares = histograms->shares + skip;
    return (float)intersection(shares + (size_t)a * bins, shares + (size_t)b * bins,
                               (int)(bins - skip)) /
           (float)(8 * histograms->channels * DET_HISTOGRAM_FULL);
}
