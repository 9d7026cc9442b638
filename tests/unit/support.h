/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TESTS_SUPPORT_H
#define DETECT_TESTS_SUPPORT_H

/* What every unit test includes: cmocka with the headers it needs, and these helpers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "detect/status.h"

/** Path of a file or folder in the test data ($DETECT_TEST_DATA, default ../shared); skips the
 *  test, saying so, where the data is absent. The path stays valid until the next call. */
const char *test_data(const char *name);

/** An empty folder of this test's own below the system's temporary folder; the same on each call,
 *  removed at the end of the program. */
const char *test_folder(void);
/** Path of `name` in test_folder. Four paths stay valid at a time. */
const char *test_path(const char *name);

/** How many entries a folder has. */
size_t test_count_files(const char *path);
/** Unpacks an archive of the test data, by its name there, into test_folder. */
void test_unpack(const char *name);

/** Writes bytes to a file, failing the test where that fails. */
void test_write_file(const char *path, const void *bytes, size_t size);

/** As a full disk would: no file of this process may grow beyond `bytes`; 0 ends it. */
void test_limit_file_size(size_t bytes);

/** Fails the test, printing the error's line, unless `status` is DET_OK. */
void test_assert_ok(det_status status, const det_error *error);
/** Fails the test unless `status` is `expected` and the error's message contains `part`. */
void test_assert_error(det_status status, det_status expected, const det_error *error,
                       const char *part);

#endif
