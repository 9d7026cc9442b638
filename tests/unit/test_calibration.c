/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/train/calibration.h"
#include "tests/unit/support.h"

#include <math.h>

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance)) fail_msg("%.9g is not %.9g", value, expected);
}

/* ---- Temperature ---- */

/* Outputs (2, 0), right three times of four: softmax(2 / T, 0) is to give 3/4, so 2 / T = ln 3. */
static void a_temperature_makes_the_mean_probability_the_share_that_is_right(void **state)
{
    (void)state;
    const float outputs[] = {2, 0, 2, 0, 2, 0, 2, 0};
    assert_near(det_fit_temperature(outputs, (size_t[]){0, 0, 1, 0}, 4, 2), 2 / log(3), 1e-8);
}

/* Outputs (a, 0, 0), right half of the time: e^x / (e^x + 2) = 1/2 where x = a / T = ln 2. */
static void a_temperature_takes_all_classes_into_account(void **state)
{
    (void)state;
    const float outputs[] = {3, 0, 0, 3, 0, 0};
    assert_near(det_fit_temperature(outputs, (size_t[]){0, 2}, 2, 3), 3 / log(2), 1e-8);
}

static void a_temperature_keeps_within_its_limits(void **state)
{
    (void)state;
    const float outputs[] = {2, 0, 0, 5}, equal[] = {7, 7};
    assert_near(det_fit_temperature(outputs, (size_t[]){0, 1}, 2, 2), DET_TEMPERATURE_MIN, 1e-8);
    assert_near(det_fit_temperature(outputs, (size_t[]){1, 0}, 2, 2), DET_TEMPERATURE_MAX, 1e-6);
    assert_near(det_fit_temperature(equal, (size_t[]){1}, 1, 2), 1, 0);
    assert_near(det_fit_temperature(NULL, NULL, 0, 2), 1, 0);
}

static void outputs_far_apart_give_a_finite_temperature(void **state)
{
    (void)state;
    const float outputs[] = {1e30F, -1e30F, 1e30F, -1e30F, 1, 0};
    const double t = det_fit_temperature(outputs, (size_t[]){0, 0, 1}, 3, 2);
    assert_true(t >= DET_TEMPERATURE_MIN && t <= DET_TEMPERATURE_MAX);
}

enum { EXAMPLES = 500, CLASSES = 4 };

/* Labels drawn from softmax(outputs / 1.7). */
static void draw_labels(float *outputs, size_t *labels)
{
    det_random random = det_random_create(3, 1);
    for (size_t i = 0; i < EXAMPLES; i++) {
        double sum = 0, shares[CLASSES];
        for (size_t c = 0; c < CLASSES; c++) {
            outputs[i * CLASSES + c] = (float)(8 * det_random_double(&random) - 4);
            sum += shares[c] = exp((double)outputs[i * CLASSES + c] / 1.7);
        }
        double left = sum * det_random_double(&random);
        labels[i] = 0;
        while (labels[i] < CLASSES - 1 && left > shares[labels[i]]) left -= shares[labels[i]++];
    }
}

static double loss_at(const float *outputs, const size_t *labels, double temperature)
{
    double loss = 0;
    for (size_t i = 0; i < EXAMPLES; i++) {
        double sum = 0;
        for (size_t c = 0; c < CLASSES; c++)
            sum += exp((double)outputs[i * CLASSES + c] / temperature);
        loss += log(sum) - (double)outputs[i * CLASSES + labels[i]] / temperature;
    }
    return loss;
}

static void no_temperature_beside_the_fitted_one_is_better(void **state)
{
    (void)state;
    static float outputs[EXAMPLES * CLASSES];
    static size_t labels[EXAMPLES];
    draw_labels(outputs, labels);
    const double t = det_fit_temperature(outputs, labels, EXAMPLES, CLASSES);
    assert_near(t, 1.7, .2);
    assert_true(loss_at(outputs, labels, t) < loss_at(outputs, labels, t * 1.0001));
    assert_true(loss_at(outputs, labels, t) < loss_at(outputs, labels, t / 1.0001));
}

/* ---- Sigmoid ---- */

/* 3 positive and 1 negative example at the same score: the aims are 4/5 and 1/3, their mean
 * (3 * 4/5 + 1/3) / 4 = 41/60. */
static void scores_that_tell_nothing_get_the_mean_of_the_aims(void **state)
{
    (void)state;
    const float scores[] = {0, 0, 0, 0};
    const det_sigmoid s = det_fit_sigmoid(scores, (bool[]){true, false, true, true}, 4);
    assert_near(det_sigmoid_probability(s, 0), 41. / 60, 1e-5);
}

/* At score 1 three of four are positive, at -1 one of four. Aims are 5/6 and 1/6, their means 2/3
 * and 1/3, so slope + offset = -ln 2 and -slope + offset = ln 2. */
static void two_scores_get_the_means_of_their_aims(void **state)
{
    (void)state;
    const float scores[] = {1, 1, 1, 1, -1, -1, -1, -1};
    const bool positive[] = {true, true, true, false, true, false, false, false};
    const det_sigmoid s = det_fit_sigmoid(scores, positive, 8);
    assert_near(s.slope, -log(2), 1e-5);
    assert_near(s.offset, 0, 1e-5);
    assert_near(det_sigmoid_probability(s, 1), 2. / 3, 1e-5);
    assert_near(det_sigmoid_probability(s, -1), 1. / 3, 1e-5);
}

/* The aims are below 1 and above 0, so a gap between the classes has a finite sigmoid: at -1 and 1,
 * 2/3 for the positive, 1/3 for the negative example. */
static void classes_with_a_gap_have_a_finite_sigmoid(void **state)
{
    (void)state;
    const float scores[] = {-1, 1};
    const det_sigmoid s = det_fit_sigmoid(scores, (bool[]){false, true}, 2);
    assert_near(s.slope, -log(2), 1e-4);
    assert_near(s.offset, 0, 1e-4);
}

static void a_single_class_or_no_example_has_the_probability_of_its_prior(void **state)
{
    (void)state;
    const det_sigmoid negative = det_fit_sigmoid((float[]){3, 3}, (bool[]){false, false}, 2);
    assert_near(det_sigmoid_probability(negative, 3), 1. / 4, 1e-5);
    const det_sigmoid none = det_fit_sigmoid(NULL, NULL, 0);
    assert_near(det_sigmoid_probability(none, 5), .5, 1e-12);
}

/* As an SVM's scores may be: large, with tiny differences between the classes. */
static void large_scores_neither_overflow_nor_stall(void **state)
{
    (void)state;
    float scores[200];
    bool positive[200];
    for (size_t i = 0; i < 200; i++) {
        positive[i] = i % 4 == 0;
        scores[i] = (positive[i] ? 1e4F : -1e4F) + (float)(i * 37 % 100) * 300;
    }
    const det_sigmoid s = det_fit_sigmoid(scores, positive, 200);
    assert_true(s.slope < 0);
    assert_true(det_sigmoid_probability(s, 4e4) > .9);
    assert_true(det_sigmoid_probability(s, -1e4) < .1);
    assert_near(det_sigmoid_probability(s, 1e300), 1, 0);
    assert_near(det_sigmoid_probability(s, -1e300), 0, 0);
}

/* ---- Calibration error ---- */

/* In tenths: .95 (true) and .85 (false) are alone in their bins: (.05 + .85) / 2. */
static void the_error_is_the_distance_within_each_bin(void **state)
{
    (void)state;
    assert_near(det_calibration_error((float[]){.95F, .85F}, (bool[]){true, false}, 2, 10), .45,
                1e-6);
}

/* .75 and .71 share a bin: their mean .73 against a half. */
static void examples_of_a_bin_make_up_for_one_another(void **state)
{
    (void)state;
    assert_near(det_calibration_error((float[]){.75F, .71F}, (bool[]){true, false}, 2, 10), .23,
                1e-6);
}

/* Of two bins the first holds 0 and .5, the second 1: |.5 - 1| + |1 - 1| over 3. */
static void a_bin_holds_its_upper_end(void **state)
{
    (void)state;
    const float probabilities[] = {0, .5F, 1};
    assert_near(det_calibration_error(probabilities, (bool[]){false, true, true}, 3, 2), .5 / 3,
                1e-12);
    assert_near(det_calibration_error(NULL, NULL, 0, DET_CALIBRATION_BINS_MAX), 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_temperature_makes_the_mean_probability_the_share_that_is_right),
        cmocka_unit_test(a_temperature_takes_all_classes_into_account),
        cmocka_unit_test(a_temperature_keeps_within_its_limits),
        cmocka_unit_test(outputs_far_apart_give_a_finite_temperature),
        cmocka_unit_test(no_temperature_beside_the_fitted_one_is_better),
        cmocka_unit_test(scores_that_tell_nothing_get_the_mean_of_the_aims),
        cmocka_unit_test(two_scores_get_the_means_of_their_aims),
        cmocka_unit_test(classes_with_a_gap_have_a_finite_sigmoid),
        cmocka_unit_test(a_single_class_or_no_example_has_the_probability_of_its_prior),
        cmocka_unit_test(large_scores_neither_overflow_nor_stall),
        cmocka_unit_test(the_error_is_the_distance_within_each_bin),
        cmocka_unit_test(examples_of_a_bin_make_up_for_one_another),
        cmocka_unit_test(a_bin_holds_its_upper_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
