/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_RECALL_H
#define DETECT_CLI_RECALL_H

#include "detect/detector.h"
#include "detect/eval.h"
#include "detect/json.h"
#include "src/cli/truth.h"

#include <stdio.h>

/* Recall of several ways to propose regions, beside one another. */

/** A way to propose, and its figures. */
typedef struct cli_recall_method {
    char name[64];
    det_proposer *proposer; /**< of a method that is compared; NULL: its regions are given */
    det_recall *recall;
    det_recall_report *report;
} cli_recall_method;

enum { CLI_RECALL_METHODS = 4 };

/** {0} is empty. The first method is the one that is measured, the others stand beside it. */
typedef struct cli_recall {
    cli_recall_method methods[CLI_RECALL_METHODS];
    size_t method_count;
} cli_recall;

/** Chooses the methods: that of `config`, and beside it those of values->compare, or uniform where
 *  none is named and the first method is not uniform itself. */
det_status cli_recall_begin(cli_recall *recall, const cli_truth *truth, const cli_values *values,
                            const det_config *config, det_error *error);
/** Adds a picture: its regions, and those that the compared methods propose, at most as many, so
 *  that the figures of all regions can be compared.
 *  @param index of the picture in the annotations. */
det_status cli_recall_add(cli_recall *recall, size_t index, const det_image *image,
                          const det_run *run, const det_result *result, det_error *error);
/** Computes the figures. */
det_status cli_recall_finish(cli_recall *recall, det_error *error);
void cli_recall_free(cli_recall *recall);

/** Whether the table and the plots show figures of so many boxes: 10, 100, 1000 and all. */
bool cli_recall_is_shown(size_t budget);

void cli_recall_print(const cli_recall *recall, const cli_truth *truth, const cli_values *values);
/** The same as JSON, configs/recall.schema.json. @return NULL when memory is short. */
det_json *cli_recall_document(const cli_recall *recall, const cli_truth *truth,
                              const cli_values *values);

#endif
