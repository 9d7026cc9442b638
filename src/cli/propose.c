/* SPDX-License-Identifier: Apache-2.0 */
/* Regions alone: where objects may be; with annotations, how well they cover the objects. */
#include "detect/detector.h"

#include "detect/draw.h"
#include "src/cli/commands.h"
#include "src/cli/document.h"
#include "src/cli/pictures.h"
#include "src/cli/plots.h"
#include "src/cli/report.h"

#include <stdlib.h>
#include <string.h>

typedef struct settings {
    const cli_values *values;
    const det_config *config;
    det_proposer *proposer;
    size_t top;        /**< regions to draw */
    cli_truth truth;   /**< with --annotations */
    cli_recall recall; /**< likewise */
} settings;

static det_status process(void *context, const det_image *image, const det_run *run,
                          det_result *result, det_error *error)
{
    const settings *ours = context;
    return det_proposer_propose(ours->proposer, image, 0, run, result, error);
}

static det_status draw(void *context, const det_result *result, det_image *image, det_error *error)
{
    const settings *ours = context;
    const size_t count = result->region_count < ours->top ? result->region_count : ours->top;
    det_drawn_box *boxes = cli_alloc(count, sizeof *boxes);
    for (size_t i = 0; i < count; i++)
        boxes[i] = (det_drawn_box){result->regions[i].box, NULL, det_draw_color(i)};
    const det_status status = det_draw_boxes(image, boxes, count, error);
    free(boxes);
    return status;
}

static det_status segment(void *context, const det_image *image, const det_run *run,
                          cli_segments *segments, det_error *error)
{
    const settings *ours = context;
    det_segmentation segmentation;
    det_status status = det_selective_search_segment(image, &ours->config->proposals.search, run,
                                                     &segmentation, error);
    if (status == DET_OK) status = det_draw_segments(image, &segmentation, &segments->drawn, error);
    segments->count = segmentation.count;
    det_segmentation_free(&segmentation);
    return status;
}

/* ---- Measuring ------------------------------------------------------------------------------ */

static det_status measure(void *context, const det_image *image, const det_run *run,
                          const det_result *result, det_error *error)
{
    settings *ours = context;
    size_t index;
    if (!cli_truth_meet(&ours->truth, result->file, image->width, image->height, &index))
        return DET_OK;
    return cli_recall_add(&ours->recall, index, image, run, result, error);
}

static det_status conclude(void *context, det_error *error)
{
    settings *ours = context;
    const cli_values *values = ours->values;
    det_status status = cli_recall_finish(&ours->recall, error);
    if (status < 0) return status;
    cli_truth_say(&ours->truth);
    if (!values->json || strcmp(values->json, "-") != 0)
        cli_recall_print(&ours->recall, &ours->truth, values);
    if (values->json)
        status = cli_write_document(cli_recall_document(&ours->recall, &ours->truth, values),
                                    values->json, error);
    if (status == DET_OK && values->plots)
        status = cli_plots_write(&ours->recall, values->plots, error);
    return status;
}

/** Options that would have no effect are a mistake. */
static det_status check_options(const cli_values *values, det_error *error)
{
    if (values->truth && !values->output && (values->format || values->timings))
        return cli_fail(error, DET_ARGUMENT,
                        "with --annotations, regions are written only to a file: --%s needs "
                        "--output FILE",
                        values->format ? "format" : "timings");
    if (values->json && !values->truth)
        return cli_fail(error, DET_ARGUMENT, "--json needs --annotations");
    return cli_truth_check_options(values, error);
}

static det_status prepare_measuring(settings *ours, det_error *error)
{
    const cli_values *values = ours->values;
    det_status status = cli_check_figures(values, values->truth, "regions", error);
    if (status == DET_OK && values->plots) status = cli_plots_prepare(values->plots, error);
    if (status == DET_OK) status = cli_truth_read(&ours->truth, values, error);
    if (status == DET_OK)
        status = cli_recall_begin(&ours->recall, &ours->truth, values, ours->config, error);
    return status;
}

/* ---- The command ---------------------------------------------------------------------------- */

static int run(cli_pictures *pictures, settings *ours)
{
    const det_config *config = pictures->config;
    const char *methods[CLI_METHODS];
    const size_t method_count = cli_methods(config, methods);
    const bool measured = pictures->truth != NULL;
    const cli_task task = {
        .context = ours,
        .process = process,
        .measure = measured ? measure : NULL,
        .conclude = measured ? conclude : NULL,
        .unwritten = measured && !pictures->values->output,
        .draw = draw,
        .segment = segment,
        .proposals = true,
        .info = {.models = (const char *const *)config->classifier.models,
                 .model_count = config->proposals.multibox ? config->classifier.model_count : 0,
                 .proposals = methods,
                 .proposal_count = method_count,
                 .threads = config->runtime.threads}};
    return cli_pictures_run(pictures, &task);
}

int cli_run_propose(const cli_values *values)
{
    det_error error = {0};
    cli_pictures pictures = {0};
    settings ours = {.values = values,
                     .top = values->top == CLI_NOT_GIVEN ? 50 : (size_t)values->top};
    det_status status = check_options(values, &error);
    if (status == DET_OK) status = cli_pictures_configure(&pictures, values, &error);
    ours.config = pictures.config;
    if (status == DET_OK && values->truth) {
        status = prepare_measuring(&ours, &error);
        pictures.truth = &ours.truth;
    }
    if (status == DET_OK) status = cli_pictures_open(&pictures, &error);
    if (status == DET_OK) status = det_proposer_create(pictures.config, &ours.proposer, &error);
    const int result = status == DET_OK ? run(&pictures, &ours) : cli_exit_status(&error);
    det_proposer_free(ours.proposer);
    cli_recall_free(&ours.recall);
    cli_truth_free(&ours.truth);
    cli_pictures_free(&pictures);
    return result;
}
