/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_DESCENT_H
#define DETECT_TRAIN_DESCENT_H

#include "src/nn/trainer.h"
#include "src/train/event_log.h"
#include "src/train/optimizer.h"
#include "src/train/schedule.h"

/* A network that learns, step by step, and whose state is kept on the way. What it learns from, and
 * what for, is the task's. */

/** What is learned. A step is the same however often it is made, and whichever came before. */
typedef struct det_descent_task {
    void *context;
    /** Fills the input of the trainer with the examples of a step. */
    det_status (*feed)(void *context, uint64_t step, det_trainer *trainer, det_error *error);
    /** The loss of the outputs for the examples that were fed last; fills their gradients. */
    det_status (*judge)(void *context, det_trainer *trainer, double *loss, det_error *error);
    /** The loss on examples that are not learned from; NULL: it is not measured. */
    det_status (*validate)(void *context, det_trainer *trainer, double *loss, det_error *error);
} det_descent_task;

typedef struct det_descent_options {
    uint64_t steps;
    size_t batch; /**< examples of a step, to tell how many a second are learned from */
    det_schedule schedule;
    det_optimizer_options optimizer;
    uint64_t seed;             /**< of dropout */
    const char *checkpoint;    /**< file where the state is kept, and found; NULL: nowhere */
    uint64_t checkpoint_every; /**< steps between states that are kept, and between measurements; at
                                    least 1 */
    const char *begun_with;    /**< digest of all else that a step depends on (checkpoint.h) */
    size_t network, networks;  /**< which of how many it is, for those who are told */
    /** Told after each step; returning false cancels. NULL: nobody is. */
    det_train_step_progress *progress;
    void *progress_context;
    det_event_log *log; /**< or NULL */
} det_descent_options;

/** Lets a network learn. Afterwards its values are those that are to be used: with `validate` those
 *  that were the best ones at a measurement, else those of the last step; their average over the
 *  steps where the optimizer keeps one.
 *
 *  Where a state is kept, the training goes on from there, and ends as one that was not
 * interrupted: bit for bit on one processor, with one number of threads and one version of the
 * libraries. It is kept when the training is cancelled, too, but for the step at hand.
 *  @param run deadline; its progress is not called.
 *  @return DET_OK; DET_CANCELLED; DET_ARGUMENT (a loss or a gradient that is not finite: the
 * message says which, and the step); as the task; as det_checkpoint_write; DET_MEMORY,
 *          DET_INTERNAL. */
det_status det_descend(det_trainer *trainer, const det_descent_task *task,
                       const det_descent_options *options, const det_run *run, det_error *error);

#endif
