/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/region_sets.h"
#include "src/base/memory.h"
#include "tests/unit/support.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static det_status read(const char *name, const char *text, det_region_sets **sets, det_error *error)
{
    const char *path = test_path(name);
    test_write_file(path, text, strlen(text));
    *sets = NULL;
    return det_region_sets_read(path, sets, error);
}

static det_region_sets *sets_of(const char *text)
{
    det_region_sets *sets = NULL;
    det_error error = {0};
    test_assert_ok(read("regions.json", text, &sets, &error), &error);
    return sets;
}

static void assert_box(const det_region *region, det_box box)
{
    assert_memory_equal(&region->box, &box, sizeof box);
}

static const det_region *regions_of(const det_region_sets *sets, const char *file, size_t expected)
{
    const det_region *regions = NULL;
    size_t count = 99;
    det_error error = {0};
    test_assert_ok(det_region_sets_find(sets, file, &regions, &count, &error), &error);
    assert_int_equal(count, expected);
    return regions;
}

#define BOX(x, y, w, h) "{\"x\":" #x ",\"y\":" #y ",\"width\":" #w ",\"height\":" #h "}"

static void proposals_are_read_picture_by_picture(void **state)
{
    (void)state;
    det_region_sets *sets = sets_of(
        "{\"schema_version\":1,\"detector\":{},\"images\":["
        "{\"file\":\"p/a.jpg\",\"proposals\":[{\"box\":" BOX(
            1, 2, 3.5, 4) ",\"score\":0.5,"
                          "\"source\":\"uniform\"},{\"box\":" BOX(
                              0, 0, 1, 1) "}]},"
                                          "{\"file\":\"b.jpg\",\"proposals\":[]},"
                                          "{\"file\":\"q/a.jpg\",\"detections\":[{\"box\":" BOX(
                                              -1, 0, 9, 8) ",\"class\":\"cat\"}]}]}");
    const det_region *regions = regions_of(sets, "p/a.jpg", 2);
    assert_box(&regions[0], (det_box){1, 2, 4.5f, 6});
    assert_true(regions[0].score == .5f);
    assert_box(&regions[1], (det_box){0, 0, 1, 1});
    regions_of(sets, "b.jpg", 0);
    assert_box(regions_of(sets, "/x/q/a.jpg", 1), (det_box){-1, 0, 8, 8});

    size_t count;
    det_error error = {0};
    test_assert_error(det_region_sets_find(sets, "a.jpg", &regions, &count, &error), DET_ARGUMENT,
                      &error, "equally well");
    test_assert_error(det_region_sets_find(sets, "c.jpg", &regions, &count, &error), DET_ARGUMENT,
                      &error, "no image");
    det_region_sets_free(sets);
}

static void objects_of_coco_are_regions_and_empty_ones_left_out(void **state)
{
    (void)state;
    det_region_sets *sets = sets_of(
        "{\"images\":[{\"id\":7,\"file_name\":\"a.jpg\"},{\"id\":3,\"file_name\":\"b.jpg\"}],"
        "\"categories\":[{\"id\":1,\"name\":\"cat\"}],\"annotations\":["
        "{\"id\":1,\"image_id\":3,\"category_id\":1,\"bbox\":[1,2,3,4]},"
        "{\"id\":2,\"image_id\":3,\"category_id\":1,\"bbox\":[1,2,0,4]},"
        "{\"id\":3,\"image_id\":3,\"category_id\":1,\"bbox\":[5,6,7,8]}]}");
    regions_of(sets, "a.jpg", 0);
    const det_region *regions = regions_of(sets, "b.jpg", 2);
    assert_box(&regions[0], (det_box){1, 2, 4, 6});
    assert_box(&regions[1], (det_box){5, 6, 12, 14});
    det_region_sets_free(sets);
}

static void objects_of_voc_are_regions(void **state)
{
    (void)state;
    det_region_sets *sets = NULL;
    det_error error = {0};
    static const char xml[] =
        "<annotation><object><name>cat</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>4</xmax>"
        "<ymax>5</ymax></bndbox></object></annotation>";
    assert_int_equal(mkdir(test_path("voc"), 0700), 0);
    test_write_file(test_path("voc/1.xml"), xml, strlen(xml));
    test_assert_ok(det_region_sets_read(test_path("voc"), &sets, &error), &error);
    assert_box(regions_of(sets, "1.jpg", 1), (det_box){1, 2, 4, 5});
    det_region_sets_free(sets);
}

static void refuse(const char *text, const char *where, const char *part)
{
    det_region_sets *sets = NULL;
    det_error error = {0};
    test_assert_error(read("bad.json", text, &sets, &error), DET_FORMAT, &error, part);
    assert_string_equal(error.where, where);
    assert_non_null(strstr(error.file, "bad.json"));
    assert_null(sets);
}

static void what_is_no_document_of_regions_is_refused_with_its_place(void **state)
{
    (void)state;
    refuse("{\"images\":[{\"file\":\"a\",\"proposals\":[]},{\"file\":\"b\"}]}", "images[1]",
           "neither proposals nor detections");
    refuse("{\"images\":[{\"file\":1,\"proposals\":[]}]}", "images[0]", "has no file");
    refuse("{\"images\":[null]}", "images[0]", "must be an object");
    refuse("{\"images\":[{\"file\":\"a\",\"proposals\":7}]}", "images[0].proposals",
           "must be an array");
    static const char *const bad[] = {"{}",
                                      "null",
                                      "{\"box\":[]}",
                                      "{\"box\":" BOX(1, 2, 0, 4) "}",
                                      "{\"box\":" BOX(1, 2, 3, "4") "}",
                                      "{\"box\":" BOX(1e300, 2, 3, 4) "}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "{\"images\":[{\"file\":\"a\",\"proposals\":[{\"box\":" BOX(1, 2, 3, 4) "},%s]}]}",
                 bad[i]);
        refuse(text, "images[0].proposals[1]", "no box");
    }
    refuse("[{\"image_id\":1}]", "[0]", "has no file");
    refuse("{\"images\":[", "line 1, column 12", "");
}

static void a_file_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    det_region_sets *sets = NULL;
    assert_int_equal(det_region_sets_read(test_path("missing.json"), &sets, NULL), DET_IO);
    assert_null(sets);
    det_region_sets_free(NULL);
}

#ifdef DET_FAULT_INJECTION
static void failed_allocations_leave_nothing_behind(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"images\":[{\"file\":\"a\",\"proposals\":[{\"box\":" BOX(1, 2, 3, 4) "}]}]}",
        "{\"images\":[{\"id\":7,\"file_name\":\"a.jpg\"}],\"categories\":[{\"id\":1,\"name\":\"c\"}"
        "],"
        "\"annotations\":[{\"id\":1,\"image_id\":7,\"category_id\":1,\"bbox\":[1,2,3,4]}]}"};
    for (int i = 0; i < 2; i++) {
        bool failed = true;
        for (uint64_t nth = 1; failed; nth++) {
            det_region_sets *sets = NULL;
            det_memory_fail_at(nth);
            const det_status status = read("memory.json", texts[i], &sets, NULL);
            failed = det_memory_failed();
            det_memory_fail_at(0);
            assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
            det_region_sets_free(sets);
        }
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proposals_are_read_picture_by_picture),
        cmocka_unit_test(objects_of_coco_are_regions_and_empty_ones_left_out),
        cmocka_unit_test(objects_of_voc_are_regions),
        cmocka_unit_test(what_is_no_document_of_regions_is_refused_with_its_place),
        cmocka_unit_test(a_file_that_is_not_there_is_an_error),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(failed_allocations_leave_nothing_behind),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
