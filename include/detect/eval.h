/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_EVAL_H
#define DETECT_EVAL_H

#include "detect/annotations.h"
#include "detect/proposals.h"
#include "detect/results.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How good proposals and detections are. Unstable before 1.0. */

/* ---- Proposals ------------------------------------------------------------------------------ */

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

/* ---- Detections ----------------------------------------------------------------------------- */

/** How detections are measured. What counts and how detections and objects are matched is written
 *  in docs/formats.md ("Evaluation of detections"). */
typedef enum det_metric {
    DET_METRIC_COCO = 0, /**< as pycocotools: 101 recalls, IoU .5 to .95 (Lin et al. 2014) */
    DET_METRIC_VOC07,    /**< 11 recalls, IoU .5 (Everingham et al. 2010, section 4.2) */
    DET_METRIC_VOC10,    /**< the area below the curve, IoU .5 (VOC2010 and later) */
    DET_METRIC_ILSVRC    /**< area; IoU .5, less for small objects (Russakovsky et al. 2015) */
} det_metric;

/** The areas of objects that COCO tells apart, in square pixels, both ends included. */
typedef enum det_object_size {
    DET_SIZE_ALL = 0, /**< [0, 1e10] */
    DET_SIZE_SMALL,   /**< [0, 32^2] */
    DET_SIZE_MEDIUM,  /**< [32^2, 96^2] */
    DET_SIZE_LARGE,   /**< [96^2, 1e10] */
    DET_SIZE_COUNT
} det_object_size;

/** What became of a detection. */
typedef enum det_outcome {
    DET_FALSE_POSITIVE = 0,
    DET_TRUE_POSITIVE,
    DET_IGNORED /**< counts neither way */
} det_outcome;

/** The recalls 0, .01, ... 1 of kept curves. */
enum { DET_EVAL_RECALLS = 101 };

/** What is measured. NULL in its place, and zero in a field, mean the defaults. */
typedef struct det_eval_options {
    det_metric metric;
    const double *ious; /**< iou_count thresholds in (0, 1], ascending. NULL: the metric's own.
                             ILSVRC takes none */
    size_t iou_count;
    const size_t *max_detections; /**< COCO: max_detections_count numbers above 0, ascending: the
                                       best so many detections of a picture **and class** count; AP
                                       is of the last. NULL: 1, 10, 100. The others take none */
    size_t max_detections_count;
    bool corrected;    /**< COCO: an object with the id 0 can be found, each of those with one id
                            counts as itself, and "ignore" is heeded */
    bool keep_matches; /**< keep det_class_matches, which curves and intervals need */
    const det_image_class *left_out; /**< ILSVRC: objects and detections of these left_out_count
                                          pairs do not count (the blacklist) */
    size_t left_out_count;
} det_eval_options;

/** The figures of a class, or their means over the classes that have such objects. NaN stands for a
 *  figure that does not exist, because no object counts. */
typedef struct det_eval_figures {
    double ap;                       /**< average precision, mean over the IoU thresholds */
    double ar;                       /**< highest recall, mean over the IoU thresholds */
    const double *ap_at, *recall_at; /**< iou_count: at each IoU threshold */
    double
        ap_size[DET_SIZE_COUNT]; /**< COCO: AP of objects of a size; else NaN but for the first */
    double ar_size[DET_SIZE_COUNT]; /**< likewise */
    const double *ar_max; /**< max_detections_count: COCO: AR at each number of detections */
} det_eval_figures;

/** Which detection matched which object, for whoever looks at mistakes. */
typedef struct det_class_matches {
    size_t count;               /**< detections that take part */
    const uint32_t *detections; /**< count: where in results->objects, in the metric's order: best
                                     first */
    const uint8_t *outcomes;    /**< iou_count x count: det_outcome */
    const uint32_t *objects;    /**< iou_count x count: the object matched, where in
                                     annotations->objects; UINT32_MAX: none. Of a false positive of
                                     VOC, the object that another detection had taken before */
    size_t positive_count;      /**< objects that count */
    const uint32_t *positives;  /**< positive_count: where in annotations->objects */
} det_class_matches;

typedef struct det_class_figures {
    det_eval_figures figures;
    size_t objects;            /**< that count: the denominator of recall */
    size_t ignored;            /**< objects that do not: crowds, difficult ones */
    size_t detections;         /**< that take part */
    size_t cut;                /**< COCO: detections beyond the most of a picture */
    const double *envelope;    /**< iou_count x DET_EVAL_RECALLS: the best precision at recall of at
                                    least 0, .01, ... 1; 0 where that is not reached */
    det_class_matches matches; /**< with keep_matches, else empty */
} det_class_figures;

/** An evaluation; read only, owns what it points to but for the annotations and results. */
typedef struct det_evaluation {
    const det_annotations *annotations; /**< borrowed */
    const det_results *results;         /**< borrowed */
    det_metric metric;
    const double *ious; /**< the thresholds; of ILSVRC the highest */
    size_t iou_count;
    const size_t *max_detections; /**< COCO; else none */
    size_t max_detections_count;
    bool corrected;
    const det_class_figures *classes; /**< class_count: annotations->category_count */
    size_t class_count;
    det_eval_figures mean; /**< over classes; `ap` is what is called mAP, and AP by COCO */
    size_t measured_count; /**< classes that have objects that count */
    size_t objects, ignored, detections, cut; /**< sums over classes */
    size_t never_found; /**< COCO: objects with the id 0, which pycocotools cannot find */
    size_t replaced;    /**< COCO: objects in whose place pycocotools takes the last of their id */
    size_t ignore_unheeded;  /**< COCO: objects with "ignore" or "difficult" in a COCO file that
                                count  all the same */
    size_t left_out_objects; /**< ILSVRC: in left_out */
    size_t left_out_detections;
} det_evaluation;

/** Measures detections against annotations.
 *
 *  Boxes that are in another form than the metric's (COCO: x, y, width, height; the others:
 *  inclusive corners) are converted in double: xmin = x + 1, xmax = x + width.
 *
 *  @param annotations, results borrowed until the evaluation is freed; the results were read
 *                     against these annotations.
 *  @param options     or NULL for COCO's 12 figures.
 *  @param run         or NULL; the progress counts classes.
 *  @param evaluation  free with det_evaluation_free. Untouched on failure.
 *  @return DET_OK; DET_ARGUMENT (thresholds, numbers of detections or pairs that are senseless, or
 *          of a metric that takes none; a detection on a picture or of a class that the annotations
 *          do not have); DET_LIMIT; DET_CANCELLED; DET_MEMORY.
 *  Thread-safe. The same figures, to the last bit, on any number of threads. */
DET_API det_status det_evaluate(const det_annotations *annotations, const det_results *results,
                                const det_eval_options *options, const det_run *run,
                                det_evaluation **evaluation, det_error *error);

/** Takes NULL. */
DET_API void det_evaluation_free(det_evaluation *evaluation);

/** "coco", "voc07", "voc10", "ilsvrc"; never NULL. */
DET_API const char *det_metric_name(det_metric metric);
/** @return false where there is no metric of this name; `metric` is then unchanged. */
DET_API bool det_metric_parse(const char *name, det_metric *metric);

/** The COCO area range of a size. */
DET_API void det_object_size_range(det_object_size size, double range[2]);

/** Precision and recall of a class as the score threshold falls, a point a detection that is not
 *  ignored. */
typedef struct det_eval_curve {
    size_t count;
    double *score, *recall, *precision; /**< count, best score first */
} det_eval_curve;

/** The curve of a class at an IoU threshold.
 *  @param category, iou below class_count and iou_count.
 *  @param curve free with det_eval_curve_free.
 *  @return DET_OK; DET_ARGUMENT (no matches were kept, or no such class or threshold); DET_MEMORY.
 */
DET_API det_status det_evaluation_curve(const det_evaluation *evaluation, size_t category,
                                        size_t iou, det_eval_curve *curve, det_error *error);
DET_API void det_eval_curve_free(det_eval_curve *curve);

/** A figure over resampled pictures. */
typedef struct det_interval {
    double value;      /**< of the pictures as they are; NaN where there is none */
    double low, high;  /**< 2.5 and 97.5 % of the resampled values; NaN where there are none */
    double above_zero; /**< share of resampled values above 0 (of a difference) */
    size_t samples;    /**< resampled values that exist */
} det_interval;

/** The 95 % interval of `mean.ap` over pictures, because a small set of pictures is a sample: as
 *  many pictures as there are, drawn with replacement, `samples` times (percentile bootstrap; Efron
 *  and Tibshirani 1993, section 13.3). A class without an object in a sample is left out of its
 *  mean. Where the metric orders equal scores of different pictures, so does the sample.
 *
 *  @param other   NULL, or an evaluation of other results against the same annotations with the
 *                 same options: the interval is then that of evaluation - other, both over the same
 *                 samples (paired).
 *  @param samples above 0.
 *  @return DET_OK; DET_ARGUMENT (no matches were kept; `other` does not match); DET_CANCELLED;
 *          DET_MEMORY.
 *  Deterministic in `seed`, on any number of threads. */
DET_API det_status det_evaluation_bootstrap(const det_evaluation *evaluation,
                                            const det_evaluation *other, size_t samples,
                                            uint64_t seed, const det_run *run,
                                            det_interval *interval, det_error *error);

/** The same of `classes[].figures.ap`, class by class, over the same samples. A sample without an
 *  object of a class is left out of the interval of that class.
 *  @param intervals class_count. */
DET_API det_status det_evaluation_bootstrap_classes(const det_evaluation *evaluation,
                                                    const det_evaluation *other, size_t samples,
                                                    uint64_t seed, const det_run *run,
                                                    det_interval *intervals, det_error *error);

/* ---- Mistakes ------------------------------------------------------------------------------- */

/** What is wrong: TIDE's kinds (Bolya et al., ECCV 2020, section 2.2). An object that counts is
 *  reached at an IoU of at least t, where the metric takes it for found. A false positive has
 *  exactly one kind: the first that fits, asked in the order box, class, duplicate, background. */
typedef enum det_mistake_kind {
    DET_MISTAKE_CLASS = 0, /**< it reaches an object of another class */
    DET_MISTAKE_BOX,       /**< of the objects of its class, that of highest IoU is overlapped by at
                                least `background` and at most t */
    DET_MISTAKE_BOTH,      /**< none of the others: mostly the wrong class and a poor box */
    DET_MISTAKE_DUPLICATE, /**< it reaches an object of its class that another detection found */
    DET_MISTAKE_BACKGROUND, /**< it overlaps no object by more than `background` */
    DET_MISTAKE_MISSED,     /**< an object that was neither found nor is meant by a mistake of class
                                 or box */
    DET_MISTAKE_KINDS
} det_mistake_kind;

/** "class", "box", "both", "duplicate", "background", "missed"; never NULL. */
DET_API const char *det_mistake_kind_name(det_mistake_kind kind);

/** What is asked. NULL in its place, and zero in a field, mean the defaults. */
typedef struct det_mistake_options {
    size_t iou;        /**< which of the evaluation's thresholds is t; of ILSVRC an object's own */
    double background; /**< in (0, 1]; 0: .1, or t where that is less */
} det_mistake_options;

typedef struct det_mistake {
    det_mistake_kind kind;
    uint32_t detection; /**< where in results->objects; UINT32_MAX: an object was missed */
    uint32_t object; /**< where in annotations->objects: the one missed, or that by which the kind
                          was told; of the background and both the nearest; UINT32_MAX: none */
    double overlap;  /**< IoU of the two; of a missed object 0 */
    double score;    /**< of the detection; of a missed object 0 */
} det_mistake;

/** The mistakes of a class, or of all classes together. A cost is what average precision would gain
 *  if all mistakes of this kind, and no others, were repaired. NaN: there is no AP. */
typedef struct det_mistake_figures {
    double ap; /**< the evaluation's, at this threshold */
    size_t count[DET_MISTAKE_KINDS];
    double cost[DET_MISTAKE_KINDS];
    size_t false_positives;      /**< the sum of `count` without missed objects */
    double false_positives_cost; /**< all false positives removed */
    size_t false_negatives;      /**< objects that were not found, whether missed or not */
    double false_negatives_cost; /**< none of them would have to be found */
} det_mistake_figures;

/** Owns what it points to. */
typedef struct det_mistake_analysis {
    double iou, background;             /**< t (of ILSVRC the highest), and what was used */
    det_mistake_figures all;            /**< `ap` and costs are of the mean over classes */
    const det_mistake_figures *classes; /**< class_count: mistakes belong to the class of the
                                             detection, or of the object missed */
    size_t class_count;
    const det_mistake
        *mistakes; /**< by kind, then best score first; missed objects in their order */
    size_t mistake_count;
    size_t first[DET_MISTAKE_KINDS + 1]; /**< where those of a kind begin */
} det_mistake_analysis;

/** Tells what is wrong, and what each kind of mistake costs.
 *
 *  Objects that do not count (crowds, difficult ones) are not looked at. Of the detections that
 * mean the same unfound object by a mistake of class or box, the one of highest score can repair
 * it, and no other. Repairing a kind does this, in the metric's own order and average precision:
 *  - class, box: those that can repair an object become true, of that object's class; the others
 *    are removed;
 *  - both, duplicate, background: all are removed;
 *  - missed: the objects are no longer asked for. Where none is left, AP is 0 if false positives
 *    are, else 1.
 *
 *  These are the paper's rules as its program tidecv 1.0.1 has them. It differs as follows. Matches
 *  are the metric's own, so that AP without a repair is the evaluation's to the last bit; tidecv
 * has but one, COCO's of the best 100 detections of a picture, not of a picture and class. A
 * detection that counts neither way may repair an object there as here, but is here no mistake that
 * is listed. A class whose objects were all missed, without false positives, is here perfect after
 *  that repair, and left out of the mean there; one that has detections but no object lowers the
 *  mean there, and has no part in it here, as with the metric. A detection that reaches an object
 *  of its class with the id 0, which pycocotools cannot find, is "both"; see `corrected`.
 *
 *  @param evaluation with kept matches.
 *  @param options  or NULL.
 *  @param run      or NULL; the progress counts stages.
 *  @param analysis free with det_mistake_analysis_free. Untouched on failure.
 *  @return DET_OK; DET_ARGUMENT (no matches were kept, no such threshold, `background`);
 *          DET_CANCELLED; DET_MEMORY.
 *  The same on any number of threads. */
DET_API det_status det_evaluation_mistakes(const det_evaluation *evaluation,
                                           const det_mistake_options *options, const det_run *run,
                                           det_mistake_analysis **analysis, det_error *error);
/** Takes NULL. */
DET_API void det_mistake_analysis_free(det_mistake_analysis *analysis);

/* ---- Scores --------------------------------------------------------------------------------- */

/** The bins of a histogram of scores. */
enum { DET_SCORE_BINS = 20 };

/** The scores of a class, or of all classes together. Detections that count neither way are left
 *  out. */
typedef struct det_score_figures {
    size_t right[DET_SCORE_BINS], wrong[DET_SCORE_BINS]; /**< true and false positives */
    /** Keeping the detections of at least this score gives the highest F1, 2 precision recall /
     *  (precision + recall); of equal ones the highest score. NaN: there is no true positive. */
    double threshold;
    double precision, recall, f1; /**< there; NaN where there is none */
} det_score_figures;

/** Owns what it points to. */
typedef struct det_score_analysis {
    double low, high; /**< what the bins divide evenly: 0 and 1 where all scores are between, else
                           the lowest and the highest score. A bin has its lower end, the last one
                           both */
    det_score_figures all;            /**< of all detections as if of one class */
    const det_score_figures *classes; /**< class_count */
    size_t class_count;
} det_score_analysis;

/** How scores tell true from false.
 *  @param evaluation with kept matches.
 *  @param iou which of its thresholds.
 *  @param scores free with det_score_analysis_free. Untouched on failure.
 *  @return DET_OK; DET_ARGUMENT (no matches were kept, or no such threshold); DET_MEMORY. */
DET_API det_status det_evaluation_scores(const det_evaluation *evaluation, size_t iou,
                                         det_score_analysis **scores, det_error *error);
/** Takes NULL. */
DET_API void det_score_analysis_free(det_score_analysis *scores);

/* ---- Confusion ------------------------------------------------------------------------------ */

/** What is asked. NULL in its place, and zero in a field, mean the defaults. */
typedef struct det_confusion_options {
    size_t iou;          /**< which of the evaluation's thresholds; of ILSVRC an object's own */
    const double *score; /**< detections of a lower score are left out. NULL: at the threshold of
                              det_evaluation_scores for all classes; all where that has none */
} det_confusion_options;

/** A confusion matrix. Owns what it points to. */
typedef struct det_confusion {
    double iou, score;    /**< what was used; score: NaN without a detection */
    size_t class_count;   /**< row and column class_count are the background */
    const size_t *counts; /**< (class_count + 1) x (class_count + 1): row: the class of the object;
                               column: that of the detection. Row of the background: detections
                               without an object; its column: objects without a detection */
} det_confusion;

/** Which classes are taken for which.
 *
 *  In order of score, whatever their classes, each detection of a picture takes, of the objects
 * that count and are free, the one of highest IoU, at least the threshold; of equal ones one of its
 * own class, then the first. A detection that takes none counts neither way where it overlaps an
 *  object of its class that does not count (a crowd, a difficult one) by the threshold, as the
 *  metric measures it. The diagonal need not equal the metric's true positives, which look at one
 *  class at a time.
 *
 *  @param evaluation with kept matches.
 *  @param options   or NULL.
 *  @param run       or NULL.
 *  @param confusion free with det_confusion_free. Untouched on failure.
 *  @return DET_OK; DET_ARGUMENT (no matches were kept, or no such threshold); DET_CANCELLED;
 *          DET_MEMORY.
 *  The same on any number of threads. */
DET_API det_status det_evaluation_confusion(const det_evaluation *evaluation,
                                            const det_confusion_options *options,
                                            const det_run *run, det_confusion **confusion,
                                            det_error *error);
/** Takes NULL. */
DET_API void det_confusion_free(det_confusion *confusion);

#ifdef __cplusplus
}
#endif
#endif
