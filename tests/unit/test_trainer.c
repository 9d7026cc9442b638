/* SPDX-License-Identifier: Apache-2.0 */
/* Gradients of a small network of every kind of layer, against differences of its loss. */
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/nn/trainer.h"
#include "tests/unit/support.h"
#include "tests/unit/support_network.h"

#include <math.h>
#include <string.h>

enum { SIDE = 16, BATCH = 3 };
static const char *const to[] = {"fc"};

static det_trainer *create(const test_sketch *sketch, det_trainer_options options)
{
    det_error error = {0};
    det_trainer *trainer = NULL;
    options.batch = BATCH;
    options.input = (det_shape){3, SIDE, SIDE};
    options.to = to;
    options.to_count = 1;
    options.input_gradient = true;
    test_assert_ok(det_trainer_create(&sketch->model->graph, &options, &trainer, &error), &error);
    const size_t count = (size_t)BATCH * 3 * SIDE * SIDE;
    float *values = test_random_values(count, 7);
    memcpy(det_trainer_input(trainer), values, count * sizeof *values);
    det_free(values);
    return trainer;
}

/* The loss: a random sum of the outputs, and its gradient. */
static double run(det_trainer *trainer, bool backward)
{
    det_error error = {0};
    const size_t count = BATCH * det_shape_values(det_trainer_output_shape(trainer, 0));
    float *factors = test_random_values(count, 11);
    double loss = 0;
    test_assert_ok(det_trainer_forward(trainer, true, 5, &error), &error);
    for (size_t i = 0; i < count; i++)
        loss += (double)factors[i] * (double)det_trainer_output(trainer, 0)[i];
    memcpy(det_trainer_output_gradient(trainer, 0), factors, count * sizeof *factors);
    if (backward) test_assert_ok(det_trainer_backward(trainer, &error), &error);
    det_free(factors);
    return loss;
}

/* Moves values along their gradient: the loss rises by step * |gradient|^2. */
static void assert_rises(det_trainer *trainer, float *values, const float *gradients, size_t count,
                         const char *name)
{
    double squares = 0;
    float *before = det_alloc_array(count, sizeof *before);
    memcpy(before, values, count * sizeof *values);
    for (size_t i = 0; i < count; i++) squares += (double)gradients[i] * (double)gradients[i];
    const double step = 2e-3 / sqrt(squares + 1e-12);
    double losses[2];
    for (int way = 0; way < 2; way++) {
        for (size_t i = 0; i < count; i++)
            values[i] = before[i] + (float)((way ? step : -step) * (double)gradients[i]);
        losses[way] = run(trainer, false);
    }
    memcpy(values, before, count * sizeof *values);
    const double rise = (losses[1] - losses[0]) / (2 * step);
    if (!(fabs(rise - squares) <= .02 * squares + 1e-6))
        fail_msg("%s: the loss rises by %g, its gradient says %g", name, rise, squares);
    det_free(before);
}

static void the_loss_follows_the_gradient_of_each_parameter(void **state)
{
    (void)state;
    test_sketch sketch = test_small_sketch();
    det_trainer *trainer = create(&sketch, (det_trainer_options){0});
    run(trainer, true);
    assert_int_equal(det_trainer_parameter_count(trainer), 8);
    for (size_t i = 0; i < det_trainer_parameter_count(trainer); i++) {
        const det_parameter *p = det_trainer_parameter(trainer, i);
        float *gradients = det_alloc_array(p->count, sizeof *gradients);
        memcpy(gradients, p->gradients, p->count * sizeof *gradients);
        assert_rises(trainer, p->values, gradients, p->count, p->layer);
        det_free(gradients);
    }
    assert_rises(trainer, det_trainer_input(trainer), det_trainer_input_gradient(trainer),
                 (size_t)BATCH * 3 * SIDE * SIDE, "input");
    det_trainer_free(trainer);
    test_sketch_free(&sketch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loss_follows_the_gradient_of_each_parameter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
