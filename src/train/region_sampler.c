/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of regions. What is drawn evenly is drawn in turns (det_random_turn), place t * n + i of
 * them by the i-th of the n regions of a kind in step t, so that a training sees all objects as
 * often as one another after any number of steps. Whatever else is random comes from a stream of
 * the step and the slot. */
#include "src/train/region_sampler.h"

#include "src/base/memory.h"
#include "src/detector/ensemble.h"

#include <math.h>
#include <stdlib.h>

/* What turns are kept for: those of the objects of class c are `turns_of_classes` + c. */
enum { turns_of_positives = 0, turns_of_near = 1, turns_of_any = 2, turns_of_classes = 3 };

/* A region that shows an object. */
typedef struct {
    det_row row;
    int label;
    size_t object; /* in the annotations */
} positive;

/* Neighbours in an array. */
typedef struct {
    size_t first, count;
} range;

typedef struct {
    range *items; /* count of them */
    size_t count, capacity;
} ranges;

/* Regions that show background, and those of each picture that has any. */
typedef struct {
    det_row *rows; /* count of them */
    size_t count, capacity;
    ranges pictures;
} backgrounds;

struct det_region_sampler {
    const det_training_set *set;
    det_picture_cache *cache;
    det_region_sampler_options options;
    det_model_input input;
    det_crop_options crop;
    det_picture_objects *pictures; /* of the set; {0}: not drawn from */
    positive *positives;           /* by class, object and row */
    size_t positive_count, positive_capacity;
    ranges objects; /* of positives */
    ranges classes; /* of objects */
    backgrounds near, any;
    size_t positive_slots, near_slots; /* of a batch */
};

/* ---- Options -------------------------------------------------------------------------------- */

det_region_sampler_options det_region_sampler_defaults(const det_model_input *input, size_t count,
                                                       uint64_t seed)
{
    return (det_region_sampler_options){.count = count,
                                        .positive_share = .25,
                                        .positives = DET_DRAW_OBJECTS,
                                        .near_share = .5,
                                        .near_iou = .1,
                                        .examples = {.positive_iou = .5, .negative_iou = .5},
                                        .input = input,
                                        .context_px = -1,
                                        .seed = seed};
}

static bool is_share(double value)
{
    return value >= 0 && value <= 1;
}

static det_status check_options(const det_region_sampler_options *o, const det_crop_options *crop,
                                det_error *error)
{
    const int side = crop->width < crop->height ? crop->width : crop->height;
    if (o->count < 1) return det_fail(error, DET_ARGUMENT, "a batch of no regions");
    if (!is_share(o->positive_share) || !is_share(o->near_share) || !is_share(o->near_iou))
        return det_fail(error, DET_ARGUMENT,
                        "shares of %g that show objects and of %g near them, from an IoU of %g on: "
                        "each must be from 0 to 1",
                        o->positive_share, o->near_share, o->near_iou);
    if (!(o->examples.positive_iou > 0) || o->examples.negative_iou > o->examples.positive_iou)
        return det_fail(error, DET_ARGUMENT,
                        "examples from an IoU of %g on and background below %g: a region would be "
                        "both",
                        o->examples.positive_iou, o->examples.negative_iou);
    if (!det_augmentation_is_sound(&o->augmentation))
        return det_fail(error, DET_ARGUMENT, "pictures cannot be changed so much at random");
    if (side <= 2 * crop->context_px)
        return det_fail(error, DET_ARGUMENT,
                        "%d pixels on each side leave nothing of a crop of %d x %d",
                        crop->context_px, crop->width, crop->height);
    return DET_OK;
}

/* ---- What there is -------------------------------------------------------------------------- */

/* Adds an element to ranges: to the last one, or as the first of a new one. */
static det_status add_to_ranges(ranges *r, bool is_new, size_t element, det_error *error)
{
    if (!is_new) {
        r->items[r->count - 1].count++;
        return DET_OK;
    }
    if (!det_grow_array(&r->items, &r->capacity, r->count + 1, sizeof *r->items))
        return det_fail_memory(error, "the regions to learn from");
    r->items[r->count++] = (range){element, 1};
    return DET_OK;
}

static det_status add_positive(det_region_sampler *s, det_row row, const det_region_label *label,
                               det_error *error)
{
    if (!det_grow_array(&s->positives, &s->positive_capacity, s->positive_count + 1,
                        sizeof *s->positives))
        return det_fail_memory(error, "the regions to learn from");
    s->positives[s->positive_count++] = (positive){row, label->label, label->object};
    return DET_OK;
}

/* Rows come picture by picture. */
static det_status add_background(backgrounds *b, det_row row, det_error *error)
{
    if (!det_grow_array(&b->rows, &b->capacity, b->count + 1, sizeof *b->rows))
        return det_fail_memory(error, "the regions to learn from");
    const bool is_new = b->count == 0 || b->rows[b->count - 1].image != row.image;
    b->rows[b->count] = row;
    return add_to_ranges(&b->pictures, is_new, b->count++, error);
}

static bool is_near(const det_region_sampler *s, const det_region_label *label)
{
    return (double)label->overlap >= s->options.near_iou;
}

static det_status add_region(det_region_sampler *s, det_row row, det_error *error)
{
    const det_box box = s->set->images[row.image].features.boxes[row.region];
    const det_region_label label =
        det_label_region(&s->pictures[row.image], &s->options.examples, box);
    if (label.label == DET_LABEL_NOTHING) return DET_OK;
    if (label.label >= 0) return add_positive(s, row, &label, error);
    const det_status status = add_background(&s->any, row, error);
    if (status < 0 || !is_near(s, &label)) return status;
    return add_background(&s->near, row, error);
}

static det_status add_picture(det_region_sampler *s, size_t index, det_error *error)
{
    const det_training_set *set = s->set;
    const det_region_features *regions = &set->images[index].features;
    det_status status = det_picture_objects_make(set->annotations, index, &set->classes, regions,
                                                 &s->pictures[index], error);
    for (size_t r = 0; status == DET_OK && r < regions->count; r++)
        status = add_region(s, (det_row){(uint32_t)index, (uint32_t)r}, error);
    return status;
}

static int compare_sizes(size_t a, size_t b)
{
    return a < b ? -1 : a > b;
}

/* Objects have one label each and lie in one picture. */
static int compare_positives(const void *a, const void *b)
{
    const positive *p = a, *q = b;
    if (p->label != q->label) return p->label < q->label ? -1 : 1;
    if (p->object != q->object) return compare_sizes(p->object, q->object);
    return compare_sizes(p->row.region, q->row.region);
}

static det_status group_positives(det_region_sampler *s, det_error *error)
{
    const positive *p = s->positives;
    det_status status = DET_OK;
    if (s->positive_count > 0)
        qsort(s->positives, s->positive_count, sizeof *s->positives, compare_positives);
    for (size_t i = 0; status == DET_OK && i < s->positive_count; i++) {
        const bool new_object = i == 0 || p[i].object != p[i - 1].object;
        status = add_to_ranges(&s->objects, new_object, i, error);
        if (status < 0 || !new_object) continue;
        const bool new_class = i == 0 || p[i].label != p[i - 1].label;
        status = add_to_ranges(&s->classes, new_class, s->objects.count - 1, error);
    }
    return status;
}

/* How many regions of a batch are of each kind. */
static det_status share_slots(det_region_sampler *s, det_error *error)
{
    const det_region_sampler_options *o = &s->options;
    if (s->positive_count == 0 && s->any.count == 0)
        return det_fail(error, DET_ARGUMENT,
                        "no region of the pictures shows an object or background");
    s->positive_slots = (size_t)llround(o->positive_share * (double)o->count);
    if (s->positive_count == 0) s->positive_slots = 0;
    if (s->any.count == 0) s->positive_slots = o->count;
    s->near_slots = (size_t)llround(o->near_share * (double)(o->count - s->positive_slots));
    if (s->near.count == 0) s->near_slots = 0;
    return DET_OK;
}

static det_status gather(det_region_sampler *s, const bool *used, det_error *error)
{
    const size_t count = s->set->image_count;
    s->pictures = det_alloc_zeroed(count, sizeof *s->pictures);
    if (!s->pictures) return det_fail_memory(error, "the regions to learn from");
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < count; i++)
        if (!used || used[i]) status = add_picture(s, i, error);
    if (status == DET_OK) status = group_positives(s, error);
    return status == DET_OK ? share_slots(s, error) : status;
}

det_status det_region_sampler_create(const det_training_set *set, const bool *used,
                                     det_picture_cache *cache,
                                     const det_region_sampler_options *options,
                                     det_region_sampler **sampler, det_error *error)
{
    const det_crop_options crop = det_input_crop_options(options->input, options->context_px);
    det_status status = check_options(options, &crop, error);
    if (status < 0) return status;
    det_region_sampler *made = det_alloc_zeroed(1, sizeof *made);
    if (!made) return det_fail_memory(error, "the regions to learn from");
    made->set = set;
    made->cache = cache;
    made->options = *options;
    made->input = *options->input;
    made->options.input = &made->input;
    made->crop = crop;
    status = gather(made, used, error);
    if (status < 0)
        det_region_sampler_free(made);
    else
        *sampler = made;
    return status;
}

static void free_backgrounds(backgrounds *b)
{
    det_free(b->rows);
    det_free(b->pictures.items);
}

void det_region_sampler_free(det_region_sampler *sampler)
{
    if (!sampler) return;
    for (size_t i = 0; sampler->pictures && i < sampler->set->image_count; i++)
        det_picture_objects_free(&sampler->pictures[i]);
    det_free(sampler->pictures);
    det_free(sampler->positives);
    det_free(sampler->objects.items);
    det_free(sampler->classes.items);
    free_backgrounds(&sampler->near);
    free_backgrounds(&sampler->any);
    det_free(sampler);
}

det_region_sampler_counts det_region_sampler_count(const det_region_sampler *sampler)
{
    return (det_region_sampler_counts){.objects = sampler->objects.count,
                                       .positives = sampler->positive_count,
                                       .backgrounds = sampler->any.count,
                                       .near = sampler->near.count};
}

/* ---- Batches -------------------------------------------------------------------------------- */

det_status det_region_batch_create(const det_region_sampler *sampler, det_region_batch *batch,
                                   det_error *error)
{
    const size_t count = sampler->options.count;
    *batch = (det_region_batch){.count = count};
    batch->samples = det_alloc_array(count, sizeof *batch->samples);
    batch->slots = det_alloc_array(count, sizeof *batch->slots);
    batch->labels = det_alloc_array(count, sizeof *batch->labels);
    batch->deltas = det_alloc_array(count, sizeof *batch->deltas);
    if (batch->samples && batch->slots && batch->labels && batch->deltas) return DET_OK;
    return det_fail_memory(error, "a batch of regions");
}

void det_region_batch_free(det_region_batch *batch)
{
    det_free(batch->samples);
    det_free(batch->slots);
    det_free(batch->labels);
    det_free(batch->deltas);
    *batch = (det_region_batch){0};
}

static size_t turn(const det_region_sampler *s, uint64_t turns, uint64_t index, size_t count)
{
    return det_random_turn(s->options.seed ^ turns << 32, index, count);
}

static det_row draw_positive(const det_region_sampler *s, uint64_t index, det_random *random)
{
    if (s->options.positives == DET_DRAW_REGIONS)
        return s->positives[turn(s, turns_of_positives, index, s->positive_count)].row;
    range objects = {0, s->objects.count};
    uint64_t turns = turns_of_positives;
    if (s->options.positives == DET_DRAW_CLASSES) {
        const size_t class = turn(s, turns, index, s->classes.count);
        objects = s->classes.items[class];
        turns = turns_of_classes + class;
        index /= s->classes.count; /* of its own draws: each round has one */
    }
    const size_t object = objects.first + turn(s, turns, index, objects.count);
    const range regions = s->objects.items[object];
    return s->positives[regions.first + det_random_below(random, (uint32_t)regions.count)].row;
}

/* Every picture as often, then any of its regions. */
static det_row draw_background(const det_region_sampler *s, const backgrounds *b, uint64_t index,
                               det_random *random)
{
    const uint64_t turns = b == &s->near ? turns_of_near : turns_of_any;
    const range regions = b->pictures.items[turn(s, turns, index, b->pictures.count)];
    return b->rows[regions.first + det_random_below(random, (uint32_t)regions.count)];
}

static det_row draw_row(const det_region_sampler *s, uint64_t step, size_t slot, det_random *random)
{
    const size_t positives = s->positive_slots, near = s->near_slots;
    if (slot < positives) return draw_positive(s, step * positives + slot, random);
    slot -= positives;
    if (slot < near) return draw_background(s, &s->near, step * near + slot, random);
    const size_t any = s->options.count - positives - near;
    return draw_background(s, &s->any, step * any + slot - near, random);
}

/* Moves a box so that it teaches the same; where that does not succeed it stays. */
static det_region_label move_box(const det_region_sampler *s, size_t image, det_box *box,
                                 det_random *random)
{
    enum { tries = 8 };
    const det_augmentation *a = &s->options.augmentation;
    const det_region_features *picture = &s->set->images[image].features;
    const det_picture_objects *objects = &s->pictures[image];
    const det_region_label before = det_label_region(objects, &s->options.examples, *box);
    const bool near = before.label < 0 && is_near(s, &before);
    for (int i = 0; i < tries && (a->move > 0 || a->scale > 0); i++) {
        const det_box moved = det_box_clip(det_draw_box(a, *box, random), picture->picture_width,
                                           picture->picture_height);
        if (!det_box_is_sound(moved)) continue;
        const det_region_label label = det_label_region(objects, &s->options.examples, moved);
        if (label.label != before.label || (near && !is_near(s, &label))) continue;
        *box = moved;
        return label;
    }
    return before;
}

/* Left and right exchanged, the middles lie on the other side of one another; the rest stays. */
static void set_deltas(const det_region_sampler *s, const det_region_sample *sample, bool mirrored,
                       float deltas[DET_BOX_DELTAS])
{
    const det_picture_objects *objects = &s->pictures[sample->row.image];
    const det_box object = objects->boxes[sample->object - objects->image->first_object];
    det_box_deltas_encode(sample->box, object, deltas);
    if (mirrored) deltas[0] = -deltas[0];
}

void det_region_batch_make(const det_region_sampler *sampler, uint64_t step,
                           det_region_batch *batch)
{
    const det_augmentation *a = &sampler->options.augmentation;
    for (size_t i = 0; i < batch->count; i++) {
        det_random random = det_random_at(sampler->options.seed, step, i);
        const det_row row = draw_row(sampler, step, i, &random);
        det_box box = sampler->set->images[row.image].features.boxes[row.region];
        const det_region_label label = move_box(sampler, row.image, &box, &random);
        const bool shows = label.label >= 0, mirrored = det_draw_mirror(a, &random);
        batch->samples[i] = (det_region_sample){row, box, label.overlap, label.object};
        batch->slots[i] = (det_batch_slot){row.image, mirrored, det_draw_colors(a, &random)};
        batch->labels[i] = shows ? (size_t)label.label : sampler->set->classes.count;
        for (int k = 0; k < DET_BOX_DELTAS; k++) batch->deltas[i][k] = 0;
        if (shows) set_deltas(sampler, &batch->samples[i], mirrored, batch->deltas[i]);
    }
}

/* ---- Input ---------------------------------------------------------------------------------- */

typedef struct {
    const det_region_sampler *sampler;
    const det_region_batch *batch;
} filling;

static det_status crop_region(const void *context, size_t slot, const det_image *image,
                              uint8_t *pixels, det_error *error)
{
    const filling *f = context;
    const det_region_sample *sample = &f->batch->samples[slot];
    const det_region_features *picture = &f->sampler->set->images[sample->row.image].features;
    if (image->width != picture->picture_width || image->height != picture->picture_height)
        return det_fail(
            error, DET_FORMAT,
            "the picture is now %d x %d, and was %d x %d when its regions were proposed",
            image->width, image->height, picture->picture_width, picture->picture_height);
    const det_status status = det_crop(image, sample->box, &f->sampler->crop, pixels);
    if (status == DET_MEMORY) return det_fail_memory(error, "a crop");
    return status < 0 ? det_fail(error, status, "a region is empty or not finite") : DET_OK;
}

det_status det_region_batch_fill(const det_region_sampler *sampler, const det_region_batch *batch,
                                 int threads, float *input, det_error *error)
{
    const filling f = {sampler, batch};
    const det_batch_filling how = {.cache = sampler->cache,
                                   .input = &sampler->input,
                                   .augmentation = &sampler->options.augmentation,
                                   .crop = crop_region,
                                   .context = &f};
    return det_batch_fill(&how, batch->slots, batch->count, threads, input, error);
}
