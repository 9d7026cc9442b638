/* SPDX-License-Identifier: Apache-2.0 */
/* How far mAP would move with other pictures: the percentile bootstrap (Efron and Tibshirani 1993,
 * section 13.3). A sample of pictures is a number of times for each picture; detections were
 * matched picture by picture, so that only the curves are made anew. */
#include "eval/curve.h"
#include "eval/picture_set.h"
#include "src/base/error.h"
#include "src/base/memory.h"
#include "src/base/parallel.h"
#include "src/base/random.h"
#include "src/base/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Buffers of one thread. */
typedef struct room {
    uint32_t *weights; /* of each picture: how often it was drawn */
    double *recall, *precision;
} room;

typedef struct bootstrap {
    const det_evaluation *evaluations[2]; /* the second may be NULL */
    uint32_t **images[2];                 /* of each class: the picture of each detection */
    det_eval_rules rules;
    uint64_t seed;
    size_t first; /* sample of the batch at hand */
    double *values;
    room *rooms; /* threads of them */
    int threads;
} bootstrap;

/* ---- A sample ---- */

static void draw(const bootstrap *b, size_t sample, uint32_t *weights)
{
    const size_t images = b->evaluations[0]->annotations->image_count;
    det_random random = det_random_create(b->seed, sample);
    memset(weights, 0, images * sizeof *weights);
    for (size_t i = 0; i < images; i++) weights[det_random_below(&random, (uint32_t)images)]++;
}

static double count_positives(const det_evaluation *evaluation, const det_class_matches *matches,
                              const uint32_t *weights)
{
    uint64_t positives = 0;
    for (size_t i = 0; i < matches->positive_count; i++)
        positives += weights[evaluation->annotations->objects[matches->positives[i]].image];
    return (double)positives;
}

/* AP of a class, mean over the thresholds. */
static double average(const bootstrap *b, const det_class_matches *matches, const uint32_t *images,
                      double positives, room *r)
{
    const det_curve_weights weights = {images, r->weights};
    double sum = 0;
    for (size_t t = 0; t < b->rules.iou_count; t++) {
        const size_t points =
            det_curve_points(matches->outcomes + t * matches->count, matches->count, &weights,
                             positives, b->rules.epsilon, r->recall, r->precision);
        sum += b->rules.average(r->recall, r->precision, points);
    }
    return sum / (double)b->rules.iou_count;
}

static double mean_ap(const bootstrap *b, int which, room *r)
{
    const det_evaluation *evaluation = b->evaluations[which];
    double sum = 0;
    size_t classes = 0;
    for (size_t c = 0; c < evaluation->class_count; c++) {
        const det_class_matches *matches = &evaluation->classes[c].matches;
        const double positives = count_positives(evaluation, matches, r->weights);
        if (positives == 0) continue;
        sum += average(b, matches, b->images[which][c], positives, r);
        classes++;
    }
    return classes > 0 ? sum / (double)classes : (double)NAN;
}

static void run_sample(void *context, size_t at, int worker)
{
    const bootstrap *b = context;
    room *r = &b->rooms[worker];
    draw(b, b->first + at, r->weights);
    double value = mean_ap(b, 0, r);
    if (b->evaluations[1]) value -= mean_ap(b, 1, r);
    b->values[b->first + at] = value;
}

/* ---- Room ---- */

static void release(bootstrap *b)
{
    for (int which = 0; which < 2; which++) {
        for (size_t c = 0; b->images[which] && c < b->evaluations[which]->class_count; c++)
            det_free(b->images[which][c]);
        det_free(b->images[which]);
    }
    for (int i = 0; b->rooms && i < b->threads; i++) {
        det_free(b->rooms[i].weights);
        det_free(b->rooms[i].recall);
        det_free(b->rooms[i].precision);
    }
    det_free(b->rooms);
    det_free(b->values);
}

static bool find_images(bootstrap *b, int which, size_t *most)
{
    const det_evaluation *evaluation = b->evaluations[which];
    b->images[which] = det_alloc_zeroed(evaluation->class_count, sizeof *b->images[which]);
    if (!b->images[which]) return false;
    for (size_t c = 0; c < evaluation->class_count; c++) {
        const det_class_matches *matches = &evaluation->classes[c].matches;
        uint32_t *images = det_alloc_array(matches->count, sizeof *images);
        if (!images) return false;
        for (size_t i = 0; i < matches->count; i++)
            images[i] = evaluation->results->objects[matches->detections[i]].image;
        b->images[which][c] = images;
        if (matches->count > *most) *most = matches->count;
    }
    return true;
}

static bool allocate(bootstrap *b, size_t samples)
{
    size_t most = 0;
    if (!find_images(b, 0, &most) || (b->evaluations[1] && !find_images(b, 1, &most))) return false;
    b->values = det_alloc_array(samples, sizeof *b->values);
    b->rooms = det_alloc_zeroed((size_t)b->threads, sizeof *b->rooms);
    if (!b->values || !b->rooms) return false;
    for (int i = 0; i < b->threads; i++) {
        room *r = &b->rooms[i];
        r->weights =
            det_alloc_array(b->evaluations[0]->annotations->image_count, sizeof *r->weights);
        r->recall = det_alloc_array(most, sizeof *r->recall);
        r->precision = det_alloc_array(most, sizeof *r->precision);
        if (!r->weights || !r->recall || !r->precision) return false;
    }
    return true;
}

/* ---- The interval ---- */

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Between the order statistics that are nearest, linearly. */
static double quantile(const double *sorted, size_t count, double share)
{
    const double at = share * (double)(count - 1);
    const size_t below = (size_t)at;
    const size_t above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (at - (double)below) * (sorted[above] - sorted[below]);
}

static void summarize(double *values, size_t samples, det_interval *interval)
{
    size_t count = 0, above = 0;
    for (size_t i = 0; i < samples; i++) {
        if (isnan(values[i])) continue;
        above += values[i] > 0;
        values[count++] = values[i];
    }
    interval->samples = count;
    interval->low = interval->high = interval->above_zero = (double)NAN;
    if (count == 0) return;
    qsort(values, count, sizeof *values, compare);
    interval->low = quantile(values, count, .025);
    interval->high = quantile(values, count, .975);
    interval->above_zero = (double)above / (double)count;
}

/* ---- Checks ---- */

static bool alike(const det_evaluation *a, const det_evaluation *b)
{
    return a->annotations == b->annotations && a->metric == b->metric &&
           a->corrected == b->corrected && a->iou_count == b->iou_count &&
           memcmp(a->ious, b->ious, a->iou_count * sizeof *a->ious) == 0 &&
           a->max_detections_count == b->max_detections_count &&
           (a->max_detections_count == 0 ||
            memcmp(a->max_detections, b->max_detections,
                   a->max_detections_count * sizeof *a->max_detections) == 0);
}

static det_status check(const det_evaluation *evaluation, const det_evaluation *other,
                        size_t samples, det_error *error)
{
    if (samples == 0) return det_fail(error, DET_ARGUMENT, "an interval of no samples");
    det_status status = det_evaluation_check_kept(evaluation, 0, error);
    if (status == DET_OK && other) status = det_evaluation_check_kept(other, 0, error);
    if (status < 0) return status;
    if (other && !alike(evaluation, other))
        return det_fail(error, DET_ARGUMENT,
                        "two evaluations of other annotations or other options cannot be paired");
    return DET_OK;
}

static det_status run_samples(bootstrap *b, size_t samples, const det_run *run, det_error *error)
{
    const size_t batch = 8 * (size_t)b->threads;
    det_status status = DET_OK;
    for (b->first = 0; b->first < samples; b->first += batch) {
        status = det_run_check(run, b->first, samples, error);
        if (status < 0) return status;
        const size_t left = samples - b->first;
        det_parallel_for(left < batch ? left : batch, b->threads, run_sample, b);
    }
    return status;
}

det_status det_evaluation_bootstrap(const det_evaluation *evaluation, const det_evaluation *other,
                                    size_t samples, uint64_t seed, const det_run *run,
                                    det_interval *interval, det_error *error)
{
    bootstrap b = {.evaluations = {evaluation, other},
                   .seed = seed,
                   .threads = det_resolve_threads(run ? run->threads : 0)};
    det_status status = check(evaluation, other, samples, error);
    if (status == DET_OK)
        status =
            det_eval_rules_make(&(det_eval_options){.metric = evaluation->metric}, &b.rules, error);
    if (status < 0) return status;
    b.rules.iou_count = evaluation->iou_count;
    if (allocate(&b, samples))
        status = run_samples(&b, samples, run, error);
    else
        status = det_fail_memory(error, "an interval");
    if (status == DET_OK) {
        interval->value = evaluation->mean.ap - (other ? other->mean.ap : 0);
        summarize(b.values, samples, interval);
    }
    release(&b);
    return status;
}
