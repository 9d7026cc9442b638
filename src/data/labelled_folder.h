/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DATA_LABELLED_FOLDER_H
#define DETECT_DATA_LABELLED_FOLDER_H

#include "src/data/paths.h"

/** Pictures that each show one class; {0} is empty. */
typedef struct det_labelled_pictures {
    det_paths classes; /**< names, sorted bytewise */
    det_paths paths;   /**< of the pictures, class by class, sorted bytewise in each */
    size_t *labels;    /**< of each path its class */
    size_t count;      /**< of labels */
} det_labelled_pictures;

/** Reads a folder with a folder for each class, named by it, whose pictures (names that end in .jpg
 *  .jpeg .png .webp) lie in it or in folders below it: FOLDER/CLASS/a.jpg. What else lies in FOLDER
 *  is passed over, as is what is hidden. The pictures are not looked at.
 *  @param pictures det_labelled_pictures_free it, also after a failure.
 *  @return DET_OK; DET_ARGUMENT (no folders; one without pictures); DET_IO; DET_MEMORY. */
det_status det_labelled_folder_read(const char *folder, det_labelled_pictures *pictures,
                                    det_error *error);
/** Takes {0}. */
void det_labelled_pictures_free(det_labelled_pictures *pictures);

#endif
