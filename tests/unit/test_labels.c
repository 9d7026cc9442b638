/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "src/nn/labels.h"
#include "tests/unit/support.h"

#include <string.h>

static det_model parse_well(const char *text)
{
    det_model model = {0};
    det_error error = {0};
    test_assert_ok(det_labels_parse(text, strlen(text), &model, &error), &error);
    return model;
}

static void a_wordnet_line_is_an_id_and_names(void **state)
{
    (void)state;
    det_model model = parse_well("n01440764 tench, Tinca tinca\nn01443537 goldfish\n");
    assert_int_equal(model.class_count, 2);
    assert_string_equal(model.classes[0].synset, "n01440764");
    assert_string_equal(model.classes[0].name, "tench");
    assert_int_equal(model.classes[0].synonym_count, 1);
    assert_string_equal(model.classes[0].synonyms[0], "Tinca tinca");
    assert_int_equal(model.classes[0].category_id, -1);
    assert_string_equal(model.classes[1].name, "goldfish");
    assert_int_equal(model.classes[1].synonym_count, 0);
    det_model_free_contents(&model);
}

static void a_plain_line_is_a_name_commas_and_all(void **state)
{
    (void)state;
    det_model model = parse_well("bolt, M6\r\n  n1 nut \r\nn014407641 washer");
    assert_int_equal(model.class_count, 3);
    assert_string_equal(model.classes[0].name, "bolt, M6");
    assert_string_equal(model.classes[1].name, "n1 nut");
    assert_string_equal(model.classes[2].name, "n014407641 washer"); /* ten digits: no WordNet id */
    assert_null(model.classes[0].synset);
    det_model_free_contents(&model);
}

static void two_classes_may_share_a_name(void **state)
{
    (void)state;
    det_model model = parse_well("\xEF\xBB\xBFn02012849 crane\nn03126707 crane\n");
    assert_int_equal(model.class_count, 2);
    assert_string_equal(model.classes[0].synset, "n02012849"); /* behind a byte order mark */
    assert_int_equal(det_model_find_class(&model, "Crane"), 0);
    det_model_free_contents(&model);
}

static void a_name_comes_before_a_synonym(void **state)
{
    (void)state;
    det_model model = parse_well("n00000001 a, b\nn00000002 b, c\n");
    assert_int_equal(det_model_find_class(&model, "b"), 1);
    assert_int_equal(det_model_find_class(&model, "C"), 1);
    assert_int_equal(det_model_find_class(&model, "d"), -1);
    det_model_free_contents(&model);
}

static void bad_lines_are_named(void **state)
{
    static const struct {
        const char *text, *where, *message;
    } cases[] = {
        {"a\n\nb\n", "line 2", "the line is empty"},
        {"a\nb\xFF\n", "line 2", "is not UTF-8 text"},
        {"n01440764 , x\n", "line 1", "the class has no name"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_model model = {0};
        det_error error = {0};
        test_assert_error(det_labels_parse(cases[i].text, strlen(cases[i].text), &model, &error),
                          DET_FORMAT, &error, cases[i].message);
        assert_string_equal(error.where, cases[i].where);
        det_model_free_contents(&model);
    }
}

static void line_numbers_count_from_the_top_of_the_file(void **state)
{
    (void)state;
    det_model model = {0};
    det_error error = {0};
    static const char text[] = "\n\na\n";
    test_assert_error(det_labels_parse(text, strlen(text), &model, &error), DET_FORMAT, &error,
                      "the line is empty");
    assert_string_equal(error.where, "line 1");
    det_model_free_contents(&model);
}

static void without_labels_classes_are_numbered(void **state)
{
    (void)state;
    det_model model = {0};
    det_error error = {0};
    test_assert_ok(det_labels_number(12, &model, &error), &error);
    assert_int_equal(model.class_count, 12);
    assert_string_equal(model.classes[11].name, "class 11");
    det_model_free_contents(&model);
}

static void short_memory_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
#ifdef DET_FAULT_INJECTION
    static const char text[] = "n01440764 tench, Tinca tinca\nplain\n";
    det_status status = DET_MEMORY;
    for (uint64_t n = 1; status != DET_OK; n++) {
        det_model model = {0};
        det_error error = {0};
        det_memory_fail_at(n);
        status = det_labels_parse(text, strlen(text), &model, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        det_model_free_contents(&model);
    }
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wordnet_line_is_an_id_and_names),
        cmocka_unit_test(a_plain_line_is_a_name_commas_and_all),
        cmocka_unit_test(two_classes_may_share_a_name),
        cmocka_unit_test(a_name_comes_before_a_synonym),
        cmocka_unit_test(bad_lines_are_named),
        cmocka_unit_test(line_numbers_count_from_the_top_of_the_file),
        cmocka_unit_test(without_labels_classes_are_numbered),
        cmocka_unit_test(short_memory_is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
