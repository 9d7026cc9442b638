/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_TRAIN_RESUME_H
#define DETECT_CLI_TRAIN_RESUME_H

#include "detect/data.h"
#include "src/cli/options.h"

/** Where a training keeps its results: --cache or train.cache, else beside the model. @return a
 * name to free. */
char *cli_train_cache(const char *cache, const char *output);

/** The settings of the training that --resume goes on with.
 *  @param config receives them; det_config_free it, also after a failure.
 *  @return as det_train_resume; DET_ARGUMENT (neither --output nor --cache; options that would
 *          change the training). */
det_status cli_train_resume(const cli_values *values, det_config **config, det_error *error);

/** Says on standard error how an interrupted training goes on. */
void cli_train_say_resume(const det_config *config, const char *cache);

#endif
