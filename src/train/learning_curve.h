/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_LEARNING_CURVE_H
#define DETECT_TRAIN_LEARNING_CURVE_H

#include "detect/train.h"
#include "src/train/fit.h"
#include "src/train/measure.h"

/* How AP50 grows with the pictures that heads learn from: of each fold's training part a quarter,
 * half and all of it are learned from, each within the next. The held-out pictures stay the same,
 * so that the points of the curve are paired. */

/** Deals pictures to the points: those of point 0 are learned from at every point, those of point 1
 *  from there on, and so forth. Each fold gives a quarter of its pictures to each of the first two
 *  points, with its share of every class (det_split_folds).
 *  @param points image_count; receives numbers below DET_CURVE_POINTS.
 *  @return DET_OK, DET_MEMORY. */
det_status det_deal_curve(const det_annotations *annotations, const int *folds, int fold_count,
                          uint64_t seed, int *points, det_error *error);

/** Examples of some pictures. Owns its rows and weights. */
typedef struct det_example_part {
    det_fit_examples examples;
    det_row *rows;
    float *weights;
} det_example_part;

/** The examples of pictures that a point learns from.
 *  @param all  without `beside`.
 *  @param part free with det_example_part_free, also after a failure. @return DET_OK, DET_MEMORY.
 */
det_status det_take_part(const det_fit_examples *all, const int *points, int point,
                         det_example_part *part, det_error *error);
/** Takes {0}. */
void det_example_part_free(det_example_part *part);

/** Measurements along the curve. {0} is empty. */
typedef struct det_curve_samples {
    size_t count, samples;
    double images[DET_CURVE_POINTS];  /**< learned from: mean over folds */
    double ap50[DET_CURVE_POINTS];    /**< of all classes */
    double *values[DET_CURVE_POINTS]; /**< samples: of the bootstrap; those of two points are of
                                           the same pictures. det_free each */
} det_curve_samples;
void det_curve_samples_free(det_curve_samples *samples);

/** Measures AP50 of the next point.
 *  @param images that its heads learned from. @return DET_OK, DET_MEMORY. */
det_status det_curve_add(det_curve_samples *samples, const det_measuring *measuring, double images,
                         det_error *error);

/** What `more` pictures besides `images` add to AP50 by the model AP50 = a + b log(pictures),
 *  fitted to the points by least squares, for the pictures as they are and for each sample; AP50 of
 *  the last point and the gain together are at most 1.
 *  @param gain receives it; NaN and no samples where there are less than two points.
 *  @return DET_OK, DET_MEMORY. */
det_status det_curve_gain(const det_curve_samples *samples, size_t images, size_t more,
                          det_interval *gain, det_error *error);

#endif
