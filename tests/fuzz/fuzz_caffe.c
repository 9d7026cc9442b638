/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a .caffemodel: imported or refused. */
#include "src/nn/import_caffe.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

/* Reads every weight, so that a sanitizer sees one that is not there. */
static void use(const det_model *model)
{
    volatile float sum = 0;
    for (int i = 0; i < model->graph.count; i++) {
        const det_node *node = &model->graph.nodes[i];
        for (size_t j = 0; j < node->weights.count; j++) sum += node->weights.values[j];
        for (size_t j = 0; j < node->bias.count; j++) sum += node->bias.values[j];
        if (model->shapes[i].channels < 1) abort();
    }
    (void)sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const det_model_import_options options;
    det_caffe_net net = {0};
    det_model model = {0};
    det_error error = {0};
    det_status status = det_caffe_read(data, size, &net, &error);
    if (status == DET_OK) status = det_caffe_build(&net, &options, &model, &error);
    if (status == DET_OK) use(&model);
    if (status < 0 && (error.status != status || !*error.message)) abort();
    det_model_free_contents(&model);
    det_caffe_free(&net);
    return 0;
}
