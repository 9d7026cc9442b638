/* SPDX-License-Identifier: Apache-2.0 */
/* Files of features. A safetensors file begins with its header, which says how many rows follow,
 * and nobody knows that before the last picture is done. So room for the longest header is left at
 * the beginning, the features follow as they come, and the header is written at the end, filled up
 * with the spaces that the format allows. */
#include "detect/features.h"

#include "detect/json.h"
#include "src/base/file.h"
#include "src/base/memory.h"
#include "src/nn/graph.h"
#include "src/nn/safetensors.h"

#include <stdio.h>
#include <unistd.h>

/* What is kept of each row until the end. */
typedef struct {
    det_box *boxes;
    int32_t *images;
    uint8_t *mirrored;
    size_t count, box_capacity, image_capacity, mirrored_capacity;
} row_list;

struct det_feature_file {
    det_output output;
    char *path, *layer, *files; /* files: as JSON */
    size_t file_count;
    char digest[64], crops[16];
    det_shape shape;
    size_t row_size, data_offset; /* bytes */
    row_list rows;
};

/* ---- The header ----------------------------------------------------------------------------- */

static det_status write_header(det_feature_file *file, size_t *begin, det_error *error)
{
    const det_metadata_entry metadata[] = {{"format", "detect-features"},  {"format_version", "1"},
                                           {"files", file->files},         {"layer", file->layer},
                                           {"model_digest", file->digest}, {"crops", file->crops}};
    const int64_t n = (int64_t)file->rows.count;
    const det_shape s = file->shape;
    const bool vectors = s.height == 1 && s.width == 1;
    const size_t count = file->rows.count;
    const det_tensor_entry tensors[] = {
        {"features",
         "F32",
         {n, s.channels, s.height, s.width},
         vectors ? 2 : 4,
         count * file->row_size},
        {"boxes", "F32", {n, 4}, 2, count * sizeof *file->rows.boxes},
        {"image_index", "I32", {n}, 1, count * sizeof *file->rows.images},
        {"mirrored", "U8", {n}, 1, count},
    };
    return det_safetensors_write_header(file->output.stream, metadata,
                                        sizeof metadata / sizeof *metadata, tensors,
                                        sizeof tensors / sizeof *tensors, begin, error);
}

/* How much longer the header can become when there are rows: every number of rows and bytes may
 * grow from one digit to twenty. */
enum { numbers = 4 + 2 * 4, digits = 20 };

static det_status leave_room(det_feature_file *file, det_error *error)
{
    size_t begin = 0;
    const det_status status = write_header(file, &begin, error);
    if (status < 0) return status;
    file->data_offset = begin + ((size_t)numbers * digits + 63) / 64 * 64;
    if (fseeko(file->output.stream, (off_t)file->data_offset, SEEK_SET) == 0) return DET_OK;
    return det_fail_errno(error, file->path, "write");
}

/* ---- Creation ------------------------------------------------------------------------------- */

static det_status list_files(det_feature_file *file, const char *const *files, size_t count,
                             det_error *error)
{
    const char *text = NULL;
    det_json *json = det_json_create();
    if (!json) return det_fail_memory(error, "the names of pictures");
    det_json_begin_array(json, NULL);
    for (size_t i = 0; i < count; i++) det_json_string(json, NULL, files[i]);
    det_json_end(json);
    det_status status = det_json_finish(json, &text, NULL, error);
    if (status == DET_OK) file->files = det_copy_string(text);
    if (status == DET_OK && !file->files) status = det_fail_memory(error, "the names of pictures");
    det_json_free(json);
    return status;
}

static det_status create(det_feature_file *file, const char *path, const det_extractor *extractor,
                         const char *const *files, size_t file_count, det_error *error)
{
    const det_network *network = det_extractor_network(extractor);
    const int crops = det_extractor_crops(extractor);
    file->shape = det_extractor_shape(extractor);
    file->row_size = det_shape_values(file->shape) * sizeof(float);
    file->file_count = file_count;
    snprintf(file->digest, sizeof file->digest, "%s", det_model_digest(det_network_model(network)));
    if (crops > 0)
        snprintf(file->crops, sizeof file->crops, "%d", crops);
    else
        snprintf(file->crops, sizeof file->crops, "regions");
    file->path = det_copy_string(path);
    file->layer = det_copy_string(det_extractor_layer(extractor));
    if (!file->path || !file->layer) return det_fail_memory(error, "a file of features");
    det_status status = list_files(file, files, file_count, error);
    if (status == DET_OK) status = det_output_open(path, &file->output, error);
    return status == DET_OK ? leave_room(file, error) : status;
}

det_status det_feature_file_create(const char *path, const det_extractor *extractor,
                                   const char *const *files, size_t file_count,
                                   det_feature_file **file, det_error *error)
{
    if (file_count > INT32_MAX)
        return det_fail(error, DET_LIMIT, "%zu pictures are more than a file of features counts",
                        file_count);
    det_feature_file *made = det_alloc_zeroed(1, sizeof *made);
    if (!made) return det_fail_memory(error, "a file of features");
    const det_status status =
        det_error_file(error, path, create(made, path, extractor, files, file_count, error));
    if (status < 0)
        det_feature_file_abandon(made);
    else
        *file = made;
    return status;
}

/* ---- Rows ----------------------------------------------------------------------------------- */

static bool grow_rows(row_list *rows, size_t count)
{
    const size_t needed = rows->count + count;
    return det_grow_array(&rows->boxes, &rows->box_capacity, needed, sizeof *rows->boxes) &&
           det_grow_array(&rows->images, &rows->image_capacity, needed, sizeof *rows->images) &&
           det_grow_array(&rows->mirrored, &rows->mirrored_capacity, needed,
                          sizeof *rows->mirrored);
}

det_status det_feature_file_add(det_feature_file *file, size_t image, const det_feature_rows *rows,
                                det_error *error)
{
    row_list *kept = &file->rows;
    if (image >= file->file_count)
        return det_fail(error, DET_ARGUMENT, "there is no picture %zu of %zu", image,
                        file->file_count);
    if (rows->count == 0) return DET_OK;
    if (!grow_rows(kept, rows->count)) return det_fail_memory(error, "the rows of features");
    if (fwrite(rows->values, file->row_size, rows->count, file->output.stream) != rows->count)
        return det_fail_errno(error, file->path, "write");
    for (size_t i = 0; i < rows->count; i++) {
        const size_t at = kept->count++;
        kept->boxes[at] = rows->boxes[i];
        kept->images[at] = (int32_t)image;
        kept->mirrored[at] = rows->mirrored[i];
    }
    return DET_OK;
}

det_status det_feature_file_drop(det_feature_file *file, size_t image, det_error *error)
{
    row_list *kept = &file->rows;
    while (kept->count > 0 && (size_t)kept->images[kept->count - 1] == image) kept->count--;
    const size_t end = file->data_offset + kept->count * file->row_size;
    if (fseeko(file->output.stream, (off_t)end, SEEK_SET) == 0) return DET_OK;
    return det_fail_errno(error, file->path, "write");
}

size_t det_feature_file_count(const det_feature_file *file)
{
    return file->rows.count;
}

/* ---- The end -------------------------------------------------------------------------------- */

/* Failed writes are noticed when the output is committed. */
static det_status complete(det_feature_file *file, det_error *error)
{
    const row_list *rows = &file->rows;
    FILE *stream = file->output.stream;
    if (rows->count > 0) {
        fwrite(rows->boxes, sizeof *rows->boxes, rows->count, stream);
        fwrite(rows->images, sizeof *rows->images, rows->count, stream);
        fwrite(rows->mirrored, sizeof *rows->mirrored, rows->count, stream);
    }
    /* Rows that were taken back may reach further than those that replaced them. */
    const off_t end = ftello(stream);
    if (end < 0 || fflush(stream) != 0 ||
        (file->output.temporary && ftruncate(fileno(stream), end) != 0) ||
        fseeko(stream, 0, SEEK_SET) != 0)
        return det_fail_errno(error, file->path, "write");
    size_t begin = file->data_offset;
    return write_header(file, &begin, error);
}

det_status det_feature_file_close(det_feature_file *file, det_error *error)
{
    det_status status = complete(file, error);
    if (status == DET_OK) status = det_output_commit(&file->output, error);
    det_feature_file_abandon(file);
    return status;
}

void det_feature_file_abandon(det_feature_file *file)
{
    if (!file) return;
    det_output_abandon(&file->output);
    det_free(file->path);
    det_free(file->layer);
    det_free(file->files);
    det_free(file->rows.boxes);
    det_free(file->rows.images);
    det_free(file->rows.mirrored);
    det_free(file);
}
