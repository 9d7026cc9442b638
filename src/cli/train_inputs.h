/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_TRAIN_INPUTS_H
#define DETECT_CLI_TRAIN_INPUTS_H

#include "detect/data.h"

/** Whether one network is named. @return DET_OK; DET_ARGUMENT, saying what to type next. */
det_status cli_train_check_model(const det_config *config, det_error *error);

#endif
