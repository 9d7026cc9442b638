/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "src/data/labelled_folder.h"
#include "tests/unit/support.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file or, where the name ends in a slash, a folder. */
static void make(const char *name)
{
    const char *path = test_path(name);
    if (name[strlen(name) - 1] == '/')
        assert_int_equal(mkdir(path, 0777), 0);
    else
        test_write_file(path, "x", 1);
}

static int make_tree(void **state)
{
    (void)state;
    static const char *const names[] = {"t/",
                                        "t/dog/",
                                        "t/dog/b.jpg",
                                        "t/dog/a.PNG",
                                        "t/dog/old/",
                                        "t/dog/old/c.jpg",
                                        "t/dog/notes.txt",
                                        "t/Cat/",
                                        "t/Cat/z.webp",
                                        "t/.hidden/",
                                        "t/readme.jpg",
                                        "flat/",
                                        "flat/a.jpg",
                                        "gap/",
                                        "gap/cat/",
                                        "gap/cat/a.jpg",
                                        "gap/dog/",
                                        "gap/dog/a.txt"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) make(names[i]);
    return symlink("../gap/cat", test_path("t/linked"));
}

static void folders_are_classes_and_pictures_follow_class_by_class(void **state)
{
    (void)state;
    static const char *const classes[] = {"Cat", "dog", "linked"};
    static const char *const paths[] = {"Cat/z.webp", "dog/a.PNG", "dog/b.jpg", "dog/old/c.jpg",
                                        "linked/a.jpg"};
    static const size_t labels[] = {0, 1, 1, 1, 2};
    det_labelled_pictures pictures;
    det_error error = {0};
    test_assert_ok(det_labelled_folder_read(test_path("t"), &pictures, &error), &error);
    assert_int_equal(pictures.classes.count, 3);
    for (size_t i = 0; i < 3; i++) assert_string_equal(pictures.classes.items[i], classes[i]);
    assert_int_equal(pictures.count, 5);
    assert_int_equal(pictures.paths.count, 5);
    for (size_t i = 0; i < 5; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", test_path("t"), paths[i]);
        assert_string_equal(pictures.paths.items[i], path);
        assert_int_equal(pictures.labels[i], labels[i]);
    }
    det_labelled_pictures_free(&pictures);
}

static void assert_refused(const char *name, det_status expected, const char *file,
                           const char *part)
{
    det_labelled_pictures pictures;
    det_error error = {0};
    test_assert_error(det_labelled_folder_read(test_path(name), &pictures, &error), expected,
                      &error, part);
    assert_string_equal(error.file, test_path(file));
    det_labelled_pictures_free(&pictures);
}

static void folders_without_classes_or_pictures_are_refused(void **state)
{
    (void)state;
    assert_refused("flat", DET_ARGUMENT, "flat", "has no folders");
    assert_refused("gap", DET_ARGUMENT, "gap/dog", "no pictures");
    assert_refused("nowhere", DET_IO, "nowhere", "open the folder");
}

#ifdef DET_FAULT_INJECTION
static void memory_that_runs_out_is_a_status(void **state)
{
    (void)state;
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        det_labelled_pictures pictures;
        det_memory_fail_at(nth);
        const det_status status = det_labelled_folder_read(test_path("t"), &pictures, NULL);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        det_labelled_pictures_free(&pictures);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_are_classes_and_pictures_follow_class_by_class),
        cmocka_unit_test(folders_without_classes_or_pictures_are_refused),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(memory_that_runs_out_is_a_status),
#endif
    };
    return cmocka_run_group_tests_name("labelled_folder", tests, make_tree, NULL);
}
