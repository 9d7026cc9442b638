/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_TRAINED_H
#define DETECT_CLI_TRAINED_H

#include "detect/train.h"

/** Prints how good a detector is that was trained, class by class. */
void cli_print_training(const det_training *training);
/** Prints how good a MultiBox head is, where one was learned, beside its priors and what else
 *  proposes. */
void cli_print_multibox(const det_training *training);

#endif
