/* SPDX-License-Identifier: Apache-2.0 */
/* What is not a picture, or none that is read, or only a part of one: refused with a reason. */
#include "tests/unit/support_image.h"

#include <stdlib.h>
#include <string.h>

#include <png.h>

static void assert_refused(const void *bytes, size_t size, det_status status, const char *part)
{
    det_image image = {1, 1, 1, NULL};
    det_error error = {0};
    test_assert_error(det_image_decode(bytes, size, "holiday.jpg", NULL, &image, &error), status,
                      &error, part);
    assert_string_equal(error.file, "holiday.jpg");
    assert_null(image.pixels);
    assert_int_equal(image.width, 0);
}

#define ASSERT_REFUSED(text, status, part) assert_refused(text, sizeof text - 1, status, part)

static void an_empty_file_is_called_empty(void **state)
{
    (void)state;
    det_image image;
    det_error error = {0};
    const char *path = test_path("empty.png");
    test_write_file(path, "", 0);
    test_assert_error(det_image_read(path, NULL, &image, &error), DET_FORMAT, &error, "is empty");
    assert_string_equal(error.file, path);
}

static void a_text_file_named_jpg_is_quoted(void **state)
{
    (void)state;
    ASSERT_REFUSED("Dear diary,\ntoday", DET_FORMAT, "not a picture: begins with \"Dear diary,\"");
    ASSERT_REFUSED("<!DOCTYPE html><html>", DET_FORMAT, "begins with \"<!DOCTYPE html>");
    ASSERT_REFUSED("x", DET_FORMAT, "begins with \"x\"");
}

static void other_bytes_are_shown_in_hexadecimal(void **state)
{
    (void)state;
    ASSERT_REFUSED("\x01\xAB\0", DET_FORMAT, "not a picture: begins with the bytes 01 AB 00;");
}

static void pictures_of_other_kinds_are_named_with_their_converter(void **state)
{
    (void)state;
    ASSERT_REFUSED("\0\0\0\x18"
                   "ftypheic\0\0\0\0",
                   DET_UNSUPPORTED, "a HEIC picture is not read; convert it first: heif-convert");
    ASSERT_REFUSED("\0\0\0\x18"
                   "ftypmif1\0\0\0\0",
                   DET_UNSUPPORTED, "HEIF");
    ASSERT_REFUSED("\0\0\0\x1C"
                   "ftypavif\0\0\0\0",
                   DET_UNSUPPORTED, "avifdec");
    ASSERT_REFUSED("\0\0\0\x1C"
                   "ftypisom\0\0\0\0",
                   DET_UNSUPPORTED, "a video");
    ASSERT_REFUSED("II*\0\x08\0\0\0", DET_UNSUPPORTED, "TIFF");
    ASSERT_REFUSED("MM\0*\0\0\0\x08", DET_UNSUPPORTED, "TIFF");
    ASSERT_REFUSED("BM\x36\0\0\0", DET_UNSUPPORTED, "a BMP picture");
    ASSERT_REFUSED("GIF89a\1\0\1\0", DET_UNSUPPORTED, "a GIF picture");
    ASSERT_REFUSED("\xFF\x0A\xFA\x7F", DET_UNSUPPORTED, "djxl");
    ASSERT_REFUSED("\0\0\0\x0CJXL \r\n\x87\n", DET_UNSUPPORTED, "JPEG XL");
    ASSERT_REFUSED("\0\0\0\x0CjP  \r\n\x87\n", DET_UNSUPPORTED, "JPEG 2000");
    ASSERT_REFUSED("%PDF-1.4\n", DET_UNSUPPORTED, "pdftoppm");
    ASSERT_REFUSED("<svg xmlns=", DET_UNSUPPORTED, "rsvg-convert");
    ASSERT_REFUSED("<?xml version=\"1.0\"?><svg>", DET_UNSUPPORTED, "SVG");
    ASSERT_REFUSED("8BPS\0\1", DET_UNSUPPORTED, "Photoshop");
    ASSERT_REFUSED("P6\n1 1\n255\n", DET_UNSUPPORTED, "PPM");
}

static test_bytes small_jpeg(const test_jpeg *how)
{
    det_image picture = test_picture(20, 13);
    test_bytes bytes = test_encode_jpeg(&picture, how);
    det_image_free(&picture);
    return bytes;
}

static test_bytes small_png(bool interlaced)
{
    uint8_t rows[8 * 7];
    for (size_t i = 0; i < sizeof rows; i++) rows[i] = (uint8_t)(i * 77);
    const test_png how = {.interlaced = interlaced, .orientation = 3};
    return test_encode_png(rows, 8, 8, 7, &how);
}

static test_bytes small_webp(bool lossless)
{
    uint8_t bgra[4 * 9 * 9];
    for (size_t i = 0; i < sizeof bgra; i++) bgra[i] = (uint8_t)(i * 77);
    return test_encode_webp(bgra, 9, 9, lossless);
}

/* The marker segment of a frame: FF, C0, length, bits, height, width, components. */
static char *frame_of(const test_bytes *bytes)
{
    char *at = memmem(bytes->data, bytes->length, "\xFF\xC0\0\x11", 4);
    assert_non_null(at);
    return at;
}

static void kinds_of_jpeg_that_are_not_read_are_named(void **state)
{
    (void)state;
    static const struct {
        int at;
        char value;
        const char *part;
    } changes[] = {
        {1, (char)0xC3, "a lossless JPEG picture is not read; convert it first: ffmpeg"},
        {1, (char)0xCB, "lossless"},
        {1, (char)0xC5, "hierarchical"},
        {1, (char)0xCF, "hierarchical"},
        {1, (char)0xF7, "JPEG-LS"},
        {4, 12, "of 12 bits is not read, only of 8; convert it first: ffmpeg"},
        {9, 2, "of 2 components"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        test_bytes bytes = small_jpeg(&(test_jpeg){0});
        frame_of(&bytes)[changes[i].at] = changes[i].value;
        assert_refused(bytes.data, bytes.length, DET_UNSUPPORTED, changes[i].part);
        det_text_free(&bytes);
    }
}

/* Every cut is refused, from memory that ends there, so that AddressSanitizer sees a read beyond.
 */
static void assert_every_cut_is_refused(test_bytes bytes)
{
    for (size_t size = 0; size < bytes.length; size++) {
        char *cut = malloc(size + 1);
        assert_non_null(cut);
        memcpy(cut + 1, bytes.data, size);
        assert_refused(cut + 1, size, DET_FORMAT, "");
        free(cut);
    }
    det_image decoded = test_decode(&bytes); /* and the whole is sound */
    det_image_free(&decoded);
}

static void a_jpeg_that_is_cut_anywhere_is_refused(void **state)
{
    (void)state;
    assert_every_cut_is_refused(small_jpeg(&(test_jpeg){.orientation = 6}));
    assert_every_cut_is_refused(small_jpeg(&(test_jpeg){.progressive = true}));
    assert_every_cut_is_refused(small_jpeg(&(test_jpeg){.arithmetic = true}));
    assert_every_cut_is_refused(small_jpeg(&(test_jpeg){.inks = TEST_YCCK}));
}

static void a_png_that_is_cut_anywhere_is_refused(void **state)
{
    (void)state;
    assert_every_cut_is_refused(small_png(false));
    assert_every_cut_is_refused(small_png(true));
}

static void a_webp_that_is_cut_anywhere_is_refused(void **state)
{
    (void)state;
    assert_every_cut_is_refused(small_webp(true));
    assert_every_cut_is_refused(small_webp(false));
    uint8_t bgra[4 * 9 * 9] = {0};
    const test_webp how = {20, 20, 4, 4, true, true, 5};
    assert_every_cut_is_refused(test_wrap_webp(bgra, 9, 9, &how));
}

static void a_cut_says_how_far_the_picture_got(void **state)
{
    (void)state;
    det_image picture = test_picture(64, 640), image;
    test_bytes bytes = test_encode_jpeg(&picture, &(test_jpeg){0});
    det_error error = {0};
    char part[64];
    snprintf(part, sizeof part, "cut off: it ends after %zu bytes", bytes.length / 2);
    test_assert_error(det_image_decode(bytes.data, bytes.length / 2, "x", NULL, &image, &error),
                      DET_FORMAT, &error, part);
    unsigned long byte, row, rows;
    assert_int_equal(sscanf(error.where, "byte %lu, row %lu of %lu", &byte, &row, &rows), 3);
    assert_int_equal(byte, bytes.length / 2);
    assert_int_equal(rows, 640);
    assert_true(row > 200 && row < 440);
    det_text_free(&bytes);
    det_image_free(&picture);
}

/* As a download that broke off and was closed properly: libjpeg would go on in grey. */
static void a_jpeg_whose_middle_is_missing_is_refused(void **state)
{
    (void)state;
    test_bytes bytes = small_jpeg(&(test_jpeg){0}), broken = {0};
    det_text_append(&broken, bytes.data, bytes.length - 100);
    det_text_append(&broken, "\xFF\xD9", 2);
    assert_refused(broken.data, broken.length, DET_FORMAT, "premature end");
    det_text_free(&broken);
    det_text_free(&bytes);
}

static void a_damaged_png_is_refused(void **state)
{
    (void)state;
    test_bytes bytes = small_png(false);
    char *data = memmem(bytes.data, bytes.length, "IDAT", 4);
    assert_non_null(data);
    data[12] ^= 0x10;
    assert_refused(bytes.data, bytes.length, DET_FORMAT, "PNG: ");
    det_text_free(&bytes);
}

/* Whatever a damaged byte does, the answer is a picture or an error, and no memory is lost. */
static void assert_no_damage_matters(test_bytes bytes)
{
    for (size_t at = 0; at < bytes.length; at++) {
        const char damage = (char)(1 << at % 8);
        det_image image;
        det_error error = {0};
        bytes.data[at] ^= damage;
        const det_status status =
            det_image_decode(bytes.data, bytes.length, "x",
                             &(det_image_limits){.max_pixels = 10000}, &image, &error);
        assert_true((status == DET_OK) == (image.pixels != NULL));
        assert_true((status == DET_OK) == (*error.message == '\0'));
        det_image_free(&image);
        bytes.data[at] ^= damage;
    }
    det_text_free(&bytes);
}

static void damage_anywhere_gives_a_picture_or_an_error(void **state)
{
    (void)state;
    assert_no_damage_matters(small_jpeg(&(test_jpeg){.orientation = 3}));
    assert_no_damage_matters(small_jpeg(&(test_jpeg){.progressive = true, .inks = TEST_YCCK}));
    assert_no_damage_matters(small_png(true));
    assert_no_damage_matters(small_webp(true));
    assert_no_damage_matters(small_webp(false));
}

static void a_missing_file_and_a_folder_say_so(void **state)
{
    (void)state;
    det_image image;
    det_error error = {0};
    test_assert_error(det_image_read(test_path("none.jpg"), NULL, &image, &error), DET_IO, &error,
                      "No such file");
    error = (det_error){0};
    test_assert_error(det_image_read(test_folder(), NULL, &image, &error), DET_IO, &error,
                      "folder");
    assert_string_equal(error.file, test_folder());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_is_called_empty),
        cmocka_unit_test(a_text_file_named_jpg_is_quoted),
        cmocka_unit_test(other_bytes_are_shown_in_hexadecimal),
        cmocka_unit_test(pictures_of_other_kinds_are_named_with_their_converter),
        cmocka_unit_test(kinds_of_jpeg_that_are_not_read_are_named),
        cmocka_unit_test(a_jpeg_that_is_cut_anywhere_is_refused),
        cmocka_unit_test(a_png_that_is_cut_anywhere_is_refused),
        cmocka_unit_test(a_webp_that_is_cut_anywhere_is_refused),
        cmocka_unit_test(a_cut_says_how_far_the_picture_got),
        cmocka_unit_test(a_jpeg_whose_middle_is_missing_is_refused),
        cmocka_unit_test(a_damaged_png_is_refused),
        cmocka_unit_test(damage_anywhere_gives_a_picture_or_an_error),
        cmocka_unit_test(a_missing_file_and_a_folder_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
