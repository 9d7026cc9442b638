/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_TRAIN_INPUTS_H
#define DETECT_CLI_TRAIN_INPUTS_H

#include "detect/check.h"
#include "detect/data.h"
#include "src/cli/options.h"

/** Sees to it that one network is named: where none is, the one that lies where ./dev demo and the
 *  README put it is taken, and named on standard error.
 *  @return DET_OK; DET_ARGUMENT, saying what to type next; DET_MEMORY. */
det_status cli_train_choose_model(const cli_values *values, det_config *config, det_error *error);

/** Reads the annotations of `train`, checks them against their pictures, and says on standard error
 *  what is wrong with them.
 *  @param report its annotations are what to learn from; det_annotations_report_free it, also after
 *                a failure.
 *  @return as cli_read_annotations and det_annotations_check; DET_IO (no picture is left). */
det_status cli_train_read(const cli_values *values, const det_config *config,
                          det_annotations_report **report, det_error *error);

#endif
