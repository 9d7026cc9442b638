/* SPDX-License-Identifier: Apache-2.0 */
/* Whole pictures through an ensemble: p(class) = 1 / (crops * models) * the sum of what each model
 * gives for each crop (GoogLeNet paper, section 7). */
#include "detect/classify.h"

#include "src/base/memory.h"
#include "src/base/run.h"
#include "src/detector/ensemble.h"
#include "src/detector/picture_crops.h"

#include <stdlib.h>

struct det_classifier {
    det_ensemble ensemble;
    det_picture_crops crops;
    double timeout_s;
    uint64_t memory_mb;
};

/* ---- The crops of a picture ----------------------------------------------------------------- */

/* One picture being classified. Only the first of neighbouring networks of one input size has a
 * plan with resized pictures; the others share its crops. */
typedef struct {
    const det_classifier *classifier;
    det_multi_crop *plans; /* one a network */
    size_t first;          /* crop of the batch */
} picture;

static bool shares_crops(const det_ensemble *ensemble, size_t which)
{
    if (which == 0) return false;
    const det_crop_options *a = &ensemble->crops[which - 1], *b = &ensemble->crops[which];
    return a->width == b->width && a->height == b->height;
}

static void free_picture(picture *p)
{
    if (!p->plans) return;
    for (size_t i = 0; i < p->classifier->ensemble.count; i++) det_multi_crop_free(&p->plans[i]);
    det_free(p->plans);
}

static det_status plan_picture(picture *p, const det_image *image, det_error *error)
{
    const det_classifier *classifier = p->classifier;
    const det_ensemble *ensemble = &classifier->ensemble;
    size_t bytes = image->stride * (size_t)image->height;
    p->plans = det_alloc_zeroed(ensemble->count, sizeof *p->plans);
    if (!p->plans) return det_fail_memory(error, "the crops of a picture");
    for (size_t i = 0; i < ensemble->count; i++) {
        if (shares_crops(ensemble, i)) continue;
        const det_status status =
            det_picture_crops_plan(&classifier->crops, &ensemble->crops[i], image->width,
                                   image->height, &p->plans[i], error);
        if (status < 0) return status;
        bytes += det_multi_crop_memory(&p->plans[i]);
    }
    return det_ensemble_check_memory(ensemble, classifier->memory_mb, bytes,
                                     "the networks and this picture", error);
}

static det_status resize_picture(picture *p, const det_image *image, det_error *error)
{
    const det_ensemble *ensemble = &p->classifier->ensemble;
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < ensemble->count; i++)
        status = det_multi_crop_resize(&p->plans[i], image, ensemble->threads, error);
    return status;
}

static det_status make_crop(const void *context, size_t which, size_t index, uint8_t *pixels)
{
    const picture *p = context;
    return det_multi_crop_cut(&p->plans[which], p->first + index, pixels);
}

/* ---- Creation ------------------------------------------------------------------------------- */

static det_status create(det_classifier *made, const det_config *config, det_error *error)
{
    const det_ensemble_options options = {.whole_pictures = true,
                                          .batch_max = (size_t)made->crops.options.crops};
    det_status status = det_ensemble_create(config, &options, &made->ensemble, error);
    if (status == DET_OK)
        status =
            det_ensemble_check_memory(&made->ensemble, made->memory_mb, 0, "the networks", error);
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

/* ---- A picture ------------------------------------------------------------------------------ */

/* Adds what the models give for every crop to `sums`, which has det_ensemble_values elements. */
static det_status sum_crops(picture *p, det_ensemble_run *ensemble, const det_run *run,
                            double *sums, det_error *error)
{
    const size_t count = p->plans[0].count, batch = ensemble->ensemble->batch;
    const size_t values = det_ensemble_values(ensemble->ensemble);
    for (p->first = 0; p->first < count; p->first += batch) {
        const size_t some = count - p->first < batch ? count - p->first : batch;
        const float *rows = NULL;
        det_status status = det_run_check(run, p->first, count, error);
        if (status == DET_OK)
            status = det_ensemble_average(ensemble, make_crop, p, some, &rows, error);
        if (status < 0) return status;
        for (size_t i = 0; i < some; i++)
            for (size_t j = 0; j < values; j++) sums[j] += (double)rows[i * values + j];
    }
    return det_run_check(run, count, count, error);
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

static det_status classify(picture *p, const det_image *image, size_t top, const det_run *run,
                           det_result *result, det_error *error)
{
    const det_ensemble *ensemble = &p->classifier->ensemble;
    det_ensemble_run ensemble_run = {0};
    double *sums = det_alloc_zeroed(det_ensemble_values(ensemble), sizeof *sums);
    const double start_s = det_now_s();
    det_status status =
        sums ? plan_picture(p, image, error) : det_fail_memory(error, "the labels of a picture");
    if (status == DET_OK) status = resize_picture(p, image, error);
    const double resize_ms = (det_now_s() - start_s) * 1e3;
    if (status == DET_OK) status = det_ensemble_run_create(ensemble, &ensemble_run, error);
    if (status == DET_OK) status = sum_crops(p, &ensemble_run, run, sums, error);
    if (status == DET_OK)
        status = make_labels(det_classifier_model(p->classifier), sums, p->plans[0].count, top,
                             result, error);
    result->timings.crops_ms = resize_ms + ensemble_run.crops_ms;
    result->timings.network_ms = ensemble_run.network_ms;
    det_ensemble_run_free(&ensemble_run);
    det_free(sums);
    return status;
}

det_status det_classifier_classify(const det_classifier *classifier, const det_image *image,
                                   size_t top, const det_run *run, det_result *result,
                                   det_error *error)
{
    const double begin_s = det_now_s();
    det_status status = det_check_picture(image, error);
    if (status < 0) return status;
    *result = (det_result){.file = result->file, .width = image->width, .height = image->height};
    const det_run ours = det_run_within(run, classifier->ensemble.threads, classifier->timeout_s);
    picture p = {.classifier = classifier};
    status = classify(&p, image, top, &ours, result, error);
    free_picture(&p);
    result->timings.total_ms = (det_now_s() - begin_s) * 1e3;
    return status;
}
