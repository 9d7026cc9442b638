/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_MEASURE_H
#define DETECT_TRAIN_MEASURE_H

#include "eval/bootstrap.h"
#include "src/train/cross_validation.h"

/** What figures come from. Borrowed. */
typedef struct det_measuring {
    const det_training_set *set;
    const det_held_out_objects *found; /**< in each picture, by a head that did not see it */
    size_t samples;                    /**< of the bootstrap */
    uint64_t seed;                     /**< of the samples: equal ones are of the same pictures */
    int threads;
} det_measuring;

/** AP of each category of the annotations and, behind them, of their mean. */
typedef struct det_measured_ap {
    double *values;          /**< category_count + 1 */
    det_resamples resamples; /**< likewise, of the same samples for all, in one order */
} det_measured_ap;

/** Measures AP.
 *  @param iou NULL: the mean over COCO's thresholds; else one threshold.
 *  @param ap  free with det_measured_ap_free, also after a failure. @return DET_OK, DET_MEMORY. */
det_status det_measure_ap(const det_measuring *measuring, const double *iou, det_measured_ap *ap,
                          det_error *error);
/** Takes {0}. */
void det_measured_ap_free(det_measured_ap *ap);

/** The interval of a category, or (category_count) of the mean. @return DET_OK, DET_MEMORY. */
det_status det_measured_interval(const det_measured_ap *ap, size_t category, det_interval *interval,
                                 det_error *error);

/** The interval of what `after` is above `before`: of both on the same samples of the same
 * pictures.
 *  @return DET_OK, DET_MEMORY. */
det_status det_measured_gain(const det_measured_ap *before, const det_measured_ap *after,
                             size_t category, det_interval *gain, det_error *error);

#endif
