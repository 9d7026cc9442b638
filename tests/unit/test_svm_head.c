/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/train/svm_head.h"
#include "tests/unit/support.h"

#include <math.h>
#include <string.h>

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance)) fail_msg("%.9g is not %.9g", value, expected);
}

/* ---- Rows of a matrix ---- */

typedef struct {
    size_t width;
    const float *values;
} matrix;

static void read_matrix(const void *context, size_t row, float *features)
{
    const matrix *m = context;
    memcpy(features, m->values + row * m->width, m->width * sizeof *features);
}

static det_feature_rows rows_of(const matrix *m, size_t count)
{
    return (det_feature_rows){count, m->width, read_matrix, m};
}

/* Features are kept in 8 bits, each region with a factor: 2 and 4 times .5, then 3 and 0 times 10.
 */
static void rows_of_a_training_set_are_its_features(void **state)
{
    (void)state;
    const uint8_t values[] = {9, 9, 2, 4, 3, 0};
    const float scales[] = {1, .5F, 10};
    det_training_image image = {
        .features = {.count = 3, .width = 2, .scales = scales, .values = values}};
    const det_training_set set = {.images = &image, .image_count = 1, .width = 2};
    const det_set_rows list = {&set, (const det_row[]){{0, 1}, {0, 2}}, 2};
    const det_feature_rows rows = det_rows_of_set(&list);
    float features[2][2];
    assert_int_equal(rows.count, 2);
    for (size_t i = 0; i < 2; i++) rows.read(rows.context, i, features[i]);
    assert_memory_equal(features, ((const float[2][2]){{1, 2}, {30, 0}}), sizeof features);
}

/* ---- By hand ---- */

/* One feature, 1 and -1, whose norm is to stay 1; the constant feature is 1, too. */
static const matrix two_points = {1, (const float[]){1, -1}};
static const det_svm_examples first_against_second = {(const uint32_t[]){0}, 1,
                                                      (const uint32_t[]){1}, 1, 0};

static void fit_two_points(double c, double positive_weight, float *weight, float *bias)
{
    const det_feature_rows rows = rows_of(&two_points, 2);
    const det_svm_options options = {
        .c = c, .positive_weight = positive_weight, .bias = 1, .norm = 1, .tolerance = 1e-6};
    det_error error = {0};
    test_assert_ok(det_fit_svms(&rows, &first_against_second, 1, &options, NULL,
                                &(det_svm_results){.weights = weight, .biases = bias}, &error),
                   &error);
}

/* w + b >= 1 and w - b >= 1: w = 1, b = 0. */
static void a_large_c_gives_the_widest_margin(void **state)
{
    (void)state;
    float weight, bias;
    fit_two_points(100, 1, &weight, &bias);
    assert_near(weight, 1, 1e-5);
    assert_near(bias, 0, 1e-5);
}

/* Both alphas at their bound .25: w = .5. */
static void a_small_c_bounds_what_an_example_contributes(void **state)
{
    (void)state;
    float weight, bias;
    fit_two_points(.25, 1, &weight, &bias);
    assert_near(weight, .5, 1e-6);
    assert_near(bias, 0, 1e-6);
}

/* Bounds .2 and .1: w = .2 + .1, b = .2 - .1. */
static void a_positive_example_weighs_more(void **state)
{
    (void)state;
    float weight, bias;
    fit_two_points(.1, 2, &weight, &bias);
    assert_near(weight, .3, 1e-6);
    assert_near(bias, .1, 1e-6);
}

/* Norms 10 and 30 are scaled by 1: to 20 on average. Scaled by a tenth the features give ten times
 * the weights: the scores stay. */
static void the_size_of_features_makes_no_difference(void **state)
{
    (void)state;
    const matrix large = {2, (const float[]){6, 8, -18, 24}};
    const matrix small = {2, (const float[]){.6F, .8F, -1.8F, 2.4F}};
    const det_feature_rows rows[] = {rows_of(&large, 2), rows_of(&small, 2)};
    float weights[2][2], biases[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            det_fit_svms(&rows[i], &first_against_second, 1, NULL, NULL,
                         &(det_svm_results){.weights = weights[i], .biases = &biases[i]}, NULL),
            DET_OK);
    assert_near(weights[1][0], 10 * weights[0][0], 1e-5);
    assert_near(weights[1][1], 10 * weights[0][1], 1e-5);
    assert_near(biases[1], biases[0], 1e-6);
    assert_true(6 * weights[0][0] + 8 * weights[0][1] + biases[0] >
                -18 * weights[0][0] + 24 * weights[0][1] + biases[0]);
}

/* ---- Against a plain method ---- */

enum { POINTS = 120, WIDTH = 19, POSITIVES = 40 };

typedef struct {
    float values[POINTS * WIDTH];
    uint32_t positives[POSITIVES], negatives[POINTS - POSITIVES];
    matrix m;
    det_feature_rows rows;
    det_svm_examples examples;
} random_set;

/* Two clouds that overlap. */
static const random_set *make_random_set(void)
{
    static random_set set;
    det_random random = det_random_create(5, 0);
    for (size_t i = 0; i < POINTS; i++) {
        for (size_t j = 0; j < WIDTH; j++)
            set.values[i * WIDTH + j] =
                (float)(det_random_double(&random) - .5) + (i < POSITIVES && j < 3 ? .25F : 0);
        if (i < POSITIVES)
            set.positives[i] = (uint32_t)i;
        else
            set.negatives[i - POSITIVES] = (uint32_t)i;
    }
    set.m = (matrix){WIDTH, set.values};
    set.rows = rows_of(&set.m, POINTS);
    set.examples =
        (det_svm_examples){set.positives, POSITIVES, set.negatives, POINTS - POSITIVES, 0};
    return &set;
}

static const det_svm_options precise = {.c = .02, .bias = 3, .tolerance = 1e-5, .rounds = 100000};

/* The product of two examples of the dual, signs included. */
static double product(const float *rows, size_t a, size_t b, double bias)
{
    double sum = bias * bias;
    for (size_t j = 0; j < WIDTH; j++)
        sum += (double)rows[a * WIDTH + j] * (double)rows[b * WIDTH + j];
    return (a < POSITIVES) == (b < POSITIVES) ? sum : -sum;
}

/* Projected gradient descent on the dual in double. */
static void fit_plainly(const random_set *set, double weights[WIDTH], double *bias)
{
    static double q[POINTS][POINTS];
    double mean = 0, trace = 0, alphas[POINTS] = {0}, gradient[POINTS];
    float scaled[POINTS * WIDTH];
    for (size_t i = 0; i < POINTS; i++) mean += sqrt(product(set->values, i, i, 0)) / POINTS;
    const double scale = 20 / mean;
    for (size_t i = 0; i < (size_t)POINTS * WIDTH; i++) scaled[i] = (float)(set->values[i] * scale);
    for (size_t i = 0; i < POINTS; i++) {
        for (size_t j = 0; j < POINTS; j++) q[i][j] = product(scaled, i, j, precise.bias);
        trace += q[i][i];
    }
    for (int round = 0; round < 100000; round++) {
        for (size_t i = 0; i < POINTS; i++) {
            gradient[i] = -1;
            for (size_t j = 0; j < POINTS; j++) gradient[i] += q[i][j] * alphas[j];
        }
        for (size_t i = 0; i < POINTS; i++)
            alphas[i] = fmin(fmax(alphas[i] - 3 * gradient[i] / trace, 0),
                             i < POSITIVES ? 2 * precise.c : precise.c);
    }
    memset(weights, 0, WIDTH * sizeof *weights);
    *bias = 0;
    for (size_t i = 0; i < POINTS; i++) {
        const double share = i < POSITIVES ? alphas[i] : -alphas[i];
        for (size_t j = 0; j < WIDTH; j++)
            weights[j] += share * scale * (double)scaled[i * WIDTH + j];
        *bias += share * precise.bias * precise.bias;
    }
}

static void assert_plain_result(const random_set *set, const float *weights, float bias)
{
    static double expected[WIDTH], expected_bias;
    static bool done;
    if (!done) fit_plainly(set, expected, &expected_bias);
    done = true;
    for (size_t j = 0; j < WIDTH; j++) assert_near(weights[j], expected[j], 2e-3);
    assert_near(bias, expected_bias, 2e-3);
}

static void it_finds_what_projected_gradient_descent_finds(void **state)
{
    (void)state;
    const random_set *set = make_random_set();
    float weights[WIDTH], bias;
    det_svm_report report;
    assert_int_equal(det_fit_svms(&set->rows, &set->examples, 1, &precise, NULL,
                                  &(det_svm_results){weights, &bias, &report}, NULL),
                     DET_OK);
    assert_int_equal(report.trainings, 1);
    assert_int_equal(report.added, POINTS - POSITIVES); /* all are hard for a machine of zeros */
    assert_int_equal(report.kept, POINTS - POSITIVES);
    assert_plain_result(set, weights, bias);
}

/* ---- Hard negatives ---- */

/* Candidates that come again and again in blocks: the set many times over, as rows of their own. */
enum { COPIES = 10 };
static uint32_t copies[COPIES * (POINTS - POSITIVES)];

static void read_copy(const void *context, size_t row, float *features)
{
    const matrix *m = context;
    read_matrix(m, row % POINTS, features);
}

/* Ten negatives of each place: only those on the margin or beyond it are wanted, and what a machine
 * has been trained on is dropped once it is easy. */
static void easy_negatives_are_neither_taken_nor_kept(void **state)
{
    (void)state;
    const random_set *set = make_random_set();
    for (size_t i = 0; i < sizeof copies / sizeof *copies; i++)
        copies[i] =
            (uint32_t)(i / (POINTS - POSITIVES) * POINTS + POSITIVES + i % (POINTS - POSITIVES));
    const det_feature_rows rows = {COPIES * (size_t)POINTS, WIDTH, read_copy, &set->m};
    const det_svm_examples examples = {set->positives, POSITIVES, copies,
                                       sizeof copies / sizeof *copies, 0};
    det_svm_options options = precise;
    options.retrain_every = 100;
    float weights[WIDTH], bias;
    det_svm_report report;
    assert_int_equal(det_fit_svms(&rows, &examples, 1, &options, NULL,
                                  &(det_svm_results){weights, &bias, &report}, NULL),
                     DET_OK);
    assert_true(report.trainings > 1);
    assert_true(report.added < sizeof copies / sizeof *copies);
    assert_true(report.kept < report.added);
}

/* Easy negatives have no part in the machine, so that passes enough lead to the same one. */
static void training_again_and_again_leads_to_the_same_machine(void **state)
{
    (void)state;
    const random_set *set = make_random_set();
    det_svm_options options = precise;
    options.retrain_every = 1;
    options.passes = 6;
    float weights[WIDTH], bias;
    assert_int_equal(det_fit_svms(&set->rows, &set->examples, 1, &options, NULL,
                                  &(det_svm_results){.weights = weights, .biases = &bias}, NULL),
                     DET_OK);
    assert_plain_result(set, weights, bias);
}

static void threads_change_nothing(void **state)
{
    (void)state;
    const random_set *set = make_random_set();
    const det_svm_examples classes[] = {
        set->examples,
        {set->negatives, POINTS - POSITIVES, set->positives, POSITIVES, 0},
        {set->positives, 3, set->negatives, 20, 0}};
    float weights[2][3 * WIDTH], biases[2][3];
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            det_fit_svms(&set->rows, classes, 3, NULL, &(det_run){.threads = i == 0 ? 1 : 3},
                         &(det_svm_results){.weights = weights[i], .biases = biases[i]}, NULL),
            DET_OK);
    assert_memory_equal(weights[0], weights[1], sizeof weights[0]);
    assert_memory_equal(biases[0], biases[1], sizeof biases[0]);
}

/* No positive example: every score is to be -1. No example at all: zeros. */
static void a_class_may_lack_examples(void **state)
{
    (void)state;
    const det_feature_rows rows = rows_of(&two_points, 2);
    const det_svm_examples classes[] = {{NULL, 0, (const uint32_t[]){0, 1}, 2, 0},
                                        {(const uint32_t[]){0, 1}, 2, NULL, 0, 0},
                                        {NULL, 0, NULL, 0, 0}};
    const det_svm_options options = {.c = 10, .tolerance = 1e-6};
    float weights[3], biases[3];
    assert_int_equal(det_fit_svms(&rows, classes, 3, &options, NULL,
                                  &(det_svm_results){.weights = weights, .biases = biases}, NULL),
                     DET_OK);
    const float scores[] = {-1, 1, 0};
    for (int i = 0; i < 3; i++) {
        assert_near(weights[i], 0, 1e-5);
        assert_near(biases[i], scores[i], 1e-5);
    }
}

/* ---- What can go wrong ---- */

static void options_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    const det_svm_options wrong[] = {{.c = -1},         {.positive_weight = (double)NAN},
                                     {.bias = -1},      {.norm = -1},
                                     {.tolerance = -1}, {.passes = -1},
                                     {.rounds = -1}};
    const det_feature_rows rows = rows_of(&two_points, 2);
    float weight, bias;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        det_error error = {0};
        test_assert_error(det_fit_svms(&rows, &first_against_second, 1, &wrong[i], NULL,
                                       &(det_svm_results){.weights = &weight, .biases = &bias},
                                       &error),
                          DET_ARGUMENT, &error, "must be above 0");
    }
}

static bool stop_at_once(void *context, uint64_t done, uint64_t total)
{
    (void)done;
    return ++*(uint64_t *)context < total;
}

static void it_can_be_cancelled(void **state)
{
    (void)state;
    const random_set *set = make_random_set();
    const det_svm_examples classes[] = {set->examples, set->examples, set->examples};
    uint64_t calls = 0;
    const det_run run = {.progress = stop_at_once, .progress_context = &calls, .threads = 2};
    float weights[3 * WIDTH], biases[3];
    det_error error = {0};
    test_assert_error(det_fit_svms(&set->rows, classes, 3, &precise, &run,
                                   &(det_svm_results){.weights = weights, .biases = biases},
                                   &error),
                      DET_CANCELLED, &error, "cancelled");
    assert_int_equal(calls, 3);
}

#ifdef DET_FAULT_INJECTION
static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    const random_set *set = make_random_set();
    const det_svm_examples classes[] = {set->examples, set->examples};
    float weights[2 * WIDTH], biases[2];
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        det_memory_fail_at(nth);
        const det_status status =
            det_fit_svms(&set->rows, classes, 2, NULL, &(det_run){.threads = 1},
                         &(det_svm_results){.weights = weights, .biases = biases}, NULL);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_a_training_set_are_its_features),
        cmocka_unit_test(a_large_c_gives_the_widest_margin),
        cmocka_unit_test(a_small_c_bounds_what_an_example_contributes),
        cmocka_unit_test(a_positive_example_weighs_more),
        cmocka_unit_test(the_size_of_features_makes_no_difference),
        cmocka_unit_test(it_finds_what_projected_gradient_descent_finds),
        cmocka_unit_test(easy_negatives_are_neither_taken_nor_kept),
        cmocka_unit_test(training_again_and_again_leads_to_the_same_machine),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(a_class_may_lack_examples),
        cmocka_unit_test(options_that_make_no_sense_are_refused),
        cmocka_unit_test(it_can_be_cancelled),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(a_failing_allocation_is_reported),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
