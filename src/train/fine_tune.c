/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/fine_tune.h"

#include "src/base/memory.h"
#include "src/nn/model_edit.h"
#include "src/nn/trainer.h"
#include "src/train/descent.h"
#include "src/train/kept_file.h"
#include "src/train/network_loss.h"
#include "src/train/pooled_input.h"
#include "src/train/region_sampler.h"
#include "src/train/trained_head.h"

#include <fnmatch.h>
#include <string.h>

enum {
    VALIDATION_BATCHES = 8,
    /* Of decoded pictures, which are kept: some thousand photographs. */
    CACHE_BYTES = 1 << 30
};

/* The layer that moves boxes gives moves as they are, and the loss looks at them divided by
 * deviations around .1: in these units its steps are of the size of other layers' steps. */
static const double box_layer_rate = .01;

typedef struct {
    const det_fine_tuning *tuning;
    const det_config *config;
    size_t batch;
    det_trained_head head;
    det_trainer *trainer;
    det_rate_rule rules[DET_LAYER_RATES + 1];
    size_t rule_count;
    det_picture_cache *cache;
    bool *learned, *held_out;                 /* of each picture */
    det_region_sampler *sampler, *validation; /* validation: or NULL */
    det_region_batch examples, validated;
    const det_region_batch *judged; /* the one that was fed last */
    float *moves, *move_gradients;  /* batch x 4 classes: divided by their deviations */
    det_pooled_input *pooled;       /* NULL: regions are cropped */
} job;

static void release(job *j)
{
    det_region_batch_free(&j->examples);
    det_region_batch_free(&j->validated);
    det_region_sampler_free(j->sampler);
    det_region_sampler_free(j->validation);
    det_pooled_input_free(j->pooled);
    det_picture_cache_free(j->cache);
    det_trainer_free(j->trainer);
    det_trained_head_free(&j->head);
    det_free(j->learned);
    det_free(j->held_out);
    det_free(j->moves);
    det_free(j->move_gradients);
}

/* ---- Which layers learn --------------------------------------------------------------------- */

static const det_layer_rate *find_rate(const det_config *config, const char *layer)
{
    for (size_t i = 0; i < config->train.network.rate_count; i++)
        if (fnmatch(config->train.network.rates[i].layers, layer, 0) == 0)
            return &config->train.network.rates[i];
    return NULL;
}

static bool learns(void *context, const char *layer)
{
    const det_layer_rate *rate = find_rate(context, layer);
    return !rate || rate->factor > 0;
}

static bool fits_any(const det_graph *graph, const char *layers)
{
    for (int i = 0; i < graph->count; i++)
        if (graph->nodes[i].weights.values && fnmatch(layers, graph->nodes[i].name, 0) == 0)
            return true;
    return false;
}

/* Layers that are frozen have no rule: nothing learns in them. */
static det_status list_rules(job *j, det_error *error)
{
    for (size_t i = 0; i < j->config->train.network.rate_count; i++) {
        const det_layer_rate *rate = &j->config->train.network.rates[i];
        if (!fits_any(&j->tuning->model->graph, rate->layers))
            return det_fail_at(error, DET_ARGUMENT, NULL, "train.network.rates",
                               "no layer with weights has a name like '%s'; 'detect model info' "
                               "lists them",
                               rate->layers);
        if (rate->factor > 0)
            j->rules[j->rule_count++] = (det_rate_rule){rate->layers, rate->factor};
    }
    if (j->head.boxes && !find_rate(j->config, j->head.boxes) &&
        j->config->train.network.box_weight > 0)
        j->rules[j->rule_count++] = (det_rate_rule){j->head.boxes, box_layer_rate};
    return DET_OK;
}

/* ---- The network ---------------------------------------------------------------------------- */

static det_status create_trainer(job *j, det_error *error)
{
    det_model *model = j->tuning->model;
    const bool moves = j->head.boxes && j->config->train.network.box_weight > 0;
    const char *const to[] = {j->head.classes, j->head.boxes};
    det_status status = DET_OK;
    if (strcmp(j->config->classifier.regions, "pool") == 0)
        status = det_pooled_input_create(model, j->config, to, moves ? 2 : 1, j->cache, &j->pooled,
                                         error);
    if (status < 0) return status;
    const char *from = j->pooled ? det_pooled_input_layer(j->pooled) : NULL;
    const det_shape picture = {3, model->input.height, model->input.width};
    const det_trainer_options options = {
        .batch = j->batch,
        .threads = j->tuning->threads,
        .precision = strcmp(j->config->classifier.precision, "bf16") == 0 ? DET_BF16 : DET_F32,
        .input = from ? model->shapes[det_graph_find(&model->graph, from)] : picture,
        .from = from,
        .to = to,
        .to_count = moves ? 2 : 1,
        .learns = learns,
        .learns_context = (void *)j->config};
    const size_t values = j->batch * DET_BOX_DELTAS * j->head.head.class_count;
    if (moves) {
        j->moves = det_alloc_array(values, sizeof *j->moves);
        j->move_gradients = det_alloc_array(values, sizeof *j->move_gradients);
        if (!j->moves || !j->move_gradients) return det_fail_memory(error, "the moves of boxes");
    }
    return det_trainer_create(&model->graph, &options, &j->trainer, error);
}

/* ---- Examples ------------------------------------------------------------------------------- */

/* Some of the pictures that may be learned from are held out, to choose the best state by. */
static det_status deal_pictures(job *j, det_error *error)
{
    const size_t count = j->tuning->set->image_count;
    const double share = j->config->train.network.validation;
    det_random random = det_random_create(j->config->runtime.seed, 2);
    j->learned = det_alloc_array(count, sizeof *j->learned);
    j->held_out = det_alloc_array(count, sizeof *j->held_out);
    if (!j->learned || !j->held_out) return det_fail_memory(error, "the pictures to learn from");
    for (size_t i = 0; i < count; i++) {
        const bool held = det_random_double(&random) < share;
        j->learned[i] = j->tuning->uses[i] && !held;
        j->held_out[i] = j->tuning->uses[i] && held;
    }
    return DET_OK;
}

static det_region_sampler_options sampling(const job *j, bool validation)
{
    const det_config *config = j->config;
    const uint64_t seed = config->runtime.seed;
    det_region_sampler_options options = det_region_sampler_defaults(
        det_model_get_input(j->tuning->model), j->batch, validation ? ~seed : seed);
    options.positive_share = config->train.network.positive_share;
    options.examples =
        (det_example_options){config->train.positive_iou, config->train.positive_iou};
    if (!validation)
        options.augmentation =
            det_augmentation_of(config->train.network.mirror, config->train.network.jitter,
                                config->train.network.color);
    return options;
}

static det_status create_samplers(job *j, det_error *error)
{
    const det_training_set *set = j->tuning->set;
    const det_region_sampler_options learned = sampling(j, false), held_out = sampling(j, true);
    const det_image_limits limits = {.max_pixels = j->config->limits.max_pixels,
                                     .max_file_bytes = j->config->limits.max_file_bytes};
    det_status status = deal_pictures(j, error);
    if (status == DET_OK)
        status = det_picture_cache_of(set->annotations, &limits, CACHE_BYTES, &j->cache, error);
    if (status == DET_OK)
        status = det_region_sampler_create(set, j->learned, j->cache, &learned, &j->sampler, error);
    if (status == DET_OK) status = det_region_batch_create(j->sampler, &j->examples, error);
    if (status < 0 || j->config->train.network.validation == 0) return status;
    status =
        det_region_sampler_create(set, j->held_out, j->cache, &held_out, &j->validation, error);
    return status == DET_OK ? det_region_batch_create(j->validation, &j->validated, error) : status;
}

static det_status feed_batch(job *j, const det_region_sampler *sampler, uint64_t step,
                             det_region_batch *batch, det_error *error)
{
    det_region_batch_make(sampler, step, batch);
    j->judged = batch;
    if (j->pooled)
        return det_pooled_input_fill(j->pooled, batch, det_trainer_input(j->trainer), error);
    return det_region_batch_fill(sampler, batch, j->tuning->threads, det_trainer_input(j->trainer),
                                 error);
}

static det_status feed(void *context, uint64_t step, det_trainer *trainer, det_error *error)
{
    (void)trainer;
    job *j = context;
    return feed_batch(j, j->sampler, step, &j->examples, error);
}

/* ---- Losses --------------------------------------------------------------------------------- */

static double lose_classes(const job *j)
{
    const size_t width = j->head.head.output_count;
    float *gradients = det_trainer_output_gradient(j->trainer, 0);
    memset(gradients, 0, j->batch * width * sizeof *gradients);
    const det_loss_outputs outputs = {det_trainer_output(j->trainer, 0), gradients, j->batch,
                                      width};
    return det_lose_labels(&outputs, j->judged->labels, NULL, 1 / (double)j->batch).loss;
}

/* The network gives moves as they are. */
static double lose_moves(job *j)
{
    const size_t width = DET_BOX_DELTAS * j->head.head.class_count, count = j->batch * width;
    const float *given = det_trainer_output(j->trainer, 1);
    float *gradients = det_trainer_output_gradient(j->trainer, 1);
    for (size_t i = 0; i < count; i++)
        j->moves[i] = given[i] / det_delta_deviations[i % DET_BOX_DELTAS];
    memset(j->move_gradients, 0, count * sizeof *j->move_gradients);
    const det_loss_outputs outputs = {j->moves, j->move_gradients, j->batch, width};
    const double loss = det_lose_boxes(&outputs, j->judged->labels,
                                       (const float(*)[DET_BOX_DELTAS])j->judged->deltas,
                                       j->config->train.network.box_weight / (double)j->batch);
    for (size_t i = 0; i < count; i++)
        gradients[i] = j->move_gradients[i] / det_delta_deviations[i % DET_BOX_DELTAS];
    return loss;
}

static det_status judge(void *context, det_trainer *trainer, double *loss, det_error *error)
{
    (void)trainer, (void)error;
    job *j = context;
    *loss = lose_classes(j);
    if (j->moves) *loss += lose_moves(j);
    return DET_OK;
}

static det_status validate(void *context, det_trainer *trainer, double *loss, det_error *error)
{
    job *j = context;
    *loss = 0;
    for (uint64_t i = 0; i < VALIDATION_BATCHES; i++) {
        double one = 0;
        det_status status = feed_batch(j, j->validation, i, &j->validated, error);
        if (status == DET_OK) status = det_trainer_forward(trainer, false, 0, error);
        if (status == DET_OK) status = judge(j, trainer, &one, error);
        if (status < 0) return status;
        *loss += one / VALIDATION_BATCHES;
    }
    return DET_OK;
}

/* ---- All of it ------------------------------------------------------------------------------ */

static det_schedule schedule_of(const det_config *config)
{
    static const char *const names[] = {"constant", "step", "poly", "cosine"};
    const size_t steps = config->train.network.steps;
    int kind = 0;
    while (strcmp(names[kind], config->train.network.schedule) != 0) kind++;
    size_t every = config->train.network.step_every;
    if (every == 0) every = (2 * steps + 2) / 3;
    return (det_schedule){.kind = (det_schedule_kind)kind,
                          .rate = config->train.network.rate,
                          .factor = config->train.network.step_factor,
                          .every = every,
                          .power = config->train.network.power,
                          .warm_up = config->train.network.warm_up};
}

static det_status descend(job *j, const det_run *run, det_error *error)
{
    const det_config *config = j->config;
    const det_descent_task task = {j, feed, judge, j->validation ? validate : NULL};
    const det_descent_options options = {
        .steps = config->train.network.steps,
        .batch = j->batch,
        .schedule = schedule_of(config),
        .optimizer = {.momentum = config->train.network.momentum,
                      .decay = config->train.network.weight_decay,
                      .norm_max = config->train.network.clip,
                      .rules = j->rules,
                      .rule_count = j->rule_count,
                      .average_window = config->train.network.average,
                      .threads = j->tuning->threads},
        .seed = config->runtime.seed,
        .checkpoint = j->tuning->checkpoint,
        .checkpoint_every = config->train.network.checkpoint,
        .begun_with = j->tuning->begun_with,
        .network = j->tuning->network,
        .networks = j->tuning->networks,
        .progress = j->tuning->progress,
        .progress_context = j->tuning->progress_context,
        .log = j->tuning->log};
    return det_descend(j->trainer, &task, &options, run, error);
}

static det_status write_model(const job *j, const char *path, det_error *error)
{
    const size_t count = det_trainer_parameter_count(j->trainer);
    det_new_values *values = det_alloc_array(count, sizeof *values);
    if (!values) return det_fail_memory(error, "the weights of a network");
    for (size_t i = 0; i < count; i++) {
        const det_parameter *p = det_trainer_parameter(j->trainer, i);
        values[i] = (det_new_values){p->layer, p->kind == DET_PARAMETER_BIAS, p->values};
    }
    const det_status status =
        det_model_replace_values(j->tuning->model, values, count, path, error);
    det_free(values);
    return status;
}

static det_status check(const job *j, det_error *error)
{
    if (j->head.head.kind == DET_HEAD_SOFTMAX) return DET_OK;
    return det_fail_at(error, DET_UNSUPPORTED, NULL, "train.head",
                       "a network learns with a softmax behind it, not with support vector "
                       "machines");
}

static det_status tune(job *j, const det_run *run, const char *out_path, det_error *error)
{
    det_status status = det_trained_head_read(j->tuning->model, &j->head, error);
    if (status == DET_OK) status = check(j, error);
    if (status == DET_OK) status = list_rules(j, error);
    if (status == DET_OK) status = create_samplers(j, error);
    if (status == DET_OK) status = create_trainer(j, error);
    if (status == DET_OK) status = descend(j, run, error);
    if (status == DET_OK) status = write_model(j, out_path, error);
    if (status == DET_OK) det_kept_remove(j->tuning->checkpoint);
    return status;
}

det_status det_fine_tune(const det_fine_tuning *tuning, const det_run *run, const char *out_path,
                         det_error *error)
{
    job j = {
        .tuning = tuning, .config = tuning->config, .batch = tuning->config->train.network.batch};
    const det_status status = tune(&j, run, out_path, error);
    release(&j);
    return status;
}
