/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "src/detector/ensemble.h"
#include "src/image/crop.h"
#include "src/train/region_sampler.h"
#include "tests/unit/support_eval.h"
#include "tests/unit/support_image.h"

#include <math.h>
#include <stdio.h>

enum { PICTURES = 3, CLASSES = 2, SIDE = 40, VALUES = 3 * SIDE * SIDE, REGIONS = 7 };

/* The pictures are 80, 90 and 100 x 60 pixels. Regions that show an object: of the first picture
 * three of object 0 (class 0) and two of object 1 (class 1), of the second one of object 2 (class
 * 0). In the third there is a crowd. */
static const det_box regions[PICTURES][REGIONS] = {
    {{12, 10, 30, 30}, /* IoU .9 with object 0 */
     {10, 12, 30, 30}, /* likewise */
     {50, 10, 70, 24}, /* .7 with object 1 */
     {10, 10, 18, 18}, /* .16 with object 0: near */
     {34, 34, 46, 56}, /* far */
     {10, 10, 30, 30},
     {50, 10, 70, 30}},
    {{30, 20, 60, 50}, {0, 0, 20, 15}, {30, 20, 42, 40}}, /* object 2, far, near with .27 */
    {{0, 0, 30, 30}, {60, 10, 80, 40}},                   /* in the crowd, far */
};
static const size_t region_counts[PICTURES] = {7, 3, 2};

typedef struct {
    test_set *truth;
    det_training_image images[PICTURES];
    size_t categories[CLASSES];
    int classes[CLASSES];
    det_training_set set;
    det_model_input input;
    det_picture_cache *cache;
} sample;

static const char *name_of(size_t picture)
{
    static const char *const names[PICTURES] = {"a.png", "b.png", "c.png"};
    return names[picture];
}

static void write_picture(const char *name, int width)
{
    det_image image = test_picture(width, 60);
    det_error error = {0};
    test_assert_ok(det_image_write(&image, test_path(name), &error), &error);
    det_image_free(&image);
}

static void make_sample(sample *s)
{
    *s = (sample){.truth = test_set_begin(DET_BOX_SIZED, PICTURES, CLASSES),
                  .categories = {0, 1},
                  .classes = {0, 1},
                  .input = {.width = SIDE,
                            .height = SIDE,
                            .channel_order = "BGR",
                            .mean = {104, 117, 123},
                            .scale = {1, 1, 1},
                            .context_px = 4}};
    test_set_object(s->truth, 0, 0, 10, 10, 20, 20);
    test_set_object(s->truth, 0, 1, 50, 10, 20, 20);
    test_set_object(s->truth, 1, 0, 30, 20, 30, 30);
    test_set_object(s->truth, 2, 0, 0, 0, 40, 60)->crowd = true;
    for (size_t i = 0; i < PICTURES; i++) {
        const int width = 80 + 10 * (int)i;
        write_picture(name_of(i), width);
        s->truth->images[i].file = name_of(i);
        s->images[i].features = (det_region_features){.count = region_counts[i],
                                                      .proposal_count = region_counts[i],
                                                      .boxes = regions[i],
                                                      .picture_width = width,
                                                      .picture_height = 60};
    }
    s->truth->annotations.folder = test_folder();
    s->set = (det_training_set){.annotations = &s->truth->annotations,
                                .classes = {CLASSES, s->categories, s->classes},
                                .images = s->images,
                                .image_count = PICTURES};
    det_error error = {0};
    test_assert_ok(
        det_picture_cache_of(s->set.annotations, NULL, (size_t)1 << 20, &s->cache, &error), &error);
}

static void free_sample(sample *s)
{
    det_picture_cache_free(s->cache);
}

static det_region_sampler *create(const sample *s, const bool *used,
                                  const det_region_sampler_options *options)
{
    det_region_sampler *sampler = NULL;
    det_error error = {0};
    test_assert_ok(det_region_sampler_create(&s->set, used, s->cache, options, &sampler, &error),
                   &error);
    return sampler;
}

static det_region_batch make_batch(const det_region_sampler *sampler, uint64_t step)
{
    det_region_batch batch;
    det_error error = {0};
    test_assert_ok(det_region_batch_create(sampler, &batch, &error), &error);
    det_region_batch_make(sampler, step, &batch);
    return batch;
}

/* ---- What is drawn -------------------------------------------------------------------------- */

static void regions_are_sorted_by_what_they_teach(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    const det_region_sampler_options options = det_region_sampler_defaults(&s.input, 8, 1);
    det_region_sampler *sampler = create(&s, NULL, &options);
    const det_region_sampler_counts counts = det_region_sampler_count(sampler);
    assert_int_equal(counts.objects, 3);
    assert_int_equal(counts.positives, 6);
    assert_int_equal(counts.backgrounds, 5);
    assert_int_equal(counts.near, 2);
    det_region_sampler_free(sampler);
    free_sample(&s);
}

/* A quarter of 8 show objects, half of the other 6 are near them. */
static void a_batch_has_its_shares(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    const det_region_sampler_options options = det_region_sampler_defaults(&s.input, 8, 1);
    det_region_sampler *sampler = create(&s, NULL, &options);
    for (uint64_t step = 0; step < 20; step++) {
        det_region_batch batch = make_batch(sampler, step);
        assert_int_equal(batch.count, 8);
        for (size_t i = 0; i < 8; i++) {
            const det_region_sample *r = &batch.samples[i];
            const det_box box = regions[r->row.image][r->row.region];
            assert_memory_equal(&r->box, &box, sizeof box);
            assert_int_equal(batch.slots[i].picture, r->row.image);
            assert_false(batch.slots[i].mirrored);
            assert_true(i < 2 ? r->overlap >= .5F : r->overlap < .5F);
            if (i >= 2) assert_int_equal(batch.labels[i], CLASSES);
            if (i >= 2 && i < 5) assert_true(r->overlap >= .1F);
        }
        det_region_batch_free(&batch);
    }
    det_region_sampler_free(sampler);
    free_sample(&s);
}

/* Counts how often each region with an object is drawn in 30 steps of two. */
static void count_draws(const sample *s, det_positive_draw draw, int counts[PICTURES][REGIONS])
{
    det_region_sampler_options options = det_region_sampler_defaults(&s->input, 8, 3);
    options.positives = draw;
    det_region_sampler *sampler = create(s, NULL, &options);
    for (uint64_t step = 0; step < 30; step++) {
        det_region_batch batch = make_batch(sampler, step);
        for (size_t i = 0; i < 2; i++)
            counts[batch.samples[i].row.image][batch.samples[i].row.region]++;
        det_region_batch_free(&batch);
    }
    det_region_sampler_free(sampler);
}

static void objects_are_drawn_as_often_as_one_another(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    int n[PICTURES][REGIONS] = {0};
    count_draws(&s, DET_DRAW_OBJECTS, n);
    assert_int_equal(n[0][0] + n[0][1] + n[0][5], 20);
    assert_int_equal(n[0][2] + n[0][6], 20);
    assert_int_equal(n[1][0], 20);
    assert_true(n[0][0] > 0 && n[0][1] > 0 && n[0][5] > 0 && n[0][2] > 0 && n[0][6] > 0);
    free_sample(&s);
}

static void or_regions_are_or_classes(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    int n[PICTURES][REGIONS] = {0}, c[PICTURES][REGIONS] = {0};
    count_draws(&s, DET_DRAW_REGIONS, n);
    const int each[] = {n[0][0], n[0][1], n[0][2], n[0][5], n[0][6], n[1][0]};
    for (int i = 0; i < 6; i++) assert_int_equal(each[i], 10);
    count_draws(&s, DET_DRAW_CLASSES, c);
    assert_int_equal(c[0][2] + c[0][6], 30);
    assert_int_equal(c[0][0] + c[0][1] + c[0][5], 15);
    assert_int_equal(c[1][0], 15);
    free_sample(&s);
}

static bool same_box(det_box a, det_box b)
{
    return a.x0 == b.x0 && a.y0 == b.y0 && a.x1 == b.x1 && a.y1 == b.y1;
}

static bool same_colors(const det_color_changes *a, const det_color_changes *b)
{
    bool same = true;
    for (int k = 0; k < DET_COLOR_CHANGES; k++)
        same = same && a->order[k] == b->order[k] && a->amounts[k] == b->amounts[k];
    return same;
}

static void assert_same_batch(const det_region_batch *a, const det_region_batch *b, bool same)
{
    bool equal = true;
    for (size_t i = 0; i < a->count; i++) {
        const det_region_sample *p = &a->samples[i], *q = &b->samples[i];
        equal = equal && same_box(p->box, q->box) && p->row.image == q->row.image &&
                p->row.region == q->row.region && a->slots[i].mirrored == b->slots[i].mirrored &&
                a->labels[i] == b->labels[i] &&
                same_colors(&a->slots[i].colors, &b->slots[i].colors);
    }
    assert_true(equal == same);
}

static void a_step_can_be_drawn_again_without_those_before_it(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    det_region_sampler_options options = det_region_sampler_defaults(&s.input, 8, 1);
    options.augmentation = det_augmentation_of(true, .1, .2);
    det_region_sampler *sampler = create(&s, NULL, &options), *again = create(&s, NULL, &options);
    options.seed = 2;
    det_region_sampler *other = create(&s, NULL, &options);
    det_region_batch before = make_batch(sampler, 6), a = make_batch(sampler, 7),
                     b = make_batch(again, 7), c = make_batch(other, 7);
    assert_same_batch(&a, &b, true);
    assert_same_batch(&a, &before, false);
    assert_same_batch(&a, &c, false);
    det_region_batch_free(&before);
    det_region_batch_free(&a);
    det_region_batch_free(&b);
    det_region_batch_free(&c);
    det_region_sampler_free(sampler);
    det_region_sampler_free(again);
    det_region_sampler_free(other);
    free_sample(&s);
}

static void pictures_that_are_left_out_are_not_drawn_from(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    const bool used[PICTURES] = {false, true, true};
    const det_region_sampler_options options = det_region_sampler_defaults(&s.input, 8, 1);
    det_region_sampler *sampler = create(&s, used, &options);
    assert_int_equal(det_region_sampler_count(sampler).positives, 1);
    for (uint64_t step = 0; step < 20; step++) {
        det_region_batch batch = make_batch(sampler, step);
        for (size_t i = 0; i < 8; i++) assert_int_not_equal(batch.samples[i].row.image, 0);
        det_region_batch_free(&batch);
    }
    det_region_sampler_free(sampler);
    free_sample(&s);
}

/* The third picture has one region that teaches anything, the second has no far one when near
 * begins at 0. */
static void regions_of_a_kind_that_is_missing_are_replaced(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    const bool last[PICTURES] = {false, false, true};
    const det_region_sampler_options options = det_region_sampler_defaults(&s.input, 4, 1);
    det_region_sampler *sampler = create(&s, last, &options);
    det_region_batch batch = make_batch(sampler, 0);
    for (size_t i = 0; i < 4; i++) assert_int_equal(batch.samples[i].row.region, 1);
    det_region_batch_free(&batch);
    det_region_sampler_free(sampler);

    s.images[1].features.count = 1;
    const bool second[PICTURES] = {false, true, false};
    sampler = create(&s, second, &options);
    batch = make_batch(sampler, 0);
    for (size_t i = 0; i < 4; i++) assert_int_equal(batch.labels[i], 0);
    det_region_batch_free(&batch);
    det_region_sampler_free(sampler);
    free_sample(&s);
}

/* ---- What is changed ------------------------------------------------------------------------ */

static det_box mirror(det_box box, int width)
{
    return (det_box){(float)width - box.x1, box.y0, (float)width - box.x0, box.y1};
}

static void check_moved(const sample *s, const det_region_batch *batch, size_t i)
{
    const det_region_sample *r = &batch->samples[i];
    const det_box b = r->box;
    const int width = s->images[r->row.image].features.picture_width;
    const bool shows = i < 4;
    assert_true(b.x0 >= 0 && b.y0 >= 0 && b.x1 <= (float)width && b.y1 <= 60);
    assert_true(shows ? r->overlap >= .5F : r->overlap < .5F);
    float expected[DET_BOX_DELTAS] = {0};
    if (shows) {
        det_box box = b, object = det_object_box(s->set.annotations, r->object, width, 60);
        assert_float_equal(r->overlap, det_box_iou(b, object), 1e-6);
        if (batch->slots[i].mirrored) {
            box = mirror(box, width);
            object = mirror(object, width);
        }
        det_box_deltas_encode(box, object, expected);
        assert_int_equal(batch->labels[i], s->truth->objects[r->object].category);
    }
    for (int k = 0; k < DET_BOX_DELTAS; k++)
        assert_float_equal(batch->deltas[i][k], expected[k], 1e-5);
}

static void a_moved_box_teaches_the_same_and_leads_to_its_object(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    det_region_sampler_options options = det_region_sampler_defaults(&s.input, 16, 5);
    options.augmentation = det_augmentation_of(true, .3, 0);
    det_region_sampler *sampler = create(&s, NULL, &options);
    int moved = 0, mirrored = 0;
    for (uint64_t step = 0; step < 50; step++) {
        det_region_batch batch = make_batch(sampler, step);
        for (size_t i = 0; i < 16; i++) {
            check_moved(&s, &batch, i);
            const det_region_sample *r = &batch.samples[i];
            if (i >= 4 && i < 10) assert_true(r->overlap >= .1F);
            moved += !same_box(r->box, regions[r->row.image][r->row.region]);
            mirrored += batch.slots[i].mirrored;
        }
        det_region_batch_free(&batch);
    }
    assert_true(moved > 700);
    assert_in_range(mirrored, 330, 470); /* a standard deviation is 14 */
    det_region_sampler_free(sampler);
    free_sample(&s);
}

/* Boxes must overlap their object by .95 to show it: almost no draw succeeds. */
static void a_box_that_cannot_be_moved_stays(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    det_region_sampler_options options = det_region_sampler_defaults(&s.input, 8, 5);
    options.examples = (det_example_options){.95, .05};
    options.augmentation = (det_augmentation){.move = 1, .scale = 1};
    options.positive_share = 1;
    det_region_sampler *sampler = create(&s, NULL, &options);
    int stayed = 0;
    for (uint64_t step = 0; step < 10; step++) {
        det_region_batch batch = make_batch(sampler, step);
        for (size_t i = 0; i < 8; i++) {
            const det_region_sample *r = &batch.samples[i];
            assert_true(r->overlap >= .95F);
            stayed += same_box(r->box, regions[r->row.image][r->row.region]);
        }
        det_region_batch_free(&batch);
    }
    assert_true(stayed > 60);
    det_region_sampler_free(sampler);
    free_sample(&s);
}

/* ---- Input ---------------------------------------------------------------------------------- */

static float *fill(const det_region_sampler *sampler, const det_region_batch *batch, int threads)
{
    float *input = det_alloc_array(batch->count, VALUES * sizeof *input);
    det_error error = {0};
    assert_non_null(input);
    test_assert_ok(det_region_batch_fill(sampler, batch, threads, input, &error), &error);
    return input;
}

/* Left and right of a picture exchanged. */
static void flip(det_image *image)
{
    for (int y = 0; y < image->height; y++) {
        uint8_t *row = image->pixels + (size_t)y * image->stride;
        for (int a = 0, b = image->width - 1; a < b; a++, b--)
            for (int c = 0; c < 3; c++) {
                const uint8_t kept = row[3 * a + c];
                row[3 * a + c] = row[3 * b + c];
                row[3 * b + c] = kept;
            }
    }
}

/* Within a grey level: the crop of a mirrored picture is rounded the other way. */
static void assert_shows(const sample *s, const det_region_batch *batch, size_t i,
                         const float *input)
{
    const det_region_sample *r = &batch->samples[i];
    det_image image = test_picture(s->images[r->row.image].features.picture_width, 60);
    det_box box = r->box;
    if (batch->slots[i].mirrored) {
        flip(&image);
        box = mirror(box, image.width);
    }
    const det_crop_options crop = det_input_crop_options(&s->input, -1);
    uint8_t pixels[VALUES];
    assert_int_equal(det_crop(&image, box, &crop, pixels), DET_OK);
    for (int c = 0; c < 3; c++)
        for (int k = 0; k < SIDE * SIDE; k++) {
            const float value = (float)pixels[3 * k + c] - s->input.mean[c];
            const float tolerance = batch->slots[i].mirrored ? 1.01F : 0;
            assert_float_equal(input[c * SIDE * SIDE + k], value, tolerance);
        }
    det_image_free(&image);
}

static void the_input_shows_the_regions_on_any_number_of_threads(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    det_region_sampler_options options = det_region_sampler_defaults(&s.input, 16, 5);
    options.augmentation = det_augmentation_of(true, .1, 0);
    det_region_sampler *sampler = create(&s, NULL, &options);
    det_region_batch batch = make_batch(sampler, 2);
    float *one = fill(sampler, &batch, 1), *three = fill(sampler, &batch, 3);
    assert_memory_equal(one, three, (size_t)16 * VALUES * sizeof *one);
    size_t mirrored = 0;
    for (size_t i = 0; i < 16; i++) {
        assert_shows(&s, &batch, i, one + i * VALUES);
        mirrored += batch.slots[i].mirrored;
    }
    assert_in_range(mirrored, 1, 15);
    det_free(one);
    det_free(three);
    det_region_batch_free(&batch);
    det_region_sampler_free(sampler);
    free_sample(&s);
}

static void colors_are_those_that_were_drawn(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    det_region_sampler_options options = det_region_sampler_defaults(&s.input, 4, 5);
    options.augmentation = (det_augmentation){.brightness = .5};
    det_region_sampler *sampler = create(&s, NULL, &options);
    det_region_batch batch = make_batch(sampler, 0);
    float *input = fill(sampler, &batch, 2);
    for (size_t i = 0; i < 4; i++) {
        const float factor = (float)batch.slots[i].colors.amounts[DET_CHANGE_BRIGHTNESS];
        assert_true(factor >= .5F && factor < 1.5F && factor != 1);
        const det_crop_options crop = det_input_crop_options(&s.input, -1);
        det_image image =
            test_picture(s.images[batch.samples[i].row.image].features.picture_width, 60);
        uint8_t pixels[VALUES];
        assert_int_equal(det_crop(&image, batch.samples[i].box, &crop, pixels), DET_OK);
        det_image_free(&image);
        for (size_t k = 0; k < (size_t)SIDE * SIDE; k++) {
            const float value = fminf((float)pixels[3 * k] * factor, 255) - 104;
            assert_float_equal(input[i * VALUES + k], value, 1e-3);
        }
    }
    det_free(input);
    det_region_batch_free(&batch);
    det_region_sampler_free(sampler);
    free_sample(&s);
}

static void pictures_that_fail_are_named(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    const det_region_sampler_options options = det_region_sampler_defaults(&s.input, 16, 5);
    det_region_sampler *sampler = create(&s, NULL, &options);
    det_region_batch batch = make_batch(sampler, 0);
    static float input[16 * VALUES];
    det_error error = {0};
    write_picture(name_of(1), 91);
    test_assert_error(det_region_batch_fill(sampler, &batch, 2, input, &error), DET_FORMAT, &error,
                      "91 x 60, and was 90 x 60");
    assert_string_equal(error.file, det_picture_cache_path(s.cache, 1));
    remove(test_path(name_of(2)));
    assert_int_equal(det_region_batch_fill(sampler, &batch, 2, input, &error), DET_FORMAT);
    det_region_batch_free(&batch);
    det_region_sampler_free(sampler);
    free_sample(&s);
}

/* ---- Refused -------------------------------------------------------------------------------- */

static void assert_refused(const sample *s, const bool *used,
                           const det_region_sampler_options *options, const char *part)
{
    det_region_sampler *sampler = NULL;
    det_error error = {0};
    test_assert_error(det_region_sampler_create(&s->set, used, s->cache, options, &sampler, &error),
                      DET_ARGUMENT, &error, part);
    assert_null(sampler);
}

static void options_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    const det_region_sampler_options sound = det_region_sampler_defaults(&s.input, 8, 1);
    det_region_sampler_options o = sound;
    o.count = 0;
    assert_refused(&s, NULL, &o, "no regions");
    o = sound;
    o.positive_share = 1.5;
    assert_refused(&s, NULL, &o, "1.5");
    o = sound;
    o.examples.negative_iou = .6;
    assert_refused(&s, NULL, &o, "both");
    o = sound;
    o.augmentation.hue = 2;
    assert_refused(&s, NULL, &o, "changed so much");
    o = sound;
    o.context_px = 20;
    assert_refused(&s, NULL, &o, "leave nothing");
    const bool none[PICTURES] = {false};
    assert_refused(&s, none, &sound, "no region");
    free_sample(&s);
}

#ifdef DET_FAULT_INJECTION
static det_status try_all(const sample *s, float *input)
{
    const det_region_sampler_options options = det_region_sampler_defaults(&s->input, 4, 1);
    det_region_sampler *sampler = NULL;
    det_region_batch batch = {0};
    det_status status =
        det_region_sampler_create(&s->set, NULL, s->cache, &options, &sampler, NULL);
    if (status == DET_OK) status = det_region_batch_create(sampler, &batch, NULL);
    if (status == DET_OK) {
        det_region_batch_make(sampler, 0, &batch);
        status = det_region_batch_fill(sampler, &batch, 1, input, NULL);
    }
    det_region_batch_free(&batch);
    det_region_sampler_free(sampler);
    return status;
}

static void memory_that_runs_out_is_a_status(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    static float input[4 * VALUES];
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        det_memory_fail_at(nth);
        const det_status status = try_all(&s, input);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
    }
    free_sample(&s);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions_are_sorted_by_what_they_teach),
        cmocka_unit_test(a_batch_has_its_shares),
        cmocka_unit_test(objects_are_drawn_as_often_as_one_another),
        cmocka_unit_test(or_regions_are_or_classes),
        cmocka_unit_test(a_step_can_be_drawn_again_without_those_before_it),
        cmocka_unit_test(pictures_that_are_left_out_are_not_drawn_from),
        cmocka_unit_test(regions_of_a_kind_that_is_missing_are_replaced),
        cmocka_unit_test(a_moved_box_teaches_the_same_and_leads_to_its_object),
        cmocka_unit_test(a_box_that_cannot_be_moved_stays),
        cmocka_unit_test(the_input_shows_the_regions_on_any_number_of_threads),
        cmocka_unit_test(colors_are_those_that_were_drawn),
        cmocka_unit_test(pictures_that_fail_are_named),
        cmocka_unit_test(options_that_make_no_sense_are_refused),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(memory_that_runs_out_is_a_status),
#endif
    };
    return cmocka_run_group_tests_name("region_sampler", tests, NULL, NULL);
}
