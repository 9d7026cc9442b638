/* SPDX-License-Identifier: Apache-2.0 */
/* Whole pictures through an ensemble: p(class) = 1 / (crops * models) * the sum of what each model
 * gives for each crop (GoogLeNet paper, section 7). */
#include "detect/classify.h"

#include "src/base/memory.h"
#include "src/base/parallel.h"
#include "src/base/run.h"
#include "src/detector/ensemble.h"
#include "src/detector/picture_crops.h"

#include <stdlib.h>
#include <string.h>

static const char memory_advice[] = "classifier.batch or runtime.threads";

struct det_classifier {
    det_ensemble ensemble;
    det_picture_crops crops;
    double timeout_s;
    uint64_t memory_mb;
};

/* ---- The crops of a picture ----------------------------------------------------------------- */

/* One picture being classified. Only the first of neighbouring networks of one input size has a
 * plan with resized pictures; the others share its crops. Of crops that are equal one is run. */
typedef struct {
    det_multi_crop *plans;             /* one a network */
    size_t runs[DET_MULTI_CROP_MAX];   /* run_count of them: the crop that is run */
    size_t run_of[DET_MULTI_CROP_MAX]; /* for each crop: which of these stands for it */
    size_t run_count;
    double resize_ms;
} picture;

static bool shares_crops(const det_ensemble *ensemble, size_t which)
{
    if (which == 0) return false;
    const det_crop_options *a = &ensemble->crops[which - 1], *b = &ensemble->crops[which];
    return a->width == b->width && a->height == b->height;
}

static void free_picture(const det_classifier *classifier, picture *p)
{
    for (size_t i = 0; p->plans && i < classifier->ensemble.count; i++)
        det_multi_crop_free(&p->plans[i]);
    det_free(p->plans);
    p->plans = NULL;
}

/* Whether two crops show the same to every network. */
static bool are_equal(const det_ensemble *ensemble, const picture *p, size_t a, size_t b)
{
    for (size_t i = 0; i < ensemble->count; i++)
        if (!shares_crops(ensemble, i) && !det_multi_crop_equal(&p->plans[i], a, b)) return false;
    return true;
}

static void choose_runs(const det_ensemble *ensemble, picture *p)
{
    for (size_t crop = 0; crop < p->plans[0].count; crop++) {
        size_t run = 0;
        while (run < p->run_count && !are_equal(ensemble, p, p->runs[run], crop)) run++;
        if (run == p->run_count) p->runs[p->run_count++] = crop;
        p->run_of[crop] = run;
    }
}

/* @param together pictures of the call: as many are resized, and one a thread is read. */
static det_status plan_picture(const det_classifier *classifier, picture *p, const det_image *image,
                               size_t together, det_error *error)
{
    const det_ensemble *ensemble = &classifier->ensemble;
    const size_t threads = (size_t)ensemble->threads;
    size_t bytes =
        image->stride * (size_t)image->height * (together < threads ? together : threads);
    p->plans = det_alloc_zeroed(ensemble->count, sizeof *p->plans);
    if (!p->plans) return det_fail_memory(error, "the crops of a picture");
    for (size_t i = 0; i < ensemble->count; i++) {
        if (shares_crops(ensemble, i)) continue;
        const det_status status =
            det_picture_crops_plan(&classifier->crops, &ensemble->crops[i], image->width,
                                   image->height, &p->plans[i], error);
        if (status < 0) return status;
        bytes += together * det_multi_crop_memory(&p->plans[i]);
    }
    choose_runs(ensemble, p);
    bytes += together * p->run_count * det_ensemble_values(ensemble) * sizeof(float);
    return det_ensemble_check_memory(ensemble, classifier->memory_mb, bytes,
                                     together > 1 ? "the networks and pictures like this one"
                                                  : "the networks and this picture",
                                     memory_advice, error);
}

/* Everything about a picture that its crops need; the image is no longer needed then. */
static det_status prepare_picture(const det_classifier *classifier, picture *p,
                                  const det_image *image, size_t together, det_result *result,
                                  det_error *error)
{
    const double start_s = det_now_s();
    det_status status = det_check_picture(image, error);
    if (status < 0) return status;
    result->width = image->width;
    result->height = image->height;
    status = plan_picture(classifier, p, image, together, error);
    for (size_t i = 0; status == DET_OK && i < classifier->ensemble.count; i++)
        status = det_multi_crop_resize(&p->plans[i], image, classifier->ensemble.threads, error);
    p->resize_ms = (det_now_s() - start_s) * 1e3;
    return status;
}

/* ---- Creation ------------------------------------------------------------------------------- */

static det_status create(det_classifier *made, const det_config *config, det_error *error)
{
    const size_t crops = (size_t)made->crops.options.crops;
    const det_ensemble_options options = {.whole_pictures = true,
                                          .batch_max = crops * made->crops.options.pictures};
    det_status status = det_ensemble_create(config, &options, &made->ensemble, error);
    if (status == DET_OK)
        status = det_ensemble_check_memory(&made->ensemble, made->memory_mb, 0, "the networks",
                                           memory_advice, error);
    for (size_t i = 0; status == DET_OK && i < made->ensemble.count; i++) {
        det_multi_crop plan;
        const det_crop_options *crop = &made->ensemble.crops[i];
        status =
            det_picture_crops_plan(&made->crops, crop, crop->width, crop->height, &plan, error);
    }
    return status;
}

det_status det_classifier_create(const det_config *config, const det_classify_options *options,
                                 det_classifier **classifier, det_error *error)
{
    det_classifier *made = det_alloc_zeroed(1, sizeof *made);
    if (!made) return det_fail_memory(error, "a classifier");
    made->crops = det_picture_crops_of(config, options);
    made->timeout_s = config->limits.timeout_s;
    made->memory_mb = config->limits.memory_mb;

    const det_status status = create(made, config, error);
    if (status < 0)
        det_classifier_free(made);
    else
        *classifier = made;
    return status;
}

void det_classifier_free(det_classifier *classifier)
{
    if (!classifier) return;
    det_ensemble_free(&classifier->ensemble);
    det_free(classifier);
}

const det_model *det_classifier_model(const det_classifier *classifier)
{
    return classifier->ensemble.models[0];
}

size_t det_classifier_network_count(const det_classifier *classifier)
{
    return classifier->ensemble.count;
}

const det_network *det_classifier_network(const det_classifier *classifier, size_t index)
{
    return classifier->ensemble.networks[index];
}

/* ---- Crops in batches ----------------------------------------------------------------------- */

/* A crop that is run. */
typedef struct {
    picture *picture;
    size_t crop;
} place;

/* The pictures of one call. */
typedef struct {
    const det_classifier *classifier;
    picture *pictures; /* count of them; without plans: it failed */
    size_t count;
    place *places; /* place_count crops, picture by picture */
    size_t place_count;
    float *rows;  /* what the ensemble gives for each of them: det_ensemble_values elements */
    size_t first; /* place of the batch */
    double crops_ms, network_ms;
} group;

static det_status create_group(const det_classifier *classifier, size_t count, group *g,
                               det_error *error)
{
    *g = (group){.classifier = classifier, .count = count};
    g->pictures = det_alloc_zeroed(count, sizeof *g->pictures);
    return g->pictures ? DET_OK : det_fail_memory(error, "the pictures of a call");
}

static void free_group(group *g)
{
    for (size_t i = 0; g->pictures && i < g->count; i++)
        free_picture(g->classifier, &g->pictures[i]);
    det_free(g->pictures);
    det_free(g->places);
    det_free(g->rows);
}

static det_status list_places(group *g, det_error *error)
{
    size_t total = 0;
    for (size_t i = 0; i < g->count; i++) total += g->pictures[i].run_count;
    g->places = det_alloc_array(total, sizeof *g->places);
    g->rows = det_alloc_array(total, det_ensemble_values(&g->classifier->ensemble) * sizeof(float));
    if (!g->places || !g->rows) return det_fail_memory(error, "the crops of pictures");
    for (size_t i = 0; i < g->count; i++)
        for (size_t j = 0; j < g->pictures[i].run_count; j++)
            g->places[g->place_count++] = (place){&g->pictures[i], g->pictures[i].runs[j]};
    return DET_OK;
}

static det_status make_crop(const void *context, size_t which, size_t index, uint8_t *pixels)
{
    const group *g = context;
    const place *p = &g->places[g->first + index];
    return det_multi_crop_cut(&p->picture->plans[which], p->crop, pixels);
}

static det_status run_batches(group *g, det_ensemble_run *ensemble, const det_run *run,
                              det_error *error)
{
    const size_t total = g->place_count, batch = ensemble->ensemble->batch;
    const size_t values = det_ensemble_values(ensemble->ensemble);
    for (g->first = 0; g->first < total; g->first += batch) {
        const size_t some = total - g->first < batch ? total - g->first : batch;
        const float *rows = NULL;
        det_status status = det_run_check(run, g->first, total, error);
        if (status == DET_OK)
            status = det_ensemble_average(ensemble, make_crop, g, some, &rows, error);
        if (status < 0) return status;
        memcpy(g->rows + g->first * values, rows, some * values * sizeof *rows);
    }
    return det_run_check(run, total, total, error);
}

static det_status run_group(group *g, const det_run *run, det_error *error)
{
    det_ensemble_run ensemble = {0};
    det_status status = list_places(g, error);
    if (status == DET_OK)
        status = det_ensemble_run_create(&g->classifier->ensemble, &ensemble, error);
    if (status == DET_OK) status = run_batches(g, &ensemble, run, error);
    g->crops_ms = ensemble.crops_ms;
    g->network_ms = ensemble.network_ms;
    det_ensemble_run_free(&ensemble);
    return status;
}

/* ---- Labels --------------------------------------------------------------------------------- */

/* Adds the rows of every crop of a picture, in their order, to `sums`. rows: those of its runs. */
static void sum_crops(const picture *p, const float *rows, size_t values, double *sums)
{
    for (size_t crop = 0; crop < p->plans[0].count; crop++) {
        const float *row = rows + p->run_of[crop] * values;
        for (size_t j = 0; j < values; j++) sums[j] += (double)row[j];
    }
}

static int by_score_then_class(const void *a, const void *b)
{
    const det_label *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return (x->class_id > y->class_id) - (x->class_id < y->class_id);
}

/* The classes of the model, best first, `top` of them (0: all). */
static det_status make_labels(const det_model *model, const double *sums, size_t crops, size_t top,
                              det_result *result, det_error *error)
{
    const size_t count = model->class_count;
    det_label *labels = det_alloc_array(count, sizeof *labels);
    if (!labels) return det_fail_memory(error, "the labels of a picture");
    for (size_t i = 0; i < count; i++)
        labels[i] = (det_label){model->classes[i].name, (int64_t)i,
                                (float)(sums[det_class_column(model, i)] / (double)crops)};
    if (count > 0) qsort(labels, count, sizeof *labels, by_score_then_class);
    result->labels = labels;
    result->label_count = top > 0 && top < count ? top : count;
    return DET_OK;
}

static det_status label_picture(const group *g, const picture *p, const float *rows, size_t top,
                                det_result *result, det_error *error)
{
    const size_t values = det_ensemble_values(&g->classifier->ensemble);
    double *sums = det_alloc_zeroed(values, sizeof *sums);
    if (!sums) return det_fail_memory(error, "the labels of a picture");
    sum_crops(p, rows, values, sums);
    const det_status status = make_labels(det_classifier_model(g->classifier), sums,
                                          p->plans[0].count, top, result, error);
    det_free(sums);
    return status;
}

static void set_timings(const group *g, const picture *p, det_result *result)
{
    const double share = (double)p->run_count / (double)g->place_count;
    det_timings *t = &result->timings;
    t->crops_ms = p->resize_ms + share * g->crops_ms;
    t->network_ms = share * g->network_ms;
    t->total_ms = t->crops_ms + t->network_ms;
}

static det_status label_group(const group *g, size_t top, det_result *results, det_error *error)
{
    const size_t values = det_ensemble_values(&g->classifier->ensemble);
    const float *rows = g->rows;
    for (size_t i = 0; i < g->count; i++) {
        const picture *p = &g->pictures[i];
        if (!p->plans) continue;
        const det_status status = label_picture(g, p, rows, top, &results[i], error);
        if (status < 0) return status;
        set_timings(g, p, &results[i]);
        rows += p->run_count * values;
    }
    return DET_OK;
}

/* ---- One picture, or several ---------------------------------------------------------------- */

static det_result empty_result(const det_result *result)
{
    return (det_result){.file = result->file};
}

det_status det_classifier_classify(const det_classifier *classifier, const det_image *image,
                                   size_t top, const det_run *run, det_result *result,
                                   det_error *error)
{
    const double begin_s = det_now_s();
    const det_run ours = det_run_within(run, classifier->ensemble.threads, classifier->timeout_s);
    *result = empty_result(result);
    group g;
    det_status status = create_group(classifier, 1, &g, error);
    if (status == DET_OK) status = prepare_picture(classifier, g.pictures, image, 1, result, error);
    if (status == DET_OK) status = run_group(&g, &ours, error);
    if (status == DET_OK) status = label_group(&g, top, result, error);
    free_group(&g);
    result->timings.total_ms = (det_now_s() - begin_s) * 1e3;
    return status;
}

/* The pictures of a call that are to be read; each index of the parallel loop is one. */
typedef struct {
    const det_picture_source *source;
    group *group;
    det_result *results;
} reading;

static void read_picture(void *context, size_t index, int worker)
{
    (void)worker;
    reading *r = context;
    det_image image = {0};
    det_result *result = &r->results[index];
    picture *p = &r->group->pictures[index];
    det_status status = r->source->read(r->source->context, index, &image, &result->error);
    if (status == DET_OK)
        status = prepare_picture(r->group->classifier, p, &image, r->group->count, result,
                                 &result->error);
    if (status < 0) {
        free_picture(r->group->classifier, p);
        p->run_count = 0;
    }
    det_image_free(&image);
}

static bool has_pictures(const group *g)
{
    for (size_t i = 0; i < g->count; i++)
        if (g->pictures[i].plans) return true;
    return false;
}

det_status det_classifier_classify_many(const det_classifier *classifier,
                                        const det_picture_source *source, size_t count, size_t top,
                                        const det_run *run, det_result *results, det_error *error)
{
    const det_run ours = det_run_within(run, classifier->ensemble.threads, classifier->timeout_s);
    const size_t most = classifier->crops.options.pictures;
    if (count < 1 || count > most)
        return det_fail(error, DET_ARGUMENT, "%zu pictures in a call that takes 1 to %zu", count,
                        most);
    for (size_t i = 0; i < count; i++) results[i] = empty_result(&results[i]);
    group g;
    det_status status = create_group(classifier, count, &g, error);
    if (status == DET_OK) status = det_run_check(&ours, 0, 0, error);
    if (status == DET_OK) {
        reading r = {source, &g, results};
        det_parallel_for(count, ours.threads, read_picture, &r);
    }
    if (status == DET_OK && has_pictures(&g)) {
        status = run_group(&g, &ours, error);
        if (status == DET_OK) status = label_group(&g, top, results, error);
    }
    for (size_t i = 0; status < 0 && i < count; i++) det_result_free(&results[i]);
    free_group(&g);
    return status;
}
