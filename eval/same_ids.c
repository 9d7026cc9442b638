/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of COCO that share their ids, as pycocotools counts them (getAnnIds, then loadAnns). */
#include "eval/same_ids.h"

#include "src/base/memory.h"

#include <stdlib.h>

/* An id that is listed, and what it stands for. */
typedef struct listing {
    size_t category, image; /* of the object that counts */
    uint32_t object;
    uint32_t picture; /* where the id is listed: the place of the picture, */
    size_t at;        /* and of the object */
} listing;

static int compare(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int compare_listings(const void *a, const void *b)
{
    const listing *x = a, *y = b;
    int order = compare(x->category, y->category);
    if (!order) order = compare(x->image, y->image);
    if (!order) order = compare(x->picture, y->picture);
    return order ? order : compare(x->at, y->at);
}

bool det_eval_group_same_ids(const det_annotations *annotations, const uint32_t *image_places,
                             uint32_t *objects, size_t *first)
{
    size_t count = 0;
    listing *listings = det_alloc_array(annotations->object_count, sizeof *listings);
    if (!listings) return false;
    for (size_t i = 0; i < annotations->object_count; i++) {
        const size_t last = annotations->last_of_id[i];
        if (last == SIZE_MAX) continue;
        const det_annotated_object *o = &annotations->objects[last];
        listings[count++] = (listing){o->category, o->image, (uint32_t)last,
                                      image_places[annotations->objects[i].image], i};
        first[o->category + 1]++;
    }
    if (count > 0) qsort(listings, count, sizeof *listings, compare_listings);
    for (size_t i = 0; i < count; i++) objects[i] = listings[i].object;
    for (size_t c = 0; c < annotations->category_count; c++) first[c + 1] += first[c];
    det_free(listings);
    return true;
}
