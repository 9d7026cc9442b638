/* SPDX-License-Identifier: Apache-2.0 */
/* Folders that hold COCO annotations, and which of their files counts. */
#include "detect/annotations.h"
#include "tests/unit/support.h"
#include "tests/unit/support_annotations.h"

#include <stdio.h>

/* Annotations of one picture, by whose name the file is known again. */
#define COCO(picture)                                                                              \
    "{\"images\":[{\"id\":1,\"file_name\":\"" picture "\"}],\"annotations\":[],"                   \
    "\"categories\":[{\"id\":1,\"name\":\"cat\"}]}"

static det_status read_folder(const char *name, const char *split, det_annotations **annotations,
                              det_error *error)
{
    const det_annotations_options options = {.split = split};
    return det_annotations_read(test_path(name), &options, annotations, error);
}

/* The file that is read names this picture, and pictures are looked for in that folder of it. */
static void assert_reads(const char *name, const char *split, const char *picture,
                         const char *folder)
{
    det_annotations *a = NULL;
    det_error error = {0};
    char expected[4096];
    snprintf(expected, sizeof expected, "%s%s", test_path(name), folder);
    test_assert_ok(read_folder(name, split, &a, &error), &error);
    assert_int_equal(a->format, DET_ANNOTATIONS_COCO);
    assert_string_equal(a->images[0].file, picture);
    assert_string_equal(a->folder, expected);
    det_annotations_free(a);
}

static void assert_refuses(const char *name, const char *split, const char *message)
{
    det_annotations *a = NULL;
    det_error error = {0};
    test_assert_error(read_folder(name, split, &a, &error), DET_ARGUMENT, &error, message);
    assert_string_equal(error.file, test_path(name));
    assert_null(a);
}

static void the_only_file_of_a_folder_is_read(void **state)
{
    (void)state;
    test_write_below("plain/photos.json", COCO("p.jpg"));
    test_write_below("plain/p.jpg", "");
    assert_reads("plain", NULL, "p.jpg", "/");
    test_write_below("roboflow/_annotations.coco.json", COCO("r.jpg"));
    test_write_below("roboflow/settings.json", "{}");
    assert_reads("roboflow", NULL, "r.jpg", "");
}

static void instances_of_coco_are_preferred_to_its_captions_and_to_images(void **state)
{
    (void)state;
    test_write_below("coco/annotations/captions_train2017.json", "[]");
    test_write_below("coco/annotations/instances_train2017.json", COCO("t.jpg"));
    test_write_below("coco/other.json", "[]");
    test_write_below("coco/images/train2017/t.jpg", "");
    assert_reads("coco", NULL, "t.jpg", "/annotations/../images/train2017");
}

static void of_several_files_a_split_picks_one(void **state)
{
    (void)state;
    test_write_below("several/annotations/instances_train2017.json", COCO("t.jpg"));
    test_write_below("several/annotations/instances_val2017.json", COCO("v.jpg"));
    assert_refuses("several", NULL,
                   "there are 2 COCO files, annotations/instances_train2017.json, "
                   "annotations/instances_val2017.json: name one of them");
    assert_reads("several", "val", "v.jpg", "/annotations");
    assert_reads("several", "train2017", "t.jpg", "/annotations");
    assert_refuses("several", "2017", "none, or of several");
    assert_refuses("several", "test", "the split \"test\"");
}

static void a_file_called_as_the_split_comes_before_one_that_has_it_in_its_name(void **state)
{
    (void)state;
    test_write_below("exact/train.json", COCO("t.jpg"));
    test_write_below("exact/train_small.json", COCO("s.jpg"));
    assert_reads("exact", "train", "t.jpg", "");
    assert_reads("exact", "small", "s.jpg", "");
}

static void parts_in_folders_of_their_own_are_found(void **state)
{
    (void)state;
    test_write_below("parts/train/_annotations.coco.json", COCO("t.jpg"));
    test_write_below("parts/train/t.jpg", "");
    test_write_below("parts/valid/_annotations.coco.json", COCO("v.jpg"));
    test_write_below("parts/notes/readme.txt", "");
    assert_refuses("parts", NULL,
                   "2 COCO files, train/_annotations.coco.json, valid/_annotations.coco.json");
    assert_reads("parts", "train", "t.jpg", "/train/");
}

static void what_describes_voc_or_yolo_comes_first(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"mixed/voc/Annotations/a.xml", "mixed/voc"},
        {"mixed/yolo/classes.txt", "mixed/yolo"},
    };
    test_write_below("mixed/voc/set.json", COCO("c.jpg"));
    test_write_below("mixed/yolo/set.json", COCO("c.jpg"));
    test_write_below(texts[0][0], "<annotation><size><width>9</width><height>9</height></size>"
                                  "</annotation>");
    test_write_below(texts[1][0], "cat\n");
    test_write_below("mixed/yolo/a.jpg", "");
    static const det_annotations_format formats[] = {DET_ANNOTATIONS_VOC, DET_ANNOTATIONS_YOLO};
    for (size_t i = 0; i < 2; i++) {
        det_annotations *a = NULL;
        det_error error = {0};
        test_assert_ok(read_folder(texts[i][1], NULL, &a, &error), &error);
        assert_int_equal(a->format, formats[i]);
        det_annotations_free(a);
    }
}

/* The first picture of the list is missing. */
static void the_folder_of_the_pictures_is_found_where_some_are_missing(void **state)
{
    (void)state;
    test_write_below("gap/annotations/train.json",
                     "{\"images\":[{\"id\":1,\"file_name\":\"a.jpg\"},{\"id\":2,\"file_name\":"
                     "\"b.jpg\"}],\"categories\":[]}");
    test_write_below("gap/train/b.jpg", "");
    assert_reads("gap", NULL, "a.jpg", "/annotations/../train");
}

#ifdef DET_FAULT_INJECTION
static void a_lack_of_memory_is_reported(void **state)
{
    (void)state;
    const det_annotations_options options = {.split = "train"};
    test_write_below("memory/train/_annotations.coco.json", COCO("t.jpg"));
    test_write_below("memory/valid/_annotations.coco.json", COCO("v.jpg"));
    test_assert_memory_failures(test_path("memory"), &options);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_only_file_of_a_folder_is_read),
        cmocka_unit_test(instances_of_coco_are_preferred_to_its_captions_and_to_images),
        cmocka_unit_test(of_several_files_a_split_picks_one),
        cmocka_unit_test(a_file_called_as_the_split_comes_before_one_that_has_it_in_its_name),
        cmocka_unit_test(parts_in_folders_of_their_own_are_found),
        cmocka_unit_test(what_describes_voc_or_yolo_comes_first),
        cmocka_unit_test(the_folder_of_the_pictures_is_found_where_some_are_missing),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(a_lack_of_memory_is_reported),
#endif
    };
    return cmocka_run_group_tests_name("folders of COCO annotations", tests, NULL, NULL);
}
