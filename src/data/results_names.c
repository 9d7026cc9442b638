/* SPDX-License-Identifier: Apache-2.0 */
/* Which picture and which class the numbers and names of results mean. */
#include "src/base/memory.h"
#include "src/data/names.h"
#include "src/data/results.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Sorted lists. Of equal ones the first in the list counts. ---- */

static bool find_id(const det_id_place *places, size_t count, int64_t id, uint32_t *at)
{
    const det_id_place *place = det_id_places_find(places, count, id);
    if (place) *at = (uint32_t)place->at;
    return place != NULL;
}

static int compare_names(const void *a, const void *b)
{
    const det_name_place *x = a, *y = b;
    const int order = strcmp(x->name, y->name);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

static const det_name_place *find_name(const det_name_place *places, size_t count, const char *name)
{
    size_t low = 0, high = count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(places[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && strcmp(places[low].name, name) == 0 ? &places[low] : NULL;
}

bool det_result_image_by_id(const det_result_names *names, int64_t id, uint32_t *image)
{
    return find_id(names->images, names->image_count, id, image);
}

bool det_result_class_by_id(const det_result_names *names, int64_t id, uint32_t *category)
{
    return find_id(names->ids, names->id_count, id, category);
}

bool det_result_class_by_name(const det_result_names *names, const char *name, uint32_t *category)
{
    const det_name_place *place = find_name(names->names, names->name_count, name);
    if (place) *category = place->at;
    return place != NULL;
}

/* ---- Making them ---- */

static det_status out_of_memory(det_error *error)
{
    return det_fail_memory(error, "the names of results");
}

/* Annotations that are not COCO's number their pictures as they come; results number them by their
 * file names. */
static det_status make_images(det_result_names *names, det_error *error)
{
    const det_annotations *a = names->annotations;
    names->images = det_alloc_array(a->image_count, sizeof *names->images);
    if (!names->images) return out_of_memory(error);
    for (size_t i = 0; i < a->image_count; i++) {
        int64_t id = a->images[i].id;
        if (a->format != DET_ANNOTATIONS_COCO && !det_name_number(a->images[i].file, &id)) continue;
        names->images[names->image_count++] = (det_id_place){id, i};
    }
    det_id_places_sort(names->images, names->image_count);
    return DET_OK;
}

/* "cat, dog, ...": as many names as fit. */
static void list_classes(const det_annotations *annotations, char *list, size_t size)
{
    size_t used = 0;
    list[0] = '\0';
    for (size_t c = 0; c < annotations->category_count; c++) {
        const char *name = annotations->categories[c].name;
        const bool fits = used + strlen(name) + sizeof ", ..." < size;
        used += (size_t)snprintf(list + used, size - used, "%s%s", c > 0 ? ", " : "",
                                 fits ? name : "...");
        if (!fits) return;
    }
}

static det_status find_target(const det_annotations *annotations, const det_class_pair *pair,
                              uint32_t *category, det_error *error)
{
    for (size_t c = 0; c < annotations->category_count; c++) {
        if (strcmp(annotations->categories[c].name, pair->to) != 0) continue;
        *category = (uint32_t)c;
        return DET_OK;
    }
    char list[300];
    list_classes(annotations, list, sizeof list);
    return det_fail(error, DET_ARGUMENT,
                    "the class map makes \"%.100s\" of \"%.100s\", and the annotations have no "
                    "class of this name; they have: %s",
                    pair->to, pair->from, list);
}

/* A class of the results means what the map says, whatever has its name or number besides. */
static void map_class(det_result_names *names, const char *from, uint32_t category)
{
    int64_t id = 0;
    for (size_t i = 0; i < names->name_count; i++)
        if (strcmp(names->names[i].name, from) == 0) names->names[i].at = category;
    names->names[names->name_count++] = (det_name_place){from, category};
    if (!det_name_number(from, &id)) return;
    for (size_t i = 0; i < names->id_count; i++)
        if (names->ids[i].id == id) names->ids[i].at = category;
    names->ids[names->id_count++] = (det_id_place){id, category};
}

static det_status check_twice(const det_class_pair *map, size_t index, det_error *error)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(map[i].from, map[index].from) == 0 && strcmp(map[i].to, map[index].to) != 0)
            return det_fail(error, DET_ARGUMENT,
                            "the class map makes both \"%.100s\" and \"%.100s\" of \"%.100s\"",
                            map[i].to, map[index].to, map[i].from);
    return DET_OK;
}

static det_status make_classes(det_result_names *names, const det_class_pair *class_map,
                               size_t class_map_count, det_error *error)
{
    const det_annotations *a = names->annotations;
    names->ids = det_alloc_array(a->category_count + class_map_count, sizeof *names->ids);
    names->names = det_alloc_array(a->category_count + class_map_count, sizeof *names->names);
    if (!names->ids || !names->names) return out_of_memory(error);
    for (size_t c = 0; c < a->category_count; c++) {
        names->ids[names->id_count++] = (det_id_place){a->categories[c].id, c};
        names->names[names->name_count++] = (det_name_place){a->categories[c].name, (uint32_t)c};
    }
    for (size_t i = 0; i < class_map_count; i++) {
        uint32_t category = 0;
        det_status status = find_target(a, &class_map[i], &category, error);
        if (status == DET_OK) status = check_twice(class_map, i, error);
        if (status < 0) return status;
        map_class(names, class_map[i].from, category);
    }
    det_id_places_sort(names->ids, names->id_count);
    if (names->name_count > 0)
        qsort(names->names, names->name_count, sizeof *names->names, compare_names);
    return DET_OK;
}

det_status det_result_names_make(const det_annotations *annotations,
                                 const det_class_pair *class_map, size_t class_map_count,
                                 det_result_names *names, det_error *error)
{
    *names = (det_result_names){.annotations = annotations};
    if (annotations->image_count >= UINT32_MAX || annotations->category_count >= UINT32_MAX)
        return det_fail(error, DET_LIMIT, "%zu pictures of %zu classes: at most 2^32 - 2",
                        annotations->image_count, annotations->category_count);
    const det_status status = make_images(names, error);
    return status < 0 ? status : make_classes(names, class_map, class_map_count, error);
}

void det_result_names_free(det_result_names *names)
{
    det_free(names->images);
    det_free(names->ids);
    det_free(names->names);
    *names = (det_result_names){0};
}
