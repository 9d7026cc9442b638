/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_EVENT_LOG_H
#define DETECT_TRAIN_EVENT_LOG_H

#include "detect/train.h"

/* What happens in a training, as JSON lines (configs/log.schema.json): a line an event, each on the
 * disk's side as soon as it is written. A log that cannot be written any more is silent: it must
 * not end hours of work. All of these take NULL for no log. */

typedef struct det_event_log det_event_log;

/** @param path lines are appended to it; NULL: there is no log, and *log is NULL.
 *  @return DET_OK, DET_IO, DET_MEMORY. */
det_status det_event_log_open(const char *path, det_event_log **log, det_error *error);
void det_event_log_close(det_event_log *log);

/** A training begins. @param resumed whether it is one that was interrupted. */
void det_event_run_begun(det_event_log *log, const det_annotations *annotations, bool resumed);
/** Its figures. @param output the model file. */
void det_event_run_ended(det_event_log *log, const det_training *training, const char *output);
void det_event_run_failed(det_event_log *log, const det_error *error);

/** A stage begins; the seconds that it takes are counted from here. */
void det_event_stage_begun(det_event_log *log, const char *stage);
/** The stage that has begun last ends. @param reused, made results that were kept from before, and
 * that were not. */
void det_event_stage_ended(det_event_log *log, size_t reused, size_t made);

/** An evaluation of the losses of several heads. */
void det_event_iteration(det_event_log *log, uint64_t iteration, const double *losses,
                         size_t count);

/** A step of the training of a network. */
void det_event_step(det_event_log *log, const det_train_step *step);

#endif
