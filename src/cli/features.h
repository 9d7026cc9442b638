/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_FEATURES_H
#define DETECT_CLI_FEATURES_H

#include "detect/classify.h"
#include "src/cli/options.h"

/** detect classify --features. @return the exit status of the program. */
int cli_run_features(const cli_values *values, const det_classify_options *crops);

#endif
