/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a tile; a file of tiles defines what a vector is and includes it:
 *   vector, weights_vector          the types of sums and of weights
 *   value, weight                   the types of what the input holds and of a weight
 *   BLOCK, PAIR                     as in det_tiles
 *   start(call, block)              the sums of a block, before the first product
 *   load_weights(weight *), broadcast(value *), multiply_add(x, w, sum)
 *   finish(call, block, pixel, sum) scales, adds, clips, writes
 * Loops over blocks and pixels have constant bounds once inlined, and are unrolled; sums then are
 * registers. */
#include "src/nn/kernels/tiles.h"

/* Before the compiler looks for registers, or the sums stay in memory. */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 24")
#endif

#define DET_INLINE static inline __attribute__((always_inline))

DET_INLINE void run_tile(const det_tile_call *call, int blocks, int pixels)
{
    static const value outside[BLOCK];
    const value *in = call->in;
    const weight *weights = call->weights;
    vector sums[DET_TILE_BLOCKS * DET_TILE_PIXELS];
    UNROLL
    for (int i = 0; i < blocks * pixels; i++) sums[i] = start(call, i / pixels);

    for (int plane = 0; plane < call->planes; plane++, in += call->in_plane) {
        const int steps = plane + 1 < call->planes ? call->steps : call->last_steps;
        const int32_t *offsets = call->offsets;
        for (int tap = 0; tap < call->taps; tap++, offsets += pixels) {
            const value *from[DET_TILE_PIXELS];
            UNROLL
            for (int p = 0; p < pixels; p++) from[p] = offsets[p] < 0 ? outside : in + offsets[p];
            for (int s = 0; s < steps; s++, weights += (ptrdiff_t)blocks * BLOCK * PAIR) {
                weights_vector w[DET_TILE_BLOCKS];
                UNROLL
                for (int b = 0; b < blocks; b++)
                    w[b] = load_weights(weights + (ptrdiff_t)b * BLOCK * PAIR);
                UNROLL
                for (int p = 0; p < pixels; p++) {
                    const weights_vector x = broadcast(from[p] + (ptrdiff_t)s * PAIR);
                    UNROLL
                    for (int b = 0; b < blocks; b++)
                        sums[b * pixels + p] = multiply_add(x, w[b], sums[b * pixels + p]);
                }
            }
        }
    }

    UNROLL
    for (int i = 0; i < blocks * pixels; i++) finish(call, i / pixels, i % pixels, sums[i]);
}

#define TILE(blocks, pixels)                                                                       \
    static void tile_##blocks##_##pixels(const det_tile_call *call)                                \
    {                                                                                              \
        run_tile(call, blocks, pixels);                                                            \
    }

/* The functions of 1 to N pixels, and their addresses as the elements of an array. */
#define TILES_2(b) TILE(b, 1) TILE(b, 2)
#define TILES_4(b) TILES_2(b) TILE(b, 3) TILE(b, 4)
#define TILES_6(b) TILES_4(b) TILE(b, 5) TILE(b, 6)
#define TILES_8(b) TILES_6(b) TILE(b, 7) TILE(b, 8)
#define TILES_12(b) TILES_8(b) TILE(b, 9) TILE(b, 10) TILE(b, 11) TILE(b, 12)
#define TILES_14(b) TILES_12(b) TILE(b, 13) TILE(b, 14)

#define NAMES_2(b) NULL, tile_##b##_1, tile_##b##_2
#define NAMES_4(b) NAMES_2(b), tile_##b##_3, tile_##b##_4
#define NAMES_6(b) NAMES_4(b), tile_##b##_5, tile_##b##_6
#define NAMES_8(b) NAMES_6(b), tile_##b##_7, tile_##b##_8
#define NAMES_12(b) NAMES_8(b), tile_##b##_9, tile_##b##_10, tile_##b##_11, tile_##b##_12
#define NAMES_14(b) NAMES_12(b), tile_##b##_13, tile_##b##_14
