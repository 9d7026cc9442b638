/* SPDX-License-Identifier: Apache-2.0 */
/* What the formats that write a folder of files share. */
#include "src/data/writer.h"

#include "src/base/error.h"
#include "src/base/memory.h"
#include "src/data/names.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static det_status make_folder(const char *path, det_error *error)
{
    struct stat status;
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return det_fail_errno(error, path, "make the folder");
    if (stat(path, &status) == 0 && !S_ISDIR(status.st_mode))
        return det_fail_at(error, DET_IO, path, NULL, "is not a folder");
    if (access(path, W_OK | X_OK) != 0) return det_fail_errno(error, path, "write into the folder");
    return DET_OK;
}

static det_status check_names(const det_inputs *inputs, det_picture_name *name_of, det_error *error)
{
    det_name_set set = {0};
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < inputs->count; i++) {
        bool added = false;
        char *name = name_of(inputs->paths[i]);
        status = name ? det_name_set_add(&set, name, &added, error)
                      : det_fail_memory(error, "the names of the pictures");
        if (status == DET_OK && !added)
            status = det_fail_at(error, DET_ARGUMENT, inputs->paths[i], NULL,
                                 "another picture is called \"%s\" in the output, too: choose a "
                                 "format that keeps whole paths, such as json",
                                 name);
        det_free(name);
    }
    det_name_set_free(&set);
    return status;
}

det_status det_writer_begin_folder(det_writer *writer, det_picture_name *name_of, det_error *error)
{
    const det_inputs *inputs = writer->options.inputs;
    if (!inputs)
        return det_fail(error, DET_ARGUMENT, "voc and yolo output need the list of all pictures");
    const det_status status = check_names(inputs, name_of, error);
    return status < 0 ? status : make_folder(writer->name, error);
}

det_status det_writer_write_file(const det_writer *writer, const char *name, const det_text *text,
                                 det_error *error)
{
    det_output output;
    if (text->failed) return det_fail_memory(error, "a file of results");
    char *path = det_path_join(writer->name, name);
    if (!path) return det_fail_memory(error, "a file of results");
    det_status status = det_output_open(path, &output, error);
    if (status == DET_OK) {
        if (text->length > 0) fwrite(text->data, 1, text->length, output.stream);
        status = det_output_commit(&output, error); /* finds a write that failed, too */
    }
    det_free(path);
    return status;
}
