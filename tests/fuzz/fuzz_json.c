/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as JSON: refused with a place, or accepted, and then what json-c writes of it is
 * accepted too; read an element at a time it is judged alike. */
#include "src/base/json_reader.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static det_status count_element(void *context, const char *key, size_t index, json_object *element,
                                det_error *error)
{
    (void)key, (void)index, (void)element, (void)error;
    ++*(size_t *)context;
    return DET_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const keys[] = {"annotations", "images", NULL};
    const char *text = (const char *)data;
    json_object *value = NULL, *again = NULL;
    det_error error = {0};
    const det_status status = det_json_parse(text, size, &value, &error);
    if (status < 0 && (!*error.where || !*error.message)) abort();

    size_t elements = 0;
    const det_status streamed = det_json_each(text, size, keys, count_element, &elements, NULL);
    if (streamed == DET_OK && status < 0) abort();
    const det_json_wanted chosen = {keys, keys, NULL};
    const det_status skipped =
        det_json_each_in(text, size, &chosen, count_element, &elements, NULL);
    if (skipped != streamed) abort();
    if (status == DET_OK && value) {
        const char *written = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN);
        if (det_json_parse(written, strlen(written), &again, NULL) < 0) abort();
    }
    json_object_put(again);
    json_object_put(value);
    return 0;
}
