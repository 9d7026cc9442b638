/* SPDX-License-Identifier: Apache-2.0 */
/* Felzenszwalb and Huttenlocher, "Efficient graph-based image segmentation", IJCV 2004.
 *
 * Edges are taken lightest first; the components A and B that an edge of weight w joins become one
 * if w <= min(Int(A) + k / |A|, Int(B) + k / |B|), where Int is the heaviest edge inside: because
 * of the order, that of the last merge. Then the same edges in the same order join each component
 * that is smaller than the minimum size to its neighbour.
 *
 * Weights are counted in the steps of the graph, 1 / DET_EDGE_STEPS. */
#include "proposals/selective_search/segment.h"

#include "src/base/error.h"
#include "src/base/memory.h"

typedef struct {
    int32_t *parent; /* of each pixel; a root is its own */
    int32_t *size;   /* of a root: pixels */
    float *limit;    /* of a root: the heaviest edge that may still join it to another */
} forest;

static int32_t find_root(int32_t *parent, int32_t i)
{
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
}

/* The larger one takes the other in; of two equals, the first. Returns the root of both. */
static int32_t join(const forest *f, int32_t a, int32_t b)
{
    const bool swap = f->size[b] > f->size[a] || (f->size[b] == f->size[a] && b < a);
    const int32_t root = swap ? b : a, child = swap ? a : b;
    f->parent[child] = root;
    f->size[root] += f->size[child];
    return root;
}

static void merge_similar(const det_pixel_graph *graph, const forest *f, float k_steps)
{
    for (uint32_t w = 0; w < DET_EDGE_BUCKETS; w++) {
        const float weight = (float)w;
        for (uint32_t e = graph->start[w]; e < graph->start[w + 1]; e++) {
            const int32_t pixel = (int32_t)(graph->edges[e] >> 2);
            const int32_t a = find_root(f->parent, pixel);
            const int32_t b = find_root(f->parent, pixel + graph->offset[graph->edges[e] & 3]);
            if (a == b || weight > f->limit[a] || weight > f->limit[b]) continue;
            const int32_t root = join(f, a, b);
            f->limit[root] = weight + k_steps / (float)f->size[root];
        }
    }
}

static void merge_small(const det_pixel_graph *graph, const forest *f, int32_t min_size)
{
    const uint32_t count = graph->start[DET_EDGE_BUCKETS];
    for (uint32_t e = 0; e < count; e++) {
        const int32_t pixel = (int32_t)(graph->edges[e] >> 2);
        const int32_t a = find_root(f->parent, pixel);
        const int32_t b = find_root(f->parent, pixel + graph->offset[graph->edges[e] & 3]);
        if (a != b && (f->size[a] < min_size || f->size[b] < min_size)) join(f, a, b);
    }
}

/* Numbers the roots in the order in which a pixel of theirs comes first; returns how many. The
 * limits are no longer needed: their memory would do, but sizes serve as the numbers: -1 - label.
 */
static int32_t number_roots(const forest *f, int32_t pixels, int32_t *labels)
{
    int32_t count = 0;
    for (int32_t i = 0; i < pixels; i++) {
        const int32_t root = find_root(f->parent, i);
        if (f->size[root] > 0) f->size[root] = -1 - count++;
        labels[i] = -1 - f->size[root];
    }
    return count;
}

static void start_forest(const forest *f, int32_t pixels, float k_steps)
{
    for (int32_t i = 0; i < pixels; i++) {
        f->parent[i] = i;
        f->size[i] = 1;
        f->limit[i] = k_steps;
    }
}

det_status det_segment(const det_pixel_graph *graph, double k, int min_size, det_segments *segments,
                       det_error *error)
{
    const size_t count = (size_t)graph->width * (size_t)graph->height;
    const int32_t pixels = (int32_t)count;
    const forest f = {det_alloc_array(count, sizeof *f.parent),
                      det_alloc_array(count, sizeof *f.size),
                      det_alloc_array(count, sizeof *f.limit)};
    *segments = (det_segments){graph->width, graph->height, 0,
                               det_alloc_array(count, sizeof *segments->labels)};
    det_status status = DET_OK;
    if (!f.parent || !f.size || !f.limit || !segments->labels) {
        status = det_fail_memory(error, "the segments of a picture");
        goto done;
    }

    const float k_steps = (float)(k * DET_EDGE_STEPS);
    start_forest(&f, pixels, k_steps);
    merge_similar(graph, &f, k_steps);
    merge_small(graph, &f, min_size);
    segments->count = number_roots(&f, pixels, segments->labels);
done:
    det_free(f.parent);
    det_free(f.size);
    det_free(f.limit);
    if (status < 0) det_segments_free(segments);
    return status;
}

void det_segments_free(det_segments *segments)
{
    if (!segments) return;
    det_free(segments->labels);
    *segments = (det_segments){0};
}
