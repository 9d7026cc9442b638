/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_BASE_JSON_READER_H
#define DETECT_BASE_JSON_READER_H

#include "src/base/error.h"

#include <json-c/json.h>

/** Objects and arrays inside one another, at most; also of what det_json writes. */
enum { DET_JSON_MAX_DEPTH = 64 };

/** Parses a JSON text strictly (RFC 8259). json-c only holds the values, because its own parser
 *  lets pass what is refused here: duplicate keys, NaN and Infinity, single quotes, comments,
 *  trailing commas, trailing text, control characters in strings, invalid UTF-8, lone surrogates,
 *  numbers outside double, nesting deeper than 64, and U+0000 in a key. A byte order mark at the
 *  start is skipped. Integers that fit neither int64_t nor uint64_t become doubles.
 *  @param value receives the value; json_object_put it. A JSON null gives NULL with DET_OK.
 *  @return DET_OK, DET_FORMAT (error->where is "line L, column C", 1-based, columns in characters),
 *          DET_MEMORY. Thread-safe, whatever the locale. */
det_status det_json_parse(const char *text, size_t size, json_object **value, det_error *error);

/** The value of a number. @return false where `value` is none. */
bool det_json_number_of(json_object *value, double *number);

/** Reads and parses a file of at most 1 GiB. */
det_status det_json_read(const char *path, json_object **value, det_error *error);

/** Receives an element of an array.
 *  @param key     the member that the array is, one of those asked for; "" for an array at the top.
 *  @param element borrowed for the call (json_object_get keeps it); NULL is a JSON null.
 *  @return DET_OK to go on; any other status ends the reading and is returned. A failure without
 *          a place gets "key[index]". */
typedef det_status det_json_element(void *context, const char *key, size_t index,
                                    json_object *element, det_error *error);

/** Reads a large JSON text an element at a time, in the order of the text, holding one element in
 *  memory: the elements of those arrays that are members of the object at the top and are named in
 *  `keys`, or those of an array at the top. Everything else is checked as det_json_parse does, and
 *  dropped. A key that the text lacks is no error.
 *  @param keys ended by NULL.
 *  @return as det_json_parse, besides DET_FORMAT where a named member is no array, or the top
 *          neither array nor object; or what `take` returned. */
det_status det_json_each(const char *text, size_t size, const char *const *keys,
                         det_json_element *take, void *context, det_error *error);

/** Hears of a member that is dropped and holds something: neither null nor empty.
 *  @param array the array whose element it is in, "" for a member of the object at the top. */
typedef void det_json_dropped(void *context, const char *array, const char *key);

/** What det_json_each_in keeps. */
typedef struct det_json_wanted {
    const char *const *keys;    /**< as for det_json_each */
    const char *const *members; /**< ended by NULL: of elements that are objects, only these members
                                     are kept; others are checked, which is much quicker, and are
                                     null. NULL: all members are kept */
    det_json_dropped *dropped;  /**< or NULL; has the context of `take` */
} det_json_wanted;

/** The same with a choice of members. */
det_status det_json_each_in(const char *text, size_t size, const det_json_wanted *wanted,
                            det_json_element *take, void *context, det_error *error);

/** The same for a file, which is mapped. */
det_status det_json_each_in_file(const char *path, const det_json_wanted *wanted,
                                 det_json_element *take, void *context, det_error *error);

#endif
