/* SPDX-License-Identifier: Apache-2.0 */
/* Calibration of a small network with pictures that the test draws. */
#include "detect/calibrate.h"

#include "detect/detector.h"
#include "detect/image.h"
#include "src/base/file.h"
#include "src/base/memory.h"
#include "src/nn/model_file.h"
#include "tests/unit/support.h"
#include "tests/unit/support_network.h"

#include <stdio.h>
#include <string.h>

enum { picture_count = 3 };

/* Rectangles of many colours, so that there are regions to propose. */
static void draw(const char *path, int seed)
{
    det_image image = {0};
    det_error error = {0};
    test_assert_ok(det_image_create(120, 90, &image, &error), &error);
    for (int y = 0; y < image.height; y++)
        for (int x = 0; x < image.width; x++) {
            const int tile = (x / 30 + seed) * 7 + y / 30 * 5;
            uint8_t *pixel = image.pixels + (size_t)y * image.stride + 3 * (size_t)x;
            for (int c = 0; c < 3; c++) pixel[c] = (uint8_t)(tile * (37 + 20 * c) % 256);
        }
    test_assert_ok(det_image_write(&image, path, &error), &error);
    det_image_free(&image);
}

static char paths[picture_count][256], model_path[256], out_path[256];
static const char *pictures[picture_count];

static int make_files(void **state)
{
    (void)state;
    for (int i = 0; i < picture_count; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%d.png", test_folder(), i);
        draw(paths[i], i);
        pictures[i] = paths[i];
    }
    snprintf(model_path, sizeof model_path, "%s/small.safetensors", test_folder());
    snprintf(out_path, sizeof out_path, "%s/out.safetensors", test_folder());
    test_small_network(model_path);
    return 0;
}

static const det_calibration_options few = {.regions = 24};

static det_model *open_model(const char *path)
{
    det_model *model = NULL;
    det_error error = {0};
    test_assert_ok(det_model_open(path, &model, &error), &error);
    return model;
}

static void a_calibrated_model_lists_what_was_measured(void **state)
{
    (void)state;
    det_error error = {0};
    test_assert_ok(
        det_model_calibrate(model_path, pictures, picture_count, &few, out_path, NULL, &error),
        &error);
    test_assert_ok(det_model_verify(out_path, &error), &error);
    det_model *before = open_model(model_path), *after = open_model(out_path);
    assert_false(det_model_is_calibrated(before));
    assert_true(det_model_is_calibrated(after));
    /* The rounded weights are data of the file too. */
    assert_string_not_equal(det_model_digest(before), det_model_digest(after));
    int rounded = 0;
    for (int i = 0; i < after->graph.count; i++) {
        const det_layer_scales *layer = &after->quantization.layers[i];
        for (int w = 0; w < DET_WEIGHT_WIDTHS; w++) rounded += layer->rounded[w] != NULL;
    }
    assert_true(rounded > 0);

    const bool bf16_here = det_precision_check(DET_BF16, NULL) == DET_OK;
    const bool vnni = det_integer_weight_bits() == 8;
    const size_t expected = 1u + bf16_here + vnni;
    assert_int_equal(det_model_agreement_count(after), expected);
    for (size_t i = 0; i < expected; i++) {
        const det_agreement *a = det_model_agreement(after, i);
        assert_true(a->regions > 0 && a->same_class >= 0 && a->same_class <= 1);
        const bool bf16 = a->precision == DET_BF16;
        const bool good = a->same_class >= (bf16 ? DET_BF16_SAME_CLASS : DET_INT8_SAME_CLASS) &&
                          a->change <= (bf16 ? DET_BF16_CHANGE : DET_INT8_CHANGE);
        assert_int_equal(a->verified, good);
    }
    det_layer_info info;
    test_assert_ok(det_model_layer(after, 0, &info), NULL);
    assert_true(info.weighted && !info.integer); /* it looks at the picture, which is signed */
    det_model_free(before);
    det_model_free(after);
}

static void a_calibrated_model_runs_in_int8(void **state)
{
    (void)state;
    det_error error = {0};
    test_assert_ok(
        det_model_calibrate(model_path, pictures, picture_count, &few, out_path, NULL, &error),
        &error);
    det_model *model = open_model(out_path);
    uint8_t pixels[16 * 16 * 3];
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 11 % 256);
    float results[2][5];
    for (int i = 0; i < 2; i++) {
        det_network *network = NULL;
        det_worker *worker = NULL;
        const det_network_options options = {.precision = i == 0 ? DET_F32 : DET_INT8};
        float *const outputs[] = {results[i]};
        test_assert_ok(det_network_compile(model, &options, &network, &error), &error);
        test_assert_ok(det_worker_create((const det_network *const[]){network}, 1, &worker, &error),
                       &error);
        test_assert_ok(det_network_run_pictures(network, worker, pixels, 1, outputs, &error),
                       &error);
        det_worker_free(worker);
        det_network_free(network);
    }
    for (int i = 0; i < 5; i++) {
        const float difference = results[0][i] - results[1][i];
        assert_true(difference < .05f && difference > -.05f);
    }
    det_model_free(model);
}

static void equal_calls_give_equal_files_on_any_number_of_threads(void **state)
{
    (void)state;
    det_error error = {0};
    det_bytes files[2] = {{0}};
    for (int i = 0; i < 2; i++) {
        const det_run run = {.threads = 1 + i};
        test_assert_ok(
            det_model_calibrate(model_path, pictures, picture_count, &few, out_path, &run, &error),
            &error);
        test_assert_ok(det_file_read(out_path, SIZE_MAX, &files[i], &error), &error);
    }
    assert_int_equal(files[0].size, files[1].size);
    assert_memory_equal(files[0].data, files[1].data, files[0].size);
    det_bytes_free(&files[0]);
    det_bytes_free(&files[1]);
}

static void one_picture_is_enough(void **state)
{
    (void)state;
    det_error error = {0};
    test_assert_ok(det_model_calibrate(model_path, pictures, 1, &few, out_path, NULL, &error),
                   &error);
}

static bool stop_after_some(void *context, uint64_t done, uint64_t total)
{
    int *left = context;
    assert_true(done <= total);
    return (*left)-- > 0;
}

static void what_cannot_be_calibrated_leaves_no_file(void **state)
{
    (void)state;
    const char *out = test_path("none.safetensors");
    const char *missing[] = {paths[0], "/nowhere.png"};
    det_error error = {0};
    test_assert_error(det_model_calibrate(model_path, pictures, 0, NULL, out, NULL, &error),
                      DET_ARGUMENT, &error, "no picture");
    test_assert_error(det_model_calibrate(model_path, missing, 2, &few, out, NULL, &error), DET_IO,
                      &error, "");
    assert_string_equal(error.file, "/nowhere.png");
    test_assert_error(det_model_calibrate("/nowhere", pictures, 1, &few, out, NULL, &error), DET_IO,
                      &error, "");
    const det_calibration_options two = {.regions = 2};
    test_assert_error(det_model_calibrate(model_path, pictures, 1, &two, out, NULL, &error),
                      DET_ARGUMENT, &error, "too few");
    for (int steps = 0; steps < 12; steps += 4) {
        int left = steps;
        const det_run run = {.progress = stop_after_some, .progress_context = &left};
        assert_int_equal(
            det_model_calibrate(model_path, pictures, picture_count, &few, out, &run, &error),
            DET_CANCELLED);
    }
    FILE *file = fopen(out, "rb");
    assert_null(file);
}

/* Every 7th allocation in turn: there are thousands, most in proposing regions. */
static void short_memory_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
    const det_calibration_options least = {.regions = 6};
    const det_run run = {.threads = 1};
    bool done = false;
    for (uint64_t nth = 1; !done; nth += nth / 8 + 7) {
        det_error error = {0};
        det_memory_fail_at(nth);
        const det_status status =
            det_model_calibrate(model_path, pictures, 1, &least, out_path, &run, &error);
        done = !det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, done ? DET_OK : DET_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_calibrated_model_lists_what_was_measured),
        cmocka_unit_test(a_calibrated_model_runs_in_int8),
        cmocka_unit_test(equal_calls_give_equal_files_on_any_number_of_threads),
        cmocka_unit_test(one_picture_is_enough),
        cmocka_unit_test(what_cannot_be_calibrated_leaves_no_file),
        cmocka_unit_test(short_memory_is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, make_files, NULL);
}
