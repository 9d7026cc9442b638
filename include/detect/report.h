/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_REPORT_H
#define DETECT_REPORT_H

#include "detect/eval.h"
#include "detect/train.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An evaluation, or a training, as a page to look at. Unstable before 1.0. */

/** What a report shows besides the evaluation. NULL in its place, and zero in a field, mean the
 *  defaults. Texts are UTF-8 (what is not is marked), everything is borrowed. */
typedef struct det_report_options {
    const char *title;                 /**< NULL: "Detections, evaluated" */
    const char *annotations, *results; /**< where they were read from; NULL: not shown */
    size_t mistakes;                   /**< the most mistakes shown; default 24 */
    bool without_mistakes;             /**< none are */
    const det_interval *interval;      /**< of the evaluation, or NULL */
    const det_evaluation *other;       /**< compared with, of the same annotations, or NULL: */
    const char *other_results;         /**< where its results were read from */
    const det_interval *difference;    /**< of evaluation - other, or NULL */
} det_report_options;

/** What became of the pictures of mistakes, or of doubtful labels. */
typedef struct det_report_counts {
    size_t mistakes; /**< or labels; shown */
    size_t pictures; /**< of them with a picture */
} det_report_counts;

/** Writes FOLDER/index.html, which shows all that is known of an evaluation and needs no other
 *  file: neither scripts nor fonts nor pictures are fetched. FOLDER/curves/ holds the curves of
 *  precision against recall as SVG, mean.svg and NUMBER-CLASS.svg.
 *
 *  It shows the figures, the cost of each kind of error, the worst mistakes as crops of their
 *  pictures, every class with its curves and scores, the confusion of classes, and what was left
 *  out. Pictures are looked for where the annotations say (folder, file); a mistake whose picture
 *  cannot be read is a text. docs/formats.md ("Report of an evaluation") tells more.
 *
 *  @param evaluation made with keep_matches.
 *  @param folder     made where it is missing; its parent must be there.
 *  @param run        or NULL; the progress counts classes and pictures.
 *  @param counts     or NULL.
 *  @return DET_OK; DET_ARGUMENT (matches were not kept; `other` is of other annotations); DET_IO;
 * DET_CANCELLED; DET_MEMORY; DET_INTERNAL (cairo). Files that are complete stay after a failure,
 * index.html comes last. Thread-safe for different folders. Equal runs give equal files. */
DET_API det_status det_report_write(const det_evaluation *evaluation,
                                    const det_report_options *options, const char *folder,
                                    const det_run *run, det_report_counts *counts,
                                    det_error *error);

/** What the report of a training shows besides, likewise. */
typedef struct det_training_report_options {
    const char *title;        /**< NULL: "A detector, trained" */
    const char *annotations;  /**< where they were read from; NULL: not shown */
    const char *model;        /**< where it was written; NULL: not shown */
    const det_config *config; /**< whose settings are shown, or NULL */
} det_training_report_options;

/** Writes FOLDER/index.html, a page like the above: how good the detector is, class by class and by
 *  the number of pictures, which labels are worth a look, as parts of their pictures with what was
 * found there, and what the training was told. docs/formats.md ("Report of a training") tells more.
 *
 *  @param annotations that were learned from.
 *  @param folder  made where it is missing; its parent must be there.
 *  @param run     or NULL; the progress counts pictures.
 *  @param counts  or NULL.
 *  @return DET_OK; DET_IO; DET_CANCELLED; DET_MEMORY; DET_INTERNAL (cairo). A picture that cannot
 * be read is no failure. Thread-safe for different folders. Equal runs give equal files. */
DET_API det_status det_training_report_write(const det_training *training,
                                             const det_annotations *annotations,
                                             const det_training_report_options *options,
                                             const char *folder, const det_run *run,
                                             det_report_counts *counts, det_error *error);

#ifdef __cplusplus
}
#endif
#endif
