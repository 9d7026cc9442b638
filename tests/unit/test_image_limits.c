/* SPDX-License-Identifier: Apache-2.0 */
/* What a picture may cost, and what happens when memory is short. */
#include "src/base/memory.h"
#include "src/image/decode.h"
#include "tests/unit/support_image.h"

#include <string.h>

#include <png.h>

static void assert_limited(const test_bytes *bytes, const det_image_limits *limits,
                           const char *part)
{
    det_image image;
    det_error error = {0};
    test_assert_error(det_image_decode(bytes->data, bytes->length, "x", limits, &image, &error),
                      DET_LIMIT, &error, part);
    assert_null(image.pixels);
}

static test_bytes hostile_jpeg(void)
{
    det_image picture = test_picture(8, 8);
    test_bytes bytes = test_encode_jpeg(&picture, &(test_jpeg){0});
    char *frame = memmem(bytes.data, bytes.length, "\xFF\xC0\0\x11", 4);
    assert_non_null(frame);
    memset(frame + 5, 0xFF, 4);
    det_image_free(&picture);
    return bytes;
}

static void a_jpeg_of_65535_by_65535_is_refused_on_its_header(void **state)
{
    (void)state;
    test_bytes bytes = hostile_jpeg();
    assert_limited(&bytes, NULL, "65535 x 65535 pixels are more than the limit of 100000000");
    det_text_free(&bytes);
}

/* Beyond what libjpeg itself reads, whatever the caller allows. */
static void a_jpeg_of_65535_by_65535_is_refused_even_without_limit(void **state)
{
    (void)state;
    test_bytes bytes = hostile_jpeg();
    assert_limited(&bytes, &(det_image_limits){.max_pixels = UINT64_MAX}, "65500");
    det_text_free(&bytes);
}

static void a_png_of_two_billion_columns_is_refused_on_its_header(void **state)
{
    (void)state;
    test_bytes bytes = test_png_header(0x7FFFFFFF, 0x7FFFFFFF);
    assert_limited(&bytes, NULL, "2147483647 x 2147483647 pixels are more than the limit");
    det_text_free(&bytes);
}

static void an_animations_canvas_is_limited_too(void **state)
{
    (void)state;
    uint8_t bgra[4 * 4 * 4] = {0};
    const test_webp how = {.canvas_width = 16384, .canvas_height = 16384, .animated = true};
    test_bytes bytes = test_wrap_webp(bgra, 4, 4, &how);
    assert_limited(&bytes, NULL, "16384 x 16384 pixels are more than the limit of 100000000");
    det_text_free(&bytes);
}

static void the_limit_counts_pixels_and_includes_its_value(void **state)
{
    (void)state;
    static const uint8_t rows[12] = {0};
    det_image image;
    det_error error = {0};
    test_bytes bytes = test_encode_png(rows, 4, 4, 3, &(test_png){0});
    assert_limited(&bytes, &(det_image_limits){.max_pixels = 11}, "4 x 3 pixels");
    test_assert_ok(det_image_decode(bytes.data, bytes.length, "x",
                                    &(det_image_limits){.max_pixels = 12}, &image, &error),
                   &error);
    det_image_free(&image);
    det_text_free(&bytes);
}

static void large_files_are_refused_before_they_are_read(void **state)
{
    (void)state;
    static const uint8_t rows[12] = {0};
    det_image image;
    det_error error = {0};
    test_bytes bytes = test_encode_png(rows, 4, 4, 3, &(test_png){0});
    const det_image_limits limits = {.max_file_bytes = bytes.length - 1};
    assert_limited(&bytes, &limits, "bytes are more than the limit");
    test_write_file(test_path("large.png"), bytes.data, bytes.length);
    test_assert_error(det_image_read(test_path("large.png"), &limits, &image, &error), DET_LIMIT,
                      &error, "bytes are more than the limit");
    test_assert_ok(det_image_read(test_path("large.png"),
                                  &(det_image_limits){.max_file_bytes = bytes.length}, &image,
                                  &error),
                   &error);
    det_image_free(&image);
    det_text_free(&bytes);
}

/* The last scan again and again: each costs a pass over the whole picture. */
static test_bytes repeat_last_scan(int times)
{
    det_image picture = test_picture(16, 16);
    test_bytes bytes = test_encode_jpeg(&picture, &(test_jpeg){.separate = true}), repeated = {0};
    size_t scan = 0;
    for (size_t i = 0; i + 1 < bytes.length; i++)
        if (memcmp(bytes.data + i, "\xFF\xDA", 2) == 0) scan = i;
    assert_true(scan > 0);
    det_text_append(&repeated, bytes.data, scan);
    for (int i = 0; i < times; i++)
        det_text_append(&repeated, bytes.data + scan, bytes.length - 2 - scan);
    det_text_append(&repeated, "\xFF\xD9", 2);
    det_text_free(&bytes);
    det_image_free(&picture);
    return repeated;
}

static void a_jpeg_of_hundreds_of_scans_is_refused(void **state)
{
    (void)state;
    test_bytes few = repeat_last_scan(50), many = repeat_last_scan(300);
    det_image image = test_decode(&few);
    det_image_free(&image);
    assert_limited(&many, NULL, "more than 100 scans");
    det_text_free(&many);
}

static void a_size_is_told_from_the_headers_alone_without_limit(void **state)
{
    (void)state;
    int width = 0, height = 0;
    det_error error = {0};
    test_bytes png = test_png_header(0x7FFFFFFF, 3), jpeg = hostile_jpeg();
    test_write_file(test_path("a.png"), png.data, png.length);
    test_assert_ok(det_image_size(test_path("a.png"), &width, &height, &error), &error);
    assert_int_equal(width, 0x7FFFFFFF);
    assert_int_equal(height, 3);
    test_write_file(test_path("a.jpg"), jpeg.data, jpeg.length);
    test_assert_ok(det_image_size(test_path("a.jpg"), &width, &height, &error), &error);
    assert_int_equal(width, 65535);
    assert_int_equal(height, 65535);
    det_text_free(&png);
    det_text_free(&jpeg);
}

static void headers_that_are_missing_or_senseless_have_no_size(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        det_status status;
        const char *message;
    } cases[] = {
        {"", 0, DET_FORMAT, "empty"},
        {"\xFF\xD8\xFF\xD9", 4, DET_FORMAT, "no frame header in 4 bytes"},
        {"\x89PNG\r\n\x1A\n", 8, DET_FORMAT, "no header (IHDR) at byte 8"},
        {"\x89PNG\r\n\x1A\n\0\0\0\0IEND\xAE\x42\x60\x82", 20, DET_FORMAT, "no header (IHDR)"},
        {"RIFF\4\0\0\0WEBP", 12, DET_FORMAT, "corrupt"},
        {"GIF89a", 6, DET_UNSUPPORTED, "convert"},
        {"hello", 5, DET_FORMAT, "not a picture"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int width = 7, height = 7;
        det_error error = {0};
        test_write_file(test_path("bad"), cases[i].bytes, cases[i].size);
        test_assert_error(det_image_size(test_path("bad"), &width, &height, &error),
                          cases[i].status, &error, cases[i].message);
        assert_string_equal(error.file, test_path("bad"));
        assert_int_equal(width, 7);
    }
    test_bytes png = test_png_header(0, 3);
    int width, height;
    det_error error = {0};
    test_assert_error(det_image_measure(png.data, png.length, "x", &width, &height, &error),
                      DET_FORMAT, &error, "claims 0 x 3 pixels");
    test_assert_error(det_image_size(test_path("absent"), &width, &height, &error), DET_IO, &error,
                      "No such file");
    det_text_free(&png);
}

#ifdef DET_FAULT_INJECTION
/* Every allocation fails once; each time the call says so, leaves nothing, and the last succeeds.
 */
static void assert_survives_short_memory(test_bytes bytes)
{
    test_write_file(test_path("picture"), bytes.data, bytes.length);
    bool failed = true;
    uint64_t nth = 1;
    for (; failed; nth++) {
        det_image image;
        det_error error = {0};
        det_memory_fail_at(nth);
        const det_status status = det_image_read(test_path("picture"), NULL, &image, &error);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        if (failed) {
            test_assert_error(status, DET_MEMORY, &error, "out of memory");
            assert_null(image.pixels);
        } else {
            test_assert_ok(status, &error);
        }
        det_image_free(&image);
    }
    assert_true(nth > 3); /* the file's bytes, the picture, and the upright one */
    det_text_free(&bytes);
}

static void short_memory_is_an_error_at_every_allocation(void **state)
{
    (void)state;
    uint8_t bgra[4 * 5 * 5] = {0};
    det_image picture = test_picture(5, 5);
    assert_survives_short_memory(test_encode_jpeg(&picture, &(test_jpeg){.orientation = 6}));
    assert_survives_short_memory(test_encode_png(
        bgra, 20, 5, 5,
        &(test_png){.color_type = PNG_COLOR_TYPE_RGB_ALPHA, .interlaced = true, .orientation = 6}));
    const test_webp how = {8, 8, 2, 2, true, true, 6};
    assert_survives_short_memory(test_wrap_webp(bgra, 5, 5, &how));
    det_image_free(&picture);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_jpeg_of_65535_by_65535_is_refused_on_its_header),
        cmocka_unit_test(a_jpeg_of_65535_by_65535_is_refused_even_without_limit),
        cmocka_unit_test(a_png_of_two_billion_columns_is_refused_on_its_header),
        cmocka_unit_test(an_animations_canvas_is_limited_too),
        cmocka_unit_test(the_limit_counts_pixels_and_includes_its_value),
        cmocka_unit_test(large_files_are_refused_before_they_are_read),
        cmocka_unit_test(a_jpeg_of_hundreds_of_scans_is_refused),
        cmocka_unit_test(a_size_is_told_from_the_headers_alone_without_limit),
        cmocka_unit_test(headers_that_are_missing_or_senseless_have_no_size),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(short_memory_is_an_error_at_every_allocation),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
