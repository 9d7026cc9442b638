/* SPDX-License-Identifier: Apache-2.0 */
/* Regions alone: where objects may be. */
#include "detect/detector.h"

#include "detect/draw.h"
#include "src/cli/commands.h"
#include "src/cli/pictures.h"
#include "src/cli/report.h"

#include <stdlib.h>

typedef struct settings {
    const det_config *config;
    size_t top; /**< regions to draw */
} settings;

static det_status process(void *context, const det_image *image, const det_run *run,
                          det_result *result, det_error *error)
{
    const settings *proposer = context;
    return det_detector_propose(proposer->config, image, run, result, error);
}

static det_status draw(void *context, const det_result *result, det_image *image, det_error *error)
{
    const settings *proposer = context;
    const size_t count =
        result->region_count < proposer->top ? result->region_count : proposer->top;
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
    const settings *proposer = context;
    det_segmentation segmentation;
    det_status status = det_selective_search_segment(image, &proposer->config->proposals.search,
                                                     run, &segmentation, error);
    if (status == DET_OK) status = det_draw_segments(image, &segmentation, &segments->drawn, error);
    segments->count = segmentation.count;
    det_segmentation_free(&segmentation);
    return status;
}

static int run(cli_pictures *pictures)
{
    const char *methods[CLI_METHODS];
    const size_t method_count = cli_methods(pictures->config, methods);
    const int top = pictures->values->top;
    settings proposer = {pictures->config, top == CLI_NOT_GIVEN ? 50 : (size_t)top};
    const cli_task task = {.context = &proposer,
                           .process = process,
                           .draw = draw,
                           .segment = segment,
                           .proposals = true,
                           .info = {.proposals = methods,
                                    .proposal_count = method_count,
                                    .threads = pictures->config->runtime.threads}};
    return cli_pictures_run(pictures, &task);
}

int cli_run_propose(const cli_values *values)
{
    det_error error = {0};
    cli_pictures pictures = {0};
    det_status status = cli_pictures_configure(&pictures, values, &error);
    if (status == DET_OK) status = cli_pictures_open(&pictures, &error);
    const int result = status == DET_OK ? run(&pictures) : cli_exit_status(&error);
    cli_pictures_free(&pictures);
    return result;
}
