/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/train/box_fit.h"
#include "tests/unit/support.h"
#include "tests/unit/support_eval.h"

#include <string.h>

enum { ROWS = 90, MANY = 9000, WIDTH = 2, HEADS = 2 };
static const double lambda = 1e-6;

/* One picture with an object of class 0 and one of class 1, whose regions are numbered in turn:
 * class 0, class 1, background. */
typedef struct {
    test_set *truth;
    uint8_t values[MANY * WIDTH];
    float scales[MANY], weights[HEADS * MANY];
    det_box boxes[MANY];
    int labels[MANY];
    size_t objects[MANY];
    det_row rows[MANY];
    size_t categories[2];
    det_training_image image;
    det_training_set set;
    det_fit_examples examples;
} sample;

/* The first feature of a region says, in hundredths of its width, how far to the right of it the
 * object of class 0 lies; the second, of its height, how far below it that of class 1. */
static void add_row(sample *s, size_t at, det_random *random)
{
    const uint8_t first = (uint8_t)det_random_below(random, 100);
    const uint8_t second = (uint8_t)det_random_below(random, 100);
    s->values[at * WIDTH] = first;
    s->values[at * WIDTH + 1] = second;
    s->scales[at] = .01F;
    s->labels[at] = at % 3 < 2 ? (int)(at % 3) : DET_LABEL_BACKGROUND;
    s->objects[at] = at % 3;
    s->rows[at] = (det_row){0, (uint32_t)at};
    const float left = 50 - (float)first * .2F, top = 40 - (float)second * .4F;
    s->boxes[at] =
        at % 3 == 0 ? (det_box){left, 20, left + 20, 60} : (det_box){10, top, 20, top + 40};
    s->weights[at] = 1;
    s->weights[MANY + at] = at % 2 == 0;
}

static sample *make_sample(size_t count)
{
    static sample s;
    det_random random = det_random_create(9, 0);
    s.truth = test_set_begin(DET_BOX_SIZED, 1, 2);
    test_set_object(s.truth, 0, 0, 50, 20, 20, 40);
    test_set_object(s.truth, 0, 1, 10, 40, 10, 40);
    for (size_t i = 0; i < count; i++) add_row(&s, i, &random);
    s.image.features = (det_region_features){.count = count,
                                             .proposal_count = count,
                                             .width = WIDTH,
                                             .boxes = s.boxes,
                                             .scales = s.scales,
                                             .values = s.values,
                                             .picture_width = 100,
                                             .picture_height = 100};
    s.image.labels = (det_region_labels){.labels = s.labels, .objects = s.objects};
    s.categories[1] = 1;
    s.set = (det_training_set){.annotations = &s.truth->annotations,
                               .classes = {.count = 2, .categories = s.categories},
                               .images = &s.image,
                               .image_count = 1,
                               .width = WIDTH,
                               .region_count = count};
    if (count < MANY) memmove(s.weights + count, s.weights + MANY, count * sizeof *s.weights);
    s.examples = (det_fit_examples){&s.set, s.rows, count, s.weights, HEADS, NULL};
    return &s;
}

static void create_heads(det_linear_head heads[HEADS])
{
    det_error error;
    for (size_t h = 0; h < HEADS; h++)
        test_assert_ok(det_linear_head_create(DET_HEAD_SOFTMAX, WIDTH, 2, true, &heads[h], &error),
                       &error);
}

static void free_heads(det_linear_head heads[HEADS])
{
    for (size_t h = 0; h < HEADS; h++) det_linear_head_free(&heads[h]);
}

/* dx of class 0 is the first feature, dy of class 1 the second; all else is 0. */
static void assert_learned(const det_linear_head *head)
{
    for (size_t d = 0; d < 8; d++) {
        assert_float_equal(head->delta_weights[d * WIDTH], d == 0, 1e-3);
        assert_float_equal(head->delta_weights[d * WIDTH + 1], d == 5, 1e-3);
        assert_float_equal(head->delta_biases[d], 0, 1e-3);
    }
}

static void moves_of_boxes_are_learned(void **state)
{
    (void)state;
    const sample *s = make_sample(ROWS);
    det_linear_head heads[HEADS];
    det_error error = {0};
    create_heads(heads);
    test_assert_ok(det_fit_boxes(&s->examples, lambda, NULL, heads, &error), &error);
    for (size_t h = 0; h < HEADS; h++) assert_learned(&heads[h]);
    const det_box box = det_linear_head_box(&heads[0], &s->image.features, 3, 0);
    assert_float_equal(box.x0, 50, .05);
    assert_float_equal(box.x1, 70, .05);
    assert_float_equal(box.y0, 20, .05);
    assert_float_equal(box.y1, 60, .05);
    free_heads(heads);
}

/* Every second region of class 0 is told a lie, which the second head does not see. */
static void a_head_learns_from_its_own_examples(void **state)
{
    (void)state;
    sample *s = make_sample(ROWS);
    det_linear_head heads[HEADS];
    det_error error = {0};
    create_heads(heads);
    for (size_t i = 3; i < ROWS; i += 6) s->values[i * WIDTH] = 0;
    test_assert_ok(det_fit_boxes(&s->examples, lambda, NULL, heads, &error), &error);
    assert_true(heads[0].delta_weights[0] < .9F);
    assert_learned(&heads[1]);
    free_heads(heads);
}

static void of_many_examples_some_are_enough(void **state)
{
    (void)state;
    const sample *s = make_sample(MANY);
    det_linear_head heads[HEADS];
    det_error error = {0};
    create_heads(heads);
    test_assert_ok(det_fit_boxes(&s->examples, lambda, NULL, heads, &error), &error);
    for (size_t h = 0; h < HEADS; h++) assert_learned(&heads[h]);
    free_heads(heads);
}

static void a_class_without_examples_does_not_move_boxes(void **state)
{
    (void)state;
    sample *s = make_sample(ROWS);
    det_linear_head heads[HEADS];
    det_error error = {0};
    create_heads(heads);
    for (size_t i = 0; i < ROWS; i++)
        if (s->labels[i] == 1) s->labels[i] = DET_LABEL_BACKGROUND;
    test_assert_ok(det_fit_boxes(&s->examples, lambda, NULL, heads, &error), &error);
    for (size_t d = 4; d < 8; d++) {
        assert_float_equal(heads[0].delta_weights[d * WIDTH + 1], 0, 0);
        assert_float_equal(heads[0].delta_biases[d], 0, 0);
    }
    free_heads(heads);
}

static bool stop_at_the_second_class(void *context, uint64_t done, uint64_t total)
{
    assert_int_equal(total, 2);
    *(uint64_t *)context = done;
    return done < 1;
}

static void it_can_be_cancelled(void **state)
{
    (void)state;
    const sample *s = make_sample(ROWS);
    det_linear_head heads[HEADS];
    uint64_t reached = 0;
    const det_run run = {.progress = stop_at_the_second_class, .progress_context = &reached};
    det_error error = {0};
    create_heads(heads);
    test_assert_error(det_fit_boxes(&s->examples, lambda, &run, heads, &error), DET_CANCELLED,
                      &error, "cancelled");
    assert_int_equal(reached, 1);
    free_heads(heads);
}

#ifdef DET_FAULT_INJECTION
static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    const sample *s = make_sample(ROWS);
    det_linear_head heads[HEADS];
    create_heads(heads);
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        det_memory_fail_at(nth);
        const det_status status = det_fit_boxes(&s->examples, lambda, NULL, heads, NULL);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
    }
    free_heads(heads);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_of_boxes_are_learned),
        cmocka_unit_test(a_head_learns_from_its_own_examples),
        cmocka_unit_test(of_many_examples_some_are_enough),
        cmocka_unit_test(a_class_without_examples_does_not_move_boxes),
        cmocka_unit_test(it_can_be_cancelled),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(a_failing_allocation_is_reported),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
