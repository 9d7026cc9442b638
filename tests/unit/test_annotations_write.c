/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "src/data/boxes.h"
#include "tests/unit/support.h"
#include "tests/unit/support_annotations.h"
#include "tests/unit/support_convert.h"
#include "tests/unit/support_results.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A picture of 90 x 60 pixels: a difficult cat in x 10, y 20, 20 x 40 pixels, and a dog. */
#define VOC                                                                                        \
    "<annotation><filename>a.jpg</filename><size><width>90</width><height>60</height></size>"      \
    "<object><name>cat</name><truncated>1</truncated><difficult>1</difficult><bndbox>"             \
    "<xmin>11</xmin><ymin>21</ymin><xmax>30</xmax><ymax>60</ymax></bndbox></object>"               \
    "<object><name>dog</name><occluded>1</occluded><bndbox><xmin>1</xmin><ymin>2</ymin>"           \
    "<xmax>90</xmax><ymax>3</ymax></bndbox></object></annotation>"

#define OBJECT(id, image, category, rest)                                                          \
    "{\"id\":" #id ",\"image_id\":" #image ",\"category_id\":" #category ",\"iscrowd\":0," rest "}"
#define COCO(images, objects)                                                                      \
    "{\"images\":[" images "],\"categories\":[{\"id\":18,\"name\":\"dog\"},"                       \
    "{\"id\":1,\"name\":\"R&D <x>\"}],\"annotations\":[" objects "]}"
#define IMAGE(id, name) "{\"id\":" #id ",\"file_name\":\"" name "\",\"width\":200,\"height\":100}"

/* Fails the test unless a file has this text. */
static void assert_text(const char *path, const char *expected)
{
    assert_string_equal(test_text_of(path), expected);
}

static void assert_write_error(const det_annotations *annotations, det_annotations_format format,
                               const char *path, const det_convert_options *options,
                               const char *part)
{
    det_losses *losses = NULL;
    det_error error = {0};
    test_assert_error(det_annotations_write(annotations, format, path, options, &losses, &error),
                      DET_ARGUMENT, &error, part);
    assert_null(losses);
}

/* ---- COCO ---- */

static void voc_becomes_coco_with_its_marks(void **state)
{
    (void)state;
    det_annotations *a = test_read_voc(VOC);
    const char *path = test_path("voc.json");
    det_losses *losses = test_write_annotations(a, DET_ANNOTATIONS_COCO, path, NULL);
    assert_text(path,
                "{\"info\":{},\n\"categories\":[\n{\"id\":1,\"name\":\"cat\"},\n{\"id\":2,"
                "\"name\":\"dog\"}\n],\n\"images\":[\n{\"id\":1,\"file_name\":\"a.jpg\","
                "\"width\":90,\"height\":60}\n],\n\"annotations\":[\n"
                "{\"id\":1,\"image_id\":1,\"category_id\":1,\"bbox\":[10,20,20,40],\"area\":800,"
                "\"iscrowd\":0,\"ignore\":1,\"difficult\":1,\"truncated\":1},\n"
                "{\"id\":2,\"image_id\":1,\"category_id\":2,\"bbox\":[0,1,90,2],\"area\":180,"
                "\"iscrowd\":0,\"occluded\":1}\n]}\n");
    assert_int_equal(losses->count, 1);
    test_assert_loss(losses, DET_LOSS_DIFFICULT, 1,
                     "pycocotools does not look: 1 (first: object 1 on a.jpg)");
    det_losses_free(losses);
    det_annotations_free(a);
}

static void coco_stays_coco_to_the_last_bit(void **state)
{
    (void)state;
    const char *text =
        "{\"info\":{},\n\"categories\":[\n{\"id\":18,\"name\":\"dog \\\"x\\\"\"}\n],\n"
        "\"images\":[\n{\"id\":7,\"file_name\":\"../b c.jpg\",\"width\":3,"
        "\"height\":4},\n{\"id\":3,\"file_name\":\"a.jpg\"}\n],\n\"annotations\":[\n"
        "{\"id\":9007199254740993,\"image_id\":3,\"category_id\":18,"
        "\"bbox\":[0.1,2.3,0.30000000000000004,1e-07],\"area\":12.75,\"iscrowd\":1,"
        "\"ignore\":1}\n]}\n";
    det_annotations *a = test_read_coco(text);
    const char *path = test_path("same.json");
    det_losses *losses = test_write_annotations(a, DET_ANNOTATIONS_COCO, path, NULL);
    assert_text(path, text);
    test_assert_no_loss(losses);
    det_losses_free(losses);
    det_annotations_free(a);
}

/* The objects of the second picture came first; in that order the last 5 is the first picture's. */
static void objects_that_share_an_id_keep_the_order_of_the_file(void **state)
{
    (void)state;
    det_annotations *a = test_read_coco(
        COCO(IMAGE(1, "a.jpg") "," IMAGE(2, "b.jpg"),
             OBJECT(5, 2, 18, "\"bbox\":[1,2,3,4],\"area\":12") "," OBJECT(
                 5, 1, 18,
                 "\"bbox\":[1,2,3,4],\"area\":12") "," OBJECT(6, 2, 18,
                                                              "\"bbox\":[1,2,3,4],\"area\":12")));
    assert_int_equal(a->last_of_id[0], 0);
    assert_int_equal(a->last_of_id[1], 0);
    det_annotations *back = test_convert(a, DET_ANNOTATIONS_COCO, test_path("order.json"));
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(back->last_of_id[i], a->last_of_id[i]);
        assert_int_equal(back->file_order[i], a->file_order[i]);
    }
    det_annotations_free(back);
    det_annotations_free(a);
}

static void objects_without_an_id_get_one_that_is_free(void **state)
{
    (void)state;
    det_annotations *a = test_read_coco(COCO(
        IMAGE(1, "a.jpg"), "{\"image_id\":1,\"category_id\":1,\"bbox\":[1,2,3,4]},"
                           "{\"image_id\":1,\"category_id\":1,\"bbox\":[1,2,3,4]}," OBJECT(
                               2, 1, 1, "\"bbox\":[1,2,3,4]") "," OBJECT(9223372036854775807, 1, 1,
                                                                         "\"bbox\":[1,2,3,4]")));
    const char *path = test_path("ids.json");
    det_losses *losses = test_write_annotations(a, DET_ANNOTATIONS_COCO, path, NULL);
    test_assert_loss(losses, DET_LOSS_NO_ID, 2, "a.jpg");
    det_annotations *back = test_read_annotations(path);
    const int64_t ids[] = {1, 3, 2, INT64_MAX};
    for (size_t i = 0; i < 4; i++) assert_true(back->objects[i].id == ids[i]);
    det_annotations_free(back);
    det_losses_free(losses);
    det_annotations_free(a);
}

static void what_was_not_read_is_told(void **state)
{
    (void)state;
    det_annotations *a = test_read_coco(
        COCO(IMAGE(1, "a.jpg"),
             OBJECT(1, 1, 1, "\"bbox\":[1,2,3,4],\"segmentation\":[[1]],\"x\":1") "," OBJECT(
                 2, 1, 1, "\"bbox\":[1,2,3,4],\"segmentation\":[[1]]")));
    det_losses *losses =
        test_write_annotations(a, DET_ANNOTATIONS_COCO, test_path("un.json"), NULL);
    test_assert_loss(losses, DET_LOSS_UNREAD, 3,
                     "not kept: annotations.segmentation: 2, annotations.x: 1");
    det_losses_free(losses);
    det_annotations_free(a);
}

/* ---- VOC ---- */

#define VOC_OBJECT(name, truncated, occluded, difficult, x0, y0, x1, y1)                           \
    "\t<object>\n\t\t<name>" name                                                                  \
    "</name>\n\t\t<pose>Unspecified</pose>\n\t\t<truncated>" #truncated "</truncated>\n" occluded  \
    "\t\t<difficult>" #difficult "</difficult>\n\t\t<bndbox>\n\t\t\t<xmin>" #x0                    \
    "</xmin>\n\t\t\t<ymin>" #y0 "</ymin>\n\t\t\t<xmax>" #x1 "</xmax>\n\t\t\t<ymax>" #y1            \
    "</ymax>\n\t\t</bndbox>\n\t</object>\n"

/* x 10, y 20, 30 x 40 pixels: 11 to 40, 21 to 60. */
static void coco_becomes_voc(void **state)
{
    (void)state;
    det_annotations *a =
        test_read_coco(COCO(IMAGE(7, "p/a&b.jpg") "," IMAGE(3, "000003.png"),
                            OBJECT(1, 7, 1, "\"bbox\":[10,20,30,40],\"area\":1200") "," OBJECT(
                                9, 7, 18, "\"bbox\":[0.5,0,3,4],\"area\":10,\"ignore\":1")));
    const char *path = test_path("voc");
    det_losses *losses = test_write_annotations(a, DET_ANNOTATIONS_VOC, path, NULL);
    assert_text(test_path("voc/Annotations/a&b.xml"),
                "<annotation>\n\t<folder>JPEGImages</folder>\n\t<filename>a&amp;b.jpg</filename>\n"
                "\t<size>\n\t\t<width>200</width>\n\t\t<height>100</height>\n\t\t<depth>3</depth>\n"
                "\t</size>\n\t<segmented>0</segmented>\n" VOC_OBJECT("R&amp;D &lt;x&gt;", 0, "", 0,
                                                                     11, 21, 40, 60)
                    VOC_OBJECT("dog", 0, "", 1, 1.5, 1, 3.5, 4) "</annotation>\n");
    assert_text(test_path("voc/ImageSets/Main/train.txt"), "a&b\n000003\n");
    test_assert_loss(losses, DET_LOSS_IMAGE_ID, 1, "(first: 7, p/a&b.jpg)"); /* 000003 is 3 */
    test_assert_loss(losses, DET_LOSS_IMAGE_NAME, 1, "p/a&b.jpg becomes a&b.jpg");
    test_assert_loss(losses, DET_LOSS_OBJECT_ID, 1, "object 9 on");
    test_assert_loss(losses, DET_LOSS_CATEGORY_ID, 1, "18, dog");
    test_assert_loss(losses, DET_LOSS_IGNORE, 1, "become difficult");
    test_assert_loss(losses, DET_LOSS_FRACTION, 1, "are kept");
    test_assert_loss(losses, DET_LOSS_AREA, 1, "object 9");
    test_assert_loss(losses, DET_LOSS_NO_PICTURE, 2, "p/a&b.jpg");
    assert_int_equal(losses->count, 8);
    det_losses_free(losses);
    det_annotations *back = test_read_annotations(path);
    assert_int_equal(back->warning_count, 0);
    assert_int_equal(back->unread_count, 0);
    det_annotations_free(back);
    det_annotations_free(a);
}

/* .5 + 1 and .5 + 3 are rounded up; a box of less than half a pixel keeps one. */
static void corners_can_be_rounded(void **state)
{
    (void)state;
    det_annotations *a =
        test_read_coco(COCO(IMAGE(1, "a.jpg"), OBJECT(1, 1, 1, "\"bbox\":[0.5,0.4,3,4]") "," OBJECT(
                                                   2, 1, 1, "\"bbox\":[5.5,5,0.2,9]")));
    const det_convert_options options = {.whole_pixels = true, .part = "val"};
    det_losses *losses =
        test_write_annotations(a, DET_ANNOTATIONS_VOC, test_path("round"), &options);
    test_assert_loss(losses, DET_LOSS_FRACTION, 2, "rounded");
    test_assert_loss(losses, DET_LOSS_LAST_BITS, 0, "");
    det_losses_free(losses);
    det_annotations *back = test_read_annotations(test_path("round"));
    const double boxes[2][4] = {{2, 1, 4, 4}, {7, 6, 7, 14}};
    for (size_t i = 0; i < 2; i++)
        assert_memory_equal(back->objects[i].box, boxes[i], sizeof boxes[i]);
    assert_text(test_path("round/ImageSets/Main/val.txt"), "a\n");
    det_annotations_free(back);
    det_annotations_free(a);
}

/* .1 + 1 - 1 is not .1. */
static void bits_that_the_other_corner_cannot_hold_are_told(void **state)
{
    (void)state;
    det_annotations *a =
        test_read_coco(COCO(IMAGE(1, "a.jpg"), OBJECT(1, 1, 1, "\"bbox\":[0.1,2,3,4]")));
    det_losses *losses = test_write_annotations(a, DET_ANNOTATIONS_VOC, test_path("bits"), NULL);
    test_assert_loss(losses, DET_LOSS_LAST_BITS, 1, "object 1");
    det_losses_free(losses);
    det_annotations *back = test_read_annotations(test_path("bits"));
    assert_true(back->objects[0].box[0] == .1 + 1 && back->objects[0].box[2] == .1 + 3);
    det_annotations_free(back);
    det_annotations_free(a);
}

static void classes_that_voc_cannot_tell_apart_are_told(void **state)
{
    (void)state;
    static const det_category categories[] = {{"cat", 1}, {" cat", 2}, {"dog", 3}, {"cow", 4}};
    const det_annotated_image image = {.file = "a.jpg", .id = 1, .object_count = 3};
    const det_annotated_object objects[] = {
        {.id = 1, .category = 0, .box = {1, 2, 3, 4}, .area = 12},
        {.id = 2, .category = 1, .box = {1, 2, 3, 4}, .area = 12},
        {.id = 3, .category = 3, .box = {1, 2, 3, 4}, .area = 12, .crowd = true}};
    const det_annotations a = {.folder = "",
                               .images = &image,
                               .image_count = 1,
                               .categories = categories,
                               .category_count = 4,
                               .objects = objects,
                               .object_count = 3};
    det_losses *losses = test_write_annotations(&a, DET_ANNOTATIONS_VOC, test_path("same"), NULL);
    test_assert_loss(losses, DET_LOSS_SAME_NAME, 1, "cat");
    test_assert_loss(losses, DET_LOSS_CLASS_NAME, 1, "\" cat\"");
    test_assert_loss(losses, DET_LOSS_UNUSED, 1, "dog");
    test_assert_loss(losses, DET_LOSS_CATEGORY_ID, 2, "2,  cat"); /* cow is 2 now */
    test_assert_loss(losses, DET_LOSS_CROWD, 1, "become difficult");
    det_losses_free(losses);
    det_annotations *back = test_read_annotations(test_path("same"));
    assert_int_equal(back->category_count, 2);
    assert_true(back->objects[2].difficult && !back->objects[2].crowd);
    det_annotations_free(back);
}

static void pictures_that_voc_cannot_name_are_called_otherwise(void **state)
{
    (void)state;
    det_annotations *a =
        test_read_coco(COCO(IMAGE(1, "my photo.jpg") "," IMAGE(2, ".b.png") "," IMAGE(
                                3, "c") "," IMAGE(4, "\xC3\xA4.jpg"),
                            ""));
    det_losses *losses = test_write_annotations(a, DET_ANNOTATIONS_VOC, test_path("words"), NULL);
    test_assert_loss(losses, DET_LOSS_IMAGE_NAME, 3, "my photo.jpg becomes my_photo.jpg");
    det_losses_free(losses);
    assert_text(test_path("words/ImageSets/Main/train.txt"), "my_photo\n_b\nc\n\xC3\xA4\n");
    det_annotations *back = test_read_annotations(test_path("words"));
    assert_int_equal(back->image_count, 4);
    assert_string_equal(back->images[0].file, "_b.png");
    assert_string_equal(back->images[1].file, "c.jpg");
    det_annotations_free(back);
    det_annotations_free(a);
}

/* ---- YOLO ---- */

/* 90 to 110 of 200, 15 to 35 of 100: centre .5 .25, size .1 .2. */
static void coco_becomes_yolo(void **state)
{
    (void)state;
    det_annotations *a = test_read_coco(COCO(
        IMAGE(1, "p/a.jpg") "," IMAGE(2, "q/it's.jpg"),
        OBJECT(1, 1, 18, "\"bbox\":[90,15,20,20],\"area\":400") "," OBJECT(2, 1, 1, "\"bbox\":[0,0,200,100],\"area\":20000,\"truncated\":1") "," OBJECT(
            3, 1, 1,
            "\"bbox\":[0,0,2,2],\"area\":3,\"ignore\":1") "," OBJECT(4, 1, 1,
                                                                     "\"bbox\":[0,0,2,2],"
                                                                     "\"area\":3,\"difficult\":"
                                                                     "1") ","
                                                                          "{\"id\":5,\"image_"
                                                                          "id\":1,\"category_"
                                                                          "id\":1,\"bbox\":[0,0,"
                                                                          "2,2],\"iscrowd\":1}"
                                                                          "," OBJECT(
                                                                              6, 2, 1,
                                                                              "\"bbox\":[500,0,"
                                                                              "2,2],\"area\":"
                                                                              "4")));
    const char *path = test_path("yolo");
    const det_convert_options options = {.part = "val"};
    det_losses *losses = test_write_annotations(a, DET_ANNOTATIONS_YOLO, path, &options);
    assert_text(test_path("yolo/labels/val/p/a.txt"), "1 0.5 0.25 0.1 0.2\n0 0.5 0.5 1 1\n");
    assert_text(test_path("yolo/labels/val/q/it's.txt"), "");
    assert_text(test_path("yolo/config.yaml"),
                "val: images/val\nnames:\n  0: 'R&D <x>'\n  1: 'dog'\n");
    test_assert_loss(losses, DET_LOSS_CATEGORY_ID, 2, "1 becomes 0, R&D <x>");
    test_assert_loss(losses, DET_LOSS_CROWD, 1, "left out: 1 (first: object 5");
    test_assert_loss(losses, DET_LOSS_IGNORE, 1, "object 3");
    test_assert_loss(losses, DET_LOSS_DIFFICULT, 1, "object 4");
    test_assert_loss(losses, DET_LOSS_MARK, 1, "object 2");
    test_assert_loss(losses, DET_LOSS_FAR, 1, "object 6");
    test_assert_loss(losses, DET_LOSS_AREA, 0, "");
    test_assert_loss(losses, DET_LOSS_OBJECT_ID, 0, "");
    det_losses_free(losses);
    det_annotations_free(a);
}

/* Names of classes that YAML might take for something else. */
static void names_of_classes_are_quoted(void **state)
{
    (void)state;
    static const char *const names[] = {"no",  "it's", "a: b",         "#x", "'",
                                        " y ", "[1]",  "\xE7\x8C\xAB", "-"};
    enum { count = sizeof names / sizeof *names };
    det_category categories[count];
    for (size_t i = 0; i < count; i++) categories[i] = (det_category){names[i], (int64_t)i};
    test_write_below("quoted.jpg/x", "");
    const det_annotated_image image = {.file = "a.jpg", .id = 1, .width = 9, .height = 9};
    const det_annotations a = {.folder = "",
                               .images = &image,
                               .image_count = 1,
                               .categories = categories,
                               .category_count = count};
    det_annotations *back = test_convert(&a, DET_ANNOTATIONS_YOLO, test_path("quoted"));
    assert_int_equal(back->category_count, count);
    for (size_t i = 0; i < count; i++) assert_string_equal(back->categories[i].name, names[i]);
    det_annotations_free(back);
}

/* Writes 100 boxes on a picture of this size and reads them back. @return how many differ. */
static size_t count_inexact(const char *name, int width, int height)
{
    enum { count = 100 };
    char picture[32];
    snprintf(picture, sizeof picture, "%s.png", name);
    test_write_picture(test_path(picture), width, height);
    det_annotated_object objects[count];
    for (size_t i = 0; i < count; i++)
        objects[i] = (det_annotated_object){
            .id = (int64_t)i + 1,
            .box = {(double)(i % 35), (double)(i % 7), (double)(i % 31 + 1), (double)(i % 19 + 1)}};
    const det_annotated_image image = {
        .file = picture, .id = 1, .width = width, .height = height, .object_count = count};
    const det_category category = {"x", 0};
    const det_annotations a = {.folder = test_folder(),
                               .images = &image,
                               .image_count = 1,
                               .categories = &category,
                               .category_count = 1,
                               .objects = objects,
                               .object_count = count};
    size_t inexact = 0;
    det_losses *losses = test_write_annotations(&a, DET_ANNOTATIONS_YOLO, test_path(name), NULL);
    det_annotations *back = test_read_annotations(test_path(name));
    assert_int_equal(back->object_count, count);
    for (size_t i = 0; i < count; i++) {
        double c[4];
        det_annotations_corners(back, i, c);
        const double *b = objects[i].box, made[4] = {c[0], c[1], c[2] - c[0], c[3] - c[1]};
        inexact += !det_box_same(made, b);
        for (size_t j = 0; j < 4; j++) assert_true(fabs(made[j] - b[j]) < 1e-9);
    }
    test_assert_loss(losses, DET_LOSS_LAST_BITS, inexact, "a billionth of a pixel");
    det_losses_free(losses);
    det_annotations_free(back);
    return inexact;
}

/* Not every pixel of a picture has a share that gives it back, but where sides are powers of 2. */
static void shares_read_back_to_the_last_bit_where_they_can(void **state)
{
    (void)state;
    assert_int_equal(count_inexact("bits128", 128, 64), 0);
    const size_t inexact = count_inexact("bits70", 70, 30);
    assert_true(inexact > 0 && inexact < 100);
}

static void sizes_come_from_pictures_where_the_file_has_none(void **state)
{
    (void)state;
    test_write_below("sized/x", "");
    test_write_picture(test_path("sized/a.png"), 40, 20);
    test_write_below(
        "sized.json",
        "{\"images\":[{\"id\":1,\"file_name\":\"a.png\"},{\"id\":2,\"file_name\":"
        "\"b.png\"}],\"categories\":[{\"id\":0,\"name\":\"c\"}],\"annotations\":[" OBJECT(
            1, 1, 0, "\"bbox\":[10,5,20,10]") "," OBJECT(2, 2, 0, "\"bbox\":[1,1,2,2]") "]}");
    det_annotations *a = test_read_annotations(test_path("sized.json"));
    det_losses *losses = test_write_annotations(a, DET_ANNOTATIONS_YOLO, test_path("share"), NULL);
    assert_text(test_path("share/labels/train/a.txt"), "0 0.5 0.5 0.5 0.5\n");
    test_assert_loss(losses, DET_LOSS_NO_SIZE, 1, "object 2 on b.png");
    test_assert_loss(losses, DET_LOSS_NO_PICTURE, 1, "b.png");
    det_losses_free(losses);

    /* From there, the picture without a size has no pixels. */
    test_write_below("share/labels/train/b.txt", "0 .5 .5 .5 .5\n");
    det_annotations *yolo = test_read_annotations(test_path("share"));
    losses = test_write_annotations(yolo, DET_ANNOTATIONS_VOC, test_path("pixels"), NULL);
    test_assert_loss(losses, DET_LOSS_NO_SIZE, 1, "b.png");
    det_losses_free(losses);
    losses = test_write_annotations(yolo, DET_ANNOTATIONS_COCO, test_path("pixels.json"), NULL);
    test_assert_loss(losses, DET_LOSS_NO_SIZE, 1, "b.png");
    det_losses_free(losses);
    assert_non_null(strstr(test_text_of(test_path("pixels.json")), "\"file_name\":\"a.png\""));
    det_annotations *voc = test_read_annotations(test_path("pixels"));
    const double box[] = {11, 6, 30, 15};
    assert_int_equal(voc->object_count, 1);
    assert_memory_equal(voc->objects[0].box, box, sizeof box);
    det_annotations_free(voc);
    det_annotations_free(yolo);
    det_annotations_free(a);
}

/* What lies in a folder "images" has its labels in the folder beside it, wherever that is. */
static void labels_are_where_readers_look(void **state)
{
    (void)state;
    det_annotations *a = test_read_coco(COCO(IMAGE(1, "x/images/a.jpg") "," IMAGE(2, "b.jpg"),
                                             OBJECT(1, 1, 1, "\"bbox\":[90,15,20,20]")));
    det_annotations *back = test_convert(a, DET_ANNOTATIONS_YOLO, test_path("nested"));
    assert_text(test_path("nested/images/train/x/labels/a.txt"), "0 0.5 0.25 0.1 0.2\n");
    assert_int_equal(back->object_count, 1);
    det_annotations_free(back);
    det_annotations_free(a);
}

/* ---- Links ---- */

static void pictures_are_linked_and_never_replaced(void **state)
{
    (void)state;
    const det_convert_options over = {.overwrite = true};
    test_write_below("l/x", "");
    test_write_picture(test_path("l/a.png"), 200, 100);
    test_write_below("l.json", COCO(IMAGE(1, "a.png"), ""));
    det_annotations *a = test_read_annotations(test_path("l.json"));
    assert_string_equal(a->folder, test_path("l"));
    det_losses_free(test_write_annotations(a, DET_ANNOTATIONS_YOLO, test_path("ly"), NULL));
    struct stat link, picture;
    assert_int_equal(lstat(test_path("ly/images/train/a.png"), &link), 0);
    assert_true(S_ISLNK(link.st_mode));
    assert_int_equal(stat(test_path("ly/images/train/a.png"), &link), 0);
    assert_int_equal(stat(test_path("l/a.png"), &picture), 0);
    assert_true(link.st_ino == picture.st_ino);
    det_annotations *back = test_read_annotations(test_path("ly"));
    assert_int_equal(back->images[0].width, 200);
    det_annotations_free(back);

    /* Another one in its place stays, whatever is asked for. */
    assert_int_equal(unlink(test_path("ly/images/train/a.png")), 0);
    test_write_below("ly/images/train/a.png", "mine");
    assert_write_error(a, DET_ANNOTATIONS_YOLO, test_path("ly"), &over, "is not replaced");
    assert_text(test_path("ly/images/train/a.png"), "mine");

    /* A link may be replaced, and the folder of the pictures may be the one that is written. */
    assert_int_equal(unlink(test_path("ly/images/train/a.png")), 0);
    assert_int_equal(symlink("/nowhere", test_path("ly/images/train/a.png")), 0);
    det_losses_free(test_write_annotations(a, DET_ANNOTATIONS_YOLO, test_path("ly"), &over));
    assert_int_equal(access(test_path("ly/images/train/a.png"), R_OK), 0);
    det_annotations_free(a);
}

/* ---- What is there already ---- */

static void files_that_exist_stay_unless_they_may_be_replaced(void **state)
{
    (void)state;
    const det_convert_options over = {.overwrite = true};
    det_annotations *a = test_read_coco(COCO(IMAGE(1, "a.jpg"), ""));
    const char *path = test_write_below("there.json", "mine");
    assert_write_error(a, DET_ANNOTATIONS_COCO, path, NULL, "exists");
    assert_text(path, "mine");
    det_losses_free(test_write_annotations(a, DET_ANNOTATIONS_COCO, path, &over));
    assert_true(*test_text_of(path) == '{');
    test_write_below("full/mine.txt", "mine");
    for (int f = DET_ANNOTATIONS_VOC; f <= DET_ANNOTATIONS_YOLO; f++) {
        const det_annotations_format format = (det_annotations_format)f;
        assert_write_error(a, format, test_path("full"), NULL, "is not empty");
        assert_write_error(a, format, NULL, NULL, "name the folder");
        det_losses_free(test_write_annotations(a, format, test_path("full"), &over));
        assert_write_error(a, format, test_path("full"), NULL,
                           format == DET_ANNOTATIONS_VOC ? "exists" : "the part \"train\" already");
        det_losses_free(test_write_annotations(a, format, test_path("full"), &over));
    }
    assert_text(test_path("full/mine.txt"), "mine");
    det_annotations_free(a);
}

static void parts_are_added_to_a_data_set(void **state)
{
    (void)state;
    const det_convert_options val = {.part = "val"}, over = {.part = "val", .overwrite = true};
    det_annotations *a =
        test_read_coco(COCO(IMAGE(1, "a.jpg"), OBJECT(1, 1, 18, "\"bbox\":[1,2,3,4]")));
    det_annotations *b =
        test_read_coco(COCO(IMAGE(1, "b.jpg"), OBJECT(1, 1, 1, "\"bbox\":[1,2,3,4]")));
    for (int f = DET_ANNOTATIONS_VOC; f <= DET_ANNOTATIONS_YOLO; f++) {
        const det_annotations_format format = (det_annotations_format)f;
        const char *path = test_path(f == DET_ANNOTATIONS_VOC ? "parts-voc" : "parts-yolo");
        det_losses_free(test_write_annotations(a, format, path, NULL));
        det_losses_free(test_write_annotations(b, format, path, &val));
        det_annotations *all = test_read_annotations(path);
        assert_int_equal(all->image_count, 2);
        det_annotations_free(all);
        det_annotations *one = NULL;
        det_error error = {0};
        test_assert_ok(
            det_annotations_read(path, &(det_annotations_options){.split = "val"}, &one, &error),
            &error);
        assert_int_equal(one->image_count, 1);
        assert_int_equal(one->object_count, 1);
        det_annotations_free(one);
    }
    assert_text(test_path("parts-yolo/config.yaml"),
                "train: ['images/train']\nval: images/val\nnames:\n  0: 'R&D <x>'\n  1: 'dog'\n");
    const det_annotations other = {
        .folder = "", .categories = &(det_category){"cow", 1}, .category_count = 1};
    assert_write_error(&other, DET_ANNOTATIONS_YOLO, test_path("parts-yolo"), &over,
                       "other classes");
    assert_write_error(a, DET_ANNOTATIONS_YOLO, test_path("p"),
                       &(det_convert_options){.part = "trainval"}, "train, val and test");
    assert_write_error(a, DET_ANNOTATIONS_VOC, test_path("p"),
                       &(det_convert_options){.part = "../x"}, "cannot name a list");
    det_annotations_free(b);
    det_annotations_free(a);
}

static void names_that_a_format_cannot_hold_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *files[2], *class_name;
        bool refused[3]; /* by COCO, VOC, YOLO */
        const char *part;
    } cases[] = {
        {{"x/a.jpg", "y/a.jpg"}, "c", {false, true, false}, "another picture is called \"a\""},
        {{"a.jpg", "a.png"}, "c", {false, true, true}, "another picture is called"},
        {{"my a.jpg", "my_a.jpg"}, "c", {false, true, false}, "\"my_a\""},
        {{"a.jpg", "b\n.jpg"}, "c", {false, true, false}, "control character"},
        {{"a.jpg", "b\xFF.jpg"}, "c", {true, true, false}, "not UTF-8"},
        {{"a.jpg", "b.jpg"}, "c\xFF", {true, true, true}, "not UTF-8"},
        {{"a.jpg", "b.jpg"}, "", {false, true, true}, "a class without a name"},
        {{"a.jpg", "b.jpg"}, "  ", {false, true, false}, "spaces alone"},
        {{"a.jpg", "b.jpg"}, "c\td", {false, true, true}, "control character"},
        {{"a.jpg", "b.jpg"}, "c\xEF\xBF\xBF", {false, true, true}, "control character"},
        {{"a.jpg", "b/"}, "c", {false, true, false}, "a picture without a name"},
        {{"a.jpg", ""}, "c", {false, true, true}, "name"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const det_category category = {cases[i].class_name, 1};
        const det_annotated_image images[] = {
            {.file = cases[i].files[0], .id = 1, .width = 9, .height = 9, .object_count = 1},
            {.file = cases[i].files[1], .id = 2, .width = 9, .height = 9, .first_object = 1}};
        const det_annotated_object object = {.id = 1, .box = {1, 2, 3, 4}, .area = 12};
        const det_annotations a = {.folder = "",
                                   .images = images,
                                   .image_count = 2,
                                   .categories = &category,
                                   .category_count = 1,
                                   .objects = &object,
                                   .object_count = 1};
        for (int f = 0; f < 3; f++) {
            char name[32];
            snprintf(name, sizeof name, "names-%zu-%d%s", i, f, f == 0 ? ".json" : "");
            if (cases[i].refused[f]) {
                assert_write_error(&a, (det_annotations_format)f, test_path(name), NULL,
                                   cases[i].part);
                assert_int_not_equal(access(test_path(name), F_OK) == 0 && f == 0, 1);
            } else {
                det_annotations_free(test_convert(&a, (det_annotations_format)f, test_path(name)));
            }
        }
    }
}

/* ---- Numbers of pictures ---- */

static void numbers_are_those_of_the_names_where_all_have_one(void **state)
{
    (void)state;
    static const struct {
        const char *files[2];
        int64_t ids[2];
    } cases[] = {{{"000012.jpg", "7.jpg"}, {12, 7}},
                 {{"12.jpg", "a.jpg"}, {1, 2}},
                 {{"7.jpg", "007.jpg"}, {1, 2}}};
    for (size_t i = 0; i < 3; i++) {
        int64_t ids[2];
        const det_annotated_image images[] = {{.file = cases[i].files[0], .id = 1},
                                              {.file = cases[i].files[1], .id = 2}};
        det_annotations a = {.format = DET_ANNOTATIONS_VOC, .images = images, .image_count = 2};
        assert_int_equal(det_annotations_image_ids(&a, ids, NULL), DET_OK);
        for (size_t j = 0; j < 2; j++) assert_int_equal(ids[j], cases[i].ids[j]);
        a.format = DET_ANNOTATIONS_COCO;
        assert_int_equal(det_annotations_image_ids(&a, ids, NULL), DET_OK);
        assert_true(ids[0] == 1 && ids[1] == 2);
    }
}

/* ---- Failures ---- */

static bool stop(void *context, uint64_t done, uint64_t total)
{
    (void)context, (void)total;
    return done < 1;
}

static void writing_can_be_cancelled_and_leaves_no_half_of_a_file(void **state)
{
    (void)state;
    const det_run run = {.progress = stop};
    const det_convert_options options = {.run = &run};
    det_annotations *a = test_read_coco(COCO(IMAGE(1, "a.jpg") "," IMAGE(2, "b.jpg"), ""));
    static const char *const last[] = {"cancelled0", "cancelled1/ImageSets/Main/train.txt",
                                       "cancelled2/config.yaml"};
    for (int f = 0; f < 3; f++) {
        char name[32];
        det_error error = {0};
        snprintf(name, sizeof name, "cancelled%d", f);
        test_assert_error(det_annotations_write(a, (det_annotations_format)f, test_path(name),
                                                &options, NULL, &error),
                          DET_CANCELLED, &error, "cancelled");
        assert_int_not_equal(access(test_path(last[f]), F_OK), 0);
    }
    det_annotations_free(a);
}

static void a_path_that_cannot_be_written_is_named(void **state)
{
    (void)state;
    det_annotations *a = test_read_coco(COCO(IMAGE(1, "a.jpg"), ""));
    for (int f = 0; f < 3; f++) {
        det_error error = {0};
        assert_int_equal(det_annotations_write(a, (det_annotations_format)f, test_path("no/such/x"),
                                               NULL, NULL, &error),
                         DET_IO);
        assert_string_equal(error.file, test_path("no/such/x"));
        test_write_below("a-file", "");
        if (f == 0) continue;
        assert_int_equal(det_annotations_write(a, (det_annotations_format)f, test_path("a-file"),
                                               NULL, NULL, &error),
                         DET_IO);
    }
    det_error error = {0};
    test_assert_error(det_annotations_write(a, (det_annotations_format)9, "x", NULL, NULL, &error),
                      DET_ARGUMENT, &error, "no format");
    det_annotations_free(a);
}

#ifdef DET_FAULT_INJECTION
static void short_memory_is_reported(void **state)
{
    (void)state;
    const det_convert_options over = {.overwrite = true};
    test_write_below(
        "m/p.json",
        COCO("{\"id\":1,\"file_name\":\"x/a.jpg\"}," IMAGE(2, "b.jpg"),
             OBJECT(1, 1, 18, "\"bbox\":[1,2,3,4],\"area\":9") ",{\"image_id\":2,\"category_id\":1,"
                                                               "\"bbox\":[1,2,3,4],\"s\":1}"));
    det_annotations *a = test_read_annotations(test_path("m/p.json"));
    for (int f = 0; f < 3; f++) {
        char name[32];
        snprintf(name, sizeof name, "memory%d", f);
        det_status status = DET_MEMORY;
        uint64_t nth = 0;
        while (status != DET_OK) {
            det_losses *losses = NULL;
            det_error error = {0};
            det_memory_fail_at(++nth);
            status = det_annotations_write(a, (det_annotations_format)f, test_path(name), &over,
                                           &losses, &error);
            const bool failed = det_memory_failed();
            det_memory_fail_at(0);
            if (failed) {
                test_assert_error(status, DET_MEMORY, &error, "out of memory");
                assert_null(losses);
            } else {
                test_assert_ok(status, &error);
            }
            det_losses_free(losses);
        }
        assert_true(nth > 10);
    }
    det_annotations_free(a);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(voc_becomes_coco_with_its_marks),
        cmocka_unit_test(coco_stays_coco_to_the_last_bit),
        cmocka_unit_test(objects_that_share_an_id_keep_the_order_of_the_file),
        cmocka_unit_test(objects_without_an_id_get_one_that_is_free),
        cmocka_unit_test(what_was_not_read_is_told),
        cmocka_unit_test(coco_becomes_voc),
        cmocka_unit_test(corners_can_be_rounded),
        cmocka_unit_test(bits_that_the_other_corner_cannot_hold_are_told),
        cmocka_unit_test(classes_that_voc_cannot_tell_apart_are_told),
        cmocka_unit_test(pictures_that_voc_cannot_name_are_called_otherwise),
        cmocka_unit_test(coco_becomes_yolo),
        cmocka_unit_test(names_of_classes_are_quoted),
        cmocka_unit_test(shares_read_back_to_the_last_bit_where_they_can),
        cmocka_unit_test(sizes_come_from_pictures_where_the_file_has_none),
        cmocka_unit_test(labels_are_where_readers_look),
        cmocka_unit_test(pictures_are_linked_and_never_replaced),
        cmocka_unit_test(files_that_exist_stay_unless_they_may_be_replaced),
        cmocka_unit_test(parts_are_added_to_a_data_set),
        cmocka_unit_test(names_that_a_format_cannot_hold_are_refused),
        cmocka_unit_test(numbers_are_those_of_the_names_where_all_have_one),
        cmocka_unit_test(writing_can_be_cancelled_and_leaves_no_half_of_a_file),
        cmocka_unit_test(a_path_that_cannot_be_written_is_named),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(short_memory_is_reported),
#endif
    };
    return cmocka_run_group_tests_name("annotations_write", tests, NULL, NULL);
}
