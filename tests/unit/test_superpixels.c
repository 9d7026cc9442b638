/* SPDX-License-Identifier: Apache-2.0 */
/* The segments that a selective search begins with, for whoever wants to see them. */
#include "detect/proposals.h"
#include "src/base/memory.h"
#include "tests/unit/support_image.h"

#include <string.h>

/* Four quarters, each of one colour. */
static det_image quarters(int width, int height)
{
    static const uint8_t colors[4][3] = {{0, 0, 255}, {0, 255, 0}, {255, 0, 0}, {128, 128, 128}};
    det_image image;
    test_assert_ok(det_image_create(width, height, &image, NULL), &(det_error){0});
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            memcpy(image.pixels + (size_t)y * image.stride + 3 * (size_t)x,
                   colors[(y >= height / 2) * 2 + (x >= width / 2)], 3);
    return image;
}

static det_segmentation segment(const det_image *image, const det_selective_search_options *options)
{
    det_segmentation s;
    det_error error;
    test_assert_ok(det_selective_search_segment(image, options, NULL, &s, &error), &error);
    return s;
}

static bool equal(const det_segmentation *a, const det_segmentation *b)
{
    return a->width == b->width && a->height == b->height && a->count == b->count &&
           memcmp(a->labels, b->labels, (size_t)a->width * (size_t)a->height * sizeof *a->labels) ==
               0;
}

/* At 80 x 60 without resizing and next to no blur. */
static void four_quarters_are_four_segments_numbered_by_their_first_pixels(void **state)
{
    (void)state;
    det_image image = quarters(80, 60);
    const det_selective_search_options options = {.width_px = -1, .sigma_px = .1};
    det_segmentation s = segment(&image, &options);
    assert_true(s.width == 80 && s.height == 60 && s.count == 4);
    for (int y = 0; y < 60; y++)
        for (int x = 0; x < 80; x++)
            assert_int_equal(s.labels[y * 80 + x], (y >= 30) * 2 + (x >= 40));
    det_segmentation_free(&s);
    assert_null(s.labels);
    det_image_free(&image);
}

static void they_are_those_that_the_search_counts(void **state)
{
    (void)state;
    det_image image = test_picture(300, 200);
    det_selective_search_options options;
    det_selective_search_report report;
    det_region *regions;
    size_t count;
    assert_int_equal(det_selective_search_preset("single", &options, NULL), DET_OK);
    options.report = &report;
    assert_int_equal(det_selective_search(&image, &options, NULL, &regions, &count, NULL), DET_OK);
    det_segmentation s = segment(&image, &options);
    assert_int_equal(s.count, report.segments);
    assert_true(s.width == report.width && s.height == report.height);
    det_segmentation_free(&s);
    det_regions_free(regions);
    det_image_free(&image);
}

static void they_are_of_the_first_colour_space_and_the_first_k(void **state)
{
    (void)state;
    det_image image = test_picture(200, 150);
    det_segmentation many =
        segment(&image, &(det_selective_search_options){
                            .color_spaces = {DET_COLOR_RGB, DET_COLOR_H}, .k = {150, 40, 300}});
    det_segmentation one = segment(
        &image, &(det_selective_search_options){.color_spaces = {DET_COLOR_RGB}, .k = {150}});
    assert_true(equal(&many, &one));
    det_segmentation_free(&many);
    det_segmentation_free(&one);
    det_image_free(&image);
}

static void larger_superpixels_are_fewer(void **state)
{
    (void)state;
    det_image image = test_picture(200, 150);
    det_segmentation fine =
        segment(&image, &(det_selective_search_options){.superpixel_scale = .5});
    det_segmentation coarse =
        segment(&image, &(det_selective_search_options){.superpixel_scale = 4});
    assert_true(coarse.count < fine.count);
    det_segmentation_free(&fine);
    det_segmentation_free(&coarse);
    det_image_free(&image);
}

static void every_label_is_one_of_the_segments(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1}, {1, 300}, {300, 1}, {7, 700}, {97, 61}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        det_image image = test_picture(sizes[i][0], sizes[i][1]);
        det_segmentation s = segment(&image, NULL);
        int32_t next = 0;
        for (size_t p = 0; p < (size_t)s.width * (size_t)s.height; p++) {
            assert_in_range(s.labels[p], 0, next);
            next += s.labels[p] == next;
        }
        assert_int_equal(next, s.count);
        det_segmentation_free(&s);
        det_image_free(&image);
    }
}

static bool stop(void *context, uint64_t done, uint64_t total)
{
    (void)context, (void)done, (void)total;
    return false;
}

static void what_a_search_refuses_is_refused(void **state)
{
    (void)state;
    det_segmentation s;
    det_error error;
    const det_image empty = {0};
    test_assert_error(det_selective_search_segment(&empty, NULL, NULL, &s, &error), DET_ARGUMENT,
                      &error, "empty");
    det_image image = test_picture(20, 20);
    const det_selective_search_options bad = {.sigma_px = -1};
    test_assert_error(det_selective_search_segment(&image, &bad, NULL, &s, &error), DET_ARGUMENT,
                      &error, "sigma_px is -1");
    const det_run run = {.progress = stop};
    assert_int_equal(det_selective_search_segment(&image, NULL, &run, &s, &error), DET_CANCELLED);
    assert_true(!s.labels && s.count == 0);
    det_segmentation_free(&s);
    det_segmentation_free(NULL);
    det_image_free(&image);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
#ifdef DET_FAULT_INJECTION
    det_image image = test_picture(40, 30);
    for (uint64_t nth = 1;; nth++) {
        det_segmentation s;
        det_error error;
        det_memory_fail_at(nth);
        const det_status status = det_selective_search_segment(&image, NULL, NULL, &s, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        det_segmentation_free(&s);
        if (!failed) break;
        assert_int_equal(status, DET_MEMORY);
    }
    det_image_free(&image);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_quarters_are_four_segments_numbered_by_their_first_pixels),
        cmocka_unit_test(they_are_those_that_the_search_counts),
        cmocka_unit_test(they_are_of_the_first_colour_space_and_the_first_k),
        cmocka_unit_test(larger_superpixels_are_fewer),
        cmocka_unit_test(every_label_is_one_of_the_segments),
        cmocka_unit_test(what_a_search_refuses_is_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
