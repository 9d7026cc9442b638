/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_JSON_H
#define DETECT_JSON_H

#include "detect/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A JSON document being written into memory, compact and without a final newline.
 *
 *  Calls nest as the document does: begin, members or elements, end; the commas come by themselves.
 *  `key` is the member's name inside an object and NULL inside an array or at the top. The first
 *  failure (memory, or a misuse such as a missing key) is kept, later calls do nothing, and
 *  det_json_finish reports it: no call in between needs a check.
 *
 *  Numbers read back as they were printed: scores as %.9g, coordinates as %.2f with trailing zeros
 *  dropped; a number that is not finite becomes null. Strings must be UTF-8; bytes that are not
 *  become U+FFFD. Not thread-safe: one document, one thread. */
typedef struct det_json det_json;

/** @return a new document, or NULL when memory is short; free with det_json_free. */
DET_API det_json *det_json_create(void);
DET_API void det_json_free(det_json *json);

DET_API void det_json_begin_object(det_json *json, const char *key);
DET_API void det_json_begin_array(det_json *json, const char *key);
DET_API void det_json_end(det_json *json); /**< ends the innermost object or array */

DET_API void det_json_string(det_json *json, const char *key, const char *value); /**< NULL: null */
DET_API void det_json_integer(det_json *json, const char *key, int64_t value);
DET_API void det_json_number(det_json *json, const char *key, double value);     /**< %.9g */
DET_API void det_json_coordinate(det_json *json, const char *key, double value); /**< %.2f */
DET_API void det_json_exact(det_json *json, const char *key, double value);      /**< all bits */
DET_API void det_json_bool(det_json *json, const char *key, bool value);
DET_API void det_json_null(det_json *json, const char *key);
/** Copies a value that is JSON already. */
DET_API void det_json_raw(det_json *json, const char *key, const char *value);

/** Ends the document.
 *  @param text receives the terminated text, which the document keeps owning until it is freed.
 *  @param size receives its length; may be NULL.
 *  @return DET_OK, DET_MEMORY, DET_ARGUMENT (an end or a key is missing). */
DET_API det_status det_json_finish(det_json *json, const char **text, size_t *size,
                                   det_error *error);

#ifdef __cplusplus
}
#endif
#endif
