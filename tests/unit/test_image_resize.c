/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "src/image/resize.h"
#include "tests/unit/support_image.h"

#include <math.h>

static det_image resized(const det_image *picture, int width, int height)
{
    det_image out;
    det_error error = {0};
    test_assert_ok(det_image_resize(picture, width, height, &out, &error), &error);
    assert_int_equal(out.width, width);
    assert_int_equal(out.height, height);
    return out;
}

static det_image grey_row(const uint8_t *values, int count)
{
    det_image row;
    test_assert_ok(det_image_create(count, 1, &row, NULL), &(det_error){0});
    for (int x = 0; x < count; x++)
        for (int c = 0; c < 3; c++) row.pixels[3 * x + c] = values[x];
    return row;
}

static void assert_row(const det_image *row, const uint8_t *values)
{
    for (int x = 0; x < row->width; x++) test_assert_pixel(row, x, 0, values[x] * 0x010101u, 0);
}

/* Three pixels to two: each takes one pixel and half of the middle one, over 1.5. */
static void shrinking_averages_what_a_pixel_covers(void **state)
{
    (void)state;
    static const uint8_t values[] = {30, 60, 120}, halves[] = {40, 100}, mean[] = {70};
    det_image row = grey_row(values, 3);
    det_image two = resized(&row, 2, 1), one = resized(&row, 1, 1);
    assert_row(&two, halves);
    assert_row(&one, mean);
    det_image_free(&two);
    det_image_free(&one);
    det_image_free(&row);
}

/* Two pixels to four: centres lie at -.25, .25, .75, 1.25 of the input. */
static void growing_interpolates_and_repeats_the_edges(void **state)
{
    (void)state;
    static const uint8_t values[] = {40, 80}, grown[] = {40, 50, 70, 80};
    det_image row = grey_row(values, 2);
    det_image four = resized(&row, 4, 1);
    assert_row(&four, grown);
    det_image_free(&four);
    det_image_free(&row);
}

static void the_same_size_gives_the_same_picture(void **state)
{
    (void)state;
    det_image picture = test_picture(31, 17);
    det_image same = resized(&picture, 31, 17);
    assert_int_equal(test_largest_difference(&picture, &same), 0);
    det_image_free(&same);
    det_image_free(&picture);
}

/* Weight of input pixel x for output pixel i of one axis, straight from the definition. */
static double weight(int i, int x, int from, int to)
{
    const double scale = (double)from / to;
    if (to < from) {
        const double covered = fmin((i + 1) * scale, x + 1) - fmax(i * scale, x);
        return covered > 0 ? covered / scale : 0;
    }
    const double at = fmin(fmax((i + .5) * scale - .5, 0), from - 1);
    return fmax(0, 1 - fabs(at - x));
}

static uint32_t plain(const det_image *in, int i, int j, int width, int height)
{
    double sums[3] = {0};
    for (int y = 0; y < in->height; y++)
        for (int x = 0; x < in->width; x++) {
            const uint32_t rgb = test_pixel(in, x, y);
            const double w = weight(i, x, in->width, width) * weight(j, y, in->height, height);
            for (int c = 0; c < 3; c++) sums[c] += w * (rgb >> (8 * (2 - c)) & 255);
        }
    return (uint32_t)lround(sums[0]) << 16 | (uint32_t)lround(sums[1]) << 8 |
           (uint32_t)lround(sums[2]);
}

static void every_size_agrees_with_the_plain_sum(void **state)
{
    (void)state;
    static const int sizes[][2] = {{7, 5}, {23, 19}, {24, 18}, {47, 40}, {1, 1}, {60, 3}, {2, 90}};
    det_image picture = test_picture(24, 19);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const int width = sizes[s][0], height = sizes[s][1];
        det_image out = resized(&picture, width, height);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                test_assert_pixel(&out, x, y, plain(&picture, x, y, width, height), 1);
        det_image_free(&out);
    }
    det_image_free(&picture);
}

/* Resizes a row of greys in some way. */
static void assert_resampled(const uint8_t *values, int count, det_interpolation how,
                             const uint8_t *expected, int width)
{
    enum { most = 16 };
    det_image row = grey_row(values, count);
    uint8_t pixels[3 * most];
    assert_true(width <= most);
    assert_int_equal(det_image_resample(&row, how, width, 1, pixels), DET_OK);
    for (int i = 0; i < 3 * width; i++) assert_int_equal(pixels[i], expected[i / 3]);
    det_image_free(&row);
}

/* Of five pixels two: middles at 1.25 and 3.75; of two five: at .2, .6, 1, 1.4, 1.8. */
static void nearest_takes_the_pixel_in_which_the_middle_lies(void **state)
{
    (void)state;
    static const uint8_t five[] = {10, 20, 30, 40, 50}, two[] = {20, 40};
    static const uint8_t grown[] = {20, 20, 40, 40, 40};
    assert_resampled(five, 5, DET_INTERPOLATE_NEAREST, two, 2);
    assert_resampled(two, 2, DET_INTERPOLATE_NEAREST, grown, 5);
}

/* Middles at 1.5 - .5 = 1 and 4.5 - .5 = 4: single pixels, where the mean of three is no other. At
 * 1 of four and 2: between the first and second, and the third and fourth. */
static void bilinear_takes_two_pixels_also_where_the_picture_shrinks(void **state)
{
    (void)state;
    static const uint8_t six[] = {0, 10, 200, 0, 100, 0}, two[] = {10, 100};
    static const uint8_t four[] = {10, 20, 40, 80}, halves[] = {15, 60};
    assert_resampled(six, 6, DET_INTERPOLATE_BILINEAR, two, 2);
    assert_resampled(four, 4, DET_INTERPOLATE_BILINEAR, halves, 2);
}

/* Half way between two pixels the weights are -1/16, 9/16, 9/16, -1/16. Of eight pixels four: at
 * .5, 2.5, 4.5 and 6.5; the first has pixel 0 twice, the last pixel 7. A step
 * overshoots: (9 + 9 - 1) / 16 * 255 is cut to 255, -255 / 16 to 0. */
static void cubic_takes_four_pixels_and_is_cut_at_black_and_white(void **state)
{
    (void)state;
    static const uint8_t eight[] = {16, 32, 64, 160, 160, 80, 0, 48};
    static const uint8_t expected[] = {22, 114, 125, 19};
    assert_resampled(eight, 8, DET_INTERPOLATE_CUBIC, expected, 4);
    static const uint8_t step[] = {0, 0, 0, 0, 255, 255, 255, 255};
    static const uint8_t cut[] = {0, 0, 255, 255};
    assert_resampled(step, 8, DET_INTERPOLATE_CUBIC, cut, 4);
}

static void every_interpolation_keeps_a_picture_of_the_same_size(void **state)
{
    (void)state;
    det_image picture = test_picture(31, 17), same = test_picture(31, 17);
    for (det_interpolation how = 0; how < DET_INTERPOLATIONS; how++) {
        for (size_t i = 0; i < same.stride * 17; i++) same.pixels[i] = 0;
        assert_int_equal(det_image_resample(&picture, how, 31, 17, same.pixels), DET_OK);
        assert_int_equal(test_largest_difference(&picture, &same), 0);
    }
    det_image_free(&same);
    det_image_free(&picture);
}

/* One grey stays it, whatever is done with it: weights of every pixel add up to 1. */
static void every_interpolation_keeps_grey(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1}, {3, 2}, {20, 13}, {21, 14}, {64, 50}, {200, 3}};
    static uint8_t pixels[3 * 64 * 64];
    det_image picture = test_picture(20, 13);
    for (size_t i = 0; i < picture.stride * 13; i++) picture.pixels[i] = 77;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (det_interpolation how = 0; how < DET_INTERPOLATIONS; how++) {
            assert_int_equal(det_image_resample(&picture, how, sizes[s][0], sizes[s][1], pixels),
                             DET_OK);
            for (int i = 0; i < 3 * sizes[s][0] * sizes[s][1]; i++) assert_int_equal(pixels[i], 77);
        }
    det_image_free(&picture);
}

static void senseless_sizes_are_refused(void **state)
{
    (void)state;
    det_image picture = test_picture(4, 4), out;
    det_error error = {0};
    test_assert_error(det_image_resize(&picture, 0, 4, &out, &error), DET_ARGUMENT, &error,
                      "0 x 4");
    test_assert_error(det_image_resize(&(det_image){0}, 4, 4, &out, &error), DET_ARGUMENT, &error,
                      "empty");
    assert_null(out.pixels);
    det_image_free(&picture);
}

#ifdef DET_FAULT_INJECTION
static void short_memory_is_an_error(void **state)
{
    (void)state;
    det_image picture = test_picture(8, 8);
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        det_image out;
        det_error error = {0};
        det_memory_fail_at(nth);
        const det_status status = det_image_resize(&picture, 4, 12, &out, &error);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        assert_true((out.pixels == NULL) == failed);
        det_image_free(&out);
    }
    det_image_free(&picture);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shrinking_averages_what_a_pixel_covers),
        cmocka_unit_test(growing_interpolates_and_repeats_the_edges),
        cmocka_unit_test(the_same_size_gives_the_same_picture),
        cmocka_unit_test(every_size_agrees_with_the_plain_sum),
        cmocka_unit_test(nearest_takes_the_pixel_in_which_the_middle_lies),
        cmocka_unit_test(bilinear_takes_two_pixels_also_where_the_picture_shrinks),
        cmocka_unit_test(cubic_takes_four_pixels_and_is_cut_at_black_and_white),
        cmocka_unit_test(every_interpolation_keeps_a_picture_of_the_same_size),
        cmocka_unit_test(every_interpolation_keeps_grey),
        cmocka_unit_test(senseless_sizes_are_refused),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(short_memory_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
