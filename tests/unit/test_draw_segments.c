/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/draw.h"
#include "src/base/memory.h"
#include "tests/unit/support_image.h"

#include <string.h>

static det_image picture(int width, int height, const uint32_t *rgb)
{
    det_image image;
    test_assert_ok(det_image_create(width, height, &image, NULL), &(det_error){0});
    for (int i = 0; i < width * height; i++)
        for (int c = 0; c < 3; c++)
            image.pixels[(size_t)(i / width) * image.stride + (size_t)(3 * (i % width) + c)] =
                (uint8_t)(rgb[i] >> (8 * c));
    return image;
}

static void assert_drawn(const det_image *image, const det_segmentation *map, const uint32_t *rgb)
{
    det_image drawn;
    det_error error;
    test_assert_ok(det_draw_segments(image, map, &drawn, &error), &error);
    assert_true(drawn.width == image->width && drawn.height == image->height);
    for (int y = 0; y < drawn.height; y++)
        for (int x = 0; x < drawn.width; x++)
            assert_int_equal(test_pixel(&drawn, x, y), rgb[y * drawn.width + x]);
    det_image_free(&drawn);
}

/* The mean of 0x402030 and 0x604050 is 0x503040; beside the border half of it. */
static void a_segment_has_the_mean_colour_and_a_border(void **state)
{
    (void)state;
    static const uint32_t pixels[] = {0x402030, 0x604050, 0xC0C0C0, 0xE0E0E0};
    static const uint32_t expected[] = {0x503040, 0x281820, 0xD0D0D0, 0xD0D0D0};
    det_image image = picture(4, 1, pixels);
    const det_segmentation map = {4, 1, 2, (int32_t[]){0, 0, 1, 1}};
    assert_drawn(&image, &map, expected);
    det_image_free(&image);
}

/* 40 and above is not nearly black; 39 is: 39 / 2 + 50 = 69. */
static void borders_of_dark_segments_are_lighter(void **state)
{
    (void)state;
    static const uint32_t pixels[] = {0x272727, 0x282828, 0xFFFFFF};
    static const uint32_t expected[] = {0x454545, 0x141414, 0xFFFFFF};
    det_image image = picture(1, 3, pixels);
    const det_segmentation map = {1, 3, 3, (int32_t[]){0, 1, 2}};
    assert_drawn(&image, &map, expected);
    det_image_free(&image);
}

/* Labels of 2 x 1 over 4 x 2 pixels, and of 4 x 2 over 2 x 1: the cell in which the centre lies. */
static void a_segmentation_of_another_size_is_stretched(void **state)
{
    (void)state;
    static const uint32_t pixels[] = {0x808080, 0x808080, 0xFFFFFF, 0xFFFFFF,
                                      0x808080, 0x808080, 0xFFFFFF, 0xFFFFFF};
    static const uint32_t expected[] = {0x808080, 0x404040, 0xFFFFFF, 0xFFFFFF,
                                        0x808080, 0x404040, 0xFFFFFF, 0xFFFFFF};
    det_image image = picture(4, 2, pixels);
    const det_segmentation small = {2, 1, 2, (int32_t[]){0, 1}};
    assert_drawn(&image, &small, expected);
    det_image_free(&image);

    static const uint32_t two[] = {0x808080, 0xFFFFFF}, two_expected[] = {0x404040, 0xFFFFFF};
    image = picture(2, 1, two);
    const det_segmentation large = {4, 2, 3, (int32_t[]){0, 0, 0, 0, 0, 1, 2, 2}};
    assert_drawn(&image, &large, two_expected);
    det_image_free(&image);
}

static void one_segment_has_no_border(void **state)
{
    (void)state;
    static const uint32_t pixels[] = {0x000000, 0x020406};
    static const uint32_t expected[] = {0x010203, 0x010203};
    det_image image = picture(2, 1, pixels);
    const det_segmentation map = {1, 1, 1, (int32_t[]){0}};
    assert_drawn(&image, &map, expected);
    det_image_free(&image);
}

static void labels_and_sizes_are_checked(void **state)
{
    (void)state;
    det_error error;
    det_image drawn;
    det_image image = picture(2, 1, (uint32_t[]){0, 0});
    const det_segmentation above = {2, 1, 2, (int32_t[]){0, 2}};
    const det_segmentation below = {2, 1, 2, (int32_t[]){0, -1}};
    const det_segmentation none = {0};
    test_assert_error(det_draw_segments(&image, &above, &drawn, &error), DET_ARGUMENT, &error,
                      "label 2 at 1");
    test_assert_error(det_draw_segments(&image, &below, &drawn, &error), DET_ARGUMENT, &error,
                      "label -1 at 1");
    test_assert_error(det_draw_segments(&image, &none, &drawn, &error), DET_ARGUMENT, &error,
                      "empty segmentation");
    test_assert_error(det_draw_segments(&(det_image){0}, &above, &drawn, &error), DET_ARGUMENT,
                      &error, "empty picture");
    assert_null(drawn.pixels);
    det_image_free(&image);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
#ifdef DET_FAULT_INJECTION
    det_image image = picture(2, 1, (uint32_t[]){0, 0});
    const det_segmentation map = {1, 1, 1, (int32_t[]){0}};
    for (uint64_t nth = 1;; nth++) {
        det_image drawn;
        det_error error;
        det_memory_fail_at(nth);
        const det_status status = det_draw_segments(&image, &map, &drawn, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        det_image_free(&drawn);
        if (!failed) break;
        assert_int_equal(status, DET_MEMORY);
    }
    det_image_free(&image);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_has_the_mean_colour_and_a_border),
        cmocka_unit_test(borders_of_dark_segments_are_lighter),
        cmocka_unit_test(a_segmentation_of_another_size_is_stretched),
        cmocka_unit_test(one_segment_has_no_border),
        cmocka_unit_test(labels_and_sizes_are_checked),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
