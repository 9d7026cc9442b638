/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_EVAL_REPORT_PAGE_H
#define DETECT_EVAL_REPORT_PAGE_H

#include "detect/report.h"
#include "eval/report/parts.h"

/** A page being written, and what it is of. */
typedef struct det_report_page {
    det_text html;
    const det_evaluation *evaluation;
    const det_report_options *options;
    size_t iou; /**< the threshold that mistakes, scores and confusions are told at */
    det_mistake_analysis *mistakes;
    det_score_analysis *scores;
    det_confusion *confusion;
} det_report_page;

/* ---- The parts of the page, each a file ---- */

/** What the evaluation says as a whole. */
void det_report_add_figures(det_report_page *page);
/** What each kind of mistake costs. */
void det_report_add_costs(det_report_page *page);
/** What the kinds of mistakes mean, in a few words. */
extern const char *const det_report_kind_meanings[DET_MISTAKE_KINDS];
/** The worst mistakes, with their pictures where these can be read.
 *  @return DET_OK, DET_MEMORY, DET_CANCELLED. */
det_status det_report_add_mistakes(det_report_page *page, const det_run *run,
                                   det_report_counts *counts, det_error *error);
/** The table of classes. */
void det_report_add_class_table(det_report_page *page);
/** Every class with its curves, which are written to `folder`, too.
 *  @return DET_OK, DET_IO, DET_MEMORY, DET_CANCELLED, DET_INTERNAL. */
det_status det_report_add_classes(det_report_page *page, const char *folder, const det_run *run,
                                  det_error *error);
/** The mean of the curves, which is written to `folder`, too; nothing without objects. */
det_status det_report_add_mean_curve(det_report_page *page, const char *folder, det_error *error);
/** How the scores of a class, or of all, tell true from false. */
void det_report_add_scores(det_report_page *page, const char *name,
                           const det_score_figures *figures);
/** Which classes are taken for which. @return DET_OK, DET_MEMORY. */
det_status det_report_add_confusion(det_report_page *page, det_error *error);
/** What was read and left out. */
void det_report_add_counts(det_report_page *page);

/* ---- What they share ---- */

/** The name of a class. */
const char *det_report_class_name(const det_report_page *page, size_t category);
/** Where the threshold stands in evaluation->ious; iou_count where it does not. */
size_t det_report_find_iou(const det_evaluation *evaluation, double iou);

#endif
