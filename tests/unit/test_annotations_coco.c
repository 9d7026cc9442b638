/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/annotations.h"
#include "tests/unit/support.h"
#include "tests/unit/support_annotations.h"

#include <stdio.h>
#include <string.h>

#define IMAGES                                                                                     \
    "\"images\":[{\"id\":7,\"file_name\":\"a.jpg\",\"width\":100,\"height\":50},"                  \
    "{\"id\":3,\"file_name\":\"b.jpg\",\"width\":640,\"height\":480}]"
#define CATEGORIES "\"categories\":[{\"id\":18,\"name\":\"dog\"},{\"id\":1,\"name\":\"person\"}]"

/* Reads a COCO text through a file. */
static det_status read_text(const char *text, det_annotations **annotations, det_error *error)
{
    const char *path = test_path("annotations.json");
    test_write_file(path, text, strlen(text));
    return det_annotations_read(path, NULL, annotations, error);
}

static det_annotations *read_ok(const char *text)
{
    det_annotations *annotations = NULL;
    det_error error = {0};
    test_assert_ok(read_text(text, &annotations, &error), &error);
    return annotations;
}

static void numbers_are_kept_as_the_file_has_them(void **state)
{
    (void)state;
    det_annotations *a = read_ok(
        "{" IMAGES "," CATEGORIES ",\"annotations\":[{\"id\":9007199254740993,\"image_id\":7,"
        "\"category_id\":1,\"bbox\":[0.1,2.30,3.25,4e0],\"area\":12.75,\"iscrowd\":1,"
        "\"segmentation\":[[1,2,3,4,5,6]]}]}");
    assert_int_equal(a->format, DET_ANNOTATIONS_COCO);
    assert_int_equal(a->image_count, 2);
    assert_string_equal(a->images[0].file, "a.jpg");
    assert_int_equal(a->images[0].id, 7);
    assert_int_equal(a->images[0].width, 100);
    assert_int_equal(a->images[0].height, 50);
    assert_int_equal(a->images[0].object_count, 1);
    assert_int_equal(a->images[1].object_count, 0);
    assert_int_equal(a->category_count, 2);
    assert_string_equal(a->categories[0].name, "dog");
    assert_int_equal(a->categories[0].id, 18);
    assert_int_equal(a->object_count, 1);
    const det_annotated_object *o = &a->objects[0];
    assert_true(o->id == 9007199254740993); /* no double holds it */
    assert_int_equal(o->image, 0);
    assert_int_equal(o->category, 1);
    assert_true(o->box[0] == 0.1 && o->box[1] == 2.3 && o->box[2] == 3.25 && o->box[3] == 4);
    assert_true(o->area == 12.75);
    assert_true(o->crowd && !o->ignore && !o->difficult);
    assert_int_equal(a->warning_count, 0);
    det_annotations_free(a);
}

/* x, y, x + width, y + height. */
static void a_box_becomes_corners(void **state)
{
    (void)state;
    det_annotations *a = read_ok("{" IMAGES "," CATEGORIES
                                 ",\"annotations\":[{\"id\":1,\"image_id\":7,\"category_id\":1,"
                                 "\"bbox\":[10,20,30.5,4],\"area\":1}]}");
    double c[4];
    det_annotations_corners(a, 0, c);
    assert_true(c[0] == 10 && c[1] == 20 && c[2] == 40.5 && c[3] == 24);
    const det_box box = det_annotations_box(a, 0);
    assert_true(box.x0 == 10 && box.y0 == 20 && box.x1 == 40.5f && box.y1 == 24);
    det_annotations_free(a);
}

#define OBJECT(id, image, category)                                                                \
    "{\"id\":" #id ",\"image_id\":" #image ",\"category_id\":" #category                           \
    ",\"bbox\":[1,2,3,4],\"area\":12}"

static void members_come_in_any_order_and_objects_are_grouped(void **state)
{
    (void)state;
    det_annotations *a = read_ok("{\"annotations\":[" OBJECT(5, 3, 1) "," OBJECT(
        4, 7, 1) "," OBJECT(2, 3, 18) "," OBJECT(1, 7, 18) "]," CATEGORIES "," IMAGES "}");
    static const int64_t ids[] = {4, 1, 5, 2};
    assert_int_equal(a->object_count, 4);
    for (size_t i = 0; i < 4; i++) assert_int_equal(a->objects[i].id, ids[i]);
    assert_int_equal(a->images[0].first_object, 0);
    assert_int_equal(a->images[0].object_count, 2);
    assert_int_equal(a->images[1].first_object, 2);
    assert_int_equal(a->images[1].object_count, 2);
    assert_int_equal(a->objects[2].image, 1);
    assert_int_equal(a->objects[3].category, 0);
    det_annotations_free(a);
}

static void pictures_without_objects_are_legal(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{" IMAGES "," CATEGORIES ",\"annotations\":[]}",
        "{" IMAGES "}",
        "{\"images\":[]," CATEGORIES ",\"annotations\":[]}",
    };
    static const size_t images[] = {2, 2, 0};
    for (size_t i = 0; i < 3; i++) {
        det_annotations *a = read_ok(texts[i]);
        assert_int_equal(a->image_count, images[i]);
        assert_int_equal(a->object_count, 0);
        assert_int_equal(a->warning_count, 0);
        det_annotations_free(a);
    }
}

static void what_is_strange_is_counted_and_told(void **state)
{
    (void)state;
    static const struct {
        const char *objects;
        det_annotations_oddity oddity;
        size_t count, kept;
        const char *text;
    } cases[] = {
        {OBJECT(1, 7, 1) "," OBJECT(2, 99, 1) "," OBJECT(3, 98, 1), DET_ODDITY_UNKNOWN_IMAGE, 2, 1,
         "left out: 2 (first: annotations[1], \"image_id\" 99)"},
        {OBJECT(1, 7, 2), DET_ODDITY_UNKNOWN_CATEGORY, 1, 0,
         "(first: annotations[0], \"category_id\" 2)"},
        {OBJECT(0, 7, 1), DET_ODDITY_ID_ZERO, 1, 1, "annotations[0]"},
        {OBJECT(6, 7, 1) "," OBJECT(6, 3, 1) "," OBJECT(6, 3, 18), DET_ODDITY_SAME_ID, 2, 3,
         "(first: 6)"},
        {"{\"image_id\":7,\"category_id\":1,\"bbox\":[1,2,3,4],\"area\":1},"
         "{\"image_id\":7,\"category_id\":1,\"bbox\":[1,2,3,4],\"area\":1}",
         DET_ODDITY_NO_ID, 2, 2, "annotations[0]"},
        {"{\"id\":1,\"image_id\":7,\"category_id\":1,\"bbox\":[1,2,3,4]}", DET_ODDITY_NO_AREA, 1, 1,
         "taken from the box"},
        {"{\"id\":1,\"image_id\":7,\"category_id\":1,\"bbox\":[9,2,-3,4],\"area\":1}",
         DET_ODDITY_EMPTY, 1, 1, "object 1 on a.jpg"},
        {"{\"id\":1,\"image_id\":7,\"category_id\":1,\"bbox\":[9,2,3,4],\"area\":0}",
         DET_ODDITY_EMPTY, 1, 1, "object 1 on a.jpg"},
        {"{\"id\":1,\"image_id\":7,\"category_id\":1,\"bbox\":[-1,0,102,51],\"area\":9},"
         "{\"id\":2,\"image_id\":7,\"category_id\":1,\"bbox\":[-1,0,102.5,51],\"area\":9}",
         DET_ODDITY_OUTSIDE, 1, 2, "object 2 on a.jpg, 100 x 50 pixels"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[2048];
        snprintf(text, sizeof text, "{" IMAGES "," CATEGORIES ",\"annotations\":[%s]}",
                 cases[i].objects);
        det_annotations *a = read_ok(text);
        test_assert_warning(a, cases[i].oddity, cases[i].count, cases[i].text);
        assert_int_equal(a->warning_count, 1);
        assert_int_equal(a->object_count, cases[i].kept);
        det_annotations_free(a);
    }
}

/* Objects lie by picture: 6 on a.jpg, 5 and -1 there, 6 on b.jpg, -1. The last 5 is on no picture.
 */
static void the_last_object_of_each_id_is_known(void **state)
{
    (void)state;
    det_annotations *a =
        read_ok("{" IMAGES "," CATEGORIES
                ",\"annotations\":[" OBJECT(6, 7, 1) "," OBJECT(6, 3, 1) "," OBJECT(
                    5, 7, 1) "," OBJECT(-1, 7, 1) "," OBJECT(-1, 3, 1) "," OBJECT(5, 99, 1) "]}");
    const size_t last[] = {3, SIZE_MAX, 4, 3, 4}, order[] = {0, 3, 1, 2, 4};
    assert_int_equal(a->object_count, 5);
    assert_non_null(a->last_of_id);
    for (size_t i = 0; i < 5; i++)
        assert_true(a->last_of_id[i] == last[i] && a->file_order[i] == order[i]);
    test_assert_warning(a, DET_ODDITY_SAME_ID, 3, "(first: -1)");
    det_annotations_free(a);
    a = read_ok("{" IMAGES "," CATEGORIES ",\"annotations\":[" OBJECT(6, 7, 1) "," OBJECT(
        7, 3, 1) ",{\"image_id\":7,\"category_id\":1,\"bbox\":[1,2,3,4]},{\"image_id\":7,"
                 "\"category_id\":1,\"bbox\":[1,2,3,4]}]}");
    assert_null(a->last_of_id); /* none has no id in common with another that has none */
    det_annotations_free(a);
}

static void an_area_that_is_missing_is_that_of_the_box(void **state)
{
    (void)state;
    det_annotations *a =
        read_ok("{" IMAGES "," CATEGORIES ",\"annotations\":[{\"id\":1,\"image_id\":7,"
                "\"category_id\":1,\"bbox\":[1,2,3,4.5]}]}");
    assert_true(a->objects[0].area == 13.5);
    det_annotations_free(a);
}

static void files_and_names_that_are_there_twice_are_told(void **state)
{
    (void)state;
    det_annotations *a = read_ok(
        "{\"images\":[{\"id\":1,\"file_name\":\"x.jpg\"},{\"id\":2,\"file_name\":\"x.jpg\"}],"
        "\"categories\":[{\"id\":1,\"name\":\"cat\"},{\"id\":2,\"name\":\"cat\"}]}");
    test_assert_warning(a, DET_ODDITY_SAME_FILE, 1, "\"x.jpg\"");
    test_assert_warning(a, DET_ODDITY_SAME_NAME, 1, "\"cat\"");
    size_t index;
    det_error error = {0};
    test_assert_error(det_annotations_find_image(a, "x.jpg", &index, &error), DET_ARGUMENT, &error,
                      "2 images");
    det_annotations_free(a);
}

static void names_without_their_endings_are_found(void **state)
{
    (void)state;
    det_annotations *a = read_ok(
        "{\"images\":[{\"id\":1,\"file_name\":\"x/7.jpg\"},{\"id\":2,\"file_name\":"
        "\"7-b.jpg\"},{\"id\":3,\"file_name\":\"7.b.jpg\"},{\"id\":4,\"file_name\":"
        "\"8.jpg\"},{\"id\":5,\"file_name\":\"8.png\"},{\"id\":6,\"file_name\":\"70.jpg\"}]}");
    static const struct {
        const char *path;
        int64_t id; /* 0: none */
    } cases[] = {{"7", 1},     {"7-b", 2},   {"7.b", 3},   {"y/7", 1}, {"8", 0},
                 {"8.png", 5}, {"7.png", 0}, {"7.b.x", 0}, {"70", 6},  {"", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t index = 0;
        const det_status status = det_annotations_find_image(a, cases[i].path, &index, NULL);
        assert_int_equal(status, cases[i].id ? DET_OK : DET_ARGUMENT);
        if (cases[i].id) assert_int_equal(a->images[index].id, cases[i].id);
    }
    det_annotations_free(a);
}

/* "ignore" beside "difficult" is for other programs. */
static void marks_of_voc_are_read_where_they_are_1(void **state)
{
    (void)state;
    det_annotations *a = read_ok(
        "{" IMAGES "," CATEGORIES ",\"annotations\":[{\"id\":1,\"image_id\":7,\"category_id\":1,"
        "\"bbox\":[1,2,3,4],\"area\":9,\"ignore\":1,\"difficult\":1,\"truncated\":1,"
        "\"occluded\":1},{\"id\":2,\"image_id\":7,\"category_id\":1,\"bbox\":[1,2,3,4],"
        "\"area\":9,\"ignore\":1,\"difficult\":0,\"truncated\":0.5,\"occluded\":\"no\"}]}");
    const det_annotated_object *o = a->objects;
    assert_true(o[0].difficult && o[0].truncated && o[0].occluded && !o[0].ignore);
    assert_true(!o[1].difficult && !o[1].truncated && !o[1].occluded && o[1].ignore);
    det_annotations_free(a);
}

static void what_is_not_read_is_counted_by_name(void **state)
{
    (void)state;
    det_annotations *a =
        read_ok("{\"info\":{\"year\":2014}," IMAGES "," CATEGORIES
                ",\"annotations\":[{\"id\":1,\"image_id\":7,\"category_id\":1,\"bbox\":[1,2,3,4],"
                "\"area\":9,\"segmentation\":[[1]],\"keypoints\":[]},{\"id\":2,\"image_id\":7,"
                "\"category_id\":1,\"bbox\":[1,2,3,4],\"area\":9,\"segmentation\":[[1]]}]}");
    assert_int_equal(a->unread_count, 2);
    assert_string_equal(a->unread[0].name, "info");
    assert_string_equal(a->unread[1].name, "annotations.segmentation");
    assert_int_equal(a->unread[1].count, 2);
    det_annotations_free(a);
}

/* 60 names: 47 of them have a place of their own. */
static void names_of_what_is_not_read_are_limited(void **state)
{
    (void)state;
    char text[4096] = "{" IMAGES "," CATEGORIES;
    for (int i = 0; i < 60; i++) {
        const size_t length = strlen(text);
        snprintf(text + length, sizeof text - length, ",\"member%02d\":1", i);
    }
    strcat(text, "}"); /* NOLINT: there is room */
    det_annotations *a = read_ok(text);
    assert_int_equal(a->unread_count, 48);
    assert_string_equal(a->unread[46].name, "member46");
    assert_string_equal(a->unread[47].name, "other");
    assert_int_equal(a->unread[47].count, 13);
    det_annotations_free(a);
}

static void what_is_wrong_is_refused_with_its_place(void **state)
{
    (void)state;
#define ANNOTATION(members) "{" IMAGES "," CATEGORIES ",\"annotations\":[{" members "}]}"
#define WITH(members) ANNOTATION("\"id\":1,\"image_id\":7,\"category_id\":1," members)
    static const struct {
        const char *text, *where, *message;
    } cases[] = {
        {"{}", "", "lists no \"images\""},
        {"{\"images\":[]}", "", "lists no \"images\""},
        {"[{\"image_id\":1,\"category_id\":1,\"bbox\":[1,2,3,4],\"score\":1}]", "line 1, column 1",
         "an array at the top is COCO results"},
        {"{\"images\":3}", "line 1, column 11", "must be an array"},
        {"{\"images\":[4]}", "images[0]", "needs an \"id\""},
        {"{\"images\":[{\"id\":1.5,\"file_name\":\"a\"}]}", "images[0]", "needs an \"id\""},
        {"{\"images\":[{\"id\":9223372036854775808,\"file_name\":\"a\"}]}", "images[0]",
         "needs an \"id\""},
        {"{\"images\":[{\"id\":1}]}", "images[0]", "a \"file_name\""},
        {"{\"images\":[{\"id\":1,\"file_name\":\"a\",\"width\":-3}]}", "images[0]",
         "\"width\" must be a number of pixels from 0 to 2147483647, not -3"},
        {"{\"images\":[{\"id\":1,\"file_name\":\"a\",\"height\":2.5}]}", "images[0]", "not 2.5"},
        {"{\"images\":[{\"id\":1,\"file_name\":\"a\",\"height\":1e300}]}", "images[0]",
         "to 2147483647, not 1.0"},
        {"{\"images\":[{\"id\":4,\"file_name\":\"a\"},{\"id\":5,\"file_name\":\"b\"},"
         "{\"id\":4,\"file_name\":\"c\"}]}",
         "images[2]", "has the \"id\" 4, which images[0] has, too"},
        {"{" IMAGES ",\"categories\":[{\"id\":1,\"name\":\"x\"},{\"id\":1,\"name\":\"y\"}]}",
         "categories[1]", "has the \"id\" 1, which categories[0] has, too"},
        {"{" IMAGES ",\"categories\":[{\"id\":1}]}", "categories[0]", "\"name\", a string"},
        {"{" IMAGES ",\"categories\":[{\"name\":\"x\"}]}", "categories[0]", "\"id\", an integer"},
        {"{" IMAGES ",\"categories\":[null]}", "categories[0]", "must be an object"},
        {ANNOTATION("\"id\":1"), "annotations[0]", "\"image_id\", an integer, is missing"},
        {ANNOTATION("\"image_id\":\"7\""), "annotations[0]",
         "\"image_id\" must be an integer of 64 bits, not \"7\""},
        {ANNOTATION("\"image_id\":7"), "annotations[0]", "\"category_id\", an integer, is missing"},
        {WITH("\"area\":1"), "annotations[0]", "x, y, width, height, not null or missing"},
        {WITH("\"bbox\":{}"), "annotations[0]", "not object"},
        {WITH("\"bbox\":[1,2,3]"), "annotations[0]", "4 numbers, not 3"},
        {WITH("\"bbox\":[1,2,3,\"4\"]"), "annotations[0]", "\"bbox\"[3] must be a number"},
        {WITH("\"bbox\":[1,2,3,4],\"area\":\"big\""), "annotations[0]", "\"area\" must be"},
        {WITH("\"bbox\":[1,2,3,4],\"iscrowd\":2"), "annotations[0]", "0 or 1, not 2"},
        {WITH("\"bbox\":[1,2,3,4],\"ignore\":\"no\""), "annotations[0]", "0 or 1, not \"no\""},
        {ANNOTATION("\"id\":1.5,\"image_id\":7,\"category_id\":1,\"bbox\":[1,2,3,4]"),
         "annotations[0]", "\"id\" must be an integer of 64 bits, not 1.5"},
        {"{" IMAGES ",\"annotations\":[{\"bbox\":[NaN,1,1,1]}]}", "line 1, column 144", "NaN"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_annotations *a = NULL;
        det_error error = {0};
        test_assert_error(read_text(cases[i].text, &a, &error), DET_FORMAT, &error,
                          cases[i].message);
        assert_string_equal(error.where, cases[i].where);
        assert_string_equal(error.file, test_path("annotations.json"));
        assert_null(a);
    }
}

static void what_is_no_annotations_is_refused_saying_what_is_read(void **state)
{
    (void)state;
    det_annotations *a = NULL;
    det_error error = {0};
    test_write_file(test_path("notes.txt"), "x", 1);
    test_assert_error(det_annotations_read(test_path("notes.txt"), NULL, &a, &error),
                      DET_UNSUPPORTED, &error, "COCO (a .json file, or a folder with one");
    test_assert_error(det_annotations_read(test_path("absent.json"), NULL, &a, &error), DET_IO,
                      &error, "No such file");
    assert_string_equal(error.file, test_path("absent.json"));
    const det_annotations_options options = {.split = "train"};
    const char text[] = "{" IMAGES "}";
    test_write_file(test_path("coco.json"), text, strlen(text));
    test_assert_error(det_annotations_read(test_path("coco.json"), &options, &a, &error),
                      DET_ARGUMENT, &error, "no split \"train\"");
}

static void pictures_are_looked_for_where_data_sets_have_them(void **state)
{
    (void)state;
    static const struct {
        const char *json, *picture, *expected;
    } cases[] = {
        {"one/all.json", "one/a.jpg", "one/"},
        {"two/train.json", "two/train/a.jpg", "two/train"},
        {"three/x.json", "three/images/a.jpg", "three/images/"},
        {"four/annotations/instances_val2017.json", "four/val2017/a.jpg",
         "four/annotations/../val2017"},
        {"five/x.json", NULL, "five"},
    };
    const char text[] = "{" IMAGES "}";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[512], expected[512];
        if (cases[i].picture) test_write_below(cases[i].picture, "");
        snprintf(json, sizeof json, "%s", test_write_below(cases[i].json, text));
        snprintf(expected, sizeof expected, "%s/%s", test_folder(), cases[i].expected);
        det_annotations *a = NULL;
        det_error error = {0};
        test_assert_ok(det_annotations_read(json, NULL, &a, &error), &error);
        assert_string_equal(a->folder, expected);
        det_annotations_free(a);

        const det_annotations_options options = {.pictures = "/else/where"};
        test_assert_ok(det_annotations_read(json, &options, &a, &error), &error);
        assert_string_equal(a->folder, "/else/where");
        det_annotations_free(a);
    }
}

#ifdef DET_FAULT_INJECTION
static void memory_that_runs_short_is_an_error(void **state)
{
    (void)state;
    const char text[] =
        "{" IMAGES "," CATEGORIES ",\"annotations\":[" OBJECT(1, 7, 1) "," OBJECT(1, 99, 1) "]}";
    const char *path = test_path("short.json");
    test_write_file(path, text, strlen(text));
    test_assert_memory_failures(path, NULL);
}
#endif

/* The sums were taken with Python's json module. */
static void the_fruit_data_set_is_read_whole(void **state)
{
    (void)state;
    static const struct {
        const char *path, *folder;
        size_t images, objects;
    } sets[] = {{"data/fruit/train.json", "data/fruit/train", 240, 465},
                {"data/fruit/test.json", "data/fruit/test", 60, 117}};
    for (size_t i = 0; i < 2; i++) {
        det_annotations *a = NULL;
        det_error error = {0};
        test_assert_ok(det_annotations_read(test_data(sets[i].path), NULL, &a, &error), &error);
        assert_string_equal(a->folder, test_data(sets[i].folder));
        assert_int_equal(a->image_count, sets[i].images);
        assert_int_equal(a->object_count, sets[i].objects);
        assert_int_equal(a->category_count, 3);
        assert_string_equal(a->categories[2].name, "orange");
        if (i == 0) {
            const det_annotated_object *o = &a->objects[0];
            assert_true(o->box[0] == 8 && o->box[1] == 15 && o->box[2] == 323 && o->box[3] == 334);
            assert_true(o->area == 107882);
        }
        det_annotations_free(a);
    }
}

static void the_coco_annotations_are_read_whole(void **state)
{
    (void)state;
    det_annotations *a = NULL;
    det_error error = {0};
    const char *path = test_data("oracles/coco100/instances_val2014_100.json");
    test_assert_ok(det_annotations_read(path, NULL, &a, &error), &error);
    assert_int_equal(a->image_count, 100);
    assert_int_equal(a->object_count, 839);
    assert_int_equal(a->category_count, 80);
    assert_int_equal(a->categories[79].id, 90); /* there are gaps */
    size_t index = 0, crowds = 0;
    for (size_t i = 0; i < a->object_count; i++) crowds += a->objects[i].crowd;
    assert_int_equal(crowds, 9);
    test_assert_ok(det_annotations_find_image(a, "x/COCO_val2014_000000001146.jpg", &index, &error),
                   &error);
    assert_int_equal(a->images[index].id, 1146);
    assert_int_equal(a->images[index].width, 427);
    for (size_t i = 0; i < a->object_count; i++)
        if (a->objects[i].id == 1774) assert_true(a->objects[i].area == 18234.62355);
    det_annotations_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_kept_as_the_file_has_them),
        cmocka_unit_test(a_box_becomes_corners),
        cmocka_unit_test(members_come_in_any_order_and_objects_are_grouped),
        cmocka_unit_test(pictures_without_objects_are_legal),
        cmocka_unit_test(what_is_strange_is_counted_and_told),
        cmocka_unit_test(the_last_object_of_each_id_is_known),
        cmocka_unit_test(an_area_that_is_missing_is_that_of_the_box),
        cmocka_unit_test(files_and_names_that_are_there_twice_are_told),
        cmocka_unit_test(names_without_their_endings_are_found),
        cmocka_unit_test(marks_of_voc_are_read_where_they_are_1),
        cmocka_unit_test(what_is_not_read_is_counted_by_name),
        cmocka_unit_test(names_of_what_is_not_read_are_limited),
        cmocka_unit_test(what_is_wrong_is_refused_with_its_place),
        cmocka_unit_test(what_is_no_annotations_is_refused_saying_what_is_read),
        cmocka_unit_test(pictures_are_looked_for_where_data_sets_have_them),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(memory_that_runs_short_is_an_error),
#endif
        cmocka_unit_test(the_fruit_data_set_is_read_whole),
        cmocka_unit_test(the_coco_annotations_are_read_whole),
    };
    return cmocka_run_group_tests_name("annotations_coco", tests, NULL, NULL);
}
