/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_ROUNDING_H
#define DETECT_NN_ROUNDING_H

#include "src/base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Rounding of weights by what they are multiplied with. A layer's sum over a patch p of its input
 * (in steps; src/nn/quantization.h) is off by e . p, where e[i] = v[i] - q[i] is what rounding took
 * from weight v[i]. Its mean is taken back by the bias; what is left has the variance
 *
 *   e' C e,   C the covariance of the patches
 *
 * Rounding each weight to the nearest integer ignores that the values of a patch go together. With
 * C = L L' (Cholesky) that variance is the sum over j of (sum over i >= j of L[i][j] e[i])^2, whose
 * terms are made small one after another, from the last to the first:
 *
 *   q[j] = round(v[j] + sum over i > j of L[i][j] e[i] / L[j][j])
 *
 * (the nearest plane of Babai 1986; the same as GPTQ, Frantar et al. 2023). Values that vary most
 * come last in C, so that their weights are rounded first, while others can still make up. */

/** Sums over the patches of a layer's input, `width` values each. */
typedef struct det_moments {
    int width;
    size_t count;    /**< patches */
    float *sums;     /**< width */
    float *products; /**< width x width: of x[i] x[j] */
} det_moments;

det_status det_moments_create(int width, det_moments *moments, det_error *error);
void det_moments_free(det_moments *moments);

/** Adds `count` rows of moments->width values, on the calling thread alone. (oneDNN) */
det_status det_moments_add(det_moments *moments, const float *rows, size_t count, det_error *error);

/** L of patches, ready to round weights. Read-only once it is made. {0} is empty. */
typedef struct det_rounding {
    int width;
    int *order;    /**< value of a patch that row i stands for */
    float *factor; /**< width x width, L; its strict upper triangle is not used */
} det_rounding;

/** Makes L from the covariance of at least one patch. A ridge of (1/100 + width / (4 count)) of the
 *  mean variance is added: few patches say little about how values go together.
 *  @param steps of each value of a patch, positive: the patches are divided by them.
 *  @return DET_OK, DET_MEMORY; det_rounding_free it in any case. */
det_status det_rounding_create(const det_moments *moments, const float *steps,
                               det_rounding *rounding, det_error *error);
void det_rounding_free(det_rounding *rounding);

/** Rounds the weights of one output.
 *  @param values  width weights in steps: v.
 *  @param limit   the largest magnitude.
 *  @param pending room for width values.
 *  @param rounded receives width integers: q. */
void det_round_weights(const det_rounding *rounding, const float *values, int limit, float *pending,
                       int8_t *rounded);

#endif
