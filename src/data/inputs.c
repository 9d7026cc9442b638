/* SPDX-License-Identifier: Apache-2.0 */
/* Turns the operands of a command line into a list of picture files. */
#include "detect/data.h"

#include "src/base/error.h"
#include "src/base/file.h"
#include "src/base/memory.h"
#include "src/data/paths.h"

#include <string.h>
#include <unistd.h>

static det_status add_path(det_paths *list, const char *path, bool recursive, det_error *error)
{
    if (det_is_folder(path)) return det_paths_add_pictures(list, path, recursive, error);
    return det_paths_push(list, det_copy_string(path), error);
}

/* Adds a line of a list; "-" in a list is a file of that name. */
static det_status add_line(det_paths *list, const char *line, size_t length, bool recursive,
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

static det_status add_lines(det_paths *list, const char *name, const det_bytes *bytes,
                            bool recursive, det_error *error)
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

static det_status add_list(det_paths *list, const char *name, bool recursive, det_error *error)
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

static det_status add_operand(det_paths *list, const char *operand, bool recursive,
                              det_error *error)
{
    if (operand[0] == '@') return add_list(list, operand + 1, recursive, error);
    if (strcmp(operand, "-") == 0) return det_paths_push(list, det_copy_string(operand), error);
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
    det_paths list = {0};
    *inputs = (det_inputs){0};
    det_status result = check_standard_input(operands, count, error);
    for (size_t i = 0; result == DET_OK && i < count; i++)
        result = add_operand(&list, operands[i], recursive, error);
    if (result < 0) {
        det_paths_free(&list);
        return result;
    }
    *inputs = (det_inputs){list.items, list.count};
    return DET_OK;
}

void det_inputs_free(det_inputs *inputs)
{
    if (!inputs) return;
    det_paths_free(&(det_paths){inputs->paths, inputs->count, 0});
    *inputs = (det_inputs){0};
}
