/* SPDX-License-Identifier: Apache-2.0 */
#include "src/data/names.h"

#include "src/base/memory.h"

#include <stdlib.h>
#include <string.h>

const char *det_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

size_t det_stem_length(const char *base_name)
{
    const char *point = strrchr(base_name, '.');
    return point && point != base_name ? (size_t)(point - base_name) : strlen(base_name);
}

bool det_name_number(const char *path, int64_t *number)
{
    enum { max_digits = 18 }; /* fit any int64_t */
    const char *base = det_base_name(path);
    const size_t length = det_stem_length(base);
    const char *digits = base + strspn(base, "0");
    if (length == 0 || strspn(base, "0123456789") != length) return false;
    if (length - (size_t)(digits - base) > max_digits) return false;
    *number = strtoll(base, NULL, 10);
    return true;
}

char *det_safe_name(const char *name, size_t length)
{
    char *safe = det_alloc(length + 1);
    if (!safe) return NULL;
    for (size_t i = 0; i < length; i++) {
        const unsigned char byte = (unsigned char)name[i];
        safe[i] = byte <= ' ' || byte == '/' || byte == 0x7F ? '_' : name[i];
    }
    safe[length] = '\0';
    return safe;
}

bool det_name_set_has(const det_name_set *set, const char *name)
{
    return set->names && json_object_object_get_ex(set->names, name, NULL);
}

det_status det_name_set_add(det_name_set *set, const char *name, bool *added, det_error *error)
{
    if (!set->names) set->names = json_object_new_object();
    if (!set->names) return det_fail_memory(error, "a set of names");
    *added = !det_name_set_has(set, name);
    if (*added && json_object_object_add(set->names, name, NULL) != 0)
        return det_fail_memory(error, "a set of names");
    return DET_OK;
}

void det_name_set_free(det_name_set *set)
{
    json_object_put(set->names);
    set->names = NULL;
}
