/* SPDX-License-Identifier: Apache-2.0 */
/* PASCAL VOC's matching (Everingham et al., IJCV 2010, section 4.2; the development kit).
 *
 * In order of score, each detection means the object of its picture with the highest IoU, taken or
 * not, difficult ones included; of equal ones the first. At an IoU of at least the threshold it is
 * ignored where that object is difficult, true where the object is still free, and else false:
 * there is no second choice. */
#include "eval/match.h"

#include "eval/overlap.h"
#include "src/base/memory.h"

#include <string.h>

static uint32_t find_best(const det_class_set *set, size_t begin, size_t end, const double box[4],
                          double *overlap)
{
    uint32_t best = UINT32_MAX;
    *overlap = 0;
    for (size_t g = begin; g < end; g++) {
        const double here = det_overlap_inclusive(box, set->objects[g].box);
        if (!(here > *overlap)) continue;
        *overlap = here;
        best = (uint32_t)g;
    }
    return best;
}

static det_outcome judge(const det_eval_object *object, bool *taken)
{
    if (object->ignored) return DET_IGNORED;
    if (*taken) return DET_FALSE_POSITIVE;
    *taken = true;
    return DET_TRUE_POSITIVE;
}

/* taken: iou_count x object_count. */
static void match_picture(const det_eval_rules *rules, const det_class_set *set, size_t begin,
                          size_t end, bool *taken, det_class_outcomes *outcomes)
{
    const uint32_t image = set->objects[begin].image;
    for (size_t i = set->first[image]; i < set->first[image + 1]; i++) {
        const uint32_t at = set->by_image[i];
        double overlap;
        const uint32_t best = find_best(set, begin, end, set->boxes[at], &overlap);
        if (best == UINT32_MAX) continue;
        for (size_t t = 0; t < rules->iou_count && overlap >= rules->ious[t]; t++) {
            outcomes->outcomes[t * set->count + at] =
                (uint8_t)judge(&set->objects[best], &taken[t * set->object_count + best]);
            outcomes->matched[t * set->count + at] = best;
        }
    }
}

det_status det_match_voc(const det_eval_rules *rules, const det_class_set *set,
                         det_class_outcomes *outcomes)
{
    size_t cells;
    if (!det_multiply_size(rules->iou_count, set->object_count, &cells)) return DET_MEMORY;
    bool *taken = det_alloc_zeroed(cells, sizeof *taken);
    if (!taken) return DET_MEMORY;
    memset(outcomes->outcomes, DET_FALSE_POSITIVE, rules->iou_count * set->count);
    for (size_t begin = 0, end; begin < set->object_count; begin = end) {
        end = det_class_set_image_end(set, begin);
        match_picture(rules, set, begin, end, taken, outcomes);
    }
    det_free(taken);
    return DET_OK;
}
