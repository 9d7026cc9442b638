/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/kept_file.h"

#include "src/base/memory.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

char *det_kept_path(const char *folder, const char *kind, const char *digest)
{
    const char *digits = strchr(digest, ':');
    det_text name = {0};
    det_text_format(&name, "%s-%s.safetensors", kind, digits ? digits + 1 : digest);
    char *path = name.failed ? NULL : det_path_join(folder, name.data);
    det_text_free(&name);
    return path;
}

/* ---- Writing -------------------------------------------------------------------------------- */

det_status det_kept_write(const char *path, const char *format, const det_tensor_source *tensors,
                          size_t count, det_error *error)
{
    char digest[DET_DIGEST_SIZE];
    if (!det_tensors_digest(tensors, count, digest)) return det_fail_memory(error, "a digest");
    const det_metadata_entry metadata[] = {{"format", format}, {"digest", digest}};
    return det_safetensors_write(path, metadata, 2, tensors, count, error);
}

det_status det_kept_write_parts(const char *path, const char *format, const det_kept_part *parts,
                                size_t count, det_error *error)
{
    det_tensor_source tensors[DET_KEPT_PARTS];
    assert(count <= DET_KEPT_PARTS);
    for (size_t i = 0; i < count; i++)
        tensors[i] = (det_tensor_source){.name = parts[i].name,
                                         .dtype = parts[i].dtype,
                                         .shape = {(int64_t)parts[i].count},
                                         .dimensions = 1,
                                         .values = parts[i].values,
                                         .size = parts[i].count * parts[i].size};
    return det_kept_write(path, format, tensors, count, error);
}

void det_kept_remove(const char *path)
{
    (void)unlink(path);
}

/* ---- Reading -------------------------------------------------------------------------------- */

static det_status check(const det_safetensors *file, const char *format, det_error *error)
{
    char digest[DET_DIGEST_SIZE];
    const char *said = det_safetensors_metadata(file, "format");
    const char *expected = det_safetensors_metadata(file, "digest");
    if (!said || strcmp(said, format) != 0)
        return det_fail(error, DET_FORMAT, "this is \"%.60s\", not \"%s\"", said ? said : "",
                        format);
    if (!det_digest((const void *const[]){file->data}, &file->data_size, 1, digest))
        return det_fail_memory(error, "a digest");
    if (expected && strcmp(expected, digest) == 0) return DET_OK;
    return det_fail(error, DET_FORMAT, "the values are damaged: their digest is %s, not %.60s",
                    digest, expected ? expected : "written down");
}

det_status det_kept_open(const char *path, const char *format, det_kept_file *file,
                         det_error *error)
{
    det_kept_file found = {0};
    det_status status = det_file_map(path, &found.bytes, error);
    if (status == DET_OK)
        status = det_safetensors_parse(found.bytes.data, found.bytes.size, &found.tensors, error);
    if (status == DET_OK) status = check(&found.tensors, format, error);
    if (status == DET_OK)
        *file = found;
    else
        det_kept_close(&found);
    return status;
}

void det_kept_close(det_kept_file *file)
{
    det_safetensors_free(&file->tensors);
    det_bytes_free(&file->bytes);
    *file = (det_kept_file){0};
}

const det_tensor *det_kept_find(const det_kept_file *file, const char *name, const char *dtype,
                                size_t count)
{
    const det_tensor *tensor = det_safetensors_find(&file->tensors, name);
    return tensor && strcmp(tensor->dtype, dtype) == 0 && tensor->count == count ? tensor : NULL;
}

static bool has_parts(const det_kept_file *file, const det_kept_part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!det_kept_find(file, parts[i].name, parts[i].dtype, parts[i].count)) return false;
    return true;
}

bool det_kept_read_parts(const char *path, const char *format, const det_kept_part *parts,
                         size_t count)
{
    det_kept_file file = {0};
    if (det_kept_open(path, format, &file, NULL) < 0) return false;
    const bool complete = has_parts(&file, parts, count);
    for (size_t i = 0; complete && i < count; i++) {
        const det_tensor *tensor = det_safetensors_find(&file.tensors, parts[i].name);
        memcpy(parts[i].values, tensor->data, tensor->size);
    }
    det_kept_close(&file);
    return complete;
}
