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
enum { features = 72 };

/* In the order of the outputs. */
static const det_region shown[outputs] = {
    {.box = {20, 20, 80, 80}, .source = DET_SOURCE_SLIDING},
    {.box = {85, 90, 115, 145}},
    {.box = {120, 60, 180, 130}, .source = DET_SOURCE_UNIFORM}};

/* Red boxes move right by a tenth of their width, blue ones become twice as high. */
static const float usual_moves[] = {.1f, 0, 0, 0, 0, 0, 0, .6931472f};

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
 * A row's own score exceeds the others by 10 at least.
 * @param moves move_count box deltas that hold for all regions alike; 0: there are none. */
static void write_head(float rows[outputs][features], const float *moves, int move_count,
                       const char *path)
{
    static const det_class classes[class_count] = {{.name = "red", .category_id = 4},
                                                   {.name = "blue", .category_id = 9}};
    static const float none[features * 4 * class_count] = {0};
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
        linear_layer("moves", move_count, none, moves)};
    derive(trunk_path,
           &(det_model_recipe){.layers = layers,
                               .layer_count = move_count > 0 ? 3 : 2,
                               .probabilities = "prob",
                               .box_deltas = move_count > 0 ? "moves" : NULL,
                               .features = "grid",
                               .classes = classes,
                               .class_count = class_count,
                               .background_index = background,
                               .context_px = -1},
           path);
}

static double difference_product(const float *x, const float *a, const float *b)
{
    double sum = 0;
    for (int i = 0; i < features; i++) sum += (double)(x[i] - a[i]) * (double)(x[i] - b[i]);
    return sum;
}

/* Each class by itself: its own row gets 10 and the two others -10. The weights are a sum of the
 * ways from these, u and v, with the products 20 with each. */
static void write_independent_head(float rows[outputs][features], const char *path)
{
    static const det_class classes[class_count] = {{.name = "red", .category_id = 4},
                                                   {.name = "blue", .category_id = 9}};
    static const int places[class_count] = {red_output, blue_output};
    float weights[class_count * features], biases[class_count];
    for (int c = 0; c < class_count; c++) {
        const float *own = rows[places[c]], *a = rows[background], *b = rows[places[1 - c]];
        const double uu = difference_product(own, a, a), uv = difference_product(own, a, b),
                     vv = difference_product(own, b, b), det = uu * vv - uv * uv;
        biases[c] = 10;
        for (int i = 0; i < features; i++) {
            const double u = (double)(own[i] - a[i]), v = (double)(own[i] - b[i]);
            const double weight = 20 * ((vv - uv) * u + (uu - uv) * v) / det;
            weights[c * features + i] = (float)weight;
            biases[c] -= (float)weight * own[i];
        }
    }
    const det_new_layer layers[] = {
        linear_layer("scores", class_count, weights, biases),
        {.name = "prob", .inputs = {"scores"}, .node = {.op = DET_OP_SIGMOID}}};
    derive(trunk_path,
           &(det_model_recipe){.layers = layers,
                               .layer_count = 2,
                               .probabilities = "prob",
                               .features = "grid",
                               .classes = classes,
                               .class_count = class_count,
                               .background_index = -1,
                               .context_px = -1},
           path);
}

static const char *learn_moves(const char *mode, const float *moves, int move_count,
                               const char *name)
{
    float rows[outputs][features];
    const char *path = test_path(name);
    extract(mode, rows);
    write_head(rows, moves, move_count, path);
    return path;
}

static const char *learn(const char *mode)
{
    return learn_moves(mode, usual_moves, 4 * class_count, "learned.safetensors");
}

/* ---- What it finds -------------------------------------------------------------------------- */

/* Takes the configuration. */
static det_result detect_in(det_config *config, const det_region *regions, size_t count)
{
    det_detector *detector = test_detector_of(config);
    det_image image = test_squares();
    det_result result = {0};
    det_error error = {0};
    test_assert_ok(det_detector_classify(detector, &image, regions, count, NULL, &result, &error),
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

static det_result detect_with(det_config *config)
{
    return detect_in(config, shown, outputs);
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

static const char *learn_independent(const char *mode)
{
    float rows[outputs][features];
    const char *path = test_path("independent.safetensors");
    extract(mode, rows);
    write_independent_head(rows, path);
    return path;
}

static void independent_classes_run_in_every_precision(void **state)
{
    (void)state;
    const char *calibrated = test_path("independent-int8.safetensors"), *picture = picture_path;
    const det_calibration_options few = {.regions = 40};
    for (int m = 0; m < 2; m++) {
        det_error error = {0};
        const char *path = learn_independent(modes[m]);
        assert_finds_both(path, modes[m], "classifier.precision=f32");
        if (det_precision_check(DET_BF16, NULL) == DET_OK)
            assert_finds_both(path, modes[m], "classifier.precision=bf16");
        test_assert_ok(det_model_calibrate(path, &picture, 1, &few, calibrated, NULL, &error),
                       &error);
        assert_finds_both(calibrated, modes[m], "classifier.precision=int8");
        det_model *model = NULL;
        test_assert_ok(det_model_open(calibrated, &model, &error), &error);
        for (size_t i = 0; i < det_model_agreement_count(model); i++)
            assert_float_equal(det_model_agreement(model, i)->same_class, 1, 0);
        det_model_free(model);
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
    config->postprocess.box_regression = 0;
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

/* ---- Boxes ---------------------------------------------------------------------------------- */

/* The only detection of a class above .5. */
static const det_detection *find_class(const det_result *result, int64_t class_id)
{
    const det_detection *found = NULL;
    for (size_t i = 0; i < result->detection_count; i++) {
        const det_detection *d = &result->detections[i];
        if (d->class_id != class_id || d->score < .5f) continue;
        assert_null(found);
        found = d;
    }
    return found;
}

static void assert_box(const det_result *result, int64_t class_id, det_box expected)
{
    const det_detection *found = find_class(result, class_id);
    assert_non_null(found);
    const float *a = &found->box.x0, *b = &expected.x0;
    for (int i = 0; i < 4; i++)
        if (!(fabsf(a[i] - b[i]) < 1e-3f))
            fail_msg("side %d of class %d is %g, not %g", i, (int)class_id, (double)a[i],
                     (double)b[i]);
    assert_int_equal(found->source, class_id == red ? DET_SOURCE_SLIDING : DET_SOURCE_UNIFORM);
}

/* A tenth of 60 is 6. Of 60..130 the middle is 95, and twice the height reaches from 25 to 165; the
 * picture ends at 150. */
static void boxes_move_as_the_model_says_and_stay_in_the_picture(void **state)
{
    (void)state;
    for (int m = 0; m < 2; m++)
        for (int given = 0; given < 2; given++) {
            const char *path = learn(modes[m]);
            det_config *config = test_config_of(&path, 1);
            test_config_set(config, modes[m]);
            if (given) test_config_set(config, "postprocess.box_regression=true");
            det_result result = detect_with(config);
            assert_box(&result, red, (det_box){26, 20, 86, 80});
            assert_box(&result, blue, (det_box){120, 25, 180, 150});
            det_result_free(&result);
        }
}

static void boxes_stay_where_that_is_asked_for_or_the_model_says_nothing(void **state)
{
    (void)state;
    const char *paths[] = {learn(modes[0]), learn_moves(modes[0], NULL, 0, "still.safetensors")};
    for (int i = 0; i < 2; i++) {
        det_config *config = test_config_of(&paths[i], 1);
        if (i == 0) test_config_set(config, "postprocess.box_regression=false");
        det_result result = detect_with(config);
        assert_box(&result, red, test_red_square);
        assert_box(&result, blue, test_blue_square);
        det_result_free(&result);
    }
    det_config *config = test_config_of(&paths[1], 1);
    det_detector *detector = NULL;
    det_error error = {0};
    test_config_set(config, "postprocess.box_regression=true");
    test_assert_error(det_detector_create(config, &detector, &error), DET_ARGUMENT, &error,
                      "does not say how boxes are moved");
    assert_string_equal(error.where, "postprocess.box_regression");
    det_config_free(config);
}

/* One moves red right by a tenth, the other all classes down by a tenth, the third none: half of
 * each. 60 and 70 are the heights. */
static void an_ensemble_moves_boxes_by_the_mean_of_those_that_say(void **state)
{
    (void)state;
    const float down[4] = {0, .1f, 0, 0};
    for (int m = 0; m < 2; m++) {
        const char *paths[] = {learn_moves(modes[m], NULL, 0, "still.safetensors"),
                               learn_moves(modes[m], usual_moves, 8, "usual.safetensors"),
                               learn_moves(modes[m], down, 4, "down.safetensors")};
        det_config *config = test_config_of(paths, 3);
        test_config_set(config, modes[m]);
        test_config_set(config, "postprocess.box_regression=true");
        det_result result = detect_with(config);
        assert_box(&result, red, (det_box){23, 23, 83, 83});
        /* twice the height, half way in logarithms: 70 * sqrt(2) = 98.995 around 95 + 3.5 */
        assert_box(&result, blue, (det_box){120, 49.0025f, 180, 147.9975f});
        det_result_free(&result);
    }
}

/* Apart before, both of them the whole picture after. */
static void moved_boxes_are_what_suppression_sees(void **state)
{
    (void)state;
    const float grow[4] = {0, 0, 3, 3};
    const det_region halves[] = {{.box = {20, 20, 50, 80}, .source = DET_SOURCE_SLIDING},
                                 {.box = {50, 20, 80, 80}, .source = DET_SOURCE_SLIDING}};
    const char *path = learn_moves(modes[0], grow, 4, "grow.safetensors");
    det_config *config = test_config_of(&path, 1);
    config->postprocess.score_threshold = .5f;
    test_config_set(config, "postprocess.box_regression=false");
    det_result result = detect_in(config, halves, 2);
    assert_int_equal(result.detection_count, 2);
    det_result_free(&result);

    config = test_config_of(&path, 1);
    config->postprocess.score_threshold = .5f;
    result = detect_in(config, halves, 2);
    assert_int_equal(result.detection_count, 1);
    assert_box(&result, red, (det_box){0, 0, 220, 150});
    det_result_free(&result);
}

static void boxes_that_leave_the_picture_are_no_detections(void **state)
{
    (void)state;
    const float away[8] = {0, 0, 0, 0, 10};
    const char *path = learn_moves(modes[0], away, 8, "away.safetensors");
    det_config *config = test_config_of(&path, 1);
    det_result result = detect_with(config);
    assert_non_null(find_class(&result, red));
    assert_null(find_class(&result, blue));
    det_result_free(&result);
}

static void moved_boxes_are_the_same_on_any_number_of_threads(void **state)
{
    (void)state;
    const char *path = learn(modes[0]);
    det_result results[3];
    for (int t = 0; t < 3; t++) {
        det_config *config = test_config_of(&path, 1);
        config->runtime.threads = t + 1;
        config->classifier.batch = t == 2 ? 5 : 8;
        config->postprocess.score_threshold = .01f;
        det_detector *detector = test_detector_of(config);
        det_image image = test_squares();
        results[t] = (det_result){0};
        test_assert_ok(det_detector_detect(detector, &image, NULL, &results[t], NULL), NULL);
        det_image_free(&image);
        det_detector_free(detector);
    }
    assert_true(results[0].detection_count > 2);
    for (int t = 1; t < 3; t++) {
        assert_int_equal(results[t].detection_count, results[0].detection_count);
        for (size_t i = 0; i < results[0].detection_count; i++)
            assert_memory_equal(&results[t].detections[i].box, &results[0].detections[i].box,
                                sizeof(det_box));
    }
    for (int t = 0; t < 3; t++) det_result_free(&results[t]);
}

#ifdef DET_FAULT_INJECTION
static void memory_that_runs_out_anywhere_is_an_error(void **state)
{
    (void)state;
    const char *path = learn(modes[1]);
    det_config *config = test_config_of(&path, 1);
    det_image image = test_squares();
    test_config_set(config, modes[1]);
    for (uint64_t n = 1;; n++) {
        det_detector *detector = NULL;
        det_result result = {0};
        det_memory_fail_at(n);
        det_status status = det_detector_create(config, &detector, NULL);
        if (status == DET_OK)
            status = det_detector_classify(detector, &image, shown, outputs, NULL, &result, NULL);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        det_result_free(&result);
        det_detector_free(detector);
        if (!failed) break;
        if (status >= 0) fail_msg("allocation %llu failed unnoticed", (unsigned long long)n);
    }
    det_image_free(&image);
    det_config_free(config);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_learned_head_finds_what_it_learned_in_crops_and_in_pooled_regions),
        cmocka_unit_test(a_learned_head_runs_in_8_bits_after_calibration),
        cmocka_unit_test(independent_classes_run_in_every_precision),
        cmocka_unit_test(the_background_is_never_a_detection_and_has_no_class_id),
        cmocka_unit_test(the_background_is_no_label_of_a_picture),
        cmocka_unit_test(boxes_move_as_the_model_says_and_stay_in_the_picture),
        cmocka_unit_test(boxes_stay_where_that_is_asked_for_or_the_model_says_nothing),
        cmocka_unit_test(an_ensemble_moves_boxes_by_the_mean_of_those_that_say),
        cmocka_unit_test(moved_boxes_are_what_suppression_sees),
        cmocka_unit_test(boxes_that_leave_the_picture_are_no_detections),
        cmocka_unit_test(moved_boxes_are_the_same_on_any_number_of_threads),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(memory_that_runs_out_anywhere_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, make_files, NULL);
}
