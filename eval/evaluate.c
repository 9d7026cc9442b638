/* SPDX-License-Identifier: Apache-2.0 */
/* Detections against annotations: each class by itself, on as many threads as there are, then the
 * means over the classes that have objects. */
#include "detect/eval.h"

#include "eval/curve.h"
#include "eval/match.h"
#include "eval/picture_set.h"
#include "src/base/error.h"
#include "src/base/memory.h"
#include "src/base/parallel.h"
#include "src/base/run.h"

#include <math.h>
#include <string.h>

/* An evaluation that is being made; what the public view points to. */
typedef struct evaluation_data {
    det_evaluation seen; /* comes first: the view that the caller has */
    double *ious;
    size_t *max_detections;
    det_class_figures *classes;
    double *numbers; /* of the figures of all classes and of their mean */
} evaluation_data;

/* ---- Room ---- */

static void free_matches(det_class_matches *matches)
{
    det_free((uint32_t *)matches->detections);
    det_free((uint8_t *)matches->outcomes);
    det_free((uint32_t *)matches->objects);
    det_free((uint32_t *)matches->positives);
}

void det_evaluation_free(det_evaluation *evaluation)
{
    if (!evaluation) return;
    evaluation_data *data = (evaluation_data *)evaluation;
    for (size_t c = 0; data->classes && c < data->seen.class_count; c++)
        free_matches(&data->classes[c].matches);
    det_free(data->ious);
    det_free(data->max_detections);
    det_free(data->classes);
    det_free(data->numbers);
    det_free(data);
}

/* Gives figures their arrays. @return the numbers behind them. */
static double *place_figures(det_eval_figures *figures, const evaluation_data *data, double *at)
{
    const size_t ious = data->seen.iou_count;
    figures->ap_at = at;
    figures->recall_at = at + ious;
    figures->ar_max = at + 2 * ious;
    return at + 2 * ious + data->seen.max_detections_count;
}

static bool allocate(evaluation_data *data, const det_eval_rules *rules)
{
    const size_t classes = data->seen.class_count, ious = rules->iou_count;
    const size_t most = rules->max_detections_count;
    size_t envelopes, figures;
    if (!det_multiply_size(ious, DET_EVAL_RECALLS + 2, &envelopes)) return false;
    if (!det_multiply_size(classes + 1, envelopes + most, &figures)) return false;
    data->ious = det_alloc_array(ious, sizeof *data->ious);
    data->max_detections = det_alloc_array(most, sizeof *data->max_detections);
    data->classes = det_alloc_zeroed(classes, sizeof *data->classes);
    data->numbers = det_alloc_array(figures, sizeof *data->numbers);
    if (!data->ious || !data->max_detections || !data->classes || !data->numbers) return false;
    memcpy(data->ious, rules->ious, ious * sizeof *data->ious);
    if (most > 0)
        memcpy(data->max_detections, rules->max_detections, most * sizeof *data->max_detections);
    return true;
}

static evaluation_data *create(const det_annotations *annotations, const det_results *results,
                               const det_eval_rules *rules)
{
    evaluation_data *data = det_alloc_zeroed(1, sizeof *data);
    if (!data) return NULL;
    data->seen = (det_evaluation){.annotations = annotations,
                                  .results = results,
                                  .metric = rules->metric,
                                  .iou_count = rules->iou_count,
                                  .max_detections_count = rules->max_detections_count,
                                  .corrected = rules->corrected,
                                  .class_count = annotations->category_count};
    if (!allocate(data, rules)) {
        det_evaluation_free(&data->seen);
        return NULL;
    }
    data->seen.ious = data->ious;
    data->seen.max_detections = data->max_detections;
    data->seen.classes = data->classes;
    double *at = place_figures(&data->seen.mean, data, data->numbers);
    for (size_t c = 0; c < data->seen.class_count; c++) {
        at = place_figures(&data->classes[c].figures, data, at);
        data->classes[c].envelope = at;
        at += rules->iou_count * DET_EVAL_RECALLS;
    }
    return data;
}

/* ---- The figures of a class ---- */

/* The outcomes of a class, and room for a curve. */
typedef struct class_work {
    det_class_set set;
    det_class_outcomes outcomes;
    double *recall, *precision;
} class_work;

static void free_work(class_work *w)
{
    det_class_set_free(&w->set);
    det_free(w->outcomes.outcomes);
    det_free(w->outcomes.matched);
    det_free(w->recall);
    det_free(w->precision);
}

static bool allocate_work(class_work *w, const det_eval_rules *rules)
{
    const size_t count = w->set.count;
    const size_t points = count < w->set.object_count ? count : w->set.object_count;
    size_t rows, cells;
    if (!det_multiply_size(rules->size_count, rules->iou_count, &rows)) return false;
    if (!det_multiply_size(rows, count, &cells)) return false;
    w->outcomes.outcomes = det_alloc_array(cells, sizeof *w->outcomes.outcomes);
    w->outcomes.matched = det_alloc_array(rules->iou_count * count, sizeof *w->outcomes.matched);
    w->recall = det_alloc_array(points, sizeof *w->recall);
    w->precision = det_alloc_array(points, sizeof *w->precision);
    if (!w->outcomes.outcomes || !w->outcomes.matched || !w->recall || !w->precision) return false;
    memset(w->outcomes.matched, 0xff, rules->iou_count * count * sizeof *w->outcomes.matched);
    return true;
}

static void count_positives(const det_eval_rules *rules, class_work *w)
{
    for (size_t size = 0; size < rules->size_count; size++)
        for (size_t i = 0; i < w->set.object_count; i++)
            w->outcomes.positives[size] +=
                det_eval_object_counts(rules, &w->set.objects[i], (det_object_size)size);
}

static size_t count_true(const uint8_t *outcomes, const uint32_t *ranks, size_t count, size_t most)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) found += outcomes[i] == DET_TRUE_POSITIVE && ranks[i] < most;
    return found;
}

/* What a curve gives at one size and threshold, its points in w. @return their number. */
static size_t measure_curve(const det_eval_rules *rules, class_work *w, size_t size, size_t t,
                            double *ap, double *recall)
{
    const double positives = (double)w->outcomes.positives[size];
    const size_t points =
        det_curve_points(w->outcomes.outcomes + (size * rules->iou_count + t) * w->set.count,
                         w->set.count, NULL, positives, rules->epsilon, w->recall, w->precision);
    *ap = rules->average(w->recall, w->precision, points);
    *recall = points > 0 ? w->recall[points - 1] : 0;
    return points;
}

static void measure_size(const det_eval_rules *rules, class_work *w, size_t size,
                         det_class_figures *figures)
{
    det_eval_figures *f = &figures->figures;
    const double ious = (double)rules->iou_count;
    double ap_sum = 0, recall_sum = 0;
    for (size_t t = 0; t < rules->iou_count; t++) {
        double ap, recall;
        const size_t points = measure_curve(rules, w, size, t, &ap, &recall);
        ap_sum += ap;
        recall_sum += recall;
        if (size != DET_SIZE_ALL) continue;
        ((double *)f->ap_at)[t] = ap;
        ((double *)f->recall_at)[t] = recall;
        det_curve_sample(w->recall, w->precision, points, .01, DET_EVAL_RECALLS,
                         (double *)figures->envelope + t * DET_EVAL_RECALLS);
    }
    f->ap_size[size] = ap_sum / ious;
    f->ar_size[size] = recall_sum / ious;
}

static void measure_fewer(const det_eval_rules *rules, const class_work *w, double *ar_max)
{
    const size_t cells = w->outcomes.positives[DET_SIZE_ALL] * rules->iou_count;
    for (size_t m = 0; m < rules->max_detections_count; m++) {
        size_t found = 0;
        for (size_t t = 0; t < rules->iou_count; t++)
            found += count_true(w->outcomes.outcomes + t * w->set.count, w->set.ranks, w->set.count,
                                rules->max_detections[m]);
        ar_max[m] = (double)found / (double)cells;
    }
}

static void fill_nan(const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) ((double *)values)[i] = (double)NAN;
}

static void measure_class(const det_eval_rules *rules, class_work *w, det_class_figures *figures)
{
    det_eval_figures *f = &figures->figures;
    count_positives(rules, w);
    fill_nan(f->ap_at, rules->iou_count);
    fill_nan(f->recall_at, rules->iou_count);
    fill_nan(f->ar_max, rules->max_detections_count);
    fill_nan(f->ap_size, DET_SIZE_COUNT);
    fill_nan(f->ar_size, DET_SIZE_COUNT);
    fill_nan(figures->envelope, rules->iou_count * DET_EVAL_RECALLS);
    for (size_t size = 0; size < rules->size_count; size++)
        if (w->outcomes.positives[size] > 0) measure_size(rules, w, size, figures);
    if (w->outcomes.positives[DET_SIZE_ALL] > 0) measure_fewer(rules, w, (double *)f->ar_max);
    f->ap = f->ap_size[DET_SIZE_ALL];
    f->ar = f->ar_size[DET_SIZE_ALL];
    figures->objects = w->outcomes.positives[DET_SIZE_ALL];
    figures->ignored = w->set.object_count - figures->objects;
    figures->detections = w->set.count;
    figures->cut = w->set.cut;
}

/* ---- Matches that are kept ---- */

static bool keep_positives(const det_eval_rules *rules, const det_class_set *set, size_t count,
                           det_class_matches *matches)
{
    uint32_t *positives = det_alloc_array(count, sizeof *positives);
    if (!positives) return false;
    matches->positives = positives;
    matches->positive_count = count;
    for (size_t i = 0; i < set->object_count; i++)
        if (det_eval_object_counts(rules, &set->objects[i], DET_SIZE_ALL))
            *positives++ = set->objects[i].object;
    return true;
}

/* Moves what is known of the matches out of the work. */
static bool keep_matches(const det_eval_rules *rules, class_work *w, det_class_matches *matches)
{
    const size_t cells = rules->iou_count * w->set.count;
    uint8_t *outcomes = det_alloc_array(cells, sizeof *outcomes);
    if (!outcomes) return false;
    memcpy(outcomes, w->outcomes.outcomes, cells);
    for (size_t i = 0; i < cells; i++) {
        uint32_t *matched = &w->outcomes.matched[i];
        if (*matched != UINT32_MAX) *matched = w->set.objects[*matched].object;
    }
    matches->count = w->set.count;
    matches->outcomes = outcomes;
    matches->objects = w->outcomes.matched;
    matches->detections = w->set.detections;
    w->outcomes.matched = NULL;
    w->set.detections = NULL;
    return keep_positives(rules, &w->set, w->outcomes.positives[DET_SIZE_ALL], matches);
}

/* ---- All classes ---- */

typedef struct evaluator {
    const det_eval_index *index;
    const det_eval_rules *rules;
    evaluation_data *data;
    bool keep_matches;
    det_status *statuses; /* of each class */
    size_t first;         /* class of the batch at hand */
} evaluator;

static det_status evaluate_class(const evaluator *e, size_t category)
{
    class_work w = {0};
    det_class_figures *figures = &e->data->classes[category];
    det_status status = det_class_set_make(e->index, e->rules, category, &w.set, NULL);
    if (status == DET_OK && !allocate_work(&w, e->rules)) status = DET_MEMORY;
    if (status == DET_OK) status = e->rules->match(e->rules, &w.set, &w.outcomes);
    if (status == DET_OK) measure_class(e->rules, &w, figures);
    if (status == DET_OK && e->keep_matches && !keep_matches(e->rules, &w, &figures->matches))
        status = DET_MEMORY;
    free_work(&w);
    return status;
}

static void run_class(void *context, size_t at, int worker)
{
    (void)worker;
    const evaluator *e = context;
    e->statuses[e->first + at] = evaluate_class(e, e->first + at);
}

static det_status evaluate_classes(evaluator *e, const det_run *run, det_error *error)
{
    const size_t count = e->data->seen.class_count, batch = 256;
    const int threads = run ? run->threads : 0;
    e->statuses = det_alloc_zeroed(count, sizeof *e->statuses);
    det_status status = e->statuses ? DET_OK : det_fail_memory(error, "an evaluation");
    for (e->first = 0; status == DET_OK && e->first < count; e->first += batch) {
        status = det_run_check(run, e->first, count, error);
        if (status < 0) break;
        const size_t left = count - e->first;
        det_parallel_for(left < batch ? left : batch, threads, run_class, e);
        for (size_t i = e->first; status == DET_OK && i < count && i < e->first + batch; i++)
            if (e->statuses[i] < 0) status = det_fail_memory(error, "the matches of a class");
    }
    det_free(e->statuses);
    return status;
}

/* ---- Means over classes ---- */

/* The mean of a number of each class, `offset` bytes into its figures, over those that have it. */
static double mean_at(const evaluation_data *data, size_t offset)
{
    double sum = 0;
    size_t count = 0;
    for (size_t c = 0; c < data->seen.class_count; c++) {
        double value;
        memcpy(&value, (const char *)&data->classes[c].figures + offset, sizeof value);
        if (isnan(value)) continue;
        sum += value;
        count++;
    }
    return count > 0 ? sum / (double)count : (double)NAN;
}

/* The same for number i of an array behind a pointer. */
static double mean_of(const evaluation_data *data, size_t offset, size_t i)
{
    double sum = 0;
    size_t count = 0;
    for (size_t c = 0; c < data->seen.class_count; c++) {
        const double *values;
        memcpy(&values, (const char *)&data->classes[c].figures + offset, sizeof values);
        if (isnan(values[i])) continue;
        sum += values[i];
        count++;
    }
    return count > 0 ? sum / (double)count : (double)NAN;
}

static void take_means(evaluation_data *data)
{
    det_evaluation *seen = &data->seen;
    det_eval_figures *mean = &seen->mean;
    for (size_t size = 0; size < DET_SIZE_COUNT; size++) {
        mean->ap_size[size] =
            mean_at(data, offsetof(det_eval_figures, ap_size) + size * sizeof(double));
        mean->ar_size[size] =
            mean_at(data, offsetof(det_eval_figures, ar_size) + size * sizeof(double));
    }
    mean->ap = mean->ap_size[DET_SIZE_ALL];
    mean->ar = mean->ar_size[DET_SIZE_ALL];
    for (size_t t = 0; t < seen->iou_count; t++) {
        ((double *)mean->ap_at)[t] = mean_of(data, offsetof(det_eval_figures, ap_at), t);
        ((double *)mean->recall_at)[t] = mean_of(data, offsetof(det_eval_figures, recall_at), t);
    }
    for (size_t m = 0; m < seen->max_detections_count; m++)
        ((double *)mean->ar_max)[m] = mean_of(data, offsetof(det_eval_figures, ar_max), m);
}

static void sum_counts(evaluation_data *data)
{
    det_evaluation *seen = &data->seen;
    for (size_t c = 0; c < seen->class_count; c++) {
        seen->measured_count += data->classes[c].objects > 0;
        seen->objects += data->classes[c].objects;
        seen->ignored += data->classes[c].ignored;
        seen->detections += data->classes[c].detections;
        seen->cut += data->classes[c].cut;
    }
    if (seen->metric != DET_METRIC_COCO || seen->corrected) return;
    for (size_t i = 0; i < seen->annotations->object_count; i++) {
        const det_annotated_object *o = &seen->annotations->objects[i];
        seen->never_found += o->id == 0;
        seen->replaced += seen->annotations->last_of_id && seen->annotations->last_of_id[i] != i;
        seen->ignore_unheeded += seen->annotations->format == DET_ANNOTATIONS_COCO && !o->crowd &&
                                 (o->ignore || o->difficult);
    }
}

det_status det_evaluate(const det_annotations *annotations, const det_results *results,
                        const det_eval_options *options, const det_run *run,
                        det_evaluation **evaluation, det_error *error)
{
    static const det_eval_options defaults = {0};
    if (!options) options = &defaults;
    det_eval_rules rules = {0};
    det_eval_index index = {0};
    det_status status = det_eval_rules_make(options, &rules, error);
    if (status < 0) return status;
    evaluation_data *data = create(annotations, results, &rules);
    if (!data) return det_fail_memory(error, "an evaluation");
    status = det_eval_index_make(annotations, results, options, &index, error);
    evaluator e = {
        .index = &index, .rules = &rules, .data = data, .keep_matches = options->keep_matches};
    if (status == DET_OK) status = evaluate_classes(&e, run, error);
    if (status == DET_OK) {
        data->seen.left_out_objects = index.left_out_objects;
        data->seen.left_out_detections = index.left_out_detections;
        sum_counts(data);
        take_means(data);
        *evaluation = &data->seen;
    } else {
        det_evaluation_free(&data->seen);
    }
    det_eval_index_free(&index);
    return status;
}

/* ---- Curves ---- */

void det_eval_curve_free(det_eval_curve *curve)
{
    if (!curve) return;
    det_free(curve->score);
    det_free(curve->recall);
    det_free(curve->precision);
    *curve = (det_eval_curve){0};
}

static void fill_curve(const det_evaluation *evaluation, const det_class_matches *matches,
                       size_t iou, det_eval_curve *curve)
{
    size_t right = 0;
    for (size_t i = 0; i < matches->count; i++) {
        const uint8_t outcome = matches->outcomes[iou * matches->count + i];
        if (outcome == DET_IGNORED) continue;
        const size_t at = curve->count++;
        right += outcome == DET_TRUE_POSITIVE;
        curve->score[at] = evaluation->results->objects[matches->detections[i]].score;
        curve->recall[at] = (double)right / (double)matches->positive_count;
        curve->precision[at] = (double)right / (double)curve->count;
    }
}

det_status det_evaluation_curve(const det_evaluation *evaluation, size_t category, size_t iou,
                                det_eval_curve *curve, det_error *error)
{
    if (category >= evaluation->class_count)
        return det_fail(error, DET_ARGUMENT, "class %zu of %zu", category, evaluation->class_count);
    const det_status status = det_evaluation_check_kept(evaluation, iou, error);
    if (status < 0) return status;
    const det_class_matches *matches = &evaluation->classes[category].matches;
    det_eval_curve made = {.score = det_alloc_array(matches->count, sizeof(double)),
                           .recall = det_alloc_array(matches->count, sizeof(double)),
                           .precision = det_alloc_array(matches->count, sizeof(double))};
    if (!made.score || !made.recall || !made.precision) {
        det_eval_curve_free(&made);
        return det_fail_memory(error, "a curve");
    }
    fill_curve(evaluation, matches, iou, &made);
    *curve = made;
    return DET_OK;
}
