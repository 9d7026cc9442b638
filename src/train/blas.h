/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_BLAS_H
#define DETECT_TRAIN_BLAS_H

#include <stdbool.h>
#include <stddef.h>

/* Products of matrices, which lie row after row. OpenBLAS is called from one thread at a time. */

/** outputs = w x^T. Few functions of many rows are computed several times as fast so as the other
 * way round.
 *  @param x       rows x width.
 *  @param w       functions x width.
 *  @param outputs functions x rows. */
void det_blas_outputs(const float *x, size_t rows, const float *w, size_t functions, size_t width,
                      float *outputs);

/** gradients += residuals x.
 *  @param residuals functions x rows.
 *  @param x         rows x width.
 *  @param gradients functions x width. */
void det_blas_gradients(const float *residuals, size_t rows, size_t functions, const float *x,
                        size_t width, float *gradients);

/** products = a b^T.
 *  @param a        rows x width.
 *  @param b        columns x width.
 *  @param products rows of it lie `stride` apart. */
void det_blas_products(const double *a, size_t rows, const double *b, size_t columns, size_t width,
                       double *products, size_t stride);

/** squares += x^T x, below and on the diagonal; the rest stays.
 *  @param x       rows x width.
 *  @param squares width x width. */
void det_blas_add_squares(const double *x, size_t rows, size_t width, double *squares);

/** Solves matrix y = right for each of `count` right sides, by Cholesky's factors (LAPACK).
 *  @param matrix size x size, symmetric, of which what lies below and on the diagonal is looked at;
 *                becomes its factor.
 *  @param right  count x size; becomes the solutions.
 *  @return false where the matrix is not positive definite. */
bool det_blas_solve(double *matrix, size_t size, double *right, size_t count);

#endif
