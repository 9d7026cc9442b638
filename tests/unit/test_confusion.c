/* SPDX-License-Identifier: Apache-2.0 */
/* Which classes are taken for which. Objects are squares of 10 pixels, so that a detection of the
 * upper h rows overlaps one by h / 10. */
#include "src/base/memory.h"
#include "tests/unit/support.h"
#include "tests/unit/support_eval.h"

#include <math.h>

enum { CAT, DOG, CLASSES, NOTHING = CLASSES, SIDE };

static test_set *begin(void)
{
    return test_set_begin(DET_BOX_SIZED, 4, CLASSES);
}

static void found(test_set *set, uint32_t category, double score, double x, double rows)
{
    test_set_found(set, 0, score, x, 0, 10, rows);
    set->found[set->results.object_count - 1].category = category;
}

static det_confusion *confuse(const test_set *set, det_metric metric, const double *score)
{
    det_evaluation *e = test_evaluate_kept(set, metric);
    det_confusion *confusion = NULL;
    det_error error = {0};
    test_assert_ok(det_evaluation_confusion(e, &(det_confusion_options){.score = score}, NULL,
                                            &confusion, &error),
                   &error);
    det_evaluation_free(e);
    return confusion;
}

/* Checks the matrix of all detections, row by row. */
static void assert_matrix(const test_set *set, det_metric metric, const size_t counts[SIDE * SIDE])
{
    const double all = -1;
    det_confusion *confusion = confuse(set, metric, &all);
    assert_int_equal(confusion->class_count, CLASSES);
    assert_memory_equal(confusion->counts, counts, sizeof *counts * SIDE * SIDE);
    det_confusion_free(confusion);
}

/* Cats: one right, one taken for a dog, one missed. Dogs: one right, one where nothing is. */
static void every_object_and_every_detection_has_its_place(void **state)
{
    (void)state;
    test_set *set = begin();
    for (int i = 0; i < 3; i++) test_set_object(set, 0, CAT, 20 * i, 0, 10, 10);
    test_set_object(set, 0, DOG, 60, 0, 10, 10);
    found(set, CAT, .9, 0, 10);
    found(set, DOG, .8, 20, 10);
    found(set, DOG, .7, 60, 10);
    found(set, DOG, .6, 80, 10);
    for (int metric = DET_METRIC_COCO; metric <= DET_METRIC_ILSVRC; metric++)
        assert_matrix(set, (det_metric)metric, (size_t[]){1, 1, 1, /**/ 0, 1, 0, /**/ 0, 1, 0});
}

/* The dog has the better score and takes the cat; the cat finds nothing that is free. */
static void the_best_score_takes_an_object_whatever_its_class(void **state)
{
    (void)state;
    test_set *set = begin();
    test_set_object(set, 0, CAT, 0, 0, 10, 10);
    found(set, CAT, .8, 0, 10);
    found(set, DOG, .9, 0, 10);
    assert_matrix(set, DET_METRIC_COCO, (size_t[]){0, 1, 0, /**/ 0, 0, 0, /**/ 1, 0, 0});
}

/* A cat and a dog of 8 rows at the same place: a dog of 8 rows overlaps the cat by .8. A second one
 * takes what is left. */
static void the_object_of_highest_overlap_is_taken(void **state)
{
    (void)state;
    test_set *set = begin();
    test_set_object(set, 0, DOG, 0, 0, 10, 10);
    test_set_object(set, 0, CAT, 0, 0, 10, 8);
    found(set, DOG, .9, 0, 8);
    assert_matrix(set, DET_METRIC_COCO, (size_t[]){0, 1, 0, /**/ 0, 0, 1, /**/ 0, 0, 0});
    found(set, DOG, .8, 0, 8);
    assert_matrix(set, DET_METRIC_COCO, (size_t[]){0, 1, 0, /**/ 0, 1, 0, /**/ 0, 0, 0});
}

static void of_equal_overlaps_its_own_class_is_taken_and_then_the_first(void **state)
{
    (void)state;
    for (size_t first = CAT; first <= DOG; first++) {
        test_set *set = begin();
        test_set_object(set, 0, first, 0, 0, 10, 10);
        test_set_object(set, 0, DOG - first, 0, 0, 10, 10);
        found(set, DOG, .9, 0, 10);
        assert_matrix(set, DET_METRIC_COCO, (size_t[]){0, 0, 1, /**/ 0, 1, 0, /**/ 0, 0, 0});
    }
}

/* Exactly .5 is enough, less is not. ILSVRC wants .25 of such a small object. */
static void an_object_is_taken_from_the_threshold_on(void **state)
{
    (void)state;
    test_set *set = begin();
    test_set_object(set, 0, CAT, 0, 0, 10, 10);
    found(set, CAT, .9, 0, 5);
    assert_matrix(set, DET_METRIC_VOC10, (size_t[]){1, 0, 0, /**/ 0, 0, 0, /**/ 0, 0, 0});
    set->found[0].box[3] = 4.9;
    assert_matrix(set, DET_METRIC_VOC10, (size_t[]){0, 0, 1, /**/ 0, 0, 0, /**/ 1, 0, 0});
    set->found[0].box[3] = 3;
    assert_matrix(set, DET_METRIC_ILSVRC, (size_t[]){1, 0, 0, /**/ 0, 0, 0, /**/ 0, 0, 0});
}

/* A crowd of cats over everything: cats in it count neither way, unless they are found; dogs do. */
static void what_lies_in_a_crowd_of_its_class_is_left_out(void **state)
{
    (void)state;
    test_set *set = begin();
    test_set_object(set, 0, CAT, 0, 0, 90, 90)->crowd = true;
    test_set_object(set, 0, CAT, 40, 0, 10, 10);
    found(set, CAT, .9, 0, 10);
    found(set, CAT, .9, 40, 10);
    found(set, DOG, .9, 0, 10);
    assert_matrix(set, DET_METRIC_COCO, (size_t[]){1, 0, 0, /**/ 0, 0, 0, /**/ 0, 1, 0});
}

/* Any number of cats on a difficult one; a dog there is one where nothing is. */
static void what_lies_on_a_difficult_object_of_its_class_is_left_out(void **state)
{
    (void)state;
    test_set *set = begin();
    test_set_object(set, 0, CAT, 0, 0, 10, 10)->difficult = true;
    found(set, CAT, .9, 0, 10);
    found(set, CAT, .8, 0, 10);
    found(set, CAT, .8, 0, 4);
    found(set, DOG, .9, 0, 10);
    assert_matrix(set, DET_METRIC_VOC10, (size_t[]){0, 0, 0, /**/ 0, 0, 0, /**/ 1, 1, 0});
}

/* Files of COCO have no difficult objects, as pycocotools reads them. */
static void a_difficult_object_counts_for_coco_alone(void **state)
{
    (void)state;
    test_set *set = begin();
    test_set_object(set, 0, CAT, 100, 0, 10, 10)->difficult = true;
    found(set, CAT, .9, 100, 10);
    assert_matrix(set, DET_METRIC_COCO, (size_t[]){1, 0, 0, /**/ 0, 0, 0, /**/ 0, 0, 0});
    assert_matrix(set, DET_METRIC_VOC10, (size_t[]){0, 0, 0, /**/ 0, 0, 0, /**/ 0, 0, 0});
}

/* Of two cats with one id the second counts twice, and the first not at all. */
static void objects_that_share_an_id_are_taken_as_the_metric_counts_them(void **state)
{
    (void)state;
    static const size_t last_of_id[] = {1, 1};
    test_set *set = begin();
    test_set_object(set, 0, CAT, 0, 0, 10, 10);
    test_set_object(set, 0, CAT, 20, 0, 10, 10);
    set->annotations.last_of_id = last_of_id;
    found(set, DOG, .9, 20, 10);
    assert_matrix(set, DET_METRIC_COCO, (size_t[]){0, 1, 1, /**/ 0, 0, 0, /**/ 0, 0, 0});
    found(set, CAT, .8, 20, 10);
    assert_matrix(set, DET_METRIC_COCO, (size_t[]){1, 1, 0, /**/ 0, 0, 0, /**/ 0, 0, 0});
}

/* Pictures do not see one another's objects. */
static void detections_take_objects_of_their_picture(void **state)
{
    (void)state;
    test_set *set = begin();
    test_set_object(set, 1, CAT, 0, 0, 10, 10);
    found(set, CAT, .9, 0, 10);
    assert_matrix(set, DET_METRIC_COCO, (size_t[]){0, 0, 1, /**/ 0, 0, 0, /**/ 1, 0, 0});
}

static void scores_below_the_one_given_are_left_out(void **state)
{
    (void)state;
    const double score = .5;
    test_set *set = begin();
    test_set_object(set, 0, CAT, 0, 0, 10, 10);
    found(set, DOG, .5, 50, 10);
    found(set, CAT, .49, 0, 10);
    det_confusion *confusion = confuse(set, DET_METRIC_COCO, &score);
    static const size_t counts[] = {0, 0, 1, /**/ 0, 0, 0, /**/ 0, 1, 0};
    assert_memory_equal(confusion->counts, counts, sizeof counts);
    test_assert_figure(confusion->score, .5);
    test_assert_figure(confusion->iou, .5);
    det_confusion_free(confusion);
}

/* Two cats found with .9 and .7, something false with .8 and with .6: F1 is best at .7. */
static void the_score_is_by_default_that_of_the_best_f1(void **state)
{
    (void)state;
    test_set *set = begin();
    test_set_object(set, 0, CAT, 0, 0, 10, 10);
    test_set_object(set, 0, CAT, 20, 0, 10, 10);
    found(set, CAT, .9, 0, 10);
    found(set, DOG, .8, 50, 10);
    found(set, CAT, .7, 20, 10);
    found(set, CAT, .6, 50, 10);
    det_confusion *confusion = confuse(set, DET_METRIC_COCO, NULL);
    static const size_t counts[] = {2, 0, 0, /**/ 0, 0, 0, /**/ 0, 1, 0};
    assert_memory_equal(confusion->counts, counts, sizeof counts);
    test_assert_figure(confusion->score, .7);
    det_confusion_free(confusion);
}

/* All cats are taken for dogs: no score is better than another. */
static void without_a_true_positive_all_detections_take_part(void **state)
{
    (void)state;
    test_set *set = begin();
    test_set_object(set, 0, CAT, 0, 0, 10, 10);
    test_set_object(set, 0, CAT, 20, 0, 10, 10);
    found(set, DOG, .9, 0, 10);
    found(set, DOG, -.8, 20, 10);
    det_confusion *confusion = confuse(set, DET_METRIC_COCO, NULL);
    assert_int_equal(confusion->counts[CAT * SIDE + DOG], 2);
    test_assert_figure(confusion->score, -.8);
    det_confusion_free(confusion);
}

static void without_detections_all_objects_are_missed(void **state)
{
    (void)state;
    test_set *set = begin();
    test_set_object(set, 0, CAT, 0, 0, 10, 10);
    det_confusion *confusion = confuse(set, DET_METRIC_COCO, NULL);
    assert_int_equal(confusion->counts[CAT * SIDE + NOTHING], 1);
    assert_true(isnan(confusion->score));
    det_confusion_free(confusion);
}

static bool cancel(void *context, uint64_t done, uint64_t total)
{
    (void)context, (void)done, (void)total;
    return false;
}

static void senseless_questions_are_refused(void **state)
{
    (void)state;
    det_error error = {0};
    det_confusion *confusion = NULL;
    det_evaluation *e = test_evaluate_kept(begin(), DET_METRIC_VOC07),
                   *without = test_evaluate(begin(), NULL);
    test_assert_error(
        det_evaluation_confusion(e, &(det_confusion_options){.iou = 1}, NULL, &confusion, &error),
        DET_ARGUMENT, &error, "IoU threshold 1 of 1");
    test_assert_error(det_evaluation_confusion(without, NULL, NULL, &confusion, &error),
                      DET_ARGUMENT, &error, "not kept");
    const det_run run = {.progress = cancel};
    test_assert_error(det_evaluation_confusion(e, NULL, &run, &confusion, &error), DET_CANCELLED,
                      &error, "cancelled");
    assert_null(confusion);
    det_confusion_free(NULL);
    det_evaluation_free(e);
    det_evaluation_free(without);
}

static void the_number_of_threads_does_not_matter(void **state)
{
    (void)state;
    det_evaluation *e = test_evaluate_kept(test_set_random(5), DET_METRIC_COCO);
    det_confusion *one = NULL, *four = NULL;
    assert_int_equal(det_evaluation_confusion(e, NULL, &(det_run){.threads = 1}, &one, NULL),
                     DET_OK);
    assert_int_equal(det_evaluation_confusion(e, NULL, &(det_run){.threads = 4}, &four, NULL),
                     DET_OK);
    assert_memory_equal(one->counts, four->counts, sizeof *one->counts * SIDE * SIDE);
    det_confusion_free(one);
    det_confusion_free(four);
    det_evaluation_free(e);
}

#ifdef DET_FAULT_INJECTION
static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    test_set *set = begin();
    test_set_object(set, 0, CAT, 0, 0, 10, 10);
    found(set, CAT, .9, 0, 10);
    det_evaluation *e = test_evaluate_kept(set, DET_METRIC_COCO);
    const det_run run = {.threads = 1};
    for (uint64_t nth = 1;; nth++) {
        det_error error = {0};
        det_confusion *confusion = NULL;
        det_memory_fail_at(nth);
        const det_status status = det_evaluation_confusion(e, NULL, &run, &confusion, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        det_confusion_free(confusion);
        if (!failed) {
            test_assert_ok(status, &error);
            break;
        }
        test_assert_error(status, DET_MEMORY, &error, "out of memory");
    }
    det_evaluation_free(e);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_object_and_every_detection_has_its_place),
        cmocka_unit_test(the_best_score_takes_an_object_whatever_its_class),
        cmocka_unit_test(the_object_of_highest_overlap_is_taken),
        cmocka_unit_test(of_equal_overlaps_its_own_class_is_taken_and_then_the_first),
        cmocka_unit_test(an_object_is_taken_from_the_threshold_on),
        cmocka_unit_test(what_lies_in_a_crowd_of_its_class_is_left_out),
        cmocka_unit_test(what_lies_on_a_difficult_object_of_its_class_is_left_out),
        cmocka_unit_test(a_difficult_object_counts_for_coco_alone),
        cmocka_unit_test(objects_that_share_an_id_are_taken_as_the_metric_counts_them),
        cmocka_unit_test(detections_take_objects_of_their_picture),
        cmocka_unit_test(scores_below_the_one_given_are_left_out),
        cmocka_unit_test(the_score_is_by_default_that_of_the_best_f1),
        cmocka_unit_test(without_a_true_positive_all_detections_take_part),
        cmocka_unit_test(without_detections_all_objects_are_missed),
        cmocka_unit_test(senseless_questions_are_refused),
        cmocka_unit_test(the_number_of_threads_does_not_matter),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(every_failing_allocation_is_reported),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
