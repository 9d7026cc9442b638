/* SPDX-License-Identifier: Apache-2.0 */
#include "src/data/annotations.h"
#include "tests/unit/support.h"
#include "tests/unit/support_annotations.h"
#include "tests/unit/support_image.h"

#include <stdio.h>
#include <string.h>

#include <png.h>

static const char names[] = "names: [cat, dog]\n";

static det_annotations *read_ok(const char *path, const char *split)
{
    const det_annotations_options options = {.split = split};
    det_annotations *annotations = NULL;
    det_error error = {0};
    test_assert_ok(det_annotations_read(path, &options, &annotations, &error), &error);
    return annotations;
}

static det_status read_split(const char *path, const char *split, det_error *error)
{
    const det_annotations_options options = {.split = split};
    det_annotations *annotations = NULL;
    const det_status status = det_annotations_read(path, &options, &annotations, error);
    det_annotations_free(annotations);
    return status;
}

/* A picture of 200 x 100 pixels. */
static void write_picture(const char *name)
{
    det_image image = {0};
    det_error error = {0};
    test_write_below(name, "");
    test_assert_ok(det_image_create(200, 100, &image, &error), &error);
    test_assert_ok(det_image_write(&image, test_path(name), &error), &error);
    det_image_free(&image);
}

/* set/images/{a,b}.png, labels of a with the text given. @return set. */
static const char *make_data_set(const char *set, const char *labels)
{
    char name[256];
    snprintf(name, sizeof name, "%s/images/a.png", set);
    write_picture(name);
    snprintf(name, sizeof name, "%s/images/b.png", set);
    write_picture(name);
    snprintf(name, sizeof name, "%s/labels/a.txt", set);
    test_write_below(name, labels);
    snprintf(name, sizeof name, "%s/data.yaml", set);
    test_write_below(name, names);
    return test_path(set);
}

/* Centre .5 .25 of 200 x 100, size .1 .2: 90..110, 15..35; area 20 * 20. */
static void a_box_is_kept_relative_and_becomes_pixels(void **state)
{
    (void)state;
    char path[512];
    const char *set = make_data_set("one", "1 0.5 0.25 0.1 0.2\n");
    snprintf(path, sizeof path, "%s/images/a.png", set);
    det_annotations *a = read_ok(set, NULL);
    assert_int_equal(a->format, DET_ANNOTATIONS_YOLO);
    assert_string_equal(a->folder, "");
    assert_int_equal(a->image_count, 2);
    assert_string_equal(a->images[0].file, path);
    assert_int_equal(a->images[0].width, 200);
    assert_int_equal(a->images[0].height, 100);
    assert_int_equal(a->object_count, 1);
    const det_annotated_object *o = &a->objects[0];
    assert_true(o->box[0] == .5 && o->box[1] == .25 && o->box[2] == .1 && o->box[3] == .2);
    assert_true(o->area > 399.999 && o->area < 400.001);
    assert_string_equal(a->categories[o->category].name, "dog");
    assert_int_equal(a->categories[o->category].id, 1);
    const det_box box = det_annotations_box(a, 0);
    assert_float_equal(box.x0, 90, 1e-4);
    assert_float_equal(box.y0, 15, 1e-4);
    assert_float_equal(box.x1, 110, 1e-4);
    assert_float_equal(box.y1, 35, 1e-4);
    assert_int_equal(a->warning_count, 1);
    test_assert_warning(a, DET_ODDITY_NO_LABELS, 1, "b.png");
    det_annotations_free(a);
}

/* The outline .1 .2, .5 .3, .3 .8 lies in .1..5, .2...8: centre .3 .5, size .4 .6. */
static void an_outline_becomes_the_box_around_it(void **state)
{
    (void)state;
    const char *set = make_data_set("outline", "0 .1 .2 .5 .3 .3 .8\n1 .5 .5 .1 .1\n");
    det_annotations *a = read_ok(set, NULL);
    assert_int_equal(a->object_count, 2);
    assert_float_equal(a->objects[0].box[0], .3, 1e-12);
    assert_float_equal(a->objects[0].box[1], .5, 1e-12);
    assert_float_equal(a->objects[0].box[2], .4, 1e-12);
    assert_float_equal(a->objects[0].box[3], .6, 1e-12);
    test_assert_warning(a, DET_ODDITY_POLYGON, 1, "object 1 on ");
    det_annotations_free(a);
}

static void blank_lines_and_line_ends_of_windows_are_no_matter(void **state)
{
    (void)state;
    const char *set =
        make_data_set("lines", "\xEF\xBB\xBF\r\n0 .5 .5 .1 .1\r\n \n\n1\t.5  .5 .1 .2\r\n\r\n");
    det_annotations *a = read_ok(set, NULL);
    assert_int_equal(a->object_count, 2);
    assert_true(a->objects[1].box[3] == .2);
    det_annotations_free(a);
}

static void a_label_that_is_wrong_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *labels, *where, *message;
    } cases[] = {
        {"0 .5 .5 .1 .1\n0 .5 .5 .1 .1 .97\n", "line 2",
         "6 columns are a result with its score, not a label"},
        {"\n0 .5 .5 .1\n", "line 2", "4 columns; a label has 5"},
        {"0 .1 .2 .3 .4 .5 .6 .7\n", "line 1", "8 columns"},
        {"x .5 .5 .1 .1\n", "line 1", "\"x\" is not the number of a class"},
        {"-1 .5 .5 .1 .1\n", "line 1", "\"-1\" is not the number"},
        {"0.5 .5 .5 .1 .1\n", "line 1", "\"0.5\" is not the number"},
        {"2 .5 .5 .1 .1\n", "line 1",
         "class 2 has no name: there are 2 names, the last of class 1"},
        {"0 .5 nan .1 .1\n", "line 1", "\"nan\" is not a number"},
        {"0 .5 .5 .1 0x1\n", "line 1", "\"0x1\" is not a number"},
        {"0 50 20 30 40\n", "line 1", "50 is not relative to the picture"},
        {"0 .1 .2 .3 .4 .5 60\n", "line 1", "60 is not relative to the picture"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[512];
        det_error error = {0};
        const char *set = make_data_set("wrong", cases[i].labels);
        snprintf(path, sizeof path, "%s/labels/a.txt", set);
        test_assert_error(read_split(set, NULL, &error), DET_FORMAT, &error, cases[i].message);
        assert_string_equal(error.where, cases[i].where);
        assert_string_equal(error.file, path);
    }
}

static void what_is_strange_is_counted_and_told(void **state)
{
    (void)state;
    make_data_set("strange", "0 .5 .5 0 .1\n0 .5 .5 .1 -.1\n0 .95 .5 .2 .1\n0 .5 .5 1 1\n");
    test_write_below("strange/labels/b.txt", "");
    test_write_below("strange/labels/c.txt", "what is never read");
    test_write_below("strange/labels/classes.txt", "cat\ndog\n");
    test_write_below("strange/images/d.jpg", "no picture");
    test_write_below("strange/labels/d.txt", "1 .5 .5 .1 .1\n");
    det_annotations *a = read_ok(test_path("strange"), NULL);
    assert_int_equal(a->image_count, 3);
    assert_int_equal(a->object_count, 5);
    assert_int_equal(a->warning_count, 4);
    test_assert_warning(a, DET_ODDITY_EMPTY, 2, "object 1 on ");
    test_assert_warning(a, DET_ODDITY_OUTSIDE, 1, "object 3 on ");
    test_assert_warning(a, DET_ODDITY_NO_PICTURE, 1, "strange/labels/c.txt");
    test_assert_warning(a, DET_ODDITY_UNREADABLE, 1, "d.jpg: not a picture");
    assert_int_equal(a->images[2].width, 0);
    const det_box box = det_annotations_box(a, 4);
    assert_true(box.x0 == 0 && box.y0 == 0 && box.x1 == 0 && box.y1 == 0);
    assert_true(a->objects[4].area == 0);
    det_annotations_free(a);
}

/* As Ultralytics lays them out, as Roboflow does, as lists, as darknet and LabelImg do. */
static void pictures_are_found_in_every_usual_layout(void **state)
{
    (void)state;
    write_picture("u/images/train/a.png");
    write_picture("u/images/val/b.png");
    write_picture("u/images/val/deep/c.png");
    test_write_below("u/labels/train/a.txt", "0 .5 .5 .1 .1\n");
    test_write_below("u/labels/val/deep/c.txt", "1 .5 .5 .1 .1\n");
    test_write_below("u/u.yaml", "path: ../datasets/u\ntrain: images/train\nval: images/val\n"
                                 "test: images/absent\nnames:\n  0: cat\n  1: dog\n");
    write_picture("r/train/images/a.png");
    write_picture("r/valid/images/b.png");
    test_write_below("r/valid/labels/b.txt", "1 .5 .5 .1 .1\n");
    test_write_below("r/data.yaml", "train: ../train/images\nval: ../valid/images\nnames: "
                                    "['cat', 'dog']\n");
    test_write_below("l/train.txt", "./images/a.png\r\n\n./images/b.png\n./images/a.png\n");
    write_picture("l/images/a.png");
    write_picture("l/images/b.png");
    write_picture("l/images/c.png");
    test_write_below("l/labels/c.txt", "0 .5 .5 .1 .1\n");
    test_write_below("l/data.yml", "path: .\ntrain: train.txt\nval:\nnames: {0: cat}\n");
    write_picture("d/a.png");
    test_write_below("d/a.txt", "1 .5 .5 .1 .1\n");
    test_write_below("d/classes.txt", "cat\r\ndog\r\n\n");

    static const struct {
        const char *path, *split;
        size_t images, objects, classes, warnings;
        const char *last;
    } cases[] = {
        {"u", NULL, 3, 2, 2, 1, "images/val/deep/c.png"},
        {"u/u.yaml", NULL, 3, 2, 2, 1, "images/val/deep/c.png"},
        {"u", "train", 1, 1, 2, 0, "images/train/a.png"},
        {"u", "val", 2, 1, 2, 1, "images/val/deep/c.png"},
        {"r", NULL, 2, 1, 2, 1, "valid/images/b.png"},
        {"r", "val", 1, 1, 2, 0, "valid/images/b.png"},
        {"l", NULL, 2, 0, 1, 1, "images/b.png"},
        {"l", "train", 2, 0, 1, 1, "images/b.png"},
        {"d", NULL, 1, 1, 2, 0, "d/a.png"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_annotations *a = read_ok(test_path(cases[i].path), cases[i].split);
        assert_int_equal(a->image_count, cases[i].images);
        assert_int_equal(a->object_count, cases[i].objects);
        assert_int_equal(a->category_count, cases[i].classes);
        assert_int_equal(a->warning_count, cases[i].warnings);
        assert_non_null(strstr(a->images[a->image_count - 1].file, cases[i].last));
        assert_int_equal(a->images[0].width, 200);
        det_annotations_free(a);
    }
}

static void a_split_without_an_entry_is_a_folder(void **state)
{
    (void)state;
    write_picture("s/images/train/a.png");
    write_picture("s/holdout/images/b.png");
    test_write_below("s/data.yaml", names);
    for (int i = 0; i < 2; i++) {
        det_annotations *a = read_ok(test_path("s"), i ? "holdout" : "train");
        assert_int_equal(a->image_count, 1);
        det_annotations_free(a);
    }
    det_error error = {0};
    test_assert_error(read_split(test_path("s"), "val", &error), DET_ARGUMENT, &error,
                      "there is no split \"val\"");
    assert_string_equal(error.file, test_path("s"));
}

static void what_is_missing_is_told(void **state)
{
    (void)state;
    det_error error = {0};
    write_picture("m/images/a.png");
    test_assert_error(read_split(test_path("m"), NULL, &error), DET_FORMAT, &error,
                      "nothing names the classes");
    test_write_below("m/a.yaml", "nc: 3\n");
    test_assert_error(read_split(test_path("m"), NULL, &error), DET_FORMAT, &error,
                      "gives no \"names\"");
    test_write_below("m/b.yaml", names);
    test_assert_error(read_split(test_path("m"), NULL, &error), DET_ARGUMENT, &error,
                      "2 .yaml files, a.yaml and b.yaml");
    test_write_below("m/data.yaml", "train: absent\nnames: [x]\n");
    test_assert_error(read_split(test_path("m"), NULL, &error), DET_IO, &error,
                      "none of the pictures");
    test_assert_error(read_split(test_path("m"), "train", &error), DET_IO, &error,
                      "\"absent\" is not there");
    test_write_below("m/data.yaml", "train: list.txt\nnames: [x]\n");
    test_write_below("m/list.txt", "a\0b.png");
    test_write_file(test_path("m/list.txt"), "a\0b", 3);
    test_assert_error(read_split(test_path("m"), "train", &error), DET_FORMAT, &error,
                      "is not a list of pictures");
    test_write_below("n/some.doc", "");
    test_assert_error(read_split(test_path("n"), NULL, &error), DET_UNSUPPORTED, &error,
                      "YOLO (a folder with images/");
}

#ifdef DET_FAULT_INJECTION
static void memory_that_runs_short_is_an_error(void **state)
{
    (void)state;
    const char *set = make_data_set("memory", "0 .5 .5 .1 .1\n0 .1 .2 .5 .3 .3 .8\n");
    test_write_below("memory/labels/c.txt", "");
    test_assert_memory_failures(set, NULL);
    test_write_below("memory/data.yaml", "path: .\ntrain: list.txt\nnames: {0: x, 1: 'y'}\n");
    test_write_below("memory/list.txt", "./images/a.png\nimages/b.png\n");
    const det_annotations_options options = {.split = "train"};
    test_assert_memory_failures(set, &options);
}
#endif

/* 128 pictures, two without labels (.txt counted with ls), 929 lines of labels (wc -l). */
static void coco128_is_read_whole(void **state)
{
    (void)state;
    det_annotations *a = read_ok(test_data("data/coco128"), NULL);
    size_t index = 0;
    assert_int_equal(a->image_count, 128);
    assert_int_equal(a->object_count, 929);
    assert_int_equal(a->category_count, 80);
    assert_string_equal(a->categories[79].name, "toothbrush");
    test_assert_warning(a, DET_ODDITY_NO_LABELS, 2, ".jpg");
    assert_int_equal(a->warning_count, 1);
    det_error error = {0};
    test_assert_ok(det_annotations_find_image(a, "000000000009.jpg", &index, &error), &error);
    assert_int_equal(a->images[index].object_count, 8);
    assert_int_equal(a->images[index].width, 640);
    assert_int_equal(a->images[index].height, 480);
    const det_annotated_object *o = &a->objects[a->images[index].first_object];
    assert_true(o->box[0] == 0.479492 && o->box[3] == 0.5955);
    assert_string_equal(a->categories[o->category].name, "bowl");
    det_annotations_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_box_is_kept_relative_and_becomes_pixels),
        cmocka_unit_test(an_outline_becomes_the_box_around_it),
        cmocka_unit_test(blank_lines_and_line_ends_of_windows_are_no_matter),
        cmocka_unit_test(a_label_that_is_wrong_is_refused_with_its_line),
        cmocka_unit_test(what_is_strange_is_counted_and_told),
        cmocka_unit_test(pictures_are_found_in_every_usual_layout),
        cmocka_unit_test(a_split_without_an_entry_is_a_folder),
        cmocka_unit_test(what_is_missing_is_told),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(memory_that_runs_short_is_an_error),
#endif
        cmocka_unit_test(coco128_is_read_whole),
    };
    return cmocka_run_group_tests_name("annotations_yolo", tests, NULL, NULL);
}
