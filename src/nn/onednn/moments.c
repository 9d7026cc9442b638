/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of products of the values of patches: X'X, a matrix product. */
#include "src/base/parallel.h"
#include "src/nn/onednn/plan.h"
#include "src/nn/rounding.h"

typedef struct {
    det_moments *moments;
    const float *rows;
    size_t count;
    dnnl_status_t result;
} sum;

static void add_products(void *context)
{
    sum *s = context;
    const dnnl_dim_t width = s->moments->width;
    s->result = dnnl_sgemm('T', 'N', width, width, (dnnl_dim_t)s->count, 1, s->rows, width, s->rows,
                           width, 1, s->moments->products, width);
}

det_status det_moments_add(det_moments *moments, const float *rows, size_t count, det_error *error)
{
    const size_t width = (size_t)moments->width;
    sum s = {moments, rows, count, dnnl_success};
    if (count > 0) det_with_threads(1, add_products, &s);
    if (s.result != dnnl_success) return det_dnnl_fail(error, "multiply patches", s.result);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < width; j++) moments->sums[j] += rows[i * width + j];
    moments->count += count;
    return DET_OK;
}
