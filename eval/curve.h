/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_EVAL_CURVE_H
#define DETECT_EVAL_CURVE_H

#include <stddef.h>
#include <stdint.h>

/* Precision against recall. Only true positives raise recall, and a false positive lowers
 * precision, so the points at true positives carry everything that any average precision needs. */

/** Detection i counts of_image[images[i]] times. */
typedef struct det_curve_weights {
    const uint32_t *images, *of_image;
} det_curve_weights;

/** The points of a curve at its true positives, each precision then replaced by the highest one at
 *  this or a higher recall (the envelope):
 *    recall = tp / positives, precision = tp / (tp + fp + epsilon).
 *  @param outcomes  count x det_outcome, best detection first.
 *  @param weights   NULL, or how often each detection counts.
 *  @param positives above 0.
 *  @param recall, precision room for `count` numbers, or as many as there are true positives.
 *  @return the number of points. */
size_t det_curve_points(const uint8_t *outcomes, size_t count, const det_curve_weights *weights,
                        double positives, double epsilon, double *recall, double *precision);

/** The envelope at recalls i * step, i = 0 ... samples - 1; 0 where that is not reached. */
void det_curve_sample(const double *recall, const double *precision, size_t count, double step,
                      size_t samples, double *values);

/** COCO: the mean at recalls 0, .01, ... 1. */
double det_curve_average_101(const double *recall, const double *precision, size_t count);
/** VOC2007: the mean at recalls k * .1, computed in double (.30000000000000004). */
double det_curve_average_11(const double *recall, const double *precision, size_t count);
/** VOC2010 and later, ILSVRC: the area below the envelope. */
double det_curve_area(const double *recall, const double *precision, size_t count);

#endif
