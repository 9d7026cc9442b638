/* SPDX-License-Identifier: Apache-2.0 */
/* Labels for people: the name of each picture, and below it a line a class with its probability in
 * per cent. Pictures that failed have no lines. */
#include "src/data/writer.h"

#include "src/base/error.h"

static det_status add(det_writer *writer, const det_result *result, det_error *error)
{
    if (result->error.status != DET_OK) return DET_OK;
    det_text text = {0};
    det_text_format(&text, "%s\n", result->file);
    for (size_t i = 0; i < result->label_count; i++)
        det_text_format(&text, "  %6.2f %%  %s\n", 100 * (double)result->labels[i].score,
                        result->labels[i].class_name);
    const det_status status = text.failed ? det_fail_memory(error, "lines of text")
                                          : det_writer_write(writer, text.data, text.length, error);
    det_text_free(&text);
    return status;
}

const det_writer_format det_writer_text = {.labels = true, .add = add};
