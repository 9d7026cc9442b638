/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/dual_descent.h"

#include <math.h>

enum { LANES = 16 };

/* Sums in lanes, which compilers turn into vectors. */
float det_row_product(const float *a, const float *b, size_t width)
{
    float sums[LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + LANES <= width; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++) sums[lane] += a[i + lane] * b[i + lane];
    for (; i < width; i++) sum += a[i] * b[i];
    for (size_t lane = 0; lane < LANES; lane++) sum += sums[lane];
    return sum;
}

double det_dual_score(const det_dual *dual, const float *row)
{
    return (double)det_row_product(dual->weights, row, dual->width) + dual->offset * dual->bias;
}

static void move_weights(det_dual *dual, size_t example, double change)
{
    const float *row = dual->rows + example * dual->width, factor = (float)change;
    for (size_t i = 0; i < dual->width; i++) dual->weights[i] += factor * row[i];
    dual->offset += change * dual->bias;
}

/* @return the gradient by the alpha of an example, 0 where a bound keeps it from following. */
static double improve(det_dual *dual, size_t example)
{
    const bool positive = dual->positive[example];
    const double sign = positive ? 1 : -1, bound = dual->bounds[positive];
    const double before = dual->alphas[example];
    const double gradient = sign * det_dual_score(dual, dual->rows + example * dual->width) - 1;
    if ((before <= 0 && gradient >= 0) || (before >= bound && gradient <= 0)) return 0;
    const double after = fmin(fmax(before - gradient / dual->squares[example], 0), bound);
    dual->alphas[example] = after;
    move_weights(dual, example, sign * (after - before));
    return gradient;
}

double det_dual_descend(det_dual *dual, det_random *random)
{
    double least = 0, most = 0;
    for (size_t i = 0; i < dual->count; i++) dual->order[i] = i;
    for (size_t left = dual->count; left > 0; left--) {
        const size_t at = det_random_below(random, (uint32_t)left);
        const size_t example = dual->order[at];
        dual->order[at] = dual->order[left - 1];
        const double gradient = improve(dual, example);
        least = fmin(least, gradient);
        most = fmax(most, gradient);
    }
    return most - least;
}
