/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of gradient descent: by hand, and against a plain reference. */
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/train/optimizer.h"
#include "tests/unit/support_network.h"

#include <math.h>
#include <string.h>

static det_optimizer *create(const det_optimizer_parameter *parameters, size_t count,
                             const det_optimizer_options *options)
{
    det_optimizer *optimizer = NULL;
    det_error error = {0};
    test_assert_ok(det_optimizer_create(parameters, count, options, &optimizer, &error), &error);
    return optimizer;
}

/* @return the norm. */
static double step(det_optimizer *optimizer, double rate)
{
    double norm = -1;
    det_error error = {0};
    test_assert_ok(det_optimizer_step(optimizer, rate, &norm, &error), &error);
    return norm;
}

static void assert_near(double value, double expected, double difference)
{
    if (!(fabs(value - expected) <= difference)) fail_msg("%.12g, not %.12g", value, expected);
}

static void assert_value(float value, double expected)
{
    assert_float_equal(value, (float)expected, 1e-6f);
}

/* ---- By hand ---- */

/* w = 1, g = 2, decay .5, rate .1: v = 2.5, w = .75. Then g = 1, rate .2: v = .8 * 2.5 + 1 + .375 =
 * 3.375, w = .75 - .675 = .075; with the rate inside of v it would be .75 - .8 * .25 - .275. */
static void what_momentum_gathered_moves_at_the_new_rate(void **state)
{
    (void)state;
    float value = 1, gradient = 2;
    const det_optimizer_parameter parameter = {"conv", &value, &gradient, 1, 1, true};
    det_optimizer *o = create(&parameter, 1, &(det_optimizer_options){.momentum = .8, .decay = .5});
    assert_near(step(o, .1), 2, 1e-12);
    assert_value(value, .75);
    assert_value(det_optimizer_momentum(o, 0)[0], 2.5);
    gradient = 1;
    assert_near(step(o, .2), 1, 1e-12);
    assert_value(value, .075);
    assert_int_equal(det_optimizer_steps(o), 2);
    det_optimizer_free(o);
}

static void what_does_not_decay_moves_by_its_gradient_alone(void **state)
{
    (void)state;
    float values[2] = {4, 4};
    const float gradients[2] = {0, 1};
    const det_optimizer_parameter parameters[2] = {
        {"conv", &values[0], &gradients[0], 1, 1, true},
        {"conv", &values[1], &gradients[1], 1, 2, false}};
    det_optimizer *o = create(parameters, 2, &(det_optimizer_options){.decay = .25});
    step(o, .5);
    assert_value(values[0], 3.5); /* 4 - .5 * .25 * 4 */
    assert_value(values[1], 3);   /* 4 - .5 * 2 * 1 */
    det_optimizer_free(o);
}

/* |(3, 0, 4)| = 5; a limit of 2.5 halves gradients, but not what weights lose by decay. */
static void gradients_beyond_the_limit_are_shrunk_together(void **state)
{
    (void)state;
    float values[3] = {1, 1, 1};
    const float gradients[3] = {3, 0, 4};
    const det_optimizer_parameter parameters[2] = {{"a", values, gradients, 2, 1, true},
                                                   {"b", values + 2, gradients + 2, 1, 1, false}};
    det_optimizer *o = create(parameters, 2, &(det_optimizer_options){.decay = 1, .norm_max = 2.5});
    assert_near(step(o, .1), 5, 1e-12);
    assert_value(values[0], 1 - .1 * (1.5 + 1));
    assert_value(values[1], 1 - .1 * 1);
    assert_value(values[2], 1 - .1 * 2);
    det_optimizer_free(o);
    values[0] = values[1] = values[2] = 1;
    o = create(parameters, 2, &(det_optimizer_options){.norm_max = 5});
    assert_near(step(o, .1), 5, 1e-12);
    assert_value(values[0], 1 - .1 * 3);
    det_optimizer_free(o);
}

static void the_first_rule_that_matches_a_layer_holds(void **state)
{
    (void)state;
    float values[4] = {0};
    const float gradients[4] = {1, 1, 1, 1};
    det_optimizer_parameter parameters[4];
    const char *const layers[4] = {"conv1/7x7", "inception_3a/1x1", "inception_3b/1x1", "classes"};
    for (size_t i = 0; i < 4; i++)
        parameters[i] = (det_optimizer_parameter){layers[i], &values[i], &gradients[i], 1, 2, true};
    const det_rate_rule rules[] = {{"conv?/*", 0}, {"inception_3a*", .5}, {"inception_*", .1}};
    det_optimizer *o = create(
        parameters, 4, &(det_optimizer_options){.decay = 0, .rules = rules, .rule_count = 3});
    const double rates[4] = {0, 1, .2, 2};
    for (size_t i = 0; i < 4; i++) assert_near(det_optimizer_rate(o, i), rates[i], 1e-12);
    step(o, 1);
    for (size_t i = 0; i < 4; i++) assert_value(values[i], -rates[i]);
    det_optimizer_free(o);
}

static void what_does_not_learn_stays_and_is_not_in_the_norm(void **state)
{
    (void)state;
    float values[3] = {1, 2, 3};
    const float gradients[2] = {3, 100};
    const det_optimizer_parameter parameters[3] = {{"a", &values[0], &gradients[0], 1, 1, true},
                                                   {"b", &values[1], &gradients[1], 1, 0, true},
                                                   {"c", &values[2], NULL, 1, 1, false}};
    det_optimizer *o = create(parameters, 3, &(det_optimizer_options){.decay = .1});
    assert_near(step(o, 1), 3, 1e-12);
    assert_true(values[1] == 2 && values[2] == 3);
    assert_non_null(det_optimizer_momentum(o, 0));
    assert_null(det_optimizer_momentum(o, 1));
    assert_null(det_optimizer_momentum(o, 2));
    assert_null(det_optimizer_average(o, 0));
    assert_near(det_optimizer_rate(o, 2), 0, 0);
    assert_false(det_optimizer_exchange(o));
    det_optimizer_free(o);
}

/* ---- Averages ---- */

/* w: 0, then 1, 2, 3, 4 after each step; the first step is not averaged: means of 2 | 2, 3; then,
 * the window being 2, 2.5 + (4 - 2.5) / 2. */
static void an_average_is_a_mean_until_its_window_is_full(void **state)
{
    (void)state;
    float values[2] = {0, 7};
    const float gradient = -1;
    const det_optimizer_parameter parameters[2] = {{"a", &values[0], &gradient, 1, 1, false},
                                                   {"statistics", &values[1], NULL, 1, 0, false}};
    det_optimizer *o =
        create(parameters, 2, &(det_optimizer_options){.average_window = 2, .average_from = 1});
    step(o, 1);
    assert_false(det_optimizer_exchange(o));
    const double means[3] = {2, 2.5, 3.25}, others[3] = {8, 8.5, 9.25};
    for (int i = 0; i < 3; i++) {
        values[1] += 1; /* as a forward run has it */
        step(o, 1);
        assert_value(det_optimizer_average(o, 0)[0], means[i]);
        assert_value(det_optimizer_average(o, 1)[0], others[i]);
    }
    assert_true(det_optimizer_exchange(o));
    assert_value(values[0], 3.25);
    assert_value(values[1], 9.25);
    assert_value(det_optimizer_average(o, 0)[0], 4);
    assert_true(det_optimizer_exchange(o));
    assert_value(values[0], 4);
    det_optimizer_free(o);
}

/* ---- Many numbers ---- */

enum { PARAMETERS = 3 };
static const size_t counts[PARAMETERS] = {40000, 5, 16384};

typedef struct {
    float *values, *gradients, *momentum; /* of all parameters, one after the other */
    det_optimizer_parameter parameters[PARAMETERS];
    size_t count;
} many;

static many create_many(void)
{
    many m = {0};
    for (size_t i = 0; i < PARAMETERS; i++) m.count += counts[i];
    m.values = test_random_values(m.count, 1);
    m.gradients = test_random_values(m.count, 2);
    m.momentum = det_alloc_zeroed(m.count, sizeof(float));
    assert_non_null(m.momentum);
    for (size_t i = 0, first = 0; i < PARAMETERS; first += counts[i++])
        m.parameters[i] = (det_optimizer_parameter){
            "layer", m.values + first, m.gradients + first, counts[i], 1 + (double)i, i != 1};
    return m;
}

static void free_many(many *m)
{
    det_free(m->values);
    det_free(m->gradients);
    det_free(m->momentum);
}

static const det_optimizer_options options = {
    .momentum = .9, .decay = .01, .norm_max = 100, .average_window = 3, .threads = 1};

/* Gradients of a step: other ones each time. */
static void change_gradients(many *m, uint64_t seed)
{
    float *gradients = test_random_values(m->count, seed);
    memcpy(m->gradients, gradients, m->count * sizeof *gradients);
    det_free(gradients);
}

static double reference_norm(const many *m)
{
    double sum = 0;
    for (size_t i = 0; i < m->count; i++) sum += (double)m->gradients[i] * m->gradients[i];
    return sqrt(sum);
}

static void reference_step(many *m, double rate)
{
    const double shrink = fmin(1, options.norm_max / reference_norm(m));
    for (size_t p = 0, i = 0; p < PARAMETERS; p++)
        for (size_t k = 0; k < counts[p]; k++, i++) {
            const double decay = p == 1 ? 0 : options.decay * m->values[i];
            m->momentum[i] =
                (float)(options.momentum * m->momentum[i] + (shrink * m->gradients[i] + decay));
            m->values[i] -= (float)(rate * (1 + (double)p) * m->momentum[i]);
        }
}

static void steps_are_what_their_formula_says(void **state)
{
    (void)state;
    many fast = create_many(), plain = create_many();
    det_optimizer *o = create(fast.parameters, PARAMETERS, &options);
    for (uint64_t t = 0; t < 4; t++) {
        change_gradients(&fast, t);
        change_gradients(&plain, t);
        assert_near(step(o, .1), reference_norm(&plain), 1e-9);
        reference_step(&plain, .1);
    }
    for (size_t i = 0; i < fast.count; i++)
        assert_float_equal(fast.values[i], plain.values[i], 1e-5f);
    det_optimizer_free(o);
    free_many(&fast);
    free_many(&plain);
}

static void results_do_not_depend_on_threads(void **state)
{
    (void)state;
    many one = create_many(), several = create_many();
    det_optimizer_options threaded = options;
    threaded.threads = 3;
    det_optimizer *a = create(one.parameters, PARAMETERS, &options);
    det_optimizer *b = create(several.parameters, PARAMETERS, &threaded);
    for (int t = 0; t < 3; t++) assert_true(step(a, .1) == step(b, .1));
    assert_memory_equal(one.values, several.values, one.count * sizeof(float));
    for (size_t i = 0; i < PARAMETERS; i++)
        assert_memory_equal(det_optimizer_average(a, i), det_optimizer_average(b, i),
                            counts[i] * sizeof(float));
    det_optimizer_free(a);
    det_optimizer_free(b);
    free_many(&one);
    free_many(&several);
}

static void copy_state(det_optimizer *to, det_optimizer *from)
{
    for (size_t i = 0; i < PARAMETERS; i++) {
        memcpy(det_optimizer_momentum(to, i), det_optimizer_momentum(from, i),
               counts[i] * sizeof(float));
        memcpy(det_optimizer_average(to, i), det_optimizer_average(from, i),
               counts[i] * sizeof(float));
    }
    det_optimizer_set_steps(to, det_optimizer_steps(from));
}

static void an_optimizer_that_is_given_the_state_goes_on_bit_for_bit(void **state)
{
    (void)state;
    many first = create_many(), second = create_many();
    det_optimizer *a = create(first.parameters, PARAMETERS, &options);
    det_optimizer *b = create(second.parameters, PARAMETERS, &options);
    for (int t = 0; t < 2; t++) step(a, .1);
    memcpy(second.values, first.values, first.count * sizeof(float));
    copy_state(b, a);
    for (int t = 0; t < 2; t++) {
        step(a, .1);
        step(b, .1);
    }
    assert_memory_equal(first.values, second.values, first.count * sizeof(float));
    for (size_t i = 0; i < PARAMETERS; i++)
        assert_memory_equal(det_optimizer_average(a, i), det_optimizer_average(b, i),
                            counts[i] * sizeof(float));
    det_optimizer_free(a);
    det_optimizer_free(b);
    free_many(&first);
    free_many(&second);
}

/* ---- Refused ---- */

static void a_gradient_that_is_not_finite_changes_nothing(void **state)
{
    (void)state;
    const float bad[] = {(float)NAN, (float)INFINITY};
    for (size_t i = 0; i < 2; i++) {
        float values[2] = {1, 1};
        const float gradients[2] = {1, bad[i]};
        const det_optimizer_parameter parameters[2] = {
            {"sound", &values[0], &gradients[0], 1, 1, true},
            {"broken", &values[1], &gradients[1], 1, 1, true}};
        det_optimizer *o = create(parameters, 2, &(det_optimizer_options){.average_window = 2});
        det_optimizer_set_steps(o, 41);
        det_error error = {0};
        test_assert_error(det_optimizer_step(o, .1, NULL, &error), DET_ARGUMENT, &error,
                          "not finite in step 41");
        assert_string_equal(error.where, "broken");
        assert_true(values[0] == 1 && values[1] == 1);
        assert_true(det_optimizer_momentum(o, 0)[0] == 0 && det_optimizer_average(o, 0)[0] == 0);
        assert_int_equal(det_optimizer_steps(o), 41);
        det_optimizer_free(o);
    }
}

static void gradients_as_large_as_floats_are_have_a_norm(void **state)
{
    (void)state;
    float value = 1;
    const float gradients[2] = {3e38f};
    const det_optimizer_parameter parameter = {"a", &value, gradients, 1, 1, true};
    det_optimizer *o = create(&parameter, 1, &(det_optimizer_options){.norm_max = 1});
    assert_near(step(o, .5) / 3e38, 1, 1e-6);
    assert_value(value, .5);
    det_optimizer_free(o);
}

static void a_rate_that_is_not_finite_is_refused(void **state)
{
    (void)state;
    float value = 1;
    const det_optimizer_parameter parameter = {"a", &value, &value, 1, 1, true};
    det_optimizer *o = create(&parameter, 1, &(det_optimizer_options){0});
    det_error error = {0};
    test_assert_error(det_optimizer_step(o, (double)NAN, NULL, &error), DET_ARGUMENT, &error,
                      "a learning rate of nan in step 0");
    det_optimizer_free(o);
}

static void assert_refused(const det_optimizer_options *refused, const char *message)
{
    float value = 1;
    const det_optimizer_parameter parameters[2] = {{"conv1", &value, &value, 1, 1, true},
                                                   {"fixed", &value, NULL, 1, 1, true}};
    det_optimizer *o = NULL;
    det_error error = {0};
    test_assert_error(det_optimizer_create(parameters, 2, refused, &o, &error), DET_ARGUMENT,
                      &error, message);
    assert_null(o);
}

static void a_number_outside_its_range_is_refused(void **state)
{
    (void)state;
    assert_refused(&(det_optimizer_options){.momentum = 1}, "a momentum of 1");
    assert_refused(&(det_optimizer_options){.momentum = (double)NAN}, "a momentum of nan");
    assert_refused(&(det_optimizer_options){.decay = -1}, "a weight decay of -1");
    assert_refused(&(det_optimizer_options){.norm_max = -2}, "a norm of -2");
    assert_refused(
        &(det_optimizer_options){.rules = &(det_rate_rule){"conv1", -1}, .rule_count = 1},
        "a learning rate times -1");
}

static void a_rule_for_no_layer_that_learns_is_refused(void **state)
{
    (void)state;
    const char *const patterns[] = {"conv2", "fixed"};
    for (size_t i = 0; i < 2; i++)
        assert_refused(
            &(det_optimizer_options){.rules = &(det_rate_rule){patterns[i], 1}, .rule_count = 1},
            "no layer that learns has a name like this");
}

/* ---- Memory ---- */

#ifdef DET_FAULT_INJECTION
static void memory_that_runs_out_is_an_error(void **state)
{
    (void)state;
    float values[3] = {0};
    const det_optimizer_parameter parameter = {"a", values, values, 3, 1, true};
    const det_optimizer_options averaged = {.average_window = 1};
    for (uint64_t n = 1;; n++) {
        det_optimizer *o = NULL;
        det_error error = {0};
        det_memory_fail_at(n);
        const det_status status = det_optimizer_create(&parameter, 1, &averaged, &o, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        if (!failed) {
            test_assert_ok(status, &error);
            det_optimizer_free(o);
            break;
        }
        test_assert_error(status, DET_MEMORY, &error, "out of memory for the state of training");
        assert_null(o);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_momentum_gathered_moves_at_the_new_rate),
        cmocka_unit_test(what_does_not_decay_moves_by_its_gradient_alone),
        cmocka_unit_test(gradients_beyond_the_limit_are_shrunk_together),
        cmocka_unit_test(the_first_rule_that_matches_a_layer_holds),
        cmocka_unit_test(what_does_not_learn_stays_and_is_not_in_the_norm),
        cmocka_unit_test(an_average_is_a_mean_until_its_window_is_full),
        cmocka_unit_test(steps_are_what_their_formula_says),
        cmocka_unit_test(results_do_not_depend_on_threads),
        cmocka_unit_test(an_optimizer_that_is_given_the_state_goes_on_bit_for_bit),
        cmocka_unit_test(a_gradient_that_is_not_finite_changes_nothing),
        cmocka_unit_test(gradients_as_large_as_floats_are_have_a_norm),
        cmocka_unit_test(a_rate_that_is_not_finite_is_refused),
        cmocka_unit_test(a_number_outside_its_range_is_refused),
        cmocka_unit_test(a_rule_for_no_layer_that_learns_is_refused),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(memory_that_runs_out_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
