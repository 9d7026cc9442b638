/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/draw.h"
#include "src/base/memory.h"
#include "src/base/parallel.h"
#include "tests/unit/support_image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const uint32_t grey = 0x808080;

static det_image canvas(int width, int height)
{
    det_image image;
    test_assert_ok(det_image_create(width, height, &image, NULL), &(det_error){0});
    memset(image.pixels, 0x80, image.stride * (size_t)height);
    return image;
}

static det_image drawn(int width, int height, const det_drawn_box *boxes, size_t count)
{
    det_image image = canvas(width, height);
    det_error error = {0};
    test_assert_ok(det_draw_boxes(&image, boxes, count, &error), &error);
    return image;
}

static det_box bounds_of_change(const det_image *image)
{
    det_box bounds = {1e9f, 1e9f, -1, -1};
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width; x++)
            if (test_pixel(image, x, y) != grey) {
                bounds.x0 = fminf(bounds.x0, (float)x);
                bounds.y0 = fminf(bounds.y0, (float)y);
                bounds.x1 = fmaxf(bounds.x1, (float)x + 1);
                bounds.y1 = fmaxf(bounds.y1, (float)y + 1);
            }
    return bounds;
}

/* At 200 x 150 pixels a line is 2 wide, inside the box; its shadow reaches one pixel further. */
static void a_box_is_drawn_where_it_is(void **state)
{
    (void)state;
    const det_drawn_box box = {{40, 30, 120, 90}, NULL, 0xFF0000};
    det_image image = drawn(200, 150, &box, 1);
    static const int on_line[][2] = {{40, 30}, {41, 60}, {119, 89}, {80, 31}, {80, 88}, {118, 45}};
    for (int i = 0; i < 6; i++)
        test_assert_pixel(&image, on_line[i][0], on_line[i][1], 0xFF0000, 0);
    test_assert_pixel(&image, 80, 60, grey, 0);
    const det_box bounds = bounds_of_change(&image);
    assert_true(bounds.x0 == 39 && bounds.y0 == 29 && bounds.x1 == 121 && bounds.y1 == 91);
    det_image_free(&image);
}

static void the_first_box_is_on_top(void **state)
{
    (void)state;
    const det_drawn_box boxes[] = {{{20, 20, 100, 100}, NULL, 0x00FF00},
                                   {{20, 20, 100, 100}, NULL, 0xFF0000}};
    det_image image = drawn(200, 150, boxes, 2);
    test_assert_pixel(&image, 60, 20, 0x00FF00, 0);
    det_image_free(&image);
}

static void boxes_beyond_the_picture_are_clipped_and_empty_ones_left_out(void **state)
{
    (void)state;
    const det_drawn_box beyond = {{-50, -1e9f, 1e9f, 500}, NULL, 0xFF0000};
    det_image image = drawn(200, 150, &beyond, 1);
    test_assert_pixel(&image, 0, 0, 0xFF0000, 0);
    test_assert_pixel(&image, 199, 149, 0xFF0000, 0);
    test_assert_pixel(&image, 100, 75, grey, 0);
    det_image_free(&image);

    const det_drawn_box nothing[] = {{{50, 50, 50, 80}, "empty", 0xFF0000},
                                     {{80, 50, 50, 80}, "reversed", 0xFF0000},
                                     {{300, 300, 400, 400}, "outside", 0xFF0000},
                                     {{-40, 10, -1, 50}, "outside", 0xFF0000},
                                     {{NAN, 10, 20, 50}, "not a number", 0xFF0000},
                                     {{0, 10, 20, NAN}, "not a number", 0xFF0000}};
    image = drawn(200, 150, nothing, 6);
    const det_box bounds = bounds_of_change(&image);
    assert_true(bounds.x1 < 0);
    det_image_free(&image);
}

static int count_of(const det_image *image, uint32_t color, int y0, int y1)
{
    int count = 0;
    for (int y = y0; y < y1; y++)
        for (int x = 0; x < image->width; x++) count += test_pixel(image, x, y) == color;
    return count;
}

/* Orange takes black letters, dark blue white ones. */
static void a_label_stands_on_its_box_in_a_readable_colour(void **state)
{
    (void)state;
    det_drawn_box box = {{40, 60, 120, 120}, "banana", 0xFFA000};
    det_image image = drawn(200, 150, &box, 1);
    assert_true(count_of(&image, 0xFFA000, 40, 58) > 200);
    assert_true(count_of(&image, 0x000000, 40, 60) > 10);
    assert_int_equal(count_of(&image, 0xFFFFFF, 0, 150), 0);
    det_image_free(&image);

    box.color = 0x000080;
    image = drawn(200, 150, &box, 1);
    assert_true(count_of(&image, 0xFFFFFF, 40, 60) > 10);
    assert_int_equal(count_of(&image, 0x000000, 0, 150), 0);
    det_image_free(&image);
}

static void a_label_without_room_above_hangs_inside(void **state)
{
    (void)state;
    const det_drawn_box box = {{40, 2, 120, 120}, "banana", 0xFFA000};
    det_image image = drawn(200, 150, &box, 1);
    assert_true(count_of(&image, 0x000000, 2, 20) > 10);
    det_image_free(&image);
}

/* A label at the right edge moves left; its letters are all there. */
static void a_label_moves_sideways_into_the_picture(void **state)
{
    (void)state;
    const det_drawn_box free_box = {{40, 60, 60, 120}, "banana", 0xFFA000};
    const det_drawn_box edge_box = {{180, 60, 200, 120}, "banana", 0xFFA000};
    det_image image = drawn(200, 150, &free_box, 1), edge = drawn(200, 150, &edge_box, 1);
    assert_int_equal(count_of(&edge, 0, 40, 60), count_of(&image, 0, 40, 60));
    assert_true(count_of(&image, 0, 40, 60) > 10);
    det_image_free(&image);
    det_image_free(&edge);
}

static void odd_labels_are_drawn_and_end_somewhere(void **state)
{
    (void)state;
    char *endless = malloc(100001);
    assert_non_null(endless);
    memset(endless, 'w', 100000);
    endless[100000] = '\0';
    const char *const labels[] = {"",
                                  "two\nlines\tand a tab",
                                  "bad \xFF\xFE\xC3 bytes \xE2\x82",
                                  "Ça va? Привет \xE6\xA9\x99\xE5\xAD\x90 \xD8\xA8\xD8\xB1 "
                                  "\xF0\x9F\x8D\x8A",
                                  "\x01\x02\x7F",
                                  endless};
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        const det_drawn_box box = {{10, 60, 80, 120}, labels[i], 0xFFA000};
        det_image image = drawn(200, 150, &box, 1);
        test_assert_pixel(&image, 10, 119, 0xFFA000, 0);
        det_image_free(&image);
    }
    free(endless);
}

static void pictures_smaller_than_a_letter_are_drawn_on(void **state)
{
    (void)state;
    for (int size = 1; size < 30; size += 4) {
        const det_drawn_box box = {{0, 0, (float)size, (float)size}, "banana", 0xFF0000};
        det_image image = drawn(size, size, &box, 1);
        assert_true(test_pixel(&image, 0, 0) != grey);
        det_image_free(&image);
    }
}

/* Wider than a cairo surface may be, and than several tiles. */
static void a_picture_of_any_width_is_drawn_on(void **state)
{
    (void)state;
    const det_drawn_box box = {{1000, 4, 39000, 36}, "a label across the seam of tiles", 0xFF0000};
    det_image image = drawn(40000, 40, &box, 1);
    test_assert_pixel(&image, 20000, 4, 0xFF0000, 0);
    test_assert_pixel(&image, 38999, 20, 0xFF0000, 0);
    test_assert_pixel(&image, 20000, 20, grey, 0);
    test_assert_pixel(&image, 39500, 20, grey, 0);
    det_image_free(&image);
}

static void an_empty_picture_is_refused_and_no_boxes_change_nothing(void **state)
{
    (void)state;
    det_image empty = {0};
    det_error error = {0};
    test_assert_error(det_draw_boxes(&empty, NULL, 0, &error), DET_ARGUMENT, &error, "empty");
    det_image image = drawn(20, 20, NULL, 0);
    assert_true(bounds_of_change(&image).x1 < 0);
    det_image_free(&image);
}

static void neighbouring_colours_look_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < 300; i++)
        for (size_t j = i + 1; j < i + 6; j++) {
            const uint32_t a = det_draw_color(i), b = det_draw_color(j);
            int distance = 0;
            for (int shift = 0; shift < 24; shift += 8)
                distance += abs((int)(a >> shift & 255) - (int)(b >> shift & 255));
            if (distance < 60) fail_msg("%zu is #%06X, %zu is #%06X", i, a, j, b);
        }
    assert_true(det_draw_color(SIZE_MAX) <= 0xFFFFFF);
}

typedef struct {
    det_image images[8];
    det_status statuses[8];
} pictures;

static void draw_one(void *context, size_t index, int worker)
{
    (void)worker;
    pictures *p = context;
    const det_drawn_box boxes[] = {{{10, 30, 90, 90}, "banana .97", 0xFF0000},
                                   {{40, 50, 180, 140}, "orange .88", 0x00FF00}};
    p->statuses[index] = det_draw_boxes(&p->images[index], boxes, 2, NULL);
}

static void threads_draw_on_pictures_of_their_own(void **state)
{
    (void)state;
    pictures p;
    for (int i = 0; i < 8; i++) p.images[i] = canvas(200, 150);
    det_parallel_for(8, 4, draw_one, &p);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(p.statuses[i], DET_OK);
        assert_int_equal(test_largest_difference(&p.images[i], &p.images[0]), 0);
        assert_true(bounds_of_change(&p.images[i]).x1 > 0);
    }
    for (int i = 0; i < 8; i++) det_image_free(&p.images[i]);
}

#ifdef DET_FAULT_INJECTION
static void short_memory_is_an_error(void **state)
{
    (void)state;
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        det_image image = canvas(100, 100);
        const det_drawn_box box = {{10, 30, 90, 90}, "banana", 0xFF0000};
        det_memory_fail_at(nth);
        const det_status status = det_draw_boxes(&image, &box, 1, NULL);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        assert_true((bounds_of_change(&image).x1 < 0) == failed);
        det_image_free(&image);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_box_is_drawn_where_it_is),
        cmocka_unit_test(the_first_box_is_on_top),
        cmocka_unit_test(boxes_beyond_the_picture_are_clipped_and_empty_ones_left_out),
        cmocka_unit_test(a_label_stands_on_its_box_in_a_readable_colour),
        cmocka_unit_test(a_label_without_room_above_hangs_inside),
        cmocka_unit_test(a_label_moves_sideways_into_the_picture),
        cmocka_unit_test(odd_labels_are_drawn_and_end_somewhere),
        cmocka_unit_test(pictures_smaller_than_a_letter_are_drawn_on),
        cmocka_unit_test(a_picture_of_any_width_is_drawn_on),
        cmocka_unit_test(an_empty_picture_is_refused_and_no_boxes_change_nothing),
        cmocka_unit_test(neighbouring_colours_look_apart),
        cmocka_unit_test(threads_draw_on_pictures_of_their_own),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(short_memory_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
