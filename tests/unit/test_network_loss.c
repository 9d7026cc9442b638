/* SPDX-License-Identifier: Apache-2.0 */
/* Losses of outputs: by hand, and their gradients against differences. */
#include "src/base/memory.h"
#include "src/train/network_loss.h"
#include "tests/unit/support_network.h"

#include <math.h>
#include <string.h>

enum { ROWS = 5, WIDTH = 8, VALUES = ROWS * WIDTH };

/* ---- Gradients against differences ---- */

/* A loss of ROWS x WIDTH outputs. */
typedef double lose(const det_loss_outputs *outputs);

static const size_t labels[ROWS] = {7, 0, 3, 7, 1};

static double lose_labels(const det_loss_outputs *outputs)
{
    static const float weights[ROWS] = {1, .5f, 0, 2, 1};
    return det_lose_labels(outputs, labels, weights, .3).loss;
}

static double lose_teacher(const det_loss_outputs *outputs)
{
    float *teacher = test_random_values(VALUES, 9);
    teacher[3] = -(float)INFINITY;
    const double loss = det_lose_teacher(outputs, teacher, 3, .3);
    det_free(teacher);
    return loss;
}

/* Two classes; the moves are far enough for both parts of smooth L1. */
static double lose_boxes(const det_loss_outputs *outputs)
{
    static const float moves[ROWS][4] = {
        {9, 9, 9, 9}, {.02f, -.3f, .1f, .5f}, {9, 9, 9, 9}, {9, 9, 9, 9}, {-.2f, .01f, 0, -1}};
    return det_lose_boxes(outputs, labels, moves, .3);
}

static double lose_features(const det_loss_outputs *outputs)
{
    float *teacher = test_random_values(VALUES, 9);
    const double loss = det_lose_features(outputs, teacher, .3, 2);
    det_free(teacher);
    return loss;
}

static void assert_gradient(lose *function)
{
    float *values = test_random_values(VALUES, 4);
    float gradients[VALUES];
    for (size_t i = 0; i < VALUES; i++) gradients[i] = 1; /* they are added to */
    const double loss = function(&(det_loss_outputs){values, gradients, ROWS, WIDTH});
    const det_loss_outputs bare = {values, NULL, ROWS, WIDTH};
    assert_true(loss > 0 && loss == function(&bare));
    for (size_t i = 0; i < VALUES; i++) {
        const float value = values[i], step = 1.f / 256;
        values[i] = value + step;
        const double after = function(&bare);
        values[i] = value - step;
        const double before = function(&bare);
        values[i] = value;
        assert_float_equal((float)((after - before) * 128), gradients[i] - 1, 1e-4f);
    }
    det_free(values);
}

static void gradients_are_those_of_the_losses(void **state)
{
    (void)state;
    lose *const losses[] = {lose_labels, lose_teacher, lose_boxes, lose_features};
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) assert_gradient(losses[i]);
}

/* ---- Labels ---- */

/* p = 1/4, 1/4, 1/2 */
static void the_loss_of_a_label_is_its_surprise(void **state)
{
    (void)state;
    const float values[3] = {0, 0, .69314718f};
    float gradients[3] = {0};
    const det_loss_outputs outputs = {values, gradients, 1, 3};
    det_label_loss loss = det_lose_labels(&outputs, &(size_t){2}, NULL, 1);
    assert_float_equal((float)loss.loss, .69314718f, 1e-6f);
    assert_int_equal(loss.right, 1);
    const float expected[3] = {.25f, .25f, -.5f};
    for (size_t i = 0; i < 3; i++) assert_float_equal(gradients[i], expected[i], 1e-6f);
    loss = det_lose_labels(&outputs, &(size_t){0}, &(float){.5f}, 2);
    assert_float_equal((float)loss.loss, 1.3862944f, 1e-6f);
    assert_int_equal(loss.right, 0);
}

static void a_row_without_weight_does_not_count(void **state)
{
    (void)state;
    const float values[4] = {1, 0, (float)NAN, 0}, weights[2] = {1, 0};
    float gradients[4] = {0};
    const det_loss_outputs outputs = {values, gradients, 2, 2};
    const det_label_loss loss = det_lose_labels(&outputs, (size_t[]){0, 0}, weights, 1);
    assert_float_equal((float)loss.loss, .31326169f, 1e-6f); /* log(1 + 1 / e) */
    assert_int_equal(loss.right, 1);
    assert_true(gradients[2] == 0 && gradients[3] == 0);
}

static void outputs_may_be_as_large_as_floats_are(void **state)
{
    (void)state;
    const float values[2] = {1e30f, -1e30f};
    float gradients[2] = {0};
    const det_loss_outputs outputs = {values, gradients, 1, 2};
    assert_float_equal((float)det_lose_labels(&outputs, &(size_t){0}, NULL, 1).loss, 0, 0);
    assert_float_equal((float)det_lose_labels(&outputs, &(size_t){1}, NULL, 1).loss, 2e30f, 1e24f);
    assert_float_equal(gradients[0], 1, 0);
    assert_float_equal(gradients[1], -1, 0);
}

/* ---- Teacher ---- */

/* q = 1/2, 1/2 and p = 1/3, 2/3 at T = 2: log(3 / 2) / 2 + log(3 / 4) / 2 = log(9 / 8) / 2; times
 * 4; slopes 2 (p - q). */
static void a_teacher_is_followed_at_its_temperature(void **state)
{
    (void)state;
    const float values[2] = {0, 1.3862944f}, teacher[2] = {5, 5};
    float gradients[2] = {0};
    const det_loss_outputs outputs = {values, gradients, 1, 2};
    assert_float_equal((float)det_lose_teacher(&outputs, teacher, 2, 1), .23556607f, 1e-6f);
    assert_float_equal(gradients[0], -1.f / 3, 1e-6f);
    assert_float_equal(gradients[1], 1.f / 3, 1e-6f);
}

static void probabilities_teach_by_their_logarithms(void **state)
{
    (void)state;
    const float values[3] = {2, 1, 0}, teacher[3] = {logf(.75f), logf(.25f), -(float)INFINITY};
    const det_loss_outputs outputs = {values, NULL, 1, 3};
    const double sum = exp(2) + exp(1) + 1;
    const double expected = .75 * log(.75 * sum / exp(2)) + .25 * log(.25 * sum / exp(1));
    assert_float_equal((float)det_lose_teacher(&outputs, teacher, 1, 1), (float)expected, 1e-6f);
}

static void a_network_that_says_what_its_teacher_says_has_no_loss(void **state)
{
    (void)state;
    const float values[3] = {3, 1, 2}, teacher[3] = {2, 0, 1};
    float gradients[3] = {0};
    const det_loss_outputs outputs = {values, gradients, 1, 3};
    assert_float_equal((float)det_lose_teacher(&outputs, teacher, 4, 1), 0, 1e-12f);
    for (size_t i = 0; i < 3; i++) assert_float_equal(gradients[i], 0, 1e-7f);
}

/* ---- Boxes ---- */

/* Aims of class 1: .05 / .1, .3 / .1, -.1 / .2, 0. Differences from outputs 1, 1, -.5, .25: .5, -2,
 * 0, .25. s: .125, 1.5, 0, .03125. */
static void moves_cost_where_they_belong_to_the_class_of_the_row(void **state)
{
    (void)state;
    const float values[16] = {[4] = 1, 1, -.5f, .25f, [8] = 9, 9, 9, 9};
    const float moves[2][4] = {{.05f, .3f, -.1f, 0}, {1, 1, 1, 1}};
    float gradients[16] = {0};
    const det_loss_outputs outputs = {values, gradients, 2, 8};
    assert_float_equal((float)det_lose_boxes(&outputs, (size_t[]){1, 2}, moves, 2), 3.3125f, 1e-6f);
    const float expected[16] = {[4] = 1, -2, 0, .5f};
    for (size_t i = 0; i < 16; i++) assert_float_equal(gradients[i], expected[i], 1e-6f);
}

/* ---- Features ---- */

static void features_cost_half_the_squares_of_their_differences(void **state)
{
    (void)state;
    const float values[3] = {1, 2, 3}, teacher[3] = {1, 0, 4};
    float gradients[3] = {0};
    const det_loss_outputs outputs = {values, gradients, 1, 3};
    assert_float_equal((float)det_lose_features(&outputs, teacher, .5, 1), 1.25f, 1e-6f);
    const float expected[3] = {0, 1, -.5f};
    for (size_t i = 0; i < 3; i++) assert_float_equal(gradients[i], expected[i], 1e-6f);
}

static void many_features_give_the_same_on_any_number_of_threads(void **state)
{
    (void)state;
    enum { count = 100003 };
    float *values = test_random_values(count, 1), *teacher = test_random_values(count, 2);
    float *slopes[2] = {det_alloc_zeroed(count, sizeof(float)),
                        det_alloc_zeroed(count, sizeof(float))};
    double losses[2], sum = 0;
    for (int i = 0; i < 2; i++)
        losses[i] = det_lose_features(&(det_loss_outputs){values, slopes[i], 1, count}, teacher,
                                      2. / count, i == 0 ? 1 : 3);
    for (size_t i = 0; i < count; i++) sum += pow((double)values[i] - (double)teacher[i], 2);
    assert_true(losses[0] == losses[1]);
    assert_true(fabs(losses[0] - sum / count) < 1e-9);
    assert_memory_equal(slopes[0], slopes[1], count * sizeof(float));
    assert_float_equal(slopes[0][count - 1], 2.f / count * (values[count - 1] - teacher[count - 1]),
                       1e-9f);
    det_free(values);
    det_free(teacher);
    det_free(slopes[0]);
    det_free(slopes[1]);
}

/* ---- Check ---- */

static void a_loss_that_is_not_finite_is_an_error(void **state)
{
    (void)state;
    det_error error = {0};
    test_assert_ok(det_loss_check("classes", 3.5, 7, &error), &error);
    test_assert_error(det_loss_check("classes", (double)NAN, 7, &error), DET_ARGUMENT, &error,
                      "the loss of classes is nan in step 7");
    test_assert_error(det_loss_check("boxes", (double)INFINITY, 8, &error), DET_ARGUMENT, &error,
                      "the loss of boxes is inf in step 8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_those_of_the_losses),
        cmocka_unit_test(the_loss_of_a_label_is_its_surprise),
        cmocka_unit_test(a_row_without_weight_does_not_count),
        cmocka_unit_test(outputs_may_be_as_large_as_floats_are),
        cmocka_unit_test(a_teacher_is_followed_at_its_temperature),
        cmocka_unit_test(probabilities_teach_by_their_logarithms),
        cmocka_unit_test(a_network_that_says_what_its_teacher_says_has_no_loss),
        cmocka_unit_test(moves_cost_where_they_belong_to_the_class_of_the_row),
        cmocka_unit_test(features_cost_half_the_squares_of_their_differences),
        cmocka_unit_test(many_features_give_the_same_on_any_number_of_threads),
        cmocka_unit_test(a_loss_that_is_not_finite_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
