/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/file.h"
#include "src/base/memory.h"
#include "src/train/event_log.h"
#include "src/train/training_curve.h"
#include "tests/unit/support_image.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A chart is laid out on 700 x 260, its plot on 66 to 684 and 38 to 208; a PNG picture is three
 * times as large. */
enum { SCALE = 3, HEIGHT = 260, LEFT = 66, RIGHT = 684, TOP = 38, BOTTOM = 208 };

static det_training_curve read_text(const char *text)
{
    det_training_curve curve = {0};
    det_error error = {0};
    const char *path = test_path("read.jsonl");
    test_write_file(path, text, strlen(text));
    test_assert_ok(det_training_curve_read(path, &curve, &error), &error);
    return curve;
}

static void assert_steps(const det_training_curve *curve, const uint64_t *steps, size_t count)
{
    assert_int_equal(curve->step_count, count);
    for (size_t i = 0; i < count; i++) assert_true(curve->steps[i].step == steps[i]);
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
    det_event_step(log, 20, 2.25, .01);
    det_event_iteration(log, 1, losses, 1);
    det_event_step(log, 40, NAN, .001);
    det_event_validation(log, 40, "AP50", .375);
    det_event_log_close(log);
    test_assert_ok(det_training_curve_read(path, &curve, &error), &error);
    assert_steps(&curve, (const uint64_t[]){20, 40}, 2);
    assert_float_equal(curve.steps[0].loss, 2.25, 0);
    assert_float_equal(curve.steps[0].rate, .01, 0);
    assert_true(isnan(curve.steps[1].loss));
    assert_float_equal(curve.steps[1].rate, .001, 0);
    assert_int_equal(curve.figure_count, 1);
    assert_true(curve.figures[0].step == 40);
    assert_float_equal(curve.figures[0].value, .375, 0);
    assert_string_equal(curve.figure, "AP50");
    det_training_curve_free(&curve);
}

/* Cut after step 30, and gone on with from a checkpoint of step 15. */
static void a_training_that_goes_on_replaces_what_it_does_again(void **state)
{
    (void)state;
    det_training_curve curve =
        read_text("{\"event\":\"run_begun\",\"resumed\":false}\n"
                  "{\"event\":\"step\",\"step\":10,\"loss\":4,\"rate\":1}\n"
                  "{\"event\":\"validation\",\"step\":10,\"figure\":\"AP\",\"value\":0.1}\n"
                  "{\"event\":\"step\",\"step\":20,\"loss\":3,\"rate\":1}\n"
                  "{\"event\":\"validation\",\"step\":20,\"figure\":\"AP\",\"value\":0.2}\n"
                  "{\"event\":\"step\",\"step\":30,\"loss\":2,\"rate\":1}\n"
                  "{\"event\":\"run_begun\",\"resumed\":true}\n"
                  "{\"event\":\"step\",\"step\":20,\"loss\":5,\"rate\":1}\n");
    assert_steps(&curve, (const uint64_t[]){10, 20}, 2);
    assert_float_equal(curve.steps[1].loss, 5, 0);
    assert_int_equal(curve.figure_count, 1);
    assert_true(curve.figures[0].step == 10);
    det_training_curve_free(&curve);
}

static void a_training_that_begins_anew_replaces_the_one_before(void **state)
{
    (void)state;
    det_training_curve curve =
        read_text("{\"event\":\"run_begun\",\"resumed\":false}\n"
                  "{\"event\":\"step\",\"step\":10,\"loss\":4,\"rate\":1}\n"
                  "{\"event\":\"validation\",\"step\":10,\"figure\":\"AP\",\"value\":0.1}\n"
                  "{\"event\":\"run_begun\",\"resumed\":false}\n"
                  "{\"event\":\"step\",\"step\":50,\"loss\":4,\"rate\":1}\n"
                  "{\"event\":\"step\",\"st");
    assert_steps(&curve, (const uint64_t[]){50}, 1);
    assert_int_equal(curve.figure_count, 0);
    assert_string_equal(curve.figure, "");
    det_training_curve_free(&curve);
}

static void a_line_that_is_no_event_is_refused_by_its_number(void **state)
{
    (void)state;
    static const struct {
        const char *line, *where, *message;
    } cases[] = {
        {"{\"event\":\"step\",\"step\":1,\"loss\":\"4\",\"rate\":1}", "line 2", "'loss'"},
        {"{\"event\":\"step\",\"step\":1,\"loss\":4}", "line 2", "'rate'"},
        {"{\"event\":\"step\",\"step\":-1,\"loss\":4,\"rate\":1}", "line 2", "negative"},
        {"{\"event\":\"validation\",\"step\":1,\"figure\":4,\"value\":1}", "line 2, figure", ""},
        {"{\"event\":\"run_begun\"}", "line 2, resumed", ""},
        {"[1]", "line 2", "not a JSON object"},
        {"{]", "line 2, line 1, column 2", ""},
    };
    const char *path = test_path("wrong.jsonl");
    det_training_curve curve = {0};
    det_error error = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[300];
        snprintf(text, sizeof text, "{\"event\":\"step\",\"step\":1,\"loss\":4,\"rate\":1}\n%s\n",
                 cases[i].line);
        test_write_file(path, text, strlen(text));
        test_assert_error(det_training_curve_read(path, &curve, &error), DET_FORMAT, &error,
                          cases[i].message);
        assert_string_equal(error.where, cases[i].where);
        assert_string_equal(error.file, path);
        assert_null(curve.steps);
    }
    test_assert_error(det_training_curve_read(test_path("none"), &curve, &error), DET_IO, &error,
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

static det_image draw(const det_training_curve *curve, size_t charts)
{
    const char *path = test_path("curve.png");
    det_image image;
    det_error error = {0};
    test_assert_ok(det_training_curve_write(curve, path, &error), &error);
    test_assert_ok(det_image_read(path, NULL, &image, &error), &error);
    assert_int_equal(image.width, 700 * SCALE);
    assert_int_equal(image.height, (int)charts * HEIGHT * SCALE);
    return image;
}

/* Three charts with their own axes: from 0 to 1.05 times the largest value, steps from 0 on. Step
 * 50 of 100 is in the middle; the loss there is half of the first one. */
static void every_value_has_its_place_in_its_own_chart(void **state)
{
    (void)state;
    det_training_curve curve = {0};
    assert_true(det_training_curve_add_step(&curve, 0, 8, .5));
    assert_true(det_training_curve_add_step(&curve, 100, 0, .5));
    assert_true(det_training_curve_add_figure(&curve, 0, "accuracy", 0));
    assert_true(det_training_curve_add_figure(&curve, 100, "accuracy", .8));
    det_image image = draw(&curve, 3);
    const double middle = LEFT + (RIGHT - LEFT) * .5 / 1.05;
    assert_true(passes(&image, 0, middle, .5 / 1.05, 0x0072B2));
    assert_true(passes(&image, 1, middle, 1 / 1.05, 0xD55E00));
    assert_true(passes(&image, 2, middle, .5 / 1.05, 0x009E73));
    assert_false(passes(&image, 1, middle, .5 / 1.05, 0xD55E00));
    det_image_free(&image);
    det_training_curve_free(&curve);
}

/* From 1 / 1.1 to 1100: 1000 and 1 at the ends, their geometric mean in the middle. */
static void a_loss_that_falls_far_is_shown_on_a_logarithmic_axis(void **state)
{
    (void)state;
    det_training_curve curve = {0};
    assert_true(det_training_curve_add_step(&curve, 0, 1000, .5));
    assert_true(det_training_curve_add_step(&curve, 100, 1, .5));
    det_image image = draw(&curve, 2);
    assert_true(passes(&image, 0, LEFT + (RIGHT - LEFT) * .5 / 1.05, .5, 0x0072B2));
    det_image_free(&image);
    det_training_curve_free(&curve);
}

/* 2,000 points, the loss in turn 0 and 1: neighbours are joined, and a line of .5 remains. */
static void of_many_steps_the_means_of_neighbours_are_shown(void **state)
{
    (void)state;
    det_training_curve curve = {0};
    for (uint64_t i = 0; i < 2000; i++)
        assert_true(det_training_curve_add_step(&curve, i, (double)(i % 2), 1));
    det_image image = draw(&curve, 2);
    for (int x = LEFT + 2; x < LEFT + (RIGHT - LEFT) / 1.06; x += 11)
        assert_true(passes(&image, 0, x, 1 / 1.05, 0x0072B2));
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
                      "no step of a network's training");
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        assert_true(det_training_curve_add_step(&curve, i, values[i], values[i]));
        assert_true(det_training_curve_add_figure(&curve, i, "<b>", values[i]));
        test_assert_ok(det_training_curve_svg(&curve, &svg, &error), &error);
        assert_non_null(strstr(svg.data, "&lt;b&gt;"));
        det_text_free(&svg);
    }
    test_assert_error(det_training_curve_write(&curve, test_path("a.jpg"), &error), DET_ARGUMENT,
                      &error, ".svg or .png");
    det_training_curve_free(&curve);
}

#ifdef DET_FAULT_INJECTION
static void short_memory_is_reported(void **state)
{
    (void)state;
    static const char text[] =
        "{\"event\":\"step\",\"step\":10,\"loss\":4,\"rate\":1}\n"
        "{\"event\":\"validation\",\"step\":9,\"figure\":\"AP\",\"value\":1}\n";
    const char *path = test_path("short.jsonl");
    test_write_file(path, text, sizeof text - 1);
    bool failed = true;
    for (uint64_t n = 1; failed; n++) {
        det_training_curve curve = {0};
        det_text svg = {0};
        det_memory_fail_at(n);
        det_status status = det_training_curve_read(path, &curve, NULL);
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
        cmocka_unit_test(a_training_that_goes_on_replaces_what_it_does_again),
        cmocka_unit_test(a_training_that_begins_anew_replaces_the_one_before),
        cmocka_unit_test(a_line_that_is_no_event_is_refused_by_its_number),
        cmocka_unit_test(every_value_has_its_place_in_its_own_chart),
        cmocka_unit_test(a_loss_that_falls_far_is_shown_on_a_logarithmic_axis),
        cmocka_unit_test(of_many_steps_the_means_of_neighbours_are_shown),
        cmocka_unit_test(any_values_can_be_drawn_and_none_are_refused),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(short_memory_is_reported),
#endif
    };
    return cmocka_run_group_tests_name("training curve", tests, NULL, NULL);
}
