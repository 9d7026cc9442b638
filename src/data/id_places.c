/* SPDX-License-Identifier: Apache-2.0 */
#include "src/data/id_places.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    const det_id_place *x = a, *y = b;
    if (x->id != y->id) return x->id < y->id ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

void det_id_places_sort(det_id_place *places, size_t count)
{
    if (count > 0) qsort(places, count, sizeof *places, compare);
}

const det_id_place *det_id_places_find(const det_id_place *places, size_t count, int64_t id)
{
    size_t low = 0, high = count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (places[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && places[low].id == id ? &places[low] : NULL;
}
