/* SPDX-License-Identifier: Apache-2.0 */
/* Intervals of classes, beside sets in which the pictures that were drawn lie as often as they were
 * drawn. */
#include "eval/bootstrap.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "tests/unit/support.h"
#include "tests/unit/support_eval.h"

#include <math.h>

enum { PICTURES = 6, CLASSES = 2, SAMPLES = 40, SEED = 11, OBJECTS = 7, FOUND = 9 };

/* A square of 10 x 10 pixels. */
typedef struct {
    size_t picture, category;
    double x, score; /* score: of detections */
} square;

/* Class 1 is in two pictures, class 0 in five of six. */
static const square objects[OBJECTS] = {{0, 0, 0, 0}, {1, 0, 0, 0}, {1, 1, 20, 0}, {2, 0, 0, 0},
                                        {3, 0, 0, 0}, {4, 1, 0, 0}, {5, 0, 0, 0}};
static const square found[FOUND] = {{0, 0, 0, .95}, {0, 1, 0, .9},  {1, 0, 3, .8},
                                    {1, 1, 21, .7}, {2, 0, 1, .65}, {3, 0, 40, .6},
                                    {4, 0, 0, .5},  {4, 1, 0, .4},  {5, 0, 0, .3}};

/* The set of these pictures, of which one may be listed several times. */
static test_set *make_set(const size_t *pictures, size_t count)
{
    test_set *set = test_set_begin(DET_BOX_SIZED, count, CLASSES);
    for (size_t p = 0; p < count; p++) {
        for (size_t i = 0; i < OBJECTS; i++)
            if (objects[i].picture == pictures[p])
                test_set_object(set, p, objects[i].category, objects[i].x, 0, 10, 10);
        for (size_t i = 0; i < FOUND; i++) {
            if (found[i].picture != pictures[p]) continue;
            test_set_found(set, (uint32_t)p, found[i].score, found[i].x, 0, 10, 10);
            set->found[set->results.object_count - 1].category = (uint32_t)found[i].category;
        }
    }
    return set;
}

static test_set *make_whole_set(void)
{
    static const size_t all[PICTURES] = {0, 1, 2, 3, 4, 5};
    return make_set(all, PICTURES);
}

/* AP of the classes and of their mean in each sample, by evaluating it. */
static void evaluate_samples(det_metric metric, double values[CLASSES + 1][SAMPLES])
{
    for (size_t s = 0; s < SAMPLES; s++) {
        det_random random = det_random_create(SEED, s);
        size_t drawn[PICTURES];
        for (size_t i = 0; i < PICTURES; i++) drawn[i] = det_random_below(&random, PICTURES);
        det_evaluation *e = test_evaluate_kept(make_set(drawn, PICTURES), metric);
        for (size_t c = 0; c < CLASSES; c++) values[c][s] = e->classes[c].figures.ap;
        values[CLASSES][s] = e->mean.ap;
        det_evaluation_free(e);
    }
}

static void samples_are_what_their_pictures_give(void **state)
{
    (void)state;
    const det_metric metrics[] = {DET_METRIC_COCO, DET_METRIC_VOC10};
    for (int m = 0; m < 2; m++) {
        double expected[CLASSES + 1][SAMPLES];
        det_resamples r = {0};
        det_error error = {0};
        size_t missing = 0;
        evaluate_samples(metrics[m], expected);
        det_evaluation *e = test_evaluate_kept(make_whole_set(), metrics[m]);
        test_assert_ok(det_evaluation_resample(e, NULL, SAMPLES, SEED, NULL, &r, &error), &error);
        for (size_t c = 0; c <= CLASSES; c++)
            for (size_t s = 0; s < SAMPLES; s++) {
                test_assert_figure(det_resamples_of(&r, c)[s], expected[c][s]);
                missing += isnan(expected[c][s]) ? 1 : 0;
            }
        assert_true(missing > 0); /* class 1: (4 / 6)^6 = 9 % of samples do not show it */
        det_free(r.values);
        det_evaluation_free(e);
    }
}

/* Of the values 0, .1, ... 1 the share .025 lies at .25 of the first step, .975 at .75 of the last:
 * .025 and .975. One of eleven is not above 0. A value that does not exist does not count. */
static void an_interval_reaches_from_quantile_to_quantile(void **state)
{
    (void)state;
    double values[] = {.5, .3, 1, (double)NAN, .1, .7, .9, 0, .2, .8, .4, .6};
    const det_interval interval = det_interval_make(.4, values, 12);
    test_assert_figure(interval.value, .4);
    test_assert_figure(interval.low, .025);
    test_assert_figure(interval.high, .975);
    test_assert_figure(interval.above_zero, 10. / 11);
    assert_int_equal(interval.samples, 11);
}

static void classes_have_the_intervals_of_their_own_samples(void **state)
{
    (void)state;
    double values[CLASSES + 1][SAMPLES];
    det_interval classes[CLASSES], mean;
    det_error error = {0};
    evaluate_samples(DET_METRIC_VOC10, values);
    det_evaluation *e = test_evaluate_kept(make_whole_set(), DET_METRIC_VOC10);
    test_assert_ok(det_evaluation_bootstrap_classes(e, NULL, SAMPLES, SEED, NULL, classes, &error),
                   &error);
    test_assert_ok(det_evaluation_bootstrap(e, NULL, SAMPLES, SEED, NULL, &mean, &error), &error);
    for (size_t c = 0; c <= CLASSES; c++) {
        const det_interval *got = c < CLASSES ? &classes[c] : &mean;
        const det_interval expected = det_interval_make(
            c < CLASSES ? e->classes[c].figures.ap : e->mean.ap, values[c], SAMPLES);
        test_assert_figure(got->value, expected.value);
        test_assert_figure(got->low, expected.low);
        test_assert_figure(got->high, expected.high);
        assert_int_equal(got->samples, expected.samples);
    }
    assert_true(classes[1].samples < SAMPLES && classes[0].samples == SAMPLES);
    det_evaluation_free(e);
}

/* Class 0 is found by the same detections in both, class 1 by none of the second. */
static void differences_of_classes_are_paired(void **state)
{
    (void)state;
    det_interval alone[CLASSES], less[CLASSES];
    det_error error = {0};
    const test_set *set = make_whole_set();
    det_detected_object first[FOUND];
    det_results some = set->results;
    some.object_count = 0;
    some.objects = first;
    for (size_t i = 0; i < set->results.object_count; i++)
        if (set->found[i].category == 0) first[some.object_count++] = set->found[i];
    const det_eval_options options = {.metric = DET_METRIC_VOC10, .keep_matches = true};
    det_evaluation *e = test_evaluate_kept(set, DET_METRIC_VOC10), *other = NULL;
    test_assert_ok(det_evaluate(&set->annotations, &some, &options, NULL, &other, &error), &error);
    test_assert_ok(det_evaluation_bootstrap_classes(e, NULL, SAMPLES, SEED, NULL, alone, &error),
                   &error);
    test_assert_ok(det_evaluation_bootstrap_classes(e, other, SAMPLES, SEED, NULL, less, &error),
                   &error);
    test_assert_figure(less[0].value, 0);
    test_assert_figure(less[0].low, 0);
    test_assert_figure(less[0].high, 0);
    test_assert_figure(less[1].value, alone[1].value);
    test_assert_figure(less[1].low, alone[1].low);
    test_assert_figure(less[1].high, alone[1].high);
    det_evaluation_free(other);
    det_evaluation_free(e);
}

#ifdef DET_FAULT_INJECTION
static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    det_interval classes[CLASSES];
    det_evaluation *e = test_evaluate_kept(make_whole_set(), DET_METRIC_VOC10);
    const det_run run = {.threads = 1};
    for (uint64_t nth = 1;; nth++) {
        det_error error = {0};
        det_memory_fail_at(nth);
        const det_status status =
            det_evaluation_bootstrap_classes(e, e, 3, SEED, &run, classes, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
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
        cmocka_unit_test(samples_are_what_their_pictures_give),
        cmocka_unit_test(an_interval_reaches_from_quantile_to_quantile),
        cmocka_unit_test(classes_have_the_intervals_of_their_own_samples),
        cmocka_unit_test(differences_of_classes_are_paired),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(every_failing_allocation_is_reported),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
