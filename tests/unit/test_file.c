/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/file.h"
#include "src/base/memory.h"
#include "tests/unit/support.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void a_file_is_read_whole_and_mapped_alike(void **state)
{
    (void)state;
    char content[200000];
    for (size_t i = 0; i < sizeof content; i++) content[i] = (char)(i * 7);
    const char *path = test_path("large");
    test_write_file(path, content, sizeof content);
    det_bytes read_bytes = {0}, mapped = {0};
    det_error error = {0};
    test_assert_ok(det_file_read(path, 1 << 20, &read_bytes, &error), &error);
    test_assert_ok(det_file_map(path, &mapped, &error), &error);
    assert_int_equal(read_bytes.size, sizeof content);
    assert_int_equal(mapped.size, sizeof content);
    assert_memory_equal(read_bytes.data, content, sizeof content);
    assert_memory_equal(mapped.data, content, sizeof content);
    det_bytes_free(&read_bytes);
    det_bytes_free(&mapped);
    det_bytes_free(NULL);
}

static void files_that_cannot_be_read_are_refused_by_name(void **state)
{
    (void)state;
    det_bytes bytes = {0};
    det_error error = {0};
    const char *missing = test_path("missing");
    test_assert_error(det_file_read(missing, 10, &bytes, &error), DET_IO, &error,
                      "No such file or directory");
    assert_string_equal(error.file, missing);
    test_assert_error(det_file_read(test_folder(), 10, &bytes, &error), DET_IO, &error, "a folder");

    const char *large = test_path("eleven");
    test_write_file(large, "12345678901", 11);
    test_assert_error(det_file_read(large, 10, &bytes, &error), DET_LIMIT, &error,
                      "11 bytes are more than the limit of 10");
    const char *empty = test_path("empty");
    test_write_file(empty, "", 0);
    test_assert_error(det_file_map(empty, &bytes, &error), DET_FORMAT, &error, "empty");
    test_assert_ok(det_file_read(empty, 10, &bytes, &error), &error);
    assert_int_equal(bytes.size, 0);
    det_bytes_free(&bytes);
}

static void a_pipe_is_read_to_its_end_and_no_further_than_the_limit(void **state)
{
    (void)state;
    for (uint64_t limit = 9; limit <= 10; limit++) {
        int ends[2];
        det_bytes bytes = {0};
        det_error error = {0};
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], "0123456789", 10), 10);
        close(ends[1]);
        const det_status status = det_file_read_descriptor(ends[0], "pipe", limit, &bytes, &error);
        close(ends[0]);
        assert_int_equal(status, limit == 10 ? DET_OK : DET_LIMIT);
        if (status == DET_OK) assert_memory_equal(bytes.data, "0123456789", 10);
        det_bytes_free(&bytes);
    }
}

static void an_output_appears_whole_or_not_at_all(void **state)
{
    (void)state;
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", test_path("outputs"));
    assert_int_equal(mkdir(folder, 0777), 0);
    char path[4200];
    snprintf(path, sizeof path, "%s/result", folder);
    det_output output;
    det_error error = {0};

    test_assert_ok(det_output_open(path, &output, &error), &error);
    fputs("first", output.stream);
    assert_int_not_equal(access(path, F_OK), 0);
    test_assert_ok(det_output_commit(&output, &error), &error);
    assert_int_equal(access(path, F_OK), 0);

    test_assert_ok(det_output_open(path, &output, &error), &error);
    fputs("second", output.stream);
    det_output_abandon(&output);
    det_bytes bytes = {0};
    test_assert_ok(det_file_read(path, 100, &bytes, &error), &error);
    assert_int_equal(bytes.size, 5);
    assert_memory_equal(bytes.data, "first", 5);
    det_bytes_free(&bytes);
    assert_int_equal(test_count_files(folder), 1);
    det_output_abandon(&(det_output){0});
}

static void an_output_has_the_mode_of_the_users_umask(void **state)
{
    (void)state;
    const mode_t before = umask(027);
    const char *path = test_path("mode");
    det_output output;
    det_error error = {0};
    test_assert_ok(det_output_open(path, &output, &error), &error);
    test_assert_ok(det_output_commit(&output, &error), &error);
    umask(before);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
}

static void an_output_in_a_missing_folder_is_refused_at_once(void **state)
{
    (void)state;
    det_output output;
    det_error error = {0};
    const char *path = test_path("no/such/folder");
    test_assert_error(det_output_open(path, &output, &error), DET_IO, &error, "cannot write");
    assert_string_equal(error.file, path);
}

static void a_text_becomes_a_file(void **state)
{
    (void)state;
    det_text text = {0};
    det_bytes bytes = {0};
    det_error error = {0};
    const char *path = test_path("text");
    test_assert_ok(det_file_write(path, &text, &error), &error);
    assert_int_equal(access(path, F_OK), 0);
    det_text_append(&text, "a\0b", 3);
    test_assert_ok(det_file_write(path, &text, &error), &error);
    test_assert_ok(det_file_read(path, 100, &bytes, &error), &error);
    assert_int_equal(bytes.size, 3);
    assert_memory_equal(bytes.data, "a\0b", 3);
    det_bytes_free(&bytes);
    text.failed = true;
    test_assert_error(det_file_write(path, &text, &error), DET_MEMORY, &error, "out of memory");
    det_text_free(&text);
}

static void a_copy_of_a_descriptor_is_written_to(void **state)
{
    (void)state;
    const char *path = test_path("stream.txt");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 2; i++) {
        det_output output;
        det_error error = {0};
        test_assert_ok(det_output_open_descriptor(fileno(file), "a stream", &output, &error),
                       &error);
        fputs("text\n", output.stream);
        test_assert_ok(det_output_commit(&output, &error), &error);
    }
    fputs("end\n", file); /* ours is still open */
    assert_int_equal(fclose(file), 0);
    det_bytes bytes = {0};
    assert_int_equal(det_file_read(path, 100, &bytes, NULL), DET_OK);
    assert_int_equal(bytes.size, 14);
    assert_memory_equal(bytes.data, "text\ntext\nend\n", 14);
    det_bytes_free(&bytes);
    det_output output;
    det_error error = {0};
    test_assert_error(det_output_open_descriptor(-1, "a stream", &output, &error), DET_IO, &error,
                      "cannot write");
}

static void a_stream_can_end_in_a_text(void **state)
{
    (void)state;
    det_text text = {0};
    det_text_add(&text, "before ");
    FILE *stream = det_text_stream(&text);
    assert_non_null(stream);
    for (int i = 0; i < 3000; i++) fprintf(stream, "%04d ", i);
    assert_int_equal(fclose(stream), 0);
    assert_int_equal(text.length, 7 + 3000 * 5);
    assert_memory_equal(text.data, "before 0000 0001 ", 17);
    assert_string_equal(text.data + text.length - 5, "2999 ");
    det_text_free(&text);
}

#ifdef DET_FAULT_INJECTION
static void a_text_that_cannot_grow_fails_its_stream(void **state)
{
    (void)state;
    det_text text = {0};
    FILE *stream = det_text_stream(&text);
    assert_non_null(stream);
    fputs("lost", stream);
    det_memory_fail_at(1);
    assert_int_not_equal(fclose(stream), 0);
    det_memory_fail_at(0);
    assert_true(text.failed);
    det_text_free(&text);
}
#endif

static void paths_are_joined_and_split(void **state)
{
    (void)state;
    static const char *const joined[][3] = {
        {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"", "b", "b"}, {"a", "/b", "/b"}, {"/", "b", "/b"}};
    static const char *const split[][2] = {{"a/b/c", "a/b"}, {"c", ""}, {"/c", "/"}, {"a/", "a"}};
    for (size_t i = 0; i < sizeof joined / sizeof *joined; i++) {
        char *path = det_path_join(joined[i][0], joined[i][1]);
        assert_string_equal(path, joined[i][2]);
        det_free(path);
    }
    for (size_t i = 0; i < sizeof split / sizeof *split; i++) {
        char *folder = det_path_folder(split[i][0]);
        assert_string_equal(folder, split[i][1]);
        det_free(folder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_whole_and_mapped_alike),
        cmocka_unit_test(files_that_cannot_be_read_are_refused_by_name),
        cmocka_unit_test(a_pipe_is_read_to_its_end_and_no_further_than_the_limit),
        cmocka_unit_test(an_output_appears_whole_or_not_at_all),
        cmocka_unit_test(an_output_has_the_mode_of_the_users_umask),
        cmocka_unit_test(an_output_in_a_missing_folder_is_refused_at_once),
        cmocka_unit_test(a_text_becomes_a_file),
        cmocka_unit_test(a_copy_of_a_descriptor_is_written_to),
        cmocka_unit_test(a_stream_can_end_in_a_text),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(a_text_that_cannot_grow_fails_its_stream),
#endif
        cmocka_unit_test(paths_are_joined_and_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
