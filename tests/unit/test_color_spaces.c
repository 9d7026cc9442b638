/* SPDX-License-Identifier: Apache-2.0 */
#include "proposals/selective_search/color.h"
#include "tests/unit/support.h"

#include <math.h>
#include <string.h>

/* A picture of one row. */
static det_image create_row(const uint8_t *bgr, int width)
{
    det_image image;
    det_error error;
    test_assert_ok(det_image_create(width, 1, &image, &error), &error);
    memcpy(image.pixels, bgr, (size_t)(3 * width));
    return image;
}

static det_arena arena;

static int free_arena(void **state)
{
    (void)state;
    det_arena_free(&arena);
    return 0;
}

static det_planes convert(const det_image *image, unsigned space)
{
    det_planes planes;
    det_error error;
    test_assert_ok(det_color_convert(image, space, &arena, &planes, &error), &error);
    return planes;
}

/* (r, g, b) = (90, 60, 30): sum 180, grey (26910 + 35220 + 3420) / 1000 = 65.55; shares 127.5, 85
 * and 42.5, halves up; opponents (30 + 180) / 360 and (90 + 360) / 540 of 255: 148.75 and 212.5. */
static void a_colour_has_the_values_worked_out_by_hand(void **state)
{
    (void)state;
    static const struct {
        unsigned space;
        int channels, repeat;
        uint8_t values[3];
    } cases[] = {
        {DET_COLOR_RGB, 3, 1, {90, 60, 30}},
        {DET_COLOR_I, 1, 3, {66}},
        {DET_COLOR_RGI, 3, 1, {128, 85, 66}},
        {DET_COLOR_NRGB, 3, 1, {128, 85, 43}},
        {DET_COLOR_C, 2, 1, {149, 213}},
        {DET_COLOR_HSV, 3, 1, {21, 170, 90}},
        {DET_COLOR_H, 1, 3, {21}}, /* hue 30 of 360 degrees: 21.3 of 256; saturation 2/3 */
    };
    det_image image = create_row((const uint8_t[]){30, 60, 90}, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_planes planes = convert(&image, cases[i].space);
        assert_int_equal(planes.channels, cases[i].channels);
        assert_int_equal(planes.repeat, cases[i].repeat);
        assert_memory_equal(planes.values, cases[i].values, (size_t)planes.channels);
        det_arena_reset(&arena);
    }
    det_image_free(&image);
}

/* ---- HSV and Lab against their formulas, on 16 values a channel ---------------------------------
 */

enum { steps = 16, colors = steps * steps * steps };

static void fill_colors(uint8_t bgr[3 * colors])
{
    for (int i = 0; i < colors; i++) {
        bgr[3 * i] = (uint8_t)(17 * (i % steps));
        bgr[3 * i + 1] = (uint8_t)(17 * (i / steps % steps));
        bgr[3 * i + 2] = (uint8_t)(17 * (i / steps / steps));
    }
}

/* Hue 0..1 of a turn, saturation and value 0..1 (Smith 1978). */
static void hsv_of(double b, double g, double r, double hsv[3])
{
    const double high = fmax(b, fmax(g, r)), low = fmin(b, fmin(g, r)), spread = high - low;
    double sixths = 0;
    if (spread > 0)
        sixths = high == r   ? (g - b) / spread
                 : high == g ? (b - r) / spread + 2
                             : (r - g) / spread + 4;
    hsv[0] = sixths < 0 ? sixths / 6 + 1 : sixths / 6;
    hsv[1] = high > 0 ? spread / high : 0;
    hsv[2] = high;
}

static double linear(double v)
{
    return v <= .04045 ? v / 12.92 : pow((v + .055) / 1.055, 2.4);
}

static double cube(double t)
{
    return t > .008856 ? cbrt(t) : 7.787 * t + 16. / 116;
}

/* L* 0..100, a*, b* of sRGB under D65 (CIE 15). */
static void lab_of(double b, double g, double r, double lab[3])
{
    b = linear(b), g = linear(g), r = linear(r);
    const double x = cube((.412453 * r + .357580 * g + .180423 * b) / .950456);
    const double y = cube(.212671 * r + .715160 * g + .072169 * b);
    const double z = cube((.019334 * r + .119193 * g + .950227 * b) / 1.088754);
    lab[0] = 116 * y - 16;
    lab[1] = 500 * (x - y);
    lab[2] = 200 * (y - z);
}

static void assert_byte_near(uint8_t value, double expected, const uint8_t *bgr)
{
    if (fabs(value - expected) > 1.01)
        fail_msg("%d, not %.2f, of b %d g %d r %d", value, expected, bgr[0], bgr[1], bgr[2]);
}

static void hsv_is_its_formula_in_8_bits(void **state)
{
    (void)state;
    static uint8_t bgr[3 * colors];
    fill_colors(bgr);
    det_image image = create_row(bgr, colors);
    const det_planes planes = convert(&image, DET_COLOR_HSV);
    for (int i = 0; i < colors; i++) {
        double hsv[3];
        const uint8_t *p = bgr + 3 * i;
        hsv_of(p[0] / 255., p[1] / 255., p[2] / 255., hsv);
        /* a hue just below a whole turn may be stored as 0 */
        const uint8_t hue = planes.values[i];
        assert_byte_near(hue, hue == 0 && hsv[0] > .9 ? 256 * hsv[0] - 256 : 256 * hsv[0], p);
        assert_byte_near(planes.values[colors + i], 255 * hsv[1], p);
        assert_byte_near(planes.values[2 * colors + i], 255 * hsv[2], p);
    }
    det_arena_reset(&arena);
    det_image_free(&image);
}

static void lab_is_its_formula_in_8_bits(void **state)
{
    (void)state;
    static uint8_t bgr[3 * colors];
    fill_colors(bgr);
    det_image image = create_row(bgr, colors);
    const det_planes planes = convert(&image, DET_COLOR_LAB);
    for (int i = 0; i < colors; i++) {
        double lab[3];
        const uint8_t *p = bgr + 3 * i;
        lab_of(p[0] / 255., p[1] / 255., p[2] / 255., lab);
        assert_byte_near(planes.values[i], 2.55 * lab[0], p);
        assert_byte_near(planes.values[colors + i], lab[1] + 128, p);
        assert_byte_near(planes.values[2 * colors + i], lab[2] + 128, p);
    }
    det_arena_reset(&arena);
    det_image_free(&image);
}

/* L* = 53.24, a* = 80.09, b* = 67.20 of sRGB's red; hue in units of 360 / 256 degrees: green is 120
 * degrees, 85.3, and blue 240, 170.7. */
static void pure_colours_have_the_values_of_the_literature(void **state)
{
    (void)state;
    det_image image = create_row((const uint8_t[]){0, 0, 255, 0, 255, 0, 255, 0, 0}, 3);
    det_planes planes = convert(&image, DET_COLOR_HSV);
    assert_memory_equal(planes.values,
                        ((const uint8_t[]){0, 85, 171, 255, 255, 255, 255, 255, 255}), 9);
    planes = convert(&image, DET_COLOR_LAB);
    assert_int_equal(planes.values[0], 136);
    assert_int_equal(planes.values[3], 208);
    assert_int_equal(planes.values[6], 195);
    det_arena_reset(&arena);
    det_image_free(&image);
}

static void white_and_black_are_neutral(void **state)
{
    (void)state;
    static const struct {
        unsigned space;
        uint8_t white[3], black[3];
    } cases[] = {
        {DET_COLOR_LAB, {255, 128, 128}, {0, 128, 128}},
        {DET_COLOR_RGI, {85, 85, 255}, {85, 85, 0}},
        {DET_COLOR_NRGB, {85, 85, 85}, {85, 85, 85}},
        {DET_COLOR_HSV, {0, 0, 255}, {0, 0, 0}},
        {DET_COLOR_C, {128, 170}, {128, 170}},
    };
    det_image image = create_row((const uint8_t[]){255, 255, 255, 0, 0, 0}, 2);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_planes planes = convert(&image, cases[i].space);
        for (int c = 0; c < planes.channels; c++) {
            assert_int_equal(planes.values[2 * c], cases[i].white[c]);
            assert_int_equal(planes.values[2 * c + 1], cases[i].black[c]);
        }
        det_arena_reset(&arena);
    }
    det_image_free(&image);
}

/* More rows than a strip holds, and padding at their ends. */
static void tall_pictures_with_padded_rows_are_converted_whole(void **state)
{
    (void)state;
    enum { width = 5, height = 37, stride = 20 };
    uint8_t pixels[stride * height];
    for (int i = 0; i < stride * height; i++) pixels[i] = (uint8_t)(7 * i);
    const det_image image = {width, height, stride, pixels};
    det_planes planes = convert(&image, DET_COLOR_RGB);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                assert_int_equal(planes.values[(c * height + y) * width + x],
                                 pixels[y * stride + 3 * x + 2 - c]);
    det_arena_reset(&arena);
}

static void every_space_has_a_name_and_nothing_else_has(void **state)
{
    (void)state;
    static const char *const names[] = {"hsv", "lab", "rgb", "i", "rgi", "nrgb", "c", "h"};
    for (unsigned bit = 0; bit < 8; bit++)
        assert_string_equal(det_color_name(1u << bit), names[bit]);
    assert_null(det_color_name(0));
    assert_null(det_color_name(3));
    assert_null(det_color_name(256));

    det_image image = create_row((const uint8_t[]){1, 2, 3}, 1);
    det_planes planes;
    det_error error;
    test_assert_error(det_color_convert(&image, 256, &arena, &planes, &error), DET_ARGUMENT, &error,
                      "256");
    det_image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_colour_has_the_values_worked_out_by_hand),
        cmocka_unit_test(hsv_is_its_formula_in_8_bits),
        cmocka_unit_test(lab_is_its_formula_in_8_bits),
        cmocka_unit_test(pure_colours_have_the_values_of_the_literature),
        cmocka_unit_test(white_and_black_are_neutral),
        cmocka_unit_test(tall_pictures_with_padded_rows_are_converted_whole),
        cmocka_unit_test(every_space_has_a_name_and_nothing_else_has),
    };
    return cmocka_run_group_tests(tests, NULL, free_arena);
}
