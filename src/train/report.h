/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_REPORT_H
#define DETECT_TRAIN_REPORT_H

#include "detect/report.h"
#include "src/base/text.h"

/* The parts of the page of a training. */

/** How good the detector is, as a whole. */
void det_training_report_figures(det_text *html, const det_training *training);
/** The table of classes. */
void det_training_report_classes(det_text *html, const det_training *training);
/** The learning curve; nothing where there is none. @return DET_OK, DET_MEMORY, DET_INTERNAL
 *  (cairo). */
det_status det_training_report_curve(det_text *html, const det_training *training,
                                     det_error *error);
/** The labels that are worth a look, with their pictures where these can be read.
 *  @param counts receives how many. @return DET_OK, DET_MEMORY, DET_CANCELLED. */
det_status det_training_report_labels(det_text *html, const det_training *training,
                                      const det_annotations *annotations, const det_run *run,
                                      det_report_counts *counts, det_error *error);
/** What it was made from, and what it was told where that is known (config is not NULL).
 *  @return DET_OK, DET_MEMORY. */
det_status det_training_report_settings(det_text *html, const det_training *training,
                                        const det_config *config, det_error *error);

#endif
