/* SPDX-License-Identifier: Apache-2.0 */
/* The maximum of bytes under a window, in blocks of channels. */
#include "src/nn/kernels/byte_pool.h"

#include "tests/unit/support.h"

#include <stdlib.h>

/* (channels, height, width) in blocks, pixel values that differ by channel and place. */
static uint8_t *make_map(det_shape shape, int block)
{
    const int planes = (shape.channels + block - 1) / block, area = shape.height * shape.width;
    uint8_t *map = calloc((size_t)(planes * block * area), 1);
    assert_non_null(map);
    for (int c = 0; c < shape.channels; c++)
        for (int p = 0; p < area; p++)
            map[(c / block * area + p) * block + c % block] = (uint8_t)(37 * c + 101 * p + p * p);
    return map;
}

static int maximum(const uint8_t *map, det_shape in, int block, const det_window *w, int channel,
                   int y, int x)
{
    int most = 0;
    for (int i = 0; i < w->kernel_h; i++)
        for (int j = 0; j < w->kernel_w; j++) {
            const int row = y * w->stride_h - w->pad_h + i, column = x * w->stride_w - w->pad_w + j;
            if (row < 0 || column < 0 || row >= in.height || column >= in.width) continue;
            const int pixel = channel / block * in.height * in.width + row * in.width + column;
            const int value = map[pixel * block + channel % block];
            if (value > most) most = value;
        }
    return most;
}

static void check(int block, det_shape in, det_shape out, det_window window, int threads)
{
    uint8_t *map = make_map(in, block), *result = make_map(out, block);
    det_kernel *kernel = NULL;
    det_error error;
    test_assert_ok(det_byte_pool_create(&window, block, in, out, &kernel, &error), &error);
    kernel->run(kernel, map, result, threads);
    for (int c = 0; c < in.channels; c++)
        for (int p = 0; p < out.height * out.width; p++)
            assert_int_equal(result[(c / block * out.height * out.width + p) * block + c % block],
                             maximum(map, in, block, &window, c, p / out.width, p % out.width));
    kernel->destroy(kernel);
    free(map);
    free(result);
}

static void a_pixel_is_the_largest_byte_under_its_window(void **state)
{
    (void)state;
    for (int block = 8; block <= 16; block += 8) {
        check(block, (det_shape){32, 9, 7}, (det_shape){32, 9, 7},
              (det_window){3, 3, 1, 1, 1, 1, 1, 1}, 1);
        check(block, (det_shape){24, 8, 11}, (det_shape){24, 4, 4},
              (det_window){2, 3, 2, 3, 0, 1, 1, 1}, 1);
    }
}

static void a_window_that_hangs_over_counts_what_lies_on_the_map(void **state)
{
    (void)state;
    check(16, (det_shape){16, 6, 6}, (det_shape){16, 3, 3}, (det_window){3, 3, 2, 2, 0, 0, 1, 1},
          1);
}

static void threads_change_nothing(void **state)
{
    (void)state;
    check(16, (det_shape){80, 5, 5}, (det_shape){80, 5, 5}, (det_window){3, 3, 1, 1, 1, 1, 1, 1},
          4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pixel_is_the_largest_byte_under_its_window),
        cmocka_unit_test(a_window_that_hangs_over_counts_what_lies_on_the_map),
        cmocka_unit_test(threads_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
