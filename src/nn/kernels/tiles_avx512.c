/* SPDX-License-Identifier: Apache-2.0 */
/* f32 with AVX-512. Compiled for AVX-512 F; called only where the processor has it. */
#include "src/nn/kernels/tiles.h"

#if defined(__x86_64__)
#include "src/nn/kernels/avx512.h"

typedef float value, weight;
typedef __m512 vector, weights_vector;

enum { PAIR = 1 };

#define start(call, block) of_block((call)->bias, block)
#define load_weights(from) _mm512_loadu_ps(from)
#define broadcast(from) _mm512_set1_ps(*(from))
#define multiply_add(x, w, sum) _mm512_fmadd_ps(x, w, sum)

AVX512_INLINE void finish(const det_tile_call *call, int block, int pixel, vector sum)
{
    const vector result = clip(sum, call->slope);
    if (call->out_type == DET_VALUES_BYTES)
        store_bytes(call, block, pixel, result);
    else
        store_f32(call, block, pixel, result);
}

#include "src/nn/kernels/tile_template.h"

AVX512_TILES

const det_tiles det_tiles_avx512 = {
    .name = "own:avx512",
    .block = BLOCK,
    .pair = PAIR,
    .in_type = DET_VALUES_F32,
    .pixels = {AVX512_PIXELS},
    .tile = AVX512_NAMES,
};
#endif
