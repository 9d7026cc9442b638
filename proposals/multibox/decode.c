/* SPDX-License-Identifier: Apache-2.0 */
/* From the outputs of a MultiBox head to regions of a picture. */
#include "proposals/multibox/multibox.h"
#include "src/base/error.h"
#include "src/base/memory.h"
#include "src/image/nms.h"

#include <float.h>
#include <math.h>

enum { default_max = 200 };
static const float default_iou = .7F;

/* ---- Priors --------------------------------------------------------------------------------- */

det_status det_multibox_priors_create(size_t count, det_multibox_priors *priors, det_error *error)
{
    *priors = (det_multibox_priors){.count = count,
                                    .corners = det_alloc_zeroed(count, sizeof *priors->corners),
                                    .log_odds = det_alloc_zeroed(count, sizeof *priors->log_odds)};
    if (priors->corners && priors->log_odds) return DET_OK;
    det_multibox_priors_free(priors);
    return det_fail_memory(error, "the priors of MultiBox");
}

void det_multibox_priors_free(det_multibox_priors *priors)
{
    if (!priors) return;
    det_free(priors->corners);
    det_free(priors->log_odds);
    *priors = (det_multibox_priors){0};
}

/* ---- Candidates ----------------------------------------------------------------------------- */

typedef struct {
    det_box *boxes;
    float *scores;
    size_t *kept;
    size_t count;
} candidates;

/* A share of a side of `size` pixels, cut at the borders. NaN stays. */
static float to_pixels(double share, int size)
{
    if (share < 0) return 0;
    return share > 1 ? (float)size : (float)(share * size);
}

static det_box place(const det_multibox_priors *priors, const det_multibox_outputs *outputs,
                     size_t prior, const det_multibox_options *options)
{
    double corners[DET_MULTIBOX_CORNERS];
    for (size_t i = 0; i < DET_MULTIBOX_CORNERS; i++) {
        corners[i] = (double)priors->corners[prior][i];
        if (outputs->locations)
            corners[i] += (double)outputs->locations[prior * DET_MULTIBOX_CORNERS + i];
    }
    return (det_box){to_pixels(corners[0], options->picture_width),
                     to_pixels(corners[1], options->picture_height),
                     to_pixels(corners[2], options->picture_width),
                     to_pixels(corners[3], options->picture_height)};
}

/* Above 0 even where it rounds to 0. NaN stays. */
static float confidence(const det_multibox_priors *priors, const det_multibox_outputs *outputs,
                        size_t prior)
{
    double logit = (double)priors->log_odds[prior];
    if (outputs->logits) logit += (double)outputs->logits[prior];
    const float share = (float)(1 / (1 + exp(-logit)));
    return share < FLT_MIN ? FLT_MIN : share;
}

static void list_candidates(const det_multibox_priors *priors, const det_multibox_outputs *outputs,
                            const det_multibox_options *options, candidates *list)
{
    for (size_t i = 0; i < priors->count; i++) {
        const det_box box = place(priors, outputs, i, options);
        const float score = confidence(priors, outputs, i);
        if (!(box.x1 > box.x0 && box.y1 > box.y0) || isnan(score)) continue;
        list->boxes[list->count] = box;
        list->scores[list->count++] = score;
    }
}

/* ---- Regions -------------------------------------------------------------------------------- */

static det_status hand_over(const candidates *list, size_t kept, det_region **regions,
                            size_t *count, det_error *error)
{
    det_region *found = det_alloc_array(kept, sizeof *found);
    if (!found) return det_fail_memory(error, "the regions of a picture");
    for (size_t i = 0; i < kept; i++) {
        const size_t at = list->kept[i];
        found[i] = (det_region){
            .box = list->boxes[at], .score = list->scores[at], .source = DET_SOURCE_MULTIBOX};
    }
    *regions = found;
    *count = kept;
    return DET_OK;
}

static det_status check(const det_multibox_options *options, det_error *error)
{
    if (options->picture_width < 1 || options->picture_height < 1)
        return det_fail(error, DET_ARGUMENT, "a picture of %d x %d pixels has no regions",
                        options->picture_width, options->picture_height);
    if (!(options->nms_iou >= 0 && options->nms_iou <= 1))
        return det_fail(error, DET_ARGUMENT, "nms_iou is %g: it must be in (0, 1]",
                        (double)options->nms_iou);
    return DET_OK;
}

det_status det_multibox_decode(const det_multibox_priors *priors,
                               const det_multibox_outputs *outputs,
                               const det_multibox_options *options, det_region **regions,
                               size_t *count, det_error *error)
{
    static const det_multibox_outputs bare;
    *regions = NULL;
    *count = 0;
    det_status status = check(options, error);
    if (status < 0) return status;
    const size_t max = options->max > 0 ? options->max : default_max;
    const float iou = options->nms_iou > 0 ? options->nms_iou : default_iou;
    candidates list = {.boxes = det_alloc_array(priors->count, sizeof *list.boxes),
                       .scores = det_alloc_array(priors->count, sizeof *list.scores),
                       .kept = det_alloc_array(priors->count, sizeof *list.kept)};
    int64_t kept = DET_MEMORY;
    if (list.boxes && list.scores && list.kept) {
        list_candidates(priors, outputs ? outputs : &bare, options, &list);
        kept = det_nms_hard(list.boxes, list.scores, list.count, iou, list.kept);
    }
    status = kept < 0
                 ? det_fail(error, (det_status)kept, "out of memory for the boxes of MultiBox")
                 : hand_over(&list, (size_t)kept < max ? (size_t)kept : max, regions, count, error);
    det_free(list.boxes);
    det_free(list.scores);
    det_free(list.kept);
    return status;
}
