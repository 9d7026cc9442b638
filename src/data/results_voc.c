/* SPDX-License-Identifier: Apache-2.0 */
/* Results as the PASCAL VOC devkit takes them (competition 4): comp4_det_SPLIT_CLASS.txt with lines
 * "image score xmin ymin xmax ymax". */
#include "src/base/file.h"
#include "src/base/memory.h"
#include "src/base/number.h"
#include "src/base/span.h"
#include "src/base/text.h"
#include "src/data/names.h"
#include "src/data/paths.h"
#include "src/data/results.h"

#include <string.h>

/* ---- Lines ---- */

/* The picture of the line before: lines of one picture often follow one another. */
typedef struct last_image {
    det_span name;
    uint32_t image;
    bool known;
} last_image;

static det_status find_image(const det_result_names *names, det_span name, last_image *last,
                             det_error *error)
{
    if (last->name.length == name.length && memcmp(last->name.text, name.text, name.length) == 0)
        return DET_OK;
    size_t image = 0;
    char *copy = det_span_copy(name);
    if (!copy) return det_fail_memory(error, "results");
    last->known = det_annotations_find_image(names->annotations, copy, &image, NULL) == DET_OK;
    last->image = (uint32_t)image;
    last->name = name;
    det_free(copy);
    return DET_OK;
}

static det_status parse_line(det_span line, double numbers[5], det_error *error)
{
    static const char *const columns[] = {"score", "xmin", "ymin", "xmax", "ymax"};
    for (size_t i = 0; i < 5; i++) {
        const det_span word = det_span_word(&line);
        if (!det_number_parse(word.text, word.length, &numbers[i]))
            return det_fail(error, DET_FORMAT,
                            "a line is \"image score xmin ymin xmax ymax\", and \"%.*s\" is no %s",
                            (int)(word.length < 60 ? word.length : 60), word.text, columns[i]);
    }
    if (line.length > 0)
        return det_fail(error, DET_FORMAT,
                        "a line is \"image score xmin ymin xmax ymax\", and this one has more");
    return DET_OK;
}

typedef struct class_file {
    const det_result_names *names;
    det_results_part *part;
    uint32_t category;
    bool known; /* the class */
    size_t unknown_count;
    last_image last;
} class_file;

static det_status read_line(class_file *f, det_span line, det_error *error)
{
    const det_span name = det_span_word(&line);
    double numbers[5];
    det_status status = parse_line(line, numbers, error);
    if (status == DET_OK) status = find_image(f->names, name, &f->last, error);
    if (status < 0) return status;
    if (f->last.known && f->known) {
        const det_detected_object object = {
            .image = f->last.image,
            .category = f->category,
            .score = numbers[0],
            .box = {numbers[1], numbers[2], numbers[3], numbers[4]},
        };
        return det_results_add(f->part, &object, DET_BOX_INCLUSIVE, error);
    }
    f->part->listed++;
    if (f->last.known)
        f->unknown_count++;
    else
        det_results_count(f->part, DET_NOTE_UNKNOWN_IMAGE, "%.*s",
                          (int)(name.length < 200 ? name.length : 200), name.text);
    return DET_OK;
}

/* File names have '_' where class names have a space. */
static bool find_class(const det_result_names *names, const char *name, uint32_t *category,
                       bool *enough)
{
    if (det_result_class_by_name(names, name, category)) return true;
    const det_annotations *a = names->annotations;
    bool found = false;
    for (size_t c = 0; !found && *enough && c < a->category_count; c++) {
        char *safe = det_safe_name(a->categories[c].name, strlen(a->categories[c].name));
        *enough = safe != NULL;
        found = safe && strcmp(safe, name) == 0;
        if (found) *category = (uint32_t)c;
        det_free(safe);
    }
    return found;
}

det_status det_results_parse_voc(const char *text, size_t size, const char *class_name,
                                 const det_result_names *names, det_results_part *part,
                                 det_error *error)
{
    bool enough = true;
    class_file f = {.names = names, .part = part};
    f.known = find_class(names, class_name, &f.category, &enough);
    det_status status = enough ? DET_OK : det_fail_memory(error, "results");
    det_span left = det_span_of(text, size);
    for (size_t number = 1; status == DET_OK && left.length > 0; number++) {
        const det_span line = det_span_cut(&left, '\n');
        if (line.length == 0) continue;
        status = read_line(&f, line, error);
        if (status < 0) det_error_where(error, "line %zu", number);
    }
    if (status == DET_OK && f.unknown_count > 0)
        status = det_results_count_class(part, class_name, f.unknown_count, error);
    return status;
}

/* ---- Files ---- */

/* The class in "comp4_det_test_CLASS.txt": what follows the third '_', without the ending; NULL
 * where the name is no such one, or *enough becomes false. det_free it. */
static char *class_of(const char *base, bool *enough)
{
    const char *at = base;
    if (strncmp(base, "comp", 4) != 0 || !det_text_ends_fold(base, ".txt")) return NULL;
    for (int i = 0; at && i < 3; i++) {
        at = strchr(at, '_');
        if (at) at++;
        if (i == 0 && at && strncmp(at, "det_", 4) != 0) return NULL;
    }
    if (!at || strlen(at) <= strlen(".txt")) return NULL;
    char *name = det_span_copy((det_span){at, strlen(at) - strlen(".txt")});
    *enough = *enough && name;
    return name;
}

static det_status read_file(const char *path, const char *class_name, const det_result_names *names,
                            det_results_part *part, det_error *error)
{
    const uint64_t max_bytes = UINT64_C(4) << 30;
    det_bytes bytes = {0};
    det_status status = det_file_read(path, max_bytes, &bytes, error);
    if (status == DET_OK)
        status = det_results_parse_voc((const char *)bytes.data, bytes.size, class_name, names,
                                       part, error);
    det_bytes_free(&bytes);
    return det_error_file(error, path, status);
}

/* @param taken receives whether the file's name says a class. */
static det_status read_named(const char *path, const det_result_names *names,
                             det_results_part *part, bool *taken, det_error *error)
{
    bool enough = true;
    char *class_name = class_of(det_base_name(path), &enough);
    *taken = class_name != NULL;
    det_status status = enough ? DET_OK : det_fail_memory(error, "results");
    if (class_name) status = read_file(path, class_name, names, part, error);
    det_free(class_name);
    return status;
}

static det_status read_folder(const char *folder, const det_paths *files,
                              const det_result_names *names, det_results_part *part,
                              det_error *error)
{
    size_t read = 0;
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < files->count; i++) {
        bool taken = false;
        char *path = det_path_join(folder, files->items[i]);
        status =
            path ? read_named(path, names, part, &taken, error) : det_fail_memory(error, "results");
        det_free(path);
        read += taken;
        if (status == DET_OK && !taken)
            det_results_count(part, DET_NOTE_OTHER_FILE, "%s", files->items[i]);
    }
    if (status < 0 || read > 0) return status;
    return det_fail_at(error, DET_FORMAT, folder, NULL,
                       "has no files of VOC results, such as comp4_det_test_cat.txt");
}

det_status det_results_read_voc(const char *path, const det_result_names *names,
                                det_results_part *part, det_error *error)
{
    bool taken = false;
    det_paths files = {0};
    det_status status = DET_OK;
    if (det_is_folder(path)) {
        status = det_folder_names(path, ".txt", &files, error);
        if (status == DET_OK) status = read_folder(path, &files, names, part, error);
        det_paths_free(&files);
        return status;
    }
    status = read_named(path, names, part, &taken, error);
    if (status < 0 || taken) return status;
    return det_fail_at(error, DET_FORMAT, path, NULL,
                       "a file of VOC results is named as comp4_det_test_cat.txt, which says its "
                       "class");
}
