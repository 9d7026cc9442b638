/* SPDX-License-Identifier: Apache-2.0 */
#include "proposals/selective_search/similarity.h"
#include "tests/unit/support.h"

#include <math.h>

static void assert_close(float value, double expected)
{
    if (fabs((double)value - expected) > 1e-4)
        fail_msg("%.6f is not %.6f", (double)value, expected);
}

/* In a picture of 10 x 10: 3 x 2 at the top left, and 2 x 2 whose box begins at (4, 1). */
static const det_blob left = {{0, 0, 3, 2}, 6, 0}, right = {{4, 1, 6, 3}, 4, 1};

static void size_is_the_share_of_the_picture_that_is_left(void **state)
{
    (void)state;
    assert_close(det_similarity(DET_SIMILARITY_SIZE, NULL, &left, &right, 100), .9);
    assert_close(det_similarity(DET_SIMILARITY_SIZE, NULL, &right, &left, 100), .9);
}

/* The box around both is 6 x 3; 10 of its 18 pixels are theirs. */
static void fill_counts_the_pixels_of_the_common_box_that_neither_has(void **state)
{
    (void)state;
    assert_close(det_similarity(DET_SIMILARITY_FILL, NULL, &left, &right, 100), .92);
    const det_blob neighbour = {{3, 0, 5, 2}, 4, 1};
    assert_close(det_similarity(DET_SIMILARITY_FILL, NULL, &left, &neighbour, 100), 1);
}

static void the_terms_are_averaged(void **state)
{
    (void)state;
    /* Of one channel: colour bins 32 with padding, 80 of texture. */
    int16_t shares[2 * 112] = {0};
    shares[0] = DET_HISTOGRAM_FULL;                         /* row 0: all in colour bin 0 */
    shares[112] = shares[112 + 5] = DET_HISTOGRAM_FULL / 2; /* row 1: half of it there */
    for (int o = 0; o < 8; o++) {
        shares[32 + 10 * o] = DET_HISTOGRAM_FULL;
        shares[112 + 32 + 10 * o + (o < 2)] = DET_HISTOGRAM_FULL; /* 6 of 8 orientations agree */
    }
    const det_histograms h = {
        .rows = 2, .channels = 1, .color_bins = 32, .bins = 112, .shares = shares};
    static const struct {
        unsigned terms;
        double expected;
    } cases[] = {
        {DET_SIMILARITY_COLOR, .5},
        {DET_SIMILARITY_TEXTURE, .75},
        {DET_SIMILARITY_COLOR | DET_SIMILARITY_TEXTURE, .625},
        {DET_SIMILARITY_TEXTURE | DET_SIMILARITY_SIZE | DET_SIMILARITY_FILL, (.75 + .9 + .92) / 3},
        {15, (.5 + .75 + .9 + .92) / 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_close(det_similarity(cases[i].terms, &h, &left, &right, 100), cases[i].expected);
}

static void pictures_of_many_pixels_do_not_overflow(void **state)
{
    (void)state;
    const det_blob a = {{0, 0, 16384, 8192}, 1 << 27, 0}, b = {{0, 8192, 16384, 16384}, 1 << 27, 1};
    assert_close(det_similarity(DET_SIMILARITY_SIZE, NULL, &a, &b, 1 << 28), 0);
    assert_close(det_similarity(DET_SIMILARITY_FILL, NULL, &a, &b, 1 << 28), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_is_the_share_of_the_picture_that_is_left),
        cmocka_unit_test(fill_counts_the_pixels_of_the_common_box_that_neither_has),
        cmocka_unit_test(the_terms_are_averaged),
        cmocka_unit_test(pictures_of_many_pixels_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
