/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the labels of a picture. */
#include "src/base/memory.h"
#include "tests/fuzz/fuzz_annotations.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    det_error error = {0};
    det_annotations_data *annotations = det_annotations_begin(DET_ANNOTATIONS_YOLO, NULL);
    for (int64_t i = 0; i < 3; i++)
        det_annotations_add_category(annotations, det_copy_string("class"), 2 * i, NULL);
    det_annotations_add_image(annotations, det_copy_string("images/a.jpg"), 1, NULL);
    const det_status status = det_yolo_parse((const char *)data, size, annotations, &error);
    fuzz_check_annotations(annotations, status, &error);
    return 0;
}
