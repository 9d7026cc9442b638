/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/examples.h"
#include "tests/unit/support.h"
#include "tests/unit/support_eval.h"

#include <string.h>

static const det_example_options options = {.positive_iou = .5, .negative_iou = .3};

/* Two classes in a picture of 100 x 100 pixels: a 40 x 40 square each, of class 1 and of class 0.
 */
static test_set *make_set(void)
{
    test_set *set = test_set_begin(DET_BOX_SIZED, 1, 2);
    test_set_object(set, 0, 1, 0, 0, 40, 40);
    test_set_object(set, 0, 0, 60, 60, 40, 40);
    return set;
}

static int label_of(const test_set *set, det_box box, float *overlap, size_t *object)
{
    size_t categories[] = {0, 1};
    int numbers[] = {0, 1};
    const det_learned_classes classes = {2, categories, numbers};
    const det_region_features regions = {
        .count = 1, .boxes = &box, .picture_width = 100, .picture_height = 100};
    det_region_labels labels;
    det_error error;
    test_assert_ok(
        det_label_regions(&set->annotations, 0, &classes, &regions, &options, &labels, &error),
        &error);
    const int label = labels.labels[0];
    if (overlap) *overlap = labels.overlaps[0];
    if (object) *object = labels.objects[0];
    det_region_labels_free(&labels);
    return label;
}

static void a_region_shows_the_object_that_it_overlaps_by_half(void **state)
{
    (void)state;
    const test_set *set = make_set();
    float overlap;
    size_t object;
    assert_int_equal(label_of(set, (det_box){0, 0, 40, 20}, &overlap, &object), 1);
    assert_float_equal(overlap, .5, 0);
    assert_int_equal(object, 0);
    assert_int_equal(label_of(set, (det_box){60, 60, 100, 100}, &overlap, &object), 0);
    assert_float_equal(overlap, 1, 0);
    assert_int_equal(object, 1);
}

static void between_the_thresholds_it_teaches_nothing(void **state)
{
    (void)state;
    const test_set *set = make_set();
    assert_int_equal(label_of(set, (det_box){0, 0, 40, 19}, NULL, NULL), DET_LABEL_NOTHING);
    assert_int_equal(label_of(set, (det_box){0, 0, 40, 12}, NULL, NULL), DET_LABEL_NOTHING);
    assert_int_equal(label_of(set, (det_box){0, 0, 40, 11}, NULL, NULL), DET_LABEL_BACKGROUND);
    size_t object;
    assert_int_equal(label_of(set, (det_box){42, 0, 58, 40}, NULL, &object), DET_LABEL_BACKGROUND);
    assert_true(object == SIZE_MAX);
}

static void an_ignored_object_teaches_neither_class_nor_background(void **state)
{
    (void)state;
    test_set *set = make_set();
    set->objects[0].ignore = true;
    assert_int_equal(label_of(set, (det_box){0, 0, 40, 40}, NULL, NULL), DET_LABEL_NOTHING);
    assert_int_equal(label_of(set, (det_box){0, 0, 40, 12}, NULL, NULL), DET_LABEL_NOTHING);
    assert_int_equal(label_of(set, (det_box){0, 0, 40, 11}, NULL, NULL), DET_LABEL_BACKGROUND);
    set->objects[0].ignore = false;
    set->objects[0].difficult = true;
    assert_int_equal(label_of(set, (det_box){0, 0, 40, 40}, NULL, NULL), DET_LABEL_NOTHING);
}

static void half_of_a_region_in_a_crowd_is_too_much(void **state)
{
    (void)state;
    test_set *set = make_set();
    set->objects[0].crowd = true;
    assert_int_equal(label_of(set, (det_box){35, 0, 45, 5}, NULL, NULL), DET_LABEL_NOTHING);
    assert_int_equal(label_of(set, (det_box){36, 0, 46, 5}, NULL, NULL), DET_LABEL_BACKGROUND);
}

static void an_object_outside_its_picture_does_not_count(void **state)
{
    (void)state;
    test_set *set = test_set_begin(DET_BOX_SIZED, 1, 1);
    test_set_object(set, 0, 0, 90, 90, 40, 40);
    test_set_object(set, 0, 0, 120, 0, 40, 40);
    test_set_object(set, 0, 0, 10, 10, .5, 40);
    assert_true(det_object_counts(&set->annotations, 0, 100, 100));
    assert_false(det_object_counts(&set->annotations, 1, 100, 100));
    assert_false(det_object_counts(&set->annotations, 2, 100, 100));
    const det_box cut = det_object_box(&set->annotations, 0, 100, 100);
    assert_memory_equal(&cut, (&(det_box){90, 90, 100, 100}), sizeof cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_region_shows_the_object_that_it_overlaps_by_half),
        cmocka_unit_test(between_the_thresholds_it_teaches_nothing),
        cmocka_unit_test(an_ignored_object_teaches_neither_class_nor_background),
        cmocka_unit_test(half_of_a_region_in_a_crowd_is_too_much),
        cmocka_unit_test(an_object_outside_its_picture_does_not_count),
    };
    return cmocka_run_group_tests_name("examples", tests, NULL, NULL);
}
