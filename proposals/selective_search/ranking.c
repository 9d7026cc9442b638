/* SPDX-License-Identifier: Apache-2.0 */
/* The ranking of Uijlings et al., IJCV 2013, section 4.3: the position in the hierarchy says how
 * large a share of the picture a region is, and a random factor keeps the largest from always
 * leading. Every hierarchy has its own stream of random numbers. */
#include "proposals/selective_search/ranking.h"

#include "src/base/memory.h"
#include "src/base/random.h"

#include <stdlib.h>

typedef struct {
    det_ranked *boxes;
    size_t count;
    uint32_t *slots; /* hash set: 1 + index of a box; 0: free */
    size_t mask;
} box_set;

static bool better(const det_ranked *a, const det_ranked *b)
{
    if (a->rank != b->rank) return a->rank < b->rank;
    if (a->hierarchy != b->hierarchy) return a->hierarchy < b->hierarchy;
    return a->position < b->position;
}

static int compare(const void *a, const void *b)
{
    return better(a, b) ? -1 : better(b, a) ? 1 : 0;
}

static bool same_box(det_rectangle a, det_rectangle b)
{
    return a.x0 == b.x0 && a.y0 == b.y0 && a.x1 == b.x1 && a.y1 == b.y1;
}

static size_t hash_box(det_rectangle box)
{
    uint64_t hash = (uint64_t)(uint32_t)box.x0 << 32 | (uint32_t)box.x1;
    hash = hash * 0x9e3779b97f4a7c15u ^ ((uint64_t)(uint32_t)box.y0 << 32 | (uint32_t)box.y1);
    return (size_t)(hash * 0x9e3779b97f4a7c15u >> 32);
}

static void add_box(box_set *set, det_ranked new)
{
    size_t slot = hash_box(new.box) & set->mask;
    for (; set->slots[slot]; slot = (slot + 1) & set->mask) {
        det_ranked *there = &set->boxes[set->slots[slot] - 1];
        if (!same_box(there->box, new.box)) continue;
        if (better(&new, there)) *there = new;
        return;
    }
    set->boxes[set->count] = new;
    set->slots[slot] = (uint32_t)++set->count;
}

static void add_hierarchy(box_set *set, const det_hierarchy *h, int32_t number, uint64_t seed)
{
    det_random random = det_random_create(seed, (uint64_t)number);
    const int32_t count = h->contributes ? 2 * h->segments - 1 : h->segments - 1;
    for (int32_t position = 1; position <= count; position++) {
        const double rank = det_random_double(&random) * position;
        add_box(set, (det_ranked){h->boxes[count - position], rank, number, position, false});
    }
}

/* Keeps the boxes whose sides are long enough; returns how many are not. */
static size_t drop_small(box_set *set, int min_side)
{
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++) {
        const det_rectangle b = set->boxes[i].box;
        if (b.x1 - b.x0 >= min_side && b.y1 - b.y0 >= min_side) set->boxes[kept++] = set->boxes[i];
    }
    const size_t dropped = set->count - kept;
    set->count = kept;
    return dropped;
}

static bool create_set(const det_hierarchy *hierarchies, int count, box_set *set)
{
    size_t boxes = 0, slots = 256;
    for (int i = 0; i < count; i++) boxes += 2 * (size_t)hierarchies[i].segments;
    while (slots < 2 * boxes) slots *= 2;
    *set = (box_set){.boxes = det_alloc_array(boxes, sizeof *set->boxes),
                     .slots = det_alloc_zeroed(slots, sizeof *set->slots),
                     .mask = slots - 1};
    return set->boxes && set->slots;
}

det_status det_rank(const det_hierarchy *hierarchies, int hierarchy_count, uint64_t seed,
                    int min_side, det_ranked **ranked, size_t *count, size_t *too_small)
{
    box_set set;
    const bool ok = create_set(hierarchies, hierarchy_count, &set);
    if (ok) {
        for (int i = 0; i < hierarchy_count; i++) add_hierarchy(&set, &hierarchies[i], i, seed);
        *too_small = drop_small(&set, min_side);
        qsort(set.boxes, set.count, sizeof *set.boxes, compare);
        *ranked = set.boxes;
        *count = set.count;
    } else {
        det_free(set.boxes);
    }
    det_free(set.slots);
    return ok ? DET_OK : DET_MEMORY;
}
