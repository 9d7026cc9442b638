/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_COMMANDS_H
#define DETECT_CLI_COMMANDS_H

#include "src/cli/options.h"

/* One function a command. Each returns the exit status of the program. */

int cli_run_detect(const cli_values *values);
int cli_run_propose(const cli_values *values);
int cli_run_classify(const cli_values *values);
int cli_run_eval(const cli_values *values);
int cli_run_convert(const cli_values *values);
int cli_run_train(const cli_values *values);
int cli_run_model_import(const cli_values *values);
int cli_run_model_info(const cli_values *values);
int cli_run_model_verify(const cli_values *values);
int cli_run_model_calibrate(const cli_values *values);
int cli_run_bench_network(const cli_values *values);
int cli_run_bench_proposals(const cli_values *values);
int cli_run_bench_eval(const cli_values *values);

#endif
