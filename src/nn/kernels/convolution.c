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

typedef struct {
    det_kernel kernel;
    const det_tiles *tiles;
    det_shape in, out;
    float slope;
    int planes, taps, steps, last_steps;
    bool picture; /* the input is rows of pixels with their padding (picture_rows.h) */
    channel_group *groups;
    int group_count;
    int32_t *offsets[DET_TILE_BLOCKS + 1]; /* taps x pixels, tile after tile; NULL: no such group */
    void *weights;
    float *scale, *bias, *inverse_step; /* one a channel, whole blocks of them; scale: of integers,
                                           inverse_step: of bytes, else NULL */
    det_values out_type;
} convolution;

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
static bool make_groups(convolution *c)
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

/* Of a picture a tap is a row of the window, all of whose values follow each other. */
static int32_t picture_offset(const convolution *c, const det_window *w, int pixel, int tap)
{
    const int y = pixel / c->out.width * w->stride_h + tap * w->dilation_h,
              x = pixel % c->out.width * w->stride_w;
    return (y * c->in.width + x) * c->in.channels;
}

static int32_t offset_of(const convolution *c, const det_window *w, int pixel, int tap)
{
    if (c->picture) return picture_offset(c, w, pixel, tap);
    const int y = pixel / c->out.width * w->stride_h - w->pad_h + tap / w->kernel_w * w->dilation_h;
    const int x = pixel % c->out.width * w->stride_w - w->pad_w + tap % w->kernel_w * w->dilation_w;
    if (y < 0 || x < 0 || y >= c->in.height || x >= c->in.width) return -1;
    return (y * c->in.width + x) * c->tiles->block;
}

static void fill_offsets(const convolution *c, const det_window *w, const channel_group *group,
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

static bool make_offsets(convolution *c, const det_window *w)
{
    const size_t count = (size_t)(c->out.height * c->out.width) * (size_t)c->taps;
    for (int i = 0; i < c->group_count; i++) {
        channel_group *group = &c->groups[i];
        int32_t **offsets = &c->offsets[group->blocks];
        if (!*offsets) {
            *offsets = det_alloc_array(count, sizeof **offsets);
            if (!*offsets) return false;
            fill_offsets(c, w, group, *offsets);
            c->kernel.size += count * sizeof **offsets;
        }
        group->offsets = *offsets;
    }
    return true;
}

/* ---- Weights -----------------------------------------------------------------------------------
 */

/* Puts a number into packed weights. */
static void *pack_number(det_values type, float number, void *packed)
{
    const uint16_t half = det_to_bf16(number);
    if (type == DET_VALUES_BF16) return (uint8_t *)memcpy(packed, &half, sizeof half) + sizeof half;
    return (uint8_t *)memcpy(packed, &number, sizeof number) + sizeof number;
}

/* Where the file has the weight of value i under a tap, for channel o; SIZE_MAX where the blocks
 * reach beyond the channels, or the last pair of a picture's row beyond the window. */
static size_t weight_index(const convolution *c, const det_window *w, int o, int i, int tap)
{
    const int channels = c->in.channels;
    const int channel = c->picture ? i % channels : i, column = c->picture ? i / channels : 0;
    if (o >= c->out.channels || channel >= channels || column >= w->kernel_w) return SIZE_MAX;
    const size_t filter = (size_t)o * (size_t)channels + (size_t)channel,
                 place = c->picture ? (size_t)(tap * w->kernel_w + column) : (size_t)tap;
    return filter * (size_t)(w->kernel_h * w->kernel_w) + place;
}

static void *pack_weight(const convolution *c, const det_convolution_parts *parts, int o, int i,
                         int tap, void *packed)
{
    const size_t index = weight_index(c, &parts->node->window, o, i, tap);
    const bool exists = index != SIZE_MAX;
    if (!parts->integers)
        return pack_number(c->tiles->in_type, exists ? parts->node->weights.values[index] : 0,
                           packed);
    int8_t *integer = packed;
    *integer = exists ? parts->integers[index] : 0;
    return integer + 1;
}

/* The weights of one step: blocks x block x pair values. */
static void *pack_step(const convolution *c, const det_convolution_parts *parts,
                       const channel_group *group, int i, int tap, void *packed)
{
    const int first = group->first_block * c->tiles->block;
    for (int o = first; o < first + group->blocks * c->tiles->block; o++)
        for (int j = 0; j < c->tiles->pair; j++)
            packed = pack_weight(c, parts, o, i + j, tap, packed);
    return packed;
}

static void *pack_group(const convolution *c, const det_convolution_parts *parts,
                        const channel_group *group, void *packed)
{
    for (int plane = 0; plane < c->planes; plane++)
        for (int tap = 0; tap < c->taps; tap++)
            for (int s = 0; s < (plane + 1 < c->planes ? c->steps : c->last_steps); s++)
                packed = pack_step(c, parts, group, plane * c->tiles->block + s * c->tiles->pair,
                                   tap, packed);
    return packed;
}

static bool make_weights(convolution *c, const det_convolution_parts *parts)
{
    const det_tiles *tiles = c->tiles;
    const size_t steps =
        ((size_t)(c->planes - 1) * (size_t)c->steps + (size_t)c->last_steps) * (size_t)c->taps;
    const size_t channels = (size_t)divide_up(c->out.channels, tiles->block) * (size_t)tiles->block;
    const size_t size = steps * channels * (size_t)tiles->pair * det_values_size(tiles->in_type);
    uint8_t *packed = c->weights = det_alloc_aligned(size);
    if (!packed) return false;
    for (int i = 0; i < c->group_count; i++) {
        c->groups[i].weights = (size_t)(packed - (uint8_t *)c->weights);
        packed = pack_group(c, parts, &c->groups[i], packed);
    }
    c->kernel.size += size;
    return true;
}

/* One value a channel of the output, zeros (or those of NULL) in what fills the last block. */
static float *copy_channels(convolution *c, const float *values)
{
    const size_t channels =
        (size_t)divide_up(c->out.channels, c->tiles->block) * (size_t)c->tiles->block;
    float *copy = det_alloc_zeroed(channels, sizeof *copy);
    if (copy && values) memcpy(copy, values, (size_t)c->out.channels * sizeof *copy);
    c->kernel.size += channels * sizeof *copy;
    return copy;
}

static bool make_channels(convolution *c, const det_convolution_parts *parts)
{
    c->bias = copy_channels(c, parts->bias);
    if (parts->scale) c->scale = copy_channels(c, parts->scale);
    if (parts->steps) c->inverse_step = copy_channels(c, parts->steps);
    for (int o = 0; c->inverse_step && o < c->out.channels; o++)
        c->inverse_step[o] = 1 / parts->steps[o];
    return c->bias && (c->scale || !parts->scale) && (c->inverse_step || !parts->steps);
}

/* ---- Running -----------------------------------------------------------------------------------
 */

typedef struct {
    const convolution *convolution;
    const void *in;
    uint8_t *out;
    int shares; /* of a group's tiles: as many parts as there are to hand out */
} running;

static void run_tiles(const running *r, const channel_group *group, int begin, int end)
{
    const convolution *c = r->convolution;
    const det_tiles *tiles = c->tiles;
    const size_t out_size = det_values_size(c->out_type),
                 out_plane = plane_values(tiles, c->out) * out_size;
    const ptrdiff_t channel = (ptrdiff_t)group->first_block * tiles->block;
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
        .scale = c->scale ? c->scale + channel : NULL,
        .bias = c->bias + channel,
        .slope = c->slope,
        .out_type = c->out_type,
        .inverse_step = c->inverse_step ? c->inverse_step + channel : NULL,
        .out_plane = out_plane,
    };
    uint8_t *out = r->out + (size_t)group->first_block * out_plane;
    for (int t = begin; t < end; t++) {
        const int pixels = group->pixels + (t < group->larger);
        call.out = out + (size_t)first * (size_t)tiles->block * out_size;
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

static void run(const det_kernel *kernel, const void *in, void *out, int threads)
{
    const convolution *c = (const convolution *)(const void *)kernel;
    running r = {c, in, out, 1};
    if (threads <= 1) {
        for (int i = 0; i < c->group_count; i++) run_share(&r, (size_t)i, 0);
        return;
    }
    enum { shares_a_thread = 4 };
    r.shares = divide_up(shares_a_thread * threads, c->group_count);
    det_parallel_for((size_t)c->group_count * (size_t)r.shares, threads, run_share, &r);
}

/* ---- All of it ---------------------------------------------------------------------------------
 */

static void destroy(det_kernel *kernel)
{
    convolution *c = (convolution *)(void *)kernel;
    for (int i = 0; i <= DET_TILE_BLOCKS; i++) det_free(c->offsets[i]);
    det_free(c->groups);
    det_free(c->weights);
    det_free(c->scale);
    det_free(c->bias);
    det_free(c->inverse_step);
    det_free(c);
}

det_status det_convolution_create(const det_tiles *tiles, const det_convolution_parts *parts,
                                  det_kernel **kernel, det_error *error)
{
    const det_shape in = parts->in, out = parts->out;
    if (plane_values(tiles, in) > INT32_MAX || plane_values(tiles, out) > INT32_MAX)
        return det_fail(error, DET_LIMIT, "maps of %d x %d and %d x %d are too large", in.width,
                        in.height, out.width, out.height);
    convolution *c = det_alloc_zeroed(1, sizeof *c);
    if (!c) return det_fail_memory(error, "a convolution");
    const det_window *w = &parts->node->window;
    c->kernel = (det_kernel){tiles->name, "convolution", 0, run, destroy};
    c->tiles = tiles;
    c->in = in;
    c->out = out;
    c->slope = parts->relu ? parts->relu->negative_slope : 1;
    c->out_type = parts->out_type;
    c->picture = parts->picture;
    c->planes = c->picture ? 1 : divide_up(in.channels, tiles->block);
    c->taps = c->picture ? w->kernel_h : w->kernel_h * w->kernel_w;
    c->steps = tiles->block / tiles->pair;
    c->last_steps = c->picture
                        ? divide_up(w->kernel_w * in.channels, tiles->pair)
                        : divide_up(in.channels - (c->planes - 1) * tiles->block, tiles->pair);
    if (!make_groups(c) || !make_offsets(c, w) || !make_weights(c, parts) ||
        !make_channels(c, parts)) {
        destroy(&c->kernel);
        return det_fail_memory(error, "a convolution");
    }
    *kernel = &c->kernel;
    return DET_OK;
}
