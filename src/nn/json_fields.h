/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_JSON_FIELDS_H
#define DETECT_NN_JSON_FIELDS_H

#include "src/base/error.h"

#include <json-c/json.h>

/* Members of a JSON object by type. Every failure is DET_FORMAT and names the member in
 * error->where. */

/** The member `key`, of the given type. @param value receives it, borrowed. */
det_status det_json_get(json_object *object, const char *key, json_type type, json_object **value,
                        det_error *error);
/** The same, but a member that is missing or null gives NULL. */
det_status det_json_get_optional(json_object *object, const char *key, json_type type,
                                 json_object **value, det_error *error);
/** A text, borrowed. */
det_status det_json_get_text(json_object *object, const char *key, const char **text,
                             det_error *error);
/** A whole number in [min, max]. */
det_status det_json_get_int(json_object *object, const char *key, int min, int max, int *value,
                            det_error *error);
/** An array of exactly `count` whole numbers in [min, max]. */
det_status det_json_get_ints(json_object *object, const char *key, int min, int max, int *values,
                             size_t count, det_error *error);
det_status det_json_get_bool(json_object *object, const char *key, bool *value, det_error *error);
/** A number that a float can hold. */
det_status det_json_get_number(json_object *object, const char *key, float *value,
                               det_error *error);
/** An array of exactly `count` numbers. */
det_status det_json_get_numbers(json_object *object, const char *key, float *values, size_t count,
                                det_error *error);
/** A value that is an array of exactly `count` numbers; error->where is left to the caller. */
det_status det_json_numbers(json_object *value, float *values, size_t count, det_error *error);

#endif
