/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/file.h"
#include "src/base/memory.h"
#include "src/train/event_log.h"
#include "src/train/training_curve.h"
#include "tests/unit/support_image.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A chart is laid out on 700 x 260, its plot, without a legend, on 66 to 684 and 38 to 208; a PNG
 * picture is three times as large. */
enum { SCALE = 3, HEIGHT = 260, LEFT = 66, RIGHT = 684, TOP = 38, BOTTOM = 208 };

/* Of step 50 where 100 is the last. */
#define MIDDLE (LEFT + (RIGHT - LEFT) * .5 / 1.05)

#define STEP(network, step, loss)                                                                  \
    "{\"event\":\"step\",\"network\":" network ",\"step\":" step ",\"loss\":" loss ",\"rate\":1}"  \
    "\n"

static det_training_curve read_text(const char *text, size_t network)
{
    det_training_curve curve = {0};
    det_error error = {0};
    const char *path = test_path("read.jsonl");
    test_write_file(path, text, strlen(text));
    test_assert_ok(det_training_curve_read(path, network, &curve, &error), &error);
    return curve;
}

static void assert_losses(const det_training_curve *curve, const double (*expected)[2],
                          size_t count)
{
    assert_int_equal(curve->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_float_equal((double)curve->steps[i].step, expected[i][0], 0);
        assert_float_equal(curve->steps[i].loss, expected[i][1], 0);
    }
}

static void what_a_log_was_told_is_read_again(void **state)
{
    (void)state;
    const char *path = test_path("log.jsonl");
    const double losses[] = {1};
    det_event_log *log = NULL;
    det_training_curve curve = {0};
    det_error error = {0};
    test_assert_ok(det_event_log_open(path, &log, &error), &error);
    det_event_stage_begun(log, "heads");
    det_event_step(
        log, &(det_train_step){
                 .network = 2, .step = 20, .loss = 2.25, .rate = .01, .validation_loss = NAN});
    det_event_iteration(log, 1, losses, 1);
    det_event_step(log,
                   &(det_train_step){
                       .network = 2, .step = 40, .loss = 1.5, .rate = .001, .validation_loss = 3});
    det_event_log_close(log);
    test_assert_ok(det_training_curve_read(path, 2, &curve, &error), &error);
    assert_losses(&curve, (const double[][2]){{20, 2.25}, {40, 1.5}}, 2);
    assert_float_equal(curve.steps[0].rate, .01, 0);
    assert_true(isnan(curve.steps[0].validation_loss));
    assert_float_equal(curve.steps[1].rate, .001, 0);
    assert_float_equal(curve.steps[1].validation_loss, 3, 0);
    det_training_curve_free(&curve);
}

static void networks_have_curves_of_their_own(void **state)
{
    (void)state;
    static const char text[] = STEP("0", "1", "4") STEP("1", "1", "8") STEP("0", "2", "null");
    det_training_curve first = read_text(text, 0), second = read_text(text, 1),
                       third = read_text(text, 2);
    assert_int_equal(first.count, 2);
    assert_true(isnan(first.steps[1].loss));
    assert_losses(&second, (const double[][2]){{1, 8}}, 1);
    assert_int_equal(third.count, 0);
    det_training_curve_free(&first);
    det_training_curve_free(&second);
    det_training_curve_free(&third);
}

/* Cut after step 30, and gone on with from a checkpoint of step 15. */
static void a_training_that_goes_on_replaces_what_it_does_again(void **state)
{
    (void)state;
    det_training_curve curve = read_text(
        "{\"event\":\"run_begun\",\"resumed\":false}\n" STEP("0", "10", "4") STEP("0", "20", "3")
            STEP("0", "30", "2") "{\"event\":\"run_begun\",\"resumed\":true}\n" STEP("0", "20",
                                                                                     "5"),
        0);
    assert_losses(&curve, (const double[][2]){{10, 4}, {20, 5}}, 2);
    det_training_curve_free(&curve);
}

static void a_training_that_begins_anew_replaces_the_one_before(void **state)
{
    (void)state;
    det_training_curve curve = read_text(
        "{\"event\":\"run_begun\",\"resumed\":false}\n" STEP(
            "0", "10",
            "4") "{\"event\":\"run_begun\",\"resumed\":false}\n" STEP("0", "50",
                                                                      "3") "{\"event\":\"ste",
        0);
    assert_losses(&curve, (const double[][2]){{50, 3}}, 1);
    det_training_curve_free(&curve);
}

static void a_line_that_is_no_event_is_refused_by_its_number(void **state)
{
    (void)state;
    static const struct {
        const char *line, *where, *message;
    } cases[] = {
        {STEP("0", "1", "\"4\""), "line 2, loss", "must be a number"},
        {STEP("0", "-1", "4"), "line 2, step", "must not be negative"},
        {STEP("\"a\"", "1", "4"), "line 2, network", ""},
        {"{\"event\":\"step\",\"network\":0,\"step\":1,\"loss\":4}\n", "line 2, rate",
         "must be a number"},
        {"{\"event\":\"run_begun\"}\n", "line 2, resumed", ""},
        {"[1]\n", "line 2", "not a JSON object"},
        {"{]\n", "line 2, line 1, column 2", ""},
    };
    const char *path = test_path("wrong.jsonl");
    det_training_curve curve = {0};
    det_error error = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[300];
        snprintf(text, sizeof text, "%s%s", STEP("0", "1", "4"), cases[i].line);
        test_write_file(path, text, strlen(text));
        test_assert_error(det_training_curve_read(path, 0, &curve, &error), DET_FORMAT, &error,
                          cases[i].message);
        assert_string_equal(error.where, cases[i].where);
        assert_string_equal(error.file, path);
        assert_null(curve.steps);
    }
    test_assert_error(det_training_curve_read(test_path("none"), 0, &curve, &error), DET_IO, &error,
                      "No such file");
}

static uint32_t at(const det_image *image, double x, double y)
{
    return test_pixel(image, (int)(SCALE * x), (int)(SCALE * y));
}

/* Whether a column of a chart has a pixel of that colour around a share of its height. */
static bool passes(const det_image *image, int chart, double x, double share, uint32_t color)
{
    const double y = HEIGHT * chart + BOTTOM - share * (BOTTOM - TOP);
    for (int i = -2; i <= 2; i++)
        if (at(image, x, y + i / (double)SCALE) == color) return true;
    return false;
}

static det_image draw(const det_training_curve *curve)
{
    const char *path = test_path("curve.png");
    det_image image;
    det_error error = {0};
    test_assert_ok(det_training_curve_write(curve, path, &error), &error);
    test_assert_ok(det_image_read(path, NULL, &image, &error), &error);
    assert_int_equal(image.width, 700 * SCALE);
    assert_int_equal(image.height, 2 * HEIGHT * SCALE);
    return image;
}

static void add(det_training_curve *curve, uint64_t step, double loss, double rate)
{
    assert_true(det_training_curve_add(curve, &(det_curve_step){step, loss, rate, NAN}));
}

/* Two charts with their own axes, from 0 to 1.05 times the largest value. At step 50 of 100 the
 * loss is half of the first one, and the rate three quarters. */
static void every_value_has_its_place_in_its_own_chart(void **state)
{
    (void)state;
    det_training_curve curve = {0};
    add(&curve, 0, 8, .4);
    add(&curve, 100, 0, .2);
    det_image image = draw(&curve);
    assert_true(passes(&image, 0, MIDDLE, .5 / 1.05, 0x0072B2));
    assert_true(passes(&image, 1, MIDDLE, .75 / 1.05, 0x0072B2));
    assert_false(passes(&image, 1, MIDDLE, .5 / 1.05, 0x0072B2));
    det_image_free(&image);
    det_training_curve_free(&curve);
}

/* From 1 / 1.1 to 1100: 1000 and 1 at the ends, their geometric mean in the middle. */
static void a_loss_that_falls_far_is_shown_on_a_logarithmic_axis(void **state)
{
    (void)state;
    det_training_curve curve = {0};
    add(&curve, 0, 1000, .5);
    add(&curve, 100, 1, .5);
    det_image image = draw(&curve);
    assert_true(passes(&image, 0, MIDDLE, .5, 0x0072B2));
    det_image_free(&image);
    det_training_curve_free(&curve);
}

/* 2,000 steps, the loss in turn 0 and 1: neighbours are joined, and a line of .5 remains. */
static void of_many_steps_the_means_of_neighbours_are_shown(void **state)
{
    (void)state;
    det_training_curve curve = {0};
    for (uint64_t i = 0; i < 2000; i++) add(&curve, i, (double)(i % 2), 1);
    det_image image = draw(&curve);
    for (int x = LEFT + 2; x < LEFT + (RIGHT - LEFT) / 1.06; x += 11)
        assert_true(passes(&image, 0, x, 1 / 1.05, 0x0072B2));
    det_image_free(&image);
    det_training_curve_free(&curve);
}

/* Measured after steps 0, 1500 and 3000: the second mark is half as high as the first, somewhere in
 * what the legend leaves of the width. */
static void losses_of_validations_are_shown_as_they_are(void **state)
{
    (void)state;
    det_training_curve curve = {0};
    for (uint64_t i = 0; i <= 3000; i++)
        assert_true(det_training_curve_add(
            &curve, &(det_curve_step){i, .25, 1, i % 1500 == 0 ? 1 - (double)i / 3000 : NAN}));
    det_image image = draw(&curve);
    int marks = 0;
    for (int x = LEFT; x < RIGHT; x++) marks += passes(&image, 0, x, .5 / 1.05, 0xD55E00);
    assert_in_range(marks, 6, 12); /* a mark of 8 pixels, not a line that is passed in one or two */
    assert_true(passes(&image, 0, LEFT + 30, .25 / 1.05, 0x0072B2));
    det_image_free(&image);
    det_training_curve_free(&curve);
}

static void any_values_can_be_drawn_and_none_are_refused(void **state)
{
    (void)state;
    static const double values[] = {NAN, INFINITY, 0, -1, 1e-300, 1e300};
    det_training_curve curve = {0};
    det_text svg = {0};
    det_error error = {0};
    const char *path = test_path("none.svg");
    test_assert_error(det_training_curve_write(&curve, path, &error), DET_ARGUMENT, &error,
                      "no step of this network's training");
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        const det_curve_step step = {i, values[i], values[i], values[i]};
        assert_true(det_training_curve_add(&curve, &step));
        test_assert_ok(det_training_curve_svg(&curve, &svg, &error), &error);
        assert_non_null(strstr(svg.data, ">learning rate</text>"));
        det_text_free(&svg);
    }
    test_assert_ok(det_training_curve_write(&curve, path, &error), &error);
    test_assert_error(det_training_curve_write(&curve, test_path("a.jpg"), &error), DET_ARGUMENT,
                      &error, ".svg or .png");
    det_training_curve_free(&curve);
}

#ifdef DET_FAULT_INJECTION
static void short_memory_is_reported(void **state)
{
    (void)state;
    static const char text[] = STEP("0", "10", "4") STEP("0", "20", "2");
    const char *path = test_path("short.jsonl");
    test_write_file(path, text, sizeof text - 1);
    bool failed = true;
    for (uint64_t n = 1; failed; n++) {
        det_training_curve curve = {0};
        det_text svg = {0};
        det_memory_fail_at(n);
        det_status status = det_training_curve_read(path, 0, &curve, NULL);
        if (status == DET_OK) status = det_training_curve_svg(&curve, &svg, NULL);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        det_text_free(&svg);
        det_training_curve_free(&curve);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_log_was_told_is_read_again),
        cmocka_unit_test(networks_have_curves_of_their_own),
        cmocka_unit_test(a_training_that_goes_on_replaces_what_it_does_again),
        cmocka_unit_test(a_training_that_begins_anew_replaces_the_one_before),
        cmocka_unit_test(a_line_that_is_no_event_is_refused_by_its_number),
        cmocka_unit_test(every_value_has_its_place_in_its_own_chart),
        cmocka_unit_test(a_loss_that_falls_far_is_shown_on_a_logarithmic_axis),
        cmocka_unit_test(of_many_steps_the_means_of_neighbours_are_shown),
        cmocka_unit_test(losses_of_validations_are_shown_as_they_are),
        cmocka_unit_test(any_values_can_be_drawn_and_none_are_refused),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(short_memory_is_reported),
#endif
    };
    return cmocka_run_group_tests_name("training curve", tests, NULL, NULL);
}
