/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes, boxes and neighbourhoods of segments. Pairs that touch are gathered in a hash set of open
 * addressing, whose slots hold positions in the list of pairs. */
#include "proposals/selective_search/adjacency.h"

#include "src/base/error.h"
#include "src/base/memory.h"

#include <string.h>

typedef struct {
    uint32_t *slots; /* 1 + index of a pair; 0: free */
    size_t mask;
    det_touching *pairs;
    size_t count, capacity;
    det_touching last; /* the pair added last: most pixels of a border repeat it */
} pair_set;

static size_t hash_pair(det_touching pair)
{
    const uint64_t key = (uint64_t)(uint32_t)pair.a << 32 | (uint32_t)pair.b;
    return (size_t)(key * 0x9e3779b97f4a7c15u >> 32);
}

static size_t find_slot(const pair_set *set, det_touching pair)
{
    size_t slot = hash_pair(pair) & set->mask;
    while (set->slots[slot]) {
        const det_touching there = set->pairs[set->slots[slot] - 1];
        if (there.a == pair.a && there.b == pair.b) break;
        slot = (slot + 1) & set->mask;
    }
    return slot;
}

/* Doubles the slots, from 1024. */
static bool grow_set(pair_set *set)
{
    const size_t size = set->slots ? 2 * (set->mask + 1) : 1024;
    uint32_t *slots = det_alloc_zeroed(size, sizeof *slots);
    if (!slots) return false;
    det_free(set->slots);
    set->slots = slots;
    set->mask = size - 1;
    for (size_t i = 0; i < set->count; i++) slots[find_slot(set, set->pairs[i])] = (uint32_t)i + 1;
    return true;
}

static bool add_pair(pair_set *set, int32_t a, int32_t b)
{
    const det_touching pair = {a < b ? a : b, a < b ? b : a};
    if (pair.a == set->last.a && pair.b == set->last.b) return true;
    set->last = pair;

    if (2 * set->count >= set->mask && !grow_set(set)) return false;
    const size_t slot = find_slot(set, pair);
    if (set->slots[slot]) return true;
    if (!det_grow_array(&set->pairs, &set->capacity, set->count + 1, sizeof pair)) return false;
    set->pairs[set->count] = pair;
    set->slots[slot] = (uint32_t)++set->count;
    return true;
}

/* borders[x]: not 0 where pixel x differs from one to the right or below. Those at the ends of the
 * row, which have fewer neighbours, are always to be looked at. */
static void find_borders(const int32_t *row, const int32_t *below, int width,
                         int32_t *restrict borders)
{
    borders[0] = borders[width - 1] = 1;
    for (int x = 1; x + 1 < width; x++)
        borders[x] = (row[x] ^ row[x + 1]) | (row[x] ^ below[x - 1]) | (row[x] ^ below[x]) |
                     (row[x] ^ below[x + 1]);
}

static bool gather_pairs(const det_segments *segments, int32_t *borders, pair_set *set)
{
    const int width = segments->width;
    for (int y = 0; y < segments->height; y++) {
        const int32_t *row = segments->labels + (size_t)y * (size_t)width;
        const int32_t *below = y + 1 < segments->height ? row + width : row;
        find_borders(row, below, width, borders);
        for (int x = 0; x < width; x++) {
            if (!borders[x]) continue;
            const int left = x > 0 ? x - 1 : x, right = x + 1 < width ? x + 1 : x;
            const int32_t here = row[x];
            const int32_t others[] = {row[right], below[left], below[x], below[right]};
            for (int i = 0; i < 4; i++)
                if (others[i] != here && !add_pair(set, here, others[i])) return false;
        }
    }
    return true;
}

/* Adds the pixels x0 to x1 - 1 of row y. */
static void extend(det_blob *blob, int32_t x0, int32_t x1, int32_t y)
{
    blob->size += x1 - x0;
    if (x0 < blob->box.x0) blob->box.x0 = x0;
    if (x1 > blob->box.x1) blob->box.x1 = x1;
    if (y < blob->box.y0) blob->box.y0 = y;
    blob->box.y1 = y + 1;
}

static void measure(const det_segments *segments, const det_adjacency *adjacency)
{
    for (int32_t i = 0; i < adjacency->count; i++)
        adjacency->blobs[i] = (det_blob){{INT32_MAX, INT32_MAX, 0, 0}, 0, i};
    const int32_t *row = segments->labels, width = segments->width;
    for (int32_t y = 0; y < segments->height; y++, row += width)
        for (int32_t x = 0, start; x < width;) {
            for (start = x++; x < width && row[x] == row[start]; x++) continue;
            extend(&adjacency->blobs[row[start]], start, x, y);
        }
}

static bool create(const det_segments *segments, det_arena *arena, pair_set *set,
                   det_adjacency *adjacency)
{
    *adjacency = (det_adjacency){
        .count = segments->count,
        .blobs = det_arena_take(arena, (size_t)segments->count, sizeof *adjacency->blobs)};
    int32_t *borders = det_arena_take(arena, (size_t)segments->width, sizeof *borders);
    if (!adjacency->blobs || !borders || !gather_pairs(segments, borders, set)) return false;
    measure(segments, adjacency);

    adjacency->touching_count = set->count;
    adjacency->touching = det_arena_take(arena, set->count, sizeof *set->pairs);
    if (!adjacency->touching) return false;
    if (set->count) memcpy(adjacency->touching, set->pairs, set->count * sizeof *set->pairs);
    return true;
}

det_status det_adjacency_create(const det_segments *segments, det_arena *arena,
                                det_adjacency *adjacency, det_error *error)
{
    pair_set set = {.last = {-1, -1}};
    const bool ok = create(segments, arena, &set, adjacency);
    det_free(set.slots);
    det_free(set.pairs);
    return ok ? DET_OK : det_fail_memory(error, "the neighbours of segments");
}
