/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes with AVX2 alone: two products of 16 bits are added, then two of these sums in 32 bits, so
 * weights must keep within 63: 2 * 255 * 63 < 2^15. Compiled for AVX2 and FMA; called only where
 * the processor has them. */
#include "src/nn/kernels/tiles.h"

#if defined(__x86_64__)
#include "src/nn/kernels/avx2_bytes.h"

AVX2_INLINE vector multiply_add(weights_vector x, weights_vector w, vector sum)
{
    const __m256i pairs = _mm256_maddubs_epi16(x, w);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

#include "src/nn/kernels/tile_template.h"

AVX2_TILES

const det_tiles det_tiles_avx2_bytes = {
    .name = "own:avx2_bytes",
    .block = BLOCK,
    .pair = PAIR,
    .in_type = DET_VALUES_BYTES,
    .weight_limit = 63,
    .pixels = {AVX2_PIXELS},
    .tile = AVX2_NAMES,
};
#endif
