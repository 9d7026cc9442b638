/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "src/image/multi_crop.h"
#include "src/train/picture_sampler.h"
#include "tests/unit/support_image.h"

#include <math.h>
#include <stdio.h>

enum { PICTURES = 5, SIDE = 16, AREA = SIDE * SIDE, VALUES = 3 * AREA };

/* Classes 0, 1, 1, 7, 7. Picture i is 60 + 10 i x 40 pixels. */
static const size_t labels[PICTURES] = {0, 1, 1, 7, 7};

static const det_model_input input = {
    .width = SIDE, .height = SIDE, .channel_order = "RGB", .mean = {0, 0, 0}, .scale = {1, 1, 1}};

static det_image draw(size_t index)
{
    return test_picture(60 + 10 * (int)index, 40);
}

static det_picture_cache *make_cache(void)
{
    det_paths paths = {0};
    det_picture_cache *cache = NULL;
    det_error error = {0};
    for (size_t i = 0; i < PICTURES; i++) {
        char name[16];
        snprintf(name, sizeof name, "%zu.png", i);
        det_image image = draw(i);
        test_assert_ok(det_image_write(&image, test_path(name), &error), &error);
        det_image_free(&image);
        test_assert_ok(det_paths_push(&paths, det_copy_string(test_path(name)), &error), &error);
    }
    test_assert_ok(det_picture_cache_create(&paths, NULL, (size_t)1 << 20, &cache, &error), &error);
    return cache;
}

static det_picture_sampler *create(det_picture_cache *cache, const bool *used,
                                   const det_picture_sampler_options *options)
{
    det_picture_sampler *sampler = NULL;
    det_error error = {0};
    test_assert_ok(det_picture_sampler_create(labels, used, cache, options, &sampler, &error),
                   &error);
    return sampler;
}

static det_picture_batch make_batch(const det_picture_sampler *sampler, uint64_t step)
{
    det_picture_batch batch;
    det_error error = {0};
    test_assert_ok(det_picture_batch_create(sampler, &batch, &error), &error);
    det_picture_batch_make(sampler, step, &batch);
    return batch;
}

static float *fill(const det_picture_sampler *sampler, const det_picture_batch *batch, int threads)
{
    float *values = det_alloc_array(batch->count, VALUES * sizeof *values);
    det_error error = {0};
    assert_non_null(values);
    test_assert_ok(det_picture_batch_fill(sampler, batch, threads, values, &error), &error);
    return values;
}

/* Counts how often each picture is drawn in 15 steps of 4. */
static void count_draws(det_picture_cache *cache, const bool *used, bool even_classes,
                        int counts[PICTURES])
{
    det_picture_sampler_options options = det_picture_sampler_defaults(&input, 4, 1);
    options.even_classes = even_classes;
    det_picture_sampler *sampler = create(cache, used, &options);
    for (uint64_t step = 0; step < 15; step++) {
        det_picture_batch batch = make_batch(sampler, step);
        for (size_t i = 0; i < 4; i++) {
            counts[batch.slots[i].picture]++;
            assert_int_equal(batch.labels[i], labels[batch.slots[i].picture]);
        }
        det_picture_batch_free(&batch);
    }
    det_picture_sampler_free(sampler);
}

static void pictures_are_drawn_in_turns_or_classes_are(void **state)
{
    (void)state;
    det_picture_cache *cache = make_cache();
    int by_picture[PICTURES] = {0}, by_class[PICTURES] = {0}, left_out[PICTURES] = {0};
    const bool used[PICTURES] = {true, false, true, false, true};
    count_draws(cache, NULL, false, by_picture);
    count_draws(cache, NULL, true, by_class);
    count_draws(cache, used, true, left_out);
    for (size_t i = 0; i < PICTURES; i++) {
        assert_int_equal(by_picture[i], 12);
        assert_int_equal(by_class[i], i == 0 ? 20 : 10);
        assert_int_equal(left_out[i], used[i] ? 20 : 0);
    }
    det_picture_cache_free(cache);
}

static void a_step_gives_the_same_input_again_on_any_number_of_threads(void **state)
{
    (void)state;
    det_picture_cache *cache = make_cache();
    const det_picture_sampler_options options = det_picture_sampler_defaults(&input, 6, 1);
    det_picture_sampler *sampler = create(cache, NULL, &options);
    det_picture_batch batch = make_batch(sampler, 3);
    float *one = fill(sampler, &batch, 1);
    det_picture_batch_make(sampler, 4, &batch);
    float *next = fill(sampler, &batch, 1);
    det_picture_batch_make(sampler, 3, &batch);
    float *again = fill(sampler, &batch, 3);
    int different = 0;
    for (size_t i = 0; i < (size_t)6 * VALUES; i++) {
        assert_float_equal(one[i], again[i], 0);
        assert_true(one[i] >= 0 && one[i] <= 255);
        different += one[i] != next[i];
    }
    assert_true(different > 5 * VALUES);
    det_free(one);
    det_free(next);
    det_free(again);
    det_picture_batch_free(&batch);
    det_picture_sampler_free(sampler);
    det_picture_cache_free(cache);
}

/* Red comes first in the input, blue in pixels. */
static bool shows(const float *values, const uint8_t *pixels)
{
    for (size_t i = 0; i < VALUES; i++) {
        const size_t channel = 2 - i / AREA;
        if (fabsf(values[i] - (float)pixels[3 * (i % AREA) + channel]) > 0) return false;
    }
    return true;
}

/* A part of all of a picture's area, where nothing else is changed. */
static void a_part_is_resized_to_the_input(void **state)
{
    (void)state;
    det_picture_cache *cache = make_cache();
    det_picture_sampler_options options = det_picture_sampler_defaults(&input, 1, 1);
    options.least_area = 1;
    options.any_interpolation = false;
    options.augmentation = (det_augmentation){0};
    const bool used[PICTURES] = {false, true, false, false, false};
    det_picture_sampler *sampler = create(cache, used, &options);
    det_picture_batch batch = make_batch(sampler, 0);
    float *values = fill(sampler, &batch, 1);
    det_image image = draw(1); /* 70 x 40: 4/3 of the height is 53 */
    const det_image middle = {53, 40, image.stride, image.pixels + (size_t)3 * ((70 - 53) / 2)};
    uint8_t pixels[VALUES];
    assert_int_equal(det_image_resample(&middle, DET_INTERPOLATE_AREA, SIDE, SIDE, pixels), DET_OK);
    assert_true(shows(values, pixels));
    det_image_free(&image);
    det_free(values);
    det_picture_batch_free(&batch);
    det_picture_sampler_free(sampler);
    det_picture_cache_free(cache);
}

/* All of a square picture, 200 times: each of four ways to resize it about 50 times. */
static void every_interpolation_is_drawn_as_often(void **state)
{
    (void)state;
    det_image square = test_picture(37, 37);
    det_paths paths = {0};
    det_picture_cache *cache = NULL;
    det_error error = {0};
    test_assert_ok(det_image_write(&square, test_path("square.png"), &error), &error);
    test_assert_ok(det_paths_push(&paths, det_copy_string(test_path("square.png")), &error),
                   &error);
    test_assert_ok(det_picture_cache_create(&paths, NULL, 0, &cache, &error), &error);
    det_picture_sampler_options options = det_picture_sampler_defaults(&input, 200, 1);
    options.least_area = 1;
    options.augmentation = (det_augmentation){0};
    det_picture_sampler *sampler = create(cache, NULL, &options);
    det_picture_batch batch = make_batch(sampler, 0);
    float *values = fill(sampler, &batch, 2);
    int all = 0;
    for (det_interpolation how = 0; how < DET_INTERPOLATIONS; how++) {
        uint8_t pixels[VALUES];
        int seen = 0;
        assert_int_equal(det_image_resample(&square, how, SIDE, SIDE, pixels), DET_OK);
        for (size_t i = 0; i < batch.count; i++) seen += shows(values + i * VALUES, pixels);
        assert_in_range(seen, 20, 80); /* 5 standard deviations are 31 */
        all += seen;
    }
    assert_int_equal(all, 200);
    det_image_free(&square);
    det_free(values);
    det_picture_batch_free(&batch);
    det_picture_sampler_free(sampler);
    det_picture_cache_free(cache);
}

static void without_parts_the_crop_is_the_centre(void **state)
{
    (void)state;
    det_picture_cache *cache = make_cache();
    det_picture_sampler_options options = det_picture_sampler_defaults(&input, 1, 1);
    options.least_area = 0;
    options.augmentation = (det_augmentation){0};
    const bool used[PICTURES] = {false, false, true, false, false};
    det_picture_sampler *sampler = create(cache, used, &options);
    det_picture_batch batch = make_batch(sampler, 0);
    float *values = fill(sampler, &batch, 1);
    det_image image = draw(2);
    const det_multi_crop_options crops = {
        .crops = 1, .width = SIDE, .height = SIDE, .max_pixels = 1000000};
    det_multi_crop plan;
    uint8_t pixels[VALUES];
    assert_int_equal(det_multi_crop_plan(image.width, 40, &crops, &plan, NULL), DET_OK);
    assert_int_equal(det_multi_crop_resize(&plan, &image, 1, NULL), DET_OK);
    assert_int_equal(det_multi_crop_cut(&plan, 0, pixels), DET_OK);
    assert_true(shows(values, pixels));
    det_multi_crop_free(&plan);
    det_image_free(&image);
    det_free(values);
    det_picture_batch_free(&batch);
    det_picture_sampler_free(sampler);
    det_picture_cache_free(cache);
}

static void options_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    det_picture_cache *cache = make_cache();
    det_picture_sampler *sampler = NULL;
    det_error error = {0};
    const det_picture_sampler_options sound = det_picture_sampler_defaults(&input, 2, 1);
    det_picture_sampler_options o = sound;
    o.count = 0;
    test_assert_error(det_picture_sampler_create(labels, NULL, cache, &o, &sampler, &error),
                      DET_ARGUMENT, &error, "no pictures");
    o = sound;
    o.least_area = 1.5;
    test_assert_error(det_picture_sampler_create(labels, NULL, cache, &o, &sampler, &error),
                      DET_ARGUMENT, &error, "1.5");
    o = sound;
    o.augmentation.contrast = 3;
    test_assert_error(det_picture_sampler_create(labels, NULL, cache, &o, &sampler, &error),
                      DET_ARGUMENT, &error, "changed so much");
    const bool none[PICTURES] = {false};
    test_assert_error(det_picture_sampler_create(labels, none, cache, &sound, &sampler, &error),
                      DET_ARGUMENT, &error, "no pictures");
    assert_null(sampler);
    det_picture_cache_free(cache);
}

#ifdef DET_FAULT_INJECTION
static det_status try_all(det_picture_cache *cache, double least_area, float *values)
{
    det_picture_sampler_options options = det_picture_sampler_defaults(&input, 2, 1);
    options.least_area = least_area;
    det_picture_sampler *sampler = NULL;
    det_picture_batch batch = {0};
    det_status status = det_picture_sampler_create(labels, NULL, cache, &options, &sampler, NULL);
    if (status == DET_OK) status = det_picture_batch_create(sampler, &batch, NULL);
    if (status == DET_OK) {
        det_picture_batch_make(sampler, 0, &batch);
        status = det_picture_batch_fill(sampler, &batch, 1, values, NULL);
    }
    det_picture_batch_free(&batch);
    det_picture_sampler_free(sampler);
    return status;
}

static void memory_that_runs_out_is_a_status(void **state)
{
    (void)state;
    det_picture_cache *cache = make_cache();
    static float values[2 * VALUES];
    for (int parts = 0; parts < 2; parts++) {
        bool failed = true;
        for (uint64_t nth = 1; failed; nth++) {
            det_memory_fail_at(nth);
            const det_status status = try_all(cache, parts ? .08 : 0, values);
            failed = det_memory_failed();
            det_memory_fail_at(0);
            assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        }
    }
    det_picture_cache_free(cache);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_are_drawn_in_turns_or_classes_are),
        cmocka_unit_test(a_step_gives_the_same_input_again_on_any_number_of_threads),
        cmocka_unit_test(a_part_is_resized_to_the_input),
        cmocka_unit_test(every_interpolation_is_drawn_as_often),
        cmocka_unit_test(without_parts_the_crop_is_the_centre),
        cmocka_unit_test(options_that_make_no_sense_are_refused),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(memory_that_runs_out_is_a_status),
#endif
    };
    return cmocka_run_group_tests_name("picture_sampler", tests, NULL, NULL);
}
