/* SPDX-License-Identifier: Apache-2.0 */
/* Annotations or results in another format: reads, writes, and says what was lost. */
#include "detect/convert.h"

#include "src/cli/class_map.h"
#include "src/cli/commands.h"
#include "src/cli/input.h"
#include "src/cli/progress.h"
#include "src/cli/report.h"
#include "src/cli/truth.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** What is read, and what becomes of it; {0} is empty. */
typedef struct conversion {
    const cli_values *values;
    const char *output; /**< NULL: standard output */
    cli_class_map class_map;
    det_annotations *annotations;
    det_results *results;
    det_losses *losses;
} conversion;

/* ---- Options -------------------------------------------------------------------------------- */

static det_annotations_format annotations_format(const char *name)
{
    if (strcmp(name, "voc") == 0) return DET_ANNOTATIONS_VOC;
    return strcmp(name, "yolo") == 0 ? DET_ANNOTATIONS_YOLO : DET_ANNOTATIONS_COCO;
}

static det_results_format results_format(const char *name)
{
    if (strcmp(name, "json") == 0) return DET_RESULTS_JSON;
    if (strcmp(name, "jsonl") == 0) return DET_RESULTS_JSONL;
    return strcmp(name, "voc") == 0 ? DET_RESULTS_VOC : DET_RESULTS_COCO;
}

static bool is_folder_format(const char *to)
{
    return strcmp(to, "voc") == 0 || strcmp(to, "yolo") == 0;
}

/** Options that mean something for the one or the other alone. */
static det_status check_kind(const cli_values *values, det_error *error)
{
    const bool json = strncmp(values->to, "json", 4) == 0, yolo = strcmp(values->to, "yolo") == 0;
    if (values->results && yolo)
        return cli_fail(error, DET_ARGUMENT,
                        "--to yolo is for annotations; results become coco, json, jsonl or voc");
    if (!values->results && json)
        return cli_fail(error, DET_ARGUMENT,
                        "--to %s is for results: name them with --results, or write annotations as "
                        "coco, voc or yolo",
                        values->to);
    if (!values->results && values->class_map.count > 0)
        return cli_fail(error, DET_ARGUMENT, "--class-map needs --results");
    if (values->results && (values->part || values->whole_pixels))
        return cli_fail(error, DET_ARGUMENT, "--%s is for annotations, not for --results",
                        values->part ? "part" : "round");
    if (values->whole_pixels && strcmp(values->to, "voc") != 0)
        return cli_fail(error, DET_ARGUMENT, "--round is for --to voc");
    if (values->part && !is_folder_format(values->to))
        return cli_fail(error, DET_ARGUMENT, "--part is for --to voc and --to yolo");
    return DET_OK;
}

static det_status check_options(conversion *c, det_error *error)
{
    const cli_values *values = c->values;
    if (!values->truth || !values->to)
        return cli_fail(error, DET_ARGUMENT,
                        "detect convert needs --annotations PATH and --to FORMAT");
    if (values->output && strcmp(values->output, "-") != 0) c->output = values->output;
    det_status status = check_kind(values, error);
    if (status == DET_OK && is_folder_format(values->to) && !c->output)
        status = cli_fail(error, DET_ARGUMENT, "--to %s writes a folder: name it with --output",
                          values->to);
    if (status == DET_OK && !c->output) status = cli_check_stdout(error);
    if (status == DET_OK) status = cli_class_map_read(&values->class_map, &c->class_map, error);
    return status;
}

/* ---- What must not be replaced -------------------------------------------------------------- */

/** The folder of a file, or of VOC's Annotations/: what a data set was named by. */
static bool lies_in(const char *path, const char *folder)
{
    char *parent = cli_format("%s", path);
    size_t length = strlen(parent);
    while (length > 1 && parent[length - 1] == '/') parent[--length] = '\0';
    char *slash = strrchr(parent, '/');
    const char *base = slash ? slash + 1 : parent;
    const char *ending = strrchr(base, '.');
    const bool part = strcmp(base, "Annotations") == 0 ||
                      (ending && (!strcmp(ending, ".yaml") || !strcmp(ending, ".yml") ||
                                  !strcmp(ending, ".txt")));
    if (slash) slash[slash == parent] = '\0';
    const bool found = part && cli_same_file(slash ? parent : ".", folder);
    free(parent);
    return found;
}

static bool is_input(const char *output, const char *path)
{
    return path && (cli_same_file(output, path) || lies_in(path, output));
}

/** A folder may hold several formats, so it is an input only where the format is the same. */
static det_status check_output(const conversion *c, det_error *error)
{
    const cli_values *values = c->values;
    if (!c->output) return DET_OK;
    const bool file = !is_folder_format(values->to);
    const bool same = !values->results && c->annotations->format == annotations_format(values->to);
    const bool comp4 = c->results && c->results->format == DET_RESULTS_VOC;
    const char *input = NULL;
    if ((file || same) && is_input(c->output, values->truth)) input = values->truth;
    if ((file || comp4) && is_input(c->output, values->results)) input = values->results;
    if (!input) return DET_OK;
    return cli_fail(error, DET_ARGUMENT, "--output %s would overwrite %s, which is converted",
                    c->output, input);
}

/* ---- Reading and writing -------------------------------------------------------------------- */

static det_status read_files(conversion *c, det_error *error)
{
    const cli_values *values = c->values;
    det_status status = cli_read_annotations(values->truth, values, 0, &c->annotations, error);
    if (status < 0 || !values->results) return status;
    const det_results_options results = {.class_map = c->class_map.pairs,
                                         .class_map_count = c->class_map.count};
    status = det_results_read(values->results, c->annotations, &results, &c->results, error);
    for (size_t i = 0; status == DET_OK && i < c->results->warning_count; i++)
        cli_warn(values->quiet, values->results, c->results->warnings[i]);
    return status;
}

static det_status write_files(conversion *c, cli_progress *progress, det_error *error)
{
    const cli_values *values = c->values;
    const det_run run = {.progress = cli_progress_step, .progress_context = progress};
    const det_convert_options options = {.part = values->part ? values->part : values->split,
                                         .overwrite = values->overwrite,
                                         .whole_pixels = values->whole_pixels,
                                         .stream_fd = STDOUT_FILENO,
                                         .run = &run};
    if (c->results)
        return det_results_write(c->results, c->annotations, results_format(values->to), c->output,
                                 &options, &c->losses, error);
    return det_annotations_write(c->annotations, annotations_format(values->to), c->output,
                                 &options, &c->losses, error);
}

/** What was written, and what is not as it was. */
static void say_what_was_done(const conversion *c)
{
    const cli_values *values = c->values;
    const char *name = c->output ? c->output : "standard output";
    const det_annotations *a = c->annotations;
    char *text =
        c->results
            ? cli_format("%zu detections on %zu pictures, of %zu classes, as %s",
                         c->results->object_count, a->image_count, a->category_count, values->to)
            : cli_format("%zu pictures with %zu objects of %zu classes, as %s", a->image_count,
                         a->object_count, a->category_count, values->to);
    for (size_t i = 0; i < c->losses->count; i++)
        cli_warn(values->quiet, name, c->losses->lines[i].text);
    cli_warn(values->quiet, name, text);
    free(text);
}

static det_status convert(conversion *c, det_error *error)
{
    det_status status = check_options(c, error);
    if (status == DET_OK) status = read_files(c, error);
    if (status == DET_OK) status = check_output(c, error);
    if (status < 0) return status;
    cli_progress progress = cli_progress_begin(0, "step", c->values->quiet);
    status = write_files(c, &progress, error);
    cli_progress_clear(&progress);
    if (status == DET_OK) say_what_was_done(c);
    return status;
}

int cli_run_convert(const cli_values *values)
{
    det_error error = {0};
    conversion c = {.values = values};
    const det_status status = convert(&c, &error);
    det_losses_free(c.losses);
    det_results_free(c.results);
    det_annotations_free(c.annotations);
    cli_class_map_free(&c.class_map);
    return status < 0 ? cli_exit_status(&error) : CLI_DONE;
}
