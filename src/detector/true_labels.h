/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DETECTOR_TRUE_LABELS_H
#define DETECT_DETECTOR_TRUE_LABELS_H

#include "detect/classify.h"

/** det_true_labels_read from memory. */
det_status det_true_labels_parse(const char *text, size_t size, const det_model *model,
                                 det_true_labels **labels, det_error *error);

#endif
