/* SPDX-License-Identifier: Apache-2.0 */
/* Written pictures read back; what cannot be written leaves nothing behind. */
#include "src/base/memory.h"
#include "src/image/encode.h"
#include "tests/unit/support_image.h"

#include <stdio.h>

static det_image written_and_read(const det_image *picture, const char *path)
{
    det_image image;
    det_error error = {0};
    test_assert_ok(det_image_write(picture, path, &error), &error);
    test_assert_ok(det_image_read(path, NULL, &image, &error), &error);
    return image;
}

static void a_png_reads_back_exactly(void **state)
{
    (void)state;
    det_image picture = test_picture(33, 21);
    det_image image = written_and_read(&picture, test_path("a.PNG"));
    assert_int_equal(test_largest_difference(&picture, &image), 0);
    det_image_free(&image);
    det_image_free(&picture);
}

static void a_jpeg_reads_back_nearly(void **state)
{
    (void)state;
    static const char *const names[] = {"a.jpg", "b.jpeg", "C.JPG"};
    det_image picture = test_picture(33, 21);
    for (int i = 0; i < 3; i++) {
        det_image image = written_and_read(&picture, test_path(names[i]));
        assert_true(test_largest_difference(&picture, &image) <= 24); /* subsampled colour */
        det_image_free(&image);
    }
    FILE *file = fopen(test_path("a.jpg"), "rb");
    assert_non_null(file);
    assert_int_equal(fgetc(file), 0xFF);
    assert_int_equal(fgetc(file), 0xD8);
    fclose(file);
    det_image_free(&picture);
}

static void a_jpeg_in_memory_is_smaller_the_lower_its_quality(void **state)
{
    (void)state;
    det_image picture = test_picture(64, 48), image;
    test_bytes high = {0}, low = {0}, none = {0};
    det_error error = {0};
    test_assert_ok(det_image_encode_jpeg(&picture, 95, &high, &error), &error);
    test_assert_ok(det_image_encode_jpeg(&picture, 40, &low, &error), &error);
    assert_true(low.length < high.length);
    image = test_decode(&high);
    assert_true(test_largest_difference(&picture, &image) <= 24);
    test_assert_error(det_image_encode_jpeg(&(det_image){0}, 80, &none, &error), DET_ARGUMENT,
                      &error, "empty");
    det_text_free(&low);
    det_image_free(&image);
    det_image_free(&picture);
}

/* A view into the middle of a larger picture. */
static void rows_may_lie_apart(void **state)
{
    (void)state;
    det_image picture = test_picture(40, 30);
    const det_image view = {10, 12, picture.stride, picture.pixels + 5 * picture.stride + 21};
    det_image image = written_and_read(&view, test_path("view.png"));
    assert_int_equal(test_largest_difference(&view, &image), 0);
    det_image_free(&image);
    det_image_free(&picture);
}

static void assert_refused(const det_image *picture, const char *path, det_status status,
                           const char *part)
{
    const size_t before = test_count_files(test_folder());
    det_error error = {0};
    test_assert_error(det_image_write(picture, path, &error), status, &error, part);
    assert_string_equal(error.file, path);
    assert_int_equal(test_count_files(test_folder()), before);
}

static void other_endings_are_refused(void **state)
{
    (void)state;
    det_image picture = test_picture(3, 3);
    assert_refused(&picture, test_path("a.webp"), DET_ARGUMENT, ".png, .jpg or .jpeg");
    assert_refused(&picture, test_path("png"), DET_ARGUMENT, ".png, .jpg or .jpeg");
    det_image_free(&picture);
}

static void an_empty_picture_is_refused(void **state)
{
    (void)state;
    assert_refused(&(det_image){0}, test_path("empty.png"), DET_ARGUMENT, "empty");
}

static void a_jpeg_with_too_long_a_side_is_refused(void **state)
{
    (void)state;
    det_image picture = test_picture(65501, 1);
    assert_refused(&picture, test_path("long.jpg"), DET_ARGUMENT, "write a PNG file");
    det_image image = written_and_read(&picture, test_path("long.png"));
    assert_int_equal(image.width, 65501);
    det_image_free(&image);
    det_image_free(&picture);
}

static void a_folder_that_is_missing_is_an_error(void **state)
{
    (void)state;
    det_image picture = test_picture(3, 3);
    assert_refused(&picture, test_path("none/a.png"), DET_IO, "No such file");
    det_image_free(&picture);
}

static void a_full_disk_leaves_the_old_file(void **state)
{
    (void)state;
    det_image picture = test_picture(300, 300), small = test_picture(5, 5);
    static const char *const names[] = {"full.png", "full.jpg"};
    for (int i = 0; i < 2; i++) {
        const char *path = test_path(names[i]);
        det_image old = written_and_read(&small, path);
        test_limit_file_size(1000);
        assert_refused(&picture, path, DET_IO, "cannot write");
        test_limit_file_size(0);
        det_image image;
        det_error error = {0};
        test_assert_ok(det_image_read(path, NULL, &image, &error), &error);
        assert_int_equal(test_largest_difference(&old, &image), 0);
        det_image_free(&image);
        det_image_free(&old);
    }
    det_image_free(&small);
    det_image_free(&picture);
}

#ifdef DET_FAULT_INJECTION
static void short_memory_leaves_no_file(void **state)
{
    (void)state;
    det_image picture = test_picture(9, 9);
    static const char *const names[] = {"short.png", "short.jpg"};
    for (int i = 0; i < 2; i++) {
        bool failed = true;
        for (uint64_t nth = 1; failed; nth++) {
            const size_t before = test_count_files(test_folder());
            det_error error = {0};
            det_memory_fail_at(nth);
            const det_status status = det_image_write(&picture, test_path(names[i]), &error);
            failed = det_memory_failed();
            det_memory_fail_at(0);
            if (!failed) break;
            test_assert_error(status, DET_MEMORY, &error, "out of memory");
            assert_int_equal(test_count_files(test_folder()), before);
        }
    }
    det_image_free(&picture);
}

static void short_memory_is_told_of_a_jpeg_in_memory(void **state)
{
    (void)state;
    det_image picture = test_picture(9, 9);
    for (uint64_t nth = 1;; nth++) {
        test_bytes bytes = {0};
        det_error error = {0};
        det_memory_fail_at(nth);
        const det_status status = det_image_encode_jpeg(&picture, 80, &bytes, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        det_text_free(&bytes);
        if (!failed) break;
        test_assert_error(status, DET_MEMORY, &error, "out of memory");
    }
    det_image_free(&picture);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_png_reads_back_exactly),
        cmocka_unit_test(a_jpeg_reads_back_nearly),
        cmocka_unit_test(a_jpeg_in_memory_is_smaller_the_lower_its_quality),
        cmocka_unit_test(rows_may_lie_apart),
        cmocka_unit_test(other_endings_are_refused),
        cmocka_unit_test(an_empty_picture_is_refused),
        cmocka_unit_test(a_jpeg_with_too_long_a_side_is_refused),
        cmocka_unit_test(a_folder_that_is_missing_is_an_error),
        cmocka_unit_test(a_full_disk_leaves_the_old_file),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(short_memory_leaves_no_file),
        cmocka_unit_test(short_memory_is_told_of_a_jpeg_in_memory),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
