/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "tests/unit/support.h"
#include "tests/unit/support_annotations.h"
#include "tests/unit/support_convert.h"
#include "tests/unit/support_documents.h"
#include "tests/unit/support_results.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Two pictures and two classes, whose names have spaces. */
#define TRUTH                                                                                      \
    "{\"images\":[{\"id\":7,\"file_name\":\"x/a.jpg\",\"width\":200,\"height\":100},"              \
    "{\"id\":3,\"file_name\":\"b.jpg\",\"width\":50,\"height\":40}],\"categories\":["              \
    "{\"id\":18,\"name\":\"hot dog\"},{\"id\":1,\"name\":\"cat\"}]}"

#define FOUND                                                                                      \
    "[{\"image_id\":3,\"category_id\":1,\"bbox\":[0.5,1,2,3],\"score\":0.25},\n"                   \
    "{\"image_id\":7,\"category_id\":18,\"bbox\":[10,20,30,40],\"score\":0.125},\n"                \
    "{\"image_id\":7,\"category_id\":1,\"bbox\":[1,2,3,4],\"score\":0.1},\n"                       \
    "{\"image_id\":3,\"category_id\":1,\"bbox\":[0,0,9,9],\"score\":0.5}]"

static det_results *read_found(const char *text, const det_annotations *a)
{
    return test_read_results(test_write_below("found.json", text), a);
}

static void assert_write_error(const det_results *results, const det_annotations *annotations,
                               det_results_format format, const char *path, const char *part)
{
    det_losses *losses = NULL;
    det_error error = {0};
    test_assert_error(det_results_write(results, annotations, format, path, NULL, &losses, &error),
                      DET_ARGUMENT, &error, part);
    assert_null(losses);
}

/* ---- Formats ---- */

static void coco_results_keep_their_order_and_every_bit(void **state)
{
    (void)state;
    const char *text =
        "[\n{\"image_id\":7,\"category_id\":18,\"bbox\":[0.1,2,0.30000000000000004,1e-07],"
        "\"score\":0.1},\n{\"image_id\":3,\"category_id\":1,\"bbox\":[1,2,3,4],\"score\":0.9}\n]\n";
    det_annotations *a = test_read_coco(TRUTH);
    det_results *r = read_found(text, a);
    det_losses *losses =
        test_write_results_as(r, a, DET_RESULTS_COCO, test_path("same.json"), NULL);
    assert_string_equal(test_text_of(test_path("same.json")), text);
    test_assert_no_loss(losses);
    det_losses_free(losses);
    det_results_free(r);
    det_annotations_free(a);
}

/* The pictures in the order of the annotations, each with its best detection first. */
static void the_document_of_detect_has_all_pictures(void **state)
{
    (void)state;
    det_annotations *a = test_read_coco(TRUTH);
    det_results *r = read_found(FOUND, a);
    const char *path = test_path("doc.json");
    det_losses *losses = test_write_results_as(r, a, DET_RESULTS_JSON, path, NULL);
    const char *text = test_text_of(path);
    const char *expected =
        "\"models\":[],\"proposals\":[],\"precision\":null,\"threads\":1},\"images\":[\n"
        "{\"file\":\"x/a.jpg\",\"width\":200,\"height\":100,\"detections\":["
        "{\"class\":\"hot dog\",\"class_id\":0,\"score\":0.125,\"box\":{\"x\":10,\"y\":20,"
        "\"width\":30,\"height\":40},\"source\":\"unknown\"},"
        "{\"class\":\"cat\",\"class_id\":1,\"score\":0.1,\"box\":{\"x\":1,\"y\":2,"
        "\"width\":3,\"height\":4},\"source\":\"unknown\"}],\"proposal_count\":null,"
        "\"error\":null},\n"
        "{\"file\":\"b.jpg\",\"width\":50,\"height\":40,\"detections\":["
        "{\"class\":\"cat\",\"class_id\":1,\"score\":0.5,\"box\":{\"x\":0,\"y\":0,"
        "\"width\":9,\"height\":9},\"source\":\"unknown\"},"
        "{\"class\":\"cat\",\"class_id\":1,\"score\":0.25,\"box\":{\"x\":0.5,\"y\":1,"
        "\"width\":2,\"height\":3},\"source\":\"unknown\"}],\"proposal_count\":null,"
        "\"error\":null}\n]}\n";
    assert_non_null(strstr(text, "models"));
    assert_string_equal(strstr(text, "\"models\""), expected);
    test_assert_no_loss(losses);
    test_keep_document_file("output", "converted", path);
    det_losses_free(losses);
    losses = test_write_results_as(r, a, DET_RESULTS_JSONL, test_path("doc.jsonl"), NULL);
    test_keep_document_file("lines", "converted", test_path("doc.jsonl"));
    test_assert_no_loss(losses);
    det_losses_free(losses);
    det_results_free(r);
    det_annotations_free(a);
}

/* x 10, y 20, 30 x 40: 11 to 40, 21 to 60. */
static void voc_has_a_file_a_class(void **state)
{
    (void)state;
    det_annotations *a = test_read_coco(TRUTH);
    det_results *r = read_found(FOUND, a);
    test_write_below("voc/mine.txt", "mine");
    det_losses *losses = test_write_results_as(r, a, DET_RESULTS_VOC, test_path("voc"), NULL);
    assert_string_equal(test_text_of(test_path("voc/comp4_det_test_hot_dog.txt")),
                        "a 0.125 11 21 40 60\n");
    assert_string_equal(test_text_of(test_path("voc/comp4_det_test_cat.txt")),
                        "b 0.25 1.5 2 2.5 4\na 0.1 2 3 4 6\nb 0.5 1 1 9 9\n");
    assert_string_equal(test_text_of(test_path("voc/mine.txt")), "mine");
    test_assert_no_loss(losses);
    det_losses_free(losses);
    det_results_free(r);
    det_annotations_free(a);
}

static void every_format_reads_back_from_every_other(void **state)
{
    (void)state;
    static const char *const names[] = {"%d-%d.json", "%d-%d.json", "%d-%d.jsonl", "%d-%d"};
    det_annotations *a = test_read_coco(TRUTH);
    det_results *r = read_found(FOUND, a);
    for (int f = 0; f < 4; f++)
        for (int g = 0; g < 4; g++) {
            char first[16], second[16];
            snprintf(first, sizeof first, names[f], f, 9); /* NOLINT: one of those above */
            snprintf(second, sizeof second, names[g], f, g);
            if (g == 0)
                det_results_free(
                    test_convert_results(r, a, (det_results_format)f, test_path(first)));
            det_results *one = test_read_results(test_path(first), a);
            assert_int_equal(one->format, f);
            det_results *two =
                test_convert_results(one, a, (det_results_format)g, test_path(second));
            assert_int_equal(two->format, g);
            assert_int_equal(two->object_count, 4);
            assert_int_equal(two->warning_count, 0);
            double sum = 0;
            for (size_t i = 0; i < 4; i++)
                sum += two->objects[i].score * (two->objects[i].image + 1) *
                       (two->objects[i].category + 1);
            assert_true(sum == .25 * 4 + .125 + .1 * 2 + .5 * 4);
            det_results_free(two);
            det_results_free(one);
        }
    det_results_free(r);
    det_annotations_free(a);
}

/* ---- Losses ---- */

static void what_is_lost_is_counted(void **state)
{
    (void)state;
    det_annotations *a = test_read_coco(TRUTH);
    det_results *r =
        read_found("[{\"image_id\":3,\"category_id\":1,\"bbox\":[0.1,1,2,3],\"score\":1.5,"
                   "\"segmentation\":{\"a\":1}},"
                   "{\"image_id\":7,\"category_id\":1,\"bbox\":[1,2,3,4],\"score\":1.5,\"id\":4},"
                   "{\"image_id\":3,\"category_id\":1,\"bbox\":[1,2,3,4],\"score\":1.5}]",
                   a);
    det_losses *losses = test_write_results_as(r, a, DET_RESULTS_JSON, test_path("l.json"), NULL);
    test_assert_loss(losses, DET_LOSS_UNREAD, 1, "segmentation");
    test_assert_loss(losses, DET_LOSS_SCORE, 3, "1.5, detection");
    test_assert_loss(losses, DET_LOSS_ORDER, 1, "detection 2 on x/a.jpg");
    assert_int_equal(losses->count, 3);
    det_losses_free(losses);
    losses = test_write_results_as(r, a, DET_RESULTS_VOC, test_path("l"), NULL);
    test_assert_loss(losses, DET_LOSS_LAST_BITS, 1, "detection 1 on b.jpg");
    test_assert_loss(losses, DET_LOSS_ORDER, 0, "");
    det_losses_free(losses);
    det_results *own = test_read_results(test_path("l.json"), a);
    losses = test_write_results_as(own, a, DET_RESULTS_COCO, test_path("l2.json"), NULL);
    test_assert_loss(losses, DET_LOSS_ORIGIN, 3, "source");
    test_assert_loss(losses, DET_LOSS_CLASS_NAME, 1, "cat is 1");
    test_assert_loss(losses, DET_LOSS_IMAGE_ID, 0, "");
    det_losses_free(losses);
    det_results_free(own);
    det_results_free(r);
    det_annotations_free(a);
}

/* Equal scores of other classes, or in the order of the pictures, are no loss. */
static void only_an_order_that_changes_is_a_loss(void **state)
{
    (void)state;
    det_annotations *a = test_read_coco(TRUTH);
    det_results *r =
        read_found("[{\"image_id\":3,\"category_id\":18,\"bbox\":[1,2,3,4],\"score\":0.5},"
                   "{\"image_id\":7,\"category_id\":1,\"bbox\":[1,2,3,4],\"score\":0.5},"
                   "{\"image_id\":3,\"category_id\":1,\"bbox\":[1,2,3,4],\"score\":0.5},"
                   "{\"image_id\":3,\"category_id\":1,\"bbox\":[2,2,3,4],\"score\":0.5},"
                   "{\"image_id\":7,\"category_id\":1,\"bbox\":[1,2,3,4],\"score\":0.25}]",
                   a);
    det_losses *losses = test_write_results_as(r, a, DET_RESULTS_JSON, test_path("o.json"), NULL);
    test_assert_no_loss(losses);
    det_losses_free(losses);
    det_results_free(r);
    det_annotations_free(a);
}

/* VOC's pictures have no numbers: those of their names, else their places. */
static void numbers_of_pictures_are_those_of_converted_annotations(void **state)
{
    (void)state;
    static const char xml[] =
        "<annotation><object><name>cat</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax>"
        "<ymax>9</ymax></bndbox></object></annotation>";
    test_write_below("named/000012.xml", xml);
    test_write_below("named/7.xml", xml);
    test_write_below("words/a.xml", xml);
    test_write_below("words/b.xml", xml);
    test_write_below("named-r/comp4_det_test_cat.txt", "7 0.5 1 1 9 9\n");
    test_write_below("words-r/comp4_det_test_cat.txt", "b 0.5 1 1 9 9\n");
    for (int named = 1; named >= 0; named--) {
        det_annotations *a = test_read_annotations(test_path(named ? "named" : "words"));
        det_results *r = test_read_results(test_path(named ? "named-r" : "words-r"), a);
        const char *path = test_path(named ? "named.json" : "words.json");
        det_losses *losses = test_write_results_as(r, a, DET_RESULTS_COCO, path, NULL);
        test_assert_loss(losses, DET_LOSS_IMAGE_ID, named ? 0 : 2, "a.jpg is 1");
        det_losses_free(losses);
        det_annotations *coco =
            test_convert(a, DET_ANNOTATIONS_COCO, test_path(named ? "n-a.json" : "w-a.json"));
        det_results *back = test_read_results(path, coco);
        assert_int_equal(back->object_count, 1);
        assert_string_equal(coco->images[back->objects[0].image].file, named ? "7.jpg" : "b.jpg");
        det_results_free(back);
        det_annotations_free(coco);
        det_results_free(r);
        det_annotations_free(a);
    }
}

static void pictures_and_classes_that_names_do_not_tell_apart_are_told_or_refused(void **state)
{
    (void)state;
    det_annotations *a = test_read_coco(
        "{\"images\":[{\"id\":1,\"file_name\":\"a.jpg\"},{\"id\":2,\"file_name\":\"a.jpg\"}],"
        "\"categories\":[{\"id\":1,\"name\":\"cat\"},{\"id\":2,\"name\":\"cat\"}]}");
    det_results *r = read_found("[]", a);
    det_losses *losses = test_write_results_as(r, a, DET_RESULTS_JSON, test_path("t.json"), NULL);
    test_assert_loss(losses, DET_LOSS_SAME_NAME, 3, "class cat");
    test_assert_loss(losses, DET_LOSS_NO_SIZE, 2, "a.jpg");
    det_losses_free(losses);
    assert_write_error(r, a, DET_RESULTS_VOC, test_path("t"), "another picture is called \"a\"");
    det_results_free(r);
    det_annotations_free(a);

    a = test_read_coco("{\"images\":[{\"id\":1,\"file_name\":\"my a.jpg\"}],"
                       "\"categories\":[{\"id\":1,\"name\":\"a b\"},{\"id\":2,\"name\":\"a_b\"}]}");
    r = read_found("[]", a);
    assert_write_error(r, a, DET_RESULTS_VOC, test_path("t"), "two classes would have the file");
    det_results_free(r);
    det_annotations_free(a);

    a = test_read_coco("{\"images\":[{\"id\":1,\"file_name\":\"my a.jpg\"}],"
                       "\"categories\":[{\"id\":1,\"name\":\"../x\"}]}");
    r = read_found("[{\"image_id\":1,\"category_id\":1,\"bbox\":[1,2,3,4],\"score\":0.5}]", a);
    losses = test_write_results_as(r, a, DET_RESULTS_VOC, test_path("t2"), NULL);
    test_assert_loss(losses, DET_LOSS_IMAGE_NAME, 1, "my a.jpg becomes my_a");
    det_losses_free(losses);
    assert_string_equal(test_text_of(test_path("t2/comp4_det_test_.._x.txt")),
                        "my_a 0.5 2 3 4 6\n");
    det_annotations *voc = test_convert(a, DET_ANNOTATIONS_VOC, test_path("t2-voc"));
    assert_string_equal(voc->images[0].file, "my_a.jpg");
    det_annotations_free(voc);
    det_results_free(r);
    det_annotations_free(a);

    a = test_read_coco("{\"images\":[],\"categories\":[{\"id\":1,\"name\":\"\"}]}");
    r = read_found("[]", a);
    assert_write_error(r, a, DET_RESULTS_VOC, test_path("t3"), "a class without a name");
    det_results_free(r);
    det_annotations_free(a);
}

/* ---- Failures ---- */

static void files_that_exist_stay_unless_they_may_be_replaced(void **state)
{
    (void)state;
    const det_convert_options over = {.overwrite = true};
    det_annotations *a = test_read_coco(TRUTH);
    det_results *r = read_found("[]", a);
    test_write_below("e.json", "mine");
    test_write_below("e/comp4_det_test_cat.txt", "mine");
    for (int f = 0; f < 4; f++) {
        const char *path = test_path(f == DET_RESULTS_VOC ? "e" : "e.json");
        assert_write_error(r, a, (det_results_format)f, path, "exists");
    }
    assert_string_equal(test_text_of(test_path("e.json")), "mine");
    assert_string_equal(test_text_of(test_path("e/comp4_det_test_cat.txt")), "mine");
    det_losses_free(test_write_results_as(r, a, DET_RESULTS_VOC, test_path("e"), &over));
    det_losses_free(test_write_results_as(r, a, DET_RESULTS_COCO, test_path("e.json"), &over));
    assert_string_equal(test_text_of(test_path("e.json")), "[\n]\n");
    assert_write_error(r, a, DET_RESULTS_VOC, NULL, "name the folder");
    assert_write_error(r, a, (det_results_format)7, "x", "no format");
    det_results_free(r);
    det_annotations_free(a);
}

static bool stop(void *context, uint64_t done, uint64_t total)
{
    (void)context, (void)done, (void)total;
    return false;
}

static void writing_can_be_cancelled_and_fails_with_the_path(void **state)
{
    (void)state;
    const det_run run = {.progress = stop};
    const det_convert_options options = {.run = &run};
    det_annotations *a = test_read_coco(TRUTH);
    det_results *r = read_found(FOUND, a);
    for (int f = 0; f < 4; f++) {
        det_error error = {0};
        test_assert_error(
            det_results_write(r, a, (det_results_format)f, test_path("c"), &options, NULL, &error),
            DET_CANCELLED, &error, "cancelled");
        if (f < DET_RESULTS_VOC) assert_int_not_equal(access(test_path("c"), F_OK), 0);
        assert_int_equal(
            det_results_write(r, a, (det_results_format)f, test_path("no/x"), NULL, NULL, &error),
            DET_IO);
        assert_string_equal(error.file, test_path("no/x"));
    }
    det_results_free(r);
    det_annotations_free(a);
}

#ifdef DET_FAULT_INJECTION
static void short_memory_is_reported(void **state)
{
    (void)state;
    const det_convert_options over = {.overwrite = true};
    det_annotations *a = test_read_coco(TRUTH);
    det_results *r = read_found(FOUND, a);
    for (int f = 0; f < 4; f++) {
        det_status status = DET_MEMORY;
        uint64_t nth = 0;
        while (status != DET_OK) {
            det_losses *losses = NULL;
            det_error error = {0};
            const char *path = test_path(f == DET_RESULTS_VOC ? "m" : "m.json");
            det_memory_fail_at(++nth);
            status = det_results_write(r, a, (det_results_format)f, path, &over, &losses, &error);
            const bool failed = det_memory_failed();
            det_memory_fail_at(0);
            if (failed)
                test_assert_error(status, DET_MEMORY, &error, "out of memory");
            else
                test_assert_ok(status, &error);
            det_losses_free(losses);
        }
        assert_true(nth > 4);
    }
    det_results_free(r);
    det_annotations_free(a);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coco_results_keep_their_order_and_every_bit),
        cmocka_unit_test(the_document_of_detect_has_all_pictures),
        cmocka_unit_test(voc_has_a_file_a_class),
        cmocka_unit_test(every_format_reads_back_from_every_other),
        cmocka_unit_test(what_is_lost_is_counted),
        cmocka_unit_test(only_an_order_that_changes_is_a_loss),
        cmocka_unit_test(numbers_of_pictures_are_those_of_converted_annotations),
        cmocka_unit_test(pictures_and_classes_that_names_do_not_tell_apart_are_told_or_refused),
        cmocka_unit_test(files_that_exist_stay_unless_they_may_be_replaced),
        cmocka_unit_test(writing_can_be_cancelled_and_fails_with_the_path),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(short_memory_is_reported),
#endif
    };
    return cmocka_run_group_tests_name("results_write", tests, NULL, NULL);
}
