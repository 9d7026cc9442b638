/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DATA_YOLO_DESCRIPTION_H
#define DETECT_DATA_YOLO_DESCRIPTION_H

#include "detect/annotations.h"
#include "src/base/error.h"
#include "src/data/paths.h"

typedef enum det_yolo_part {
    DET_YOLO_TRAIN,
    DET_YOLO_VAL,
    DET_YOLO_TEST,
    DET_YOLO_PARTS
} det_yolo_part;

/** What the .yaml file of a YOLO data set says, or a list of names alone; {0} is empty. */
typedef struct det_yolo_description {
    char *path;                      /**< the root, as written; NULL: not said */
    det_paths parts[DET_YOLO_PARTS]; /**< folders and lists of pictures, as written */
    det_category *names;             /**< sorted by id, the number in the files of labels */
    size_t name_count, name_capacity;
} det_yolo_description;

/** Reads the keys path, train, val, test and names of a YAML text; all others are passed over.
 *
 *  What is read of YAML is what such files use: scalars, plain or in quotes; lists and maps in
 *  brackets, over several lines or one; lists of "- item" and maps of "0: item" below their key;
 *  comments.
 *  @return DET_OK, DET_FORMAT (with the line), DET_MEMORY. */
det_status det_yolo_parse_yaml(const char *text, size_t size, det_yolo_description *description,
                               det_error *error);

/** Reads a list of names, one a line; empty lines at the end do not count.
 *  @return DET_OK, DET_FORMAT (with the line), DET_MEMORY. */
det_status det_yolo_parse_names(const char *text, size_t size, det_yolo_description *description,
                                det_error *error);

/** The same from files. */
det_status det_yolo_read_yaml(const char *path, det_yolo_description *description,
                              det_error *error);
det_status det_yolo_read_names(const char *path, det_yolo_description *description,
                               det_error *error);

void det_yolo_description_free(det_yolo_description *description);

#endif
