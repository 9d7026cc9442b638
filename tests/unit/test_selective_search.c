/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/proposals.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/base/run.h"
#include "tests/unit/support.h"

#include <math.h>
#include <string.h>

typedef struct {
    det_region *regions;
    size_t count;
} found;

static det_image create_picture(int width, int height)
{
    det_image image;
    det_error error;
    test_assert_ok(det_image_create(width, height, &image, &error), &error);
    return image;
}

static void fill(det_image *image, int x0, int y0, int x1, int y1, uint32_t rgb)
{
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++)
            for (int c = 0; c < 3; c++)
                image->pixels[(size_t)y * image->stride + (size_t)(3 * x + c)] =
                    (uint8_t)(rgb >> (8 * c));
}

static void add_noise(det_image *image, int amplitude, uint64_t seed)
{
    det_random random = det_random_create(seed, 0);
    for (int y = 0; y < image->height; y++)
        for (int i = 0; i < 3 * image->width; i++) {
            uint8_t *value = &image->pixels[(size_t)y * image->stride + (size_t)i];
            const int noisy =
                *value + (int)det_random_below(&random, 2 * (uint32_t)amplitude + 1) - amplitude;
            *value = (uint8_t)(noisy < 0 ? 0 : noisy > 255 ? 255 : noisy);
        }
}

static const det_box objects[] = {{30, 40, 110, 150}, {150, 30, 280, 90}, {180, 120, 260, 220}};

/* Three rectangles of colour on grey, with a little noise. */
static det_image draw_objects(void)
{
    static const uint32_t colors[] = {0xd02020, 0x20b040, 0x2040d0};
    det_image image = create_picture(320, 240);
    fill(&image, 0, 0, 320, 240, 0x808080);
    for (size_t i = 0; i < 3; i++)
        fill(&image, (int)objects[i].x0, (int)objects[i].y0, (int)objects[i].x1, (int)objects[i].y1,
             colors[i]);
    add_noise(&image, 6, 1);
    return image;
}

static found search(const det_image *image, const det_selective_search_options *options,
                    int threads)
{
    found f;
    det_error error;
    const det_run run = {.threads = threads};
    test_assert_ok(det_selective_search(image, options, &run, &f.regions, &f.count, &error),
                   &error);
    return f;
}

static bool equal(const found *a, const found *b)
{
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++) {
        const det_region *p = &a->regions[i], *q = &b->regions[i];
        if (memcmp(&p->box, &q->box, sizeof p->box) != 0 || p->score != q->score ||
            p->hierarchy != q->hierarchy)
            return false;
    }
    return true;
}

static void every_object_of_a_drawn_picture_is_found(void **state)
{
    (void)state;
    det_image image = draw_objects();
    const found f = search(&image, NULL, 0);
    for (size_t o = 0; o < 3; o++) {
        double best = 0;
        for (size_t i = 0; i < f.count; i++)
            best = fmax(best, det_box_iou(f.regions[i].box, objects[o]));
        assert_true(best > .9);
    }
    det_regions_free(f.regions);
    det_image_free(&image);
}

static void the_number_of_threads_changes_nothing(void **state)
{
    (void)state;
    det_image image = draw_objects();
    const found one = search(&image, NULL, 1);
    assert_true(one.count > 10);
    for (int threads = 2; threads <= 4; threads += 2) {
        const found more = search(&image, NULL, threads);
        assert_true(equal(&one, &more));
        det_regions_free(more.regions);
    }
    det_regions_free(one.regions);
    det_image_free(&image);
}

static void another_seed_gives_the_same_boxes_in_another_order(void **state)
{
    (void)state;
    det_image image = draw_objects();
    const found a = search(&image, NULL, 0);
    const found b = search(&image, &(det_selective_search_options){.seed = 9}, 0);
    assert_int_equal(a.count, b.count);
    assert_false(equal(&a, &b));
    for (size_t i = 0; i < a.count; i++) {
        size_t j = 0;
        while (j < b.count && memcmp(&a.regions[i].box, &b.regions[j].box, sizeof(det_box)) != 0)
            j++;
        assert_true(j < b.count);
    }
    det_regions_free(a.regions);
    det_regions_free(b.regions);
    det_image_free(&image);
}

static void boxes_are_distinct_inside_the_picture_and_ranked(void **state)
{
    (void)state;
    det_image image = draw_objects();
    const found f = search(&image, NULL, 0);
    for (size_t i = 0; i < f.count; i++) {
        const det_region *r = &f.regions[i];
        assert_true(r->box.x0 >= 0 && r->box.y0 >= 0);
        assert_true(r->box.x1 <= 320 && r->box.y1 <= 240);
        assert_true(r->score > 0 && r->score <= 1);
        assert_true(i == 0 || r->score <= f.regions[i - 1].score);
        assert_true(r->hierarchy >= 0 && r->hierarchy < 8);
        assert_int_equal(r->source, DET_SOURCE_SELECTIVE_SEARCH);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(&r->box, &f.regions[j].box, sizeof(det_box));
    }
    det_regions_free(f.regions);
    det_image_free(&image);
}

/* Those that overlap a better one by more come last, with scores up to a half. */
static void near_duplicates_are_the_same_boxes_in_the_last_places(void **state)
{
    (void)state;
    det_image image = draw_objects();
    const found paper = search(&image, &(det_selective_search_options){.near_duplicate_iou = 1}, 0);
    const found f = search(&image, &(det_selective_search_options){.near_duplicate_iou = .6}, 0);
    assert_int_equal(f.count, paper.count);
    size_t first = 0;
    while (first < f.count && f.regions[first].score > .5f) first++;
    assert_true(first > 3 && first < f.count);
    for (size_t i = 0; i < first; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(det_box_iou(f.regions[i].box, f.regions[j].box) < .6001);
    for (size_t i = 0; i < paper.count; i++) assert_true(paper.regions[i].score > .5f);
    det_regions_free(paper.regions);
    det_regions_free(f.regions);
    det_image_free(&image);
}

static void small_boxes_are_left_out_and_counted(void **state)
{
    (void)state;
    det_image image = draw_objects();
    det_selective_search_report all, some;
    const found a =
        search(&image, &(det_selective_search_options){.min_side_px = -1, .report = &all}, 0);
    const found b =
        search(&image, &(det_selective_search_options){.min_side_px = 100, .report = &some}, 0);
    assert_int_equal(all.too_small, 0);
    assert_int_equal(all.found, a.count);
    assert_int_equal(all.width, 500);
    assert_int_equal(all.height, 375);
    assert_int_equal(all.hierarchies, 8);
    assert_true(some.too_small > 0);
    assert_int_equal(some.found + some.too_small, all.found);
    assert_true(b.count > 0);
    for (size_t i = 0; i < b.count; i++) { /* 100 of 500 pixels are 64 of 320 */
        assert_true(b.regions[i].box.x1 - b.regions[i].box.x0 > 63.9f);
        assert_true(b.regions[i].box.y1 - b.regions[i].box.y0 > 63.9f);
    }
    det_regions_free(a.regions);
    det_regions_free(b.regions);
    det_image_free(&image);
}

static void a_maximum_keeps_the_best(void **state)
{
    (void)state;
    det_image image = draw_objects();
    const found all = search(&image, NULL, 0);
    det_selective_search_report report;
    const found best =
        search(&image, &(det_selective_search_options){.max = 5, .report = &report}, 0);
    assert_int_equal(best.count, 5);
    assert_int_equal(report.found, all.count);
    assert_true(equal(&best, &(found){all.regions, 5}));
    det_regions_free(all.regions);
    det_regions_free(best.regions);
    det_image_free(&image);
}

static void a_uniform_picture_is_one_region(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1}, {64, 48}, {1, 200}, {200, 1}, {600, 400}};
    for (size_t i = 0; i < 5; i++) {
        const int width = sizes[i][0], height = sizes[i][1];
        det_image image = create_picture(width, height);
        fill(&image, 0, 0, width, height, 0x406080);
        const found f = search(&image, &(det_selective_search_options){.min_side_px = -1}, 0);
        assert_int_equal(f.count, 1);
        const det_box whole = {0, 0, (float)width, (float)height};
        assert_memory_equal(&f.regions[0].box, &whole, sizeof whole);
        det_regions_free(f.regions);
        det_image_free(&image);
    }
}

/* Widths of -1 too: strips of one row or column and long ones, as they are. */
static void odd_pictures_of_noise_are_searched(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1},   {2, 1},   {1, 2},   {2, 2},   {3, 3},  {1, 300},
                                   {300, 1}, {7, 700}, {700, 7}, {33, 17}, {90, 60}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int own_size = 0; own_size < 2; own_size++) {
            det_image image = create_picture(sizes[i][0], sizes[i][1]);
            fill(&image, 0, 0, image.width, image.height, 0x808080);
            add_noise(&image, 127, i);
            const found f = search(
                &image,
                &(det_selective_search_options){.min_side_px = -1, .width_px = own_size ? -1 : 100},
                2);
            assert_true(f.count >= 1);
            bool whole = false;
            for (size_t r = 0; r < f.count; r++) {
                const det_box b = f.regions[r].box;
                assert_true(b.x0 >= 0 && b.y0 >= 0 && b.x0 < b.x1 && b.y0 < b.y1);
                whole = whole || (b.x0 <= 0 && b.y0 <= 0 && b.x1 >= (float)image.width &&
                                  b.y1 >= (float)image.height);
            }
            assert_true(whole);
            det_regions_free(f.regions);
            det_image_free(&image);
        }
}

static void a_grey_picture_works_in_every_colour_space(void **state)
{
    (void)state;
    det_image image = create_picture(120, 80);
    fill(&image, 0, 0, 120, 80, 0x303030);
    fill(&image, 20, 20, 70, 60, 0xd0d0d0);
    for (unsigned space = 1; space <= DET_COLOR_H; space <<= 1) {
        const found f = search(&image, &(det_selective_search_options){.color_spaces = {space}}, 0);
        assert_true(f.count >= 1);
        det_regions_free(f.regions);
    }
    det_image_free(&image);
}

static void presets_have_the_hierarchies_of_the_paper(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int hierarchies;
    } cases[] = {{"single", 1}, {"fast", 8}, {"quality", 80}};
    det_image image = draw_objects();
    for (size_t i = 0; i < 3; i++) {
        det_selective_search_options options;
        det_selective_search_report report;
        det_error error;
        test_assert_ok(det_selective_search_preset(cases[i].name, &options, &error), &error);
        options.report = &report;
        const found f = search(&image, &options, 0);
        assert_int_equal(report.hierarchies, cases[i].hierarchies);
        det_regions_free(f.regions);
    }
    det_image_free(&image);

    det_selective_search_options options;
    det_error error;
    test_assert_error(det_selective_search_preset("best", &options, &error), DET_ARGUMENT, &error,
                      "\"best\"");
}

/* "Going deeper with convolutions", section 7: "This halves the number of proposals". */
static void superpixels_of_twice_the_area_halve_the_regions_of_photographs(void **state)
{
    (void)state;
    static const char *const names[] = {"data/fruit/train/apple_12.jpg",
                                        "data/fruit/train/banana_12.jpg",
                                        "data/fruit/train/mixed_12.jpg"};
    size_t once = 0, twice = 0;
    for (size_t i = 0; i < 3; i++) {
        det_image image;
        det_error error;
        test_assert_ok(det_image_read(test_data(names[i]), NULL, &image, &error), &error);
        const found a = search(&image, NULL, 0);
        const found b = search(&image, &(det_selective_search_options){.superpixel_scale = 2}, 0);
        once += a.count;
        twice += b.count;
        det_regions_free(a.regions);
        det_regions_free(b.regions);
        det_image_free(&image);
    }
    const double ratio = (double)twice / (double)once;
    if (ratio < .45 || ratio > .55) print_message("%zu of %zu boxes: %.3f\n", twice, once, ratio);
    assert_true(ratio >= .45 && ratio <= .55);
}

static void senseless_options_are_refused_with_their_value(void **state)
{
    (void)state;
    static const struct {
        det_selective_search_options options;
        const char *part;
    } cases[] = {
        {{.color_spaces = {DET_COLOR_HSV, 3}}, "color_spaces[1] is 3"},
        {{.similarities = {16}}, "similarities[0] is 16"},
        {{.k = {50, -1}}, "k[1] is -1"},
        {{.k = {NAN}}, "k[0] is"},
        {{.min_size_px = -5}, "min_size_px is -5"},
        {{.sigma_px = -.5}, "sigma_px is -0.5"},
        {{.superpixel_scale = -2}, "superpixel_scale is -2"},
        {{.superpixel_scale = INFINITY}, "superpixel_scale is inf"},
        {{.texture = (det_texture)7}, "texture is 7"},
        {{.near_duplicate_iou = 1.5}, "near_duplicate_iou is 1.5"},
    };
    det_image image = create_picture(8, 8);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        found f;
        det_error error;
        test_assert_error(
            det_selective_search(&image, &cases[i].options, NULL, &f.regions, &f.count, &error),
            DET_ARGUMENT, &error, cases[i].part);
        assert_null(f.regions);
        assert_int_equal(f.count, 0);
    }
    det_image_free(&image);
}

static void an_empty_picture_is_refused(void **state)
{
    (void)state;
    const det_image nothing = {0};
    found f;
    det_error error;
    test_assert_error(det_selective_search(&nothing, NULL, NULL, &f.regions, &f.count, &error),
                      DET_ARGUMENT, &error, "empty picture");
}

static bool stop_at_third(void *context, uint64_t done, uint64_t total)
{
    assert_true(done <= total);
    return ++*(int *)context < 3;
}

static void the_progress_callback_cancels(void **state)
{
    (void)state;
    det_image image = draw_objects();
    for (int threads = 1; threads <= 2; threads++) {
        int calls = 0;
        const det_run run = {
            .threads = threads, .progress = stop_at_third, .progress_context = &calls};
        found f;
        det_error error;
        test_assert_error(det_selective_search(&image, NULL, &run, &f.regions, &f.count, &error),
                          DET_CANCELLED, &error, "cancelled after");
        assert_null(f.regions);
    }
    det_image_free(&image);
}

static void a_deadline_in_the_past_cancels(void **state)
{
    (void)state;
    det_image image = create_picture(16, 16);
    const det_run run = {.deadline_s = det_now_s() - 1};
    found f;
    det_error error;
    test_assert_error(det_selective_search(&image, NULL, &run, &f.regions, &f.count, &error),
                      DET_CANCELLED, &error, "out of time");
    det_image_free(&image);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
#ifdef DET_FAULT_INJECTION
    det_image image = create_picture(40, 30);
    fill(&image, 10, 5, 30, 25, 0xff8040);
    const det_run run = {.threads = 1};
    det_status status = DET_MEMORY;
    int failures = 0;
    while (status != DET_OK) {
        found f;
        det_error error;
        det_memory_fail_at((uint64_t)failures + 1);
        status =
            det_selective_search(&image, &(det_selective_search_options){.width_px = 50, .k = {20}},
                                 &run, &f.regions, &f.count, &error);
        if (status != DET_OK) {
            assert_int_equal(status, DET_MEMORY);
            assert_null(f.regions);
            failures++;
        }
        det_regions_free(f.regions);
    }
    assert_false(det_memory_failed());
    det_memory_fail_at(0);
    assert_true(failures > 20);
    det_image_free(&image);
#else
    skip();
#endif
}

static void sources_have_names(void **state)
{
    (void)state;
    assert_string_equal(det_source_name(DET_SOURCE_SELECTIVE_SEARCH), "selective_search");
    assert_string_equal(det_source_name(DET_SOURCE_PICTURE), "picture");
    assert_string_equal(det_source_name((det_source)99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_object_of_a_drawn_picture_is_found),
        cmocka_unit_test(the_number_of_threads_changes_nothing),
        cmocka_unit_test(another_seed_gives_the_same_boxes_in_another_order),
        cmocka_unit_test(boxes_are_distinct_inside_the_picture_and_ranked),
        cmocka_unit_test(near_duplicates_are_the_same_boxes_in_the_last_places),
        cmocka_unit_test(small_boxes_are_left_out_and_counted),
        cmocka_unit_test(a_maximum_keeps_the_best),
        cmocka_unit_test(a_uniform_picture_is_one_region),
        cmocka_unit_test(odd_pictures_of_noise_are_searched),
        cmocka_unit_test(a_grey_picture_works_in_every_colour_space),
        cmocka_unit_test(presets_have_the_hierarchies_of_the_paper),
        cmocka_unit_test(superpixels_of_twice_the_area_halve_the_regions_of_photographs),
        cmocka_unit_test(senseless_options_are_refused_with_their_value),
        cmocka_unit_test(an_empty_picture_is_refused),
        cmocka_unit_test(the_progress_callback_cancels),
        cmocka_unit_test(a_deadline_in_the_past_cancels),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(sources_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
