/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the description of a YOLO data set, and as a list of names. */
#include "src/data/yolo_description.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

typedef det_status parser(const char *text, size_t size, det_yolo_description *description,
                          det_error *error);

static void check(parser *parse, const uint8_t *data, size_t size)
{
    det_error error = {0};
    det_yolo_description d = {0};
    const det_status status = parse((const char *)data, size, &d, &error);
    if (status < 0 && !*error.message) abort();
    for (size_t i = 0; status == DET_OK && i < d.name_count; i++)
        if (!*d.names[i].name || (i > 0 && d.names[i].id <= d.names[i - 1].id)) abort();
    det_yolo_description_free(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check(det_yolo_parse_yaml, data, size);
    check(det_yolo_parse_names, data, size);
    return 0;
}
