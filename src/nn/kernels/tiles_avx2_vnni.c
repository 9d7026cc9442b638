/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes with AVX2 and VNNI: four products a lane and instruction, summed in 32 bits. Compiled for
 * AVX2, FMA and AVX-VNNI; called only where the processor has them. */
#include "src/nn/kernels/tiles.h"

#if defined(__x86_64__)
#include "src/nn/kernels/avx2_bytes.h"

AVX2_INLINE vector multiply_add(weights_vector x, weights_vector w, vector sum)
{
    return _mm256_dpbusd_avx_epi32(sum, x, w);
}

#include "src/nn/kernels/tile_template.h"

AVX2_TILES

const det_tiles det_tiles_avx2_vnni = {
    .name = "own:avx2_vnni",
    .block = BLOCK,
    .pair = PAIR,
    .in_type = DET_VALUES_BYTES,
    .weight_limit = 127,
    .pixels = {AVX2_PIXELS},
    .tile = AVX2_NAMES,
};
#endif
