/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_MODEL_H
#define DETECT_CLI_MODEL_H

#include "detect/network.h"

#include "detect/data.h"

#include <stdio.h>

/** What the layers of a model amount to; MACs for one picture. */
typedef struct cli_totals {
    uint64_t parameters, macs;
} cli_totals;

cli_totals cli_model_totals(const det_model *model);

/** Makes sure that a configuration names a model, and says how to come by one.
 *  @param command "classify ", with a space behind it, or "". */
det_status cli_check_models(const det_config *config, const char *command, det_error *error);

/** Writes a line for each step of a network: the layer, and how oneDNN computes it. */
void cli_print_steps(FILE *stream, const det_network *network);

#endif
