/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_KERNELS_TILES_H
#define DETECT_NN_KERNELS_TILES_H

#include "src/nn/kernels/values.h"

/* The innermost part of a convolution, once for each kind of processor and number.
 *
 * A tile is some pixels of the output times one to DET_TILE_BLOCKS blocks of its channels, a block
 * being the numbers that a vector register holds. All its sums stay in registers while the taps of
 * the window and the input channels go by; a weight vector, once loaded, serves all pixels, and an
 * input value all blocks, so that loads never hold up the multiplications. Where a pixel's input
 * lies under a tap is looked up in a table of offsets (the "indirect convolution" of Dukhan 2019):
 * any stride, padding and dilation, and pixels run on from one row to the next.
 *
 * Maps are in blocks of channels: C/block planes of H x W pixels of `block` values. */

enum { DET_TILE_BLOCKS = 4, DET_TILE_PIXELS = 14 };

typedef struct det_tile_call {
    const void *in;         /**< the map; the first plane */
    size_t in_plane;        /**< values from one plane to the next */
    const int32_t *offsets; /**< taps x pixels: values from the plane's start; negative: outside */
    int planes, taps;
    int steps, last_steps; /**< input channels a tap, in steps of `pair`; in the last plane */
    const void *weights;   /**< planes x taps x steps x blocks x block x pair values */
    const float *scale;    /**< blocks x block: sums of integers are multiplied by it; else NULL */
    const float *bias;     /**< blocks x block: added then */
    float slope;           /**< what is negative is multiplied by it: 0 is a ReLU, 1 is none */
    det_values out_type;   /**< that of `in`, or bytes; of integers any */
    const float *inverse_step; /**< blocks x block: bytes are multiples of 1 / it; else NULL */
    void *out;                 /**< the pixel of the first block */
    size_t out_plane;          /**< bytes from one block to the next */
} det_tile_call;

typedef void det_tile(const det_tile_call *call);

typedef struct det_tiles {
    const char *name; /**< as det_network_step gives it */
    int block;        /**< channels in a vector of sums */
    int pair;         /**< input channels that one multiplication adds up: f32 1, bf16 2, bytes 4 */
    det_values in_type;
    int weight_limit; /**< bytes: the largest weight that no sum overflows with; else 0 */
    int pixels[DET_TILE_BLOCKS + 1]; /**< the most that tiles of so many blocks have */
    det_tile *tile[DET_TILE_BLOCKS + 1][DET_TILE_PIXELS + 1];
} det_tiles;

/** Plain C, f32, for any processor: what the others are compared with. */
extern const det_tiles det_tiles_plain;

#if defined(__x86_64__)
/** f32 with AVX2 and FMA. */
extern const det_tiles det_tiles_avx2;
/** f32 with AVX-512 F. */
extern const det_tiles det_tiles_avx512;
/** bf16 with AVX-512 F and BF16: products of pairs, summed in f32; results rounded to even. */
extern const det_tiles det_tiles_avx512_bf16;
/** Bytes times 8-bit weights, summed in 32 bits: with AVX-512 F and VNNI, with AVX2 and VNNI, and
 *  with AVX2 alone, which adds two products in 16 bits: weights keep within 63. */
extern const det_tiles det_tiles_avx512_bytes;
extern const det_tiles det_tiles_avx2_vnni;
extern const det_tiles det_tiles_avx2_bytes;
#endif

#endif
