/* SPDX-License-Identifier: Apache-2.0 */
/* f32 with AVX2 and FMA. Compiled for these; called only where the processor has them. */
#include "src/nn/kernels/tiles.h"

#if defined(__x86_64__)
#include "src/nn/kernels/avx2.h"

typedef float value, weight;
typedef __m256 vector, weights_vector;

enum { PAIR = 1 };

#define start(call, block) of_block((call)->bias, block)
#define load_weights(from) _mm256_loadu_ps(from)
#define broadcast(from) _mm256_broadcast_ss(from)
#define multiply_add(x, w, sum) _mm256_fmadd_ps(x, w, sum)
#define finish(call, block, pixel, sum) store_result(call, block, pixel, sum)

#include "src/nn/kernels/tile_template.h"

AVX2_TILES

const det_tiles det_tiles_avx2 = {
    .name = "own:avx2",
    .block = BLOCK,
    .pair = PAIR,
    .in_type = DET_VALUES_F32,
    .pixels = {AVX2_PIXELS},
    .tile = AVX2_NAMES,
};
#endif
