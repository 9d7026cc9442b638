/* SPDX-License-Identifier: Apache-2.0 */
#include "src/data/writer.h"

#include "src/base/error.h"

static det_status begin(det_writer *writer, det_error *error)
{
    (void)writer;
    return det_fail(error, DET_UNSUPPORTED, "voc and yolo output are not there yet");
}

const det_writer_format det_writer_voc = {.folder = true, .begin = begin};
const det_writer_format det_writer_yolo = {.folder = true, .begin = begin};
