/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a model file. The digest, which random bytes never match, is left unchecked, so that
 * the fuzzer reaches what lies behind it; a model that is sound can be asked everything. */
#include "detect/model.h"
#include "src/nn/model_file.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

static void ask_everything(const det_model *model)
{
    for (size_t i = 0; i < det_model_layer_count(model); i++) {
        det_layer_info info = {0};
        if (det_model_layer(model, i, &info) < 0 || !*info.name || !*info.op) abort();
    }
    for (size_t i = 0; i < det_model_class_count(model); i++) {
        if (!det_model_class_name(model, i)) abort();
        (void)det_model_class_category(model, i);
    }
    (void)det_model_find_class(model, "banana");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    det_safetensors file = {0};
    det_model model = {0};
    det_error error = {0};
    det_status status = det_safetensors_parse(data, size, &file, &error);
    if (status == DET_OK) status = det_model_read(&file, &model, &error);
    if (status == DET_OK) {
        ask_everything(&model);
        (void)det_model_verify_contents(&model, &file, &error);
    } else if (!*error.message) {
        abort();
    }
    det_model_free_contents(&model);
    det_safetensors_free(&file);
    return 0;
}
