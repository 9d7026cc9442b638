/* SPDX-License-Identifier: Apache-2.0 */
#include "proposals/selective_search/blur.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "tests/unit/support.h"

#include <math.h>

static int mirrored(int i, int size)
{
    while (size > 1 && (i < 0 || i >= size)) i = i < 0 ? -i : 2 * (size - 1) - i;
    return size > 1 ? i : 0;
}

/* One pixel of the blur, straight from the definition. */
static double blurred_pixel(const uint8_t *plane, int width, int height, double sigma, int x, int y)
{
    const int reach = (int)ceil(3 * sigma);
    double sum = 0, weights = 0;
    for (int j = -reach; j <= reach; j++)
        for (int i = -reach; i <= reach; i++) {
            const double w = exp(-(i * i + j * j) / (2 * sigma * sigma));
            sum += w * plane[mirrored(y + j, height) * width + mirrored(x + i, width)];
            weights += w;
        }
    return sum / weights;
}

static void assert_blurs(int width, int height, double sigma)
{
    const size_t count = (size_t)width * (size_t)height;
    uint8_t *plane = det_alloc(count);
    float *out = det_alloc_array(count, sizeof *out);
    assert_true(plane && out);
    det_random random = det_random_create(3, 4);
    for (size_t i = 0; i < count; i++) plane[i] = (uint8_t)det_random_below(&random, 256);

    det_arena arena = {0};
    det_error error = {0};
    test_assert_ok(det_blur(plane, width, height, sigma, &arena, out, &error), &error);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const double expected = blurred_pixel(plane, width, height, sigma, x, y);
            if (fabs((double)out[y * width + x] - expected) > 1e-3)
                fail_msg("%dx%d, sigma %g: (%d, %d) is %g, not %g", width, height, sigma, x, y,
                         (double)out[y * width + x], expected);
        }
    det_arena_free(&arena);
    det_free(out);
    det_free(plane);
}

static void blur_agrees_with_the_formula(void **state)
{
    (void)state;
    assert_blurs(31, 23, .8);
    assert_blurs(17, 19, 1);
    assert_blurs(9, 40, 2.5);
}

static void a_picture_smaller_than_the_kernel_is_mirrored_again_and_again(void **state)
{
    (void)state;
    assert_blurs(1, 1, 2);
    assert_blurs(2, 1, 2);
    assert_blurs(1, 7, 2);
    assert_blurs(3, 5, 3);
}

static void without_a_sigma_values_stay_as_they_are(void **state)
{
    (void)state;
    const uint8_t plane[] = {0, 7, 255, 128};
    float out[4];
    det_arena arena = {0};
    test_assert_ok(det_blur(plane, 2, 2, 0, &arena, out, NULL), NULL);
    for (int i = 0; i < 4; i++) assert_true(out[i] == (float)plane[i]);
    det_arena_free(&arena);
}

static void a_uniform_picture_stays_uniform(void **state)
{
    (void)state;
    uint8_t plane[60];
    float out[60];
    for (int i = 0; i < 60; i++) plane[i] = 200;
    det_arena arena = {0};
    test_assert_ok(det_blur(plane, 10, 6, .8, &arena, out, NULL), NULL);
    for (int i = 0; i < 60; i++) assert_true(fabsf(out[i] - 200) < 1e-3f);
    det_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blur_agrees_with_the_formula),
        cmocka_unit_test(a_picture_smaller_than_the_kernel_is_mirrored_again_and_again),
        cmocka_unit_test(without_a_sigma_values_stay_as_they_are),
        cmocka_unit_test(a_uniform_picture_stays_uniform),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
