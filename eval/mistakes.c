/* SPDX-License-Identifier: Apache-2.0 */
/* TIDE's kinds of mistakes and what each costs (Bolya et al., ECCV 2020): cost = AP with the kind
 * repaired - AP.
 *
 * First, picture by picture: what is wrong with each false positive, and which detection of a wrong
 * class or box could repair an unfound object. Then, class by class: average precision with each
 * kind repaired, which needs only another outcome of some detections (eval/curve.h). */
#include "eval/curve.h"
#include "eval/overlap.h"
#include "eval/picture_set.h"
#include "src/base/error.h"
#include "src/base/memory.h"
#include "src/base/parallel.h"
#include "src/base/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is repaired: a kind, or one of TIDE's two special ones. */
enum { FALSE_POSITIVES = DET_MISTAKE_KINDS, FALSE_NEGATIVES, REPAIRS };

/* An analysis that is being made; what the public view points to. */
typedef struct analysis_data {
    det_mistake_analysis seen; /* comes first: the view that the caller has */
    det_mistake_figures *classes;
    det_mistake *mistakes;
} analysis_data;

typedef struct analyst {
    det_picture_set set;
    double background;
    /* Of each detection, by its place among those of all classes; what is no mistake is not set: */
    uint8_t *kinds;
    uint32_t *means; /* the object that it means, in the annotations; UINT32_MAX: none */
    double *overlaps;
    uint32_t *repairers;         /* of each object: which of set.detections can repair it;
                                    UINT32_MAX: none */
    double (*repaired)[REPAIRS]; /* of each class: average precision with a repair */
    bool *failed;                /* of each class: memory was short */
    analysis_data *data;
} analyst;

const char *det_mistake_kind_name(det_mistake_kind kind)
{
    static const char *const names[DET_MISTAKE_KINDS] = {"class",     "box",        "both",
                                                         "duplicate", "background", "missed"};
    return (unsigned)kind < DET_MISTAKE_KINDS ? names[kind] : "unknown";
}

/* ---- What is wrong with a detection ---- */

/* The object of highest overlap among some; of equal ones the first. */
typedef struct nearest {
    uint32_t object; /* UINT32_MAX: none overlaps */
    double overlap;
} nearest;

static void consider(nearest *n, size_t object, double overlap)
{
    if (overlap > n->overlap) *n = (nearest){(uint32_t)object, overlap};
}

/* What a detection overlaps on its picture. */
typedef struct surroundings {
    nearest any, own;         /* of all objects that count, and of those of its class */
    nearest other, own_found; /* reached: of another class, and of its class and found */
} surroundings;

static surroundings look_round(const analyst *a, const det_detected_object *detection,
                               const double box[4])
{
    const det_annotations *annotations = a->set.evaluation->annotations;
    const det_annotated_image *image = &annotations->images[detection->image];
    const nearest none = {UINT32_MAX, 0};
    surroundings s = {none, none, none, none};
    for (size_t g = image->first_object; g < image->first_object + image->object_count; g++) {
        if (a->set.wanted[g] == 0) continue;
        const det_eval_object *object = &a->set.objects[g];
        const double overlap = det_picture_set_overlap(&a->set, box, object);
        const bool own = annotations->objects[g].category == detection->category;
        const bool reached = overlap >= det_picture_set_threshold(&a->set, object);
        consider(&s.any, g, overlap);
        if (own) consider(&s.own, g, overlap);
        if (!own && reached) consider(&s.other, g, overlap);
        if (own && reached && a->set.found[g] > 0) consider(&s.own_found, g, overlap);
    }
    return s;
}

static det_mistake_kind judge(const analyst *a, const surroundings *s, nearest *meant)
{
    *meant = s->own;
    if (s->own.object != UINT32_MAX && s->own.overlap >= a->background &&
        s->own.overlap <= det_picture_set_threshold(&a->set, &a->set.objects[s->own.object]))
        return DET_MISTAKE_BOX;
    *meant = s->other;
    if (s->other.object != UINT32_MAX) return DET_MISTAKE_CLASS;
    *meant = s->own_found;
    if (s->own_found.object != UINT32_MAX) return DET_MISTAKE_DUPLICATE;
    *meant = s->any;
    return s->any.overlap <= a->background ? DET_MISTAKE_BACKGROUND : DET_MISTAKE_BOTH;
}

/* How often an object is wanted, but not found. */
static uint32_t unfound(const analyst *a, size_t object)
{
    return a->set.wanted[object] - a->set.found[object];
}

/* In order of score, so that the best detection that can repair an object is the first. */
static void examine_picture(void *context, size_t image, int worker)
{
    (void)worker;
    const analyst *a = context;
    for (size_t i = a->set.first[image]; i < a->set.first[image + 1]; i++) {
        const det_picture_detection *d = &a->set.detections[i];
        const det_detected_object *detection =
            &a->set.evaluation->results->objects[d->key.detection];
        if (det_picture_set_outcome(&a->set, detection->category, d->at) == DET_TRUE_POSITIVE)
            continue;
        double box[4];
        det_picture_set_box(&a->set, d->key.detection, box);
        const surroundings s = look_round(a, detection, box);
        nearest meant;
        const det_mistake_kind kind = judge(a, &s, &meant);
        a->kinds[d->at] = (uint8_t)kind;
        a->means[d->at] = meant.object;
        a->overlaps[d->at] = meant.overlap;
        const bool repairs = kind == DET_MISTAKE_CLASS || kind == DET_MISTAKE_BOX;
        if (repairs && unfound(a, meant.object) > 0 && a->repairers[meant.object] == UINT32_MAX)
            a->repairers[meant.object] = (uint32_t)i;
    }
}

/* How often an object is missed: neither found nor repaired by a detection. */
static uint32_t missed(const analyst *a, size_t object)
{
    return unfound(a, object) - (a->repairers[object] != UINT32_MAX);
}

/* ---- Counts ---- */

static void count_class(const analyst *a, size_t category, det_mistake_figures *f)
{
    const det_class_matches *m = &a->set.evaluation->classes[category].matches;
    const size_t first = a->set.class_first[category];
    for (size_t i = 0; i < m->count; i++) {
        if (m->outcomes[a->set.iou * m->count + i] != DET_FALSE_POSITIVE) continue;
        f->count[a->kinds[first + i]]++;
        f->false_positives++;
    }
}

static void count_objects(const analyst *a)
{
    const det_annotations *annotations = a->set.evaluation->annotations;
    for (size_t g = 0; g < annotations->object_count; g++) {
        det_mistake_figures *f = &a->data->classes[annotations->objects[g].category];
        f->count[DET_MISTAKE_MISSED] += missed(a, g);
        f->false_negatives += unfound(a, g);
    }
}

/* ---- Average precision of a class, repaired ---- */

/* Detections that a class has after a repair, and room for its curve. */
typedef struct repaired_class {
    size_t count;
    uint8_t *outcomes;
    double *recall, *precision;
    det_eval_key *arrivals; /* arrival_count, in the metric's order: detections of other classes
                               that repair an object of this one */
    size_t arrival_count;
} repaired_class;

static void free_repaired(repaired_class *r)
{
    det_free(r->outcomes);
    det_free(r->recall);
    det_free(r->precision);
    det_free(r->arrivals);
}

static bool allocate_repaired(repaired_class *r, const det_class_matches *m)
{
    const size_t most = m->count + m->positive_count;
    r->outcomes = det_alloc_array(most, sizeof *r->outcomes);
    r->recall = det_alloc_array(most, sizeof *r->recall);
    r->precision = det_alloc_array(most, sizeof *r->precision);
    r->arrivals = det_alloc_array(m->positive_count, sizeof *r->arrivals);
    return r->outcomes && r->recall && r->precision && r->arrivals;
}

static void find_arrivals(const analyst *a, const det_class_matches *m, repaired_class *r)
{
    for (size_t i = 0; i < m->positive_count; i++) {
        const uint32_t repairer = a->repairers[m->positives[i]];
        if (repairer == UINT32_MAX) continue;
        const det_picture_detection *d = &a->set.detections[repairer];
        if (a->kinds[d->at] == DET_MISTAKE_CLASS) r->arrivals[r->arrival_count++] = d->key;
    }
    if (r->arrival_count < 2) return;
    qsort(r->arrivals, r->arrival_count, sizeof *r->arrivals, det_eval_key_compare);
    size_t count = 1; /* once each, though an object may be wanted more often */
    for (size_t i = 1; i < r->arrival_count; i++)
        if (r->arrivals[i].detection != r->arrivals[count - 1].detection)
            r->arrivals[count++] = r->arrivals[i];
    r->arrival_count = count;
}

/* What becomes of detection `at` of its own class. */
static uint8_t repaired_outcome(const analyst *a, size_t at, uint8_t outcome, int repair)
{
    if (outcome == DET_TRUE_POSITIVE) return outcome;
    if (repair == FALSE_POSITIVES) return DET_IGNORED;
    if (a->kinds[at] != repair) return outcome;
    if (repair != DET_MISTAKE_BOX) return DET_IGNORED;
    const uint32_t repairer = a->repairers[a->means[at]];
    const bool chosen = repairer != UINT32_MAX && a->set.detections[repairer].at == at;
    return chosen ? DET_TRUE_POSITIVE : DET_IGNORED;
}

static void repair_outcomes(const analyst *a, size_t category, int repair, repaired_class *r)
{
    const det_class_matches *m = &a->set.evaluation->classes[category].matches;
    const uint8_t *outcomes = m->outcomes + a->set.iou * m->count;
    const size_t arrivals = repair == DET_MISTAKE_CLASS ? r->arrival_count : 0;
    r->count = 0;
    for (size_t i = 0, next = 0; i < m->count || next < arrivals;) {
        const det_eval_key key = i < m->count && next < arrivals
                                     ? det_picture_set_key(&a->set, m->detections[i])
                                     : (det_eval_key){0};
        const bool arrives = next < arrivals &&
                             (i == m->count || det_eval_key_compare(&r->arrivals[next], &key) < 0);
        r->outcomes[r->count++] =
            arrives ? DET_TRUE_POSITIVE
                    : repaired_outcome(a, a->set.class_first[category] + i, outcomes[i], repair);
        next += arrives;
        i += !arrives;
    }
}

/* Objects that are still asked for. */
static size_t repaired_positives(const det_class_matches *m, const det_mistake_figures *f,
                                 int repair)
{
    if (repair == DET_MISTAKE_MISSED) return m->positive_count - f->count[DET_MISTAKE_MISSED];
    if (repair == FALSE_NEGATIVES) return m->positive_count - f->false_negatives;
    return m->positive_count;
}

static double repair_class(const analyst *a, size_t category, int repair, repaired_class *r)
{
    const det_class_matches *m = &a->set.evaluation->classes[category].matches;
    const det_mistake_figures *f = &a->data->classes[category];
    const size_t positives = repaired_positives(m, f, repair);
    if (m->positive_count == 0) return (double)NAN;
    if (positives == 0) return f->false_positives > 0 ? 0 : 1;
    repair_outcomes(a, category, repair, r);
    const size_t points = det_curve_points(r->outcomes, r->count, NULL, (double)positives,
                                           a->set.rules.epsilon, r->recall, r->precision);
    return a->set.rules.average(r->recall, r->precision, points);
}

static void examine_class(void *context, size_t category, int worker)
{
    (void)worker;
    const analyst *a = context;
    const det_class_matches *m = &a->set.evaluation->classes[category].matches;
    repaired_class r = {0};
    count_class(a, category, &a->data->classes[category]);
    if (allocate_repaired(&r, m)) {
        find_arrivals(a, m, &r);
        for (int repair = 0; repair < REPAIRS; repair++)
            a->repaired[category][repair] = repair_class(a, category, repair, &r);
    } else {
        a->failed[category] = true;
    }
    free_repaired(&r);
}

/* ---- Costs ---- */

/* No repair lowers average precision, but rounding may. */
static double gain(double repaired, double ap)
{
    return isnan(repaired) ? repaired : det_greatest(repaired - ap, 0);
}

static void set_costs(det_mistake_figures *f, double ap, const double repaired[REPAIRS])
{
    f->ap = ap;
    for (int kind = 0; kind < DET_MISTAKE_KINDS; kind++) f->cost[kind] = gain(repaired[kind], ap);
    f->false_positives_cost = gain(repaired[FALSE_POSITIVES], ap);
    f->false_negatives_cost = gain(repaired[FALSE_NEGATIVES], ap);
}

static void add_counts(det_mistake_figures *sum, const det_mistake_figures *f)
{
    for (int kind = 0; kind < DET_MISTAKE_KINDS; kind++) sum->count[kind] += f->count[kind];
    sum->false_positives += f->false_positives;
    sum->false_negatives += f->false_negatives;
}

/* Of the classes, and of their means over those that have objects that count. */
static void take_costs(analyst *a)
{
    const det_evaluation *e = a->set.evaluation;
    double mean[REPAIRS] = {0};
    for (size_t c = 0; c < e->class_count; c++) {
        set_costs(&a->data->classes[c], e->classes[c].figures.ap_at[a->set.iou], a->repaired[c]);
        add_counts(&a->data->seen.all, &a->data->classes[c]);
        for (int repair = 0; repair < REPAIRS; repair++)
            if (e->classes[c].objects > 0) mean[repair] += a->repaired[c][repair];
    }
    for (int repair = 0; repair < REPAIRS; repair++) mean[repair] /= (double)e->measured_count;
    set_costs(&a->data->seen.all, e->mean.ap_at[a->set.iou], mean);
}

/* ---- The list ---- */

static int compare_mistakes(const void *a, const void *b)
{
    const det_mistake *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return (x->detection > y->detection) - (x->detection < y->detection);
}

static void sort_kind(void *context, size_t kind, int worker)
{
    (void)worker;
    const analysis_data *data = context;
    const size_t begin = data->seen.first[kind], count = data->seen.first[kind + 1] - begin;
    if (count > 1) qsort(data->mistakes + begin, count, sizeof *data->mistakes, compare_mistakes);
}

static void list_class(const analyst *a, size_t category, size_t *next)
{
    const det_evaluation *e = a->set.evaluation;
    const det_class_matches *m = &e->classes[category].matches;
    for (size_t i = 0; i < m->count; i++) {
        const size_t at = a->set.class_first[category] + i;
        if (m->outcomes[a->set.iou * m->count + i] != DET_FALSE_POSITIVE) continue;
        a->data->mistakes[next[a->kinds[at]]++] =
            (det_mistake){.kind = (det_mistake_kind)a->kinds[at],
                          .detection = m->detections[i],
                          .object = a->means[at],
                          .overlap = a->overlaps[at],
                          .score = e->results->objects[m->detections[i]].score};
    }
}

static void list_missed(const analyst *a, det_mistake *next)
{
    for (size_t g = 0; g < a->set.evaluation->annotations->object_count; g++)
        for (uint32_t i = 0; i < missed(a, g); i++)
            *next++ = (det_mistake){
                .kind = DET_MISTAKE_MISSED, .detection = UINT32_MAX, .object = (uint32_t)g};
}

static bool list_mistakes(const analyst *a, int threads)
{
    analysis_data *data = a->data;
    size_t next[DET_MISTAKE_KINDS], count = 0;
    for (int kind = 0; kind < DET_MISTAKE_KINDS; kind++) {
        data->seen.first[kind] = next[kind] = count;
        count += data->seen.all.count[kind];
    }
    data->seen.first[DET_MISTAKE_KINDS] = data->seen.mistake_count = count;
    data->mistakes = det_alloc_array(count, sizeof *data->mistakes);
    if (!data->mistakes) return false;
    data->seen.mistakes = data->mistakes;
    for (size_t c = 0; c < data->seen.class_count; c++) list_class(a, c, next);
    list_missed(a, data->mistakes + next[DET_MISTAKE_MISSED]);
    det_parallel_for(DET_MISTAKE_MISSED, threads, sort_kind, data);
    return true;
}

/* ---- All of it ---- */

void det_mistake_analysis_free(det_mistake_analysis *analysis)
{
    if (!analysis) return;
    analysis_data *data = (analysis_data *)analysis;
    det_free(data->classes);
    det_free(data->mistakes);
    det_free(data);
}

static void release(analyst *a)
{
    det_picture_set_free(&a->set);
    det_free(a->kinds);
    det_free(a->means);
    det_free(a->overlaps);
    det_free(a->repairers);
    det_free(a->repaired);
    det_free(a->failed);
}

static bool allocate(analyst *a)
{
    const det_evaluation *e = a->set.evaluation;
    const size_t objects = e->annotations->object_count;
    a->kinds = det_alloc_array(a->set.count, sizeof *a->kinds);
    a->means = det_alloc_array(a->set.count, sizeof *a->means);
    a->overlaps = det_alloc_array(a->set.count, sizeof *a->overlaps);
    a->repairers = det_alloc_array(objects, sizeof *a->repairers);
    a->repaired = det_alloc_array(e->class_count, sizeof *a->repaired);
    a->failed = det_alloc_zeroed(e->class_count, sizeof *a->failed);
    a->data = det_alloc_zeroed(1, sizeof *a->data);
    if (a->data) a->data->classes = det_alloc_zeroed(e->class_count, sizeof *a->data->classes);
    if (!a->kinds || !a->means || !a->overlaps || !a->repairers || !a->repaired || !a->failed ||
        !a->data || !a->data->classes)
        return false;
    memset(a->repairers, 0xff, objects * sizeof *a->repairers);
    a->data->seen.classes = a->data->classes;
    a->data->seen.class_count = e->class_count;
    return true;
}

static det_status set_background(analyst *a, double background, det_error *error)
{
    const double usual = .1, iou = a->set.evaluation->ious[a->set.iou];
    if (background == 0) background = det_least(usual, iou);
    if (!(background > 0 && background <= 1))
        return det_fail(error, DET_ARGUMENT, "the background overlap %g is not in (0, 1]",
                        background);
    a->background = a->data->seen.background = background;
    a->data->seen.iou = iou;
    return DET_OK;
}

static det_status analyse(analyst *a, const det_run *run, det_error *error)
{
    enum { stages = 3 };
    const det_evaluation *e = a->set.evaluation;
    const int threads = run ? run->threads : 0;
    det_status status = det_run_check(run, 0, stages, error);
    if (status < 0) return status;
    det_parallel_for(e->annotations->image_count, threads, examine_picture, a);
    status = det_run_check(run, 1, stages, error);
    if (status < 0) return status;
    count_objects(a);
    det_parallel_for(e->class_count, threads, examine_class, a);
    for (size_t c = 0; c < e->class_count; c++)
        if (a->failed[c]) return det_fail_memory(error, "the mistakes of a class");
    take_costs(a);
    status = det_run_check(run, 2, stages, error);
    if (status < 0) return status;
    return list_mistakes(a, threads) ? DET_OK : det_fail_memory(error, "a list of mistakes");
}

det_status det_evaluation_mistakes(const det_evaluation *evaluation,
                                   const det_mistake_options *options, const det_run *run,
                                   det_mistake_analysis **analysis, det_error *error)
{
    static const det_mistake_options defaults = {0};
    if (!options) options = &defaults;
    analyst a = {0};
    det_status status =
        det_picture_set_make(evaluation, options->iou, run ? run->threads : 0, &a.set, error);
    if (status == DET_OK && !allocate(&a)) status = det_fail_memory(error, "an analysis");
    if (status == DET_OK) status = set_background(&a, options->background, error);
    if (status == DET_OK) status = analyse(&a, run, error);
    if (status == DET_OK)
        *analysis = &a.data->seen;
    else if (a.data)
        det_mistake_analysis_free(&a.data->seen);
    release(&a);
    return status;
}
