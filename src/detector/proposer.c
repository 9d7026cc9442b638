/* SPDX-License-Identifier: Apache-2.0 */
/* Regions alone, without a network that classifies them. */
#include "detect/detector.h"

#include "src/base/memory.h"
#include "src/base/run.h"
#include "src/detector/regions.h"

struct det_proposer {
    det_region_options options;
    det_multibox_network multibox;
};

det_status det_proposer_create(const det_config *config, det_proposer **proposer, det_error *error)
{
    det_proposer *made = det_alloc_zeroed(1, sizeof *made);
    if (!made) return det_fail_memory(error, "a proposer");
    made->options = det_region_options_of(config, &made->multibox);
    const det_status status = config->proposals.multibox
                                  ? det_multibox_network_create(config, &made->multibox, error)
                                  : DET_OK;
    if (status < 0)
        det_proposer_free(made);
    else
        *proposer = made;
    return status;
}

void det_proposer_free(det_proposer *proposer)
{
    if (!proposer) return;
    det_multibox_network_free(&proposer->multibox);
    det_free(proposer);
}

det_status det_proposer_propose(const det_proposer *proposer, const det_image *image, size_t max,
                                const det_run *run, det_result *result, det_error *error)
{
    const char *file = result->file;
    *result = (det_result){.file = file, .width = image->width, .height = image->height};
    const double start_s = det_now_s();
    det_region_union all = {0};
    det_region_options options = proposer->options;
    if (max > 0) options.max = options.controls.max = max;
    const det_status status = det_propose_regions(image, &options, run, &all, error);
    result->timings.proposals_ms = (det_now_s() - start_s) * 1e3;
    result->regions = all.regions;
    result->region_count = result->proposal_count = all.count;
    result->too_small_count = all.too_small;
    return status;
}
