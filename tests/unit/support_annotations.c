/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/support_annotations.h"

#include "src/base/memory.h"
#include "tests/unit/support.h"

#include <string.h>
#include <sys/stat.h>

void test_assert_warning(const det_annotations *annotations, det_annotations_oddity oddity,
                         size_t count, const char *part)
{
    for (size_t i = 0; i < annotations->warning_count; i++) {
        const det_annotations_warning *w = &annotations->warnings[i];
        if (w->oddity != oddity) continue;
        assert_int_equal(w->count, count);
        if (!strstr(w->text, part)) fail_msg("\"%s\" is not in \"%s\"", part, w->text);
        return;
    }
    fail_msg("no warning of kind %d (%s) among %zu", (int)oddity, part, annotations->warning_count);
}

#ifdef DET_FAULT_INJECTION
void test_assert_memory_failures(const char *path, const det_annotations_options *options)
{
    det_status status = DET_MEMORY;
    uint64_t nth = 0;
    while (status != DET_OK) {
        det_annotations *annotations = NULL;
        det_error error = {0};
        det_memory_fail_at(++nth);
        status = det_annotations_read(path, options, &annotations, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        if (failed) {
            test_assert_error(status, DET_MEMORY, &error, "out of memory");
            assert_null(annotations);
        } else {
            test_assert_ok(status, &error);
        }
        det_annotations_free(annotations);
    }
    assert_true(nth > 3);
}
#endif

const char *test_write_below(const char *name, const char *text)
{
    const char *path = test_path(name);
    char folder[4096];
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        memcpy(folder, path, (size_t)(slash - path));
        folder[slash - path] = '\0';
        mkdir(folder, 0777);
    }
    test_write_file(path, text, strlen(text));
    return path;
}
