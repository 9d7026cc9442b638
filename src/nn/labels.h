/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_LABELS_H
#define DETECT_NN_LABELS_H

#include "src/nn/model_file.h"

/** Reads the names of a model's classes from a text, one class a line:
 *      n01440764 tench, Tinca tinca     a WordNet id, a name, more names
 *      tench                            a name
 *  Empty lines at the end do not count.
 *  @param model receives classes and class_count; it has none yet. What was read before a failure
 *               stays, det_model_free_contents frees it.
 *  @return DET_OK, DET_FORMAT (error->where is "line N"), DET_MEMORY. */
det_status det_labels_parse(const char *text, size_t size, det_model *model, det_error *error);

/** Names the classes "class 0", "class 1", ... */
det_status det_labels_number(size_t count, det_model *model, det_error *error);

#endif
