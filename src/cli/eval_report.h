/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_EVAL_REPORT_H
#define DETECT_CLI_EVAL_REPORT_H

#include "src/cli/figures.h"

/** Checks the options of a report and makes its folder, before any work is done.
 *  @return DET_OK; DET_ARGUMENT; DET_IO. */
det_status cli_eval_report_prepare(const cli_values *values, det_error *error);

/** Writes the report that --report asks for, and says where it is unless standard output holds
 *  JSON. */
det_status cli_eval_report_write(const cli_figures *figures, const cli_values *values,
                                 det_error *error);

#endif
