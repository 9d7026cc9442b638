/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes with AVX-512: four products a lane and instruction, summed in 32 bits. Compiled for AVX-512
 * F and VNNI; called only where the processor has them. */
#include "src/nn/kernels/tiles.h"

#if defined(__x86_64__)
#include "src/nn/kernels/avx512.h"

#include <string.h>

typedef uint8_t value;
typedef int8_t weight;
typedef __m512i vector, weights_vector;

enum { PAIR = 4 };

#define start(call, block) _mm512_setzero_si512()
#define load_weights(from) _mm512_loadu_si512(from)
#define multiply_add(x, w, sum) _mm512_dpbusd_epi32(sum, x, w)

AVX512_INLINE weights_vector broadcast(const value *from)
{
    int32_t four;
    memcpy(&four, from, sizeof four);
    return _mm512_set1_epi32(four);
}

AVX512_INLINE void finish(const det_tile_call *call, int block, int pixel, vector sum)
{
    const __m512 result =
        clip(_mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), of_block(call->scale, block),
                             of_block(call->bias, block)),
             call->slope);
    if (call->out_type == DET_VALUES_BYTES)
        store_bytes(call, block, pixel, result);
    else if (call->out_type == DET_VALUES_BF16)
        store_bf16(call, block, pixel, result);
    else
        store_f32(call, block, pixel, result);
}

#include "src/nn/kernels/tile_template.h"

AVX512_TILES

const det_tiles det_tiles_avx512_bytes = {
    .name = "own:avx512_vnni",
    .block = BLOCK,
    .pair = PAIR,
    .in_type = DET_VALUES_BYTES,
    .weight_limit = 127,
    .pixels = {AVX512_PIXELS},
    .tile = AVX512_NAMES,
};
#endif
