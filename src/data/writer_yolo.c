/* SPDX-License-Identifier: Apache-2.0 */
/* Results as YOLO's label files, with a score: a text file for each picture, named as the picture
 * is, also for one without detections, with lines "class cx cy w h score"; the centre and the size
 * of the box are parts of the picture's width and height. */
#include "src/data/writer.h"

#include "src/base/error.h"
#include "src/base/memory.h"
#include "src/base/number.h"
#include "src/data/names.h"

#include <string.h>

typedef struct label_file {
    char *name;
    det_text lines;
} label_file;

typedef struct label_files {
    label_file *items;
    size_t count, capacity;
} label_files;

static char *label_name(const char *path)
{
    const char *base = det_base_name(path);
    const size_t length = det_stem_length(base);
    char *name = det_alloc(length + sizeof ".txt");
    if (!name) return NULL;
    memcpy(name, base, length);
    memcpy(name + length, ".txt", sizeof ".txt");
    return name;
}

static det_status begin(det_writer *writer, det_error *error)
{
    writer->state = det_alloc_zeroed(1, sizeof(label_files));
    if (!writer->state) return det_fail_memory(error, "the files of the pictures");
    return det_writer_begin_folder(writer, label_name, error);
}

static void add_line(det_text *lines, const det_detection *found, double width, double height)
{
    char text[DET_NUMBER_SIZE];
    const det_box box = found->box;
    const double parts[] = {((double)box.x0 + box.x1) / 2 / width,
                            ((double)box.y0 + box.y1) / 2 / height,
                            ((double)box.x1 - box.x0) / width, ((double)box.y1 - box.y0) / height};
    det_text_format(lines, "%lld", (long long)found->class_id);
    for (size_t i = 0; i < 4; i++)
        det_text_format(lines, " %s", det_number_text(text, parts[i], 7));
    det_text_format(lines, " %s\n", det_number_text(text, found->score, 9));
}

static det_status add(det_writer *writer, const det_result *result, det_error *error)
{
    label_files *files = writer->state;
    if (result->error.status != DET_OK) return DET_OK;
    if (result->width < 1 || result->height < 1)
        return det_fail_at(error, DET_ARGUMENT, result->file, NULL, "a picture of %d x %d pixels",
                           result->width, result->height);
    if (!det_grow_array(&files->items, &files->capacity, files->count + 1, sizeof(label_file)))
        return det_fail_memory(error, "the files of the pictures");
    char *name = label_name(result->file);
    if (!name) return det_fail_memory(error, "the files of the pictures");

    label_file *file = &files->items[files->count++];
    *file = (label_file){.name = name};
    for (size_t i = 0; i < result->detection_count; i++)
        add_line(&file->lines, &result->detections[i], result->width, result->height);
    return file->lines.failed ? det_fail_memory(error, "the files of the pictures") : DET_OK;
}

static det_status end(det_writer *writer, det_error *error)
{
    const label_files *files = writer->state;
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < files->count; i++)
        status = det_writer_write_file(writer, files->items[i].name, &files->items[i].lines, error);
    return status;
}

static void release(det_writer *writer)
{
    label_files *files = writer->state;
    for (size_t i = 0; files && i < files->count; i++) {
        det_free(files->items[i].name);
        det_text_free(&files->items[i].lines);
    }
    if (files) det_free(files->items);
    det_free(files);
}

const det_writer_format det_writer_yolo = {
    .detections = true, .folder = true, .begin = begin, .add = add, .end = end, .release = release};
