/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_PROPOSALS_ROOTS_H
#define DETECT_PROPOSALS_ROOTS_H

#include <stdint.h>

/* Trees of numbers that have become one: each names its parent, and a root is its own. */

/** The root of i's tree, which is left half as high on the way. */
static inline int32_t det_find_root(int32_t *parent, int32_t i)
{
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
}

/** Leaves all trees half as high. */
static inline void det_halve_trees(int32_t *parent, int32_t count)
{
    for (int32_t i = 0; i < count; i++) parent[i] = parent[parent[i]];
}

#endif
