/* SPDX-License-Identifier: Apache-2.0 */
/* detect classify --features: what a layer says of pictures or regions, in a file. */
#include "detect/features.h"

#include "detect/region_sets.h"
#include "src/cli/features.h"
#include "src/cli/input.h"
#include "src/cli/model.h"
#include "src/cli/pictures.h"
#include "src/cli/report.h"

#include <stdlib.h>
#include <string.h>

typedef struct job {
    const det_inputs *inputs;
    size_t index; /**< of the picture, in inputs */
    det_extractor *extractor;
    det_region_sets *regions; /**< NULL: whole pictures */
    det_feature_file *file;
    bool broken; /**< the file cannot be written any more */
} job;

static det_status keep(void *context, const det_feature_rows *rows, det_error *error)
{
    job *j = context;
    const det_status status = det_feature_file_add(j->file, j->index, rows, error);
    j->broken = status < 0;
    return status;
}

static det_status extract_regions(job *j, const det_image *image, const det_run *run,
                                  const det_result *result, det_error *error)
{
    const det_feature_sink sink = {keep, j};
    const det_region *regions = NULL;
    size_t count = 0;
    const det_status status =
        det_region_sets_find(j->regions, result->file, &regions, &count, error);
    if (status < 0) return status;
    return det_extractor_regions(j->extractor, image, regions, count, run, &sink, error);
}

static det_status process(void *context, const det_image *image, const det_run *run,
                          det_result *result, det_error *error)
{
    job *j = context;
    const det_feature_sink sink = {keep, j};
    det_error ignored;
    if (j->broken) return cli_fail(error, DET_IO, "not done: the features cannot be written");
    while (j->inputs->paths[j->index] != result->file) j->index++; /* some could not be read */
    const det_status status = j->regions
                                  ? extract_regions(j, image, run, result, error)
                                  : det_extractor_picture(j->extractor, image, run, &sink, error);
    if (status < 0) det_feature_file_drop(j->file, j->index, &ignored);
    return status;
}

static det_status conclude(void *context, det_error *error)
{
    job *j = context;
    det_feature_file *file = j->file;
    j->file = NULL;
    return det_feature_file_close(file, error);
}

/** Options that would have no effect are a mistake. */
static det_status check_options(const cli_values *values, det_error *error)
{
    const char *option = values->format                 ? "format"
                         : values->timings              ? "timings"
                         : values->annotations          ? "annotations"
                         : values->json                 ? "json"
                         : values->top != CLI_NOT_GIVEN ? "top"
                                                        : NULL;
    if (option)
        return cli_fail(error, DET_ARGUMENT,
                        "--%s is for labels, which --features takes the place of", option);
    if (values->regions && (values->crops || values->shorter_side != CLI_NOT_GIVEN))
        return cli_fail(error, DET_ARGUMENT,
                        "--%s is for whole pictures, and --regions names parts of them",
                        values->crops ? "crops" : "shorter-side");
    if (!values->output)
        return cli_fail(error, DET_ARGUMENT,
                        "--features writes a safetensors file: name it with --output FILE");
    if (values->regions && cli_same_file(values->regions, values->output))
        return cli_fail(error, DET_ARGUMENT, "--output %s would overwrite the regions",
                        values->output);
    return DET_OK;
}

static det_status prepare(cli_pictures *pictures, const cli_values *values, job *j,
                          const det_classify_options *crops, det_error *error)
{
    const det_extract_options options = {
        .layer = values->features, .regions = values->regions != NULL, .crops = *crops};
    det_status status = check_options(values, error);
    if (status == DET_OK) status = cli_pictures_configure(pictures, values, error);
    if (status == DET_OK) status = cli_check_models(pictures->config, "classify ", error);
    if (status == DET_OK) status = cli_pictures_open(pictures, error);
    if (status == DET_OK && values->regions)
        status = det_region_sets_read(values->regions, &j->regions, error);
    if (status == DET_OK)
        status = det_extractor_create(pictures->config, &options, &j->extractor, error);
    j->inputs = &pictures->inputs;
    if (status == DET_OK)
        status = det_feature_file_create(values->output, j->extractor,
                                         (const char *const *)pictures->inputs.paths,
                                         pictures->inputs.count, &j->file, error);
    return status;
}

int cli_run_features(const cli_values *values, const det_classify_options *crops)
{
    det_error error = {0};
    cli_pictures pictures = {0};
    job j = {0};
    const cli_task task = {.context = &j,
                           .process = process,
                           .conclude = conclude,
                           .unit = values->regions ? "region" : "crop",
                           .labels = true,
                           .unwritten = true};
    const det_status status = prepare(&pictures, values, &j, crops, &error);
    if (status == DET_OK && values->verbose)
        cli_print_steps(stderr, det_extractor_network(j.extractor));
    const int result =
        status == DET_OK ? cli_pictures_run(&pictures, &task) : cli_exit_status(&error);
    det_feature_file_abandon(j.file);
    det_region_sets_free(j.regions);
    det_extractor_free(j.extractor);
    cli_pictures_free(&pictures);
    return result;
}
