/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_EVAL_RULES_H
#define DETECT_EVAL_RULES_H

#include "detect/eval.h"

typedef struct det_class_set det_class_set;
typedef struct det_class_outcomes det_class_outcomes;

/** What a metric wants, with the options filled in. */
typedef struct det_eval_rules {
    det_metric metric;
    det_box_form form;  /**< of the boxes that its overlap takes */
    bool image_order;   /**< equal scores: by the id of the picture first, then by file order */
    size_t size_count;  /**< of det_object_size */
    const double *ious; /**< iou_count */
    size_t iou_count;
    const size_t *max_detections; /**< max_detections_count; none: no limit */
    size_t max_detections_count;
    double epsilon; /**< added to the denominator of precision */
    bool corrected;
    /** Decides what becomes of each detection. @return DET_OK, DET_MEMORY. */
    det_status (*match)(const struct det_eval_rules *rules, const det_class_set *set,
                        det_class_outcomes *outcomes);
    /** Average precision of a curve, whose precisions are its envelope (eval/curve.h). */
    double (*average)(const double *recall, const double *precision, size_t count);
} det_eval_rules;

/** The rules of a metric. @param options not NULL; what the rules point to is theirs or static.
 *  @return DET_OK, DET_ARGUMENT. */
det_status det_eval_rules_make(const det_eval_options *options, det_eval_rules *rules,
                               det_error *error);

#endif
