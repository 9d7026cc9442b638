/* SPDX-License-Identifier: Apache-2.0 */
/* JSON documents in files, and numbers for people. */
#include "src/cli/document.h"

#include "src/cli/input.h"
#include "src/cli/report.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static det_status write_text(FILE *stream, const char *name, const char *text, det_error *error)
{
    fprintf(stream, "%s\n", text);
    return cli_flush(stream, name, error);
}

/** The name to write to first; that of the file itself where it is a device or a pipe, which must
 *  not be replaced. */
static char *temporary_of(const char *path)
{
    struct stat status;
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) return cli_format("%s", path);
    return cli_format("%s.%ld.tmp", path, (long)getpid());
}

det_status cli_write_file(const char *path, const char *text, det_error *error)
{
    char *temporary = temporary_of(path);
    const bool renamed = strcmp(temporary, path) != 0;
    FILE *stream = fopen(temporary, "we");
    det_status status = stream ? write_text(stream, path, text, error)
                               : cli_fail_errno(error, path, "cannot write");
    if (stream && fclose(stream) != 0 && status == DET_OK)
        status = cli_fail_errno(error, path, "cannot write");
    if (status == DET_OK && renamed && rename(temporary, path) != 0)
        status = cli_fail_errno(error, path, "cannot write");
    if (stream && renamed && status < 0) unlink(temporary);
    free(temporary);
    return status;
}

det_status cli_write_document(det_json *json, const char *path, det_error *error)
{
    const char *text;
    if (!json) return cli_fail(error, DET_MEMORY, "out of memory for a JSON document");
    det_status status = det_json_finish(json, &text, NULL, error);
    if (status == DET_OK)
        status = strcmp(path, "-") == 0 ? write_text(stdout, "standard output", text, error)
                                        : cli_write_file(path, text, error);
    det_json_free(json);
    return status;
}

det_status cli_check_document(const char *path, det_error *error)
{
    if (strcmp(path, "-") == 0) return cli_check_stdout(error);
    char *temporary = temporary_of(path);
    FILE *stream = fopen(temporary, "we");
    det_status status = DET_OK;
    if (stream) {
        fclose(stream);
        if (strcmp(temporary, path) != 0) unlink(temporary);
    } else {
        status = cli_fail_errno(error, path, "cannot write");
    }
    free(temporary);
    return status;
}

det_status cli_check_figures(const cli_values *values, const char *annotations, const char *results,
                             det_error *error)
{
    const char *json = values->json;
    if (!json) return DET_OK;
    if ((annotations && cli_same_file(json, annotations)) ||
        (values->output && strcmp(json, values->output) == 0))
        return cli_fail(error, DET_ARGUMENT, "--json %s would overwrite the annotations or the %s",
                        json, results);
    return cli_check_document(json, error);
}

const char *cli_group_digits(uint64_t number, char text[32])
{
    char digits[24];
    const int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    char *out = text;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) *out++ = ',';
        *out++ = digits[i];
    }
    *out = '\0';
    return text;
}
