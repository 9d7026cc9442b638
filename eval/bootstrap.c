/* SPDX-License-Identifier: Apache-2.0 */
/* How far mAP would move with other pictures: the percentile bootstrap (Efron and Tibshirani 1993,
 * section 13.3). A sample of pictures is a number of times for each picture; detections were
 * matched picture by picture, so that only the curves are made anew. */
#include "eval/bootstrap.h"

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
    det_resamples values;
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

/* The AP of each class and of their mean is added, `sign` times, to what the sample has. */
static void add_ap(const bootstrap *b, int which, size_t sample, double sign, room *r)
{
    const det_evaluation *evaluation = b->evaluations[which];
    double sum = 0;
    size_t classes = 0;
    for (size_t c = 0; c < evaluation->class_count; c++) {
        const det_class_matches *matches = &evaluation->classes[c].matches;
        const double positives = count_positives(evaluation, matches, r->weights);
        const double ap =
            positives > 0 ? average(b, matches, b->images[which][c], positives, r) : (double)NAN;
        det_resamples_of(&b->values, c)[sample] += sign * ap;
        if (isnan(ap)) continue;
        sum += ap;
        classes++;
    }
    det_resamples_of(&b->values, b->values.class_count)[sample] +=
        classes > 0 ? sign * sum / (double)classes : (double)NAN;
}

static void run_sample(void *context, size_t at, int worker)
{
    const bootstrap *b = context;
    room *r = &b->rooms[worker];
    draw(b, b->first + at, r->weights);
    add_ap(b, 0, b->first + at, 1, r);
    if (b->evaluations[1]) add_ap(b, 1, b->first + at, -1, r);
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

static bool allocate(bootstrap *b)
{
    size_t most = 0, values;
    if (!det_multiply_size(b->values.class_count + 1, b->values.samples, &values)) return false;
    b->values.values = det_alloc_zeroed(values, sizeof *b->values.values);
    if (!find_images(b, 0, &most) || (b->evaluations[1] && !find_images(b, 1, &most))) return false;
    b->rooms = det_alloc_zeroed((size_t)b->threads, sizeof *b->rooms);
    if (!b->values.values || !b->rooms) return false;
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

det_interval det_interval_make(double value, double *values, size_t samples)
{
    det_interval interval = {
        .value = value, .low = (double)NAN, .high = (double)NAN, .above_zero = (double)NAN};
    size_t above = 0;
    for (size_t i = 0; i < samples; i++) {
        if (isnan(values[i])) continue;
        above += values[i] > 0;
        values[interval.samples++] = values[i];
    }
    if (interval.samples == 0) return interval;
    qsort(values, interval.samples, sizeof *values, compare);
    interval.low = quantile(values, interval.samples, .025);
    interval.high = quantile(values, interval.samples, .975);
    interval.above_zero = (double)above / (double)interval.samples;
    return interval;
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

static det_status run_samples(bootstrap *b, const det_run *run, det_error *error)
{
    const size_t samples = b->values.samples, batch = 8 * (size_t)b->threads;
    det_status status = DET_OK;
    for (b->first = 0; b->first < samples; b->first += batch) {
        status = det_run_check(run, b->first, samples, error);
        if (status < 0) return status;
        const size_t left = samples - b->first;
        det_parallel_for(left < batch ? left : batch, b->threads, run_sample, b);
    }
    return status;
}

det_status det_evaluation_resample(const det_evaluation *evaluation, const det_evaluation *other,
                                   size_t samples, uint64_t seed, const det_run *run,
                                   det_resamples *resamples, det_error *error)
{
    bootstrap b = {.evaluations = {evaluation, other},
                   .seed = seed,
                   .values = {.samples = samples, .class_count = evaluation->class_count},
                   .threads = det_resolve_threads(run ? run->threads : 0)};
    det_status status = check(evaluation, other, samples, error);
    if (status == DET_OK)
        status =
            det_eval_rules_make(&(det_eval_options){.metric = evaluation->metric}, &b.rules, error);
    if (status < 0) return status;
    b.rules.iou_count = evaluation->iou_count;
    status = allocate(&b) ? run_samples(&b, run, error) : det_fail_memory(error, "an interval");
    release(&b);
    if (status == DET_OK)
        *resamples = b.values;
    else
        det_free(b.values.values);
    return status;
}

/* ---- What is asked for ---- */

static double value_of(const det_evaluation *evaluation, size_t category)
{
    return category < evaluation->class_count ? evaluation->classes[category].figures.ap
                                              : evaluation->mean.ap;
}

static det_interval interval_of(const det_evaluation *evaluation, const det_evaluation *other,
                                const det_resamples *resamples, size_t category)
{
    const double value = value_of(evaluation, category) - (other ? value_of(other, category) : 0);
    return det_interval_make(value, det_resamples_of(resamples, category), resamples->samples);
}

det_status det_evaluation_bootstrap(const det_evaluation *evaluation, const det_evaluation *other,
                                    size_t samples, uint64_t seed, const det_run *run,
                                    det_interval *interval, det_error *error)
{
    det_resamples resamples = {0};
    const det_status status =
        det_evaluation_resample(evaluation, other, samples, seed, run, &resamples, error);
    if (status == DET_OK)
        *interval = interval_of(evaluation, other, &resamples, evaluation->class_count);
    det_free(resamples.values);
    return status;
}

det_status det_evaluation_bootstrap_classes(const det_evaluation *evaluation,
                                            const det_evaluation *other, size_t samples,
                                            uint64_t seed, const det_run *run,
                                            det_interval *intervals, det_error *error)
{
    det_resamples resamples = {0};
    const det_status status =
        det_evaluation_resample(evaluation, other, samples, seed, run, &resamples, error);
    for (size_t c = 0; status == DET_OK && c < evaluation->class_count; c++)
        intervals[c] = interval_of(evaluation, other, &resamples, c);
    det_free(resamples.values);
    return status;
}
