/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/subspace.h"

#include "src/base/error.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/train/blas.h"

#include <math.h>
#include <string.h>

/* Each round multiplies a direction by the squares that rows have along it. */
enum { ROUNDS = 5 };

static double dot(const float *a, const float *b, size_t width)
{
    double sum = 0;
    for (size_t i = 0; i < width; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

/* Takes from a direction what it has of those before it. @return what is left of its length. */
static double clear(float *basis, size_t at, size_t width)
{
    float *direction = basis + at * width;
    for (size_t i = 0; i < at; i++) {
        const float *other = basis + i * width;
        const double share = dot(direction, other, width);
        for (size_t j = 0; j < width; j++)
            direction[j] = (float)((double)direction[j] - share * (double)other[j]);
    }
    return sqrt(dot(direction, direction, width));
}

/* Gram and Schmidt, twice, which is enough (Kahan and Parlett). A direction of which the second
 * time takes much again was but rounding. */
static void straighten(float *basis, size_t rank, size_t width)
{
    for (size_t i = 0; i < rank; i++) {
        const double once = clear(basis, i, width), twice = clear(basis, i, width);
        const double factor = twice > once / 2 ? 1 / twice : 0;
        for (size_t j = 0; j < width; j++)
            basis[i * width + j] = (float)((double)basis[i * width + j] * factor);
    }
}

det_status det_find_subspace(const float *rows, size_t count, size_t width, size_t rank,
                             uint64_t seed, float *basis, det_error *error)
{
    float *shares = det_alloc_array(count, rank * sizeof *shares); /* rank x count: of rows */
    if (!shares) return det_fail_memory(error, "the directions of features");
    det_random random = det_random_create(seed, 0);
    for (size_t i = 0; i < rank * count; i++) shares[i] = (float)(det_random_double(&random) - .5);
    for (int round = 0; round < ROUNDS; round++) {
        if (round > 0) det_blas_outputs(rows, count, basis, rank, width, shares);
        memset(basis, 0, rank * width * sizeof *basis);
        det_blas_gradients(shares, count, rank, rows, width, basis);
        straighten(basis, rank, width);
    }
    det_free(shares);
    return DET_OK;
}
