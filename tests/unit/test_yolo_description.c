/* SPDX-License-Identifier: Apache-2.0 */
#include "src/data/yolo_description.h"
#include "tests/unit/support.h"

#include <stdio.h>
#include <string.h>

static det_yolo_description parse_ok(const char *text)
{
    det_yolo_description d = {0};
    det_error error = {0};
    test_assert_ok(det_yolo_parse_yaml(text, strlen(text), &d, &error), &error);
    return d;
}

/* Names as "0 cat, 1 dog". */
static void assert_names(const char *text, const char *expected)
{
    char found[512] = "";
    det_yolo_description d = parse_ok(text);
    for (size_t i = 0; i < d.name_count; i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%lld %s", i ? ", " : "",
                 (long long)d.names[i].id, d.names[i].name);
    assert_string_equal(found, expected);
    det_yolo_description_free(&d);
}

static void names_are_read_however_yaml_writes_them(void **state)
{
    (void)state;
    assert_names("names: [cat, dog]\n", "0 cat, 1 dog");
    assert_names("nc: 2\r\nnames: ['cat', \"hot dog\"]   # all\r\n", "0 cat, 1 hot dog");
    assert_names("names: [ 'cat',  # first\n  'a, b',\n\n  'it''s' ]\nnc: 3",
                 "0 cat, 1 a, b, 2 it's");
    assert_names("names: {0: cat, 2: 'd: #og',}\n", "0 cat, 2 d: #og");
    assert_names("names:\n  0: cat\n  1: dog # comment\n", "0 cat, 1 dog");
    assert_names("names:\n  11: b c\n  3: a\nother: 1\n", "3 a, 11 b c");
    assert_names("names:\n- cat\n- dog\ntrain: x\n", "0 cat, 1 dog");
    assert_names("names:\n  - cat\n  - \"d\\\"og\"\n", "0 cat, 1 d\"og");
    assert_names("\xEF\xBB\xBF# Data\n---\nnames: [B\xC3\xA4r#1]\n", "0 B\xC3\xA4r#1");
    assert_names("nc: 0\n", "");
}

static void paths_and_parts_are_read(void **state)
{
    (void)state;
    det_yolo_description d = parse_ok("path: ../datasets/x y # root\ntrain: images/train\n"
                                      "val: [a.txt, 'b']\ntest:\n  - c\n  - d\nnames: [x]\n");
    assert_string_equal(d.path, "../datasets/x y");
    assert_int_equal(d.parts[DET_YOLO_TRAIN].count, 1);
    assert_string_equal(d.parts[DET_YOLO_TRAIN].items[0], "images/train");
    assert_int_equal(d.parts[DET_YOLO_VAL].count, 2);
    assert_string_equal(d.parts[DET_YOLO_VAL].items[1], "b");
    assert_int_equal(d.parts[DET_YOLO_TEST].count, 2);
    assert_string_equal(d.parts[DET_YOLO_TEST].items[0], "c");
    det_yolo_description_free(&d);

    d = parse_ok("path: 'C:/x'\ntrain: null\nval: ~\ntest: # none\nnames: [x]\n");
    assert_string_equal(d.path, "C:/x");
    for (int i = 0; i < DET_YOLO_PARTS; i++) assert_int_equal(d.parts[i].count, 0);
    det_yolo_description_free(&d);
}

static void other_keys_and_what_stands_below_them_are_passed_over(void **state)
{
    (void)state;
    assert_names("roboflow:\n  names: nothing\n  url: https://x.y/z\ndownload: |\n"
                 "  from x import y\n  print('a: b')\nnames: [x]\nkpt_shape: [17, 3]\n",
                 "0 x");
}

static void what_is_wrong_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *where, *message;
    } cases[] = {
        {"names: cat\n", "line 1", "\"names\" must be a list or a map"},
        {"nc: 1\nnames: [cat\n", "line 2", "the text ends before the bracket: ]"},
        {"names: [cat] dog\n", "line 1", "something follows the closing bracket: dog"},
        {"names: ['cat]\n", "line 1", "a quote is not closed"},
        {"names:\n  0: 'cat\n", "line 2", "a quote is not closed"},
        {"names:\n  one: cat\n", "line 2", "stand behind their numbers, 0 to 65535: one: cat"},
        {"names:\n  65536: cat\n", "line 2", "0 to 65535"},
        {"names:\n  0:\n", "line 2", "a class has no name"},
        {"names: ['']\n", "line 1", "a class has no name"},
        {"names: [\xFF]\n", "line 1", "not UTF-8"},
        {"names: {0: a, 1: b, 0: c}\n", "", "class 0 has two names"},
        {"names\n", "line 1", "\"key: value\" is expected here: names"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_yolo_description d = {0};
        det_error error = {0};
        test_assert_error(det_yolo_parse_yaml(cases[i].text, strlen(cases[i].text), &d, &error),
                          DET_FORMAT, &error, cases[i].message);
        assert_string_equal(error.where, cases[i].where);
        det_yolo_description_free(&d);
    }
}

static void a_list_of_names_has_one_a_line(void **state)
{
    (void)state;
    static const char text[] = "cat\r\nhot dog \n\n", gap[] = "cat\n\ndog\n";
    det_yolo_description d = {0};
    det_error error = {0};
    test_assert_ok(det_yolo_parse_names(text, strlen(text), &d, &error), &error);
    assert_int_equal(d.name_count, 2);
    assert_string_equal(d.names[1].name, "hot dog");
    assert_int_equal(d.names[1].id, 1);
    det_yolo_description_free(&d);
    test_assert_error(det_yolo_parse_names(gap, strlen(gap), &d, &error), DET_FORMAT, &error,
                      "a class has no name");
    assert_string_equal(error.where, "line 2");
    det_yolo_description_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read_however_yaml_writes_them),
        cmocka_unit_test(paths_and_parts_are_read),
        cmocka_unit_test(other_keys_and_what_stands_below_them_are_passed_over),
        cmocka_unit_test(what_is_wrong_is_refused_with_its_line),
        cmocka_unit_test(a_list_of_names_has_one_a_line),
    };
    return cmocka_run_group_tests_name("yolo_description", tests, NULL, NULL);
}
