/* SPDX-License-Identifier: Apache-2.0 */
#include "src/data/paths.h"

#include "src/base/file.h"
#include "src/base/memory.h"
#include "src/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

det_status det_paths_push(det_paths *paths, char *path, det_error *error)
{
    if (path && det_grow_array(&paths->items, &paths->capacity, paths->count + 1, sizeof(char *))) {
        paths->items[paths->count++] = path;
        return DET_OK;
    }
    det_free(path);
    return det_fail_memory(error, "a list of files");
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void det_paths_sort(det_paths *paths, size_t first)
{
    if (first < paths->count)
        qsort(paths->items + first, paths->count - first, sizeof(char *), compare_paths);
}

void det_paths_free(det_paths *paths)
{
    for (size_t i = 0; i < paths->count; i++) det_free(paths->items[i]);
    det_free(paths->items);
    *paths = (det_paths){0};
}

bool det_is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool det_is_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && !S_ISDIR(status.st_mode);
}

bool det_is_regular_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

det_status det_make_folder(const char *path, det_error *error)
{
    struct stat status;
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return det_fail_errno(error, path, "make the folder");
    if (stat(path, &status) == 0 && !S_ISDIR(status.st_mode))
        return det_fail_at(error, DET_IO, path, NULL, "is not a folder");
    if (access(path, W_OK | X_OK) != 0) return det_fail_errno(error, path, "write into the folder");
    return DET_OK;
}

bool det_is_picture_name(const char *name)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png", ".webp"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (det_text_ends_fold(name, endings[i])) return true;
    return false;
}

det_status det_folder_each(const char *folder, det_folder_entry *take, void *context,
                           det_error *error)
{
    DIR *stream = opendir(folder);
    if (!stream) return det_fail_errno(error, folder, "open the folder");
    det_status status = DET_OK;
    while (status == DET_OK) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (!entry) {
            if (errno) status = det_fail_errno(error, folder, "read the folder");
            break;
        }
        if (entry->d_name[0] != '.') status = take(context, folder, entry->d_name, error);
    }
    closedir(stream);
    return status;
}

typedef struct wanted_names {
    const char *ending;
    det_paths *names;
} wanted_names;

static det_status take_name(void *context, const char *folder, const char *name, det_error *error)
{
    (void)folder;
    const wanted_names *wanted = context;
    if (!det_text_ends_fold(name, wanted->ending)) return DET_OK;
    return det_paths_push(wanted->names, det_copy_string(name), error);
}

det_status det_folder_names(const char *folder, const char *ending, det_paths *names,
                            det_error *error)
{
    const size_t first = names->count;
    const det_status status =
        det_folder_each(folder, take_name, &(wanted_names){ending, names}, error);
    det_paths_sort(names, first);
    return status;
}

/* ---- Pictures in folders -------------------------------------------------------------------- */

/* Where the entries of a folder go. */
typedef struct folder_entries {
    det_paths *pictures, *folders;
} folder_entries;

/* Sorts an entry of a folder: into the pictures, into the folders still to visit, or nowhere. A
 * link that leads nowhere counts as a picture, so that reading it says what is wrong. */
static det_status take_entry(void *context, const char *folder, const char *name, det_error *error)
{
    const folder_entries *entries = context;
    char *path = det_path_join(folder, name);
    if (!path) return det_fail_memory(error, "a list of pictures");

    struct stat status;
    if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return det_paths_push(entries->folders, path, error);
    const bool regular = stat(path, &status) != 0 || S_ISREG(status.st_mode);
    if (regular && det_is_picture_name(name)) return det_paths_push(entries->pictures, path, error);
    det_free(path);
    return DET_OK;
}

det_status det_paths_add_pictures(det_paths *list, const char *folder, bool recursive,
                                  det_error *error)
{
    det_paths folders = {0};
    const size_t before = list->count;
    det_status result = det_paths_push(&folders, det_copy_string(folder), error);
    for (size_t i = 0; result == DET_OK && i < folders.count && (i == 0 || recursive); i++)
        result =
            det_folder_each(folders.items[i], take_entry, &(folder_entries){list, &folders}, error);

    if (result == DET_OK && list->count == before)
        result = det_fail_at(error, DET_ARGUMENT, folder, NULL,
                             "no pictures (.jpg, .jpeg, .png, .webp) in this folder%s",
                             !recursive && folders.count > 1
                                 ? "; --recursive looks in the folders below it, too"
                                 : "");
    if (result == DET_OK) det_paths_sort(list, before);
    det_paths_free(&folders);
    return result;
}
