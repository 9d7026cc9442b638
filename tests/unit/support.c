/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/support.h"

#include <dirent.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

const char *test_data(const char *name)
{
    static char path[4096];
    const char *root = getenv("DETECT_TEST_DATA");
    snprintf(path, sizeof path, "%s/%s", root ? root : "../shared", name);
    if (access(path, R_OK) != 0) {
        print_message("skipped: no test data at %s\n", path);
        skip();
    }
    return path;
}

static char folder[64];

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

static void remove_folder(void)
{
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *test_folder(void)
{
    if (!*folder) {
        strcpy(folder, "/tmp/detect-test-XXXXXX");
        assert_non_null(mkdtemp(folder));
        atexit(remove_folder);
    }
    return folder;
}

const char *test_path(const char *name)
{
    static char paths[4][4096];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", test_folder(), name);
    return path;
}

size_t test_count_files(const char *path)
{
    size_t count = 0;
    DIR *list = opendir(path);
    assert_non_null(list);
    for (const struct dirent *entry; (entry = readdir(list));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(list);
    return count;
}

void test_unpack(const char *name)
{
    const char *const arguments[] = {"tar", "-xJf", test_data(name), "-C", test_folder(), NULL};
    pid_t tar;
    int status;
    assert_int_equal(posix_spawnp(&tar, "tar", NULL, NULL, (char **)arguments, environ), 0);
    assert_int_equal(waitpid(tar, &status, 0), tar);
    assert_int_equal(status, 0);
}

void test_write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

void test_limit_file_size(size_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes > 0 && bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

void test_assert_ok(det_status status, const det_error *error)
{
    if (status == DET_OK) return;
    char line[2048];
    det_error_format(error, line, sizeof line);
    fail_msg("%s: %s", det_status_name(status), line);
}

void test_assert_error(det_status status, det_status expected, const det_error *error,
                       const char *part)
{
    if (status != expected)
        fail_msg("status is %s, not %s (%s)", det_status_name(status), det_status_name(expected),
                 status < 0 ? error->message : "");
    if (!strstr(error->message, part)) fail_msg("\"%s\" is not in \"%s\"", part, error->message);
}
