/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_EVAL_H
#define DETECT_EVAL_H

#include "detect/annotations.h"
#include "detect/proposals.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How good proposals are. Unstable before 1.0. */

/** The IoU thresholds of a recall curve: .5, .55, ... 1. */
enum { DET_RECALL_THRESHOLDS = 11 };

/** Threshold `index` of the curve, (50 + 5 index) / 100. */
DET_API double det_recall_threshold(size_t index);

/** What is measured. NULL in its place, and zero in a field, mean the defaults. */
typedef struct det_recall_options {
    const size_t *budgets; /**< budget_count numbers of regions, above 0 and ascending: the first so
                              many regions of each picture count; SIZE_MAX: all of them. NULL: 10,
                              100, 1000, SIZE_MAX */
    size_t budget_count;
    bool without_difficult; /**< leave out the objects that VOC marks as difficult */
} det_recall_options;

/** How well the first `budget` regions of each picture cover the objects. The best overlap of an
 *  object is its highest IoU with these regions, 0 where there are none. NaN stands for a figure
 *  that does not exist, because there is no object. */
typedef struct det_recall_figures {
    size_t budget;
    double boxes_per_image; /**< that there were: mean over the pictures measured */
    /** Objects whose best overlap is at least each threshold, over all objects. */
    double recall[DET_RECALL_THRESHOLDS];
    double average_recall; /**< 2 times the integral of recall over IoU .5 to 1, which is 2 times
                              the mean over the objects of max(best overlap - .5, 0) (Hosang et al.,
                              PAMI 2016) */
    double mabo;           /**< mean of `abo` over the classes that have objects (MABO) */
    const double *abo;     /**< category_count: mean best overlap of the objects of a class (average
                              best overlap; Uijlings et al., IJCV 2013, section 5) */
} det_recall_figures;

/** The figures of all budgets. Owns what it points to. */
typedef struct det_recall_report {
    size_t image_count;                               /**< pictures measured */
    size_t object_count;                              /**< objects that count */
    size_t crowd_count, difficult_count, empty_count; /**< objects left out, each once */
    size_t category_count;                            /**< of the annotations */
    const size_t *category_objects;    /**< category_count: how many objects of each class count */
    const det_recall_figures *figures; /**< budget_count, in the order of the budgets */
    size_t budget_count;
} det_recall_report;

/** Measures how well regions cover annotated objects, picture by picture.
 *
 *  Every object of the pictures added counts, except: those that COCO marks as a crowd or to be
 *  ignored; boxes without an area; with `without_difficult`, those that VOC marks as difficult
 *  (they count by default). IoU is of continuous half-open boxes, in double, from the corners of
 *  det_annotations_corners. A picture without objects counts in boxes_per_image alone.
 *
 *  Memory: 8 bytes for each object of the annotations and each budget. The same figures, to the
 *  last bit, for any order of the pictures. One det_recall is for one thread at a time. */
typedef struct det_recall det_recall;

/** @param annotations borrowed until the recall is freed.
 *  @param options     or NULL; copied.
 *  @return DET_OK; DET_ARGUMENT (budgets that do not ascend from above 0); DET_MEMORY. */
DET_API det_status det_recall_create(const det_annotations *annotations,
                                     const det_recall_options *options, det_recall **recall,
                                     det_error *error);

/** Adds a picture.
 *  @param image   where in annotations->images.
 *  @param regions best first; their scores are not looked at.
 *  @return DET_OK; DET_ARGUMENT (no such picture, or one that was added before).
 *  O(objects of the picture * count). */
DET_API det_status det_recall_add(det_recall *recall, size_t image, const det_region *regions,
                                  size_t count, det_error *error);

/** The figures of the pictures added so far; more may be added afterwards.
 *  @param report receives them; free with det_recall_report_free. Untouched on failure.
 *  @return DET_OK, DET_MEMORY. */
DET_API det_status det_recall_finish(const det_recall *recall, det_recall_report **report,
                                     det_error *error);

/** Takes NULL. */
DET_API void det_recall_free(det_recall *recall);
DET_API void det_recall_report_free(det_recall_report *report);

#ifdef __cplusplus
}
#endif
#endif
