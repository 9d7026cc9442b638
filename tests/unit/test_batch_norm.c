/* SPDX-License-Identifier: Apache-2.0 */
/* Batch normalisation against its formula in double: forward, running statistics, and gradients
 * against differences. */
#include "src/base/memory.h"
#include "tests/unit/support.h"
#include "tests/unit/support_network.h"
#include "tests/unit/support_trainer.h"

#include <math.h>
#include <string.h>

enum { HEIGHT = 3, WIDTH = 4, AREA = HEIGHT * WIDTH, BATCH = 3, MOST = 16 };
static const float epsilon = 1e-2F, flat = 0, steep = .1F;

/* A batch of maps, and what normalises them. */
typedef struct {
    int channels;
    bool relu;
    double slope;                       /* of the ReLU */
    double values[BATCH * MOST * AREA]; /* batch x channels x area */
    double scale[MOST], shift[MOST];
} batch;

static double *at(batch *b, int picture, int channel)
{
    return b->values + (picture * b->channels + channel) * AREA;
}

static void moments(batch *b, int channel, double *mean, double *variance)
{
    const double count = BATCH * AREA;
    *mean = *variance = 0;
    for (int n = 0; n < BATCH; n++)
        for (int i = 0; i < AREA; i++) *mean += at(b, n, channel)[i] / count;
    for (int n = 0; n < BATCH; n++)
        for (int i = 0; i < AREA; i++) *variance += pow(at(b, n, channel)[i] - *mean, 2) / count;
}

static void normalise(batch *b, double *out)
{
    for (int c = 0; c < b->channels; c++) {
        double mean, variance;
        moments(b, c, &mean, &variance);
        for (int n = 0; n < BATCH; n++)
            for (int i = 0; i < AREA; i++) {
                const double y =
                    b->scale[c] * (at(b, n, c)[i] - mean) / sqrt(variance + (double)epsilon) +
                    b->shift[c];
                out[(n * b->channels + c) * AREA + i] = b->relu && y < 0 ? b->slope * y : y;
            }
    }
}

static double loss_of(batch *b, const float *factors)
{
    double out[BATCH * MOST * AREA], loss = 0;
    normalise(b, out);
    for (int i = 0; i < BATCH * b->channels * AREA; i++) loss += (double)factors[i] * out[i];
    return loss;
}

/* How the loss follows *value. */
static double slope_of(batch *b, const float *factors, double *value)
{
    const double before = *value, step = 1e-5;
    *value = before + step;
    const double above = loss_of(b, factors);
    *value = before - step;
    const double below = loss_of(b, factors);
    *value = before;
    return (above - below) / (2 * step);
}

/* A normalisation of maps of so many channels, with a ReLU of that slope behind it, or (NULL) none.
 */
typedef struct {
    test_sketch sketch;
    test_lesson lesson;
    batch batch;
} normalised;

static void create(normalised *n, int channels, const float *slope, det_trainer_options options,
                   float step)
{
    n->sketch = test_sketch_create(HEIGHT, WIDTH);
    const int source = test_sketch_chain(
        &n->sketch, "source",
        (det_node){.op = DET_OP_CONVOLUTION, .channels = channels, .window = test_window(1, 1, 0)},
        DET_PICTURE);
    const int norm = test_sketch_chain(
        &n->sketch, "norm", (det_node){.op = DET_OP_BATCH_NORM, .epsilon = epsilon}, source);
    const int last =
        slope ? test_sketch_chain(&n->sketch, "relu",
                                  (det_node){.op = DET_OP_RELU, .negative_slope = *slope}, norm)
              : norm;
    n->lesson = test_lesson_create(&n->sketch, source, last, BATCH, options, step);
    n->batch.channels = channels;
    n->batch.relu = slope;
    n->batch.slope = slope ? (double)*slope : 0;
    for (size_t i = 0; i < n->lesson.in; i++) n->batch.values[i] = (double)n->lesson.input[i];
    const det_node *node = &n->sketch.model->graph.nodes[norm];
    for (int c = 0; c < channels; c++) {
        n->batch.scale[c] = (double)node->weights.values[c];
        n->batch.shift[c] = (double)node->bias.values[c];
    }
}

static void release(normalised *n)
{
    test_lesson_free(&n->lesson);
    test_sketch_free(&n->sketch);
}

static const float *gradients_of(const normalised *n, det_parameter_kind kind)
{
    return test_lesson_parameter(&n->lesson, "norm", kind)->gradients;
}

static void assert_near(float given, double expected)
{
    if (!(fabs((double)given - expected) <= 1e-4 * fmax(1, fabs(expected))))
        fail_msg("%.9g is not %.9g", (double)given, expected);
}

static void check(int channels, const float *slope)
{
    normalised n;
    double out[BATCH * MOST * AREA];
    create(&n, channels, slope, (det_trainer_options){0}, 0);
    test_lesson_run(&n.lesson, 0);
    normalise(&n.batch, out);
    for (size_t i = 0; i < n.lesson.out; i++)
        assert_near(det_trainer_output(n.lesson.trainer, 0)[i], out[i]);
    const float *factors = n.lesson.factors;
    for (size_t i = 0; i < n.lesson.in; i += 7)
        assert_near(det_trainer_input_gradient(n.lesson.trainer)[i],
                    slope_of(&n.batch, factors, &n.batch.values[i]));
    for (int c = 0; c < channels; c++) {
        assert_near(gradients_of(&n, DET_PARAMETER_SCALE)[c],
                    slope_of(&n.batch, factors, &n.batch.scale[c]));
        assert_near(gradients_of(&n, DET_PARAMETER_SHIFT)[c],
                    slope_of(&n.batch, factors, &n.batch.shift[c]));
    }
    release(&n);
}

static void a_batch_is_normalised_and_its_gradients_agree(void **state)
{
    (void)state;
    static const int widths[] = {16, 5, 3};
    for (int i = 0; i < 3; i++) {
        check(widths[i], NULL);
        check(widths[i], &flat);
        check(widths[i], &steep);
    }
}

/* Running statistics move a tenth of the way. The variance that they follow is that of the
 * population: 36 / 35 of the batch's. */
static void running_statistics_follow_the_batches(void **state)
{
    (void)state;
    normalised n;
    create(&n, 5, NULL, (det_trainer_options){0}, 0);
    const det_parameter *means = test_lesson_parameter(&n.lesson, "norm", DET_PARAMETER_MEAN),
                        *variances =
                            test_lesson_parameter(&n.lesson, "norm", DET_PARAMETER_VARIANCE);
    assert_null(means->gradients);
    double expected[5][2];
    for (int c = 0; c < 5; c++) {
        double mean, variance;
        moments(&n.batch, c, &mean, &variance);
        expected[c][0] = .9 * (double)means->values[c] + .1 * mean;
        expected[c][1] = .9 * (double)variances->values[c] + .1 * variance * 36 / 35;
    }
    test_lesson_run(&n.lesson, 0);
    for (int c = 0; c < 5; c++) {
        assert_near(means->values[c], expected[c][0]);
        assert_near(variances->values[c], expected[c][1]);
    }
    release(&n);
}

static bool nothing(void *context, const char *layer)
{
    (void)context, (void)layer;
    return false;
}

/* Measuring, or frozen: the reference goes by running statistics, which stay as they are. */
static void elsewhere_running_statistics_normalise(void **state)
{
    (void)state;
    normalised n;
    create(&n, 5, &flat, (det_trainer_options){.learns = nothing}, 0);
    test_lesson_check(&n.lesson);
    assert_null(gradients_of(&n, DET_PARAMETER_SCALE));
    float *output = det_alloc_array(n.lesson.out, sizeof *output);
    memcpy(output, det_trainer_output(n.lesson.trainer, 0), n.lesson.out * sizeof *output);
    release(&n);

    det_error error = {0};
    create(&n, 5, &flat, (det_trainer_options){0}, 0);
    test_assert_ok(det_trainer_forward(n.lesson.trainer, false, 0, &error), &error);
    for (size_t i = 0; i < n.lesson.out; i++)
        assert_near(det_trainer_output(n.lesson.trainer, 0)[i], (double)output[i]);
    const det_node *node = &n.sketch.model->graph.nodes[1];
    assert_memory_equal(test_lesson_parameter(&n.lesson, "norm", DET_PARAMETER_MEAN)->values,
                        node->mean.values, 5 * sizeof(float));
    det_free(output);
    release(&n);
}

static double off_by(const float *values, const float *like, size_t count)
{
    double squares = 0, all = 0;
    for (size_t i = 0; i < count; i++) {
        squares += pow((double)values[i] - (double)like[i], 2);
        all += pow((double)like[i], 2);
    }
    return sqrt(squares / all);
}

/* bf16 has 8 bits; statistics, scales and their gradients are f32. */
static void bf16_agrees_with_f32(void **state)
{
    (void)state;
    if (det_precision_check(DET_BF16, NULL) < 0) return;
    normalised exact, half;
    create(&exact, 16, &flat, (det_trainer_options){0}, 0x1p-7F);
    create(&half, 16, &flat, (det_trainer_options){.precision = DET_BF16}, 0x1p-7F);
    test_lesson_run(&exact.lesson, 0);
    test_lesson_run(&half.lesson, 0);
    assert_true(off_by(det_trainer_input_gradient(half.lesson.trainer),
                       det_trainer_input_gradient(exact.lesson.trainer), exact.lesson.in) < .02);
    for (int kind = DET_PARAMETER_SCALE; kind <= DET_PARAMETER_SHIFT; kind++)
        assert_true(off_by(gradients_of(&half, (det_parameter_kind)kind),
                           gradients_of(&exact, (det_parameter_kind)kind), 16) < .02);
    release(&exact);
    release(&half);
}

/* Behind a convolution without biases, as networks that are trained from scratch have it. */
static void a_convolution_in_front_learns_through_it(void **state)
{
    (void)state;
    test_sketch sketch = test_sketch_create(HEIGHT, WIDTH);
    const int conv = test_sketch_chain(
        &sketch, "conv",
        (det_node){.op = DET_OP_CONVOLUTION, .channels = 16, .window = test_window(3, 1, 1)},
        DET_PICTURE);
    sketch.model->graph.nodes[conv].bias = (det_weights){0};
    const int norm = test_sketch_chain(
        &sketch, "norm", (det_node){.op = DET_OP_BATCH_NORM, .epsilon = epsilon}, conv);
    test_lesson lesson =
        test_lesson_create(&sketch, DET_PICTURE, norm, BATCH, (det_trainer_options){0}, 0);
    test_lesson_run(&lesson, 0);
    const det_parameter *p = test_lesson_parameter(&lesson, "conv", DET_PARAMETER_WEIGHT);
    float *gradients = det_alloc_array(p->count, sizeof *gradients);
    memcpy(gradients, p->gradients, p->count * sizeof *gradients);
    for (size_t i = 0; i < p->count; i += 31) {
        const float before = p->values[i];
        p->values[i] = before + .01F;
        const double above = test_lesson_forward(&lesson, 0);
        p->values[i] = before - .01F;
        const double slope = (above - test_lesson_forward(&lesson, 0)) / .02;
        p->values[i] = before;
        assert_true(fabs((double)gradients[i] - slope) < .01 * fmax(1, fabs(slope)));
    }
    det_free(gradients);
    test_lesson_free(&lesson);
    test_sketch_free(&sketch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_normalised_and_its_gradients_agree),
        cmocka_unit_test(running_statistics_follow_the_batches),
        cmocka_unit_test(elsewhere_running_statistics_normalise),
        cmocka_unit_test(bf16_agrees_with_f32),
        cmocka_unit_test(a_convolution_in_front_learns_through_it),
    };
    return cmocka_run_group_tests_name("batch normalisation", tests, NULL, NULL);
}
