/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline: propose regions, classify each with the ensemble, suppress, keep the best. */
#include "detect/detector.h"

#include "src/base/memory.h"
#include "src/base/run.h"
#include "src/base/text.h"
#include "src/data/config_keys.h"
#include "src/detector/box_deltas.h"
#include "src/detector/candidates.h"
#include "src/detector/ensemble.h"
#include "src/detector/nearest.h"
#include "src/detector/regions.h"

#include <string.h>

/* The settings that a picture needs; the rest of the configuration went into the ensemble. */
typedef struct {
    det_fusion_options fusion;
    float score_threshold;
    uint64_t max_regions;
    double timeout_s;
    uint64_t memory_mb; /* 0: no limit */
} settings;

struct det_detector {
    det_ensemble ensemble;
    det_multibox_network multibox; /* {0} where it is not among the methods */
    det_region_options regions;
    settings settings;
    bool *selected; /* class_count flags */
};

/* ---- Creation ----------------------------------------------------------------------------------
 */

/* What the schema allows but this version cannot run. */
static det_status check_supported(const det_config *config, det_error *error)
{
    if (!config->classifier.cascade) return DET_OK;
    return det_fail_at(error, DET_UNSUPPORTED, NULL, "classifier.cascade",
                       "cascades are not available; use false");
}

static settings settings_of(const det_config *config)
{
    return (settings){
        .fusion = det_fusion_options_of(config),
        .score_threshold = config->postprocess.score_threshold,
        .max_regions = config->limits.max_regions,
        .timeout_s = config->limits.timeout_s,
        .memory_mb = config->limits.memory_mb,
    };
}

static det_status check_memory(const det_detector *detector, size_t more, const char *what,
                               det_error *error)
{
    return det_ensemble_check_memory(
        &detector->ensemble, detector->settings.memory_mb,
        more + det_multibox_network_memory(&detector->multibox), what,
        "classifier.batch, runtime.threads or proposals.selective_search.width", error);
}

static det_status adopt_settings(det_config *config, const det_model *model, det_error *error)
{
    const det_status status = det_config_adopt(config, det_model_settings(model), error);
    return det_error_file(error, det_model_path(model),
                          det_error_inside(error, "model.settings", ", ", status));
}

det_status det_detector_configure(det_config *config, det_error *error)
{
    if (config->classifier.model_count == 0) return DET_OK;
    det_model *model = NULL;
    det_status status = det_model_open(config->classifier.models[0], &model, error);
    if (status == DET_OK) status = adopt_settings(config, model, error);
    det_model_free(model);
    return status;
}

static det_status create(const det_config *config, det_detector **detector, det_error *error)
{
    det_status status = check_supported(config, error);
    if (status < 0) return status;
    det_detector *made = det_alloc_zeroed(1, sizeof *made);
    if (!made) return det_fail_memory(error, "a detector");
    made->settings = settings_of(config);
    made->regions = det_region_options_of(config, &made->multibox);
    const det_ensemble_options options = {.boxes = true};
    status = det_ensemble_create(config, &options, &made->ensemble, error);
    if (status == DET_OK && config->proposals.multibox)
        status = det_multibox_network_create(config, &made->multibox, error);
    if (status == DET_OK) status = check_memory(made, 0, "the networks", error);
    if (status == DET_OK) status = det_detector_select_classes(made, NULL, 0, error);
    if (status < 0) {
        det_detector_free(made);
        return status;
    }
    *detector = made;
    return DET_OK;
}

det_status det_detector_create(const det_config *config, det_detector **detector, det_error *error)
{
    det_config *ours = NULL;
    det_status status = det_config_copy(config, &ours, error);
    if (status == DET_OK) status = det_detector_configure(ours, error);
    if (status == DET_OK) status = create(ours, detector, error);
    det_config_free(ours);
    return status;
}

void det_detector_free(det_detector *detector)
{
    if (!detector) return;
    det_ensemble_free(&detector->ensemble);
    det_multibox_network_free(&detector->multibox);
    det_free(detector->selected);
    det_free(detector);
}

const det_model *det_detector_model(const det_detector *detector)
{
    return detector->ensemble.models[0];
}

size_t det_detector_network_count(const det_detector *detector)
{
    return detector->ensemble.count;
}

const det_network *det_detector_network(const det_detector *detector, size_t index)
{
    return detector->ensemble.networks[index];
}

/* ---- Classes -----------------------------------------------------------------------------------
 */

det_status det_detector_select_classes(det_detector *detector, const char *const *names,
                                       size_t count, det_error *error)
{
    const det_model *model = det_detector_model(detector);
    bool *selected = det_alloc_zeroed(model->class_count, sizeof *selected);
    if (!selected) return det_fail_memory(error, "the selected classes");
    for (size_t i = 0; i < model->class_count; i++) selected[i] = count == 0;

    for (size_t i = 0; i < count; i++) {
        const int64_t class_id = det_model_find_class(model, names[i]);
        if (class_id < 0) {
            det_free(selected);
            return det_fail_unknown_class(model, names[i], error);
        }
        selected[class_id] = true;
    }
    det_free(detector->selected);
    detector->selected = selected;
    return DET_OK;
}

/* ---- A picture ---------------------------------------------------------------------------------
 */

/* What is to be classified, and how. */
typedef struct task {
    const det_image *image;
    const det_region *regions; /* count of them */
    size_t count;
    const det_run *run;
} task;

/* What the networks say of a region. */
typedef struct {
    const float *probabilities; /* background included */
    const float *deltas;        /* DET_BOX_DELTAS a class, or NULL */
} opinion;

/* Where an object of a class is in a region; not sound where that is outside the picture. */
static det_box box_of(const task *t, size_t region, size_t class_id, const float *deltas)
{
    const det_box box = t->regions[region].box;
    if (!deltas) return box;
    const det_box moved = det_box_deltas_decode(box, deltas + DET_BOX_DELTAS * class_id);
    return det_box_clip(moved, t->image->width, t->image->height);
}

static bool add_candidates(const det_detector *detector, const task *t, size_t region,
                           const opinion *says, det_candidates *candidates)
{
    const det_model *model = det_detector_model(detector);
    const float threshold = detector->settings.score_threshold;
    for (size_t i = 0; i < model->class_count; i++) {
        const float score = says->probabilities[det_class_column(model, i)];
        if (!(score >= threshold) || !detector->selected[i]) continue;
        const det_box box = box_of(t, region, i, says->deltas);
        if (!det_box_is_sound(box)) continue;
        if (!det_candidates_add(candidates, (det_candidate){i, region, score, box})) return false;
    }
    return true;
}

static det_status classify_all(const det_detector *detector, det_ensemble_run *ensemble,
                               const task *t, det_candidates *candidates, det_error *error)
{
    const size_t batch = detector->ensemble.batch, count = t->count;
    const det_model *model = det_detector_model(detector);
    const size_t row = model->class_count + (model->background_index >= 0);
    const size_t delta_row = DET_BOX_DELTAS * model->class_count;
    for (size_t first = 0; first < count; first += batch) {
        const size_t some = count - first < batch ? count - first : batch;
        const float *probabilities = NULL;
        det_status status = det_run_check(t->run, first, count, error);
        if (status == DET_OK)
            status = det_ensemble_classify(ensemble, t->image, t->regions + first, some,
                                           &probabilities, error);
        if (status < 0) return status;
        const float *deltas = det_ensemble_deltas(ensemble);
        for (size_t i = 0; i < some; i++) {
            const opinion says = {probabilities + i * row, deltas ? deltas + i * delta_row : NULL};
            if (!add_candidates(detector, t, first + i, &says, candidates))
                return det_fail_memory(error, "the candidates of a picture");
        }
    }
    return det_run_check(t->run, count, count, error);
}

static det_status fill_result(const det_detector *detector, const det_candidates *candidates,
                              const det_region *regions, det_result *result, det_error *error)
{
    const det_model *model = det_detector_model(detector);
    result->detections = det_alloc_array(candidates->count, sizeof *result->detections);
    if (!result->detections) return det_fail_memory(error, "the detections of a picture");
    for (size_t i = 0; i < candidates->count; i++) {
        const det_candidate *c = &candidates->items[i];
        result->detections[i] = (det_detection){
            .class_name = model->classes[c->class_id].name,
            .class_id = (int64_t)c->class_id,
            .category_id = model->classes[c->class_id].category_id,
            .score = c->score,
            .box = c->box,
            .source = regions[c->region].source,
        };
    }
    result->detection_count = candidates->count;
    return DET_OK;
}

static double lap_ms(double *since_s)
{
    const double now_s = det_now_s(), ms = (now_s - *since_s) * 1e3;
    *since_s = now_s;
    return ms;
}

static det_status check_region_count(const det_detector *detector, size_t count, det_error *error)
{
    const uint64_t limit = detector->settings.max_regions;
    if (limit == 0 || count <= limit) return DET_OK;
    return det_fail_at(error, DET_LIMIT, NULL, "limits.max_regions",
                       "%zu regions are more than the limit of %llu; set proposals.max or raise "
                       "the limit",
                       count, (unsigned long long)limit);
}

static det_status classify(const det_detector *detector, const task *t, det_result *result,
                           det_error *error)
{
    det_status status = check_region_count(detector, t->count, error);
    if (status < 0) return status;
    det_ensemble_run ensemble = {0};
    det_candidates candidates = {0};
    status = det_ensemble_run_create(&detector->ensemble, &ensemble, error);
    if (status == DET_OK) status = classify_all(detector, &ensemble, t, &candidates, error);
    result->timings.crops_ms = ensemble.crops_ms;
    result->timings.network_ms = ensemble.network_ms;
    if (status < 0) goto done;

    double start_s = det_now_s();
    status = det_candidates_fuse(&candidates, &detector->settings.fusion, error);
    if (status == DET_OK) status = fill_result(detector, &candidates, t->regions, result, error);
    result->timings.fusion_ms = lap_ms(&start_s);
done:
    det_candidates_free(&candidates);
    det_ensemble_run_free(&ensemble);
    return status;
}

static det_run run_of(const det_detector *detector, const det_run *run)
{
    return det_run_within(run, detector->ensemble.threads, detector->settings.timeout_s);
}

static det_status begin(const det_detector *detector, const det_image *image, det_result *result,
                        det_error *error)
{
    det_status status = det_check_picture(image, error);
    if (status < 0) return status;
    const size_t bytes =
        image->stride * (size_t)image->height + det_regions_memory(image, &detector->regions);
    status = check_memory(detector, bytes, "the networks and this picture", error);
    if (status < 0) return status;
    const char *file = result->file;
    *result = (det_result){.file = file, .width = image->width, .height = image->height};
    return DET_OK;
}

/* Progress counts regions; while they are searched for their number is not known, but the caller
 * may cancel. */
static bool report_search(void *context, uint64_t done, uint64_t total)
{
    (void)done, (void)total;
    const det_run *run = context;
    return run->progress(run->progress_context, 0, 0);
}

static det_status propose(const det_detector *detector, const det_image *image, det_run *run,
                          det_region_union *regions, det_error *error)
{
    const det_run search = {.threads = run->threads,
                            .progress = run->progress ? report_search : NULL,
                            .progress_context = run,
                            .deadline_s = run->deadline_s};
    return det_propose_regions(image, &detector->regions, &search, regions, error);
}

det_status det_detector_detect(const det_detector *detector, const det_image *image,
                               const det_run *run, det_result *result, det_error *error)
{
    const double begin_s = det_now_s();
    double start_s = begin_s;
    det_region_union all = {0};
    det_run ours = run_of(detector, run);
    det_status status = begin(detector, image, result, error);
    if (status < 0) return status;

    status = propose(detector, image, &ours, &all, error);
    result->timings.proposals_ms = lap_ms(&start_s);
    result->proposal_count = all.count;
    result->too_small_count = all.too_small;
    if (status == DET_OK)
        status = classify(detector, &(task){image, all.regions, all.count, &ours}, result, error);
    result->timings.total_ms = (det_now_s() - begin_s) * 1e3;
    det_regions_free(all.regions);
    if (status < 0) det_result_free(result);
    return status;
}

det_status det_detector_classify(const det_detector *detector, const det_image *image,
                                 const det_region *regions, size_t region_count, const det_run *run,
                                 det_result *result, det_error *error)
{
    const double begin_s = det_now_s();
    const det_run ours = run_of(detector, run);
    det_status status = begin(detector, image, result, error);
    if (status < 0) return status;
    result->proposal_count = region_count;
    status = classify(detector, &(task){image, regions, region_count, &ours}, result, error);
    result->timings.total_ms = (det_now_s() - begin_s) * 1e3;
    if (status < 0) det_result_free(result);
    return status;
}
