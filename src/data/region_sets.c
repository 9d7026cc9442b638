/* SPDX-License-Identifier: Apache-2.0 */
/* Regions of pictures, from a document of results or from annotations, an element at a time. */
#include "src/data/region_sets.h"

#include "src/base/file.h"
#include "src/base/json_reader.h"
#include "src/base/memory.h"
#include "src/base/text.h"
#include "src/data/annotations.h"

#include <math.h>
#include <stdio.h>

static det_status add_region(det_region_sets *sets, det_region region, det_error *error)
{
    if (!det_grow_array(&sets->regions, &sets->capacity, sets->count + 1, sizeof *sets->regions))
        return det_fail_memory(error, "the regions of pictures");
    sets->regions[sets->count++] = region;
    return DET_OK;
}

/* The regions added from here on are those of picture `index`. */
static det_status begin_picture(det_region_sets *sets, size_t index, det_error *error)
{
    if (!det_grow_array(&sets->first, &sets->first_capacity, index + 2, sizeof *sets->first))
        return det_fail_memory(error, "the regions of pictures");
    sets->first[index] = sets->first[index + 1] = sets->count;
    return DET_OK;
}

static void end_picture(det_region_sets *sets, size_t index)
{
    sets->first[index + 1] = sets->count;
}

/* ---- Documents of detect -------------------------------------------------------------------- */

static bool read_number(json_object *object, const char *key, double *number)
{
    json_object *value = NULL;
    return json_object_object_get_ex(object, key, &value) && det_json_number_of(value, number);
}

static bool read_region(json_object *item, det_region *region)
{
    json_object *box = NULL;
    double x, y, width, height, score = 0;
    if (!json_object_is_type(item, json_type_object)) return false;
    if (!json_object_object_get_ex(item, "box", &box) ||
        !json_object_is_type(box, json_type_object))
        return false;
    if (!read_number(box, "x", &x) || !read_number(box, "y", &y) ||
        !read_number(box, "width", &width) || !read_number(box, "height", &height))
        return false;
    read_number(item, "score", &score);
    *region = (det_region){{(float)x, (float)y, (float)(x + width), (float)(y + height)},
                           (float)score,
                           DET_SOURCE_PICTURE,
                           0};
    return isfinite(region->box.x0) && isfinite(region->box.y0) &&
           region->box.x1 > region->box.x0 && region->box.y1 > region->box.y0 &&
           isfinite(region->box.x1) && isfinite(region->box.y1);
}

static det_status read_regions(det_region_sets *sets, json_object *list, const char *key,
                               det_error *error)
{
    if (!json_object_is_type(list, json_type_array))
        return det_fail_at(error, DET_FORMAT, NULL, key, "must be an array");
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        det_region region;
        if (!read_region(json_object_array_get_idx(list, i), &region)) {
            det_fail(error, DET_FORMAT,
                     "has no box with numbers x, y, width and height, the last two above 0");
            det_error_where(error, "%s[%zu]", key, i);
            return DET_FORMAT;
        }
        const det_status status = add_region(sets, region, error);
        if (status < 0) return status;
    }
    return DET_OK;
}

static const char *string_of(json_object *object, const char *key)
{
    json_object *value = NULL;
    if (!json_object_object_get_ex(object, key, &value)) return NULL;
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

typedef struct {
    det_region_sets *sets;
    det_annotations_data *pictures;
    bool foreign; /* the images are COCO's */
} document;

static det_status read_picture(document *d, json_object *image, det_error *error)
{
    json_object *list = NULL;
    const char *file = string_of(image, "file");
    const char *key = "proposals";
    if (!json_object_object_get_ex(image, key, &list)) key = "detections";
    if (!file || (!list && !json_object_object_get_ex(image, key, &list)))
        return det_fail(error, DET_FORMAT,
                        "has no file, or neither proposals nor detections: the document of "
                        "'detect propose' is wanted, or annotations");
    const size_t index = d->pictures->seen.image_count;
    det_status status = begin_picture(d->sets, index, error);
    if (status == DET_OK) status = read_regions(d->sets, list, key, error);
    if (status < 0) return status;
    end_picture(d->sets, index);
    return det_annotations_add_image(d->pictures, det_copy_string(file), (int64_t)index + 1, error);
}

static det_status take_image(void *context, const char *key, size_t index, json_object *element,
                             det_error *error)
{
    document *d = context;
    if (!json_object_is_type(element, json_type_object))
        return det_fail(error, DET_FORMAT, "must be an object");
    if (index == 0 && string_of(element, "file_name")) {
        d->foreign = true;
        return DET_UNSUPPORTED;
    }
    const det_status status = read_picture(d, element, error);
    char place[64];
    snprintf(place, sizeof place, "%s[%zu]", key, index);
    return det_error_inside(error, place, ".", status);
}

det_status det_region_sets_parse(const char *text, size_t size, det_region_sets *sets,
                                 bool *foreign, det_error *error)
{
    static const char *const keys[] = {"images", NULL};
    document d = {.sets = sets, .pictures = det_annotations_begin(DET_ANNOTATIONS_COCO, error)};
    if (!d.pictures) return DET_MEMORY;
    sets->pictures = &d.pictures->seen;
    det_status status = det_json_each(text, size, keys, take_image, &d, error);
    if (status == DET_OK) status = det_annotations_finish(d.pictures, error);
    *foreign = d.foreign;
    return status;
}

/* ---- Annotations ---------------------------------------------------------------------------- */

static det_status add_objects(det_region_sets *sets, size_t image, det_error *error)
{
    const det_annotated_image *picture = &sets->pictures->images[image];
    det_status status = begin_picture(sets, image, error);
    for (size_t i = 0; status == DET_OK && i < picture->object_count; i++) {
        const det_box box = det_annotations_box(sets->pictures, picture->first_object + i);
        if (!(box.x1 > box.x0 && box.y1 > box.y0)) continue;
        status = add_region(sets, (det_region){box, 0, DET_SOURCE_PICTURE, 0}, error);
    }
    if (status == DET_OK) end_picture(sets, image);
    return status;
}

static det_status read_annotations(det_region_sets *sets, const char *path, det_error *error)
{
    det_status status = det_annotations_read(path, NULL, &sets->pictures, error);
    for (size_t i = 0; status == DET_OK && i < sets->pictures->image_count; i++)
        status = add_objects(sets, i, error);
    return status;
}

/* ---- Both ----------------------------------------------------------------------------------- */

static det_status read_sets(det_region_sets *sets, const char *path, det_error *error)
{
    det_error failure = {0};
    bool foreign = false;
    if (!det_text_ends_fold(path, ".json")) return read_annotations(sets, path, error);
    det_bytes bytes = {0};
    det_status status = det_file_map(path, &bytes, &failure);
    if (status == DET_OK)
        status =
            det_region_sets_parse((const char *)bytes.data, bytes.size, sets, &foreign, &failure);
    det_bytes_free(&bytes);
    if (!foreign) {
        if (status < 0 && error) *error = failure;
        return status;
    }
    det_annotations_free(sets->pictures);
    sets->pictures = NULL;
    return read_annotations(sets, path, error);
}

det_status det_region_sets_read(const char *path, det_region_sets **sets, det_error *error)
{
    det_region_sets *made = det_alloc_zeroed(1, sizeof *made);
    if (!made) return det_fail_memory(error, "the regions of pictures");
    const det_status status = det_error_file(error, path, read_sets(made, path, error));
    if (status < 0)
        det_region_sets_free(made);
    else
        *sets = made;
    return status;
}

void det_region_sets_free(det_region_sets *sets)
{
    if (!sets) return;
    det_annotations_free(sets->pictures);
    det_free(sets->first);
    det_free(sets->regions);
    det_free(sets);
}

det_status det_region_sets_find(const det_region_sets *sets, const char *file,
                                const det_region **regions, size_t *count, det_error *error)
{
    size_t index = 0;
    const det_status status = det_annotations_find_image(sets->pictures, file, &index, error);
    if (status < 0) return status;
    *regions = sets->regions ? sets->regions + sets->first[index] : NULL;
    *count = sets->first[index + 1] - sets->first[index];
    return DET_OK;
}
