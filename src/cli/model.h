/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_MODEL_H
#define DETECT_CLI_MODEL_H

#include "detect/network.h"

#include <stdio.h>

/** What the layers of a model amount to; MACs for one picture. */
typedef struct cli_totals {
    uint64_t parameters, macs;
} cli_totals;

cli_totals cli_model_totals(const det_model *model);

/** Writes a line for each step of a network: the layer, and how oneDNN computes it. */
void cli_print_steps(FILE *stream, const det_network *network);

#endif
