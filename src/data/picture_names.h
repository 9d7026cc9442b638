/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DATA_PICTURE_NAMES_H
#define DETECT_DATA_PICTURE_NAMES_H

#include "detect/annotations.h"
#include "src/data/names.h"
#include "src/data/paths.h"

/** What the pictures of annotations are called below the folder that they have in common, such as
 *  "train/a.jpg": neither absolute nor with "." or "..".
 *  @param names one for each picture, in their order; det_paths_free them in any case.
 *  @return DET_OK; DET_ARGUMENT (a picture without a name); DET_IO (the working directory is gone);
 *          DET_MEMORY. */
det_status det_picture_names_make(const det_annotations *annotations, det_paths *names,
                                  det_error *error);

/** A path without empty parts and ".", ".." taken back as far as it can be.
 *  NULL when memory is short; det_free it. */
char *det_path_clean(const char *path);

/** The name of a picture in VOC, without folder and ending: spaces and control characters, which
 *  end names in its lists, and a point in front, which hides a file, become '_'.
 *  NULL when memory is short; det_free it. */
char *det_voc_stem(const char *file);

/** Adds a name to a set. @param file what has it, for the error.
 *  @return DET_OK; DET_ARGUMENT (another picture has it); DET_MEMORY. */
det_status det_picture_name_add(det_name_set *set, const char *name, const char *file,
                                det_error *error);

#endif
