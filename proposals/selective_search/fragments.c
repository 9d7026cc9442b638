/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the segmentation (segment.c) that all scales share.
 *
 * At first all scales join the same pixels, because k / |C| allows for small components whatever
 * edges there are; nine merges of ten happen then. So one pass over the pixel graph merges where
 * the smallest scale does, as long as all scales see the same components. Where an edge joins two
 * for a larger scale only, their ways part: both become fragments, which grow no more here, and so
 * does any component that might join a fragment later. All edges that have not joined two
 * components are kept, in their order, and each scale goes on from there.
 *
 * An edge that no scale may take, because it is heavier than the limit of the largest scale, is
 * kept too, but parts nothing: edges to come are heavier still.
 *
 * Three pixel edges of four join nothing, and which ones is hard to foresee for a processor. Most
 * of them are sifted out before, a block at a time and without a branch: two pixels of the same
 * parent are in one component. From time to time all trees are made half as high, so that a parent
 * mostly is the root. */
#include "proposals/selective_search/fragments.h"

#include "proposals/selective_search/roots.h"
#include "src/base/error.h"

enum { block_edges = 256, halvings = 12 };

static const float parted = -1; /* the limit of a component that has become a fragment */

typedef struct {
    float limit; /* the heaviest edge that joins the component to another at every scale */
    int32_t size;
} component;

typedef struct {
    const det_pixel_graph *graph;
    float least_k, most_k; /* in steps of the graph */
    int32_t pixels;
    int32_t *parent;       /* of each pixel */
    component *components; /* of a root */
    float *inside;         /* of a root: its heaviest edge */
    det_ends *edges;       /* those kept, by the roots of their time */
    uint32_t edge_count;
} merging;

/* Writes the parents of the ends of those edges that may lie between two components. */
static size_t sift(const merging *m, const uint32_t *edges, size_t count, det_ends *left)
{
    const int32_t *parent = m->parent, *offset = m->graph->offset;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const int32_t pixel = (int32_t)(edges[i] >> 2);
        left[kept] = (det_ends){parent[pixel], parent[pixel + offset[edges[i] & 3]]};
        kept += left[kept].a != left[kept].b;
    }
    return kept;
}

static bool may_grow(const merging *m, int32_t root, float weight)
{
    const component *c = &m->components[root];
    return c->limit == parted || weight <= m->inside[root] + m->most_k / (float)c->size;
}

/* An edge that does not join a and b at every scale: if it does at one, their ways part. */
static void keep(merging *m, int32_t a, int32_t b, float weight)
{
    m->edges[m->edge_count++] = (det_ends){a, b};
    component *ca = &m->components[a], *cb = &m->components[b];
    if (ca->limit == parted && cb->limit == parted) return;
    if (may_grow(m, a, weight) && may_grow(m, b, weight)) ca->limit = cb->limit = parted;
}

/* The larger one takes the other in; of two equals, the first. */
static void join(const merging *m, int32_t a, int32_t b, float weight)
{
    component *c = m->components;
    const bool swap = c[b].size > c[a].size || (c[b].size == c[a].size && b < a);
    const int32_t root = swap ? b : a, child = swap ? a : b;
    m->parent[child] = root;
    c[root].size += c[child].size;
    c[root].limit = weight + m->least_k / (float)c[root].size;
    m->inside[root] = weight;
}

static void take(merging *m, const det_ends *left, size_t count, float weight)
{
    const component *c = m->components;
    for (size_t i = 0; i < count; i++) {
        const int32_t a = det_find_root(m->parent, left[i].a);
        const int32_t b = det_find_root(m->parent, left[i].b);
        if (a == b) continue;
        if (weight <= c[a].limit && weight <= c[b].limit)
            join(m, a, b, weight);
        else
            keep(m, a, b, weight);
    }
}

/* start[w]: as in the fragments. */
static void merge(merging *m, uint32_t *start)
{
    const det_pixel_graph *graph = m->graph;
    det_ends left[block_edges];
    const uint32_t between_halvings = graph->start[DET_EDGE_BUCKETS] / halvings + 1;
    uint32_t halve_at = between_halvings;
    for (uint32_t w = 0; w < DET_EDGE_BUCKETS; w++) {
        const uint32_t end = graph->start[w + 1];
        start[w] = m->edge_count;
        for (uint32_t e = graph->start[w]; e < end; e += block_edges) {
            const size_t count = end - e < block_edges ? end - e : block_edges;
            take(m, left, sift(m, graph->edges + e, count, left), (float)w);
        }
        if (end < halve_at) continue;
        det_halve_trees(m->parent, m->pixels);
        halve_at += between_halvings;
    }
    start[DET_EDGE_BUCKETS] = m->edge_count;
}

/* Labels the pixels; leaves at a root's parent its own number, as -1 - number. */
static int32_t number_fragments(const merging *m, int32_t *labels)
{
    int32_t count = 0;
    for (int32_t i = 0; i < m->pixels; i++) labels[i] = det_find_root(m->parent, i);
    for (int32_t i = 0; i < m->pixels; i++) {
        int32_t *root = &m->parent[labels[i]];
        if (*root >= 0) *root = -1 - count++;
        labels[i] = -1 - *root;
    }
    return count;
}

static void describe(const merging *m, const det_fragments *f)
{
    for (int32_t i = 0; i < m->pixels; i++)
        if (m->parent[i] < 0) { /* a root */
            f->sizes[f->labels[i]] = m->components[i].size;
            f->inside[f->labels[i]] = m->inside[i];
        }
    for (uint32_t e = 0; e < m->edge_count; e++)
        f->edges[e] = (det_ends){f->labels[m->edges[e].a], f->labels[m->edges[e].b]};
}

static void begin(const merging *m)
{
    for (int32_t i = 0; i < m->pixels; i++) {
        m->parent[i] = i;
        m->components[i] = (component){m->least_k, 1};
        m->inside[i] = 0;
    }
}

det_status det_fragments_create(const det_pixel_graph *graph, double least_k, double most_k,
                                det_arena *arena, det_arena *scratch, det_fragments *fragments,
                                det_error *error)
{
    const size_t pixels = (size_t)graph->width * (size_t)graph->height;
    const size_t edges = graph->start[DET_EDGE_BUCKETS];
    merging m = {.graph = graph,
                 .least_k = (float)(least_k * DET_EDGE_STEPS),
                 .most_k = (float)(most_k * DET_EDGE_STEPS),
                 .pixels = (int32_t)pixels,
                 .parent = det_arena_take(scratch, pixels, sizeof *m.parent),
                 .components = det_arena_take(scratch, pixels, sizeof *m.components),
                 .inside = det_arena_take(scratch, pixels, sizeof *m.inside),
                 .edges = det_arena_take(scratch, edges, sizeof *m.edges)};
    det_fragments f = {.width = graph->width,
                       .height = graph->height,
                       .labels = det_arena_take(arena, pixels, sizeof *f.labels),
                       .start = det_arena_take(arena, DET_EDGE_BUCKETS + 1, sizeof *f.start)};
    if (!m.parent || !m.components || !m.inside || !m.edges || !f.labels || !f.start)
        return det_fail_memory(error, "the fragments of a picture");
    begin(&m);
    merge(&m, f.start);
    f.count = number_fragments(&m, f.labels);

    f.sizes = det_arena_take(arena, (size_t)f.count, sizeof *f.sizes);
    f.inside = det_arena_take(arena, (size_t)f.count, sizeof *f.inside);
    f.edges = det_arena_take(arena, m.edge_count, sizeof *f.edges);
    if (!f.sizes || !f.inside || !f.edges)
        return det_fail_memory(error, "the edges between fragments");
    describe(&m, &f);
    *fragments = f;
    return DET_OK;
}
