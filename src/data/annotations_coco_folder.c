/* SPDX-License-Identifier: Apache-2.0 */
/* Which file of a folder holds its COCO annotations, in the places where data sets have them:
 * COCO's own, those of CVAT and FiftyOne, and those of Roboflow. */
#include "src/data/annotations.h"

#include "src/base/file.h"
#include "src/base/memory.h"
#include "src/base/text.h"
#include "src/data/names.h"
#include "src/data/paths.h"

#include <stdio.h>
#include <string.h>

static const char roboflow[] = "_annotations.coco.json";

static det_status out_of_memory(det_error *error)
{
    return det_fail_memory(error, "a list of files");
}

/* ---- Candidates: files, relative to the folder ---- */

/* The .json files in a folder below this one whose names begin in a certain way. */
static det_status list_names(const char *folder, const char *below, const char *beginning,
                             det_paths *files, det_error *error)
{
    det_paths names = {0};
    char *path = det_path_join(folder, below);
    if (!path) return out_of_memory(error);
    det_status status = DET_OK;
    if (det_is_folder(path)) status = det_folder_names(path, ".json", &names, error);
    for (size_t i = 0; status == DET_OK && i < names.count; i++)
        if (strncmp(names.items[i], beginning, strlen(beginning)) == 0)
            status = det_paths_push(files, det_path_join(below, names.items[i]), error);
    det_paths_free(&names);
    det_free(path);
    return status;
}

/* A part of a data set as Roboflow has it: train/_annotations.coco.json. */
static det_status take_part(void *context, const char *folder, const char *name, det_error *error)
{
    if (det_is_picture_name(name)) return DET_OK;
    char *file = det_path_join(name, roboflow);
    char *path = file ? det_path_join(folder, file) : NULL;
    if (!path) {
        det_free(file);
        return out_of_memory(error);
    }
    const bool found = det_is_file(path);
    det_free(path);
    if (found) return det_paths_push(context, file, error);
    det_free(file);
    return DET_OK;
}

/* The files of the first place that has some, sorted. */
static det_status list_files(const char *folder, det_paths *files, det_error *error)
{
    det_status status = list_names(folder, "annotations", "instances_", files, error);
    if (status == DET_OK && files->count == 0)
        status = list_names(folder, "annotations", "", files, error);
    if (status == DET_OK && files->count == 0)
        status = list_names(folder, "", roboflow, files, error);
    if (status == DET_OK && files->count == 0)
        status = det_folder_each(folder, take_part, files, error);
    if (status == DET_OK && files->count == 0) status = list_names(folder, "", "", files, error);
    det_paths_sort(files, 0);
    return status;
}

/* ---- The choice ---- */

static bool is_named(const char *file, const char *split)
{
    const char *base = det_base_name(file);
    const size_t length = strlen(split);
    return det_stem_length(base) == length && memcmp(base, split, length) == 0;
}

/* The only file that is called as the split is, else the only one that has it in its name. @return
 * NULL: none, or several. */
static const char *pick(const det_paths *files, const char *split)
{
    for (int exact = 1; exact >= 0; exact--) {
        const char *found = NULL;
        size_t count = 0;
        for (size_t i = 0; i < files->count; i++) {
            const char *file = files->items[i];
            if (exact ? !is_named(file, split) : !strstr(file, split)) continue;
            found = file;
            count++;
        }
        if (count > 0) return count == 1 ? found : NULL;
    }
    return NULL;
}

static det_status refuse(const det_paths *files, const char *folder, const char *split,
                         det_error *error)
{
    enum { shown = 6 };
    det_text names = {0};
    for (size_t i = 0; i < files->count && i < shown; i++)
        det_text_format(&names, "%s%s", i > 0 ? ", " : "", files->items[i]);
    if (files->count > shown) det_text_add(&names, ", ...");
    det_status status = DET_ARGUMENT;
    if (names.failed)
        status = out_of_memory(error);
    else if (split)
        det_fail_at(error, status, folder, NULL,
                    "the split \"%s\" is in the name of none, or of several, of its COCO files: %s",
                    split, names.data);
    else
        det_fail_at(error, status, folder, NULL,
                    "there are %zu COCO files, %s: name one of them, or with --split a word that "
                    "only one has in its name",
                    files->count, names.data);
    det_text_free(&names);
    return status;
}

det_status det_coco_recognises(const char *path, bool *found, det_error *error)
{
    det_paths files = {0};
    *found = false;
    if (!det_is_folder(path)) {
        *found = det_text_ends_fold(path, ".json");
        return DET_OK;
    }
    const det_status status = list_files(path, &files, error);
    *found = files.count > 0;
    det_paths_free(&files);
    return status;
}

det_status det_coco_choose(const char *folder, const char *split, char **path, det_error *error)
{
    det_paths files = {0};
    *path = NULL;
    det_status status = list_files(folder, &files, error);
    const char *file = files.count == 1 && !split ? files.items[0] : NULL;
    if (status == DET_OK && split) file = pick(&files, split);
    if (status == DET_OK && !file) status = refuse(&files, folder, split, error);
    if (status == DET_OK) *path = det_path_join(folder, file);
    if (status == DET_OK && !*path) status = out_of_memory(error);
    det_paths_free(&files);
    return status;
}
