/* SPDX-License-Identifier: Apache-2.0 */
/* Matches are kept class by class; mistakes between classes are seen picture by picture. */
#include "eval/picture_set.h"

#include "eval/match.h"
#include "eval/overlap.h"
#include "src/base/error.h"
#include "src/base/memory.h"
#include "src/base/parallel.h"
#include "src/data/boxes.h"

#include <stdlib.h>

det_status det_evaluation_check_kept(const det_evaluation *evaluation, size_t iou, det_error *error)
{
    if (iou >= evaluation->iou_count)
        return det_fail(error, DET_ARGUMENT, "IoU threshold %zu of %zu", iou,
                        evaluation->iou_count);
    if (evaluation->class_count > 0 && !evaluation->classes[0].matches.detections)
        return det_fail(error, DET_ARGUMENT, "the matches of this evaluation were not kept");
    return DET_OK;
}

/* ---- Room ---- */

void det_picture_set_free(det_picture_set *set)
{
    det_free(set->places);
    det_free(set->objects);
    det_free(set->wanted);
    det_free(set->found);
    det_free(set->class_first);
    det_free(set->detections);
    det_free(set->first);
    *set = (det_picture_set){0};
}

static bool allocate(det_picture_set *set)
{
    const det_evaluation *e = set->evaluation;
    for (size_t c = 0; c < e->class_count; c++) set->count += e->classes[c].matches.count;
    set->places = det_eval_image_places(e->annotations);
    set->objects = det_alloc_array(e->annotations->object_count, sizeof *set->objects);
    set->wanted = det_alloc_zeroed(e->annotations->object_count, sizeof *set->wanted);
    set->found = det_alloc_zeroed(e->annotations->object_count, sizeof *set->found);
    set->class_first = det_alloc_zeroed(e->class_count + 1, sizeof *set->class_first);
    set->detections = det_alloc_array(set->count, sizeof *set->detections);
    set->first = det_alloc_zeroed(e->annotations->image_count + 1, sizeof *set->first);
    return set->places && set->objects && set->wanted && set->found && set->class_first &&
           set->detections && set->first;
}

/* ---- Filling ---- */

static void fill_objects(det_picture_set *set)
{
    const det_evaluation *e = set->evaluation;
    for (size_t i = 0; i < e->annotations->object_count; i++)
        set->objects[i] = det_eval_object_make(e->annotations, &set->rules, (uint32_t)i);
    for (size_t c = 0; c < e->class_count; c++) {
        const det_class_matches *m = &e->classes[c].matches;
        for (size_t i = 0; i < m->positive_count; i++) set->wanted[m->positives[i]]++;
        for (size_t i = 0; i < m->count; i++)
            if (m->outcomes[set->iou * m->count + i] == DET_TRUE_POSITIVE)
                set->found[m->objects[set->iou * m->count + i]]++;
    }
}

det_eval_key det_picture_set_key(const det_picture_set *set, uint32_t detection)
{
    const det_detected_object *d = &set->evaluation->results->objects[detection];
    return (det_eval_key){d->score, set->rules.image_order ? set->places[d->image] : 0, detection};
}

/* A counting sort by picture; first[image + 1] counts, then says where a picture's begin. */
static void group_detections(det_picture_set *set)
{
    const det_evaluation *e = set->evaluation;
    size_t *first = set->first;
    for (size_t c = 0; c < e->class_count; c++) {
        const det_class_matches *m = &e->classes[c].matches;
        set->class_first[c + 1] = set->class_first[c] + m->count;
        for (size_t i = 0; i < m->count; i++)
            first[e->results->objects[m->detections[i]].image + 1]++;
    }
    for (size_t i = 0; i < e->annotations->image_count; i++) first[i + 1] += first[i];
    for (size_t c = 0; c < e->class_count; c++) {
        const det_class_matches *m = &e->classes[c].matches;
        for (size_t i = 0; i < m->count; i++) {
            const uint32_t image = e->results->objects[m->detections[i]].image;
            set->detections[first[image]++] =
                (det_picture_detection){.key = det_picture_set_key(set, m->detections[i]),
                                        .at = (uint32_t)(set->class_first[c] + i)};
        }
    }
    for (size_t i = e->annotations->image_count; i > 0; i--) first[i] = first[i - 1];
    first[0] = 0;
}

static void sort_picture(void *context, size_t image, int worker)
{
    (void)worker;
    const det_picture_set *set = context;
    const size_t begin = set->first[image], count = set->first[image + 1] - begin;
    if (count > 1)
        qsort(set->detections + begin, count, sizeof *set->detections, det_eval_key_compare);
}

det_status det_picture_set_make(const det_evaluation *evaluation, size_t iou, int threads,
                                det_picture_set *set, det_error *error)
{
    *set = (det_picture_set){.evaluation = evaluation, .iou = iou};
    det_status status = det_evaluation_check_kept(evaluation, iou, error);
    const det_eval_options options = {.metric = evaluation->metric,
                                      .corrected = evaluation->corrected};
    if (status == DET_OK) status = det_eval_rules_make(&options, &set->rules, error);
    if (status < 0) return status;
    if (!allocate(set)) return det_fail_memory(error, "the detections of pictures");
    fill_objects(set);
    group_detections(set);
    det_parallel_for(evaluation->annotations->image_count, threads, sort_picture, set);
    return DET_OK;
}

/* ---- Overlaps ---- */

void det_picture_set_box(const det_picture_set *set, uint32_t detection, double box[4])
{
    const det_results *results = set->evaluation->results;
    det_box_convert(results->objects[detection].box, results->form, set->rules.form, box);
}

double det_picture_set_overlap(const det_picture_set *set, const double box[4],
                               const det_eval_object *object)
{
    return set->rules.form == DET_BOX_SIZED ? det_overlap_sized(box, object->box, object->crowd)
                                            : det_overlap_inclusive(box, object->box);
}

double det_picture_set_threshold(const det_picture_set *set, const det_eval_object *object)
{
    if (set->rules.metric == DET_METRIC_ILSVRC) return det_ilsvrc_threshold(object);
    const double threshold = set->evaluation->ious[set->iou];
    return set->rules.metric == DET_METRIC_COCO ? det_least(threshold, 1 - 1e-10) : threshold;
}
