/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/error.h"
#include "src/base/run.h"
#include "tests/unit/support.h"

#include <errno.h>
#include <string.h>

static void an_error_reads_as_file_place_and_message(void **state)
{
    (void)state;
    det_error error = {0};
    char line[128];
    assert_int_equal(det_fail_at(&error, DET_FORMAT, "a.json", "line 3", "%d of %d", 1, 2),
                     DET_FORMAT);
    assert_int_equal(det_error_format(&error, line, sizeof line), strlen("a.json: line 3: 1 of 2"));
    assert_string_equal(line, "a.json: line 3: 1 of 2");
    det_fail(&error, DET_LIMIT, "too large");
    det_error_format(&error, line, sizeof line);
    assert_string_equal(line, "too large");
    assert_int_equal(det_error_format(&error, line, 4), 9);
    assert_string_equal(line, "too");
}

static void the_first_file_and_place_stay(void **state)
{
    (void)state;
    det_error error = {0};
    det_fail(&error, DET_FORMAT, "x");
    assert_int_equal(det_error_file(&error, "inner", DET_FORMAT), DET_FORMAT);
    det_error_file(&error, "outer", DET_FORMAT);
    det_error_where(&error, "byte %d", 7);
    det_error_where(&error, "byte %d", 8);
    assert_string_equal(error.file, "inner");
    assert_string_equal(error.where, "byte 7");
    error = (det_error){0};
    assert_int_equal(det_error_file(&error, "file", DET_OK), DET_OK);
    assert_string_equal(error.file, "");
}

static void an_error_may_be_made_of_itself_and_of_nothing(void **state)
{
    (void)state;
    det_error error = {0};
    det_fail(&error, DET_IO, "disk");
    det_fail_at(&error, DET_IO, NULL, NULL, "first: %s", error.message);
    assert_string_equal(error.message, "first: disk");
    assert_int_equal(det_fail(NULL, DET_MEMORY, "x"), DET_MEMORY);
    det_error_where(NULL, "x");
}

/* The message holds 767 bytes: an "e" with an accent that would be cut in two is left out. */
static void a_long_text_is_cut_between_characters(void **state)
{
    (void)state;
    det_error error = {0};
    char text[1000];
    memset(text, 'a', sizeof text);
    memcpy(text + sizeof error.message - 2, "\xc3\xa9", 2);
    text[sizeof text - 1] = '\0';
    det_fail_at(&error, DET_IO, text, NULL, "x");
    assert_int_equal(strlen(error.file), sizeof error.file - 1);
    memcpy(text + sizeof error.file - 2, "\xc3\xa9", 2);
    det_fail_at(&error, DET_IO, text, NULL, "x");
    assert_int_equal(strlen(error.file), sizeof error.file - 2);
}

static void errno_becomes_words(void **state)
{
    (void)state;
    det_error error = {0};
    errno = ENOENT;
    assert_int_equal(det_fail_errno(&error, "f", "open"), DET_IO);
    assert_string_equal(error.message, "cannot open: No such file or directory");
}

static void every_status_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(det_status_name(DET_OK), "ok");
    assert_string_equal(det_status_name(DET_INTERNAL), "internal");
    assert_string_equal(det_status_name((det_status)-99), "unknown");
    for (int i = DET_INTERNAL; i <= DET_OK; i++)
        assert_string_not_equal(det_status_name((det_status)i), "unknown");
}

static bool refuse(void *context, uint64_t done, uint64_t total)
{
    *(uint64_t *)context = done * 100 + total;
    return done < 2;
}

static void a_run_ends_by_its_callback_or_its_deadline(void **state)
{
    (void)state;
    uint64_t seen = 0;
    det_error error = {0};
    const det_run run = {.progress = refuse, .progress_context = &seen};
    assert_int_equal(det_run_check(NULL, 1, 2, &error), DET_OK);
    assert_int_equal(det_run_check(&run, 1, 3, &error), DET_OK);
    assert_int_equal(seen, 103);
    test_assert_error(det_run_check(&run, 2, 3, &error), DET_CANCELLED, &error, "2 of 3");
    const det_run late = {.deadline_s = det_now_s() - 1},
                  early = {.deadline_s = det_now_s() + 1000};
    test_assert_error(det_run_check(&late, 0, 3, &error), DET_CANCELLED, &error, "out of time");
    assert_int_equal(det_run_check(&early, 0, 3, &error), DET_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_reads_as_file_place_and_message),
        cmocka_unit_test(the_first_file_and_place_stay),
        cmocka_unit_test(an_error_may_be_made_of_itself_and_of_nothing),
        cmocka_unit_test(a_long_text_is_cut_between_characters),
        cmocka_unit_test(errno_becomes_words),
        cmocka_unit_test(every_status_has_a_name),
        cmocka_unit_test(a_run_ends_by_its_callback_or_its_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
