/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DATA_WRITER_H
#define DETECT_DATA_WRITER_H

#include "detect/data.h"
#include "detect/json.h"
#include "src/base/file.h"
#include "src/base/text.h"

/** What a format does; the functions of data.h do the rest. */
typedef struct det_writer_format {
    bool folder; /**< output is a folder: the format writes its files itself */
    bool detections, proposals, labels; /**< what it can hold */
    /** Prepares the state and writes what comes first; NULL where there is nothing to do. */
    det_status (*begin)(det_writer *writer, det_error *error);
    det_status (*add)(det_writer *writer, const det_result *result, det_error *error);
    /** Writes what comes last; NULL where there is nothing to do. */
    det_status (*end)(det_writer *writer, det_error *error);
    /** Frees the state; takes one that begin left half-built. NULL where there is none. */
    void (*release)(det_writer *writer);
} det_writer_format;

struct det_writer {
    const det_writer_format *format;
    det_writer_options options;
    FILE *stream;       /**< NULL for formats that write a folder */
    det_output file;    /**< the file under `stream`, where it is to appear at the end */
    const char *name;   /**< of the output, for errors */
    size_t added;       /**< results so far */
    det_status failure; /**< of an earlier write */
    void *state;        /**< the format's own */
};

/** What is left of the path of a picture in a format that names it otherwise: owned by the caller,
 *  NULL when memory is short. */
typedef char *det_picture_name(const char *path);

extern const det_writer_format det_writer_json, det_writer_jsonl, det_writer_csv, det_writer_coco,
    det_writer_voc, det_writer_yolo, det_writer_text;

/** Writes to the stream, which is flushed after each picture.
 *  @return DET_OK, DET_IO. */
det_status det_writer_write(det_writer *writer, const char *text, size_t size, det_error *error);

/** Writes a finished document and frees it, also on failure; NULL is one that memory was short
 *  for. `before` and `after` surround it. */
det_status det_writer_write_json(det_writer *writer, const char *before, det_json *json,
                                 const char *after, det_error *error);

/** For formats that write a folder: makes it where it is missing, and checks that files can be
 *  made in it and that no two pictures have the same name there.
 *  @return DET_OK, DET_ARGUMENT, DET_IO, DET_MEMORY. */
det_status det_writer_begin_folder(det_writer *writer, det_picture_name *name_of, det_error *error);

/** Writes a file of that folder, atomically. */
det_status det_writer_write_file(const det_writer *writer, const char *name, const det_text *text,
                                 det_error *error);

#endif
