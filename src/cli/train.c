/* SPDX-License-Identifier: Apache-2.0 */
/* Trains a detector on annotated pictures and says how good it is. */
#include "detect/train.h"

#include "src/cli/commands.h"
#include "src/cli/pictures.h"
#include "src/cli/progress.h"
#include "src/cli/report.h"
#include "src/cli/train_inputs.h"
#include "src/cli/train_report.h"
#include "src/cli/train_resume.h"
#include "src/cli/trained.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** The regions of a picture, where the configuration does not say: more of them than a detector
 *  looks at, because it is to learn what is not an object. */
static const char *const regions_cropped = "proposals.max=600";
static const char *const regions_pooled = "proposals.max=1000";

/* ---- Progress ------------------------------------------------------------------------------- */

typedef struct stages {
    cli_progress bars[DET_TRAIN_STAGES];
    bool begun[DET_TRAIN_STAGES];
    bool quiet;
} stages;

/* The bar of a stage, alone on the terminal. */
static cli_progress *bar_of(stages *s, det_train_stage stage)
{
    static const char *const units[DET_TRAIN_STAGES] = {
        "regions of picture", "boxes of class", "step", "step", "whole picture", "MultiBox head"};
    for (int i = 0; i < DET_TRAIN_STAGES; i++)
        if (i != (int)stage && s->begun[i]) cli_progress_clear(&s->bars[i]);
    if (!s->begun[stage]) s->bars[stage] = cli_progress_begin(0, units[stage], s->quiet);
    s->begun[stage] = true;
    return &s->bars[stage];
}

static bool show_stage(void *context, det_train_stage stage, uint64_t done, uint64_t total)
{
    if (stage == DET_TRAIN_NETWORK) return !cli_stop_signal(); /* its steps tell more */
    return cli_progress_step(bar_of(context, stage), done, total);
}

static bool show_step(void *context, const det_train_step *step)
{
    cli_progress *bar = bar_of(context, DET_TRAIN_NETWORK);
    snprintf(bar->note, sizeof bar->note,
             "; network %zu of %zu: loss %.3f, rate %.2g, %.1f regions/s", step->network + 1,
             step->networks, step->loss, step->rate, step->regions_per_s);
    return cli_progress_step(bar, step->network * step->steps + step->step,
                             step->networks * step->steps);
}

/* ---- Settings ------------------------------------------------------------------------------- */

static det_status set_integer(det_config *config, const char *key, int value, det_error *error)
{
    char assignment[64];
    snprintf(assignment, sizeof assignment, "%s=%d", key, value);
    return det_config_set(config, assignment, error);
}

/** Options win over the configuration. */
static det_status take_options(det_config *config, const cli_values *values, det_error *error)
{
    const struct {
        const char *key, *value;
    } texts[] = {{"train.annotations", values->operands.count ? values->operands.items[0] : NULL},
                 {"train.pictures", values->images},
                 {"train.split", values->split},
                 {"train.output", values->output},
                 {"train.cache", values->cache}};
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < sizeof texts / sizeof *texts; i++)
        if (texts[i].value) status = cli_set_text(config, texts[i].key, texts[i].value, error);
    if (status == DET_OK && values->folds != CLI_NOT_GIVEN)
        status = set_integer(config, "train.folds", values->folds, error);
    return status;
}

static det_status check_settings(const cli_values *values, det_config *config, det_error *error)
{
    if (!config->train.annotations)
        return cli_fail(
            error, DET_ARGUMENT,
            "nothing to learn from: name a folder of COCO's, VOC's or YOLO's kind, or a "
            "COCO file; usage: detect train [OPTION]... ANNOTATIONS");
    if (!config->train.output)
        return cli_fail(error, DET_ARGUMENT,
                        "detect train needs --output FILE, the model file to write");
    return cli_train_choose_model(values, config, error);
}

static det_status configure(cli_pictures *pictures, const cli_values *values, det_error *error)
{
    if (values->resume) return cli_train_resume(values, &pictures->config, error);
    det_status status = cli_pictures_configure(pictures, values, error);
    det_config *config = pictures->config;
    if (status == DET_OK) status = take_options(config, values, error);
    if (status == DET_OK) status = check_settings(values, config, error);
    if (status == DET_OK && config->proposals.max == 0 && !values->add_class)
        status = det_config_set(config,
                                strcmp(config->classifier.regions, "pool") == 0 ? regions_pooled
                                                                                : regions_cropped,
                                error);
    return status;
}

/* ---- The command ---------------------------------------------------------------------------- */

static det_status run_training(const cli_values *values, const det_config *config,
                               const det_annotations *annotations, det_error *error)
{
    stages s = {.quiet = values->quiet};
    const char *output = config->train.output;
    char *cache = cli_train_cache(config->train.cache, output);
    char *log = values->log ? cli_format("%s", values->log) : cli_format("%s/log.jsonl", cache);
    const det_train_options options = {.cache = cache,
                                       .log = log,
                                       .add_classes = values->add_class,
                                       .resume = values->resume,
                                       .progress = show_stage,
                                       .step_progress = show_step,
                                       .progress_context = &s};
    const det_run run = {.threads = config->runtime.threads};
    det_training *training = NULL;
    det_status status = det_train(config, annotations, &options, &run, output, &training, error);
    for (int i = 0; i < DET_TRAIN_STAGES; i++)
        if (s.begun[i]) cli_progress_clear(&s.bars[i]);
    if (status == DET_CANCELLED && !values->add_class) cli_train_say_resume(config, cache);
    if (status == DET_OK) {
        cli_print_training(training);
        cli_print_multibox(training);
        cli_print_suspicions(training, annotations);
        status = cli_train_report_write(training, annotations, config, values, error);
        printf("\n%s is ready. Next:\n  detect -m %s --draw found/ PICTURE...\n", output, output);
    }
    det_training_free(training);
    free(cache);
    free(log);
    return status;
}

static det_status train(const cli_values *values, cli_pictures *pictures,
                        det_annotations_report **report, det_error *error)
{
    det_status status = configure(pictures, values, error);
    if (status == DET_OK) status = cli_train_report_prepare(values, error);
    if (status == DET_OK) status = cli_train_read(values, pictures->config, report, error);
    if (status < 0) return status;
    return run_training(values, pictures->config, (*report)->annotations, error);
}

int cli_run_train(const cli_values *values)
{
    det_error error = {0};
    cli_pictures pictures = {0};
    det_annotations_report *report = NULL;
    const det_status status = train(values, &pictures, &report, &error);
    det_annotations_report_free(report);
    det_config_free(pictures.config);
    return status < 0 ? cli_exit_status(&error) : CLI_DONE;
}
