/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_KERNELS_LRN_H
#define DETECT_NN_KERNELS_LRN_H

#include "src/nn/graph.h"
#include "src/nn/kernels/kernel.h"
#include "src/nn/kernels/tiles.h"

enum { DET_LRN_CHANNELS = 5 };

/** Some pixels of all channels. */
typedef struct det_lrn_call {
    const void *in;
    void *out;
    size_t planes;          /**< blocks of channels */
    size_t area;            /**< pixels of a plane */
    size_t begin, end;      /**< pixels to compute */
    float k, alpha_by_size; /**< alpha / DET_LRN_CHANNELS */
    det_values in_type, out_type;
    const float *inverse_step; /**< one a channel: bytes are multiples of 1 / it; else NULL */
} det_lrn_call;

/** One kind of processor. */
typedef struct det_lrn_code {
    const char *name;
    int block; /**< channels of a block */
    void (*run)(const det_lrn_call *call);
} det_lrn_code;

#if defined(__x86_64__)
/** f32 to f32 or bytes. */
extern const det_lrn_code det_lrn_avx2;
/** f32 or bf16 to the same or bytes. */
extern const det_lrn_code det_lrn_avx512;
#endif

/** Whether a layer is of the kind that we compute: over 5 channels, to the power of 3/4. */
bool det_lrn_suits(const det_node *node);

/** Local response normalisation across channels (Krizhevsky et al. 2012, section 3.3; as Caffe):
 *
 *    y[c] = x[c] / (k + alpha / 5 * sum of x[i]^2 over i = c - 2 .. c + 2)^(3/4)
 *
 *  @param type  of the input, and of the output but for:
 *  @param steps one a channel of an output in bytes, or NULL.
 *  @return DET_OK, DET_MEMORY. */
det_status det_lrn_create(const det_lrn_code *code, const det_node *node, det_shape shape,
                          det_values type, const float *steps, det_kernel **kernel,
                          det_error *error);

#endif
