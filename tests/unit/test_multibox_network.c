/* SPDX-License-Identifier: Apache-2.0 */
/* Regions that a MultiBox head proposes, alone and beside those of selective search. */
#include "src/base/memory.h"
#include "src/image/crop.h"
#include "src/nn/model_file.h"
#include "tests/unit/support_detector.h"
#include "tests/unit/support_network.h"

#include <math.h>
#include <string.h>

/* ---- Proposers ---- */

static const char *still_model(void)
{
    const char *path = test_path("still.safetensors");
    test_multibox_network(path, NULL);
    return path;
}

static const char *plain_model(void)
{
    const char *path = test_path("plain.safetensors");
    test_small_network(path);
    return path;
}

static det_config *configure(const char *const *models, size_t count, const char *methods)
{
    char assignment[100];
    det_config *config = test_config_of(models, count);
    snprintf(assignment, sizeof assignment, "proposals.methods=%s", methods);
    test_config_set(config, assignment);
    return config;
}

/* Of the picture of squares. */
static det_result propose(det_config *config)
{
    det_image image = test_squares();
    det_proposer *proposer = NULL;
    det_result result = {0};
    det_error error = {0};
    test_assert_ok(det_proposer_create(config, &proposer, &error), &error);
    det_config_free(config);
    test_assert_ok(det_proposer_propose(proposer, &image, 0, NULL, &result, &error), &error);
    det_proposer_free(proposer);
    det_image_free(&image);
    return result;
}

static det_result propose_still(const char *methods)
{
    const char *path = still_model();
    return propose(configure(&path, 1, methods));
}

static void assert_region(det_region region, det_box box, double score)
{
    assert_true(fabs((double)(region.box.x0 - box.x0)) < 1e-3);
    assert_true(fabs((double)(region.box.y0 - box.y0)) < 1e-3);
    assert_true(fabs((double)(region.box.x1 - box.x1)) < 1e-3);
    assert_true(fabs((double)(region.box.y1 - box.y1)) < 1e-3);
    assert_true(fabs((double)region.score - score) < 1e-5);
    assert_int_equal(region.source, DET_SOURCE_MULTIBOX);
}

/* ---- Tests ---- */

/* The picture has 220 x 150 pixels. 1 / (1 + exp(-2)) = .880797, of 0 .5, of -1 .268941. */
static void a_head_proposes_its_priors_where_it_leaves_them(void **state)
{
    (void)state;
    det_result result = propose_still("multibox");
    assert_int_equal(result.region_count, TEST_PRIORS);
    assert_int_equal(result.proposal_count, TEST_PRIORS);
    assert_region(result.regions[0], (det_box){110, 75, 220, 150}, .880797);
    assert_region(result.regions[1], (det_box){0, 0, 110, 75}, .5);
    assert_region(result.regions[2], (det_box){55, 0, 165, 150}, .268941);
    det_result_free(&result);
}

static void at_most_so_many_regions_are_proposed(void **state)
{
    (void)state;
    const char *path = still_model();
    det_config *config = configure(&path, 1, "multibox");
    test_config_set(config, "proposals.multibox.max=2");
    det_result result = propose(config);
    assert_int_equal(result.region_count, 2);
    assert_region(result.regions[1], (det_box){0, 0, 110, 75}, .5);
    det_result_free(&result);
}

/* What the network sees is the whole picture, without surroundings, though the model's crops have a
 * pixel of context; residuals are shares of 220 and 150 pixels. */
static void the_head_looks_at_the_whole_picture(void **state)
{
    (void)state;
    enum { side = 16 };
    const char *path = test_path("moving.safetensors");
    float *weights = test_random_values(TEST_MULTIBOX_WEIGHTS, 5);
    for (int i = 0; i < TEST_MULTIBOX_WEIGHTS; i++) weights[i] *= .01f;
    test_multibox_network(path, weights);
    det_model *model = NULL;
    test_assert_ok(det_model_open(path, &model, NULL), NULL);

    det_image image = test_squares();
    uint8_t pixels[side * side * 3];
    const det_crop_options crop = {.width = side, .height = side};
    test_assert_ok(det_crop(&image, (det_box){0, 0, 220, 150}, &crop, pixels), NULL);
    float picture[3 * side * side];
    for (int i = 0; i < side * side; i++)
        for (int c = 0; c < 3; c++)
            picture[c * side * side + i] =
                ((float)pixels[3 * i + c] - model->input.mean[c]) * model->input.scale[c];
    float *values = test_reference_run(model, picture, model->multibox);

    det_result result = propose(configure(&path, 1, "multibox"));
    assert_int_equal(result.region_count, TEST_PRIORS);
    for (int i = 0; i < TEST_PRIORS; i++) {
        const det_box p = test_priors[i];
        const float *v = values + (ptrdiff_t)4 * i;
        const float x0 = fmaxf(0, p.x0 + v[0]) * 220, y0 = fmaxf(0, p.y0 + v[1]) * 150;
        const float x1 = fminf(1, p.x1 + v[2]) * 220, y1 = fminf(1, p.y1 + v[3]) * 150;
        const double score = 1 / (1 + exp(-(double)values[4 * TEST_PRIORS + i]));
        bool found = false;
        for (int j = 0; j < TEST_PRIORS && !found; j++) {
            const det_region *r = &result.regions[j];
            found = det_box_iou(r->box, (det_box){x0, y0, x1, y1}) > .999 &&
                    fabs((double)r->score - score) < 1e-4;
        }
        assert_true(found);
    }
    det_result_free(&result);
    det_free(values);
    det_image_free(&image);
    det_model_free(model);
    det_free(weights);
}

static void beside_selective_search_they_take_turns(void **state)
{
    (void)state;
    det_result search = propose_still("selective_search");
    det_result both = propose_still("[\"multibox\",\"selective_search\"]");
    assert_true(search.region_count > TEST_PRIORS);
    assert_int_equal(both.region_count, search.region_count + TEST_PRIORS);
    for (size_t i = 0; i < TEST_PRIORS; i++) {
        assert_memory_equal(&both.regions[2 * i], &search.regions[i], sizeof *both.regions);
        assert_int_equal(both.regions[2 * i + 1].source, DET_SOURCE_MULTIBOX);
        assert_true(both.regions[2 * i + 1].score == search.regions[i].score);
    }
    assert_region(both.regions[1], (det_box){110, 75, 220, 150}, (double)search.regions[0].score);
    det_result_free(&search);
    det_result_free(&both);
}

/* Two regions of selective search: the third of MultiBox keeps its own score, which is less. */
static void what_has_no_turn_left_comes_last(void **state)
{
    (void)state;
    const char *path = still_model();
    det_config *config = configure(&path, 1, "[\"multibox\",\"selective_search\"]");
    test_config_set(config, "proposals.selective_search.max=2");
    det_result result = propose(config);
    assert_int_equal(result.region_count, 5);
    assert_int_equal(result.regions[2].source, DET_SOURCE_SELECTIVE_SEARCH);
    assert_region(result.regions[4], (det_box){55, 0, 165, 150}, .268941);
    det_result_free(&result);
}

static void what_it_proposes_is_classified_like_any_other_region(void **state)
{
    (void)state;
    const char *path = still_model();
    det_config *config = configure(&path, 1, "multibox");
    test_config_set(config, "postprocess.score_threshold=0");
    test_config_set(config, "postprocess.nms.method=none");
    det_detector *detector = test_detector_of(config);
    det_image image = test_squares();
    det_result result = {0};
    det_error error = {0};
    test_assert_ok(det_detector_detect(detector, &image, NULL, &result, &error), &error);
    assert_int_equal(result.proposal_count, TEST_PRIORS);
    assert_int_equal(result.detection_count, 5 * TEST_PRIORS);
    for (size_t i = 0; i < result.detection_count; i++)
        assert_int_equal(result.detections[i].source, DET_SOURCE_MULTIBOX);
    det_result_free(&result);
    det_image_free(&image);
    det_detector_free(detector);
}

static void the_first_model_with_a_head_proposes(void **state)
{
    (void)state;
    const char *models[] = {plain_model(), still_model()};
    det_result result = propose(configure(models, 2, "multibox"));
    assert_int_equal(result.region_count, TEST_PRIORS);
    det_result_free(&result);
}

static void assert_refused(const char *const *models, size_t count, const char *message)
{
    det_config *config = configure(models, count, "multibox");
    det_proposer *proposer = NULL;
    det_error error = {0};
    test_assert_error(det_proposer_create(config, &proposer, &error), DET_ARGUMENT, &error,
                      message);
    assert_string_equal(error.where, "proposals.methods");
    det_config_free(config);
}

static void without_a_head_it_is_said_how_to_get_one(void **state)
{
    (void)state;
    const char *models[] = {plain_model(), plain_model()};
    assert_refused(models, 0, "no model is named (classifier.models); 'detect train --set");
    assert_refused(models, 1, "the model does not propose regions (outputs.multibox); 'detect");
    assert_refused(models, 2, "the models named do not propose regions");

    det_config *config = configure(models, 1, "[\"multibox\",\"selective_search\"]");
    det_detector *detector = NULL;
    det_error error = {0};
    test_assert_error(det_detector_create(config, &detector, &error), DET_ARGUMENT, &error,
                      "the model does not propose regions");
    assert_string_equal(error.file, models[0]);
    det_config_free(config);

    const char *missing = test_path("missing.safetensors");
    config = configure(&missing, 1, "multibox");
    det_proposer *proposer = NULL;
    assert_int_equal(det_proposer_create(config, &proposer, &error), DET_IO);
    det_config_free(config);
}

static void an_empty_picture_is_refused(void **state)
{
    (void)state;
    const char *path = still_model();
    det_config *config = configure(&path, 1, "multibox");
    det_proposer *proposer = NULL;
    det_result result = {0};
    det_error error = {0};
    test_assert_ok(det_proposer_create(config, &proposer, &error), &error);
    test_assert_error(det_proposer_propose(proposer, &(det_image){0}, 0, NULL, &result, &error),
                      DET_ARGUMENT, &error, "empty picture");
    det_proposer_free(proposer);
    det_config_free(config);
}

#ifdef DET_FAULT_INJECTION
static void memory_that_runs_out_anywhere_is_an_error(void **state)
{
    (void)state;
    const char *path = still_model();
    det_config *config = configure(&path, 1, "[\"multibox\",\"uniform\"]");
    config->proposals.max = 5;
    det_image image = test_squares();
    det_status status = DET_MEMORY;
    for (uint64_t n = 1; status != DET_OK; n++) {
        det_proposer *proposer = NULL;
        det_result result = {0};
        det_memory_fail_at(n);
        status = det_proposer_create(config, &proposer, NULL);
        if (status == DET_OK)
            status = det_proposer_propose(proposer, &image, 0, NULL, &result, NULL);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        det_result_free(&result);
        det_proposer_free(proposer);
        assert_int_equal(status == DET_OK, !failed);
    }
    det_image_free(&image);
    det_config_free(config);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_proposes_its_priors_where_it_leaves_them),
        cmocka_unit_test(at_most_so_many_regions_are_proposed),
        cmocka_unit_test(the_head_looks_at_the_whole_picture),
        cmocka_unit_test(beside_selective_search_they_take_turns),
        cmocka_unit_test(what_has_no_turn_left_comes_last),
        cmocka_unit_test(what_it_proposes_is_classified_like_any_other_region),
        cmocka_unit_test(the_first_model_with_a_head_proposes),
        cmocka_unit_test(without_a_head_it_is_said_how_to_get_one),
        cmocka_unit_test(an_empty_picture_is_refused),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(memory_that_runs_out_anywhere_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
