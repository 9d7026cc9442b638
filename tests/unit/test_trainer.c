/* SPDX-License-Identifier: Apache-2.0 */
/* Networks as they learn: what runs, what is frozen, what repeats. Gradients of single layers are
 * in test_gradients.c, those of batch normalisation in test_batch_norm.c. */
#include "src/base/memory.h"
#include "src/nn/trainer.h"
#include "tests/unit/support.h"
#include "tests/unit/support_network.h"
#include "tests/unit/support_trainer.h"

#include <math.h>
#include <string.h>

enum { SIDE = 16, BATCH = 3 };

static const det_trainer_options all_defaults = {0};

static int node_of(const test_sketch *sketch, const char *name)
{
    return det_graph_find(&sketch->model->graph, name);
}

static test_lesson create(const test_sketch *sketch, det_trainer_options options)
{
    return test_lesson_create(sketch, DET_PICTURE, node_of(sketch, "fc"), BATCH, options, 0);
}

static void set_ratio(test_sketch *sketch, float ratio)
{
    sketch->model->graph.nodes[node_of(sketch, "drop")].ratio = ratio;
}

static void the_gradients_of_a_whole_network_follow_its_differences(void **state)
{
    (void)state;
    test_sketch sketch = test_small_sketch();
    set_ratio(&sketch, 0);
    test_lesson lesson = create(&sketch, all_defaults);
    assert_int_equal(det_trainer_parameter_count(lesson.trainer), 8);
    test_lesson_check(&lesson);
    test_lesson_free(&lesson);
    test_sketch_free(&sketch);
}

/* ---- Runs ----------------------------------------------------------------------------------- */

static void measuring_gives_what_the_finished_network_gives(void **state)
{
    (void)state;
    test_sketch sketch = test_small_sketch();
    test_lesson lesson = create(&sketch, all_defaults);
    const char *const to[] = {"fc"};
    const det_network_options options = {.to = to, .to_count = 1, .batch = BATCH};
    float *output = det_alloc_array(lesson.out, sizeof *output);
    det_network *network = NULL;
    det_worker *worker = NULL;
    det_error error = {0};
    test_assert_ok(det_network_compile(sketch.model, &options, &network, &error), &error);
    test_assert_ok(det_worker_create((const det_network *const[]){network}, 1, &worker, &error),
                   &error);
    test_assert_ok(det_network_run_tensor(network, worker, lesson.input, BATCH, &output, &error),
                   &error);
    test_assert_ok(det_trainer_forward(lesson.trainer, false, 1, &error), &error);
    for (size_t i = 0; i < lesson.out; i++)
        assert_true(fabsf(output[i] - det_trainer_output(lesson.trainer, 0)[i]) < 1e-5F);
    det_worker_free(worker);
    det_network_free(network);
    det_free(output);
    test_lesson_free(&lesson);
    test_sketch_free(&sketch);
}

static void assert_same_gradients(const test_lesson *a, const test_lesson *b)
{
    assert_memory_equal(det_trainer_output(a->trainer, 0), det_trainer_output(b->trainer, 0),
                        a->out * sizeof(float));
    assert_memory_equal(det_trainer_input_gradient(a->trainer),
                        det_trainer_input_gradient(b->trainer), a->in * sizeof(float));
    for (size_t i = 0; i < det_trainer_parameter_count(a->trainer); i++) {
        const det_parameter *p = det_trainer_parameter(a->trainer, i),
                            *q = det_trainer_parameter(b->trainer, i);
        assert_memory_equal(p->gradients, q->gradients, p->count * sizeof(float));
    }
}

/* Twice the same trainer with something else between, and another one. */
static void equal_steps_give_equal_bits(void **state)
{
    (void)state;
    test_sketch sketch = test_small_sketch();
    test_lesson lesson = create(&sketch, (det_trainer_options){.threads = 2}),
                other = create(&sketch, (det_trainer_options){.threads = 2});
    det_error error = {0};
    test_lesson_run(&lesson, 5);
    test_lesson_run(&other, 9);
    test_assert_ok(det_trainer_forward(other.trainer, false, 0, &error), &error);
    test_lesson_run(&other, 5);
    assert_same_gradients(&lesson, &other);
    test_lesson_free(&lesson);
    test_lesson_free(&other);
    test_sketch_free(&sketch);
}

/* ---- Dropout -------------------------------------------------------------------------------- */

/* A network of a dropout alone behind a convolution, fed with ones at the dropout. */
static test_lesson create_dropout(const test_sketch *sketch, det_trainer_options options)
{
    test_lesson lesson = test_lesson_create(sketch, node_of(sketch, "source"),
                                            node_of(sketch, "layer"), 8, options, 0);
    for (size_t i = 0; i < lesson.in; i++) det_trainer_input(lesson.trainer)[i] = 1;
    for (size_t i = 0; i < lesson.out; i++) lesson.factors[i] = 1;
    return lesson;
}

static test_sketch sketch_dropout(float ratio)
{
    test_sketch sketch = test_sketch_create(SIDE, SIDE);
    const int source = test_sketch_chain(
        &sketch, "source",
        (det_node){.op = DET_OP_CONVOLUTION, .channels = 16, .window = test_window(1, 1, 0)},
        DET_PICTURE);
    test_sketch_chain(&sketch, "layer", (det_node){.op = DET_OP_DROPOUT, .ratio = ratio}, source);
    return sketch;
}

/* 8 x 16 x 16 x 16 = 32768 values, of which .6 are kept: 19661, give or take 5 times
 * sqrt(32768 * .24) = 443. All the same values are dropped from the gradient. */
static void check_dropout(det_precision precision)
{
    if (det_precision_check(precision, NULL) < 0) return;
    test_sketch sketch = sketch_dropout(.4F);
    test_lesson lesson = create_dropout(&sketch, (det_trainer_options){.precision = precision});
    test_lesson_run(&lesson, 3);
    const float *output = det_trainer_output(lesson.trainer, 0);
    size_t kept = 0;
    for (size_t i = 0; i < lesson.out; i++) {
        assert_true(output[i] == 0 || fabsf(output[i] - 1 / .6F) < .005F);
        assert_true(output[i] == det_trainer_input_gradient(lesson.trainer)[i]);
        kept += output[i] > 0;
    }
    assert_in_range(kept, 19661 - 443, 19661 + 443);
    test_lesson_free(&lesson);
    test_sketch_free(&sketch);
}

static void dropout_drops_a_share_and_scales_the_rest(void **state)
{
    (void)state;
    check_dropout(DET_F32);
    check_dropout(DET_BF16);
}

static void what_is_dropped_depends_on_the_seed_alone(void **state)
{
    (void)state;
    test_sketch sketch = sketch_dropout(.5F);
    test_lesson lesson = create_dropout(&sketch, all_defaults),
                other = create_dropout(&sketch, (det_trainer_options){.threads = 2});
    assert_true(test_lesson_run(&lesson, 1) != test_lesson_run(&other, 2));
    test_lesson_run(&other, 1);
    assert_same_gradients(&lesson, &other);
    test_lesson_free(&lesson);
    test_lesson_free(&other);
    test_sketch_free(&sketch);
}

static void nothing_is_dropped_while_measuring(void **state)
{
    (void)state;
    test_sketch sketch = sketch_dropout(.5F);
    test_lesson lesson = create_dropout(&sketch, all_defaults);
    det_error error = {0};
    test_assert_ok(det_trainer_forward(lesson.trainer, false, 1, &error), &error);
    for (size_t i = 0; i < lesson.out; i++)
        assert_true(det_trainer_output(lesson.trainer, 0)[i] == 1);
    test_lesson_free(&lesson);
    test_sketch_free(&sketch);
}

/* ---- What is frozen ------------------------------------------------------------------------- */

/* Layers named in a list learn. */
static bool is_listed(void *context, const char *layer)
{
    for (const char *const *name = context; *name; name++)
        if (strcmp(*name, layer) == 0) return true;
    return false;
}

static det_trainer_options learning(const char *const *names)
{
    return (det_trainer_options){.learns = is_listed, .learns_context = (void *)(uintptr_t)names};
}

/* Gradients pass through a frozen layer. */
static void frozen_layers_have_no_gradients_and_change_no_others(void **state)
{
    (void)state;
    static const char *const names[] = {"conv1", "branch2", NULL};
    test_sketch sketch = test_small_sketch();
    test_lesson all = create(&sketch, all_defaults), some = create(&sketch, learning(names));
    assert_true(test_lesson_run(&all, 4) == test_lesson_run(&some, 4));
    for (size_t i = 0; i < det_trainer_parameter_count(all.trainer); i++) {
        const det_parameter *p = det_trainer_parameter(all.trainer, i),
                            *q = det_trainer_parameter(some.trainer, i);
        assert_string_equal(p->layer, q->layer);
        assert_non_null(p->gradients);
        assert_true(is_listed((void *)(uintptr_t)names, q->layer) == (q->gradients != NULL));
        if (q->gradients) assert_memory_equal(p->gradients, q->gradients, p->count * sizeof(float));
    }
    test_lesson_free(&all);
    test_lesson_free(&some);
    test_sketch_free(&sketch);
}

/* Only what lies above the dropout learns, and nobody asks for the gradient of the input. */
static void below_the_first_layer_that_learns_nothing_is_dropped(void **state)
{
    (void)state;
    static const char *const names[] = {"fc", NULL}, *const to[] = {"fc"};
    test_sketch sketch = test_small_sketch();
    det_trainer_options options = learning(names);
    options.batch = 1;
    options.input = (det_shape){3, SIDE, SIDE};
    options.to = to;
    options.to_count = 1;
    det_trainer *trainer = NULL;
    det_error error = {0};
    test_assert_ok(det_trainer_create(&sketch.model->graph, &options, &trainer, &error), &error);
    assert_null(det_trainer_input_gradient(trainer));
    float *input = test_random_values((size_t)3 * SIDE * SIDE, 1), before[5];
    memcpy(det_trainer_input(trainer), input, (size_t)3 * SIDE * SIDE * sizeof *input);
    test_assert_ok(det_trainer_forward(trainer, false, 0, &error), &error);
    memcpy(before, det_trainer_output(trainer, 0), sizeof before);
    test_assert_ok(det_trainer_forward(trainer, true, 7, &error), &error);
    assert_memory_equal(det_trainer_output(trainer, 0), before, sizeof before);
    det_free(input);
    det_trainer_free(trainer);
    test_sketch_free(&sketch);
}

/* ---- What is fed and what is looked at ------------------------------------------------------- */

/* The upper half, fed with what the lower half gives, gives what the whole gives. */
static void a_network_may_begin_at_a_layer(void **state)
{
    (void)state;
    test_sketch sketch = test_small_sketch();
    set_ratio(&sketch, 0);
    const int norm = node_of(&sketch, "norm1");
    test_lesson whole = create(&sketch, all_defaults),
                lower = test_lesson_create(&sketch, DET_PICTURE, norm, BATCH, all_defaults, 0),
                upper = test_lesson_create(&sketch, norm, node_of(&sketch, "fc"), BATCH,
                                           all_defaults, 0);
    const double loss = test_lesson_run(&whole, 1);
    test_lesson_forward(&lower, 1);
    assert_int_equal(lower.out, upper.in);
    memcpy(det_trainer_input(upper.trainer), det_trainer_output(lower.trainer, 0),
           upper.in * sizeof(float));
    assert_true(fabs(test_lesson_run(&upper, 1) - loss) < 1e-5);
    assert_int_equal(det_trainer_parameter_count(upper.trainer), 6);

    /* And the gradient that it passes down is that of the whole. */
    det_error error = {0};
    memcpy(det_trainer_output_gradient(lower.trainer, 0), det_trainer_input_gradient(upper.trainer),
           upper.in * sizeof(float));
    test_assert_ok(det_trainer_backward(lower.trainer, &error), &error);
    const det_parameter *p = test_lesson_parameter(&whole, "conv1", DET_PARAMETER_WEIGHT),
                        *q = test_lesson_parameter(&lower, "conv1", DET_PARAMETER_WEIGHT);
    for (size_t i = 0; i < p->count; i++)
        assert_true(fabsf(p->gradients[i] - q->gradients[i]) < 1e-4F);
    test_lesson_free(&whole);
    test_lesson_free(&lower);
    test_lesson_free(&upper);
    test_sketch_free(&sketch);
}

/* The gradient of a sum is the sum of the gradients. "concat" lies on the way to "fc". */
static void several_outputs_add_their_gradients(void **state)
{
    (void)state;
    static const char *const to[] = {"fc", "concat", "relu1"};
    enum { OUTPUTS = 3 };
    test_sketch sketch = test_small_sketch();
    set_ratio(&sketch, 0);
    test_lesson apart[OUTPUTS];
    const det_trainer_options options = {
        .batch = BATCH, .threads = 1, .input = {3, SIDE, SIDE}, .to = to, .to_count = OUTPUTS};
    det_trainer *together = NULL;
    det_error error = {0};
    test_assert_ok(det_trainer_create(&sketch.model->graph, &options, &together, &error), &error);
    for (int i = 0; i < OUTPUTS; i++)
        apart[i] = test_lesson_create(&sketch, DET_PICTURE, node_of(&sketch, to[i]), BATCH,
                                      all_defaults, 0);
    memcpy(det_trainer_input(together), apart[0].input, apart[0].in * sizeof(float));
    test_assert_ok(det_trainer_forward(together, true, 0, &error), &error);
    for (int i = 0; i < OUTPUTS; i++) {
        test_lesson_run(&apart[i], 0);
        assert_memory_equal(det_trainer_output(together, (size_t)i),
                            det_trainer_output(apart[i].trainer, 0), apart[i].out * sizeof(float));
        memcpy(det_trainer_output_gradient(together, (size_t)i), apart[i].factors,
               apart[i].out * sizeof(float));
    }
    test_assert_ok(det_trainer_backward(together, &error), &error);
    const float *sum = det_trainer_parameter(together, 0)->gradients;
    for (size_t k = 0; k < det_trainer_parameter(together, 0)->count; k++) {
        float expected = 0;
        for (int i = 0; i < OUTPUTS; i++)
            expected += det_trainer_parameter(apart[i].trainer, 0)->gradients[k];
        assert_true(fabsf(sum[k] - expected) < 1e-3F * fmaxf(1, fabsf(expected)));
    }
    for (int i = 0; i < OUTPUTS; i++) test_lesson_free(&apart[i]);
    det_trainer_free(together);
    test_sketch_free(&sketch);
}

/* Parameters that the caller changes are those that run next. */
static void the_caller_moves_parameters(void **state)
{
    (void)state;
    test_sketch sketch = test_small_sketch();
    set_ratio(&sketch, 0);
    test_lesson lesson = create(&sketch, all_defaults);
    const double before = test_lesson_forward(&lesson, 0);
    const det_parameter *bias = test_lesson_parameter(&lesson, "fc", DET_PARAMETER_BIAS);
    double expected = before;
    for (size_t i = 0; i < lesson.out; i++) expected += (double)lesson.factors[i];
    for (size_t i = 0; i < bias->count; i++) bias->values[i] += 1;
    assert_true(fabs(test_lesson_forward(&lesson, 0) - expected) < 1e-5);
    assert_true(sketch.model->graph.nodes[node_of(&sketch, "fc")].bias.values[0] !=
                bias->values[0]);
    test_lesson_free(&lesson);
    test_sketch_free(&sketch);
}

/* ---- What is refused ------------------------------------------------------------------------ */

static void refuse(const test_sketch *sketch, det_trainer_options options, det_status status,
                   const char *where, const char *message)
{
    det_trainer *trainer = NULL;
    det_error error = {0};
    options.input = (det_shape){3, SIDE, SIDE};
    test_assert_error(det_trainer_create(&sketch->model->graph, &options, &trainer, &error), status,
                      &error, message);
    assert_string_equal(error.where, where);
    assert_null(trainer);
}

static void senseless_options_are_refused(void **state)
{
    (void)state;
    static const char *const fc[] = {"fc"}, *const prob[] = {"prob"}, *const none[] = {"fd"},
                             *const concat[] = {"concat"};
    test_sketch sketch = test_small_sketch();
    det_trainer_options o = {.batch = 1, .to = prob, .to_count = 1};
    refuse(&sketch, o, DET_UNSUPPORTED, "prob", "before a softmax");
    o.to = none;
    refuse(&sketch, o, DET_ARGUMENT, "fd", "no layer of this name");
    o.to = concat;
    o.from = "branch1";
    refuse(&sketch, o, DET_ARGUMENT, "branch2", "reads what comes before 'branch1'");
    o.from = "fd";
    refuse(&sketch, o, DET_ARGUMENT, "fd", "no layer of this name");
    o.from = "norm1"; /* of 4 channels */
    refuse(&sketch, o, DET_ARGUMENT, "layer 'branch1'", "do not fit");
    o.from = NULL;
    o.to = fc;
    o.batch = 0;
    refuse(&sketch, o, DET_ARGUMENT, "", "a batch of 0 examples");
    o.batch = (size_t)1 << 40;
    refuse(&sketch, o, DET_ARGUMENT, "", "at most 65536");
    o.batch = 1;
    o.to_count = 0;
    refuse(&sketch, o, DET_ARGUMENT, "", "0 outputs");
    test_sketch_free(&sketch);
}

static void a_processor_without_bf16_says_so(void **state)
{
    (void)state;
    static const char *const to[] = {"fc"};
    if (det_precision_check(DET_BF16, NULL) == DET_OK) return;
    test_sketch sketch = test_small_sketch();
    refuse(&sketch,
           (det_trainer_options){.batch = 1, .precision = DET_BF16, .to = to, .to_count = 1},
           DET_UNSUPPORTED, "", "does not compute in bf16");
    test_sketch_free(&sketch);
}

static void memory_may_run_out_at_any_time(void **state)
{
    (void)state;
    static const char *const to[] = {"fc"};
    test_sketch sketch = test_small_sketch();
    const det_trainer_options options = {.batch = 1,
                                         .threads = 1,
                                         .input = {3, SIDE, SIDE},
                                         .input_gradient = true,
                                         .to = to,
                                         .to_count = 1};
    det_trainer *trainer = NULL;
    uint64_t nth = 0;
    for (det_status status = DET_MEMORY; status != DET_OK;) {
        det_error error = {0};
        det_memory_fail_at(++nth);
        status = det_trainer_create(&sketch.model->graph, &options, &trainer, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_true(status == (failed ? DET_MEMORY : DET_OK));
        if (failed) assert_null(trainer);
    }
    assert_true(nth > 50);
    det_trainer_free(trainer);
    det_trainer_free(NULL);
    test_sketch_free(&sketch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gradients_of_a_whole_network_follow_its_differences),
        cmocka_unit_test(measuring_gives_what_the_finished_network_gives),
        cmocka_unit_test(equal_steps_give_equal_bits),
        cmocka_unit_test(dropout_drops_a_share_and_scales_the_rest),
        cmocka_unit_test(what_is_dropped_depends_on_the_seed_alone),
        cmocka_unit_test(nothing_is_dropped_while_measuring),
        cmocka_unit_test(frozen_layers_have_no_gradients_and_change_no_others),
        cmocka_unit_test(below_the_first_layer_that_learns_nothing_is_dropped),
        cmocka_unit_test(a_network_may_begin_at_a_layer),
        cmocka_unit_test(several_outputs_add_their_gradients),
        cmocka_unit_test(the_caller_moves_parameters),
        cmocka_unit_test(senseless_options_are_refused),
        cmocka_unit_test(a_processor_without_bf16_says_so),
        cmocka_unit_test(memory_may_run_out_at_any_time),
    };
    return cmocka_run_group_tests_name("trainer", tests, NULL, NULL);
}
