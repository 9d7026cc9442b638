/* SPDX-License-Identifier: Apache-2.0 */
/* f32 with AVX2 and FMA: 12 of the 16 registers hold sums. Compiled for these; called only where
 * the processor has them. */
#include "src/nn/kernels/tiles.h"

#if defined(__x86_64__)
#include <immintrin.h>

typedef float value;
typedef __m256 vector, weights_vector;

enum { BLOCK = 8, PAIR = 1 };

#define load_bias(from) _mm256_loadu_ps(from)
#define load_weights(from) _mm256_loadu_ps(from)
#define broadcast(from) _mm256_broadcast_ss(from)
#define multiply_add(x, w, sum) _mm256_fmadd_ps(x, w, sum)
#define store(to, sum) _mm256_storeu_ps(to, sum)

/* The sum is the second operand: where it is not a number, it stays so. */
static inline __attribute__((always_inline)) vector finish(vector sum, float slope)
{
    const vector zero = _mm256_setzero_ps();
    return _mm256_fmadd_ps(_mm256_min_ps(zero, sum), _mm256_set1_ps(slope),
                           _mm256_max_ps(zero, sum));
}

#include "src/nn/kernels/tile_template.h"

TILES_12(1)
TILES_6(2)
TILES_4(3)

const det_tiles det_tiles_avx2 = {
    .name = "own:avx2",
    .block = BLOCK,
    .pair = PAIR,
    .value_size = sizeof(value),
    .pixels = {0, 12, 6, 4, 0},
    .tile = {{NULL}, {NAMES_12(1)}, {NAMES_6(2)}, {NAMES_4(3)}, {NULL}},
};
#endif
