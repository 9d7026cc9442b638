/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DATA_ID_PLACES_H
#define DETECT_DATA_ID_PLACES_H

#include <stddef.h>
#include <stdint.h>

/** An id that a file gives, and the index of what has it. */
typedef struct det_id_place {
    int64_t id;
    size_t at;
} det_id_place;

/** Sorts by id, equal ones by index. */
void det_id_places_sort(det_id_place *places, size_t count);
/** The first with an id among sorted ones, or NULL. */
const det_id_place *det_id_places_find(const det_id_place *places, size_t count, int64_t id);

#endif
