/* SPDX-License-Identifier: Apache-2.0 */
/* How scores tell true from false detections: histograms, and the threshold of the best F1. */
#include "src/base/memory.h"
#include "tests/unit/support.h"
#include "tests/unit/support_eval.h"

#include <math.h>

enum { CAT, DOG, CLASSES };

/* A picture with so many cats; `right` finds one, `wrong` is where nothing is. */
static test_set *begin(size_t cats)
{
    test_set *set = test_set_begin(DET_BOX_SIZED, 1, CLASSES);
    for (size_t i = 0; i < cats; i++) test_set_object(set, 0, CAT, 20. * (double)i, 0, 10, 10);
    return set;
}

static void right(test_set *set, size_t cat, double score)
{
    test_set_found(set, 0, score, 20. * (double)cat, 0, 10, 10);
}

static void wrong(test_set *set, uint32_t category, double score)
{
    test_set_found(set, 0, score, 0, 50, 10, 10);
    set->found[set->results.object_count - 1].category = category;
}

static det_score_analysis *analyse(const test_set *set)
{
    det_evaluation *e = test_evaluate(set, &(det_eval_options){.keep_matches = true});
    det_score_analysis *scores = NULL;
    det_error error = {0};
    test_assert_ok(det_evaluation_scores(e, 0, &scores, &error), &error);
    det_evaluation_free(e);
    return scores;
}

static void assert_best(const det_score_figures *f, double threshold, double precision,
                        double recall, double f1)
{
    test_assert_figure(f->threshold, threshold);
    test_assert_figure(f->precision, precision);
    test_assert_figure(f->recall, recall);
    test_assert_figure(f->f1, f1);
}

static void a_bin_has_its_lower_end_and_the_last_one_both(void **state)
{
    (void)state;
    test_set *set = begin(4);
    right(set, 0, 1);
    right(set, 1, .95);
    right(set, 2, .5);
    wrong(set, CAT, .49);
    wrong(set, CAT, .25);
    wrong(set, DOG, 0);
    wrong(set, DOG, .04);
    det_score_analysis *a = analyse(set);
    test_assert_figure(a->low, 0);
    test_assert_figure(a->high, 1);
    for (size_t i = 0; i < DET_SCORE_BINS; i++) {
        assert_int_equal(a->all.right[i], i == 10 ? 1 : i == 19 ? 2 : 0);
        assert_int_equal(a->all.wrong[i], i == 0 ? 2 : i == 5 || i == 9 ? 1 : 0);
        assert_int_equal(a->classes[DOG].wrong[i], i == 0 ? 2 : 0);
        assert_int_equal(a->classes[CAT].right[i], a->all.right[i]);
        assert_int_equal(a->classes[DOG].right[i], 0);
    }
    det_score_analysis_free(a);
}

/* Bins of 3 from -20 to 40. */
static void scores_beyond_0_to_1_have_bins_of_their_own_range(void **state)
{
    (void)state;
    test_set *set = begin(1);
    right(set, 0, 40);
    wrong(set, CAT, -20);
    wrong(set, DOG, 10);
    det_score_analysis *a = analyse(set);
    test_assert_figure(a->low, -20);
    test_assert_figure(a->high, 40);
    assert_int_equal(a->all.right[19], 1);
    assert_int_equal(a->all.wrong[0], 1);
    assert_int_equal(a->all.wrong[10], 1);
    det_score_analysis_free(a);
}

static void any_finite_scores_have_bins(void **state)
{
    (void)state;
    test_set *set = begin(2);
    right(set, 0, 1e308);
    wrong(set, CAT, -1e308);
    det_score_analysis *a = analyse(set);
    assert_int_equal(a->all.right[19], 1);
    assert_int_equal(a->all.wrong[0], 1);
    det_score_analysis_free(a);
    set = begin(2);
    right(set, 0, 7);
    wrong(set, CAT, 7);
    a = analyse(set);
    assert_int_equal(a->all.right[0], 1);
    assert_int_equal(a->all.wrong[0], 1);
    det_score_analysis_free(a);
}

/* Four cats. Cats: right .9, wrong .8, right .7, right .6, wrong .5: F1 = 2 tp / (n + 4) is 2/5,
 * 2/6, 4/7, 6/8, 6/9. With a wrong dog at .65: 6/9 and 6/10 at the end, the best still at .6. */
static void the_threshold_has_the_highest_f1(void **state)
{
    (void)state;
    test_set *set = begin(4);
    right(set, 0, .9);
    wrong(set, CAT, .8);
    right(set, 1, .7);
    right(set, 2, .6);
    wrong(set, CAT, .5);
    wrong(set, DOG, .65);
    det_score_analysis *a = analyse(set);
    assert_best(&a->classes[CAT], .6, 3. / 4, 3. / 4, 3. / 4);
    assert_best(&a->all, .6, 3. / 5, 3. / 4, 2. / 3);
    assert_best(&a->classes[DOG], NAN, NAN, NAN, NAN);
    det_score_analysis_free(a);
}

/* Both at .5 or none: F1 1/2 at .9 (2 / (1 + 3)), 2/3 at .5 (4 / (3 + 3)) and never 4/5. */
static void equal_scores_are_kept_together(void **state)
{
    (void)state;
    test_set *set = begin(3);
    right(set, 0, .9);
    right(set, 1, .5);
    wrong(set, CAT, .5);
    det_score_analysis *a = analyse(set);
    assert_best(&a->classes[CAT], .5, 2. / 3, 2. / 3, 2. / 3);
    det_score_analysis_free(a);
}

/* One cat of two: 2 / (1 + 2) at .9; both and a wrong one 4 / (4 + 2), the same. */
static void of_equal_f1_the_highest_score_is_the_threshold(void **state)
{
    (void)state;
    test_set *set = begin(2);
    right(set, 0, .9);
    wrong(set, CAT, .8);
    wrong(set, CAT, .7);
    right(set, 1, .6);
    det_score_analysis *a = analyse(set);
    assert_best(&a->classes[CAT], .9, 1, .5, 2. / 3);
    det_score_analysis_free(a);
}

static void ignored_detections_are_left_out(void **state)
{
    (void)state;
    test_set *set = begin(1);
    test_set_object(set, 0, CAT, 0, 50, 10, 10)->crowd = true;
    right(set, 0, .5);
    wrong(set, CAT, .9);
    det_score_analysis *a = analyse(set);
    assert_best(&a->all, .5, 1, 1, 1);
    assert_int_equal(a->all.wrong[18], 0);
    det_score_analysis_free(a);
}

static void without_detections_there_is_no_threshold(void **state)
{
    (void)state;
    det_score_analysis *a = analyse(begin(1));
    assert_best(&a->all, NAN, NAN, NAN, NAN);
    assert_int_equal(a->class_count, CLASSES);
    test_assert_figure(a->high, 1);
    det_score_analysis_free(a);
}

static void senseless_questions_are_refused(void **state)
{
    (void)state;
    det_error error = {0};
    det_score_analysis *scores = NULL;
    det_evaluation *e = test_evaluate(begin(1), NULL);
    test_assert_error(det_evaluation_scores(e, 0, &scores, &error), DET_ARGUMENT, &error,
                      "not kept");
    test_assert_error(det_evaluation_scores(e, 10, &scores, &error), DET_ARGUMENT, &error,
                      "IoU threshold 10 of 10");
    det_score_analysis_free(NULL);
    det_evaluation_free(e);
}

#ifdef DET_FAULT_INJECTION
static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    det_evaluation *e = test_evaluate(begin(1), &(det_eval_options){.keep_matches = true});
    for (uint64_t nth = 1; nth <= 3; nth++) {
        det_error error = {0};
        det_score_analysis *scores = NULL;
        det_memory_fail_at(nth);
        const det_status status = det_evaluation_scores(e, 0, &scores, &error);
        det_memory_fail_at(0);
        test_assert_error(status, DET_MEMORY, &error, "out of memory");
        assert_null(scores);
    }
    det_evaluation_free(e);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bin_has_its_lower_end_and_the_last_one_both),
        cmocka_unit_test(scores_beyond_0_to_1_have_bins_of_their_own_range),
        cmocka_unit_test(any_finite_scores_have_bins),
        cmocka_unit_test(the_threshold_has_the_highest_f1),
        cmocka_unit_test(equal_scores_are_kept_together),
        cmocka_unit_test(of_equal_f1_the_highest_score_is_the_threshold),
        cmocka_unit_test(ignored_detections_are_left_out),
        cmocka_unit_test(without_detections_there_is_no_threshold),
        cmocka_unit_test(senseless_questions_are_refused),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(every_failing_allocation_is_reported),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
