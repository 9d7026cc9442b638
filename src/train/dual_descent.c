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

/* What a round finds at an example. */
typedef struct {
    double gradient; /* by its alpha, 0 where a bound keeps that from following */
    bool settled;    /* at a bound that the gradient presses it to, by more than any example of the
                        last round was pressed the other way */
} finding;

static finding improve(det_dual *dual, size_t example)
{
    const bool positive = dual->positive[example];
    const double sign = positive ? 1 : -1, bound = dual->bounds[positive];
    const double before = dual->alphas[example];
    const double gradient = sign * det_dual_score(dual, dual->rows + example * dual->width) - 1;
    if (before <= 0 && gradient >= 0) return (finding){0, gradient > dual->most};
    if (before >= bound && gradient <= 0) return (finding){0, gradient < dual->least};
    const double after = fmin(fmax(before - gradient / dual->squares[example], 0), bound);
    dual->alphas[example] = after;
    move_weights(dual, example, sign * (after - before));
    return (finding){gradient, false};
}

static void swap(size_t *a, size_t *b)
{
    const size_t kept = *a;
    *a = *b;
    *b = kept;
}

void det_dual_activate_all(det_dual *dual)
{
    for (size_t i = 0; i < dual->count; i++) dual->order[i] = i;
    dual->active = dual->count;
    dual->least = -INFINITY;
    dual->most = INFINITY;
}

double det_dual_descend(det_dual *dual, det_random *random)
{
    double least = 0, most = 0;
    for (size_t i = 0; i < dual->active;) {
        swap(&dual->order[i],
             &dual->order[i + det_random_below(random, (uint32_t)(dual->active - i))]);
        const finding found = improve(dual, dual->order[i]);
        least = fmin(least, found.gradient);
        most = fmax(most, found.gradient);
        if (found.settled)
            swap(&dual->order[i], &dual->order[--dual->active]);
        else
            i++;
    }
    dual->least = least < 0 ? least : -INFINITY;
    dual->most = most > 0 ? most : INFINITY;
    return most - least;
}
