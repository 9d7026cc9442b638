/* SPDX-License-Identifier: Apache-2.0 */
/* Which classes are taken for which. The metrics match one class at a time; here all detections of
 * a picture and all its objects are matched, so that a dog taken for a cat is one mistake and not
 * two.
 */
#include "eval/overlap.h"
#include "eval/picture_set.h"
#include "src/base/error.h"
#include "src/base/memory.h"
#include "src/base/parallel.h"
#include "src/base/run.h"

#include <math.h>

/* A matrix that is being made; what the public view points to. */
typedef struct confusion_data {
    det_confusion seen; /* comes first: the view that the caller has */
    size_t *counts;
} confusion_data;

/* In the place of an object: */
enum { NOTHING = UINT32_MAX, LEFT_OUT = UINT32_MAX - 1 };

typedef struct matcher {
    det_picture_set set;
    double score;    /* at least that */
    uint32_t *taken; /* of each of set.detections: the object, NOTHING or LEFT_OUT */
    uint32_t *free;  /* of each object that counts: how often it can still be taken */
} matcher;

/* ---- A picture ---- */

static bool reaches(const matcher *m, const double box[4], size_t object, double *overlap)
{
    const det_eval_object *o = &m->set.objects[object];
    *overlap = det_picture_set_overlap(&m->set, box, o);
    return *overlap >= det_picture_set_threshold(&m->set, o);
}

static uint32_t choose(const matcher *m, const det_detected_object *detection, const double box[4])
{
    const det_annotations *annotations = m->set.evaluation->annotations;
    const det_annotated_image *image = &annotations->images[detection->image];
    uint32_t chosen = NOTHING;
    double best = 0, overlap;
    bool own_chosen = false, left_out = false;
    for (size_t g = image->first_object; g < image->first_object + image->object_count; g++) {
        const bool own = annotations->objects[g].category == detection->category;
        const bool counts = m->set.wanted[g] > 0;
        if (!(counts ? m->free[g] > 0 : own) || !reaches(m, box, g, &overlap)) continue;
        if (!counts) {
            left_out = true;
        } else if (overlap > best || (overlap == best && own && !own_chosen)) {
            best = overlap;
            own_chosen = own;
            chosen = (uint32_t)g;
        }
    }
    return chosen == NOTHING && left_out ? LEFT_OUT : chosen;
}

static void match_picture(void *context, size_t image, int worker)
{
    (void)worker;
    const matcher *m = context;
    for (size_t i = m->set.first[image]; i < m->set.first[image + 1]; i++) {
        const det_eval_key *key = &m->set.detections[i].key;
        double box[4];
        m->taken[i] = LEFT_OUT;
        if (key->score < m->score) continue;
        det_picture_set_box(&m->set, key->detection, box);
        m->taken[i] = choose(m, &m->set.evaluation->results->objects[key->detection], box);
        if (m->taken[i] < LEFT_OUT) m->free[m->taken[i]]--;
    }
}

/* ---- The matrix ---- */

static void count_all(const matcher *m, confusion_data *data)
{
    const det_evaluation *e = m->set.evaluation;
    const size_t background = e->class_count, side = background + 1;
    for (size_t i = 0; i < m->set.count; i++) {
        const size_t column = e->results->objects[m->set.detections[i].key.detection].category;
        if (m->taken[i] == LEFT_OUT) continue;
        const size_t row =
            m->taken[i] == NOTHING ? background : e->annotations->objects[m->taken[i]].category;
        data->counts[row * side + column]++;
    }
    for (size_t g = 0; g < e->annotations->object_count; g++)
        data->counts[e->annotations->objects[g].category * side + background] += m->free[g];
}

static double lowest_score(const det_picture_set *set)
{
    double lowest = (double)NAN;
    for (size_t i = 0; i < set->count; i++)
        if (!(set->detections[i].key.score >= lowest)) lowest = set->detections[i].key.score;
    return lowest;
}

/* The score at which detections are kept. */
static det_status choose_score(matcher *m, const det_confusion_options *options, det_error *error)
{
    if (options->score) {
        m->score = *options->score;
        return DET_OK;
    }
    det_score_analysis *scores = NULL;
    const det_status status =
        det_evaluation_scores(m->set.evaluation, options->iou, &scores, error);
    if (status < 0) return status;
    m->score = isnan(scores->all.threshold) ? lowest_score(&m->set) : scores->all.threshold;
    det_score_analysis_free(scores);
    return DET_OK;
}

static confusion_data *create(const matcher *m)
{
    const det_evaluation *e = m->set.evaluation;
    size_t cells;
    if (!det_multiply_size(e->class_count + 1, e->class_count + 1, &cells)) return NULL;
    confusion_data *data = det_alloc_zeroed(1, sizeof *data);
    if (!data) return NULL;
    data->counts = det_alloc_zeroed(cells, sizeof *data->counts);
    data->seen = (det_confusion){.iou = e->ious[m->set.iou],
                                 .score = m->score,
                                 .class_count = e->class_count,
                                 .counts = data->counts};
    if (data->counts) return data;
    det_confusion_free(&data->seen);
    return NULL;
}

static det_status match(matcher *m, const det_run *run, confusion_data **data, det_error *error)
{
    const det_annotations *annotations = m->set.evaluation->annotations;
    const det_status status = det_run_check(run, 0, 1, error);
    if (status < 0) return status;
    m->taken = det_alloc_array(m->set.count, sizeof *m->taken);
    m->free = det_alloc_array(annotations->object_count, sizeof *m->free);
    *data = m->taken && m->free ? create(m) : NULL;
    if (!*data) return det_fail_memory(error, "a confusion matrix");
    for (size_t g = 0; g < annotations->object_count; g++) m->free[g] = m->set.wanted[g];
    det_parallel_for(annotations->image_count, run ? run->threads : 0, match_picture, m);
    count_all(m, *data);
    return DET_OK;
}

det_status det_evaluation_confusion(const det_evaluation *evaluation,
                                    const det_confusion_options *options, const det_run *run,
                                    det_confusion **confusion, det_error *error)
{
    static const det_confusion_options defaults = {0};
    if (!options) options = &defaults;
    matcher m = {0};
    confusion_data *data = NULL;
    det_status status =
        det_picture_set_make(evaluation, options->iou, run ? run->threads : 0, &m.set, error);
    if (status == DET_OK) status = choose_score(&m, options, error);
    if (status == DET_OK) status = match(&m, run, &data, error);
    if (status == DET_OK) *confusion = &data->seen;
    det_picture_set_free(&m.set);
    det_free(m.taken);
    det_free(m.free);
    return status;
}

void det_confusion_free(det_confusion *confusion)
{
    if (!confusion) return;
    det_free(((confusion_data *)confusion)->counts);
    det_free(confusion);
}
