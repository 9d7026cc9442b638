/* SPDX-License-Identifier: Apache-2.0 */
/* The graph that the segmentation merges along (Felzenszwalb and Huttenlocher, IJCV 2004): one
 * node a pixel, an edge to each of its 8 neighbours, weighted by the distance of their colours.
 *
 * Weights are rounded to 1/64 grey level, so that a counting sort orders all edges in two passes;
 * it is stable, which makes the order total. One graph serves every scale k. */
#include "proposals/selective_search/graph.h"

#include "proposals/selective_search/blur.h"
#include "src/base/error.h"

#include <math.h>
#include <string.h>

/* Weights of the edges from one row: the four directions one after the other, `width` each. */
typedef uint16_t weight;

/* planes as floats, channels x height x width, each blurred. */
static det_status blur_planes(const det_planes *planes, double sigma_px, det_arena *scratch,
                              float *blurred, det_error *error)
{
    const size_t pixels = (size_t)planes->width * (size_t)planes->height;
    for (size_t c = 0; c < (size_t)planes->channels; c++) {
        const det_status status =
            det_blur(planes->values + c * pixels, planes->width, planes->height, sigma_px, scratch,
                     blurred + c * pixels, error);
        if (status < 0) return status;
    }
    return DET_OK;
}

/* out[i] = weight of the edge from a[i] to b[i]; the channels of a pixel are `stride` apart. */
static void weigh(const float *a, const float *b, size_t stride, int channels, float scale,
                  size_t count, weight *out)
{
    if (channels == 3)
        for (size_t i = 0; i < count; i++) {
            const float d0 = a[i] - b[i], d1 = a[i + stride] - b[i + stride],
                        d2 = a[i + 2 * stride] - b[i + 2 * stride];
            out[i] = (weight)(int)(sqrtf(d0 * d0 + d1 * d1 + d2 * d2) * scale + .5f);
        }
    else if (channels == 2)
        for (size_t i = 0; i < count; i++) {
            const float d0 = a[i] - b[i], d1 = a[i + stride] - b[i + stride];
            out[i] = (weight)(int)(sqrtf(d0 * d0 + d1 * d1) * scale + .5f);
        }
    else
        for (size_t i = 0; i < count; i++) out[i] = (weight)(int)(fabsf(a[i] - b[i]) * scale + .5f);
}

/* weights[y][direction][x]; places whose edge would leave the picture hold DET_EDGE_BUCKETS. */
static void weigh_edges(const det_planes *planes, const float *blurred, weight *weights)
{
    const size_t width = (size_t)planes->width, height = (size_t)planes->height;
    const size_t stride = width * height;
    const float scale = sqrtf((float)planes->repeat) * DET_EDGE_STEPS;
    for (size_t i = 0; i < 4 * stride; i++) weights[i] = DET_EDGE_BUCKETS;

    for (size_t y = 0; y < height; y++) {
        const float *row = blurred + y * width, *below = row + width;
        weight *out = weights + 4 * y * width;
        weigh(row, row + 1, stride, planes->channels, scale, width - 1, out);
        if (y + 1 == height) break;
        weigh(row + 1, below, stride, planes->channels, scale, width - 1, out + width + 1);
        weigh(row, below, stride, planes->channels, scale, width, out + 2 * width);
        weigh(row, below + 1, stride, planes->channels, scale, width - 1, out + 3 * width);
    }
}

/* start[w] = number of edges lighter than w. */
static void count_weights(const weight *weights, size_t count, uint32_t *start)
{
    memset(start, 0, (DET_EDGE_BUCKETS + 1) * sizeof *start);
    for (size_t i = 0; i < count; i++) start[weights[i]]++;
    uint32_t sum = 0;
    for (size_t w = 0; w <= DET_EDGE_BUCKETS; w++) {
        const uint32_t here = start[w];
        start[w] = sum;
        sum += here;
    }
}

/* Hands the edges out to their places, leaving start[w] where w + 1 begins. */
static void place_edges(const weight *weights, size_t width, size_t height, uint32_t *start,
                        uint32_t *edges)
{
    for (size_t y = 0; y < height; y++) {
        const weight *row = weights + 4 * y * width;
        for (size_t x = 0; x < width; x++)
            for (size_t d = 0; d < 4; d++) {
                const weight w = row[d * width + x];
                if (w < DET_EDGE_BUCKETS) edges[start[w]++] = (uint32_t)(4 * (y * width + x) + d);
            }
    }
}

static void sort_edges(const weight *weights, det_pixel_graph *graph)
{
    const size_t width = (size_t)graph->width, height = (size_t)graph->height;
    count_weights(weights, 4 * width * height, graph->start);
    place_edges(weights, width, height, graph->start, graph->edges);
    memmove(graph->start + 1, graph->start, DET_EDGE_BUCKETS * sizeof *graph->start);
    graph->start[0] = 0;
}

det_status det_pixel_graph_create(const det_planes *planes, double sigma_px, det_arena *arena,
                                  det_arena *scratch, det_pixel_graph *graph, det_error *error)
{
    const int width = planes->width;
    const size_t pixels = (size_t)width * (size_t)planes->height;
    *graph = (det_pixel_graph){
        .width = width,
        .height = planes->height,
        .offset = {1, width - 1, width, width + 1},
        .start = det_arena_take(arena, DET_EDGE_BUCKETS + 1, sizeof *graph->start),
        .edges = det_arena_take(arena, 4 * pixels, sizeof *graph->edges)};
    float *blurred = det_arena_take(scratch, pixels * (size_t)planes->channels, sizeof *blurred);
    weight *weights = det_arena_take(scratch, 4 * pixels, sizeof *weights);
    if (!graph->start || !graph->edges || !blurred || !weights)
        return det_fail_memory(error, "the edges of a picture");

    const det_status status = blur_planes(planes, sigma_px, scratch, blurred, error);
    if (status < 0) return status;
    weigh_edges(planes, blurred, weights);
    sort_edges(weights, graph);
    return DET_OK;
}
