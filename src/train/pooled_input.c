/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/pooled_input.h"

#include "src/base/memory.h"
#include "src/base/parallel.h"
#include "src/detector/ensemble.h"
#include "src/detector/region_pool.h"

#include <stdatomic.h>
#include <string.h>

/* A picture that a region was drawn from, and its maps. */
typedef struct {
    det_image own;          /* where the cache does not keep it */
    const det_image *image; /* NULL: no region was drawn from it yet */
    det_region_maps *maps;
} pooled_picture;

struct det_pooled_input {
    det_region_pool *pool;
    det_picture_cache *cache;
    det_shape shape; /* of the layer's map at the model's own size */
    int threads;
    pooled_picture *pictures;
    size_t count;
};

static det_precision precision_of(const det_config *config)
{
    return strcmp(config->classifier.precision, "bf16") == 0 ? DET_BF16 : DET_F32;
}

static det_status create(det_pooled_input *input, det_model *model, const det_config *config,
                         det_region_pool_options *options, det_error *error)
{
    options->crop = det_input_crop_options(&model->input, config->classifier.context_px);
    options->precision = precision_of(config);
    options->threads = input->threads;
    const det_status status = det_region_pool_create(model, options, &input->pool, error);
    if (status < 0) return status;
    const int layer = det_graph_find(&model->graph, det_region_pool_layer(input->pool));
    input->shape = model->shapes[layer];
    input->pictures = det_alloc_zeroed(input->count, sizeof *input->pictures);
    return input->pictures ? DET_OK : det_fail_memory(error, "the maps of pictures");
}

det_status det_pooled_input_create(det_model *model, const det_config *config,
                                   const char *const *to, size_t to_count, det_picture_cache *cache,
                                   det_pooled_input **input, det_error *error)
{
    det_pooled_input *made = det_alloc_zeroed(1, sizeof *made);
    if (!made) return det_fail_memory(error, "the maps of pictures");
    made->cache = cache;
    made->count = det_picture_cache_count(cache);
    made->threads = det_resolve_threads(config->runtime.threads);
    det_region_pool_options options = det_region_pool_options_of(config);
    options.targets = to;
    options.target_count = to_count;
    const det_status status = create(made, model, config, &options, error);
    if (status == DET_OK)
        *input = made;
    else
        det_pooled_input_free(made);
    return status;
}

void det_pooled_input_free(det_pooled_input *input)
{
    if (!input) return;
    for (size_t i = 0; input->pictures && i < input->count; i++) {
        det_region_maps_free(input->pictures[i].maps);
        det_image_free(&input->pictures[i].own);
    }
    det_region_pool_free(input->pool);
    det_free(input->pictures);
    det_free(input);
}

const char *det_pooled_input_layer(const det_pooled_input *input)
{
    return det_region_pool_layer(input->pool);
}

/* ---- Filling -------------------------------------------------------------------------------- */

/* Maps that there are already are not made again. */
static det_status prepare(det_pooled_input *input, size_t picture, const det_region *region,
                          det_error *error)
{
    pooled_picture *p = &input->pictures[picture];
    det_region_times times = {0};
    det_status status = DET_OK;
    if (!p->image) status = det_picture_cache_get(input->cache, picture, &p->own, &p->image, error);
    if (status == DET_OK && !p->maps)
        status = det_region_maps_create(input->pool, p->image, &p->maps, error);
    return status == DET_OK ? det_region_maps_prepare(p->maps, region, 1, SIZE_MAX, &times, error)
                            : status;
}

typedef struct {
    det_pooled_input *input;
    const det_region_batch *batch;
    float *values, *rooms; /* rooms: of each thread, a map with its channels innermost */
    atomic_bool failed;
} filling;

/* Channels first, as a network that learns is fed; each row the other way round if mirrored. */
static void lay_out(det_shape shape, const float *map, bool mirrored, float *values)
{
    const size_t channels = (size_t)shape.channels, height = (size_t)shape.height,
                 width = (size_t)shape.width;
    for (size_t c = 0; c < channels; c++)
        for (size_t y = 0; y < height; y++)
            for (size_t x = 0; x < width; x++) {
                const size_t from = mirrored ? width - 1 - x : x;
                values[(c * height + y) * width + x] = map[(y * width + from) * channels + c];
            }
}

static void fill_region(void *context, size_t slot, int worker)
{
    filling *f = context;
    const det_shape shape = f->input->shape;
    const size_t size = det_shape_values(shape);
    float *room = f->rooms + (size_t)worker * size;
    const det_region_maps *maps = f->input->pictures[f->batch->slots[slot].picture].maps;
    if (det_region_maps_pool(maps, f->batch->samples[slot].box, room) < 0) {
        atomic_store(&f->failed, true);
        return;
    }
    lay_out(shape, room, f->batch->slots[slot].mirrored, f->values + slot * size);
}

det_status det_pooled_input_fill(det_pooled_input *input, const det_region_batch *batch,
                                 float *values, det_error *error)
{
    filling f = {.input = input, .batch = batch, .values = values};
    for (size_t i = 0; i < batch->count; i++) {
        const det_region region = {.box = batch->samples[i].box};
        const det_status status = prepare(input, batch->slots[i].picture, &region, error);
        if (status < 0) return status;
    }
    f.rooms =
        det_alloc_array((size_t)input->threads, det_shape_values(input->shape) * sizeof *f.rooms);
    if (f.rooms) det_parallel_for(batch->count, input->threads, fill_region, &f);
    const bool failed = !f.rooms || atomic_load(&f.failed);
    det_free(f.rooms);
    return failed ? det_fail_memory(error, "pooled regions") : DET_OK;
}
