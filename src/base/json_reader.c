/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/json_reader.h"

#include "src/base/file.h"

#include <limits.h>

det_status det_json_parse(const char *text, size_t size, json_object **value, det_error *error)
{
    if (size > INT_MAX) return det_fail(error, DET_LIMIT, "%zu bytes of JSON are too many", size);
    struct json_tokener *tokener = json_tokener_new_ex(DET_JSON_MAX_DEPTH);
    if (!tokener) return det_fail_memory(error, "reading JSON");
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    *value = json_tokener_parse_ex(tokener, text, (int)size);
    enum json_tokener_error found = json_tokener_get_error(tokener);
    if (found == json_tokener_continue) {
        *value = json_tokener_parse_ex(tokener, "", 1);
        found = json_tokener_get_error(tokener);
    }
    json_tokener_free(tokener);
    if (found == json_tokener_success) return DET_OK;
    return det_fail(error, DET_FORMAT, "not JSON: %s", json_tokener_error_desc(found));
}

det_status det_json_read(const char *path, json_object **value, det_error *error)
{
    enum { max_bytes = 1 << 30 };
    det_bytes bytes = {0};
    det_status result = det_file_read(path, max_bytes, &bytes, error);
    if (result < 0) return result;
    result = det_json_parse((const char *)bytes.data, bytes.size, value, error);
    det_bytes_free(&bytes);
    return det_error_file(error, path, result);
}
