/* SPDX-License-Identifier: Apache-2.0 */
/* What the results of every format share: growing, counting, warnings, and the choice of the
 * format. */
#include "src/data/results.h"

#include "src/base/file.h"
#include "src/base/memory.h"
#include "src/base/text.h"
#include "src/data/paths.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- Parts ---- */

void det_results_part_free(det_results_part *part)
{
    for (size_t i = 0; i < part->unknown_count; i++) det_free((char *)part->unknown[i].name);
    det_free(part->unknown);
    det_free(part->objects);
    *part = (det_results_part){0};
}

static bool is_empty(const double box[4], det_box_form form)
{
    return form == DET_BOX_SIZED ? !(box[2] > 0 && box[3] > 0)
                                 : !(box[2] - box[0] + 1 > 0 && box[3] - box[1] + 1 > 0);
}

det_status det_results_add(det_results_part *part, const det_detected_object *object,
                           det_box_form form, det_error *error)
{
    if (!det_grow_array(&part->objects, &part->capacity, part->count + 1, sizeof *part->objects))
        return det_fail_memory(error, "results");
    part->listed++;
    if (is_empty(object->box, form))
        det_results_count(part, DET_NOTE_EMPTY, "detection %zu", part->listed);
    part->objects[part->count++] = *object;
    return DET_OK;
}

void det_results_count(det_results_part *part, det_results_note note, const char *format, ...)
{
    det_oddity_count *counted = &part->notes[note];
    if (counted->count++ > 0) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(counted->first, sizeof counted->first, format, arguments);
    va_end(arguments);
}

det_status det_results_count_class(det_results_part *part, const char *name, size_t count,
                                   det_error *error)
{
    enum { most_named = 64 };
    part->unknown_class_objects += count;
    for (size_t i = 0; i < part->unknown_count; i++) {
        if (strcmp(part->unknown[i].name, name) != 0) continue;
        part->unknown[i].count += count;
        return DET_OK;
    }
    if (part->unknown_count == most_named) return DET_OK;
    char *copy = det_copy_string(name);
    if (!copy || !det_grow_array(&part->unknown, &part->unknown_capacity, part->unknown_count + 1,
                                 sizeof *part->unknown)) {
        det_free(copy);
        return det_fail_memory(error, "results");
    }
    part->unknown[part->unknown_count++] = (det_unknown_class){copy, count};
    return DET_OK;
}

det_status det_results_leave_out(det_results_part *part, bool image_known, int64_t image_id,
                                 int64_t category_id, det_error *error)
{
    char name[48];
    part->listed++;
    if (!image_known) {
        det_results_count(part, DET_NOTE_UNKNOWN_IMAGE, "image_id %lld", (long long)image_id);
        return DET_OK;
    }
    snprintf(name, sizeof name, "category_id %lld", (long long)category_id);
    return det_results_count_class(part, name, 1, error);
}

det_status det_results_append(det_results_part *part, const det_results_part *other,
                              det_error *error)
{
    if (!det_grow_array(&part->objects, &part->capacity, part->count + other->count,
                        sizeof *part->objects))
        return det_fail_memory(error, "results");
    if (other->count > 0)
        memcpy(part->objects + part->count, other->objects, other->count * sizeof *part->objects);
    part->count += other->count;
    part->listed += other->listed;
    part->more += other->more;
    for (size_t i = 0; i < DET_NOTE_COUNT; i++) {
        if (part->notes[i].count == 0)
            part->notes[i] = other->notes[i];
        else
            part->notes[i].count += other->notes[i].count;
    }
    det_status status = DET_OK;
    size_t named = 0;
    for (size_t i = 0; status == DET_OK && i < other->unknown_count; i++) {
        status =
            det_results_count_class(part, other->unknown[i].name, other->unknown[i].count, error);
        named += other->unknown[i].count;
    }
    part->unknown_class_objects += other->unknown_class_objects - named;
    return status;
}

/* ---- The public view ---- */

/* Results with what the public view of them points to. */
typedef struct results_data {
    det_results seen; /* comes first: the view that the caller has */
    det_results_part part;
    char **warnings;
} results_data;

void det_results_free(det_results *results)
{
    if (!results) return;
    results_data *data = (results_data *)results;
    for (size_t i = 0; i < data->seen.warning_count; i++) det_free(data->warnings[i]);
    det_free(data->warnings);
    det_results_part_free(&data->part);
    det_free(data);
}

const char *det_results_format_name(det_results_format format)
{
    static const char *const names[] = {"coco", "json", "jsonl", "voc"};
    return (unsigned)format < sizeof names / sizeof *names ? names[format] : "unknown";
}

static const char *const descriptions[DET_NOTE_COUNT] = {
    [DET_NOTE_UNKNOWN_IMAGE] = "detections on pictures that the annotations do not have, left out",
    [DET_NOTE_EMPTY] = "detections whose width or height is not above 0",
    [DET_NOTE_FAILED_IMAGE] = "pictures that failed when they were run, without detections",
    [DET_NOTE_SAME_IMAGE] = "pictures that the results list again, whose detections add up",
    [DET_NOTE_UNLISTED_IMAGE] =
        "annotated pictures that the results do not list, taken as without detections",
    [DET_NOTE_OTHER_FILE] = "files that are not named as VOC results are, passed over",
};

/* Takes the text over. */
static det_status add_warning(results_data *data, det_text *text, det_error *error)
{
    if (text->failed) {
        det_text_free(text);
        return det_fail_memory(error, "results");
    }
    data->warnings[data->seen.warning_count++] = text->data;
    return DET_OK;
}

static det_status warn_of_classes(results_data *data, det_error *error)
{
    const det_results_part *part = &data->part;
    size_t named = 0;
    det_text text = {0};
    det_text_format(&text,
                    "detections of classes that the annotations do not have, left out: %zu (",
                    part->unknown_class_objects);
    for (size_t i = 0; i < part->unknown_count; i++) {
        det_text_format(&text, "%s%s: %zu", i > 0 ? ", " : "", part->unknown[i].name,
                        part->unknown[i].count);
        named += part->unknown[i].count;
    }
    if (named < part->unknown_class_objects)
        det_text_format(&text, ", others: %zu", part->unknown_class_objects - named);
    det_text_add(&text, ")");
    return add_warning(data, &text, error);
}

static det_status make_warnings(results_data *data, det_error *error)
{
    data->warnings = det_alloc_array(DET_NOTE_COUNT + 1, sizeof *data->warnings);
    if (!data->warnings) return det_fail_memory(error, "results");
    det_status status = DET_OK;
    if (data->part.unknown_class_objects > 0) status = warn_of_classes(data, error);
    for (size_t i = 0; status == DET_OK && i < DET_NOTE_COUNT; i++) {
        const det_oddity_count *counted = &data->part.notes[i];
        det_text text = {0};
        if (counted->count == 0) continue;
        det_text_format(&text, "%s: %zu (first: %s)", descriptions[i], counted->count,
                        counted->first);
        status = add_warning(data, &text, error);
    }
    return status;
}

static det_status finish(results_data *data, det_error *error)
{
    const det_results_part *part = &data->part;
    det_results *seen = &data->seen;
    if (part->count >= UINT32_MAX)
        return det_fail(error, DET_LIMIT, "%zu detections: at most 2^32 - 2", part->count);
    seen->form = seen->format == DET_RESULTS_VOC ? DET_BOX_INCLUSIVE : DET_BOX_SIZED;
    seen->objects = part->objects;
    seen->object_count = part->count;
    seen->listed_count = part->listed;
    seen->unknown_image_count = part->listed - part->count - part->unknown_class_objects;
    seen->unknown_class_objects = part->unknown_class_objects;
    seen->unknown_classes = part->unknown;
    seen->unknown_class_count = part->unknown_count;
    seen->failed_image_count = part->notes[DET_NOTE_FAILED_IMAGE].count;
    seen->more_count = part->more;
    seen->empty_count = part->notes[DET_NOTE_EMPTY].count;
    const det_status status = make_warnings(data, error);
    seen->warnings = (const char *const *)data->warnings;
    return status;
}

/* ---- The choice of the format ---- */

/* Where the next character that is no white space is; `size` where there is none. */
static size_t skip_space(const char *text, size_t size, size_t at)
{
    while (at < size && text[at] && strchr(" \t\r\n", text[at])) at++;
    return at;
}

/* The first line is an object by itself, and another one follows. */
static bool are_lines(const char *text, size_t size)
{
    const char *line_end = memchr(text, '\n', size);
    if (!line_end) return false;
    size_t end = (size_t)(line_end - text);
    while (end > 0 && strchr(" \t\r", text[end - 1])) end--;
    const size_t next = skip_space(text, size, end);
    return end > 0 && text[end - 1] == '}' && next < size && text[next] == '{';
}

static det_status find_format(const char *path, const det_bytes *bytes, det_results_format *format,
                              det_error *error)
{
    const char *text = (const char *)bytes->data;
    const size_t mark = bytes->size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    const size_t at = skip_space(text, bytes->size, mark);
    const char first = at < bytes->size ? text[at] : '\0';
    if (first != '[' && first != '{')
        return det_fail(error, DET_FORMAT,
                        "is none of the results that are read: COCO results (a JSON array), what "
                        "'detect' writes (JSON, or lines of it), VOC's comp4 files");
    const bool lines = det_text_ends_fold(path, ".jsonl") || are_lines(text + at, bytes->size - at);
    *format = first == '[' ? DET_RESULTS_COCO : lines ? DET_RESULTS_JSONL : DET_RESULTS_JSON;
    return DET_OK;
}

static det_status parse_coco(const char *text, size_t size, const det_result_names *names,
                             int threads, det_results_part *part, det_error *error)
{
    bool flat = false;
    const det_status status =
        det_results_parse_flat(text, size, names, threads, part, &flat, error);
    if (status < 0 || flat) return status;
    return det_results_parse_coco(text, size, names, part, error);
}

static det_status parse(const det_bytes *bytes, const det_result_names *names, int threads,
                        results_data *data, det_error *error)
{
    const char *text = (const char *)bytes->data;
    if (data->seen.format == DET_RESULTS_COCO)
        return parse_coco(text, bytes->size, names, threads, &data->part, error);
    if (data->seen.format == DET_RESULTS_JSONL)
        return det_results_parse_lines(text, bytes->size, names, &data->part, error);
    return det_results_parse_json(text, bytes->size, names, &data->part, error);
}

static det_status read_json(const char *path, const det_result_names *names, int threads,
                            results_data *data, det_error *error)
{
    det_bytes bytes = {0};
    det_status status = det_file_map(path, &bytes, error);
    if (status < 0) return status;
    status = find_format(path, &bytes, &data->seen.format, error);
    if (status == DET_OK) status = parse(&bytes, names, threads, data, error);
    det_bytes_free(&bytes);
    return status;
}

static det_status read_any(const char *path, const det_result_names *names, int threads,
                           results_data *data, det_error *error)
{
    if (!det_is_folder(path) && !det_text_ends_fold(path, ".txt"))
        return read_json(path, names, threads, data, error);
    data->seen.format = DET_RESULTS_VOC;
    return det_results_read_voc(path, names, &data->part, error);
}

det_status det_results_read(const char *path, const det_annotations *annotations,
                            const det_results_options *options, det_results **results,
                            det_error *error)
{
    static const det_results_options defaults = {0};
    if (!options) options = &defaults;
    det_result_names names = {0};
    results_data *data = det_alloc_zeroed(1, sizeof *data);
    if (!data) return det_fail_memory(error, "results");
    det_status status = det_result_names_make(annotations, options->class_map,
                                              options->class_map_count, &names, error);
    if (status == DET_OK)
        status = det_error_file(error, path, read_any(path, &names, options->threads, data, error));
    if (status == DET_OK) status = finish(data, error);
    det_result_names_free(&names);
    if (status < 0)
        det_results_free(&data->seen);
    else
        *results = &data->seen;
    return status;
}
