/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_KERNELS_AVX512_H
#define DETECT_NN_KERNELS_AVX512_H

/* What the tiles with AVX-512 share: 24 of the 32 registers hold sums, 4 weights. */
#include <immintrin.h>

typedef __m512 vector;

#define load_bias(from) _mm512_loadu_ps(from)

/* The sum is the second operand: where it is not a number, it stays so. */
static inline __attribute__((always_inline)) vector finish(vector sum, float slope)
{
    const vector zero = _mm512_setzero_ps();
    return _mm512_fmadd_ps(_mm512_min_ps(zero, sum), _mm512_set1_ps(slope),
                           _mm512_max_ps(zero, sum));
}

/* The functions of all tiles, and a table of them. */
#define AVX512_TILES TILES_14(1) TILES_12(2) TILES_8(3) TILES_6(4)
#define AVX512_PIXELS                                                                              \
    {                                                                                              \
        0, 14, 12, 8, 6                                                                            \
    }
#define AVX512_NAMES                                                                               \
    {                                                                                              \
        {NULL}, {NAMES_14(1)}, {NAMES_12(2)}, {NAMES_8(3)},                                        \
        {                                                                                          \
            NAMES_6(4)                                                                             \
        }                                                                                          \
    }

#endif
