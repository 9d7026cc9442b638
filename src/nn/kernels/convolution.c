/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts a convolution into tiles. Output channels go in groups of up to DET_TILE_BLOCKS blocks,
 * whose weights lie together; within a group the pixels of the whole map, row after row, go in
 * tiles of nearly equal size. */
#include "src/nn/kernels/convolution.h"

#include "src/base/memory.h"
#include "src/base/parallel.h"

#include <string.h>

/* Output channels that are computed together. */
typedef struct {
    int blocks;      /* of channels */
    int first_block; /* among all of the output */
    size_t weights;  /* bytes from the start of the packed weights */
    int tiles;       /* of the map */
    int pixels;      /* of a tile; the first `larger` ones have one more */
    int larger;
    const int32_t *offsets; /* of the first tile; groups of equally many blocks share them */
} channel_group;

struct det_convolution {
    const det_tiles *tiles;
    det_shape in, out;
    float slope;
    int planes, taps, steps, last_steps;
    channel_group *groups;
    int group_count;
    int32_t *offsets[DET_TILE_BLOCKS + 1]; /* taps x pixels, tile after tile; NULL: no such group */
    void *weights;
    float *bias;
    size_t size;
};

static int divide_up(int a, int b)
{
    return (a + b - 1) / b;
}

static size_t plane_values(const det_tiles *tiles, det_shape shape)
{
    return (size_t)shape.height * (size_t)shape.width * (size_t)tiles->block;
}

/* ---- Groups and tiles --------------------------------------------------------------------------
 */

static int most_blocks(const det_tiles *tiles)
{
    int blocks = DET_TILE_BLOCKS;
    while (tiles->pixels[blocks] == 0) blocks--;
    return blocks;
}

/* Blocks of channels are spread evenly: 5 become 3 + 2, not 4 + 1. */
static bool make_groups(det_convolution *c)
{
    const int blocks = divide_up(c->out.channels, c->tiles->block);
    const int area = c->out.height * c->out.width;
    c->group_count = divide_up(blocks, most_blocks(c->tiles));
    c->groups = det_alloc_zeroed((size_t)c->group_count, sizeof *c->groups);
    if (!c->groups) return false;
    int first = 0;
    for (int i = 0; i < c->group_count; i++) {
        channel_group *group = &c->groups[i];
        group->first_block = first;
        group->blocks = blocks / c->group_count + (i < blocks % c->group_count);
        group->tiles = divide_up(area, c->tiles->pixels[group->blocks]);
        group->pixels = area / group->tiles;
        group->larger = area % group->tiles;
        first += group->blocks;
    }
    return true;
}

static int32_t offset_of(const det_convolution *c, const det_window *w, int pixel, int tap)
{
    const int y = pixel / c->out.width * w->stride_h - w->pad_h + tap / w->kernel_w * w->dilation_h;
    const int x = pixel % c->out.width * w->stride_w - w->pad_w + tap % w->kernel_w * w->dilation_w;
    if (y < 0 || x < 0 || y >= c->in.height || x >= c->in.width) return -1;
    return (y * c->in.width + x) * c->tiles->block;
}

static void fill_offsets(const det_convolution *c, const det_window *w, const channel_group *group,
                         int32_t *offsets)
{
    int first = 0;
    for (int t = 0; t < group->tiles; t++) {
        const int pixels = group->pixels + (t < group->larger);
        for (int tap = 0; tap < c->taps; tap++)
            for (int p = 0; p < pixels; p++) *offsets++ = offset_of(c, w, first + p, tap);
        first += pixels;
    }
}

static bool make_offsets(det_convolution *c, const det_window *w)
{
    const size_t count = (size_t)(c->out.height * c->out.width) * (size_t)c->taps;
    for (int i = 0; i < c->group_count; i++) {
        channel_group *group = &c->groups[i];
        int32_t **offsets = &c->offsets[group->blocks];
        if (!*offsets) {
            *offsets = det_alloc_array(count, sizeof **offsets);
            if (!*offsets) return false;
            fill_offsets(c, w, group, *offsets);
            c->size += count * sizeof **offsets;
        }
        group->offsets = *offsets;
    }
    return true;
}

/* ---- Weights -----------------------------------------------------------------------------------
 */

/* bf16: the upper half of a float, rounded to the nearest, ties to even. */
static uint16_t to_bf16(float number)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    if (number != number) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static float weight_of(const det_convolution *c, const det_node *node, int o, int i, int tap)
{
    if (o >= c->out.channels || i >= c->in.channels) return 0;
    const size_t channel = (size_t)o * (size_t)c->in.channels + (size_t)i;
    return node->weights.values[channel * (size_t)c->taps + (size_t)tap];
}

/* The weights of one step: blocks x block x pair values. */
static void *pack_step(const det_convolution *c, const det_node *node, const channel_group *group,
                       int i, int tap, void *packed)
{
    float *numbers = packed;
    uint16_t *halves = packed;
    const int first = group->first_block * c->tiles->block;
    for (int o = first; o < first + group->blocks * c->tiles->block; o++)
        for (int j = 0; j < c->tiles->pair; j++) {
            const float weight = weight_of(c, node, o, i + j, tap);
            if (c->tiles->value_size == sizeof(float))
                *numbers++ = weight;
            else
                *halves++ = to_bf16(weight);
        }
    return c->tiles->value_size == sizeof(float) ? (void *)numbers : (void *)halves;
}

static void *pack_group(const det_convolution *c, const det_node *node, const channel_group *group,
                        void *packed)
{
    for (int plane = 0; plane < c->planes; plane++)
        for (int tap = 0; tap < c->taps; tap++)
            for (int s = 0; s < (plane + 1 < c->planes ? c->steps : c->last_steps); s++)
                packed = pack_step(c, node, group, plane * c->tiles->block + s * c->tiles->pair,
                                   tap, packed);
    return packed;
}

static bool make_weights(det_convolution *c, const det_node *node)
{
    const det_tiles *tiles = c->tiles;
    const size_t steps =
        ((size_t)(c->planes - 1) * (size_t)c->steps + (size_t)c->last_steps) * (size_t)c->taps;
    const size_t channels = (size_t)divide_up(c->out.channels, tiles->block) * (size_t)tiles->block;
    const size_t weights = steps * channels * (size_t)tiles->pair * tiles->value_size;
    c->weights = det_alloc_aligned(weights);
    c->bias = det_alloc_zeroed(channels, sizeof *c->bias);
    if (!c->weights || !c->bias) return false;
    if (node->bias.values)
        memcpy(c->bias, node->bias.values, (size_t)c->out.channels * sizeof *c->bias);
    uint8_t *packed = c->weights;
    for (int i = 0; i < c->group_count; i++) {
        c->groups[i].weights = (size_t)(packed - (uint8_t *)c->weights);
        packed = pack_group(c, node, &c->groups[i], packed);
    }
    c->size += weights + channels * sizeof *c->bias;
    return true;
}

/* ---- All of it ---------------------------------------------------------------------------------
 */

det_status det_convolution_create(const det_tiles *tiles, const det_node *node,
                                  const det_node *relu, det_shape in, det_shape out,
                                  det_convolution **convolution, det_error *error)
{
    if (plane_values(tiles, in) > INT32_MAX || plane_values(tiles, out) > INT32_MAX)
        return det_fail(error, DET_LIMIT, "maps of %d x %d and %d x %d are too large", in.width,
                        in.height, out.width, out.height);
    det_convolution *c = det_alloc_zeroed(1, sizeof *c);
    if (!c) return det_fail_memory(error, "a convolution");
    const det_window *w = &node->window;
    c->tiles = tiles;
    c->in = in;
    c->out = out;
    c->slope = relu ? relu->negative_slope : 1;
    c->planes = divide_up(in.channels, tiles->block);
    c->taps = w->kernel_h * w->kernel_w;
    c->steps = tiles->block / tiles->pair;
    c->last_steps = divide_up(in.channels - (c->planes - 1) * tiles->block, tiles->pair);
    if (!make_groups(c) || !make_offsets(c, w) || !make_weights(c, node)) {
        det_convolution_free(c);
        return det_fail_memory(error, "a convolution");
    }
    *convolution = c;
    return DET_OK;
}

void det_convolution_free(det_convolution *convolution)
{
    if (!convolution) return;
    for (int i = 0; i <= DET_TILE_BLOCKS; i++) det_free(convolution->offsets[i]);
    det_free(convolution->groups);
    det_free(convolution->weights);
    det_free(convolution->bias);
    det_free(convolution);
}

size_t det_convolution_size(const det_convolution *convolution)
{
    return convolution->size;
}

const char *det_convolution_name(const det_convolution *convolution)
{
    return convolution->tiles->name;
}

/* ---- Running -----------------------------------------------------------------------------------
 */

typedef struct {
    const det_convolution *convolution;
    const void *in;
    uint8_t *out;
    int shares; /* of a group's tiles: as many parts as there are to hand out */
} running;

static void run_tiles(const running *r, const channel_group *group, int begin, int end)
{
    const det_convolution *c = r->convolution;
    const det_tiles *tiles = c->tiles;
    const size_t out_plane = plane_values(tiles, c->out);
    int first = begin * group->pixels + (begin < group->larger ? begin : group->larger);
    det_tile_call call = {
        .in = r->in,
        .in_plane = plane_values(tiles, c->in),
        .offsets = group->offsets + (size_t)first * (size_t)c->taps,
        .planes = c->planes,
        .taps = c->taps,
        .steps = c->steps,
        .last_steps = c->last_steps,
        .weights = (const uint8_t *)c->weights + group->weights,
        .bias = c->bias + (ptrdiff_t)group->first_block * tiles->block,
        .slope = c->slope,
        .out_plane = out_plane,
    };
    uint8_t *out = r->out + (size_t)group->first_block * out_plane * tiles->value_size;
    for (int t = begin; t < end; t++) {
        const int pixels = group->pixels + (t < group->larger);
        call.out = out + (size_t)first * (size_t)tiles->block * tiles->value_size;
        tiles->tile[group->blocks][pixels](&call);
        call.offsets += (size_t)pixels * (size_t)c->taps;
        first += pixels;
    }
}

static void run_share(void *context, size_t index, int worker)
{
    (void)worker;
    const running *r = context;
    const channel_group *group = &r->convolution->groups[index / (size_t)r->shares];
    const int64_t share = (int64_t)(index % (size_t)r->shares);
    run_tiles(r, group, (int)(group->tiles * share / r->shares),
              (int)(group->tiles * (share + 1) / r->shares));
}

void det_convolution_run(const det_convolution *convolution, const void *in, void *out, int threads)
{
    running r = {convolution, in, out, 1};
    if (threads <= 1) {
        for (int i = 0; i < convolution->group_count; i++) run_share(&r, (size_t)i, 0);
        return;
    }
    enum { shares_a_thread = 4 };
    r.shares = divide_up(shares_a_thread * threads, convolution->group_count);
    det_parallel_for((size_t)convolution->group_count * (size_t)r.shares, threads, run_share, &r);
}
