/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that say which class each picture shows: "picture class", a line each. The pictures are
 * looked up as those of annotations are. */
#include "src/detector/true_labels.h"

#include "src/base/file.h"
#include "src/base/memory.h"
#include "src/base/span.h"
#include "src/data/annotations.h"
#include "src/detector/nearest.h"

#include <stdlib.h>
#include <string.h>

struct det_true_labels {
    det_annotations_data *pictures;
    int64_t *classes; /* one a picture */
    size_t capacity;
};

static int64_t find_synset(const det_model *model, const char *synset)
{
    for (size_t i = 0; i < model->class_count; i++) {
        const char *id = model->classes[i].synset;
        if (id && strcmp(id, synset) == 0) return (int64_t)i;
    }
    return -1;
}

/* A class by its name, its WordNet id, or its index; -1 where it is none of these. */
static int64_t find_class(const det_model *model, const char *name)
{
    int64_t class_id = det_model_find_class(model, name);
    if (class_id < 0) class_id = find_synset(model, name);
    if (class_id >= 0) return class_id;
    const size_t digits = strspn(name, "0123456789");
    if (digits == 0 || name[digits] || digits > 9) return -1;
    class_id = strtol(name, NULL, 10);
    return (size_t)class_id < model->class_count ? class_id : -1;
}

static det_status read_class(const det_model *model, det_span span, int64_t *class_id,
                             det_error *error)
{
    char *name = det_span_copy(span);
    if (!name) return det_fail_memory(error, "the labels of pictures");
    *class_id = find_class(model, name);
    if (*class_id < 0) {
        det_fail_unknown_class(model, name, error);
        if (error) error->status = DET_FORMAT;
    }
    det_free(name);
    return *class_id < 0 ? DET_FORMAT : DET_OK;
}

static det_status add_line(det_true_labels *labels, const det_model *model, det_span line,
                           det_error *error)
{
    if (!det_span_is_text(line)) return det_fail(error, DET_FORMAT, "the line is not UTF-8");
    const bool tabulated = memchr(line.text, '\t', line.length);
    const det_span picture = tabulated ? det_span_cut(&line, '\t') : det_span_word(&line);
    line = det_span_trim(line);
    if (picture.length == 0 || line.length == 0)
        return det_fail(error, DET_FORMAT,
                        "a line names a picture and its class: photos/a.jpg banana");

    const size_t count = labels->pictures->seen.image_count;
    if (!det_grow_array(&labels->classes, &labels->capacity, count + 1, sizeof *labels->classes))
        return det_fail_memory(error, "the labels of pictures");
    const det_status status = read_class(model, line, &labels->classes[count], error);
    if (status < 0) return status;
    return det_annotations_add_image(labels->pictures, det_span_copy(picture), (int64_t)count + 1,
                                     error);
}

static det_status add_lines(det_true_labels *labels, const det_model *model, det_span rest,
                            det_error *error)
{
    for (size_t number = 1; rest.length > 0; number++) {
        const det_span line = det_span_cut(&rest, '\n');
        if (line.length == 0) continue;
        const det_status status = add_line(labels, model, line, error);
        if (status < 0) {
            det_error_where(error, "line %zu", number);
            return status;
        }
    }
    if (labels->pictures->seen.image_count > 0) return DET_OK;
    return det_fail(error, DET_FORMAT, "no line names a picture and its class");
}

static det_status check_doubles(const det_true_labels *labels, det_error *error)
{
    const det_annotations *pictures = &labels->pictures->seen;
    for (size_t i = 0; i < pictures->warning_count; i++)
        if (pictures->warnings[i].oddity == DET_ODDITY_SAME_FILE)
            return det_fail(error, DET_FORMAT, "a picture has two lines: %s",
                            labels->pictures->oddities[DET_ODDITY_SAME_FILE].first);
    return DET_OK;
}

static det_status parse(det_true_labels *labels, det_span text, const det_model *model,
                        det_error *error)
{
    labels->pictures = det_annotations_begin(DET_ANNOTATIONS_COCO, error);
    if (!labels->pictures) return DET_MEMORY;
    det_status status = add_lines(labels, model, text, error);
    if (status == DET_OK) status = det_annotations_finish(labels->pictures, error);
    return status == DET_OK ? check_doubles(labels, error) : status;
}

det_status det_true_labels_parse(const char *text, size_t size, const det_model *model,
                                 det_true_labels **labels, det_error *error)
{
    det_true_labels *made = det_alloc_zeroed(1, sizeof *made);
    if (!made) return det_fail_memory(error, "the labels of pictures");
    const det_status status = parse(made, det_span_of(text, size), model, error);
    if (status < 0)
        det_true_labels_free(made);
    else
        *labels = made;
    return status;
}

det_status det_true_labels_read(const char *path, const det_model *model, det_true_labels **labels,
                                det_error *error)
{
    enum { max_bytes = 1 << 30 };
    det_bytes bytes = {0};
    det_status status = det_file_read(path, max_bytes, &bytes, error);
    if (status == DET_OK)
        status = det_true_labels_parse((const char *)bytes.data, bytes.size, model, labels, error);
    det_bytes_free(&bytes);
    return det_error_file(error, path, status);
}

void det_true_labels_free(det_true_labels *labels)
{
    if (!labels) return;
    if (labels->pictures) det_annotations_free(&labels->pictures->seen);
    det_free(labels->classes);
    det_free(labels);
}

size_t det_true_labels_count(const det_true_labels *labels)
{
    return labels->pictures->seen.image_count;
}

int64_t det_true_labels_find(const det_true_labels *labels, const char *file)
{
    size_t index = 0;
    const det_status status =
        det_annotations_find_image(&labels->pictures->seen, file, &index, NULL);
    return status == DET_OK ? labels->classes[index] : -1;
}
