/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "src/train/multibox_report.h"
#include "tests/unit/support_multibox.h"

#include <math.h>

enum { FOLDS = 5 };

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance)) fail_msg("%.9g is not %.9g", value, expected);
}

static det_multibox_report measure(const det_multibox_examples *examples,
                                   const det_multibox_fit_options *fit,
                                   det_multibox_report_options options)
{
    int folds[TEST_PICTURES];
    for (size_t i = 0; i < examples->picture_count; i++) folds[i] = (int)i % FOLDS;
    options.folds = folds;
    options.fold_count = FOLDS;
    det_multibox_report report;
    det_error error = {0};
    test_assert_ok(det_multibox_measure(examples, fit, &options, NULL, &report, &error), &error);
    return report;
}

/* Objects are anywhere: one box at a prior finds few, a head that knows nearly all. What it knows
 * holds for a class that it never saw. */
static void a_head_that_learned_places_is_better(void **state)
{
    (void)state;
    const test_pictures *t = test_pictures_make(1, true);
    det_multibox_report report = measure(&t->examples, &(det_multibox_fit_options){.priors = 20},
                                         (det_multibox_report_options){0});
    const det_multibox_comparison *all[] = {&report.pictures, &report.classes, &report.of_class[0],
                                            &report.of_class[1]};
    for (size_t i = 0; i < 4; i++) {
        assert_true(all[i]->better && all[i]->gain.low > .2);
        assert_int_equal(all[i]->object_count, TEST_PICTURES / (i < 2 ? 1 : TEST_CLASSES));
        assert_int_equal(all[i]->picture_count, all[i]->object_count);
        assert_int_equal(all[i]->count, 4);
        assert_int_equal(all[i]->at[0].boxes, 1);
        assert_int_equal(all[i]->at[3].boxes, 20);
        assert_near(all[i]->at[0].mean_boxes, 1, 0);
        assert_true(all[i]->at[0].recall > .5 && all[i]->at[0].control_recall < .1);
        assert_true(all[i]->at[0].overlap > .5 && all[i]->at[0].control_overlap < .2);
        assert_true(all[i]->at[0].gain.low > .4);
    }
    assert_true(report.pictures.at[0].recall > .95);
    assert_int_equal(report.class_count, TEST_CLASSES);
    det_multibox_report_free(&report);
}

static void a_head_of_noise_is_reported_as_no_better(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 2; seed++) {
        const test_pictures *t = test_pictures_make(seed, false);
        det_multibox_fit_options fit = {.priors = 20, .seed = seed};
        det_multibox_report report = measure(&t->examples, &fit, (det_multibox_report_options){0});
        assert_false(report.pictures.better || report.classes.better);
        assert_near(report.pictures.gain.value, 0, .05);
        det_multibox_report_free(&report);
        /* Nor one that believes all that it sees. */
        fit.l2_locations = fit.l2_logits = 1e-4;
        report = measure(&t->examples, &fit, (det_multibox_report_options){0});
        assert_false(report.pictures.better || report.classes.better);
        assert_true(report.pictures.gain.low <= 0);
        det_multibox_report_free(&report);
    }
}

/* ---- By hand ---- */

/* Six pictures without features worth the name. Four show class 0 at the left; two show class 1, at
 * the right and, in one of them, an object of class 0 at the left, too. */
static const float left[4] = {0, 0, .4F, 1}, right[4] = {.6F, 0, 1, 1};
static const size_t few_first[] = {0, 1, 2, 3, 4, 5, 7};
static const uint32_t few_classes[] = {0, 0, 0, 0, 1, 0, 1};

static det_multibox_examples few(float corners[7][4])
{
    static const float features[6] = {0};
    for (size_t i = 0; i < 7; i++)
        for (size_t j = 0; j < 4; j++) corners[i][j] = few_classes[i] == 0 ? left[j] : right[j];
    return (det_multibox_examples){.count = 6,
                                   .width = 1,
                                   .features = features,
                                   .picture_count = 6,
                                   .first_object = few_first,
                                   .corners = (const float(*)[4])corners,
                                   .classes = few_classes};
}

static det_multibox_report measure_few(const det_multibox_examples *examples,
                                       const det_multibox_report_options *options, const int *folds)
{
    const double never = (double)INFINITY;
    det_multibox_report_options all = *options;
    all.folds = folds;
    all.fold_count = 3;
    det_multibox_report report;
    det_error error = {0};
    test_assert_ok(
        det_multibox_measure(examples,
                             &(det_multibox_fit_options){.l2_locations = never, .l2_logits = never},
                             &all, NULL, &report, &error),
        &error);
    return report;
}

/* Beside the heads, which are their priors here and have the left place first, stands a method that
 * has the right one first, and nothing of the first picture. One box of it: 2 of 7 objects; two:
 * all but that of the first picture. By turns it begins, and where it has nothing the head is
 * alone. */
static void another_method_is_measured_beside_and_by_turns(void **state)
{
    (void)state;
    enum { pictures = 6, regions = 2 * (pictures - 1) };
    float corners[7][4], beside[regions][4];
    const det_multibox_examples examples = few(corners);
    const size_t boxes[] = {1, 2}, first[pictures + 1] = {0, 0, 2, 4, 6, 8, regions};
    for (size_t i = 0; i < regions; i++)
        for (size_t j = 0; j < 4; j++) beside[i][j] = i % 2 == 0 ? right[j] : left[j];
    const det_multibox_report_options options = {.boxes = boxes,
                                                 .box_counts = 2,
                                                 .beside = (const float(*)[4])beside,
                                                 .first_beside = first};
    det_multibox_report report = measure_few(&examples, &options, (const int[]){0, 0, 1, 1, 2, 0});
    const det_multibox_recall *at = report.pictures.at;
    assert_near(at[0].recall, 5. / 7, 1e-9);
    assert_near(at[0].beside_recall, 2. / 7, 1e-9);
    assert_near(at[0].both_recall, 3. / 7, 1e-9);
    assert_near(at[1].beside_recall, 6. / 7, 1e-9);
    assert_near(at[1].both_recall, 1, 1e-9);
    det_multibox_report_free(&report);

    const det_multibox_report_options alone = {.boxes = boxes, .box_counts = 2};
    report = measure_few(&examples, &alone, (const int[]){0, 0, 1, 1, 2, 0});
    assert_true(isnan(report.pictures.at[0].beside_recall));
    assert_true(isnan(report.pictures.at[0].both_recall));
    det_multibox_report_free(&report);
}

/* One box, always the left one, which is more frequent in each fold: 5 of 7 objects. Two boxes: all
 * but those whose place was not learned. With classes 0 and 1 in the folds 0, 0, 1, 1, 2, 2 the
 * last fold, with all of class 1, has a head with the left prior alone: 5 of 7 again. */
static void recall_is_counted_over_objects(void **state)
{
    (void)state;
    float corners[7][4];
    const det_multibox_examples examples = few(corners);
    const size_t boxes[] = {1, 2};
    const det_multibox_report_options options = {.boxes = boxes, .box_counts = 2};
    det_multibox_report report = measure_few(&examples, &options, (const int[]){0, 0, 1, 1, 2, 2});
    assert_int_equal(report.pictures.object_count, 7);
    assert_int_equal(report.pictures.picture_count, 6);
    for (size_t b = 0; b < 2; b++) {
        assert_near(report.pictures.at[b].recall, 5. / 7, 1e-9);
        assert_near(report.pictures.at[b].control_recall, 5. / 7, 1e-9);
        assert_near(report.pictures.at[b].overlap, 5. / 7, 1e-6);
        assert_near(report.pictures.at[b].gain.value, 0, 0);
    }
    assert_near(report.pictures.at[1].mean_boxes, 10. / 6, 1e-9); /* 2, 2, 2, 2, 1, 1 */
    assert_false(report.pictures.better);
    det_multibox_report_free(&report);
    /* With the two in different folds both places are known: one box 5 of 7, two boxes all. */
    report = measure_few(&examples, &options, (const int[]){0, 0, 1, 1, 2, 0});
    assert_near(report.pictures.at[0].recall, 5. / 7, 1e-9);
    assert_near(report.pictures.at[1].recall, 1, 1e-9);
    det_multibox_report_free(&report);
}

/* Class 0 is learned from picture 4, all that does not show it, and its five objects are missed;
 * class 1 from pictures 0 to 3. */
static void a_class_is_left_out_with_its_pictures(void **state)
{
    (void)state;
    float corners[7][4];
    const det_multibox_examples examples = few(corners);
    const int folds[] = {0, 1, 2, 0, 1, 2};
    const det_multibox_report_options options = {0};
    det_multibox_report report = measure_few(&examples, &options, folds);
    assert_int_equal(report.of_class[0].object_count, 5);
    assert_int_equal(report.of_class[0].picture_count, 5);
    assert_near(report.of_class[0].at[0].recall, 0, 0);
    assert_int_equal(report.of_class[1].object_count, 2);
    assert_near(report.of_class[1].at[0].recall, 0, 0);
    assert_int_equal(report.classes.object_count, 7);
    assert_int_equal(report.classes.picture_count, 6);
    assert_near(report.classes.at[0].mean_boxes, 1, 0); /* looked at twice where both are shown */
    det_multibox_report_free(&report);
    report = measure_few(&examples, &(det_multibox_report_options){.most_classes = 1}, folds);
    assert_int_equal(report.of_class[0].object_count, 5);
    assert_int_equal(report.of_class[1].object_count, 0);
    assert_null(report.of_class[1].at);
    det_multibox_report_free(&report);
}

/* Nothing can be learned without it. */
static void a_class_in_every_picture_is_not_measured(void **state)
{
    (void)state;
    float corners[7][4];
    det_multibox_examples examples = few(corners);
    const uint32_t classes[7] = {0};
    examples.classes = classes;
    det_multibox_report report =
        measure_few(&examples, &(det_multibox_report_options){0}, (const int[]){0, 1, 2, 0, 1, 2});
    assert_int_equal(report.class_count, 1);
    assert_int_equal(report.classes.object_count, 0);
    assert_null(report.classes.at);
    assert_false(report.classes.better);
    assert_int_equal(report.pictures.object_count, 7);
    det_multibox_report_free(&report);
}

/* Rows after the first of a picture are learned from and not measured. */
static void mirrored_rows_are_not_measured(void **state)
{
    (void)state;
    float corners[7][4];
    det_multibox_examples examples = few(corners);
    const size_t pictures[] = {0, 0, 1, 1, 2, 2};
    examples.pictures = pictures;
    examples.picture_count = 3;
    det_multibox_report report =
        measure_few(&examples, &(det_multibox_report_options){0}, (const int[]){0, 1, 2});
    assert_int_equal(report.pictures.object_count, 3);
    assert_int_equal(report.pictures.picture_count, 3);
    assert_near(report.pictures.at[0].recall, 2. / 3, 1e-9); /* the third shows the right place */
    det_multibox_report_free(&report);
}

/* ---- What can go wrong ---- */

static void one_fold_is_refused(void **state)
{
    (void)state;
    float corners[7][4];
    const det_multibox_examples examples = few(corners);
    const det_multibox_report_options options = {.folds = (const int[6]){0}, .fold_count = 1};
    det_multibox_report report;
    det_error error = {0};
    test_assert_error(det_multibox_measure(&examples, &(det_multibox_fit_options){0}, &options,
                                           NULL, &report, &error),
                      DET_ARGUMENT, &error, "1 folds");
    det_multibox_report_free(&report);
    det_multibox_report_free(NULL);
}

static bool stop_at(void *context, uint64_t done, uint64_t total)
{
    assert_int_equal(total, 5); /* three folds, two classes */
    assert_true(done < total);
    return done < *(uint64_t *)context;
}

static void it_can_be_cancelled(void **state)
{
    (void)state;
    float corners[7][4];
    const det_multibox_examples examples = few(corners);
    const det_multibox_report_options options = {.folds = (const int[]){0, 1, 2, 0, 1, 2},
                                                 .fold_count = 3};
    for (uint64_t at = 0; at < 5; at++) {
        const det_run run = {.progress = stop_at, .progress_context = &at};
        det_multibox_report report;
        det_error error = {0};
        test_assert_error(det_multibox_measure(&examples, &(det_multibox_fit_options){0}, &options,
                                               &run, &report, &error),
                          DET_CANCELLED, &error, "cancelled");
        det_multibox_report_free(&report);
    }
}

#ifdef DET_FAULT_INJECTION
static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    float corners[7][4];
    const det_multibox_examples examples = few(corners);
    const det_multibox_report_options options = {
        .folds = (const int[]){0, 1, 2, 0, 1, 2}, .fold_count = 3, .samples = 3};
    const det_multibox_fit_options fit = {.l2_locations = 1, .l2_logits = 1, .iterations = 1};
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        det_multibox_report report;
        det_memory_fail_at(nth);
        const det_status status =
            det_multibox_measure(&examples, &fit, &options, NULL, &report, NULL);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        det_multibox_report_free(&report);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_that_learned_places_is_better),
        cmocka_unit_test(a_head_of_noise_is_reported_as_no_better),
        cmocka_unit_test(recall_is_counted_over_objects),
        cmocka_unit_test(another_method_is_measured_beside_and_by_turns),
        cmocka_unit_test(a_class_is_left_out_with_its_pictures),
        cmocka_unit_test(a_class_in_every_picture_is_not_measured),
        cmocka_unit_test(mirrored_rows_are_not_measured),
        cmocka_unit_test(one_fold_is_refused),
        cmocka_unit_test(it_can_be_cancelled),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(a_failing_allocation_is_reported),
#endif
    };
    return cmocka_run_group_tests_name("MultiBox: how good heads are", tests, NULL, NULL);
}
