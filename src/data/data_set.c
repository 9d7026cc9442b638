/* SPDX-License-Identifier: Apache-2.0 */
#include "src/data/data_set.h"

#include "src/base/file.h"
#include "src/base/memory.h"
#include "src/data/paths.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static det_status out_of_memory(det_error *error)
{
    return det_fail_memory(error, "a data set");
}

static bool exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

/* ---- The folder ---- */

static det_status count_entry(void *context, const char *folder, const char *name, det_error *error)
{
    (void)folder, (void)name, (void)error;
    ++*(size_t *)context;
    return DET_OK;
}

det_status det_data_set_begin(det_data_set *set, const char *sign, det_error *error)
{
    size_t entries = 0;
    det_status status = det_make_folder(set->root, error);
    if (status == DET_OK) status = det_folder_each(set->root, count_entry, &entries, error);
    if (status < 0 || entries == 0) return status;
    char *path = det_path_join(set->root, sign);
    if (!path) return out_of_memory(error);
    set->adding = exists(path);
    det_free(path);
    if (set->adding || set->overwrite) return DET_OK;
    return det_fail_at(error, DET_ARGUMENT, set->root, NULL,
                       "is not empty: name another folder, or let --overwrite put files into it");
}

/* Makes the folders of a path below the root. */
static det_status make_folders(const char *root, char *path, det_error *error)
{
    det_status status = DET_OK;
    const size_t begin = strlen(root);
    for (char *slash = strchr(path + begin, '/'); status == DET_OK && slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (*path && strlen(path) > begin) status = det_make_folder(path, error);
        *slash = '/';
    }
    return status;
}

/* ---- Files ---- */

det_status det_data_set_check(const det_data_set *set, const char *name, det_error *error)
{
    if (set->overwrite || !set->adding) return DET_OK;
    char *path = det_path_join(set->root, name);
    if (!path) return out_of_memory(error);
    const det_status status =
        exists(path)
            ? det_fail_at(error, DET_ARGUMENT, path, NULL,
                          "exists: name another folder or part, or let --overwrite replace "
                          "it")
            : DET_OK;
    det_free(path);
    return status;
}

det_status det_data_set_write(const det_data_set *set, const char *name, const det_text *text,
                              bool hasty, det_error *error)
{
    char *path = det_path_join(set->root, name);
    if (!path) return out_of_memory(error);
    det_status status = make_folders(set->root, path, error);
    if (status == DET_OK)
        status =
            hasty ? det_file_write_hastily(path, text, error) : det_file_write(path, text, error);
    det_free(path);
    return status;
}

/* ---- Links ---- */

static bool is_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool is_link(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && S_ISLNK(status.st_mode);
}

/* The path of a picture from the root of the file system; where it is not there, as it would be. */
static char *absolute_path(const char *picture, bool *there)
{
    char path[PATH_MAX];
    *there = realpath(picture, path) != NULL;
    if (*there) return det_copy_string(path);
    return getcwd(path, sizeof path) ? det_path_join(path, picture) : det_copy_string(picture);
}

static det_status make_link(const det_data_set *set, const char *path, const char *target,
                            det_error *error)
{
    if (is_same_file(path, target)) return DET_OK;
    if (set->overwrite && is_link(path) && unlink(path) != 0)
        return det_fail_errno(error, path, "replace");
    if (symlink(target, path) == 0) return DET_OK;
    if (errno != EEXIST) return det_fail_errno(error, path, "make the link");
    if (is_link(path))
        return det_fail_at(error, DET_ARGUMENT, path, NULL,
                           "exists and leads to another picture: name another folder or part, or "
                           "let --overwrite replace it");
    return det_fail_at(error, DET_ARGUMENT, path, NULL,
                       "is another picture than %s, and is not replaced: name another folder",
                       target);
}

det_status det_data_set_link(const det_data_set *set, const char *name, const char *picture,
                             bool *there, det_error *error)
{
    char *path = det_path_join(set->root, name);
    char *target = absolute_path(picture, there);
    det_status status =
        path && target ? make_folders(set->root, path, error) : out_of_memory(error);
    if (status == DET_OK) status = make_link(set, path, target, error);
    det_free(path);
    det_free(target);
    return status;
}
