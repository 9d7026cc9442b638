/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_SCHEDULE_H
#define DETECT_TRAIN_SCHEDULE_H

#include "src/base/error.h"

/** How the learning rate falls from step to step. t is the step, counted from 0, T all of them. */
typedef enum det_schedule_kind {
    DET_SCHEDULE_CONSTANT = 0, /**< rate */
    DET_SCHEDULE_STEP,  /**< rate * factor^floor(t / every): Caffe's "step". R-CNN: factor .1,
                             every 20000 steps; GoogLeNet's paper: .96, every 8 epochs */
    DET_SCHEDULE_POLY,  /**< rate * (1 - t / T)^power: Caffe's "poly". BVLC's GoogLeNet: .5 */
    DET_SCHEDULE_COSINE /**< rate * (1 + cos(pi t / T)) / 2 (Loshchilov and Hutter, "SGDR", 2017,
                             equation 5, without restarts) */
} det_schedule_kind;

typedef struct det_schedule {
    det_schedule_kind kind;
    double rate;      /**< above 0; fine-tuning as in R-CNN: .001 */
    double factor;    /**< of steps; above 0, at most 1 */
    uint64_t every;   /**< of steps; at least 1 */
    double power;     /**< of poly; at least 0 */
    uint64_t warm_up; /**< steps in which the rate rises to that of the schedule: it is multiplied
                         by (t + 1) / warm_up (Goyal et al., "Accurate, Large Minibatch SGD", 2017,
                           section 2.2). 0: none */
} det_schedule;

/** @return DET_OK, DET_ARGUMENT (a number outside its range). */
det_status det_schedule_check(const det_schedule *schedule, det_error *error);

/** The learning rate of a step.
 *  @param step below steps: the last step still learns. */
double det_schedule_rate(const det_schedule *schedule, uint64_t step, uint64_t steps);

#endif
