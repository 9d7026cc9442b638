/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs of a picture and a class. */
#include "detect/results.h"
#include "src/base/memory.h"
#include "tests/unit/support.h"
#include "tests/unit/support_annotations.h"

static det_annotations *annotations;

static int read_annotations(void **state)
{
    (void)state;
    const char *path = test_write_below(
        "truth.json", "{\"images\":[{\"id\":42,\"file_name\":\"a/7.jpg\"},{\"id\":5,\"file_name\":"
                      "\"8.jpg\"}],\"categories\":[{\"id\":18,\"name\":\"cat\"},{\"id\":3,"
                      "\"name\":\"traffic light\"}],\"annotations\":[]}");
    return det_annotations_read(path, NULL, &annotations, NULL);
}

static int free_annotations(void **state)
{
    (void)state;
    det_annotations_free(annotations);
    return 0;
}

static void pairs_are_named_or_numbered(void **state)
{
    (void)state;
    static const size_t expected[][2] = {{0, 0}, {1, 1}, {0, 1}, {1, 0}};
    det_image_class *pairs = NULL;
    size_t count = 0;
    det_error error = {0};
    const char *path =
        test_write_below("pairs.txt", "7.jpg cat\n\n8.jpg\ttraffic light\r\n42 3\n 5 18");
    test_assert_ok(det_image_classes_read(path, annotations, &pairs, &count, &error), &error);
    assert_int_equal(count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pairs[i].image, expected[i][0]);
        assert_int_equal(pairs[i].category, expected[i][1]);
    }
    det_image_classes_free(pairs);
    path = test_write_below("pairs.txt", "");
    test_assert_ok(det_image_classes_read(path, annotations, &pairs, &count, &error), &error);
    assert_int_equal(count, 0);
    det_image_classes_free(pairs);
}

static void what_the_annotations_do_not_have_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *where, *message;
    } cases[] = {
        {"7.jpg cat\n9.jpg cat", "line 2", "no picture \"9.jpg\""},
        {"43 cat", "line 1", "no picture \"43\""},
        {"7.jpg dog", "line 1", "no class \"dog\""},
        {"7.jpg", "line 1", "no class \"\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_image_class *pairs = NULL;
        size_t count = 0;
        det_error error = {0};
        const char *path = test_write_below("pairs.txt", cases[i].text);
        test_assert_error(det_image_classes_read(path, annotations, &pairs, &count, &error),
                          DET_FORMAT, &error, cases[i].message);
        assert_string_equal(error.where, cases[i].where);
        assert_string_equal(error.file, path);
    }
}

#ifdef DET_FAULT_INJECTION
static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    const char *path = test_write_below("pairs.txt", "7.jpg cat\n42 3\n");
    for (uint64_t nth = 1;; nth++) {
        det_image_class *pairs = NULL;
        size_t count = 0;
        det_error error = {0};
        det_memory_fail_at(nth);
        const det_status status = det_image_classes_read(path, annotations, &pairs, &count, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        det_image_classes_free(pairs);
        if (!failed) break;
        test_assert_error(status, DET_MEMORY, &error, "out of memory");
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_named_or_numbered),
        cmocka_unit_test(what_the_annotations_do_not_have_is_refused_with_its_line),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(every_failing_allocation_is_reported),
#endif
    };
    return cmocka_run_group_tests(tests, read_annotations, free_annotations);
}
