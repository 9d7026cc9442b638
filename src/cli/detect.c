/* SPDX-License-Identifier: Apache-2.0 */
/* The main job: objects in pictures. */
#include "detect/detector.h"

#include "detect/draw.h"
#include "src/cli/commands.h"
#include "src/cli/detect.h"
#include "src/cli/model.h"
#include "src/cli/report.h"

#include <stdlib.h>
#include <string.h>

static det_status process(void *context, const det_image *image, const det_run *run,
                          det_result *result, det_error *error)
{
    return det_detector_detect(context, image, run, result, error);
}

static void free_boxes(char **labels, det_drawn_box *boxes, size_t count)
{
    for (size_t i = 0; i < count; i++) free(labels[i]);
    free(labels);
    free(boxes);
}

static det_status draw(void *context, const det_result *result, det_image *image, det_error *error)
{
    (void)context;
    const size_t count = result->detection_count;
    det_drawn_box *boxes = cli_alloc(count, sizeof *boxes);
    char **labels = cli_alloc(count, sizeof *labels);
    for (size_t i = 0; i < count; i++) {
        const det_detection *found = &result->detections[i];
        labels[i] = cli_format("%s %.2f", found->class_name, (double)found->score);
        boxes[i] = (det_drawn_box){found->box, labels[i], det_draw_color((size_t)found->class_id)};
    }
    const det_status status = det_draw_boxes(image, boxes, count, error);
    free_boxes(labels, boxes, count);
    return status;
}

/** Annotations that nobody would look at are a mistake. */
static det_status check_annotations(const cli_values *values, det_error *error)
{
    if (!values->annotations || (values->format && strcmp(values->format, "coco") == 0))
        return DET_OK;
    return cli_fail(error, DET_ARGUMENT, "--annotations is for --format coco alone");
}

/** Splits "banana, orange" in place and keeps only these classes. */
static det_status select_classes(det_detector *detector, const char *names, det_error *error)
{
    if (!names) return DET_OK;
    size_t count = 0;
    char *copy = cli_format("%s", names), *rest = copy;
    const char **items = cli_alloc(strlen(names) + 1, sizeof *items);
    while (rest) {
        const char *name = strsep(&rest, ",");
        name += strspn(name, " ");
        if (*name) items[count++] = name;
    }
    const det_status status =
        count > 0 ? det_detector_select_classes(detector, items, count, error)
                  : cli_fail(error, DET_ARGUMENT, "--classes '%s' names no class", names);
    free(items);
    free(copy);
    return status;
}

static void say_networks(const det_detector *detector)
{
    for (size_t i = 0; i < det_detector_network_count(detector); i++)
        cli_print_steps(stderr, det_detector_network(detector, i));
}

static const char **class_names(const det_model *model, size_t *count)
{
    *count = det_model_class_count(model);
    const char **names = cli_alloc(*count, sizeof *names);
    for (size_t i = 0; i < *count; i++) names[i] = det_model_class_name(model, i);
    return names;
}

det_status cli_detect(cli_pictures *pictures, det_detector *detector, bool append, size_t *failures,
                      det_error *error)
{
    const det_config *config = pictures->config;
    const char *methods[CLI_METHODS];
    const size_t method_count = cli_methods(config, methods);
    size_t class_count;
    const char **names = class_names(det_detector_model(detector), &class_count);
    const cli_task task = {.context = detector,
                           .process = process,
                           .draw = draw,
                           .unit = "region",
                           .append = append,
                           .info = {.models = (const char *const *)config->classifier.models,
                                    .model_count = config->classifier.model_count,
                                    .proposals = methods,
                                    .proposal_count = method_count,
                                    .precision = det_precision_name(
                                        det_network_precision(det_detector_network(detector, 0))),
                                    .threads = config->runtime.threads,
                                    .class_names = names,
                                    .class_count = class_count}};
    const det_status status = cli_pictures_work(pictures, &task, failures, error);
    free(names);
    return status;
}

int cli_run_detect(const cli_values *values)
{
    det_error error = {0};
    cli_pictures pictures = {0};
    size_t failures = 0;
    det_detector *detector = NULL;
    det_status status = cli_pictures_configure(&pictures, values, &error);
    if (status == DET_OK) status = cli_check_models(pictures.config, "", &error);
    if (status == DET_OK) status = check_annotations(values, &error);
    if (status == DET_OK) status = cli_pictures_open(&pictures, &error);
    if (status == DET_OK) status = det_detector_create(pictures.config, &detector, &error);
    if (status == DET_OK) status = select_classes(detector, values->classes, &error);
    if (status == DET_OK && values->verbose) say_networks(detector);
    if (status == DET_OK) status = cli_detect(&pictures, detector, false, &failures, &error);
    det_detector_free(detector);
    cli_pictures_free(&pictures);
    if (status < 0) return cli_exit_status(&error);
    return failures > 0 ? CLI_FAILED : CLI_DONE;
}
