/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_KERNELS_CONVOLUTION_H
#define DETECT_NN_KERNELS_CONVOLUTION_H

#include "src/nn/graph.h"
#include "src/nn/kernels/tiles.h"

/** A convolution with its ReLU, made for one size of map: packed weights, and where each tile
 * reads. Read-only once made; safe to share.
 *
 *    y[o] = relu(b[o] + sum over i, kh, kw of W[o][i][kh][kw] * x[i])
 *
 *  Maps are in blocks of channels (tiles.h); channels beyond the last are zeros in the input, and
 *  are written as zeros. */
typedef struct det_convolution det_convolution;

/** Packs the weights of `node`, which has one group.
 *  @param relu   whose slope holds for negative sums, or NULL.
 *  @return DET_OK, DET_MEMORY, DET_LIMIT (a plane of 2^31 values or more). */
det_status det_convolution_create(const det_tiles *tiles, const det_node *node,
                                  const det_node *relu, det_shape in, det_shape out,
                                  det_convolution **convolution, det_error *error);
/** Takes NULL. */
void det_convolution_free(det_convolution *convolution);

/** Bytes that it holds. */
size_t det_convolution_size(const det_convolution *convolution);
const char *det_convolution_name(const det_convolution *convolution);

/** @param in  the map, det_shape.channels rounded up to whole blocks.
 *  @param out likewise; does not overlap `in`.
 *  The same values whatever `threads` is. */
void det_convolution_run(const det_convolution *convolution, const void *in, void *out,
                         int threads);

#endif
