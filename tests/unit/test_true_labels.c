/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/classify.h"
#include "src/base/memory.h"
#include "src/nn/model_file.h"
#include "tests/unit/support.h"

#include <string.h>

/* Three classes: "tench" (n01, synonym "Tinca tinca"), "great white shark" (n02), "7" (n03). */
static det_class classes[] = {
    {.name = "tench", .synset = "n01", .synonyms = (char *[]){"Tinca tinca"}, .synonym_count = 1},
    {.name = "great white shark", .synset = "n02"},
    {.name = "7", .synset = "n03"},
};
static const det_model model = {.classes = classes, .class_count = 3};

static det_status read(const char *text, det_true_labels **labels, det_error *error)
{
    const char *path = test_path("truth.txt");
    test_write_file(path, text, strlen(text));
    *labels = NULL;
    return det_true_labels_read(path, &model, labels, error);
}

static det_true_labels *labels_of(const char *text)
{
    det_true_labels *labels = NULL;
    det_error error = {0};
    test_assert_ok(read(text, &labels, &error), &error);
    return labels;
}

static void a_class_is_a_name_a_synonym_a_synset_or_an_index(void **state)
{
    (void)state;
    det_true_labels *labels = labels_of("a.jpg TENCH\n\n  b.jpg  tinca TINCA \r\n"
                                        "c.jpg great white shark\nd.jpg n02\ne.jpg 1\nf.jpg 7");
    assert_int_equal(det_true_labels_count(labels), 6);
    static const char *const files[] = {"a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg", "f.jpg"};
    static const int expected[] = {0, 0, 1, 1, 1, 2};
    for (int i = 0; i < 6; i++)
        assert_int_equal(det_true_labels_find(labels, files[i]), expected[i]);
    det_true_labels_free(labels);
}

static void a_tabulator_lets_a_name_hold_spaces(void **state)
{
    (void)state;
    det_true_labels *labels = labels_of("my photo.jpg\tgreat white shark\n");
    assert_int_equal(det_true_labels_find(labels, "/x/my photo.jpg"), 1);
    det_true_labels_free(labels);
}

static void a_picture_is_found_by_its_base_name_and_the_end_of_its_path(void **state)
{
    (void)state;
    det_true_labels *labels = labels_of("sharks/1.jpg 1\ntench/1.jpg 0\ntench/2.jpg 0\n");
    assert_int_equal(det_true_labels_find(labels, "2.jpg"), 0);
    assert_int_equal(det_true_labels_find(labels, "/data/sharks/1.jpg"), 1);
    assert_int_equal(det_true_labels_find(labels, "tench/1.jpg"), 0);
    assert_int_equal(det_true_labels_find(labels, "1.jpg"), -1); /* either of two */
    assert_int_equal(det_true_labels_find(labels, "3.jpg"), -1);
    det_true_labels_free(labels);
}

static void refuse(const char *text, const char *where, const char *part)
{
    det_true_labels *labels = NULL;
    det_error error = {0};
    test_assert_error(read(text, &labels, &error), DET_FORMAT, &error, part);
    assert_string_equal(error.where, where);
    assert_int_equal(error.status, DET_FORMAT);
    assert_non_null(strstr(error.file, "truth.txt"));
    assert_null(labels);
}

static void what_is_wrong_is_refused_with_its_line(void **state)
{
    (void)state;
    refuse("a.jpg 0\nb.jpg\n", "line 2", "names a picture and its class");
    refuse("a.jpg\t \n", "line 1", "names a picture and its class");
    refuse("a.jpg tenhc\n", "line 1", "near it: 'tench'");
    refuse("a.jpg 3\n", "line 1", "no class");
    refuse("a.jpg 99999999999999999999\n", "line 1", "no class");
    refuse("a.jpg -1\n", "line 1", "no class");
    refuse("a\xff.jpg 1\n", "line 1", "UTF-8");
    refuse("\n\n", "", "no line");
    refuse("", "", "no line");
    refuse("a.jpg 1\nb.jpg 1\na.jpg 1\n", "", "a picture has two lines: \"a.jpg\"");
    det_true_labels *labels = NULL;
    assert_int_equal(det_true_labels_read(test_path("missing"), &model, &labels, NULL), DET_IO);
}

#ifdef DET_FAULT_INJECTION
static void failed_allocations_leave_nothing_behind(void **state)
{
    (void)state;
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        det_true_labels *labels = NULL;
        det_memory_fail_at(nth);
        const det_status status = read("a.jpg 0\nb/c.jpg 1\nd.jpg 2\n", &labels, NULL);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        det_true_labels_free(labels);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_class_is_a_name_a_synonym_a_synset_or_an_index),
        cmocka_unit_test(a_tabulator_lets_a_name_hold_spaces),
        cmocka_unit_test(a_picture_is_found_by_its_base_name_and_the_end_of_its_path),
        cmocka_unit_test(what_is_wrong_is_refused_with_its_line),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(failed_allocations_leave_nothing_behind),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
