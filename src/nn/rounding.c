/* SPDX-License-Identifier: Apache-2.0 */
/* Rounding of weights by the covariance of what they are multiplied with. */
#include "src/nn/rounding.h"

#include "src/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

det_status det_moments_create(int width, det_moments *moments, det_error *error)
{
    const size_t n = (size_t)width;
    *moments = (det_moments){.width = width};
    moments->sums = det_alloc_zeroed(n, sizeof *moments->sums);
    moments->products = det_alloc_zeroed(n * n, sizeof *moments->products);
    return moments->sums && moments->products ? DET_OK
                                              : det_fail_memory(error, "the patches of a layer");
}

void det_moments_free(det_moments *moments)
{
    det_free(moments->sums);
    det_free(moments->products);
    *moments = (det_moments){0};
}

/* ---- Cholesky ------------------------------------------------------------------------------- */

/* Smallest variance first; equal ones by position. */
static int compare_variances(const void *a, const void *b, void *context)
{
    const float *variances = context;
    const int i = *(const int *)a, j = *(const int *)b;
    if (variances[i] != variances[j]) return variances[i] < variances[j] ? -1 : 1;
    return (i > j) - (i < j);
}

static float covariance(const det_moments *m, const float *steps, int i, int j)
{
    const double n = (double)m->count;
    const double product = (double)m->products[(size_t)i * (size_t)m->width + (size_t)j] / n;
    const double means = (double)m->sums[i] / n * ((double)m->sums[j] / n);
    return (float)((product - means) / ((double)steps[i] * (double)steps[j]));
}

/* The lower triangle of C in that order, with the ridge. */
static void fill(const det_moments *m, const float *steps, float *variances, det_rounding *r)
{
    const int n = m->width;
    double sum = 0;
    for (int i = 0; i < n; i++) {
        variances[i] = fmaxf(covariance(m, steps, i, i), 0);
        sum += (double)variances[i];
        r->order[i] = i;
    }
    qsort_r(r->order, (size_t)n, sizeof *r->order, compare_variances, variances);
    const double share = .01 + .25 * n / (double)m->count;
    const float ridge = sum > 0 ? (float)(share * sum / n) : 1;
    for (int i = 0; i < n; i++) {
        float *row = r->factor + (size_t)i * (size_t)n;
        for (int j = 0; j < i; j++) row[j] = covariance(m, steps, r->order[i], r->order[j]);
        row[i] = variances[r->order[i]] + ridge;
    }
}

/* L in the place of the lower triangle, column by column. `column` has room for width values. */
static void factorise(det_rounding *r, float *column)
{
    const size_t n = (size_t)r->width;
    for (size_t k = 0; k < n; k++) {
        float *const pivot = &r->factor[k * n + k];
        *pivot = sqrtf(fmaxf(*pivot, 1e-20f)); /* rounding may leave less than the ridge */
        for (size_t i = k + 1; i < n; i++) {
            float *const row = r->factor + i * n;
            const float first = row[k] / *pivot;
            row[k] = column[i] = first;
            for (size_t j = k + 1; j <= i; j++) row[j] -= first * column[j];
        }
    }
}

det_status det_rounding_create(const det_moments *moments, const float *steps,
                               det_rounding *rounding, det_error *error)
{
    const size_t n = (size_t)moments->width;
    *rounding = (det_rounding){.width = moments->width};
    rounding->order = det_alloc_array(n, sizeof *rounding->order);
    rounding->factor = det_alloc_zeroed(n * n, sizeof *rounding->factor);
    float *scratch = det_alloc_array(n, sizeof *scratch);
    const bool enough = rounding->order && rounding->factor && scratch;
    if (enough) {
        fill(moments, steps, scratch, rounding);
        factorise(rounding, scratch);
    }
    det_free(scratch);
    return enough ? DET_OK : det_fail_memory(error, "the rounding of weights");
}

void det_rounding_free(det_rounding *rounding)
{
    det_free(rounding->order);
    det_free(rounding->factor);
    *rounding = (det_rounding){0};
}

/* pending[j] is the sum of L[i][j] e[i] over the weights that are rounded already. */
void det_round_weights(const det_rounding *rounding, const float *values, int limit, float *pending,
                       int8_t *rounded)
{
    const float bound = (float)limit;
    memset(pending, 0, (size_t)rounding->width * sizeof *pending);
    for (int j = rounding->width - 1; j >= 0; j--) {
        const float *row = rounding->factor + (size_t)j * (size_t)rounding->width;
        const int at = rounding->order[j];
        const float wanted = values[at] + pending[j] / row[j];
        const float q = rintf(fminf(fmaxf(wanted, -bound), bound)), e = values[at] - q;
        rounded[at] = (int8_t)q;
        for (int i = 0; i < j; i++) pending[i] += row[i] * e;
    }
}
