/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "src/train/digest_chain.h"
#include "src/train/kept_file.h"
#include "tests/unit/support.h"

#include <string.h>

#define FORMAT "detect numbers 1"

static float numbers[3] = {1, 2, 4};
static float one[1] = {8};

static void write_numbers(const char *path)
{
    det_error error;
    const det_kept_part parts[] = {{"numbers", "F32", numbers, 3, sizeof *numbers},
                                   {"one", "F32", one, 1, sizeof *one}};
    test_assert_ok(det_kept_write_parts(path, FORMAT, parts, 2, &error), &error);
}

static void what_was_kept_is_read_again(void **state)
{
    (void)state;
    float read[3] = {0}, other[1] = {0};
    const det_kept_part parts[] = {{"one", "F32", other, 1, sizeof *other},
                                   {"numbers", "F32", read, 3, sizeof *read}};
    write_numbers(test_path("a"));
    assert_true(det_kept_read_parts(test_path("a"), FORMAT, parts, 2));
    assert_memory_equal(read, numbers, sizeof numbers);
    assert_memory_equal(other, one, sizeof one);
}

static void another_format_size_or_type_counts_as_none(void **state)
{
    (void)state;
    float read[4] = {0};
    const det_kept_part right = {"numbers", "F32", read, 3, sizeof *read};
    const det_kept_part more = {"numbers", "F32", read, 4, sizeof *read};
    const det_kept_part type = {"numbers", "I32", read, 3, sizeof *read};
    const det_kept_part name = {"others", "F32", read, 3, sizeof *read};
    write_numbers(test_path("b"));
    assert_true(det_kept_read_parts(test_path("b"), FORMAT, &right, 1));
    memset(read, 0, sizeof read);
    assert_false(det_kept_read_parts(test_path("b"), "detect numbers 2", &right, 1));
    assert_false(det_kept_read_parts(test_path("b"), FORMAT, &more, 1));
    assert_false(det_kept_read_parts(test_path("b"), FORMAT, &type, 1));
    assert_false(det_kept_read_parts(test_path("b"), FORMAT, &name, 1));
    assert_false(det_kept_read_parts(test_path("nothing"), FORMAT, &right, 1));
    for (int i = 0; i < 4; i++) assert_float_equal(read[i], 0, 0);
}

/* Every byte of the values is turned around, one at a time; and the file is cut everywhere. */
static void what_is_damaged_or_cut_counts_as_none(void **state)
{
    (void)state;
    float read[3];
    const det_kept_part part = {"numbers", "F32", read, 3, sizeof *read};
    const char *path = test_path("c");
    det_bytes bytes = {0};
    det_error error;
    write_numbers(path);
    test_assert_ok(det_file_read(path, 1 << 20, &bytes, &error), &error);
    for (size_t i = bytes.size - sizeof numbers - sizeof one; i < bytes.size; i++) {
        bytes.data[i] ^= 0xFF;
        test_write_file(path, bytes.data, bytes.size);
        assert_false(det_kept_read_parts(path, FORMAT, &part, 1));
        bytes.data[i] ^= 0xFF;
    }
    for (size_t size = 0; size < bytes.size; size += 7) {
        test_write_file(path, bytes.data, size);
        assert_false(det_kept_read_parts(path, FORMAT, &part, 1));
    }
    test_write_file(path, bytes.data, bytes.size);
    assert_true(det_kept_read_parts(path, FORMAT, &part, 1));
    det_bytes_free(&bytes);
}

static void a_file_says_why_it_is_not_taken(void **state)
{
    (void)state;
    det_kept_file file = {0};
    det_error error = {0};
    write_numbers(test_path("d"));
    test_assert_error(det_kept_open(test_path("d"), "detect others 1", &file, &error), DET_FORMAT,
                      &error, "\"detect numbers 1\", not \"detect others 1\"");
    test_assert_error(det_kept_open(test_path("nothing"), FORMAT, &file, &error), DET_IO, &error,
                      "No such file");
    assert_null(file.bytes.data);
}

static void names_are_of_a_kind_and_a_digest(void **state)
{
    (void)state;
    char *path = det_kept_path("folder", "heads", "xxh3-128:0123");
    assert_string_equal(path, "folder/heads-0123.safetensors");
    det_free(path);
}

/* Where one addition ends and the next begins matters, and so does their order. */
static void digests_tell_additions_apart(void **state)
{
    (void)state;
    static const char *const texts[][3] = {
        {"a", "b", ""}, {"ab", "", ""}, {"b", "a", ""}, {"a", "b", "c"}, {"", "ab", ""}};
    enum { CASES = sizeof texts / sizeof *texts };
    det_digest_chain chains[CASES] = {0};
    for (size_t i = 0; i < CASES; i++)
        for (size_t j = 0; j < 3; j++) det_digest_add_text(&chains[i], texts[i][j]);
    for (size_t i = 0; i < CASES; i++)
        for (size_t j = 0; j < i; j++) assert_string_not_equal(chains[i].text, chains[j].text);
    det_digest_chain again = {0}, one_number = {0}, other_number = {0};
    for (size_t j = 0; j < 3; j++) det_digest_add_text(&again, texts[0][j]);
    assert_string_equal(again.text, chains[0].text);
    det_digest_add_number(&one_number, 1e-3);
    det_digest_add_number(&other_number, 1e-4);
    assert_string_not_equal(one_number.text, other_number.text);
}

static void short_memory_is_reported(void **state)
{
    (void)state;
#ifdef DET_FAULT_INJECTION
    write_numbers(test_path("e"));
    bool failed = true;
    for (uint64_t n = 1; failed; n++) {
        det_kept_file file = {0};
        det_error error = {0};
        det_memory_fail_at(n);
        const det_status status = det_kept_open(test_path("e"), FORMAT, &file, &error);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        det_kept_close(&file);
    }
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_kept_is_read_again),
        cmocka_unit_test(another_format_size_or_type_counts_as_none),
        cmocka_unit_test(what_is_damaged_or_cut_counts_as_none),
        cmocka_unit_test(a_file_says_why_it_is_not_taken),
        cmocka_unit_test(names_are_of_a_kind_and_a_digest),
        cmocka_unit_test(digests_tell_additions_apart),
        cmocka_unit_test(short_memory_is_reported),
    };
    return cmocka_run_group_tests_name("kept file", tests, NULL, NULL);
}
