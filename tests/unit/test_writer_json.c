/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/version.h"
#include "src/base/json_reader.h"
#include "src/base/memory.h"
#include "src/base/parallel.h"
#include "tests/unit/support.h"
#include "tests/unit/support_documents.h"
#include "tests/unit/support_results.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char detector[] =
    "\"models\":[\"m/a.safetensors\"],\"proposals\":[\"selective_search\"],"
    "\"precision\":\"f32\",\"threads\":2},\"images\":[";

static const char detections[] =
    "\"detections\":[{\"class\":\"cat\",\"class_id\":1,\"score\":0.75,"
    "\"box\":{\"x\":10.5,\"y\":20,\"width\":100,\"height\":50},\"source\":\"selective_search\"},"
    "{\"class\":\"dog\",\"class_id\":2,\"score\":0.333333343,"
    "\"box\":{\"x\":0,\"y\":0,\"width\":200,\"height\":100},\"source\":\"picture\"}]";

static const char proposals[] =
    "\"proposals\":[{\"box\":{\"x\":1,\"y\":2,\"width\":30,\"height\":40},\"score\":0.5,"
    "\"source\":\"selective_search\",\"hierarchy\":3}]";

static const char failure[] =
    "\"error\":{\"status\":\"format\",\"file\":\"pic/9.webp\",\"where\":\"byte 12\","
    "\"message\":\"the picture ends early\"}}";

static void write_all(const det_writer_options *options)
{
    det_error error = {0};
    test_assert_ok(test_write_results(options, test_results, test_result_count, &error), &error);
}

static void the_document_holds_every_picture_in_order(void **state)
{
    (void)state;
    char expected[4096];
    const char *path = test_path("all.json");
    const det_writer_options options = test_writer_options(DET_FORMAT_JSON, path);
    write_all(&options);
    snprintf(expected, sizeof expected,
             "{\"schema_version\":1,\"detector\":{\"version\":\"%s\",%s\n{\"file\":\"pic/"
             "7.jpg\",\"width\":200,\"height\":100,%s,\"proposal_count\":1234,"
             "\"error\":null},\n"
             "{\"file\":\"pic/008.png\",\"width\":50,\"height\":40,\"detections\":[],"
             "\"proposal_count\":56,\"error\":null},\n"
             "{\"file\":\"pic/9.webp\",\"width\":0,\"height\":0,\"detections\":[],"
             "\"proposal_count\":0,%s\n]}\n",
             det_version(), detector, detections, failure);
    assert_string_equal(test_text_of(path), expected);
    test_keep_document_file("output", "writer_detections", path);
}

static void a_run_without_pictures_is_a_document_too(void **state)
{
    (void)state;
    char expected[1024];
    det_error error = {0};
    const char *path = test_path("none.json");
    det_writer_options options = test_writer_options(DET_FORMAT_JSON, path);
    options.info.precision = NULL;
    options.info.model_count = options.info.proposal_count = 0;
    options.info.threads = 3;
    test_assert_ok(test_write_results(&options, NULL, 0, &error), &error);
    snprintf(expected, sizeof expected,
             "{\"schema_version\":1,\"detector\":{\"version\":\"%s\",\"models\":[],"
             "\"proposals\":[],\"precision\":null,\"threads\":3},\"images\":[\n]}\n",
             det_version());
    assert_string_equal(test_text_of(path), expected);
    test_keep_document_file("output", "writer_no_pictures", path);
}

static void all_threads_are_written_as_their_number(void **state)
{
    (void)state;
    char part[64];
    det_error error = {0};
    const char *path = test_path("threads.json");
    det_writer_options options = test_writer_options(DET_FORMAT_JSON, path);
    options.info.threads = 0;
    test_assert_ok(test_write_results(&options, NULL, 0, &error), &error);
    snprintf(part, sizeof part, "\"threads\":%d}", det_resolve_threads(0));
    assert_non_null(strstr(test_text_of(path), part));
    test_keep_document_file("output", "writer_all_threads", path);
}

static void proposals_take_the_place_of_detections(void **state)
{
    (void)state;
    const char *path = test_path("proposals.json");
    det_writer_options options = test_writer_options(DET_FORMAT_JSON, path);
    options.proposals = true;
    write_all(&options);
    assert_non_null(strstr(test_text_of(path), proposals));
    assert_non_null(strstr(test_text_of(path), "\"proposal_count\":56,\"too_small_count\":7,"));
    assert_null(strstr(test_text_of(path), "\"detections\""));
    test_keep_document_file("output", "writer_proposals", path);
}

static void labels_take_the_place_of_detections(void **state)
{
    (void)state;
    const char *path = test_path("labels.json");
    det_writer_options options = test_writer_options(DET_FORMAT_JSON, path);
    options.labels = true;
    options.info.crops = 144;
    write_all(&options);
    const char *text = test_text_of(path);
    assert_non_null(strstr(text, "\"threads\":2,\"crops\":144},"));
    assert_non_null(strstr(text, "\"height\":100,\"labels\":[{\"class\":\"dog\",\"class_id\":2,"
                                 "\"score\":0.5},{\"class\":\"bird, small\",\"class_id\":0,"
                                 "\"score\":0.333333343}],\"error\":null}"));
    assert_null(strstr(text, "\"detections\""));
    assert_null(strstr(text, "\"proposal_count\""));
    test_keep_document_file("output", "writer_labels", path);
}

static void timings_are_written_where_asked_for(void **state)
{
    (void)state;
    const char *path = test_path("timings.json");
    det_writer_options options = test_writer_options(DET_FORMAT_JSON, path);
    options.timings = true;
    write_all(&options);
    assert_non_null(strstr(test_text_of(path),
                           "\"proposal_count\":1234,\"timings_ms\":{\"decode\":1,"
                           "\"proposals\":2.5,\"crops\":3,\"network\":4.12,\"fusion\":5,"
                           "\"total\":15.62},\"error\":null}"));
    test_keep_document_file("output", "writer_timings", path);
}

static void a_line_is_a_picture_with_the_version_of_the_schema(void **state)
{
    (void)state;
    char expected[4096];
    const char *path = test_path("all.jsonl");
    const det_writer_options options = test_writer_options(DET_FORMAT_JSONL, path);
    write_all(&options);
    snprintf(expected, sizeof expected,
             "{\"schema_version\":1,\"file\":\"pic/7.jpg\",\"width\":200,\"height\":100,%s,"
             "\"proposal_count\":1234,\"error\":null}\n"
             "{\"schema_version\":1,\"file\":\"pic/008.png\",\"width\":50,\"height\":40,"
             "\"detections\":[],\"proposal_count\":56,\"error\":null}\n"
             "{\"schema_version\":1,\"file\":\"pic/9.webp\",\"width\":0,\"height\":0,"
             "\"detections\":[],\"proposal_count\":0,%s\n",
             detections, failure);
    assert_string_equal(test_text_of(path), expected);
    test_keep_document_file("lines", "writer_detections", path);
}

static void a_line_of_proposals_follows_the_schema(void **state)
{
    (void)state;
    const char *path = test_path("proposals.jsonl");
    det_writer_options options = test_writer_options(DET_FORMAT_JSONL, path);
    options.proposals = options.timings = true;
    write_all(&options);
    assert_non_null(strstr(test_text_of(path), proposals));
    test_keep_document_file("lines", "writer_proposals", path);
}

static void names_that_are_not_utf8_are_mended(void **state)
{
    (void)state;
    det_error error = {0};
    const char *path = test_path("names.json");
    const det_writer_options options = test_writer_options(DET_FORMAT_JSON, path);
    det_result result = {.file = "a\xFF\"\n.jpg", .width = 1, .height = 1};
    test_assert_ok(test_write_results(&options, &result, 1, &error), &error);
    assert_non_null(strstr(test_text_of(path), "{\"file\":\"a\xEF\xBF\xBD\\\"\\n.jpg\","));
    test_keep_document_file("output", "writer_names", path);
}

static void equal_results_give_equal_bytes(void **state)
{
    (void)state;
    char first[1 << 14];
    const char *path = test_path("equal.json");
    const det_writer_options options = test_writer_options(DET_FORMAT_JSON, path);
    write_all(&options);
    strcpy(first, test_text_of(path));
    write_all(&options);
    assert_string_equal(test_text_of(path), first);
}

/* ---- Where the bytes go ---- */

static void a_file_appears_only_when_it_is_complete(void **state)
{
    (void)state;
    det_writer *writer = NULL;
    det_error error = {0};
    const char *path = test_path("late.json");
    const size_t before = test_count_files(test_folder());
    const det_writer_options options = test_writer_options(DET_FORMAT_JSON, path);
    test_assert_ok(det_writer_open(&options, &writer, &error), &error);
    test_assert_ok(det_writer_add(writer, &test_results[0], &error), &error);
    assert_int_equal(access(path, F_OK), -1);
    det_writer_abandon(writer);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(test_count_files(test_folder()), before);
    det_writer_abandon(NULL);
}

static void lines_appear_as_they_come(void **state)
{
    (void)state;
    det_writer *writer = NULL;
    det_error error = {0};
    const char *path = test_path("early.jsonl");
    const det_writer_options options = test_writer_options(DET_FORMAT_JSONL, path);
    test_assert_ok(det_writer_open(&options, &writer, &error), &error);
    test_assert_ok(det_writer_add(writer, &test_results[0], &error), &error);
    const char *text = test_text_of(path);
    assert_int_equal(text[strlen(text) - 1], '\n');
    test_assert_ok(det_writer_close(writer, &error), &error);
}

static void lines_may_be_added_to_those_of_an_earlier_run(void **state)
{
    (void)state;
    char whole[1 << 13];
    det_error error = {0};
    const char *path = test_path("resumed.jsonl");
    det_writer_options options = test_writer_options(DET_FORMAT_JSONL, path);
    write_all(&options);
    strcpy(whole, test_text_of(path));
    test_assert_ok(test_write_results(&options, test_results, 1, &error), &error);
    options.append = true;
    test_assert_ok(test_write_results(&options, test_results + 1, test_result_count - 1, &error),
                   &error);
    assert_string_equal(test_text_of(path), whole);

    det_writer *writer = NULL;
    options.format = DET_FORMAT_CSV;
    test_assert_error(det_writer_open(&options, &writer, &error), DET_ARGUMENT, &error,
                      "only a jsonl file");
    options.format = DET_FORMAT_JSONL;
    options.output = NULL;
    test_assert_error(det_writer_open(&options, &writer, &error), DET_ARGUMENT, &error,
                      "only a jsonl file");
}

static void a_stream_gets_the_whole_document_and_stays_open(void **state)
{
    (void)state;
    char text[8192];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    det_writer_options options = test_writer_options(DET_FORMAT_JSON, NULL);
    options.stream_fd = ends[1];
    write_all(&options);
    assert_int_equal(write(ends[1], "!", 1), 1);
    close(ends[1]);
    const ssize_t size = read(ends[0], text, sizeof text);
    close(ends[0]);
    assert_true(size > 4);
    assert_memory_equal(text + size - 4, "]}\n!", 4);

    json_object *value = NULL;
    det_error error = {0};
    test_assert_ok(det_json_parse(text, (size_t)size - 1, &value, &error), &error);
    json_object_put(value);
}

static void a_closed_pipe_is_an_error(void **state)
{
    (void)state;
    int ends[2];
    det_writer *writer = NULL;
    det_error error = {0};
    assert_int_equal(pipe(ends), 0);
    signal(SIGPIPE, SIG_IGN);
    det_writer_options options = test_writer_options(DET_FORMAT_JSONL, NULL);
    options.stream_fd = ends[1];
    test_assert_ok(det_writer_open(&options, &writer, &error), &error);
    test_assert_ok(det_writer_add(writer, &test_results[0], &error), &error);
    close(ends[0]);
    test_assert_error(det_writer_add(writer, &test_results[1], &error), DET_IO, &error,
                      "Broken pipe");
    assert_string_equal(error.file, "standard output");
    test_assert_error(det_writer_close(writer, &error), DET_IO, &error, "an earlier write failed");
    close(ends[1]);
}

static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    det_error error = {0};
    const int full = open("/dev/full", O_WRONLY);
    assert_true(full >= 0);
    det_writer *writer = NULL;
    det_writer_options options = test_writer_options(DET_FORMAT_JSON, NULL);
    options.stream_fd = full;
    test_assert_error(det_writer_open(&options, &writer, &error), DET_IO, &error,
                      "No space left on device");
    close(full);
}

static void a_pipe_with_a_name_is_written_and_not_replaced(void **state)
{
    (void)state;
    char text[8192];
    struct stat status;
    const char *path = test_path("pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    const int pipe_end = open(path, O_RDWR);
    assert_true(pipe_end >= 0);
    const det_writer_options options = test_writer_options(DET_FORMAT_JSON, path);
    write_all(&options);
    const ssize_t size = read(pipe_end, text, sizeof text);
    close(pipe_end);
    assert_true(size > 4);
    assert_memory_equal(text + size - 4, "\n]}\n", 4);
    assert_int_equal(stat(path, &status), 0);
    assert_true(S_ISFIFO(status.st_mode));
}

static void what_cannot_be_written_is_found_before_any_work(void **state)
{
    (void)state;
    static const det_format formats[] = {DET_FORMAT_JSON, DET_FORMAT_JSONL, DET_FORMAT_CSV};
    for (size_t i = 0; i < 3; i++) {
        det_writer *writer = NULL;
        det_error error = {0};
        const char *path = test_path("no/such/folder.json");
        det_writer_options options = test_writer_options(formats[i], path);
        test_assert_error(det_writer_open(&options, &writer, &error), DET_IO, &error,
                          "cannot write");
        assert_string_equal(error.file, path);

        options.output = test_folder();
        test_assert_error(det_writer_open(&options, &writer, &error), DET_IO, &error,
                          "cannot write");
        options.output = NULL;
        options.stream_fd = -1;
        test_assert_error(det_writer_open(&options, &writer, &error), DET_IO, &error,
                          "cannot write");
        assert_null(writer);
    }
}

static void formats_have_names(void **state)
{
    (void)state;
    static const char *const names[] = {"json", "jsonl", "coco", "voc", "yolo", "csv", "text"};
    det_format format;
    det_error error = {0};
    for (int i = 0; i < 7; i++) {
        test_assert_ok(det_format_parse(names[i], &format, &error), &error);
        assert_int_equal(format, i);
    }
    test_assert_error(det_format_parse("xml", &format, &error), DET_ARGUMENT, &error,
                      "\"xml\" is no output format");
    det_writer *writer = NULL;
    det_writer_options options = test_writer_options((det_format)7, NULL);
    test_assert_error(det_writer_open(&options, &writer, &error), DET_ARGUMENT, &error,
                      "7 is no output format");
}

static void a_result_frees_what_it_owns(void **state)
{
    (void)state;
    det_result result = {.file = "a",
                         .detections = det_alloc_zeroed(1, sizeof(det_detection)),
                         .detection_count = 1,
                         .regions = det_alloc_zeroed(1, sizeof(det_region)),
                         .region_count = 1,
                         .labels = det_alloc_zeroed(1, sizeof(det_label)),
                         .label_count = 1,
                         .width = 3};
    det_result_free(&result);
    assert_true(!result.detections && !result.regions && !result.labels);
    assert_int_equal(result.label_count, 0);
    assert_true(result.detection_count == 0 && result.region_count == 0 && result.width == 3);
    det_result_free(&result);
    det_result_free(NULL);
}

#ifdef DET_FAULT_INJECTION
static void every_allocation_may_fail(void **state)
{
    (void)state;
    const char *path = test_path("memory.json");
    const det_writer_options options = test_writer_options(DET_FORMAT_JSON, path);
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        unlink(path);
        det_memory_fail_at(nth);
        const det_status status =
            test_write_results(&options, test_results, test_result_count, NULL);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        assert_int_equal(access(path, F_OK) == 0, !failed);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_document_holds_every_picture_in_order),
        cmocka_unit_test(a_run_without_pictures_is_a_document_too),
        cmocka_unit_test(all_threads_are_written_as_their_number),
        cmocka_unit_test(proposals_take_the_place_of_detections),
        cmocka_unit_test(labels_take_the_place_of_detections),
        cmocka_unit_test(timings_are_written_where_asked_for),
        cmocka_unit_test(a_line_is_a_picture_with_the_version_of_the_schema),
        cmocka_unit_test(a_line_of_proposals_follows_the_schema),
        cmocka_unit_test(names_that_are_not_utf8_are_mended),
        cmocka_unit_test(equal_results_give_equal_bytes),
        cmocka_unit_test(a_file_appears_only_when_it_is_complete),
        cmocka_unit_test(lines_appear_as_they_come),
        cmocka_unit_test(lines_may_be_added_to_those_of_an_earlier_run),
        cmocka_unit_test(a_stream_gets_the_whole_document_and_stays_open),
        cmocka_unit_test(a_closed_pipe_is_an_error),
        cmocka_unit_test(a_full_disk_is_an_error),
        cmocka_unit_test(a_pipe_with_a_name_is_written_and_not_replaced),
        cmocka_unit_test(what_cannot_be_written_is_found_before_any_work),
        cmocka_unit_test(formats_have_names),
        cmocka_unit_test(a_result_frees_what_it_owns),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(every_allocation_may_fail),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
