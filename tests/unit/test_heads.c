/* SPDX-License-Identifier: Apache-2.0 */
/* What heads are learned from: balanced examples, an l2 of their own, machines a class. */
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/train/class_weights.h"
#include "src/train/heads.h"
#include "src/train/l2_choice.h"
#include "src/train/svm_fit.h"
#include "src/train/svm_head.h"
#include "tests/unit/support.h"
#include "tests/unit/support_eval.h"

#include <math.h>
#include <string.h>

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance)) fail_msg("%.9g is not %.9g", value, expected);
}

/* ---- Balance ---- */

/* Four examples of the first class, two of the second, none of the third, six of the background. */
static int balance_labels[] = {0, 0, 0, 0, 1, 1, -2, -2, -2, -2, -2, -2};
enum { BALANCE_ROWS = sizeof balance_labels / sizeof *balance_labels };

/* 12 examples of 3 classes: 4 for each, so that 1 becomes 1, 2 and 2/3. The second head sees one of
 * the first class and three of the background: 4 of 2 classes, 2 for each. */
static void classes_count_alike_in_balanced_weights(void **state)
{
    (void)state;
    const float weights[2 * BALANCE_ROWS] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                             1, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0};
    det_training_image image = {.labels = {.labels = balance_labels}};
    det_row rows[BALANCE_ROWS];
    for (uint32_t i = 0; i < BALANCE_ROWS; i++) rows[i] = (det_row){0, i};
    const det_training_set set = {.classes = {.count = 3}, .images = &image, .image_count = 1};
    const det_fit_examples examples = {&set, rows, BALANCE_ROWS, weights, 2, NULL};
    float balanced[2 * BALANCE_ROWS];
    det_error error;
    test_assert_ok(det_balance_weights(&examples, balanced, &error), &error);
    for (int i = 0; i < BALANCE_ROWS; i++) {
        assert_float_equal(balanced[i], i < 4 ? 1.F : i < 6 ? 2.F : 2.F / 3, 1e-6);
        const float second = i == 0 ? 2.F : i >= 6 && i < 9 ? 2.F / 3 : 0;
        assert_float_equal(balanced[BALANCE_ROWS + i], second, 1e-6);
    }
#ifdef DET_FAULT_INJECTION
    det_memory_fail_at(1);
    assert_int_equal(det_balance_weights(&examples, balanced, NULL), DET_MEMORY);
    det_memory_fail_at(0);
#endif
}

/* ---- A set of pictures ---- */

enum { IMAGES = 9, REGIONS = 20, WIDTH = 4, CLASSES = 2, HEADS = 2 };
enum { ALL = IMAGES * REGIONS, OBJECTS = 2 };

/* Every picture shows an object of each class. Its last two regions are their boxes; before them
 * lie a region that overlaps the first by half (IoU .5), one that overlaps the second so, and
 * background. A feature is high where a region shows the first class, another where it shows the
 * second, and two are noise. */
typedef struct {
    test_set *truth;
    uint8_t values[IMAGES][REGIONS * WIDTH];
    float scales[REGIONS], weights[HEADS * ALL];
    det_box boxes[REGIONS];
    int labels[REGIONS];
    size_t categories[CLASSES];
    det_row rows[ALL];
    det_training_image images[IMAGES];
    det_training_set set;
    det_fit_examples examples;
    det_linear_head heads[HEADS];
} sample;

static int label_of(size_t region)
{
    if (region >= REGIONS - OBJECTS) return (int)(region - (REGIONS - OBJECTS));
    return region < 2 ? (int)region : DET_LABEL_BACKGROUND;
}

static void add_image(sample *s, size_t at, det_random *random)
{
    for (size_t r = 0; r < REGIONS; r++)
        for (size_t j = 0; j < WIDTH; j++)
            s->values[at][r * WIDTH + j] =
                (uint8_t)(det_random_below(random, 100) + (s->labels[r] == (int)j ? 100 : 0));
    s->images[at].features = (det_region_features){.count = REGIONS,
                                                   .proposal_count = REGIONS - OBJECTS,
                                                   .width = WIDTH,
                                                   .boxes = s->boxes,
                                                   .scales = s->scales,
                                                   .values = s->values[at],
                                                   .picture_width = 100,
                                                   .picture_height = 100};
    s->images[at].labels = (det_region_labels){.labels = s->labels};
    test_set_object(s->truth, at, 0, 0, 0, 20, 20);
    test_set_object(s->truth, at, 1, 60, 60, 20, 20);
}

/* The first head sees all but the last three pictures, the second all. */
static void make_sample(sample *s, det_head_kind kind)
{
    det_random random = det_random_create(5, 0);
    det_error error;
    memset(s, 0, sizeof *s);
    s->truth = test_set_begin(DET_BOX_SIZED, IMAGES, CLASSES);
    for (size_t r = 0; r < REGIONS; r++) {
        s->scales[r] = .01F;
        s->labels[r] = label_of(r);
        s->boxes[r] = (det_box){30, 0, 50, 20};
    }
    s->boxes[0] = (det_box){0, 0, 40, 20};
    s->boxes[1] = (det_box){60, 60, 100, 80};
    s->boxes[REGIONS - 2] = (det_box){0, 0, 20, 20};
    s->boxes[REGIONS - 1] = (det_box){60, 60, 80, 80};
    for (size_t i = 0; i < IMAGES; i++) add_image(s, i, &random);
    for (size_t i = 0; i < ALL; i++) {
        s->rows[i] = (det_row){(uint32_t)(i / REGIONS), (uint32_t)(i % REGIONS)};
        s->weights[i] = i / REGIONS < IMAGES - 3;
        s->weights[ALL + i] = 1;
    }
    s->categories[1] = 1;
    s->set = (det_training_set){.annotations = &s->truth->annotations,
                                .classes = {.count = CLASSES, .categories = s->categories},
                                .images = s->images,
                                .image_count = IMAGES,
                                .width = WIDTH,
                                .region_count = (size_t)IMAGES * (REGIONS - OBJECTS)};
    s->examples = (det_fit_examples){&s->set, s->rows, ALL, s->weights, HEADS, NULL};
    for (size_t h = 0; h < HEADS; h++)
        test_assert_ok(det_linear_head_create(kind, WIDTH, CLASSES, false, &s->heads[h], &error),
                       &error);
}

static void free_heads(sample *s)
{
    for (size_t h = 0; h < HEADS; h++) det_linear_head_free(&s->heads[h]);
}

/* From heads of zeros, whatever they were. */
static void fit(sample *s, const det_fit_options *options)
{
    det_error error;
    for (size_t h = 0; h < HEADS; h++) {
        memset(s->heads[h].weights, 0, s->heads[h].output_count * WIDTH * sizeof(float));
        memset(s->heads[h].biases, 0, s->heads[h].output_count * sizeof(float));
    }
    test_assert_ok(det_fit_heads(&s->examples, options, NULL, s->heads, &error), &error);
}

/* ---- Machines ---- */

static const det_fit_options usual = {.l2 = 1e-3, .iterations = 50, .negative_iou = .3};

static void overlap_is_that_with_objects_of_the_class(void **state)
{
    (void)state;
    sample s;
    make_sample(&s, DET_HEAD_SIGMOID);
    const det_region_features *f = &s.images[0].features;
    assert_near(det_class_overlap(s.set.annotations, 0, 0, f, 0), .5, 1e-6);
    assert_near(det_class_overlap(s.set.annotations, 0, 1, f, 0), 0, 0);
    assert_near(det_class_overlap(s.set.annotations, 0, 1, f, REGIONS - 1), 1, 1e-6);
    free_heads(&s);
}

static void a_machine_finds_its_class_and_no_other(void **state)
{
    (void)state;
    sample s;
    make_sample(&s, DET_HEAD_SIGMOID);
    fit(&s, &usual);
    float means[CLASSES][3] = {{0}}; /* of regions of the first class, of the second, of none */
    for (size_t i = 0; i < ALL; i++) {
        float outputs[CLASSES];
        det_linear_head_outputs(&s.heads[1], &s.images[i / REGIONS].features, i % REGIONS, outputs);
        const int label = s.labels[i % REGIONS];
        const size_t kind = label < 0 ? 2 : (size_t)label, count = label < 0 ? REGIONS - 4 : 2;
        for (size_t c = 0; c < CLASSES; c++) means[c][kind] += outputs[c] / (float)(count * IMAGES);
    }
    for (size_t c = 0; c < CLASSES; c++) {
        assert_true(means[c][c] > means[c][1 - c] + .1F);
        assert_true(means[c][c] > means[c][2] + .1F);
    }
    free_heads(&s);
}

/* The examples of each machine by hand: positive are the boxes of the objects of its class,
 * negative is background and what shows the other class, but not what overlaps its own by half. */
static void assert_machines_of(bool balanced)
{
    enum { MACHINES = HEADS * CLASSES };
    static uint32_t positives[MACHINES][IMAGES], negatives[MACHINES][ALL];
    sample s;
    det_svm_examples machines[MACHINES];
    float weights[MACHINES][WIDTH], biases[MACHINES];
    det_error error;
    det_fit_options options = usual;
    options.balanced = balanced;
    options.seed = 3;
    make_sample(&s, DET_HEAD_SIGMOID);
    for (size_t m = 0; m < MACHINES; m++) {
        const size_t class_id = m % CLASSES, seen = m < CLASSES ? IMAGES - 3 : IMAGES;
        machines[m] = (det_svm_examples){.positives = positives[m], .negatives = negatives[m]};
        for (uint32_t i = 0; i < seen * REGIONS; i++) {
            const size_t region = i % REGIONS;
            if (region == REGIONS - OBJECTS + class_id)
                positives[m][machines[m].positive_count++] = i;
            else if (region != class_id)
                negatives[m][machines[m].negative_count++] = i;
        }
        /* of 20 regions a picture 1 is positive, 1 nothing, 18 are negative */
        if (balanced) machines[m].positive_weight = 18;
    }
    const det_set_rows list = {&s.set, s.rows, ALL};
    const det_feature_rows rows = det_rows_of_set(&list);
    test_assert_ok(det_fit_svms(&rows, machines, MACHINES, &(det_svm_options){.seed = 3}, NULL,
                                &(det_svm_results){.weights = weights[0], .biases = biases},
                                &error),
                   &error);
    fit(&s, &options);
    for (size_t m = 0; m < MACHINES; m++) {
        const det_linear_head *head = &s.heads[m / CLASSES];
        assert_memory_equal(head->weights + m % CLASSES * WIDTH, weights[m], sizeof weights[m]);
        assert_true(head->biases[m % CLASSES] == biases[m]);
    }
    free_heads(&s);
}

static void machines_learn_from_objects_background_and_other_classes(void **state)
{
    (void)state;
    assert_machines_of(false);
}

static void balanced_machines_weigh_positives_by_their_number(void **state)
{
    (void)state;
    assert_machines_of(true);
}

#ifdef DET_FAULT_INJECTION
static void machines_without_memory_are_an_error(void **state)
{
    (void)state;
    sample s;
    make_sample(&s, DET_HEAD_SIGMOID);
    for (uint64_t n = 1;; n++) {
        det_memory_fail_at(n);
        const det_status status = det_fit_heads(&s.examples, &usual, NULL, s.heads, NULL);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        if (!failed) break;
        assert_int_equal(status, DET_MEMORY);
    }
    free_heads(&s);
}
#endif

/* ---- Softmax ---- */

static void copy_weights(const sample *s, float weights[HEADS][(CLASSES + 1) * WIDTH])
{
    for (size_t h = 0; h < HEADS; h++) memcpy(weights[h], s->heads[h].weights, sizeof weights[h]);
}

static void balanced_softmax_is_softmax_of_balanced_weights(void **state)
{
    (void)state;
    sample s;
    det_error error;
    float given[HEADS * ALL], found[2][HEADS][(CLASSES + 1) * WIDTH];
    det_fit_options options = usual;
    make_sample(&s, DET_HEAD_SOFTMAX);
    options.balanced = true;
    fit(&s, &options);
    copy_weights(&s, found[0]);
    test_assert_ok(det_balance_weights(&s.examples, given, &error), &error);
    s.examples.weights = given;
    fit(&s, &usual);
    copy_weights(&s, found[1]);
    assert_memory_equal(found[0], found[1], sizeof found[0]);
    free_heads(&s);
}

/* Features that tell the classes want little l2; noise wants the most of it. */
static void l2_follows_what_held_out_pictures_say(void **state)
{
    (void)state;
    sample s;
    det_error error;
    double clear[HEADS], noisy[HEADS];
    det_random random = det_random_create(8, 0);
    make_sample(&s, DET_HEAD_SOFTMAX);
    test_assert_ok(det_choose_l2(&s.examples, NULL, clear, &error), &error);
    for (size_t i = 0; i < IMAGES; i++)
        for (size_t j = 0; j < (size_t)REGIONS * WIDTH; j++)
            s.values[i][j] = (uint8_t)det_random_below(&random, 256);
    test_assert_ok(det_choose_l2(&s.examples, NULL, noisy, &error), &error);
    for (size_t h = 0; h < HEADS; h++) {
        assert_true(clear[h] < noisy[h]);
        assert_true(noisy[h] == det_l2_candidates[DET_L2_CANDIDATES - 1]);
    }
    free_heads(&s);
}

/* The first head does not see the last three pictures: whatever they show, its choice stays. */
static void no_head_chooses_l2_with_pictures_that_it_does_not_see(void **state)
{
    (void)state;
    sample s;
    det_error error;
    double before[HEADS], after[HEADS];
    make_sample(&s, DET_HEAD_SOFTMAX);
    const det_fit_examples first = {&s.set, s.rows, ALL, s.weights, 1, NULL};
    test_assert_ok(det_choose_l2(&first, NULL, before, &error), &error);
    const det_fit_examples seen = {&s.set, s.rows, ALL - (size_t)3 * REGIONS, s.weights, 1, NULL};
    test_assert_ok(det_choose_l2(&seen, NULL, after, &error), &error);
    assert_true(before[0] == after[0]);
    free_heads(&s);
}

static void a_head_that_sees_two_pictures_takes_the_default(void **state)
{
    (void)state;
    sample s;
    det_error error;
    double l2;
    make_sample(&s, DET_HEAD_SOFTMAX);
    const det_fit_examples few = {&s.set, s.rows, (size_t)2 * REGIONS, s.weights, 1, NULL};
    test_assert_ok(det_choose_l2(&few, NULL, &l2, &error), &error);
    assert_true(l2 == DET_L2_DEFAULT);
    free_heads(&s);
}

static void a_fit_without_l2_takes_what_is_chosen(void **state)
{
    (void)state;
    sample s;
    det_error error;
    double l2[HEADS];
    float found[2][HEADS][(CLASSES + 1) * WIDTH];
    make_sample(&s, DET_HEAD_SOFTMAX);
    test_assert_ok(det_choose_l2(&s.examples, NULL, l2, &error), &error);
    fit(&s, &(det_fit_options){.iterations = 50});
    copy_weights(&s, found[0]);
    fit(&s, &(det_fit_options){.head_l2 = l2, .l2 = 1, .iterations = 50});
    copy_weights(&s, found[1]);
    assert_memory_equal(found[0], found[1], sizeof found[0]);
    free_heads(&s);
}

static bool stop_at_the_third(void *context, uint64_t done, uint64_t total)
{
    (void)context, (void)total;
    return done < 2;
}

static void a_choice_can_be_cancelled_and_memory_may_end(void **state)
{
    (void)state;
    sample s;
    double l2[HEADS];
    make_sample(&s, DET_HEAD_SOFTMAX);
    assert_int_equal(
        det_choose_l2(&s.examples, &(det_run){.progress = stop_at_the_third}, l2, NULL),
        DET_CANCELLED);
#ifdef DET_FAULT_INJECTION
    for (uint64_t n = 1;; n++) {
        det_memory_fail_at(n);
        const det_status status = det_choose_l2(&s.examples, NULL, l2, NULL);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        if (!failed) break;
        assert_int_equal(status, DET_MEMORY);
    }
#endif
    free_heads(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_count_alike_in_balanced_weights),
        cmocka_unit_test(overlap_is_that_with_objects_of_the_class),
        cmocka_unit_test(a_machine_finds_its_class_and_no_other),
        cmocka_unit_test(machines_learn_from_objects_background_and_other_classes),
        cmocka_unit_test(balanced_machines_weigh_positives_by_their_number),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(machines_without_memory_are_an_error),
#endif
        cmocka_unit_test(balanced_softmax_is_softmax_of_balanced_weights),
        cmocka_unit_test(l2_follows_what_held_out_pictures_say),
        cmocka_unit_test(no_head_chooses_l2_with_pictures_that_it_does_not_see),
        cmocka_unit_test(a_head_that_sees_two_pictures_takes_the_default),
        cmocka_unit_test(a_fit_without_l2_takes_what_is_chosen),
        cmocka_unit_test(a_choice_can_be_cancelled_and_memory_may_end),
    };
    return cmocka_run_group_tests_name("heads", tests, NULL, NULL);
}
