/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a model file: read or refused. The digest is not asked, since no changed file would
 * get past it; whatever reads a model afterwards must hold without it. */
#include "src/base/memory.h"
#include "src/nn/model_file.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static void use(const det_model *model)
{
    for (size_t i = 0; i < det_model_layer_count(model); i++) {
        det_layer_info info;
        if (det_model_layer(model, i, &info) != DET_OK || info.output[0] < 1) abort();
    }
    for (size_t i = 0; i < det_model_class_count(model); i++)
        if (det_model_find_class(model, det_model_class_name(model, i)) > (int64_t)i) abort();
}

static det_status read_model(const uint8_t *bytes, size_t size, det_error *error)
{
    det_safetensors file = {0};
    det_model model = {0};
    det_status status = det_safetensors_parse(bytes, size, &file, error);
    if (status == DET_OK) status = det_model_read(&file, &model, error);
    if (status == DET_OK) {
        use(&model);
        status = det_model_verify_contents(&model, &file, error);
    }
    det_safetensors_free(&file);
    det_model_free_contents(&model);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = det_alloc_aligned(size); /* as mmap aligns */
    det_error error = {0};
    if (!copy) return 0;
    if (size > 0) memcpy(copy, data, size);
    const det_status status = read_model(copy, size, &error);
    if (status < 0 && (error.status != status || !*error.message)) abort();
    det_free(copy);
    return 0;
}
