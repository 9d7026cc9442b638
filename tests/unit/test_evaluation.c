/* SPDX-License-Identifier: Apache-2.0 */
/* What all metrics share: options, kept matches, curves, intervals over pictures. */
#include "src/base/memory.h"
#include "tests/unit/support.h"
#include "tests/unit/support_eval.h"

#include <math.h>

static det_status try_options(const det_eval_options *options, det_error *error)
{
    test_set *set = test_coco_set(1);
    det_evaluation *evaluation = NULL;
    const det_status status =
        det_evaluate(&set->annotations, &set->results, options, NULL, &evaluation, error);
    assert_int_equal(evaluation != NULL, status == DET_OK);
    det_evaluation_free(evaluation);
    return status;
}

static void metrics_have_names(void **state)
{
    (void)state;
    det_metric metric = DET_METRIC_COCO;
    for (int i = DET_METRIC_COCO; i <= DET_METRIC_ILSVRC; i++) {
        assert_true(det_metric_parse(det_metric_name((det_metric)i), &metric));
        assert_int_equal(metric, i);
    }
    assert_false(det_metric_parse("voc12", &metric));
    assert_string_equal(det_metric_name((det_metric)9), "unknown");
}

static void senseless_options_are_refused(void **state)
{
    (void)state;
    static const double descending[] = {.5, .4}, beyond[] = {1.5}, zero[] = {0};
    static const size_t none[] = {0}, same[] = {3, 3};
    static const det_image_class far_pair[] = {{5, 0}};
    static const struct {
        det_eval_options options;
        const char *message;
    } cases[] = {
        {{.metric = (det_metric)9}, "no metric number 9"},
        {{.ious = descending, .iou_count = 2}, "threshold 2 of 2, 0.4"},
        {{.ious = beyond, .iou_count = 1}, "1.5"},
        {{.ious = zero, .iou_count = 1}, "does not ascend in (0, 1]"},
        {{.ious = zero}, "no IoU threshold"},
        {{.max_detections = none, .max_detections_count = 1}, "above 0"},
        {{.max_detections = same, .max_detections_count = 2}, "number 2 of 2"},
        {{.max_detections = same}, "no number of detections"},
        {{.metric = DET_METRIC_VOC07, .max_detections = same, .max_detections_count = 1}, "voc07"},
        {{.metric = DET_METRIC_ILSVRC, .ious = descending, .iou_count = 1}, "ilsvrc"},
        {{.left_out = far_pair, .left_out_count = 1}, "coco leaves out no pairs"},
        {{.metric = DET_METRIC_ILSVRC, .left_out = far_pair, .left_out_count = 1},
         "picture 5 of 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_error error = {0};
        test_assert_error(try_options(&cases[i].options, &error), DET_ARGUMENT, &error,
                          cases[i].message);
    }
}

static void detections_of_other_annotations_are_refused(void **state)
{
    (void)state;
    det_error error = {0};
    det_evaluation *evaluation = NULL;
    test_set *set = test_coco_set(1);
    test_set_found(set, 1, .5, 0, 0, 1, 1);
    test_assert_error(
        det_evaluate(&set->annotations, &set->results, NULL, NULL, &evaluation, &error),
        DET_ARGUMENT, &error, "picture 1 of 1");
}

static bool cancel(void *context, uint64_t done, uint64_t total)
{
    (void)context, (void)done, (void)total;
    return false;
}

static void an_evaluation_can_be_cancelled(void **state)
{
    (void)state;
    det_error error = {0};
    det_evaluation *evaluation = NULL;
    test_set *set = test_coco_set(1);
    const det_run run = {.progress = cancel};
    test_assert_error(
        det_evaluate(&set->annotations, &set->results, NULL, &run, &evaluation, &error),
        DET_CANCELLED, &error, "cancelled");
}

/* ---- Extremes ---- */

static void no_detections_give_0_and_perfect_ones_1(void **state)
{
    (void)state;
    for (int metric = DET_METRIC_COCO; metric <= DET_METRIC_ILSVRC; metric++) {
        test_set *set = metric == DET_METRIC_COCO ? test_coco_set(3) : test_voc_set(3);
        for (size_t i = 0; i < 3; i++) test_set_square(set, i);
        test_assert_figure(test_ap(set, (det_metric)metric), 0);
        for (uint32_t i = 0; i < 3; i++) test_set_found_square(set, i, .9);
        test_assert_figure(test_ap(set, (det_metric)metric), 1);
    }
}

/* ---- Matches and curves ---- */

/* Two pictures, one object each; a false detection between two true ones, and one in a crowd. */
static test_set *small_set(void)
{
    test_set *set = test_coco_set(2);
    test_set_square(set, 0);
    test_set_square(set, 1);
    test_set_object(set, 1, 0, 50, 50, 40, 40)->crowd = true;
    test_set_found_square(set, 1, .6);
    test_set_found(set, 1, .8, 55, 55, 10, 10);
    test_set_found(set, 0, .7, 30, 30, 10, 10);
    test_set_found_square(set, 0, .9);
    return set;
}

static void matches_are_kept_where_they_are_wanted(void **state)
{
    (void)state;
    static const uint32_t order[] = {3, 1, 2, 0};
    static const uint8_t outcomes[] = {DET_TRUE_POSITIVE, DET_IGNORED, DET_FALSE_POSITIVE,
                                       DET_TRUE_POSITIVE};
    static const uint32_t objects[] = {0, 2, UINT32_MAX, 1};
    const test_set *set = small_set();
    det_evaluation *e = test_evaluate_kept(set, DET_METRIC_COCO);
    const det_class_matches *m = &e->classes[0].matches;
    assert_int_equal(m->count, 4);
    assert_memory_equal(m->detections, order, sizeof order);
    for (size_t t = 0; t < 10; t++) {
        assert_memory_equal(m->outcomes + t * 4, outcomes, sizeof outcomes);
        assert_memory_equal(m->objects + t * 4, objects, sizeof objects);
    }
    assert_int_equal(m->positive_count, 2);
    assert_int_equal(m->positives[0], 0);
    assert_int_equal(m->positives[1], 1);
    det_evaluation_free(e);
    e = test_evaluate(set, NULL);
    assert_null(e->classes[0].matches.detections);
    det_evaluation_free(e);
}

static void a_curve_has_a_point_for_each_detection_that_counts(void **state)
{
    (void)state;
    static const double score[] = {.9, .7, .6}, recall[] = {.5, .5, 1},
                        precision[] = {1, .5, 2. / 3};
    det_error error = {0};
    det_eval_curve curve = {0};
    det_evaluation *e = test_evaluate_kept(small_set(), DET_METRIC_COCO);
    test_assert_ok(det_evaluation_curve(e, 0, 9, &curve, &error), &error);
    assert_int_equal(curve.count, 3);
    for (size_t i = 0; i < 3; i++) {
        test_assert_figure(curve.score[i], score[i]);
        test_assert_figure(curve.recall[i], recall[i]);
        test_assert_figure(curve.precision[i], precision[i]);
    }
    det_eval_curve_free(&curve);
    test_assert_error(det_evaluation_curve(e, 1, 0, &curve, &error), DET_ARGUMENT, &error,
                      "class 1 of 1");
    det_evaluation_free(e);
    e = test_evaluate(small_set(), NULL);
    test_assert_error(det_evaluation_curve(e, 0, 0, &curve, &error), DET_ARGUMENT, &error,
                      "not kept");
    det_evaluation_free(e);
    det_eval_curve_free(NULL);
}

/* ---- Intervals ---- */

static det_interval interval_of(const det_evaluation *e, const det_evaluation *other, int threads)
{
    det_error error = {0};
    det_interval interval = {0};
    test_assert_ok(det_evaluation_bootstrap(e, other, 500, 7, &(det_run){.threads = threads},
                                            &interval, &error),
                   &error);
    return interval;
}

static void an_interval_of_pictures_that_are_alike_is_a_point(void **state)
{
    (void)state;
    test_set *set = test_coco_set(5);
    for (uint32_t i = 0; i < 5; i++) {
        test_set_square(set, i);
        test_set_found_square(set, i, .9);
    }
    det_evaluation *e = test_evaluate_kept(set, DET_METRIC_VOC10);
    const det_interval interval = interval_of(e, NULL, 1);
    test_assert_figure(interval.value, 1);
    test_assert_figure(interval.low, 1);
    test_assert_figure(interval.high, 1);
    assert_int_equal(interval.samples, 500);
    det_evaluation_free(e);
}

/* Of two pictures, one found and one not, a sample has two, one or none found: AP 0, .5, 1, the
 * first and the last with a probability of 1 / 4. */
static void an_interval_spans_what_other_pictures_would_give(void **state)
{
    (void)state;
    test_set *set = test_coco_set(2);
    test_set_square(set, 0);
    test_set_square(set, 1);
    test_set_found_square(set, 0, .9);
    det_evaluation *e = test_evaluate_kept(set, DET_METRIC_VOC10);
    const det_interval interval = interval_of(e, NULL, 1);
    test_assert_figure(interval.value, .5);
    test_assert_figure(interval.low, 0);
    test_assert_figure(interval.high, 1);
    assert_true(fabs(interval.above_zero - .75) < .06);
    det_evaluation_free(e);
}

/* The second picture has no object: a sample of it alone, 1 in 4, gives nothing. */
static void samples_without_an_object_are_left_out(void **state)
{
    (void)state;
    test_set *set = test_coco_set(2);
    test_set_square(set, 0);
    test_set_found_square(set, 0, .9);
    det_evaluation *e = test_evaluate_kept(set, DET_METRIC_VOC10);
    const det_interval interval = interval_of(e, NULL, 1);
    assert_in_range(interval.samples, 320, 430); /* 3 / 4 of 500 */
    test_assert_figure(interval.low, 1);
    det_evaluation_free(e);
}

static void a_difference_is_taken_over_the_same_samples(void **state)
{
    (void)state;
    test_set *set = test_coco_set(8);
    for (uint32_t i = 0; i < 8; i++) {
        test_set_square(set, i);
        if (i % 2) test_set_found_square(set, i, .9);
    }
    det_evaluation *half = test_evaluate_kept(set, DET_METRIC_VOC10),
                   *again = test_evaluate_kept(set, DET_METRIC_VOC10);
    det_interval interval = interval_of(half, again, 2);
    test_assert_figure(interval.low, 0);
    test_assert_figure(interval.high, 0);
    test_assert_figure(interval.above_zero, 0);
    det_evaluation_free(again);
    det_detected_object found[8] = {0}; /* all of them */
    for (uint32_t i = 0; i < 8; i++) {
        found[i] = set->found[0];
        found[i].image = i;
    }
    const det_results results = {.form = DET_BOX_SIZED, .objects = found, .object_count = 8};
    const det_eval_options options = {.metric = DET_METRIC_VOC10, .keep_matches = true};
    det_evaluation *all = NULL;
    assert_int_equal(det_evaluate(&set->annotations, &results, &options, NULL, &all, NULL), DET_OK);
    interval = interval_of(all, half, 2);
    test_assert_figure(interval.value, .5);
    assert_true(interval.low > .1 && interval.low < .3); /* 1 less Bin(8, 1/2) / 8 */
    assert_true(interval.high > .7 && interval.high < .95);
    det_evaluation_free(all);
    det_evaluation_free(half);
}

static void an_interval_is_the_same_on_any_number_of_threads(void **state)
{
    (void)state;
    test_set *set = test_coco_set(9);
    for (uint32_t i = 0; i < 9; i++) {
        test_set_square(set, i);
        test_set_found(set, i, .1 * i, i % 3 * 4., 0, 10, 10);
    }
    det_evaluation *e = test_evaluate_kept(set, DET_METRIC_VOC10);
    const det_interval one = interval_of(e, NULL, 1), three = interval_of(e, NULL, 3);
    assert_memory_equal(&one, &three, sizeof one);
    det_evaluation_free(e);
}

static void senseless_intervals_are_refused(void **state)
{
    (void)state;
    det_error error = {0};
    det_interval interval;
    const test_set *set = small_set();
    det_evaluation *e = test_evaluate_kept(set, DET_METRIC_VOC10),
                   *without = test_evaluate(set, NULL);
    det_evaluation *coco = test_evaluate_kept(set, DET_METRIC_COCO);
    test_assert_error(det_evaluation_bootstrap(e, NULL, 0, 1, NULL, &interval, &error),
                      DET_ARGUMENT, &error, "no samples");
    test_assert_error(det_evaluation_bootstrap(without, NULL, 9, 1, NULL, &interval, &error),
                      DET_ARGUMENT, &error, "not kept");
    test_assert_error(det_evaluation_bootstrap(e, coco, 9, 1, NULL, &interval, &error),
                      DET_ARGUMENT, &error, "cannot be paired");
    const det_run run = {.progress = cancel};
    test_assert_error(det_evaluation_bootstrap(e, NULL, 9, 1, &run, &interval, &error),
                      DET_CANCELLED, &error, "cancelled");
    det_evaluation_free(e);
    det_evaluation_free(without);
    det_evaluation_free(coco);
}

/* ---- Memory ---- */

#ifdef DET_FAULT_INJECTION
static det_status evaluate_all(const test_set *set, det_error *error)
{
    const det_image_class pair = {0, 0};
    const det_eval_options options = {
        .metric = DET_METRIC_ILSVRC, .keep_matches = true, .left_out = &pair, .left_out_count = 1};
    const det_eval_options coco = {.keep_matches = true}, voc = {.metric = DET_METRIC_VOC07};
    const det_run run = {.threads = 1};
    det_evaluation *e = NULL, *other = NULL;
    det_eval_curve curve = {0};
    det_interval interval;
    det_status status = det_evaluate(&set->annotations, &set->results, &coco, &run, &e, error);
    if (status == DET_OK)
        status = det_evaluate(&set->annotations, &set->results, &options, &run, &other, error);
    det_evaluation_free(other);
    other = NULL;
    if (status == DET_OK)
        status = det_evaluate(&set->annotations, &set->results, &voc, &run, &other, error);
    if (status == DET_OK) status = det_evaluation_curve(e, 0, 0, &curve, error);
    if (status == DET_OK) status = det_evaluation_bootstrap(e, e, 3, 1, &run, &interval, error);
    det_eval_curve_free(&curve);
    det_evaluation_free(other);
    det_evaluation_free(e);
    return status;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    const test_set *set = small_set();
    for (uint64_t nth = 1;; nth++) {
        det_error error = {0};
        det_memory_fail_at(nth);
        const det_status status = evaluate_all(set, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
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
        cmocka_unit_test(metrics_have_names),
        cmocka_unit_test(senseless_options_are_refused),
        cmocka_unit_test(detections_of_other_annotations_are_refused),
        cmocka_unit_test(an_evaluation_can_be_cancelled),
        cmocka_unit_test(no_detections_give_0_and_perfect_ones_1),
        cmocka_unit_test(matches_are_kept_where_they_are_wanted),
        cmocka_unit_test(a_curve_has_a_point_for_each_detection_that_counts),
        cmocka_unit_test(an_interval_of_pictures_that_are_alike_is_a_point),
        cmocka_unit_test(an_interval_spans_what_other_pictures_would_give),
        cmocka_unit_test(samples_without_an_object_are_left_out),
        cmocka_unit_test(a_difference_is_taken_over_the_same_samples),
        cmocka_unit_test(an_interval_is_the_same_on_any_number_of_threads),
        cmocka_unit_test(senseless_intervals_are_refused),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(every_failing_allocation_is_reported),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
