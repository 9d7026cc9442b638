/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_KERNELS_CONVOLUTION_H
#define DETECT_NN_KERNELS_CONVOLUTION_H

#include "src/nn/graph.h"
#include "src/nn/kernels/kernel.h"
#include "src/nn/kernels/tiles.h"

/** What a convolution is made from; borrowed for the call. */
typedef struct det_convolution_parts {
    const det_node *node; /**< of one group */
    const det_node *relu; /**< whose slope holds for negative sums, or NULL */
    det_shape in, out;
    bool picture; /**< the input is rows of pixels with their padding, of which `in` is the size
                     (picture_rows.h); `node` dilates only down the picture */
    const int8_t *integers; /**< in the place of node's weights, where the input is bytes: */
    const float *scale;  /**< one a channel of the output: sums of integers are multiplied by it */
    const float *bias;   /**< one a channel, or NULL: node's is not looked at */
    det_values out_type; /**< that of the tiles' input, or bytes; of integers any */
    const float *steps;  /**< one a channel of bytes, else NULL */
} det_convolution_parts;

/** A convolution with its ReLU, for one size of map: packed weights, and where each tile reads.
 *
 *    y[o] = relu(b[o] + sum over i, kh, kw of W[o][i][kh][kw] * x[i])
 *
 *  @return DET_OK, DET_MEMORY, DET_LIMIT (a plane of 2^31 values or more). */
det_status det_convolution_create(const det_tiles *tiles, const det_convolution_parts *parts,
                                  det_kernel **kernel, det_error *error);

#endif
