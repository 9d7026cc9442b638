/* SPDX-License-Identifier: Apache-2.0 */
/* f32 with AVX-512. Compiled for AVX-512 F; called only where the processor has it. */
#include "src/nn/kernels/tiles.h"

#if defined(__x86_64__)
#include "src/nn/kernels/avx512.h"

typedef float value;
typedef __m512 weights_vector;

enum { BLOCK = 16, PAIR = 1 };

#define load_weights(from) _mm512_loadu_ps(from)
#define broadcast(from) _mm512_set1_ps(*(from))
#define multiply_add(x, w, sum) _mm512_fmadd_ps(x, w, sum)
#define store(to, sum) _mm512_storeu_ps(to, sum)

#include "src/nn/kernels/tile_template.h"

AVX512_TILES

const det_tiles det_tiles_avx512 = {
    .name = "own:avx512",
    .block = BLOCK,
    .pair = PAIR,
    .value_size = sizeof(value),
    .pixels = AVX512_PIXELS,
    .tile = AVX512_NAMES,
};
#endif
