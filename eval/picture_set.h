/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_EVAL_PICTURE_SET_H
#define DETECT_EVAL_PICTURE_SET_H

#include "eval/class_set.h"

/** A detection that takes part, among those of all classes. */
typedef struct det_picture_detection {
    det_eval_key key; /**< comes first: by it they are sorted */
    uint32_t at;      /**< where among the detections of all classes, class by class, each in the
                           metric's order: class_first[class] + where in its det_class_matches */
} det_picture_detection;

/** What an evaluation that kept its matches holds, by picture in the place of by class. */
typedef struct det_picture_set {
    const det_evaluation *evaluation;
    size_t iou; /**< which of its thresholds */
    det_eval_rules rules;
    uint32_t *places;         /**< of each picture in the order of the ids */
    det_eval_object *objects; /**< of all annotations, in their order */
    uint32_t *wanted;         /**< of each object: how often it counts: at most once, but where ids
                                   are not unique (eval/same_ids.h) */
    uint32_t *found;          /**< of each object: how often it is matched truly */
    size_t count;             /**< detections */
    size_t *class_first;      /**< class_count + 1 */
    det_picture_detection *detections; /**< count: by picture, best first */
    size_t *first;                     /**< image_count + 1: where those of a picture begin */
} det_picture_set;

/** @return DET_OK; DET_ARGUMENT (no matches were kept, no such threshold); DET_MEMORY. Free the set
 *  in any case. */
det_status det_picture_set_make(const det_evaluation *evaluation, size_t iou, int threads,
                                det_picture_set *set, det_error *error);
void det_picture_set_free(det_picture_set *set);

/** @return DET_OK, DET_ARGUMENT: whether matches were kept, and there is such a threshold. */
det_status det_evaluation_check_kept(const det_evaluation *evaluation, size_t iou,
                                     det_error *error);

/** What the metric orders a detection by. */
det_eval_key det_picture_set_key(const det_picture_set *set, uint32_t detection);
/** The box of a detection as the metric wants it. */
void det_picture_set_box(const det_picture_set *set, uint32_t detection, double box[4]);
/** The overlap of a detection's box and an object, as the metric measures it. */
double det_picture_set_overlap(const det_picture_set *set, const double box[4],
                               const det_eval_object *object);
/** The IoU at which the metric takes an object for found. */
double det_picture_set_threshold(const det_picture_set *set, const det_eval_object *object);

/** What became of detection `at`. */
static inline uint8_t det_picture_set_outcome(const det_picture_set *set, uint32_t category,
                                              size_t at)
{
    const det_class_matches *matches = &set->evaluation->classes[category].matches;
    return matches->outcomes[set->iou * matches->count + at - set->class_first[category]];
}

#endif
