/* SPDX-License-Identifier: Apache-2.0 */
/* Where each tensor lies in the arena: two tensors share bytes only when no step needs both. The
 * largest are placed first, each at the lowest offset that is free during its life (first fit by
 * decreasing size, Pisarchyk and Lee 2020, "greedy by size"). The scratchpad, which every step
 * overwrites, comes last. */
#include "src/nn/onednn/plan.h"

#include <stdlib.h>

enum { alignment = 64 };

static size_t round_up(size_t size)
{
    return (size + alignment - 1) / alignment * alignment;
}

static int compare_sizes(const void *a, const void *b, void *context)
{
    const det_life *lives = context;
    const int i = *(const int *)a, j = *(const int *)b;
    if (lives[i].size != lives[j].size) return lives[i].size < lives[j].size ? 1 : -1;
    return (i > j) - (i < j);
}

static bool live_together(const det_life *a, const det_life *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* The end of a placed tensor that would overlap [offset, offset + size) while `t` is alive; 0 when
 * the place is free. */
static size_t obstacle(const det_life *lives, const int *placed, int count, const det_life *t,
                       size_t offset)
{
    for (int i = 0; i < count; i++) {
        const det_life *other = &lives[placed[i]];
        if (live_together(t, other) && offset < other->offset + round_up(other->size) &&
            other->offset < offset + round_up(t->size))
            return other->offset + round_up(other->size);
    }
    return 0;
}

/* Candidate offsets are 0 and the ends of those already placed; the lowest free one wins. */
static size_t lowest_free_offset(const det_life *lives, const int *placed, int count,
                                 const det_life *t)
{
    if (!obstacle(lives, placed, count, t, 0)) return 0;
    size_t best = SIZE_MAX;
    for (int i = 0; i < count; i++) {
        const size_t end = lives[placed[i]].offset + round_up(lives[placed[i]].size);
        if (end < best && !obstacle(lives, placed, count, t, end)) best = end;
    }
    return best;
}

det_status det_place_lives(det_life *lives, int count, size_t *size, det_error *error)
{
    int *order = det_alloc_array((size_t)count, sizeof *order);
    if (!order) return det_fail_memory(error, "the memory plan");
    for (int i = 0; i < count; i++) order[i] = i;
    qsort_r(order, (size_t)count, sizeof *order, compare_sizes, lives);

    *size = 0;
    for (int i = 0; i < count; i++) {
        det_life *t = &lives[order[i]];
        t->offset = lowest_free_offset(lives, order, i, t);
        if (*size < t->offset + round_up(t->size)) *size = t->offset + round_up(t->size);
    }
    det_free(order);
    return DET_OK;
}

/* Places the tensors that are no part of others; those are where the whole is. */
static det_status place_wholes(det_plan *plan, size_t *end, det_error *error)
{
    det_life *lives = det_alloc_array((size_t)plan->tensor_count, sizeof *lives);
    if (!lives) return det_fail_memory(error, "the memory plan");
    int count = 0;
    for (int i = 0; i < plan->tensor_count; i++) {
        const det_plan_tensor *t = &plan->tensors[i];
        if (t->parent < 0) lives[count++] = (det_life){t->size, t->first, t->last, 0};
    }
    const det_status status = det_place_lives(lives, count, end, error);
    for (int i = 0, at = 0; status == DET_OK && i < plan->tensor_count; i++)
        if (plan->tensors[i].parent < 0) plan->tensors[i].arena_offset = lives[at++].offset;
    det_free(lives);
    return status;
}

det_status det_plan_place_tensors(det_plan *plan, det_error *error)
{
    size_t end = 0;
    const det_status status = place_wholes(plan, &end, error);
    if (status < 0) return status;
    for (int i = 0; i < plan->tensor_count; i++) {
        det_plan_tensor *t = &plan->tensors[i];
        if (t->parent >= 0)
            t->arena_offset = plan->tensors[t->parent].arena_offset + t->parent_offset;
    }
    for (int i = 0; i < plan->step_count; i++)
        if (plan->scratchpad_size < plan->steps[i].scratchpad_size)
            plan->scratchpad_size = plan->steps[i].scratchpad_size;
    plan->scratchpad_offset = end;
    plan->arena_size = end + round_up(plan->scratchpad_size);
    return DET_OK;
}
