/* SPDX-License-Identifier: Apache-2.0 */
/* Whole pictures: the mean over crops and models, against networks run one crop at a time, and the
 * real GoogLeNet against another runtime. */
#include "detect/classify.h"
#include "src/base/json_reader.h"
#include "src/base/memory.h"
#include "src/image/multi_crop.h"
#include "tests/unit/support_image.h"
#include "tests/unit/support_network.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { class_count = 5 };

/* A model of its own weights: mean colours, inner product (times `strength`), softmax. */
static void write_model(const char *path, int size, float strength)
{
    test_sketch sketch = test_sketch_create(size, size);
    int node = test_sketch_chain(
        &sketch, "mean", (det_node){.op = DET_OP_AVERAGE_POOL, .window = test_window(3, 2, 0)},
        DET_PICTURE);
    node = test_sketch_chain(&sketch, "fc",
                             (det_node){.op = DET_OP_INNER_PRODUCT, .channels = class_count}, node);
    const size_t weights = sketch.model->graph.nodes[node].weights.count;
    for (size_t i = 0; i < weights; i++) sketch.values[0][i] *= strength;
    for (int i = 0; i < class_count; i++) sketch.values[1][i] = 0;
    test_sketch_chain(&sketch, "prob", (det_node){.op = DET_OP_SOFTMAX}, node);
    test_sketch_complete(&sketch);
    test_assert_ok(det_model_write(sketch.model, path, NULL), NULL);
    test_sketch_free(&sketch);
}

typedef struct {
    const char *paths[3];
    size_t count;
} models;

/* Two networks of one input size, and one of another. */
static models three_models(void)
{
    models m = {.paths = {test_path("a"), test_path("b"), test_path("c")}, .count = 3};
    test_small_network(m.paths[0]);
    write_model(m.paths[1], 16, .01f);
    write_model(m.paths[2], 11, -.02f);
    return m;
}

static det_config *config_of(const models *m, size_t batch, int threads)
{
    det_config *config = NULL;
    test_assert_ok(det_config_create(&config, NULL), NULL);
    det_free(config->classifier.models); /* the default, which is empty */
    config->classifier.models = det_alloc_array(m->count, sizeof(char *));
    config->classifier.model_count = m->count;
    for (size_t i = 0; i < m->count; i++)
        config->classifier.models[i] = det_copy_string(m->paths[i]);
    config->classifier.batch = batch;
    config->runtime.threads = threads;
    return config;
}

static det_result classify(det_config *config, const det_classify_options *options,
                           const det_image *image, size_t top)
{
    det_classifier *classifier = NULL;
    det_result result = {.file = "kept"};
    det_error error = {0};
    test_assert_ok(det_classifier_create(config, options, &classifier, &error), &error);
    test_assert_ok(det_classifier_classify(classifier, image, top, NULL, &result, &error), &error);
    for (size_t i = 0; i < result.label_count; i++) /* lives as long as the classifier */
        assert_string_equal(result.labels[i].class_name,
                            det_model_class_name(det_classifier_model(classifier),
                                                 (size_t)result.labels[i].class_id));
    assert_string_equal(result.file, "kept");
    det_classifier_free(classifier);
    det_config_free(config);
    return result;
}

/* Adds what a model gives for each crop, one at a time. */
static void add_model(const char *path, const det_image *image, int crops, double *sums)
{
    det_model *model = NULL;
    det_network *network = NULL;
    det_worker *worker = NULL;
    test_assert_ok(det_model_open(path, &model, NULL), NULL);
    test_assert_ok(det_network_compile(model, NULL, &network, NULL), NULL);
    const det_network *const one = network;
    test_assert_ok(det_worker_create(&one, 1, &worker, NULL), NULL);
    const det_model_input *input = det_model_get_input(model);
    const det_multi_crop_options options = {
        .crops = crops, .width = input->width, .height = input->height, .max_pixels = 100000};
    det_multi_crop plan;
    test_assert_ok(det_multi_crop_plan(image->width, image->height, &options, &plan, NULL), NULL);
    test_assert_ok(det_multi_crop_resize(&plan, image, 1, NULL), NULL);
    uint8_t pixels[16 * 16 * 3];
    float row[class_count], *rows = row;
    for (size_t i = 0; i < plan.count; i++) {
        test_assert_ok(det_multi_crop_cut(&plan, i, pixels), NULL);
        test_assert_ok(det_network_run_pictures(network, worker, pixels, 1, &rows, NULL), NULL);
        for (int c = 0; c < class_count; c++) sums[c] += (double)row[c];
    }
    det_multi_crop_free(&plan);
    det_worker_free(worker);
    det_network_free(network);
    det_model_free(model);
}

static void check_mean(const models *m, const det_image *image, int crops, size_t batch)
{
    double sums[class_count] = {0};
    for (size_t i = 0; i < m->count; i++) add_model(m->paths[i], image, crops, sums);
    const det_classify_options options = {.crops = crops};
    det_result result = classify(config_of(m, batch, 2), &options, image, 0);
    assert_int_equal(result.label_count, class_count);
    assert_int_equal(result.width, image->width);
    assert_int_equal(result.height, image->height);
    double total = 0;
    for (size_t i = 0; i < result.label_count; i++) {
        const det_label *label = &result.labels[i];
        const double mean = sums[label->class_id] / (double)m->count / crops;
        if (fabs((double)label->score - mean) > 1e-6)
            fail_msg("class %d: %.9g, not %.9g", (int)label->class_id, (double)label->score, mean);
        if (i > 0) assert_true(label->score <= result.labels[i - 1].score);
        total += (double)label->score;
    }
    assert_true(fabs(total - 1) < 1e-5);
    det_result_free(&result);
    assert_null(result.labels);
}

static void the_score_is_the_mean_over_crops_and_models(void **state)
{
    (void)state;
    const models m = three_models();
    det_image image = test_picture(40, 25);
    static const int crops[] = {1, 10, 144};
    for (size_t i = 0; i < 3; i++) check_mean(&m, &image, crops[i], 7);
    const models two = {.paths = {m.paths[2], m.paths[0]}, .count = 2};
    check_mean(&two, &image, 10, 64);
    det_image_free(&image);
}

static void scores_are_the_same_in_any_batch_on_any_number_of_threads(void **state)
{
    (void)state;
    const models m = three_models();
    det_image image = test_picture(25, 40);
    const det_classify_options options = {.crops = 10};
    det_result first = classify(config_of(&m, 1, 1), &options, &image, 0);
    for (int threads = 1; threads <= 3; threads++) {
        det_result result =
            classify(config_of(&m, (size_t)threads * 2, threads), &options, &image, 0);
        for (size_t i = 0; i < class_count; i++) {
            assert_int_equal(result.labels[i].class_id, first.labels[i].class_id);
            assert_true(result.labels[i].score == first.labels[i].score);
        }
        det_result_free(&result);
    }
    det_result_free(&first);
    det_image_free(&image);
}

static void as_many_labels_come_as_are_wanted_and_there_are(void **state)
{
    (void)state;
    const models m = {.paths = {test_path("a")}, .count = 1};
    test_small_network(m.paths[0]);
    det_image image = test_picture(20, 20);
    det_result two = classify(config_of(&m, 8, 1), NULL, &image, 2);
    det_result all = classify(config_of(&m, 8, 1), NULL, &image, 99);
    assert_int_equal(two.label_count, 2);
    assert_int_equal(all.label_count, class_count);
    assert_memory_equal(&two.labels[1].score, &all.labels[1].score, sizeof(float));
    det_result_free(&two);
    det_result_free(&all);
    det_image_free(&image);
}

static void equal_scores_are_in_the_order_of_the_classes(void **state)
{
    (void)state;
    const models m = {.paths = {test_path("a")}, .count = 1};
    write_model(m.paths[0], 16, 0);
    det_image image = test_picture(30, 30);
    det_result result = classify(config_of(&m, 8, 1), NULL, &image, 0);
    for (int i = 0; i < class_count; i++) {
        assert_int_equal(result.labels[i].class_id, i);
        assert_true(fabs((double)result.labels[i].score - .2) < 1e-6);
    }
    det_result_free(&result);
    det_image_free(&image);
}

/* ---- Several pictures ---- */

enum { picture_count = 5 };

/* Pictures of several sizes, squares among them; the fourth cannot be read. */
static det_status read_picture(void *context, size_t index, det_image *image, det_error *error)
{
    (void)context;
    static const int sizes[picture_count][2] = {{40, 25}, {30, 30}, {25, 40}, {0, 0}, {64, 64}};
    if (index == 3) {
        if (error) *error = (det_error){.status = DET_IO};
        return DET_IO;
    }
    *image = test_picture(sizes[index][0], sizes[index][1]);
    return DET_OK;
}

static void assert_same_labels(const det_result *a, const det_result *b)
{
    assert_int_equal(a->label_count, b->label_count);
    for (size_t i = 0; i < a->label_count; i++) {
        assert_int_equal(a->labels[i].class_id, b->labels[i].class_id);
        assert_memory_equal(&a->labels[i].score, &b->labels[i].score, sizeof(float));
    }
}

static void check_many(const models *m, det_classify_options options, size_t batch, int threads)
{
    const det_picture_source source = {NULL, read_picture};
    det_classifier *classifier = NULL;
    det_error error = {0};
    det_config *config = config_of(m, batch, threads);
    options.pictures = picture_count;
    test_assert_ok(det_classifier_create(config, &options, &classifier, &error), &error);
    det_result results[picture_count];
    for (size_t i = 0; i < picture_count; i++) results[i] = (det_result){.file = "kept"};
    test_assert_ok(
        det_classifier_classify_many(classifier, &source, picture_count, 0, NULL, results, &error),
        &error);
    for (size_t i = 0; i < picture_count; i++) {
        det_image image = {0};
        assert_string_equal(results[i].file, "kept");
        if (read_picture(NULL, i, &image, NULL) < 0) {
            assert_int_equal(results[i].error.status, DET_IO);
            assert_null(results[i].labels);
            continue;
        }
        det_result alone = classify(config_of(m, 1, 1), &options, &image, 0);
        assert_int_equal(results[i].error.status, DET_OK);
        assert_int_equal(results[i].width, image.width);
        assert_same_labels(&results[i], &alone);
        det_result_free(&alone);
        det_result_free(&results[i]);
        det_image_free(&image);
    }
    det_classifier_free(classifier);
    det_config_free(config);
}

static void several_pictures_give_the_bits_that_each_gives_alone(void **state)
{
    (void)state;
    const models m = three_models();
    static const int crops[] = {1, 10, 144};
    for (size_t i = 0; i < 3; i++)
        for (int threads = 1; threads <= 3; threads++)
            check_many(&m, (det_classify_options){.crops = crops[i]}, 7, threads);
}

static void fail_many(size_t count, const det_run *run, det_status status, const char *part)
{
    const det_picture_source source = {NULL, read_picture};
    const models m = {.paths = {test_path("a")}, .count = 1};
    test_small_network(m.paths[0]);
    const det_classify_options options = {.pictures = picture_count};
    det_config *config = config_of(&m, 8, 2);
    det_classifier *classifier = NULL;
    det_result results[picture_count + 1] = {{0}};
    det_error error = {0};
    test_assert_ok(det_classifier_create(config, &options, &classifier, &error), &error);
    test_assert_error(
        det_classifier_classify_many(classifier, &source, count, 0, run, results, &error), status,
        &error, part);
    for (size_t i = 0; i < picture_count; i++) assert_null(results[i].labels);
    det_classifier_free(classifier);
    det_config_free(config);
}

static bool stop(void *context, uint64_t done, uint64_t total)
{
    const uint64_t *least = context;
    return total == 0 || done < *least;
}

static void a_call_for_several_pictures_fails_as_a_whole_where_it_must(void **state)
{
    (void)state;
    fail_many(0, NULL, DET_ARGUMENT, "0 pictures in a call that takes 1 to 5");
    fail_many(picture_count + 1, NULL, DET_ARGUMENT, "6 pictures");
    for (uint64_t least = 0; least <= 4; least += 4)
        fail_many(picture_count, &(det_run){.progress = stop, .progress_context = &least},
                  DET_CANCELLED, least == 0 ? "cancelled after 0 of 4" : "cancelled after 4 of 4");
}

/* ---- Refusals ---- */

static void refuse(det_config *config, det_classify_options options, det_status status,
                   const char *part)
{
    det_classifier *classifier = NULL;
    det_error error = {0};
    test_assert_error(det_classifier_create(config, &options, &classifier, &error), status, &error,
                      part);
    assert_null(classifier);
    det_config_free(config);
}

static void what_cannot_be_is_refused_at_once(void **state)
{
    (void)state;
    const models m = {.paths = {test_path("a")}, .count = 1}, none = {.count = 0};
    test_small_network(m.paths[0]);
    refuse(config_of(&none, 8, 1), (det_classify_options){0}, DET_ARGUMENT, "no model");
    refuse(config_of(&m, 8, 1), (det_classify_options){.crops = 5}, DET_ARGUMENT, "5 crops");
    refuse(config_of(&m, 8, 1), (det_classify_options){.crops = -1}, DET_ARGUMENT, "-1 crops");
    refuse(config_of(&m, 8, 1), (det_classify_options){.shorter_side_px = 15}, DET_ARGUMENT,
           "16 x 16 pixels is larger");
    det_config *config = config_of(&m, 8, 1);
    strcpy(config->classifier.vote, "most");
    refuse(config, (det_classify_options){0}, DET_UNSUPPORTED, "average");
    const models missing = {.paths = {test_path("missing")}, .count = 1};
    refuse(config_of(&missing, 8, 1), (det_classify_options){0}, DET_IO, "");
}

static void classify_fails(det_config *config, const det_image *image, const det_run *run,
                           det_status status, const char *part)
{
    det_classifier *classifier = NULL;
    det_result result = {0};
    det_error error = {0};
    test_assert_ok(det_classifier_create(config, NULL, &classifier, &error), &error);
    test_assert_error(det_classifier_classify(classifier, image, 1, run, &result, &error), status,
                      &error, part);
    assert_null(result.labels);
    det_classifier_free(classifier);
    det_config_free(config);
}

static bool cancel(void *context, uint64_t done, uint64_t total)
{
    (void)context, (void)done;
    assert_int_equal(total, 1);
    return false;
}

static void pictures_that_are_empty_or_too_large_and_cancelled_calls_fail(void **state)
{
    (void)state;
    const models m = {.paths = {test_path("a")}, .count = 1};
    test_small_network(m.paths[0]);
    det_image image = test_picture(300, 3);
    classify_fails(config_of(&m, 8, 1), &(det_image){0}, NULL, DET_ARGUMENT, "empty");
    det_config *config = config_of(&m, 8, 1);
    config->limits.max_pixels = 1000; /* 1800 x 18 */
    classify_fails(config, &image, NULL, DET_LIMIT, "1800 x 18");
    classify_fails(config_of(&m, 8, 1), &image, &(det_run){.progress = cancel}, DET_CANCELLED,
                   "cancelled");
    classify_fails(config_of(&m, 8, 1), &image, &(det_run){.deadline_s = 1e-9}, DET_CANCELLED,
                   "out of time");
    det_image_free(&image);
}

static void advice_on_memory_names_what_has_to_do_with_it(void **state)
{
    (void)state;
    const models m = {.paths = {test_path("a")}, .count = 1};
    test_small_network(m.paths[0]);
    det_config *config = config_of(&m, 8, 1);
    det_image image = test_picture(2000, 1000); /* 6 MB */
    config->limits.memory_mb = 3;
    classify_fails(config, &image, NULL, DET_LIMIT,
                   "lower classifier.batch or runtime.threads, or raise it");
    det_image_free(&image);
}

#ifdef DET_FAULT_INJECTION
static void failed_allocations_leave_nothing_behind(void **state)
{
    (void)state;
    const models m = {.paths = {test_path("a")}, .count = 1};
    test_small_network(m.paths[0]);
    det_image image = test_picture(20, 12);
    det_config *config = config_of(&m, 2, 1);
    const det_classify_options options = {.crops = 144};
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        det_classifier *classifier = NULL;
        det_result result = {0};
        det_memory_fail_at(nth);
        det_status status = det_classifier_create(config, &options, &classifier, NULL);
        if (status == DET_OK)
            status = det_classifier_classify(classifier, &image, 1, NULL, &result, NULL);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        det_result_free(&result);
        det_classifier_free(classifier);
    }
    det_config_free(config);
    det_image_free(&image);
}

static det_status read_small(void *context, size_t index, det_image *image, det_error *error)
{
    (void)context;
    return det_image_create(20 + (int)index, 12, image, error);
}

/* A failure is that of the call, or of one picture alone. */
static void failed_allocations_of_several_pictures_leave_nothing_behind(void **state)
{
    (void)state;
    const models m = {.paths = {test_path("a")}, .count = 1};
    test_small_network(m.paths[0]);
    const det_picture_source source = {NULL, read_small};
    const det_classify_options options = {.pictures = 2};
    det_config *config = config_of(&m, 2, 1);
    det_classifier *classifier = NULL;
    test_assert_ok(det_classifier_create(config, &options, &classifier, NULL), NULL);
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        det_result results[2] = {{0}};
        det_memory_fail_at(nth);
        const det_status status =
            det_classifier_classify_many(classifier, &source, 2, 1, NULL, results, NULL);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        const bool both = status == DET_OK && results[0].error.status == DET_OK &&
                          results[1].error.status == DET_OK;
        assert_int_equal(both, !failed);
        for (size_t i = 0; i < 2; i++) det_result_free(&results[i]);
    }
    det_classifier_free(classifier);
    det_config_free(config);
}
#endif

/* ---- The real one ---- */

static double number(json_object *object, const char *key)
{
    json_object *value = NULL;
    assert_true(json_object_object_get_ex(object, key, &value));
    return json_object_get_double(value);
}

static void check_case(const det_classifier *classifier, json_object *c)
{
    char name[256];
    json_object *value = NULL;
    assert_true(json_object_object_get_ex(c, "image", &value));
    snprintf(name, sizeof name, "oracles/googlenet/%s", json_object_get_string(value));
    det_image image;
    det_error error = {0};
    det_result result = {0};
    test_assert_ok(det_image_read(test_data(name), NULL, &image, &error), &error);
    test_assert_ok(det_classifier_classify(classifier, &image, 10, NULL, &result, &error), &error);

    assert_true(json_object_object_get_ex(c, "top10", &value));
    for (size_t i = 0; i < 10; i++) {
        json_object *item = json_object_array_get_idx(value, i);
        const double expected = number(item, "probability");
        assert_int_equal(result.labels[i].class_id, (int64_t)number(item, "index"));
        if (fabs((double)result.labels[i].score - expected) > 1e-4 * expected + 1e-6)
            fail_msg("%s: %g, not %g", name, (double)result.labels[i].score, expected);
    }
    det_result_free(&result);
    det_image_free(&image);
}

/* The pictures of the oracle are crops already: of 224 pixels, and not to be resized. */
static void googlenet_names_six_crops_as_another_runtime_does(void **state)
{
    (void)state;
    json_object *oracle = NULL, *cases = NULL;
    det_error error = {0};
    test_assert_ok(det_json_read(test_data("oracles/googlenet/expected.json"), &oracle, &error),
                   &error);
    assert_true(json_object_object_get_ex(oracle, "cases", &cases));
    const models m = {.paths = {test_googlenet("googlenet.safetensors")}, .count = 1};
    det_config *config = config_of(&m, 8, 1);
    const det_classify_options options = {.shorter_side_px = 224};
    det_classifier *classifier = NULL;
    test_assert_ok(det_classifier_create(config, &options, &classifier, &error), &error);
    for (size_t i = 0; i < json_object_array_length(cases); i++)
        check_case(classifier, json_object_array_get_idx(cases, i));
    assert_int_equal(json_object_array_length(cases), 6);
    det_classifier_free(classifier);
    det_config_free(config);
    json_object_put(oracle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_score_is_the_mean_over_crops_and_models),
        cmocka_unit_test(scores_are_the_same_in_any_batch_on_any_number_of_threads),
        cmocka_unit_test(as_many_labels_come_as_are_wanted_and_there_are),
        cmocka_unit_test(equal_scores_are_in_the_order_of_the_classes),
        cmocka_unit_test(several_pictures_give_the_bits_that_each_gives_alone),
        cmocka_unit_test(a_call_for_several_pictures_fails_as_a_whole_where_it_must),
        cmocka_unit_test(what_cannot_be_is_refused_at_once),
        cmocka_unit_test(advice_on_memory_names_what_has_to_do_with_it),
        cmocka_unit_test(pictures_that_are_empty_or_too_large_and_cancelled_calls_fail),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(failed_allocations_leave_nothing_behind),
        cmocka_unit_test(failed_allocations_of_several_pictures_leave_nothing_behind),
#endif
        cmocka_unit_test(googlenet_names_six_crops_as_another_runtime_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
