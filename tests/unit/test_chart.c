/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/file.h"
#include "src/base/memory.h"
#include "src/image/chart.h"
#include "tests/unit/support_image.h"

#include <math.h>
#include <string.h>

/* A chart without a legend is laid out on 600 x 380; its plot is 66 to 584 and 38 to 328. A PNG
 * picture is three times as large. */
enum { SCALE = 3, MIDDLE_X = 325, MIDDLE_Y = 183 };

static const double zero_to_one[] = {0, 1}, half[] = {.5, .5};

static det_chart chart_of(const det_chart_line *lines, size_t count)
{
    return (det_chart){.title = "Title",
                       .x = {.label = "x", .minimum = 0, .maximum = 1},
                       .y = {.label = "y", .minimum = 0, .maximum = 1},
                       .lines = lines,
                       .line_count = count};
}

static det_image draw(const det_chart *chart)
{
    const char *path = test_path("chart.png");
    det_image image;
    det_error error;
    test_assert_ok(det_chart_write(chart, path, &error), &error);
    test_assert_ok(det_image_read(path, NULL, &image, &error), &error);
    assert_int_equal(image.width, 600 * SCALE);
    assert_int_equal(image.height, 380 * SCALE);
    return image;
}

static uint32_t at(const det_image *image, double x, double y)
{
    return test_pixel(image, (int)(SCALE * x), (int)(SCALE * y));
}

static void a_value_has_its_place_on_a_linear_axis(void **state)
{
    (void)state;
    const det_chart_line line = {.x = zero_to_one, .y = half, .count = 2};
    const det_chart chart = chart_of(&line, 1);
    det_image image = draw(&chart);
    assert_int_equal(at(&image, 200, MIDDLE_Y), 0x0072B2);
    assert_int_equal(at(&image, 80, MIDDLE_Y), 0x0072B2);
    assert_int_equal(at(&image, 570, MIDDLE_Y), 0x0072B2);
    assert_int_equal(at(&image, 200, MIDDLE_Y + 5), 0xFFFFFF);
    assert_int_equal(at(&image, 1, 1), 0xFFFFFF);
    det_image_free(&image);
}

/* 10 is the middle of 1 to 100. */
static void a_value_has_its_place_on_a_logarithmic_axis(void **state)
{
    (void)state;
    const double ten[] = {10, 10};
    const det_chart_line line = {.x = ten, .y = zero_to_one, .count = 2, .color = 1};
    det_chart chart = chart_of(&line, 1);
    chart.x = (det_chart_axis){"boxes", 1, 100, true};
    det_image image = draw(&chart);
    assert_int_equal(at(&image, MIDDLE_X, 100), 0xD55E00);
    assert_int_equal(at(&image, MIDDLE_X, 300), 0xD55E00);
    det_image_free(&image);
}

/* A line that leaves the plot at the middle of its way. */
static void nothing_is_drawn_outside_the_axes(void **state)
{
    (void)state;
    const double x[] = {-1, 3}, y[] = {.5, .5};
    const det_chart_line line = {.x = x, .y = y, .count = 2, .markers = true};
    const det_chart chart = chart_of(&line, 1);
    det_image image = draw(&chart);
    assert_int_equal(at(&image, 200, MIDDLE_Y), 0x0072B2);
    assert_int_equal(at(&image, 593, MIDDLE_Y), 0xFFFFFF);
    assert_int_equal(at(&image, 30, MIDDLE_Y), 0xFFFFFF);
    det_image_free(&image);
}

static void a_value_that_is_none_breaks_the_line(void **state)
{
    (void)state;
    const double x[] = {0, .4, .5, .6, 1}, y[] = {.5, .5, NAN, .5, .5};
    const det_chart_line line = {.x = x, .y = y, .count = 5};
    const det_chart chart = chart_of(&line, 1);
    det_image image = draw(&chart);
    assert_int_equal(at(&image, 200, MIDDLE_Y), 0x0072B2);
    assert_int_equal(at(&image, MIDDLE_X, MIDDLE_Y), 0xFFFFFF);
    assert_int_equal(at(&image, 500, MIDDLE_Y), 0x0072B2);
    det_image_free(&image);
}

/* How many pixels between 170 and 270 in the row have the colour. */
static int count_colored(const det_image *image, uint32_t color)
{
    int count = 0;
    for (int x = 170 * SCALE; x < 270 * SCALE; x++)
        count += test_pixel(image, x, MIDDLE_Y * SCALE) == color;
    return count;
}

static void a_dashed_line_has_gaps_and_a_solid_one_none(void **state)
{
    (void)state;
    det_chart_line line = {.x = zero_to_one, .y = half, .count = 2, .color = 2};
    const det_chart chart = chart_of(&line, 1);
    det_image solid = draw(&chart);
    line.dashed = true;
    det_image dashed = draw(&chart);
    assert_int_equal(count_colored(&solid, 0x009E73), 100 * SCALE);
    assert_in_range(count_colored(&dashed, 0x009E73), 50 * SCALE, 70 * SCALE);
    det_image_free(&solid);
    det_image_free(&dashed);
}

/* The legend takes its place from the plot: the line ends before it, and begins again in it. */
static void the_legend_lies_right_of_the_lines(void **state)
{
    (void)state;
    const det_chart_line line = {
        .name = "a name", .x = zero_to_one, .y = half, .count = 2, .color = 3};
    const det_chart chart = chart_of(&line, 1);
    det_image image = draw(&chart);
    assert_int_equal(at(&image, 200, MIDDLE_Y), 0xCC79A7);
    assert_int_equal(at(&image, 580, MIDDLE_Y), 0xFFFFFF);
    int legend = 0;
    for (int x = 400 * SCALE; x < 600 * SCALE; x++)
        legend += test_pixel(&image, x, (int)(47.5 * SCALE)) == 0xCC79A7;
    assert_in_range(legend, 28 * SCALE, 31 * SCALE);
    det_image_free(&image);
}

static void any_text_can_be_drawn(void **state)
{
    (void)state;
    static char longest[5000];
    memset(longest, 'm', sizeof longest - 1);
    const det_chart_line lines[] = {
        {.name = longest, .x = zero_to_one, .y = half, .count = 2, .markers = true},
        {.name = "\xFF\x01", .x = zero_to_one, .y = half, .count = 2, .color = 8},
        {.name = "<&>", .x = NULL, .y = NULL, .count = 0, .color = 6, .markers = true}};
    det_chart chart = chart_of(lines, 3);
    chart.title = longest;
    chart.x.label = chart.y.label = NULL;
    det_image image = draw(&chart);
    assert_int_equal(at(&image, 200, MIDDLE_Y), 0x0072B2);
    det_image_free(&image);
}

static void svg_is_one_whole_document_and_equal_charts_give_equal_pictures(void **state)
{
    (void)state;
    const det_chart_line line = {.name = "a", .x = zero_to_one, .y = half, .count = 2};
    const det_chart chart = chart_of(&line, 1);
    det_error error;
    det_bytes svg = {0}, one = {0}, other = {0};
    test_assert_ok(det_chart_write(&chart, test_path("chart.svg"), &error), &error);
    test_assert_ok(det_chart_write(&chart, test_path("one.PNG"), &error), &error);
    test_assert_ok(det_chart_write(&chart, test_path("other.png"), &error), &error);
    test_assert_ok(det_file_read(test_path("chart.svg"), 1 << 20, &svg, &error), &error);
    test_assert_ok(det_file_read(test_path("one.PNG"), 1 << 20, &one, &error), &error);
    test_assert_ok(det_file_read(test_path("other.png"), 1 << 20, &other, &error), &error);
    assert_memory_equal(svg.data, "<?xml", 5);
    assert_memory_equal(svg.data + svg.size - 7, "</svg>\n", 7);
    assert_int_equal(one.size, other.size);
    assert_memory_equal(one.data, other.data, one.size);
    det_bytes_free(&svg);
    det_bytes_free(&one);
    det_bytes_free(&other);
}

static void a_chart_may_have_another_size(void **state)
{
    (void)state;
    const det_chart_line line = {.x = zero_to_one, .y = half, .count = 2};
    det_chart chart = chart_of(&line, 1);
    det_image image;
    det_error error;
    chart.width = 400;
    chart.height = 300;
    test_assert_ok(det_chart_write(&chart, test_path("small.png"), &error), &error);
    test_assert_ok(det_image_read(test_path("small.png"), NULL, &image, &error), &error);
    assert_int_equal(image.width, 400 * SCALE);
    assert_int_equal(image.height, 300 * SCALE);
    assert_int_equal(at(&image, 370, (38 + 300 - 52) / 2.), 0x0072B2);
    assert_int_equal(at(&image, 390, (38 + 300 - 52) / 2.), 0xFFFFFF);
    det_image_free(&image);
    chart.width = 199;
    test_assert_error(det_chart_write(&chart, test_path("x.svg"), &error), DET_ARGUMENT, &error,
                      "the width of a chart is 200 to 4000, not 199");
}

/* The second is narrower, and lies 300 pixels further down; the third begins 600 down. */
static void charts_lie_one_below_the_other(void **state)
{
    (void)state;
    const det_chart_line line = {.x = zero_to_one, .y = half, .count = 2};
    const char *path = test_path("three.png");
    det_chart charts[3];
    det_image image;
    det_text svg = {0};
    det_error error;
    for (int i = 0; i < 3; i++) {
        charts[i] = chart_of(&line, 1);
        charts[i].width = i == 1 ? 400 : 500;
        charts[i].height = 300;
    }
    test_assert_ok(det_charts_write(charts, 3, path, &error), &error);
    test_assert_ok(det_image_read(path, NULL, &image, &error), &error);
    assert_int_equal(image.width, 500 * SCALE);
    assert_int_equal(image.height, 900 * SCALE);
    for (int i = 0; i < 3; i++) {
        const double middle = 300 * i + (38 + 300 - 52) / 2.;
        assert_int_equal(at(&image, 370, middle), 0x0072B2);
        assert_int_equal(at(&image, 470, middle), i == 1 ? 0xFFFFFF : 0x0072B2);
        assert_int_equal(at(&image, 370, middle + 20), 0xFFFFFF);
    }
    det_image_free(&image);
    test_assert_ok(det_charts_svg(charts, 3, &svg, &error), &error);
    assert_non_null(strstr(svg.data, "height=\"900"));
    det_text_free(&svg);

    const det_chart_line named = {.name = "a name", .x = zero_to_one, .y = half, .count = 2};
    charts[2].lines = &named;
    test_assert_ok(det_charts_write(charts, 3, path, &error), &error);
    test_assert_ok(det_image_read(path, NULL, &image, &error), &error);
    assert_int_equal(at(&image, 370, (38 + 300 - 52) / 2.), 0x0072B2);
    assert_int_equal(at(&image, 470, (38 + 300 - 52) / 2.), 0xFFFFFF);
    det_image_free(&image);

    charts[2].height = 3401;
    test_assert_error(det_charts_write(charts, 3, path, &error), DET_ARGUMENT, &error,
                      "4001 pixels in all are higher than 4000");
    charts[2].height = 300;
    charts[1].y.maximum = 0;
    test_assert_error(det_charts_svg(charts, 3, &svg, &error), DET_ARGUMENT, &error, "the y axis");
}

static void a_chart_in_memory_is_svg(void **state)
{
    (void)state;
    det_text svg = {0};
    det_error error;
    det_chart chart = chart_of(NULL, 0);
    chart.height = 300;
    test_assert_ok(det_chart_svg(&chart, &svg, &error), &error);
    assert_memory_equal(svg.data, "<?xml", 5);
    assert_string_equal(svg.data + svg.length - 7, "</svg>\n");
    assert_non_null(strstr(svg.data, "height=\"300"));
    det_text_free(&svg);
    chart.x.maximum = chart.x.minimum;
    test_assert_error(det_chart_svg(&chart, &svg, &error), DET_ARGUMENT, &error, "the x axis");
    assert_null(svg.data);
}

static void texts_of_svg_are_texts_that_cannot_become_markup(void **state)
{
    (void)state;
    static char longest[400];
    memset(longest, 'm', sizeof longest - 1);
    const det_chart_line line = {.name = longest, .x = zero_to_one, .y = half, .count = 2};
    det_text svg = {0};
    det_error error;
    det_chart chart = chart_of(&line, 1);
    chart.title = "<b>&\xFF";
    test_assert_ok(det_chart_svg(&chart, &svg, &error), &error);
    assert_non_null(strstr(svg.data, ">&lt;b&gt;&amp;\xEF\xBF\xBD</text>"));
    assert_non_null(strstr(svg.data, ">0.2</text>"));
    assert_non_null(strstr(svg.data, "mm\xE2\x80\xA6</text>"));
    assert_null(strstr(svg.data, "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"));
    det_text_free(&svg);
}

/* Ranges of every size: ticks neither run away nor fail. */
static void axes_of_any_range_can_be_drawn(void **state)
{
    (void)state;
    const double ranges[][2] = {{0, 1e-300}, {-1e300, 1e300}, {.5, 1}, {1, 1 + 1e-15}, {1e-9, 1e9}};
    for (size_t i = 0; i < 5; i++) {
        det_chart chart = chart_of(NULL, 0);
        chart.x = chart.y = (det_chart_axis){"v", ranges[i][0], ranges[i][1], ranges[i][0] > 0};
        det_image image = draw(&chart);
        det_image_free(&image);
    }
}

static void axes_without_a_range_are_refused(void **state)
{
    (void)state;
    const det_chart_axis wrong[] = {{"v", 1, 1, false},
                                    {"v", 2, 1, false},
                                    {"v", 0, 1, true},
                                    {"v", NAN, 1, false},
                                    {"v", 0, INFINITY, false}};
    for (size_t i = 0; i < 5; i++) {
        det_chart chart = chart_of(NULL, 0);
        det_error error;
        chart.y = wrong[i];
        test_assert_error(det_chart_write(&chart, test_path("x.svg"), &error), DET_ARGUMENT, &error,
                          "the y axis cannot go from");
    }
}

static void other_files_are_refused(void **state)
{
    (void)state;
    const det_chart chart = chart_of(NULL, 0);
    det_error error;
    test_assert_error(det_chart_write(&chart, "chart.pdf", &error), DET_ARGUMENT, &error,
                      ".svg or .png");
    test_assert_error(det_chart_write(&chart, "/no/such/folder/chart.svg", &error), DET_IO, &error,
                      "No such file");
}

#ifdef DET_FAULT_INJECTION
static void every_allocation_may_fail(void **state)
{
    (void)state;
    const det_chart_line line = {.name = "a", .x = zero_to_one, .y = half, .count = 2};
    const det_chart chart = chart_of(&line, 1);
    bool failed = true;
    uint64_t nth = 0;
    while (failed) {
        det_error error = {0};
        det_memory_fail_at(++nth);
        const det_status status = det_chart_write(&chart, test_path("m.svg"), &error);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        if (failed)
            test_assert_error(status, DET_MEMORY, &error, "out of memory");
        else
            test_assert_ok(status, &error);
    }
    assert_true(nth > 8);
}

static void every_allocation_of_a_chart_in_memory_may_fail(void **state)
{
    (void)state;
    const det_chart chart = chart_of(NULL, 0);
    for (uint64_t nth = 1;; nth++) {
        det_error error = {0};
        det_text svg = {0};
        det_memory_fail_at(nth);
        const det_status status = det_chart_svg(&chart, &svg, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        det_text_free(&svg);
        if (!failed) break;
        test_assert_error(status, DET_MEMORY, &error, "out of memory");
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_has_its_place_on_a_linear_axis),
        cmocka_unit_test(a_value_has_its_place_on_a_logarithmic_axis),
        cmocka_unit_test(nothing_is_drawn_outside_the_axes),
        cmocka_unit_test(a_value_that_is_none_breaks_the_line),
        cmocka_unit_test(a_dashed_line_has_gaps_and_a_solid_one_none),
        cmocka_unit_test(the_legend_lies_right_of_the_lines),
        cmocka_unit_test(any_text_can_be_drawn),
        cmocka_unit_test(svg_is_one_whole_document_and_equal_charts_give_equal_pictures),
        cmocka_unit_test(a_chart_may_have_another_size),
        cmocka_unit_test(charts_lie_one_below_the_other),
        cmocka_unit_test(a_chart_in_memory_is_svg),
        cmocka_unit_test(texts_of_svg_are_texts_that_cannot_become_markup),
        cmocka_unit_test(axes_of_any_range_can_be_drawn),
        cmocka_unit_test(axes_without_a_range_are_refused),
        cmocka_unit_test(other_files_are_refused),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(every_allocation_of_a_chart_in_memory_may_fail),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
