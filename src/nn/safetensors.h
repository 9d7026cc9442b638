/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_SAFETENSORS_H
#define DETECT_NN_SAFETENSORS_H

#include "src/base/error.h"
#include "src/nn/digest.h"

#include <json-c/json.h>
#include <stdio.h>

enum { DET_TENSOR_MAX_DIMENSIONS = 8 };

/** A tensor of a safetensors file. */
typedef struct det_tensor {
    const char *name;  /**< owned by the header */
    const char *dtype; /**< "F32", ...; static */
    int64_t shape[DET_TENSOR_MAX_DIMENSIONS];
    int dimensions;
    const uint8_t *data; /**< in the file's bytes, little-endian */
    size_t begin, size;  /**< bytes, in the data section */
    size_t count;        /**< values */
} det_tensor;

/** A parsed safetensors file; its bytes are borrowed. */
typedef struct det_safetensors {
    json_object *header;
    det_tensor *tensors; /**< sorted by name */
    size_t count;
    const uint8_t *data; /**< the data section */
    size_t data_size, data_offset;
} det_safetensors;

/** Parses and checks a safetensors file: the length of its header, the header's JSON, and that the
 *  tensors fill the data section without gap or overlap.
 *  @return DET_OK, DET_FORMAT (error->where is "byte N" or a key of the header), DET_UNSUPPORTED (a
 *          dtype), DET_LIMIT, DET_MEMORY. Empty after a failure. */
det_status det_safetensors_parse(const uint8_t *bytes, size_t size, det_safetensors *file,
                                 det_error *error);
void det_safetensors_free(det_safetensors *file);

/** @return the tensor of that name, or NULL. */
const det_tensor *det_safetensors_find(const det_safetensors *file, const char *name);

/** Value of a string in `__metadata__`, or NULL. */
const char *det_safetensors_metadata(const det_safetensors *file, const char *key);

/** A tensor that a header announces. */
typedef struct det_tensor_entry {
    const char *name, *dtype;
    int64_t shape[4];
    int dimensions;
    size_t size; /**< bytes */
} det_tensor_entry;

/** A tensor to write. */
typedef struct det_tensor_source {
    const char *name, *dtype;
    int64_t shape[4];
    int dimensions;
    const void *values;
    size_t size; /**< bytes */
} det_tensor_source;

/** A string to write into `__metadata__`. */
typedef struct det_metadata_entry {
    const char *key, *value;
} det_metadata_entry;

/** Writes the beginning of a file: the length of the header, and the header, for tensors that
 * follow in the given order without gap. The data section begins at a multiple of 64 bytes. Failed
 * writes stay in the stream's error flag.
 *  @param begin where the data section shall begin, a multiple of 64; 0: where the header ends.
 *               Receives where it does.
 *  @return DET_OK, DET_LIMIT (the header is too long, or does not end before *begin), DET_MEMORY.
 */
det_status det_safetensors_write_header(FILE *stream, const det_metadata_entry *metadata,
                                        size_t metadata_count, const det_tensor_entry *tensors,
                                        size_t tensor_count, size_t *begin, det_error *error);

/** Writes a file (atomically): the metadata and the tensors, in the given order. The data
 *  section begins at a multiple of 64 bytes.
 *  @return DET_OK, DET_IO, DET_LIMIT (the header), DET_MEMORY. */
det_status det_safetensors_write(const char *path, const det_metadata_entry *metadata,
                                 size_t metadata_count, const det_tensor_source *tensors,
                                 size_t tensor_count, det_error *error);

/** The digest of the values of tensors as if they followed each other, as their file has them.
 *  @return false when memory is short. */
bool det_tensors_digest(const det_tensor_source *tensors, size_t count,
                        char digest[DET_DIGEST_SIZE]);

#endif
