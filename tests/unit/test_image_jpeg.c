/* SPDX-License-Identifier: Apache-2.0 */
/* JPEG pictures that the tests encode themselves, in every variant. Quality 100 keeps smooth
 * pictures within a few grey levels. */
#include "tests/unit/support_image.h"

#include <string.h>

enum { width = 50, height = 37, close_enough = 4 };

static void assert_decodes(const test_jpeg *how, int tolerance)
{
    det_image picture = test_picture(width, height);
    test_bytes bytes = test_encode_jpeg(&picture, how);
    det_image decoded = test_decode(&bytes);
    const int difference = test_largest_difference(&picture, &decoded);
    if (difference > tolerance) fail_msg("differs by %d", difference);
    det_image_free(&decoded);
    det_image_free(&picture);
}

static void baseline_progressive_and_arithmetic_give_the_same_picture(void **state)
{
    (void)state;
    assert_decodes(&(test_jpeg){0}, close_enough);
    assert_decodes(&(test_jpeg){.progressive = true}, close_enough);
    assert_decodes(&(test_jpeg){.arithmetic = true}, close_enough);
    assert_decodes(&(test_jpeg){.arithmetic = true, .progressive = true}, close_enough);
}

static void restart_intervals_and_subsampled_colour_are_read(void **state)
{
    (void)state;
    assert_decodes(&(test_jpeg){.restart_interval = 2}, close_enough);
    assert_decodes(&(test_jpeg){.subsampled = true}, close_enough);
    assert_decodes(&(test_jpeg){.subsampled = true, .progressive = true, .restart_interval = 1},
                   close_enough);
}

static void rgb_without_conversion_is_read(void **state)
{
    (void)state;
    assert_decodes(&(test_jpeg){.inks = TEST_RGB}, 2);
}

static void a_grey_jpeg_becomes_three_equal_channels(void **state)
{
    (void)state;
    det_image picture = test_picture(width, height);
    test_bytes bytes = test_encode_jpeg(&picture, &(test_jpeg){.inks = TEST_GREY});
    det_image decoded = test_decode(&bytes);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const uint32_t rgb = test_pixel(&picture, x, y);
            const double grey =
                .299 * (rgb >> 16) + .587 * (rgb >> 8 & 255) + .114 * (rgb & 255); /* T.871 */
            test_assert_pixel(&decoded, x, y, (uint32_t)(grey + .5) * 0x010101, 3);
            assert_int_equal(test_pixel(&decoded, x, y) % 0x010101, 0);
        }
    det_image_free(&decoded);
    det_image_free(&picture);
}

/* C = 255 - R and K = 51 of 255, so R comes back as R (1 - .2). */
static void assert_inks(const test_jpeg *how)
{
    det_image picture = test_picture(width, height);
    test_bytes bytes = test_encode_jpeg(&picture, how);
    det_image decoded = test_decode(&bytes);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            uint32_t expected = 0;
            for (int shift = 16; shift >= 0; shift -= 8)
                expected = expected << 8 | (test_pixel(&picture, x, y) >> shift & 255) * 4 / 5;
            test_assert_pixel(&decoded, x, y, expected, close_enough);
        }
    det_image_free(&decoded);
    det_image_free(&picture);
}

static void inks_with_adobes_marker_are_inverted(void **state)
{
    (void)state;
    assert_inks(&(test_jpeg){.inks = TEST_CMYK_ADOBE});
    assert_inks(&(test_jpeg){.inks = TEST_CMYK_ADOBE, .progressive = true});
}

static void ycck_is_turned_back_into_inks(void **state)
{
    (void)state;
    assert_inks(&(test_jpeg){.inks = TEST_YCCK});
    assert_inks(&(test_jpeg){.inks = TEST_YCCK, .arithmetic = true});
}

static void inks_without_adobes_marker_are_not_inverted(void **state)
{
    (void)state;
    assert_inks(&(test_jpeg){.inks = TEST_CMYK_PLAIN});
}

static void rubbish_after_the_end_of_the_picture_is_ignored(void **state)
{
    (void)state;
    det_image picture = test_picture(width, height);
    test_bytes bytes = test_encode_jpeg(&picture, &(test_jpeg){0});
    det_text_append(&bytes, "\xFF\xD8\xFF rubbish \xFF\xDA\0\1\2", 18);
    det_image decoded = test_decode(&bytes);
    assert_true(test_largest_difference(&picture, &decoded) <= close_enough);
    det_image_free(&decoded);
    det_image_free(&picture);
}

/* Some cameras pad the pixel data before the last marker; every program reads such files. */
static void stray_bytes_before_the_last_marker_are_ignored(void **state)
{
    (void)state;
    det_image picture = test_picture(width, height);
    test_bytes bytes = test_encode_jpeg(&picture, &(test_jpeg){0}), padded = {0};
    det_text_append(&padded, bytes.data, bytes.length - 2);
    det_text_append(&padded, "\0\0\0\xFF\xD9", 5);
    det_image decoded = test_decode(&padded);
    assert_true(test_largest_difference(&picture, &decoded) <= close_enough);
    det_image_free(&decoded);
    det_image_free(&picture);
    det_text_free(&bytes);
}

static void a_picture_of_one_pixel_is_read(void **state)
{
    (void)state;
    det_image picture = test_picture(1, 1);
    test_bytes bytes = test_encode_jpeg(&picture, &(test_jpeg){.subsampled = true});
    det_image decoded = test_decode(&bytes);
    assert_int_equal(decoded.width, 1);
    assert_int_equal(decoded.height, 1);
    assert_true(test_largest_difference(&picture, &decoded) <= close_enough);
    det_image_free(&decoded);
    det_image_free(&picture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(baseline_progressive_and_arithmetic_give_the_same_picture),
        cmocka_unit_test(restart_intervals_and_subsampled_colour_are_read),
        cmocka_unit_test(rgb_without_conversion_is_read),
        cmocka_unit_test(a_grey_jpeg_becomes_three_equal_channels),
        cmocka_unit_test(inks_with_adobes_marker_are_inverted),
        cmocka_unit_test(ycck_is_turned_back_into_inks),
        cmocka_unit_test(inks_without_adobes_marker_are_not_inverted),
        cmocka_unit_test(rubbish_after_the_end_of_the_picture_is_ignored),
        cmocka_unit_test(stray_bytes_before_the_last_marker_are_ignored),
        cmocka_unit_test(a_picture_of_one_pixel_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
