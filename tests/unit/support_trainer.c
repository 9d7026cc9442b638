/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/support_trainer.h"

#include "src/base/memory.h"
#include "src/base/random.h"
#include "tests/unit/support.h"

#include <math.h>
#include <string.h>

test_lesson test_lesson_create(const test_sketch *sketch, int from, int to, size_t batch,
                               det_trainer_options options, float step)
{
    const det_model *model = sketch->model;
    const char *name = model->graph.nodes[to].name;
    test_lesson lesson = {.sketch = sketch, .from = from, .to = to, .batch = batch};
    options.batch = batch;
    if (options.threads == 0) options.threads = 1;
    options.input =
        from >= 0 ? model->shapes[from] : (det_shape){3, model->input.height, model->input.width};
    options.from = from >= 0 ? model->graph.nodes[from].name : NULL;
    options.input_gradient = true;
    options.to = &name;
    options.to_count = 1;
    lesson.options = options;
    lesson.options.to = NULL; /* gone when this function ends */
    det_error error = {0};
    test_assert_ok(det_trainer_create(&model->graph, &options, &lesson.trainer, &error), &error);
    lesson.in = batch * det_shape_values(options.input);
    lesson.out = batch * det_shape_values(det_trainer_output_shape(lesson.trainer, 0));
    lesson.input = test_random_values(lesson.in, 7);
    lesson.factors = test_random_values(lesson.out, 11);
    for (size_t i = 0; step > 0 && i < lesson.in; i++)
        lesson.input[i] = roundf(lesson.input[i] / step) * step;
    memcpy(det_trainer_input(lesson.trainer), lesson.input, lesson.in * sizeof *lesson.input);
    return lesson;
}

void test_lesson_free(test_lesson *lesson)
{
    det_trainer_free(lesson->trainer);
    det_free(lesson->input);
    det_free(lesson->factors);
}

double test_lesson_forward(const test_lesson *lesson, uint64_t seed)
{
    det_error error = {0};
    test_assert_ok(det_trainer_forward(lesson->trainer, true, seed, &error), &error);
    const float *output = det_trainer_output(lesson->trainer, 0);
    double loss = 0;
    for (size_t i = 0; i < lesson->out; i++) loss += (double)lesson->factors[i] * (double)output[i];
    return loss;
}

double test_lesson_run(const test_lesson *lesson, uint64_t seed)
{
    det_error error = {0};
    const double loss = test_lesson_forward(lesson, seed);
    memcpy(det_trainer_output_gradient(lesson->trainer, 0), lesson->factors,
           lesson->out * sizeof *lesson->factors);
    test_assert_ok(det_trainer_backward(lesson->trainer, &error), &error);
    return loss;
}

const det_parameter *test_lesson_parameter(const test_lesson *lesson, const char *layer,
                                           det_parameter_kind kind)
{
    for (size_t i = 0; i < det_trainer_parameter_count(lesson->trainer); i++) {
        const det_parameter *p = det_trainer_parameter(lesson->trainer, i);
        if (p->kind == kind && strcmp(p->layer, layer) == 0) return p;
    }
    fail_msg("the layer %s has no %s", layer, det_parameter_kind_name(kind));
    return NULL;
}

/* ---- Differences ---------------------------------------------------------------------------- */

/* What one picture adds to the loss. */
static double picture_loss(const test_lesson *lesson, const double *input, size_t picture)
{
    const size_t in = lesson->in / lesson->batch, out = lesson->out / lesson->batch;
    double *values = test_reference_values(lesson->sketch->model, lesson->from,
                                           input + picture * in, lesson->to);
    const float *factors = lesson->factors + picture * out;
    double loss = 0;
    for (size_t i = 0; i < out; i++) loss += (double)factors[i] * values[i];
    det_free(values);
    return loss;
}

static double reference_loss(const test_lesson *lesson, const double *input)
{
    double loss = 0;
    for (size_t b = 0; b < lesson->batch; b++) loss += picture_loss(lesson, input, b);
    return loss;
}

/* How the loss follows a weight of the sketch, which stays as it is. */
static double slope_of_weight(const test_lesson *lesson, const double *input, float *weight)
{
    const float before = *weight;
    *weight = before + 0x1p-13F;
    const double up = (double)*weight, above = reference_loss(lesson, input);
    *weight = before - 0x1p-13F;
    const double down = (double)*weight, below = reference_loss(lesson, input);
    *weight = before;
    return (above - below) / (up - down);
}

static double slope_of_input(const test_lesson *lesson, double *input, size_t index)
{
    const size_t picture = index / (lesson->in / lesson->batch);
    const double before = input[index], step = 1e-5;
    input[index] = before + step;
    const double above = picture_loss(lesson, input, picture);
    input[index] = before - step;
    const double below = picture_loss(lesson, input, picture);
    input[index] = before;
    return (above - below) / (2 * step);
}

/* Gradients of one parameter or of the input. */
typedef struct {
    const test_lesson *lesson;
    double *input;
    float *weights; /* of the sketch, or NULL: the input */
    const float *gradients;
    size_t count;
    const char *layer, *what;
} compared;

static double slope_of(const compared *c, size_t index)
{
    return c->weights ? slope_of_weight(c->lesson, c->input, &c->weights[index])
                      : slope_of_input(c->lesson, c->input, index);
}

/* A few values, which fall everywhere, and always the first and the last one. */
static void compare(const compared *c)
{
    enum { FEW = 4 };
    det_random random = det_random_create(c->count, 3);
    size_t places[FEW];
    double slopes[FEW], largest = 0;
    const size_t few = c->count < FEW ? c->count : FEW;
    for (size_t i = 0; i < few; i++) {
        places[i] = c->count <= FEW ? i : det_random_below(&random, (uint32_t)c->count);
        if (i < 2 && c->count > FEW) places[i] = i ? c->count - 1 : 0;
        slopes[i] = slope_of(c, places[i]);
        largest = fmax(largest, fabs(slopes[i]));
    }
    for (size_t i = 0; i < few; i++) {
        const double given = (double)c->gradients[places[i]];
        if (!(fabs(given - slopes[i]) <= 5e-4 * largest + 1e-5))
            fail_msg("%s %s: the gradient of value %zu of %zu is %g, differences say %g", c->layer,
                     c->what, places[i], c->count, given, slopes[i]);
    }
}

static float *weights_of(const test_lesson *lesson, const det_parameter *p)
{
    const det_graph *graph = &lesson->sketch->model->graph;
    const det_node *node = &graph->nodes[det_graph_find(graph, p->layer)];
    const bool first = p->kind == DET_PARAMETER_WEIGHT || p->kind == DET_PARAMETER_SCALE;
    return (float *)(uintptr_t)(first ? node->weights : node->bias).values;
}

void test_lesson_check(const test_lesson *lesson)
{
    double *input = det_alloc_array(lesson->in, sizeof *input);
    for (size_t i = 0; i < lesson->in; i++) input[i] = (double)lesson->input[i];
    test_lesson_run(lesson, 0);
    for (size_t i = 0; i < det_trainer_parameter_count(lesson->trainer); i++) {
        const det_parameter *p = det_trainer_parameter(lesson->trainer, i);
        if (!p->gradients) continue;
        compare(&(compared){lesson, input, weights_of(lesson, p), p->gradients, p->count, p->layer,
                            det_parameter_kind_name(p->kind)});
    }
    compare(&(compared){lesson, input, NULL, det_trainer_input_gradient(lesson->trainer),
                        lesson->in, lesson->sketch->model->graph.nodes[lesson->to].name, "input"});
    det_free(input);
}
