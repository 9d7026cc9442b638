/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/data.h"

#include "src/base/error.h"
#include "src/base/memory.h"

#include <string.h>

det_status det_config_create(det_config **config, det_error *error)
{
    det_config *c = det_alloc_zeroed(1, sizeof *c);
    if (!c) return det_fail_memory(error, "a configuration");
    c->proposals.selective_search = c->proposals.whole_picture = true;
    c->proposals.search =
        (det_selective_search_options){.color_spaces = {DET_COLOR_HSV, DET_COLOR_LAB},
                                       .similarities = {15, 14},
                                       .k = {50, 100},
                                       .sigma_px = .8,
                                       .superpixel_scale = 1,
                                       .min_side_px = 20,
                                       .width_px = 500};
    c->proposals.multibox_max = 200;
    strcpy(c->classifier.vote, "average");
    strcpy(c->classifier.precision, "f32");
    strcpy(c->classifier.regions, "crop");
    c->classifier.batch = 8;
    c->classifier.context_px = -1;
    c->postprocess.score_threshold = .05f;
    c->postprocess.max_detections = 100;
    c->postprocess.nms_iou = .3f;
    c->limits.max_pixels = 100000000;
    c->limits.max_file_bytes = 1 << 30;
    c->limits.max_regions = 20000;
    *config = c;
    return DET_OK;
}

det_status det_config_load(const char *path, det_config **config, det_error *error)
{
    (void)config;
    return det_fail_at(error, DET_UNSUPPORTED, path, NULL, "configuration files are not read yet");
}

det_status det_config_set(det_config *config, const char *assignment, det_error *error)
{
    (void)config;
    return det_fail_at(error, DET_UNSUPPORTED, NULL, assignment, "keys are not set yet");
}

void det_config_free(det_config *config)
{
    if (!config) return;
    for (size_t i = 0; i < config->classifier.model_count; i++)
        det_free(config->classifier.models[i]);
    det_free(config->classifier.models);
    det_free(config);
}
