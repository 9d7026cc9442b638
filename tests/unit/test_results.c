/* SPDX-License-Identifier: Apache-2.0 */
/* Detections from files, settled against annotations. */
#include "src/base/memory.h"
#include "src/data/results.h"
#include "tests/unit/support.h"
#include "tests/unit/support_annotations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Images 42 (a/7.jpg) and 5 (8.jpg); "cat" (18), "traffic light" (3), "dog" (19). */
static const char annotations_text[] =
    "{\"images\":[{\"id\":42,\"file_name\":\"a/7.jpg\",\"width\":90,\"height\":60},"
    "{\"id\":5,\"file_name\":\"8.jpg\",\"width\":90,\"height\":60}],"
    "\"categories\":[{\"id\":18,\"name\":\"cat\"},{\"id\":3,\"name\":\"traffic light\"},"
    "{\"id\":19,\"name\":\"dog\"}],\"annotations\":[]}";

static det_annotations *annotations;

static int read_annotations(void **state)
{
    (void)state;
    const char *path = test_write_below("truth.json", annotations_text);
    return det_annotations_read(path, NULL, &annotations, NULL);
}

static int free_annotations(void **state)
{
    (void)state;
    det_annotations_free(annotations);
    return 0;
}

static det_results *read_with(const char *path, const det_results_options *options)
{
    det_results *results = NULL;
    det_error error = {0};
    test_assert_ok(det_results_read(path, annotations, options, &results, &error), &error);
    return results;
}

static det_results *read_text(const char *name, const char *text)
{
    return read_with(test_write_below(name, text), NULL);
}

static void assert_object(const det_results *results, size_t index, det_detected_object expected)
{
    assert_true(index < results->object_count);
    const det_detected_object *object = &results->objects[index];
    assert_int_equal(object->image, expected.image);
    assert_int_equal(object->category, expected.category);
    assert_true(object->score == expected.score);
    assert_memory_equal(object->box, expected.box, sizeof expected.box);
}

static void assert_warned(const det_results *results, const char *part)
{
    for (size_t i = 0; i < results->warning_count; i++)
        if (strstr(results->warnings[i], part)) return;
    fail_msg("no warning says \"%s\"", part);
}

/* ---- COCO ---- */

static const char coco_text[] =
    "[{\"image_id\":42,\"category_id\":18,\"bbox\":[258.15,41.29,348.26,243.78],\"score\":0.236},\n"
    " {\"score\": 0.30000000000000004, \"bbox\": [ 0 , 1e1, 2.5, 3 ], \"category_id\": 3,\n"
    "  \"image_id\": 5}]\n";

static const det_detected_object coco_objects[] = {
    {.image = 0, .category = 0, .score = .236, .box = {258.15, 41.29, 348.26, 243.78}},
    {.image = 1, .category = 1, .score = .30000000000000004, .box = {0, 10, 2.5, 3}},
};

static void coco_results_keep_every_bit(void **state)
{
    (void)state;
    det_results *results = read_text("found.json", coco_text);
    assert_int_equal(results->format, DET_RESULTS_COCO);
    assert_int_equal(results->form, DET_BOX_SIZED);
    assert_int_equal(results->object_count, 2);
    assert_int_equal(results->listed_count, 2);
    assert_int_equal(results->warning_count, 0);
    for (size_t i = 0; i < 2; i++) assert_object(results, i, coco_objects[i]);
    det_results_free(results);
}

static bool is_flat(const char *text, det_results_part *part)
{
    det_result_names names = {0};
    det_error error = {0};
    bool flat = false;
    test_assert_ok(det_result_names_make(annotations, NULL, 0, &names, &error), &error);
    test_assert_ok(det_results_parse_flat(text, strlen(text), &names, 1, part, &flat, &error),
                   &error);
    det_result_names_free(&names);
    return flat;
}

static void flat_results_are_read_in_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool flat;
    } cases[] = {
        {coco_text, true},
        {"[{\"id\":1,\"area\":2,\"iscrowd\":0,\"image_id\":42,\"category_id\":18,"
         "\"bbox\":[1,2,3,4],\"score\":1}]",
         true},
        {"[]", false},
        {"[{\"image_id\":42,\"category_id\":18,\"bbox\":[1,2,3,4],\"score\":1},]", false},
        {"[{\"image_id\":42,\"category_id\":18,\"bbox\":[1,2,3,4],\"score\":1}] 1", false},
        {"[{\"image_id\":42,\"category_id\":18,\"bbox\":[1,2,3,4],\"score\":1}", false},
        {"[{\"image_id\":42,\"category_id\":18,\"bbox\":[1,2,3],\"score\":1}]", false},
        {"[{\"image_id\":42,\"category_id\":18,\"bbox\":[1,2,3,4,5],\"score\":1}]", false},
        {"[{\"image_id\":42,\"image_id\":42,\"category_id\":18,\"bbox\":[1,2,3,4],\"score\":1}]",
         false},
        {"[{\"image_id\":42,\"category_id\":18,\"bbox\":[1,2,3,4]}]", false},
        {"[{\"image_id\":4.2,\"category_id\":18,\"bbox\":[1,2,3,4],\"score\":1}]", false},
        {"[{\"image_id\":042,\"category_id\":18,\"bbox\":[1,2,3,4],\"score\":1}]", false},
        {"[{\"image_id\":42,\"category_id\":18,\"bbox\":[1,2,3,4],\"score\":1e999}]", false},
        {"[{\"image_id\":42,\"category_id\":18,\"bbox\":[1,2,3,4],\"score\":1,\"name\":\"x\"}]",
         false},
        {"[{\"image_id\":42,\"category_id\":18,\"bbox\":[1,2,3,4],\"score\":NaN}]", false},
        {"{\"images\":[]}", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_results_part part = {0};
        if (is_flat(cases[i].text, &part) != cases[i].flat) fail_msg("case %zu", i);
        if (!cases[i].flat) assert_int_equal(part.listed, 0);
        det_results_part_free(&part);
    }
}

/* Objects that are not flat, an unknown member, escapes. */
static void other_coco_results_are_read_too(void **state)
{
    (void)state;
    char text[1024];
    snprintf(text, sizeof text, "[{\"segmentation\":{\"counts\":\"},{\",\"size\":[1,2]},%s",
             coco_text + 2);
    det_results *results = read_text("found.json", text);
    assert_int_equal(results->object_count, 2);
    for (size_t i = 0; i < 2; i++) assert_object(results, i, coco_objects[i]);
    det_results_free(results);
    results = read_text("found.json", "[]");
    assert_int_equal(results->object_count, 0);
    det_results_free(results);
}

/* Three hundred thousand bytes, cut into pieces anywhere: object i has the score i / 4096. */
static void results_in_pieces_keep_their_order(void **state)
{
    (void)state;
    enum { count = 4096 };
    char *text = malloc((size_t)count * 96), *at = text;
    assert_non_null(text);
    for (int i = 0; i < count; i++)
        at += sprintf(
            at, "%c{\"image_id\":%d,\"category_id\":%d,\"bbox\":[%d,2.5,3,4],\"score\":%.17g}",
            i == 0 ? '[' : ',', i % 7 ? 42 : 6, i % 5 ? 18 : 91, i, i / 4096.);
    sprintf(at, "]");
    const char *path = test_write_below("found.json", text);
    for (int threads = 1; threads <= 7; threads++) {
        det_results *results = read_with(path, &(det_results_options){.threads = threads});
        size_t next = 0;
        for (int i = 0; i < count; i++) {
            if (i % 7 == 0 || i % 5 == 0) continue;
            assert_object(results, next++,
                          (det_detected_object){.score = i / 4096., .box = {i, 2.5, 3, 4}});
        }
        assert_int_equal(results->object_count, next);
        assert_int_equal(results->listed_count, count);
        assert_int_equal(results->unknown_image_count, 586);
        assert_int_equal(results->unknown_class_objects, count - 586 - next);
        assert_int_equal(results->unknown_class_count, 1);
        assert_string_equal(results->unknown_classes[0].name, "category_id 91");
        assert_warned(results, "left out: 586 (first: image_id 6)");
        det_results_free(results);
    }
    free(text);
}

static void faults_of_coco_results_are_named_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *where, *message;
    } cases[] = {
        {"[{\"image_id\":1},]", "", "\"category_id\""},
        {"[3]", "[0]", "must be an object"},
        {"[{\"image_id\":\"1\"}]", "[0]", "\"image_id\", an integer"},
        {"[{\"image_id\":1,\"category_id\":1,\"bbox\":[1,2,3],\"score\":1}]", "[0]",
         "four numbers"},
        {"[{\"image_id\":1,\"category_id\":1,\"bbox\":[1,2,3,4]}]", "[0]", "\"score\""},
        {"[{\"image_id\":1,\"category_id\":1,\"bbox\":[1,2,3,4],\"score\":NaN}]",
         "line 1, column 57", "NaN"},
        {"{\"a\":1}", "", "lists no pictures"},
        {"{\"images\":[{\"file_name\":\"a\"}]}", "images[0]", "COCO annotations"},
        {"{\"images\":[{\"file\":\"a\"}]}", "images[0]", "\"detections\""},
        {"{\"images\":[{\"file\":\"8.jpg\",\"detections\":[{\"class\":\"cat\",\"score\":1,"
         "\"box\":{\"x\":1}}]}]}",
         "images[0].detections[0].box", "\"y\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_error error = {0};
        det_results *results = NULL;
        const char *path = test_write_below("found.json", cases[i].text);
        test_assert_error(det_results_read(path, annotations, NULL, &results, &error), DET_FORMAT,
                          &error, cases[i].message);
        assert_string_equal(error.file, path);
        if (*cases[i].where) assert_string_equal(error.where, cases[i].where);
    }
}

/* ---- Documents of detect ---- */

#define PICTURE(file, detections)                                                                  \
    "{\"file\":\"" file "\",\"width\":9,\"height\":9,\"detections\":[" detections                  \
    "],\"proposal_count\":1,\"error\":null}"
#define DETECTION(class, x)                                                                        \
    "{\"class\":\"" class "\",\"class_id\":7,\"score\":0.5,\"box\":{\"x\":" x                      \
                          ",\"y\":2,\"width\":3.25,\"height\":4},\"source\":\"uniform\"}"

static void documents_of_detect_are_matched_by_name(void **state)
{
    (void)state;
    det_results *results = read_text(
        "found.json",
        "{\"schema_version\":1,\"detector\":{},\"images\":[" PICTURE(
            "x/a/7.jpg", DETECTION("dog", "1.5") "," DETECTION(
                             "bird", "1")) "," PICTURE("9.jpg", DETECTION("cat", "3")) "]}");
    assert_int_equal(results->format, DET_RESULTS_JSON);
    assert_int_equal(results->object_count, 1);
    assert_object(
        results, 0,
        (det_detected_object){.image = 0, .category = 2, .score = .5, .box = {1.5, 2, 3.25, 4}});
    assert_int_equal(results->unknown_image_count, 1);
    assert_warned(results, "left out: 1 (bird: 1)");
    assert_warned(results, "left out: 1 (first: 9.jpg)");
    assert_warned(results, "do not list, taken as without detections: 1 (first: 8.jpg)");
    det_results_free(results);
}

static void lines_of_detect_are_read(void **state)
{
    (void)state;
    det_results *results = read_text(
        "found.jsonl",
        PICTURE("7.jpg", DETECTION("cat", "1")) "\n\n" PICTURE(
            "8.jpg", "") "\n"
                         "{\"file\":\"8.jpg\",\"detections\":[],\"error\":{\"status\":\"io\"}}\n");
    assert_int_equal(results->format, DET_RESULTS_JSONL);
    assert_int_equal(results->object_count, 1);
    assert_warned(results, "failed when they were run, without detections: 1");
    assert_int_equal(results->failed_image_count, 1);
    assert_warned(results, "list again, whose detections add up: 1");
    det_results_free(results);
    det_error error = {0};
    const char *path = test_write_below("found.jsonl", PICTURE("7.jpg", "") "\n{\"file\":");
    test_assert_error(det_results_read(path, annotations, NULL, &results, &error), DET_FORMAT,
                      &error, "end of the text");
    assert_string_equal(error.where, "line 2, column 9");
}

static void the_content_says_what_a_name_does_not(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        det_results_format format;
    } cases[] = {
        {"lines.json", PICTURE("7.jpg", "") " \r\n\n" PICTURE("8.jpg", "") "\n", DET_RESULTS_JSONL},
        {"line.jsonl", PICTURE("7.jpg", ""), DET_RESULTS_JSONL},
        {"array.jsonl", "\n[]", DET_RESULTS_COCO},
        {"document.json", "{\"schema_version\":1,\"images\":[\n" PICTURE("7.jpg", "") "\n]}\n",
         DET_RESULTS_JSON},
        {"pretty.txt.json", "{\n\"images\":[" PICTURE("7.jpg", "") "]}\n", DET_RESULTS_JSON},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_results *results = read_text(cases[i].name, cases[i].text);
        assert_int_equal(results->format, cases[i].format);
        det_results_free(results);
    }
}

static void what_is_no_result_at_all_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"file,class,score\n", " \n", "\"x\"", "{}",
                                        "{\"images\":[]}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        det_error error = {0};
        det_results *results = NULL;
        test_assert_error(det_results_read(test_write_below("no.json", texts[i]), annotations, NULL,
                                           &results, &error),
                          DET_FORMAT, &error,
                          i < 3 ? "none of the results that are read" : "lists no pictures");
        assert_null(results);
    }
}

/* ---- VOC ---- */

static void comp4_files_are_read(void **state)
{
    (void)state;
    test_write_below("voc/comp4_det_test_cat.txt", "7.jpg 0.75 1 2.5 30 40\n\n8.jpg 1 1 1 0 5\n");
    test_write_below("voc/comp4_det_test_traffic_light.txt", "a/7.jpg 0.25 1 1 2 2\r\n");
    test_write_below("voc/comp4_det_test_bird.txt", "7.jpg 0.25 1 1 2 2\n");
    test_write_below("voc/notes.txt", "to be passed over\n");
    det_results *results = read_with(test_path("voc"), NULL);
    assert_int_equal(results->form, DET_BOX_INCLUSIVE);
    assert_int_equal(results->object_count, 3);
    assert_object(results, 0, (det_detected_object){.score = .75, .box = {1, 2.5, 30, 40}});
    assert_object(results, 1, (det_detected_object){.image = 1, .score = 1, .box = {1, 1, 0, 5}});
    assert_object(results, 2,
                  (det_detected_object){.category = 1, .score = .25, .box = {1, 1, 2, 2}});
    assert_int_equal(results->empty_count, 1);
    assert_warned(results, "bird: 1");
    assert_warned(results, "passed over: 1 (first: notes.txt)");
    det_results_free(results);
    results = read_with(test_path("voc/comp4_det_test_cat.txt"), NULL);
    assert_int_equal(results->object_count, 2);
    det_results_free(results);
}

static void faults_of_comp4_files_are_named_with_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *where, *message;
    } cases[] = {
        {"bad/comp4_det_test_cat.txt", "7.jpg 1 1 1 2 2\n7.jpg 1 1 x 2 2", "line 2",
         "\"x\" is no ymin"},
        {"bad/comp4_det_test_cat.txt", "7.jpg 1 1 1 2", "line 1", "\"\" is no ymax"},
        {"bad/comp4_det_test_cat.txt", "7.jpg 1 1 1 2 2 3", "line 1", "has more"},
        {"bad/comp4_det_test_cat.txt", "7.jpg nan 1 1 2 2", "line 1", "\"nan\" is no score"},
        {"bad/cat.txt", "7.jpg 1 1 1 2 2", "", "comp4_det_test_cat.txt"},
        {"bad/comp4_cls_test_cat.txt", "7.jpg 1", "", "comp4_det_test_cat.txt"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_error error = {0};
        det_results *results = NULL;
        const char *path = test_write_below(cases[i].name, cases[i].text);
        test_assert_error(det_results_read(path, annotations, NULL, &results, &error), DET_FORMAT,
                          &error, cases[i].message);
        assert_string_equal(error.file, path);
        assert_string_equal(error.where, cases[i].where);
    }
    det_error error = {0};
    det_results *results = NULL;
    test_write_below("empty/readme.txt", "");
    test_assert_error(det_results_read(test_path("empty"), annotations, NULL, &results, &error),
                      DET_FORMAT, &error, "no files of VOC results");
    test_assert_error(
        det_results_read(test_path("missing.json"), annotations, NULL, &results, &error), DET_IO,
        &error, "");
}

/* ---- Names and numbers ---- */

static void a_class_map_goes_before_names_and_numbers(void **state)
{
    (void)state;
    static const det_class_pair map[] = {
        {"bird", "cat"}, {"cat", "dog"}, {"91", "dog"}, {"18", "dog"}};
    const det_results_options options = {.class_map = map, .class_map_count = 4};
    det_results *results = read_with(
        test_write_below("found.jsonl",
                         PICTURE("7.jpg", DETECTION("bird", "1") "," DETECTION("cat", "2"))),
        &options);
    assert_int_equal(results->objects[0].category, 0);
    assert_int_equal(results->objects[1].category, 2);
    det_results_free(results);
    results = read_with(
        test_write_below("found.json",
                         "[{\"image_id\":42,\"category_id\":91,\"bbox\":[1,2,3,4],\"score\":1},"
                         "{\"image_id\":42,\"category_id\":18,\"bbox\":[1,2,3,4],\"score\":1}]"),
        &options);
    assert_int_equal(results->objects[0].category, 2);
    assert_int_equal(results->objects[1].category, 2);
    det_results_free(results);
}

static void a_class_map_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const struct {
        det_class_pair pairs[2];
        const char *message;
    } cases[] = {{{{"cat", "dog"}, {"bird", "lion"}}, "\"lion\" of \"bird\""},
                 {{{"cat", "dog"}, {"bird", "lion"}}, "they have: cat, traffic light, dog"},
                 {{{"bird", "cat"}, {"bird", "dog"}}, "both \"cat\" and \"dog\" of \"bird\""}};
    const char *path = test_write_below("found.json", coco_text);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_error error = {0};
        det_results *results = NULL;
        const det_results_options options = {.class_map = cases[i].pairs, .class_map_count = 2};
        test_assert_error(det_results_read(path, annotations, &options, &results, &error),
                          DET_ARGUMENT, &error, cases[i].message);
    }
}

static void pictures_of_voc_have_the_numbers_of_their_names(void **state)
{
    (void)state;
    const char *xml = "<annotation><filename>x.jpg</filename><object><name>cat</name><bndbox>"
                      "<xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></object>"
                      "</annotation>";
    test_write_below("xml/000012.xml", xml);
    test_write_below("xml/000042.xml", xml);
    det_annotations *voc = NULL;
    det_results *results = NULL;
    det_error error = {0};
    test_assert_ok(det_annotations_read(test_path("xml"), NULL, &voc, &error), &error);
    const char *path = test_write_below(
        "found.json", "[{\"image_id\":42,\"category_id\":1,\"bbox\":[1,2,3,4],\"score\":1}]");
    test_assert_ok(det_results_read(path, voc, NULL, &results, &error), &error);
    assert_int_equal(results->object_count, 1);
    assert_int_equal(results->objects[0].image, 1);
    det_results_free(results);
    det_annotations_free(voc);
}

/* ---- Memory ---- */

#ifdef DET_FAULT_INJECTION
static void assert_memory_failures(const char *path)
{
    const det_class_pair map = {"91", "dog"};
    const det_results_options options = {.class_map = &map, .class_map_count = 1, .threads = 1};
    for (uint64_t nth = 1;; nth++) {
        det_error error = {0};
        det_results *results = NULL;
        det_memory_fail_at(nth);
        const det_status status = det_results_read(path, annotations, &options, &results, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        if (!failed) {
            test_assert_ok(status, &error);
            det_results_free(results);
            return;
        }
        if (status == DET_OK) { /* a number whose text was not copied, say */
            det_results_free(results);
            continue;
        }
        test_assert_error(status, DET_MEMORY, &error, "out of memory");
    }
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    assert_memory_failures(test_write_below(
        "found.json", "[{\"image_id\":42,\"category_id\":7,\"bbox\":[1,2,3,4],\"score\":1},"
                      "{\"image_id\":42,\"category_id\":18,\"bbox\":[1,2,3,4],\"score\":1},"
                      "{\"image_id\":1,\"category_id\":18,\"bbox\":[1,2,3,4],\"score\":1}]"));
    assert_memory_failures(
        test_write_below("found.jsonl", PICTURE("7.jpg", DETECTION("bird", "1"))));
    assert_memory_failures(test_path("voc"));
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coco_results_keep_every_bit),
        cmocka_unit_test(flat_results_are_read_in_place),
        cmocka_unit_test(other_coco_results_are_read_too),
        cmocka_unit_test(results_in_pieces_keep_their_order),
        cmocka_unit_test(faults_of_coco_results_are_named_with_their_place),
        cmocka_unit_test(documents_of_detect_are_matched_by_name),
        cmocka_unit_test(lines_of_detect_are_read),
        cmocka_unit_test(the_content_says_what_a_name_does_not),
        cmocka_unit_test(what_is_no_result_at_all_is_refused),
        cmocka_unit_test(comp4_files_are_read),
        cmocka_unit_test(faults_of_comp4_files_are_named_with_their_line),
        cmocka_unit_test(a_class_map_goes_before_names_and_numbers),
        cmocka_unit_test(a_class_map_that_makes_no_sense_is_refused),
        cmocka_unit_test(pictures_of_voc_have_the_numbers_of_their_names),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(every_failing_allocation_is_reported),
#endif
    };
    return cmocka_run_group_tests(tests, read_annotations, free_annotations);
}
