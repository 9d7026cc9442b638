/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "src/train/training_data.h"
#include "tests/unit/support.h"
#include "tests/unit/support_eval.h"

#include <math.h>

enum { PICTURES = 12, CATEGORIES = 3, CLASSES = 2 };

/* Category 0 is in all pictures, category 2 twice in each of three, category 1 only as a crowd. The
 * first region of a picture is its object of category 0, the second one half of the first object of
 * category 2. */
typedef struct {
    test_set *annotated;
    det_training_image images[PICTURES];
    det_box boxes[PICTURES][2];
    size_t categories[CLASSES];
    int classes[CATEGORIES];
    det_training_set set;
} sample;

static void make_sample(sample *s)
{
    *s = (sample){.annotated = test_set_begin(DET_BOX_SIZED, PICTURES, CATEGORIES),
                  .categories = {0, 2},
                  .classes = {0, -1, 1}};
    for (size_t i = 0; i < PICTURES; i++) {
        test_set_object(s->annotated, i, 0, 0, 0, 10, 10);
        if (i < 3) test_set_object(s->annotated, i, 2, 40, 0, 10, 10);
        if (i < 3) test_set_object(s->annotated, i, 2, 60, 0, 10, 10);
        if (i == 4) test_set_object(s->annotated, i, 1, 0, 0, 30, 30)->crowd = true;
        s->boxes[i][0] = (det_box){0, 0, 10, 10};
        s->boxes[i][1] = (det_box){40, 0, 45, 10};
        s->images[i].features = (det_region_features){.count = 2,
                                                      .proposal_count = 2,
                                                      .boxes = s->boxes[i],
                                                      .picture_width = 100,
                                                      .picture_height = 50};
    }
    s->set = (det_training_set){.annotations = &s->annotated->annotations,
                                .classes = {CLASSES, s->categories, s->classes},
                                .images = s->images,
                                .image_count = PICTURES,
                                .region_count = (size_t)2 * PICTURES};
}

static det_training_data *create(const sample *s)
{
    det_training_data *data = NULL;
    det_error error = {0};
    test_assert_ok(det_training_data_create(&s->set, &data, &error), &error);
    return data;
}

/* All objects of category 0 are proposed; of each two of category 2 the first overlaps a region by
 * half exactly: 15 of 18. */
static void what_there_is_is_counted(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    det_training_data *data = create(&s);
    const det_training *t = &data->seen;
    assert_int_equal(t->image_count, PICTURES);
    assert_int_equal(t->object_count, 18);
    assert_int_equal(t->proposal_count, 24);
    test_assert_figure(t->recall, 15. / 18);
    assert_int_equal(t->class_count, CLASSES);
    assert_string_equal(t->classes[0].name, "a");
    assert_int_equal(t->classes[0].images, 12);
    assert_int_equal(t->classes[0].objects, 12);
    assert_string_equal(t->classes[1].name, "c");
    assert_int_equal(t->classes[1].images, 3);
    assert_int_equal(t->classes[1].objects, 6);
    det_training_free(&data->seen);
}

static det_status measure(const sample *s, det_training_data *data, det_error *error)
{
    const det_held_out_objects found = {s->annotated->found, s->annotated->results.object_count};
    const det_measuring measuring = {&s->set, &found, 50, 3, 1};
    return det_training_data_measure(data, &measuring, error);
}

/* Detections of category 0 are exact. Of category 2 nothing is found. */
static void classes_are_measured_and_judged(void **state)
{
    (void)state;
    sample s;
    det_error error = {0};
    make_sample(&s);
    for (uint32_t i = 0; i < PICTURES; i++)
        test_set_found(s.annotated, i, .5 + .01 * i, 0, 0, 10, 10);
    det_training_data *data = create(&s);
    test_assert_ok(measure(&s, data, &error), &error);
    const det_training *t = &data->seen;
    test_assert_figure(t->ap50.value, .5);
    test_assert_figure(t->ap.value, .5);
    test_assert_figure(t->ap50.low, .5); /* 1 where a sample has no picture of category 2 */
    test_assert_figure(t->classes[0].ap50.value, 1);
    test_assert_figure(t->classes[0].ap.low, 1);
    test_assert_figure(t->classes[1].ap50.value, 0);
    test_assert_figure(t->classes[1].ap.high, 0);
    assert_int_equal(t->classes[0].verdict, DET_CLASS_LEARNED);
    assert_int_equal(t->classes[0].wanted, 0);
    assert_int_equal(t->classes[1].verdict, DET_CLASS_FEW_PICTURES);
    assert_int_equal(t->classes[1].wanted, 7);
    det_training_free(&data->seen);
}

/* Moved by 2 of 10 pixels boxes overlap by 8 / 12: enough for the thresholds .5, .55, .6, .65 of
 * ten. */
static void both_figures_are_of_their_own_thresholds(void **state)
{
    (void)state;
    sample s;
    det_error error = {0};
    make_sample(&s);
    for (uint32_t i = 0; i < PICTURES; i++)
        test_set_found(s.annotated, i, .5 + .01 * i, 2, 0, 10, 10);
    det_training_data *data = create(&s);
    test_assert_ok(measure(&s, data, &error), &error);
    test_assert_figure(data->seen.classes[0].ap50.value, 1);
    test_assert_figure(data->seen.classes[0].ap.value, .4);
    det_training_free(&data->seen);
}

#ifdef DET_FAULT_INJECTION
static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    test_set_found(s.annotated, 0, .5, 0, 0, 10, 10);
    for (uint64_t nth = 1;; nth++) {
        det_training_data *data = NULL;
        det_error error = {0};
        det_memory_fail_at(nth);
        det_status status = det_training_data_create(&s.set, &data, &error);
        if (status == DET_OK) status = measure(&s, data, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        if (data) det_training_free(&data->seen);
        if (!failed) {
            test_assert_ok(status, &error);
            return;
        }
        test_assert_error(status, DET_MEMORY, &error, "out of memory");
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_there_is_is_counted),
        cmocka_unit_test(classes_are_measured_and_judged),
        cmocka_unit_test(both_figures_are_of_their_own_thresholds),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(every_failing_allocation_is_reported),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
