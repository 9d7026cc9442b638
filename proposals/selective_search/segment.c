/* SPDX-License-Identifier: Apache-2.0 */
/* Felzenszwalb and Huttenlocher, "Efficient graph-based image segmentation", IJCV 2004.
 *
 * Edges are taken lightest first; the components A and B that an edge of weight w joins become one
 * if w <= min(Int(A) + k / |A|, Int(B) + k / |B|), where Int is the heaviest edge inside: because
 * of the order, that of the last merge. Then the same edges in the same order join each component
 * that is smaller than the minimum size to its neighbour.
 *
 * The first merges are the same at every scale, and done already: a component begins as a fragment.
 * Edges that certainly join nothing are sifted out before, a block at a time and without a branch,
 * by what is known of both ends at one step up the tree: equal parents are in one component, and a
 * component whose limit has been passed takes no more edges, since those to come are heavier.
 *
 * Weights are counted in the steps of the graph, 1 / DET_EDGE_STEPS. */
#include "proposals/selective_search/segment.h"

#include "proposals/selective_search/roots.h"
#include "src/base/error.h"

#include <math.h>

enum { block_edges = 256, halvings = 12 };

typedef struct {
    float limit; /* the heaviest edge that may still join the component to another */
    int32_t size;
} component;

typedef struct {
    const det_fragments *fragments;
    float k; /* in steps of the graph */
    int32_t min_size;
    int32_t *parent; /* of each fragment */
    component
        *components; /* of a root. Others keep an infinite limit, and a size that was theirs */
} forest;

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
static size_t sift_similar(const forest *f, const det_ends *edges, size_t count, float weight,
                           det_ends *left)
{
    const component *c = f->components;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const det_ends e = {f->parent[edges[i].a], f->parent[edges[i].b]};
        left[kept] = e;
        kept += (e.a != e.b) & (c[e.a].limit >= weight) & (c[e.b].limit >= weight);
    }
    return kept;
}

static void join_similar(const forest *f, const det_ends *left, size_t count, float weight)
{
    component *c = f->components;
    for (size_t i = 0; i < count; i++) {
        const int32_t a = det_find_root(f->parent, left[i].a);
        const int32_t b = det_find_root(f->parent, left[i].b);
        if (a == b || weight > c[a].limit || weight > c[b].limit) continue;
        component *joined = &c[join(f, a, b)];
        joined->limit = weight + f->k / (float)joined->size;
    }
}

static void merge_similar(const forest *f)
{
    const uint32_t *start = f->fragments->start;
    det_ends left[block_edges];
    const uint32_t between_halvings = start[DET_EDGE_BUCKETS] / halvings + 1;
    uint32_t halve_at = between_halvings;
    for (uint32_t w = 0; w < DET_EDGE_BUCKETS; w++) {
        const uint32_t end = start[w + 1];
        for (uint32_t e = start[w]; e < end; e += block_edges) {
            const size_t count = end - e < block_edges ? end - e : block_edges;
            const size_t kept = sift_similar(f, f->fragments->edges + e, count, (float)w, left);
            join_similar(f, left, kept, (float)w);
        }
        if (end < halve_at) continue;
        det_halve_trees(f->parent, f->fragments->count);
        halve_at += between_halvings;
    }
}

/* Writes the ends of those edges that may reach a small component; returns how many. */
static size_t sift_small(const forest *f, const det_ends *edges, size_t count, det_ends *left)
{
    const component *c = f->components;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const det_ends e = {f->parent[edges[i].a], f->parent[edges[i].b]};
        left[kept] = e;
        kept += (e.a != e.b) & ((c[e.a].size < f->min_size) | (c[e.b].size < f->min_size));
    }
    return kept;
}

static void join_small(const forest *f, const det_ends *left, size_t count)
{
    const component *c = f->components;
    for (size_t i = 0; i < count; i++) {
        const int32_t a = det_find_root(f->parent, left[i].a);
        const int32_t b = det_find_root(f->parent, left[i].b);
        if (a != b && (c[a].size < f->min_size || c[b].size < f->min_size)) join(f, a, b);
    }
}

static void merge_small(const forest *f)
{
    det_ends left[block_edges];
    const uint32_t edges = f->fragments->start[DET_EDGE_BUCKETS];
    det_halve_trees(f->parent, f->fragments->count);
    for (uint32_t e = 0; e < edges; e += block_edges) {
        const size_t count = edges - e < block_edges ? edges - e : block_edges;
        join_small(f, left, sift_small(f, f->fragments->edges + e, count, left));
    }
}

/* Numbers the components in the order of their first fragments, which is that of their first
 * pixels, and labels the pixels. Returns how many components there are. */
static int32_t label_pixels(const forest *f, int32_t *labels)
{
    int32_t count = 0;
    for (int32_t i = 0; i < f->fragments->count; i++) f->parent[i] = det_find_root(f->parent, i);
    for (int32_t i = 0; i < f->fragments->count; i++) {
        int32_t *size = &f->components[f->parent[i]].size; /* from now on -1 - number */
        if (*size > 0) *size = -1 - count++;
    }
    for (int32_t i = 0; i < f->fragments->count; i++)
        f->parent[i] = -1 - f->components[f->parent[i]].size;

    const size_t pixels = (size_t)f->fragments->width * (size_t)f->fragments->height;
    for (size_t i = 0; i < pixels; i++) labels[i] = f->parent[f->fragments->labels[i]];
    return count;
}

static void begin(const forest *f)
{
    for (int32_t i = 0; i < f->fragments->count; i++) {
        const int32_t size = f->fragments->sizes[i];
        f->parent[i] = i;
        f->components[i] = (component){f->fragments->inside[i] + f->k / (float)size, size};
    }
}

det_status det_segment(const det_fragments *fragments, double k, int min_size, det_arena *arena,
                       det_segments *segments, det_error *error)
{
    const size_t pixels = (size_t)fragments->width * (size_t)fragments->height;
    const size_t count = (size_t)fragments->count;
    const forest f = {.fragments = fragments,
                      .k = (float)(k * DET_EDGE_STEPS),
                      .min_size = min_size,
                      .parent = det_arena_take(arena, count, sizeof *f.parent),
                      .components = det_arena_take(arena, count, sizeof *f.components)};
    int32_t *labels = det_arena_take(arena, pixels, sizeof *labels);
    if (!f.parent || !f.components || !labels)
        return det_fail_memory(error, "the segments of a picture");
    begin(&f);
    merge_similar(&f);
    merge_small(&f);
    *segments =
        (det_segments){fragments->width, fragments->height, label_pixels(&f, labels), labels};
    return DET_OK;
}
