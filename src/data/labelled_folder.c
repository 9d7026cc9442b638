/* SPDX-License-Identifier: Apache-2.0 */
#include "src/data/labelled_folder.h"

#include "src/base/file.h"
#include "src/base/memory.h"

static det_status take_class(void *context, const char *folder, const char *name, det_error *error)
{
    det_labelled_pictures *pictures = context;
    char *path = det_path_join(folder, name);
    if (!path) return det_fail_memory(error, "a list of classes");
    const bool is_class = det_is_folder(path);
    det_free(path);
    return is_class ? det_paths_push(&pictures->classes, det_copy_string(name), error) : DET_OK;
}

static det_status add_class(det_labelled_pictures *pictures, const char *folder, size_t class,
                            size_t *capacity, det_error *error)
{
    char *path = det_path_join(folder, pictures->classes.items[class]);
    if (!path) return det_fail_memory(error, "a list of pictures");
    const det_status status = det_paths_add_pictures(&pictures->paths, path, true, error);
    det_free(path);
    if (status < 0) return status;
    if (!det_grow_array(&pictures->labels, capacity, pictures->paths.count,
                        sizeof *pictures->labels))
        return det_fail_memory(error, "labels of pictures");
    while (pictures->count < pictures->paths.count) pictures->labels[pictures->count++] = class;
    return DET_OK;
}

det_status det_labelled_folder_read(const char *folder, det_labelled_pictures *pictures,
                                    det_error *error)
{
    size_t capacity = 0;
    *pictures = (det_labelled_pictures){0};
    det_status status = det_folder_each(folder, take_class, pictures, error);
    if (status == DET_OK && pictures->classes.count == 0)
        return det_fail_at(error, DET_ARGUMENT, folder, NULL,
                           "has no folders: the pictures of each class lie in one of its name");
    det_paths_sort(&pictures->classes, 0);
    for (size_t i = 0; status == DET_OK && i < pictures->classes.count; i++)
        status = add_class(pictures, folder, i, &capacity, error);
    return status;
}

void det_labelled_pictures_free(det_labelled_pictures *pictures)
{
    det_paths_free(&pictures->classes);
    det_paths_free(&pictures->paths);
    det_free(pictures->labels);
    *pictures = (det_labelled_pictures){0};
}
