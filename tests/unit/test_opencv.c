/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/random.h"
#include "src/image/opencv.h"
#include "tests/unit/support_image.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef det_status conversion(const uint8_t *in, size_t in_stride, uint8_t *out, size_t out_stride,
                              int width, int rows, det_error *error);

static void assert_converts(conversion *convert, const uint8_t bgr[3], const uint8_t expected[3])
{
    uint8_t out[3] = {0};
    det_error error = {0};
    test_assert_ok(convert(bgr, 3, out, 3, 1, 1, &error), &error);
    assert_memory_equal(out, expected, 3);
}

/* H in units of 360 / 256 degrees: green is 120 degrees, 85; blue 170. */
static void hue_runs_over_all_of_0_to_255(void **state)
{
    (void)state;
    static const uint8_t bgr[][3] = {{0, 0, 255}, {0, 255, 0}, {255, 0, 0}, {128, 128, 128}};
    static const uint8_t hsv[][3] = {{0, 255, 255}, {85, 255, 255}, {171, 255, 255}, {0, 0, 128}};
    for (int i = 0; i < 4; i++) assert_converts(det_cv_bgr_to_hsv, bgr[i], hsv[i]);
}

/* L* = 53.24, a* = 80.09, b* = 67.20 of sRGB's red; stored as L* 255 / 100, a* + 128, b* + 128. */
static void lab_is_stored_in_8_bits(void **state)
{
    (void)state;
    static const uint8_t bgr[][3] = {{255, 255, 255}, {0, 0, 0}, {0, 0, 255}};
    static const uint8_t lab[][3] = {{255, 128, 128}, {0, 128, 128}, {136, 208, 195}};
    for (int i = 0; i < 3; i++) assert_converts(det_cv_bgr_to_lab, bgr[i], lab[i]);
}

/* Rows of a large picture are converted in strips; each must equal the row converted alone. */
static void every_row_of_a_large_picture_is_converted(void **state)
{
    (void)state;
    det_image picture = test_picture(1000, 301), out;
    det_error error = {0};
    uint8_t row[3000];
    test_assert_ok(det_image_create(1001, 301, &out, &error), &error);
    test_assert_ok(det_cv_bgr_to_hsv(picture.pixels, picture.stride, out.pixels, out.stride, 1000,
                                     301, &error),
                   &error);
    for (int y = 0; y < 301; y++) {
        test_assert_ok(det_cv_bgr_to_hsv(picture.pixels + (size_t)y * picture.stride, 3000, row,
                                         3000, 1000, 1, &error),
                       &error);
        assert_memory_equal(out.pixels + (size_t)y * out.stride, row, 3000);
        assert_int_equal(out.pixels[(size_t)y * out.stride + 3000], 0); /* untouched */
    }
    det_image_free(&picture);
    det_image_free(&out);
}

static int mirrored(int i, int size)
{
    while (size > 1 && (i < 0 || i >= size)) i = i < 0 ? -i : 2 * (size - 1) - i;
    return size > 1 ? i : 0;
}

/* One pixel of the blur, straight from the definition; the kernel reaches 4 sigma. */
static double blurred(const float *in, int width, int height, int channels, double sigma, int x,
                      int y, int c)
{
    const int reach = (int)(4 * sigma + .5);
    double sum = 0, weights = 0;
    for (int j = -reach; j <= reach; j++)
        for (int i = -reach; i <= reach; i++) {
            const double w = exp(-(i * i + j * j) / (2 * sigma * sigma));
            const int at = mirrored(y + j, height) * width + mirrored(x + i, width);
            sum += w * (double)in[at * channels + c];
            weights += w;
        }
    return sum / weights;
}

static void assert_blurs(int width, int height, int channels, double sigma)
{
    const size_t count = (size_t)(width * height * channels);
    float *in = malloc(count * sizeof *in), *out = malloc(count * sizeof *out);
    assert_true(in && out);
    det_random random = det_random_create(3, 4);
    for (size_t i = 0; i < count; i++) in[i] = (float)(255 * det_random_double(&random));
    det_error error = {0};
    test_assert_ok(det_cv_gaussian_blur(in, out, width, height, channels, sigma, &error), &error);
    for (size_t i = 0; i < count; i++) {
        const int x = (int)(i / (size_t)channels) % width, y = (int)i / channels / width;
        const double expected =
            blurred(in, width, height, channels, sigma, x, y, (int)i % channels);
        assert_true(fabs((double)out[i] - expected) < 1e-3);
    }
    test_assert_ok(det_cv_gaussian_blur(in, in, width, height, channels, sigma, &error), &error);
    assert_memory_equal(in, out, count * sizeof *in);
    free(in);
    free(out);
}

static void blur_agrees_with_the_formula_in_place_too(void **state)
{
    (void)state;
    assert_blurs(31, 23, 1, .8);
    assert_blurs(17, 19, 3, 1);
    assert_blurs(9, 40, 4, 2.5);
}

static void blur_of_pictures_smaller_than_its_kernel_mirrors_again_and_again(void **state)
{
    (void)state;
    assert_blurs(1, 1, 3, 2);
    assert_blurs(2, 1, 1, 2);
    assert_blurs(3, 5, 2, 3);
}

static void senseless_sizes_are_refused_with_their_numbers(void **state)
{
    (void)state;
    uint8_t bytes[12] = {0};
    float floats[4] = {0};
    det_error error = {0};
    test_assert_error(det_cv_bgr_to_hsv(bytes, 6, bytes, 6, 0, 2, &error), DET_ARGUMENT, &error,
                      "0 x 2 pixels");
    test_assert_error(det_cv_bgr_to_lab(bytes, 6, bytes, 5, 2, 2, &error), DET_ARGUMENT, &error,
                      "rows of 6 and 5 bytes");
    test_assert_error(det_cv_gaussian_blur(floats, floats, 2, 2, 5, 1, &error), DET_ARGUMENT,
                      &error, "5 channels");
    static const double sigmas[] = {0, -1, NAN, 1e9};
    for (int i = 0; i < 4; i++)
        test_assert_error(det_cv_gaussian_blur(floats, floats, 2, 2, 1, sigmas[i], &error),
                          DET_ARGUMENT, &error, "sigma");
}

static int threads_of_this_process(void)
{
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    while (readdir(tasks)) count++;
    closedir(tasks);
    return count;
}

/* The first test, because a thread that OpenCV starts stays. */
static void no_call_starts_a_thread(void **state)
{
    (void)state;
    const int before = threads_of_this_process();
    det_image picture = test_picture(1200, 900);
    float *floats = calloc(1200 * 900, 3 * sizeof *floats);
    assert_non_null(floats);
    det_error error = {0};
    test_assert_ok(det_cv_bgr_to_hsv(picture.pixels, picture.stride, picture.pixels, picture.stride,
                                     1200, 900, &error),
                   &error);
    test_assert_ok(det_cv_bgr_to_lab(picture.pixels, picture.stride, picture.pixels, picture.stride,
                                     1200, 900, &error),
                   &error);
    test_assert_ok(det_cv_gaussian_blur(floats, floats, 1200, 900, 3, .8, &error), &error);
    assert_int_equal(threads_of_this_process(), before);
    free(floats);
    det_image_free(&picture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_call_starts_a_thread),
        cmocka_unit_test(hue_runs_over_all_of_0_to_255),
        cmocka_unit_test(lab_is_stored_in_8_bits),
        cmocka_unit_test(every_row_of_a_large_picture_is_converted),
        cmocka_unit_test(blur_agrees_with_the_formula_in_place_too),
        cmocka_unit_test(blur_of_pictures_smaller_than_its_kernel_mirrors_again_and_again),
        cmocka_unit_test(senseless_sizes_are_refused_with_their_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
