/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_CALIBRATION_H
#define DETECT_TRAIN_CALIBRATION_H

#include <stdbool.h>
#include <stddef.h>

/* Scores as probabilities: functions with one or two numbers in them, fitted to examples that the
 * classifier did not learn from; and how far probabilities are from what they claim to be. Nothing
 * here allocates; all of it is thread-safe. */

/** The limits of a temperature. It ends up at the lower one where every example is right, at the
 *  upper one where outputs tell nothing. */
#define DET_TEMPERATURE_MIN .05
#define DET_TEMPERATURE_MAX 20.

/** The temperature T that makes the labels most likely under softmax(outputs / T) (Guo et al., "On
 *  Calibration of Modern Neural Networks", 2017, section 4.2), by Newton's method on 1 / T, in
 *  which the loss is convex.
 *  @param outputs example_count x class_count, finite; before softmax.
 *  @param labels  of each example, below class_count.
 *  @return within the limits; 1 where there is no example. */
double det_fit_temperature(const float *outputs, const size_t *labels, size_t example_count,
                           size_t class_count);

/** The probability of a score s is 1 / (1 + exp(slope s + offset)): a good classifier's slope is
 *  negative. */
typedef struct det_sigmoid {
    double slope, offset;
} det_sigmoid;

/** The sigmoid that makes the labels most likely (Platt, "Probabilistic Outputs for Support Vector
 *  Machines", 1999), by the Newton method of Lin, Lin and Weng ("A Note on Platt's Probabilistic
 *  Outputs", Machine Learning 68, 2007, appendix). As in both, the probabilities that are aimed at
 *  are (n + 1) / (n + 2) of n positive examples and 1 / (n + 2) of n negative ones.
 *  @param scores   count, finite.
 *  @param positive count. */
det_sigmoid det_fit_sigmoid(const float *scores, const bool *positive, size_t count);

/** The probability of a score, whatever its size. */
double det_sigmoid_probability(det_sigmoid sigmoid, double score);

/** The expected calibration error: examples are put into `bins` bins of equal width by their
 *  probability, bin i holding what is above i / bins and at most (i + 1) / bins (0 goes into the
 *  first); the mean over examples of the distance between the mean probability in their bin and the
 *  share of its examples that are true (Guo et al., equation 3).
 *  @param probabilities count, in [0, 1].
 *  @param truths        count: whether what had this probability is the case.
 *  @param bins          1 to DET_CALIBRATION_BINS_MAX; 15 is usual.
 *  @return in [0, 1]; 0 where there is no example. */
double det_calibration_error(const float *probabilities, const bool *truths, size_t count,
                             size_t bins);
enum { DET_CALIBRATION_BINS_MAX = 100 };

#endif
