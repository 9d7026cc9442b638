/* SPDX-License-Identifier: Apache-2.0 */
/* The networks of a detector: opened, compiled, run on crops, averaged (GoogLeNet paper, section 8:
 * the ensemble votes by the mean of its probabilities). */
#include "src/detector/ensemble.h"

#include "src/base/memory.h"
#include "src/base/parallel.h"
#include "src/base/run.h"
#include "src/detector/box_deltas.h"
#include "src/detector/nearest.h"
#include "src/nn/network_fill.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

static det_status check_same_classes(const det_model *first, const det_model *other,
                                     det_error *error)
{
    bool same = first->class_count == other->class_count &&
                first->background_index == other->background_index;
    for (size_t i = 0; same && i < first->class_count; i++)
        same = strcmp(first->classes[i].name, other->classes[i].name) == 0;
    if (same) return DET_OK;
    return det_fail_at(error, DET_ARGUMENT, other->path, "classes",
                       "its %zu classes are not the %zu of '%s': models of an ensemble must know "
                       "the same classes in the same order",
                       other->class_count, first->class_count, first->path);
}

static uint8_t to_byte(float value)
{
    return (uint8_t)lrintf(fminf(fmaxf(value, 0), 255));
}

det_crop_options det_input_crop_options(const det_model_input *input, int context_px)
{
    det_crop_options crop = {.width = input->width,
                             .height = input->height,
                             .context_px = context_px >= 0 ? context_px : input->context_px};
    for (int c = 0; c < 3; c++) /* the mean is in the model's order, the crop is B G R */
        crop.outside[c] = to_byte(input->mean[input->channel_order[0] == 'R' ? 2 - c : c]);
    return crop;
}

static det_status check_context(const det_crop_options *crop, det_error *error)
{
    const int side = crop->width < crop->height ? crop->width : crop->height;
    if (2 * crop->context_px < side) return DET_OK;
    return det_fail_at(error, DET_ARGUMENT, NULL, "classifier.context_px",
                       "%d pixels on each side leave nothing of a crop of %d x %d",
                       crop->context_px, crop->width, crop->height);
}

static det_status open_model(det_ensemble *ensemble, const char *path, const det_config *config,
                             det_error *error)
{
    const size_t at = ensemble->count;
    det_status status = det_model_open(path, &ensemble->models[at], error);
    if (status < 0) return status;
    ensemble->count++;
    const det_model *model = ensemble->models[at];
    ensemble->crops[at] = det_input_crop_options(&model->input, config->classifier.context_px);

    status = check_context(&ensemble->crops[at], error);
    return status == DET_OK ? check_same_classes(ensemble->models[0], model, error) : status;
}

static det_status choose_precision(det_ensemble *ensemble, const char *name, det_error *error)
{
    det_status status = DET_OK;
    if (!det_precision_parse(name, &ensemble->precision))
        status = det_fail(error, DET_UNSUPPORTED, "'%s' is not available", name);
    else
        status = det_precision_check(ensemble->precision, error);
    if (ensemble->precision == DET_AUTO)
        ensemble->precision =
            det_fastest_precision((const det_model *const *)ensemble->models, ensemble->count);
    return det_error_inside(error, "classifier.precision", ".", status);
}

static bool is_unknown(const det_model *model, const char *layer)
{
    return layer && det_graph_find(&model->graph, layer) < 0;
}

/* @param outputs of which the names of the layers count. */
static det_status create_pool(det_ensemble *ensemble, size_t at, const det_config *config,
                              const det_network_options *outputs, det_error *error)
{
    const char *from = config->classifier.pool_layer;
    det_region_pool_options options = det_region_pool_options_of(config);
    options.targets = outputs->to;
    options.target_count = outputs->to_count;
    options.crop = ensemble->crops[at];
    options.precision = ensemble->precision;
    options.threads = ensemble->threads;
    const det_status status =
        is_unknown(ensemble->models[at], options.layer)
            ? det_fail_unknown_layer(ensemble->models[at], from, error)
            : det_region_pool_create(ensemble->models[at], &options, &ensemble->pools[at], error);
    return det_error_inside(error, "classifier.pool.layer", ": ", status);
}

/* Names the layers that a network is to give. @param to room for two. */
static det_status choose_outputs(det_ensemble *ensemble, const det_model *model, bool deltas,
                                 const char *layer, const char **to, size_t *count,
                                 det_error *error)
{
    if (is_unknown(model, layer)) return det_fail_unknown_layer(model, layer, error);
    to[0] = layer ? layer : det_model_output(model, DET_ROLE_PROBABILITIES);
    if (!to[0]) return det_fail(error, DET_ARGUMENT, "the model has no class probabilities");
    *count = 1;
    if (!deltas || model->box_deltas < 0) return DET_OK;
    to[(*count)++] = det_model_output(model, DET_ROLE_BOX_DELTAS);
    ensemble->delta_count++;
    return DET_OK;
}

static det_status compile(det_ensemble *ensemble, size_t at, const det_config *config,
                          const det_ensemble_options *wanted, det_error *error)
{
    det_model *model = ensemble->models[at];
    const char *to[2];
    det_network_options options = {.precision = ensemble->precision,
                                   .batch = ensemble->batch,
                                   .threads = ensemble->threads,
                                   .winograd = config->classifier.winograd,
                                   .to = to};
    const bool deltas = wanted->boxes && config->postprocess.box_regression != 0;
    det_status status =
        choose_outputs(ensemble, model, deltas, wanted->layer, to, &options.to_count, error);
    if (status == DET_OK && ensemble->pools) {
        status = create_pool(ensemble, at, config, &options, error);
        if (status == DET_OK) options.from = det_region_pool_layer(ensemble->pools[at]);
        options.from_channels_last = true;
    }
    if (status == DET_OK)
        status = det_network_compile(model, &options, &ensemble->networks[at], error);
    return det_error_file(error, model->path, status);
}

static size_t choose_batch(const det_config *config, size_t most)
{
    const size_t batch = config->classifier.batch ? config->classifier.batch : 1;
    return most > 0 && most < batch ? most : batch;
}

/* Crops of whole pictures are the same for all networks of one input size. */
static void forget_surroundings(det_crop_options *crop)
{
    crop->context_px = 0;
    memset(crop->outside, 0, sizeof crop->outside);
}

/* What runs of the network on a pooled region is so short that threads would wait for each other's
 * last region a large part of the time. */
static size_t longer_batch(size_t batch)
{
    enum { times = 8, most = 64 };
    if (batch >= most) return batch;
    return times * batch < most ? times * batch : most;
}

static bool wants_pools(const det_config *config, const det_ensemble_options *options)
{
    return strcmp(config->classifier.regions, "pool") == 0 && !options->crops_only &&
           !options->whole_pictures;
}

static det_status check_vote(const char *vote, det_error *error)
{
    if (strcmp(vote, "average") == 0) return DET_OK;
    return det_fail_at(error, DET_UNSUPPORTED, NULL, "classifier.vote",
                       "only \"average\" is available");
}

static det_status check_deltas(const det_ensemble *ensemble, const det_config *config,
                               const det_ensemble_options *options, det_error *error)
{
    if (!options->boxes || config->postprocess.box_regression <= 0 || ensemble->delta_count > 0)
        return DET_OK;
    return det_fail_at(error, DET_ARGUMENT, NULL, "postprocess.box_regression",
                       "'%s' does not say how boxes are moved (outputs.box_deltas); leave it out, "
                       "or use a model that was trained to",
                       ensemble->models[0]->path);
}

det_status det_ensemble_create(const det_config *config, const det_ensemble_options *options,
                               det_ensemble *ensemble, det_error *error)
{
    const det_ensemble_options defaults = {0};
    if (!options) options = &defaults;
    const size_t count = config->classifier.model_count;
    *ensemble = (det_ensemble){.batch = choose_batch(config, options->batch_max),
                               .threads = det_resolve_threads(config->runtime.threads),
                               .memory_mb = config->limits.memory_mb};
    if (check_vote(config->classifier.vote, error) < 0) return DET_UNSUPPORTED;
    if (count == 0)
        return det_fail_at(error, DET_ARGUMENT, NULL, "classifier.models",
                           "no model is named; 'detect model import' makes one");
    ensemble->models = det_alloc_zeroed(count, sizeof(det_model *));
    ensemble->networks = det_alloc_zeroed(count, sizeof(det_network *));
    ensemble->crops = det_alloc_zeroed(count, sizeof *ensemble->crops);
    const bool pooled = wants_pools(config, options);
    if (pooled) ensemble->batch = longer_batch(ensemble->batch);
    if (pooled) ensemble->pools = det_alloc_zeroed(count, sizeof(det_region_pool *));
    if (!ensemble->models || !ensemble->networks || !ensemble->crops ||
        (pooled && !ensemble->pools))
        return det_fail_memory(error, "an ensemble");

    det_status status = DET_OK;
    for (size_t i = 0; i < count && status == DET_OK; i++)
        status = open_model(ensemble, config->classifier.models[i], config, error);
    if (status == DET_OK) status = choose_precision(ensemble, config->classifier.precision, error);
    for (size_t i = 0; i < count && status == DET_OK; i++) {
        if (options->whole_pictures) forget_surroundings(&ensemble->crops[i]);
        status = compile(ensemble, i, config, options, error);
    }
    return status == DET_OK ? check_deltas(ensemble, config, options, error) : status;
}

void det_ensemble_free(det_ensemble *ensemble)
{
    for (size_t i = 0; i < ensemble->count; i++) {
        det_network_free(ensemble->networks[i]);
        if (ensemble->pools) det_region_pool_free(ensemble->pools[i]);
        det_model_free(ensemble->models[i]);
    }
    det_free(ensemble->models);
    det_free(ensemble->networks);
    det_free(ensemble->crops);
    det_free(ensemble->pools);
    *ensemble = (det_ensemble){0};
}

static size_t crop_bytes(const det_crop_options *crop)
{
    return (size_t)crop->width * (size_t)crop->height * 3;
}

size_t det_ensemble_values(const det_ensemble *ensemble)
{
    return det_shape_values(det_network_output_shape(ensemble->networks[0], 0));
}

/* Values of a row of det_ensemble_deltas. */
static size_t delta_values(const det_ensemble *ensemble)
{
    return ensemble->delta_count > 0 ? DET_BOX_DELTAS * ensemble->models[0]->class_count : 0;
}

size_t det_class_column(const det_model *model, size_t class_id)
{
    const bool after = model->background_index >= 0 && class_id >= (size_t)model->background_index;
    return class_id + after;
}

/* Where regions are pooled there are none. */
static size_t largest_crop(const det_ensemble *ensemble)
{
    size_t largest = 0;
    if (ensemble->pools) return 0;
    for (size_t i = 0; i < ensemble->count; i++)
        if (largest < crop_bytes(&ensemble->crops[i])) largest = crop_bytes(&ensemble->crops[i]);
    return largest;
}

det_status det_check_picture(const det_image *image, det_error *error)
{
    if (image->pixels && image->width > 0 && image->height > 0) return DET_OK;
    return det_fail(error, DET_ARGUMENT, "an empty picture");
}

size_t det_ensemble_memory(const det_ensemble *ensemble)
{
    const size_t values = det_ensemble_values(ensemble) + delta_values(ensemble);
    size_t bytes = ensemble->batch * (largest_crop(ensemble) + 2 * sizeof(float) * values);
    for (size_t i = 0; i < ensemble->count; i++) bytes += det_network_memory(ensemble->networks[i]);
    return bytes;
}

det_status det_ensemble_check_memory(const det_ensemble *ensemble, uint64_t limit_mb, size_t more,
                                     const char *what, const char *advice, det_error *error)
{
    const size_t bytes = det_ensemble_memory(ensemble) + more;
    if (limit_mb == 0 || bytes >> 20 < limit_mb) return DET_OK;
    return det_fail_at(error, DET_LIMIT, NULL, "limits.memory_mb",
                       "%s need about %zu MiB, the limit is %llu; lower %s, or raise it", what,
                       (bytes >> 20) + 1, (unsigned long long)limit_mb, advice);
}

static float *allocate_rows(const det_ensemble *ensemble, size_t values)
{
    size_t count = 0;
    const bool possible = det_multiply_size(ensemble->batch, values, &count);
    return possible ? det_alloc_array(count, sizeof(float)) : NULL;
}

det_status det_ensemble_run_create(const det_ensemble *ensemble, det_ensemble_run *run,
                                   det_error *error)
{
    *run = (det_ensemble_run){.ensemble = ensemble};
    const size_t values = det_ensemble_values(ensemble);
    const bool deltas = ensemble->delta_count > 0;
    run->pixels = det_alloc_array(ensemble->batch, largest_crop(ensemble));
    run->outputs[0] = allocate_rows(ensemble, values);
    run->sum = allocate_rows(ensemble, values);
    if (deltas) run->outputs[1] = allocate_rows(ensemble, delta_values(ensemble));
    if (deltas) run->deltas = allocate_rows(ensemble, delta_values(ensemble));
    if (ensemble->pools) run->maps = det_alloc_zeroed(ensemble->count, sizeof(det_region_maps *));
    if (!run->pixels || !run->outputs[0] || !run->sum || (ensemble->pools && !run->maps) ||
        (deltas && !(run->outputs[1] && run->deltas)))
        return det_fail_memory(error, "a batch of regions");
    return det_worker_create((const det_network *const *)ensemble->networks, ensemble->count,
                             &run->worker, error);
}

static void forget_picture(det_ensemble_run *run)
{
    for (size_t i = 0; run->maps && i < run->ensemble->count; i++) {
        det_region_maps_free(run->maps[i]);
        run->maps[i] = NULL;
    }
    run->image = NULL;
}

void det_ensemble_run_free(det_ensemble_run *run)
{
    forget_picture(run);
    det_free(run->maps);
    det_worker_free(run->worker);
    det_free(run->pixels);
    det_free(run->outputs[0]);
    det_free(run->outputs[1]);
    det_free(run->sum);
    det_free(run->deltas);
    *run = (det_ensemble_run){0};
}

/* The crops of one batch; each index of the parallel loop is one. */
typedef struct {
    det_crop_maker *make;
    const void *context;
    size_t which, crop_bytes;
    uint8_t *pixels;
    atomic_int status;
} crop_job;

static void make_crop(void *context, size_t index, int worker)
{
    (void)worker;
    crop_job *job = context;
    const det_status status =
        job->make(job->context, job->which, index, job->pixels + index * job->crop_bytes);
    if (status < 0) atomic_store(&job->status, (int)status);
}

static det_status make_crops(det_ensemble_run *run, size_t which, det_crop_maker *make,
                             const void *context, size_t count, det_error *error)
{
    const double start_s = det_now_s();
    crop_job job = {.make = make,
                    .context = context,
                    .which = which,
                    .crop_bytes = crop_bytes(&run->ensemble->crops[which]),
                    .pixels = run->pixels};
    det_parallel_for(count, run->ensemble->threads, make_crop, &job);
    run->crops_ms += (det_now_s() - start_s) * 1e3;
    const det_status status = (det_status)atomic_load(&job.status);
    if (status == DET_MEMORY) return det_fail_memory(error, "a crop");
    return status < 0 ? det_fail(error, status, "a region is empty or not finite") : DET_OK;
}

static bool same_crops(const det_crop_options *a, const det_crop_options *b)
{
    return a->width == b->width && a->height == b->height && a->context_px == b->context_px &&
           memcmp(a->outside, b->outside, sizeof a->outside) == 0;
}

static det_status run_network(det_ensemble_run *run, size_t which, size_t count, det_error *error)
{
    const double start_s = det_now_s();
    const det_status status = det_network_run_pictures(run->ensemble->networks[which], run->worker,
                                                       run->pixels, count, run->outputs, error);
    run->network_ms += (det_now_s() - start_s) * 1e3;
    return status;
}

/* Four values, or four a class. */
static void add_deltas(det_ensemble_run *run, size_t which, size_t count)
{
    const det_network *network = run->ensemble->networks[which];
    const size_t row = delta_values(run->ensemble);
    if (which == 0 && run->deltas) memset(run->deltas, 0, count * row * sizeof *run->deltas);
    if (det_network_output_count(network) < 2) return;
    const size_t given = det_shape_values(det_network_output_shape(network, 1));
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < row; j++)
            run->deltas[i * row + j] += run->outputs[1][i * given + j % given];
}

/* Of network `which`, the first of which begins the sum. */
static void add_outputs(det_ensemble_run *run, size_t which, size_t count)
{
    const size_t total = count * det_ensemble_values(run->ensemble);
    const float *values = run->outputs[0];
    for (size_t j = 0; j < total; j++)
        run->sum[j] = which == 0 ? values[j] : run->sum[j] + values[j];
    add_deltas(run, which, count);
}

static void multiply(float *values, size_t count, float factor)
{
    for (size_t j = 0; j < count; j++) values[j] *= factor;
}

static const float *mean_of_outputs(det_ensemble_run *run, size_t count)
{
    const det_ensemble *ensemble = run->ensemble;
    multiply(run->sum, count * det_ensemble_values(ensemble), 1 / (float)ensemble->count);
    if (run->deltas)
        multiply(run->deltas, count * delta_values(ensemble), 1 / (float)ensemble->delta_count);
    return run->sum;
}

const float *det_ensemble_deltas(const det_ensemble_run *run)
{
    return run->deltas;
}

det_status det_ensemble_average(det_ensemble_run *run, det_crop_maker *make, const void *context,
                                size_t count, const float **values, det_error *error)
{
    const det_ensemble *ensemble = run->ensemble;
    for (size_t i = 0; i < ensemble->count; i++) {
        det_status status = DET_OK;
        if (i == 0 || !same_crops(&ensemble->crops[i], &ensemble->crops[i - 1]))
            status = make_crops(run, i, make, context, count, error);
        if (status == DET_OK) status = run_network(run, i, count, error);
        if (status < 0) return status;
        add_outputs(run, i, count);
    }
    *values = mean_of_outputs(run, count);
    return DET_OK;
}

/* ---- Regions ----------------------------------------------------------------------------------
 */

typedef struct {
    const det_ensemble *ensemble;
    const det_image *image;
    const det_region *regions;
} region_crops;

static det_status crop_region(const void *context, size_t which, size_t index, uint8_t *pixels)
{
    const region_crops *crops = context;
    return det_crop(crops->image, crops->regions[index].box, &crops->ensemble->crops[which],
                    pixels);
}

/* ---- Pooled ---- */

static det_status look_at(det_ensemble_run *run, const det_image *image, det_error *error)
{
    if (run->image == image) return DET_OK;
    forget_picture(run);
    for (size_t i = 0; i < run->ensemble->count; i++) {
        const det_status status =
            det_region_maps_create(run->ensemble->pools[i], image, &run->maps[i], error);
        if (status < 0) return status;
    }
    run->image = image;
    return DET_OK;
}

/* Bytes that the maps of network `which` may take. */
static size_t memory_left(const det_ensemble_run *run, size_t which)
{
    const uint64_t limit_mb = run->ensemble->memory_mb;
    if (limit_mb == 0 || limit_mb > SIZE_MAX >> 20) return SIZE_MAX;
    size_t held =
        det_ensemble_memory(run->ensemble) + run->image->stride * (size_t)run->image->height;
    for (size_t i = 0; i < run->ensemble->count; i++)
        if (i != which) held += det_region_maps_memory(run->maps[i]);
    const size_t limit = (size_t)limit_mb << 20;
    return limit > held ? limit - held : 0;
}

typedef struct {
    const det_region_maps *maps;
    const det_region *regions;
} pooled_regions;

static det_status pool_region(const void *context, size_t index, float *input)
{
    const pooled_regions *p = context;
    return det_region_maps_pool(p->maps, p->regions[index].box, input);
}

static det_status run_pooled(det_ensemble_run *run, size_t which, const det_region *regions,
                             size_t count, det_error *error)
{
    det_region_times times = {0};
    const pooled_regions p = {run->maps[which], regions};
    det_status status = det_region_maps_prepare(run->maps[which], regions, count,
                                                memory_left(run, which), &times, error);
    const double start_s = det_now_s();
    if (status == DET_OK)
        status = det_network_run_filled(run->ensemble->networks[which], run->worker, pool_region,
                                        &p, count, run->outputs, error);
    run->crops_ms += times.canvas_ms;
    run->network_ms += times.network_ms + (det_now_s() - start_s) * 1e3;
    return status;
}

static det_status classify_pooled(det_ensemble_run *run, const det_image *image,
                                  const det_region *regions, size_t count,
                                  const float **probabilities, det_error *error)
{
    det_status status = look_at(run, image, error);
    for (size_t i = 0; status == DET_OK && i < run->ensemble->count; i++) {
        status = run_pooled(run, i, regions, count, error);
        if (status == DET_OK) add_outputs(run, i, count);
    }
    if (status == DET_OK) *probabilities = mean_of_outputs(run, count);
    return status;
}

det_status det_ensemble_classify(det_ensemble_run *run, const det_image *image,
                                 const det_region *regions, size_t count,
                                 const float **probabilities, det_error *error)
{
    if (run->ensemble->pools)
        return classify_pooled(run, image, regions, count, probabilities, error);
    const region_crops crops = {run->ensemble, image, regions};
    return det_ensemble_average(run, crop_region, &crops, count, probabilities, error);
}
