/* SPDX-License-Identifier: Apache-2.0 */
/* COCO annotations (cocodataset.org, "Data format"): an object of "images", "annotations" and
 * "categories", in any order. The text is read an element at a time; outlines are passed over.
 * Which image and which category an annotation means is settled at the end. */
#include "src/data/annotations.h"

#include "src/base/file.h"
#include "src/base/json_reader.h"
#include "src/base/memory.h"
#include "src/base/span.h"
#include "src/data/id_places.h"
#include "src/data/names.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What an annotation says of where it belongs, before that is settled. */
typedef struct link {
    int64_t image_id, category_id;
    size_t index;    /* in "annotations" */
    bool identified; /* it has an id */
} link_of_object;

typedef struct coco_reader {
    det_annotations_data *data;
    link_of_object *links; /* one for each of data->objects */
    size_t link_capacity;
    det_id_place *images, *categories; /* sorted by id */
    size_t *last;                      /* of each of "annotations": the last one of its id; NULL
                                          where none has the id of another */
    size_t annotation_count;           /* of `last` */
} coco_reader;

static det_status out_of_memory(det_error *error)
{
    return det_fail_memory(error, "COCO annotations");
}

/* ---- Members ---- */

static const char *type_name(const json_object *value)
{
    return value ? json_type_to_name(json_object_get_type(value)) : "null or missing";
}

/* json-c gives the nearest int64_t for a number beyond it. */
static bool get_integer(json_object *value, int64_t *number)
{
    if (!json_object_is_type(value, json_type_int)) return false;
    if (json_object_get_uint64(value) > INT64_MAX) return false;
    *number = json_object_get_int64(value);
    return true;
}

static det_status read_integer(json_object *object, const char *key, int64_t *number,
                               det_error *error)
{
    json_object *value = NULL;
    json_object_object_get_ex(object, key, &value);
    if (get_integer(value, number)) return DET_OK;
    if (value)
        return det_fail(error, DET_FORMAT, "\"%s\" must be an integer of 64 bits, not %.60s", key,
                        json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
    return det_fail(error, DET_FORMAT, "\"%s\", an integer, is missing", key);
}

/* A side of a picture: where it is there, a whole number of pixels. */
static det_status read_side(json_object *image, const char *key, int *side, det_error *error)
{
    json_object *value = NULL;
    double number = 0;
    if (!json_object_object_get_ex(image, key, &value) || !value) return DET_OK;
    if (!det_json_number_of(value, &number) || number < 0 || number > INT_MAX ||
        number != (double)(int)number)
        return det_fail(error, DET_FORMAT,
                        "\"%s\" must be a number of pixels from 0 to %d, not %.60s", key, INT_MAX,
                        json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
    *side = (int)number;
    return DET_OK;
}

static det_status read_flag(json_object *object, const char *key, bool *flag, det_error *error)
{
    json_object *value = NULL;
    int64_t number = 0;
    if (!json_object_object_get_ex(object, key, &value) || !value) return DET_OK;
    if (json_object_is_type(value, json_type_boolean))
        number = json_object_get_boolean(value);
    else if (!get_integer(value, &number) || number < 0 || number > 1)
        return det_fail(error, DET_FORMAT, "\"%s\" must be 0 or 1, not %.60s", key,
                        json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
    *flag = number != 0;
    return DET_OK;
}

/* A mark that COCO does not know, and of which this library writes 1 where it is set. */
static bool has_mark(json_object *object, const char *key)
{
    json_object *value = NULL;
    int64_t number = 0;
    if (!json_object_object_get_ex(object, key, &value)) return false;
    return get_integer(value, &number) && number == 1;
}

/* A copy of a string; NULL where it is none, or memory is short. */
static char *copy_member(json_object *object, const char *key)
{
    json_object *value = NULL;
    json_object_object_get_ex(object, key, &value);
    return json_object_is_type(value, json_type_string)
               ? det_copy_string(json_object_get_string(value))
               : NULL;
}

static bool has_string(json_object *object, const char *key)
{
    json_object *value = NULL;
    return json_object_object_get_ex(object, key, &value) &&
           json_object_is_type(value, json_type_string);
}

/* ---- Elements ---- */

static det_status take_image(coco_reader *r, json_object *image, det_error *error)
{
    json_object *value = NULL;
    int64_t id = 0;
    int width = 0, height = 0;
    json_object_object_get_ex(image, "id", &value);
    if (!get_integer(value, &id) || !has_string(image, "file_name"))
        return det_fail(error, DET_FORMAT,
                        "an image needs an \"id\" that is an integer and a \"file_name\"");
    det_status status = read_side(image, "width", &width, error);
    if (status == DET_OK) status = read_side(image, "height", &height, error);
    if (status == DET_OK)
        status = det_annotations_add_image(r->data, copy_member(image, "file_name"), id, error);
    if (status < 0) return status;
    det_annotated_image *added = &r->data->images[r->data->seen.image_count - 1];
    added->width = width;
    added->height = height;
    return DET_OK;
}

static det_status take_category(coco_reader *r, json_object *category, det_error *error)
{
    int64_t id = 0;
    const det_status status = read_integer(category, "id", &id, error);
    if (status < 0) return status;
    if (!has_string(category, "name"))
        return det_fail(error, DET_FORMAT, "\"name\", a string, is missing");
    return det_annotations_add_category(r->data, copy_member(category, "name"), id, error);
}

static det_status read_box(json_object *annotation, double box[4], det_error *error)
{
    json_object *value = NULL;
    json_object_object_get_ex(annotation, "bbox", &value);
    if (!json_object_is_type(value, json_type_array))
        return det_fail(error, DET_FORMAT,
                        "\"bbox\" must be an array of x, y, width, height, not %s",
                        type_name(value));
    const size_t count = json_object_array_length(value);
    if (count != 4)
        return det_fail(error, DET_FORMAT, "\"bbox\" must have 4 numbers, not %zu", count);
    for (size_t i = 0; i < 4; i++) {
        json_object *number = json_object_array_get_idx(value, i);
        if (!det_json_number_of(number, &box[i]))
            return det_fail(error, DET_FORMAT, "\"bbox\"[%zu] must be a number, not %s", i,
                            type_name(number));
    }
    return DET_OK;
}

static det_status read_object_id(coco_reader *r, json_object *annotation, link_of_object *link,
                                 int64_t *id, det_error *error)
{
    link->identified = json_object_object_get_ex(annotation, "id", NULL);
    if (!link->identified) {
        det_annotations_note(r->data, DET_ODDITY_NO_ID, "annotations[%zu]", link->index);
        *id = -1;
        return DET_OK;
    }
    const det_status status = read_integer(annotation, "id", id, error);
    if (status == DET_OK && *id == 0)
        det_annotations_note(r->data, DET_ODDITY_ID_ZERO, "annotations[%zu]", link->index);
    return status;
}

static det_status read_area(coco_reader *r, json_object *annotation, size_t index,
                            det_annotated_object *object, det_error *error)
{
    json_object *value = NULL;
    if (json_object_object_get_ex(annotation, "area", &value) && value) {
        if (det_json_number_of(value, &object->area)) return DET_OK;
        return det_fail(error, DET_FORMAT, "\"area\" must be a number, not %s", type_name(value));
    }
    object->area = object->box[2] * object->box[3];
    det_annotations_note(r->data, DET_ODDITY_NO_AREA, "annotations[%zu]", index);
    return DET_OK;
}

static det_status add_object(coco_reader *r, const det_annotated_object *object,
                             const link_of_object *link, det_error *error)
{
    det_annotations_data *data = r->data;
    const size_t count = data->seen.object_count;
    if (!det_grow_array(&data->objects, &data->object_capacity, count + 1, sizeof *object) ||
        !det_grow_array(&r->links, &r->link_capacity, count + 1, sizeof *link))
        return out_of_memory(error);
    data->objects[count] = *object;
    r->links[count] = *link;
    data->seen.object_count++;
    return DET_OK;
}

static det_status take_annotation(coco_reader *r, size_t index, json_object *annotation,
                                  det_error *error)
{
    det_annotated_object object = {0};
    link_of_object link = {.index = index};
    det_status status = read_integer(annotation, "image_id", &link.image_id, error);
    if (status == DET_OK)
        status = read_integer(annotation, "category_id", &link.category_id, error);
    if (status == DET_OK) status = read_box(annotation, object.box, error);
    if (status == DET_OK) status = read_object_id(r, annotation, &link, &object.id, error);
    if (status == DET_OK) status = read_area(r, annotation, index, &object, error);
    if (status == DET_OK) status = read_flag(annotation, "iscrowd", &object.crowd, error);
    if (status == DET_OK) status = read_flag(annotation, "ignore", &object.ignore, error);
    if (status < 0) return status;
    object.difficult = has_mark(annotation, "difficult");
    object.truncated = has_mark(annotation, "truncated");
    object.occluded = has_mark(annotation, "occluded");
    object.ignore = object.ignore && !object.difficult; /* written beside it, for other programs */
    return add_object(r, &object, &link, error);
}

static det_status take_element(void *context, const char *key, size_t index, json_object *element,
                               det_error *error)
{
    coco_reader *r = context;
    if (!*key)
        return det_fail_at(error, DET_FORMAT, NULL, "line 1, column 1",
                           "an array at the top is COCO results; annotations are an object with "
                           "\"images\", \"annotations\" and \"categories\"");
    if (*key == 'i') return take_image(r, element, error); /* says itself what an image needs */
    if (!json_object_is_type(element, json_type_object))
        return det_fail(error, DET_FORMAT, "must be an object, not %s", type_name(element));
    if (*key == 'c') return take_category(r, element, error);
    return take_annotation(r, index, element, error);
}

/* ---- Which image, which category ---- */

/* Sorts ids; two that are the same are an error. */
static det_status sort_owners(det_id_place *owners, size_t count, const char *array,
                              det_error *error)
{
    det_id_places_sort(owners, count);
    for (size_t i = 1; i < count; i++) {
        if (owners[i].id != owners[i - 1].id) continue;
        det_fail(error, DET_FORMAT, "has the \"id\" %lld, which %s[%zu] has, too",
                 (long long)owners[i].id, array, owners[i - 1].at);
        det_error_where(error, "%s[%zu]", array, owners[i].at);
        return DET_FORMAT;
    }
    return DET_OK;
}

static det_status make_owners(coco_reader *r, det_error *error)
{
    const det_annotations_data *data = r->data;
    const size_t images = data->seen.image_count, categories = data->seen.category_count;
    r->images = det_alloc_array(images, sizeof *r->images);
    r->categories = det_alloc_array(categories, sizeof *r->categories);
    if (!r->images || !r->categories) return out_of_memory(error);
    for (size_t i = 0; i < images; i++) r->images[i] = (det_id_place){data->images[i].id, i};
    for (size_t i = 0; i < categories; i++)
        r->categories[i] = (det_id_place){data->categories[i].id, i};
    const det_status status = sort_owners(r->images, images, "images", error);
    return status < 0 ? status : sort_owners(r->categories, categories, "categories", error);
}

/* Settles where an object belongs. @return false where it belongs nowhere. */
static bool settle(coco_reader *r, size_t index)
{
    det_annotations_data *data = r->data;
    const link_of_object *link = &r->links[index];
    const det_id_place *image =
        det_id_places_find(r->images, data->seen.image_count, link->image_id);
    const det_id_place *category =
        det_id_places_find(r->categories, data->seen.category_count, link->category_id);
    if (!image)
        det_annotations_note(data, DET_ODDITY_UNKNOWN_IMAGE, "annotations[%zu], \"image_id\" %lld",
                             link->index, (long long)link->image_id);
    else if (!category)
        det_annotations_note(data, DET_ODDITY_UNKNOWN_CATEGORY,
                             "annotations[%zu], \"category_id\" %lld", link->index,
                             (long long)link->category_id);
    if (!image || !category) return false;
    data->objects[index].image = image->at;
    data->objects[index].category = category->at;
    data->images[image->at].object_count++;
    return true;
}

/* Drops what belongs nowhere, and gives every image the place of its objects. */
static void settle_all(coco_reader *r)
{
    det_annotations_data *data = r->data;
    size_t kept = 0, first = 0;
    for (size_t i = 0; i < data->seen.object_count; i++)
        if (settle(r, i)) {
            data->objects[kept] = data->objects[i];
            r->links[kept++] = r->links[i];
        }
    data->seen.object_count = kept;
    for (size_t i = 0; i < data->seen.image_count; i++) {
        data->images[i].first_object = first;
        first += data->images[i].object_count;
    }
}

/* ---- Ids that several have ---- */

/* Lists the ids that there are, sorted. @return how many. */
static size_t list_ids(const coco_reader *r, det_id_place *ids)
{
    size_t count = 0;
    for (size_t i = 0; i < r->annotation_count; i++)
        if (r->links[i].identified) ids[count++] = (det_id_place){r->data->objects[i].id, i};
    det_id_places_sort(ids, count);
    return count;
}

/* pycocotools keeps objects by their ids, over the whole file, so that the last one stays. */
static det_status find_same_ids(coco_reader *r, det_error *error)
{
    r->annotation_count = r->data->seen.object_count;
    det_id_place *ids = det_alloc_array(r->annotation_count, sizeof *ids);
    r->last = det_alloc_array(r->annotation_count, sizeof *r->last);
    if (!ids || !r->last) {
        det_free(ids);
        return out_of_memory(error);
    }
    bool any = false;
    const size_t count = list_ids(r, ids);
    for (size_t i = 0; i < r->annotation_count; i++) r->last[i] = i;
    for (size_t i = 1; i < count; i++) {
        if (ids[i].id != ids[i - 1].id) continue;
        det_annotations_note(r->data, DET_ODDITY_SAME_ID, "%lld", (long long)ids[i].id);
        any = true;
    }
    for (size_t i = any ? count : 0; i-- > 1;) /* equal ids lie in the order of the file */
        if (ids[i].id == ids[i - 1].id) r->last[ids[i - 1].at] = r->last[ids[i].at];
    det_free(ids);
    if (any) return DET_OK;
    det_free(r->last);
    r->last = NULL;
    return DET_OK;
}

/* places: where each object has gone. The links are in the order of the file still. */
static det_status keep_same_ids(coco_reader *r, const size_t *places, det_error *error)
{
    det_annotations_data *data = r->data;
    const size_t count = data->seen.object_count;
    if (!r->last) return DET_OK;
    size_t *kept = det_alloc_array(r->annotation_count, sizeof *kept); /* of "annotations" */
    data->last_of_id = det_alloc_array(count, sizeof *data->last_of_id);
    data->file_order = det_alloc_array(count, sizeof *data->file_order);
    const bool enough = kept && data->last_of_id && data->file_order;
    for (size_t i = 0; enough && i < r->annotation_count; i++) kept[i] = SIZE_MAX;
    for (size_t i = 0; enough && i < count; i++)
        data->file_order[i] = kept[r->links[i].index] = places[i];
    for (size_t i = 0; enough && i < count; i++)
        data->last_of_id[places[i]] = kept[r->last[r->links[i].index]];
    det_free(kept);
    return enough ? DET_OK : out_of_memory(error);
}

/* ---- The objects of an image ---- */

/* A counting sort: objects of an image keep their order. */
static det_status group_objects(coco_reader *r, det_error *error)
{
    det_annotations_data *data = r->data;
    const size_t count = data->seen.object_count, images = data->seen.image_count;
    det_annotated_object *grouped = det_alloc_array(count, sizeof *grouped);
    size_t *places = det_alloc_array(count, sizeof *places);
    size_t *next = det_alloc_array(images, sizeof *next);
    det_status status = grouped && places && next ? DET_OK : out_of_memory(error);
    for (size_t i = 0; status == DET_OK && i < images; i++) next[i] = data->images[i].first_object;
    for (size_t i = 0; status == DET_OK && i < count; i++) {
        places[i] = next[data->objects[i].image]++;
        grouped[places[i]] = data->objects[i];
    }
    if (status == DET_OK) status = keep_same_ids(r, places, error);
    if (status == DET_OK) {
        det_free(data->objects);
        data->objects = grouped;
        data->object_capacity = count;
        grouped = NULL;
    }
    det_free(grouped);
    det_free(places);
    det_free(next);
    return status;
}

static det_status settle_objects(coco_reader *r, det_error *error)
{
    det_status status = make_owners(r, error);
    if (status == DET_OK) status = find_same_ids(r, error);
    if (status < 0) return status;
    settle_all(r);
    return group_objects(r, error);
}

/* ---- Texts and files ---- */

static const char *const all_keys[] = {"images", "annotations", "categories", NULL};
static const char *const image_keys[] = {"images", NULL};
/* Of an image, an annotation or a category: not the outlines, which are most of a file. */
static const char *const members[] = {
    "id",      "file_name", "width", "height",    "image_id",  "category_id", "bbox", "area",
    "iscrowd", "ignore",    "name",  "difficult", "truncated", "occluded",    NULL};

static void pass_over(void *context, const char *array, const char *key)
{
    det_annotations_pass_over(((coco_reader *)context)->data, array, ".", key);
}

static const det_json_wanted all_wanted = {all_keys, members, pass_over},
                             images_wanted = {image_keys, members, NULL};

static det_status settle_and_check(coco_reader *r, bool images_only, det_error *error)
{
    const det_annotations *seen = &r->data->seen;
    if (seen->image_count == 0 && (images_only || seen->category_count == 0))
        return det_fail(error, DET_FORMAT, "lists no \"images\": COCO annotations are expected");
    return images_only ? DET_OK : settle_objects(r, error);
}

static void free_reader(coco_reader *r)
{
    det_free(r->links);
    det_free(r->last);
    det_free(r->images);
    det_free(r->categories);
}

det_status det_coco_parse(const char *text, size_t size, det_annotations_data *data,
                          det_error *error)
{
    coco_reader r = {.data = data};
    det_status status = det_json_each_in(text, size, &all_wanted, take_element, &r, error);
    if (status == DET_OK) status = settle_and_check(&r, false, error);
    free_reader(&r);
    return status;
}

det_status det_coco_read(const char *path, bool images_only, det_annotations_data *data,
                         det_error *error)
{
    coco_reader r = {.data = data};
    det_status status = det_json_each_in_file(path, images_only ? &images_wanted : &all_wanted,
                                              take_element, &r, error);
    if (status == DET_OK) status = settle_and_check(&r, images_only, error);
    free_reader(&r);
    return det_error_file(error, path, status);
}

det_status det_coco_read_images(const char *path, det_annotations **annotations, det_error *error)
{
    det_annotations_data *data = det_annotations_begin(DET_ANNOTATIONS_COCO, error);
    if (!data) return DET_MEMORY;
    det_status status = det_coco_read(path, true, data, error);
    if (status == DET_OK) status = det_annotations_finish(data, error);
    if (status < 0)
        det_annotations_free(&data->seen);
    else
        *annotations = &data->seen;
    return status;
}

/* ---- Where the pictures are ---- */

/* Tries folder/name for a picture. @return false where memory is short. */
static bool try_folder(const char *folder, const char *name, const char *picture, char **found)
{
    char *candidate = det_path_join(folder, name);
    char *path = candidate ? det_path_join(candidate, picture) : NULL;
    const bool short_of_memory = !path;
    if (path && access(path, F_OK) == 0)
        *found = candidate;
    else
        det_free(candidate);
    det_free(path);
    return !short_of_memory;
}

/* Data sets lie beside their annotations, in a folder of the same name (train.json, train/), in
 * images/, or as COCO's own do: annotations/instances_val2017.json and val2017/. */
static det_status guess_folder(const char *path, const char *folder, const char *picture,
                               char **found, det_error *error)
{
    static const char *const prefixes[] = {"", "images/", "../", "../images/"};
    const char *base = det_base_name(path);
    const size_t length = det_stem_length(base);
    const char *underscore = memrchr(base, '_', length);
    const size_t skipped = underscore ? (size_t)(underscore - base) + 1 : 0;
    const det_span stems[] = {
        {"", 0}, {base, length}, {base + skipped, skipped ? length - skipped : 0}};

    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        for (size_t j = 0; j < sizeof stems / sizeof *stems; j++) {
            char name[NAME_MAX + 16];
            snprintf(name, sizeof name, "%s%.*s", prefixes[i], (int)stems[j].length, stems[j].text);
            if (!try_folder(folder, name, picture, found)) return out_of_memory(error);
            if (*found) return DET_OK;
        }
    }
    return DET_OK;
}

det_status det_coco_set_folder(const char *path, const char *pictures, det_annotations_data *data,
                               det_error *error)
{
    enum { tried = 20 }; /* pictures, because some may be missing */
    if (pictures) {
        data->folder = det_copy_string(pictures);
        return data->folder ? DET_OK : out_of_memory(error);
    }
    char *folder = det_path_folder(path);
    if (!folder) return out_of_memory(error);
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && !data->folder && i < tried && i < data->seen.image_count;
         i++)
        status = guess_folder(path, folder, data->images[i].file, &data->folder, error);
    if (status == DET_OK && !data->folder) {
        data->folder = folder; /* none is found: beside the file */
        return DET_OK;
    }
    det_free(folder);
    return status;
}
