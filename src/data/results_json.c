/* SPDX-License-Identifier: Apache-2.0 */
/* Results as `detect` writes them: a document whose "images" are read one at a time, or a line a
 * picture. */
#include "src/data/results_json.h"

#include "src/base/json_reader.h"
#include "src/base/memory.h"
#include "src/base/span.h"
#include "src/data/results.h"

#include <stdio.h>
#include <string.h>

det_status det_json_read_number(json_object *object, const char *key, double *number,
                                det_error *error)
{
    json_object *value = NULL;
    json_object_object_get_ex(object, key, &value);
    if (det_json_number_of(value, number)) return DET_OK;
    return det_fail(error, DET_FORMAT, "needs \"%s\", a number", key);
}

static const char *string_of(json_object *object, const char *key)
{
    json_object *value = NULL;
    json_object_object_get_ex(object, key, &value);
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

/* ---- Detections of a picture ---- */

typedef struct document {
    const det_result_names *names;
    det_results_part *part;
    bool *met; /* of each picture of the annotations */
    bool any;  /* a picture was there at all */
} document;

static det_status read_box(json_object *item, double box[4], det_error *error)
{
    static const char *const keys[] = {"x", "y", "width", "height"};
    json_object *value = NULL;
    json_object_object_get_ex(item, "box", &value);
    if (!json_object_is_type(value, json_type_object))
        return det_fail(error, DET_FORMAT, "needs \"box\", an object of x, y, width, height");
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < 4; i++)
        status = det_json_read_number(value, keys[i], &box[i], error);
    return det_error_inside(error, "box", ".", status);
}

/* image: NULL where the annotations do not have the picture. */
static det_status read_detection(const document *d, json_object *item, const uint32_t *image,
                                 const char *file, det_error *error)
{
    det_detected_object object = {.image = image ? *image : 0};
    if (!json_object_is_type(item, json_type_object))
        return det_fail(error, DET_FORMAT, "must be an object");
    const char *name = string_of(item, "class");
    if (!name) return det_fail(error, DET_FORMAT, "needs \"class\", a name");
    det_status status = det_json_read_number(item, "score", &object.score, error);
    if (status == DET_OK) status = read_box(item, object.box, error);
    if (status < 0) return status;
    if (image && det_result_class_by_name(d->names, name, &object.category))
        return det_results_add(d->part, &object, DET_BOX_SIZED, error);
    d->part->listed++;
    if (image) return det_results_count_class(d->part, name, 1, error);
    det_results_count(d->part, DET_NOTE_UNKNOWN_IMAGE, "%s", file);
    return DET_OK;
}

static det_status read_detections(const document *d, json_object *list, const uint32_t *image,
                                  const char *file, det_error *error)
{
    det_status status = DET_OK;
    const size_t count = json_object_array_length(list);
    for (size_t i = 0; status == DET_OK && i < count; i++) {
        char place[48];
        snprintf(place, sizeof place, "detections[%zu]", i);
        status = read_detection(d, json_object_array_get_idx(list, i), image, file, error);
        det_error_inside(error, place, ".", status);
    }
    return status;
}

static det_status read_picture(document *d, json_object *picture, det_error *error)
{
    json_object *list = NULL, *failure = NULL;
    const char *file = string_of(picture, "file");
    if (!file && string_of(picture, "file_name"))
        return det_fail(error, DET_FORMAT, "is an image of COCO annotations; results are expected");
    if (!file) return det_fail(error, DET_FORMAT, "needs \"file\", a name");
    if (!json_object_object_get_ex(picture, "detections", &list) ||
        !json_object_is_type(list, json_type_array))
        return det_fail(error, DET_FORMAT, "needs \"detections\", an array, as 'detect' writes it");
    if (json_object_object_get_ex(picture, "error", &failure) && failure)
        det_results_count(d->part, DET_NOTE_FAILED_IMAGE, "%s", file);
    size_t image = 0;
    d->any = true;
    if (det_annotations_find_image(d->names->annotations, file, &image, NULL) < 0)
        return read_detections(d, list, NULL, file, error);
    if (d->met[image]) det_results_count(d->part, DET_NOTE_SAME_IMAGE, "%s", file);
    d->met[image] = true;
    const uint32_t at = (uint32_t)image;
    return read_detections(d, list, &at, file, error);
}

/* ---- Documents and lines ---- */

static det_status begin(document *d, const det_result_names *names, det_results_part *part,
                        det_error *error)
{
    *d = (document){.names = names, .part = part};
    d->met = det_alloc_zeroed(names->annotations->image_count, sizeof *d->met);
    return d->met ? DET_OK : det_fail_memory(error, "results");
}

static det_status end(document *d, det_status status, det_error *error)
{
    const det_annotations *a = d->names->annotations;
    if (status == DET_OK && !d->any)
        status =
            det_fail(error, DET_FORMAT,
                     "lists no pictures: COCO results (an array), or \"images\" as 'detect' writes "
                     "them, are expected");
    for (size_t i = 0; status == DET_OK && i < a->image_count; i++)
        if (!d->met[i])
            det_results_count(d->part, DET_NOTE_UNLISTED_IMAGE, "%s", a->images[i].file);
    det_free(d->met);
    return status;
}

static det_status take_picture(void *context, const char *key, size_t index, json_object *element,
                               det_error *error)
{
    if (!json_object_is_type(element, json_type_object))
        return det_fail(error, DET_FORMAT, "must be an object");
    char place[64];
    snprintf(place, sizeof place, "%s[%zu]", key, index);
    return det_error_inside(error, place, ".", read_picture(context, element, error));
}

det_status det_results_parse_json(const char *text, size_t size, const det_result_names *names,
                                  det_results_part *part, det_error *error)
{
    static const char *const keys[] = {"images", NULL};
    document d;
    det_status status = begin(&d, names, part, error);
    if (status == DET_OK) status = det_json_each(text, size, keys, take_picture, &d, error);
    return end(&d, status, error);
}

/* The place in a line, "line 1, column 9", becomes that in the text. */
static det_status parse_line(det_span line, json_object **picture, const char *place,
                             det_error *error)
{
    const det_status status = det_json_parse(line.text, line.length, picture, error);
    if (status == DET_OK || !error) return status;
    const char *column = strstr(error->where, "column");
    if (column)
        memmove(error->where, column, strlen(column) + 1);
    else
        *error->where = '\0';
    return det_error_inside(error, place, ", ", status);
}

static det_status read_line(document *d, det_span line, size_t number, det_error *error)
{
    json_object *picture = NULL;
    char place[48];
    snprintf(place, sizeof place, "line %zu", number);
    det_status status = parse_line(line, &picture, place, error);
    if (status < 0) return status;
    status = json_object_is_type(picture, json_type_object)
                 ? read_picture(d, picture, error)
                 : det_fail(error, DET_FORMAT, "must be an object");
    json_object_put(picture);
    return det_error_inside(error, place, ": ", status);
}

det_status det_results_parse_lines(const char *text, size_t size, const det_result_names *names,
                                   det_results_part *part, det_error *error)
{
    document d;
    det_status status = begin(&d, names, part, error);
    det_span left = det_span_of(text, size);
    for (size_t number = 1; status == DET_OK && left.length > 0; number++) {
        const det_span line = det_span_cut(&left, '\n');
        if (line.length > 0) status = read_line(&d, line, number, error);
    }
    return end(&d, status, error);
}
