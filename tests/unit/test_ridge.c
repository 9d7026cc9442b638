/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/train/ridge.h"
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

static void fit(const matrix *m, size_t count, const det_ridge_examples *examples,
                const det_ridge_options *options, float *weights, float *biases)
{
    const det_feature_rows rows = {count, m->width, read_matrix, m};
    det_ridge_examples all = *examples;
    det_error error = {0};
    all.rows = &rows;
    test_assert_ok(det_fit_ridge(&all, options, NULL, weights, biases, &error), &error);
}

static const bool all_seen[64] = {[0 ... 63] = true};

/* ---- By hand ---- */

/* x = 0, 1, 2 and y = 1, 3, 8: around the means 1 and 4 the products are 3 + 0 + 4 = 7, the squares
 * 2. w = 7 / (2 + lambda), b = 4 - w. */
static void a_line_is_found(void **state)
{
    (void)state;
    const matrix m = {1, (const float[]){0, 1, 2}};
    const det_ridge_examples examples = {NULL, (const float[]){1, 3, 8}, 1, all_seen, 1};
    float weight, bias;
    fit(&m, 3, &examples, &(det_ridge_options){.lambda = 1.5}, &weight, &bias);
    assert_near(weight, 2, 1e-6);
    assert_near(bias, 2, 1e-6);
    fit(&m, 3, &examples, &(det_ridge_options){.lambda = 1e-9}, &weight, &bias);
    assert_near(weight, 3.5, 1e-6);
    assert_near(bias, .5, 1e-6);
}

/* The same points on the diagonal of three features, fewer than rows no more: x' = (x, x, x) gives
 * the products 7 for each feature, w = 7 / (3 * 2 + lambda) for each. */
static void fewer_rows_than_features_make_no_difference(void **state)
{
    (void)state;
    const matrix m = {4, (const float[]){0, 0, 0, 5, 1, 1, 1, 5, 2, 2, 2, 5}};
    const det_ridge_examples examples = {NULL, (const float[]){1, 3, 8}, 1, all_seen, 1};
    float weights[4], bias;
    fit(&m, 3, &examples, &(det_ridge_options){.lambda = 1}, weights, &bias);
    for (size_t i = 0; i < 3; i++) assert_near(weights[i], 1, 1e-6);
    assert_near(weights[3], 0, 1e-6); /* it does not vary */
    assert_near(bias, 1, 1e-6);       /* 4 - 3 */
}

/* The mean square distance of 0, 1, 2 from 1 is 2/3. For a norm of 2 squares are worth 6 times as
 * much, so lambda 9 counts as 1.5. */
static void lambda_may_be_of_features_of_a_norm(void **state)
{
    (void)state;
    const matrix m = {1, (const float[]){0, 1, 2}};
    const det_ridge_examples examples = {NULL, (const float[]){1, 3, 8}, 1, all_seen, 1};
    float weight, bias;
    fit(&m, 3, &examples, &(det_ridge_options){.lambda = 9, .norm = 2}, &weight, &bias);
    assert_near(weight, 2, 1e-6);
}

/* ---- Against the definition ---- */

enum { ROWS = 40, WIDTH_MOST = 70, OUTPUTS = 2, FITS = 3 };

typedef struct {
    float values[ROWS * WIDTH_MOST], targets[ROWS * OUTPUTS];
    bool seen[FITS * ROWS];
    float weights[FITS * OUTPUTS * WIDTH_MOST], biases[FITS * OUTPUTS];
} problem;

/* The first fit sees all rows, the second every other one, the third none. */
static problem *make_problem(size_t width)
{
    static problem p;
    det_random random = det_random_create(11, width);
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < width; j++)
            p.values[i * width + j] = (float)(5 + det_random_double(&random));
        for (size_t o = 0; o < OUTPUTS; o++)
            p.targets[i * OUTPUTS + o] =
                p.values[i * width + o] * (float)(o + 1) + (float)det_random_double(&random);
        p.seen[i] = true;
        p.seen[ROWS + i] = i % 2 == 0;
        p.seen[(size_t)2 * ROWS + i] = false;
    }
    return &p;
}

static void fit_problem(problem *p, size_t width, const float *targets, double lambda)
{
    const matrix m = {width, p->values};
    fit(&m, ROWS, &(det_ridge_examples){NULL, targets, OUTPUTS, p->seen, FITS},
        &(det_ridge_options){.lambda = lambda}, p->weights, p->biases);
}

/* Where the sum is at its least its derivatives are 0: sum of the residuals, and of residuals times
 * a feature plus lambda w. */
static void assert_least(const problem *p, size_t width, size_t at, double lambda)
{
    const size_t output = at % OUTPUTS;
    const float *weights = p->weights + at * width;
    double slopes[WIDTH_MOST] = {0}, sum = 0;
    for (size_t i = 0; i < ROWS; i++) {
        if (!p->seen[at / OUTPUTS * ROWS + i]) continue;
        const float *x = p->values + i * width;
        double residual = (double)p->biases[at] - (double)p->targets[i * OUTPUTS + output];
        for (size_t j = 0; j < width; j++) residual += (double)weights[j] * (double)x[j];
        for (size_t j = 0; j < width; j++) slopes[j] += residual * (double)x[j];
        sum += residual;
    }
    assert_near(sum, 0, 1e-3);
    for (size_t j = 0; j < width; j++)
        assert_near(slopes[j] + lambda * (double)weights[j], 0, 5e-3);
}

static void the_sum_of_squares_is_at_its_least(void **state)
{
    (void)state;
    const size_t widths[] = {1, 7, ROWS - 1, ROWS, ROWS + 1, WIDTH_MOST};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        problem *p = make_problem(widths[i]);
        if (widths[i] < OUTPUTS) continue;
        fit_problem(p, widths[i], p->targets, .1);
        for (size_t at = 0; at < (FITS - 1) * (size_t)OUTPUTS; at++)
            assert_least(p, widths[i], at, .1);
    }
}

static void a_fit_that_sees_nothing_is_zero(void **state)
{
    (void)state;
    const size_t widths[] = {3, WIDTH_MOST};
    for (size_t i = 0; i < 2; i++) {
        problem *p = make_problem(widths[i]);
        fit_problem(p, widths[i], p->targets, 1);
        for (size_t o = 0; o < OUTPUTS; o++) {
            const size_t at = (size_t)2 * OUTPUTS + o;
            assert_float_equal(p->biases[at], 0, 0);
            for (size_t j = 0; j < widths[i]; j++)
                assert_float_equal(p->weights[at * widths[i] + j], 0, 0);
        }
    }
}

/* One row: nothing varies, and its target is met. */
static void a_single_row_gives_its_target(void **state)
{
    (void)state;
    const matrix m = {2, (const float[]){3, 4}};
    const det_ridge_examples examples = {NULL, (const float[]){7}, 1, all_seen, 1};
    float weights[2], bias;
    fit(&m, 1, &examples, &(det_ridge_options){.lambda = 1, .norm = 20}, weights, &bias);
    assert_near(weights[0], 0, 0);
    assert_near(weights[1], 0, 0);
    assert_near(bias, 7, 0);
}

/* What R-CNN does to its targets: their mixture (3 a + b, a + 2 b) is fitted, and unmixed. */
static void decorrelating_the_targets_changes_nothing(void **state)
{
    (void)state;
    const size_t widths[] = {5, WIDTH_MOST};
    for (size_t i = 0; i < 2; i++) {
        problem *p = make_problem(widths[i]);
        float mixed[ROWS * OUTPUTS], plain[OUTPUTS * WIDTH_MOST];
        for (size_t r = 0; r < ROWS; r++) {
            const float a = p->targets[r * OUTPUTS], b = p->targets[r * OUTPUTS + 1];
            mixed[r * OUTPUTS] = 3 * a + b;
            mixed[r * OUTPUTS + 1] = a + 2 * b;
        }
        fit_problem(p, widths[i], p->targets, 2);
        memcpy(plain, p->weights, OUTPUTS * widths[i] * sizeof *plain);
        fit_problem(p, widths[i], mixed, 2);
        for (size_t j = 0; j < widths[i]; j++) {
            const float u = p->weights[j], v = p->weights[widths[i] + j];
            assert_near((2 * u - v) / 5, plain[j], 1e-5);
            assert_near((3 * v - u) / 5, plain[widths[i] + j], 1e-5);
        }
    }
}

/* More rows than a block holds, either way: a plane without noise is found again. */
static void many_rows_go_block_by_block(void **state)
{
    (void)state;
    enum { MANY = 600, WIDE = 640 };
    static float values[MANY * WIDE], targets[MANY];
    static bool seen[MANY];
    float weights[WIDE], bias;
    det_random random = det_random_create(1, 2);
    const size_t widths[] = {4, WIDE};
    for (size_t w = 0; w < 2; w++) {
        const matrix m = {widths[w], values};
        for (size_t i = 0; i < MANY; i++) {
            float *row = values + i * widths[w];
            for (size_t j = 0; j < widths[w]; j++) row[j] = (float)det_random_double(&random);
            targets[i] = 2 * row[0] - 3 * row[3] + 1;
            seen[i] = true;
        }
        fit(&m, MANY, &(det_ridge_examples){NULL, targets, 1, seen, 1},
            &(det_ridge_options){.lambda = 1e-7}, weights, &bias);
        for (size_t i = 0; i < MANY; i++) {
            double output = (double)bias;
            for (size_t j = 0; j < widths[w]; j++)
                output += (double)weights[j] * (double)values[i * widths[w] + j];
            assert_near(output, targets[i], 1e-4);
        }
    }
}

/* ---- What can go wrong ---- */

static void lambda_must_be_above_zero(void **state)
{
    (void)state;
    const matrix m = {1, (const float[]){0, 1}};
    const det_feature_rows rows = {2, 1, read_matrix, &m};
    const det_ridge_examples examples = {&rows, (const float[]){1, 3}, 1, all_seen, 1};
    const double wrong[] = {0, -1, (double)NAN, (double)INFINITY};
    float weight, bias;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        det_error error = {0};
        test_assert_error(det_fit_ridge(&examples, &(det_ridge_options){.lambda = wrong[i]}, NULL,
                                        &weight, &bias, &error),
                          DET_ARGUMENT, &error, "above 0");
    }
}

/* Two features that are one, and lambda lost in their squares. */
static void a_lambda_that_is_lost_in_rounding_is_refused(void **state)
{
    (void)state;
    const matrix m = {2, (const float[]){-1e8F, -1e8F, 0, 0, 1e8F, 1e8F}};
    const det_feature_rows rows = {3, 2, read_matrix, &m};
    const det_ridge_examples examples = {&rows, (const float[]){1, 3, 4}, 1, all_seen, 1};
    float weights[2], bias;
    det_error error = {0};
    test_assert_error(det_fit_ridge(&examples, &(det_ridge_options){.lambda = 1e-9}, NULL, weights,
                                    &bias, &error),
                      DET_ARGUMENT, &error, "lambda is too small");
}

static bool stop_at(void *context, uint64_t done, uint64_t total)
{
    assert_true(done <= total);
    return done != *(uint64_t *)context;
}

static void it_can_be_cancelled(void **state)
{
    (void)state;
    const size_t widths[] = {3, WIDTH_MOST};
    for (size_t i = 0; i < 2; i++)
        for (uint64_t at = 0; at < 2; at++) {
            problem *p = make_problem(widths[i]);
            const matrix m = {widths[i], p->values};
            const det_feature_rows rows = {ROWS, widths[i], read_matrix, &m};
            const det_ridge_examples examples = {&rows, p->targets, OUTPUTS, p->seen, FITS};
            const det_run run = {.progress = stop_at, .progress_context = &at};
            det_error error = {0};
            test_assert_error(det_fit_ridge(&examples, &(det_ridge_options){.lambda = 1}, &run,
                                            p->weights, p->biases, &error),
                              DET_CANCELLED, &error, "cancelled");
        }
}

#ifdef DET_FAULT_INJECTION
static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    const size_t widths[] = {3, WIDTH_MOST};
    for (size_t i = 0; i < 2; i++) {
        problem *p = make_problem(widths[i]);
        const matrix m = {widths[i], p->values};
        const det_feature_rows rows = {ROWS, widths[i], read_matrix, &m};
        const det_ridge_examples examples = {&rows, p->targets, OUTPUTS, p->seen, FITS};
        bool failed = true;
        for (uint64_t nth = 1; failed; nth++) {
            det_memory_fail_at(nth);
            const det_status status = det_fit_ridge(&examples, &(det_ridge_options){.lambda = 1},
                                                    NULL, p->weights, p->biases, NULL);
            failed = det_memory_failed();
            det_memory_fail_at(0);
            assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        }
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_found),
        cmocka_unit_test(fewer_rows_than_features_make_no_difference),
        cmocka_unit_test(lambda_may_be_of_features_of_a_norm),
        cmocka_unit_test(the_sum_of_squares_is_at_its_least),
        cmocka_unit_test(a_fit_that_sees_nothing_is_zero),
        cmocka_unit_test(a_single_row_gives_its_target),
        cmocka_unit_test(decorrelating_the_targets_changes_nothing),
        cmocka_unit_test(many_rows_go_block_by_block),
        cmocka_unit_test(lambda_must_be_above_zero),
        cmocka_unit_test(a_lambda_that_is_lost_in_rounding_is_refused),
        cmocka_unit_test(it_can_be_cancelled),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(a_failing_allocation_is_reported),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
