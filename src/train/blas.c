/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/blas.h"

#include <cblas.h>

/* Sizes here are far below the limits of int: rows of a block, features, outputs of heads. */
void det_blas_outputs(const float *x, size_t rows, const float *w, size_t columns, size_t width,
                      float *outputs)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)columns, (int)width, 1, x,
                (int)width, w, (int)width, 0, outputs, (int)columns);
}

void det_blas_gradients(const float *residuals, size_t rows, size_t columns, const float *x,
                        size_t width, float *gradients)
{
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)columns, (int)width, (int)rows, 1,
                residuals, (int)columns, x, (int)width, 1, gradients, (int)width);
}
