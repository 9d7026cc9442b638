/* SPDX-License-Identifier: Apache-2.0 */
/* YOLO data sets (Ultralytics, darknet): beside each picture, or in labels/ where the picture is in
 * images/, a text file with a line an object, "class cx cy width height", relative to the picture.
 * A line of more numbers is an outline, x y x y ...; the box around it is taken, as Ultralytics
 * does. A picture without a text file has no objects.
 *
 * The names of the classes come from a .yaml file, which may also say where the pictures are, or
 * from a list. The sizes of the pictures come from their headers. */
#include "src/data/annotations.h"

#include "detect/data.h"
#include "src/base/file.h"
#include "src/base/memory.h"
#include "src/base/number.h"
#include "src/base/span.h"
#include "src/base/text.h"
#include "src/data/names.h"
#include "src/data/yolo_description.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { max_label_bytes = 64 << 20, max_list_bytes = 1 << 30 };

static det_status out_of_memory(det_error *error)
{
    return det_fail_memory(error, "annotations");
}

/* ---- A line of labels ---- */

static size_t count_words(det_span line)
{
    size_t count = 0;
    for (; line.length > 0; count++) det_span_word(&line);
    return count;
}

static det_status check_columns(size_t columns, det_error *error)
{
    if (columns == 6)
        return det_fail(error, DET_FORMAT,
                        "6 columns are a result with its score, not a label: labels have \"class "
                        "cx cy width height\"");
    if (columns == 5 || (columns > 6 && columns % 2 == 1)) return DET_OK;
    return det_fail(error, DET_FORMAT,
                    "%zu columns; a label has 5, \"class cx cy width height\", or a class and at "
                    "least 3 points of an outline, \"class x y x y x y\"",
                    columns);
}

static int compare_ids(const void *key, const void *category)
{
    const int64_t x = *(const int64_t *)key, y = ((const det_category *)category)->id;
    return (x > y) - (x < y);
}

static det_status read_class(const det_annotations_data *data, det_span word, size_t *category,
                             det_error *error)
{
    double number = 0;
    const size_t count = data->seen.category_count;
    const int shown = (int)(word.length < 40 ? word.length : 40);
    if (!det_number_parse(word.text, word.length, &number) || number < 0 || number > INT32_MAX ||
        number != floor(number))
        return det_fail(error, DET_FORMAT, "\"%.*s\" is not the number of a class", shown,
                        word.text);
    const int64_t id = (int64_t)number;
    const det_category *found =
        count > 0 ? bsearch(&id, data->categories, count, sizeof *found, compare_ids) : NULL;
    if (!found)
        return det_fail(error, DET_FORMAT,
                        "class %lld has no name: there are %zu names, the last of class %lld",
                        (long long)id, count,
                        count > 0 ? (long long)data->categories[count - 1].id : -1);
    *category = (size_t)(found - data->categories);
    return DET_OK;
}

/* Coordinates a little outside the picture are common, pixels a mistake. */
static det_status read_number(det_span word, double *number, det_error *error)
{
    const int shown = (int)(word.length < 40 ? word.length : 40);
    if (!det_number_parse(word.text, word.length, number))
        return det_fail(error, DET_FORMAT, "\"%.*s\" is not a number", shown, word.text);
    if (*number < -1 || *number > 2)
        return det_fail(error, DET_FORMAT,
                        "%.*s is not relative to the picture, 0 to 1: are these pixels?", shown,
                        word.text);
    return DET_OK;
}

static det_status read_box(det_span numbers, double box[4], det_error *error)
{
    det_status status = DET_OK;
    for (int i = 0; status == DET_OK && i < 4; i++)
        status = read_number(det_span_word(&numbers), &box[i], error);
    return status;
}

/* The box around an outline, as centre and size. */
static det_status read_outline(det_span numbers, double box[4], det_error *error)
{
    double low[2] = {HUGE_VAL, HUGE_VAL}, high[2] = {-HUGE_VAL, -HUGE_VAL};
    for (int i = 0; numbers.length > 0; i ^= 1) {
        double number = 0;
        const det_status status = read_number(det_span_word(&numbers), &number, error);
        if (status < 0) return status;
        low[i] = fmin(low[i], number);
        high[i] = fmax(high[i], number);
    }
    for (int i = 0; i < 2; i++) {
        box[i] = (low[i] + high[i]) / 2;
        box[i + 2] = high[i] - low[i];
    }
    return DET_OK;
}

static det_status read_label(det_annotations_data *data, det_span line, det_error *error)
{
    det_annotated_object object = {0};
    const det_annotated_image *image = &data->images[data->seen.image_count - 1];
    const size_t columns = count_words(line);
    det_status status = check_columns(columns, error);
    if (status == DET_OK) status = read_class(data, det_span_word(&line), &object.category, error);
    if (status == DET_OK)
        status = columns == 5 ? read_box(line, object.box, error)
                              : read_outline(line, object.box, error);
    if (status < 0) return status;
    object.area = object.box[2] * image->width * (object.box[3] * image->height);
    if (columns > 5) {
        det_annotations_pass_over(data, "", "", "outline");
        det_annotations_note(data, DET_ODDITY_POLYGON, "object %zu on %s",
                             data->seen.object_count + 1, image->file);
    }
    return det_annotations_add_object(data, object, error);
}

det_status det_yolo_parse(const char *text, size_t size, det_annotations_data *data,
                          det_error *error)
{
    det_span rest = det_span_of(text, size);
    for (size_t number = 1; rest.length > 0; number++) {
        const det_span line = det_span_cut(&rest, '\n');
        if (line.length == 0) continue;
        const det_status status = read_label(data, line, error);
        if (status < 0) {
            det_error_where(error, "line %zu", number);
            return status;
        }
    }
    return DET_OK;
}

/* ---- The labels of a picture ---- */

/* Where the last folder "images" of a path begins; NULL where there is none. */
static const char *find_images(const char *path)
{
    const char *found = NULL;
    for (const char *at = path; (at = strstr(at, "images/")); at++)
        if (at == path || at[-1] == '/') found = at;
    return found;
}

char *det_yolo_label_path(const char *picture)
{
    det_text path = {0};
    const size_t end =
        (size_t)(det_base_name(picture) - picture) + det_stem_length(det_base_name(picture));
    const char *images = find_images(picture);
    const size_t before = images ? (size_t)(images - picture) : 0;
    det_text_append(&path, picture, before);
    if (images) det_text_add(&path, "labels");
    const size_t from = images ? before + strlen("images") : 0;
    det_text_append(&path, picture + from, end - from);
    det_text_add(&path, ".txt");
    if (!path.failed) return path.data;
    det_text_free(&path);
    return NULL;
}

/* A picture whose size is unknown is told, and its boxes cannot become pixels. */
static det_status measure(det_annotations_data *data, det_error *error)
{
    det_error reason = {0};
    det_annotated_image *image = &data->images[data->seen.image_count - 1];
    const det_status status = det_image_size(image->file, &image->width, &image->height, &reason);
    if (status == DET_MEMORY) return out_of_memory(error);
    if (status < 0)
        det_annotations_note(data, DET_ODDITY_UNREADABLE, "%s: %s", image->file, reason.message);
    return DET_OK;
}

static det_status read_labels(const char *path, det_annotations_data *data, det_error *error)
{
    det_bytes bytes = {0};
    det_status status = det_file_read(path, max_label_bytes, &bytes, error);
    if (status == DET_OK)
        status = det_yolo_parse((const char *)bytes.data, bytes.size, data, error);
    det_bytes_free(&bytes);
    return det_error_file(error, path, status);
}

static det_status add_picture(const char *picture, det_annotations_data *data, det_error *error)
{
    char *labels = det_yolo_label_path(picture);
    if (!labels) return out_of_memory(error);
    const int64_t id = (int64_t)data->seen.image_count + 1;
    det_status status = det_annotations_add_image(data, det_copy_string(picture), id, error);
    if (status == DET_OK) status = measure(data, error);
    if (status == DET_OK && det_is_file(labels))
        status = read_labels(labels, data, error);
    else if (status == DET_OK)
        det_annotations_note(data, DET_ODDITY_NO_LABELS, "%s", picture);
    det_free(labels);
    return status;
}

/* ---- Labels without a picture ---- */

typedef struct stray_search {
    det_annotations_data *data;
    const det_name_set *expected; /* files of labels that have a picture */
} stray_search;

static det_status look_at_label(void *context, const char *folder, const char *name,
                                det_error *error)
{
    stray_search *s = context;
    if (!det_text_ends_fold(name, ".txt") || strcmp(name, "classes.txt") == 0) return DET_OK;
    char *path = det_path_join(folder, name);
    if (!path) return out_of_memory(error);
    if (!det_name_set_has(s->expected, path))
        det_annotations_note(s->data, DET_ODDITY_NO_PICTURE, "%s", path);
    det_free(path);
    return DET_OK;
}

/* Looks once into each folder that has labels of a picture. */
static det_status look_into(const char *labels, det_name_set *folders, stray_search *s,
                            det_error *error)
{
    bool added = false;
    char *folder = det_path_folder(labels);
    if (!folder) return out_of_memory(error);
    det_status status = det_name_set_add(folders, folder, &added, error);
    if (status == DET_OK && added && det_is_folder(folder))
        status = det_folder_each(folder, look_at_label, s, error);
    det_free(folder);
    return status;
}

static det_status find_strays(det_annotations_data *data, det_error *error)
{
    det_name_set expected = {0}, folders = {0};
    stray_search search = {data, &expected};
    det_status status = DET_OK;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; status == DET_OK && i < data->seen.image_count; i++) {
            bool added = false;
            char *labels = det_yolo_label_path(data->images[i].file);
            if (!labels)
                status = out_of_memory(error);
            else if (pass == 0)
                status = det_name_set_add(&expected, labels, &added, error);
            else
                status = look_into(labels, &folders, &search, error);
            det_free(labels);
        }
    det_name_set_free(&expected);
    det_name_set_free(&folders);
    return status;
}

/* ---- Where the pictures are ---- */

typedef struct yolo_set {
    char *root;                       /* the folder that paths are relative to */
    det_yolo_description description; /* empty where there is no .yaml file but for the names */
    det_paths pictures;
    bool listed; /* some come from lists, so that others may lie beside them */
} yolo_set;

static bool exists(const char *path)
{
    return det_is_folder(path) || det_is_file(path);
}

/* Lists of Ultralytics are relative to their folder, those of darknet to where it was started. NULL
 * when memory is short. */
static char *listed_path(const char *folder, const char *name)
{
    char *path = det_path_join(folder, strncmp(name, "./", 2) == 0 ? name + 2 : name);
    if (!path || exists(path) || !exists(name)) return path;
    det_free(path);
    return det_copy_string(name);
}

static det_status add_lines(yolo_set *set, const char *path, const det_bytes *bytes,
                            const char *folder, det_error *error)
{
    det_span rest = det_span_of((const char *)bytes->data, bytes->size);
    while (rest.length > 0) {
        const det_span line = det_span_cut(&rest, '\n');
        if (line.length == 0) continue;
        if (!det_span_is_text(line))
            return det_fail_at(error, DET_FORMAT, path, NULL, "is not a list of pictures");
        char *name = det_span_copy(line);
        if (!name) return out_of_memory(error);
        const det_status status = det_paths_push(&set->pictures, listed_path(folder, name), error);
        det_free(name);
        if (status < 0) return status;
    }
    return DET_OK;
}

static det_status add_list(yolo_set *set, const char *path, det_error *error)
{
    det_bytes bytes = {0};
    char *folder = det_path_folder(path);
    det_status status =
        folder ? det_file_read(path, max_list_bytes, &bytes, error) : out_of_memory(error);
    if (status == DET_OK) status = add_lines(set, path, &bytes, folder, error);
    set->listed = true;
    det_bytes_free(&bytes);
    det_free(folder);
    return status;
}

static det_status add_folder(yolo_set *set, const char *path, det_error *error)
{
    det_inputs inputs = {0};
    const char *const operands[] = {path};
    det_status status = det_inputs_expand(operands, 1, true, &inputs, error);
    for (size_t i = 0; status == DET_OK && i < inputs.count; i++) {
        status = det_paths_push(&set->pictures, inputs.paths[i], error);
        inputs.paths[i] = NULL;
    }
    det_inputs_free(&inputs);
    return status;
}

static det_status add_source(yolo_set *set, const char *path, det_error *error)
{
    return det_is_folder(path) ? add_folder(set, path, error) : add_list(set, path, error);
}

/* The first of `names` that exists below the root; *found is NULL where none does. */
static det_status find_below(const char *root, const char *const *names, char **found,
                             det_error *error)
{
    *found = NULL;
    for (; *names; names++) {
        char *path = det_path_join(root, *names);
        if (!path) return out_of_memory(error);
        if (exists(path)) {
            *found = path;
            return DET_OK;
        }
        det_free(path);
    }
    return DET_OK;
}

/* An entry of the .yaml file. Those that Roboflow writes begin with "../" where they should not. */
static det_status add_entry(yolo_set *set, const char *entry, bool needed, det_error *error)
{
    const bool up = strncmp(entry, "../", 3) == 0;
    const char *const names[] = {entry, up ? entry + 3 : NULL, NULL};
    char *path = NULL;
    det_status status = find_below(set->root, names, &path, error);
    if (status == DET_OK && path)
        status = add_source(set, path, error);
    else if (status == DET_OK && needed)
        status = det_fail(error, DET_IO, "\"%s\" is not there; it was looked for in %s", entry,
                          *set->root ? set->root : "the working directory");
    det_free(path);
    return status;
}

static det_status add_part(yolo_set *set, det_yolo_part part, bool needed, det_error *error)
{
    const det_paths *entries = &set->description.parts[part];
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < entries->count; i++)
        status = add_entry(set, entries->items[i], needed, error);
    return status;
}

static bool describes_pictures(const yolo_set *set)
{
    for (int i = 0; i < DET_YOLO_PARTS; i++)
        if (set->description.parts[i].count > 0) return true;
    return false;
}

/* A split that the .yaml file does not have: images/SPLIT or SPLIT/images. */
static det_status add_split_folder(yolo_set *set, const char *split, det_error *error)
{
    det_text first = {0}, second = {0};
    char *path = NULL;
    det_text_format(&first, "images/%s", split);
    det_text_format(&second, "%s/images", split);
    const char *const names[] = {first.data, second.data, NULL};
    det_status status = first.failed || second.failed ? out_of_memory(error)
                                                      : find_below(set->root, names, &path, error);
    if (status == DET_OK && path)
        status = add_source(set, path, error);
    else if (status == DET_OK)
        status =
            det_fail(error, DET_ARGUMENT,
                     "there is no split \"%s\": neither a .yaml file names its pictures, nor is "
                     "there images/%s or %s/images",
                     split, split, split);
    det_text_free(&first);
    det_text_free(&second);
    det_free(path);
    return status;
}

static det_status add_split(yolo_set *set, const char *split, det_error *error)
{
    static const char *const parts[DET_YOLO_PARTS] = {"train", "val", "test"};
    for (int i = 0; i < DET_YOLO_PARTS; i++)
        if (strcmp(split, parts[i]) == 0 && set->description.parts[i].count > 0)
            return add_part(set, (det_yolo_part)i, true, error);
    return add_split_folder(set, split, error);
}

/* All parts that are there; without any, images/, or the folder itself. */
static det_status add_all(yolo_set *set, det_error *error)
{
    const char *const names[] = {"images", *set->root ? "" : ".", NULL};
    det_status status = DET_OK;
    for (int i = 0; status == DET_OK && i < DET_YOLO_PARTS; i++)
        status = add_part(set, (det_yolo_part)i, false, error);
    if (status < 0 || set->pictures.count > 0) return status;
    if (describes_pictures(set))
        return det_fail(error, DET_IO,
                        "none of the pictures that \"train\", \"val\" and \"test\" name is there; "
                        "they were looked for in %s",
                        *set->root ? set->root : "the working directory");
    char *path = NULL;
    status = find_below(set->root, names, &path, error);
    if (status == DET_OK) status = add_source(set, path, error);
    det_free(path);
    return status;
}

/* ---- What describes the data set ---- */

/* "path" of the .yaml file counts where that folder is there: Ultralytics takes it from a folder of
 * its own settings, which nobody else knows. */
static det_status use_path(yolo_set *set, det_error *error)
{
    const char *path = set->description.path;
    if (!path || strcmp(path, ".") == 0) return DET_OK;
    char *root = det_path_join(set->root, path);
    if (!root) return out_of_memory(error);
    char *dropped = root;
    if (det_is_folder(root)) {
        dropped = set->root;
        set->root = root;
    }
    det_free(dropped);
    return DET_OK;
}

static det_status read_yaml(yolo_set *set, const char *path, det_error *error)
{
    const det_status status = det_yolo_read_yaml(path, &set->description, error);
    if (status < 0) return status;
    if (set->description.name_count == 0)
        return det_fail_at(error, DET_FORMAT, path, NULL, "gives no \"names\" of classes");
    return use_path(set, error);
}

static bool is_yaml(const char *name)
{
    return det_text_ends_fold(name, ".yaml") || det_text_ends_fold(name, ".yml");
}

/* All .yaml files of a folder. */
static det_status list_yaml(const char *folder, det_paths *names, det_error *error)
{
    const det_status status = det_folder_names(folder, ".yaml", names, error);
    return status == DET_OK ? det_folder_names(folder, ".yml", names, error) : status;
}

/* The .yaml file of a folder: one of a usual name, or the only one. *found is NULL where there is
 * none. */
static det_status find_yaml(const char *folder, char **found, det_error *error)
{
    static const char *const usual[] = {"data.yaml", "config.yaml", "dataset.yaml", NULL};
    det_paths names = {0};
    det_status status = find_below(folder, usual, found, error);
    if (status < 0 || *found) return status;
    status = list_yaml(folder, &names, error);
    if (status == DET_OK && names.count == 1) {
        *found = det_path_join(folder, names.items[0]);
        if (!*found) status = out_of_memory(error);
    } else if (status == DET_OK && names.count > 1) {
        status = det_fail(error, DET_ARGUMENT,
                          "there are %zu .yaml files, %s and %s among them: name the one that "
                          "describes the data set",
                          names.count, names.items[0], names.items[1]);
    }
    det_paths_free(&names);
    return status;
}

static const char *const name_lists[] = {"classes.txt", "obj.names", "labels/classes.txt", NULL};

static det_status describe_folder(yolo_set *set, const char *folder, det_error *error)
{
    char *path = NULL;
    set->root = det_copy_string(folder);
    if (!set->root) return out_of_memory(error);
    det_status status = find_yaml(folder, &path, error);
    if (status == DET_OK && path) {
        status = read_yaml(set, path, error);
    } else if (status == DET_OK) {
        status = find_below(folder, name_lists, &path, error);
        if (status == DET_OK && path)
            status = det_yolo_read_names(path, &set->description, error);
        else if (status == DET_OK)
            status = det_fail(error, DET_FORMAT,
                              "nothing names the classes: a .yaml file with \"names\" was looked "
                              "for, and classes.txt, obj.names and labels/classes.txt");
    }
    det_free(path);
    return status;
}

static det_status describe(yolo_set *set, const char *path, det_error *error)
{
    if (det_is_folder(path)) return describe_folder(set, path, error);
    set->root = det_path_folder(path);
    return set->root ? read_yaml(set, path, error) : out_of_memory(error);
}

static det_status has_one_of(const char *folder, const char *const *names, bool *found,
                             det_error *error)
{
    char *sign = NULL;
    const det_status status = find_below(folder, names, &sign, error);
    *found = sign != NULL;
    det_free(sign);
    return status;
}

det_status det_yolo_recognises(const char *path, bool *found, det_error *error)
{
    det_paths names = {0};
    if (!det_is_folder(path)) {
        *found = is_yaml(path);
        return DET_OK;
    }
    det_status status = has_one_of(path, name_lists, found, error);
    if (status < 0 || *found) return status;
    status = list_yaml(path, &names, error);
    *found = names.count > 0;
    det_paths_free(&names);
    return status;
}

det_status det_yolo_suspects(const char *path, bool *found, det_error *error)
{
    static const char *const signs[] = {"images", NULL};
    return has_one_of(path, signs, found, error);
}

/* ---- A data set ---- */

static det_status take_names(det_yolo_description *description, det_annotations_data *data,
                             det_error *error)
{
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < description->name_count; i++) {
        status = det_annotations_add_category(data, (char *)description->names[i].name,
                                              description->names[i].id, error);
        description->names[i].name = NULL;
    }
    return status;
}

/* A picture of several parts counts once. */
static det_status add_pictures(const yolo_set *set, det_annotations_data *data, det_error *error)
{
    det_name_set seen = {0};
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < set->pictures.count; i++) {
        bool added = false;
        status = det_name_set_add(&seen, set->pictures.items[i], &added, error);
        if (status == DET_OK && added) status = add_picture(set->pictures.items[i], data, error);
    }
    det_name_set_free(&seen);
    return status;
}

det_status det_yolo_read(const char *path, const char *split, det_annotations_data *data,
                         det_error *error)
{
    yolo_set set = {0};
    det_status status = describe(&set, path, error);
    if (status == DET_OK) status = split ? add_split(&set, split, error) : add_all(&set, error);
    if (status == DET_OK) status = take_names(&set.description, data, error);
    if (status == DET_OK) status = add_pictures(&set, data, error);
    if (status == DET_OK && !set.listed && !split) status = find_strays(data, error);
    det_paths_free(&set.pictures);
    det_yolo_description_free(&set.description);
    det_free(set.root);
    return status;
}
