/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the XML of a picture, twice, so that the second knows the classes of the first. */
#include "tests/fuzz/fuzz_annotations.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    det_error error = {0};
    det_annotations_data *annotations = det_annotations_begin(DET_ANNOTATIONS_VOC, NULL);
    const char *text = (const char *)data;
    det_status status = det_voc_parse(text, size, "one", annotations, &error);
    if (status == DET_OK) status = det_voc_parse(text, size, "two", annotations, &error);
    if (status == DET_OK) status = det_voc_sort_categories(annotations, &error);
    fuzz_check_annotations(annotations, status, &error);
    return 0;
}
