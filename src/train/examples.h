/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_EXAMPLES_H
#define DETECT_TRAIN_EXAMPLES_H

#include "detect/annotations.h"
#include "src/train/feature_store.h"

/* What regions teach: which class they show, or background, or nothing (Girshick et al., "Rich
 * feature hierarchies", 2014, sections 2.3 and 3.5). */

/** Whether no mark says that an object is not to be learned: it is not of a crowd, difficult or to
 * be ignored. */
bool det_object_is_plain(const det_annotated_object *object);

/** Whether an object is to be learned: not of a crowd, difficult or to be ignored, and with an area
 *  inside its picture. */
bool det_object_counts(const det_annotations *annotations, size_t object, int picture_width,
                       int picture_height);

/** The box of an object, cut at the edges of its picture. */
det_box det_object_box(const det_annotations *annotations, size_t object, int picture_width,
                       int picture_height);

/** How much of a region lies in a crowd, in [0, 1]. */
double det_share_in_crowd(det_box region, det_box crowd);

/** How much a region overlaps (IoU) the object of a category that it overlaps most; 0: it overlaps
 *  none. Objects that do not count are left out. */
double det_class_overlap(const det_annotations *annotations, size_t image, size_t category,
                         const det_region_features *regions, size_t region);

/** Classes that are learned, and their places among the categories of the annotations. */
typedef struct det_learned_classes {
    size_t count;
    size_t *categories; /**< count, ascending */
    int *classes;       /**< of each category, -1: it has no object that counts */
} det_learned_classes;

/** Labels of regions besides the classes from 0 on. */
enum { DET_LABEL_NOTHING = -1, DET_LABEL_BACKGROUND = -2 };

typedef struct det_example_options {
    double positive_iou; /**< a region shows an object that it overlaps so much */
    double negative_iou; /**< and background where it overlaps every object by less */
} det_example_options;

/** What a region teaches. */
typedef struct det_region_label {
    int label;     /**< a class, or DET_LABEL_... */
    float overlap; /**< IoU with the object that it overlaps most, 0: none */
    size_t object; /**< that object, in annotations->objects; SIZE_MAX: none */
} det_region_label;

/** The objects of a picture, as its regions are compared with them. Borrows annotations and
 *  classes; owns its arrays. {0} is empty. */
typedef struct det_picture_objects {
    const det_annotations *annotations;
    const det_annotated_image *image;
    const det_learned_classes *classes;
    det_box *boxes; /**< image->object_count, cut at the edges of the picture */
    bool *counts;   /**< whether each is learned */
} det_picture_objects;

/** @param regions its size of the picture counts.
 *  @param objects det_picture_objects_free it, also after a failure. @return DET_OK, DET_MEMORY. */
det_status det_picture_objects_make(const det_annotations *annotations, size_t image,
                                    const det_learned_classes *classes,
                                    const det_region_features *regions,
                                    det_picture_objects *objects, det_error *error);
/** Takes {0}. */
void det_picture_objects_free(det_picture_objects *objects);

/** Labels a region. It is of the class of the object that it overlaps most (of equals the first).
 *  One that overlaps an object which does not count by negative_iou or more, or lies by half or
 *  more in a crowd, teaches nothing. Thread-safe. */
det_region_label det_label_region(const det_picture_objects *objects,
                                  const det_example_options *options, det_box region);

/** The labels of a picture's regions. */
typedef struct det_region_labels {
    int *labels;     /**< of each region as in det_region_label */
    float *overlaps; /**< likewise */
    size_t *objects; /**< likewise */
} det_region_labels;

/** Labels the regions of a picture with det_label_region.
 *  @param labels free with det_region_labels_free, also after a failure.
 *  @return DET_OK, DET_MEMORY. Thread-safe. */
det_status det_label_regions(const det_annotations *annotations, size_t image,
                             const det_learned_classes *classes, const det_region_features *regions,
                             const det_example_options *options, det_region_labels *labels,
                             det_error *error);
/** Takes {0}. */
void det_region_labels_free(det_region_labels *labels);

#endif
