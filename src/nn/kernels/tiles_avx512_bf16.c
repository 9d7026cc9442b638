/* SPDX-License-Identifier: Apache-2.0 */
/* bf16 with AVX-512: two products a lane and instruction, summed in f32. Compiled for AVX-512 F and
 * BF16; called only where the processor has them. */
#include "src/nn/kernels/tiles.h"

#if defined(__x86_64__)
#include "src/nn/kernels/avx512.h"

#include <stdint.h>
#include <string.h>

typedef uint16_t value;
typedef __m512i weights_vector;

enum { BLOCK = 16, PAIR = 2 };

#define load_weights(from) _mm512_loadu_si512(from)
#define broadcast(from) broadcast_pair(from)
#define multiply_add(x, w, sum) _mm512_dpbf16_ps(sum, (__m512bh)(x), (__m512bh)(w))
#define store(to, sum)                                                                             \
    _mm256_storeu_si256((__m256i *)(void *)(to), (__m256i)_mm512_cvtneps_pbh(sum))

static inline __attribute__((always_inline)) weights_vector broadcast_pair(const value *from)
{
    int32_t pair;
    memcpy(&pair, from, sizeof pair);
    return _mm512_set1_epi32(pair);
}

#include "src/nn/kernels/tile_template.h"

AVX512_TILES

const det_tiles det_tiles_avx512_bf16 = {
    .name = "own:avx512_bf16",
    .block = BLOCK,
    .pair = PAIR,
    .value_size = sizeof(value),
    .pixels = AVX512_PIXELS,
    .tile = AVX512_NAMES,
};
#endif
