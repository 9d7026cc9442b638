/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of whole huge pages; an array is cut from the first block that has room for it. They are
 * few, because each new one is at least as large as all before it together. */
#include "src/base/arena.h"

#include "src/base/memory.h"

enum { line = 64, page = 2 << 20 };

typedef struct det_arena_block {
    struct det_arena_block *next;
    size_t size, used; /* bytes, this header included */
} block;

static bool round_up(size_t size, size_t step, size_t *rounded)
{
    if (__builtin_add_overflow(size, step - 1, rounded)) return false;
    *rounded -= *rounded % step;
    return true;
}

static block *add_block(det_arena *arena, size_t size)
{
    if (size < arena->size) size = arena->size;
    if (!round_up(size, page, &size)) return NULL;
    block *new = det_alloc_pages(size);
    if (!new) return NULL;
    *new = (block){arena->blocks, size, line};
    arena->blocks = new;
    arena->size += size;
    return new;
}

void *det_arena_take(det_arena *arena, size_t count, size_t size)
{
    size_t bytes, whole;
    if (!det_multiply_size(count, size, &bytes) || !round_up(bytes, line, &bytes) ||
        __builtin_add_overflow(bytes, line, &whole))
        return NULL;
    block *b = arena->blocks;
    while (b && b->size - b->used < bytes) b = b->next;
    if (!b) b = add_block(arena, whole);
    if (!b) return NULL;
    void *array = (char *)b + b->used;
    b->used += bytes;
    return array;
}

void det_arena_reset(det_arena *arena)
{
    for (block *b = arena->blocks; b; b = b->next) b->used = line;
}

void det_arena_free(det_arena *arena)
{
    for (block *b = arena->blocks, *next; b; b = next) {
        next = b->next;
        det_free_pages(b, b->size);
    }
    *arena = (det_arena){0};
}
