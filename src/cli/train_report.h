/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_TRAIN_REPORT_H
#define DETECT_CLI_TRAIN_REPORT_H

#include "detect/train.h"
#include "src/cli/options.h"

/** Makes the folder of the report that --report asks for, before any work is done.
 *  @return DET_OK, DET_IO. */
det_status cli_train_report_prepare(const cli_values *values, det_error *error);

/** Prints the labels that are worth a look, a line each. */
void cli_print_suspicions(const det_training *training, const det_annotations *annotations);

/** Writes the report that --report asks for, and says where it is. */
det_status cli_train_report_write(const det_training *training, const det_annotations *annotations,
                                  const det_config *config, const cli_values *values,
                                  det_error *error);

#endif
