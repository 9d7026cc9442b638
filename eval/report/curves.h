/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_EVAL_REPORT_CURVES_H
#define DETECT_EVAL_REPORT_CURVES_H

#include "eval/report/page.h"

typedef struct det_report_curve_options {
    const char *title;
    const double *envelope;    /**< iou_count x DET_EVAL_RECALLS */
    const char *folder, *file; /**< where it is written */
    bool shown;                /**< on the page, too */
} det_report_curve_options;

/** Draws a curve. @return DET_OK, DET_IO, DET_MEMORY, DET_INTERNAL. */
det_status det_report_curve(det_report_page *page, const det_report_curve_options *curve,
                            det_error *error);

/** The file of the curve of a class: "07-cat.svg". NULL when memory is short; det_free it. */
char *det_report_curve_name(const det_report_page *page, size_t category);

#endif
