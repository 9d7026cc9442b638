/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/descent.h"

#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/base/run.h"
#include "src/base/text.h"
#include "src/train/checkpoint.h"
#include "src/train/network_loss.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What is kept of a parameter. */
typedef enum { VALUES, MOMENTUM, AVERAGE, BEST, KINDS } kind;

/* Learning-rate multipliers of biases in Caffe's GoogLeNet. */
static const double bias_rate = 2;

typedef struct {
    det_trainer *trainer;
    const det_descent_task *task;
    const det_descent_options *options;
    const det_run *run;
    det_optimizer *optimizer;
    size_t count; /* parameters */
    float **best; /* of each the best values so far; NULL without `validate` */
    det_checkpoint state;
    double started_s; /* when the first step of this run began */
    uint64_t first;   /* and which that was */
    uint64_t kept;    /* the step of the state that was kept last */
} descent;

/* ---- Parameters ----------------------------------------------------------------------------- */

static det_status create_optimizer(descent *d, det_error *error)
{
    det_optimizer_parameter *parameters = det_alloc_zeroed(d->count, sizeof *parameters);
    if (!parameters) return det_fail_memory(error, "the parameters of a network");
    for (size_t i = 0; i < d->count; i++) {
        const det_parameter *p = det_trainer_parameter(d->trainer, i);
        parameters[i] =
            (det_optimizer_parameter){.layer = p->layer,
                                      .values = p->values,
                                      .gradients = p->gradients,
                                      .count = p->count,
                                      .rate = p->kind == DET_PARAMETER_BIAS ? bias_rate : 1,
                                      .decays = p->kind == DET_PARAMETER_WEIGHT};
    }
    const det_status status =
        det_optimizer_create(parameters, d->count, &d->options->optimizer, &d->optimizer, error);
    det_free(parameters);
    return status;
}

static det_status create_best(descent *d, det_error *error)
{
    if (!d->task->validate) return DET_OK;
    d->best = det_alloc_zeroed(d->count, sizeof *d->best);
    bool enough = d->best;
    for (size_t i = 0; enough && i < d->count; i++) {
        const det_parameter *p = det_trainer_parameter(d->trainer, i);
        d->best[i] = det_alloc_array(p->count, sizeof **d->best);
        enough = d->best[i];
        if (enough) memcpy(d->best[i], p->values, p->count * sizeof **d->best);
    }
    return enough ? DET_OK : det_fail_memory(error, "the best parameters of a network");
}

static void free_descent(descent *d)
{
    for (size_t i = 0; d->best && i < d->count; i++) det_free(d->best[i]);
    det_free(d->best);
    det_optimizer_free(d->optimizer);
}

/* ---- The state that is kept ----------------------------------------------------------------- */

/* NULL where a parameter has none. */
static float *values_of(const descent *d, size_t parameter, kind k)
{
    switch (k) {
    case VALUES:
        return det_trainer_parameter(d->trainer, parameter)->values;
    case MOMENTUM:
        return det_optimizer_momentum(d->optimizer, parameter);
    case AVERAGE:
        return det_optimizer_average(d->optimizer, parameter);
    default:
        return d->best ? d->best[parameter] : NULL;
    }
}

/* The arrays of all parameters as a checkpoint has them; only the names are its own. */
typedef struct {
    det_checkpoint_values *values; /* count */
    size_t count;
} kept_values;

static void free_kept(kept_values *k)
{
    for (size_t i = 0; i < k->count; i++) det_free((char *)k->values[i].name);
    det_free(k->values);
}

/* "LAYER.KIND/WHAT"; NULL when memory is short. */
static char *name_of(const det_parameter *p, kind what)
{
    static const char *const suffixes[KINDS] = {"", "/momentum", "/average", "/best"};
    det_text name = {0};
    det_text_format(&name, "%s.%s%s", p->layer, det_parameter_kind_name(p->kind), suffixes[what]);
    if (!name.failed) return name.data;
    det_text_free(&name);
    return NULL;
}

static bool add_kept(const descent *d, size_t parameter, kind what, kept_values *k)
{
    const det_parameter *p = det_trainer_parameter(d->trainer, parameter);
    float *values = values_of(d, parameter, what);
    if (!values) return true;
    det_checkpoint_values *kept = &k->values[k->count++];
    *kept = (det_checkpoint_values){name_of(p, what), values, p->count};
    return kept->name;
}

static det_status list_kept(const descent *d, kept_values *k, det_error *error)
{
    k->values = det_alloc_zeroed(d->count * KINDS, sizeof *k->values);
    bool enough = k->values;
    for (size_t i = 0; enough && i < d->count; i++)
        for (kind what = VALUES; enough && what < KINDS; what++) enough = add_kept(d, i, what, k);
    return enough ? DET_OK : det_fail_memory(error, "the state of a training");
}

static det_status keep_state(descent *d, det_error *error)
{
    const char *path = d->options->checkpoint;
    if (!path || d->kept == d->state.step) return DET_OK;
    kept_values k = {0};
    det_status status = list_kept(d, &k, error);
    if (status == DET_OK) status = det_checkpoint_write(path, &d->state, k.values, k.count, error);
    if (status == DET_OK) d->kept = d->state.step;
    free_kept(&k);
    return status;
}

/* A state that cannot be used (none, damaged, of another training) is as good as none: the training
 * begins anew. */
static det_status find_state(descent *d, det_error *error)
{
    const char *path = d->options->checkpoint;
    kept_values k = {0};
    d->state = (det_checkpoint){.seed = d->options->seed, .best = NAN};
    if (!path) return DET_OK;
    snprintf(d->state.begun_with, sizeof d->state.begun_with, "%s", d->options->begun_with);
    det_status status = list_kept(d, &k, error);
    if (status == DET_OK) {
        const det_status found = det_checkpoint_read(path, &d->state, k.values, k.count, NULL);
        if (found == DET_MEMORY) status = det_fail_memory(error, "the state of a training");
        if (found == DET_OK) {
            det_optimizer_set_steps(d->optimizer, d->state.step);
            d->kept = d->state.step;
        }
    }
    free_kept(&k);
    return status;
}

/* ---- Steps ---------------------------------------------------------------------------------- */

/* What dropout of a step is drawn from. */
static uint64_t seed_of(const det_descent_options *o, uint64_t step)
{
    det_random random = det_random_create(o->seed, step);
    const uint64_t high = det_random_u32(&random);
    return high << 32 | det_random_u32(&random);
}

static det_status learn(descent *d, det_train_step *told, det_error *error)
{
    const det_descent_options *o = d->options;
    const uint64_t step = d->state.step;
    det_status status = d->task->feed(d->task->context, step, d->trainer, error);
    if (status == DET_OK) status = det_trainer_forward(d->trainer, true, seed_of(o, step), error);
    if (status == DET_OK) status = d->task->judge(d->task->context, d->trainer, &told->loss, error);
    if (status == DET_OK) status = det_loss_check("regions", told->loss, step, error);
    if (status == DET_OK) status = det_trainer_backward(d->trainer, error);
    if (status < 0) return status;
    told->rate = det_schedule_rate(&o->schedule, step, o->steps);
    status = det_optimizer_step(d->optimizer, told->rate, &told->gradient_norm, error);
    if (status == DET_OK) d->state.step++;
    return status;
}

static bool tell(const descent *d, det_train_step *told)
{
    const det_descent_options *o = d->options;
    const double seconds = det_now_s() - d->started_s;
    const double made = (double)(d->state.step - d->first);
    told->network = o->network;
    told->networks = o->networks;
    told->step = d->state.step;
    told->steps = o->steps;
    told->regions_per_s = seconds > 0 ? made * (double)o->batch / seconds : 0;
    told->seconds_left = made > 0 ? seconds / made * (double)(o->steps - d->state.step) : NAN;
    det_event_step(o->log, told);
    return !o->progress || o->progress(o->progress_context, told);
}

static void keep_best(descent *d, double loss)
{
    if (loss >= d->state.best) return;
    d->state.best = loss;
    d->state.best_step = d->state.step;
    for (size_t i = 0; i < d->count; i++) {
        const det_parameter *p = det_trainer_parameter(d->trainer, i);
        memcpy(d->best[i], p->values, p->count * sizeof **d->best);
    }
}

/* What is measured, and may become the best, is what would be used: averages, where there are. */
static det_status measure(descent *d, double *loss, det_error *error)
{
    if (!d->task->validate) return DET_OK;
    const bool exchanged = det_optimizer_exchange(d->optimizer);
    const det_status status = d->task->validate(d->task->context, d->trainer, loss, error);
    if (status == DET_OK) keep_best(d, *loss);
    if (exchanged) det_optimizer_exchange(d->optimizer);
    return status;
}

static det_status make_step(descent *d, det_error *error)
{
    const uint64_t every = d->options->checkpoint_every;
    det_train_step told = {.validation_loss = NAN};
    det_status status = det_run_check(d->run, 0, 0, error);
    if (status == DET_OK) status = learn(d, &told, error);
    if (status < 0) return status;
    const bool last = d->state.step == d->options->steps;
    const bool due = d->state.step % every == 0 || last;
    if (due) status = measure(d, &told.validation_loss, error);
    if (status == DET_OK && due) status = keep_state(d, error);
    if (status < 0) return status;
    return tell(d, &told) || last ? DET_OK : det_fail(error, DET_CANCELLED, "cancelled");
}

/* Leaves the values that are to be used. */
static void finish(descent *d)
{
    if (!d->best) {
        det_optimizer_exchange(d->optimizer);
        return;
    }
    for (size_t i = 0; i < d->count; i++) {
        const det_parameter *p = det_trainer_parameter(d->trainer, i);
        memcpy(p->values, d->best[i], p->count * sizeof **d->best);
    }
}

static det_status descend(descent *d, det_error *error)
{
    det_status status = det_schedule_check(&d->options->schedule, error);
    if (status == DET_OK) status = create_optimizer(d, error);
    if (status == DET_OK) status = create_best(d, error);
    if (status == DET_OK) status = find_state(d, error);
    if (status < 0) return status;
    d->first = d->state.step;
    d->started_s = det_now_s();
    while (status == DET_OK && d->state.step < d->options->steps) status = make_step(d, error);
    if (status == DET_CANCELLED) {
        const det_status kept = keep_state(d, error);
        return kept < 0 ? kept : DET_CANCELLED;
    }
    if (status == DET_OK) finish(d);
    return status;
}

det_status det_descend(det_trainer *trainer, const det_descent_task *task,
                       const det_descent_options *options, const det_run *run, det_error *error)
{
    descent d = {.trainer = trainer,
                 .task = task,
                 .options = options,
                 .run = run,
                 .count = det_trainer_parameter_count(trainer),
                 .kept = UINT64_MAX};
    const det_status status = descend(&d, error);
    free_descent(&d);
    return status;
}
