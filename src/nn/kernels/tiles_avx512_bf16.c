/* SPDX-License-Identifier: Apache-2.0 */
/* bf16 with AVX-512: two products a lane and instruction, summed in f32. Compiled for AVX-512 F and
 * BF16; called only where the processor has them. */
#include "src/nn/kernels/tiles.h"

#if defined(__x86_64__)
#include "src/nn/kernels/avx512.h"

#include <string.h>

typedef uint16_t value, weight;
typedef __m512 vector;
typedef __m512i weights_vector;

enum { PAIR = 2 };

#define start(call, block) of_block((call)->bias, block)
#define load_weights(from) _mm512_loadu_si512(from)
#define multiply_add(x, w, sum) _mm512_dpbf16_ps(sum, (__m512bh)(x), (__m512bh)(w))

AVX512_INLINE weights_vector broadcast(const value *from)
{
    int32_t pair;
    memcpy(&pair, from, sizeof pair);
    return _mm512_set1_epi32(pair);
}

AVX512_INLINE void finish(const det_tile_call *call, int block, int pixel, vector sum)
{
    const vector result = clip(sum, call->slope);
    if (call->out_type == DET_VALUES_BYTES)
        store_bytes(call, block, pixel, result);
    else
        _mm256_storeu_si256((__m256i *)(void *)place_of(call, block, pixel, sizeof(value)),
                            (__m256i)_mm512_cvtneps_pbh(result));
}

#include "src/nn/kernels/tile_template.h"

AVX512_TILES

const det_tiles det_tiles_avx512_bf16 = {
    .name = "own:avx512_bf16",
    .block = BLOCK,
    .pair = PAIR,
    .in_type = DET_VALUES_BF16,
    .pixels = {AVX512_PIXELS},
    .tile = AVX512_NAMES,
};
#endif
