/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_EVAL_BOOTSTRAP_H
#define DETECT_EVAL_BOOTSTRAP_H

#include "detect/eval.h"

/** AP over resampled pictures. The samples of two evaluations of as many pictures are of the same
 *  pictures where their seeds are the same. */
typedef struct det_resamples {
    size_t samples, class_count;
    double *values; /**< (class_count + 1) x samples: AP of each class, and of their mean; NaN where
                         a sample has no object. det_free it */
} det_resamples;

/** As det_evaluation_bootstrap, but gives the values themselves. Of a failure nothing is left. */
det_status det_evaluation_resample(const det_evaluation *evaluation, const det_evaluation *other,
                                   size_t samples, uint64_t seed, const det_run *run,
                                   det_resamples *resamples, det_error *error);

/** The interval of a value. @param values of each sample; NaN does not count; they are sorted. */
det_interval det_interval_make(double value, double *values, size_t samples);

/** The values of a class, or (class_count) of the mean. */
static inline double *det_resamples_of(const det_resamples *resamples, size_t category)
{
    return resamples->values + category * resamples->samples;
}

#endif
