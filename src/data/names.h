/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DATA_NAMES_H
#define DETECT_DATA_NAMES_H

#include "src/base/error.h"

#include <json-c/json.h>

/** What follows the last slash of a path. */
const char *det_base_name(const char *path);

/** Length of a base name without its ending: 3 of "a.b.jpg"; a point in front begins no ending. */
size_t det_stem_length(const char *base_name);

/** The number that the base name of a path is, its ending aside: 139 of "val/000000000139.jpg".
 *  @return false where it is none, or has more than 18 digits. */
bool det_name_number(const char *path, int64_t *number);

/** A copy of the first `length` bytes of a name that can be part of a file name and a field of a
 *  line: slashes, spaces and control characters become '_'.
 *  @return NULL when memory is short; det_free it. */
char *det_safe_name(const char *name, size_t length);

/** A set of names; {0} is empty. */
typedef struct det_name_set {
    json_object *names;
} det_name_set;

/** Adds a name. @param added whether it was not there yet. @return DET_OK, DET_MEMORY. */
det_status det_name_set_add(det_name_set *set, const char *name, bool *added, det_error *error);
bool det_name_set_has(const det_name_set *set, const char *name);
void det_name_set_free(det_name_set *set);

#endif
