/* SPDX-License-Identifier: Apache-2.0 */
/* COCO's figures, each rule worked out by hand. Boxes are x, y, width, height. */
#include "tests/unit/support.h"
#include "tests/unit/support_eval.h"

#include <math.h>

static double ap_of(const test_set *set)
{
    return test_ap(set, DET_METRIC_COCO);
}

/* AP at IoU .5. */
static double ap50_of(const test_set *set, bool corrected)
{
    det_evaluation *e = test_evaluate(set, &(det_eval_options){.corrected = corrected});
    const double ap = e->mean.ap_at[0];
    det_evaluation_free(e);
    return ap;
}

static double ap_of_size(const test_set *set, det_object_size size)
{
    det_evaluation *e = test_evaluate(set, NULL);
    const double ap = e->mean.ap_size[size];
    det_evaluation_free(e);
    return ap;
}

/* ---- Matching ---- */

/* Half of the object: found at .5, not at .55 or above. */
static void an_overlap_of_exactly_the_threshold_is_a_match(void **state)
{
    (void)state;
    test_set *set = test_coco_set(1);
    test_set_square(set, 0);
    test_set_found(set, 0, .9, 0, 0, 10, 5);
    test_assert_figure(ap_of(set), .1);
    set->found[0].box[3] = 4.9999999; /* .5 as float */
    test_assert_figure(ap_of(set), 0);
}

/* As numpy.linspace(.5, .95, 10) prints them with 17 digits. */
static void the_ten_thresholds_have_the_bits_of_numpy(void **state)
{
    (void)state;
    static const double thresholds[] = {.5,
                                        .55000000000000004,
                                        .59999999999999998,
                                        .65000000000000002,
                                        .69999999999999996,
                                        .75,
                                        .80000000000000004,
                                        .84999999999999998,
                                        .89999999999999991, /* not .9 */
                                        .94999999999999996};
    det_evaluation *e = test_evaluate(test_coco_set(1), NULL);
    assert_int_equal(e->iou_count, 10);
    assert_memory_equal(e->ious, thresholds, sizeof thresholds);
    det_evaluation_free(e);
}

static void a_threshold_of_1_is_met_at_1_less_1e_10(void **state)
{
    (void)state;
    const double one = 1;
    test_set *set = test_coco_set(1);
    test_set_square(set, 0);
    test_set_found(set, 0, .9, 0, 0, 10, 10 * (1 - 5e-11));
    for (int close = 1; close >= 0; close--) {
        det_evaluation *e = test_evaluate(set, &(det_eval_options){.ious = &one, .iou_count = 1});
        test_assert_figure(e->mean.ap, close);
        det_evaluation_free(e);
        set->found[0].box[3] = 10 * (1 - 2e-10);
    }
}

/* The object without a usable id stands first: were it taken, the detection would be false. */
static void of_equal_overlaps_the_later_object_is_taken(void **state)
{
    (void)state;
    test_set *set = test_coco_set(1);
    test_set_square(set, 0)->id = 0;
    test_set_square(set, 0);
    test_set_found_square(set, 0, .9);
    test_assert_figure(ap_of(set), 51. / 101); /* recall .5 */
    set->objects[0].id = 7;
    set->objects[1].id = 0;
    test_assert_figure(ap_of(set), 0);
}

static void a_taken_object_leaves_a_second_choice(void **state)
{
    (void)state;
    test_set *set = test_coco_set(1);
    test_set_square(set, 0);
    test_set_object(set, 0, 0, 0, 2, 10, 10); /* 80 of 120 */
    test_set_found_square(set, 0, .9);
    test_set_found_square(set, 0, .8);
    test_assert_figure(ap50_of(set, false), 1);
}

/* A crowd overlaps by the share of the detection that lies in it. */
static void detections_in_a_crowd_do_not_count_however_many(void **state)
{
    (void)state;
    test_set *set = test_coco_set(1);
    test_set_object(set, 0, 0, 100, 100, 200, 200)->crowd = true;
    test_set_square(set, 0);
    test_set_found(set, 0, .9, 110, 110, 10, 10);
    test_set_found(set, 0, .9, 150, 150, 10, 10);
    test_set_found(set, 0, .8, 90, 100, 20, 20); /* half of it is in the crowd */
    test_set_found_square(set, 0, .7);
    test_assert_figure(ap50_of(set, false), 1);
    set->found[2].box[0] = 89; /* less than half: false, so that precision is 1 / 2 */
    test_assert_figure(ap50_of(set, false), .5);
}

/* The second object is too large for the small ones: it is ignored there, and the second detection
 * of it, small itself, finds nothing and is false. As a crowd it is open to both. */
static void an_ignored_object_that_is_no_crowd_is_matched_once(void **state)
{
    (void)state;
    test_set *set = test_coco_set(1);
    test_set_square(set, 0);
    test_set_object(set, 0, 0, 100, 100, 30, 30)->area = 1600;
    test_set_found(set, 0, .9, 100, 100, 30, 30);
    test_set_found(set, 0, .8, 100, 100, 30, 30);
    test_set_found_square(set, 0, .7);
    test_assert_figure(ap_of_size(set, DET_SIZE_SMALL), .5);
    set->objects[1].crowd = true;
    test_assert_figure(ap_of_size(set, DET_SIZE_SMALL), 1);
}

/* The crowd overlaps by 1, the object by .6. */
static void an_object_that_counts_goes_before_an_ignored_one_of_higher_overlap(void **state)
{
    (void)state;
    test_set *set = test_coco_set(1);
    test_set_object(set, 0, 0, 0, 0, 100, 100)->crowd = true;
    test_set_square(set, 0);
    test_set_found(set, 0, .9, 0, 0, 10, 6);
    test_assert_figure(ap50_of(set, false), 1);
}

static void difficult_objects_of_voc_are_ignored(void **state)
{
    (void)state;
    test_set *set = test_set_begin(DET_BOX_INCLUSIVE, 1, 1);
    test_set_object(set, 0, 0, 1, 1, 10, 10)->difficult = true;
    test_set_object(set, 0, 0, 31, 31, 40, 40);
    test_set_found(set, 0, .9, 1, 1, 10, 10);
    test_set_found(set, 0, .8, 31, 31, 40, 40);
    test_assert_figure(ap_of(set), 1);
}

/* pycocotools knows nothing of "difficult", even where it is ours. */
static void difficult_objects_of_coco_files_are_ignored_only_when_corrected(void **state)
{
    (void)state;
    test_set *set = test_coco_set(1);
    test_set_square(set, 0)->difficult = true;
    test_set_object(set, 0, 0, 50, 50, 10, 10);
    test_set_found(set, 0, .9, 50, 50, 10, 10);
    test_assert_figure(ap50_of(set, false), 51. / 101);
    test_assert_figure(ap50_of(set, true), 1);
    test_assert_figure(test_ap(set, DET_METRIC_VOC10), 1);
    det_evaluation *e = test_evaluate(set, NULL);
    assert_int_equal(e->ignore_unheeded, 1);
    det_evaluation_free(e);
}

/* ---- The curve ---- */

/* True, false, true of 2: recall .5 at precision 1 (recalls 0 ... .5: 51), 1 at 2 / 3 (50). */
static void precision_is_averaged_at_101_recalls(void **state)
{
    (void)state;
    test_set *set = test_coco_set(2);
    test_set_square(set, 0);
    test_set_square(set, 1);
    test_set_found_square(set, 0, .9);
    test_set_found(set, 0, .8, 50, 50, 10, 10);
    test_set_found_square(set, 1, .7);
    test_assert_figure(ap_of(set), (51 + 50 * 2. / 3) / 101);
    det_evaluation *e = test_evaluate(set, NULL);
    test_assert_figure(e->classes[0].envelope[50], 1);
    test_assert_figure(e->classes[0].envelope[51], 2. / 3);
    det_evaluation_free(e);
}

/* 35 of 100: recall .35 is less than 35 * .01, which is .35000000000000003 in double, so that only
 * the recalls 0 ... .34 are reached. 34 of 100 reach as many, 36 two more. */
static void the_101_recalls_are_multiples_of_a_hundredth_in_double(void **state)
{
    (void)state;
    static const struct {
        size_t found;
        double recalls;
    } cases[] = {{34, 35}, {35, 35}, {36, 37}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_set *set = test_coco_set(1);
        for (int at = 0; at < 100; at++) {
            const double x = at * 20;
            test_set_object(set, 0, 0, x, 0, 10, 10);
            if ((size_t)at < cases[i].found) test_set_found(set, 0, .9, x, 0, 10, 10);
        }
        test_assert_figure(ap_of(set), cases[i].recalls / 101);
    }
}

/* numpy.spacing(1) stands in the denominator of precision: 1 / (1 + 2^-52), two bits below 1. */
static void precision_of_a_single_find_is_a_hair_below_1(void **state)
{
    (void)state;
    test_set *set = test_coco_set(1);
    test_set_square(set, 0);
    test_set_found_square(set, 0, .9);
    det_evaluation *e = test_evaluate(set, NULL);
    assert_true(e->classes[0].envelope[0] == .99999999999999978);
    det_evaluation_free(e);
    e = test_evaluate(set, &(det_eval_options){.metric = DET_METRIC_VOC10});
    assert_true(e->mean.ap == 1);
    det_evaluation_free(e);
}

/* A picture without objects, whose detection is false. */
static void detections_on_pictures_without_objects_are_false(void **state)
{
    (void)state;
    test_set *set = test_coco_set(2);
    test_set_square(set, 0);
    test_set_found_square(set, 1, .9);
    test_set_found_square(set, 0, .8);
    test_assert_figure(ap_of(set), .5);
}

/* The second picture has the lower id, and a false detection. */
static void equal_scores_go_by_the_id_of_the_picture_not_by_the_files(void **state)
{
    (void)state;
    test_set *set = test_coco_set(2);
    set->images[0].id = 7;
    set->images[1].id = 3;
    test_set_square(set, 0);
    test_set_found_square(set, 0, .5);
    test_set_found_square(set, 1, .5);
    test_assert_figure(ap_of(set), .5);
    test_set_swap_found(set);
    test_assert_figure(ap_of(set), .5);
}

static void equal_scores_of_a_picture_stay_in_the_order_of_the_file(void **state)
{
    (void)state;
    test_set *set = test_coco_set(1);
    test_set_square(set, 0);
    test_set_found(set, 0, .5, 50, 50, 10, 10);
    test_set_found_square(set, 0, .5);
    test_assert_figure(ap_of(set), .5);
    set->found[0].score = .4;
    test_assert_figure(ap_of(set), 1);
}

static void scores_are_compared_in_double(void **state)
{
    (void)state;
    test_set *set = test_coco_set(1);
    test_set_square(set, 0);
    test_set_found(set, 0, .5, 50, 50, 10, 10);
    test_set_found_square(set, 0, .5 + 1e-12);
    test_assert_figure(ap_of(set), 1);
}

/* ---- Sizes ---- */

static void an_area_on_an_edge_has_both_sizes(void **state)
{
    (void)state;
    static const struct {
        double area;
        bool sizes[DET_SIZE_COUNT];
    } cases[] = {
        {1023.999, {true, true, false, false}}, {1024, {true, true, true, false}},
        {1024.001, {true, false, true, false}}, {9216, {true, false, true, true}},
        {9216.001, {true, false, false, true}}, {1e10, {true, false, false, true}},
        {1.1e10, {false, false, false, false}}, {0, {true, true, false, false}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_set *set = test_coco_set(1);
        test_set_square(set, 0)->area = cases[i].area; /* not that of the box */
        for (int size = 0; size < DET_SIZE_COUNT; size++)
            test_assert_figure(ap_of_size(set, (det_object_size)size),
                               cases[i].sizes[size] ? 0 : NAN);
    }
}

/* The false one is large by its box, so it does not count among the small ones. */
static void unmatched_detections_outside_of_the_size_do_not_count(void **state)
{
    (void)state;
    test_set *set = test_coco_set(1);
    test_set_square(set, 0);
    test_set_found(set, 0, .9, 200, 200, 100, 100);
    test_set_found_square(set, 0, .8);
    test_assert_figure(ap_of_size(set, DET_SIZE_ALL), .5);
    test_assert_figure(ap_of_size(set, DET_SIZE_SMALL), 1);
    test_assert_figure(ap_of_size(set, DET_SIZE_LARGE), NAN);
    set->found[0].box[2] = set->found[0].box[3] = 32; /* 1024 is small, too */
    test_assert_figure(ap_of_size(set, DET_SIZE_SMALL), .5);
}

/* The false one has an area of 1024 or 9216, and so both sizes, whatever the object's. */
static void a_detection_on_an_edge_has_both_sizes(void **state)
{
    (void)state;
    static const struct {
        double area, side;
        det_object_size size;
        double ap;
    } cases[] = {{100, 32, DET_SIZE_SMALL, .5},   {2000, 32, DET_SIZE_MEDIUM, .5},
                 {2000, 96, DET_SIZE_MEDIUM, .5}, {10000, 96, DET_SIZE_LARGE, .5},
                 {2000, 31, DET_SIZE_MEDIUM, 1},  {2000, 97, DET_SIZE_MEDIUM, 1},
                 {100, 33, DET_SIZE_SMALL, 1},    {10000, 95, DET_SIZE_LARGE, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_set *set = test_coco_set(1);
        test_set_square(set, 0)->area = cases[i].area;
        test_set_found(set, 0, .9, 200, 200, cases[i].side, cases[i].side);
        test_set_found_square(set, 0, .8);
        test_assert_figure(ap_of_size(set, cases[i].size), cases[i].ap);
    }
}

/* The object is medium: for small ones the detection that finds it is ignored. */
static void detections_of_objects_outside_of_the_size_do_not_count(void **state)
{
    (void)state;
    test_set *set = test_coco_set(1);
    test_set_square(set, 0);
    test_set_object(set, 0, 0, 100, 100, 30, 30)->area = 1600;
    test_set_found(set, 0, .9, 100, 100, 30, 30); /* small itself */
    test_set_found_square(set, 0, .8);
    test_assert_figure(ap_of_size(set, DET_SIZE_SMALL), 1);
}

/* ---- How many detections count ---- */

static void the_best_detections_of_each_picture_and_class_count(void **state)
{
    (void)state;
    const size_t most[] = {1, 2};
    test_set *set = test_set_begin(DET_BOX_SIZED, 1, 2);
    test_set_square(set, 0);
    test_set_object(set, 0, 0, 50, 50, 10, 10);
    test_set_object(set, 0, 1, 0, 0, 10, 10);
    test_set_found_square(set, 0, .7);
    test_set_found(set, 0, .8, 50, 50, 10, 10);
    test_set_found(set, 0, .9, 90, 90, 10, 10); /* false, and the best of its class */
    test_set_found_square(set, 0, .1);
    set->found[3].category = 1;
    const det_eval_options options = {.max_detections = most, .max_detections_count = 2};
    det_evaluation *e = test_evaluate(set, &options);
    test_assert_figure(e->classes[0].figures.ar_max[0], 0);
    test_assert_figure(e->classes[0].figures.ar_max[1], .5);
    test_assert_figure(e->classes[0].figures.ap, 51. / 101 / 2); /* false, true, cut */
    test_assert_figure(e->classes[1].figures.ar_max[0], 1);
    test_assert_figure(e->mean.ar_max[0], .5);
    test_assert_figure(e->mean.ar, .75);
    assert_int_equal(e->cut, 1);
    assert_int_equal(e->detections, 3);
    det_evaluation_free(e);
}

/* ---- What pycocotools does and should not ---- */

static void an_object_with_the_id_0_is_never_found_unless_corrected(void **state)
{
    (void)state;
    test_set *set = test_coco_set(2);
    test_set_square(set, 0)->id = 0;
    test_set_square(set, 1);
    test_set_found_square(set, 0, .9);
    test_set_found_square(set, 0, .8);
    test_set_found_square(set, 1, .7);
    test_assert_figure(ap_of(set), 51. / 101 / 3); /* false, false, true */
    det_evaluation *e = test_evaluate(set, NULL);
    assert_int_equal(e->never_found, 1);
    det_evaluation_free(e);
    test_assert_figure(ap50_of(set, true), (51 + 50 * 2. / 3) / 101);
}

static void ignore_is_heeded_only_when_corrected(void **state)
{
    (void)state;
    test_set *set = test_coco_set(1);
    test_set_square(set, 0)->ignore = true;
    test_set_object(set, 0, 0, 50, 50, 10, 10);
    test_set_found(set, 0, .9, 50, 50, 10, 10);
    test_assert_figure(ap50_of(set, false), 51. / 101);
    test_assert_figure(ap50_of(set, true), 1);
    det_evaluation *e = test_evaluate(set, NULL);
    assert_int_equal(e->ignore_unheeded, 1);
    det_evaluation_free(e);
}

/* pycocotools lists the id on both pictures and finds the second object for it both times: the
 * first detection is false, the others each find a copy. Precision is 2 / 3 at best, at recalls .5
 * and 1. */
static void the_last_object_of_an_id_counts_for_all_of_them(void **state)
{
    (void)state;
    const size_t last[] = {1, 1};
    test_set *set = test_coco_set(2);
    test_set_square(set, 0);
    test_set_square(set, 1)->id = 1;
    set->annotations.last_of_id = last;
    test_set_found_square(set, 0, .9);
    test_set_found_square(set, 1, .8);
    test_set_found_square(set, 1, .7);
    det_evaluation *e = test_evaluate_kept(set, DET_METRIC_COCO);
    test_assert_figure(e->mean.ap, 2. / 3);
    test_assert_figure(e->mean.ar_max[0], .5);
    assert_int_equal(e->objects, 2);
    assert_int_equal(e->replaced, 1);
    const det_class_matches *m = &e->classes[0].matches;
    assert_true(m->objects[0] == UINT32_MAX && m->objects[1] == 1 && m->objects[2] == 1);
    assert_true(m->positive_count == 2 && m->positives[0] == 1 && m->positives[1] == 1);
    det_evaluation_free(e);
    e = test_evaluate(set, &(det_eval_options){.corrected = true});
    test_assert_figure(e->mean.ap, 1);
    assert_int_equal(e->replaced, 0);
    det_evaluation_free(e);
    test_assert_figure(test_ap(set, DET_METRIC_VOC10), 1); /* the others know nothing of ids */
}

/* The last object is of the second class, so that the first has none; where it was left out, its
 * id finds nothing. */
static void an_id_means_the_class_of_its_last_object(void **state)
{
    (void)state;
    size_t last[] = {1, 1};
    test_set *set = test_set_begin(DET_BOX_SIZED, 1, 2);
    test_set_square(set, 0);
    test_set_object(set, 0, 1, 0, 0, 10, 10);
    set->annotations.last_of_id = last;
    test_set_found_square(set, 0, .9);
    det_evaluation *e = test_evaluate(set, NULL);
    assert_int_equal(e->classes[0].objects, 0);
    assert_int_equal(e->classes[1].objects, 2);
    test_assert_figure(e->mean.ap, 0);
    det_evaluation_free(e);
    last[1] = last[0] = SIZE_MAX;
    test_assert_figure(ap_of(set), NAN);
}

/* Of three equal overlaps the last is taken. Ids are listed picture by picture in the order of
 * their ids, so the copy that the other picture lists stands behind the object with the id 0, which
 * nobody finds, or before it. The copy alone gives recall 1 / 3: 34 of 101 points. */
static void copies_stand_where_their_id_is_listed(void **state)
{
    (void)state;
    const size_t last[] = {0, 1, 0};
    test_set *set = test_coco_set(2);
    test_set_square(set, 0)->id = 5;
    test_set_square(set, 0)->id = 0;
    test_set_square(set, 1)->id = 5;
    set->annotations.last_of_id = last;
    test_set_found_square(set, 0, .9);
    test_assert_figure(ap_of(set), 34. / 101);
    set->images[0].id = 7;
    set->images[1].id = 3;
    test_assert_figure(ap_of(set), 0);
}

/* ---- Extremes ---- */

static void without_objects_there_are_no_figures(void **state)
{
    (void)state;
    test_set *set = test_coco_set(1);
    test_set_found_square(set, 0, .9);
    test_assert_figure(ap_of(set), NAN);
    test_set_square(set, 0)->crowd = true;
    test_assert_figure(ap_of(set), NAN);
    set->annotations.category_count = 0;
    set->results.object_count = 0;
    set->annotations.object_count = 0;
    test_assert_figure(ap_of(set), NAN);
}

/* The second class has no object, the third a crowd alone. */
static void classes_without_objects_have_no_part_in_the_means(void **state)
{
    (void)state;
    test_set *set = test_set_begin(DET_BOX_SIZED, 1, 3);
    test_set_square(set, 0);
    test_set_object(set, 0, 2, 50, 50, 10, 10)->crowd = true;
    test_set_found_square(set, 0, .9);
    test_set_found_square(set, 0, .8);
    set->found[1].category = 1;
    det_evaluation *e = test_evaluate(set, NULL);
    test_assert_figure(e->mean.ap, 1);
    test_assert_figure(e->mean.ar, 1);
    test_assert_figure(e->mean.ap_size[DET_SIZE_MEDIUM], NAN);
    test_assert_figure(e->classes[1].figures.ap, NAN);
    test_assert_figure(e->classes[2].figures.ar, NAN);
    assert_int_equal(e->measured_count, 1);
    det_evaluation_free(e);
}

static void boxes_without_an_area_find_nothing(void **state)
{
    (void)state;
    test_set *set = test_coco_set(1);
    test_set_object(set, 0, 0, 0, 0, 0, 10);
    test_set_found(set, 0, .9, 0, 0, 0, 10);
    test_set_found(set, 0, .9, 5, 5, -5, -5);
    test_assert_figure(ap_of(set), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_overlap_of_exactly_the_threshold_is_a_match),
        cmocka_unit_test(the_ten_thresholds_have_the_bits_of_numpy),
        cmocka_unit_test(a_threshold_of_1_is_met_at_1_less_1e_10),
        cmocka_unit_test(of_equal_overlaps_the_later_object_is_taken),
        cmocka_unit_test(a_taken_object_leaves_a_second_choice),
        cmocka_unit_test(detections_in_a_crowd_do_not_count_however_many),
        cmocka_unit_test(an_ignored_object_that_is_no_crowd_is_matched_once),
        cmocka_unit_test(an_object_that_counts_goes_before_an_ignored_one_of_higher_overlap),
        cmocka_unit_test(difficult_objects_of_voc_are_ignored),
        cmocka_unit_test(difficult_objects_of_coco_files_are_ignored_only_when_corrected),
        cmocka_unit_test(precision_is_averaged_at_101_recalls),
        cmocka_unit_test(the_101_recalls_are_multiples_of_a_hundredth_in_double),
        cmocka_unit_test(precision_of_a_single_find_is_a_hair_below_1),
        cmocka_unit_test(detections_on_pictures_without_objects_are_false),
        cmocka_unit_test(equal_scores_go_by_the_id_of_the_picture_not_by_the_files),
        cmocka_unit_test(equal_scores_of_a_picture_stay_in_the_order_of_the_file),
        cmocka_unit_test(scores_are_compared_in_double),
        cmocka_unit_test(an_area_on_an_edge_has_both_sizes),
        cmocka_unit_test(unmatched_detections_outside_of_the_size_do_not_count),
        cmocka_unit_test(a_detection_on_an_edge_has_both_sizes),
        cmocka_unit_test(detections_of_objects_outside_of_the_size_do_not_count),
        cmocka_unit_test(the_best_detections_of_each_picture_and_class_count),
        cmocka_unit_test(an_object_with_the_id_0_is_never_found_unless_corrected),
        cmocka_unit_test(ignore_is_heeded_only_when_corrected),
        cmocka_unit_test(the_last_object_of_an_id_counts_for_all_of_them),
        cmocka_unit_test(an_id_means_the_class_of_its_last_object),
        cmocka_unit_test(copies_stand_where_their_id_is_listed),
        cmocka_unit_test(without_objects_there_are_no_figures),
        cmocka_unit_test(classes_without_objects_have_no_part_in_the_means),
        cmocka_unit_test(boxes_without_an_area_find_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
