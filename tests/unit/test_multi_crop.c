/* SPDX-License-Identifier: Apache-2.0 */
/* Where the crops of a whole picture lie, worked out by hand, and what they show. */
#include "src/base/memory.h"
#include "src/image/multi_crop.h"
#include "src/image/resize.h"
#include "tests/unit/support_image.h"

#include <string.h>

static det_multi_crop_options options_of(int crops)
{
    return (det_multi_crop_options){
        .crops = crops, .width = 224, .height = 224, .max_pixels = 100000000};
}

static det_multi_crop plan_of(int width, int height, const det_multi_crop_options *options)
{
    det_multi_crop plan;
    det_error error = {0};
    test_assert_ok(det_multi_crop_plan(width, height, options, &plan, &error), &error);
    return plan;
}

static void assert_view(const det_multi_crop *plan, size_t index, det_view expected)
{
    const det_view *v = &plan->views[index];
    if (v->scale != expected.scale || v->x != expected.x || v->y != expected.y ||
        v->width != expected.width || v->height != expected.height ||
        v->mirrored != expected.mirrored)
        fail_msg("crop %zu is %d: (%d, %d) %d x %d, not %d: (%d, %d) %d x %d", index, v->scale,
                 v->x, v->y, v->width, v->height, expected.scale, expected.x, expected.y,
                 expected.width, expected.height);
}

/* A crop and its mirror image. */
static void assert_pair(const det_multi_crop *plan, size_t *index, det_view expected)
{
    assert_view(plan, (*index)++, expected);
    expected.mirrored = true;
    assert_view(plan, (*index)++, expected);
}

/* A scale of 144 crops, by hand: the frame, and where its three places lie along the longer side.
 * Corners lie at 0 and frame - 224 of the frame, its centre at half of that. */
typedef struct {
    int width, height, frame, places[3];
} scale_by_hand;

static void check_144(const det_multi_crop *plan, const scale_by_hand scales[4], bool portrait)
{
    size_t index = 0;
    assert_int_equal(plan->count, 144);
    for (int s = 0; s < 4; s++) {
        const int frame = scales[s].frame, far = frame - 224;
        assert_int_equal(plan->sizes[s][0], scales[s].width);
        assert_int_equal(plan->sizes[s][1], scales[s].height);
        for (int place = 0; place < 3; place++) {
            const int x = portrait ? 0 : scales[s].places[place];
            const int y = portrait ? scales[s].places[place] : 0;
            assert_pair(plan, &index, (det_view){s, x, y, 224, 224, false});
            assert_pair(plan, &index, (det_view){s, x + far, y, 224, 224, false});
            assert_pair(plan, &index, (det_view){s, x, y + far, 224, 224, false});
            assert_pair(plan, &index, (det_view){s, x + far, y + far, 224, 224, false});
            assert_pair(plan, &index, (det_view){s, x + far / 2, y + far / 2, 224, 224, false});
            assert_pair(plan, &index, (det_view){s, x, y, frame, frame, false});
        }
    }
    assert_int_equal(index, 144);
}

/* 640 x 480: widths 341.33, 384, 426.67, 469.33; the centre place is half of what is over. */
static void all_144_crops_of_a_landscape_lie_left_centre_and_right(void **state)
{
    (void)state;
    static const scale_by_hand scales[4] = {{341, 256, 256, {0, 42, 85}},
                                            {384, 288, 288, {0, 48, 96}},
                                            {427, 320, 320, {0, 53, 107}},
                                            {469, 352, 352, {0, 58, 117}}};
    const det_multi_crop_options options = options_of(144);
    const det_multi_crop plan = plan_of(640, 480, &options);
    check_144(&plan, scales, false);
}

static void all_144_crops_of_a_portrait_lie_at_the_top_in_the_centre_and_at_the_bottom(void **state)
{
    (void)state;
    static const scale_by_hand scales[4] = {{256, 341, 256, {0, 42, 85}},
                                            {288, 384, 288, {0, 48, 96}},
                                            {320, 427, 320, {0, 53, 107}},
                                            {352, 469, 352, {0, 58, 117}}};
    const det_multi_crop_options options = options_of(144);
    const det_multi_crop plan = plan_of(480, 640, &options);
    check_144(&plan, scales, true);
}

static void the_three_places_of_a_square_are_one(void **state)
{
    (void)state;
    static const scale_by_hand scales[4] = {{256, 256, 256, {0, 0, 0}},
                                            {288, 288, 288, {0, 0, 0}},
                                            {320, 320, 320, {0, 0, 0}},
                                            {352, 352, 352, {0, 0, 0}}};
    const det_multi_crop_options options = options_of(144);
    const det_multi_crop plan = plan_of(500, 500, &options);
    check_144(&plan, scales, false);
}

/* 341 x 256: 117 columns and 32 rows are over. */
/* The crops of a frame are 12; of each scale of a square its three frames are one. */
static void of_144_crops_of_a_square_48_differ(void **state)
{
    (void)state;
    const det_multi_crop_options options = options_of(144);
    const det_multi_crop square = plan_of(300, 300, &options), wide = plan_of(400, 300, &options);
    size_t square_count = 0, wide_count = 0;
    for (size_t i = 0; i < 144; i++) {
        size_t first = 0;
        while (!det_multi_crop_equal(&square, first, i)) first++;
        square_count += first == i;
        if (first < i) assert_int_equal((i - first) % 12, 0);
        first = 0;
        while (!det_multi_crop_equal(&wide, first, i)) first++;
        wide_count += first == i;
    }
    assert_int_equal(square_count, 48);
    assert_int_equal(wide_count, 144);
}

static void ten_crops_are_corners_and_centre_of_the_picture_and_their_mirror_images(void **state)
{
    (void)state;
    const det_multi_crop_options options = options_of(10);
    const det_multi_crop plan = plan_of(640, 480, &options);
    static const int places[5][2] = {{0, 0}, {117, 0}, {0, 32}, {117, 32}, {58, 16}};
    size_t index = 0;
    for (int i = 0; i < 5; i++)
        assert_pair(&plan, &index, (det_view){0, places[i][0], places[i][1], 224, 224, false});
    assert_int_equal(plan.count, 10);
}

static void one_crop_is_the_centre(void **state)
{
    (void)state;
    const det_multi_crop_options options = options_of(1);
    const det_multi_crop plan = plan_of(640, 480, &options);
    assert_int_equal(plan.count, 1);
    assert_view(&plan, 0, (det_view){0, 58, 16, 224, 224, false});
}

static void a_picture_of_the_size_of_the_crop_can_be_the_crop(void **state)
{
    (void)state;
    det_multi_crop_options options = options_of(1);
    options.shorter_side_px = 224;
    const det_multi_crop plan = plan_of(224, 224, &options);
    assert_int_equal(plan.sizes[0][0], 224);
    assert_view(&plan, 0, (det_view){0, 0, 0, 224, 224, false});
}

/* A crop of 320 x 160 has a frame of 320 * 256 / 224 = 365.7 by 182.9. A picture of 640 x 480 is
 * taller than that: 366 x 274.5. */
static void frames_are_in_proportion_to_the_crop(void **state)
{
    (void)state;
    det_multi_crop_options options = options_of(144);
    options.width = 320;
    options.height = 160;
    const det_multi_crop plan = plan_of(640, 480, &options);
    assert_int_equal(plan.sizes[0][0], 366);
    assert_int_equal(plan.sizes[0][1], 275);
    assert_view(&plan, 0, (det_view){0, 0, 0, 320, 160, false});
    assert_view(&plan, 10, (det_view){0, 0, 0, 366, 183, false});
    assert_view(&plan, 22, (det_view){0, 0, 46, 366, 183, false});
    assert_view(&plan, 34, (det_view){0, 0, 92, 366, 183, false});
}

/* A picture that is enlarged by 2: its crop of 16 shows 8 of its pixels. */
static void a_box_says_what_a_crop_shows(void **state)
{
    (void)state;
    const det_multi_crop_options options = {
        .crops = 10, .width = 16, .height = 16, .shorter_side_px = 20, .max_pixels = 1000};
    const det_multi_crop plan = plan_of(20, 10, &options);
    const det_box box = det_multi_crop_box(&plan, 6), expected = {12, 2, 20, 10};
    assert_memory_equal(&box, &expected, sizeof box);
}

static void cut(const det_multi_crop *plan, size_t index, det_image *crop)
{
    test_assert_ok(det_image_create(plan->width, plan->height, crop, NULL), NULL);
    test_assert_ok(det_multi_crop_cut(plan, index, crop->pixels), NULL);
}

/* What a crop must be, pixel by pixel. */
static void check_crop(const det_image *picture, const det_multi_crop *plan, size_t index)
{
    const det_view *v = &plan->views[index];
    const int *size = plan->sizes[v->scale];
    det_image resized, window, whole, crop;
    test_assert_ok(det_image_resize(picture, size[0], size[1], &resized, NULL), NULL);
    test_assert_ok(det_image_create(v->width, v->height, &window, NULL), NULL);
    for (int y = 0; y < v->height; y++)
        for (int x = 0; x < v->width; x++)
            memcpy(window.pixels + (size_t)y * window.stride + 3 * (size_t)x,
                   resized.pixels + (size_t)(v->y + y) * resized.stride + 3 * (size_t)(v->x + x),
                   3);
    test_assert_ok(det_image_resize(&window, plan->width, plan->height, &whole, NULL), NULL);
    cut(plan, index, &crop);
    for (int y = 0; y < plan->height; y++)
        for (int x = 0; x < plan->width; x++) {
            const int from = v->mirrored ? plan->width - 1 - x : x;
            assert_int_equal(test_pixel(&crop, x, y), test_pixel(&whole, from, y));
        }
    det_image_free(&resized);
    det_image_free(&window);
    det_image_free(&whole);
    det_image_free(&crop);
}

static void crops_show_the_resized_picture_and_mirrored_ones_its_mirror_image(void **state)
{
    (void)state;
    for (int even = 0; even < 2; even++) {
        const det_multi_crop_options options = {
            .crops = 144, .width = 15 + even, .height = 12, .max_pixels = 100000};
        det_image picture = test_picture(50, 30);
        det_multi_crop plan = plan_of(picture.width, picture.height, &options);
        test_assert_ok(det_multi_crop_resize(&plan, &picture, 2, NULL), NULL);
        for (size_t i = 0; i < plan.count; i++) check_crop(&picture, &plan, i);
        assert_int_equal(
            det_multi_crop_memory(&plan),
            3 * (plan.sizes[0][0] * plan.sizes[0][1] + plan.sizes[1][0] * plan.sizes[1][1] +
                 plan.sizes[2][0] * plan.sizes[2][1] + plan.sizes[3][0] * plan.sizes[3][1]));
        det_multi_crop_free(&plan);
        det_image_free(&picture);
    }
}

static void a_picture_of_one_pixel_fills_every_crop(void **state)
{
    (void)state;
    const det_multi_crop_options options = {
        .crops = 10, .width = 8, .height = 8, .max_pixels = 1000};
    det_image picture = test_picture(1, 1);
    det_multi_crop plan = plan_of(1, 1, &options);
    test_assert_ok(det_multi_crop_resize(&plan, &picture, 1, NULL), NULL);
    for (size_t i = 0; i < plan.count; i++) check_crop(&picture, &plan, i);
    det_multi_crop_free(&plan);
    det_image_free(&picture);
}

static void refuse(det_multi_crop_options options, int width, det_status status, const char *part)
{
    det_multi_crop plan;
    det_error error = {0};
    test_assert_error(det_multi_crop_plan(width, 1, &options, &plan, &error), status, &error, part);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    refuse(options_of(2), 1, DET_ARGUMENT, "2 crops");
    refuse(options_of(0), 1, DET_ARGUMENT, "0 crops");
    det_multi_crop_options options = options_of(10);
    options.shorter_side_px = 223;
    refuse(options, 1, DET_ARGUMENT, "224 x 224 pixels is larger than");
    options = options_of(144);
    options.shorter_side_px = 300;
    refuse(options, 1, DET_ARGUMENT, "sizes of their own");
}

/* 2000 x 1 would become 512000 x 256 = 131 million pixels. */
static void a_picture_that_would_grow_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    refuse(options_of(1), 2000, DET_LIMIT, "512000 x 256");
    det_multi_crop_options options = options_of(1);
    options.max_pixels = UINT64_MAX;
    refuse(options, 1 << 30, DET_LIMIT, "resized");
}

#ifdef DET_FAULT_INJECTION
static void failed_allocations_leave_nothing_behind(void **state)
{
    (void)state;
    const det_multi_crop_options options = {
        .crops = 144, .width = 8, .height = 8, .max_pixels = 10000};
    det_image picture = test_picture(20, 12);
    uint8_t crop[8 * 8 * 3];
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        det_multi_crop plan = plan_of(20, 12, &options);
        det_memory_fail_at(nth);
        det_status status = det_multi_crop_resize(&plan, &picture, 1, NULL);
        if (status == DET_OK) status = det_multi_crop_cut(&plan, 10, crop);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        det_multi_crop_free(&plan);
    }
    det_image_free(&picture);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_144_crops_of_a_landscape_lie_left_centre_and_right),
        cmocka_unit_test(
            all_144_crops_of_a_portrait_lie_at_the_top_in_the_centre_and_at_the_bottom),
        cmocka_unit_test(the_three_places_of_a_square_are_one),
        cmocka_unit_test(of_144_crops_of_a_square_48_differ),
        cmocka_unit_test(ten_crops_are_corners_and_centre_of_the_picture_and_their_mirror_images),
        cmocka_unit_test(one_crop_is_the_centre),
        cmocka_unit_test(a_picture_of_the_size_of_the_crop_can_be_the_crop),
        cmocka_unit_test(frames_are_in_proportion_to_the_crop),
        cmocka_unit_test(a_box_says_what_a_crop_shows),
        cmocka_unit_test(crops_show_the_resized_picture_and_mirrored_ones_its_mirror_image),
        cmocka_unit_test(a_picture_of_one_pixel_fills_every_crop),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(a_picture_that_would_grow_beyond_the_limit_is_refused),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(failed_allocations_leave_nothing_behind),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
