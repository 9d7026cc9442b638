/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DATA_DATA_SET_H
#define DETECT_DATA_DATA_SET_H

#include "src/base/error.h"
#include "src/base/text.h"

/** A folder that annotations are written into. */
typedef struct det_data_set {
    const char *root;
    bool overwrite; /**< files that exist may be replaced */
    bool adding;    /**< there are other parts of a data set of this kind */
} det_data_set;

/** Makes the folder where it is missing. One that is not empty is taken only with `overwrite`, or
 *  where it has `sign`, a file or folder of this kind of data set: then a part is added.
 *  @return DET_OK, DET_ARGUMENT, DET_IO, DET_MEMORY. */
det_status det_data_set_begin(det_data_set *set, const char *sign, det_error *error);

/* The names below are relative to the root; their folders are made. */

/** Whether a file may be made, found before any is: it must not exist without `overwrite`.
 *  @return DET_OK, DET_ARGUMENT, DET_MEMORY. */
det_status det_data_set_check(const det_data_set *set, const char *name, det_error *error);
/** Writes a file. @param hasty do not wait for the disk: another file comes after it. */
det_status det_data_set_write(const det_data_set *set, const char *name, const det_text *text,
                              bool hasty, det_error *error);
/** Makes a link to a picture. What is a picture itself stays, and is an error unless it is the same
 *  one.
 *  @param there receives whether there is such a picture. */
det_status det_data_set_link(const det_data_set *set, const char *name, const char *picture,
                             bool *there, det_error *error);

#endif
