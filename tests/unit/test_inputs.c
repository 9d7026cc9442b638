/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/data.h"
#include "src/base/memory.h"
#include "tests/unit/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file or, where the name ends in a slash, a folder. */
static void make(const char *name)
{
    const char *path = test_path(name);
    if (name[strlen(name) - 1] == '/')
        assert_int_equal(mkdir(path, 0777), 0);
    else
        test_write_file(path, "x", 1);
}

/* Pictures of every ending, other files, and folders: made once. */
static int make_tree(void **state)
{
    (void)state;
    static const char *const names[] = {
        "t/",         "t/b.jpg",         "t/a.JPEG",    "t/Z.png",     "t/c.WebP",
        "t/d.gif",    "t/e.jpg.txt",     "t/jpg",       "t/.f.jpg",    "t/folder.jpg/",
        "t/sub/",     "t/sub/a.jpg",     "t/sub-x.jpg", "t/sub/deep/", "t/sub/deep/z.png",
        "t/.hidden/", "t/.hidden/h.jpg", "empty/",      "empty/x.txt", "outer/",
        "outer/in/",  "outer/in/p.png"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) make(names[i]);
    assert_int_equal(symlink("../../outer", test_path("t/sub/link")), 0);
    assert_int_equal(symlink("b.jpg", test_path("t/link.jpg")), 0);
    assert_int_equal(symlink("nowhere", test_path("t/lost.jpg")), 0);
    assert_int_equal(mkfifo(test_path("t/pipe.jpg"), 0600), 0);
    return chdir(test_folder());
}

/* Expands operands (ended by NULL) into `expected` (likewise). */
static void assert_expands(const char *const *operands, bool recursive, const char *const *expected)
{
    size_t count = 0;
    while (operands[count]) count++;
    det_inputs inputs;
    det_error error = {0};
    test_assert_ok(det_inputs_expand(operands, count, recursive, &inputs, &error), &error);
    for (size_t i = 0; i < inputs.count; i++) {
        if (!expected[i]) fail_msg("%s was not expected", inputs.paths[i]);
        assert_string_equal(inputs.paths[i], expected[i]);
    }
    assert_null(expected[inputs.count]);
    det_inputs_free(&inputs);
}

#define PATHS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void assert_refused(const char *const *operands, det_status status, const char *file,
                           const char *message)
{
    size_t count = 0;
    while (operands[count]) count++;
    det_inputs inputs;
    det_error error = {0};
    test_assert_error(det_inputs_expand(operands, count, false, &inputs, &error), status, &error,
                      message);
    assert_string_equal(error.file, file);
    assert_int_equal(inputs.count, 0);
    assert_null(inputs.paths);
}

static void files_stand_for_themselves_in_their_order(void **state)
{
    (void)state;
    assert_expands(PATHS("t/d.gif", "t/b.jpg", "missing", "-", "t/b.jpg"), false,
                   PATHS("t/d.gif", "t/b.jpg", "missing", "-", "t/b.jpg"));
}

/* Capitals come before small letters in bytes. A link to a picture is one, whether or not it leads
 * anywhere; hidden files, pipes and folders are none. */
static void a_folder_stands_for_its_pictures_sorted_bytewise(void **state)
{
    (void)state;
    assert_expands(PATHS("t"), false,
                   PATHS("t/Z.png", "t/a.JPEG", "t/b.jpg", "t/c.WebP", "t/link.jpg", "t/lost.jpg",
                         "t/sub-x.jpg"));
    assert_expands(PATHS("t/sub/", "t/jpg"), false, PATHS("t/sub/a.jpg", "t/jpg"));
}

static void recursion_goes_below_but_not_through_links(void **state)
{
    (void)state;
    assert_expands(PATHS("t"), true,
                   PATHS("t/Z.png", "t/a.JPEG", "t/b.jpg", "t/c.WebP", "t/link.jpg", "t/lost.jpg",
                         "t/sub-x.jpg", "t/sub/a.jpg", "t/sub/deep/z.png"));
    assert_expands(PATHS("outer"), true, PATHS("outer/in/p.png"));
}

static void a_link_to_a_folder_can_be_named_itself(void **state)
{
    (void)state;
    assert_expands(PATHS("t/sub/link"), true, PATHS("t/sub/link/in/p.png"));
}

static void a_folder_without_pictures_is_refused(void **state)
{
    (void)state;
    assert_refused(PATHS("empty"), DET_ARGUMENT, "empty", "no pictures (.jpg, .jpeg, .png, .webp)");
    assert_refused(PATHS("t/b.jpg", "outer"), DET_ARGUMENT, "outer", "--recursive looks");
}

static void a_list_names_a_picture_on_each_line(void **state)
{
    (void)state;
    const char text[] = "t/b.jpg\r\n\n  spaced.jpg \n-\n@x\nt/sub\nlast";
    test_write_file("list", text, strlen(text));
    assert_expands(PATHS("@list"), false,
                   PATHS("t/b.jpg", "  spaced.jpg ", "./-", "@x", "t/sub/a.jpg", "last"));
}

static void a_list_of_nothing_is_refused(void **state)
{
    (void)state;
    test_write_file("blank", "\n\r\n\n", 4);
    test_write_file("void", "", 0);
    test_write_file("bytes", "a\0b", 3);
    assert_refused(PATHS("@blank"), DET_ARGUMENT, "blank", "names no picture");
    assert_refused(PATHS("@void"), DET_ARGUMENT, "void", "names no picture");
    assert_refused(PATHS("@bytes"), DET_ARGUMENT, "bytes", "is not a text file");
    assert_refused(PATHS("@none"), DET_IO, "none", "No such file");
    assert_refused(PATHS("@t"), DET_IO, "t", "is a folder");
}

static void a_list_may_come_from_standard_input(void **state)
{
    (void)state;
    const int saved = dup(STDIN_FILENO);
    test_write_file("piped", "one\ntwo\n", 8);
    const int file = open("piped", O_RDONLY);
    assert_int_equal(dup2(file, STDIN_FILENO), STDIN_FILENO);
    assert_expands(PATHS("first", "@-"), false, PATHS("first", "one", "two"));
    assert_refused(PATHS("@-"), DET_ARGUMENT, "standard input", "names no picture");
    dup2(saved, STDIN_FILENO);
    close(saved);
    close(file);
}

static void standard_input_is_read_once(void **state)
{
    (void)state;
    assert_refused(PATHS("-", "-"), DET_ARGUMENT, "", "asked for 2 times");
    assert_refused(PATHS("-", "a", "@-", "-"), DET_ARGUMENT, "", "asked for 3 times");
}

static void a_folder_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    make("closed/");
    assert_int_equal(chmod("closed", 0), 0);
    assert_int_equal(chmod(test_folder(), 0755), 0);
    const uid_t user = geteuid(), nobody = 65534;
    if (user == 0) assert_int_equal(seteuid(nobody), 0); /* root may read everything */
    assert_refused(PATHS("closed"), DET_IO, "closed", "Permission denied");
    assert_int_equal(seteuid(user), 0);
}

static void no_operands_give_no_pictures(void **state)
{
    (void)state;
    det_inputs inputs;
    assert_int_equal(det_inputs_expand(NULL, 0, false, &inputs, NULL), DET_OK);
    assert_int_equal(inputs.count, 0);
    det_inputs_free(&inputs);
    det_inputs_free(NULL);
}

#ifdef DET_FAULT_INJECTION
static void every_allocation_may_fail(void **state)
{
    (void)state;
    static const char *const operands[] = {"t", "@list", "t/b.jpg"};
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        det_inputs inputs;
        det_memory_fail_at(nth);
        const det_status status = det_inputs_expand(operands, 3, true, &inputs, NULL);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        assert_int_equal(inputs.count == 0, failed);
        det_inputs_free(&inputs);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_stand_for_themselves_in_their_order),
        cmocka_unit_test(a_folder_stands_for_its_pictures_sorted_bytewise),
        cmocka_unit_test(recursion_goes_below_but_not_through_links),
        cmocka_unit_test(a_link_to_a_folder_can_be_named_itself),
        cmocka_unit_test(a_folder_without_pictures_is_refused),
        cmocka_unit_test(a_list_names_a_picture_on_each_line),
        cmocka_unit_test(a_list_of_nothing_is_refused),
        cmocka_unit_test(a_list_may_come_from_standard_input),
        cmocka_unit_test(standard_input_is_read_once),
        cmocka_unit_test(a_folder_that_cannot_be_read_is_named),
        cmocka_unit_test(no_operands_give_no_pictures),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(every_allocation_may_fail),
#endif
    };
    return cmocka_run_group_tests(tests, make_tree, NULL);
}
