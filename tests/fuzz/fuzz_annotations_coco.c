/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as COCO annotations: what is accepted is whole, and every picture can be looked for. */
#include "tests/fuzz/fuzz_annotations.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    det_error error = {0};
    det_annotations_data *annotations = det_annotations_begin(DET_ANNOTATIONS_COCO, NULL);
    const det_status status = det_coco_parse((const char *)data, size, annotations, &error);
    fuzz_check_annotations(annotations, status, &error);
    return 0;
}
