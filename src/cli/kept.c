/* SPDX-License-Identifier: Apache-2.0 */
/* Results that are kept as they come. A line is whole when its end is there, because it is written
 * last; the lines are those of the first pictures of the run, so that their number says where to go
 * on. */
#include "src/cli/kept.h"

#include "detect/json.h"
#include "src/cli/document.h"
#include "src/cli/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char ending[] = ".jsonl";

static const char advice[] =
    "keep these results apart with --results FILE, or begin anew with --restart";

static det_status refuse(const cli_kept *kept, det_error *error)
{
    snprintf(error->file, sizeof error->file, "%s", kept->path);
    return error->status;
}

/* ---- The file ------------------------------------------------------------------------------- */

/** "found.settings.json" of "found.jsonl"; NULL where the name ends otherwise. */
static char *settings_path_of(const char *path)
{
    const size_t length = strlen(path), end = sizeof ending - 1;
    if (length <= end || strcmp(path + length - end, ending) != 0) return NULL;
    return cli_format("%.*s.settings.json", (int)(length - end), path);
}

static det_status open_file(cli_kept *kept, struct stat *status, det_error *error)
{
    kept->descriptor = open(kept->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (kept->descriptor < 0 || fstat(kept->descriptor, status) != 0)
        return cli_fail_errno(error, kept->path, "cannot write");
    if (!S_ISREG(status->st_mode)) {
        cli_fail(error, DET_ARGUMENT,
                 "is no regular file; results are kept there and read again: name a file");
        return refuse(kept, error);
    }
    if (flock(kept->descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return DET_OK;
    cli_fail(error, DET_ARGUMENT,
             "another run is writing to it; wait for that, or name another file with --results");
    return refuse(kept, error);
}

static det_status cut(const cli_kept *kept, off_t size, det_error *error)
{
    return ftruncate(kept->descriptor, size) == 0
               ? DET_OK
               : cli_fail_errno(error, kept->path, "cannot write");
}

/* ---- Settings ------------------------------------------------------------------------------- */

/** The next line without what separates it from others; moves `text` behind it. */
static void next_member(const char **text, const char **member, size_t *length)
{
    *member = *text;
    *length = strcspn(*text, "\n");
    *text += *length + ((*text)[*length] == '\n');
    while (*length > 0 && (*member)[*length - 1] == ',') (*length)--;
}

static det_status other_settings(const cli_kept *kept, const char *there, const char *now,
                                 det_error *error)
{
    size_t differences = 0, length, other_length;
    const char *member, *other;
    char first[400] = "", more[40] = "";
    while (*there || *now) {
        next_member(&there, &member, &length);
        next_member(&now, &other, &other_length);
        if (length == other_length && memcmp(member, other, length) == 0) continue;
        if (differences++ == 0)
            snprintf(first, sizeof first, "%.*s there, %.*s now",
                     (int)(length < 180 ? length : 180), member,
                     (int)(other_length < 180 ? other_length : 180), other);
    }
    if (differences > 1) snprintf(more, sizeof more, " (and %zu more)", differences - 1);
    cli_fail(error, DET_ARGUMENT, "was made with other settings: %s%s; %s", first, more, advice);
    return refuse(kept, error);
}

static det_status read_text(const char *path, char **text, det_error *error)
{
    size_t room = 0;
    FILE *stream = fopen(path, "re");
    if (!stream) return cli_fail_errno(error, path, "cannot open");
    const ssize_t length = getdelim(text, &room, '\0', stream);
    const det_status status =
        length < 0 && ferror(stream) ? cli_fail_errno(error, path, "cannot read") : DET_OK;
    fclose(stream);
    return status;
}

static det_status check_settings(const cli_kept *kept, const char *settings, det_error *error)
{
    char *there = NULL;
    if (access(kept->settings_path, F_OK) != 0) {
        cli_fail(error, DET_ARGUMENT,
                 "holds results, but without %s nobody knows which settings made them; %s",
                 kept->settings_path, advice);
        return refuse(kept, error);
    }
    det_status status = read_text(kept->settings_path, &there, error);
    const size_t length = strlen(settings);
    if (status == DET_OK &&
        (!there || strncmp(there, settings, length) != 0 || strcmp(there + length, "\n") != 0))
        status = other_settings(kept, there ? there : "", settings, error);
    free(there);
    return status;
}

/* ---- Lines ---------------------------------------------------------------------------------- */

/** How the line of a picture begins, as the writer of JSON lines begins it. */
static det_status begin_line(const char *file, char **beginning, det_error *error)
{
    const char *text;
    size_t size;
    det_json *json = det_json_create();
    if (!json) cli_out_of_memory();
    det_json_begin_object(json, NULL);
    det_json_integer(json, "schema_version", 1);
    det_json_string(json, "file", file);
    det_json_end(json);
    const det_status status = det_json_finish(json, &text, &size, error);
    if (status == DET_OK) *beginning = cli_format("%.*s,", (int)(size - 1), text);
    det_json_free(json);
    return status;
}

static det_status check_line(const cli_kept *kept, const char *line, const cli_kept_run *run,
                             det_error *error)
{
    char *beginning = NULL;
    if (kept->count == run->file_count) {
        cli_fail(error, DET_ARGUMENT, "holds results of more than the %zu pictures of this run; %s",
                 run->file_count, advice);
        return refuse(kept, error);
    }
    const char *file = run->files[kept->count];
    det_status status = begin_line(file, &beginning, error);
    if (status == DET_OK && strncmp(line, beginning, strlen(beginning)) != 0) {
        cli_fail(error, DET_ARGUMENT,
                 "is not of the pictures of this run: its line %zu is not of %.200s; %s",
                 kept->count + 1, file, advice);
        status = refuse(kept, error);
    }
    free(beginning);
    return status;
}

static det_status check_lines(cli_kept *kept, FILE *stream, const cli_kept_run *run,
                              det_error *error)
{
    char *line = NULL;
    size_t room = 0;
    off_t end = 0;
    ssize_t length;
    det_status status = DET_OK;
    while (status == DET_OK && (length = getline(&line, &room, stream)) > 0) {
        if (line[length - 1] != '\n') break;
        status = check_line(kept, line, run, error);
        kept->count++;
        end += length;
    }
    if (status == DET_OK && ferror(stream))
        status = cli_fail_errno(error, kept->path, "cannot read");
    free(line);
    return status == DET_OK ? cut(kept, end, error) : status;
}

static det_status resume(cli_kept *kept, const cli_kept_run *run, det_error *error)
{
    det_status status = check_settings(kept, run->settings, error);
    if (status < 0) return status;
    FILE *stream = fopen(kept->path, "re");
    if (!stream) return cli_fail_errno(error, kept->path, "cannot open");
    status = check_lines(kept, stream, run, error);
    fclose(stream);
    return status;
}

/* ---- The run -------------------------------------------------------------------------------- */

det_status cli_kept_open(cli_kept *kept, const char *path, const cli_kept_run *run,
                         det_error *error)
{
    struct stat status;
    kept->path = path;
    kept->settings_path = settings_path_of(path);
    if (!kept->settings_path)
        return cli_fail(error, DET_ARGUMENT,
                        "--results %s: results of a run are kept as JSON lines; name a file that "
                        "ends in .jsonl",
                        path);
    if (open_file(kept, &status, error) < 0) return error->status;
    if (status.st_size > 0 && !run->restart) return resume(kept, run, error);
    if (cut(kept, 0, error) < 0) return error->status;
    return cli_write_file(kept->settings_path, run->settings, error);
}

void cli_kept_close(cli_kept *kept)
{
    if (kept->descriptor > 0) close(kept->descriptor);
    free(kept->settings_path);
    *kept = (cli_kept){0};
}
