/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes, boxes and neighbourhoods of segments. Pairs that touch are gathered in a hash set of open
 * addressing, whose slots hold positions in the list of pairs. */
#include "proposals/selective_search/adjacency.h"

#include "src/base/error.h"
#include "src/base/memory.h"

#include <string.h>

typedef struct {
    uint32_t *slots; /* 1 + index of a pair; 0: free */
    size_t mask, capacity;
    det_touching last; /* the pair added last: most pixels of a border repeat it */
} pair_set;

static size_t hash_pair(det_touching pair)
{
    const uint64_t key = (uint64_t)(uint32_t)pair.a << 32 | (uint32_t)pair.b;
    return (size_t)(key * 0x9e3779b97f4a7c15u >> 32);
}

static size_t find_slot(const pair_set *set, const det_touching *pairs, det_touching pair)
{
    size_t slot = hash_pair(pair) & set->mask;
    while (set->slots[slot]) {
        const det_touching there = pairs[set->slots[slot] - 1];
        if (there.a == pair.a && there.b == pair.b) break;
        slot = (slot + 1) & set->mask;
    }
    return slot;
}

/* Doubles the slots, from 256. */
static bool grow_set(pair_set *set, const det_touching *pairs, size_t count)
{
    const size_t size = set->slots ? 2 * (set->mask + 1) : 256;
    uint32_t *slots = det_alloc_zeroed(size, sizeof *slots);
    if (!slots) return false;
    det_free(set->slots);
    set->slots = slots;
    set->mask = size - 1;
    for (size_t i = 0; i < count; i++) slots[find_slot(set, pairs, pairs[i])] = (uint32_t)i + 1;
    return true;
}

static bool add_pair(pair_set *set, det_adjacency *adjacency, int32_t a, int32_t b)
{
    const det_touching pair = {a < b ? a : b, a < b ? b : a};
    if (pair.a == set->last.a && pair.b == set->last.b) return true;
    set->last = pair;

    const size_t count = adjacency->touching_count;
    if (2 * count >= set->mask && !grow_set(set, adjacency->touching, count)) return false;
    const size_t slot = find_slot(set, adjacency->touching, pair);
    if (set->slots[slot]) return true;
    if (!det_grow_array(&adjacency->touching, &set->capacity, count + 1, sizeof pair)) return false;
    adjacency->touching[count] = pair;
    set->slots[slot] = (uint32_t)++adjacency->touching_count;
    return true;
}

static bool gather_pairs(const det_segments *segments, det_adjacency *adjacency)
{
    const int width = segments->width;
    pair_set set = {.last = {-1, -1}};
    bool ok = true;
    for (int y = 0; y < segments->height && ok; y++) {
        const int32_t *row = segments->labels + (size_t)y * (size_t)width;
        const int32_t *below = y + 1 < segments->height ? row + width : row;
        for (int x = 0; x < width && ok; x++) {
            const int32_t here = row[x];
            const int left = x > 0 ? x - 1 : x, right = x + 1 < width ? x + 1 : x;
            if (row[right] != here) ok = add_pair(&set, adjacency, here, row[right]);
            if (below[left] != here) ok = ok && add_pair(&set, adjacency, here, below[left]);
            if (below[x] != here) ok = ok && add_pair(&set, adjacency, here, below[x]);
            if (below[right] != here) ok = ok && add_pair(&set, adjacency, here, below[right]);
        }
    }
    det_free(set.slots);
    return ok;
}

static void measure(const det_segments *segments, const det_adjacency *adjacency)
{
    for (int32_t i = 0; i < adjacency->count; i++)
        adjacency->blobs[i] = (det_blob){{INT32_MAX, INT32_MAX, 0, 0}, 0, i};
    const int32_t *label = segments->labels;
    for (int32_t y = 0; y < segments->height; y++)
        for (int32_t x = 0; x < segments->width; x++, label++) {
            det_rectangle *box = &adjacency->blobs[*label].box;
            adjacency->blobs[*label].size++;
            if (x < box->x0) box->x0 = x;
            if (x >= box->x1) box->x1 = x + 1;
            if (y < box->y0) box->y0 = y;
            box->y1 = y + 1;
        }
}

det_status det_adjacency_create(const det_segments *segments, det_adjacency *adjacency,
                                det_error *error)
{
    const size_t count = (size_t)segments->count;
    *adjacency = (det_adjacency){.count = segments->count,
                                 .blobs = det_alloc_array(count, sizeof *adjacency->blobs)};
    if (adjacency->blobs) {
        measure(segments, adjacency);
        if (gather_pairs(segments, adjacency)) return DET_OK;
    }
    det_adjacency_free(adjacency);
    return det_fail_memory(error, "the neighbours of segments");
}

void det_adjacency_free(det_adjacency *adjacency)
{
    if (!adjacency) return;
    det_free(adjacency->blobs);
    det_free(adjacency->touching);
    *adjacency = (det_adjacency){0};
}
