/* SPDX-License-Identifier: Apache-2.0 */
/* What a training begins with: a network, and annotations that are in order. */
#include "src/cli/train_inputs.h"

#include "src/cli/report.h"

#include <unistd.h>

/** A network that is there already, where ./dev demo and the README put it; NULL: none is. */
static const char *find_network(void)
{
    static const char *const usual[] = {"googlenet.safetensors",
                                        "build/demo/googlenet.safetensors"};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (access(usual[i], R_OK) == 0) return usual[i];
    return NULL;
}

det_status cli_train_check_model(const det_config *config, det_error *error)
{
    const char *found = find_network();
    if (config->classifier.model_count == 1) return DET_OK;
    if (config->classifier.model_count > 1)
        return cli_fail(error, DET_ARGUMENT, "training begins with one network, not with %zu",
                        config->classifier.model_count);
    if (found)
        return cli_fail(error, DET_ARGUMENT,
                        "training begins with a network that knows pictures. There is one here; "
                        "type:\n  detect train %s -m %s -o %s",
                        config->train.annotations, found, config->train.output);
    return cli_fail(
        error, DET_ARGUMENT,
        "training begins with a network that knows pictures, --model FILE. To make one of Caffe's "
        "GoogLeNet (free to use), get bvlc_googlenet.caffemodel, linked in\n"
        "  https://github.com/BVLC/caffe/tree/master/models/bvlc_googlenet\n"
        "and synset_words.txt, in http://dl.caffe.berkeleyvision.org/caffe_ilsvrc12.tar.gz; then "
        "type:\n"
        "  detect model import bvlc_googlenet.caffemodel --labels synset_words.txt -o "
        "googlenet.safetensors\n"
        "  detect train %s -m googlenet.safetensors -o %s",
        config->train.annotations, config->train.output);
}
