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
        cmocka_unit_test(senseless_sizes_are_refused),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(short_memory_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
