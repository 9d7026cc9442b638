/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over the files of a folder, where libFuzzer is not linked in, so that every
 * seed is an ordinary test on every compiler. */
#include "src/base/file.h"
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdlib.h>

enum { max_seed_bytes = 16 << 20 };

static int skip_dot_files(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool replay(const char *folder, const char *name)
{
    char path[4096];
    det_bytes bytes = {0};
    det_error error = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (det_file_read(path, max_seed_bytes, &bytes, &error) < 0) {
        fprintf(stderr, "%s: %s\n", path, error.message);
        return false;
    }
    printf("%s: %zu bytes\n", name, bytes.size);
    fflush(stdout); /* so that the last line names the seed that crashed */
    LLVMFuzzerTestOneInput(bytes.data, bytes.size);
    det_bytes_free(&bytes);
    return true;
}

int main(int count, char **arguments)
{
    struct dirent **entries = NULL;
    const int found = count == 2 ? scandir(arguments[1], &entries, skip_dot_files, alphasort) : -1;
    if (found <= 0) {
        fprintf(stderr, "usage: %s FOLDER (with at least one seed in it)\n", arguments[0]);
        return 2;
    }
    bool ok = true;
    for (int i = 0; i < found; i++) {
        ok = replay(arguments[1], entries[i]->d_name) && ok;
        free(entries[i]);
    }
    free(entries);
    return ok ? 0 : 1;
}
