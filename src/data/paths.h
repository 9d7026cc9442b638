/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DATA_PATHS_H
#define DETECT_DATA_PATHS_H

#include "src/base/error.h"

/** A list of paths, each owned by the list; {0} is empty. */
typedef struct det_paths {
    char **items;
    size_t count, capacity;
} det_paths;

/** Adds a path and takes it over, also on failure; NULL stands for an allocation that failed. */
det_status det_paths_push(det_paths *paths, char *path, det_error *error);
/** Sorts bytewise what stands from `first` on. */
void det_paths_sort(det_paths *paths, size_t first);
void det_paths_free(det_paths *paths);

bool det_is_folder(const char *path);
bool det_is_file(const char *path);
/** A file that can be replaced: neither a folder nor a device or a pipe. */
bool det_is_regular_file(const char *path);
/** Makes a folder where it is missing. @return DET_OK, DET_IO (also where it is none, or nothing
 *  can be written into it). */
det_status det_make_folder(const char *path, det_error *error);
/** A name that ends as pictures do which the library reads: .jpg .jpeg .png .webp, of any case. */
bool det_is_picture_name(const char *name);

/** Receives the name of an entry of a folder. A status that is not DET_OK ends the reading. */
typedef det_status det_folder_entry(void *context, const char *folder, const char *name,
                                    det_error *error);

/** Hands over what is in a folder, in no particular order, but for what is hidden (".git").
 *  @return DET_OK, DET_IO, or what `take` returned. */
det_status det_folder_each(const char *folder, det_folder_entry *take, void *context,
                           det_error *error);

/** Adds the names in a folder that end in `ending` (of any case), sorted bytewise. */
det_status det_folder_names(const char *folder, const char *ending, det_paths *names,
                            det_error *error);

/** Adds the pictures in a folder, and with `recursive` in the folders below it, symbolic links to
 *  folders not followed, sorted bytewise.
 *  @return DET_OK; DET_ARGUMENT (there are none); DET_IO; DET_MEMORY. */
det_status det_paths_add_pictures(det_paths *list, const char *folder, bool recursive,
                                  det_error *error);

#endif
