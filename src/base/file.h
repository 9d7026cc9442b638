/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_BASE_FILE_H
#define DETECT_BASE_FILE_H

#include "src/base/error.h"
#include "src/base/text.h"

#include <stdio.h>

/** The bytes of a file, read whole or mapped. {0} holds nothing. */
typedef struct det_bytes {
    uint8_t *data;
    size_t size;
    bool mapped;
} det_bytes;

/** Reads a whole file; "-" is no exception. Refuses folders and files above max_bytes.
 *  @return DET_OK, DET_IO, DET_LIMIT, DET_MEMORY. */
det_status det_file_read(const char *path, uint64_t max_bytes, det_bytes *bytes, det_error *error);
/** Reads an open descriptor to its end; `name` stands for it in errors. */
det_status det_file_read_descriptor(int descriptor, const char *name, uint64_t max_bytes,
                                    det_bytes *bytes, det_error *error);
/** Maps a file for reading. @return DET_OK, DET_IO, DET_FORMAT (empty), DET_MEMORY. */
det_status det_file_map(const char *path, det_bytes *bytes, det_error *error);
/** Frees or unmaps, and empties. Takes NULL. */
void det_bytes_free(det_bytes *bytes);

/** A file being written under a temporary name beside its own. What is no regular file (a device, a
 *  pipe) cannot be replaced, and is written directly. */
typedef struct det_output {
    FILE *stream;           /**< write here */
    char *path, *temporary; /**< temporary is NULL for what is written directly */
    bool hasty; /**< do not wait for the disk: for one of thousands of files, after which another
                   one is waited for */
} det_output;

/** Opens the temporary file. @return DET_OK, DET_IO (error->file is `path`), DET_MEMORY. */
det_status det_output_open(const char *path, det_output *output, det_error *error);
/** The same for an open descriptor, of which a copy is written to, so that closing it leaves the
 *  caller's open. @param name for errors. @return DET_OK, DET_IO, DET_MEMORY. */
det_status det_output_open_descriptor(int descriptor, const char *name, det_output *output,
                                      det_error *error);
/** Flushes to the disk, renames, frees. After any failed write, here or before, the file named
 *  `path` is as it was and the temporary one is gone. */
det_status det_output_commit(det_output *output, det_error *error);
/** Removes the temporary file and frees. Takes an output that was never opened. */
void det_output_abandon(det_output *output);

/** Writes a file whole, as above. @return DET_OK, DET_IO, DET_MEMORY (also where the text could not
 *  grow). */
det_status det_file_write(const char *path, const det_text *text, det_error *error);
/** The same without waiting for the disk. */
det_status det_file_write_hastily(const char *path, const det_text *text, det_error *error);

/** A stream whose bytes are appended to a text, for what writes files; fclose it. Writing fails
 *  where the text cannot grow. @return NULL when memory is short. */
FILE *det_text_stream(det_text *text);

/** "folder/name", or `name` where it is absolute or the folder is "". NULL when memory is short;
 * det_free it. */
char *det_path_join(const char *folder, const char *name);
/** The folder part of a path: "a/b" of "a/b/c", "/" of "/c", "" of "c". NULL when memory is short;
 * det_free it. */
char *det_path_folder(const char *path);

#endif
