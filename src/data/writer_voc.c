/* SPDX-License-Identifier: Apache-2.0 */
/* Results as the PASCAL VOC devkit takes them (competition 4): a file for each class, also for one
 * without detections, with lines "image score xmin ymin xmax ymax". Coordinates are 1-based and
 * inclusive: xmin = x0 + 1, xmax = x1. The image is the name of the file without folder and ending,
 * spaces replaced, because fields end at a space. */
#include "src/data/writer.h"

#include "src/base/error.h"
#include "src/base/memory.h"
#include "src/base/number.h"
#include "src/data/names.h"

#include <string.h>

typedef struct class_file {
    char *name;
    det_text lines;
} class_file;

static char *image_name(const char *path)
{
    const char *base = det_base_name(path);
    return det_safe_name(base, det_stem_length(base));
}

/* The length of a class name, or less, at a character: file names end at 255 bytes. */
static size_t cut_length(const char *name)
{
    enum { max_bytes = 200 };
    size_t length = strlen(name);
    if (length <= max_bytes) return length;
    for (length = max_bytes; length > 0 && ((unsigned char)name[length] & 0xC0) == 0x80;) length--;
    return length;
}

/* "comp4_det_test_CLASS.txt"; of classes with the same name (ImageNet has two cranes) the later one
 * gets its number behind it. */
static det_status name_class_file(const char *class_name, size_t id, det_name_set *taken,
                                  char **name, det_error *error)
{
    bool added = false;
    det_status status = DET_OK;
    det_text stem = {0}, text = {0};
    char *safe = det_safe_name(class_name, cut_length(class_name));
    if (safe) det_text_format(&stem, "comp4_det_test_%s", safe);
    while (status == DET_OK && !added) {
        text.length = 0;
        if (stem.data) det_text_format(&text, "%s.txt", stem.data);
        status = text.data && !stem.failed && !text.failed
                     ? det_name_set_add(taken, text.data, &added, error)
                     : det_fail_memory(error, "the name of a class");
        det_text_format(&stem, "_%zu", id);
    }
    det_free(safe);
    det_text_free(&stem);
    *name = text.data;
    return status;
}

static det_status begin(det_writer *writer, det_error *error)
{
    const det_run_info *info = &writer->options.info;
    if (info->class_count == 0)
        return det_fail(error, DET_ARGUMENT, "voc output needs the names of the classes");
    det_status status = det_writer_begin_folder(writer, image_name, error);
    if (status < 0) return status;
    class_file *files = writer->state = det_alloc_zeroed(info->class_count, sizeof *files);
    if (!files) return det_fail_memory(error, "the files of the classes");

    det_name_set taken = {0};
    for (size_t i = 0; status == DET_OK && i < info->class_count; i++)
        status = name_class_file(info->class_names[i], i, &taken, &files[i].name, error);
    det_name_set_free(&taken);
    return status;
}

static void add_line(det_text *lines, const char *image, const det_detection *found)
{
    char score[DET_NUMBER_SIZE];
    const double corners[] = {(double)found->box.x0 + 1, (double)found->box.y0 + 1, found->box.x1,
                              found->box.y1};
    det_text_format(lines, "%s %s", image, det_number_text(score, found->score, 9));
    for (size_t i = 0; i < 4; i++) {
        char corner[DET_NUMBER_SIZE];
        det_text_format(lines, " %s", det_coordinate_text(corner, corners[i]));
    }
    det_text_add(lines, "\n");
}

static det_status add(det_writer *writer, const det_result *result, det_error *error)
{
    class_file *files = writer->state;
    if (result->error.status != DET_OK) return DET_OK;
    char *image = image_name(result->file);
    if (!image) return det_fail_memory(error, "the name of a picture");
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < result->detection_count; i++) {
        const det_detection *found = &result->detections[i];
        if (found->class_id >= 0 && (uint64_t)found->class_id < writer->options.info.class_count)
            add_line(&files[found->class_id].lines, image, found);
        else
            status = det_fail(error, DET_ARGUMENT, "class %lld is not one of the %zu of the output",
                              (long long)found->class_id, writer->options.info.class_count);
    }
    det_free(image);
    return status;
}

static det_status end(det_writer *writer, det_error *error)
{
    const class_file *files = writer->state;
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < writer->options.info.class_count; i++)
        status = det_writer_write_file(writer, files[i].name, &files[i].lines, error);
    return status;
}

static void release(det_writer *writer)
{
    class_file *files = writer->state;
    for (size_t i = 0; files && i < writer->options.info.class_count; i++) {
        det_free(files[i].name);
        det_text_free(&files[i].lines);
    }
    det_free(files);
}

const det_writer_format det_writer_voc = {
    .detections = true, .folder = true, .begin = begin, .add = add, .end = end, .release = release};
