/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DATA_ANNOTATIONS_WRITE_H
#define DETECT_DATA_ANNOTATIONS_WRITE_H

#include "src/data/convert.h"
#include "src/data/data_set.h"

/** What the writers of annotations share. */
typedef struct det_annotations_out {
    const det_annotations *annotations;
    const char *path; /**< as the caller gave it */
    const det_convert_options *options;
    const char *part;
    det_loss_tally *tally;
} det_annotations_out;

/* Each writes the annotations in a format. @return as det_annotations_write. */
det_status det_coco_write(const det_annotations_out *out, det_error *error);
det_status det_voc_write(const det_annotations_out *out, det_error *error);
det_status det_yolo_write(const det_annotations_out *out, det_error *error);

/** Notes a number that is lost, of an image or an object that had one of its own, unless it is the
 *  one that reading the output gives. */
void det_out_note_ids(const det_annotations_out *out, size_t image);

/** Refuses a name that is not UTF-8. @return DET_OK, DET_ARGUMENT. */
det_status det_out_check_text(const char *name, det_error *error);

/** Refuses one that is empty, too, or has control characters, which end lines.
 *  @param what has it: "class". */
det_status det_out_check_name(const char *what, const char *name, det_error *error);

/** The object, for a note: "object 7 on a.jpg". */
void det_out_note(const det_annotations_out *out, det_loss loss, size_t object);

/** Whether areas are the same but for rounding. */
bool det_same_area(double a, double b);

#endif
