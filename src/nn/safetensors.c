/* SPDX-License-Identifier: Apache-2.0 */
/* The safetensors format: 8 bytes, little-endian, with the length of the header; the header, a JSON
 * object that gives dtype, shape and data_offsets of every tensor, padded with spaces; then the
 * tensors. Offsets count from the end of the header, and the tensors must fill the rest of the file
 * in the order of their offsets, without gap or overlap. */
#include "src/nn/safetensors.h"

#include "detect/json.h"
#include "src/base/file.h"
#include "src/base/json_reader.h"
#include "src/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { length_size = 8, max_header = 100 << 20, alignment = 64 };

static const struct {
    const char *name;
    size_t size;
} dtypes[] = {{"F32", 4}, {"F16", 2}, {"BF16", 2}, {"F64", 8}, {"I8", 1},  {"U8", 1},  {"I16", 2},
              {"U16", 2}, {"I32", 4}, {"U32", 4},  {"I64", 8}, {"U64", 8}, {"BOOL", 1}};

/* ---- Reading -------------------------------------------------------------------------------- */

static det_status read_shape(json_object *value, det_tensor *tensor, det_error *error)
{
    if (!json_object_is_type(value, json_type_array))
        return det_fail(error, DET_FORMAT, "'shape' is not an array");
    const size_t dimensions = json_object_array_length(value);
    if (dimensions > DET_TENSOR_MAX_DIMENSIONS)
        return det_fail(error, DET_LIMIT, "%zu dimensions are more than %d", dimensions,
                        DET_TENSOR_MAX_DIMENSIONS);
    tensor->dimensions = (int)dimensions;
    tensor->count = 1;
    for (size_t i = 0; i < dimensions; i++) {
        json_object *side = json_object_array_get_idx(value, i);
        tensor->shape[i] = json_object_get_int64(side);
        if (!json_object_is_type(side, json_type_int) || tensor->shape[i] < 0)
            return det_fail(error, DET_FORMAT, "shape[%zu] is not a whole number from 0", i);
        if (!det_multiply_size(tensor->count, (size_t)tensor->shape[i], &tensor->count))
            return det_fail(error, DET_FORMAT, "the shape is larger than any memory");
    }
    return DET_OK;
}

static det_status read_dtype(json_object *value, det_tensor *tensor, size_t *size, det_error *error)
{
    if (!json_object_is_type(value, json_type_string))
        return det_fail(error, DET_FORMAT, "'dtype' is not a string");
    const char *name = json_object_get_string(value);
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (strcmp(dtypes[i].name, name) == 0) {
            tensor->dtype = dtypes[i].name;
            *size = dtypes[i].size;
            return DET_OK;
        }
    return det_fail(error, DET_UNSUPPORTED, "dtype '%s' is not known", name);
}

static det_status read_offsets(const det_safetensors *file, json_object *value, det_tensor *tensor,
                               size_t value_size, det_error *error)
{
    json_object *ends[2] = {NULL, NULL};
    if (json_object_is_type(value, json_type_array) && json_object_array_length(value) == 2)
        for (size_t i = 0; i < 2; i++) ends[i] = json_object_array_get_idx(value, i);
    if (!json_object_is_type(ends[0], json_type_int) ||
        !json_object_is_type(ends[1], json_type_int))
        return det_fail(error, DET_FORMAT, "'data_offsets' is not a pair of whole numbers");

    const int64_t begin = json_object_get_int64(ends[0]), end = json_object_get_int64(ends[1]);
    if (begin < 0 || end < begin)
        return det_fail(error, DET_FORMAT, "data_offsets [%lld, %lld] are not a range",
                        (long long)begin, (long long)end);
    if ((uint64_t)end > file->data_size)
        return det_fail(error, DET_FORMAT,
                        "its data ends at byte %lld of %zu: %llu bytes are missing; the file is "
                        "truncated",
                        (long long)end, file->data_size,
                        (unsigned long long)((uint64_t)end - file->data_size));
    size_t needed;
    if (!det_multiply_size(tensor->count, value_size, &needed) || needed != (size_t)(end - begin))
        return det_fail(error, DET_FORMAT, "%lld bytes of data do not hold %zu values of type %s",
                        (long long)(end - begin), tensor->count, tensor->dtype);
    tensor->begin = (size_t)begin;
    tensor->size = needed;
    tensor->data = file->data + begin;
    return DET_OK;
}

static det_status read_tensor(const det_safetensors *file, const char *name, json_object *value,
                              det_tensor *tensor, det_error *error)
{
    *tensor = (det_tensor){.name = name};
    if (!json_object_is_type(value, json_type_object))
        return det_fail(error, DET_FORMAT, "a tensor must be an object");
    size_t value_size = 0;
    det_status status =
        read_dtype(json_object_object_get(value, "dtype"), tensor, &value_size, error);
    if (status == DET_OK)
        status = read_shape(json_object_object_get(value, "shape"), tensor, error);
    if (status == DET_OK)
        status = read_offsets(file, json_object_object_get(value, "data_offsets"), tensor,
                              value_size, error);
    return status;
}

static int compare_begin(const void *a, const void *b)
{
    const det_tensor *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return (x->size > y->size) - (x->size < y->size); /* an empty tensor before its neighbour */
}

static int compare_name(const void *a, const void *b)
{
    return strcmp(((const det_tensor *)a)->name, ((const det_tensor *)b)->name);
}

/* Tensors, sorted by where they begin, must follow each other to the end of the data. */
static det_status check_layout(const det_safetensors *file, det_error *error)
{
    size_t at = 0;
    for (size_t i = 0; i < file->count; i++) {
        const det_tensor *tensor = &file->tensors[i];
        if (tensor->begin != at) {
            det_fail(error, DET_FORMAT,
                     "its data begins at byte %zu, but %zu is where the one before "
                     "it ends (%s)",
                     tensor->begin, at, tensor->begin < at ? "an overlap" : "a gap");
            det_error_where(error, "tensor '%s'", tensor->name);
            return DET_FORMAT;
        }
        at += tensor->size;
    }
    if (at == file->data_size) return DET_OK;
    det_fail(error, DET_FORMAT, "%zu bytes follow the last tensor", file->data_size - at);
    det_error_where(error, "byte %zu", file->data_offset + at);
    return DET_FORMAT;
}

static det_status read_tensors(det_safetensors *file, det_error *error)
{
    const int members = json_object_object_length(file->header);
    file->tensors = det_alloc_array((size_t)members, sizeof *file->tensors);
    if (!file->tensors) return det_fail_memory(error, "the list of tensors");
    json_object_object_foreach(file->header, name, value)
    {
        if (strcmp(name, "__metadata__") == 0) continue;
        const det_status status =
            read_tensor(file, name, value, &file->tensors[file->count], error);
        if (status < 0) {
            det_error_where(error, "tensor '%s'", name);
            return status;
        }
        file->count++;
    }
    qsort(file->tensors, file->count, sizeof *file->tensors, compare_begin);
    const det_status status = check_layout(file, error);
    qsort(file->tensors, file->count, sizeof *file->tensors, compare_name);
    return status;
}

static det_status check_metadata(json_object *header, det_error *error)
{
    json_object *metadata;
    if (!json_object_object_get_ex(header, "__metadata__", &metadata)) return DET_OK;
    bool good = json_object_is_type(metadata, json_type_object);
    if (good) {
        json_object_object_foreach(metadata, key, value)
        {
            (void)key;
            if (!json_object_is_type(value, json_type_string)) good = false;
        }
    }
    if (good) return DET_OK;
    det_fail(error, DET_FORMAT, "must be an object of strings");
    det_error_where(error, "__metadata__");
    return DET_FORMAT;
}

static uint64_t little_endian(const uint8_t *bytes)
{
    uint64_t value = 0;
    for (int i = length_size - 1; i >= 0; i--) value = value << 8 | bytes[i];
    return value;
}

static det_status fail_at_start(det_error *error, det_status status)
{
    det_error_where(error, "byte 0");
    return status;
}

/* Where the header ends and the data begins. */
static det_status find_data(const uint8_t *bytes, size_t size, det_safetensors *file,
                            det_error *error)
{
    if (size < length_size)
        return fail_at_start(error, det_fail(error, DET_FORMAT,
                                             "%zu bytes are no model file, which begins with 8 "
                                             "bytes of header length",
                                             size));
    const uint64_t length = little_endian(bytes);
    if (length > max_header)
        return fail_at_start(error,
                             det_fail(error, DET_FORMAT,
                                      "a header of %llu bytes is announced, more than %d: this is "
                                      "no model file (import one with: detect model import)",
                                      (unsigned long long)length, max_header));
    if (length > size - length_size)
        return fail_at_start(
            error, det_fail(error, DET_FORMAT,
                            "a header of %llu bytes is announced but %zu follow: %llu bytes are "
                            "missing; the file is truncated",
                            (unsigned long long)length, size - length_size,
                            (unsigned long long)(length - (size - length_size))));
    file->data_offset = length_size + (size_t)length;
    file->data = bytes + file->data_offset;
    file->data_size = size - file->data_offset;
    return DET_OK;
}

static det_status parse(const uint8_t *bytes, size_t size, det_safetensors *file, det_error *error)
{
    det_status status = find_data(bytes, size, file, error);
    if (status < 0) return status;
    status = det_json_parse((const char *)bytes + length_size, file->data_offset - length_size,
                            &file->header, error);
    if (status < 0) return det_error_inside(error, "header", ", ", status);
    if (!json_object_is_type(file->header, json_type_object)) {
        det_fail(error, DET_FORMAT, "the header is not a JSON object");
        det_error_where(error, "byte %d", length_size);
        return DET_FORMAT;
    }
    status = check_metadata(file->header, error);
    return status < 0 ? status : read_tensors(file, error);
}

det_status det_safetensors_parse(const uint8_t *bytes, size_t size, det_safetensors *file,
                                 det_error *error)
{
    *file = (det_safetensors){0};
    const det_status status = parse(bytes, size, file, error);
    if (status < 0) det_safetensors_free(file);
    return status;
}

void det_safetensors_free(det_safetensors *file)
{
    if (file->header) json_object_put(file->header);
    det_free(file->tensors);
    *file = (det_safetensors){0};
}

const det_tensor *det_safetensors_find(const det_safetensors *file, const char *name)
{
    const det_tensor wanted = {.name = name};
    if (file->count == 0) return NULL;
    return bsearch(&wanted, file->tensors, file->count, sizeof *file->tensors, compare_name);
}

const char *det_safetensors_metadata(const det_safetensors *file, const char *key)
{
    json_object *metadata = json_object_object_get(file->header, "__metadata__"), *value;
    if (!metadata || !json_object_object_get_ex(metadata, key, &value)) return NULL;
    return json_object_get_string(value);
}

/* ---- Writing -------------------------------------------------------------------------------- */

static void add_tensor(det_json *json, const det_tensor_entry *tensor, size_t begin)
{
    det_json_begin_object(json, tensor->name);
    det_json_string(json, "dtype", tensor->dtype);
    det_json_begin_array(json, "shape");
    for (int i = 0; i < tensor->dimensions; i++) det_json_integer(json, NULL, tensor->shape[i]);
    det_json_end(json);
    det_json_begin_array(json, "data_offsets");
    det_json_integer(json, NULL, (int64_t)begin);
    det_json_integer(json, NULL, (int64_t)(begin + tensor->size));
    det_json_end(json);
    det_json_end(json);
}

static void add_header(det_json *json, const det_metadata_entry *metadata, size_t metadata_count,
                       const det_tensor_entry *tensors, size_t tensor_count)
{
    det_json_begin_object(json, NULL);
    det_json_begin_object(json, "__metadata__");
    for (size_t i = 0; i < metadata_count; i++)
        det_json_string(json, metadata[i].key, metadata[i].value);
    det_json_end(json);
    size_t begin = 0;
    for (size_t i = 0; i < tensor_count; i++) {
        add_tensor(json, &tensors[i], begin);
        begin += tensors[i].size;
    }
    det_json_end(json);
}

/* `begin` is where the data section shall begin; spaces fill what the header leaves free. */
static void write_header(FILE *stream, const char *header, size_t length, size_t begin)
{
    const size_t padded = begin - length_size;
    for (int i = 0; i < length_size; i++) fputc((int)((uint64_t)padded >> (8 * i) & 0xFF), stream);
    fwrite(header, 1, length, stream);
    for (size_t i = length; i < padded; i++) fputc(' ', stream);
}

det_status det_safetensors_write_header(FILE *stream, const det_metadata_entry *metadata,
                                        size_t metadata_count, const det_tensor_entry *tensors,
                                        size_t tensor_count, size_t *begin, det_error *error)
{
    det_json *json = det_json_create();
    if (!json) return det_fail_memory(error, "the header of a safetensors file");
    add_header(json, metadata, metadata_count, tensors, tensor_count);

    const char *header;
    size_t length;
    det_status status = det_json_finish(json, &header, &length, error);
    if (status == DET_OK) {
        const size_t end = (length + length_size + alignment - 1) / alignment * alignment;
        const size_t room = *begin > 0 ? *begin : (size_t)max_header;
        if (*begin == 0) *begin = end;
        if (*begin < end || *begin > max_header)
            status = det_fail(error, DET_LIMIT, "the header of %zu bytes would exceed %zu", length,
                              room);
        else
            write_header(stream, header, length, *begin);
    }
    det_json_free(json);
    return status;
}

/* Failed writes are noticed when the output is committed. */
static det_status write_all(FILE *stream, const det_metadata_entry *metadata, size_t metadata_count,
                            const det_tensor_source *tensors, size_t tensor_count, det_error *error)
{
    size_t begin = 0;
    det_tensor_entry *entries = det_alloc_array(tensor_count, sizeof *entries);
    if (!entries) return det_fail_memory(error, "the header of a safetensors file");
    for (size_t i = 0; i < tensor_count; i++) {
        const det_tensor_source *t = &tensors[i];
        entries[i] = (det_tensor_entry){t->name,
                                        t->dtype,
                                        {t->shape[0], t->shape[1], t->shape[2], t->shape[3]},
                                        t->dimensions,
                                        t->size};
    }
    const det_status status = det_safetensors_write_header(stream, metadata, metadata_count,
                                                           entries, tensor_count, &begin, error);
    for (size_t i = 0; status == DET_OK && i < tensor_count; i++)
        fwrite(tensors[i].values, 1, tensors[i].size, stream);
    det_free(entries);
    return status;
}

det_status det_safetensors_write(const char *path, const det_metadata_entry *metadata,
                                 size_t metadata_count, const det_tensor_source *tensors,
                                 size_t tensor_count, det_error *error)
{
    det_output output = {0};
    det_status status = det_output_open(path, &output, error);
    if (status == DET_OK)
        status = write_all(output.stream, metadata, metadata_count, tensors, tensor_count, error);
    if (status == DET_OK) return det_output_commit(&output, error);
    det_output_abandon(&output);
    return status;
}

bool det_tensors_digest(const det_tensor_source *tensors, size_t count,
                        char digest[DET_DIGEST_SIZE])
{
    const void **blocks = det_alloc_array(count, sizeof *blocks);
    size_t *sizes = det_alloc_array(count, sizeof *sizes);
    bool done = blocks && sizes;
    size_t used = 0;
    for (size_t i = 0; done && i < count; i++) {
        if (tensors[i].size == 0) continue; /* may have no values at all */
        blocks[used] = tensors[i].values;
        sizes[used++] = tensors[i].size;
    }
    done = done && det_digest(blocks, sizes, used, digest);
    det_free(blocks);
    det_free(sizes);
    return done;
}
