/* SPDX-License-Identifier: Apache-2.0 */
/* ILSVRC's matching for detection (Russakovsky et al., IJCV 2015, section 4.3).
 *
 * An object of w x h pixels is found at an IoU of at least min(.5, w h / ((w + 10) (h + 10))),
 * which lets a box of a small object be off by some pixels. In order of score, each detection
 * takes, of the objects not yet taken whose own threshold it reaches, the one of highest IoU; of
 * equal ones the first. */
#include "eval/match.h"

#include "eval/overlap.h"
#include "src/base/memory.h"

#include <string.h>

double det_ilsvrc_threshold(const det_eval_object *object)
{
    const double most = .5, tolerance_px = 10;
    const double width = object->box[2] - object->box[0] + 1;
    const double height = object->box[3] - object->box[1] + 1;
    return det_least(most, width * height / ((width + tolerance_px) * (height + tolerance_px)));
}

static uint32_t choose(const det_class_set *set, size_t begin, size_t end, const double box[4],
                       const bool *taken)
{
    uint32_t chosen = UINT32_MAX;
    double best = 0;
    for (size_t g = begin; g < end; g++) {
        if (taken[g]) continue;
        const double overlap = det_overlap_inclusive(box, set->objects[g].box);
        if (!(overlap > best && overlap >= det_ilsvrc_threshold(&set->objects[g]))) continue;
        best = overlap;
        chosen = (uint32_t)g;
    }
    return chosen;
}

static void match_picture(const det_class_set *set, size_t begin, size_t end, bool *taken,
                          det_class_outcomes *outcomes)
{
    const uint32_t image = set->objects[begin].image;
    for (size_t i = set->first[image]; i < set->first[image + 1]; i++) {
        const uint32_t at = set->by_image[i];
        const uint32_t chosen = choose(set, begin, end, set->boxes[at], taken);
        if (chosen == UINT32_MAX) continue;
        taken[chosen] = true;
        outcomes->outcomes[at] = DET_TRUE_POSITIVE;
        outcomes->matched[at] = chosen;
    }
}

det_status det_match_ilsvrc(const det_eval_rules *rules, const det_class_set *set,
                            det_class_outcomes *outcomes)
{
    (void)rules;
    bool *taken = det_alloc_zeroed(set->object_count, sizeof *taken);
    if (!taken) return DET_MEMORY;
    memset(outcomes->outcomes, DET_FALSE_POSITIVE, set->count);
    for (size_t begin = 0, end; begin < set->object_count; begin = end) {
        end = det_class_set_image_end(set, begin);
        match_picture(set, begin, end, taken, outcomes);
    }
    det_free(taken);
    return DET_OK;
}
