/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/json_reader.h"
#include "src/base/memory.h"
#include "tests/unit/support.h"
#include "tests/unit/support_results.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void write_all(const det_writer_options *options)
{
    det_error error = {0};
    test_assert_ok(test_write_results(options, test_results, test_result_count, &error), &error);
}

static void assert_open_refused(const det_writer_options *options, det_status status,
                                const char *file, const char *message)
{
    det_writer *writer = NULL;
    det_error error = {0};
    test_assert_error(det_writer_open(options, &writer, &error), status, &error, message);
    assert_string_equal(error.file, file);
    assert_null(writer);
}

/* ---- CSV ---- */

static void csv_has_a_header_and_a_line_for_each_detection(void **state)
{
    (void)state;
    const char *path = test_path("a.csv");
    const det_writer_options options = test_writer_options(DET_FORMAT_CSV, path);
    write_all(&options);
    assert_string_equal(test_text_of(path), "file,class,class_id,score,x,y,width,height,source\n"
                                            "pic/7.jpg,cat,1,0.75,10.5,20,100,50,selective_search\n"
                                            "pic/7.jpg,dog,2,0.333333343,0,0,200,100,picture\n");
}

static void csv_holds_proposals_too(void **state)
{
    (void)state;
    const char *path = test_path("b.csv");
    det_writer_options options = test_writer_options(DET_FORMAT_CSV, path);
    options.proposals = true;
    write_all(&options);
    assert_string_equal(test_text_of(path), "file,score,x,y,width,height,source,hierarchy\n"
                                            "pic/7.jpg,0.5,1,2,30,40,selective_search,3\n"
                                            "pic/008.png,0.5,1,2,30,40,selective_search,3\n");
}

static void csv_holds_labels_too(void **state)
{
    (void)state;
    const char *path = test_path("d.csv");
    det_writer_options options = test_writer_options(DET_FORMAT_CSV, path);
    options.labels = true;
    write_all(&options);
    assert_string_equal(test_text_of(path), "file,class,class_id,score\n"
                                            "pic/7.jpg,dog,2,0.5\n"
                                            "pic/7.jpg,\"bird, small\",0,0.333333343\n");
}

static void csv_quotes_what_would_end_a_field(void **state)
{
    (void)state;
    det_error error = {0};
    const char *path = test_path("c.csv");
    const det_writer_options options = test_writer_options(DET_FORMAT_CSV, path);
    det_detection found = {.class_name = "tench, \"Tinca\"", .score = 1};
    det_result result = {.file = "two\nlines.jpg", .width = 1, .height = 1};
    result.detections = &found;
    result.detection_count = 1;
    test_assert_ok(test_write_results(&options, &result, 1, &error), &error);
    assert_string_equal(test_text_of(path),
                        "file,class,class_id,score,x,y,width,height,source\n"
                        "\"two\nlines.jpg\",\"tench, \"\"Tinca\"\"\",0,1,0,0,0,0,"
                        "selective_search\n");
}

/* ---- Text ---- */

static void text_shows_the_labels_of_each_picture(void **state)
{
    (void)state;
    const char *path = test_path("labels.txt");
    det_writer_options options = test_writer_options(DET_FORMAT_TEXT, path);
    options.labels = true;
    write_all(&options);
    assert_string_equal(test_text_of(path), "pic/7.jpg\n"
                                            "   50.00 %  dog\n"
                                            "   33.33 %  bird, small\n"
                                            "pic/008.png\n");
}

/* ---- COCO ---- */

static void coco_numbers_pictures_by_the_digits_of_their_names(void **state)
{
    (void)state;
    const char *path = test_path("coco.json");
    const det_writer_options options = test_writer_options(DET_FORMAT_COCO, path);
    write_all(&options);
    assert_string_equal(test_text_of(path),
                        "[\n{\"image_id\":7,\"category_id\":17,\"bbox\":[10.5,20,100,50],"
                        "\"score\":0.75},\n"
                        "{\"image_id\":7,\"category_id\":3,\"bbox\":[0,0,200,100],"
                        "\"score\":0.333333343}\n]\n");

    json_object *value = NULL;
    det_error error = {0};
    test_assert_ok(det_json_read(path, &value, &error), &error);
    json_object_put(value);
}

static void coco_without_detections_is_an_empty_array(void **state)
{
    (void)state;
    det_error error = {0};
    const char *path = test_path("coco_empty.json");
    const det_writer_options options = test_writer_options(DET_FORMAT_COCO, path);
    test_assert_ok(test_write_results(&options, &test_results[1], 2, &error), &error);
    assert_string_equal(test_text_of(path), "[\n]\n");
}

/* The image_id that coco output gives to each of `paths`, or the failure. */
static det_status image_ids(const char *const *paths, size_t count, const char *annotations,
                            int64_t *ids, det_error *error)
{
    const char *path = test_path("ids.json");
    const det_inputs inputs = {(char **)paths, count};
    det_writer_options options = test_writer_options(DET_FORMAT_COCO, path);
    options.inputs = &inputs;
    options.annotations = annotations;
    det_detection found = {.class_name = "x", .category_id = 1};
    det_result results[8] = {{0}};
    for (size_t i = 0; i < count; i++) {
        results[i].file = paths[i];
        results[i].detections = &found;
        results[i].detection_count = 1;
    }
    const det_status status = test_write_results(&options, results, count, error);
    if (status < 0) return status;

    json_object *value = NULL, *id = NULL;
    test_assert_ok(det_json_read(path, &value, error), error);
    for (size_t i = 0; i < count; i++) {
        json_object_object_get_ex(json_object_array_get_idx(value, i), "image_id", &id);
        ids[i] = json_object_get_int64(id);
    }
    json_object_put(value);
    return DET_OK;
}

static void numbers_of_names_may_have_zeros_and_18_digits(void **state)
{
    (void)state;
    static const char *const paths[] = {"000000000139.jpg", "a.b/0.png", "x/999999999999999999",
                                        "0000000000000000000000001.webp"};
    int64_t ids[4];
    det_error error = {0};
    test_assert_ok(image_ids(paths, 4, NULL, ids, &error), &error);
    assert_int_equal(ids[0], 139);
    assert_int_equal(ids[1], 0);
    assert_true(ids[2] == 999999999999999999);
    assert_int_equal(ids[3], 1);
}

static void names_that_give_no_number_are_refused_with_advice(void **state)
{
    (void)state;
    static const char *const names[] = {
        "cat.jpg", "12a.jpg",   "-1.jpg", ".jpg", "1234567890123456789.jpg",
        "-",       "3/cat.jpg", "1.2.jpg"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *const paths[] = {"1.jpg", names[i]};
        int64_t ids[2];
        det_error error = {0};
        test_assert_error(image_ids(paths, 2, NULL, ids, &error), DET_ARGUMENT, &error,
                          "with --annotations, or choose another format");
        assert_string_equal(error.file, names[i]);
    }
    static const char *const twice[] = {"a/5.jpg", "6.jpg", "b/0005.png"};
    int64_t ids[3];
    det_error error = {0};
    test_assert_error(image_ids(twice, 3, NULL, ids, &error), DET_ARGUMENT, &error,
                      "has the number 5 in coco output, which");
}

static const char *write_annotations(const char *images)
{
    char text[2048];
    const char *path = test_path("annotations.json");
    snprintf(text, sizeof text, "{\"info\":{},\"images\":%s,\"annotations\":[{\"id\":1}]}", images);
    test_write_file(path, text, strlen(text));
    return path;
}

static void annotations_number_pictures_by_base_name(void **state)
{
    (void)state;
    static const char *const paths[] = {"some/where/b.jpg", "a.jpg"};
    const char *annotations = write_annotations(
        "[{\"id\":5,\"file_name\":\"a.jpg\"},{\"file_name\":\"deep/b.jpg\",\"id\":9},"
        "{\"id\":7,\"file_name\":\"c.jpg\"}]");
    int64_t ids[2];
    det_error error = {0};
    test_assert_ok(image_ids(paths, 2, annotations, ids, &error), &error);
    assert_int_equal(ids[0], 9);
    assert_int_equal(ids[1], 5);
}

static void the_longer_common_end_of_the_path_decides(void **state)
{
    (void)state;
    static const char *const paths[] = {"/data/train/x/1.jpg", "val/x/1.jpg", "./old/1.jpg",
                                        "1.jpg"};
    const char *annotations = write_annotations(
        "[{\"id\":1,\"file_name\":\"train/x/1.jpg\"},{\"id\":2,\"file_name\":\"val/x/1.jpg\"},"
        "{\"id\":3,\"file_name\":\"old/1.jpg\"},{\"id\":4,\"file_name\":\"gold/1.jpg\"}]");
    int64_t ids[4];
    det_error error = {0};
    test_assert_ok(image_ids(paths, 3, annotations, ids, &error), &error);
    assert_int_equal(ids[0], 1);
    assert_int_equal(ids[1], 2);
    assert_int_equal(ids[2], 3);

    test_assert_error(image_ids(paths + 3, 1, annotations, ids, &error), DET_ARGUMENT, &error,
                      "4 images that this name fits equally well");
    assert_string_equal(error.file, "1.jpg");
}

static void annotations_that_do_not_name_a_picture_are_refused(void **state)
{
    (void)state;
    static const char *const paths[] = {"a.jpg", "b.jpg"};
    static const struct {
        const char *images, *where, *message;
        det_status status;
        const char *file; /* NULL: the annotations */
    } cases[] = {
        {"[{\"id\":5,\"file_name\":\"a.jpg\"}]", "", "no image of this name", DET_ARGUMENT,
         "b.jpg"},
        {"[{\"id\":5,\"file_name\":\"a.jpg\"},{\"id\":5,\"file_name\":\"b.jpg\"}]", "",
         "has the number 5", DET_ARGUMENT, "b.jpg"},
        {"[]", "", "lists no \"images\"", DET_FORMAT, NULL},
        {"{}", "line 1, column 21", "must be an array", DET_FORMAT, NULL},
        {"[{\"id\":5,\"file_name\":\"a.jpg\"},{\"id\":\"6\",\"file_name\":\"b.jpg\"}]", "images[1]",
         "needs an \"id\"", DET_FORMAT, NULL},
        {"[{\"id\":5}]", "images[0]", "a \"file_name\"", DET_FORMAT, NULL},
        {"[3]", "images[0]", "needs an \"id\"", DET_FORMAT, NULL},
        {"[{\"id\":5,}]", "line 1, column 30", "no comma", DET_FORMAT, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ids[2];
        det_error error = {0};
        const char *annotations = write_annotations(cases[i].images);
        test_assert_error(image_ids(paths, 2, annotations, ids, &error), cases[i].status, &error,
                          cases[i].message);
        assert_string_equal(error.where, cases[i].where);
        assert_string_equal(error.file, cases[i].file ? cases[i].file : annotations);
    }
}

static void coco_takes_only_the_pictures_it_was_opened_for(void **state)
{
    (void)state;
    det_error error = {0};
    det_writer *writer = NULL;
    det_writer_options options = test_writer_options(DET_FORMAT_COCO, test_path("few.json"));
    test_assert_ok(det_writer_open(&options, &writer, &error), &error);
    const det_result stranger = {.file = "11.jpg", .width = 1, .height = 1};
    test_assert_ok(det_writer_add(writer, &test_results[0], &error), &error);
    test_assert_error(det_writer_add(writer, &stranger, &error), DET_ARGUMENT, &error,
                      "is not among the pictures");
    det_writer_abandon(writer);

    options.inputs = NULL;
    assert_open_refused(&options, DET_ARGUMENT, "", "needs the list of all pictures");
}

/* ---- VOC ---- */

/* [10.5, 20, 110.5, 70] half-open from 0 is xmin 11.5, ymin 21, xmax 110.5, ymax 70 from 1. */
static void voc_writes_a_file_for_each_class_with_inclusive_corners(void **state)
{
    (void)state;
    const det_writer_options options = test_writer_options(DET_FORMAT_VOC, test_path("voc"));
    write_all(&options);
    assert_string_equal(test_text_of(test_path("voc/comp4_det_test_cat.txt")),
                        "7 0.75 11.5 21 110.5 70\n");
    assert_string_equal(test_text_of(test_path("voc/comp4_det_test_dog.txt")),
                        "7 0.333333343 1 1 200 100\n");
    assert_string_equal(test_text_of(test_path("voc/comp4_det_test_bird.txt")), "");
}

static void voc_replaces_its_files_and_leaves_others_alone(void **state)
{
    (void)state;
    mkdir(test_path("voc2"), 0777);
    test_write_file(test_path("voc2/comp4_det_test_bird.txt"), "old", 3);
    test_write_file(test_path("voc2/comp4_det_test_cow.txt"), "old", 3);
    test_write_file(test_path("voc2/notes.txt"), "old", 3);
    const det_writer_options options = test_writer_options(DET_FORMAT_VOC, test_path("voc2"));
    write_all(&options);
    assert_string_equal(test_text_of(test_path("voc2/comp4_det_test_bird.txt")), "");
    assert_string_equal(test_text_of(test_path("voc2/comp4_det_test_cow.txt")), "old");
    assert_string_equal(test_text_of(test_path("voc2/notes.txt")), "old");
}

static void voc_makes_class_names_safe_and_different(void **state)
{
    (void)state;
    char long_name[301];
    memset(long_name, 'x', 199);
    strcpy(long_name + 199, "\xC3\xA9 and more"); /* cut before the letter of two bytes */
    const char *const names[] = {
        "crane", "a/b c", "crane", "a_b_c", "..", "crane_2", "\xC3\xA9t\xC3\xA9", long_name};
    static const char *const files[] = {"crane", "a_b_c",     "crane_2",          "a_b_c_3",
                                        "..",    "crane_2_5", "\xC3\xA9t\xC3\xA9"};
    det_writer_options options = test_writer_options(DET_FORMAT_VOC, test_path("voc3"));
    options.info.class_names = names;
    options.info.class_count = 8;
    det_error error = {0};
    test_assert_ok(test_write_results(&options, NULL, 0, &error), &error);
    for (size_t i = 0; i < 7; i++) {
        char path[128];
        snprintf(path, sizeof path, "voc3/comp4_det_test_%s.txt", files[i]);
        assert_string_equal(test_text_of(test_path(path)), "");
    }
    char path[512];
    snprintf(path, sizeof path, "voc3/comp4_det_test_%.199s.txt", long_name);
    assert_string_equal(test_text_of(test_path(path)), "");
}

static void voc_names_pictures_without_spaces(void **state)
{
    (void)state;
    static char *const paths[] = {(char *)"x/my photo.v2.jpg"};
    const det_inputs inputs = {(char **)paths, 1};
    det_writer_options options = test_writer_options(DET_FORMAT_VOC, test_path("voc4"));
    options.inputs = &inputs;
    det_detection found = {.class_name = "bird", .score = 1, .box = {0, 0, 1, 1}};
    const det_result result = {
        .file = paths[0], .width = 1, .height = 1, .detections = &found, .detection_count = 1};
    det_error error = {0};
    test_assert_ok(test_write_results(&options, &result, 1, &error), &error);
    assert_string_equal(test_text_of(test_path("voc4/comp4_det_test_bird.txt")),
                        "my_photo.v2 1 1 1 1 1\n");
}

static void voc_refuses_classes_it_was_not_opened_for(void **state)
{
    (void)state;
    det_error error = {0};
    det_writer_options options = test_writer_options(DET_FORMAT_VOC, test_path("voc5"));
    options.info.class_count = 2;
    test_assert_error(test_write_results(&options, test_results, 1, &error), DET_ARGUMENT, &error,
                      "class 2 is not one of the 2");
    options.info.class_count = 0;
    assert_open_refused(&options, DET_ARGUMENT, "", "needs the names of the classes");
}

/* ---- YOLO ---- */

/* The cat: centre (60.5, 45) and size (100, 50) of 200 x 100. */
static void yolo_writes_a_file_for_each_picture_in_parts_of_its_size(void **state)
{
    (void)state;
    const det_writer_options options = test_writer_options(DET_FORMAT_YOLO, test_path("yolo"));
    write_all(&options);
    assert_string_equal(test_text_of(test_path("yolo/7.txt")),
                        "1 0.3025 0.45 0.5 0.5 0.75\n2 0.5 0.5 1 1 0.333333343\n");
    assert_string_equal(test_text_of(test_path("yolo/008.txt")), "");
    assert_int_equal(access(test_path("yolo/9.txt"), F_OK), -1);
}

static void yolo_refuses_a_picture_without_size(void **state)
{
    (void)state;
    det_error error = {0};
    const det_result result = {.file = "pic/7.jpg", .width = 0, .height = 5};
    const det_writer_options options = test_writer_options(DET_FORMAT_YOLO, test_path("yolo2"));
    test_assert_error(test_write_results(&options, &result, 1, &error), DET_ARGUMENT, &error,
                      "0 x 5 pixels");
}

/* ---- Folders ---- */

static void pictures_that_would_share_a_name_are_refused(void **state)
{
    (void)state;
    static char *const paths[] = {(char *)"a/1.jpg", (char *)"2.jpg", (char *)"b/1.png"};
    const det_inputs inputs = {(char **)paths, 3};
    det_writer_options options = test_writer_options(DET_FORMAT_VOC, test_path("shared"));
    options.inputs = &inputs;
    assert_open_refused(&options, DET_ARGUMENT, "b/1.png", "another picture is called \"1\"");
    options.format = DET_FORMAT_YOLO;
    assert_open_refused(&options, DET_ARGUMENT, "b/1.png", "another picture is called \"1.txt\"");
    assert_int_equal(access(test_path("shared"), F_OK), -1);
}

static void a_folder_that_cannot_be_written_is_refused(void **state)
{
    (void)state;
    static const det_format formats[] = {DET_FORMAT_VOC, DET_FORMAT_YOLO};
    const char *file = test_path("file");
    test_write_file(file, "", 0);
    for (size_t i = 0; i < 2; i++) {
        det_writer_options options = test_writer_options(formats[i], file);
        assert_open_refused(&options, DET_IO, file, "is not a folder");
        options.output = test_path("no/such");
        assert_open_refused(&options, DET_IO, options.output, "cannot make the folder");
        options.output = NULL;
        assert_open_refused(&options, DET_ARGUMENT, "", "name the folder with --output");
        options.output = test_path("f");
        options.inputs = NULL;
        assert_open_refused(&options, DET_ARGUMENT, "", "the list of all pictures");
    }
}

static void an_abandoned_folder_gets_no_file(void **state)
{
    (void)state;
    det_writer *writer = NULL;
    det_error error = {0};
    const det_writer_options options = test_writer_options(DET_FORMAT_YOLO, test_path("dropped"));
    test_assert_ok(det_writer_open(&options, &writer, &error), &error);
    test_assert_ok(det_writer_add(writer, &test_results[0], &error), &error);
    det_writer_abandon(writer);
    assert_int_equal(rmdir(test_path("dropped")), 0);
}

static void proposals_and_labels_go_only_into_formats_that_hold_them(void **state)
{
    (void)state;
    static const det_format formats[] = {DET_FORMAT_COCO, DET_FORMAT_VOC, DET_FORMAT_YOLO};
    for (size_t i = 0; i < 3; i++) {
        det_writer_options options = test_writer_options(formats[i], test_path("p"));
        options.proposals = true;
        assert_open_refused(&options, DET_ARGUMENT, "", "cannot hold proposals");
        options.proposals = false;
        options.labels = true;
        assert_open_refused(&options, DET_ARGUMENT, "", "cannot hold labels");
    }
    const det_writer_options options = test_writer_options(DET_FORMAT_TEXT, test_path("p"));
    assert_open_refused(&options, DET_ARGUMENT, "", "labels alone");
}

#ifdef DET_FAULT_INJECTION
static void every_allocation_may_fail(void **state)
{
    (void)state;
    static const det_format formats[] = {DET_FORMAT_CSV, DET_FORMAT_COCO, DET_FORMAT_COCO,
                                         DET_FORMAT_VOC, DET_FORMAT_YOLO};
    const char *annotations = write_annotations("[{\"id\":5,\"file_name\":\"7.jpg\"},"
                                                "{\"id\":6,\"file_name\":\"008.png\"},"
                                                "{\"id\":7,\"file_name\":\"9.webp\"}]");
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        char name[16];
        snprintf(name, sizeof name, "memory%zu", i);
        det_writer_options options = test_writer_options(formats[i], test_path(name));
        options.annotations = i == 2 ? annotations : NULL;
        bool failed = true;
        for (uint64_t nth = 1; failed; nth++) {
            det_memory_fail_at(nth);
            const det_status status =
                test_write_results(&options, test_results, test_result_count, NULL);
            failed = det_memory_failed();
            det_memory_fail_at(0);
            assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        }
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_has_a_header_and_a_line_for_each_detection),
        cmocka_unit_test(csv_holds_proposals_too),
        cmocka_unit_test(csv_holds_labels_too),
        cmocka_unit_test(text_shows_the_labels_of_each_picture),
        cmocka_unit_test(csv_quotes_what_would_end_a_field),
        cmocka_unit_test(coco_numbers_pictures_by_the_digits_of_their_names),
        cmocka_unit_test(coco_without_detections_is_an_empty_array),
        cmocka_unit_test(numbers_of_names_may_have_zeros_and_18_digits),
        cmocka_unit_test(names_that_give_no_number_are_refused_with_advice),
        cmocka_unit_test(annotations_number_pictures_by_base_name),
        cmocka_unit_test(the_longer_common_end_of_the_path_decides),
        cmocka_unit_test(annotations_that_do_not_name_a_picture_are_refused),
        cmocka_unit_test(coco_takes_only_the_pictures_it_was_opened_for),
        cmocka_unit_test(voc_writes_a_file_for_each_class_with_inclusive_corners),
        cmocka_unit_test(voc_replaces_its_files_and_leaves_others_alone),
        cmocka_unit_test(voc_makes_class_names_safe_and_different),
        cmocka_unit_test(voc_names_pictures_without_spaces),
        cmocka_unit_test(voc_refuses_classes_it_was_not_opened_for),
        cmocka_unit_test(yolo_writes_a_file_for_each_picture_in_parts_of_its_size),
        cmocka_unit_test(yolo_refuses_a_picture_without_size),
        cmocka_unit_test(pictures_that_would_share_a_name_are_refused),
        cmocka_unit_test(a_folder_that_cannot_be_written_is_refused),
        cmocka_unit_test(an_abandoned_folder_gets_no_file),
        cmocka_unit_test(proposals_and_labels_go_only_into_formats_that_hold_them),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(every_allocation_may_fail),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
