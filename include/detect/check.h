/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CHECK_H
#define DETECT_CHECK_H

#include "detect/annotations.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Annotations beside the pictures that they are of: what does not fit, and the same annotations
 * with whatever can be repaired repaired and the rest left out, so that they can be learned from.
 * Unstable before 1.0. */

/** What is wrong, and what is done about it. */
typedef enum det_fault {
    DET_FAULT_MISSING = 0, /**< pictures that are not there: left out */
    DET_FAULT_UNREADABLE,  /**< pictures that cannot be decoded: left out */
    /** Pictures whose file has the bytes of another: left out. Their objects go there, all but
     * those that overlap one of the same class there by an IoU of .9. */
    DET_FAULT_TWICE,
    /** Pictures annotated as their file stores them, before its EXIF orientation turns them: the
     *  boxes are turned. The annotated size tells; where it cannot (a half turn, a mirror, a
     *  square), the other pictures do if they all agree. */
    DET_FAULT_TURNED,
    /** Pictures with an EXIF orientation, where nothing tells whether they were annotated before or
     *  after it: taken as upright. */
    DET_FAULT_TURN_UNKNOWN,
    /** Pictures annotated at another size of the same shape, within 1 %: the boxes are scaled. */
    DET_FAULT_RESIZED,
    /** Pictures whose annotations name a size of another shape, while of all of them some box
     *  reaches beyond that size and none beyond the file's: taken as they are. */
    DET_FAULT_WRONG_SIZE,
    DET_FAULT_OTHER_SHAPE, /**< other pictures of a size of another shape: left out */
    DET_FAULT_OUTSIDE,     /**< boxes that reach more than a pixel beyond the picture: cut */
    DET_FAULT_EMPTY,       /**< boxes less than a pixel wide or high inside it: left out */
    DET_FAULT_SAME_ID,     /**< objects without an id, with 0 or that of another: numbered anew */
    /** Classes that no object is left of, but for those of a crowd, difficult or to be ignored; not
     *  told where no picture is left. */
    DET_FAULT_NO_OBJECTS,
    DET_FAULT_COUNT
} det_fault;

typedef struct det_fault_line {
    det_fault fault;
    size_t count;     /**< how often, at least 1 */
    const char *text; /**< a line that says what, how often, where first, and what to do */
} det_fault_line;

/** What came of a check. Owns what it points to. */
typedef struct det_annotations_report {
    const det_annotations *annotations; /**< repaired; the size of every picture is that of its
                                           file, upright. May be without pictures */
    const det_fault_line *faults;       /**< one for each fault that was met */
    size_t fault_count;
} det_annotations_report;

/** Checks annotations against their pictures, each of which is read and decoded.
 *
 *  @param annotations with the folder of their pictures.
 *  @param run         threads, deadline and progress, which counts pictures; or NULL.
 *  @param report      free with det_annotations_report_free. Untouched on failure.
 *  @return DET_OK, whatever is wrong with the data; DET_CANCELLED; DET_MEMORY. Thread-safe. */
DET_API det_status det_annotations_check(const det_annotations *annotations, const det_run *run,
                                         det_annotations_report **report, det_error *error);
/** Takes NULL. */
DET_API void det_annotations_report_free(det_annotations_report *report);

#ifdef __cplusplus
}
#endif
#endif
