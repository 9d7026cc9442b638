/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/train/kept_heads.h"
#include "tests/unit/support.h"
#include "tests/unit/support_eval.h"

#include <stdio.h>
#include <string.h>

enum { ROWS = 60, WIDTH = 3, HEADS = 3, IMAGES = 2, CLASSES = 2 };
static const det_fit_options usual = {.l2 = 1e-3, .iterations = 20};
static const double lambda = 1;

/* Two pictures with an object of each class; the regions are around them in turn. */
typedef struct {
    test_set *truth;
    uint8_t values[ROWS * WIDTH];
    float scales[ROWS], weights[HEADS * ROWS];
    det_box boxes[ROWS];
    int labels[ROWS], folds[IMAGES];
    size_t objects[IMAGES][ROWS], categories[CLASSES];
    det_row rows[ROWS];
    det_training_image images[IMAGES];
    det_training_set set;
    det_fit_examples examples;
    det_linear_head heads[HEADS];
    det_kept_results kept;
} sample;

static void add_image(sample *s, size_t at)
{
    for (size_t r = 0; r < ROWS; r++) s->objects[at][r] = at * CLASSES + r % 3;
    s->images[at].features = (det_region_features){.count = ROWS,
                                                   .proposal_count = ROWS,
                                                   .width = WIDTH,
                                                   .boxes = s->boxes,
                                                   .scales = s->scales,
                                                   .values = s->values,
                                                   .picture_width = 100,
                                                   .picture_height = 100};
    s->images[at].labels = (det_region_labels){.labels = s->labels, .objects = s->objects[at]};
    for (size_t c = 0; c < CLASSES; c++) test_set_object(s->truth, at, c, 10, 10, 40, 40);
}

static void create_heads(sample *s)
{
    det_error error;
    for (size_t h = 0; h < HEADS; h++)
        test_assert_ok(
            det_linear_head_create(DET_HEAD_SOFTMAX, WIDTH, CLASSES, true, &s->heads[h], &error),
            &error);
}

static void make_sample(sample *s, const char *digest)
{
    memset(s, 0, sizeof *s);
    det_random random = det_random_create(3, 0);
    s->truth = test_set_begin(DET_BOX_SIZED, IMAGES, CLASSES);
    for (size_t r = 0; r < ROWS; r++) {
        for (size_t j = 0; j < WIDTH; j++)
            s->values[r * WIDTH + j] =
                (uint8_t)(det_random_below(&random, 100) + (j == r % 3 ? 80 : 0));
        s->scales[r] = .01F;
        s->labels[r] = r % 3 < CLASSES ? (int)(r % 3) : DET_LABEL_BACKGROUND;
        s->boxes[r] = (det_box){8 + (float)(r % 7), 10, 50, 50};
        s->rows[r] = (det_row){(uint32_t)(r % IMAGES), (uint32_t)r};
        for (size_t h = 0; h < HEADS; h++) s->weights[h * ROWS + r] = h != r % IMAGES;
    }
    for (size_t i = 0; i < IMAGES; i++) add_image(s, i);
    for (size_t i = 0; i < IMAGES; i++) s->folds[i] = (int)i;
    s->categories[1] = 1;
    s->set = (det_training_set){.annotations = &s->truth->annotations,
                                .classes = {.count = CLASSES, .categories = s->categories},
                                .images = s->images,
                                .image_count = IMAGES,
                                .width = WIDTH,
                                .region_count = (size_t)IMAGES * ROWS};
    snprintf(s->set.digest, sizeof s->set.digest, "%s", digest);
    s->examples = (det_fit_examples){&s->set, s->rows, ROWS, s->weights, HEADS, NULL};
    s->kept.folder = test_folder();
    create_heads(s);
}

static void free_heads(sample *s)
{
    for (size_t h = 0; h < HEADS; h++) det_linear_head_free(&s->heads[h]);
}

static void keep_boxes(sample *s)
{
    det_error error;
    test_assert_ok(det_keep_boxes(&s->kept, &s->examples, lambda, NULL, s->heads, &error), &error);
}

/* A fit that begins at 0. */
static void keep_classes(sample *s, const det_fit_options *options)
{
    det_error error;
    for (size_t h = 0; h < HEADS; h++) {
        det_linear_head *head = &s->heads[h];
        memset(head->weights, 0, head->output_count * WIDTH * sizeof *head->weights);
        memset(head->biases, 0, head->output_count * sizeof *head->biases);
    }
    test_assert_ok(det_keep_classes(&s->kept, &s->examples, options, NULL, s->heads, &error),
                   &error);
}

static void assert_count(det_kept_count count, size_t reused, size_t made)
{
    assert_int_equal(count.reused, reused);
    assert_int_equal(count.made, made);
}

static void equal_heads_are_learned_once(void **state)
{
    (void)state;
    sample s;
    float first[HEADS][(CLASSES + 1) * WIDTH], moves[HEADS][4 * CLASSES * WIDTH];
    make_sample(&s, "once");
    keep_boxes(&s);
    keep_classes(&s, &usual);
    for (size_t h = 0; h < HEADS; h++) {
        memcpy(first[h], s.heads[h].weights, sizeof first[h]);
        memcpy(moves[h], s.heads[h].delta_weights, sizeof moves[h]);
    }
    assert_memory_not_equal(first[0], first[1], sizeof first[0]);
    free_heads(&s);
    create_heads(&s);
    keep_boxes(&s);
    keep_classes(&s, &usual);
    assert_count(s.kept.boxes, 1, 1);
    assert_count(s.kept.classes, 1, 1);
    for (size_t h = 0; h < HEADS; h++) {
        assert_memory_equal(first[h], s.heads[h].weights, sizeof first[h]);
        assert_memory_equal(moves[h], s.heads[h].delta_weights, sizeof moves[h]);
    }
    free_heads(&s);
}

static void a_fit_that_begins_elsewhere_is_another_one(void **state)
{
    (void)state;
    sample s;
    det_error error;
    make_sample(&s, "elsewhere");
    keep_classes(&s, &usual);
    test_assert_ok(det_keep_classes(&s.kept, &s.examples, &usual, NULL, s.heads, &error), &error);
    assert_count(s.kept.classes, 0, 2);
    free_heads(&s);
}

/* l2 is of the classes alone; what regions teach, which are looked at and how much they count is
 * of both. */
static void what_depends_on_a_change_is_learned_anew(void **state)
{
    (void)state;
    sample s;
    const det_fit_options other = {.l2 = 1e-2, .iterations = 20};
    make_sample(&s, "anew");
    keep_boxes(&s);
    keep_classes(&s, &usual);
    keep_boxes(&s);
    keep_classes(&s, &other);
    assert_count(s.kept.boxes, 1, 1);
    assert_count(s.kept.classes, 0, 2);

    s.weights[1] = .5F;
    keep_boxes(&s);
    keep_classes(&s, &usual);
    assert_count(s.kept.boxes, 1, 2);
    assert_count(s.kept.classes, 0, 3);
    s.weights[1] = 1;

    s.examples.rows++;
    s.examples.count--;
    keep_classes(&s, &usual);
    assert_count(s.kept.classes, 0, 4);
    s.examples.rows--;
    s.examples.count++;

    snprintf(s.set.digest, sizeof s.set.digest, "other");
    keep_boxes(&s);
    keep_classes(&s, &usual);
    assert_count(s.kept.boxes, 1, 3);
    assert_count(s.kept.classes, 0, 5);
    free_heads(&s);
}

/* Cancels when so many steps are done. */
static bool cancel_at(void *context, uint64_t done, uint64_t total)
{
    (void)total;
    const uint64_t *most = context;
    return done < *most;
}

static void a_fit_that_is_cancelled_goes_on_to_the_same_heads(void **state)
{
    (void)state;
    sample s;
    float whole[HEADS][(CLASSES + 1) * WIDTH];
    det_error error;
    make_sample(&s, "through");
    keep_classes(&s, &usual);
    for (size_t h = 0; h < HEADS; h++) memcpy(whole[h], s.heads[h].weights, sizeof whole[h]);
    free_heads(&s);

    make_sample(&s, "cancelled");
    const size_t before = test_count_files(test_folder());
    for (uint64_t most = 3; most <= 9; most += 3) {
        const det_run run = {.progress = cancel_at, .progress_context = &most};
        assert_int_equal(det_keep_classes(&s.kept, &s.examples, &usual, &run, s.heads, &error),
                         DET_CANCELLED);
        assert_int_equal(test_count_files(test_folder()), before + 1);
    }
    keep_classes(&s, &usual);
    assert_int_equal(test_count_files(test_folder()), before + 1); /* heads in place of a state */
    for (size_t h = 0; h < HEADS; h++)
        assert_memory_equal(whole[h], s.heads[h].weights, sizeof whole[h]);
    free_heads(&s);
}

static void calibration_and_detections_follow_the_heads(void **state)
{
    (void)state;
    sample s;
    const det_head_options options = {.threshold = .01F,
                                      .fusion = {.iou = .3F, .max_detections = 100}};
    det_held_out_objects found[3] = {0};
    det_output_change changes[3][CLASSES + 1];
    det_error error;
    make_sample(&s, "follow");
    keep_boxes(&s);
    keep_classes(&s, &usual);
    const det_held_out from = {&s.set, s.heads, HEADS, s.folds};
    for (int i = 0; i < 3; i++) {
        if (i == 2) s.heads[0].biases[0] += 1;
        test_assert_ok(det_keep_calibration(&s.kept, &from, changes[i], &error), &error);
        test_assert_ok(det_keep_detections(&s.kept, &from, &options, 1, &found[i], &error), &error);
    }
    assert_count(s.kept.calibration, 1, 2);
    assert_count(s.kept.detections, 1, 2);
    assert_memory_equal(changes[0], changes[1], sizeof changes[0]);
    assert_true(changes[0][0].slope > 0);
    assert_true(found[0].count > 0);
    assert_int_equal(found[0].count, found[1].count);
    for (size_t i = 0; i < found[0].count; i++) {
        assert_int_equal(found[0].items[i].image, found[1].items[i].image);
        assert_int_equal(found[0].items[i].category, found[1].items[i].category);
        assert_true(found[0].items[i].score == found[1].items[i].score);
        assert_memory_equal(found[0].items[i].box, found[1].items[i].box, sizeof(double[4]));
    }
    for (int i = 0; i < 3; i++) det_free(found[i].items);
    free_heads(&s);
}

static void a_folder_that_cannot_be_written_is_reported(void **state)
{
    (void)state;
    sample s;
    det_error error;
    make_sample(&s, "nowhere");
    s.kept.folder = test_path("missing");
    test_assert_error(det_keep_classes(&s.kept, &s.examples, &usual, NULL, s.heads, &error), DET_IO,
                      &error, "No such file");
    free_heads(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_heads_are_learned_once),
        cmocka_unit_test(a_fit_that_begins_elsewhere_is_another_one),
        cmocka_unit_test(what_depends_on_a_change_is_learned_anew),
        cmocka_unit_test(a_fit_that_is_cancelled_goes_on_to_the_same_heads),
        cmocka_unit_test(calibration_and_detections_follow_the_heads),
        cmocka_unit_test(a_folder_that_cannot_be_written_is_reported),
    };
    return cmocka_run_group_tests_name("kept heads", tests, NULL, NULL);
}
