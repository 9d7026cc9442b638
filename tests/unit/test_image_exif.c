/* SPDX-License-Identifier: Apache-2.0 */
/* EXIF orientation: read from all three formats, and bounded against hostile blocks. */
#include "src/image/decode.h"
#include "tests/unit/support_image.h"

#include <stdlib.h>
#include <string.h>

#include <png.h>

/* The stored picture is ABC over DEF. EXIF 2.3 says of each orientation where the visible picture's
 * sides are; 6 means that the first row is at the right, the first column at the top. */
static const char *const upright[9] = {
    [0] = "ABC DEF", /* no EXIF */
    [1] = "ABC DEF",  [2] = "CBA FED",  [3] = "FED CBA",  [4] = "DEF ABC",
    [5] = "AD BE CF", [6] = "DA EB FC", [7] = "FC EB DA", [8] = "CF BE AD",
};

/* Letters are squares of 8 x 8 pixels, which JPEG at quality 100 keeps within a few grey levels. */
enum { square = 8, columns = 3, rows = 2, width = columns * square, height = rows * square };

static uint32_t color_of(char letter)
{
    static const uint32_t colors[] = {0xFF0000, 0x00FF00, 0x0000FF, 0xFFFF00, 0xFF00FF, 0x808080};
    return colors[letter - 'A'];
}

static det_image letters(void)
{
    det_image image;
    test_assert_ok(det_image_create(width, height, &image, NULL), &(det_error){0});
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const uint32_t rgb = color_of((char)('A' + y / square * columns + x / square));
            uint8_t *p = image.pixels + (size_t)y * image.stride + 3 * (size_t)x;
            p[0] = (uint8_t)rgb;
            p[1] = (uint8_t)(rgb >> 8);
            p[2] = (uint8_t)(rgb >> 16);
        }
    return image;
}

/* Every pixel of the decoded picture has the colour of its letter in the text. */
static void assert_reads(det_image *image, const char *text, int tolerance)
{
    const int across = (int)strcspn(text, " "), lines = ((int)strlen(text) + 1) / (across + 1);
    assert_int_equal(image->width, across * square);
    assert_int_equal(image->height, lines * square);
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width; x++) {
            const char letter = text[y / square * (across + 1) + x / square];
            test_assert_pixel(image, x, y, color_of(letter), tolerance);
        }
    det_image_free(image);
}

static void a_jpeg_is_turned_upright(void **state)
{
    (void)state;
    det_image stored = letters();
    for (int orientation = 0; orientation <= 8; orientation++) {
        test_bytes bytes =
            test_encode_jpeg(&stored, &(test_jpeg){.inks = TEST_RGB, .orientation = orientation});
        det_image image = test_decode(&bytes);
        assert_reads(&image, upright[orientation], 3);
    }
    det_image_free(&stored);
}

static void a_png_is_turned_upright(void **state)
{
    (void)state;
    det_image stored = letters();
    uint8_t rgb[height * width * 3];
    for (size_t i = 0; i < sizeof rgb; i++) rgb[i] = stored.pixels[i / 3 * 3 + 2 - i % 3];
    for (int orientation = 0; orientation <= 8; orientation++)
        for (int after = 0; after < 2; after++) {
            const test_png how = {
                .color_type = PNG_COLOR_TYPE_RGB, .orientation = orientation, .exif_after = after};
            test_bytes bytes = test_encode_png(rgb, sizeof rgb / height, width, height, &how);
            det_image image = test_decode(&bytes);
            assert_reads(&image, upright[orientation], 0);
        }
    det_image_free(&stored);
}

static void a_webp_is_turned_upright(void **state)
{
    (void)state;
    det_image stored = letters();
    uint8_t bgra[height * width * 4];
    for (size_t i = 0; i < sizeof bgra; i++)
        bgra[i] = i % 4 == 3 ? 255 : stored.pixels[i / 4 * 3 + i % 4];
    for (int orientation = 0; orientation <= 8; orientation++) {
        const test_webp how = {.canvas_width = width,
                               .canvas_height = height,
                               .animated = orientation % 2,
                               .orientation = orientation};
        test_bytes bytes = test_wrap_webp(bgra, width, height, &how);
        det_image image = test_decode(&bytes);
        assert_reads(&image, upright[orientation], 0);
    }
    det_image_free(&stored);
}

static int orientation_of(const test_bytes *bytes)
{
    return det_exif_orientation((const uint8_t *)bytes->data, bytes->length);
}

/* The stored B is a square of its own in ABC over DEF; upright it is where the letter is. */
static void a_box_turns_with_its_picture(void **state)
{
    (void)state;
    for (int orientation = 1; orientation <= 8; orientation++) {
        const char *text = upright[orientation];
        const int across = (int)strcspn(text, " "), at = (int)(strchr(text, 'B') - text);
        const int column = at % (across + 1), row = at / (across + 1);
        const double side = square, x = column, y = row;
        double corners[4] = {side, 0, 2 * side, side};
        det_corners_orient(corners, width, height, orientation);
        const double expected[4] = {x * side, y * side, (x + 1) * side, (y + 1) * side};
        for (int i = 0; i < 4; i++) assert_true(corners[i] == expected[i]);
    }
}

static void both_byte_orders_and_both_beginnings_are_read(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        test_bytes exif = {0};
        if (i >= 2) det_text_append(&exif, "Exif\0", 6);
        test_add_exif(&exif, 3 + i, i % 2);
        assert_int_equal(orientation_of(&exif), 3 + i);
        det_text_free(&exif);
    }
}

static void senseless_orientations_mean_upright(void **state)
{
    (void)state;
    static const int senseless[] = {0, 9, 255, 65535};
    for (size_t i = 0; i < 4; i++) {
        test_bytes exif = {0};
        test_add_exif(&exif, senseless[i], true);
        assert_int_equal(orientation_of(&exif), 1);
        det_text_free(&exif);
    }
}

/* A block cut anywhere before the value's end says nothing; its own memory ends there, so that
 * AddressSanitizer sees a read beyond. */
static void a_block_that_is_cut_off_means_upright(void **state)
{
    (void)state;
    test_bytes exif = {0};
    test_add_exif(&exif, 6, false);
    const size_t end_of_value = 8 + 2 + 12 + 10;
    for (size_t size = 0; size <= exif.length; size++) {
        uint8_t *cut = malloc(size + 1); /* so that size 0 is a block too */
        assert_non_null(cut);
        memcpy(cut + 1, exif.data, size);
        assert_int_equal(det_exif_orientation(cut + 1, size), size >= end_of_value ? 6 : 1);
        free(cut);
    }
    det_text_free(&exif);
}

static void a_directory_beyond_the_block_means_upright(void **state)
{
    (void)state;
    static const uint8_t beyond[][8] = {
        {'I', 'I', 42, 0, 0xFF, 0xFF, 0xFF, 0xFF},
        {'M', 'M', 0, 42, 0x7F, 0xFF, 0xFF, 0xFF},
        {'I', 'I', 42, 0, 8, 0, 0, 0},
        {'I', 'I', 42, 0, 7, 0, 0, 0},
        {'I', 'M', 42, 0, 0, 0, 0, 0},
        {'I', 'I', 43, 0, 0, 0, 0, 0},
    };
    for (size_t i = 0; i < 6; i++) assert_int_equal(det_exif_orientation(beyond[i], 8), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_jpeg_is_turned_upright),
        cmocka_unit_test(a_png_is_turned_upright),
        cmocka_unit_test(a_webp_is_turned_upright),
        cmocka_unit_test(a_box_turns_with_its_picture),
        cmocka_unit_test(both_byte_orders_and_both_beginnings_are_read),
        cmocka_unit_test(senseless_orientations_mean_upright),
        cmocka_unit_test(a_block_that_is_cut_off_means_upright),
        cmocka_unit_test(a_directory_beyond_the_block_means_upright),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
