/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations: made of defaults, a file, and single assignments. What the keys are, and what
 * each takes, stands in config_keys.c. */
#include "detect/data.h"

#include "src/base/error.h"
#include "src/base/file.h"
#include "src/base/json_reader.h"
#include "src/base/memory.h"
#include "src/base/text.h"
#include "src/data/config_keys.h"
#include "src/data/config_kinds.h"

#include <stdio.h>
#include <string.h>

/* Longer than any key path; a longer one is unknown, however it is cut. */
enum { path_size = 128 };

det_status det_config_create(det_config **config, det_error *error)
{
    det_config *made = det_alloc_zeroed(1, sizeof *made);
    if (!made) return det_fail_memory(error, "a configuration");
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < det_config_row_count; i++)
        status = det_config_set_default(made, &det_config_rows[i], det_config_rows[i].default_value,
                                        error);
    if (status < 0)
        det_config_free(made);
    else
        *config = made;
    return status;
}

/* The path that a row of that kind owns. */
static char **owned_path(det_config *config, const det_config_row *row)
{
    return row->kind == &det_config_kind_path ? (char **)((char *)config + row->offset) : NULL;
}

void det_config_free(det_config *config)
{
    if (!config) return;
    for (size_t i = 0; i < det_config_row_count; i++) {
        char **path = owned_path(config, &det_config_rows[i]);
        if (path) det_free(*path);
    }
    for (size_t i = 0; i < config->classifier.model_count; i++)
        det_free(config->classifier.models[i]);
    det_free(config->classifier.models);
    det_free(config);
}

/* ---- Unknown keys ---- */

/* `path` is a group: some key begins with it and a point. */
static bool is_group(const char *path)
{
    const size_t length = strlen(path);
    for (size_t i = 0; i < det_config_row_count; i++)
        if (strncmp(det_config_rows[i].path, path, length) == 0 &&
            det_config_rows[i].path[length] == '.')
            return true;
    return false;
}

static const char *last_name(const char *path)
{
    const char *point = strrchr(path, '.');
    return point ? point + 1 : path;
}

typedef struct suggestion {
    size_t distance;
    char path[path_size];
} suggestion;

/* Considers a key, and every group that it lies in, as what `path` was meant to be. The same last
 * name in another group is as good as one wrong letter. */
static void consider(suggestion *best, const char *candidate, const char *path)
{
    for (size_t length = strlen(candidate);;) {
        char prefix[path_size];
        snprintf(prefix, sizeof prefix, "%.*s", (int)length, candidate);
        const bool same_name = strcmp(last_name(prefix), last_name(path)) == 0;
        const size_t distance = same_name ? 1 : det_text_distance(path, prefix);
        if (distance < best->distance) {
            best->distance = distance;
            strcpy(best->path, prefix);
        }
        while (length > 0 && candidate[length - 1] != '.') length--;
        if (length == 0) return;
        length--;
    }
}

static det_status unknown_key(const char *path, det_error *error)
{
    suggestion best = {.distance = 1 + strlen(path) / 3}; /* farther is no likeness */
    for (size_t i = 0; i < det_config_row_count; i++)
        consider(&best, det_config_rows[i].path, path);
    det_fail(error, DET_FORMAT, "there is no such key%s%s%s", *best.path ? "; did you mean " : "",
             best.path, *best.path ? "?" : "");
    det_error_where(error, "%s", path);
    return DET_FORMAT;
}

/* ---- Values of any depth ---- */

static det_status apply(det_config *config, const char *path, json_object *value,
                        const char *folder, det_error *error);

static det_status apply_members(det_config *config, const char *group, json_object *object,
                                const char *folder, det_error *error)
{
    json_object_object_foreach(object, key, value)
    {
        char path[path_size];
        if (strchr(key, '.'))
            return det_fail_at(error, DET_FORMAT, NULL, key,
                               "a key inside braces has no point: a group is an object, as in "
                               "{\"runtime\": {\"threads\": 2}}");
        snprintf(path, sizeof path, "%s%s%s", group, *group ? "." : "", key);
        const det_status status = apply(config, path, value, folder, error);
        if (status < 0) return status;
    }
    return DET_OK;
}

static det_status apply(det_config *config, const char *path, json_object *value,
                        const char *folder, det_error *error)
{
    const det_config_row *row = det_config_find(path);
    if (row) return det_config_set_row(config, row, value, folder, error);
    if (!is_group(path)) return unknown_key(path, error);
    if (json_object_is_type(value, json_type_object))
        return apply_members(config, path, value, folder, error);
    det_fail(error, DET_FORMAT, "must be an object: a group of keys in braces");
    det_error_where(error, "%s", path);
    return DET_FORMAT;
}

/* ---- Files ---- */

static det_status apply_document(det_config *config, json_object *document, const char *folder,
                                 det_error *error)
{
    if (!json_object_is_type(document, json_type_object))
        return det_fail_at(error, DET_FORMAT, NULL, "line 1, column 1",
                           "a configuration is an object: {\"proposals\": {...}, ...}");
    const det_status status = apply_members(config, "", document, folder, error);
    return status < 0 ? status : det_config_apply_preset(config, error);
}

det_status det_config_parse(const char *text, size_t size, const char *folder, det_config **config,
                            det_error *error)
{
    json_object *document = NULL;
    det_config *made = NULL;
    det_status status = det_json_parse(text, size, &document, error);
    if (status == DET_OK) status = det_config_create(&made, error);
    if (status == DET_OK) status = apply_document(made, document, folder, error);
    json_object_put(document);
    if (status < 0)
        det_config_free(made);
    else
        *config = made;
    return status;
}

det_status det_config_load(const char *path, det_config **config, det_error *error)
{
    enum { max_bytes = 1 << 30 };
    det_bytes bytes = {0};
    char *folder = det_path_folder(path);
    det_status status = folder ? det_file_read(path, max_bytes, &bytes, error)
                               : det_fail_memory(error, "a configuration");
    if (status == DET_OK)
        status = det_config_parse((const char *)bytes.data, bytes.size, folder, config, error);
    det_bytes_free(&bytes);
    det_free(folder);
    return det_error_file(error, path, status);
}

/* ---- Assignments ---- */

/* Gives a copy paths of its own. */
static bool copy_paths(det_config *config)
{
    bool complete = true;
    for (size_t i = 0; i < det_config_row_count; i++) {
        char **path = owned_path(config, &det_config_rows[i]);
        if (!path || !*path) continue;
        *path = complete ? det_copy_string(*path) : NULL;
        complete = complete && *path;
    }
    return complete;
}

static det_status copy_models(const det_config *from, det_config *to, det_error *error)
{
    const size_t count = from->classifier.model_count;
    to->classifier.models = det_alloc_zeroed(count, sizeof(char *));
    to->classifier.model_count = to->classifier.models ? count : 0;
    bool complete = to->classifier.models;
    for (size_t i = 0; complete && i < count; i++) {
        to->classifier.models[i] = det_copy_string(from->classifier.models[i]);
        complete = to->classifier.models[i];
    }
    return complete ? DET_OK : det_fail_memory(error, "a configuration");
}

det_status det_config_copy(const det_config *from, det_config **to, det_error *error)
{
    det_config *made = det_alloc(sizeof *made);
    if (!made) return det_fail_memory(error, "a configuration");
    *made = *from;
    det_status status = copy_models(from, made, error);
    if (!copy_paths(made)) status = det_fail_memory(error, "a configuration");
    if (status < 0)
        det_config_free(made);
    else
        *to = made;
    return status;
}

/* The value of an assignment: JSON where it is that, else a string. */
static det_status parse_value(const char *text, json_object **value, det_error *error)
{
    const det_status status = det_json_parse(text, strlen(text), value, NULL);
    if (status == DET_FORMAT) *value = json_object_new_string(text);
    if (status == DET_MEMORY || (status == DET_FORMAT && !*value))
        return det_fail_memory(error, "the value of a key");
    return DET_OK;
}

/* An array may be given by its only element. */
static det_status wrap_element(const char *path, json_object **value, det_error *error)
{
    const det_config_row *row = det_config_find(path);
    if (!row || strcmp(row->type, "array") != 0) return DET_OK;
    if (json_object_is_type(*value, json_type_array)) return DET_OK;
    json_object *array = json_object_new_array();
    if (!array || json_object_array_add(array, *value) != 0) {
        json_object_put(array);
        return det_fail_memory(error, "the value of a key");
    }
    *value = array;
    return DET_OK;
}

static det_status assign(det_config *config, const char *path, const char *text, det_error *error)
{
    json_object *value = NULL;
    det_status status = parse_value(text, &value, error);
    if (status == DET_OK) status = wrap_element(path, &value, error);
    if (status == DET_OK) status = apply(config, path, value, "", error);
    if (status == DET_OK) status = det_config_apply_preset(config, error);
    json_object_put(value);
    return status;
}

/* ---- Settings of models --------------------------------------------------------------------- */

static det_status adopt_members(det_config *config, json_object *settings, det_error *error)
{
    json_object_object_foreach(settings, path, value)
    {
        const det_config_row *row = det_config_find(path);
        if (!row || det_config_is_chosen(config, row)) continue;
        const det_status status = row->kind->set(config, row, value, "", error);
        if (status < 0) return det_error_inside(error, path, ": ", status);
    }
    return DET_OK;
}

det_status det_config_adopt(det_config *config, const char *settings, det_error *error)
{
    json_object *object = NULL;
    det_status status = det_json_parse(settings, strlen(settings), &object, error);
    if (status == DET_OK && !json_object_is_type(object, json_type_object))
        status = det_fail(error, DET_FORMAT, "is not a JSON object");
    if (status == DET_OK) status = adopt_members(config, object, error);
    json_object_put(object);
    return status;
}

char *det_config_excerpt(const det_config *config, const char *const *prefixes)
{
    det_json *json = det_json_create();
    if (!json) return NULL;
    const char *path, *text;
    det_json_begin_object(json, NULL);
    for (size_t i = 0; det_config_key(i, &path, NULL, NULL, NULL); i++)
        for (const char *const *p = prefixes; *p; p++)
            if (strncmp(path, *p, strlen(*p)) == 0) det_config_value(config, i, json, path);
    det_json_end(json);
    char *copy = det_json_finish(json, &text, NULL, NULL) == DET_OK ? det_copy_string(text) : NULL;
    det_json_free(json);
    return copy;
}

/* What is wrong in a file is wrong usage on a command line. */
static det_status as_argument(det_status status, det_error *error)
{
    if (status != DET_FORMAT) return status;
    if (error) error->status = DET_ARGUMENT;
    return DET_ARGUMENT;
}

det_status det_config_set(det_config *config, const char *assignment, det_error *error)
{
    char path[path_size];
    const size_t length = strcspn(assignment, "=");
    if (length == 0 || assignment[length] == '\0')
        return det_fail(error, DET_ARGUMENT,
                        "\"%.100s\" does not set a key; write KEY=VALUE, such as "
                        "postprocess.nms.iou=0.3",
                        assignment);
    snprintf(path, sizeof path, "%.*s", (int)length, assignment);

    det_config *changed = NULL;
    det_status status = det_config_copy(config, &changed, error);
    if (status == DET_OK) status = assign(changed, path, assignment + length + 1, error);
    if (status == DET_OK) {
        const det_config old = *config;
        *config = *changed;
        *changed = old;
    }
    det_config_free(changed);
    return as_argument(status, error);
}
