/* SPDX-License-Identifier: Apache-2.0 */
#include "proposals/selective_search/features.h"
#include "src/base/random.h"
#include "tests/unit/support.h"

#include <math.h>
#include <string.h>

static det_arena arena, scratch;

static int free_arena(void **state)
{
    (void)state;
    det_arena_free(&arena);
    det_arena_free(&scratch);
    return 0;
}

static det_codes create_codes(const det_planes *planes, det_texture texture)
{
    det_codes codes;
    det_error error;
    test_assert_ok(det_codes_create(planes, texture, &arena, &scratch, &codes, &error), &error);
    return codes;
}

static det_adjacency create_adjacency(const det_segments *segments)
{
    det_adjacency adjacency;
    det_error error;
    test_assert_ok(det_adjacency_create(segments, &arena, &adjacency, &error), &error);
    return adjacency;
}

static det_histograms create_histograms(const det_codes *codes, const det_segments *segments)
{
    det_adjacency adjacency = create_adjacency(segments);
    det_histograms histograms;
    det_error error;
    test_assert_ok(
        det_histograms_create(codes, segments, adjacency.blobs, &arena, &histograms, &error),
        &error);
    return histograms;
}

static void colours_fall_into_25_equal_bins(void **state)
{
    (void)state;
    uint8_t values[] = {0, 10, 11, 245, 246, 255}; /* a bin is 10.24 wide */
    static const uint8_t expected[] = {0, 0, 1, 23, 24, 24};
    det_codes codes = create_codes(&(det_planes){6, 1, 1, 3, values}, DET_TEXTURE_PAPER);
    for (int i = 0; i < 6; i++) assert_int_equal(codes.values[5 * i], expected[i]);

    uint8_t three[] = {0, 128, 255};
    codes = create_codes(&(det_planes){1, 1, 3, 1, three}, DET_TEXTURE_PAPER);
    assert_memory_equal(codes.values, ((const uint8_t[]){0, 25 + 12, 50 + 24}), 3);
}

/* Codes of the axes at 0, 45, 90 and 135 degrees of the middle of a picture of 13 x 13 pixels,
 * which is out of reach of its borders. */
static void assert_middle(const uint8_t *values, det_texture texture, const uint8_t *expected)
{
    enum { side = 13, middle = side * side / 2 };
    uint8_t copy[side * side];
    memcpy(copy, values, sizeof copy);
    det_codes codes = create_codes(&(det_planes){side, side, 1, 3, copy}, texture);
    assert_memory_equal(codes.values + 5 * middle + 1, expected, 4);
}

/* The derivative of a ramp is its slope, here 20 grey levels; a tenth of the range is 255 * .3989 /
 * 10 = 10.17 (.43: 10.97). 20 along the axis is bin 1; 14.1 along the diagonals as well; the axis
 * at 135 degrees points to the left, so that a ramp to the right falls on its other side (10 + 1).
 */
static void a_ramp_has_the_bins_of_its_slope(void **state)
{
    (void)state;
    enum { side = 13 };
    uint8_t right[side * side], left[side * side], down[side * side], steep[side * side];
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            right[y * side + x] = (uint8_t)(20 * x);
            left[y * side + x] = (uint8_t)(20 * (side - 1 - x));
            down[y * side + x] = (uint8_t)(20 * y);
            steep[y * side + x] = (uint8_t)(10 * (x + y));
        }
    assert_middle(right, DET_TEXTURE_PAPER, (const uint8_t[]){1, 20 + 1, 40, 60 + 11});
    assert_middle(left, DET_TEXTURE_PAPER, (const uint8_t[]){11, 20 + 11, 40, 60 + 1});
    assert_middle(down, DET_TEXTURE_PAPER, (const uint8_t[]){0, 20 + 1, 40 + 1, 60 + 1});
    /* (10, 10): 10 and 14.1, 0 across. */
    assert_middle(steep, DET_TEXTURE_PAPER, (const uint8_t[]){0, 20 + 1, 40, 60});
    assert_middle(right, DET_TEXTURE_CODE, (const uint8_t[]){1, 20 + 1, 40, 60 + 11});
}

static void an_edge_from_black_to_white_reaches_the_last_bins(void **state)
{
    (void)state;
    enum { side = 13 };
    uint8_t step[side * side];
    for (int i = 0; i < side * side; i++) step[i] = i % side < side / 2 ? 0 : 255;
    /* At half a pixel from the edge .360 of .399, 9.02 tenths; across, 9.02 / sqrt(2) = 6.4. */
    assert_middle(step, DET_TEXTURE_PAPER, (const uint8_t[]){9, 20 + 6, 40, 60 + 16});
}

static void the_authors_code_takes_the_texture_of_the_first_channel(void **state)
{
    (void)state;
    enum { side = 13, pixels = side * side, middle = pixels / 2 };
    uint8_t values[3 * pixels] = {0};
    for (int i = 0; i < pixels; i++) values[i] = (uint8_t)(20 * (i % side));
    const det_planes planes = {side, side, 3, 1, values};
    det_codes paper = create_codes(&planes, DET_TEXTURE_PAPER);
    det_codes code = create_codes(&planes, DET_TEXTURE_CODE);
    for (int c = 0; c < 3; c++) {
        const uint8_t first = (uint8_t)(80 * c);
        const uint8_t *of_paper = paper.values + 15 * middle + 3 + 4 * c;
        const uint8_t *of_code = code.values + 15 * middle + 3 + 4 * c;
        assert_int_equal(of_paper[0], first + (c == 0));
        assert_int_equal(of_code[0], first + 1);
    }
}

/* Two pixels of 10 and 200 in one segment, one of 10 in another; all flat enough for bin 0. */
static void a_histogram_counts_the_pixels_of_its_segment(void **state)
{
    (void)state;
    uint8_t codes[] = {0, 0, 20, 40, 60, /**/ 19, 1, 31, 40, 60, /**/ 0, 0, 20, 40, 60};
    int32_t labels[] = {0, 0, 1};
    det_histograms h = create_histograms(&(det_codes){1, codes}, &(det_segments){3, 1, 2, labels});
    assert_int_equal(h.color_bins, 32);
    assert_int_equal(h.bins, 112);
    assert_int_equal(h.counts[0], 1);
    assert_int_equal(h.counts[19], 1);
    assert_int_equal(h.shares[0], 16384); /* half of 32767, rounded */
    const int32_t *texture = h.counts + 32;
    assert_int_equal(texture[0], 1); /* at 0 degrees one is in bin 0 and one in bin 1 */
    assert_int_equal(texture[1], 1);
    assert_int_equal(texture[10], 2); /* at 180 degrees both are in bin 0 */
    assert_int_equal(texture[20], 2);
    assert_int_equal(texture[30], 1);
    assert_int_equal(texture[31], 1);
    assert_int_equal(h.counts[112], 1); /* the other segment */
    assert_int_equal(h.shares[112], DET_HISTOGRAM_FULL);

    assert_true(fabsf(det_histograms_color(&h, 0, 1) - .5f) < 1e-4f);
    /* Of 8 orientations two agree in half of their pixels, the others in all. */
    assert_true(fabsf(det_histograms_texture(&h, 0, 1) - 7 / 8.f) < 1e-4f);
    assert_true(fabsf(det_histograms_color(&h, 1, 1) - 1) < 1e-6f);
    assert_true(fabsf(det_histograms_texture(&h, 1, 1) - 1) < 1e-6f);
}

static void draw(det_random *random, det_planes *planes, int segments, int32_t *labels)
{
    const int pixels = planes->width * planes->height;
    for (int i = 0; i < pixels * planes->channels; i++)
        planes->values[i] = (uint8_t)det_random_below(random, 256);
    for (int i = 0; i < pixels; i++)
        labels[i] = i < segments ? i : (int32_t)det_random_below(random, (uint32_t)segments);
}

static void merging_equals_counting_the_merged_pixels(void **state)
{
    (void)state;
    enum { side = 16 };
    uint8_t values[3 * side * side];
    int32_t labels[side * side];
    det_random random = det_random_create(11, 0);
    for (int round = 0; round < 12; round++) {
        det_planes planes = {side, side, 1 + round % 3, 1, values};
        det_segments segments = {side, side, 6, labels};
        draw(&random, &planes, segments.count, labels);
        det_codes codes = create_codes(&planes, round % 2 ? DET_TEXTURE_CODE : DET_TEXTURE_PAPER);
        det_adjacency adjacency = create_adjacency(&segments);
        det_histograms merged = create_histograms(&codes, &segments);
        int32_t size = adjacency.blobs[1].size + adjacency.blobs[4].size;
        det_histograms_merge(&merged, 1, 4, size);
        size += adjacency.blobs[5].size;
        det_histograms_merge(&merged, 1, 5, size);

        for (int i = 0; i < side * side; i++)
            if (labels[i] > 3) labels[i] = 1;
        segments.count = 4;
        det_histograms counted = create_histograms(&codes, &segments);
        const size_t cells = 4 * (size_t)counted.bins;
        assert_memory_equal(merged.counts, counted.counts, cells * sizeof *counted.counts);
        assert_memory_equal(merged.shares, counted.shares, cells * sizeof *counted.shares);
    }
}

static void every_channel_and_orientation_sums_to_the_size(void **state)
{
    (void)state;
    enum { side = 16 };
    uint8_t values[3 * side * side];
    int32_t labels[side * side];
    det_random random = det_random_create(12, 0);
    det_planes planes = {side, side, 3, 1, values};
    det_segments segments = {side, side, 5, labels};
    draw(&random, &planes, segments.count, labels);
    det_codes codes = create_codes(&planes, DET_TEXTURE_PAPER);
    det_adjacency adjacency = create_adjacency(&segments);
    det_histograms h = create_histograms(&codes, &segments);
    for (int row = 0; row < 5; row++) {
        const int32_t *counts = h.counts + row * h.bins, size = adjacency.blobs[row].size;
        for (int c = 0; c < 3; c++) {
            int32_t sum = 0;
            for (int b = 0; b < 25; b++) sum += counts[25 * c + b];
            assert_int_equal(sum, size);
        }
        for (int o = 0; o < 24; o++) {
            int32_t sum = 0;
            for (int b = 0; b < 10; b++) sum += counts[h.color_bins + 10 * o + b];
            assert_int_equal(sum, size);
            assert_true(counts[h.color_bins + 10 * o] >= 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colours_fall_into_25_equal_bins),
        cmocka_unit_test(a_ramp_has_the_bins_of_its_slope),
        cmocka_unit_test(an_edge_from_black_to_white_reaches_the_last_bins),
        cmocka_unit_test(the_authors_code_takes_the_texture_of_the_first_channel),
        cmocka_unit_test(a_histogram_counts_the_pixels_of_its_segment),
        cmocka_unit_test(merging_equals_counting_the_merged_pixels),
        cmocka_unit_test(every_channel_and_orientation_sums_to_the_size),
    };
    return cmocka_run_group_tests(tests, NULL, free_arena);
}
