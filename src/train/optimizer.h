/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_OPTIMIZER_H
#define DETECT_TRAIN_OPTIMIZER_H

#include "src/base/error.h"

/* Stochastic gradient descent with momentum. In each step, of every parameter w with the gradient g
 * (already a mean over the batch),
 *
 *   v = momentum v + (g' + decay w)     w = w - rate v
 *
 * with g' = g limit / |g| where the norm |g| of all gradients together exceeds the limit (Pascanu
 * et al., "On the difficulty of training recurrent neural networks", 2013, algorithm 1), else g.
 * The rate is outside of v, as in torch. Caffe and Krizhevsky et al. (2012, section 5) have it
 * inside, v = momentum v + rate (g + decay w): the same while the rate stays, but for them what v
 * has gathered still moves w at the old rate after the rate has changed. */
typedef struct det_optimizer det_optimizer;

/** Numbers that are learned, or that are only averaged. All is borrowed for as long as
 *  the optimizer lives. */
typedef struct det_optimizer_parameter {
    const char *layer;      /**< its name: looked at by rules, and in errors */
    float *values;          /**< count; changed by steps */
    const float *gradients; /**< count, as they are when a step is made; NULL: nothing learns here,
                               but averages are kept (running statistics of batch normalisation) */
    size_t count;
    double rate; /**< multiplier of the learning rate, at least 0, beside that of the rules. 0:
                    values stay as they are. Biases in Caffe's networks: 2 */
    bool decays; /**< weights do; biases, scales and shifts do not (GoogLeNet's decay multipliers 1
                    and 0; He et al., "Bag of Tricks", 2019, section 3.1) */
} det_optimizer_parameter;

/** Layers that learn faster or slower than others. */
typedef struct det_rate_rule {
    const char *layers; /**< pattern of their names as fnmatch has it; "*" matches "/", too */
    double rate;        /**< multiplier, at least 0 */
} det_rate_rule;

typedef struct det_optimizer_options {
    double momentum;            /**< in [0, 1); R-CNN and BVLC's GoogLeNet: .9 */
    double decay;               /**< at least 0; R-CNN: 5e-4, BVLC's GoogLeNet: 2e-4 */
    double norm_max;            /**< the limit of |g|; 0: none */
    const det_rate_rule *rules; /**< rule_count; the first one that matches a layer holds for it */
    size_t rule_count;
    uint64_t average_window; /**< of averages; 0: none are kept */
    uint64_t average_from;   /**< steps that are not averaged, for they come too early */
    int threads;             /**< 0: as many as the process may use; results do not depend on it */
} det_optimizer_options;

/** @param options borrowed for the call.
 *  @return DET_OK; DET_ARGUMENT (a number outside its range; a rule that matches no layer, which
 *          error->where then names); DET_MEMORY. */
det_status det_optimizer_create(const det_optimizer_parameter *parameters, size_t count,
                                const det_optimizer_options *options, det_optimizer **optimizer,
                                det_error *error);
/** Takes NULL. */
void det_optimizer_free(det_optimizer *optimizer);

/** Makes a step.
 *  @param rate learning rate, at least 0 (schedule.h).
 *  @param norm receives the norm |g| of the gradients of all parameters whose rate is above 0,
 * before anything limits it; or NULL.
 *  @return DET_OK; DET_ARGUMENT (a gradient is not finite: error->where is its layer, and nothing
 * has changed, neither parameters nor state). */
det_status det_optimizer_step(det_optimizer *optimizer, double rate, double *norm,
                              det_error *error);

/* ---- Averages -------------------------------------------------------------------------------- *
 *
 * The n-th step that is averaged moves the averages of all parameters by (w - average) / min(n,
 * window). Until n exceeds the window they are the mean of all n steps (Polyak and Juditsky,
 * "Acceleration of stochastic approximation by averaging", 1992, which GoogLeNet's paper, section
 * 6, ends with); from then on earlier steps fade by 1 - 1 / window a step (10000 steps: the .9999
 * of TensorFlow's training of Inception). A window of UINT64_MAX never forgets. */

/** Exchanges all values and their averages: to measure or write the averaged network, and a second
 *  time, to go on. Does nothing where no step was averaged yet.
 *  @return whether it did anything. */
bool det_optimizer_exchange(det_optimizer *optimizer);

/* ---- State ------------------------------------------------------------------------------------ *
 *
 * All that steps leave behind besides the values: another optimizer of the same parameters and
 * options that is given it goes on as this one would. */

/** Steps made. */
uint64_t det_optimizer_steps(const det_optimizer *optimizer);
void det_optimizer_set_steps(det_optimizer *optimizer, uint64_t steps);
/** v of a parameter, in the order of its values: count floats, to be read and written; NULL where
 *  nothing learns (no gradients, or a rate of 0). Before the first step they are 0. */
float *det_optimizer_momentum(det_optimizer *optimizer, size_t index);
/** Its average, likewise; NULL where none are kept. Before a step is averaged they are 0. */
float *det_optimizer_average(det_optimizer *optimizer, size_t index);
/** By how much the learning rate is multiplied for it: its own rate times that of its rule. */
double det_optimizer_rate(const det_optimizer *optimizer, size_t index);

#endif
