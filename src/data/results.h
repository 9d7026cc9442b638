/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DATA_RESULTS_H
#define DETECT_DATA_RESULTS_H

#include "detect/results.h"
#include "src/base/error.h"
#include "src/data/annotations.h"
#include "src/data/id_places.h"

#include <json-c/json.h>

/* What the readers of results share. Unlike the functions that the public headers declare, those
 * here serve one reading. */

/** What is strange, though not wrong enough to refuse the results. */
typedef enum det_results_note {
    DET_NOTE_UNKNOWN_IMAGE,
    DET_NOTE_EMPTY,
    DET_NOTE_FAILED_IMAGE,
    DET_NOTE_SAME_IMAGE,
    DET_NOTE_UNLISTED_IMAGE,
    DET_NOTE_OTHER_FILE,
    DET_NOTE_COUNT
} det_results_note;

/** The name of a class, and which one has it. */
typedef struct det_name_place {
    const char *name;
    uint32_t at;
} det_name_place;

/** What the names and numbers of results mean; {0} is empty. */
typedef struct det_result_names {
    const det_annotations *annotations;
    det_id_place *images; /**< image_count, sorted by id */
    size_t image_count;
    det_id_place *ids; /**< of classes, id_count, sorted */
    size_t id_count;
    det_name_place *names; /**< of classes, name_count, sorted; those of the class map come first */
    size_t name_count;
} det_result_names;

/** @param class_map, class_map_count as in det_results_options.
 *  @return DET_OK, DET_ARGUMENT, DET_MEMORY. Free the names in any case. */
det_status det_result_names_make(const det_annotations *annotations,
                                 const det_class_pair *class_map, size_t class_map_count,
                                 det_result_names *names, det_error *error);
void det_result_names_free(det_result_names *names);

/* @return false where there is none. */
bool det_result_image_by_id(const det_result_names *names, int64_t id, uint32_t *image);
bool det_result_class_by_id(const det_result_names *names, int64_t id, uint32_t *category);
bool det_result_class_by_name(const det_result_names *names, const char *name, uint32_t *category);

/** Detections that were read, of a file or a part of one; {0} is empty. */
typedef struct det_results_part {
    det_detected_object *objects;
    size_t count, capacity;
    size_t listed; /**< detections met: count and those left out */
    size_t more;   /**< COCO: members that are not read */
    size_t unknown_class_objects;
    det_unknown_class *unknown; /**< each owns its name */
    size_t unknown_count, unknown_capacity;
    det_oddity_count notes[DET_NOTE_COUNT];
} det_results_part;

void det_results_part_free(det_results_part *part);
/** Adds a detection. */
det_status det_results_add(det_results_part *part, const det_detected_object *object,
                           det_box_form form, det_error *error);
/** Counts something strange; the text says where it was, and is kept for the first one. */
void det_results_count(det_results_part *part, det_results_note note, const char *format, ...)
    DET_PRINTF(3, 4);
/** Counts detections of a class that the annotations do not have. */
det_status det_results_count_class(det_results_part *part, const char *name, size_t count,
                                   det_error *error);
/** Counts a detection of COCO results whose picture, or else class, is not known. */
det_status det_results_leave_out(det_results_part *part, bool image_known, int64_t image_id,
                                 int64_t category_id, det_error *error);
/** Adds what another part has behind what is there. */
det_status det_results_append(det_results_part *part, const det_results_part *other,
                              det_error *error);

/* ---- The formats ---- */

/** COCO results of one kind: flat objects of numbers and one array of four, which nearly all files
 *  are, in `threads` pieces at once.
 *  @param flat receives false where the text is anything else; the part is then empty. */
det_status det_results_parse_flat(const char *text, size_t size, const det_result_names *names,
                                  int threads, det_results_part *part, bool *flat,
                                  det_error *error);
/** COCO results of any kind. */
det_status det_results_parse_coco(const char *text, size_t size, const det_result_names *names,
                                  det_results_part *part, det_error *error);
/** The document of `detect`. */
det_status det_results_parse_json(const char *text, size_t size, const det_result_names *names,
                                  det_results_part *part, det_error *error);
/** Its lines. */
det_status det_results_parse_lines(const char *text, size_t size, const det_result_names *names,
                                   det_results_part *part, det_error *error);
/** A comp4 file of a class. */
det_status det_results_parse_voc(const char *text, size_t size, const char *class_name,
                                 const det_result_names *names, det_results_part *part,
                                 det_error *error);
/** A folder of such files, or one. */
det_status det_results_read_voc(const char *path, const det_result_names *names,
                                det_results_part *part, det_error *error);

/* ---- Pairs of a picture and a class ---- */

/** {0} is empty; det_image_classes_free frees the pairs. */
typedef struct det_pair_list {
    det_image_class *pairs;
    size_t count, capacity;
} det_pair_list;

/** Adds the pairs of a text, as det_image_classes_read says. */
det_status det_image_classes_parse(const char *text, size_t size, const det_result_names *names,
                                   det_pair_list *list, det_error *error);

#endif
