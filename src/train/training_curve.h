/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_TRAINING_CURVE_H
#define DETECT_TRAIN_TRAINING_CURVE_H

#include "src/base/error.h"
#include "src/base/text.h"

#include <stdint.h>

/* How the training of a network went: loss, learning rate and figures over the steps, as its log
 * says (src/train/event_log.h), and a picture of them. */

typedef struct det_curve_step {
    uint64_t step;
    double loss, rate; /**< NaN where the log has no number */
} det_curve_step;

typedef struct det_curve_figure {
    uint64_t step;
    double value; /**< NaN where the log has no number */
} det_curve_figure;

/** {0} is empty. Both lists are in the order of their steps. */
typedef struct det_training_curve {
    det_curve_step *steps;
    size_t step_count, step_capacity;
    det_curve_figure *figures;
    size_t figure_count, figure_capacity;
    char figure[64]; /**< what the figures are, such as "AP50"; "" where there are none */
} det_training_curve;

/** Adds what was logged after a step. A step that is not after the last one goes back to it, as a
 *  training does that goes on from a checkpoint: what was there from that step on is dropped.
 *  @return false when memory is short. */
bool det_training_curve_add_step(det_training_curve *curve, uint64_t step, double loss,
                                 double rate);
/** @param figure what it is; the last one counts. */
bool det_training_curve_add_figure(det_training_curve *curve, uint64_t step, const char *figure,
                                   double value);
void det_training_curve_free(det_training_curve *curve);

/** Reads the last training of a log, and those that it goes on with. What else the log says is
 *  passed over; so is a last line that was cut.
 *  @param curve {0}; det_training_curve_free it.
 *  @return DET_OK, DET_IO, DET_FORMAT (error->where is the line), DET_LIMIT (above 1 GiB),
 *          DET_MEMORY. Empty after a failure. */
det_status det_training_curve_read(const char *path, det_training_curve *curve, det_error *error);

/** Writes it as a picture, three charts one below the other, the last one left out where there are
 *  no figures: as SVG or PNG, by the ending of the name. Of many steps, means of neighbours are
 *  shown. A loss that falls to less than a thirtieth is shown on a logarithmic axis.
 *  @return DET_OK; DET_ARGUMENT (no step, another ending); DET_IO; DET_MEMORY; DET_INTERNAL
 * (cairo).
 */
det_status det_training_curve_write(const det_training_curve *curve, const char *path,
                                    det_error *error);
/** Appends the same as an SVG document. */
det_status det_training_curve_svg(const det_training_curve *curve, det_text *svg, det_error *error);

#endif
