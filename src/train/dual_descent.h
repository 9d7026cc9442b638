/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_DUAL_DESCENT_H
#define DETECT_TRAIN_DUAL_DESCENT_H

#include "src/base/random.h"

#include <stdbool.h>
#include <stddef.h>

/** A linear support vector machine by its dual:
 *
 *      minimise |w|^2 / 2 + b^2 / 2 - sum of alphas,  0 <= alpha <= the bound of its example,
 *      where w = sum alpha y x, b = sum alpha y bias,  y = 1 (positive) or -1
 *
 *  Everything is borrowed. */
typedef struct det_dual {
    size_t count, width;
    const float *rows;     /**< count x width: the x */
    const double *squares; /**< count: |x|^2 + bias^2, above 0 */
    const bool *positive;  /**< count */
    double bounds[2];      /**< of a negative and of a positive example */
    double bias;
    double *alphas; /**< count; */
    float *weights; /**< width: w, and ... */
    double offset;  /**< ... b: both must fit the alphas when it begins */
    size_t *order;  /**< count; the first `active` are the examples of the next round */
    size_t active;
    double least, most; /**< between which the projected gradients of the last round lay */
} det_dual;

/** The product of two rows, in 16 sums: the same on every machine. */
float det_row_product(const float *a, const float *b, size_t width);

/** The score of a row: w . x + b bias. */
double det_dual_score(const det_dual *dual, const float *row);

/** All examples are active again; before the first round, and where examples have changed. */
void det_dual_activate_all(det_dual *dual);

/** A round of coordinate descent (Hsieh et al. 2008, algorithm 3): the alpha of each active example
 *  in turn, in an order drawn anew, becomes the best one while the others stay. An example whose
 *  alpha is at a bound, and likely to stay there, is active no longer (section 3.2).
 *  @return the length of the interval in which the projected gradients lay that it met: where all
 *          were active, 0 says that all alphas were the best ones. */
double det_dual_descend(det_dual *dual, det_random *random);

#endif
