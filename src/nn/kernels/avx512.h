/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_KERNELS_AVX512_H
#define DETECT_NN_KERNELS_AVX512_H

/* What kernels with AVX-512 share. Of the 32 registers, 24 of a tile hold sums, 4 weights. */
#include "src/nn/kernels/tiles.h"

#include <immintrin.h>

#define AVX512_INLINE static inline __attribute__((always_inline))

enum { BLOCK = 16 };

AVX512_INLINE __m512 of_block(const float *values, int block)
{
    return _mm512_loadu_ps(values + (ptrdiff_t)block * BLOCK);
}

/* The sum is the second operand: where it is not a number, it stays so. */
AVX512_INLINE __m512 clip(__m512 sum, float slope)
{
    const __m512 zero = _mm512_setzero_ps();
    return _mm512_fmadd_ps(_mm512_min_ps(zero, sum), _mm512_set1_ps(slope),
                           _mm512_max_ps(zero, sum));
}

AVX512_INLINE uint8_t *place_of(const det_tile_call *call, int block, int pixel, size_t size)
{
    return (uint8_t *)call->out + (size_t)block * call->out_plane + (size_t)pixel * BLOCK * size;
}

AVX512_INLINE void store_f32(const det_tile_call *call, int block, int pixel, __m512 values)
{
    _mm512_storeu_ps(place_of(call, block, pixel, sizeof(float)), values);
}

/* Rounded to the nearest, ties to even; clipped to 0..255. */
AVX512_INLINE __m128i to_bytes(__m512 steps)
{
    const __m512i integers = _mm512_cvtps_epi32(_mm512_min_ps(steps, _mm512_set1_ps(255)));
    return _mm512_cvtusepi32_epi8(_mm512_max_epi32(integers, _mm512_setzero_si512()));
}

/* The upper half of a float, rounded to the nearest, ties to even. */
AVX512_INLINE __m256i to_bf16(__m512 values)
{
    const __m512i bits = _mm512_castps_si512(values);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded =
        _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
}

AVX512_INLINE void store_bytes(const det_tile_call *call, int block, int pixel, __m512 values)
{
    const __m512 steps = _mm512_mul_ps(values, of_block(call->inverse_step, block));
    _mm_storeu_si128((__m128i *)(void *)place_of(call, block, pixel, 1), to_bytes(steps));
}

AVX512_INLINE void store_bf16(const det_tile_call *call, int block, int pixel, __m512 values)
{
    _mm256_storeu_si256((__m256i *)(void *)place_of(call, block, pixel, sizeof(uint16_t)),
                        to_bf16(values));
}

/* The functions of all tiles, and a table of them. */
#define AVX512_TILES TILES_14(1) TILES_12(2) TILES_8(3) TILES_6(4)
#define AVX512_PIXELS 0, 14, 12, 8, 6
#define AVX512_NAMES                                                                               \
    {                                                                                              \
        {NULL}, {NAMES_14(1)}, {NAMES_12(2)}, {NAMES_8(3)},                                        \
        {                                                                                          \
            NAMES_6(4)                                                                             \
        }                                                                                          \
    }

#endif
