/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_MODEL_H
#define DETECT_CLI_MODEL_H

#include "detect/model.h"

/** What the layers of a model amount to; MACs for one picture. */
typedef struct cli_totals {
    uint64_t parameters, macs;
} cli_totals;

cli_totals cli_model_totals(const det_model *model);

#endif
