/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TESTS_SUPPORT_DOCUMENTS_H
#define DETECT_TESTS_SUPPORT_DOCUMENTS_H

#include <stddef.h>

/** Keeps a document that a test produced, for tests/schema/validate.py, which checks it against its
 *  schema after all tests have run: in $DETECT_DOCUMENTS, a folder that ctest names; nothing is
 *  kept where that is not set.
 *  @param kind "config", "output" or "lines" (JSON Lines), the schema to follow.
 *  @param name unique among the documents of all tests. */
void test_keep_document(const char *kind, const char *name, const void *text, size_t size);

/** The same for the text of a file. */
void test_keep_document_file(const char *kind, const char *name, const char *path);

#endif
