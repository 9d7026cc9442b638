/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_SUSPICIONS_H
#define DETECT_TRAIN_SUSPICIONS_H

#include "detect/train.h"
#include "src/train/cross_validation.h"

/* Labels that are worth a look, because detections by heads that never saw their picture speak
 * against them, or because two of them say the same. */

/** {0} is empty. */
typedef struct det_suspicions {
    det_suspicion *items; /**< count; each owns its `why` */
    size_t count, capacity;
} det_suspicions;

/** Finds the most doubtful labels. A detection speaks where its score is .5 or more and no label of
 *  its class overlaps it by half; then, of the objects that it overlaps,
 *  - one of another class by half: that has the wrong class;
 *  - one of its own class by .25 or more: that has a loose box;
 *  - none by .1: a label is missed.
 *  It does not where it lies by half in a crowd or overlaps an object that is marked (difficult, to
 *  be ignored) by .1 or more. Two labels speak against each other where they overlap by .8, or by
 * .9 if they are of different classes. det_suspicion says how doubt is measured. Of suspicions of
 * one label, or of boxes that overlap by half, the most doubtful one stays.
 *
 *  @param found grouped by image, the images ascending.
 *  @param most  the most that stay.
 *  @param list  receives them, the most doubtful first, of equals the first in the annotations;
 *               det_suspicions_free it, also after a failure.
 *  @return DET_OK, DET_MEMORY. Thread-safe. */
det_status det_find_suspicions(const det_annotations *annotations,
                               const det_held_out_objects *found, size_t most, det_suspicions *list,
                               det_error *error);
/** Takes {0}. */
void det_suspicions_free(det_suspicions *list);

#endif
