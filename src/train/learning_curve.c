/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/learning_curve.h"

#include "src/base/memory.h"
#include "src/train/folds.h"

#include <math.h>
#include <string.h>

enum { QUARTERS = 4 };

/* ---- Pictures ------------------------------------------------------------------------------- */

/* A fold by itself. */
typedef struct {
    det_annotated_image *images; /* count */
    size_t *places, count;       /* where they are in the whole */
    int *quarters;
} fold_pictures;

static void list_fold(const det_annotations *a, const int *folds, int fold, fold_pictures *f)
{
    f->count = 0;
    for (size_t i = 0; i < a->image_count; i++) {
        if (folds[i] != fold) continue;
        f->images[f->count] = a->images[i];
        f->places[f->count++] = i;
    }
}

/* The third and the fourth quarter come with the last point. */
static det_status deal_fold(const det_annotations *a, fold_pictures *f, uint64_t seed, int *points,
                            det_error *error)
{
    det_annotations alone = *a;
    alone.images = f->images;
    alone.image_count = f->count;
    const det_status status = det_split_folds(&alone, QUARTERS, seed, f->quarters, error);
    for (size_t i = 0; status == DET_OK && i < f->count; i++)
        points[f->places[i]] =
            f->quarters[i] < DET_CURVE_POINTS ? f->quarters[i] : DET_CURVE_POINTS - 1;
    return status;
}

det_status det_deal_curve(const det_annotations *annotations, const int *folds, int fold_count,
                          uint64_t seed, int *points, det_error *error)
{
    const size_t count = annotations->image_count;
    fold_pictures f = {.images = det_alloc_array(count, sizeof *f.images),
                       .places = det_alloc_array(count, sizeof *f.places),
                       .quarters = det_alloc_array(count, sizeof *f.quarters)};
    det_status status = f.images && f.places && f.quarters
                            ? DET_OK
                            : det_fail_memory(error, "the parts of a learning curve");
    for (int fold = 0; status == DET_OK && fold < fold_count; fold++) {
        list_fold(annotations, folds, fold, &f);
        status = deal_fold(annotations, &f, seed + 1 + (uint64_t)fold, points, error);
    }
    det_free(f.images);
    det_free(f.places);
    det_free(f.quarters);
    return status;
}

/* ---- Examples ------------------------------------------------------------------------------- */

void det_example_part_free(det_example_part *part)
{
    det_free(part->rows);
    det_free(part->weights);
    *part = (det_example_part){0};
}

det_status det_take_part(const det_fit_examples *all, const int *points, int point,
                         det_example_part *part, det_error *error)
{
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++) count += points[all->rows[i].image] <= point;
    part->rows = det_alloc_array(count, sizeof *part->rows);
    part->weights = det_alloc_array(all->head_count, count * sizeof *part->weights);
    if (!part->rows || !part->weights) return det_fail_memory(error, "a part of the examples");
    size_t at = 0;
    for (size_t i = 0; i < all->count; i++) {
        if (points[all->rows[i].image] > point) continue;
        for (size_t h = 0; h < all->head_count; h++)
            part->weights[h * count + at] = all->weights[h * all->count + i];
        part->rows[at++] = all->rows[i];
    }
    part->examples =
        (det_fit_examples){all->set, part->rows, count, part->weights, all->head_count, NULL};
    return DET_OK;
}

/* ---- The curve ------------------------------------------------------------------------------ */

void det_curve_samples_free(det_curve_samples *samples)
{
    for (int i = 0; i < DET_CURVE_POINTS; i++) det_free(samples->values[i]);
    *samples = (det_curve_samples){0};
}

det_status det_curve_add(det_curve_samples *samples, const det_measuring *measuring, double images,
                         det_error *error)
{
    static const double half = .5;
    const size_t mean = measuring->set->annotations->category_count, at = samples->count;
    det_measured_ap ap = {0};
    det_status status = det_measure_ap(measuring, &half, &ap, error);
    if (status == DET_OK) {
        samples->values[at] = det_alloc_array(measuring->samples, sizeof *samples->values[at]);
        if (!samples->values[at]) status = det_fail_memory(error, "a learning curve");
    }
    if (status == DET_OK) {
        memcpy(samples->values[at], det_resamples_of(&ap.resamples, mean),
               measuring->samples * sizeof *samples->values[at]);
        samples->ap50[at] = ap.values[mean];
        samples->images[at] = images;
        samples->samples = measuring->samples;
        samples->count++;
    }
    det_measured_ap_free(&ap);
    return status;
}

/* The b of AP50 = a + b log(pictures), by least squares. */
static double fit_slope(const double *images, const double *ap50, size_t count)
{
    double mean_x = 0, mean_y = 0, products = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        mean_x += log(images[i]) / (double)count;
        mean_y += ap50[i] / (double)count;
    }
    for (size_t i = 0; i < count; i++) {
        const double x = log(images[i]) - mean_x;
        products += x * (ap50[i] - mean_y);
        squares += x * x;
    }
    return products / squares;
}

/* @param distance from all of the pictures to those and more, in logarithms. */
static double find_gain(const det_curve_samples *s, const double *ap50, double distance)
{
    const double gain = fit_slope(s->images, ap50, s->count) * distance;
    return fmin(gain, 1 - ap50[s->count - 1]);
}

det_status det_curve_gain(const det_curve_samples *samples, size_t images, size_t more,
                          det_interval *gain, det_error *error)
{
    *gain = (det_interval){.value = (double)NAN, .low = (double)NAN, .high = (double)NAN};
    if (samples->count < 2) return DET_OK;
    const double distance = log1p((double)more / (double)images);
    double *gains = det_alloc_array(samples->samples, sizeof *gains);
    if (!gains) return det_fail_memory(error, "a learning curve");
    for (size_t i = 0; i < samples->samples; i++) {
        double ap50[DET_CURVE_POINTS];
        for (size_t p = 0; p < samples->count; p++) ap50[p] = samples->values[p][i];
        gains[i] = isnan(ap50[0]) ? (double)NAN : find_gain(samples, ap50, distance);
    }
    *gain = det_interval_make(find_gain(samples, samples->ap50, distance), gains, samples->samples);
    det_free(gains);
    return DET_OK;
}
