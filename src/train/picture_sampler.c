/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/picture_sampler.h"

#include "src/base/memory.h"
#include "src/image/multi_crop.h"

#include <stdlib.h>

/* What turns are kept for: those of the pictures of class c are `turns_of_classes` + c. Parts have
 * streams of their own beside those of slots. */
enum { turns_of_all = 0, turns_of_classes = 1 };
static const uint64_t seed_of_parts = UINT64_C(1) << 63;

/* A picture of the cache and its class. */
typedef struct {
    size_t picture, label;
} labelled;

/* Neighbours in an array. */
typedef struct {
    size_t first, count;
} range;

struct det_picture_sampler {
    det_picture_cache *cache;
    det_picture_sampler_options options;
    det_model_input input;
    labelled *pictures; /* count of them, by class and picture */
    size_t count;
    range *classes; /* class_count: those that have pictures */
    size_t class_count;
};

/* ---- Life ----------------------------------------------------------------------------------- */

det_picture_sampler_options det_picture_sampler_defaults(const det_model_input *input, size_t count,
                                                         uint64_t seed)
{
    return (det_picture_sampler_options){.count = count,
                                         .least_area = .08,
                                         .any_interpolation = true,
                                         .augmentation = det_augmentation_of(true, 0, .4),
                                         .input = input,
                                         .seed = seed};
}

static int compare_labelled(const void *a, const void *b)
{
    const labelled *p = a, *q = b;
    if (p->label != q->label) return p->label < q->label ? -1 : 1;
    return p->picture < q->picture ? -1 : p->picture > q->picture;
}

static det_status gather(det_picture_sampler *s, const size_t *labels, const bool *used,
                         det_error *error)
{
    const size_t all = det_picture_cache_count(s->cache);
    s->pictures = det_alloc_array(all, sizeof *s->pictures);
    s->classes = det_alloc_array(all, sizeof *s->classes);
    if (!s->pictures || !s->classes) return det_fail_memory(error, "the pictures to learn from");
    for (size_t i = 0; i < all; i++)
        if (!used || used[i]) s->pictures[s->count++] = (labelled){i, labels[i]};
    if (s->count == 0) return det_fail(error, DET_ARGUMENT, "there are no pictures to learn from");
    qsort(s->pictures, s->count, sizeof *s->pictures, compare_labelled);
    for (size_t i = 0; i < s->count; i++) {
        if (i == 0 || s->pictures[i].label != s->pictures[i - 1].label)
            s->classes[s->class_count++] = (range){i, 0};
        s->classes[s->class_count - 1].count++;
    }
    return DET_OK;
}

det_status det_picture_sampler_create(const size_t *labels, const bool *used,
                                      det_picture_cache *cache,
                                      const det_picture_sampler_options *options,
                                      det_picture_sampler **sampler, det_error *error)
{
    if (options->count < 1) return det_fail(error, DET_ARGUMENT, "a batch of no pictures");
    if (!(options->least_area >= 0 && options->least_area <= 1))
        return det_fail(error, DET_ARGUMENT, "parts of %g of a picture's area on: from 0 to 1",
                        options->least_area);
    if (!det_augmentation_is_sound(&options->augmentation))
        return det_fail(error, DET_ARGUMENT, "pictures cannot be changed so much at random");
    det_picture_sampler *made = det_alloc_zeroed(1, sizeof *made);
    if (!made) return det_fail_memory(error, "the pictures to learn from");
    made->cache = cache;
    made->options = *options;
    made->input = *options->input;
    made->options.input = &made->input;
    const det_status status = gather(made, labels, used, error);
    if (status < 0)
        det_picture_sampler_free(made);
    else
        *sampler = made;
    return status;
}

void det_picture_sampler_free(det_picture_sampler *sampler)
{
    if (!sampler) return;
    det_free(sampler->pictures);
    det_free(sampler->classes);
    det_free(sampler);
}

size_t det_picture_sampler_count(const det_picture_sampler *sampler)
{
    return sampler->count;
}

/* ---- Batches -------------------------------------------------------------------------------- */

det_status det_picture_batch_create(const det_picture_sampler *sampler, det_picture_batch *batch,
                                    det_error *error)
{
    const size_t count = sampler->options.count;
    *batch = (det_picture_batch){.count = count};
    batch->slots = det_alloc_array(count, sizeof *batch->slots);
    batch->labels = det_alloc_array(count, sizeof *batch->labels);
    return batch->slots && batch->labels ? DET_OK : det_fail_memory(error, "a batch of pictures");
}

void det_picture_batch_free(det_picture_batch *batch)
{
    det_free(batch->slots);
    det_free(batch->labels);
    *batch = (det_picture_batch){0};
}

static size_t turn(const det_picture_sampler *s, uint64_t turns, uint64_t index, size_t count)
{
    return det_random_turn(s->options.seed ^ turns << 32, index, count);
}

static const labelled *draw_picture(const det_picture_sampler *s, uint64_t index)
{
    if (!s->options.even_classes) return &s->pictures[turn(s, turns_of_all, index, s->count)];
    const size_t class = turn(s, turns_of_all, index, s->class_count);
    const range pictures = s->classes[class];
    const size_t at = turn(s, turns_of_classes + class, index / s->class_count, pictures.count);
    return &s->pictures[pictures.first + at];
}

void det_picture_batch_make(const det_picture_sampler *sampler, uint64_t step,
                            det_picture_batch *batch)
{
    const det_augmentation *a = &sampler->options.augmentation;
    batch->step = step;
    for (size_t i = 0; i < batch->count; i++) {
        det_random random = det_random_at(sampler->options.seed, step, i);
        const labelled *drawn = draw_picture(sampler, step * batch->count + i);
        const bool mirrored = det_draw_mirror(a, &random);
        batch->slots[i] = (det_batch_slot){drawn->picture, mirrored, det_draw_colors(a, &random)};
        batch->labels[i] = drawn->label;
    }
}

/* ---- Input ---------------------------------------------------------------------------------- */

typedef struct {
    const det_picture_sampler *sampler;
    const det_picture_batch *batch;
} filling;

static det_status crop_centre(const det_model_input *input, const det_image *image, uint8_t *pixels,
                              det_error *error)
{
    const uint64_t most_pixels = 100000000; /* of the resized picture: as limits.max_pixels */
    const det_multi_crop_options options = {
        .crops = 1, .width = input->width, .height = input->height, .max_pixels = most_pixels};
    det_multi_crop plan = {0};
    det_status status = det_multi_crop_plan(image->width, image->height, &options, &plan, error);
    if (status == DET_OK) status = det_multi_crop_resize(&plan, image, 1, error);
    if (status == DET_OK && det_multi_crop_cut(&plan, 0, pixels) < 0)
        status = det_fail_memory(error, "a crop");
    det_multi_crop_free(&plan);
    return status;
}

static det_status crop_part(const det_picture_sampler *s, const det_image *image,
                            det_random *random, uint8_t *pixels, det_error *error)
{
    const det_patch p = det_draw_patch(image->width, image->height, s->options.least_area, random);
    const det_image part = {p.width, p.height, image->stride,
                            image->pixels + (size_t)p.y * image->stride + 3 * (size_t)p.x};
    const uint32_t ways = s->options.any_interpolation ? DET_INTERPOLATIONS : 1;
    const det_interpolation how = (det_interpolation)det_random_below(random, ways);
    if (det_image_resample(&part, how, s->input.width, s->input.height, pixels) == DET_OK)
        return DET_OK;
    return det_fail_memory(error, "a crop");
}

static det_status crop_picture(const void *context, size_t slot, const det_image *image,
                               uint8_t *pixels, det_error *error)
{
    const filling *f = context;
    const det_picture_sampler *s = f->sampler;
    if (s->options.least_area <= 0) return crop_centre(&s->input, image, pixels, error);
    det_random random = det_random_at(s->options.seed ^ seed_of_parts, f->batch->step, slot);
    return crop_part(s, image, &random, pixels, error);
}

det_status det_picture_batch_fill(const det_picture_sampler *sampler,
                                  const det_picture_batch *batch, int threads, float *input,
                                  det_error *error)
{
    const filling f = {sampler, batch};
    const det_batch_filling how = {.cache = sampler->cache,
                                   .input = &sampler->input,
                                   .augmentation = &sampler->options.augmentation,
                                   .crop = crop_picture,
                                   .context = &f};
    return det_batch_fill(&how, batch->slots, batch->count, threads, input, error);
}
