/* SPDX-License-Identifier: Apache-2.0 */
/* What the page of a training says, that it holds all it needs, and that no name can become markup.
 */
#include "detect/report.h"
#include "src/base/memory.h"
#include "tests/unit/support_eval.h"
#include "tests/unit/support_image.h"
#include "tests/unit/support_page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Two pictures with four labels, of which two are of one object, one is of the wrong class and one
 * is loose; something without a label is found. */
static test_set *small_set(void)
{
    test_set *set = test_set_begin(DET_BOX_SIZED, 2, 2);
    set->annotations.folder = test_folder();
    set->images[0].file = "one.png";
    set->images[1].file = "two.png";
    set->categories[0].name = "apple";
    set->categories[1].name = "banana";
    test_set_object(set, 0, 0, 10, 10, 40, 40);
    test_set_object(set, 0, 0, 10, 10, 38, 40);
    test_set_object(set, 1, 1, 60, 10, 30, 60);
    test_set_object(set, 1, 0, 10, 10, 40, 40);
    return set;
}

static const det_suspicion suspicions[] = {
    {.kind = DET_SUSPICION_DUPLICATE,
     .image = 0,
     .object = 1,
     .other = 0,
     .box = {10, 10, 50, 50},
     .score = NAN,
     .overlap = .95,
     .doubt = .95,
     .why = "labelled twice, apple and apple"},
    {.kind = DET_SUSPICION_MISSED,
     .image = 0,
     .object = SIZE_MAX,
     .other = SIZE_MAX,
     .category = 1,
     .box = {60, 60, 90, 90},
     .score = .9,
     .doubt = .9,
     .why = "banana is found here (0.90) and has no label"},
    {.kind = DET_SUSPICION_CLASS,
     .image = 1,
     .object = 2,
     .other = SIZE_MAX,
     .box = {58, 12, 90, 70},
     .score = .8,
     .overlap = .9,
     .doubt = .8,
     .why = "labelled banana, found as apple (0.80)"},
    {.kind = DET_SUSPICION_BOX,
     .image = 1,
     .object = 3,
     .other = SIZE_MAX,
     .box = {30, 10, 70, 50},
     .score = .9,
     .overlap = .33,
     .doubt = .6,
     .why = "apple is found elsewhere (0.90)"},
};

static const det_trained_class classes[] = {
    {.name = "apple",
     .objects = 120,
     .images = 30,
     .ap50 = {.value = .8, .low = .7, .high = .9, .samples = 1000},
     .ap = {.value = .4, .low = .3, .high = .5, .samples = 1000}},
    {.name = "banana",
     .objects = 3,
     .images = 2,
     .ap50 = {.value = .1},
     .ap = {.value = .05},
     .verdict = DET_CLASS_FEW_PICTURES,
     .wanted = 8},
};

static const det_training trained = {
    .classes = classes,
    .class_count = 2,
    .image_count = 31,
    .object_count = 123,
    .proposal_count = 9000,
    .recall = .975,
    .folds = 5,
    .ap50 = {.value = .45, .low = .4, .high = .5, .samples = 1000},
    .ap = {.value = .225, .low = .2, .high = .25, .samples = 1000},
    .suspicions = suspicions,
    .suspicion_count = sizeof suspicions / sizeof *suspicions,
};

static void draw_pictures(void)
{
    static const char *const files[] = {"one.png", "two.png"};
    det_error error = {0};
    det_image picture = test_picture(100, 100);
    for (int i = 0; i < 2; i++)
        test_assert_ok(det_image_write(&picture, test_path(files[i]), &error), &error);
    det_image_free(&picture);
}

static char *report_of(const det_training *training, const test_set *set,
                       const det_training_report_options *options, det_report_counts *counts)
{
    det_error error = {0};
    test_assert_ok(det_training_report_write(training, &set->annotations, options,
                                             test_path("report"), NULL, counts, &error),
                   &error);
    return test_page_in(test_path("report"));
}

static void a_report_shows_figures_classes_and_doubtful_labels(void **state)
{
    (void)state;
    draw_pictures();
    det_report_counts counts;
    char *page =
        report_of(&trained, small_set(),
                  &(det_training_report_options){
                      .title = "Fruit", .annotations = "train.json", .model = "fruit.safetensors"},
                  &counts);
    static const char *const texts[] = {
        "<title>Fruit</title>",
        "<code>train.json</code>, coco",
        "<code>fruit.safetensors</code>",
        "<span>AP50</span><b>0.450</b><small>95&nbsp;% interval 0.400 to 0.500, 1000 samples",
        "<span>AP</span><b>0.225</b>",
        "<span>objects proposed</span><b>0.975</b>",
        "only the other 4 of 5 parts",
        "<th scope=\"row\">apple</th><td>30</td><td>120</td><td class=\"bar\"",
        "style=\"--v:80.0%\">0.800</td><td>0.700 to 0.900</td><td>0.400</td>",
        "<td>learned</td>",
        "<td></td><td>too few pictures: 8 more wanted</td>",
        "<b>duplicate</b>: labelled twice, apple and apple<br><span>doubt 0.95</span>",
        "<b>missed box</b>: banana is found here (0.90) and has no label",
        "<b>wrong class</b>: ",
        "<b>loose box</b>: ",
        "other labels, dotted",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) test_assert_says(page, texts[i]);
    assert_int_equal(counts.mistakes, 4);
    assert_int_equal(counts.pictures, 4);
    assert_int_equal(test_count_text(page, "data:image/jpeg;base64,/9j/"), 4);
    det_free(page);
}

/* Found: three and the legend's. Labels in question: 2, 0, 1 and 1; other labels: 0, 2, 1 and 1. */
static void every_box_is_drawn_as_what_it_is(void **state)
{
    (void)state;
    draw_pictures();
    char *page = report_of(&trained, small_set(), NULL, NULL);
    assert_int_equal(test_count_text(page, "<i class=\"found\""), 4);
    assert_int_equal(test_count_text(page, "<i class=\"object\""), 5);
    assert_int_equal(test_count_text(page, "<i class=\"other\""), 5);
    det_free(page);
}

static void a_page_needs_no_other_file(void **state)
{
    (void)state;
    draw_pictures();
    char *page = report_of(&trained, small_set(), NULL, NULL);
    test_assert_page_needs_no_file(page);
    det_free(page);
}

static void names_cannot_become_markup(void **state)
{
    (void)state;
    static const char hostile[] = "<script>alert('x')</script>\"&\xFF/..";
    det_trained_class named[] = {classes[0], classes[1]};
    det_suspicion doubtful = suspicions[1];
    det_training training = trained;
    test_set *set = small_set();
    named[0].name = named[1].name = doubtful.why = set->images[0].file = hostile;
    training.classes = named;
    training.suspicions = &doubtful;
    training.suspicion_count = 1;
    char *page = report_of(
        &training, set,
        &(det_training_report_options){.title = hostile, .annotations = hostile, .model = hostile},
        NULL);
    test_assert_silent(page, "<script");
    test_assert_silent(page, "\xFF");
    det_free(page);
}

static void labels_without_pictures_are_texts(void **state)
{
    (void)state;
    det_report_counts counts;
    test_set *set = small_set();
    set->annotations.folder = "/no/such/folder";
    char *page = report_of(&trained, set, NULL, &counts);
    assert_int_equal(counts.mistakes, 4);
    assert_int_equal(counts.pictures, 0);
    test_assert_says(page, "4 of 4 labels have no picture");
    test_assert_says(page, "label at 10, 10, 50, 50");
    test_assert_says(page, "found at 60, 60, 90, 90");
    det_free(page);
}

static void settings_of_training_and_those_that_were_set_are_shown(void **state)
{
    (void)state;
    det_config *config = NULL;
    det_error error = {0};
    test_assert_ok(det_config_create(&config, &error), &error);
    test_assert_ok(det_config_set(config, "train.folds=3", &error), &error);
    test_assert_ok(det_config_set(config, "proposals.max=77", &error), &error);
    char *page =
        report_of(&trained, small_set(), &(det_training_report_options){.config = config}, NULL);
    test_assert_says(page, "<a href=\"#settings\">");
    test_assert_says(page, "<dt>train.folds</dt><dd><code>3</code></dd>");
    test_assert_says(page, "<dt>train.positive_iou</dt><dd><code>0.5</code></dd>");
    test_assert_says(page, "<dt>proposals.max</dt><dd><code>77</code></dd>");
    test_assert_silent(page, "postprocess.");
    det_free(page);
    det_config_free(config);
    page = report_of(&trained, small_set(), NULL, NULL);
    test_assert_silent(page, "train.folds");
    det_free(page);
}

static void what_it_was_made_from_is_told_by_digests(void **state)
{
    (void)state;
    det_training training = trained;
    char *page = report_of(&training, small_set(), NULL, NULL);
    test_assert_silent(page, "digest");
    det_free(page);
    strcpy(training.network_digest, "xxh3-128:01");
    strcpy(training.pictures_digest, "xxh3-128:02");
    strcpy(training.annotations_digest, "xxh3-128:03");
    page = report_of(&training, small_set(), NULL, NULL);
    test_assert_says(page, "<dt>digest of the network</dt><dd><code>xxh3-128:01</code></dd>");
    test_assert_says(page, "<dt>of the pictures</dt><dd><code>xxh3-128:02</code></dd>");
    test_assert_says(page, "<dt>of the annotations</dt><dd><code>xxh3-128:03</code></dd>");
    det_free(page);
}

static void without_a_doubtful_label_the_page_says_so(void **state)
{
    (void)state;
    det_training training = trained;
    training.suspicion_count = 0;
    char *page = report_of(&training, small_set(), NULL, NULL);
    test_assert_says(page, "Nothing speaks against any label.");
    test_assert_silent(page, "legend\"");
    det_free(page);
}

/* Of 20, 40 and 80 pictures. Without a curve there is neither a chart nor a link to it. */
static void a_learning_curve_is_a_chart(void **state)
{
    (void)state;
    const det_learning_point curve[] = {
        {20, {.value = .2, .low = .1, .high = .3, .samples = 100}},
        {40, {.value = .3, .low = .2, .high = .4, .samples = 100}},
        {80, {.value = .4, .low = .3, .high = .5, .samples = 100}},
    };
    det_training training = trained;
    char *page = report_of(&training, small_set(), NULL, NULL);
    test_assert_silent(page, "curve\"");
    det_free(page);
    training.curve = curve;
    training.curve_count = 3;
    training.gain_images = 100;
    training.gain = (det_interval){.value = .117, .low = -.05, .high = .2, .samples = 100};
    page = report_of(&training, small_set(), NULL, NULL);
    test_assert_says(page, "<a href=\"#curve\">");
    test_assert_says(page, "src=\"data:image/svg+xml;base64,");
    test_assert_says(page, "100 more pictures: about +11.7 points of AP50, 95&nbsp;% interval -5.0 "
                           "to +20.0.");
    test_assert_page_needs_no_file(page);
    det_free(page);
}

static bool refuse(void *context, uint64_t done, uint64_t total)
{
    (void)context, (void)done, (void)total;
    return false;
}

static void a_report_can_be_cancelled(void **state)
{
    (void)state;
    det_error error = {0};
    const det_run run = {.progress = refuse};
    assert_int_equal(det_training_report_write(&trained, &small_set()->annotations, NULL,
                                               test_path("report"), &run, NULL, &error),
                     DET_CANCELLED);
    assert_int_equal(det_training_report_write(&trained, &small_set()->annotations, NULL,
                                               "/no/such/folder", NULL, NULL, &error),
                     DET_IO);
}

#ifdef DET_FAULT_INJECTION
static void memory_that_is_short_is_told_and_nothing_is_lost(void **state)
{
    (void)state;
    draw_pictures();
    det_config *config = NULL;
    det_error error = {0};
    test_assert_ok(det_config_create(&config, &error), &error);
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        det_memory_fail_at(nth);
        const det_status status = det_training_report_write(
            &trained, &small_set()->annotations, &(det_training_report_options){.config = config},
            test_path("report"), NULL, NULL, &error);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
    }
    det_config_free(config);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_shows_figures_classes_and_doubtful_labels),
        cmocka_unit_test(every_box_is_drawn_as_what_it_is),
        cmocka_unit_test(a_page_needs_no_other_file),
        cmocka_unit_test(names_cannot_become_markup),
        cmocka_unit_test(labels_without_pictures_are_texts),
        cmocka_unit_test(settings_of_training_and_those_that_were_set_are_shown),
        cmocka_unit_test(what_it_was_made_from_is_told_by_digests),
        cmocka_unit_test(without_a_doubtful_label_the_page_says_so),
        cmocka_unit_test(a_learning_curve_is_a_chart),
        cmocka_unit_test(a_report_can_be_cancelled),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(memory_that_is_short_is_told_and_nothing_is_lost),
#endif
    };
    return cmocka_run_group_tests_name("report of a training", tests, NULL, NULL);
}
