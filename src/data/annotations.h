/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DATA_ANNOTATIONS_H
#define DETECT_DATA_ANNOTATIONS_H

#include "detect/annotations.h"
#include "src/base/error.h"

#include <json-c/json.h>

/** How a picture is looked up: by base name, of VOC and YOLO without its ending. */
typedef struct det_image_key {
    const char *text; /**< in the image's `file` */
    size_t length;
    size_t image;
} det_image_key;

/** How often something strange was met, and where first. */
typedef struct det_oddity_count {
    size_t count;
    char first[256];
} det_oddity_count;

enum { det_most_unread = 48 };

/** Annotations with what the public view of them leaves out. The arrays are those of `seen`, whose
 *  counts are used while they grow; det_annotations_finish puts them there. */
typedef struct det_annotations_data {
    det_annotations seen; /**< comes first: the view that the caller has */
    char *folder;
    det_annotated_image *images;
    det_category *categories;
    det_annotated_object *objects;
    size_t *last_of_id, *file_order; /**< COCO: as in the view */
    size_t image_capacity, category_capacity, object_capacity;
    det_oddity_count oddities[DET_ODDITY_COUNT];
    det_unread unread[det_most_unread];
    det_annotations_warning *warnings;
    det_image_key *keys;         /**< sorted; image_count of them */
    json_object *category_names; /**< VOC: the index of each name */
} det_annotations_data;

/** Empty annotations of a format; NULL when memory is short. det_annotations_free frees them,
 *  finished or not. */
det_annotations_data *det_annotations_begin(det_annotations_format format, det_error *error);

/* Each takes the name over, also on failure; NULL stands for an allocation that failed. */
det_status det_annotations_add_image(det_annotations_data *data, char *file, int64_t id,
                                     det_error *error);
det_status det_annotations_add_category(det_annotations_data *data, char *name, int64_t id,
                                        det_error *error);
/** Adds an object to the picture that was added last; `id` and `image` are filled in. */
det_status det_annotations_add_object(det_annotations_data *data, det_annotated_object object,
                                      det_error *error);

/** Counts something strange; the text says where it was, and is kept for the first one. */
void det_annotations_note(det_annotations_data *data, det_annotations_oddity oddity,
                          const char *format, ...) DET_PRINTF(3, 4);

/** Counts something that is passed over: "inside" and "name" with `separator` in between, or the
 *  name alone where `inside` is "". */
void det_annotations_pass_over(det_annotations_data *data, const char *inside,
                               const char *separator, const char *name);

/** Checks the objects, sorts the names, writes the warnings, and fills in the public view. */
det_status det_annotations_finish(det_annotations_data *data, det_error *error);

/** Sorts the names of the pictures, so that det_annotations_find_image works; a part of
 *  det_annotations_finish. */
det_status det_annotations_sort_names(det_annotations_data *data, det_error *error);

/* ---- The formats. Each fills annotations that were begun and leaves them unfinished. ---- */

/** @param images_only objects and categories are not kept. */
det_status det_coco_read(const char *path, bool images_only, det_annotations_data *data,
                         det_error *error);
det_status det_coco_parse(const char *text, size_t size, det_annotations_data *data,
                          det_error *error);
/** Whether a file ends in .json, or a folder has one where COCO annotations usually are; asked
 * after VOC, and after YOLO has not found names of classes. */
det_status det_coco_recognises(const char *path, bool *found, det_error *error);
/** The file of annotations in a folder that det_coco_recognises takes.
 *  @param split in the name of the file, or NULL: there is only one.
 *  @param path  receives it; det_free it.
 *  @return DET_OK; DET_ARGUMENT (several, or none of this split); DET_IO; DET_MEMORY. */
det_status det_coco_choose(const char *folder, const char *split, char **path, det_error *error);
/** The pictures of COCO annotations alone, finished. */
det_status det_coco_read_images(const char *path, det_annotations **annotations, det_error *error);
/** Sets the folder of the pictures. @param pictures as the caller says it, or NULL. */
det_status det_coco_set_folder(const char *path, const char *pictures, det_annotations_data *data,
                               det_error *error);

/** Whether a path is a folder that looks like VOC's. */
det_status det_voc_recognises(const char *path, bool *found, det_error *error);
det_status det_voc_read(const char *folder, const det_annotations_options *options,
                        det_annotations_data *data, det_error *error);
/** Reads the XML of one picture. @param stem of the XML file's name. */
det_status det_voc_parse(const char *text, size_t size, const char *stem,
                         det_annotations_data *data, det_error *error);
/** Puts the categories into the order of their names and numbers them. */
det_status det_voc_sort_categories(det_annotations_data *data, det_error *error);

/** Whether a path is a .yaml file, or a folder with one or with a list of classes; asked after VOC.
 */
det_status det_yolo_recognises(const char *path, bool *found, det_error *error);
/** Whether a path is a folder with images/, which alone is not enough to read it; asked at last. */
det_status det_yolo_suspects(const char *path, bool *found, det_error *error);
det_status det_yolo_read(const char *path, const char *split, det_annotations_data *data,
                         det_error *error);
/** Where the labels of a picture are: "a/labels/b.txt" of "a/images/b.jpg", "c/d.txt" of "c/d.jpg".
 *  NULL when memory is short; det_free it. */
char *det_yolo_label_path(const char *picture);
/** Reads the labels of the picture that was added last. */
det_status det_yolo_parse(const char *text, size_t size, det_annotations_data *data,
                          det_error *error);

#endif
