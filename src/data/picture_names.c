/* SPDX-License-Identifier: Apache-2.0 */
#include "src/data/picture_names.h"

#include "src/base/file.h"
#include "src/base/memory.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

/* ---- Paths ---- */

static bool is_part(const char *part, size_t length, const char *text)
{
    return length == strlen(text) && memcmp(part, text, length) == 0;
}

/* Where the last part of a clean path begins, behind `least`. */
static size_t last_part(const char *path, size_t length, size_t least)
{
    while (length > least && path[length - 1] != '/') length--;
    return length;
}

/* Takes a part back, or adds "..". @return the new length. */
static size_t go_up(char *clean, size_t length, bool absolute)
{
    const size_t root = absolute;
    const size_t last = last_part(clean, length, root);
    if (length > root && !is_part(clean + last, length - last, ".."))
        return last > root ? last - 1 : root;
    if (absolute) return length;
    if (length > 0) clean[length++] = '/';
    memcpy(clean + length, "..", 2);
    return length + 2;
}

char *det_path_clean(const char *path)
{
    char *clean = det_alloc(strlen(path) + 2);
    if (!clean) return NULL;
    const bool absolute = *path == '/';
    size_t length = absolute;
    if (absolute) *clean = '/';
    while (*path) {
        path += strspn(path, "/");
        const size_t part = strcspn(path, "/");
        if (is_part(path, part, "..")) {
            length = go_up(clean, length, absolute);
        } else if (part > 0 && !is_part(path, part, ".")) {
            if (length > absolute) clean[length++] = '/';
            memcpy(clean + length, path, part);
            length += part;
        }
        path += part;
    }
    clean[length] = '\0';
    return clean;
}

/* ---- Names ---- */

static bool leads_elsewhere(const char *clean)
{
    return *clean == '/' || strcmp(clean, "..") == 0 || strncmp(clean, "../", 3) == 0;
}

/* The files as they are. @param below receives whether none leads elsewhere. */
static det_status take_files(const det_annotations *annotations, det_paths *names, bool *below,
                             det_error *error)
{
    *below = annotations->format != DET_ANNOTATIONS_YOLO;
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && *below && i < annotations->image_count; i++) {
        status = det_paths_push(names, det_path_clean(annotations->images[i].file), error);
        if (status == DET_OK) *below = !leads_elsewhere(names->items[i]);
    }
    return status;
}

/* The absolute path of a picture. */
static char *full_path(const char *root, const char *folder, const char *file)
{
    char *path = det_path_join(folder, file);
    char *full = path ? det_path_join(root, path) : NULL;
    char *clean = full ? det_path_clean(full) : NULL;
    det_free(path);
    det_free(full);
    return clean;
}

static det_status take_paths(const det_annotations *annotations, det_paths *names, det_error *error)
{
    char root[PATH_MAX];
    if (!getcwd(root, sizeof root)) return det_fail_errno(error, ".", "open the folder");
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < annotations->image_count; i++)
        status = det_paths_push(
            names, full_path(root, annotations->folder, annotations->images[i].file), error);
    return status;
}

/* How long the folder is that all paths begin with, its slash included. */
static size_t common_folder(const det_paths *paths)
{
    const char *first = paths->items[0];
    size_t common = last_part(first, strlen(first), 0);
    for (size_t i = 1; i < paths->count; i++) {
        size_t same = 0;
        while (same < common && paths->items[i][same] == first[same]) same++;
        common = last_part(first, same, 0);
    }
    return common;
}

static void drop_common_folder(det_paths *paths)
{
    const size_t common = paths->count > 0 ? common_folder(paths) : 0;
    for (size_t i = 0; i < paths->count; i++)
        memmove(paths->items[i], paths->items[i] + common, strlen(paths->items[i]) - common + 1);
}

det_status det_picture_names_make(const det_annotations *annotations, det_paths *names,
                                  det_error *error)
{
    bool below = false;
    det_status status = take_files(annotations, names, &below, error);
    if (status == DET_OK && !below) {
        det_paths_free(names);
        status = take_paths(annotations, names, error);
    }
    if (status == DET_OK) drop_common_folder(names);
    for (size_t i = 0; status == DET_OK && i < names->count; i++)
        if (!*names->items[i])
            status = det_fail(error, DET_ARGUMENT, "picture %zu, \"%.100s\", has no name", i + 1,
                              annotations->images[i].file);
    return status;
}

char *det_voc_stem(const char *file)
{
    const char *base = det_base_name(file);
    char *stem = det_safe_name(base, det_stem_length(base));
    if (stem && *stem == '.') *stem = '_';
    return stem;
}

det_status det_picture_name_add(det_name_set *set, const char *name, const char *file,
                                det_error *error)
{
    bool added = false;
    const det_status status = det_name_set_add(set, name, &added, error);
    if (status < 0 || added) return status;
    return det_fail_at(
        error, DET_ARGUMENT, file, NULL,
        "another picture is called \"%s\" in the output, too: rename one of them, or "
        "choose a format that keeps whole names",
        name);
}
