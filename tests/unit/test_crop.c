/* SPDX-License-Identifier: Apache-2.0 */
/* Crops against the formula of src/image/crop.h in double precision, pixel by pixel. */
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/image/crop.h"
#include "tests/unit/support_image.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double sample(const det_image *image, double x, double y, int c, const uint8_t *outside)
{
    if (x < 0 || y < 0 || x >= image->width || y >= image->height) return outside[c];
    return image->pixels[(size_t)y * image->stride + 3 * (size_t)x + (size_t)c];
}

static double interpolate(const det_image *image, double x, double y, int c, const uint8_t *outside)
{
    const double x0 = floor(x), y0 = floor(y), fx = x - x0, fy = y - y0;
    const double upper =
        (1 - fx) * sample(image, x0, y0, c, outside) + fx * sample(image, x0 + 1, y0, c, outside);
    const double lower = (1 - fx) * sample(image, x0, y0 + 1, c, outside) +
                         fx * sample(image, x0 + 1, y0 + 1, c, outside);
    return (1 - fy) * upper + fy * lower;
}

/* The plain twin of det_crop. */
static void det_crop_reference(const det_image *image, det_box box, const det_crop_options *o,
                               uint8_t *pixels)
{
    const double step_x = ((double)box.x1 - box.x0) / (o->width - 2 * o->context_px);
    const double step_y = ((double)box.y1 - box.y0) / (o->height - 2 * o->context_px);
    for (int j = 0; j < o->height; j++)
        for (int i = 0; i < o->width; i++)
            for (int c = 0; c < 3; c++) {
                const double x = box.x0 + (i + .5 - o->context_px) * step_x - .5;
                const double y = box.y0 + (j + .5 - o->context_px) * step_y - .5;
                *pixels++ = (uint8_t)lround(interpolate(image, x, y, c, o->outside));
            }
}

static det_image noise(int width, int height)
{
    det_image image;
    test_assert_ok(det_image_create(width, height, &image, NULL), &(det_error){0});
    det_random random = det_random_create(5, 5);
    for (size_t i = 0; i < image.stride * (size_t)height; i++)
        image.pixels[i] = (uint8_t)(det_random_u32(&random) % 2 ? 255 : det_random_u32(&random));
    return image;
}

static void assert_close(const uint8_t *found, const uint8_t *expected, const det_crop_options *o,
                         det_box box)
{
    const int count = 3 * o->width * o->height;
    for (int i = 0; i < count; i++)
        if (abs(found[i] - expected[i]) > 1)
            fail_msg("box %g %g %g %g: pixel (%d, %d) channel %d is %d, not %d", box.x0, box.y0,
                     box.x1, box.y1, i / 3 % o->width, i / 3 / o->width, i % 3, found[i],
                     expected[i]);
}

static void assert_crops(const det_image *image, det_box box, const det_crop_options *o)
{
    const size_t size = 3 * (size_t)o->width * (size_t)o->height;
    uint8_t *found = malloc(size), *expected = malloc(size);
    assert_true(found && expected);
    assert_int_equal(det_crop(image, box, o, found), DET_OK);
    det_crop_reference(image, box, o, expected);
    assert_close(found, expected, o, box);
    free(found);
    free(expected);
}

static const det_crop_options usual = {64, 56, 16, {104, 117, 123}};

static void a_box_of_the_crops_own_size_is_copied(void **state)
{
    (void)state;
    det_image image = noise(40, 30);
    const det_crop_options options = {8, 6, 0, {0}};
    uint8_t pixels[8 * 6 * 3];
    assert_int_equal(det_crop(&image, (det_box){5, 7, 13, 13}, &options, pixels), DET_OK);
    for (int y = 0; y < 6; y++)
        assert_memory_equal(pixels + y * 24, image.pixels + (size_t)(7 + y) * image.stride + 15,
                            24);
    det_image_free(&image);
}

/* A picture of 0 | 100, warped to four columns: samples at -.25, .25, .75, 1.25. The first fades a
 * quarter into 40, the last likewise. */
static void edges_fade_into_the_colour_outside(void **state)
{
    (void)state;
    uint8_t two[6] = {0, 0, 0, 100, 100, 100}, pixels[4 * 3];
    const det_image image = {2, 1, 6, two};
    const det_crop_options options = {4, 1, 0, {40, 40, 40}};
    assert_int_equal(det_crop(&image, (det_box){0, 0, 2, 1}, &options, pixels), DET_OK);
    static const uint8_t expected[] = {10, 25, 75, 85};
    for (int x = 0; x < 4; x++) assert_int_equal(pixels[3 * x], expected[x]);
}

/* With 16 of 48 pixels of context on each side, a box of 32 pixels shows one picture pixel each. */
static void context_shows_the_surroundings_at_the_same_scale(void **state)
{
    (void)state;
    det_image image = noise(80, 80);
    const det_crop_options options = {64, 64, 16, {0}};
    uint8_t pixels[64 * 64 * 3];
    assert_int_equal(det_crop(&image, (det_box){20, 24, 52, 56}, &options, pixels), DET_OK);
    for (int y = 0; y < 64; y++)
        assert_memory_equal(pixels + y * 192, image.pixels + (size_t)(8 + y) * image.stride + 12,
                            192);
    det_image_free(&image);
}

static void random_boxes_agree_with_the_formula(void **state)
{
    (void)state;
    det_image image = noise(90, 70);
    det_random random = det_random_create(1, 2);
    for (int i = 0; i < 60; i++) {
        det_box box;
        box.x0 = (float)(det_random_double(&random) * 110 - 20);
        box.y0 = (float)(det_random_double(&random) * 90 - 20);
        box.x1 = box.x0 + .01f + (float)det_random_double(&random) * 60;
        box.y1 = box.y0 + .01f + (float)det_random_double(&random) * 60;
        assert_crops(&image, box, &usual);
    }
    det_image_free(&image);
}

static void boxes_partly_or_wholly_outside_agree_with_the_formula(void **state)
{
    (void)state;
    static const det_box boxes[] = {
        {-30, -20, 20, 20},  {70, 60, 120, 90},    {-50, 10, -10, 30}, {200, 200, 220, 230},
        {-10, -10, 100, 80}, {10, -300, 20, -200}, {-1, -1, 0, 0},     {90, 70, 91, 71},
    };
    det_image image = noise(90, 70);
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++)
        assert_crops(&image, boxes[i], &usual);
    det_image_free(&image);
}

static void tiny_and_huge_boxes_agree_with_the_formula(void **state)
{
    (void)state;
    static const det_box boxes[] = {
        {10, 10, 10.001f, 10.001f}, {5.25f, 6.75f, 5.5f, 60}, {-1e6f, -1e6f, 1e6f, 1e6f},
        {-1e30f, 3, 1e30f, 4},      {0, 0, 90, 70},
    };
    det_image image = noise(90, 70);
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++)
        assert_crops(&image, boxes[i], &usual);
    assert_crops(&image, (det_box){-FLT_MAX, -FLT_MAX, FLT_MAX, FLT_MAX}, &usual);
    det_image_free(&image);
}

static void pictures_of_one_pixel_and_crops_of_one_pixel_work(void **state)
{
    (void)state;
    det_image one = noise(1, 1), image = noise(20, 10);
    assert_crops(&one, (det_box){0, 0, 1, 1}, &usual);
    assert_crops(&image, (det_box){2, 3, 9, 8}, &(det_crop_options){1, 1, 0, {1, 2, 3}});
    assert_crops(&image, (det_box){2, 3, 9, 8}, &(det_crop_options){33, 35, 16, {1, 2, 3}});
    det_image_free(&one);
    det_image_free(&image);
}

static void senseless_boxes_and_options_are_refused(void **state)
{
    (void)state;
    det_image image = noise(20, 10);
    uint8_t pixels[64 * 64 * 3];
    const det_box good = {2, 3, 9, 8};
    static const det_box boxes[] = {{5, 5, 5, 8},   {5, 5, 4, 8},        {5, 8, 8, 8},
                                    {NAN, 0, 5, 5}, {0, 0, INFINITY, 5}, {0, -INFINITY, 5, 5},
                                    {0, 0, 5, NAN}};
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++)
        assert_int_equal(det_crop(&image, boxes[i], &usual, pixels), DET_ARGUMENT);
    static const det_crop_options options[] = {
        {0, 5, 0, {0}}, {5, -1, 0, {0}}, {32, 64, 16, {0}}, {64, 31, 16, {0}}, {8, 8, -1, {0}}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        assert_int_equal(det_crop(&image, good, &options[i], pixels), DET_ARGUMENT);
    assert_int_equal(det_crop(&(det_image){0}, good, &usual, pixels), DET_ARGUMENT);
    det_image_free(&image);
}

#ifdef DET_FAULT_INJECTION
static void short_memory_is_an_error(void **state)
{
    (void)state;
    det_image image = noise(20, 10);
    uint8_t pixels[64 * 56 * 3];
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        det_memory_fail_at(nth);
        const det_status status = det_crop(&image, (det_box){2, 3, 9, 8}, &usual, pixels);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
    }
    det_image_free(&image);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_box_of_the_crops_own_size_is_copied),
        cmocka_unit_test(edges_fade_into_the_colour_outside),
        cmocka_unit_test(context_shows_the_surroundings_at_the_same_scale),
        cmocka_unit_test(random_boxes_agree_with_the_formula),
        cmocka_unit_test(boxes_partly_or_wholly_outside_agree_with_the_formula),
        cmocka_unit_test(tiny_and_huge_boxes_agree_with_the_formula),
        cmocka_unit_test(pictures_of_one_pixel_and_crops_of_one_pixel_work),
        cmocka_unit_test(senseless_boxes_and_options_are_refused),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(short_memory_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
