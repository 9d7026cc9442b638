/* SPDX-License-Identifier: Apache-2.0 */
#include "proposals/selective_search/color.h"
#include "tests/unit/support.h"

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
        cmocka_unit_test(white_and_black_are_neutral),
        cmocka_unit_test(tall_pictures_with_padded_rows_are_converted_whole),
        cmocka_unit_test(every_space_has_a_name_and_nothing_else_has),
    };
    return cmocka_run_group_tests(tests, NULL, free_arena);
}
