/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/random.h"
#include "src/train/fit.h"
#include "tests/unit/support.h"

#include <math.h>
#include <string.h>

enum { ROWS = 300, WIDTH = 5, CLASSES = 2, OUTPUTS = CLASSES + 1 };

/* One picture whose regions have random features; a region's class follows from them, with noise.
 */
typedef struct {
    uint8_t values[ROWS * WIDTH];
    float scales[ROWS], overlaps[ROWS], weights[2 * ROWS];
    det_box boxes[ROWS];
    int labels[ROWS];
    size_t objects[ROWS];
    det_row rows[ROWS];
    det_training_image image;
    det_training_set set;
} sample;

static void make_sample(sample *s)
{
    det_random random = det_random_create(7, 0);
    memset(s, 0, sizeof *s);
    for (int i = 0; i < ROWS; i++) {
        double score = 0;
        for (int j = 0; j < WIDTH; j++) {
            s->values[i * WIDTH + j] = (uint8_t)det_random_below(&random, 256);
            score += s->values[i * WIDTH + j] * (j - 2.0);
        }
        score += 200 * (det_random_double(&random) - .5);
        s->scales[i] = .01F;
        s->labels[i] = score > 100 ? 0 : score < -100 ? 1 : DET_LABEL_BACKGROUND;
        s->boxes[i] = (det_box){0, 0, 40, 40};
        s->rows[i] = (det_row){0, (uint32_t)i};
        s->weights[i] = 1;
        s->weights[ROWS + i] = i < ROWS / 2;
    }
    s->image.features = (det_region_features){.count = ROWS,
                                              .proposal_count = ROWS,
                                              .width = WIDTH,
                                              .boxes = s->boxes,
                                              .scales = s->scales,
                                              .values = s->values,
                                              .picture_width = 100,
                                              .picture_height = 100};
    s->image.labels = (det_region_labels){s->labels, s->overlaps, s->objects};
    s->set = (det_training_set){.classes = {.count = CLASSES},
                                .images = &s->image,
                                .image_count = 1,
                                .width = WIDTH,
                                .region_count = ROWS};
}

static void create_heads(det_linear_head *heads, size_t count)
{
    det_error error;
    for (size_t h = 0; h < count; h++)
        test_assert_ok(
            det_linear_head_create(DET_HEAD_SOFTMAX, WIDTH, CLASSES, true, &heads[h], &error),
            &error);
}

/* The mean cross-entropy of some first rows, plainly. */
static double cross_entropy(const sample *s, const det_linear_head *head, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        float p[OUTPUTS];
        det_linear_head_outputs(head, &s->image.features, i, p);
        det_linear_head_probabilities(head, p);
        sum -= log((double)p[s->labels[i] < 0 ? CLASSES : s->labels[i]]);
    }
    return sum / (double)count;
}

static void the_loss_is_at_its_least(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    det_linear_head head;
    det_error error;
    create_heads(&head, 1);
    const det_fit_examples examples = {&s.set, s.rows, ROWS, s.weights, 1, NULL};
    const det_fit_options options = {.l2 = 1e-9, .iterations = 500};
    test_assert_ok(det_fit_classes(&examples, &options, NULL, &head, &error), &error);
    const double least = cross_entropy(&s, &head, ROWS);
    assert_true(least < .5);
    const size_t weights = (size_t)OUTPUTS * WIDTH;
    for (size_t i = 0; i < weights; i++)
        for (int side = -1; side <= 1; side += 2) {
            const float kept = head.weights[i];
            head.weights[i] += .05F * (float)side;
            assert_true(cross_entropy(&s, &head, ROWS) > least - 2e-5);
            head.weights[i] = kept;
        }
    det_linear_head_free(&head);
}

/* ---- Finite differences ---- */

enum { POINT = OUTPUTS * (WIDTH + 1) };

/* The features as a fit sees them: without their mean, and of the norm 20. */
typedef struct {
    double rows[ROWS][WIDTH], mean[WIDTH], scale;
} seen_features;

static void see_features(const sample *s, seen_features *f)
{
    double squares = 0;
    memset(f, 0, sizeof *f);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < WIDTH; j++)
            f->mean[j] += s->values[i * WIDTH + j] * (double)s->scales[i] / ROWS;
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < WIDTH; j++) {
            f->rows[i][j] = s->values[i * WIDTH + j] * (double)s->scales[i] - f->mean[j];
            squares += f->rows[i][j] * f->rows[i][j];
        }
    f->scale = 20 / sqrt(squares / ROWS);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < WIDTH; j++) f->rows[i][j] *= f->scale;
}

/* What is made least, plainly: of each output the weights and then the bias. */
static double objective(const sample *s, const seen_features *f, double l2, const double *point)
{
    double loss = 0, all = 0, squares = 0;
    for (int i = 0; i < ROWS; i++) {
        double outputs[OUTPUTS], sum = 0;
        for (int o = 0; o < OUTPUTS; o++) {
            outputs[o] = point[o * (WIDTH + 1) + WIDTH];
            for (int j = 0; j < WIDTH; j++)
                outputs[o] += point[o * (WIDTH + 1) + j] * f->rows[i][j];
            sum += exp(outputs[o]);
        }
        const int truth = s->labels[i] < 0 ? CLASSES : s->labels[i];
        loss += (double)s->weights[i] * (log(sum) - outputs[truth]);
        all += (double)s->weights[i];
    }
    for (int i = 0; i < POINT; i++)
        if (i % (WIDTH + 1) != WIDTH) squares += point[i] * point[i];
    return loss / all + l2 * squares / 2;
}

/* @return the length of the gradient. */
static double differentiate(const sample *s, const seen_features *f, double l2, double *point,
                            double *gradient)
{
    const double step = 1e-5;
    double squares = 0;
    for (int i = 0; i < POINT; i++) {
        const double kept = point[i];
        point[i] = kept + step;
        const double more = objective(s, f, l2, point);
        point[i] = kept - step;
        gradient[i] = (more - objective(s, f, l2, point)) / (2 * step);
        point[i] = kept;
        squares += gradient[i] * gradient[i];
    }
    return sqrt(squares);
}

/* The point that a fit of so many iterations has reached. */
static void reach(const sample *s, const seen_features *f, double l2, int iterations, double *point)
{
    det_linear_head head;
    det_error error;
    create_heads(&head, 1);
    const det_fit_examples examples = {&s->set, s->rows, ROWS, s->weights, 1, NULL};
    const det_fit_options options = {.l2 = l2, .iterations = iterations};
    test_assert_ok(det_fit_classes(&examples, &options, NULL, &head, &error), &error);
    for (int o = 0; o < OUTPUTS; o++) {
        double *to = point + (size_t)o * (WIDTH + 1);
        to[WIDTH] = (double)head.biases[o];
        for (int j = 0; j < WIDTH; j++) {
            to[j] = (double)head.weights[o * WIDTH + j] / f->scale;
            to[WIDTH] += (double)head.weights[o * WIDTH + j] * f->mean[j];
        }
    }
    det_linear_head_free(&head);
}

/* Examples that count differently, so that weights are part of the gradient. The first step of a
 * fit goes against its gradient, whatever its length. */
static void the_first_step_goes_against_the_gradient_by_finite_differences(void **state)
{
    (void)state;
    sample s;
    seen_features f;
    double start[POINT] = {0}, reached[POINT], gradient[POINT], length = 0;
    make_sample(&s);
    for (int i = 0; i < ROWS; i++) s.weights[i] = .25F * (float)(i % 4);
    see_features(&s, &f);
    const double slope = differentiate(&s, &f, .1, start, gradient);
    reach(&s, &f, .1, 1, reached);
    for (int i = 0; i < POINT; i++) length += reached[i] * reached[i];
    length = sqrt(length);
    assert_true(length > 1e-3);
    for (int i = 0; i < POINT; i++)
        assert_true(fabs(reached[i] / length + gradient[i] / slope) < 1e-4);
}

/* Where a fit ends nothing is left of the gradient, with l2 as with next to none. */
static void a_fit_ends_where_the_gradient_by_finite_differences_is_0(void **state)
{
    (void)state;
    sample s;
    seen_features f;
    make_sample(&s);
    for (int i = 0; i < ROWS; i++) s.weights[i] = .25F * (float)(i % 4);
    see_features(&s, &f);
    static const double l2s[] = {1e-3, .1, 1};
    for (size_t i = 0; i < sizeof l2s / sizeof *l2s; i++) {
        const double l2 = l2s[i];
        double start[POINT] = {0}, reached[POINT], gradient[POINT];
        const double slope = differentiate(&s, &f, l2, start, gradient);
        reach(&s, &f, l2, 500, reached);
        assert_true(differentiate(&s, &f, l2, reached, gradient) < .01 * slope);
    }
}

/* Each head its own l2: as if each was fitted alone with it. */
static void heads_may_differ_in_l2(void **state)
{
    (void)state;
    sample s;
    det_linear_head heads[2], alone;
    det_error error;
    make_sample(&s);
    for (int i = 0; i < ROWS; i++) s.weights[ROWS + i] = 1;
    const double l2[] = {1e-3, .1};
    const det_fit_examples both = {&s.set, s.rows, ROWS, s.weights, 2, NULL};
    const det_fit_examples one = {&s.set, s.rows, ROWS, s.weights, 1, NULL};
    create_heads(heads, 2);
    test_assert_ok(det_fit_classes(&both, &(det_fit_options){.head_l2 = l2, .iterations = 500},
                                   NULL, heads, &error),
                   &error);
    for (int h = 0; h < 2; h++) {
        create_heads(&alone, 1);
        test_assert_ok(det_fit_classes(&one, &(det_fit_options){.l2 = l2[h], .iterations = 500},
                                       NULL, &alone, &error),
                       &error);
        for (int i = 0; i < OUTPUTS * WIDTH; i++)
            assert_float_equal(heads[h].weights[i], alone.weights[i], 1e-3);
        det_linear_head_free(&alone);
    }
    for (int h = 0; h < 2; h++) det_linear_head_free(&heads[h]);
}

/* Two heads at once give what each gives alone, and a weight of 0 is as good as an absent row. */
static void heads_are_fitted_together_as_alone(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    det_linear_head heads[2], alone;
    det_error error;
    create_heads(heads, 2);
    create_heads(&alone, 1);
    const det_fit_options options = {.l2 = 1e-3, .iterations = 500};
    const det_fit_examples both = {&s.set, s.rows, ROWS, s.weights, 2, NULL};
    const det_fit_examples half = {&s.set, s.rows, ROWS / 2, s.weights, 1, NULL};
    test_assert_ok(det_fit_classes(&both, &options, NULL, heads, &error), &error);
    test_assert_ok(det_fit_classes(&half, &options, NULL, &alone, &error), &error);
    for (size_t i = 0; i < ROWS; i++) {
        float a[OUTPUTS], b[OUTPUTS];
        det_linear_head_outputs(&heads[1], &s.image.features, i, a);
        det_linear_head_outputs(&alone, &s.image.features, i, b);
        det_linear_head_probabilities(&alone, a);
        det_linear_head_probabilities(&alone, b);
        for (int o = 0; o < OUTPUTS; o++) assert_float_equal(a[o], b[o], .02);
    }
    assert_true(cross_entropy(&s, &heads[0], ROWS) < cross_entropy(&s, &heads[1], ROWS));
    for (int h = 0; h < 2; h++) det_linear_head_free(&heads[h]);
    det_linear_head_free(&alone);
}

/* The mean loss of class 1 beside outputs that stay: -log of P = exp z / (exp z + exp rest) where a
 * row shows it, of 1 - P where not. */
static double loss_beside(const sample *s, const det_linear_head *head, const float *rest)
{
    double sum = 0;
    for (size_t i = 0; i < ROWS; i++) {
        float z[2];
        det_linear_head_outputs(head, &s->image.features, i, z);
        const double p = 1 / (1 + exp((double)rest[i] - (double)z[0]));
        sum -= log(s->labels[i] == 1 ? p : 1 - p);
    }
    return sum / ROWS;
}

static void a_class_is_fitted_beside_outputs_that_stay(void **state)
{
    (void)state;
    sample s;
    float rest[ROWS];
    make_sample(&s);
    for (size_t i = 0; i < ROWS; i++) rest[i] = .5F * (float)(i % 7) - 1;
    det_linear_head head;
    det_error error;
    test_assert_ok(det_linear_head_create(DET_HEAD_SOFTMAX, WIDTH, 1, false, &head, &error),
                   &error);
    const det_fit_beside beside = {rest, 1, 1};
    const det_fit_examples examples = {&s.set, s.rows, ROWS, s.weights, 1, &beside};
    const det_fit_options options = {.l2 = 1e-9, .iterations = 500};
    test_assert_ok(det_fit_classes(&examples, &options, NULL, &head, &error), &error);
    const double least = loss_beside(&s, &head, rest);
    assert_true(least < .3);
    for (size_t i = 0; i <= WIDTH; i++)
        for (int side = -1; side <= 1; side += 2) {
            float *value = i < WIDTH ? &head.weights[i] : &head.biases[0];
            const float kept = *value;
            *value += .05F * (float)side;
            assert_true(loss_beside(&s, &head, rest) > least - 2e-5);
            *value = kept;
        }
    for (size_t i = 0; i < WIDTH; i++) assert_float_equal(head.weights[WIDTH + i], 0, 0);
    assert_float_equal(head.biases[1], 0, 0);
    det_linear_head_free(&head);
}

/* From another start the same least is found, and an iteration that begins at the least stays
 * there. */
static void a_fit_begins_where_its_heads_are(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    det_linear_head heads[2];
    det_error error;
    create_heads(heads, 2);
    const det_fit_examples examples = {&s.set, s.rows, ROWS, s.weights, 1, NULL};
    const det_fit_options whole = {.l2 = 1e-3, .iterations = 500},
                          first = {.l2 = 1e-3, .iterations = 1, .tolerance = 1e-6};
    test_assert_ok(det_fit_classes(&examples, &whole, NULL, &heads[0], &error), &error);
    for (size_t i = 0; i < (size_t)OUTPUTS * WIDTH; i++)
        heads[1].weights[i] = .1F * (float)(i % 7) - .3F;
    test_assert_ok(det_fit_classes(&examples, &whole, NULL, &heads[1], &error), &error);
    const double least = cross_entropy(&s, &heads[0], ROWS);
    assert_float_equal(cross_entropy(&s, &heads[1], ROWS), least, 1e-3);
    test_assert_ok(det_fit_classes(&examples, &first, NULL, &heads[0], &error), &error);
    assert_float_equal(cross_entropy(&s, &heads[0], ROWS), least, 1e-4);
    for (int h = 0; h < 2; h++) det_linear_head_free(&heads[h]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loss_is_at_its_least),
        cmocka_unit_test(the_first_step_goes_against_the_gradient_by_finite_differences),
        cmocka_unit_test(a_fit_ends_where_the_gradient_by_finite_differences_is_0),
        cmocka_unit_test(heads_may_differ_in_l2),
        cmocka_unit_test(heads_are_fitted_together_as_alone),
        cmocka_unit_test(a_class_is_fitted_beside_outputs_that_stay),
        cmocka_unit_test(a_fit_begins_where_its_heads_are),
    };
    return cmocka_run_group_tests_name("fit", tests, NULL, NULL);
}
