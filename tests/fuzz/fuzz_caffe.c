/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a .caffemodel: refused, or a network whose shapes are known. */
#include "src/nn/import_caffe.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const det_model_import_options options = {.weights = "input"};
    det_caffe_net net = {0};
    det_model model = {0};
    det_error error = {0};
    det_status status = det_caffe_read(data, size, &net, &error);
    if (status == DET_OK) {
        status = det_caffe_build(&net, &options, &model, &error);
        if (status == DET_OK && (model.graph.count < 1 || !model.shapes)) abort();
        det_model_free_contents(&model);
        det_caffe_free(&net);
    }
    if (status < 0 && !*error.message) abort();
    return 0;
}
