/* SPDX-License-Identifier: Apache-2.0 */
/* Annotations beside pictures that they do not fit. */
#include "detect/check.h"
#include "src/base/memory.h"
#include "tests/unit/support_annotations.h"
#include "tests/unit/support_convert.h"
#include "tests/unit/support_image.h"

#include <stdio.h>
#include <string.h>

/* ---- Pictures and annotations --------------------------------------------------------------- */

/* A picture of one grey, stored with an orientation (0: none). */
static void write_grey(const char *name, int width, int height, int orientation, int grey)
{
    det_image image = {0};
    test_assert_ok(det_image_create(width, height, &image, NULL), &(det_error){0});
    memset(image.pixels, grey, (size_t)height * image.stride);
    test_bytes bytes = test_encode_jpeg(&image, &(test_jpeg){.orientation = orientation});
    test_write_below(name, "");
    test_write_file(test_path(name), bytes.data, bytes.length);
    det_text_free(&bytes);
    det_image_free(&image);
}

#define IMAGE(id, file, width, height)                                                             \
    "{\"id\":" #id ",\"file_name\":\"" file "\",\"width\":" #width ",\"height\":" #height "}"
#define OBJECT(id, image, box)                                                                     \
    "{\"id\":" #id ",\"image_id\":" #image ",\"category_id\":1,\"bbox\":[" box "],\"area\":200}"
#define CATEGORIES "\"categories\":[{\"id\":1,\"name\":\"cat\"}]"

static det_annotations_report *check(const det_annotations *annotations)
{
    det_annotations_report *report = NULL;
    det_error error = {0};
    test_assert_ok(det_annotations_check(annotations, NULL, &report, &error), &error);
    return report;
}

static det_annotations_report *check_coco(const char *images, const char *objects)
{
    char text[4096];
    snprintf(text, sizeof text, "{\"images\":[%s],\"annotations\":[%s]," CATEGORIES "}", images,
             objects);
    det_annotations *a = test_read_coco(text);
    det_annotations_report *report = check(a);
    det_annotations_free(a); /* the report does not need them */
    return report;
}

static void assert_fault(const det_annotations_report *report, det_fault fault, size_t count,
                         const char *part)
{
    for (size_t i = 0; i < report->fault_count; i++) {
        if (report->faults[i].fault != fault) continue;
        assert_int_equal(report->faults[i].count, count);
        if (!strstr(report->faults[i].text, part))
            fail_msg("\"%s\" is not in \"%s\"", part, report->faults[i].text);
        return;
    }
    fail_msg("no fault %d (%s) among %zu", (int)fault, part, report->fault_count);
}

/* The box of the first object, as the format has it. */
static void assert_box(const det_annotations *a, double b0, double b1, double b2, double b3)
{
    const double expected[4] = {b0, b1, b2, b3};
    assert_true(a->object_count > 0);
    for (int i = 0; i < 4; i++) assert_float_equal(a->objects[0].box[i], expected[i], 1e-9);
}

/* ---- Files ---------------------------------------------------------------------------------- */

static void what_is_in_order_stays_as_it_is(void **state)
{
    (void)state;
    write_grey("a.jpg", 60, 40, 0, 10);
    write_grey("b.jpg", 40, 60, 0, 20);
    det_annotations_report *report =
        check_coco(IMAGE(7, "a.jpg", 60, 40) "," IMAGE(3, "b.jpg", 40, 60),
                   OBJECT(5, 7, "10,5,20.5,10") "," OBJECT(4, 3, "-1,0,41,61"));
    const det_annotations *a = report->annotations;
    assert_int_equal(report->fault_count, 0);
    assert_int_equal(a->format, DET_ANNOTATIONS_COCO);
    assert_int_equal(a->image_count, 2);
    assert_string_equal(a->images[1].file, "b.jpg");
    assert_true(a->images[0].id == 7 && a->images[1].width == 40 && a->images[1].height == 60);
    assert_true(a->objects[0].id == 5 && a->objects[1].id == 4 && a->objects[1].image == 1);
    assert_box(a, 10, 5, 20.5, 10);
    assert_true(a->objects[0].area == 200);
    assert_string_equal(a->categories[0].name, "cat");
    size_t found;
    test_assert_ok(det_annotations_find_image(a, "b.jpg", &found, NULL), &(det_error){0});
    assert_int_equal(found, 1);
    det_annotations_report_free(report);
}

static void pictures_that_are_missing_or_broken_are_left_out(void **state)
{
    (void)state;
    write_grey("a.jpg", 60, 40, 0, 10);
    test_write_below("broken.jpg", "\xFF\xD8\xFF\xE0 no more");
    test_write_below("text.jpg", "some text");
    det_annotations_report *report =
        check_coco(IMAGE(1, "gone.jpg", 60, 40) "," IMAGE(2, "broken.jpg", 60, 40) "," IMAGE(
                       3, "a.jpg", 60, 40) "," IMAGE(4, "text.jpg", 60, 40),
                   OBJECT(1, 1, "0,0,9,9") "," OBJECT(2, 3, "1,2,20,10"));
    assert_fault(report, DET_FAULT_MISSING, 1, "not there, left out: 1 of 4 (gone.jpg): if");
    assert_fault(report, DET_FAULT_UNREADABLE, 2, "left out: 2 of 4 (broken.jpg: ");
    assert_fault(report, DET_FAULT_UNREADABLE, 2, "text.jpg: not a picture");
    assert_int_equal(report->fault_count, 2);
    assert_int_equal(report->annotations->image_count, 1);
    assert_int_equal(report->annotations->object_count, 1);
    assert_int_equal(report->annotations->images[0].first_object, 0);
    assert_box(report->annotations, 1, 2, 20, 10);
    det_annotations_report_free(report);
}

static void the_first_three_places_are_named(void **state)
{
    (void)state;
    write_grey("a.jpg", 60, 40, 0, 10);
    det_annotations_report *report =
        check_coco(IMAGE(1, "g1.jpg", 9, 9) "," IMAGE(2, "g2.jpg", 9, 9) "," IMAGE(
                       3, "g3.jpg", 9, 9) "," IMAGE(4, "g4.jpg", 9, 9),
                   "");
    assert_fault(report, DET_FAULT_MISSING, 4, "4 of 4 (first: g1.jpg; g2.jpg; g3.jpg)");
    assert_int_equal(report->fault_count, 1); /* the classes are no fault then */
    assert_int_equal(report->annotations->image_count, 0);
    det_annotations_report_free(report);
}

/* Object 2 overlaps object 1 by 190 / 200 and is the same, object 3 is another. */
static void a_picture_that_is_there_twice_counts_once_with_the_objects_of_both(void **state)
{
    (void)state;
    write_grey("a.jpg", 60, 40, 0, 10);
    write_grey("copy.jpg", 60, 40, 0, 10);
    write_grey("b.jpg", 60, 40, 0, 30);
    det_annotations_report *report =
        check_coco(IMAGE(1, "a.jpg", 60, 40) "," IMAGE(2, "b.jpg", 60, 40) "," IMAGE(
                       3, "copy.jpg", 60, 40) "," IMAGE(4, "a.jpg", 60, 40),
                   OBJECT(1, 1, "10,5,20,10") "," OBJECT(2, 3, "10,5,19,10") "," OBJECT(
                       3, 3, "30,20,20,10") "," OBJECT(4, 2, "0,0,20,10"));
    const det_annotations *a = report->annotations;
    assert_fault(report, DET_FAULT_TWICE, 2, "2 of 4 (copy.jpg is a.jpg; a.jpg is a.jpg)");
    assert_int_equal(report->fault_count, 1);
    assert_int_equal(a->image_count, 2);
    assert_int_equal(a->images[0].object_count, 2);
    assert_true(a->objects[0].id == 1 && a->objects[1].id == 3 && a->objects[2].id == 4);
    assert_int_equal(a->objects[1].image, 0);
    det_annotations_report_free(report);
}

/* ---- Sizes ---------------------------------------------------------------------------------- */

/* 60 x 40 stored, turned to 40 x 60 (orientation 6): x = 40 - v, y = u. Corners 10, 5, 30, 15
 * become 25, 10, 35, 30. */
static void boxes_of_the_stored_picture_are_turned(void **state)
{
    (void)state;
    write_grey("t.jpg", 60, 40, 6, 10);
    det_annotations_report *report =
        check_coco(IMAGE(1, "t.jpg", 60, 40), OBJECT(1, 1, "10,5,20,10"));
    assert_fault(report, DET_FAULT_TURNED, 1,
                 "1 of 1 (t.jpg, annotated as 60 x 40 pixels, is 40 x 60 upright)");
    assert_int_equal(report->fault_count, 1);
    assert_box(report->annotations, 25, 10, 10, 20);
    assert_true(report->annotations->objects[0].area == 200);
    assert_int_equal(report->annotations->images[0].width, 40);
    det_annotations_report_free(report);
    report = check_coco(IMAGE(1, "t.jpg", 40, 60), OBJECT(1, 1, "10,5,20,10"));
    assert_int_equal(report->fault_count, 0);
    assert_box(report->annotations, 10, 5, 20, 10);
    det_annotations_report_free(report);
}

/* At 120 x 80 the same box is 20, 10, 60, 30. */
static void they_are_scaled_before(void **state)
{
    (void)state;
    write_grey("t.jpg", 60, 40, 6, 10);
    det_annotations_report *report =
        check_coco(IMAGE(1, "t.jpg", 120, 80), OBJECT(1, 1, "20,10,40,20"));
    assert_fault(report, DET_FAULT_TURNED, 1, "t.jpg");
    assert_box(report->annotations, 25, 10, 10, 20);
    assert_true(report->annotations->objects[0].area == 50); /* a quarter of 200 */
    det_annotations_report_free(report);
}

/* Half a turn of 60 x 40: corners 10, 5, 30, 15 become 30, 25, 50, 35. */
static void a_half_turn_is_told_by_the_other_pictures(void **state)
{
    (void)state;
    write_grey("half.jpg", 60, 40, 3, 10);
    write_grey("quarter.jpg", 60, 40, 8, 20);
    const char *object = OBJECT(1, 1, "10,5,20,10");
    det_annotations_report *report = check_coco(IMAGE(1, "half.jpg", 60, 40), object);
    assert_fault(report, DET_FAULT_TURN_UNKNOWN, 1, "1 of 1 (half.jpg): look at one");
    assert_box(report->annotations, 10, 5, 20, 10);
    det_annotations_report_free(report);
    report = check_coco(IMAGE(1, "half.jpg", 60, 40) "," IMAGE(2, "quarter.jpg", 60, 40), object);
    assert_fault(report, DET_FAULT_TURNED, 2, "half.jpg");
    assert_box(report->annotations, 30, 25, 20, 10);
    det_annotations_report_free(report);
    report = check_coco(IMAGE(1, "half.jpg", 60, 40) "," IMAGE(2, "quarter.jpg", 40, 60), object);
    assert_int_equal(report->fault_count, 0);
    assert_box(report->annotations, 10, 5, 20, 10);
    det_annotations_report_free(report);
}

static void of_yolo_nothing_tells(void **state)
{
    (void)state;
    write_grey("yolo/images/a.jpg", 60, 40, 6, 10);
    test_write_below("yolo/labels/a.txt", "0 .5 .5 .2 .2\n");
    test_write_below("yolo/classes.txt", "cat\n");
    det_annotations *a = test_read_annotations(test_path("yolo"));
    det_annotations_report *report = check(a);
    assert_fault(report, DET_FAULT_TURN_UNKNOWN, 1, "yolo/images/a.jpg");
    assert_box(report->annotations, .5, .5, .2, .2);
    det_annotations_report_free(report);
    det_annotations_free(a);
}

/* Corners 20, 10, 60, 30 of 120 x 80 are 10, 5, 30, 15 of 60 x 40; 1-based and inclusive in VOC. */
static void boxes_of_another_size_are_scaled(void **state)
{
    (void)state;
    write_grey("a.jpg", 60, 40, 0, 10);
    det_annotations_report *report =
        check_coco(IMAGE(1, "a.jpg", 120, 80), OBJECT(1, 1, "20,10,40,20"));
    assert_fault(report, DET_FAULT_RESIZED, 1,
                 "(a.jpg, annotated as 120 x 80 pixels, is 60 x 40 upright)");
    assert_box(report->annotations, 10, 5, 20, 10);
    det_annotations_report_free(report);
    write_grey("read/Annotations/a.jpg", 60, 40, 0, 10);
    det_annotations *a = test_read_voc(
        "<annotation><size><width>120</width><height>80</height></size><object><name>cat</name>"
        "<bndbox><xmin>21</xmin><ymin>11</ymin><xmax>60</xmax><ymax>30</ymax></bndbox></object>"
        "</annotation>");
    report = check(a);
    assert_fault(report, DET_FAULT_RESIZED, 1, "a.jpg");
    assert_box(report->annotations, 11, 6, 30, 15);
    assert_true(report->annotations->objects[0].area == 200); /* 800 / 4 */
    det_annotations_report_free(report);
    det_annotations_free(a);
}

static void pictures_of_another_shape_are_left_out(void **state)
{
    (void)state;
    write_grey("a.jpg", 60, 40, 0, 10);
    write_grey("b.jpg", 60, 40, 0, 20);
    det_annotations_report *report =
        check_coco(IMAGE(1, "a.jpg", 60, 40) "," IMAGE(2, "b.jpg", 60, 60),
                   OBJECT(1, 1, "0,0,9,9") "," OBJECT(2, 2, "0,0,9,9"));
    assert_fault(report, DET_FAULT_OTHER_SHAPE, 1, "left out: 1 of 2 (b.jpg, annotated as 60 x 60");
    assert_int_equal(report->annotations->image_count, 1);
    det_annotations_report_free(report);
}

/* 40 x 60 stands there; a box reaches to x = 55, which 60 x 40 has room for. */
static void unless_boxes_show_that_the_size_is_a_slip(void **state)
{
    (void)state;
    write_grey("a.jpg", 60, 40, 0, 10);
    write_grey("b.jpg", 60, 40, 0, 20);
    det_annotations_report *report =
        check_coco(IMAGE(1, "a.jpg", 40, 60) "," IMAGE(2, "b.jpg", 40, 60),
                   OBJECT(1, 1, "30,5,25,10") "," OBJECT(2, 2, "0,0,9,9"));
    assert_fault(report, DET_FAULT_WRONG_SIZE, 2, "a.jpg, annotated as 40 x 60");
    assert_int_equal(report->annotations->image_count, 2);
    assert_int_equal(report->annotations->images[0].width, 60);
    assert_box(report->annotations, 30, 5, 25, 10);
    det_annotations_report_free(report);
}

/* ---- Objects -------------------------------------------------------------------------------- */

static void boxes_are_cut_at_the_edges_and_empty_ones_left_out(void **state)
{
    (void)state;
    write_grey("a.jpg", 60, 40, 0, 10);
    det_annotations_report *report =
        check_coco(IMAGE(1, "a.jpg", 60, 40),
                   OBJECT(1, 1, "50,-5,20,25") "," OBJECT(2, 1, "10,10,0,5") "," OBJECT(
                       3, 1, "70,10,5,5") "," OBJECT(4, 1, "10,10,9,9"));
    assert_fault(report, DET_FAULT_OUTSIDE, 1, "1 of 4 (object 1 on a.jpg)");
    assert_fault(report, DET_FAULT_EMPTY, 2, "2 of 4 (object 2 on a.jpg; object 3 on a.jpg)");
    assert_int_equal(report->annotations->object_count, 2);
    assert_box(report->annotations, 50, 0, 10, 20);
    assert_true(report->annotations->objects[0].area == 200);
    det_annotations_report_free(report);
}

static void objects_get_numbers_of_their_own(void **state)
{
    (void)state;
    write_grey("a.jpg", 60, 40, 0, 10);
    det_annotations_report *report = check_coco(
        IMAGE(1, "a.jpg", 60, 40),
        OBJECT(1, 1, "0,0,9,9") "," OBJECT(1, 1, "10,0,9,9") "," OBJECT(
            0, 1, "20,0,9,9") "," OBJECT(2, 1, "30,0,9,9") ",{\"image_id\":1,\"category_id\":1,"
                                                           "\"bbox\":[40,0,9,9],\"area\":81}");
    const int64_t ids[] = {1, 3, 4, 2, 5};
    assert_fault(report, DET_FAULT_SAME_ID, 3, "3 of 5 (object 1 on a.jpg; object 0 on a.jpg");
    for (size_t i = 0; i < 5; i++) assert_true(report->annotations->objects[i].id == ids[i]);
    assert_null(report->annotations->last_of_id);
    det_annotations_report_free(report);
}

static void classes_without_a_box_are_named(void **state)
{
    (void)state;
    write_grey("a.jpg", 60, 40, 0, 10);
    det_annotations *a = test_read_coco("{\"images\":[" IMAGE(
        1, "a.jpg", 60,
        40) "],\"categories\":[{\"id\":1,\"name\":\"cat\"},"
            "{\"id\":2,\"name\":\"dog\"},{\"id\":3,\"name\":\"crowd\"}],\"annotations\":[" OBJECT(
                1, 1, "0,0,9,9") ",{\"id\":2,\"image_id\":1,\"category_id\":3,\"bbox\":[9,9,9,9],"
                                 "\"area\":81,\"iscrowd\":1}]}");
    det_annotations_report *report = check(a);
    assert_fault(report, DET_FAULT_NO_OBJECTS, 2, "not learned: 2 of 3 (dog; crowd)");
    assert_int_equal(report->annotations->category_count, 3);
    det_annotations_report_free(report);
    det_annotations_free(a);
}

/* ---- Running -------------------------------------------------------------------------------- */

static bool stop(void *context, uint64_t done, uint64_t total)
{
    (void)context, (void)done, (void)total;
    return false;
}

static void it_can_be_cancelled(void **state)
{
    (void)state;
    const det_run run = {.progress = stop};
    write_grey("a.jpg", 60, 40, 0, 10);
    det_annotations *a = test_read_coco("{\"images\":[" IMAGE(1, "a.jpg", 60, 40) "]}");
    det_annotations_report *report = NULL;
    assert_int_equal(det_annotations_check(a, &run, &report, NULL), DET_CANCELLED);
    assert_null(report);
    det_annotations_report_free(NULL);
    det_annotations_free(a);
}

#ifdef DET_FAULT_INJECTION
static void a_lack_of_memory_is_reported(void **state)
{
    (void)state;
    const det_run run = {.threads = 1};
    write_grey("a.jpg", 60, 40, 6, 10);
    det_annotations *a = test_read_coco(
        "{\"images\":[" IMAGE(1, "a.jpg", 60, 40) "," IMAGE(2, "a.jpg", 60, 40) "," IMAGE(
            3, "gone.jpg", 1,
            1) "]," CATEGORIES
               ",\"annotations\":[" OBJECT(1, 1, "0,0,9,9") "," OBJECT(1, 2, "9,9,90,9") "]}");
    det_status status = DET_MEMORY;
    uint64_t nth = 0;
    while (status != DET_OK) {
        det_annotations_report *report = NULL;
        det_error error = {0};
        det_memory_fail_at(++nth);
        status = det_annotations_check(a, &run, &report, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        if (failed)
            test_assert_error(status, DET_MEMORY, &error, "out of memory");
        else
            test_assert_ok(status, &error);
        assert_true(failed == !report);
        det_annotations_report_free(report);
    }
    assert_true(nth > 10);
    det_annotations_free(a);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_order_stays_as_it_is),
        cmocka_unit_test(pictures_that_are_missing_or_broken_are_left_out),
        cmocka_unit_test(the_first_three_places_are_named),
        cmocka_unit_test(a_picture_that_is_there_twice_counts_once_with_the_objects_of_both),
        cmocka_unit_test(boxes_of_the_stored_picture_are_turned),
        cmocka_unit_test(they_are_scaled_before),
        cmocka_unit_test(a_half_turn_is_told_by_the_other_pictures),
        cmocka_unit_test(of_yolo_nothing_tells),
        cmocka_unit_test(boxes_of_another_size_are_scaled),
        cmocka_unit_test(pictures_of_another_shape_are_left_out),
        cmocka_unit_test(unless_boxes_show_that_the_size_is_a_slip),
        cmocka_unit_test(boxes_are_cut_at_the_edges_and_empty_ones_left_out),
        cmocka_unit_test(objects_get_numbers_of_their_own),
        cmocka_unit_test(classes_without_a_box_are_named),
        cmocka_unit_test(it_can_be_cancelled),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(a_lack_of_memory_is_reported),
#endif
    };
    return cmocka_run_group_tests_name("check of annotations", tests, NULL, NULL);
}
