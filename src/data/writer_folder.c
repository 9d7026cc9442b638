/* SPDX-License-Identifier: Apache-2.0 */
/* What the formats that write a folder of files share. */
#include "src/data/writer.h"

#include "src/base/error.h"
#include "src/base/memory.h"
#include "src/data/names.h"
#include "src/data/paths.h"

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
    return status < 0 ? status : det_make_folder(writer->name, error);
}

det_status det_writer_write_file(const det_writer *writer, const char *name, const det_text *text,
                                 det_error *error)
{
    char *path = det_path_join(writer->name, name);
    if (!path) return det_fail_memory(error, "a file of results");
    const det_status status = det_file_write(path, text, error);
    det_free(path);
    return status;
}
