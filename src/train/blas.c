/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/blas.h"

#include <cblas.h>
#include <f77blas.h>

/* Sizes here are far below the limits of int: rows of a block, features, outputs of heads. */
/* By columns, so that the many rows are the first dimension, for which kernels are made. */
void det_blas_outputs(const float *x, size_t rows, const float *w, size_t functions, size_t width,
                      float *outputs)
{
    cblas_sgemm(CblasColMajor, CblasTrans, CblasNoTrans, (int)rows, (int)functions, (int)width, 1,
                x, (int)width, w, (int)width, 0, outputs, (int)rows);
}

void det_blas_gradients(const float *residuals, size_t rows, size_t functions, const float *x,
                        size_t width, float *gradients)
{
    cblas_sgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, (int)width, (int)functions, (int)rows, 1,
                x, (int)width, residuals, (int)rows, 1, gradients, (int)width);
}

void det_blas_products(const double *a, size_t rows, const double *b, size_t columns, size_t width,
                       double *products, size_t stride)
{
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)columns, (int)width, 1, a,
                (int)width, b, (int)width, 0, products, (int)stride);
}

void det_blas_add_squares(const double *x, size_t rows, size_t width, double *squares)
{
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (int)width, (int)rows, 1, x, (int)width, 1,
                squares, (int)width);
}

/* LAPACK goes by columns: what lies below the diagonal in rows lies above it there. */
bool det_blas_solve(double *matrix, size_t size, double *right, size_t count)
{
    char upper[] = "U";
    blasint n = (blasint)size, columns = (blasint)count, info = 0;
    BLASFUNC(dpotrf)(upper, &n, matrix, &n, &info);
    if (info == 0) BLASFUNC(dpotrs)(upper, &n, &columns, matrix, &n, right, &n, &info);
    return info == 0;
}
