/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_BLAS_H
#define DETECT_TRAIN_BLAS_H

#include <stddef.h>

/* Products of matrices, which lie row after row. OpenBLAS is called from one thread at a time. */

/** outputs = x w^T.
 *  @param x       rows x width.
 *  @param w       columns x width.
 *  @param outputs rows x columns. */
void det_blas_outputs(const float *x, size_t rows, const float *w, size_t columns, size_t width,
                      float *outputs);

/** gradients += residuals^T x.
 *  @param residuals rows x columns.
 *  @param x         rows x width.
 *  @param gradients columns x width. */
void det_blas_gradients(const float *residuals, size_t rows, size_t columns, const float *x,
                        size_t width, float *gradients);

#endif
