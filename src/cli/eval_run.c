/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a detector over annotated pictures and keeps its results, so that they can be measured, and
 * an interrupted run can go on. */
#include "src/cli/eval_run.h"

#include "detect/version.h"
#include "src/cli/detect.h"
#include "src/cli/kept.h"
#include "src/cli/report.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool cli_eval_runs(const cli_values *values)
{
    return values->config || values->models.count > 0 || values->settings.count > 0;
}

const char *cli_eval_results(const cli_values *values)
{
    if (values->results || !cli_eval_runs(values)) return values->results;
    return "eval-results.jsonl";
}

det_status cli_eval_check_run(const cli_values *values, det_error *error)
{
    if (values->restart && !cli_eval_runs(values))
        return cli_fail(error, DET_ARGUMENT,
                        "--restart needs a detector to run: --config FILE or --model FILE");
    return DET_OK;
}

/* ---- Pictures ------------------------------------------------------------------------------- */

/** The pictures to run; {0} is none. */
typedef struct picture_list {
    char **paths;
    size_t count;
} picture_list;

static bool is_missing(const char *path)
{
    struct stat status;
    return stat(path, &status) != 0 || S_ISDIR(status.st_mode);
}

/** A picture that is not there would count as one without detections: nobody wants that. */
static det_status check_missing(const picture_list *list, const cli_values *values,
                                det_error *error)
{
    enum { NAMED = 3 };
    char names[360] = "";
    size_t missing = 0;
    for (size_t i = 0; i < list->count; i++) {
        const size_t used = strlen(names);
        if (!is_missing(list->paths[i]) || missing++ >= NAMED) continue;
        snprintf(names + used, sizeof names - used, "%s%.100s", used > 0 ? ", " : "",
                 list->paths[i]);
    }
    if (missing == 0) return DET_OK;
    cli_fail(error, DET_IO,
             "%zu of %zu annotated pictures are not there (%s%s); --images FOLDER says where they "
             "are. Without them the figures would be wrong, so nothing was run",
             missing, list->count, names, missing > NAMED ? ", ..." : "");
    snprintf(error->file, sizeof error->file, "%s", values->truth);
    return DET_IO;
}

/** Results name pictures by their files, so that each must lead back to its own. */
static det_status check_names(const picture_list *list, const det_annotations *annotations,
                              det_error *error)
{
    for (size_t i = 0; i < list->count; i++) {
        size_t found;
        if (det_annotations_find_image(annotations, list->paths[i], &found, error) < 0)
            return error->status;
        if (found == i) continue;
        return cli_fail(error, DET_ARGUMENT,
                        "the annotations have two pictures, \"%.200s\" and \"%.200s\", that "
                        "results could not tell apart",
                        annotations->images[found].file, annotations->images[i].file);
    }
    return DET_OK;
}

static det_status list_pictures(picture_list *list, const cli_values *values,
                                det_annotations *annotations, det_error *error)
{
    const cli_truth truth = {.annotations = annotations};
    list->count = annotations->image_count;
    list->paths = cli_truth_paths(&truth);
    if (list->count == 0)
        return cli_fail(error, DET_ARGUMENT, "--annotations %s has no pictures to run",
                        values->truth);
    det_status status = check_missing(list, values, error);
    if (status == DET_OK) status = check_names(list, annotations, error);
    return status;
}

/* ---- Settings ------------------------------------------------------------------------------- */

static det_status print_models(FILE *stream, const det_detector *detector, det_error *error)
{
    det_status status = DET_OK;
    fprintf(stream, "\"models\":[");
    for (size_t i = 0; status == DET_OK && i < det_detector_network_count(detector); i++) {
        char digest[DET_MODEL_DIGEST_SIZE] = "";
        const det_model *model = det_network_model(det_detector_network(detector, i));
        status = det_model_file_digest(model, digest, error);
        fprintf(stream, "%s\"%s\"", i > 0 ? "," : "", digest);
    }
    fprintf(stream, "]");
    return status;
}

/** Whether a key says nothing about the results: models are told by their digests, the number of
 * threads may change from run to run, and training is another command's. */
static bool is_left_out(const char *path)
{
    return strcmp(path, "schema_version") == 0 || strcmp(path, "classifier.models") == 0 ||
           strcmp(path, "runtime.threads") == 0 || strncmp(path, "train.", 6) == 0;
}

static det_status print_keys(FILE *stream, const det_config *config, det_error *error)
{
    const char *path, *value;
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && det_config_key(i, &path, NULL, NULL, NULL); i++) {
        if (is_left_out(path)) continue;
        det_json *json = det_json_create();
        if (!json) cli_out_of_memory();
        det_config_value(config, i, json, NULL);
        status = det_json_finish(json, &value, NULL, error);
        if (status == DET_OK) fprintf(stream, ",\n\"%s\":%s", path, value);
        det_json_free(json);
    }
    return status;
}

/** What makes the results what they are, configs/settings.schema.json; a line a member. */
static det_status describe(const det_config *config, const det_detector *detector, char **text,
                           det_error *error)
{
    size_t size;
    FILE *stream = open_memstream(text, &size);
    if (!stream) cli_out_of_memory();
    fprintf(stream, "{\n\"schema_version\":1,\n\"version\":\"%s\",\n\"precision\":\"%s\",\n",
            det_version(),
            det_precision_name(det_network_precision(det_detector_network(detector, 0))));
    det_status status = print_models(stream, detector, error);
    if (status == DET_OK) status = print_keys(stream, config, error);
    fprintf(stream, "\n}");
    if (fclose(stream) != 0) cli_out_of_memory();
    return status;
}

/* ---- The run -------------------------------------------------------------------------------- */

static void say_count(const cli_values *values, const cli_kept *kept, size_t count)
{
    if (values->quiet) return;
    fprintf(stderr, "detect: %s: ", kept->path);
    if (kept->count == count)
        fprintf(stderr, "holds all %zu pictures already; --restart runs them again\n", count);
    else if (kept->count > 0)
        fprintf(stderr, "holds %zu of %zu pictures; going on with the others\n", kept->count,
                count);
    else
        fprintf(stderr, "results of %zu pictures are kept here\n", count);
}

static det_status run_pictures(cli_pictures *pictures, det_detector *detector, const cli_kept *kept,
                               const picture_list *list, det_error *error)
{
    size_t failures;
    const cli_values *given = pictures->values;
    const cli_list rest = {(const char **)list->paths + kept->count, list->count - kept->count};
    cli_values values = *given;
    values.output = kept->path;
    values.format = "jsonl";
    values.operands = rest;
    if (rest.count == 0) return DET_OK;
    pictures->values = &values;
    det_status status = cli_pictures_open(pictures, error);
    if (status == DET_OK) status = cli_detect(pictures, detector, true, &failures, error);
    pictures->values = given;
    if (status < 0)
        fprintf(stderr,
                "detect: %s: what is done is kept; the same command goes on with the rest\n",
                kept->path);
    return status;
}

static det_status run(cli_pictures *pictures, det_detector *detector, const picture_list *list,
                      det_error *error)
{
    const cli_values *values = pictures->values;
    cli_kept kept = {0};
    char *settings = NULL;
    det_status status = describe(pictures->config, detector, &settings, error);
    const cli_kept_run kept_run = {.settings = settings,
                                   .files = (const char *const *)list->paths,
                                   .file_count = list->count,
                                   .restart = values->restart};
    if (status == DET_OK) status = cli_kept_open(&kept, values->results, &kept_run, error);
    if (status == DET_OK) {
        say_count(values, &kept, list->count);
        status = run_pictures(pictures, detector, &kept, list, error);
    }
    cli_kept_close(&kept);
    free(settings);
    return status;
}

static det_status check_models(const det_config *config, det_error *error)
{
    if (config->classifier.model_count > 0) return DET_OK;
    return cli_fail(error, DET_ARGUMENT,
                    "there is no model to run: name one with --model FILE, or in classifier.models "
                    "of the --config file");
}

det_status cli_eval_run(const cli_values *values, det_annotations *annotations, det_error *error)
{
    cli_pictures pictures = {0};
    picture_list list = {0};
    det_detector *detector = NULL;
    det_status status = cli_pictures_configure(&pictures, values, error);
    if (status == DET_OK) status = check_models(pictures.config, error);
    if (status == DET_OK) status = list_pictures(&list, values, annotations, error);
    if (status == DET_OK) status = det_detector_create(pictures.config, &detector, error);
    if (status == DET_OK) status = run(&pictures, detector, &list, error);
    det_detector_free(detector);
    cli_truth_paths_free(list.paths, list.count);
    cli_pictures_free(&pictures);
    return status;
}
