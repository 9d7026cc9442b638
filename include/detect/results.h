/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_RESULTS_H
#define DETECT_RESULTS_H

#include "detect/annotations.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Detections in files, settled against annotations: which picture and which class each one means.
 * Every number is kept as its file has it. Unstable before 1.0. */

typedef enum det_results_format {
    DET_RESULTS_COCO = 0, /**< a JSON array of {"image_id", "category_id", "bbox", "score"} */
    DET_RESULTS_JSON,     /**< the document of `detect` */
    DET_RESULTS_JSONL,    /**< its lines */
    DET_RESULTS_VOC /**< comp4 files: a line "image score xmin ymin xmax ymax", a file a class */
} det_results_format;

/** How a box is written. */
typedef enum det_box_form {
    DET_BOX_SIZED = 0, /**< x, y, width, height; pixels, 0-based (COCO) */
    DET_BOX_INCLUSIVE  /**< xmin, ymin, xmax, ymax; pixels, 1-based, inclusive (VOC) */
} det_box_form;

/** A detection. */
typedef struct det_detected_object {
    uint32_t image, category; /**< where in the `images` and `categories` of the annotations */
    double score;             /**< finite */
    double box[4];            /**< finite, in the form of the results */
} det_detected_object;

/** A class that the annotations do not have. */
typedef struct det_unknown_class {
    const char *name; /**< "cat", or "category_id 91" */
    size_t count;     /**< detections of it */
} det_unknown_class;

/** Results: read once, never changed, safe to share. Every pointer is owned by them. */
typedef struct det_results {
    det_results_format format;
    det_box_form form;
    const det_detected_object *objects; /**< in the order of the file, without what is left out */
    size_t object_count;
    size_t listed_count;          /**< detections in the file: object_count and those left out */
    size_t unknown_image_count;   /**< left out: on pictures that the annotations do not have */
    size_t unknown_class_objects; /**< left out: of classes that they do not have */
    const det_unknown_class *unknown_classes; /**< these classes, in the order in which they were
                                                   met; at most 64, the rest is only counted */
    size_t unknown_class_count;
    size_t failed_image_count;   /**< pictures listed with an error, and without detections */
    size_t more_count;           /**< COCO: members of detections that are not read, such as
                                      "segmentation" */
    size_t empty_count;          /**< kept: boxes whose width or height is not above 0 */
    const char *const *warnings; /**< a line for each kind of thing that was strange */
    size_t warning_count;
} det_results;

/** A class of results by the name it has in the annotations. */
typedef struct det_class_pair {
    const char *from; /**< a class of the results: its name, or its number in digits */
    const char *to;   /**< the name of a class of the annotations */
} det_class_pair;

/** How results are read. NULL in its place means the defaults, which are all zero. */
typedef struct det_results_options {
    const det_class_pair *class_map; /**< goes before the rules below */
    size_t class_map_count;
    int threads; /**< 0: all processors of the process */
} det_results_options;

/** Reads results; what `path` is decides how:
 *  - a folder, or a file that ends in .txt: VOC's comp4 files, comp4_det_SPLIT_CLASS.txt;
 *  - another file: COCO results where it begins with an array, lines of `detect` where an object
 *    and another behind it, or where its name ends in .jsonl, else the document of `detect`.
 *
 *  A picture is that with the "image_id" (COCO results; where the annotations are not COCO's, the
 *  one whose file name is this number), or that which det_annotations_find_image finds. A class is
 *  that of the same name, or with the same number (COCO results, whose classes have no names).
 *  Detections on other pictures or of other classes are left out and counted.
 *
 *  @param annotations borrowed for the call.
 *  @param options     or NULL for the defaults.
 *  @param results     free with det_results_free. Untouched on failure.
 *  @return DET_OK; DET_IO; DET_FORMAT (with the place); DET_ARGUMENT (class_map names a class that
 *          the annotations do not have, or two for one); DET_LIMIT (2^32 pictures, classes or
 * detections); DET_MEMORY. COCO results of flat objects are read at memory speed, on several
 * threads. Thread-safe. */
DET_API det_status det_results_read(const char *path, const det_annotations *annotations,
                                    const det_results_options *options, det_results **results,
                                    det_error *error);

/** Takes NULL. */
DET_API void det_results_free(det_results *results);

/** A picture and a class. */
typedef struct det_image_class {
    size_t image, category; /**< where in the annotations */
} det_image_class;

/** Reads pairs of pictures and classes, lines "PICTURE CLASS": a file name or the number of COCO
 *  results (see det_results_read), and a name or number of a class, which may hold spaces.
 *  @param pairs free with det_image_classes_free. Untouched on failure.
 *  @return DET_OK; DET_IO; DET_FORMAT (with the line; also for what the annotations do not have);
 *          DET_MEMORY. */
DET_API det_status det_image_classes_read(const char *path, const det_annotations *annotations,
                                          det_image_class **pairs, size_t *count, det_error *error);
/** Takes NULL. */
DET_API void det_image_classes_free(det_image_class *pairs);

/** "coco", "json", "jsonl", "voc"; never NULL. */
DET_API const char *det_results_format_name(det_results_format format);

#ifdef __cplusplus
}
#endif
#endif
