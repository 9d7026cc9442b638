/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "src/train/cross_validation.h"
#include "tests/unit/support.h"
#include "tests/unit/support_eval.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 2, CLASSES = 1 };

/* Three regions with features (2, 0), (1, 1), (0, 2); the first two overlap by 9 of 11. */
static const uint8_t values[] = {20, 0, 10, 10, 0, 20};
static const float scales[] = {.1F, .1F, .1F};
static const det_box boxes[] = {{0, 0, 10, 10}, {1, 0, 11, 10}, {50, 50, 60, 60}};
static const det_region_features regions = {.count = 3,
                                            .proposal_count = 3,
                                            .width = WIDTH,
                                            .boxes = boxes,
                                            .scales = scales,
                                            .values = values,
                                            .picture_width = 100,
                                            .picture_height = 100};

/* The class goes with the first feature, the background with the second. */
static det_linear_head make_head(void)
{
    det_linear_head head;
    det_error error;
    test_assert_ok(det_linear_head_create(DET_HEAD_SOFTMAX, WIDTH, CLASSES, true, &head, &error),
                   &error);
    head.weights[0] = 1;
    head.weights[3] = 1;
    head.biases[1] = .5F;
    return head;
}

static void outputs_are_sums_of_weighted_features(void **state)
{
    (void)state;
    det_linear_head head = make_head();
    float p[2];
    det_linear_head_outputs(&head, &regions, 1, p);
    assert_float_equal(p[0], 1, 1e-6);
    assert_float_equal(p[1], 1.5, 1e-6);
    det_linear_head_probabilities(&head, p); /* 1 / (1 + e^.5) */
    assert_float_equal(p[0], .37754067, 1e-6);
    assert_float_equal(p[1], .62245933, 1e-6);
    det_linear_head_free(&head);
}

/* Twice the outputs are 2 and 3; 1 / (1 + e^(3 - 2)). The first then less by 1: 1 / (1 + e^2). */
static void changed_outputs_are_those_of_a_changed_head(void **state)
{
    (void)state;
    det_linear_head head = make_head();
    float p[2];
    det_linear_head_change(&head, (const det_output_change[]){{2, 0}, {2, 0}});
    det_linear_head_outputs(&head, &regions, 1, p);
    det_linear_head_probabilities(&head, p);
    assert_float_equal(p[0], .26894142, 1e-6);
    det_linear_head_change(&head, (const det_output_change[]){{1, -1}, {1, 0}});
    det_linear_head_outputs(&head, &regions, 1, p);
    det_linear_head_probabilities(&head, p);
    assert_float_equal(p[0], .11920292, 1e-6);
    det_linear_head_free(&head);
}

/* Two classes by themselves: 1 / (1 + e^-2) and 1 / (1 + e^3) of the first region. */
static void independent_classes_have_a_sigmoid_each_and_no_background(void **state)
{
    (void)state;
    det_linear_head head;
    det_error error;
    float p[2];
    test_assert_ok(det_linear_head_create(DET_HEAD_SIGMOID, WIDTH, 2, false, &head, &error),
                   &error);
    assert_int_equal(head.output_count, 2);
    head.weights[0] = 1;
    head.weights[2] = -1;
    head.biases[1] = -1;
    det_linear_head_outputs(&head, &regions, 0, p);
    det_linear_head_probabilities(&head, p);
    assert_float_equal(p[0], .88079708, 1e-6);
    assert_float_equal(p[1], .04742587, 1e-6);
    det_linear_head_free(&head);
}

/* dx = .5, dh = log 2: the middle goes half a width to the right, the height doubles around it, and
 * what is above the picture is cut. */
static void a_box_is_moved_and_cut_at_the_edge(void **state)
{
    (void)state;
    det_linear_head head = make_head();
    head.delta_biases[0] = .5F;
    head.delta_biases[3] = logf(2);
    const det_box box = det_linear_head_box(&head, &regions, 0, 0);
    assert_float_equal(box.x0, 5, 1e-5);
    assert_float_equal(box.x1, 15, 1e-5);
    assert_float_equal(box.y0, 0, 1e-5);
    assert_float_equal(box.y1, 15, 1e-5);
    det_linear_head_free(&head);
}

static void the_best_of_overlapping_candidates_stays(void **state)
{
    (void)state;
    det_linear_head head = make_head();
    det_candidates found;
    det_error error;
    test_assert_ok(det_linear_head_detect(&head, &regions, &(det_head_options){.05F, {.iou = .5F}},
                                          &found, &error),
                   &error);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.items[0].region, 0); /* e^2 / (e^2 + e^.5) */
    assert_float_equal(found.items[0].score, .81757448, 1e-5);
    assert_int_equal(found.items[1].region, 2); /* 1 / (1 + e^2.5) */
    assert_float_equal(found.items[1].score, .07585818, 1e-5);
    det_candidates_free(&found);
    test_assert_ok(det_linear_head_detect(&head, &regions,
                                          &(det_head_options){.1F, {.iou = 1, .max_detections = 1}},
                                          &found, &error),
                   &error);
    assert_int_equal(found.count, 1);
    det_candidates_free(&found);
    det_linear_head_free(&head);
}

/* Two of three regions that look alike show the class: the likeliest output is log 2 more than the
 * background's, and the head gives 2 log 2. */
static void a_head_that_is_too_sure_is_cooled(void **state)
{
    (void)state;
    static const uint8_t alike[] = {10, 0, 10, 0, 10, 0};
    int labels[] = {0, 0, DET_LABEL_BACKGROUND}, fold = 0;
    det_training_image image = {.features = regions, .labels = {.labels = labels}};
    image.features.values = alike;
    const det_training_set set = {.classes = {.count = CLASSES},
                                  .images = &image,
                                  .image_count = 1,
                                  .width = WIDTH,
                                  .region_count = 3};
    det_linear_head head = make_head();
    head.biases[1] = 0;
    head.weights[0] = 2 * logf(2);
    det_output_change changes[2];
    det_error error;
    test_assert_ok(det_held_out_calibration(&set, &head, &fold, changes, &error), &error);
    for (int o = 0; o < 2; o++) {
        assert_float_equal(changes[o].slope, .5, 1e-3);
        assert_float_equal(changes[o].offset, 0, 0);
    }
    det_linear_head_free(&head);
}

/* A hundred regions of the score 1 of which three quarters show the first class, and as many of the
 * score -1 of which a quarter does: with Platt's aims of 101/102 and 1/102 the share aimed at is
 * (75 * 101 + 25) / 10200 = .745098, whose logit is 1.0726368, at 1, and the opposite at -1. The
 * second class is shown by none, so that its own scores say nothing. It takes what both say: of 200
 * regions each, 75 and 25, with the aims 101/102 and 1/302; .373393 and .126672 have the logits
 * -.517688 and -1.930711. */
static void independent_classes_are_calibrated_each_by_itself(void **state)
{
    (void)state;
    enum { ALL = 200 };
    static uint8_t many[ALL * WIDTH];
    static float many_scales[ALL];
    static det_box many_boxes[ALL];
    int labels[ALL], fold = 0;
    for (int i = 0; i < ALL; i++) {
        const bool high = i < ALL / 2;
        many[(size_t)i * WIDTH] = high ? 2 : 0;
        many_scales[i] = 1;
        labels[i] =
            i % 4 == 0 ? (high ? DET_LABEL_BACKGROUND : 0) : (high ? 0 : DET_LABEL_BACKGROUND);
    }
    det_training_image image = {.features = {.count = ALL,
                                             .proposal_count = ALL,
                                             .width = WIDTH,
                                             .boxes = many_boxes,
                                             .scales = many_scales,
                                             .values = many},
                                .labels = {.labels = labels}};
    const det_training_set set = {.classes = {.count = 2},
                                  .images = &image,
                                  .image_count = 1,
                                  .width = WIDTH,
                                  .region_count = ALL};
    det_linear_head head;
    det_output_change changes[2];
    det_error error;
    test_assert_ok(det_linear_head_create(DET_HEAD_SIGMOID, WIDTH, 2, false, &head, &error),
                   &error);
    for (int c = 0; c < 2; c++) {
        head.weights[(size_t)c * WIDTH] = c == 0 ? 1 : -1;
        head.biases[c] = c == 0 ? -1 : 1;
    }
    test_assert_ok(det_held_out_calibration(&set, &head, &fold, changes, &error), &error);
    assert_float_equal(changes[0].slope, 1.0726368, 1e-5);
    assert_float_equal(changes[0].offset, 0, 1e-5);
    assert_float_equal(changes[1].slope, .706512, 1e-5);
    assert_float_equal(changes[1].offset, -1.224200, 1e-5);
    det_linear_head_free(&head);
}

static void a_held_out_picture_is_seen_by_its_own_head(void **state)
{
    (void)state;
    size_t categories[] = {1};
    det_training_image images[2] = {{.features = regions}, {.features = regions}};
    const det_training_set set = {.classes = {.count = CLASSES, .categories = categories},
                                  .images = images,
                                  .image_count = 2,
                                  .width = WIDTH,
                                  .region_count = 6};
    det_linear_head heads[2] = {make_head(), make_head()};
    heads[1].biases[0] = -100; /* sees nothing */
    det_held_out_objects found = {0};
    det_error error;
    const det_head_options options = {.05F, {.iou = .5F}};
    test_assert_ok(
        det_detect_held_out(&set, heads, (const int[]){1, 0}, &options, 1, &found, &error), &error);
    assert_int_equal(found.count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(found.items[i].image, 1);
        assert_int_equal(found.items[i].category, 1);
    }
    assert_float_equal(found.items[1].box[0], 50, 0);
    assert_float_equal(found.items[1].box[2], 10, 0);
    det_free(found.items);
    for (int h = 0; h < 2; h++) det_linear_head_free(&heads[h]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_sums_of_weighted_features),
        cmocka_unit_test(changed_outputs_are_those_of_a_changed_head),
        cmocka_unit_test(independent_classes_have_a_sigmoid_each_and_no_background),
        cmocka_unit_test(a_box_is_moved_and_cut_at_the_edge),
        cmocka_unit_test(the_best_of_overlapping_candidates_stays),
        cmocka_unit_test(a_head_that_is_too_sure_is_cooled),
        cmocka_unit_test(independent_classes_are_calibrated_each_by_itself),
        cmocka_unit_test(a_held_out_picture_is_seen_by_its_own_head),
    };
    return cmocka_run_group_tests_name("linear head", tests, NULL, NULL);
}
