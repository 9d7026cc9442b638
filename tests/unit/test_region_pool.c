/* SPDX-License-Identifier: Apache-2.0 */
/* Regions pooled from the map of a whole picture, beside the same regions cropped: a region that is
 * the whole picture at the network's own size gives the same either way. */
#include "detect/detector.h"
#include "detect/features.h"
#include "src/base/memory.h"
#include "src/detector/ensemble.h"
#include "src/detector/trunks.h"
#include "tests/unit/support_detector.h"
#include "tests/unit/support_image.h"
#include "tests/unit/support_network.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { classes = 5, most_values = 4096 };

static const det_region whole_16 = {.box = {0, 0, 16, 16}};

/* The small network of 16 x 16 pixels, whose regions are pooled from "relu1", of 16 x 16 cells. */
static det_config *small_config(const char *scales)
{
    const char *path = test_path("small.safetensors");
    test_small_network(path);
    det_config *config = test_config_of(&path, 1);
    test_config_set(config, "classifier.context_px=0");
    if (!scales) return config;
    test_config_set(config, "classifier.regions=pool");
    char text[64];
    snprintf(text, sizeof text, "classifier.pool.scales=%s", scales);
    test_config_set(config, text);
    return config;
}

/* What an ensemble gives for regions. */
static det_status run(const det_config *config, const char *layer, const det_image *image,
                      const det_region *regions, size_t count, float *values, det_error *error)
{
    det_ensemble ensemble = {0};
    det_ensemble_run batch = {0};
    const det_ensemble_options options = {.layer = layer};
    det_status status = det_ensemble_create(config, &options, &ensemble, error);
    if (status == DET_OK) status = det_ensemble_run_create(&ensemble, &batch, error);
    for (size_t i = 0; status == DET_OK && i < count; i += ensemble.batch) {
        const size_t some = count - i < ensemble.batch ? count - i : ensemble.batch;
        const size_t row = det_ensemble_values(&ensemble);
        const float *given = NULL;
        status = det_ensemble_classify(&batch, image, regions + i, some, &given, error);
        assert_true(count * row <= most_values);
        if (status == DET_OK) memcpy(values + i * row, given, some * row * sizeof *values);
    }
    det_ensemble_run_free(&batch);
    det_ensemble_free(&ensemble);
    return status;
}

static void run_config(det_config *config, const char *layer, const det_image *image,
                       const det_region *regions, size_t count, float *values)
{
    det_error error = {0};
    test_assert_ok(run(config, layer, image, regions, count, values, &error), &error);
    det_config_free(config);
}

static void assert_near(const float *a, const float *b, size_t count, float tolerance)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(a[i] - b[i]) <= tolerance))
            fail_msg("value %zu: %g, not %g", i, (double)a[i], (double)b[i]);
}

/* ---- Beside crops ---- */

/* With one pixel of surroundings on each side the picture fills 14 of 16 pixels: at a shorter side
 * of 14 the canvas is that crop. */
static void a_region_that_is_the_whole_picture_gives_what_its_crop_gives(void **state)
{
    (void)state;
    static const char *const methods[] = {"align", "max"};
    det_image image = test_picture(16, 16);
    for (int context = 0; context <= 1; context++)
        for (int m = 0; m < 2; m++) {
            float crop[classes], pooled[classes];
            det_config *config = small_config(NULL), *other = small_config(context ? "14" : "16");
            config->classifier.context_px = other->classifier.context_px = context;
            snprintf(other->classifier.pool_method, sizeof other->classifier.pool_method, "%s",
                     methods[m]);
            run_config(config, NULL, &image, &whole_16, 1, crop);
            run_config(other, NULL, &image, &whole_16, 1, pooled);
            assert_near(pooled, crop, classes, 1e-6f);
        }
    det_image_free(&image);
}

/* In the middle of the crop no layer sees its border: cells 1 to 6 of pool1 look at cells 2 to 14
 * of relu1, which look at pixels 1 to 15. */
static void a_region_shows_the_rectangle_of_its_crop(void **state)
{
    (void)state;
    det_image image = test_picture(48, 48);
    const det_region regions[] = {{.box = {16, 16, 32, 32}}, {.box = {7, 19, 23, 35}}};
    float crop[2 * 4 * 8 * 8], pooled[2 * 4 * 8 * 8];
    run_config(small_config(NULL), "pool1", &image, regions, 2, crop);
    run_config(small_config("48"), "pool1", &image, regions, 2, pooled);
    for (int i = 0; i < 2 * 4 * 8 * 8; i++) {
        const int y = i / 8 % 8, x = i % 8;
        if (y >= 1 && y <= 6 && x >= 1 && x <= 6) assert_near(pooled + i, crop + i, 1, 1e-5f);
    }
    det_image_free(&image);
}

static void features_of_regions_are_pooled_too(void **state)
{
    (void)state;
    det_image image = test_picture(16, 16);
    float crop[8 * 8 * 8], pooled[8 * 8 * 8];
    run_config(small_config(NULL), "concat", &image, &whole_16, 1, crop);
    run_config(small_config("16"), "concat", &image, &whole_16, 1, pooled);
    assert_near(pooled, crop, (size_t)8 * 8 * 8, 1e-5f);
    det_image_free(&image);
}

static void googlenet_gives_the_same_for_a_whole_picture_in_each_precision(void **state)
{
    (void)state;
    const char *path = test_googlenet("googlenet.safetensors");
    det_image image = test_picture(224, 224);
    const det_region whole = {.box = {0, 0, 224, 224}};
    static const char *const precisions[] = {"f32", "bf16"};
    for (int i = 0; i < 2; i++) {
        det_precision precision;
        det_precision_parse(precisions[i], &precision);
        if (det_precision_check(precision, NULL) < 0) continue;
        float values[2][1000];
        for (int pool = 0; pool < 2; pool++) {
            det_config *config = test_config_of(&path, 1);
            test_config_set(config, i ? "classifier.precision=bf16" : "classifier.precision=f32");
            test_config_set(config, "classifier.context_px=16");
            test_config_set(config, "classifier.batch=1");
            test_config_set(config, "classifier.pool.scales=192");
            if (pool) test_config_set(config, "classifier.regions=pool");
            run_config(config, NULL, &image, &whole, 1, values[pool]);
        }
        assert_near(values[1], values[0], 1000, i ? 1e-2f : 1e-5f);
    }
    det_image_free(&image);
}

/* ---- Ensembles, threads, scales ---- */

static void several_models_vote_each_with_a_map_of_its_own(void **state)
{
    (void)state;
    det_image image = test_picture(40, 30);
    const det_region regions[] = {{.box = {2, 3, 31, 22}}, {.box = {11, 0, 40, 30}}};
    float one[2 * classes], other[2 * classes], both[2 * classes];
    run_config(small_config("32"), NULL, &image, regions, 2, one);
    det_config *config = small_config("32");
    const char *const paths[] = {config->classifier.models[0], test_path("second.safetensors")};
    test_sketch sketch = test_small_sketch();
    for (size_t i = 0; i < 5; i++) sketch.values[sketch.value_count - 1][i] = (float)i / 4;
    test_assert_ok(det_model_write(sketch.model, paths[1], NULL), NULL);
    test_sketch_free(&sketch);
    for (size_t n = 1; n <= 2; n++) {
        det_config *these = test_config_of(paths + 2 - n, n);
        test_config_set(these, "classifier.regions=pool");
        test_config_set(these, "classifier.pool.scales=32");
        test_config_set(these, "classifier.context_px=0");
        run_config(these, NULL, &image, regions, 2, n == 1 ? other : both);
    }
    det_config_free(config);
    for (int i = 0; i < 2 * classes; i++) one[i] = (one[i] + other[i]) / 2;
    assert_near(both, one, (size_t)2 * classes, 1e-6f);
    det_image_free(&image);
}

static void the_same_comes_out_on_any_number_of_threads_and_in_any_batch(void **state)
{
    (void)state;
    det_image image = test_picture(50, 40);
    det_region regions[7];
    for (int i = 0; i < 7; i++)
        regions[i] = (det_region){.box = {(float)i, 2, 20 + 4 * (float)i, 30 + (float)i}};
    float first[7 * classes], values[7 * classes];
    static const int threads[] = {1, 2, 3}, batches[] = {3, 1, 8};
    for (int i = 0; i < 3; i++) {
        det_config *config = small_config("[24,40]");
        config->runtime.threads = threads[i];
        config->classifier.batch = (size_t)batches[i];
        run_config(config, NULL, &image, regions, 7, i == 0 ? first : values);
        if (i > 0) assert_near(values, first, (size_t)7 * classes, 1e-5f);
    }
    det_image_free(&image);
}

/* Crops of 16 x 16 pixels: at 32 pixels of the shorter side (factor 1) the first region is nearest
 * in area, at 16 (factor 1/2) the second, which is twice as large. */
static void a_region_takes_the_scale_at_which_it_is_nearest_to_the_input(void **state)
{
    (void)state;
    det_image image = test_picture(40, 32);
    const det_region regions[] = {{.box = {3, 4, 19, 21}}, {.box = {5, 0, 37, 31}}};
    float both[2 * classes], at_16[2 * classes], at_32[2 * classes];
    run_config(small_config("[16,32]"), NULL, &image, regions, 2, both);
    run_config(small_config("16"), NULL, &image, regions, 2, at_16);
    run_config(small_config("32"), NULL, &image, regions, 2, at_32);
    assert_near(both, at_32, classes, 0);
    assert_near(both + classes, at_16 + classes, classes, 0);
    assert_true(fabsf(at_16[0] - at_32[0]) > 1e-6f);
    det_image_free(&image);
}

/* ---- Odd regions and pictures ---- */

static void regions_outside_beside_and_smaller_than_a_cell_are_classified(void **state)
{
    (void)state;
    det_image image = test_picture(40, 30);
    const det_region regions[] = {{.box = {-90, -80, -50, -60}},
                                  {.box = {30, 20, 4000, 3000}},
                                  {.box = {5, 5, 5.01f, 5.02f}},
                                  {.box = {-1e30f, 0, 1e30f, 1}},
                                  {.box = {1e6f, 1e6f, 2e6f, 3e6f}}};
    static const char *const methods[] = {"classifier.pool.method=align",
                                          "classifier.pool.method=max"};
    for (int m = 0; m < 2; m++) {
        float values[5 * classes];
        det_config *config = small_config("32");
        test_config_set(config, methods[m]);
        run_config(config, NULL, &image, regions, 5, values);
        for (int i = 0; i < 5; i++) {
            float sum = 0;
            for (int c = 0; c < classes; c++) sum += values[i * classes + c];
            assert_true(fabsf(sum - 1) < 1e-5f);
        }
    }
    det_image_free(&image);
}

static void a_picture_of_a_pixel_and_a_long_one_have_maps(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1}, {1, 3000}, {3000, 2}, {7, 5}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        float values[classes];
        det_image image = test_picture(sizes[i][0], sizes[i][1]);
        const det_region whole = {.box = {0, 0, (float)sizes[i][0], (float)sizes[i][1]}};
        run_config(small_config("64"), NULL, &image, &whole, 1, values);
        det_image_free(&image);
    }
}

static void an_empty_region_and_one_that_is_not_finite_are_refused(void **state)
{
    (void)state;
    det_image image = test_picture(20, 20);
    static const det_region regions[] = {{.box = {3, 3, 3, 9}},
                                         {.box = {3, 9, 5, 8}},
                                         {.box = {NAN, 0, 5, 8}},
                                         {.box = {0, 0, INFINITY, 8}}};
    for (size_t i = 0; i < sizeof regions / sizeof *regions; i++) {
        float values[classes];
        det_error error = {0};
        det_config *config = small_config("20");
        test_assert_error(run(config, NULL, &image, &regions[i], 1, values, &error), DET_ARGUMENT,
                          &error, "empty or not finite");
        det_config_free(config);
    }
    det_image_free(&image);
}

/* ---- Refusals ---- */

static void assert_create_fails(const char *assignment, const char *layer, det_status expected,
                                const char *where, const char *message)
{
    det_config *config = small_config("20");
    det_ensemble ensemble = {0};
    det_error error = {0};
    const det_ensemble_options options = {.layer = layer};
    if (assignment) test_config_set(config, assignment);
    test_assert_error(det_ensemble_create(config, &options, &ensemble, &error), expected, &error,
                      message);
    assert_string_equal(error.where, where);
    assert_non_null(strstr(error.file, "small.safetensors"));
    det_ensemble_free(&ensemble);
    det_config_free(config);
}

static void layers_that_regions_cannot_be_pooled_from_are_refused(void **state)
{
    (void)state;
    assert_create_fails("classifier.pool.layer=relu11", NULL, DET_ARGUMENT, "classifier.pool.layer",
                        "near it: 'relu1'");
    assert_create_fails("classifier.pool.layer=branch1", NULL, DET_ARGUMENT,
                        "classifier.pool.layer: concat",
                        "reads 'branch2_relu', which does not go through 'branch1'");
    assert_create_fails("classifier.pool.layer=pool2", NULL, DET_UNSUPPORTED,
                        "classifier.pool.layer: pool2", "has no map");
    assert_create_fails("classifier.pool.layer=concat", "norm1", DET_ARGUMENT,
                        "classifier.pool.layer: norm1", "does not come after 'concat'");
    assert_create_fails(NULL, "conv1", DET_UNSUPPORTED, "classifier.pool.layer",
                        "no map that everything goes through");
}

static void any_layer_that_everything_goes_through_will_do(void **state)
{
    (void)state;
    static const char *const layers[] = {"conv1", "relu1", "pool1", "norm1", "concat"};
    det_image image = test_picture(16, 16);
    float crop[classes];
    run_config(small_config(NULL), NULL, &image, &whole_16, 1, crop);
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        float pooled[classes];
        char text[64];
        snprintf(text, sizeof text, "classifier.pool.layer=%s", layers[i]);
        det_config *config = small_config("16");
        test_config_set(config, text);
        run_config(config, NULL, &image, &whole_16, 1, pooled);
        assert_near(pooled, crop, classes, 1e-5f);
    }
    det_image_free(&image);
}

static void a_picture_whose_map_exceeds_the_limit_of_memory_is_refused(void **state)
{
    (void)state;
    det_image image = test_picture(300, 200);
    const det_region region = {.box = {0, 0, 90, 90}};
    float values[classes];
    det_error error = {0};
    det_config *config = small_config("2000");
    config->limits.memory_mb = 8;
    test_assert_error(run(config, NULL, &image, &region, 1, values, &error), DET_LIMIT, &error,
                      "at 3008 x 2016 pixels needs about");
    assert_string_equal(error.where, "limits.memory_mb");
    det_config_free(config);
    det_image_free(&image);
}

/* ---- Networks that are kept ---- */

static det_trunks *make_trunks(void)
{
    static const char *const layer = "relu1";
    const char *path = test_path("small.safetensors");
    test_small_network(path);
    det_model *model = NULL;
    det_trunks *trunks = NULL;
    const det_network_options options = {.to = &layer, .to_count = 1, .threads = 1};
    test_assert_ok(det_model_open(path, &model, NULL), NULL);
    test_assert_ok(det_trunks_create(model, &options, &trunks, NULL), NULL);
    det_model_free(model); /* the trunks keep it */
    return trunks;
}

static const det_network *borrow(det_trunks *trunks, int width, int height, size_t bytes)
{
    const det_network *network = NULL;
    det_error error = {0};
    test_assert_ok(det_trunks_borrow(trunks, width, height, bytes, &network, &error), &error);
    assert_int_equal(det_network_input_shape(network).width, width);
    assert_int_equal(det_network_input_shape(network).height, height);
    return network;
}

static void a_size_of_pictures_is_compiled_once_and_the_last_eight_are_kept(void **state)
{
    (void)state;
    det_trunks *trunks = make_trunks();
    const det_network *first = borrow(trunks, 16, 16, SIZE_MAX);
    det_trunks_return(trunks, first);
    assert_ptr_equal(borrow(trunks, 16, 16, SIZE_MAX), first); /* and stays lent */
    for (int i = 0; i < 20; i++) det_trunks_return(trunks, borrow(trunks, 16 + i, 17, SIZE_MAX));
    assert_int_equal(det_trunks_count(trunks), 8);
    assert_ptr_equal(borrow(trunks, 16, 16, SIZE_MAX), first);
    det_trunks_return(trunks, first);
    det_trunks_return(trunks, first);
    det_trunks_free(trunks);
}

static void what_is_lent_stays_and_what_is_idle_goes_where_memory_is_short(void **state)
{
    (void)state;
    det_trunks *trunks = make_trunks();
    const det_network *lent[10];
    for (int i = 0; i < 10; i++) lent[i] = borrow(trunks, 16, 16 + i, 0);
    assert_int_equal(det_trunks_count(trunks), 10);
    for (int i = 0; i < 10; i++) det_trunks_return(trunks, lent[i]);
    assert_int_equal(det_trunks_count(trunks), 8);
    det_trunks_return(trunks, borrow(trunks, 40, 40, 0));
    assert_int_equal(det_trunks_count(trunks), 1);
    det_trunks_free(trunks);
}

/* ---- One detector, several threads ---- */

typedef struct {
    const det_detector *detector;
    det_image image;
    det_region region;
    float best; /* score */
    det_status status;
} call;

static void *detect_in_thread(void *context)
{
    call *c = context;
    for (int i = 0; i < 5 && c->status == DET_OK; i++) {
        det_result result = {0};
        c->status =
            det_detector_classify(c->detector, &c->image, &c->region, 1, NULL, &result, NULL);
        c->best = result.detection_count > 0 ? result.detections[0].score : 0;
        det_result_free(&result);
    }
    return NULL;
}

static void a_detector_that_pools_is_shared_between_threads(void **state)
{
    (void)state;
    enum { threads = 4 };
    det_config *config = small_config("[16,40]");
    config->runtime.threads = 1;
    det_detector *detector = NULL;
    test_assert_ok(det_detector_create(config, &detector, NULL), NULL);
    call calls[threads] = {0}, alone[threads];
    pthread_t handles[threads];
    for (int i = 0; i < threads; i++) {
        const int pair = i / 2;
        const float side = 20 + 20 * (float)pair;
        calls[i] = (call){.detector = detector,
                          .image = test_picture(40 + 40 * pair, 40),
                          .region = {.box = {(float)i, 0, side, side}}};
        alone[i] = calls[i];
    }
    for (int i = 0; i < threads; i++)
        assert_int_equal(pthread_create(&handles[i], NULL, detect_in_thread, &calls[i]), 0);
    for (int i = 0; i < threads; i++) pthread_join(handles[i], NULL);
    for (int i = 0; i < threads; i++) {
        detect_in_thread(&alone[i]);
        assert_int_equal(calls[i].status, DET_OK);
        assert_true(calls[i].best > 0 && calls[i].best == alone[i].best);
        det_image_free(&calls[i].image);
    }
    det_detector_free(detector);
    det_config_free(config);
}

/* ---- Memory ---- */

#ifdef DET_FAULT_INJECTION
static void memory_that_runs_out_is_an_error(void **state)
{
    (void)state;
    det_image image = test_picture(20, 20);
    det_config *config = small_config("[16,20]");
    const det_region regions[] = {{.box = {0, 0, 20, 20}}, {.box = {0, 0, 12, 12}}};
    config->runtime.threads = 1;
    for (uint64_t n = 1;; n++) {
        float values[2 * classes];
        det_error error = {0};
        det_memory_fail_at(n);
        const det_status status = run(config, NULL, &image, regions, 2, values, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        if (!failed) {
            test_assert_ok(status, &error);
            break;
        }
        if (status != DET_OK) assert_int_equal(status, DET_MEMORY);
    }
    det_config_free(config);
    det_image_free(&image);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_region_that_is_the_whole_picture_gives_what_its_crop_gives),
        cmocka_unit_test(a_region_shows_the_rectangle_of_its_crop),
        cmocka_unit_test(features_of_regions_are_pooled_too),
        cmocka_unit_test(googlenet_gives_the_same_for_a_whole_picture_in_each_precision),
        cmocka_unit_test(several_models_vote_each_with_a_map_of_its_own),
        cmocka_unit_test(the_same_comes_out_on_any_number_of_threads_and_in_any_batch),
        cmocka_unit_test(a_region_takes_the_scale_at_which_it_is_nearest_to_the_input),
        cmocka_unit_test(regions_outside_beside_and_smaller_than_a_cell_are_classified),
        cmocka_unit_test(a_picture_of_a_pixel_and_a_long_one_have_maps),
        cmocka_unit_test(an_empty_region_and_one_that_is_not_finite_are_refused),
        cmocka_unit_test(layers_that_regions_cannot_be_pooled_from_are_refused),
        cmocka_unit_test(any_layer_that_everything_goes_through_will_do),
        cmocka_unit_test(a_picture_whose_map_exceeds_the_limit_of_memory_is_refused),
        cmocka_unit_test(a_size_of_pictures_is_compiled_once_and_the_last_eight_are_kept),
        cmocka_unit_test(what_is_lent_stays_and_what_is_idle_goes_where_memory_is_short),
        cmocka_unit_test(a_detector_that_pools_is_shared_between_threads),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(memory_that_runs_out_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
