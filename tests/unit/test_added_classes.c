/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/random.h"
#include "src/train/added_classes.h"
#include "tests/unit/support.h"

#include <string.h>

enum { ROWS = 240, WIDTH = 4, OLD = 2, CLASSES = 3, MOST_OUTPUTS = CLASSES + 1 };

/* One picture; the first feature of a region says whether it shows class 2, the new one, the second
 * and the third whether it shows the others. */
typedef struct {
    uint8_t values[ROWS * WIDTH];
    float scales[ROWS], weights[ROWS];
    det_box boxes[ROWS];
    int labels[ROWS], folds[1];
    det_row rows[ROWS];
    det_training_image image;
    det_training_set set;
    det_fit_examples examples;
    det_added_classes added;
    det_linear_head head;
} sample;

static void add_row(sample *s, size_t at, det_random *random)
{
    for (size_t j = 0; j < WIDTH; j++)
        s->values[at * WIDTH + j] = (uint8_t)det_random_below(random, 120);
    const size_t kind = at % 4; /* class 2, 0, 1, background */
    s->values[at * WIDTH + kind] = (uint8_t)(s->values[at * WIDTH + kind] + 90);
    s->labels[at] = kind == 0 ? OLD : kind == 3 ? DET_LABEL_BACKGROUND : (int)kind - 1;
    s->scales[at] = .02F;
    s->rows[at] = (det_row){0, (uint32_t)at};
    s->weights[at] = 1;
}

static void create(sample *s, det_head_kind kind)
{
    det_error error;
    det_linear_head *old = &s->added.trained.head;
    test_assert_ok(det_linear_head_create(kind, WIDTH, OLD, true, old, &error), &error);
    test_assert_ok(det_linear_head_create(kind, WIDTH, CLASSES, true, &s->head, &error), &error);
    for (size_t i = 0; i < old->output_count * WIDTH; i++)
        old->weights[i] = .3F * (float)(i % 5) - .5F;
    for (size_t o = 0; o < old->output_count; o++) old->biases[o] = (float)o - .7F;
    for (size_t i = 0; i < (size_t)4 * OLD * WIDTH; i++) old->delta_weights[i] = .01F * (float)i;
}

static void make_sample(sample *s, det_head_kind kind)
{
    det_random random = det_random_create(11, 0);
    memset(s, 0, sizeof *s);
    for (size_t i = 0; i < ROWS; i++) add_row(s, i, &random);
    s->image.features = (det_region_features){.count = ROWS,
                                              .proposal_count = ROWS,
                                              .width = WIDTH,
                                              .boxes = s->boxes,
                                              .scales = s->scales,
                                              .values = s->values,
                                              .picture_width = 100,
                                              .picture_height = 100};
    s->image.labels = (det_region_labels){.labels = s->labels};
    s->set = (det_training_set){.classes = {.count = CLASSES},
                                .images = &s->image,
                                .image_count = 1,
                                .width = WIDTH,
                                .region_count = ROWS};
    s->examples = (det_fit_examples){&s->set, s->rows, ROWS, s->weights, 1, NULL};
    create(s, kind);
}

static void learn(sample *s)
{
    const det_fit_options options = {.l2 = 1e-4, .iterations = 200, .tolerance = 1e-6};
    det_error error;
    test_assert_ok(det_added_fit(&s->added, &s->examples, &options, NULL, &s->head, &error),
                   &error);
    test_assert_ok(det_added_calibrate(&s->added, &s->set, s->folds, &s->head, 1, &error), &error);
}

static void free_sample(sample *s)
{
    det_linear_head_free(&s->head);
    det_added_free(&s->added);
}

/* Every old number is where it was, the background behind the new class. */
static void assert_old_weights(const sample *s)
{
    const det_linear_head *old = &s->added.trained.head, *head = &s->head;
    const size_t row = WIDTH * sizeof(float);
    assert_memory_equal(head->weights, old->weights, OLD * row);
    assert_memory_equal(head->biases, old->biases, OLD * sizeof(float));
    assert_memory_equal(head->delta_weights, old->delta_weights, row * 4 * OLD);
    if (old->kind == DET_HEAD_SIGMOID) return;
    assert_memory_equal(head->weights + (size_t)CLASSES * WIDTH, old->weights + (size_t)OLD * WIDTH,
                        row);
    assert_true(head->biases[CLASSES] == old->biases[OLD]);
}

/* Probabilities of a region by the old head and by the new one. */
static void probabilities(const sample *s, size_t row, float before[MOST_OUTPUTS],
                          float after[MOST_OUTPUTS])
{
    det_linear_head_outputs(&s->added.trained.head, &s->image.features, row, before);
    det_linear_head_probabilities(&s->added.trained.head, before);
    det_linear_head_outputs(&s->head, &s->image.features, row, after);
    det_linear_head_probabilities(&s->head, after);
}

static void assert_new_class_is_found(const sample *s)
{
    float before[MOST_OUTPUTS], after[MOST_OUTPUTS];
    double sums[2] = {0};
    for (size_t i = 0; i < ROWS; i++) {
        probabilities(s, i, before, after);
        sums[s->labels[i] == OLD] += (double)after[OLD];
    }
    assert_true(sums[1] / (ROWS / 4.) > .6);
    assert_true(sums[0] / (3 * ROWS / 4.) < .2);
    /* As much in all as there is: what a fitted offset and calibration give. */
    assert_float_equal((float)(sums[0] + sums[1]), ROWS / 4, ROWS / 40);
}

static void old_classes_lose_what_the_new_one_takes(void **state)
{
    (void)state;
    sample s;
    make_sample(&s, DET_HEAD_SOFTMAX);
    learn(&s);
    assert_old_weights(&s);
    assert_new_class_is_found(&s);
    for (size_t i = 0; i < ROWS; i++) {
        float before[MOST_OUTPUTS], after[MOST_OUTPUTS];
        probabilities(&s, i, before, after);
        for (size_t c = 0; c < OLD; c++)
            assert_float_equal(after[c], before[c] * (1 - after[OLD]), 1e-5);
        assert_float_equal(after[CLASSES], before[OLD] * (1 - after[OLD]), 1e-5);
    }
    free_sample(&s);
}

static void independent_classes_lose_nothing(void **state)
{
    (void)state;
    sample s;
    make_sample(&s, DET_HEAD_SIGMOID);
    learn(&s);
    assert_old_weights(&s);
    assert_new_class_is_found(&s);
    for (size_t i = 0; i < ROWS; i++) {
        float before[MOST_OUTPUTS], after[MOST_OUTPUTS];
        probabilities(&s, i, before, after);
        assert_memory_equal(before, after, OLD * sizeof(float));
    }
    free_sample(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_classes_lose_what_the_new_one_takes),
        cmocka_unit_test(independent_classes_lose_nothing),
    };
    return cmocka_run_group_tests_name("added classes", tests, NULL, NULL);
}
