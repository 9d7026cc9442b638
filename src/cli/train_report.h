/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_TRAIN_REPORT_H
#define DETECT_CLI_TRAIN_REPORT_H

#include "detect/train.h"

/** Prints the labels that are worth a look, a line each. */
void cli_print_suspicions(const det_training *training, const det_annotations *annotations);

#endif
