/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_EVAL_CLASS_SET_H
#define DETECT_EVAL_CLASS_SET_H

#include "eval/rules.h"

/** Where each picture comes in the order of the ids, equal ones in their own order. @return an
 * array to free; NULL when memory is short. */
uint32_t *det_eval_image_places(const det_annotations *annotations);

/** What a metric orders detections by: the highest score first. */
typedef struct det_eval_key {
    double score;
    uint32_t place;     /**< of the picture, where the metric goes by pictures; else 0 */
    uint32_t detection; /**< where in the results */
} det_eval_key;

/** For qsort, of keys or of what begins with one. */
int det_eval_key_compare(const void *a, const void *b);

/** Annotations and results, grouped by class: indices, and where those of class c begin. */
typedef struct det_eval_index {
    const det_annotations *annotations;
    const det_results *results;
    uint32_t *image_places; /**< of each picture: its place in the order of the ids */
    uint32_t *objects;      /**< by class, then in the order of the annotations: by picture; where
                                 ids are not unique, as eval/same_ids.h says */
    size_t *object_first;   /**< category_count + 1 */
    uint32_t *detections;   /**< by class, then in the order of the file */
    size_t *detection_first;
    size_t left_out_objects, left_out_detections; /**< in options->left_out */
} det_eval_index;

/** @return DET_OK; DET_ARGUMENT (a detection or a pair left out of no picture or class); DET_LIMIT;
 *  DET_MEMORY. Free the index in any case. */
det_status det_eval_index_make(const det_annotations *annotations, const det_results *results,
                               const det_eval_options *options, det_eval_index *index,
                               det_error *error);
void det_eval_index_free(det_eval_index *index);

/** An object as a metric sees it. */
typedef struct det_eval_object {
    double box[4]; /**< in the form of the metric */
    double area;
    uint32_t image, object; /**< in the annotations */
    bool crowd;             /**< overlap is of the detection alone; may be matched many times */
    bool ignored;           /**< a detection that it matches counts neither way */
    bool unseen;            /**< COCO, id 0: whoever matches it counts as unmatched */
} det_eval_object;

det_eval_object det_eval_object_make(const det_annotations *annotations,
                                     const det_eval_rules *rules, uint32_t object);

/** The objects and detections of one class. */
struct det_class_set {
    size_t object_count;
    det_eval_object *objects; /**< by picture, in the order of the annotations */
    size_t count;             /**< detections that take part, best first: */
    uint32_t *detections;     /**< where in the results */
    uint32_t *images;
    uint32_t *ranks; /**< how many detections of the same picture are better */
    double (*boxes)[4];
    size_t cut;         /**< detections beyond the most of a picture */
    uint32_t *by_image; /**< count: 0 ... count - 1, by picture, best first */
    uint32_t *first;    /**< image_count + 1: where in by_image those of a picture begin */
};

/** @return DET_OK, DET_MEMORY. Free the set in any case. */
det_status det_class_set_make(const det_eval_index *index, const det_eval_rules *rules,
                              size_t category, det_class_set *set, det_error *error);
void det_class_set_free(det_class_set *set);

/** The end of the objects of the picture whose first one is `begin`. */
size_t det_class_set_image_end(const det_class_set *set, size_t begin);

#endif
