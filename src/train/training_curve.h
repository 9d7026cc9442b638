/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_TRAINING_CURVE_H
#define DETECT_TRAIN_TRAINING_CURVE_H

#include "detect/train.h"
#include "src/base/text.h"

/* How the training of a network went: losses and learning rate over the steps, as the log of the
 * training says (src/train/event_log.h), and a picture of them. */

/** What is known of a step. */
typedef struct det_curve_step {
    uint64_t step;
    double loss, rate, validation_loss; /**< NaN where there is no number */
} det_curve_step;

/** {0} is empty. */
typedef struct det_training_curve {
    det_curve_step *steps; /**< count, in their order */
    size_t count, capacity;
} det_training_curve;

/** Adds a step. One that is not after the last goes back to it, as a training does that goes on
 * from a checkpoint: what was there from that step on is dropped.
 *  @return false when memory is short. */
bool det_training_curve_add(det_training_curve *curve, const det_curve_step *step);
void det_training_curve_free(det_training_curve *curve);

/** Reads the steps of a network from a log: of the last training in it, and of those that it goes
 * on with. What else the log says is passed over; so is a last line that was cut.
 *  @param network which one, as det_train_step has it.
 *  @param curve   {0}; det_training_curve_free it. Without steps where the log has none of it.
 *  @return DET_OK, DET_IO, DET_FORMAT (error->where is the line), DET_LIMIT (above 1 GiB),
 *          DET_MEMORY. Empty after a failure. */
det_status det_training_curve_read(const char *path, size_t network, det_training_curve *curve,
                                   det_error *error);

/** Writes it as a picture, as SVG or PNG by the ending of the name: the losses, and below them the
 *  learning rate. Of many steps the means of neighbours are shown, but every loss of a validation.
 *  Losses that fall to less than a thirtieth are shown on a logarithmic axis.
 *  @return DET_OK; DET_ARGUMENT (no step, another ending); DET_IO; DET_MEMORY; DET_INTERNAL
 * (cairo).
 */
det_status det_training_curve_write(const det_training_curve *curve, const char *path,
                                    det_error *error);
/** Appends the same as an SVG document. */
det_status det_training_curve_svg(const det_training_curve *curve, det_text *svg, det_error *error);

#endif
