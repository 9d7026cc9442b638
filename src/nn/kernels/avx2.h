/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_KERNELS_AVX2_H
#define DETECT_NN_KERNELS_AVX2_H

/* What kernels with AVX2 share. Of the 16 registers, 12 of a tile hold sums. */
#include "src/nn/kernels/tiles.h"

#include <immintrin.h>

#define AVX2_INLINE static inline __attribute__((always_inline))

enum { BLOCK = 8 };

AVX2_INLINE __m256 of_block(const float *values, int block)
{
    return _mm256_loadu_ps(values + (ptrdiff_t)block * BLOCK);
}

/* The sum is the second operand: where it is not a number, it stays so. */
AVX2_INLINE __m256 clip(__m256 sum, float slope)
{
    const __m256 zero = _mm256_setzero_ps();
    return _mm256_fmadd_ps(_mm256_min_ps(zero, sum), _mm256_set1_ps(slope),
                           _mm256_max_ps(zero, sum));
}

AVX2_INLINE uint8_t *place_of(const det_tile_call *call, int block, int pixel, size_t size)
{
    return (uint8_t *)call->out + (size_t)block * call->out_plane + (size_t)pixel * BLOCK * size;
}

/* Rounded to the nearest, ties to even; clipped to 0..255: the lower 8 bytes. */
AVX2_INLINE __m128i to_bytes(__m256 steps)
{
    const __m256i integers = _mm256_cvtps_epi32(_mm256_min_ps(steps, _mm256_set1_ps(255)));
    const __m128i words =
        _mm_packus_epi32(_mm256_castsi256_si128(integers), _mm256_extracti128_si256(integers, 1));
    return _mm_packus_epi16(words, words);
}

AVX2_INLINE void store_bytes(const det_tile_call *call, int block, int pixel, __m256 values)
{
    const __m256 steps = _mm256_mul_ps(values, of_block(call->inverse_step, block));
    _mm_storel_epi64((__m128i *)(void *)place_of(call, block, pixel, 1), to_bytes(steps));
}

AVX2_INLINE void store_result(const det_tile_call *call, int block, int pixel, __m256 sum)
{
    const __m256 result = clip(sum, call->slope);
    if (call->out_type == DET_VALUES_BYTES)
        store_bytes(call, block, pixel, result);
    else
        _mm256_storeu_ps((float *)(void *)place_of(call, block, pixel, sizeof(float)), result);
}

/* The functions of all tiles, and a table of them. */
#define AVX2_TILES TILES_12(1) TILES_6(2) TILES_4(3)
#define AVX2_PIXELS 0, 12, 6, 4, 0
#define AVX2_NAMES                                                                                 \
    {                                                                                              \
        {NULL}, {NAMES_12(1)}, {NAMES_6(2)}, {NAMES_4(3)},                                         \
        {                                                                                          \
            NULL                                                                                   \
        }                                                                                          \
    }

#endif
