/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of pictures in a COCO data set, from an annotation file or from the names. */
#include "src/data/image_ids.h"

#include "src/base/error.h"
#include "src/base/json_reader.h"
#include "src/base/memory.h"
#include "src/data/names.h"

#include <stdlib.h>
#include <string.h>

/* ---- The images of an annotation file ---- */

typedef struct entry {
    char *name;
    int64_t id;
} entry;

typedef struct entries {
    entry *items;
    size_t count, capacity;
} entries;

static void free_entries(entries *list)
{
    for (size_t i = 0; i < list->count; i++) det_free(list->items[i].name);
    det_free(list->items);
}

static det_status take_image(void *context, const char *key, size_t index, json_object *image,
                             det_error *error)
{
    (void)key, (void)index;
    entries *list = context;
    json_object *id = NULL, *name = NULL;
    if (json_object_is_type(image, json_type_object)) {
        json_object_object_get_ex(image, "id", &id);
        json_object_object_get_ex(image, "file_name", &name);
    }
    if (!json_object_is_type(id, json_type_int) || !json_object_is_type(name, json_type_string))
        return det_fail(error, DET_FORMAT,
                        "an image needs an \"id\" that is an integer and a \"file_name\"");
    if (!det_grow_array(&list->items, &list->capacity, list->count + 1, sizeof(entry)))
        return det_fail_memory(error, "the images of an annotation file");
    char *copy = det_copy_string(json_object_get_string(name));
    if (!copy) return det_fail_memory(error, "the images of an annotation file");
    list->items[list->count++] = (entry){copy, json_object_get_int64(id)};
    return DET_OK;
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(det_base_name(((const entry *)a)->name), det_base_name(((const entry *)b)->name));
}

static det_status read_entries(const char *path, entries *list, det_error *error)
{
    static const char *const keys[] = {"images", NULL};
    const det_status status = det_json_each_in_file(path, keys, take_image, list, error);
    if (status < 0) return status;
    if (list->count == 0)
        return det_fail_at(error, DET_FORMAT, path, NULL,
                           "has no \"images\": COCO annotations are expected");
    qsort(list->items, list->count, sizeof *list->items, compare_entries);
    return DET_OK;
}

/* How many folders and names the ends of two paths have in common. */
static size_t common_end(const char *a, const char *b)
{
    size_t i = strlen(a), j = strlen(b), parts = 0;
    while (i > 0 && j > 0 && a[i - 1] == b[j - 1]) {
        i--, j--;
        parts += a[i] == '/';
    }
    const bool whole = (i == 0 || a[i - 1] == '/') && (j == 0 || b[j - 1] == '/');
    return parts + whole;
}

/* The first entry of a base name that is not less. */
static size_t lower_bound(const entries *list, const char *base)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(det_base_name(list->items[middle].name), base) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static det_status find_entry(const entries *list, const char *path, int64_t *id, det_error *error)
{
    const char *base = det_base_name(path);
    size_t best = 0, ties = 0;
    for (size_t i = lower_bound(list, base); i < list->count; i++) {
        if (strcmp(det_base_name(list->items[i].name), base) != 0) break;
        const size_t common = common_end(list->items[i].name, path);
        if (common < best) continue;
        ties = common == best ? ties + 1 : 1;
        best = common;
        *id = list->items[i].id;
    }
    if (ties == 1) return DET_OK;
    if (ties == 0)
        return det_fail_at(error, DET_ARGUMENT, path, NULL,
                           "the annotations have no image of this name");
    return det_fail_at(error, DET_ARGUMENT, path, NULL,
                       "the annotations have %zu images that this name fits equally well", ties);
}

static det_status ids_from_annotations(const det_inputs *inputs, const char *annotations,
                                       int64_t *ids, det_error *error)
{
    entries list = {0};
    det_status status = read_entries(annotations, &list, error);
    for (size_t i = 0; status == DET_OK && i < inputs->count; i++)
        status = find_entry(&list, inputs->paths[i], &ids[i], error);
    free_entries(&list);
    return status;
}

/* ---- Names that are numbers ---- */

static bool parse_id(const char *path, int64_t *id)
{
    enum { max_digits = 18 }; /* fit any int64_t */
    const char *base = det_base_name(path);
    const size_t length = det_stem_length(base);
    const char *digits = base + strspn(base, "0");
    if (length == 0 || strspn(base, "0123456789") != length) return false;
    if (length - (size_t)(digits - base) > max_digits) return false;
    *id = strtoll(base, NULL, 10);
    return true;
}

static det_status ids_from_names(const det_inputs *inputs, int64_t *ids, det_error *error)
{
    for (size_t i = 0; i < inputs->count; i++)
        if (!parse_id(inputs->paths[i], &ids[i]))
            return det_fail_at(error, DET_ARGUMENT, inputs->paths[i], NULL,
                               "coco output numbers the pictures, and this name is not a number "
                               "such as 000000000139.jpg: name the COCO annotations that number "
                               "them with --annotations, or choose another format");
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
