/* SPDX-License-Identifier: Apache-2.0 */
/* ILSVRC's figures for detection, each rule worked out by hand. */
#include "tests/unit/support.h"
#include "tests/unit/support_eval.h"

static void assert_ap(const test_set *set, double expected)
{
    test_assert_figure(test_ap(set, DET_METRIC_ILSVRC), expected);
}

/* An object of 10 x 10 is found at 100 / (20 * 20) = .25: 25 of its 100 pixels, not at a little
 * less that would be .25 as float. */
static void a_small_object_is_found_at_exactly_its_own_threshold(void **state)
{
    (void)state;
    test_set *set = test_voc_set(1);
    test_set_square(set, 0);
    test_set_found(set, 0, .9, 1, 1, 5, 5);
    assert_ap(set, 1);
    set->found[0].box[3] = 4.999999999;
    assert_ap(set, 0);
}

/* 100 x 100: 10000 / 12100 is above .5, which is the most. */
static void a_large_object_is_found_at_a_half(void **state)
{
    (void)state;
    test_set *set = test_voc_set(1);
    test_set_object(set, 0, 0, 1, 1, 100, 100);
    test_set_found(set, 0, .9, 1, 1, 100, 50);
    assert_ap(set, 1);
    set->found[0].box[3] = 49.999;
    assert_ap(set, 0);
}

/* Both detections mean the first object most; the second one gets the other. */
static void a_taken_object_leaves_a_second_choice(void **state)
{
    (void)state;
    test_set *set = test_voc_set(1);
    test_set_square(set, 0);
    test_set_object(set, 0, 0, 1, 3, 10, 12);
    test_set_found_square(set, 0, .9);
    test_set_found_square(set, 0, .8);
    assert_ap(set, 1);
    test_set_found_square(set, 0, .7); /* none is left */
    det_evaluation *e = test_evaluate_kept(set, DET_METRIC_ILSVRC);
    const det_class_matches *matches = &e->classes[0].matches;
    assert_int_equal(matches->outcomes[1], DET_TRUE_POSITIVE);
    assert_int_equal(matches->objects[1], 1);
    assert_int_equal(matches->outcomes[2], DET_FALSE_POSITIVE);
    assert_int_equal(matches->objects[2], UINT32_MAX);
    det_evaluation_free(e);
}

/* The detection of 20 x 20 overlaps the object of 30 x 30 more (400 / 900 = .44) than that of 12 x
 * 12 (144 / 400 = .36), which however is found at 144 / 484 = .30 and the other at .5. */
static void an_object_whose_threshold_is_not_reached_is_passed_over(void **state)
{
    (void)state;
    test_set *set = test_voc_set(1);
    test_set_object(set, 0, 0, 1, 1, 30, 30);
    test_set_object(set, 0, 0, 1, 1, 12, 12);
    test_set_found(set, 0, .9, 1, 1, 20, 20);
    assert_ap(set, .5);
    test_assert_figure(test_ap(set, DET_METRIC_VOC10), 0);
}

static void of_equal_overlaps_the_earlier_object_is_taken(void **state)
{
    (void)state;
    test_set *set = test_voc_set(1);
    test_set_square(set, 0);
    test_set_square(set, 0);
    test_set_found_square(set, 0, .9);
    det_evaluation *e = test_evaluate_kept(set, DET_METRIC_ILSVRC);
    assert_int_equal(e->classes[0].matches.objects[0], 0);
    det_evaluation_free(e);
}

static void every_object_counts_difficult_or_not(void **state)
{
    (void)state;
    test_set *set = test_voc_set(1);
    test_set_square(set, 0)->difficult = true;
    test_set_found_square(set, 0, .9);
    assert_ap(set, 1);
}

/* The false one is on the picture of the lower id, whatever the order of the file. */
static void equal_scores_go_by_the_id_of_the_picture(void **state)
{
    (void)state;
    test_set *set = test_voc_set(2);
    set->images[0].id = 9;
    test_set_square(set, 0);
    test_set_found_square(set, 0, .5);
    test_set_found_square(set, 1, .5);
    assert_ap(set, .5);
    set->images[0].id = 1;
    set->images[1].id = 9;
    assert_ap(set, 1);
}

static void equal_scores_of_a_picture_stay_in_the_order_of_the_file(void **state)
{
    (void)state;
    test_set *set = test_voc_set(1);
    test_set_square(set, 0);
    test_set_found(set, 0, .5, 51, 51, 60, 60);
    test_set_found_square(set, 0, .5);
    assert_ap(set, .5);
    test_set_swap_found(set);
    assert_ap(set, 1);
}

/* True, false, true of 4 objects: recall .25 at precision 1, .5 at 2 / 3. */
static void the_area_is_that_below_the_best_precision_at_no_less_recall(void **state)
{
    (void)state;
    test_set *set = test_voc_set(4);
    for (size_t i = 0; i < 4; i++) test_set_square(set, i);
    test_set_found_square(set, 0, .9);
    test_set_found(set, 1, .8, 51, 51, 60, 60);
    test_set_found_square(set, 1, .7);
    assert_ap(set, .25 + .25 * 2 / 3);
}

static void pairs_left_out_lose_objects_and_detections(void **state)
{
    (void)state;
    const det_image_class pair = {1, 0};
    const det_eval_options options = {
        .metric = DET_METRIC_ILSVRC, .left_out = &pair, .left_out_count = 1};
    test_set *set = test_voc_set(2);
    test_set_square(set, 0);
    test_set_square(set, 1);
    test_set_found_square(set, 0, .5);
    test_set_found(set, 1, .9, 61, 61, 70, 70);
    assert_ap(set, .25);
    det_evaluation *e = test_evaluate(set, &options);
    test_assert_figure(e->mean.ap, 1);
    assert_int_equal(e->left_out_objects, 1);
    assert_int_equal(e->left_out_detections, 1);
    assert_int_equal(e->objects, 1);
    det_evaluation_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_object_is_found_at_exactly_its_own_threshold),
        cmocka_unit_test(a_large_object_is_found_at_a_half),
        cmocka_unit_test(a_taken_object_leaves_a_second_choice),
        cmocka_unit_test(an_object_whose_threshold_is_not_reached_is_passed_over),
        cmocka_unit_test(of_equal_overlaps_the_earlier_object_is_taken),
        cmocka_unit_test(every_object_counts_difficult_or_not),
        cmocka_unit_test(equal_scores_go_by_the_id_of_the_picture),
        cmocka_unit_test(equal_scores_of_a_picture_stay_in_the_order_of_the_file),
        cmocka_unit_test(the_area_is_that_below_the_best_precision_at_no_less_recall),
        cmocka_unit_test(pairs_left_out_lose_objects_and_detections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
