/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DATA_LOSSES_H
#define DETECT_DATA_LOSSES_H

#include "detect/convert.h"
#include "src/data/annotations.h"

/** What is lost, while it is counted; {0} is empty. */
typedef struct det_loss_tally {
    det_oddity_count counted[DET_LOSS_COUNT];
    const char *descriptions[DET_LOSS_COUNT]; /**< what the format at hand does with it, where this
                                                   is not always the same; static */
} det_loss_tally;

/** Counts a loss; the text says where it was, and is kept for the first one. */
void det_loss_note(det_loss_tally *tally, det_loss loss, const char *format, ...) DET_PRINTF(3, 4);

/** Makes the lines of a tally. @param unread of the annotations, or NULL.
 *  @return DET_OK, DET_MEMORY. */
det_status det_losses_make(const det_loss_tally *tally, const det_annotations *unread,
                           det_losses **losses, det_error *error);

#endif
