/* SPDX-License-Identifier: Apache-2.0 */
#include "src/data/annotations.h"
#include "tests/unit/support.h"
#include "tests/unit/support_annotations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOX(a, b, c, d)                                                                            \
    "<bndbox><xmin>" #a "</xmin><ymin>" #b "</ymin><xmax>" #c "</xmax><ymax>" #d "</ymax></"       \
    "bndbox>"
#define OBJECT(name, more) "<object><name>" name "</name>" more "</object>"
#define SIZE "<size><width>500</width><height>375</height><depth>3</depth></size>"
#define FILE_OF(name, more) "<annotation><filename>" name "</filename>" SIZE more "</annotation>"

/* Reads one XML text as picture "p" of annotations that are then finished. */
static det_status parse(const char *text, size_t size, det_annotations **annotations,
                        det_error *error)
{
    det_annotations_data *data = det_annotations_begin(DET_ANNOTATIONS_VOC, error);
    det_status status = det_voc_parse(text, size, "p", data, error);
    if (status == DET_OK) status = det_voc_sort_categories(data, error);
    if (status == DET_OK) status = det_annotations_finish(data, error);
    if (status < 0)
        det_annotations_free(&data->seen);
    else
        *annotations = &data->seen;
    return status;
}

static det_annotations *parse_ok(const char *text)
{
    det_annotations *annotations = NULL;
    det_error error = {0};
    test_assert_ok(parse(text, strlen(text), &annotations, &error), &error);
    return annotations;
}

static det_annotations *read_ok(const char *path, const det_annotations_options *options)
{
    det_annotations *annotations = NULL;
    det_error error = {0};
    test_assert_ok(det_annotations_read(path, options, &annotations, &error), &error);
    return annotations;
}

/* Area (195 - 48 + 1) (371 - 240 + 1) = 148 * 132 = 19536. */
static void an_object_is_kept_as_the_file_has_it(void **state)
{
    (void)state;
    det_annotations *a = parse_ok(FILE_OF(
        "p.jpg",
        OBJECT("dog", "<pose>Left</pose><truncated>1</truncated>"
                      "<difficult>0</difficult><occluded>1</occluded>" BOX(48, 240, 195, 371))));
    assert_int_equal(a->format, DET_ANNOTATIONS_VOC);
    assert_int_equal(a->image_count, 1);
    assert_string_equal(a->images[0].file, "p.jpg");
    assert_int_equal(a->images[0].width, 500);
    assert_int_equal(a->images[0].height, 375);
    assert_int_equal(a->object_count, 1);
    const det_annotated_object *o = &a->objects[0];
    assert_true(o->box[0] == 48 && o->box[1] == 240 && o->box[2] == 195 && o->box[3] == 371);
    assert_true(o->area == 19536);
    assert_true(o->truncated && o->occluded && !o->difficult && !o->crowd);
    assert_int_equal(o->id, 1);
    assert_string_equal(a->categories[o->category].name, "dog");
    const det_box box = det_annotations_box(a, 0);
    assert_true(box.x0 == 47 && box.y0 == 239 && box.x1 == 195 && box.y1 == 371);
    assert_int_equal(a->warning_count, 0);
    det_annotations_free(a);
}

/* A person's head and hands have boxes, which may stand before its own; and names. */
static void parts_are_not_taken_for_objects(void **state)
{
    (void)state;
    det_annotations *a = parse_ok(FILE_OF(
        "p.jpg",
        OBJECT("person", "<part><name>head</name>" BOX(1, 2, 3, 4) "</part>" BOX(
                             10, 20, 30, 40) "<part><name>hand</name>" BOX(5, 6, 7, 8) "</part>")));
    assert_int_equal(a->object_count, 1);
    assert_int_equal(a->category_count, 1);
    assert_string_equal(a->categories[0].name, "person");
    assert_true(a->objects[0].box[0] == 10 && a->objects[0].box[3] == 40);
    det_annotations_free(a);
}

static void what_is_missing_has_a_default_and_numbers_may_be_fractions(void **state)
{
    (void)state;
    det_annotations *a = parse_ok("<annotation>" OBJECT(
        "cat", "<truncated>Unspecified</truncated><difficult/>" BOX(1.5, 2e0, 30.25, 40))
                                      OBJECT(" cat\n", BOX(1, 2, 3, 4)) "</annotation>");
    assert_string_equal(a->images[0].file, "p.jpg");
    assert_int_equal(a->images[0].width, 0);
    assert_int_equal(a->object_count, 2);
    assert_int_equal(a->category_count, 1);
    assert_true(a->objects[0].box[0] == 1.5 && a->objects[0].box[2] == 30.25);
    assert_true(!a->objects[0].difficult && !a->objects[0].truncated);
    det_annotations_free(a);
}

/* A part counts once, with what is in it; a folder says nothing, nor does a pose that is not. */
static void what_is_not_read_is_counted_by_its_place(void **state)
{
    (void)state;
    det_annotations *a = parse_ok(
        "<annotation><folder>VOC2007</folder><owner><name>x</name></owner><segmented>0</segmented>"
        "<size><width>9</width><depth>3</depth></size>" OBJECT(
            "cat", "<pose>Frontal</pose><part><name>head</name></part>" BOX(1, 2, 3, 4))
            OBJECT("cat",
                   "<pose>Unspecified</pose><part/><part/>" BOX(1, 2, 3, 4)) "</annotation>");
    static const struct {
        const char *name;
        size_t count;
    } unread[] = {{"owner", 1}, {"object/pose", 1}, {"object/part", 3}};
    assert_int_equal(a->unread_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(a->unread[i].name, unread[i].name);
        assert_int_equal(a->unread[i].count, unread[i].count);
    }
    det_annotations_free(a);
}

static void of_several_elements_in_one_place_the_first_counts(void **state)
{
    (void)state;
    det_annotations *a = parse_ok(
        FILE_OF("p.jpg", OBJECT("dog", "<name>cat</name>" BOX(1, 2, 3, 4) BOX(5, 6, 7, 8))));
    assert_string_equal(a->categories[0].name, "dog");
    assert_true(a->objects[0].box[0] == 1);
    det_annotations_free(a);
}

static void the_name_of_the_xml_file_counts(void **state)
{
    (void)state;
    det_annotations *a = parse_ok(FILE_OF("some/where/else.png", ""));
    assert_string_equal(a->images[0].file, "p.png");
    test_assert_warning(a, DET_ODDITY_OTHER_FILENAME, 1, "p.xml names some/where/else.png");
    det_annotations_free(a);
}

static void encodings_of_xml_are_read(void **state)
{
    (void)state;
    det_annotations *a = parse_ok("\xEF\xBB\xBF<?xml version=\"1.0\"?>" FILE_OF(
        "p.jpg", OBJECT("B\xC3\xA4r", BOX(1, 2, 3, 4))));
    assert_string_equal(a->categories[0].name, "B\xC3\xA4r");
    det_annotations_free(a);
    a = parse_ok("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" FILE_OF(
        "p.jpg", OBJECT("B\xE4r &amp; Co", BOX(1, 2, 3, 4))));
    assert_string_equal(a->categories[0].name, "B\xC3\xA4r & Co");
    det_annotations_free(a);
}

static void deep_foreign_elements_are_passed_over(void **state)
{
    (void)state;
    char text[8192] = "<annotation>", name[200];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    for (int i = 0; i < 10; i++) {
        strcat(strcat(strcat(text, "<"), name), ">");
    }
    strcat(text, OBJECT("x", BOX(1, 2, 3, 4)));
    for (int i = 0; i < 10; i++) {
        strcat(strcat(strcat(text, "</"), name), ">");
    }
    strcat(text, OBJECT("y", BOX(1, 2, 3, 4)) "</annotation>");
    det_annotations *a = parse_ok(text);
    assert_int_equal(a->object_count, 1);
    assert_string_equal(a->categories[0].name, "y");
    det_annotations_free(a);
}

static void what_is_wrong_is_refused_with_its_place(void **state)
{
    (void)state;
    static char deep[400] = "<annotation>", long_name[6000];
    for (int i = 0; i < 32; i++) strcat(deep, "<a>");
    strcpy(long_name, "<annotation><object><name>");
    memset(long_name + strlen(long_name), 'x', 5000);
    strcat(long_name, "</name></object></annotation>");
    const struct {
        const char *text, *where, *message;
        det_status status;
    } cases[] = {
        {"", "line 1, column 1", "XML: no element found", DET_FORMAT},
        {"<annotation>\n<object>\n</annotation>", "line 3, column 3", "XML: mismatched tag",
         DET_FORMAT},
        {"<html></html>", "line 1, column 1", "begins with <annotation>, this one with <html>",
         DET_FORMAT},
        {"<annotation>\xFF</annotation>", "line 1, column 13", "not well-formed", DET_FORMAT},
        {"<annotation>\n<object></object></annotation>", "line 2, column 9", "has no <name>",
         DET_FORMAT},
        {"<annotation><object><name> </name></object></annotation>", "line 1, column 28",
         "<name> of an object is empty", DET_FORMAT},
        {"<annotation><object><name>x</name><bndbox><xmin>1</xmin></bndbox></object></annotation>",
         "line 1, column 66", "has no <ymin>", DET_FORMAT},
        {"<annotation>" OBJECT("x", BOX(1, 2, nan, 4)) "</annotation>", "line 1, column 80",
         "<xmax> must be a number, not \"nan\"", DET_FORMAT},
        {"<annotation>" OBJECT("x", BOX(1, , 3, 4)) "</annotation>", "line 1, column 63",
         "<ymin> must be a number, not \"\"", DET_FORMAT},
        {"<annotation><size><width>-1</width></size></annotation>", "line 1, column 28",
         "from 0 to 2147483647, not \"-1\"", DET_FORMAT},
        {"<annotation><size><height>1.5</height></size></annotation>", "line 1, column 30",
         "not \"1.5\"", DET_FORMAT},
        {"<!DOCTYPE a [<!ENTITY b \"bbb\">]>\n<annotation>&b;</annotation>", "line 1, column 25",
         "the entity \"b\" is declared", DET_UNSUPPORTED},
        {"<!DOCTYPE a [<!ENTITY b SYSTEM \"/etc/passwd\">]><annotation>&b;</annotation>",
         "line 1, column 45", "the entity \"b\" is declared", DET_UNSUPPORTED},
        {deep, "line 1, column 106", "more than 32 deep", DET_LIMIT},
        {long_name, "line 1, column 27", "<name> has more than 4096 bytes", DET_LIMIT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_annotations *a = NULL;
        det_error error = {0};
        test_assert_error(parse(cases[i].text, strlen(cases[i].text), &a, &error), cases[i].status,
                          &error, cases[i].message);
        if (strcmp(error.where, cases[i].where) != 0)
            fail_msg("case %zu: %s, not %s", i, error.where, cases[i].where);
    }
}

/* root/Annotations/{b,a,c.d}.xml, a split with a and c.d in it, JPEGImages/. */
static const char *make_data_set(const char *root)
{
    char name[256];
    static const char *const stems[] = {"b", "a", "c.d"};
    static const char *const objects[] = {OBJECT("dog", BOX(1, 1, 10, 10)),
                                          OBJECT("cat", BOX(2, 2, 600, 10)), ""};
    for (int i = 0; i < 3; i++) {
        char text[1024];
        snprintf(text, sizeof text, FILE_OF("%s.jpeg", "%s"), stems[i], objects[i]);
        snprintf(name, sizeof name, "%s/Annotations/%s.xml", root, stems[i]);
        test_write_below(name, text);
    }
    snprintf(name, sizeof name, "%s/JPEGImages/a.jpeg", root);
    test_write_below(name, "");
    snprintf(name, sizeof name, "%s/ImageSets/Main/val.txt", root);
    test_write_below(name, "c.d  1\r\n\n  a -1\n");
    return test_path(root);
}

static void a_data_set_is_read_in_the_order_of_the_names(void **state)
{
    (void)state;
    char pictures[512];
    const char *root = make_data_set("voc");
    snprintf(pictures, sizeof pictures, "%s/JPEGImages", root);
    det_annotations *a = read_ok(root, NULL);
    assert_string_equal(a->folder, pictures);
    assert_int_equal(a->image_count, 3);
    assert_string_equal(a->images[0].file, "a.jpeg");
    assert_string_equal(a->images[1].file, "b.jpeg");
    assert_string_equal(a->images[2].file, "c.d.jpeg");
    assert_int_equal(a->images[1].id, 2);
    assert_int_equal(a->images[1].first_object, 1);
    assert_int_equal(a->category_count, 2);
    assert_string_equal(a->categories[0].name, "cat");
    assert_string_equal(a->categories[1].name, "dog");
    assert_int_equal(a->categories[1].id, 2);
    assert_int_equal(a->objects[1].category, 1);
    test_assert_warning(a, DET_ODDITY_OUTSIDE, 1, "object 1 on a.jpeg, 500 x 375 pixels");
    det_annotations_free(a);
}

static void a_split_lists_its_pictures(void **state)
{
    (void)state;
    const char *root = make_data_set("voc");
    const det_annotations_options val = {.split = "val"}, absent = {.split = "test"};
    for (int i = 0; i < 2; i++) { /* from the root, and from its Annotations/ */
        char path[512];
        snprintf(path, sizeof path, "%s%s", root, i ? "/Annotations" : "");
        det_annotations *a = read_ok(path, &val);
        assert_int_equal(a->image_count, 2);
        assert_string_equal(a->images[0].file, "c.d.jpeg");
        assert_string_equal(a->images[1].file, "a.jpeg");
        assert_int_equal(a->images[0].object_count, 0);
        assert_int_equal(a->category_count, 1);
        assert_non_null(strstr(a->folder, "/JPEGImages"));
        det_annotations_free(a);
    }
    det_annotations *a = NULL;
    det_error error = {0};
    test_assert_error(det_annotations_read(root, &absent, &a, &error), DET_ARGUMENT, &error,
                      "would list the pictures of the split \"test\"");

    test_write_below("voc/ImageSets/Main/twice.txt", "a\nb\na\n");
    const det_annotations_options twice = {.split = "twice"};
    test_assert_error(det_annotations_read(root, &twice, &a, &error), DET_FORMAT, &error,
                      "\"a\" is there twice");
    assert_string_equal(error.where, "line 3");

    test_write_below("voc/ImageSets/Main/more.txt", "z\n");
    const det_annotations_options more = {.split = "more"};
    test_assert_error(det_annotations_read(root, &more, &a, &error), DET_IO, &error,
                      "is not there, but ImageSets/Main/more.txt lists \"z\"");
    assert_non_null(strstr(error.file, "/Annotations/z.xml"));
}

static void a_folder_of_xml_files_has_its_pictures_beside_them(void **state)
{
    (void)state;
    test_write_below("flat/one.xml", FILE_OF("one.jpg", OBJECT("x", BOX(1, 2, 3, 4))));
    det_annotations *a = read_ok(test_path("flat"), NULL);
    assert_int_equal(a->image_count, 1);
    assert_string_equal(a->folder, test_path("flat"));
    det_annotations_free(a);
}

static void an_error_names_the_file(void **state)
{
    (void)state;
    const char *path = test_write_below("bad/one.xml", "<annotation>");
    det_annotations *a = NULL;
    det_error error = {0};
    test_assert_error(det_annotations_read(test_path("bad"), NULL, &a, &error), DET_FORMAT, &error,
                      "XML");
    assert_string_equal(error.file, path);
}

static void pictures_are_found_by_name_with_an_ending_or_without(void **state)
{
    (void)state;
    det_annotations *a = read_ok(make_data_set("voc"), NULL);
    static const struct {
        const char *path;
        size_t index;
    } cases[] = {{"a", 0},   {"a.jpeg", 0},  {"x/y/b.PNG", 1},
                 {"c.d", 2}, {"c.d.jpg", 2}, {"b.tif", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t index = 99;
        det_error error = {0};
        test_assert_ok(det_annotations_find_image(a, cases[i].path, &index, &error), &error);
        assert_int_equal(index, cases[i].index);
    }
    size_t index = 99;
    det_error error = {0};
    test_assert_error(det_annotations_find_image(a, "x/c.jpg", &index, &error), DET_ARGUMENT,
                      &error, "no image of this name");
    assert_string_equal(error.file, "x/c.jpg");
    assert_int_equal(index, 99);
    det_annotations_free(a);
}

#ifdef DET_FAULT_INJECTION
static void memory_that_runs_short_is_an_error(void **state)
{
    (void)state;
    const det_annotations_options val = {.split = "val"};
    test_assert_memory_failures(make_data_set("voc"), NULL);
    test_assert_memory_failures(test_path("voc"), &val);
}
#endif

/* Counted with grep: 4952 files, 14976 objects, 2944 of them difficult. */
static void the_test_set_of_2007_is_read_whole(void **state)
{
    (void)state;
    test_unpack("oracles/voc07/annotations_test.tar.xz");
    det_annotations *a = read_ok(test_path("VOC2007"), NULL);
    size_t difficult = 0, index = 99;
    for (size_t i = 0; i < a->object_count; i++) difficult += a->objects[i].difficult;
    assert_int_equal(a->image_count, 4952);
    assert_int_equal(a->object_count, 14976);
    assert_int_equal(difficult, 2944);
    assert_int_equal(a->category_count, 20);
    assert_string_equal(a->categories[0].name, "aeroplane");
    assert_string_equal(a->categories[19].name, "tvmonitor");
    assert_int_equal(a->warning_count, 0);
    det_error error = {0};
    test_assert_ok(det_annotations_find_image(a, "000001", &index, &error), &error);
    assert_int_equal(index, 0);
    det_annotations_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_is_kept_as_the_file_has_it),
        cmocka_unit_test(parts_are_not_taken_for_objects),
        cmocka_unit_test(what_is_missing_has_a_default_and_numbers_may_be_fractions),
        cmocka_unit_test(what_is_not_read_is_counted_by_its_place),
        cmocka_unit_test(of_several_elements_in_one_place_the_first_counts),
        cmocka_unit_test(the_name_of_the_xml_file_counts),
        cmocka_unit_test(encodings_of_xml_are_read),
        cmocka_unit_test(deep_foreign_elements_are_passed_over),
        cmocka_unit_test(what_is_wrong_is_refused_with_its_place),
        cmocka_unit_test(a_data_set_is_read_in_the_order_of_the_names),
        cmocka_unit_test(a_split_lists_its_pictures),
        cmocka_unit_test(a_folder_of_xml_files_has_its_pictures_beside_them),
        cmocka_unit_test(an_error_names_the_file),
        cmocka_unit_test(pictures_are_found_by_name_with_an_ending_or_without),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(memory_that_runs_short_is_an_error),
#endif
        cmocka_unit_test(the_test_set_of_2007_is_read_whole),
    };
    return cmocka_run_group_tests_name("annotations_voc", tests, NULL, NULL);
}
