/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_KEPT_FILE_H
#define DETECT_TRAIN_KEPT_FILE_H

#include "src/base/file.h"
#include "src/nn/safetensors.h"

/* Files of tensors in the folder where training keeps what it has computed. A file says what it is
 * and carries a digest of its values: one that is cut, damaged or of another kind counts as none.
 * They are written whole or not at all. */

/** A file that is mapped; {0} is none. */
typedef struct det_kept_file {
    det_bytes bytes;
    det_safetensors tensors; /**< borrow the bytes */
} det_kept_file;

/** Values in memory that are written to a file or read from it. */
typedef struct det_kept_part {
    const char *name, *dtype; /**< "F32", ... */
    void *values;             /**< `count` of `size` bytes each */
    size_t count, size;
} det_kept_part;

/** "FOLDER/KIND-DIGITS.safetensors" of a digest "xxh3-128:DIGITS"; NULL when memory is short;
 *  det_free it. */
char *det_kept_path(const char *folder, const char *kind, const char *digest);

/** @param format what the file is, with a version: "detect features 1".
 *  @return DET_OK, DET_IO, DET_LIMIT, DET_MEMORY. */
det_status det_kept_write(const char *path, const char *format, const det_tensor_source *tensors,
                          size_t count, det_error *error);
/** @param file det_kept_close it. Untouched on failure.
 *  @return DET_OK; DET_IO; DET_FORMAT (of another kind, damaged); DET_MEMORY. */
det_status det_kept_open(const char *path, const char *format, det_kept_file *file,
                         det_error *error);
/** Takes {0}. */
void det_kept_close(det_kept_file *file);

/** @return the tensor where it has that type and that many values, else NULL. */
const det_tensor *det_kept_find(const det_kept_file *file, const char *name, const char *dtype,
                                size_t count);

/** Writes parts as tensors of one dimension. At most DET_KEPT_PARTS. */
enum { DET_KEPT_PARTS = 8 };
det_status det_kept_write_parts(const char *path, const char *format, const det_kept_part *parts,
                                size_t count, det_error *error);
/** Fills parts from a file. @return whether it is there and has them all; if not, nothing was
 *  written to them. */
bool det_kept_read_parts(const char *path, const char *format, const det_kept_part *parts,
                         size_t count);

/** Removes a file that is not needed any more, if there is one. */
void det_kept_remove(const char *path);

#endif
