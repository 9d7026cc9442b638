/* SPDX-License-Identifier: Apache-2.0 */
/* Felzenszwalb and Huttenlocher, "Efficient graph-based image segmentation", IJCV 2004.
 *
 * Edges are taken lightest first; the components A and B that an edge of weight w joins become one
 * if w <= min(Int(A) + k / |A|, Int(B) + k / |B|), where Int is the heaviest edge inside: because
 * of the order, that of the last merge. Then the same edges in the same order join each component
 * that is smaller than the minimum size to its neighbour.
 *
 * Three edges of four join nothing, and which ones is hard to foresee for a processor. They are
 * sifted out before, a block of edges of one weight at a time, without a branch, by what is known
 * of both pixels at one step up the tree: equal parents are in one component, and a component whose
 * limit has been passed takes no more edges, since those to come are heavier. From time to time all
 * trees are made half as high, so that a parent mostly is the root.
 *
 * Weights are counted in the steps of the graph, 1 / DET_EDGE_STEPS. */
#include "proposals/selective_search/segment.h"

#include "src/base/error.h"

#include <math.h>

enum {
    block_edges = 256,
    halvings = 12 /* in the course of the first pass */
};

typedef struct {
    float limit; /* the heaviest edge that may still join the component to another */
    int32_t size;
} component;

typedef struct {
    int32_t offset[4];
    int32_t pixels;
    int32_t *parent; /* of each pixel; a root is its own */
    component
        *components;   /* of a root. Others keep an infinite limit, and a size that was theirs */
    uint32_t *between; /* edges that lay between two components when their turn came */
    size_t between_count;
} forest;

/* Two pixels that an edge joins, or their parents. */
typedef struct {
    int32_t a, b;
} ends;

static int32_t find_root(int32_t *parent, int32_t i)
{
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
}

static void halve_trees(const forest *f)
{
    for (int32_t i = 0; i < f->pixels; i++) f->parent[i] = f->parent[f->parent[i]];
}

static ends parents_of(const forest *f, uint32_t edge)
{
    const int32_t pixel = (int32_t)(edge >> 2);
    return (ends){f->parent[pixel], f->parent[pixel + f->offset[edge & 3]]};
}

/* The larger one takes the other in; of two equals, the first. Returns the root of both. */
static int32_t join(const forest *f, int32_t a, int32_t b)
{
    component *c = f->components;
    const bool swap = c[b].size > c[a].size || (c[b].size == c[a].size && b < a);
    const int32_t root = swap ? b : a, child = swap ? a : b;
    f->parent[child] = root;
    c[root].size += c[child].size;
    c[child].limit = INFINITY;
    return root;
}

/* Writes the ends of those edges that may join two components; returns how many. */
static size_t sift_similar(forest *f, const uint32_t *edges, size_t count, float weight, ends *left)
{
    const component *c = f->components;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const ends e = parents_of(f, edges[i]);
        left[kept] = e;
        kept += (e.a != e.b) & (c[e.a].limit >= weight) & (c[e.b].limit >= weight);
        f->between[f->between_count] = edges[i];
        f->between_count += e.a != e.b;
    }
    return kept;
}

static void join_similar(const forest *f, const ends *left, size_t count, float weight,
                         float k_steps)
{
    component *c = f->components;
    for (size_t i = 0; i < count; i++) {
        const int32_t a = find_root(f->parent, left[i].a), b = find_root(f->parent, left[i].b);
        if (a == b || weight > c[a].limit || weight > c[b].limit) continue;
        component *joined = &c[join(f, a, b)];
        joined->limit = weight + k_steps / (float)joined->size;
    }
}

static void merge_similar(forest *f, const det_pixel_graph *graph, float k_steps)
{
    ends left[block_edges];
    const uint32_t between_halvings = graph->start[DET_EDGE_BUCKETS] / halvings + 1;
    uint32_t halve_at = between_halvings;
    for (uint32_t w = 0; w < DET_EDGE_BUCKETS; w++) {
        const uint32_t end = graph->start[w + 1];
        for (uint32_t e = graph->start[w]; e < end; e += block_edges) {
            const size_t count = end - e < block_edges ? end - e : block_edges;
            const size_t kept = sift_similar(f, graph->edges + e, count, (float)w, left);
            join_similar(f, left, kept, (float)w, k_steps);
        }
        if (end < halve_at) continue;
        halve_trees(f);
        halve_at += between_halvings;
    }
}

/* Writes the ends of those edges that may reach a small component; returns how many. */
static size_t sift_small(const forest *f, const uint32_t *edges, size_t count, int32_t min_size,
                         ends *left)
{
    const component *c = f->components;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const ends e = parents_of(f, edges[i]);
        left[kept] = e;
        kept += (e.a != e.b) & ((c[e.a].size < min_size) | (c[e.b].size < min_size));
    }
    return kept;
}

static void merge_small(const forest *f, int32_t min_size)
{
    ends left[block_edges];
    const component *c = f->components;
    halve_trees(f);
    for (size_t e = 0; e < f->between_count; e += block_edges) {
        const size_t rest = f->between_count - e, count = rest < block_edges ? rest : block_edges;
        const size_t kept = sift_small(f, f->between + e, count, min_size, left);
        for (size_t i = 0; i < kept; i++) {
            const int32_t a = find_root(f->parent, left[i].a), b = find_root(f->parent, left[i].b);
            if (a != b && (c[a].size < min_size || c[b].size < min_size)) join(f, a, b);
        }
    }
}

/* Numbers the roots in the order in which a pixel of theirs comes first; returns how many. */
static int32_t number_roots(const forest *f, int32_t *labels)
{
    int32_t count = 0;
    for (int32_t i = 0; i < f->pixels; i++) {
        const int32_t root = find_root(f->parent, i);
        int32_t *size = &f->components[root].size; /* no longer needed: -1 - label from now on */
        if (*size > 0) *size = -1 - count++;
        labels[i] = -1 - *size;
    }
    return count;
}

static void start_forest(const forest *f, float k_steps)
{
    for (int32_t i = 0; i < f->pixels; i++) {
        f->parent[i] = i;
        f->components[i] = (component){k_steps, 1};
    }
}

det_status det_segment(const det_pixel_graph *graph, double k, int min_size, det_arena *arena,
                       det_segments *segments, det_error *error)
{
    const size_t pixels = (size_t)graph->width * (size_t)graph->height;
    forest f = {.pixels = (int32_t)pixels,
                .parent = det_arena_take(arena, pixels, sizeof *f.parent),
                .components = det_arena_take(arena, pixels, sizeof *f.components),
                .between = det_arena_take(arena, 4 * pixels, sizeof *f.between)};
    int32_t *labels = det_arena_take(arena, pixels, sizeof *labels);
    if (!f.parent || !f.components || !f.between || !labels)
        return det_fail_memory(error, "the segments of a picture");

    const float k_steps = (float)(k * DET_EDGE_STEPS);
    for (int d = 0; d < 4; d++) f.offset[d] = graph->offset[d];
    start_forest(&f, k_steps);
    merge_similar(&f, graph, k_steps);
    merge_small(&f, min_size);
    *segments = (det_segments){graph->width, graph->height, number_roots(&f, labels), labels};
    return DET_OK;
}
