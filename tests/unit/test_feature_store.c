/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/features.h"
#include "src/base/memory.h"
#include "src/data/paths.h"
#include "src/train/feature_store.h"
#include "tests/unit/support_network.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A picture with a few edges, so that there are segments. */
static const char *write_picture(const char *name, uint8_t shade)
{
    const char *path = test_path(name);
    det_image image = {0};
    det_error error;
    test_assert_ok(det_image_create(80, 60, &image, &error), &error);
    for (int y = 0; y < 60; y++)
        for (int x = 0; x < 80; x++) {
            uint8_t *pixel = image.pixels + (size_t)y * image.stride + (size_t)x * 3;
            pixel[0] = x < 40 ? shade : 200;
            pixel[1] = y < 30 ? 20 : 220;
            pixel[2] = x > 20 && x < 60 && y > 15 && y < 45 ? 250 : shade;
        }
    test_assert_ok(det_image_write(&image, path, &error), &error);
    det_image_free(&image);
    return path;
}

static det_config *configure(const char *more)
{
    det_config *config = NULL;
    det_error error;
    char model[300];
    test_small_network(test_path("small.safetensors"));
    snprintf(model, sizeof model, "classifier.models=%s", test_path("small.safetensors"));
    test_assert_ok(det_config_create(&config, &error), &error);
    test_assert_ok(det_config_set(config, model, &error), &error);
    test_assert_ok(det_config_set(config, "runtime.threads=1", &error), &error);
    if (more) test_assert_ok(det_config_set(config, more, &error), &error);
    return config;
}

static det_feature_store *open_store(const det_config *config, int grid)
{
    det_feature_store *store = NULL;
    det_error error;
    const det_feature_recipe recipe = {"concat", grid};
    test_assert_ok(det_feature_store_open(test_path("cache"), config, &recipe, &store, &error),
                   &error);
    return store;
}

static det_region_features get(det_feature_store *store, const char *picture, const det_box *boxes,
                               size_t count)
{
    det_region_features features = {0};
    det_error error;
    test_assert_ok(det_feature_store_get(store, picture, boxes, count, NULL, &features, &error),
                   &error);
    return features;
}

static void windows_cover_the_map_and_overlap(void **state)
{
    (void)state;
    static const struct {
        int side, grid, count, kernel, stride;
    } cases[] = {{7, 3, 3, 3, 2}, {14, 3, 3, 6, 4}, {6, 3, 3, 4, 1}, {7, 1, 1, 7, 6},
                 {7, 7, 7, 1, 1}, {2, 3, 2, 1, 1},  {1, 3, 1, 1, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const det_grid_windows w = det_grid_windows_of(cases[i].side, cases[i].grid);
        assert_int_equal(w.count, cases[i].count);
        assert_int_equal(w.kernel, cases[i].kernel);
        assert_int_equal(w.stride, cases[i].stride);
    }
}

static void a_second_time_nothing_is_computed(void **state)
{
    (void)state;
    det_config *config = configure(NULL);
    const char *picture = write_picture("a.png", 30);
    const det_box object = {20, 15, 60, 45};
    det_feature_store *store = open_store(config, 3);
    det_region_features first = get(store, picture, &object, 1);
    assert_true(first.proposal_count > 0);
    assert_int_equal(first.count, first.proposal_count + 1);
    assert_memory_equal(&first.boxes[first.proposal_count], &object, sizeof object);
    assert_int_equal(first.picture_width, 80);
    assert_int_equal(first.picture_height, 60);
    assert_int_equal(first.width, det_feature_store_width(store));
    assert_int_equal(det_feature_store_count(store).extracted, 1);
    det_feature_store_close(store);

    store = open_store(config, 3);
    det_region_features second = get(store, picture, &object, 1);
    const det_feature_store_counts counts = det_feature_store_count(store);
    assert_int_equal(counts.pictures, 1);
    assert_int_equal(counts.proposed, 0);
    assert_int_equal(counts.extracted, 0);
    assert_int_equal(second.count, first.count);
    assert_memory_equal(second.values, first.values, first.count * first.width);
    assert_memory_equal(second.scales, first.scales, first.count * sizeof *first.scales);
    det_region_features_free(&first);
    det_region_features_free(&second);
    det_feature_store_close(store);
    det_config_free(config);
}

/* The folder knows the proposals of one head from those of another. */
static void proposals_of_another_model_are_made_anew(void **state)
{
    (void)state;
    det_config *config = configure("proposals.methods=multibox");
    char model[300];
    const char *path = test_path("boxes.safetensors");
    snprintf(model, sizeof model, "classifier.models=%s", path);
    test_assert_ok(det_config_set(config, model, NULL), NULL);
    const char *picture = write_picture("heads.png", 30);
    float *weights = test_random_values(TEST_MULTIBOX_WEIGHTS, 3);
    for (int i = 0; i < 3; i++) { /* a head, the same again, another one */
        test_multibox_network(path, i < 2 ? NULL : weights);
        det_feature_store *store = open_store(config, 3);
        det_region_features features = get(store, picture, NULL, 0);
        if (i < 2) assert_int_equal(features.proposal_count, TEST_PRIORS);
        assert_int_equal(det_feature_store_count(store).proposed, i != 1);
        det_region_features_free(&features);
        det_feature_store_close(store);
    }
    det_free(weights);
    det_config_free(config);
}

static void what_changed_is_computed_anew(void **state)
{
    (void)state;
    det_config *config = configure(NULL), *other = configure("proposals.max=3");
    const det_box object = {20, 15, 60, 45}, moved = {21, 15, 60, 45};
    det_feature_store *store = open_store(config, 3);
    det_region_features features = get(store, write_picture("b.png", 31), &object, 1);
    det_region_features_free(&features);

    features = get(store, write_picture("b.png", 31), &moved, 1); /* a box: features alone */
    det_region_features_free(&features);
    assert_int_equal(det_feature_store_count(store).proposed, 1);
    assert_int_equal(det_feature_store_count(store).extracted, 2);

    features = get(store, write_picture("b.png", 32), &object, 1); /* a pixel: both */
    det_region_features_free(&features);
    assert_int_equal(det_feature_store_count(store).proposed, 2);
    assert_int_equal(det_feature_store_count(store).extracted, 3);
    det_feature_store_close(store);

    store = open_store(other, 3); /* a setting of proposals: both */
    features = get(store, write_picture("b.png", 31), &object, 1);
    assert_int_equal(features.proposal_count, 3);
    det_region_features_free(&features);
    assert_int_equal(det_feature_store_count(store).proposed, 1);
    det_feature_store_close(store);

    store = open_store(config, 2); /* another grid: features alone */
    features = get(store, write_picture("b.png", 31), &object, 1);
    det_region_features_free(&features);
    assert_int_equal(det_feature_store_count(store).proposed, 0);
    assert_int_equal(det_feature_store_count(store).extracted, 1);
    det_feature_store_close(store);
    det_config_free(config);
    det_config_free(other);
}

/* The layer's 8 x 8 map has windows of 4 in distances of 2. */
typedef struct {
    float expected[9 * 8]; /* rows x columns x channels of one region */
} plain_average;

static float average_of(const float *map, int row, int column)
{
    float sum = 0;
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 4; x++) sum += map[(row + y) * 8 + column + x];
    return sum / 16;
}

static det_status average(void *context, const det_feature_rows *rows, det_error *error)
{
    (void)error;
    plain_average *plain = context;
    assert_int_equal(rows->count, 1);
    for (int c = 0; c < 8; c++)
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++)
                plain->expected[(i * 3 + j) * 8 + c] =
                    average_of(rows->values + (size_t)c * 64, 2 * i, 2 * j);
    return DET_OK;
}

static void features_are_averages_of_windows_in_8_bits(void **state)
{
    (void)state;
    det_config *config = configure(NULL);
    const char *picture = write_picture("c.png", 33);
    const det_box object = {20, 15, 60, 45};
    det_feature_store *store = open_store(config, 3);
    assert_int_equal(det_feature_store_width(store), 9 * 8);
    det_region_features features = get(store, picture, &object, 1);

    det_extractor *extractor = NULL;
    det_image image = {0};
    det_error error;
    const det_extract_options options = {.layer = "concat", .regions = true};
    plain_average plain = {0};
    const det_feature_sink sink = {average, &plain};
    const det_region region = {.box = object};
    test_assert_ok(det_extractor_create(config, &options, &extractor, &error), &error);
    test_assert_ok(det_image_read(picture, NULL, &image, &error), &error);
    test_assert_ok(det_extractor_regions(extractor, &image, &region, 1, NULL, &sink, &error),
                   &error);
    const size_t last = features.count - 1;
    const float step = features.scales[last];
    bool any = false;
    for (size_t i = 0; i < features.width; i++) {
        const float expected = plain.expected[i] > 0 ? plain.expected[i] : 0;
        const float value = (float)features.values[last * features.width + i] * step;
        assert_true(fabsf(value - expected) <= step * .501F);
        any = any || value > 0;
    }
    assert_true(any);
    det_image_free(&image);
    det_extractor_free(extractor);
    det_region_features_free(&features);
    det_feature_store_close(store);
    det_config_free(config);
}

static det_status damage(void *context, const char *folder, const char *name, det_error *error)
{
    (void)context, (void)error;
    char path[600];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    test_write_file(path, "cut", 3);
    return DET_OK;
}

static void a_damaged_file_is_made_again(void **state)
{
    (void)state;
    det_config *config = configure(NULL);
    const char *picture = write_picture("d.png", 34);
    det_feature_store *store = open_store(config, 3);
    det_region_features features = get(store, picture, NULL, 0);
    const size_t count = features.count;
    det_region_features_free(&features);
    assert_int_equal(det_folder_each(test_path("cache"), damage, NULL, NULL), DET_OK);
    features = get(store, picture, NULL, 0);
    assert_int_equal(features.count, count);
    assert_int_equal(det_feature_store_count(store).extracted, 2);
    det_region_features_free(&features);
    det_feature_store_close(store);
    det_config_free(config);
}

static void a_picture_that_is_missing_is_named(void **state)
{
    (void)state;
    det_config *config = configure(NULL);
    det_feature_store *store = open_store(config, 3);
    det_region_features features = {0};
    det_error error;
    const det_status status =
        det_feature_store_get(store, test_path("nowhere.png"), NULL, 0, NULL, &features, &error);
    test_assert_error(status, DET_IO, &error, "No such file");
    assert_non_null(strstr(error.file, "nowhere.png"));
    det_feature_store_close(store);

    const det_feature_recipe recipe = {"concat", 0};
    test_assert_error(det_feature_store_open(test_path("cache"), config, &recipe, &store, &error),
                      DET_ARGUMENT, &error, "grid");
    det_config_free(config);
}

static void memory_that_is_short_is_reported(void **state)
{
    (void)state;
#ifdef DET_FAULT_INJECTION
    det_config *config = configure(NULL);
    const char *picture = write_picture("e.png", 35);
    const char *folder = test_path("cache2");
    const det_feature_recipe recipe = {"concat", 3};
    bool reached = true;
    for (uint64_t n = 1; reached && n < 4000; n += n < 60 ? 1 : 37) {
        det_feature_store *store = NULL;
        det_region_features features = {0};
        det_error error = {0};
        det_memory_fail_at(n);
        det_status status = det_feature_store_open(folder, config, &recipe, &store, &error);
        if (status == DET_OK)
            status = det_feature_store_get(store, picture, NULL, 0, NULL, &features, &error);
        reached = det_memory_failed();
        det_memory_fail_at(0);
        if (!reached) test_assert_ok(status, &error);
        if (status < 0) assert_int_equal(status, DET_MEMORY);
        det_region_features_free(&features);
        det_feature_store_close(store);
    }
    assert_false(reached);
    det_config_free(config);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_cover_the_map_and_overlap),
        cmocka_unit_test(a_second_time_nothing_is_computed),
        cmocka_unit_test(what_changed_is_computed_anew),
        cmocka_unit_test(proposals_of_another_model_are_made_anew),
        cmocka_unit_test(features_are_averages_of_windows_in_8_bits),
        cmocka_unit_test(a_damaged_file_is_made_again),
        cmocka_unit_test(a_picture_that_is_missing_is_named),
        cmocka_unit_test(memory_that_is_short_is_reported),
    };
    return cmocka_run_group_tests_name("feature store", tests, NULL, NULL);
}
