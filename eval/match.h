/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_EVAL_MATCH_H
#define DETECT_EVAL_MATCH_H

#include "eval/class_set.h"

/** What became of the detections of a class. */
struct det_class_outcomes {
    uint8_t *outcomes; /**< size_count x iou_count x count: det_outcome */
    uint32_t *matched; /**< iou_count x count, of DET_SIZE_ALL: the object matched, where in the
                            set; UINT32_MAX: none */
    size_t positives[DET_SIZE_COUNT]; /**< objects that count, for each size */
};

/** Whether an object counts among those of a size. */
bool det_eval_object_counts(const det_eval_rules *rules, const det_eval_object *object,
                            det_object_size size);

/** The IoU at which ILSVRC takes an object for found. */
double det_ilsvrc_threshold(const det_eval_object *object);

/* Each metric's matching, as eval/rules.h wants it. Pictures do not influence one another. */
det_status det_match_coco(const det_eval_rules *rules, const det_class_set *set,
                          det_class_outcomes *outcomes);
det_status det_match_voc(const det_eval_rules *rules, const det_class_set *set,
                         det_class_outcomes *outcomes);
det_status det_match_ilsvrc(const det_eval_rules *rules, const det_class_set *set,
                            det_class_outcomes *outcomes);

#endif
