/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_BASE_JSON_READER_H
#define DETECT_BASE_JSON_READER_H

#include "src/base/error.h"

#include <json-c/json.h>

/** Objects and arrays inside one another, at most; also of what det_json writes. */
enum { DET_JSON_MAX_DEPTH = 64 };

/** Parses a JSON text strictly (RFC 8259): what json-c lets pass is refused here, before it sees
 *  the text: duplicate keys, NaN and Infinity, single quotes, comments, trailing commas, trailing
 *  text, control characters in strings, invalid UTF-8, numbers outside double, nesting deeper
 * than 64.
 *  @param value receives the value; json_object_put it. A JSON null gives NULL with DET_OK.
 *  @return DET_OK, DET_FORMAT (error->where is "line L, column C", 1-based, columns in characters),
 *          DET_MEMORY. Thread-safe. */
det_status det_json_parse(const char *text, size_t size, json_object **value, det_error *error);

/** Reads and parses a file of at most 1 GiB. */
det_status det_json_read(const char *path, json_object **value, det_error *error);

#endif
