/* SPDX-License-Identifier: Apache-2.0 */
/* COCO's matching (Lin et al., ECCV 2014; the behaviour of pycocotools).
 *
 * For each size and IoU threshold t, the detections of a picture in order of score take, of the
 * objects not yet taken, the one of highest IoU that is at least min(t, 1 - 1e-10); of equal ones
 * the last. Objects outside of the size and crowds are ignored: they come last and are taken only
 * by a detection that reaches no other; crowds can be taken again. A detection that takes an
 * ignored object, or none and is itself outside of the size, counts neither way. */
#include "eval/match.h"

#include "eval/overlap.h"
#include "src/base/memory.h"

#include <string.h>

static bool outside(double area, det_object_size size)
{
    double range[2];
    det_object_size_range(size, range);
    return area < range[0] || area > range[1];
}

bool det_eval_object_counts(const det_eval_rules *rules, const det_eval_object *object,
                            det_object_size size)
{
    if (object->ignored) return false;
    return rules->metric != DET_METRIC_COCO || !outside(object->area, size);
}

/* ---- A picture ---- */

/* What the matching of one picture needs, with room for the largest. */
typedef struct picture {
    const det_class_set *set;
    const uint32_t *detections; /* where in the set, best first */
    size_t detection_count;
    size_t first_object, object_count;
    double *overlaps; /* detection x object */
    double *best;     /* of each detection: its highest overlap */
    uint32_t *order;  /* of objects: those that count come first */
    bool *ignored, *taken;
} picture;

static void find_overlaps(picture *p)
{
    for (size_t d = 0; d < p->detection_count; d++) {
        const double *box = p->set->boxes[p->detections[d]];
        double *overlaps = p->overlaps + d * p->object_count;
        p->best[d] = 0;
        for (size_t g = 0; g < p->object_count; g++) {
            const det_eval_object *object = &p->set->objects[p->first_object + g];
            overlaps[g] = det_overlap_sized(box, object->box, object->crowd);
            p->best[d] = det_greatest(p->best[d], overlaps[g]);
        }
    }
}

static void order_objects(const det_eval_rules *rules, picture *p, det_object_size size)
{
    size_t at = 0;
    for (size_t g = 0; g < p->object_count; g++) {
        p->ignored[g] = !det_eval_object_counts(rules, &p->set->objects[p->first_object + g], size);
        if (!p->ignored[g]) p->order[at++] = (uint32_t)g;
    }
    for (size_t g = 0; g < p->object_count; g++)
        if (p->ignored[g]) p->order[at++] = (uint32_t)g;
}

/* The object that a detection takes; UINT32_MAX: none. */
static uint32_t choose(const picture *p, size_t detection, double threshold)
{
    const double *overlaps = p->overlaps + detection * p->object_count;
    uint32_t chosen = UINT32_MAX;
    for (size_t k = 0; k < p->object_count; k++) {
        const uint32_t g = p->order[k];
        if (p->taken[g] && !p->set->objects[p->first_object + g].crowd) continue;
        if (chosen != UINT32_MAX && !p->ignored[chosen] && p->ignored[g]) break;
        if (overlaps[g] < threshold) continue;
        threshold = overlaps[g];
        chosen = g;
    }
    return chosen;
}

/* outcomes, matched: of the whole class, at one size and threshold; matched may be NULL. */
static void match_at(picture *p, double threshold, uint8_t *outcomes, uint32_t *matched)
{
    const double least = det_least(threshold, 1 - 1e-10);
    memset(p->taken, 0, p->object_count * sizeof *p->taken);
    for (size_t d = 0; d < p->detection_count; d++) {
        if (p->best[d] < least) continue;
        const uint32_t chosen = choose(p, d, least), at = p->detections[d];
        if (chosen == UINT32_MAX) continue;
        const det_eval_object *object = &p->set->objects[p->first_object + chosen];
        p->taken[chosen] = true;
        if (p->ignored[chosen])
            outcomes[at] = DET_IGNORED;
        else if (!object->unseen)
            outcomes[at] = DET_TRUE_POSITIVE;
        if (matched) matched[at] = (uint32_t)(p->first_object + chosen);
    }
}

static void match_picture(const det_eval_rules *rules, picture *p, det_class_outcomes *outcomes)
{
    const size_t count = p->set->count;
    find_overlaps(p);
    for (size_t size = 0; size < rules->size_count; size++) {
        order_objects(rules, p, (det_object_size)size);
        for (size_t t = 0; t < rules->iou_count; t++)
            match_at(p, rules->ious[t], outcomes->outcomes + (size * rules->iou_count + t) * count,
                     size == DET_SIZE_ALL ? outcomes->matched + t * count : NULL);
    }
}

/* ---- A class ---- */

/* What a detection is that matches nothing. */
static void begin_outcomes(const det_eval_rules *rules, const det_class_set *set,
                           det_class_outcomes *outcomes)
{
    const size_t count = set->count;
    for (size_t size = 0; size < rules->size_count; size++) {
        uint8_t *row = outcomes->outcomes + size * rules->iou_count * count;
        for (size_t i = 0; i < count; i++)
            row[i] = outside(set->boxes[i][2] * set->boxes[i][3], (det_object_size)size)
                         ? DET_IGNORED
                         : DET_FALSE_POSITIVE;
        for (size_t t = 1; t < rules->iou_count; t++) memcpy(row + t * count, row, count);
    }
}

static size_t detections_on(const det_class_set *set, uint32_t image)
{
    return set->first[image + 1] - set->first[image];
}

/* Room for the picture with most of each. */
static bool allocate(picture *p)
{
    const det_class_set *set = p->set;
    size_t most_objects = 0, most_detections = 0, most_pairs = 0, pairs;
    for (size_t begin = 0, end; begin < set->object_count; begin = end) {
        end = det_class_set_image_end(set, begin);
        const size_t detections = detections_on(set, set->objects[begin].image);
        if (!det_multiply_size(detections, end - begin, &pairs)) return false;
        if (end - begin > most_objects) most_objects = end - begin;
        if (detections > most_detections) most_detections = detections;
        if (pairs > most_pairs) most_pairs = pairs;
    }
    p->overlaps = det_alloc_array(most_pairs, sizeof *p->overlaps);
    p->best = det_alloc_array(most_detections, sizeof *p->best);
    p->order = det_alloc_array(most_objects, sizeof *p->order);
    p->ignored = det_alloc_array(most_objects, sizeof *p->ignored);
    p->taken = det_alloc_array(most_objects, sizeof *p->taken);
    return p->overlaps && p->best && p->order && p->ignored && p->taken;
}

static void release(picture *p)
{
    det_free(p->overlaps);
    det_free(p->best);
    det_free(p->order);
    det_free(p->ignored);
    det_free(p->taken);
}

det_status det_match_coco(const det_eval_rules *rules, const det_class_set *set,
                          det_class_outcomes *outcomes)
{
    picture p = {.set = set};
    const bool enough = allocate(&p);
    if (enough) begin_outcomes(rules, set, outcomes);
    for (size_t begin = 0, end; enough && begin < set->object_count; begin = end) {
        const uint32_t image = set->objects[begin].image;
        end = det_class_set_image_end(set, begin);
        p.first_object = begin;
        p.object_count = end - begin;
        p.detections = set->by_image + set->first[image];
        p.detection_count = detections_on(set, image);
        if (p.detection_count > 0) match_picture(rules, &p, outcomes);
    }
    release(&p);
    return enough ? DET_OK : DET_MEMORY;
}
