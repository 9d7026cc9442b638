/* SPDX-License-Identifier: Apache-2.0 */
/* A detector as training makes it: the layers of a small network and new last ones, learned here
 * from three regions of a picture. */
#include "detect/calibrate.h"
#include "detect/classify.h"
#include "detect/features.h"
#include "src/base/memory.h"
#include "src/nn/model_edit.h"
#include "tests/unit/support_detector.h"
#include "tests/unit/support_network.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The background is neither the first nor the last output, so that a class id differs from its
 * place there. */
enum { red_output, background, blue_output, outputs };
enum { red, blue, class_count };
enum { features = 72, deltas = 4 * class_count };

/* In the order of the outputs. */
static const det_region shown[outputs] = {
    {.box = {20, 20, 80, 80}}, {.box = {85, 90, 115, 145}}, {.box = {120, 60, 180, 130}}};

static const char *const modes[] = {"classifier.regions=crop", "classifier.regions=pool"};

static char trunk_path[256], picture_path[256];

/* Means of 3x3 windows of the last map before the small network's own head: 72 features. */
static const det_new_layer grid = {
    .name = "grid",
    .inputs = {"concat"},
    .node = {.op = DET_OP_AVERAGE_POOL, .window = {3, 3, 2, 2, 0, 0, 1, 1}}};

static void derive(const char *from, const det_model_recipe *recipe, const char *path)
{
    det_model *source = NULL;
    det_error error = {0};
    test_assert_ok(det_model_open(from, &source, &error), &error);
    test_assert_ok(det_model_derive(source, recipe, path, &error), &error);
    det_model_free(source);
}

static int make_files(void **state)
{
    (void)state;
    const det_model_recipe recipe = {.layers = &grid,
                                     .layer_count = 1,
                                     .features = "grid",
                                     .background_index = -1,
                                     .context_px = 2};
    const char *small = test_path("small.safetensors");
    snprintf(trunk_path, sizeof trunk_path, "%s/trunk.safetensors", test_folder());
    snprintf(picture_path, sizeof picture_path, "%s/squares.png", test_folder());
    test_small_network(small);
    derive(small, &recipe, trunk_path);
    det_image image = test_squares();
    test_assert_ok(det_image_write(&image, picture_path, NULL), NULL);
    det_image_free(&image);
    return 0;
}

/* ---- Learning ------------------------------------------------------------------------------- */

static det_status take_rows(void *context, const det_feature_rows *rows, det_error *error)
{
    (void)error;
    assert_int_equal(rows->count, outputs);
    memcpy(context, rows->values, sizeof(float[outputs][features]));
    return DET_OK;
}

static void extract(const char *mode, float rows[outputs][features])
{
    const det_feature_sink sink = {take_rows, rows};
    const det_extract_options options = {.layer = "grid", .regions = true};
    const char *path = trunk_path;
    det_config *config = test_config_of(&path, 1);
    det_extractor *extractor = NULL;
    det_image image = test_squares();
    det_error error = {0};
    test_config_set(config, mode);
    test_assert_ok(det_extractor_create(config, &options, &extractor, &error), &error);
    test_assert_ok(det_extractor_regions(extractor, &image, shown, outputs, NULL, &sink, &error),
                   &error);
    det_extractor_free(extractor);
    det_image_free(&image);
    det_config_free(config);
}

static double squared_distance(const float *a, const float *b)
{
    double sum = 0;
    for (int i = 0; i < features; i++) sum += pow((double)(a[i] - b[i]), 2);
    return sum;
}

static det_new_layer linear_layer(const char *name, int channels, const float *weights,
                                  const float *biases)
{
    return (det_new_layer){
        .name = name,
        .inputs = {"grid"},
        .node = {.op = DET_OP_INNER_PRODUCT,
                 .channels = channels,
                 .weights = {.values = weights, .count = (size_t)channels * features},
                 .bias = {.values = biases, .count = (size_t)channels}}};
}

/* The nearest of the rows: strength * (m x - m m / 2) is greatest for the m that x is nearest to.
 * A row's own score exceeds the others by 10 at least. Boxes of red move right by a tenth of their
 * width; those of blue grow to twice their height. */
static void write_head(float rows[outputs][features], const char *path)
{
    static const det_class classes[class_count] = {{.name = "red", .category_id = 4},
                                                   {.name = "blue", .category_id = 9}};
    static const float none[features * deltas] = {0};
    const float moves[deltas] = {.1f, 0, 0, 0, 0, 0, 0, logf(2)};
    float weights[outputs * features], biases[outputs] = {0};
    const double nearest =
        fmin(fmin(squared_distance(rows[0], rows[1]), squared_distance(rows[0], rows[2])),
             squared_distance(rows[1], rows[2]));
    const float strength = 20 / (float)nearest;
    for (int o = 0; o < outputs; o++)
        for (int i = 0; i < features; i++) {
            weights[o * features + i] = strength * rows[o][i];
            biases[o] -= strength * rows[o][i] * rows[o][i] / 2;
        }
    const det_new_layer layers[] = {
        linear_layer("scores", outputs, weights, biases),
        {.name = "prob", .inputs = {"scores"}, .node = {.op = DET_OP_SOFTMAX}},
        linear_layer("moves", deltas, none, moves)};
    derive(trunk_path,
           &(det_model_recipe){.layers = layers,
                               .layer_count = 3,
                               .probabilities = "prob",
                               .box_deltas = "moves",
                               .features = "grid",
                               .classes = classes,
                               .class_count = class_count,
                               .background_index = background,
                               .context_px = -1},
           path);
}

static const char *learn(const char *mode)
{
    float rows[outputs][features];
    const char *path = test_path("learned.safetensors");
    extract(mode, rows);
    write_head(rows, path);
    return path;
}

/* ---- What it finds -------------------------------------------------------------------------- */

static det_result detect_with(det_config *config)
{
    det_detector *detector = test_detector_of(config);
    det_image image = test_squares();
    det_result result = {0};
    det_error error = {0};
    test_assert_ok(det_detector_classify(detector, &image, shown, outputs, NULL, &result, &error),
                   &error);
    for (size_t i = 0; i < result.detection_count; i++) {
        const det_detection *d = &result.detections[i];
        assert_string_equal(d->class_name, d->class_id == red ? "red" : "blue");
        assert_int_equal(d->category_id, d->class_id == red ? 4 : 9);
        result.detections[i].class_name = NULL; /* it lives as long as the detector */
    }
    det_image_free(&image);
    det_detector_free(detector);
    return result;
}

static void assert_finds_both(const char *path, const char *mode, const char *precision)
{
    det_config *config = test_config_of(&path, 1);
    test_config_set(config, mode);
    test_config_set(config, precision);
    config->postprocess.score_threshold = .5f;
    det_result result = detect_with(config);
    assert_int_equal(result.detection_count, 2);
    assert_true(result.detections[0].class_id != result.detections[1].class_id);
    for (int i = 0; i < 2; i++) assert_true(result.detections[i].score > .95f);
    det_result_free(&result);
}

static void a_learned_head_finds_what_it_learned_in_crops_and_in_pooled_regions(void **state)
{
    (void)state;
    for (int m = 0; m < 2; m++) {
        const char *path = learn(modes[m]);
        assert_finds_both(path, modes[m], "classifier.precision=f32");
        if (det_precision_check(DET_BF16, NULL) == DET_OK)
            assert_finds_both(path, modes[m], "classifier.precision=bf16");
    }
}

static void a_learned_head_runs_in_8_bits_after_calibration(void **state)
{
    (void)state;
    const char *calibrated = test_path("int8.safetensors"), *picture = picture_path;
    const det_calibration_options few = {.regions = 40};
    for (int m = 0; m < 2; m++) {
        det_error error = {0};
        test_assert_ok(
            det_model_calibrate(learn(modes[m]), &picture, 1, &few, calibrated, NULL, &error),
            &error);
        test_assert_ok(det_model_verify(calibrated, &error), &error);
        det_model *model = NULL;
        test_assert_ok(det_model_open(calibrated, &model, &error), &error);
        assert_true(det_model_is_calibrated(model));
        assert_string_equal(det_model_output(model, DET_ROLE_BOX_DELTAS), "moves");
        assert_string_equal(det_model_output(model, DET_ROLE_REGIONS), "relu1");
        det_model_free(model);
        assert_finds_both(calibrated, modes[m], "classifier.precision=int8");
    }
}

/* ---- The background ------------------------------------------------------------------------- */

/* Without a threshold each region shows every class a little; the background is the most of it
 * where there is nothing, and still no detection. */
static void the_background_is_never_a_detection_and_has_no_class_id(void **state)
{
    (void)state;
    const char *path = learn(modes[0]);
    det_config *config = test_config_of(&path, 1);
    config->postprocess.score_threshold = 0;
    config->postprocess.nms_method = DET_NMS_NONE;
    det_result result = detect_with(config);
    assert_int_equal(result.detection_count, outputs * class_count);
    float sums[outputs] = {0};
    for (size_t i = 0; i < result.detection_count; i++) {
        const det_detection *d = &result.detections[i];
        assert_true(d->class_id == red || d->class_id == blue);
        for (int o = 0; o < outputs; o++)
            if (d->box.y0 == shown[o].box.y0) sums[o] += d->score;
    }
    assert_true(sums[red_output] > .95f && sums[blue_output] > .95f);
    assert_true(sums[background] < .05f);
    det_result_free(&result);
}

static void the_background_is_no_label_of_a_picture(void **state)
{
    (void)state;
    const char *path = learn(modes[0]);
    det_config *config = test_config_of(&path, 1);
    det_classifier *classifier = NULL;
    det_image image = {0};
    det_result result = {0};
    det_error error = {0};
    test_assert_ok(det_image_create(64, 64, &image, &error), &error);
    memset(image.pixels, 128, image.stride * (size_t)image.height);
    test_assert_ok(det_classifier_create(config, NULL, &classifier, &error), &error);
    test_assert_ok(det_classifier_classify(classifier, &image, 0, NULL, &result, &error), &error);
    assert_int_equal(result.label_count, class_count);
    bool seen[class_count] = {false};
    float sum = 0;
    for (size_t i = 0; i < result.label_count; i++) {
        const int64_t id = result.labels[i].class_id;
        assert_true(id == red || id == blue);
        assert_string_equal(result.labels[i].class_name, id == red ? "red" : "blue");
        seen[id] = true;
        sum += result.labels[i].score;
    }
    assert_true(seen[red] && seen[blue]);
    assert_true(sum < .1f); /* the rest is the background's */
    det_result_free(&result);
    det_image_free(&image);
    det_classifier_free(classifier);
    det_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_learned_head_finds_what_it_learned_in_crops_and_in_pooled_regions),
        cmocka_unit_test(a_learned_head_runs_in_8_bits_after_calibration),
        cmocka_unit_test(the_background_is_never_a_detection_and_has_no_class_id),
        cmocka_unit_test(the_background_is_no_label_of_a_picture),
    };
    return cmocka_run_group_tests(tests, make_files, NULL);
}
