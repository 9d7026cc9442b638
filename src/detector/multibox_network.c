/* SPDX-License-Identifier: Apache-2.0 */
/* A MultiBox head that looks at whole pictures (Erhan et al., "Scalable Object Detection using Deep
 * Neural Networks", 2014): the network runs once a picture, whatever the number of boxes. */
#include "src/detector/multibox_network.h"

#include "src/base/memory.h"

#include <string.h>

/* ---- Creation ------------------------------------------------------------------------------- */

static det_status fail_without(const det_config *config, det_error *error)
{
    const char *advice = "'detect train --set train.multibox.boxes=100' makes a model that does";
    const size_t count = config->classifier.model_count;
    if (count == 0)
        return det_fail_at(error, DET_ARGUMENT, NULL, "proposals.methods",
                           "\"multibox\" needs a model that proposes regions, and no model is "
                           "named (classifier.models); %s",
                           advice);
    return det_fail_at(error, DET_ARGUMENT, config->classifier.models[0], "proposals.methods",
                       "\"multibox\": the model%s not propose regions (outputs.multibox); %s",
                       count > 1 ? "s named do" : " does", advice);
}

/* Opens the first model that has the head. @param which receives its place. */
static det_status open_first(const det_config *config, size_t *which, det_model **model,
                             det_error *error)
{
    for (*which = 0; *which < config->classifier.model_count; ++*which) {
        const det_status status = det_model_open(config->classifier.models[*which], model, error);
        if (status < 0 || (*model)->multibox >= 0) return status;
        det_model_free(*model);
        *model = NULL;
    }
    return fail_without(config, error);
}

static det_status copy_priors(const det_model *model, det_multibox_priors *priors, det_error *error)
{
    const det_status status = det_multibox_priors_create(model->prior_count, priors, error);
    for (size_t i = 0; status == DET_OK && i < model->prior_count; i++) {
        const det_box box = model->priors[i];
        memcpy(priors->corners[i], (const float[]){box.x0, box.y0, box.x1, box.y1},
               sizeof priors->corners[i]);
    }
    return status;
}

det_status det_multibox_network_create(const det_config *config, det_multibox_network *network,
                                       det_error *error)
{
    size_t which;
    det_model *model = NULL;
    *network = (det_multibox_network){.max = config->proposals.multibox_max};
    det_status status = open_first(config, &which, &model, error);
    if (status < 0) return status;
    status = copy_priors(model, &network->priors, error);
    if (status == DET_OK) {
        const det_ensemble_options options = {.crops_only = true,
                                              .batch_max = 1,
                                              .layer = det_model_output(model, DET_ROLE_MULTIBOX)};
        det_config alone = *config; /* borrows */
        alone.classifier.models += which;
        alone.classifier.model_count = 1;
        alone.classifier.context_px = 0;
        status = det_ensemble_create(&alone, &options, &network->ensemble, error);
    }
    det_model_free(model);
    return status;
}

void det_multibox_network_free(det_multibox_network *network)
{
    det_ensemble_free(&network->ensemble);
    det_multibox_priors_free(&network->priors);
    *network = (det_multibox_network){0};
}

size_t det_multibox_network_memory(const det_multibox_network *network)
{
    return network->ensemble.count > 0 ? det_ensemble_memory(&network->ensemble) : 0;
}

/* ---- A picture ------------------------------------------------------------------------------ */

det_status det_multibox_network_propose(const det_multibox_network *network, const det_image *image,
                                        det_region **regions, size_t *count, det_error *error)
{
    det_status status = det_check_picture(image, error);
    if (status < 0) return status;
    const det_region whole = {.box = {0, 0, (float)image->width, (float)image->height}};
    const det_multibox_options options = {
        .picture_width = image->width, .picture_height = image->height, .max = network->max};
    const float *values = NULL;
    det_ensemble_run run = {0};
    status = det_ensemble_run_create(&network->ensemble, &run, error);
    if (status == DET_OK) status = det_ensemble_classify(&run, image, &whole, 1, &values, error);
    if (status == DET_OK) {
        const det_multibox_outputs outputs = {
            .locations = values, .logits = values + DET_MULTIBOX_CORNERS * network->priors.count};
        status = det_multibox_decode(&network->priors, &outputs, &options, regions, count, error);
    }
    det_ensemble_run_free(&run);
    return status;
}
