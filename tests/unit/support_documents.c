/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/support_documents.h"

#include "src/base/file.h"
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

void test_keep_document(const char *kind, const char *name, const void *text, size_t size)
{
    char path[4096];
    const char *folder = getenv("DETECT_DOCUMENTS");
    if (!folder) return;
    mkdir(folder, 0777); /* they may be there already; writing tells */
    snprintf(path, sizeof path, "%s/%s", folder, kind);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%s.json", folder, kind, name);
    test_write_file(path, text, size);
}

void test_keep_document_file(const char *kind, const char *name, const char *path)
{
    det_bytes bytes = {0};
    det_error error = {0};
    test_assert_ok(det_file_read(path, 1 << 30, &bytes, &error), &error);
    test_keep_document(kind, name, bytes.data, bytes.size);
    det_bytes_free(&bytes);
}
