/* SPDX-License-Identifier: Apache-2.0 */
/* Stochastic gradient descent with momentum, over blocks of numbers: the sum of squares of a block
 * does not depend on who computes it, and the blocks are added in order, so that every number of
 * threads gives the same. */
#include "src/train/optimizer.h"

#include "src/base/memory.h"
#include "src/base/parallel.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* What a thread takes at a time: momentum, gradients and values of it stay in its cache. */
enum { BLOCK = 16384, LANES = 8, CACHE_LINE_FLOATS = 16 };

typedef struct {
    size_t parameter, first, count;
} block;

struct det_optimizer {
    det_optimizer_options options;
    det_optimizer_parameter *parameters; /* count, with the rates of their rules */
    float **momentum, **averages;        /* of each parameter, or NULL */
    size_t count;
    float *momentum_room, *average_room; /* what these point into */
    block *blocks;                       /* of all parameters, in order */
    double *squares;                     /* of each block: the sum of its gradients' squares */
    size_t block_count;
    uint64_t steps;
};

/* ---- Creation ------------------------------------------------------------------------------- */

static det_status check_options(const det_optimizer_options *o, det_error *error)
{
    if (!(o->momentum >= 0 && o->momentum < 1))
        return det_fail(error, DET_ARGUMENT, "a momentum of %g: it must be at least 0 and below 1",
                        o->momentum);
    if (!(o->decay >= 0 && isfinite(o->decay)))
        return det_fail(error, DET_ARGUMENT, "a weight decay of %g: it must be at least 0",
                        o->decay);
    if (!(o->norm_max >= 0 && isfinite(o->norm_max)))
        return det_fail(
            error, DET_ARGUMENT,
            "gradients are limited to a norm of %g: it must be above 0, or 0 for no limit",
            o->norm_max);
    for (size_t i = 0; i < o->rule_count; i++)
        if (!(o->rules[i].rate >= 0 && isfinite(o->rules[i].rate)))
            return det_fail_at(error, DET_ARGUMENT, NULL, o->rules[i].layers,
                               "a learning rate times %g: at least 0", o->rules[i].rate);
    return DET_OK;
}

static bool matches(const det_rate_rule *rule, const det_optimizer_parameter *parameter)
{
    return parameter->gradients && fnmatch(rule->layers, parameter->layer, 0) == 0;
}

/* A rule for nothing is a name that was misspelled. */
static det_status check_rules(const det_optimizer_parameter *parameters, size_t count,
                              const det_optimizer_options *options, det_error *error)
{
    for (size_t r = 0; r < options->rule_count; r++) {
        size_t i = 0;
        while (i < count && !matches(&options->rules[r], &parameters[i])) i++;
        if (i == count)
            return det_fail_at(error, DET_ARGUMENT, NULL, options->rules[r].layers,
                               "no layer that learns has a name like this");
    }
    return DET_OK;
}

static double rule_rate(const det_optimizer_options *options,
                        const det_optimizer_parameter *parameter)
{
    for (size_t r = 0; r < options->rule_count; r++)
        if (matches(&options->rules[r], parameter)) return options->rules[r].rate;
    return 1;
}

static bool learns(const det_optimizer_parameter *parameter)
{
    return parameter->gradients && parameter->rate > 0;
}

/* Floats of the state of a parameter, whose beginning is that of a cache line. */
static size_t room_of(const det_optimizer_parameter *parameter)
{
    return (parameter->count + CACHE_LINE_FLOATS - 1) / CACHE_LINE_FLOATS * CACHE_LINE_FLOATS;
}

static float *make_room(size_t floats)
{
    float *room = det_alloc_aligned(floats * sizeof *room);
    if (room) memset(room, 0, floats * sizeof *room);
    return room;
}

static bool make_state(det_optimizer *o)
{
    size_t learned = 0, averaged = 0;
    for (size_t i = 0; i < o->count; i++) {
        if (learns(&o->parameters[i])) learned += room_of(&o->parameters[i]);
        if (o->options.average_window > 0) averaged += room_of(&o->parameters[i]);
    }
    o->momentum_room = make_room(learned);
    o->average_room = make_room(averaged);
    if (!o->momentum_room || !o->average_room) return false;
    float *momentum = o->momentum_room, *average = o->average_room;
    for (size_t i = 0; i < o->count; i++) {
        const size_t room = room_of(&o->parameters[i]);
        if (learns(&o->parameters[i])) {
            o->momentum[i] = momentum;
            momentum += room;
        }
        if (o->options.average_window > 0) {
            o->averages[i] = average;
            average += room;
        }
    }
    return true;
}

static size_t blocks_of(const det_optimizer_parameter *parameter)
{
    return (parameter->count + BLOCK - 1) / BLOCK;
}

static bool make_blocks(det_optimizer *o)
{
    for (size_t i = 0; i < o->count; i++) o->block_count += blocks_of(&o->parameters[i]);
    o->blocks = det_alloc_array(o->block_count, sizeof *o->blocks);
    o->squares = det_alloc_array(o->block_count, sizeof *o->squares);
    if (!o->blocks || !o->squares) return false;
    block *b = o->blocks;
    for (size_t i = 0; i < o->count; i++)
        for (size_t left = o->parameters[i].count; left > 0; left -= b++->count)
            *b = (block){i, o->parameters[i].count - left, left < BLOCK ? left : BLOCK};
    return true;
}

static bool copy_parameters(det_optimizer *o, const det_optimizer_parameter *parameters)
{
    o->parameters = det_alloc_array(o->count, sizeof *o->parameters);
    o->momentum = det_alloc_zeroed(o->count, sizeof *o->momentum);
    o->averages = det_alloc_zeroed(o->count, sizeof *o->averages);
    if (!o->parameters || !o->momentum || !o->averages) return false;
    for (size_t i = 0; i < o->count; i++) {
        o->parameters[i] = parameters[i];
        o->parameters[i].rate *= rule_rate(&o->options, &parameters[i]);
    }
    return true;
}

det_status det_optimizer_create(const det_optimizer_parameter *parameters, size_t count,
                                const det_optimizer_options *options, det_optimizer **optimizer,
                                det_error *error)
{
    det_status status = check_options(options, error);
    if (status == DET_OK) status = check_rules(parameters, count, options, error);
    if (status != DET_OK) return status;
    det_optimizer *o = det_alloc_zeroed(1, sizeof *o);
    if (!o) return det_fail_memory(error, "the state of training");
    o->options = *options;
    o->count = count;
    if (copy_parameters(o, parameters) && make_state(o) && make_blocks(o)) {
        o->options.rules = NULL;
        *optimizer = o;
        return DET_OK;
    }
    det_optimizer_free(o);
    return det_fail_memory(error, "the state of training");
}

void det_optimizer_free(det_optimizer *o)
{
    if (!o) return;
    det_free(o->parameters);
    det_free(o->momentum);
    det_free(o->averages);
    det_free(o->momentum_room);
    det_free(o->average_room);
    det_free(o->blocks);
    det_free(o->squares);
    det_free(o);
}

/* ---- The norm ------------------------------------------------------------------------------- */

static void square_block(void *context, size_t index, int worker)
{
    (void)worker;
    const det_optimizer *o = context;
    const block *b = &o->blocks[index];
    o->squares[index] = 0;
    if (!o->momentum[b->parameter]) return;
    const float *g = o->parameters[b->parameter].gradients + b->first;
    double sums[LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + LANES <= b->count; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++) {
            const double value = (double)g[i + lane];
            sums[lane] += value * value;
        }
    for (; i < b->count; i++) sum += (double)g[i] * (double)g[i];
    for (size_t lane = 0; lane < LANES; lane++) sum += sums[lane];
    o->squares[index] = sum;
}

/* Squares of floats do not overflow a double: a sum that is not finite has a number that is not. */
static det_status find_norm(const det_optimizer *o, double *norm, det_error *error)
{
    double sum = 0;
    for (size_t i = 0; i < o->block_count; i++) {
        if (!isfinite(o->squares[i]))
            return det_fail_at(
                error, DET_ARGUMENT, NULL, o->parameters[o->blocks[i].parameter].layer,
                "a gradient is not finite in step %" PRIu64 ": the learning rate may be too high",
                o->steps);
        sum += o->squares[i];
    }
    *norm = sqrt(sum);
    return DET_OK;
}

/* ---- Steps ---------------------------------------------------------------------------------- */

/* The factors of a step. */
typedef struct {
    const det_optimizer *optimizer;
    double rate;
    float momentum, shrink; /* shrink: what the limit of the norm leaves of gradients */
    float follow;           /* of averages */
} factors;

static void learn(const factors *f, const det_optimizer_parameter *p, const block *b,
                  float *restrict v)
{
    float *restrict w = p->values + b->first;
    const float *restrict g = p->gradients + b->first;
    const float momentum = f->momentum, shrink = f->shrink, rate = (float)(f->rate * p->rate);
    const float decay = p->decays ? (float)f->optimizer->options.decay : 0;
    for (size_t i = 0; i < b->count; i++) {
        v[i] = momentum * v[i] + (shrink * g[i] + decay * w[i]);
        w[i] -= rate * v[i];
    }
}

static void follow(float *restrict average, const float *restrict w, float share, size_t count)
{
    for (size_t i = 0; i < count; i++) average[i] += share * (w[i] - average[i]);
}

static void step_block(void *context, size_t index, int worker)
{
    (void)worker;
    const factors *f = context;
    const det_optimizer *o = f->optimizer;
    const block *b = &o->blocks[index];
    const det_optimizer_parameter *p = &o->parameters[b->parameter];
    if (o->momentum[b->parameter]) learn(f, p, b, o->momentum[b->parameter] + b->first);
    if (f->follow > 0)
        follow(o->averages[b->parameter] + b->first, p->values + b->first, f->follow, b->count);
}

/* Steps that are averaged, of this many. */
static uint64_t averaged(const det_optimizer *o, uint64_t steps)
{
    return o->options.average_window > 0 && steps > o->options.average_from
               ? steps - o->options.average_from
               : 0;
}

static float average_share(const det_optimizer *o)
{
    const uint64_t n = averaged(o, o->steps + 1), window = o->options.average_window;
    return n == 0 ? 0 : (float)(1 / (double)(n < window ? n : window));
}

det_status det_optimizer_step(det_optimizer *o, double rate, double *norm, det_error *error)
{
    double found;
    if (!(rate >= 0 && isfinite(rate)))
        return det_fail(error, DET_ARGUMENT, "a learning rate of %g in step %" PRIu64, rate,
                        o->steps);
    det_parallel_for(o->block_count, o->options.threads, square_block, o);
    const det_status status = find_norm(o, &found, error);
    if (status != DET_OK) return status;
    const double most = o->options.norm_max;
    factors f = {.optimizer = o,
                 .rate = rate,
                 .momentum = (float)o->options.momentum,
                 .shrink = most > 0 && found > most ? (float)(most / found) : 1,
                 .follow = average_share(o)};
    det_parallel_for(o->block_count, o->options.threads, step_block, &f);
    o->steps++;
    if (norm) *norm = found;
    return DET_OK;
}

/* ---- Averages and state --------------------------------------------------------------------- */

static void exchange_block(void *context, size_t index, int worker)
{
    (void)worker;
    const det_optimizer *o = context;
    const block *b = &o->blocks[index];
    float *values = o->parameters[b->parameter].values + b->first;
    float *average = o->averages[b->parameter] + b->first;
    for (size_t i = 0; i < b->count; i++) {
        const float value = values[i];
        values[i] = average[i];
        average[i] = value;
    }
}

bool det_optimizer_exchange(det_optimizer *o)
{
    if (averaged(o, o->steps) == 0) return false;
    det_parallel_for(o->block_count, o->options.threads, exchange_block, o);
    return true;
}

uint64_t det_optimizer_steps(const det_optimizer *o)
{
    return o->steps;
}

void det_optimizer_set_steps(det_optimizer *o, uint64_t steps)
{
    o->steps = steps;
}

float *det_optimizer_momentum(det_optimizer *o, size_t index)
{
    return o->momentum[index];
}

float *det_optimizer_average(det_optimizer *o, size_t index)
{
    return o->averages[index];
}

double det_optimizer_rate(const det_optimizer *o, size_t index)
{
    return o->parameters[index].gradients ? o->parameters[index].rate : 0;
}
