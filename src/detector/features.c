/* SPDX-License-Identifier: Apache-2.0 */
/* Crops through a network up to a layer; what it gives goes, a batch at a time, to the caller. */
#include "detect/features.h"

#include "src/base/memory.h"
#include "src/base/run.h"
#include "src/detector/ensemble.h"
#include "src/detector/picture_crops.h"

struct det_extractor {
    det_ensemble ensemble; /* of one network */
    char *layer;
    det_picture_crops crops;
    bool for_regions;
    double timeout_s;
    uint64_t memory_mb;
};

/* ---- Creation ------------------------------------------------------------------------------- */

static det_status create(det_extractor *made, const det_config *config,
                         const det_extract_options *options, det_error *error)
{
    const size_t models = config->classifier.model_count;
    made->layer = det_copy_string(options->layer);
    if (!made->layer) return det_fail_memory(error, "an extractor");
    if (models > 1)
        return det_fail_at(error, DET_ARGUMENT, NULL, "classifier.models",
                           "features come from one model, and %zu are named", models);
    const det_ensemble_options ensemble = {
        .crops_only = !options->regions,
        .batch_max = options->regions ? 0 : (size_t)made->crops.options.crops,
        .layer = options->layer};
    det_status status = det_ensemble_create(config, &ensemble, &made->ensemble, error);
    if (status == DET_OK)
        status = det_ensemble_check_memory(&made->ensemble, made->memory_mb, 0, "the network",
                                           "classifier.batch or runtime.threads", error);
    if (status < 0 || options->regions) return status;
    det_multi_crop plan;
    const det_crop_options *crop = &made->ensemble.crops[0];
    return det_picture_crops_plan(&made->crops, crop, crop->width, crop->height, &plan, error);
}

det_status det_extractor_create(const det_config *config, const det_extract_options *options,
                                det_extractor **extractor, det_error *error)
{
    if (!options->layer) return det_fail(error, DET_ARGUMENT, "no layer is named");
    det_extractor *made = det_alloc_zeroed(1, sizeof *made);
    if (!made) return det_fail_memory(error, "an extractor");
    made->crops = det_picture_crops_of(config, &options->crops);
    made->for_regions = options->regions;
    made->timeout_s = config->limits.timeout_s;
    made->memory_mb = config->limits.memory_mb;
    const det_status status = create(made, config, options, error);
    if (status < 0)
        det_extractor_free(made);
    else
        *extractor = made;
    return status;
}

void det_extractor_free(det_extractor *extractor)
{
    if (!extractor) return;
    det_ensemble_free(&extractor->ensemble);
    det_free(extractor->layer);
    det_free(extractor);
}

const det_network *det_extractor_network(const det_extractor *extractor)
{
    return extractor->ensemble.networks[0];
}

det_shape det_extractor_shape(const det_extractor *extractor)
{
    return det_network_output_shape(extractor->ensemble.networks[0], 0);
}

const char *det_extractor_layer(const det_extractor *extractor)
{
    return extractor->layer;
}

int det_extractor_crops(const det_extractor *extractor)
{
    return extractor->for_regions ? 0 : extractor->crops.options.crops;
}

/* ---- Crops ---------------------------------------------------------------------------------- */

/* The crops of one call: those of a plan, or regions. */
typedef struct {
    const det_extractor *extractor;
    const det_image *image;
    const det_multi_crop *plan; /* NULL: regions, which the ensemble crops or pools itself */
    const det_region *regions;
    size_t count, first; /* first: of the batch */
} crop_list;

static det_status make_crop(const void *context, size_t which, size_t index, uint8_t *pixels)
{
    (void)which;
    const crop_list *list = context;
    return det_multi_crop_cut(list->plan, list->first + index, pixels);
}

/* ---- Batches -------------------------------------------------------------------------------- */

typedef struct {
    const det_feature_sink *sink;
    det_box *boxes; /* a batch */
    uint8_t *mirrored;
} outlet;

static det_status hand_over(const outlet *out, const crop_list *list, const float *values,
                            size_t count, det_error *error)
{
    for (size_t i = 0; i < count; i++) {
        const size_t at = list->first + i;
        out->boxes[i] = list->plan ? det_multi_crop_box(list->plan, at) : list->regions[at].box;
        out->mirrored[i] = list->plan && list->plan->views[at].mirrored;
    }
    const det_feature_rows rows = {values, out->boxes, out->mirrored, count};
    return out->sink->take(out->sink->context, &rows, error);
}

static det_status run_batch(const crop_list *list, det_ensemble_run *ensemble, size_t count,
                            const float **values, det_error *error)
{
    if (list->plan) return det_ensemble_average(ensemble, make_crop, list, count, values, error);
    return det_ensemble_classify(ensemble, list->image, list->regions + list->first, count, values,
                                 error);
}

static det_status run_batches(crop_list *list, det_ensemble_run *ensemble, const det_run *run,
                              const outlet *out, det_error *error)
{
    const size_t batch = ensemble->ensemble->batch;
    for (list->first = 0; list->first < list->count; list->first += batch) {
        const size_t left = list->count - list->first, some = left < batch ? left : batch;
        const float *values = NULL;
        det_status status = det_run_check(run, list->first, list->count, error);
        if (status == DET_OK) status = run_batch(list, ensemble, some, &values, error);
        if (status == DET_OK) status = hand_over(out, list, values, some, error);
        if (status < 0) return status;
    }
    return det_run_check(run, list->count, list->count, error);
}

static det_status extract(crop_list *list, const det_run *run, outlet *out, det_error *error)
{
    const det_ensemble *ensemble = &list->extractor->ensemble;
    det_ensemble_run ensemble_run = {0};
    out->boxes = det_alloc_array(ensemble->batch, sizeof *out->boxes);
    out->mirrored = det_alloc_array(ensemble->batch, sizeof *out->mirrored);
    det_status status =
        out->boxes && out->mirrored ? DET_OK : det_fail_memory(error, "a batch of features");
    if (status == DET_OK) status = det_ensemble_run_create(ensemble, &ensemble_run, error);
    if (status == DET_OK) status = run_batches(list, &ensemble_run, run, out, error);
    det_ensemble_run_free(&ensemble_run);
    det_free(out->boxes);
    det_free(out->mirrored);
    return status;
}

/* ---- Pictures and regions ------------------------------------------------------------------- */

static det_status check_memory(const det_extractor *extractor, const det_image *image, size_t more,
                               det_error *error)
{
    return det_ensemble_check_memory(
        &extractor->ensemble, extractor->memory_mb, image->stride * (size_t)image->height + more,
        "the network and this picture", "classifier.batch or runtime.threads", error);
}

det_status det_extractor_picture(const det_extractor *extractor, const det_image *image,
                                 const det_run *run, const det_feature_sink *sink, det_error *error)
{
    det_status status = det_check_picture(image, error);
    if (status < 0) return status;
    const det_run ours = det_run_within(run, extractor->ensemble.threads, extractor->timeout_s);
    det_multi_crop plan;
    status = det_picture_crops_plan(&extractor->crops, &extractor->ensemble.crops[0], image->width,
                                    image->height, &plan, error);
    if (status == DET_OK)
        status = check_memory(extractor, image, det_multi_crop_memory(&plan), error);
    if (status == DET_OK)
        status = det_multi_crop_resize(&plan, image, extractor->ensemble.threads, error);
    crop_list list = {.extractor = extractor, .image = image, .plan = &plan, .count = plan.count};
    if (status == DET_OK) status = extract(&list, &ours, &(outlet){.sink = sink}, error);
    det_multi_crop_free(&plan);
    return status;
}

det_status det_extractor_regions(const det_extractor *extractor, const det_image *image,
                                 const det_region *regions, size_t region_count, const det_run *run,
                                 const det_feature_sink *sink, det_error *error)
{
    det_status status = det_check_picture(image, error);
    if (status < 0) return status;
    const det_run ours = det_run_within(run, extractor->ensemble.threads, extractor->timeout_s);
    status = check_memory(extractor, image, 0, error);
    crop_list list = {
        .extractor = extractor, .image = image, .regions = regions, .count = region_count};
    if (status < 0) return status;
    return extract(&list, &ours, &(outlet){.sink = sink}, error);
}
