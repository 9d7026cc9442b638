/* SPDX-License-Identifier: Apache-2.0 */
#include "src/nn/json_fields.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

static const char *type_name(json_type type)
{
    switch (type) {
    case json_type_null:
        return "null";
    case json_type_boolean:
        return "true or false";
    case json_type_double:
        return "a number";
    case json_type_int:
        return "a whole number";
    case json_type_object:
        return "an object";
    case json_type_array:
        return "an array";
    default:
        return "a string";
    }
}

det_status det_json_get_optional(json_object *object, const char *key, json_type type,
                                 json_object **value, det_error *error)
{
    *value = json_object_object_get(object, key);
    if (!*value || json_object_is_type(*value, type)) return DET_OK;
    det_fail(error, DET_FORMAT, "must be %s, but is %s", type_name(type),
             type_name(json_object_get_type(*value)));
    det_error_where(error, "%s", key);
    return DET_FORMAT;
}

det_status det_json_get(json_object *object, const char *key, json_type type, json_object **value,
                        det_error *error)
{
    const det_status status = det_json_get_optional(object, key, type, value, error);
    if (status < 0 || *value) return status;
    det_fail(error, DET_FORMAT, "is missing; it must be %s", type_name(type));
    det_error_where(error, "%s", key);
    return DET_FORMAT;
}

det_status det_json_get_text(json_object *object, const char *key, const char **text,
                             det_error *error)
{
    json_object *value;
    const det_status status = det_json_get(object, key, json_type_string, &value, error);
    if (status == DET_OK) *text = json_object_get_string(value);
    return status;
}

static det_status read_int(json_object *value, int min, int max, int *result, det_error *error)
{
    const int64_t number = json_object_get_int64(value);
    if (!json_object_is_type(value, json_type_int) || number < min || number > max)
        return det_fail(error, DET_FORMAT, "must be a whole number from %d to %d, but is %s", min,
                        max, json_object_to_json_string(value));
    *result = (int)number;
    return DET_OK;
}

static det_status read_number(json_object *value, float *result, det_error *error)
{
    const double number = json_object_get_double(value);
    const bool is_number =
        json_object_is_type(value, json_type_double) || json_object_is_type(value, json_type_int);
    if (!is_number || !(number >= (double)-FLT_MAX && number <= (double)FLT_MAX))
        return det_fail(error, DET_FORMAT, "must be a number of at most %g, but is %s",
                        (double)FLT_MAX, json_object_to_json_string(value));
    *result = (float)number;
    return DET_OK;
}

/* The member `key`, of any type. */
static det_status get_any(json_object *object, const char *key, json_object **value,
                          det_error *error)
{
    if (json_object_object_get_ex(object, key, value)) return DET_OK;
    det_fail(error, DET_FORMAT, "is missing");
    det_error_where(error, "%s", key);
    return DET_FORMAT;
}

det_status det_json_get_int(json_object *object, const char *key, int min, int max, int *value,
                            det_error *error)
{
    json_object *member;
    det_status status = get_any(object, key, &member, error);
    if (status < 0) return status;
    return det_error_inside(error, key, ".", read_int(member, min, max, value, error));
}

det_status det_json_get_number(json_object *object, const char *key, float *value, det_error *error)
{
    json_object *member;
    det_status status = get_any(object, key, &member, error);
    if (status < 0) return status;
    return det_error_inside(error, key, ".", read_number(member, value, error));
}

det_status det_json_get_bool(json_object *object, const char *key, bool *value, det_error *error)
{
    json_object *member;
    const det_status status = det_json_get(object, key, json_type_boolean, &member, error);
    if (status == DET_OK) *value = json_object_get_boolean(member) != 0;
    return status;
}

static det_status check_length(json_object *array, size_t count, det_error *error)
{
    if (json_object_array_length(array) == count) return DET_OK;
    return det_fail(error, DET_FORMAT, "must have %zu elements, but has %zu", count,
                    json_object_array_length(array));
}

static det_status get_array(json_object *object, const char *key, size_t count, json_object **array,
                            det_error *error)
{
    const det_status status = det_json_get(object, key, json_type_array, array, error);
    if (status < 0) return status;
    return det_error_inside(error, key, ".", check_length(*array, count, error));
}

det_status det_json_get_ints(json_object *object, const char *key, int min, int max, int *values,
                             size_t count, det_error *error)
{
    json_object *array;
    det_status status = get_array(object, key, count, &array, error);
    for (size_t i = 0; status == DET_OK && i < count; i++)
        status = det_error_inside(
            error, key, ".",
            read_int(json_object_array_get_idx(array, i), min, max, &values[i], error));
    return status;
}

det_status det_json_numbers(json_object *value, float *values, size_t count, det_error *error)
{
    if (!json_object_is_type(value, json_type_array))
        return det_fail(error, DET_FORMAT, "must be an array, but is %s",
                        type_name(json_object_get_type(value)));
    det_status status = check_length(value, count, error);
    for (size_t i = 0; status == DET_OK && i < count; i++)
        status = read_number(json_object_array_get_idx(value, i), &values[i], error);
    return status;
}

det_status det_json_get_numbers(json_object *object, const char *key, float *values, size_t count,
                                det_error *error)
{
    json_object *array;
    const det_status status = det_json_get(object, key, json_type_array, &array, error);
    if (status < 0) return status;
    return det_error_inside(error, key, ".", det_json_numbers(array, values, count, error));
}
