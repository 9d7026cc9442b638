/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a list of class names. */
#include "src/nn/labels.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    det_model model = {0};
    det_error error = {0};
    const det_status status = det_labels_parse((const char *)data, size, &model, &error);
    if (status < 0 && !*error.message) abort();
    for (size_t i = 0; status == DET_OK && i < model.class_count; i++)
        if (!*model.classes[i].name) abort();
    det_model_free_contents(&model);
    return 0;
}
