/* SPDX-License-Identifier: Apache-2.0 */
/* The four similarities of Uijlings et al., IJCV 2013, equations 1 to 5:
 *
 *   colour, texture   sum over bins of min(a_i, b_i), of L1-normalised histograms
 *   size              1 - (|a| + |b|) / |picture|: small regions merge first
 *   fill              1 - (|box around both| - |a| - |b|) / |picture|: regions that fit merge first
 *
 * combined as their mean. */
#include "proposals/selective_search/similarity.h"

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

det_rectangle det_rectangle_around(det_rectangle a, det_rectangle b)
{
    return (det_rectangle){smaller(a.x0, b.x0), smaller(a.y0, b.y0), larger(a.x1, b.x1),
                           larger(a.y1, b.y1)};
}

int64_t det_rectangle_area(det_rectangle r)
{
    return (int64_t)(r.x1 - r.x0) * (r.y1 - r.y0);
}

float det_similarity(unsigned terms, const det_histograms *histograms, const det_blob *a,
                     const det_blob *b, int64_t pixels)
{
    const int64_t both = (int64_t)a->size + b->size;
    float sum = 0, count = 0;
    if (terms & DET_SIMILARITY_COLOR) {
        sum += det_histograms_color(histograms, a->row, b->row);
        count++;
    }
    if (terms & DET_SIMILARITY_TEXTURE) {
        sum += det_histograms_texture(histograms, a->row, b->row);
        count++;
    }
    if (terms & DET_SIMILARITY_SIZE) {
        sum += 1 - (float)both / (float)pixels;
        count++;
    }
    if (terms & DET_SIMILARITY_FILL) {
        const int64_t gap = det_rectangle_area(det_rectangle_around(a->box, b->box)) - both;
        sum += 1 - (float)gap / (float)pixels;
        count++;
    }
    return sum / count;
}
