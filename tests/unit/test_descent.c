/* SPDX-License-Identifier: Apache-2.0 */
/* Networks that learn, step by step: what is kept on the way, and how they end. */
#include "src/train/descent.h"

#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/train/network_loss.h"
#include "tests/unit/support.h"
#include "tests/unit/support_network.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SIDE = 16, BATCH = 4, CLASSES = 5, STEPS = 6 };
static const char *const to[] = {"fc"};
static const char begun_with[] = "xxh3-128:00000000000000000000000000000000";

/* Colours of five classes, learned by the small network. */
typedef struct {
    test_sketch sketch;
    det_trainer *trainer;
    size_t labels[BATCH];
    uint64_t spoilt;    /* the step whose loss is not a number, UINT64_MAX: none */
    uint64_t cancelled; /* the step after which it is cancelled, likewise */
    double losses[STEPS];
    double measured[STEPS]; /* what each measurement is to find */
    int measurements;
} lesson;

static det_status feed(void *context, uint64_t step, det_trainer *trainer, det_error *error)
{
    (void)error;
    lesson *l = context;
    det_random random = det_random_create(3, step);
    float *input = det_trainer_input(trainer);
    for (size_t i = 0; i < BATCH; i++) {
        l->labels[i] = det_random_below(&random, CLASSES);
        for (size_t v = 0; v < 3 * SIDE * SIDE; v++)
            input[i * 3 * SIDE * SIDE + v] =
                (float)(det_random_double(&random) - .5 + .3 * (double)l->labels[i]);
    }
    return DET_OK;
}

static det_status judge(void *context, det_trainer *trainer, double *loss, det_error *error)
{
    (void)error;
    const lesson *l = context;
    float *gradients = det_trainer_output_gradient(trainer, 0);
    memset(gradients, 0, sizeof(float) * BATCH * CLASSES);
    const det_loss_outputs outputs = {det_trainer_output(trainer, 0), gradients, BATCH, CLASSES};
    *loss = det_lose_labels(&outputs, l->labels, NULL, 1. / BATCH).loss;
    return DET_OK;
}

static det_status judge_or_spoil(void *context, det_trainer *trainer, double *loss,
                                 det_error *error)
{
    lesson *l = context;
    const det_status status = judge(context, trainer, loss, error);
    if (l->spoilt-- == 0) *loss = NAN;
    return status;
}

static det_status measure(void *context, det_trainer *trainer, double *loss, det_error *error)
{
    (void)trainer, (void)error;
    lesson *l = context;
    *loss = l->measured[l->measurements++];
    return DET_OK;
}

static bool note(void *context, const det_train_step *step)
{
    lesson *l = context;
    l->losses[step->step - 1] = step->loss;
    assert_int_equal(step->steps, STEPS);
    return step->step != l->cancelled;
}

static void begin(lesson *l, int threads)
{
    det_error error = {0};
    *l = (lesson){.sketch = test_small_sketch(), .spoilt = UINT64_MAX, .cancelled = UINT64_MAX};
    const det_trainer_options options = {
        .batch = BATCH, .threads = threads, .input = {3, SIDE, SIDE}, .to = to, .to_count = 1};
    test_assert_ok(det_trainer_create(&l->sketch.model->graph, &options, &l->trainer, &error),
                   &error);
}

static void end(lesson *l)
{
    det_trainer_free(l->trainer);
    test_sketch_free(&l->sketch);
}

static det_descent_options options_of(lesson *l, const char *checkpoint)
{
    return (det_descent_options){.steps = STEPS,
                                 .batch = BATCH,
                                 .schedule = {.kind = DET_SCHEDULE_CONSTANT, .rate = .05},
                                 .optimizer = {.momentum = .9, .decay = 1e-3},
                                 .seed = 9,
                                 .checkpoint = checkpoint,
                                 .checkpoint_every = 2,
                                 .begun_with = begun_with,
                                 .progress = note,
                                 .progress_context = l};
}

static det_status descend(lesson *l, const det_descent_options *options, bool measured,
                          det_error *error)
{
    const det_descent_task task = {l, feed, judge_or_spoil, measured ? measure : NULL};
    return det_descend(l->trainer, &task, options, NULL, error);
}

static void assert_equal_parameters(const lesson *a, const lesson *b)
{
    for (size_t i = 0; i < det_trainer_parameter_count(a->trainer); i++) {
        const det_parameter *p = det_trainer_parameter(a->trainer, i),
                            *q = det_trainer_parameter(b->trainer, i);
        assert_memory_equal(p->values, q->values, p->count * sizeof *p->values);
    }
}

static void it_learns(void **state)
{
    (void)state;
    lesson l;
    det_error error = {0};
    begin(&l, 1);
    det_descent_options options = options_of(&l, NULL);
    test_assert_ok(descend(&l, &options, false, &error), &error);
    double before = l.losses[0];
    for (int again = 0; again < 10; again++)
        test_assert_ok(descend(&l, &options, false, &error), &error);
    assert_true(l.losses[0] < .8 * before);
    end(&l);
}

static void interrupted_after_any_step_it_ends_with_the_same_bits(void **state)
{
    (void)state;
    lesson whole;
    det_error error = {0};
    begin(&whole, 2);
    det_descent_options options = options_of(&whole, NULL);
    options.optimizer.average_window = 3;
    test_assert_ok(descend(&whole, &options, false, &error), &error);
    for (uint64_t step = 1; step < STEPS; step++) {
        const char *path = test_path("checkpoint.safetensors");
        lesson first, second;
        begin(&first, 2);
        begin(&second, 2);
        first.cancelled = step;
        options = options_of(&first, path);
        options.optimizer.average_window = 3;
        assert_int_equal(descend(&first, &options, false, NULL), DET_CANCELLED);
        options.progress_context = &second;
        test_assert_ok(descend(&second, &options, false, &error), &error);
        assert_equal_parameters(&whole, &second);
        assert_true(second.losses[step - 1] == 0); /* not made again */
        assert_int_equal(unlink(path), 0);
        end(&first);
        end(&second);
    }
    end(&whole);
}

/* Killed, it has kept the state after 4 steps, not the fifth. */
static void killed_it_goes_on_from_the_last_state_that_was_kept(void **state)
{
    (void)state;
    lesson whole, killed, second;
    det_error error = {0};
    const char *path = test_path("killed.safetensors");
    begin(&whole, 1);
    begin(&killed, 1);
    begin(&second, 1);
    det_descent_options options = options_of(&whole, NULL);
    test_assert_ok(descend(&whole, &options, false, &error), &error);
    options = options_of(&killed, path);
    killed.spoilt = 5;
    assert_int_equal(descend(&killed, &options, false, NULL), DET_ARGUMENT);
    options.progress_context = &second;
    test_assert_ok(descend(&second, &options, false, &error), &error);
    assert_true(second.losses[3] == 0 && second.losses[4] != 0);
    assert_equal_parameters(&whole, &second);
    assert_int_equal(unlink(path), 0);
    end(&whole);
    end(&killed);
    end(&second);
}

static void a_loss_that_is_not_a_number_ends_it_with_the_step(void **state)
{
    (void)state;
    lesson l;
    det_error error = {0};
    begin(&l, 1);
    l.spoilt = 3;
    const det_descent_options options = options_of(&l, NULL);
    assert_int_equal(descend(&l, &options, false, &error), DET_ARGUMENT);
    assert_non_null(strstr(error.message, "loss"));
    assert_non_null(strstr(error.message, "step 3"));
    end(&l);
}

/* Measured after steps 2, 4 and 6: what it was after 4 is kept. */
static void the_best_state_that_was_measured_is_kept(void **state)
{
    (void)state;
    lesson l, four;
    det_error error = {0};
    begin(&l, 1);
    begin(&four, 1);
    memcpy(l.measured, (const double[]){2, 1, 3}, 3 * sizeof(double));
    det_descent_options options = options_of(&l, NULL);
    test_assert_ok(descend(&l, &options, true, &error), &error);
    assert_int_equal(l.measurements, 3);
    options = options_of(&four, NULL);
    four.cancelled = 4;
    assert_int_equal(descend(&four, &options, false, NULL), DET_CANCELLED);
    assert_equal_parameters(&l, &four);
    end(&l);
    end(&four);
}

static void one_and_two_threads_have_the_same_losses_within_a_thousandth(void **state)
{
    (void)state;
    lesson one, two;
    det_error error = {0};
    begin(&one, 1);
    begin(&two, 2);
    det_descent_options options = options_of(&one, NULL);
    test_assert_ok(descend(&one, &options, false, &error), &error);
    options = options_of(&two, NULL);
    test_assert_ok(descend(&two, &options, false, &error), &error);
    for (int i = 0; i < STEPS; i++) assert_true(fabs(one.losses[i] - two.losses[i]) < 1e-3);
    end(&one);
    end(&two);
}

static void a_state_of_another_training_is_not_gone_on_with(void **state)
{
    (void)state;
    lesson l, other;
    det_error error = {0};
    const char *path = test_path("other.safetensors");
    begin(&l, 1);
    begin(&other, 1);
    l.cancelled = 3;
    det_descent_options options = options_of(&l, path);
    assert_int_equal(descend(&l, &options, false, NULL), DET_CANCELLED);
    options.progress_context = &other;
    options.begun_with = "xxh3-128:11111111111111111111111111111111";
    test_assert_ok(descend(&other, &options, false, &error), &error);
    assert_true(other.losses[0] != 0);
    assert_int_equal(unlink(path), 0);
    end(&l);
    end(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_learns),
        cmocka_unit_test(interrupted_after_any_step_it_ends_with_the_same_bits),
        cmocka_unit_test(killed_it_goes_on_from_the_last_state_that_was_kept),
        cmocka_unit_test(a_loss_that_is_not_a_number_ends_it_with_the_step),
        cmocka_unit_test(the_best_state_that_was_measured_is_kept),
        cmocka_unit_test(one_and_two_threads_have_the_same_losses_within_a_thousandth),
        cmocka_unit_test(a_state_of_another_training_is_not_gone_on_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
