/* SPDX-License-Identifier: Apache-2.0 */
/* What a report says, that it holds all it needs, and that no name can become markup. */
#include "detect/report.h"
#include "src/base/file.h"
#include "src/base/memory.h"
#include "tests/unit/support_eval.h"
#include "tests/unit/support_image.h"
#include "tests/unit/support_page.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Three pictures and two classes. An object of each class is found (a: twice), one of a has a loose
 * box, one is found as b, one of b is missed, and something is seen where nothing is. */
static test_set *small_set(void)
{
    test_set *set = test_set_begin(DET_BOX_SIZED, 3, 2);
    static const char *const files[] = {"one.png", "two.png", "three.png"};
    set->annotations.folder = test_folder();
    for (int i = 0; i < 3; i++) set->images[i].file = files[i];
    set->categories[0].name = "apple";
    set->categories[1].name = "banana";
    test_set_object(set, 0, 0, 10, 10, 40, 40);
    test_set_object(set, 0, 1, 60, 10, 30, 60);
    test_set_object(set, 1, 0, 20, 20, 50, 50);
    test_set_object(set, 1, 0, 5, 75, 20, 20);
    test_set_object(set, 2, 1, 30, 30, 20, 20);
    test_set_found(set, 0, .9, 10, 10, 40, 40);
    test_set_found(set, 0, .7, 11, 10, 40, 40);
    test_set_found(set, 0, .8, 60, 10, 30, 60);
    set->found[2].category = 1;
    test_set_found(set, 1, .6, 20, 45, 50, 50);
    test_set_found(set, 1, .85, 5, 75, 20, 20);
    set->found[4].category = 1;
    test_set_found(set, 2, .4, 70, 70, 20, 20);
    return set;
}

static void draw_pictures(void)
{
    static const char *const files[] = {"one.png", "two.png", "three.png"};
    det_error error = {0};
    det_image picture = test_picture(100, 100);
    for (int i = 0; i < 3; i++)
        test_assert_ok(det_image_write(&picture, test_path(files[i]), &error), &error);
    det_image_free(&picture);
}

static det_evaluation *evaluated(const test_set *set)
{
    return test_evaluate(set, &(det_eval_options){.keep_matches = true});
}

static char *report_of(const det_evaluation *evaluation, const det_report_options *options,
                       det_report_counts *counts)
{
    det_error error = {0};
    const char *folder = test_path("report");
    test_assert_ok(det_report_write(evaluation, options, folder, NULL, counts, &error), &error);
    return test_page_in(folder);
}

/* COCO's AP of apple: recalls up to 1/3 at every threshold, precision 1: 34 of 101. Of banana: up
 * to 1/2, precision 1/2: 25.5 of 101. The mean is 29.75 / 101 = .295. */
static void a_report_shows_figures_mistakes_classes_confusions_and_counts(void **state)
{
    (void)state;
    draw_pictures();
    det_report_counts counts = {0};
    det_evaluation *e = evaluated(small_set());
    char *page =
        report_of(e, &(det_report_options){.title = "Fruit", .results = "found.json"}, &counts);
    static const char *const texts[] = {
        "<title>Fruit</title>",
        "<code>found.json</code>",
        "<span>AP</span><b>0.295</b>",
        "Average recall (AR)",
        "<section id=\"costs\">",
        "duplicate <small>the object was found already; 1 of 1</small>",
        "<b>banana</b>, is <b>apple</b>",
        "<b>apple</b>, box is off",
        "<b>apple</b>, found twice",
        "<b>apple</b>, nothing is there",
        "<b>banana</b> missed",
        "three.png",
        "<a href=\"#class-2\">banana</a>",
        "<div id=\"class-2\">",
        "Precision against recall: banana",
        "What is taken for it: apple (1)",
        "<section id=\"confusion\">",
        "detections in the results",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) test_assert_says(page, texts[i]);
    assert_int_equal(counts.mistakes, 5);
    assert_int_equal(counts.pictures, 5);
    assert_int_equal(test_count_text(page, "data:image/jpeg;base64,/9j/"), 5);
    det_free(page);
    det_evaluation_free(e);
}

static void a_page_needs_no_other_file(void **state)
{
    (void)state;
    draw_pictures();
    det_evaluation *e = evaluated(small_set());
    char *page = report_of(e, NULL, NULL);
    test_assert_page_needs_no_file(page);
    det_free(page);
    det_evaluation_free(e);
}

static void names_cannot_become_markup(void **state)
{
    (void)state;
    static const char hostile[] = "<script>alert('x')</script>\"&\xFF/..";
    static const char shown[] = "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;"
                                "\xEF\xBF\xBD/..";
    test_set *set = small_set();
    set->categories[0].name = hostile;
    for (int i = 0; i < 3; i++) set->images[i].file = hostile;
    const det_unknown_class unknown = {hostile, 1};
    const char *const warnings[] = {hostile};
    set->results.unknown_classes = &unknown;
    set->results.unknown_class_count = set->results.unknown_class_objects = 1;
    set->results.warnings = warnings;
    set->results.warning_count = 1;
    det_evaluation *e = evaluated(set);
    char *page = report_of(e,
                           &(det_report_options){.title = hostile,
                                                 .results = hostile,
                                                 .annotations = hostile,
                                                 .other = e,
                                                 .other_results = hostile},
                           NULL);
    test_assert_silent(page, "<script");
    test_assert_silent(page, "\xFF");
    assert_true(test_count_text(page, shown) > 15);
    assert_int_equal(
        access(test_path("report/curves/1-<script>alert('x')<_script>\"&\xFF_...svg"), F_OK), 0);
    det_free(page);
    det_evaluation_free(e);
}

static void curves_are_files_too(void **state)
{
    (void)state;
    det_evaluation *e = evaluated(small_set());
    det_free(report_of(e, NULL, NULL));
    static const char *const names[] = {"report/curves/mean.svg", "report/curves/1-apple.svg",
                                        "report/curves/2-banana.svg"};
    for (int i = 0; i < 3; i++) {
        det_bytes svg = {0};
        det_error error = {0};
        test_assert_ok(det_file_read(test_path(names[i]), 1 << 20, &svg, &error), &error);
        assert_memory_equal(svg.data, "<?xml", 5);
        det_bytes_free(&svg);
    }
    det_evaluation_free(e);
}

static void mistakes_without_pictures_are_texts_and_the_page_says_why(void **state)
{
    (void)state;
    det_report_counts counts = {0};
    test_set *set = small_set();
    set->annotations.folder = "/no/such/folder";
    det_evaluation *e = evaluated(set);
    char *page = report_of(e, NULL, &counts);
    assert_int_equal(counts.mistakes, 5);
    assert_int_equal(counts.pictures, 0);
    test_assert_says(page, "5 of 5 mistakes have no picture");
    test_assert_says(page, "<code>/no/such/folder/two.png</code>: cannot open: No such file");
    test_assert_says(page, "--images FOLDER");
    test_assert_says(page, "found at 20, 45, 70, 95");
    test_assert_says(page, "object at 20, 20, 70, 70");
    det_free(page);
    set->annotations.format = DET_ANNOTATIONS_YOLO;
    page = report_of(e, NULL, NULL);
    test_assert_says(page, "The annotations name the pictures.");
    det_free(page);
    det_evaluation_free(e);
}

/* One of each of the five kinds that there are, then none is left of most. */
static void so_many_mistakes_are_shown_as_are_wanted_of_each_kind_in_turn(void **state)
{
    (void)state;
    det_report_counts counts = {0};
    test_set *set = small_set();
    for (uint32_t i = 0; i < 9; i++) test_set_found(set, 2, .1 + .01 * i, 0, 0, 9, 9);
    det_evaluation *e = evaluated(set);
    char *page = report_of(e, &(det_report_options){.mistakes = 7}, &counts);
    assert_int_equal(counts.mistakes, 7);
    test_assert_says(page, "there is no object; 3 of 10");
    test_assert_says(page, "score 0.170");
    test_assert_silent(page, "score 0.160");
    det_free(page);
    page = report_of(e, &(det_report_options){.without_mistakes = true}, &counts);
    assert_int_equal(counts.mistakes, 0);
    test_assert_silent(page, "#mistakes");
    det_free(page);
    det_evaluation_free(e);
}

/* Of missed objects the largest come first. */
static void the_largest_missed_objects_are_shown(void **state)
{
    (void)state;
    test_set *set = test_set_begin(DET_BOX_SIZED, 1, 1);
    set->annotations.folder = "";
    set->images[0].file = "x";
    for (int i = 1; i <= 9; i++) test_set_object(set, 0, 0, 10 * (i * 4 % 9), 0, i, i);
    det_evaluation *e = evaluated(set);
    char *page = report_of(e, &(det_report_options){.mistakes = 2}, NULL);
    test_assert_says(page, "object at 0, 0, 9, 9");
    test_assert_says(page, "object at 50, 0, 58, 8");
    test_assert_silent(page, "object at 10, 0, 17, 7");
    det_free(page);
    det_evaluation_free(e);
}

/* A box of inclusive corners 1, 1, 10, 10 covers the pixels from 0 to 10. */
static void boxes_of_voc_are_shown_in_pixels(void **state)
{
    (void)state;
    test_set *set = test_set_begin(DET_BOX_INCLUSIVE, 1, 1);
    set->annotations.folder = "";
    set->images[0].file = "x";
    test_set_object(set, 0, 0, 21, 21, 40, 40);
    test_set_found(set, 0, .5, 1, 1, 10, 10);
    det_evaluation *e =
        test_evaluate(set, &(det_eval_options){.metric = DET_METRIC_VOC07, .keep_matches = true});
    char *page = report_of(e, NULL, NULL);
    test_assert_says(page, "found at 0, 0, 10, 10");
    test_assert_says(page, "object at 20, 20, 40, 40");
    test_assert_says(page, "<span>mAP</span><b>0.000</b>");
    test_assert_says(page, "11 recalls");
    det_free(page);
    det_evaluation_free(e);
}

static void an_interval_and_other_results_stand_beside_the_figures(void **state)
{
    (void)state;
    const det_interval interval = {.value = .421, .low = .25, .high = .5, .samples = 100};
    const det_interval difference = {.value = .1, .low = -.05, .high = .2, .samples = 100};
    test_set *set = small_set();
    det_evaluation *e = evaluated(set);
    set->results.object_count = 1;
    det_evaluation *other = evaluated(set);
    set->results.object_count = 6;
    char *page = report_of(e,
                           &(det_report_options){.interval = &interval,
                                                 .other = other,
                                                 .other_results = "old.json",
                                                 .difference = &difference},
                           NULL);
    test_assert_says(page, "95&nbsp;% interval 0.250 to 0.500, 100 samples of the pictures");
    test_assert_says(page, "difference +0.100, 95&nbsp;% interval -0.050 to 0.200");
    test_assert_says(page, "old.json");
    test_assert_says(page, "<td>+0.252</td>");
    det_free(page);
    page = report_of(e, &(det_report_options){.interval = &(det_interval){0}}, NULL);
    test_assert_says(page, "no interval: no sample has an object");
    det_free(page);
    det_evaluation_free(e);
    det_evaluation_free(other);
}

static void nothing_found_and_nothing_there_are_reports_too(void **state)
{
    (void)state;
    test_set *set = small_set();
    set->results.object_count = 0;
    det_evaluation *e = evaluated(set);
    char *page = report_of(e, NULL, NULL);
    test_assert_says(page, "<span>AP</span><b>0.000</b>");
    test_assert_says(page, "No detection is true.");
    det_free(page);
    det_evaluation_free(e);

    set = small_set();
    set->annotations.object_count = 0;
    for (int i = 0; i < 3; i++) set->images[i].object_count = 0;
    e = evaluated(set);
    page = report_of(e, NULL, NULL);
    test_assert_says(page, "<span>AP</span><b>n/a</b>");
    test_assert_says(page, "nothing is there");
    test_assert_silent(page, "Precision against recall");
    det_free(page);
    det_evaluation_free(e);

    set = test_set_begin(DET_BOX_SIZED, 0, 0);
    e = evaluated(set);
    page = report_of(e, NULL, NULL);
    test_assert_says(page, "There are none.");
    test_assert_says(page, "</html>");
    det_free(page);
    det_evaluation_free(e);
}

/* Picture i has an object of class i, which is found as class i + 1 where i is 50 or more. */
static void of_many_classes_those_are_compared_that_are_confused_most(void **state)
{
    (void)state;
    enum { classes = 60 };
    det_category categories[classes];
    char names[classes][8];
    test_set *set = test_set_begin(DET_BOX_SIZED, classes, 0);
    set->annotations.folder = "";
    set->annotations.categories = categories;
    set->annotations.category_count = classes;
    for (uint32_t i = 0; i < classes; i++) {
        snprintf(names[i], sizeof names[i], "n%02u", i);
        categories[i] = (det_category){names[i], i + 1};
        set->images[i].file = names[i];
        test_set_object(set, i, i, 0, 0, 10, 10);
        test_set_found(set, i, .5, 0, 0, 10, 10);
        set->found[i].category = i < 50 ? i : (i + 1) % classes;
    }
    det_evaluation *e = evaluated(set);
    char *page = report_of(e, NULL, NULL);
    const char *matrix = strstr(page, "<section id=\"confusion\">");
    assert_non_null(matrix);
    test_assert_says(matrix, "Of 60 classes the 40 that are confused most, these first.");
    assert_int_equal(test_count_text(matrix, "<th scope=\"row\">n"), 40);
    assert_true(strstr(matrix, ">n51<") < strstr(matrix, ">n50<"));
    assert_true(strstr(matrix, ">n50<") < strstr(matrix, ">n01<"));
    test_assert_says(page, "Taken for n52 (1).");
    det_free(page);
    det_evaluation_free(e);
}

static bool cancel(void *context, uint64_t done, uint64_t total)
{
    (void)context, (void)done, (void)total;
    return false;
}

static void what_cannot_be_written_is_an_error(void **state)
{
    (void)state;
    det_error error = {0};
    det_evaluation *e = test_evaluate(small_set(), NULL);
    test_assert_error(det_report_write(e, NULL, test_path("r"), NULL, NULL, &error), DET_ARGUMENT,
                      &error, "not kept");
    det_evaluation_free(e);
    e = evaluated(small_set());
    test_assert_error(det_report_write(e, NULL, "/no/such/folder/r", NULL, NULL, &error), DET_IO,
                      &error, "No such file");
    test_assert_error(
        det_report_write(e, NULL, test_path("r"), &(det_run){.progress = cancel}, NULL, &error),
        DET_CANCELLED, &error, "cancelled");
    assert_int_not_equal(access(test_path("r/index.html"), F_OK), 0);
    const det_annotations annotations = {.folder = ""};
    const det_evaluation other = {.annotations = &annotations};
    test_assert_error(det_report_write(e, &(det_report_options){.other = &other}, test_path("r"),
                                       NULL, NULL, &error),
                      DET_ARGUMENT, &error, "other annotations");
    det_evaluation_free(e);
}

#ifdef DET_FAULT_INJECTION
static void every_allocation_may_fail(void **state)
{
    (void)state;
    draw_pictures();
    test_set *set = small_set();
    set->annotations.category_count = 1; /* of one class there are fewer */
    set->annotations.object_count = 1;
    set->images[0].object_count = 1;
    set->images[1].object_count = set->images[2].object_count = 0;
    set->results.object_count = 2;
    det_evaluation *e = evaluated(set);
    const char *folder = test_path("failing");
    for (uint64_t nth = 1;; nth++) {
        det_error error = {0};
        det_memory_fail_at(nth);
        const det_status status =
            det_report_write(e, NULL, folder, &(det_run){.threads = 1}, NULL, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        if (!failed) {
            test_assert_ok(status, &error);
            break;
        }
        test_assert_error(status, DET_MEMORY, &error, "out of memory");
    }
    det_evaluation_free(e);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_shows_figures_mistakes_classes_confusions_and_counts),
        cmocka_unit_test(a_page_needs_no_other_file),
        cmocka_unit_test(names_cannot_become_markup),
        cmocka_unit_test(curves_are_files_too),
        cmocka_unit_test(mistakes_without_pictures_are_texts_and_the_page_says_why),
        cmocka_unit_test(so_many_mistakes_are_shown_as_are_wanted_of_each_kind_in_turn),
        cmocka_unit_test(the_largest_missed_objects_are_shown),
        cmocka_unit_test(boxes_of_voc_are_shown_in_pixels),
        cmocka_unit_test(an_interval_and_other_results_stand_beside_the_figures),
        cmocka_unit_test(nothing_found_and_nothing_there_are_reports_too),
        cmocka_unit_test(of_many_classes_those_are_compared_that_are_confused_most),
        cmocka_unit_test(what_cannot_be_written_is_an_error),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(every_allocation_may_fail),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
