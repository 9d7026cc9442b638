/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DETECTOR_NEAREST_H
#define DETECT_DETECTOR_NEAREST_H

#include "src/base/error.h"
#include "src/nn/model_file.h"

/* Names that do not exist: errors that offer up to three of the nearest. */

/** "no class of the model is called 'ornge'; near it: 'orange' (...)". @return DET_ARGUMENT. */
det_status det_fail_unknown_class(const det_model *model, const char *typed, det_error *error);

/** The same about a layer. */
det_status det_fail_unknown_layer(const det_model *model, const char *typed, det_error *error);

#endif
