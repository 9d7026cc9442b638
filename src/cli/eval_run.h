/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_EVAL_RUN_H
#define DETECT_CLI_EVAL_RUN_H

#include "detect/annotations.h"
#include "src/cli/options.h"

/* `detect eval` with a detector: it runs over the annotated pictures before its results are
 * measured. */

/** Whether the options name a detector. */
bool cli_eval_runs(const cli_values *values);
/** Where results are read, and where a detector keeps them: --results, by default
 *  eval-results.jsonl in the working directory; NULL where there is neither. */
const char *cli_eval_results(const cli_values *values);
/** Options that mean something only beside a detector are a mistake without. */
det_status cli_eval_check_run(const cli_values *values, det_error *error);
/** Runs the detector over the annotated pictures that values->results, which it keeps, does not
 * have yet. A picture that fails is reported and kept with its error. */
det_status cli_eval_run(const cli_values *values, det_annotations *annotations, det_error *error);

#endif
