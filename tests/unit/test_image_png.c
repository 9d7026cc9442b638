/* SPDX-License-Identifier: Apache-2.0 */
/* PNG pictures of every colour type, depth and interlace. PNG is lossless, so colours are exact. */
#include "tests/unit/support_image.h"

#include <stdlib.h>
#include <string.h>

#include <png.h>

enum { width = 11, height = 9 }; /* all seven passes of an interlaced picture have pixels */

/* Sample (x, y, c) of depth bits, any pattern that uses the whole range. */
static unsigned sample(int x, int y, int c, int depth)
{
    const unsigned most = (1u << depth) - 1;
    return ((unsigned)(x * 37 + y * 101 + c * 59) * 2654435761u >> 8) & most;
}

static unsigned alpha_of(int x, int y, int depth)
{
    const unsigned most = (1u << depth) - 1;
    return x == 0 ? 0 : x == 1 ? most : sample(x, y, 3, depth);
}

/* Rows as PNG packs them: the first sample in the highest bits, 16 bits with the high byte first.
 */
static void pack_rows(int channels, int depth, uint8_t *rows, size_t row_bytes)
{
    memset(rows, 0, row_bytes * height);
    for (int y = 0; y < height; y++)
        for (int i = 0; i < width * channels; i++) {
            const int x = i / channels, c = i % channels;
            const bool alpha = channels % 2 == 0 && c == channels - 1;
            const unsigned value = alpha ? alpha_of(x, y, depth) : sample(x, y, c, depth);
            uint8_t *row = rows + (size_t)y * row_bytes;
            if (depth == 16) {
                row[2 * i] = (uint8_t)(value >> 8);
                row[2 * i + 1] = (uint8_t)value;
            } else {
                const int bit = i * depth;
                row[bit / 8] |= (uint8_t)(value << (8 - depth - bit % 8));
            }
        }
}

/* What the standard says an 8-bit sample is: value * 255 / most, rounded (section 13.12). */
static double to_8_bits(unsigned value, int depth)
{
    return (double)value * 255 / ((1u << depth) - 1);
}

static uint32_t expected_pixel(int x, int y, int channels, int depth, const test_png *how)
{
    uint32_t rgb = 0;
    const bool grey = channels <= 2;
    double alpha = channels % 2 == 0 ? alpha_of(x, y, depth) / (double)((1u << depth) - 1) : 1;
    bool is_key = how->keyed;
    for (int c = 0; c < (grey ? 1 : 3); c++)
        is_key = is_key && sample(x, y, c, depth) == (unsigned)how->key;
    if (is_key) alpha = 0;
    for (int c = 0; c < 3; c++) {
        const double value = to_8_bits(sample(x, y, grey ? 0 : c, depth), depth);
        rgb = rgb << 8 | (uint32_t)(value * alpha + 255 * (1 - alpha) + .5);
    }
    return rgb;
}

/* Alpha of 16 bits is cut to 8 before it is applied: one grey level. */
static void assert_decodes(const test_png *how, int channels)
{
    uint8_t rows[height * width * 8];
    const size_t row_bytes = (size_t)(width * channels * how->depth + 7) / 8;
    pack_rows(channels, how->depth, rows, row_bytes);
    test_bytes bytes = test_encode_png(rows, row_bytes, width, height, how);
    det_image decoded = test_decode(&bytes);
    assert_int_equal(decoded.width, width);
    assert_int_equal(decoded.height, height);
    assert_int_equal(decoded.stride, 3 * width);
    const int tolerance = channels % 2 == 0 && how->depth == 16 ? 1 : 0;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            test_assert_pixel(&decoded, x, y, expected_pixel(x, y, channels, how->depth, how),
                              tolerance);
    det_image_free(&decoded);
}

static void assert_decodes_both_ways(test_png how, int channels)
{
    assert_decodes(&how, channels);
    how.interlaced = true;
    assert_decodes(&how, channels);
}

static void grey_of_every_depth_is_stretched_to_8_bits(void **state)
{
    (void)state;
    for (int depth = 1; depth <= 16; depth *= 2)
        assert_decodes_both_ways((test_png){.color_type = PNG_COLOR_TYPE_GRAY, .depth = depth}, 1);
}

static void colour_of_8_and_16_bits_is_read(void **state)
{
    (void)state;
    for (int depth = 8; depth <= 16; depth *= 2)
        assert_decodes_both_ways((test_png){.color_type = PNG_COLOR_TYPE_RGB, .depth = depth}, 3);
}

static void alpha_is_laid_over_white(void **state)
{
    (void)state;
    for (int depth = 8; depth <= 16; depth *= 2) {
        assert_decodes_both_ways(
            (test_png){.color_type = PNG_COLOR_TYPE_GRAY_ALPHA, .depth = depth}, 2);
        assert_decodes_both_ways((test_png){.color_type = PNG_COLOR_TYPE_RGB_ALPHA, .depth = depth},
                                 4);
    }
}

static void a_transparent_colour_becomes_white(void **state)
{
    (void)state;
    for (int depth = 1; depth <= 16; depth *= 2) {
        const int key = (int)sample(3, 4, 0, depth);
        assert_decodes_both_ways(
            (test_png){
                .color_type = PNG_COLOR_TYPE_GRAY, .depth = depth, .keyed = true, .key = key},
            1);
    }
    assert_decodes_both_ways(
        (test_png){.color_type = PNG_COLOR_TYPE_RGB, .depth = 8, .keyed = true, .key = 7}, 3);
}

static void a_palette_of_every_depth_is_looked_up(void **state)
{
    (void)state;
    static const uint8_t palette[] = {10, 20, 30, 200, 100, 50}, alpha[] = {255, 51};
    for (int depth = 1; depth <= 8; depth *= 2)
        for (int interlaced = 0; interlaced < 2; interlaced++) {
            const test_png how = {.color_type = PNG_COLOR_TYPE_PALETTE,
                                  .depth = depth,
                                  .interlaced = interlaced,
                                  .palette = palette,
                                  .palette_count = 2,
                                  .alpha = alpha,
                                  .alpha_count = 2};
            /* Two pixels: entry 0, entry 1. */
            uint8_t rows[2] = {0};
            if (depth == 8)
                rows[1] = 1;
            else
                rows[0] = (uint8_t)(1 << (8 - 2 * depth));
            test_bytes bytes = test_encode_png(rows, 2, 2, 1, &how);
            det_image decoded = test_decode(&bytes);
            test_assert_pixel(&decoded, 0, 0, 0x0A141E, 0);
            /* An opacity of .2: 200 * .2 + 255 * .8 = 244, likewise 224 and 214. */
            test_assert_pixel(&decoded, 1, 0, 0xF4E0D6, 0);
            det_image_free(&decoded);
        }
}

static void a_damaged_comment_does_not_matter(void **state)
{
    (void)state;
    static const uint8_t rows[3] = {1, 2, 3};
    test_bytes bytes =
                   test_encode_png(rows, 3, 1, 1, &(test_png){.color_type = PNG_COLOR_TYPE_RGB}),
               other = {0};
    det_text_append(&other, bytes.data, 33); /* the signature and IHDR */
    det_text_append(&other, "\0\0\0\4tEXtabcdbad!", 16);
    det_text_append(&other, bytes.data + 33, bytes.length - 33);
    det_image decoded = test_decode(&other);
    test_assert_pixel(&decoded, 0, 0, 0x010203, 0);
    det_image_free(&decoded);
    det_text_free(&bytes);
}

/* Programs that make pictures keep megabytes of their settings in such chunks. */
static void a_long_comment_does_not_matter(void **state)
{
    (void)state;
    enum { length = 9 << 20 };
    static const uint8_t rows[3] = {1, 2, 3};
    test_bytes bytes =
        test_encode_png(rows, 3, 1, 1, &(test_png){.color_type = PNG_COLOR_TYPE_RGB});
    test_bytes other = {0};
    char *comment = calloc(length + 4, 1); /* its checksum too, which need not be right */
    assert_non_null(comment);
    det_text_append(&other, bytes.data, 33); /* the signature and IHDR */
    det_text_append(&other, "\0\x90\0\0tEXt", 8);
    det_text_append(&other, comment, length + 4);
    det_text_append(&other, bytes.data + 33, bytes.length - 33);
    det_image decoded = test_decode(&other);
    test_assert_pixel(&decoded, 0, 0, 0x010203, 0);
    det_image_free(&decoded);
    det_text_free(&bytes);
    free(comment);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grey_of_every_depth_is_stretched_to_8_bits),
        cmocka_unit_test(colour_of_8_and_16_bits_is_read),
        cmocka_unit_test(alpha_is_laid_over_white),
        cmocka_unit_test(a_transparent_colour_becomes_white),
        cmocka_unit_test(a_palette_of_every_depth_is_looked_up),
        cmocka_unit_test(a_damaged_comment_does_not_matter),
        cmocka_unit_test(a_long_comment_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
