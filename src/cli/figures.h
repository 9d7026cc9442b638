/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_FIGURES_H
#define DETECT_CLI_FIGURES_H

#include "detect/eval.h"
#include "detect/json.h"
#include "src/cli/options.h"

/** What `detect eval` has to show; {0} is empty. */
typedef struct cli_figures {
    det_annotations *annotations;
    det_results *results, *other_results;
    det_evaluation *evaluation, *other;
    size_t samples; /**< of the intervals; 0: there are none */
    det_interval interval, difference;
    det_mistake_analysis *mistakes; /**< these three with --errors and --json, else NULL */
    det_score_analysis *scores;
    det_confusion *confusion;
} cli_figures;

/** A table like COCO's, and one of classes. */
void cli_figures_print(const cli_figures *figures, const cli_values *values);
/** The same and more as JSON, configs/eval.schema.json. @return NULL when memory is short. */
det_json *cli_figures_document(const cli_figures *figures, const cli_values *values);

/** The kinds of mistakes and what each costs, as a table. */
void cli_mistakes_print(const cli_figures *figures);
/** Mistakes, scores and confusions of all classes, as members of an object. */
void cli_mistakes_add(det_json *json, const cli_figures *figures);
/** Those of a class. */
void cli_mistakes_add_class(det_json *json, const cli_figures *figures, size_t category);

/** COCO's twelve numbers, in its order; -1 for one that does not exist. AP at .5 and .75 where
 * these are among the thresholds, AR at the first three numbers of detections. */
enum { CLI_COCO_FIGURES = 12 };
void cli_coco_figures(const det_evaluation *evaluation, double figures[CLI_COCO_FIGURES]);

/** Where an IoU threshold is; iou_count where it is none of them. */
size_t cli_find_iou(const det_evaluation *evaluation, double iou);

#endif
