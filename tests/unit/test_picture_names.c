/* SPDX-License-Identifier: Apache-2.0 */
#include "src/data/picture_names.h"

#include "src/base/memory.h"
#include "tests/unit/support.h"

#include <string.h>

static void paths_are_cleaned_without_looking_at_files(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a/b.jpg", "a/b.jpg"},
        {"./a//b.jpg", "a/b.jpg"},
        {"a/./b", "a/b"},
        {"a/../b", "b"},
        {"a/b/../../c", "c"},
        {"../a", "../a"},
        {"a/../../b", "../b"},
        {"../../a", "../../a"},
        {"/a/../../b", "/b"},
        {"/", "/"},
        {"//a/", "/a"},
        {".", ""},
        {"", ""},
        {"..", ".."},
        {"a/..", ""},
        {"..a/.b/...", "..a/.b/..."},
        {"/..", "/"},
        {"../..", "../.."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *clean = det_path_clean(cases[i][0]);
        assert_string_equal(clean, cases[i][1]);
        det_free(clean);
    }
}

/* Makes the names of two pictures. */
static det_status make(det_annotations_format format, const char *folder, const char *a,
                       const char *b, det_paths *names, det_error *error)
{
    const det_annotated_image images[] = {{.file = a}, {.file = b}};
    const det_annotations annotations = {
        .format = format, .folder = folder, .images = images, .image_count = 2};
    return det_picture_names_make(&annotations, names, error);
}

static void names_lack_the_folder_that_all_have_in_common(void **state)
{
    (void)state;
    static const struct {
        det_annotations_format format;
        const char *folder, *files[2], *names[2];
    } cases[] = {
        {DET_ANNOTATIONS_COCO, "x", {"a.jpg", "b.jpg"}, {"a.jpg", "b.jpg"}},
        {DET_ANNOTATIONS_COCO, "x", {"val/a.jpg", "val/b.jpg"}, {"a.jpg", "b.jpg"}},
        {DET_ANNOTATIONS_COCO, "x", {"p/a.jpg", "q/a.jpg"}, {"p/a.jpg", "q/a.jpg"}},
        {DET_ANNOTATIONS_COCO, "x", {"va/1.jpg", "val/1.jpg"}, {"va/1.jpg", "val/1.jpg"}},
        {DET_ANNOTATIONS_COCO, "x/y", {"../a.jpg", "b.jpg"}, {"a.jpg", "y/b.jpg"}},
        {DET_ANNOTATIONS_COCO, "x", {"/data/p/a.jpg", "/data/b.jpg"}, {"p/a.jpg", "b.jpg"}},
        {DET_ANNOTATIONS_YOLO,
         "",
         {"s/images/train/a.jpg", "s/images/val/b.jpg"},
         {"train/a.jpg", "val/b.jpg"}},
        {DET_ANNOTATIONS_YOLO, "", {"../s/a.jpg", "../s/b.jpg"}, {"a.jpg", "b.jpg"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_paths names = {0};
        det_error error = {0};
        test_assert_ok(make(cases[i].format, cases[i].folder, cases[i].files[0], cases[i].files[1],
                            &names, &error),
                       &error);
        for (size_t j = 0; j < 2; j++) assert_string_equal(names.items[j], cases[i].names[j]);
        det_paths_free(&names);
    }
}

static void a_picture_without_a_name_is_refused(void **state)
{
    (void)state;
    static const char *const files[] = {"", ".", "a/..", "./"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        det_paths names = {0};
        det_error error = {0};
        test_assert_error(make(DET_ANNOTATIONS_COCO, "x", "a.jpg", files[i], &names, &error),
                          DET_ARGUMENT, &error, "picture 2");
        det_paths_free(&names);
    }
}

static void names_in_voc_are_words_and_not_hidden(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"x/my photo 1.jpg", "my_photo_1"},
                                           {".a.jpg", "_a"},
                                           {"a.b.png", "a.b"},
                                           {"\xC3\xA4.jpg", "\xC3\xA4"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *stem = det_voc_stem(cases[i][0]);
        assert_string_equal(stem, cases[i][1]);
        det_free(stem);
    }
}

#ifdef DET_FAULT_INJECTION
static void short_memory_is_reported(void **state)
{
    (void)state;
    static const char *const folders[] = {"x", "/x"};
    for (size_t i = 0; i < 2; i++) {
        det_status status = DET_MEMORY;
        for (uint64_t nth = 1; status != DET_OK; nth++) {
            det_paths names = {0};
            det_error error = {0};
            det_memory_fail_at(nth);
            status = make(i ? DET_ANNOTATIONS_YOLO : DET_ANNOTATIONS_COCO, folders[i], "a.jpg",
                          "b.jpg", &names, &error);
            const bool failed = det_memory_failed();
            det_memory_fail_at(0);
            if (failed) test_assert_error(status, DET_MEMORY, &error, "out of memory");
            det_paths_free(&names);
        }
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_cleaned_without_looking_at_files),
        cmocka_unit_test(names_lack_the_folder_that_all_have_in_common),
        cmocka_unit_test(a_picture_without_a_name_is_refused),
        cmocka_unit_test(names_in_voc_are_words_and_not_hidden),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(short_memory_is_reported),
#endif
    };
    return cmocka_run_group_tests_name("picture_names", tests, NULL, NULL);
}
