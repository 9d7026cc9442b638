/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_KERNELS_AVX2_BYTES_H
#define DETECT_NN_KERNELS_AVX2_BYTES_H

/* What the tiles of bytes with AVX2 share: all but how products are added up. */
#include "src/nn/kernels/avx2.h"

#include <string.h>

typedef uint8_t value;
typedef int8_t weight;
typedef __m256i vector, weights_vector;

enum { PAIR = 4 };

#define start(call, block) _mm256_setzero_si256()
#define load_weights(from) _mm256_loadu_si256((const __m256i *)(const void *)(from))

/* Sums of bytes times weights. */
AVX2_INLINE void finish(const det_tile_call *call, int block, int pixel, __m256i sum)
{
    store_result(call, block, pixel,
                 _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), of_block(call->scale, block),
                                 of_block(call->bias, block)));
}

AVX2_INLINE __m256i broadcast(const value *from)
{
    int32_t four;
    memcpy(&four, from, sizeof four);
    return _mm256_set1_epi32(four);
}

#endif
