/* SPDX-License-Identifier: Apache-2.0 */
/* Trainings that were interrupted, and how they go on. */
#include "src/cli/train_resume.h"

#include "detect/train.h"
#include "src/cli/pictures.h"
#include "src/cli/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *cli_train_cache(const char *cache, const char *output)
{
    return cache ? cli_format("%s", cache) : cli_format("%s.cache", output);
}

/** An interrupted training has its settings. */
static det_status refuse_settings(const cli_values *values, det_error *error)
{
    const struct {
        bool given;
        const char *name;
    } options[] = {
        {values->operands.count > 0, "ANNOTATIONS"}, {values->config != NULL, "--config"},
        {values->models.count > 0, "--model"},       {values->settings.count > 0, "--set"},
        {values->images != NULL, "--images"},        {values->split != NULL, "--split"},
        {values->folds != CLI_NOT_GIVEN, "--folds"}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (options[i].given)
            return cli_fail(error, DET_ARGUMENT,
                            "--resume goes on with the settings of the interrupted training: leave "
                            "out %s, or leave out --resume, and what has not changed is not "
                            "repeated",
                            options[i].name);
    if (values->output || values->cache) return DET_OK;
    return cli_fail(error, DET_ARGUMENT,
                    "--resume needs --output FILE, the model file of the interrupted training, or "
                    "its --cache FOLDER");
}

static det_status take_options(det_config *config, const cli_values *values, det_error *error)
{
    char threads[40];
    det_status status = DET_OK;
    if (values->output) status = cli_set_text(config, "train.output", values->output, error);
    if (status == DET_OK && values->cache)
        status = cli_set_text(config, "train.cache", values->cache, error);
    if (status < 0 || values->threads == CLI_NOT_GIVEN) return status;
    snprintf(threads, sizeof threads, "runtime.threads=%d", values->threads);
    return det_config_set(config, threads, error);
}

det_status cli_train_resume(const cli_values *values, det_config **config, det_error *error)
{
    det_status status = refuse_settings(values, error);
    if (status < 0) return status;
    char *cache = cli_train_cache(values->cache, values->output);
    status = det_train_resume(cache, config, error);
    free(cache);
    return status == DET_OK ? take_options(*config, values, error) : status;
}

void cli_train_say_resume(const det_config *config, const char *cache)
{
    fprintf(stderr, "detect: %s: what is done is kept; to go on:\n  detect train --resume -o %s",
            cache, config->train.output);
    if (config->train.cache) fprintf(stderr, " --cache %s", cache);
    fputc('\n', stderr);
}
