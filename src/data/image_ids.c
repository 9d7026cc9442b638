/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of pictures in a COCO data set, from an annotation file or from the names. */
#include "src/data/image_ids.h"

#include "src/base/error.h"
#include "src/base/memory.h"
#include "src/data/annotations.h"
#include "src/data/id_places.h"
#include "src/data/names.h"

#include <stdlib.h>
#include <string.h>

static det_status ids_from_annotations(const det_inputs *inputs, const char *path, int64_t *ids,
                                       det_error *error)
{
    det_annotations *annotations = NULL;
    det_status status = det_coco_read_images(path, &annotations, error);
    for (size_t i = 0; status == DET_OK && i < inputs->count; i++) {
        size_t index = 0;
        status = det_annotations_find_image(annotations, inputs->paths[i], &index, error);
        if (status == DET_OK) ids[i] = annotations->images[index].id;
    }
    det_annotations_free(annotations);
    return status;
}

/* ---- Names that are numbers ---- */

static det_status ids_from_names(const det_inputs *inputs, int64_t *ids, det_error *error)
{
    for (size_t i = 0; i < inputs->count; i++)
        if (!det_name_number(inputs->paths[i], &ids[i]))
            return det_fail_at(error, DET_ARGUMENT, inputs->paths[i], NULL,
                               "coco output numbers the pictures, and this name is not a number "
                               "such as 000000000139.jpg: name the COCO annotations that number "
                               "them with --annotations, or choose another format");
    return DET_OK;
}

/* ---- Of annotations ---- */

/* @return false where a name is no number. */
static bool take_numbers(const det_annotations *annotations, int64_t *ids, det_id_place *places)
{
    for (size_t i = 0; i < annotations->image_count; i++) {
        if (!det_name_number(annotations->images[i].file, &ids[i])) return false;
        places[i] = (det_id_place){ids[i], i};
    }
    return true;
}

static bool are_unique(det_id_place *places, size_t count)
{
    det_id_places_sort(places, count);
    for (size_t i = 1; i < count; i++)
        if (places[i].id == places[i - 1].id) return false;
    return true;
}

det_status det_annotations_image_ids(const det_annotations *annotations, int64_t *ids,
                                     det_error *error)
{
    const size_t count = annotations->image_count;
    det_id_place *places = det_alloc_array(count, sizeof *places);
    if (!places) return det_fail_memory(error, "the numbers of the pictures");
    const bool numbers = annotations->format != DET_ANNOTATIONS_COCO &&
                         take_numbers(annotations, ids, places) && are_unique(places, count);
    for (size_t i = 0; !numbers && i < count; i++) ids[i] = annotations->images[i].id;
    det_free(places);
    return DET_OK;
}

/* ---- Both ---- */

typedef struct numbered {
    int64_t id;
    size_t input;
} numbered;

static int compare_numbered(const void *a, const void *b)
{
    const int64_t x = ((const numbered *)a)->id, y = ((const numbered *)b)->id;
    return (x > y) - (x < y);
}

static det_status check_unique(const det_inputs *inputs, const int64_t *ids, det_error *error)
{
    numbered *list = det_alloc_array(inputs->count, sizeof *list);
    if (!list) return det_fail_memory(error, "the numbers of the pictures");
    for (size_t i = 0; i < inputs->count; i++) list[i] = (numbered){ids[i], i};
    qsort(list, inputs->count, sizeof *list, compare_numbered);

    det_status status = DET_OK;
    for (size_t i = 1; status == DET_OK && i < inputs->count; i++)
        if (list[i].id == list[i - 1].id)
            status = det_fail_at(error, DET_ARGUMENT, inputs->paths[list[i].input], NULL,
                                 "has the number %lld in coco output, which %s has, too: name the "
                                 "COCO annotations that number them with --annotations, or choose "
                                 "another format",
                                 (long long)list[i].id, inputs->paths[list[i - 1].input]);
    det_free(list);
    return status;
}

det_status det_image_ids(const det_inputs *inputs, const char *annotations, int64_t *ids,
                         det_error *error)
{
    const det_status status = annotations ? ids_from_annotations(inputs, annotations, ids, error)
                                          : ids_from_names(inputs, ids, error);
    return status < 0 ? status : check_unique(inputs, ids, error);
}
