/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_BASE_ARENA_H
#define DETECT_BASE_ARENA_H

#include <stddef.h>

/** Scratch memory of one thread, for arrays that live no longer than a piece of work: taking costs
 *  next to nothing, all are given back at once, and the next piece of work finds memory that the
 *  system has handed out already. {0} is empty. */
typedef struct det_arena {
    struct det_arena_block *blocks; /**< the last one first */
    size_t size;                    /**< bytes of all blocks */
} det_arena;

/** An array of `count` elements, aligned to 64 bytes, not cleared; valid until det_arena_reset.
 *  NULL when memory is short. */
void *det_arena_take(det_arena *arena, size_t count, size_t size);
/** Gives back everything that was taken. The memory stays with the arena. */
void det_arena_reset(det_arena *arena);
/** Gives the memory back to the system, and empties the arena. */
void det_arena_free(det_arena *arena);

#endif
