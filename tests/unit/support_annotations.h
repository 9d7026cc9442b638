/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TESTS_SUPPORT_ANNOTATIONS_H
#define DETECT_TESTS_SUPPORT_ANNOTATIONS_H

#include "detect/annotations.h"

/** Fails the test unless there is a warning of this kind, with this count and `part` in its text.
 */
void test_assert_warning(const det_annotations *annotations, det_annotations_oddity oddity,
                         size_t count, const char *part);

#ifdef DET_FAULT_INJECTION
/** Reads annotations again and again, the first allocation failing, then the second, until it
 *  succeeds; fails the test unless each failure is DET_MEMORY. */
void test_assert_memory_failures(const char *path, const det_annotations_options *options);
#endif

/** Writes a text to `name` below test_folder, making its folders. @return its path. */
const char *test_write_below(const char *name, const char *text);

#endif
