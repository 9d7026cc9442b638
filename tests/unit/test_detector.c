/* SPDX-License-Identifier: Apache-2.0 */
/* The whole pipeline on a drawn picture: a grey ground with a red and a blue square, and a network
 * that knows colours. */
#include "detect/detector.h"
#include "src/base/memory.h"
#include "tests/unit/support_detector.h"
#include "tests/unit/support_network.h"

#include <math.h>
#include <string.h>

enum { red, green, blue, background, outputs };

/* Mean colour of the crop -> inner product -> softmax or sigmoid. Class scores: strength * (own
 * channel - the mean of the others). The background's is a constant that only pure colours exceed;
 * probabilities that are independent have no background, and scores are that much less. */
static const char *write_model_of(const char *name, float strength, det_op last)
{
    const bool independent = last == DET_OP_SIGMOID;
    test_sketch sketch = test_sketch_create(16, 16);
    det_model *model = sketch.model;
    const float mean[3] = {104, 117, 123};
    memcpy(model->input.mean, mean, sizeof mean);
    int node = test_sketch_chain(
        &sketch, "mean",
        (det_node){.op = DET_OP_AVERAGE_POOL, .window = test_window(1, 1, 0), .global = true},
        DET_PICTURE);
    node = test_sketch_chain(
        &sketch, "fc",
        (det_node){.op = DET_OP_INNER_PRODUCT, .channels = independent ? background : outputs},
        node);
    static const float weights[outputs][3] = {
        {-.5f, -.5f, 1}, {-.5f, 1, -.5f}, {1, -.5f, -.5f}, {0}};
    const int count = independent ? background : outputs;
    for (int i = 0; i < count * 3; i++) sketch.values[0][i] = weights[i / 3][i % 3] * strength;
    for (int i = 0; i < count; i++)
        sketch.values[1][i] = (i == background ? 100 : independent ? -100 : 0) * strength;
    test_sketch_chain(&sketch, "prob", (det_node){.op = last}, node);
    test_sketch_complete(&sketch);

    static const char *const names[] = {"red", "green", "blue"};
    for (size_t i = 0; i < model->class_count; i++) {
        det_free(model->classes[i].name);
        model->classes[i].name = i < background ? det_copy_string(names[i]) : NULL;
    }
    model->class_count = background; /* the last output is no class */
    model->background_index = independent ? -1 : background;
    det_error error = {0};
    const char *path = test_path(name);
    test_assert_ok(det_model_write(model, path, &error), &error);
    test_sketch_free(&sketch);
    return path;
}

static const char *write_color_model(const char *name, float strength)
{
    return write_model_of(name, strength, DET_OP_SOFTMAX);
}

static det_detector *color_detector(void)
{
    const char *path = write_color_model("colors.safetensors", .05f);
    return test_detector_of(test_config_of(&path, 1));
}

static det_result detect(const det_detector *detector)
{
    det_image image = test_squares();
    det_result result = {0};
    det_error error = {0};
    test_assert_ok(det_detector_detect(detector, &image, NULL, &result, &error), &error);
    det_image_free(&image);
    return result;
}

static void assert_both_squares_are_found(const det_detector *detector)
{
    det_result result = detect(detector);
    assert_int_equal(result.width, 220);
    assert_int_equal(result.height, 150);
    assert_true(result.proposal_count >= 2);
    int found[2] = {0};
    for (size_t i = 0; i < result.detection_count; i++) {
        const det_detection *d = &result.detections[i];
        assert_true(d->score >= .05f && d->score <= 1);
        if (d->score < .5f) continue;
        assert_true(d->class_id == red || d->class_id == blue);
        assert_string_equal(d->class_name, d->class_id == red ? "red" : "blue");
        assert_true(det_box_iou(d->box, d->class_id == red ? test_red_square : test_blue_square) >
                    .9);
        found[d->class_id == blue]++;
    }
    assert_int_equal(found[0], 1);
    assert_int_equal(found[1], 1);
    det_result_free(&result);
}

static void a_red_and_a_blue_square_are_found_and_nothing_else(void **state)
{
    (void)state;
    det_detector *detector = color_detector();
    assert_both_squares_are_found(detector);
    det_detector_free(detector);
}

static void classes_whose_probabilities_are_independent_need_no_background(void **state)
{
    (void)state;
    static const char *const precisions[] = {"classifier.precision=f32",
                                             "classifier.precision=bf16"};
    const char *path = write_model_of("independent.safetensors", .05f, DET_OP_SIGMOID);
    for (size_t i = 0; i < 1u + (det_precision_check(DET_BF16, NULL) == DET_OK); i++) {
        det_config *config = test_config_of(&path, 1);
        test_config_set(config, precisions[i]);
        det_detector *detector = test_detector_of(config);
        assert_both_squares_are_found(detector);
        det_detector_free(detector);
    }
}

/* The red square is (20, 20, 235), the mean that is taken away (104, 117, 123). Its scores are
 * .01 * (112 + 90.5 - 100) = 1.025 for red, -2.11 for green and -1.915 for blue. */
static void an_independent_probability_is_the_sigmoid_of_its_score(void **state)
{
    static const float expected[] = {.735945f, .108129f, .128420f};
    (void)state;
    const char *path = write_model_of("independent.safetensors", .01f, DET_OP_SIGMOID);
    det_config *config = test_config_of(&path, 1);
    config->postprocess.score_threshold = 0;
    config->classifier.context_px = 0;
    det_detector *detector = test_detector_of(config);
    det_image image = test_squares();
    det_result result = {0};
    det_error error = {0};
    const det_region inside = {.box = {30, 30, 70, 70}};
    test_assert_ok(det_detector_classify(detector, &image, &inside, 1, NULL, &result, &error),
                   &error);
    assert_int_equal(result.detection_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_float_equal(result.detections[i].score, expected[result.detections[i].class_id],
                           1e-5);
    det_result_free(&result);
    det_image_free(&image);
    det_detector_free(detector);
}

static void detections_come_best_first_and_are_the_same_on_any_number_of_threads(void **state)
{
    (void)state;
    const char *path = write_color_model("colors.safetensors", .02f);
    det_result results[3];
    for (int threads = 1; threads <= 3; threads++) {
        det_config *config = test_config_of(&path, 1);
        config->runtime.threads = threads;
        config->classifier.batch = threads == 3 ? 5 : 8;
        config->postprocess.score_threshold = .01f;
        det_detector *detector = test_detector_of(config);
        results[threads - 1] = detect(detector);
        /* class names live as long as the detector: compare what does not */
        for (size_t i = 0; i < results[threads - 1].detection_count; i++)
            results[threads - 1].detections[i].class_name = NULL;
        det_detector_free(detector);
    }
    assert_true(results[0].detection_count > 2);
    for (size_t i = 0; i < results[0].detection_count; i++) {
        const det_detection *a = &results[0].detections[i];
        if (i > 0) assert_true(a->score <= results[0].detections[i - 1].score);
        for (int other = 1; other < 3; other++) {
            assert_int_equal(results[other].detection_count, results[0].detection_count);
            const det_detection *b = &results[other].detections[i];
            assert_memory_equal(&a->box, &b->box, sizeof a->box);
            assert_true(a->score == b->score && a->class_id == b->class_id);
        }
    }
    for (int i = 0; i < 3; i++) det_result_free(&results[i]);
}

static void selected_classes_alone_are_reported(void **state)
{
    (void)state;
    det_detector *detector = color_detector();
    const char *name = "BLUE";
    det_error error = {0};
    test_assert_ok(det_detector_select_classes(detector, &name, 1, &error), &error);
    det_result result = detect(detector);
    assert_true(result.detection_count >= 1);
    for (size_t i = 0; i < result.detection_count; i++)
        assert_int_equal(result.detections[i].class_id, blue);
    det_result_free(&result);
    det_detector_free(detector);
}

static void an_unknown_class_is_refused_with_near_ones(void **state)
{
    (void)state;
    det_detector *detector = color_detector();
    static const char *const typed[][2] = {{"gree", "'gree'; near it: 'green' ("},
                                           {"bleu", "'bleu'; near it: 'blue' ("},
                                           {"yellow", "'yellow' ("}};
    for (size_t i = 0; i < sizeof typed / sizeof *typed; i++) {
        det_error error = {0};
        const det_status status = det_detector_select_classes(detector, &typed[i][0], 1, &error);
        test_assert_error(status, DET_ARGUMENT, &error, typed[i][1]);
    }
    det_detector_free(detector);
}

static void the_threshold_and_the_number_of_detections_hold(void **state)
{
    (void)state;
    const char *path = write_color_model("colors.safetensors", .05f);
    det_config *config = test_config_of(&path, 1);
    config->postprocess.score_threshold = .9f;
    det_detector *detector = test_detector_of(config);
    det_result result = detect(detector);
    for (size_t i = 0; i < result.detection_count; i++)
        assert_true(result.detections[i].score >= .9f);
    assert_true(result.detection_count >= 2);
    det_result_free(&result);
    det_detector_free(detector);

    config = test_config_of(&path, 1);
    config->postprocess.max_detections = 1;
    detector = test_detector_of(config);
    result = detect(detector);
    assert_int_equal(result.detection_count, 1);
    det_result_free(&result);
    det_detector_free(detector);
}

static const det_region given[] = {{.box = {20, 20, 80, 80}}, {.box = {100, 0, 220, 150}}};

/* Scores of class `blue` on the second given region. */
static float blue_score(const char *const *models, size_t count)
{
    det_config *config = test_config_of(models, count);
    config->postprocess.score_threshold = 0;
    det_detector *detector = test_detector_of(config);
    det_image image = test_squares();
    det_result result = {0};
    det_error error = {0};
    test_assert_ok(det_detector_classify(detector, &image, given, 2, NULL, &result, &error),
                   &error);
    assert_int_equal(result.proposal_count, 2);
    float score = -1;
    for (size_t i = 0; i < result.detection_count; i++)
        if (result.detections[i].class_id == blue && result.detections[i].box.x0 == 100)
            score = result.detections[i].score;
    assert_true(score >= 0);
    det_result_free(&result);
    det_image_free(&image);
    det_detector_free(detector);
    return score;
}

/* Reds of two regions, one of which lies in the other and is nine tenths of it: the best, and how
 * many there are. */
static det_detection find_reds(const char *const *settings, size_t *count)
{
    static const det_region nested[] = {{.box = {20, 20, 80, 80}}, {.box = {20, 20, 80, 74}}};
    const char *path = write_color_model("colors.safetensors", .05f);
    det_config *config = test_config_of(&path, 1);
    config->postprocess.score_threshold = .1f;
    for (; *settings; settings++) test_config_set(config, *settings);
    det_detector *detector = test_detector_of(config);
    det_image image = test_squares();
    det_result result = {0};
    det_error error = {0};
    test_assert_ok(det_detector_classify(detector, &image, nested, 2, NULL, &result, &error),
                   &error);
    *count = result.detection_count;
    for (size_t i = 0; i < result.detection_count; i++)
        assert_int_equal(result.detections[i].class_id, red);
    const det_detection best = result.detections[0];
    det_result_free(&result);
    det_image_free(&image);
    det_detector_free(detector);
    return best;
}

/* 1 - .9 of a score is less than the threshold of .1; exp(-.9^2 / 10) is .92. */
static void boxes_are_suppressed_as_the_configuration_says(void **state)
{
    (void)state;
    size_t count;
    find_reds((const char *[]){"postprocess.nms.method=none", NULL}, &count);
    assert_int_equal(count, 2);
    det_detection best = find_reds((const char *[]){"postprocess.nms.method=hard", NULL}, &count);
    assert_int_equal(count, 1);
    assert_true(best.box.y1 == 80 || best.box.y1 == 74);
    best = find_reds((const char *[]){"postprocess.nms.method=vote", NULL}, &count);
    assert_int_equal(count, 1);
    assert_true(best.box.y1 > 75 && best.box.y1 < 79 && best.box.x1 == 80);
    best = find_reds(
        (const char *[]){"postprocess.nms.method=vote", "postprocess.nms.vote_iou=0.95", NULL},
        &count);
    assert_true(best.box.y1 == 80 || best.box.y1 == 74);
    find_reds((const char *[]){"postprocess.nms.method=soft", "postprocess.nms.decay=linear", NULL},
              &count);
    assert_int_equal(count, 1);
    find_reds((const char *[]){"postprocess.nms.method=soft", "postprocess.nms.sigma=10", NULL},
              &count);
    assert_int_equal(count, 2);
}

static void an_ensemble_averages_its_probabilities(void **state)
{
    (void)state;
    const char *models[2] = {write_color_model("a.safetensors", .02f),
                             write_color_model("b.safetensors", .09f)};
    const float a = blue_score(models, 1), b = blue_score(models + 1, 1);
    assert_true(fabsf(a - b) > .01f);
    assert_true(fabsf(blue_score(models, 2) - (a + b) / 2) < 1e-6f);
}

static void models_of_different_classes_do_not_vote_together(void **state)
{
    (void)state;
    const char *models[2] = {write_color_model("a.safetensors", .02f),
                             test_path("small.safetensors")};
    test_small_network(models[1]);
    det_config *config = test_config_of(models, 2);
    det_detector *detector = NULL;
    det_error error = {0};
    const det_status status = det_detector_create(config, &detector, &error);
    test_assert_error(status, DET_ARGUMENT, &error, "its 5 classes are not the 3");
    assert_string_equal(error.file, models[1]);
    det_config_free(config);
}

/* A processor without bf16 refuses it by the key, and says what it has. */
static void the_precision_is_what_the_configuration_says(void **state)
{
    (void)state;
    static const det_precision precisions[] = {DET_F32, DET_BF16, DET_AUTO};
    const char *path = write_color_model("colors.safetensors", .05f);
    for (size_t i = 0; i < sizeof precisions / sizeof *precisions; i++) {
        det_config *config = test_config_of(&path, 1);
        det_error error = {0};
        snprintf(config->classifier.precision, sizeof config->classifier.precision, "%s",
                 det_precision_name(precisions[i]));
        det_detector *detector = NULL;
        const det_status possible = det_precision_check(precisions[i], NULL);
        const det_status status = det_detector_create(config, &detector, &error);
        if (possible == DET_OK) {
            test_assert_ok(status, &error);
            assert_int_equal(det_detector_network_count(detector), 1);
            assert_int_equal(det_network_precision(det_detector_network(detector, 0)),
                             precisions[i] == DET_AUTO ? DET_F32 : precisions[i]);
        } else {
            test_assert_error(status, possible, &error, "does not compute in");
            assert_string_equal(error.where, "classifier.precision");
        }
        det_detector_free(detector);
        det_config_free(config);
    }
}

static void settings_that_cannot_run_are_refused_by_their_key(void **state)
{
    (void)state;
    static const char *const assignments[][2] = {
        {"classifier.regions=pool", "classifier.pool.layer"},
        {"classifier.cascade=true", "classifier.cascade"},
    };
    const char *path = write_color_model("colors.safetensors", .05f);
    for (size_t i = 0; i < sizeof assignments / sizeof *assignments; i++) {
        det_config *config = test_config_of(&path, 1);
        det_error error = {0};
        test_assert_ok(det_config_set(config, assignments[i][0], &error), &error);
        det_detector *detector = NULL;
        assert_int_equal(det_detector_create(config, &detector, &error), DET_UNSUPPORTED);
        assert_string_equal(error.where, assignments[i][1]);
        det_config_free(config);
    }
    det_config *config = test_config_of(NULL, 0);
    det_detector *detector = NULL;
    det_error error = {0};
    test_assert_error(det_detector_create(config, &detector, &error), DET_ARGUMENT, &error,
                      "no model is named");
    det_config_free(config);
}

/* ---- Regions alone ---- */

static det_result propose(const char *setting, size_t max)
{
    det_result result = {0};
    det_error error = {0};
    det_image image = test_squares();
    det_config *config = test_config_of(NULL, 0);
    test_assert_ok(det_config_set(config, setting, &error), &error);
    config->proposals.max = max;
    det_proposer *proposer = NULL;
    test_assert_ok(det_proposer_create(config, &proposer, &error), &error);
    test_assert_ok(det_proposer_propose(proposer, &image, 0, NULL, &result, &error), &error);
    assert_int_equal(result.proposal_count, result.region_count);
    assert_true(result.width == 220 && result.height == 150);
    det_proposer_free(proposer);
    det_config_free(config);
    det_image_free(&image);
    return result;
}

static size_t count_source(const det_result *result, det_source source)
{
    size_t count = 0;
    for (size_t i = 0; i < result->region_count; i++) count += result->regions[i].source == source;
    return count;
}

/* Random boxes come in one order, so that fewer are the first of them. */
static void fewer_regions_can_be_asked_for_than_the_configuration_says(void **state)
{
    (void)state;
    det_result all = propose("proposals.methods=uniform", 50), few = {0};
    det_config *config = test_config_of(NULL, 0);
    test_config_set(config, "proposals.methods=uniform");
    config->proposals.max = 50;
    det_image image = test_squares();
    det_proposer *proposer = NULL;
    test_assert_ok(det_proposer_create(config, &proposer, NULL), NULL);
    test_assert_ok(det_proposer_propose(proposer, &image, 7, NULL, &few, NULL), NULL);
    assert_int_equal(all.region_count, 50);
    assert_int_equal(few.region_count, 7);
    assert_memory_equal(few.regions, all.regions, 7 * sizeof *few.regions);
    det_result_free(&all);
    det_result_free(&few);
    det_proposer_free(proposer);
    det_image_free(&image);
    det_config_free(config);
}

/* The whole picture is a region of selective search and of sliding: it is there once. */
static void the_regions_of_several_methods_are_united(void **state)
{
    (void)state;
    det_result search = propose("proposals.methods=selective_search", 0);
    det_result sliding = propose("proposals.methods=sliding", 0);
    det_result both = propose("proposals.methods=[\"sliding\",\"selective_search\"]", 0);
    assert_int_equal(count_source(&search, DET_SOURCE_SELECTIVE_SEARCH), search.region_count);
    assert_int_equal(count_source(&sliding, DET_SOURCE_SLIDING), sliding.region_count);
    assert_true(both.region_count < search.region_count + sliding.region_count);
    assert_true(both.region_count > search.region_count &&
                both.region_count > sliding.region_count);
    for (size_t i = 1; i < both.region_count; i++)
        assert_true(both.regions[i - 1].score >= both.regions[i].score);
    det_result_free(&search);
    det_result_free(&sliding);
    det_result_free(&both);
}

static void a_maximum_holds_for_the_union(void **state)
{
    (void)state;
    const char *all = "proposals.methods=[\"uniform\",\"sliding\",\"selective_search\"]";
    det_result p = propose(all, 100);
    det_result q = propose(all, 100);
    assert_int_equal(p.region_count, 100);
    assert_true(count_source(&p, DET_SOURCE_UNIFORM) > 0);
    assert_memory_equal(p.regions, q.regions, 100 * sizeof *p.regions);
    det_result_free(&p);
    det_result_free(&q);
}

/* Above any box, min_side removes them all; at 0 it removes none. */
static void boxes_that_the_shortest_side_leaves_out_are_counted(void **state)
{
    (void)state;
    det_result all = propose("proposals.selective_search.min_side=0", 0);
    det_result none = propose("proposals.selective_search.min_side=10000", 0);
    det_result random = propose("proposals.methods=uniform", 0);
    assert_int_equal(all.too_small_count, 0);
    assert_true(all.region_count > 0);
    assert_int_equal(none.region_count, 0);
    assert_int_equal(none.too_small_count, all.region_count);
    assert_int_equal(random.too_small_count, 0);
    det_result_free(&all);
    det_result_free(&none);
    det_result_free(&random);
}

static void random_boxes_are_classified_like_any_others(void **state)
{
    (void)state;
    const char *path = write_color_model("colors.safetensors", .05f);
    det_config *config = test_config_of(&path, 1);
    det_error error = {0};
    test_assert_ok(det_config_set(config, "proposals.methods=uniform", &error), &error);
    det_detector *detector = test_detector_of(config);
    det_result result = detect(detector);
    assert_int_equal(result.proposal_count, 1000);
    assert_true(result.detection_count > 0);
    assert_int_equal(result.detections[0].source, DET_SOURCE_UNIFORM);
    det_result_free(&result);
    det_detector_free(detector);
}

#ifdef DET_FAULT_INJECTION
static void memory_that_runs_out_while_regions_are_united_is_an_error(void **state)
{
    (void)state;
    det_image image = test_squares();
    det_config *config = test_config_of(NULL, 0);
    test_assert_ok(det_config_set(config, "proposals.methods=[\"uniform\",\"sliding\"]", NULL),
                   NULL);
    for (uint64_t n = 1;; n++) {
        det_result result = {0};
        det_error error = {0};
        det_proposer *proposer = NULL;
        det_memory_fail_at(n);
        det_status status = det_proposer_create(config, &proposer, &error);
        if (status == DET_OK)
            status = det_proposer_propose(proposer, &image, 0, NULL, &result, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        det_result_free(&result);
        det_proposer_free(proposer);
        if (!failed) break;
        assert_int_equal(status, DET_MEMORY);
        assert_int_equal(result.region_count, 0);
    }
    det_config_free(config);
    det_image_free(&image);
}
#endif

static void the_whole_picture_is_left_out_when_asked(void **state)
{
    (void)state;
    const char *path = write_color_model("colors.safetensors", .001f);
    size_t counts[2];
    for (int whole = 0; whole < 2; whole++) {
        det_config *config = test_config_of(&path, 1);
        config->proposals.whole_picture = whole;
        det_detector *detector = test_detector_of(config);
        det_result result = detect(detector);
        counts[whole] = result.proposal_count;
        det_result_free(&result);
        det_detector_free(detector);
    }
    assert_int_equal(counts[1], counts[0] + 1);
}

static void too_many_regions_to_classify_are_refused_and_fewer_are_the_best(void **state)
{
    (void)state;
    const char *path = write_color_model("colors.safetensors", .05f);
    det_config *config = test_config_of(&path, 1);
    config->limits.max_regions = 1;
    det_detector *detector = test_detector_of(config);
    det_image image = test_squares();
    det_result result = {0};
    det_error error = {0};
    test_assert_error(det_detector_detect(detector, &image, NULL, &result, &error), DET_LIMIT,
                      &error, "more than the limit of 1");
    assert_null(result.detections);
    const det_region regions[2] = {{.box = {0, 0, 50, 50}}, {.box = {50, 50, 90, 90}}};
    test_assert_error(det_detector_classify(detector, &image, regions, 2, NULL, &result, &error),
                      DET_LIMIT, &error, "2 regions are more than the limit of 1");
    det_detector_free(detector);

    config = test_config_of(&path, 1);
    config->proposals.max = 1;
    config->limits.max_regions = 1;
    detector = test_detector_of(config);
    test_assert_ok(det_detector_detect(detector, &image, NULL, &result, &error), &error);
    assert_int_equal(result.proposal_count, 1);
    det_result_free(&result);
    det_detector_free(detector);
    det_image_free(&image);

    result = propose("limits.max_regions=1", 0);
    assert_true(result.region_count > 1);
    det_result_free(&result);
}

static void a_picture_that_needs_more_memory_than_allowed_is_refused(void **state)
{
    (void)state;
    const char *path = write_color_model("colors.safetensors", .05f);
    det_config *config = test_config_of(&path, 1);
    config->limits.memory_mb = 32;
    det_detector *detector = test_detector_of(config);
    det_image image = {0};
    test_assert_ok(det_image_create(500, 2000, &image, NULL), NULL); /* 100 MB of proposals */
    det_result result = {0};
    det_error error = {0};
    test_assert_error(det_detector_detect(detector, &image, NULL, &result, &error), DET_LIMIT,
                      &error, "the limit is 32");
    assert_string_equal(error.where, "limits.memory_mb");
    det_image_free(&image);
    image = test_squares();
    test_assert_ok(det_detector_detect(detector, &image, NULL, &result, &error), &error);
    det_result_free(&result);
    det_image_free(&image);
    det_detector_free(detector);
}

static bool stop_after_the_first_batch(void *context, uint64_t done, uint64_t total)
{
    (void)context;
    return done == 0 || done == total;
}

static bool stop_the_search(void *context, uint64_t done, uint64_t total)
{
    (void)context, (void)done;
    return total > 0;
}

static void a_run_can_be_cancelled_and_has_a_deadline(void **state)
{
    (void)state;
    const char *path = write_color_model("colors.safetensors", .05f);
    det_config *config = test_config_of(&path, 1);
    config->classifier.batch = 1;
    det_detector *detector = test_detector_of(config);
    det_image image = test_squares();
    det_result result = {0};
    det_error error = {0};
    const det_run run = {.progress = stop_after_the_first_batch};
    assert_int_equal(det_detector_detect(detector, &image, &run, &result, &error), DET_CANCELLED);
    assert_null(result.detections);
    const det_run early = {.progress = stop_the_search};
    assert_int_equal(det_detector_detect(detector, &image, &early, &result, &error), DET_CANCELLED);
    assert_int_equal(result.proposal_count, 0);
    const det_run late = {.deadline_s = 1e-3};
    assert_int_equal(det_detector_detect(detector, &image, &late, &result, &error), DET_CANCELLED);
    det_image_free(&image);
    det_detector_free(detector);
}

static void empty_pictures_and_empty_regions_are_refused(void **state)
{
    (void)state;
    det_detector *detector = color_detector();
    det_image image = {0};
    det_result result = {0};
    det_error error = {0};
    test_assert_error(det_detector_detect(detector, &image, NULL, &result, &error), DET_ARGUMENT,
                      &error, "empty picture");
    image = test_squares();
    const det_region empty = {.box = {5, 5, 5, 9}};
    test_assert_error(det_detector_classify(detector, &image, &empty, 1, NULL, &result, &error),
                      DET_ARGUMENT, &error, "region");
    det_image_free(&image);
    det_detector_free(detector);
}

#ifdef DET_FAULT_INJECTION
static void memory_that_runs_out_anywhere_is_an_error(void **state)
{
    (void)state;
    const char *path = write_color_model("colors.safetensors", .05f);
    det_config *config = test_config_of(&path, 1);
    det_image image = test_squares();
    int failures = 0;
    for (uint64_t n = 1;; n++) {
        det_detector *detector = NULL;
        det_result result = {0};
        det_memory_fail_at(n);
        det_status status = det_detector_create(config, &detector, NULL);
        if (status == DET_OK)
            status = det_detector_classify(detector, &image, given, 2, NULL, &result, NULL);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        det_result_free(&result);
        det_detector_free(detector);
        if (!failed) {
            test_assert_ok(status, NULL);
            break;
        }
        if (status >= 0) fail_msg("allocation %llu failed unnoticed", (unsigned long long)n);
        failures++;
    }
    assert_true(failures > 50);
    det_image_free(&image);
    det_config_free(config);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_red_and_a_blue_square_are_found_and_nothing_else),
        cmocka_unit_test(classes_whose_probabilities_are_independent_need_no_background),
        cmocka_unit_test(an_independent_probability_is_the_sigmoid_of_its_score),
        cmocka_unit_test(detections_come_best_first_and_are_the_same_on_any_number_of_threads),
        cmocka_unit_test(selected_classes_alone_are_reported),
        cmocka_unit_test(an_unknown_class_is_refused_with_near_ones),
        cmocka_unit_test(the_threshold_and_the_number_of_detections_hold),
        cmocka_unit_test(boxes_are_suppressed_as_the_configuration_says),
        cmocka_unit_test(an_ensemble_averages_its_probabilities),
        cmocka_unit_test(models_of_different_classes_do_not_vote_together),
        cmocka_unit_test(the_precision_is_what_the_configuration_says),
        cmocka_unit_test(settings_that_cannot_run_are_refused_by_their_key),
        cmocka_unit_test(the_regions_of_several_methods_are_united),
        cmocka_unit_test(a_maximum_holds_for_the_union),
        cmocka_unit_test(fewer_regions_can_be_asked_for_than_the_configuration_says),
        cmocka_unit_test(boxes_that_the_shortest_side_leaves_out_are_counted),
        cmocka_unit_test(random_boxes_are_classified_like_any_others),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(memory_that_runs_out_while_regions_are_united_is_an_error),
#endif
        cmocka_unit_test(the_whole_picture_is_left_out_when_asked),
        cmocka_unit_test(too_many_regions_to_classify_are_refused_and_fewer_are_the_best),
        cmocka_unit_test(a_picture_that_needs_more_memory_than_allowed_is_refused),
        cmocka_unit_test(a_run_can_be_cancelled_and_has_a_deadline),
        cmocka_unit_test(empty_pictures_and_empty_regions_are_refused),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(memory_that_runs_out_anywhere_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
