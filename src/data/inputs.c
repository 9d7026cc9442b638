/* SPDX-License-Identifier: Apache-2.0 */
/* Turns the operands of a command line into a list of picture files. */
#include "detect/data.h"

#include "src/base/error.h"
#include "src/base/file.h"
#include "src/base/memory.h"
#include "src/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The lists that grow here: paths owned one by one. */
typedef struct paths {
    char **items;
    size_t count, capacity;
} paths;

static void free_paths(paths *list)
{
    for (size_t i = 0; i < list->count; i++) det_free(list->items[i]);
    det_free(list->items);
    *list = (paths){0};
}

/* Takes the path over, also on failure; NULL stands for an allocation that failed. */
static det_status push(paths *list, char *path, det_error *error)
{
    if (path && det_grow_array(&list->items, &list->capacity, list->count + 1, sizeof(char *))) {
        list->items[list->count++] = path;
        return DET_OK;
    }
    det_free(path);
    return det_fail_memory(error, "a list of pictures");
}

static bool has_picture_ending(const char *name)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png", ".webp"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (det_text_ends_fold(name, endings[i])) return true;
    return false;
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Sorts an entry of a folder: into the pictures, into the folders still to visit, or nowhere. A
 * link that leads nowhere counts as a picture, so that reading it says what is wrong. */
static det_status take_entry(const char *folder, const char *name, paths *pictures, paths *folders,
                             det_error *error)
{
    if (name[0] == '.') return DET_OK; /* "." and "..", and what is hidden */
    char *path = det_path_join(folder, name);
    if (!path) return det_fail_memory(error, "a list of pictures");

    struct stat status;
    if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode)) return push(folders, path, error);
    const bool regular = stat(path, &status) != 0 || S_ISREG(status.st_mode);
    if (regular && has_picture_ending(name)) return push(pictures, path, error);
    det_free(path);
    return DET_OK;
}

static det_status read_folder(const char *folder, paths *pictures, paths *folders, det_error *error)
{
    DIR *stream = opendir(folder);
    if (!stream) return det_fail_errno(error, folder, "open the folder");
    det_status result = DET_OK;
    while (result == DET_OK) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (!entry) {
            if (errno) result = det_fail_errno(error, folder, "read the folder");
            break;
        }
        result = take_entry(folder, entry->d_name, pictures, folders, error);
    }
    closedir(stream);
    return result;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static det_status add_folder(paths *list, const char *folder, bool recursive, det_error *error)
{
    paths folders = {0};
    const size_t before = list->count;
    det_status result = push(&folders, det_copy_string(folder), error);
    for (size_t i = 0; result == DET_OK && i < folders.count && (i == 0 || recursive); i++)
        result = read_folder(folders.items[i], list, &folders, error);

    if (result == DET_OK && list->count == before)
        result = det_fail_at(error, DET_ARGUMENT, folder, NULL,
                             "no pictures (.jpg, .jpeg, .png, .webp) in this folder%s",
                             !recursive && folders.count > 1
                                 ? "; --recursive looks in the folders below it, too"
                                 : "");
    if (result == DET_OK)
        qsort(list->items + before, list->count - before, sizeof(char *), compare_paths);
    free_paths(&folders);
    return result;
}

static det_status add_path(paths *list, const char *path, bool recursive, det_error *error)
{
    if (is_folder(path)) return add_folder(list, path, recursive, error);
    return push(list, det_copy_string(path), error);
}

/* Adds a line of a list; "-" in a list is a file of that name. */
static det_status add_line(paths *list, const char *line, size_t length, bool recursive,
                           det_error *error)
{
    if (length > 0 && line[length - 1] == '\r') length--;
    if (length == 0) return DET_OK;
    char *path = det_alloc_zeroed(length + 3, 1);
    if (!path) return det_fail_memory(error, "a list of pictures");
    const bool dash = length == 1 && *line == '-';
    if (dash) memcpy(path, "./", 2);
    memcpy(path + (dash ? 2 : 0), line, length);
    const det_status result = add_path(list, path, recursive, error);
    det_free(path);
    return result;
}

static det_status add_lines(paths *list, const char *name, const det_bytes *bytes, bool recursive,
                            det_error *error)
{
    const char *text = (const char *)bytes->data;
    if (bytes->size > 0 && memchr(text, '\0', bytes->size))
        return det_fail_at(error, DET_ARGUMENT, name, NULL,
                           "is not a text file with the name of a picture on each line");
    const size_t before = list->count;
    for (size_t at = 0; at < bytes->size;) {
        const char *end = memchr(text + at, '\n', bytes->size - at);
        const size_t length = end ? (size_t)(end - text) - at : bytes->size - at;
        const det_status result = add_line(list, text + at, length, recursive, error);
        if (result < 0) return result;
        at += length + 1;
    }
    if (list->count > before) return DET_OK;
    return det_fail_at(error, DET_ARGUMENT, name, NULL, "the list names no picture");
}

static det_status add_list(paths *list, const char *name, bool recursive, det_error *error)
{
    enum { max_bytes = 1 << 30 };
    det_bytes bytes = {0};
    const bool standard_input = strcmp(name, "-") == 0;
    if (standard_input) name = "standard input";
    det_status result = standard_input
                            ? det_file_read_descriptor(STDIN_FILENO, name, max_bytes, &bytes, error)
                            : det_file_read(name, max_bytes, &bytes, error);
    if (result == DET_OK) result = add_lines(list, name, &bytes, recursive, error);
    det_bytes_free(&bytes);
    return result;
}

static det_status add_operand(paths *list, const char *operand, bool recursive, det_error *error)
{
    if (operand[0] == '@') return add_list(list, operand + 1, recursive, error);
    if (strcmp(operand, "-") == 0) return push(list, det_copy_string(operand), error);
    return add_path(list, operand, recursive, error);
}

static det_status check_standard_input(const char *const *operands, size_t count, det_error *error)
{
    size_t uses = 0;
    for (size_t i = 0; i < count; i++)
        uses += strcmp(operands[i], "-") == 0 || strcmp(operands[i], "@-") == 0;
    if (uses <= 1) return DET_OK;
    return det_fail(error, DET_ARGUMENT,
                    "standard input is asked for %zu times, but can be read once only", uses);
}

det_status det_inputs_expand(const char *const *operands, size_t count, bool recursive,
                             det_inputs *inputs, det_error *error)
{
    paths list = {0};
    *inputs = (det_inputs){0};
    det_status result = check_standard_input(operands, count, error);
    for (size_t i = 0; result == DET_OK && i < count; i++)
        result = add_operand(&list, operands[i], recursive, error);
    if (result < 0) {
        free_paths(&list);
        return result;
    }
    *inputs = (det_inputs){list.items, list.count};
    return DET_OK;
}

void det_inputs_free(det_inputs *inputs)
{
    if (!inputs) return;
    free_paths(&(paths){inputs->paths, inputs->count, 0});
    *inputs = (det_inputs){0};
}
