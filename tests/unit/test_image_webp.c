/* SPDX-License-Identifier: Apache-2.0 */
/* WebP pictures: still and animated, lossless and lossy, with and without alpha. */
#include "tests/unit/support_image.h"

enum { width = 22, height = 17 };

static uint8_t *add_alpha(const det_image *image, uint8_t *bgra, int transparent_column)
{
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width; x++) {
            const uint32_t rgb = test_pixel(image, x, y);
            uint8_t *p = bgra + 4 * (size_t)(y * image->width + x);
            p[0] = (uint8_t)rgb;
            p[1] = (uint8_t)(rgb >> 8);
            p[2] = (uint8_t)(rgb >> 16);
            p[3] = x == transparent_column ? 51 : 255;
        }
    return bgra;
}

/* An opacity of .2: c * .2 + 255 * .8. */
static uint32_t over_white(uint32_t rgb)
{
    uint32_t result = 0;
    for (int shift = 16; shift >= 0; shift -= 8)
        result = result << 8 | (uint32_t)((rgb >> shift & 255) * .2 + 204 + .5);
    return result;
}

static void a_lossless_picture_is_exact(void **state)
{
    (void)state;
    uint8_t bgra[4 * width * height];
    det_image picture = test_picture(width, height);
    test_bytes bytes = test_encode_webp(add_alpha(&picture, bgra, -1), width, height, true);
    det_image decoded = test_decode(&bytes);
    assert_int_equal(test_largest_difference(&picture, &decoded), 0);
    det_image_free(&decoded);
    det_image_free(&picture);
}

static void a_lossy_picture_is_close(void **state)
{
    (void)state;
    uint8_t bgra[4 * width * height];
    det_image picture = test_picture(width, height);
    test_bytes bytes = test_encode_webp(add_alpha(&picture, bgra, -1), width, height, false);
    det_image decoded = test_decode(&bytes);
    assert_true(test_largest_difference(&picture, &decoded) <= 12);
    det_image_free(&decoded);
    det_image_free(&picture);
}

static void alpha_is_laid_over_white(void **state)
{
    (void)state;
    uint8_t bgra[4 * width * height];
    det_image picture = test_picture(width, height);
    test_bytes bytes = test_encode_webp(add_alpha(&picture, bgra, 5), width, height, true);
    det_image decoded = test_decode(&bytes);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const uint32_t rgb = test_pixel(&picture, x, y);
            test_assert_pixel(&decoded, x, y, x == 5 ? over_white(rgb) : rgb, 0);
        }
    det_image_free(&decoded);
    det_image_free(&picture);
}

/* A frame of 22 x 17 at (4, 6) of a canvas of 30 x 31; the file's background colour is red. */
static void assert_first_frame(int transparent_column)
{
    uint8_t bgra[4 * width * height];
    det_image picture = test_picture(width, height);
    const test_webp how = {.canvas_width = 30,
                           .canvas_height = 31,
                           .x = 4,
                           .y = 6,
                           .animated = true,
                           .alpha = transparent_column >= 0};
    test_bytes bytes =
        test_wrap_webp(add_alpha(&picture, bgra, transparent_column), width, height, &how);
    det_image decoded = test_decode(&bytes);
    assert_int_equal(decoded.width, 30);
    assert_int_equal(decoded.height, 31);
    for (int y = 0; y < 31; y++)
        for (int x = 0; x < 30; x++) {
            const bool inside = x >= 4 && x < 4 + width && y >= 6 && y < 6 + height;
            uint32_t rgb = inside ? test_pixel(&picture, x - 4, y - 6) : 0xFFFFFF;
            if (inside && x - 4 == transparent_column) rgb = over_white(rgb);
            test_assert_pixel(&decoded, x, y, rgb, 0);
        }
    det_image_free(&decoded);
    det_image_free(&picture);
}

static void the_first_frame_lies_on_a_white_canvas(void **state)
{
    (void)state;
    assert_first_frame(-1);
    assert_first_frame(3);
}

static void bytes_after_the_container_are_ignored(void **state)
{
    (void)state;
    uint8_t bgra[4 * width * height];
    det_image picture = test_picture(width, height);
    test_bytes bytes = test_encode_webp(add_alpha(&picture, bgra, -1), width, height, true);
    det_text_add(&bytes, "rubbish");
    det_image decoded = test_decode(&bytes);
    assert_int_equal(test_largest_difference(&picture, &decoded), 0);
    det_image_free(&decoded);
    det_image_free(&picture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lossless_picture_is_exact),
        cmocka_unit_test(a_lossy_picture_is_close),
        cmocka_unit_test(alpha_is_laid_over_white),
        cmocka_unit_test(the_first_frame_lies_on_a_white_canvas),
        cmocka_unit_test(bytes_after_the_container_are_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
