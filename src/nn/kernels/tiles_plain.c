/* SPDX-License-Identifier: Apache-2.0 */
/* A tile in plain C, of one block and any processor: the meaning of the others. */
#include "src/nn/kernels/tiles.h"

enum { BLOCK = 8 };

static float value_at(const det_tile_call *call, const float *plane, int tap, int step)
{
    const int32_t offset = call->offsets[tap];
    return offset < 0 ? 0 : plane[offset + step];
}

static void tile_1_1(const det_tile_call *call)
{
    float sums[BLOCK];
    const float *weights = call->weights, *plane = call->in;
    for (int o = 0; o < BLOCK; o++) sums[o] = call->bias[o];
    for (int i = 0; i < call->planes; i++, plane += call->in_plane) {
        const int steps = i + 1 < call->planes ? call->steps : call->last_steps;
        for (int tap = 0; tap < call->taps; tap++)
            for (int s = 0; s < steps; s++, weights += BLOCK)
                for (int o = 0; o < BLOCK; o++)
                    sums[o] += value_at(call, plane, tap, s) * weights[o];
    }
    float *out = call->out;
    for (int o = 0; o < BLOCK; o++) out[o] = sums[o] < 0 ? call->slope * sums[o] : sums[o];
}

const det_tiles det_tiles_plain = {
    .name = "own:plain",
    .block = BLOCK,
    .pair = 1,
    .in_type = DET_VALUES_F32,
    .pixels = {0, 1},
    .tile = {{NULL}, {NULL, tile_1_1}},
};
