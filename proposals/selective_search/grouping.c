/* SPDX-License-Identifier: Apache-2.0 */
/* The hierarchical grouping of Uijlings et al., IJCV 2013, algorithm 1.
 *
 * Each region keeps its neighbours in a linked list of neighbours, and the list of a merge is the
 * two lists one after the other, so that no memory is needed beyond the first. A neighbour names
 * the neighbour of the time when it was made; det_find_root leads from there to what it became.
 *
 * The similarity of two neighbours stands in the list of the later one, computed when that came to
 * be. A heap holds for each region the best of its earlier neighbours; when that one has been
 * merged away, the region looks for the next best in its list. The top of the heap is therefore
 * the best pair of all. */
#include "proposals/selective_search/grouping.h"

#include "proposals/selective_search/roots.h"
#include "src/base/error.h"

#include <string.h>

enum { none = -1 };

typedef struct {
    int32_t region, next; /* next neighbour of the same list, or none */
    float similarity;     /* where the neighbour's owner is the later region */
} neighbour;

typedef struct {
    int32_t first, last; /* neighbours, or none */
} list;

typedef struct {
    float similarity;
    int32_t later, earlier;
} candidate;

typedef struct {
    det_histograms histograms;
    unsigned terms;
    int64_t pixels;
    det_blob *blobs;
    int32_t *parent; /* what a region was merged into; itself while it lives */
    int32_t *seen;   /* the last merge whose list a region was found in */
    list *lists;
    neighbour *neighbours;
    candidate *heap;
    size_t heap_size;
} grouping;

static bool before(candidate a, candidate b)
{
    if (a.similarity != b.similarity) return a.similarity > b.similarity;
    if (a.later != b.later) return a.later < b.later;
    return a.earlier < b.earlier;
}

static void push(grouping *g, candidate new)
{
    size_t i = g->heap_size++;
    for (; i > 0 && before(new, g->heap[(i - 1) / 2]); i = (i - 1) / 2)
        g->heap[i] = g->heap[(i - 1) / 2];
    g->heap[i] = new;
}

static candidate pop(grouping *g)
{
    const candidate top = g->heap[0], last = g->heap[--g->heap_size];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < g->heap_size; i = child) {
        if (child + 1 < g->heap_size && before(g->heap[child + 1], g->heap[child])) child++;
        if (!before(g->heap[child], last)) break;
        g->heap[i] = g->heap[child];
    }
    g->heap[i] = last;
    return top;
}

static float measure(const grouping *g, int32_t a, int32_t b)
{
    return det_similarity(g->terms, &g->histograms, &g->blobs[a], &g->blobs[b], g->pixels);
}

static void append(grouping *g, int32_t region, int32_t number, neighbour new)
{
    list *l = &g->lists[region];
    g->neighbours[number] = new;
    if (l->last == none)
        l->first = number;
    else
        g->neighbours[l->last].next = number;
    l->last = number;
}

/* Pushes the best of the earlier neighbours that still live, if there is one. */
static void push_best(grouping *g, int32_t region)
{
    candidate best = {-1, region, none};
    for (int32_t i = g->lists[region].first; i != none; i = g->neighbours[i].next) {
        const neighbour *l = &g->neighbours[i];
        if (l->region > region || g->parent[l->region] != l->region) continue;
        const candidate new = {l->similarity, region, l->region};
        if (best.earlier == none || before(new, best)) best = new;
    }
    if (best.earlier != none) push(g, best);
}

/* Joins the lists of a and b into that of their merge, without a, b and what comes twice, and
 * measures the neighbours that remain. */
static void join_lists(grouping *g, int32_t a, int32_t b, int32_t merge)
{
    const list *la = &g->lists[a], *lb = &g->lists[b];
    g->neighbours[la->last].next = lb->first; /* neither is empty: a and b are neighbours */
    list joined = {none, none};
    for (int32_t i = la->first, next; i != none; i = next) {
        neighbour *l = &g->neighbours[i];
        next = l->next;
        l->region = det_find_root(g->parent, l->region);
        if (l->region == merge || g->seen[l->region] == merge) continue;
        g->seen[l->region] = merge;
        l->similarity = measure(g, merge, l->region);
        l->next = none;
        if (joined.last == none)
            joined.first = i;
        else
            g->neighbours[joined.last].next = i;
        joined.last = i;
    }
    g->lists[merge] = joined;
}

static void merge_pair(grouping *g, int32_t a, int32_t b, int32_t merge)
{
    const det_blob *ba = &g->blobs[a], *bb = &g->blobs[b];
    g->blobs[merge] =
        (det_blob){det_rectangle_around(ba->box, bb->box), ba->size + bb->size, ba->row};
    g->parent[a] = g->parent[b] = merge;
    if (g->histograms.rows)
        det_histograms_merge(&g->histograms, ba->row, bb->row, g->blobs[merge].size);
    join_lists(g, a, b, merge);
    push_best(g, merge);
}

static void start(grouping *g, const det_adjacency *adjacency)
{
    const int32_t count = adjacency->count, regions = 2 * count - 1;
    memcpy(g->blobs, adjacency->blobs, (size_t)count * sizeof *g->blobs);
    for (int32_t i = 0; i < regions; i++) {
        g->parent[i] = i;
        g->seen[i] = none;
        g->lists[i] = (list){none, none};
    }
    for (size_t i = 0; i < adjacency->touching_count; i++) {
        const int32_t a = adjacency->touching[i].a, b = adjacency->touching[i].b;
        append(g, a, (int32_t)(2 * i), (neighbour){b, none, 0});
        append(g, b, (int32_t)(2 * i + 1), (neighbour){a, none, measure(g, a, b)});
    }
    for (int32_t i = 0; i < count; i++) push_best(g, i);
}

static void merge_all(grouping *g, int32_t count, det_rectangle *merged)
{
    for (int32_t next = count; next < 2 * count - 1;) {
        const candidate top = pop(g);
        if (g->parent[top.later] != top.later) continue;
        if (g->parent[top.earlier] != top.earlier) {
            push_best(g, top.later);
            continue;
        }
        merge_pair(g, top.earlier, top.later, next);
        merged[next - count] = g->blobs[next].box;
        next++;
    }
}

static det_status allocate(grouping *g, const det_adjacency *adjacency, det_arena *arena,
                           det_error *error)
{
    const size_t regions = 2 * (size_t)adjacency->count - 1;
    if (adjacency->touching_count > INT32_MAX / 2)
        return det_fail(
            error, DET_LIMIT,
            "%zu pairs of segments touch, more than selective search can group; raise k "
            "or min_size, or lower the width",
            adjacency->touching_count);
    g->blobs = det_arena_take(arena, regions, sizeof *g->blobs);
    g->parent = det_arena_take(arena, regions, sizeof *g->parent);
    g->seen = det_arena_take(arena, regions, sizeof *g->seen);
    g->lists = det_arena_take(arena, regions, sizeof *g->lists);
    g->heap = det_arena_take(arena, regions, sizeof *g->heap);
    g->neighbours = det_arena_take(arena, 2 * adjacency->touching_count, sizeof *g->neighbours);
    if (g->blobs && g->parent && g->seen && g->lists && g->heap && g->neighbours) return DET_OK;
    return det_fail_memory(error, "the grouping of segments");
}

det_status det_group(const det_adjacency *adjacency, const det_histograms *histograms,
                     unsigned terms, int64_t pixels, det_arena *arena, det_rectangle *merged,
                     det_error *error)
{
    grouping g = {.terms = terms, .pixels = pixels};
    det_status status = allocate(&g, adjacency, arena, error);
    if (status == DET_OK && (terms & (DET_SIMILARITY_COLOR | DET_SIMILARITY_TEXTURE)))
        status = det_histograms_copy(histograms, arena, &g.histograms, error);
    if (status < 0) return status;
    start(&g, adjacency);
    merge_all(&g, adjacency->count, merged);
    return DET_OK;
}
