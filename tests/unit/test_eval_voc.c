/* SPDX-License-Identifier: Apache-2.0 */
/* PASCAL VOC's figures, each rule worked out by hand. Boxes are inclusive: [1, 1, 10, 10] has 100
 * pixels. */
#include "tests/unit/support.h"
#include "tests/unit/support_eval.h"

#include <math.h>

static void assert_both(const test_set *set, double voc07, double voc10)
{
    test_assert_figure(test_ap(set, DET_METRIC_VOC07), voc07);
    test_assert_figure(test_ap(set, DET_METRIC_VOC10), voc10);
}

/* 50 pixels of 100. */
static void an_overlap_of_exactly_the_threshold_is_a_match(void **state)
{
    (void)state;
    test_set *set = test_voc_set(1);
    test_set_square(set, 0);
    test_set_found(set, 0, .9, 1, 1, 10, 5);
    assert_both(set, 1, 1);
}

/* .49999999 of the object; as float that would be .5. */
static void overlaps_are_compared_in_double(void **state)
{
    (void)state;
    test_set *set = test_voc_set(1);
    test_set_square(set, 0);
    test_set_found(set, 0, .9, 1, 1, 10, 4.9999999);
    assert_true((float).49999999 == .5f);
    assert_both(set, 0, 0);
}

/* A false one at .5 and a true one at .5 + 1e-12; as float they would tie, the false one first. */
static void scores_are_compared_in_double(void **state)
{
    (void)state;
    test_set *set = test_voc_set(1);
    test_set_square(set, 0);
    test_set_found(set, 0, .5, 50, 50, 60, 60);
    test_set_found_square(set, 0, .5 + 1e-12);
    assert_both(set, 1, 1);
}

/* Precision at recall 1 is 1 / 2 where the false one comes first. */
static void equal_scores_stay_in_the_order_of_the_file_even_of_different_pictures(void **state)
{
    (void)state;
    test_set *set = test_voc_set(2);
    test_set_square(set, 0);
    test_set_found_square(set, 1, .5);
    test_set_found_square(set, 0, .5);
    assert_both(set, .5, .5);
    test_set_swap_found(set);
    assert_both(set, 1, 1);
}

static void of_equal_overlaps_the_earlier_object_is_meant(void **state)
{
    (void)state;
    test_set *set = test_voc_set(1);
    test_set_square(set, 0)->difficult = true;
    test_set_square(set, 0);
    test_set_found_square(set, 0, .9);
    assert_both(set, 0, 0); /* ignored */
    set->objects[0].difficult = false;
    set->objects[1].difficult = true;
    assert_both(set, 1, 1);
}

/* Both detections mean the first object; the second one has an IoU of 80 / 120 with the other. */
static void a_taken_object_gives_no_second_choice(void **state)
{
    (void)state;
    test_set *set = test_voc_set(1);
    test_set_square(set, 0);
    test_set_object(set, 0, 0, 1, 3, 10, 12);
    test_set_found_square(set, 0, .9);
    test_set_found_square(set, 0, .8);
    assert_both(set, 6. / 11, .5); /* recall .5 at precision 1: 0, .1, ... .5 */
}

static void a_difficult_object_counts_neither_way_however_often_it_is_found(void **state)
{
    (void)state;
    test_set *set = test_voc_set(1);
    test_set_square(set, 0)->difficult = true;
    test_set_object(set, 0, 0, 31, 31, 40, 40);
    test_set_found_square(set, 0, .9);
    test_set_found_square(set, 0, .8);
    test_set_found(set, 0, .7, 31, 31, 40, 40);
    assert_both(set, 1, 1);
    det_evaluation *e = test_evaluate(set, &(det_eval_options){.metric = DET_METRIC_VOC07});
    assert_int_equal(e->objects, 1);
    assert_int_equal(e->ignored, 1);
    det_evaluation_free(e);
}

/* It overlaps the difficult object by 1 and the other by .8: nothing is found, and nothing false.
 */
static void the_object_of_highest_overlap_is_meant_even_if_it_is_difficult(void **state)
{
    (void)state;
    test_set *set = test_voc_set(1);
    test_set_square(set, 0)->difficult = true;
    test_set_object(set, 0, 0, 1, 1, 10, 8);
    test_set_found_square(set, 0, .9);
    assert_both(set, 0, 0);
    det_evaluation *e = test_evaluate_kept(set, DET_METRIC_VOC07);
    assert_int_equal(e->classes[0].matches.outcomes[0], DET_IGNORED);
    det_evaluation_free(e);
}

/* It overlaps the difficult object by .4, so it is false and comes before the true one. */
static void a_difficult_object_excuses_only_what_reaches_the_threshold(void **state)
{
    (void)state;
    test_set *set = test_voc_set(1);
    test_set_square(set, 0)->difficult = true;
    test_set_object(set, 0, 0, 31, 31, 40, 40);
    test_set_found(set, 0, .9, 1, 1, 10, 4);
    test_set_found(set, 0, .8, 31, 31, 40, 40);
    assert_both(set, .5, .5);
}

/* Of 10, k found reach the recalls 0 ... k / 10; but 3, 6 and 7 * .1 are .30000000000000004,
 * .60000000000000009 and .70000000000000007 in double, which k / 10 does not reach. */
static void the_eleven_recalls_are_multiples_of_a_tenth_in_double(void **state)
{
    (void)state;
    for (uint32_t k = 1; k <= 10; k++) {
        test_set *set = test_voc_set(10);
        for (uint32_t i = 0; i < 10; i++) {
            test_set_square(set, i);
            if (i < k) test_set_found_square(set, i, .9);
        }
        const bool unreached = k == 3 || k == 6 || k == 7;
        assert_both(set, (k + !unreached) / 11., k / 10.);
    }
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
    assert_both(set, (3 + 3 * 2. / 3) / 11, .25 + .25 * 2 / 3);
}

/* 4 of the 7 rows of each: 40 of 100 pixels; without the end pixels it would be 27 of 81. */
static void sides_count_both_end_pixels(void **state)
{
    (void)state;
    test_set *set = test_voc_set(1);
    test_set_object(set, 0, 0, 1, 1, 10, 7);
    test_set_found(set, 0, .9, 1, 4, 10, 10);
    assert_both(set, 0, 0);
    const det_eval_options options = {
        .metric = DET_METRIC_VOC10, .ious = (const double[]){.4, .5}, .iou_count = 2};
    det_evaluation *e = test_evaluate(set, &options);
    test_assert_figure(e->mean.ap_at[0], 1);
    test_assert_figure(e->mean.ap_at[1], 0);
    test_assert_figure(e->mean.ap, .5);
    test_assert_figure(e->mean.recall_at[0], 1);
    det_evaluation_free(e);
}

static void a_class_without_objects_has_no_figures_and_no_part_in_the_mean(void **state)
{
    (void)state;
    test_set *set = test_set_begin(DET_BOX_INCLUSIVE, 2, 2);
    test_set_square(set, 0);
    test_set_found_square(set, 0, .9);
    test_set_found_square(set, 1, .8);
    set->found[1].category = 1;
    det_evaluation *e = test_evaluate(set, &(det_eval_options){.metric = DET_METRIC_VOC10});
    test_assert_figure(e->mean.ap, 1);
    test_assert_figure(e->classes[1].figures.ap, NAN);
    test_assert_figure(e->classes[1].envelope[0], NAN);
    assert_int_equal(e->measured_count, 1);
    assert_int_equal(e->classes[1].detections, 1);
    det_evaluation_free(e);
}

static void boxes_of_coco_are_converted(void **state)
{
    (void)state;
    test_set *set = test_voc_set(1);
    test_set_square(set, 0);
    set->results.form = DET_BOX_SIZED;
    test_set_found(set, 0, .9, 0, 0, 10, 5);
    assert_both(set, 1, 1);
    set->found[0].box[3] = 4.9;
    assert_both(set, 0, 0);
}

static void boxes_of_yolo_are_converted(void **state)
{
    (void)state;
    test_set *set = test_voc_set(1);
    set->annotations.format = DET_ANNOTATIONS_YOLO;
    set->images[0].width = 100;
    set->images[0].height = 50;
    test_set_object(set, 0, 0, .05, .1, .1, .2); /* [0, 10) x [0, 10) */
    test_set_found(set, 0, .9, 1, 1, 10, 5);
    assert_both(set, 1, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_overlap_of_exactly_the_threshold_is_a_match),
        cmocka_unit_test(overlaps_are_compared_in_double),
        cmocka_unit_test(scores_are_compared_in_double),
        cmocka_unit_test(equal_scores_stay_in_the_order_of_the_file_even_of_different_pictures),
        cmocka_unit_test(of_equal_overlaps_the_earlier_object_is_meant),
        cmocka_unit_test(a_taken_object_gives_no_second_choice),
        cmocka_unit_test(a_difficult_object_counts_neither_way_however_often_it_is_found),
        cmocka_unit_test(the_object_of_highest_overlap_is_meant_even_if_it_is_difficult),
        cmocka_unit_test(a_difficult_object_excuses_only_what_reaches_the_threshold),
        cmocka_unit_test(the_eleven_recalls_are_multiples_of_a_tenth_in_double),
        cmocka_unit_test(the_area_is_that_below_the_best_precision_at_no_less_recall),
        cmocka_unit_test(sides_count_both_end_pixels),
        cmocka_unit_test(a_class_without_objects_has_no_figures_and_no_part_in_the_mean),
        cmocka_unit_test(boxes_of_coco_are_converted),
        cmocka_unit_test(boxes_of_yolo_are_converted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
