/* SPDX-License-Identifier: Apache-2.0 */
/* COCO results (cocodataset.org, "Results format") with whatever members they have besides, an
 * element at a time. */
#include "src/base/json_reader.h"
#include "src/data/results.h"
#include "src/data/results_json.h"

static det_status read_id(json_object *object, const char *key, int64_t *id, det_error *error)
{
    json_object *value = NULL;
    json_object_object_get_ex(object, key, &value);
    if (json_object_is_type(value, json_type_int) && json_object_get_uint64(value) <= INT64_MAX) {
        *id = json_object_get_int64(value);
        return DET_OK;
    }
    return det_fail(error, DET_FORMAT, "needs \"%s\", an integer of 64 bits%s", key,
                    json_object_is_type(value, json_type_string) ? ", not a string" : "");
}

static det_status read_box(json_object *object, double box[4], det_error *error)
{
    json_object *value = NULL;
    json_object_object_get_ex(object, "bbox", &value);
    bool good = json_object_is_type(value, json_type_array) && json_object_array_length(value) == 4;
    for (size_t i = 0; good && i < 4; i++)
        good = det_json_number_of(json_object_array_get_idx(value, i), &box[i]);
    return good ? DET_OK
                : det_fail(error, DET_FORMAT,
                           "needs \"bbox\", an array of four numbers: x, y, width, height");
}

typedef struct coco_results {
    const det_result_names *names;
    det_results_part *part;
} coco_results;

static det_status take_result(void *context, const char *key, size_t index, json_object *element,
                              det_error *error)
{
    (void)key, (void)index;
    const coco_results *c = context;
    int64_t image_id = 0, category_id = 0;
    det_detected_object object = {0};
    if (!json_object_is_type(element, json_type_object))
        return det_fail(error, DET_FORMAT, "must be an object of COCO results");
    det_status status = read_id(element, "image_id", &image_id, error);
    if (status == DET_OK) status = read_id(element, "category_id", &category_id, error);
    if (status == DET_OK) status = read_box(element, object.box, error);
    if (status == DET_OK) status = det_json_read_number(element, "score", &object.score, error);
    if (status < 0) return status;
    const bool known = det_result_image_by_id(c->names, image_id, &object.image);
    if (!known || !det_result_class_by_id(c->names, category_id, &object.category))
        return det_results_leave_out(c->part, known, image_id, category_id, error);
    return det_results_add(c->part, &object, DET_BOX_SIZED, error);
}

static void pass_over(void *context, const char *array, const char *key)
{
    (void)array, (void)key;
    ((coco_results *)context)->part->more++;
}

/* The last three say nothing that the others do not; pycocotools adds them. */
det_status det_results_parse_coco(const char *text, size_t size, const det_result_names *names,
                                  det_results_part *part, det_error *error)
{
    static const char *const no_keys[] = {NULL};
    static const char *const members[] = {"image_id", "category_id", "bbox",    "score",
                                          "id",       "area",        "iscrowd", NULL};
    coco_results c = {names, part};
    return det_json_each_in(text, size, &(det_json_wanted){no_keys, members, pass_over},
                            take_result, &c, error);
}
