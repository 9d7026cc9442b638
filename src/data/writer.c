/* SPDX-License-Identifier: Apache-2.0 */
/* What the result writers of every format share: where the bytes go, and when they appear. */
#include "src/data/writer.h"

#include "src/base/error.h"
#include "src/base/memory.h"

#include <string.h>

static const struct {
    const char *name;
    const det_writer_format *format;
} formats[] = {
    [DET_FORMAT_JSON] = {"json", &det_writer_json},
    [DET_FORMAT_JSONL] = {"jsonl", &det_writer_jsonl},
    [DET_FORMAT_COCO] = {"coco", &det_writer_coco},
    [DET_FORMAT_VOC] = {"voc", &det_writer_voc},
    [DET_FORMAT_YOLO] = {"yolo", &det_writer_yolo},
    [DET_FORMAT_CSV] = {"csv", &det_writer_csv},
    [DET_FORMAT_TEXT] = {"text", &det_writer_text},
};

enum { format_count = sizeof formats / sizeof *formats };

det_status det_format_parse(const char *name, det_format *format, det_error *error)
{
    for (int i = 0; i < format_count; i++) {
        if (strcmp(formats[i].name, name) != 0) continue;
        *format = (det_format)i;
        return DET_OK;
    }
    return det_fail(error, DET_ARGUMENT,
                    "\"%s\" is no output format; there are json, jsonl, coco, voc, yolo, csv, text",
                    name);
}

void det_result_free(det_result *result)
{
    if (!result) return;
    det_free(result->detections);
    det_free(result->regions);
    det_free(result->labels);
    result->detections = NULL;
    result->regions = NULL;
    result->labels = NULL;
    result->detection_count = result->region_count = result->label_count = 0;
}

static det_status check_options(const det_writer_options *options, det_error *error)
{
    if ((unsigned)options->format >= format_count)
        return det_fail(error, DET_ARGUMENT, "%d is no output format", (int)options->format);
    const char *name = formats[options->format].name;
    const det_writer_format *format = formats[options->format].format;
    if (format->folder && !options->output)
        return det_fail(error, DET_ARGUMENT,
                        "%s output is a folder of files: name the folder with --output", name);
    if (options->append && (options->format != DET_FORMAT_JSONL || !options->output))
        return det_fail(error, DET_ARGUMENT, "only a jsonl file can be added to");
    if (options->proposals && !format->proposals)
        return det_fail(error, DET_ARGUMENT,
                        "%s output cannot hold proposals; json, jsonl and csv can", name);
    if (options->labels && !format->labels)
        return det_fail(error, DET_ARGUMENT,
                        "%s output cannot hold labels; json, jsonl, csv and text can", name);
    if (!options->proposals && !options->labels && !format->detections)
        return det_fail(error, DET_ARGUMENT, "%s output holds labels alone", name);
    return DET_OK;
}

static det_status open_output(det_writer *writer, det_error *error)
{
    if (writer->format->folder) return DET_OK;
    if (writer->options.output && writer->options.format == DET_FORMAT_JSONL) {
        writer->stream = fopen(writer->name, writer->options.append ? "abe" : "wbe");
        return writer->stream ? DET_OK : det_fail_errno(error, writer->name, "write");
    }
    const det_status result = writer->options.output
                                  ? det_output_open(writer->name, &writer->file, error)
                                  : det_output_open_descriptor(writer->options.stream_fd,
                                                               writer->name, &writer->file, error);
    writer->stream = writer->file.stream;
    return result;
}

/* A reader gets whole pictures, and a closed pipe or a full disk is found at once. */
static det_status flush(det_writer *writer, det_error *error)
{
    if (!writer->stream || fflush(writer->stream) == 0) return DET_OK;
    return det_fail_errno(error, writer->name, "write");
}

det_status det_writer_open(const det_writer_options *options, det_writer **writer, det_error *error)
{
    det_status result = check_options(options, error);
    if (result < 0) return result;
    det_writer *w = det_alloc_zeroed(1, sizeof *w);
    if (!w) return det_fail_memory(error, "an output");
    w->format = formats[options->format].format;
    w->options = *options;
    w->name = options->output ? options->output : "standard output";

    result = open_output(w, error);
    if (result == DET_OK && w->format->begin) result = w->format->begin(w, error);
    if (result == DET_OK) result = flush(w, error);
    if (result < 0)
        det_writer_abandon(w);
    else
        *writer = w;
    return result;
}

det_status det_writer_write(det_writer *writer, const char *text, size_t size, det_error *error)
{
    if (size == 0 || fwrite(text, 1, size, writer->stream) == size) return DET_OK;
    return det_fail_errno(error, writer->name, "write");
}

det_status det_writer_write_json(det_writer *writer, const char *before, det_json *json,
                                 const char *after, det_error *error)
{
    if (!json) return det_fail_memory(error, "a JSON document");
    const char *text;
    size_t size;
    det_status result = det_json_finish(json, &text, &size, error);
    if (result == DET_OK) result = det_writer_write(writer, before, strlen(before), error);
    if (result == DET_OK) result = det_writer_write(writer, text, size, error);
    if (result == DET_OK) result = det_writer_write(writer, after, strlen(after), error);
    det_json_free(json);
    return result;
}

det_status det_writer_add(det_writer *writer, const det_result *result, det_error *error)
{
    det_status status = writer->format->add(writer, result, error);
    if (status == DET_OK) status = flush(writer, error);
    if (status == DET_OK)
        writer->added++;
    else
        writer->failure = status;
    return status;
}

static det_status close_stream(det_writer *writer, det_error *error)
{
    FILE *stream = writer->stream;
    writer->stream = NULL;
    if (writer->file.stream) return det_output_commit(&writer->file, error);
    if (!stream || fclose(stream) == 0) return DET_OK;
    return det_fail_errno(error, writer->name, "write");
}

det_status det_writer_close(det_writer *writer, det_error *error)
{
    det_status result = writer->failure;
    if (result < 0)
        det_fail_at(error, result, writer->name, NULL, "is incomplete: an earlier write failed");
    else if (writer->format->end)
        result = writer->format->end(writer, error);
    if (result == DET_OK) result = close_stream(writer, error);
    det_writer_abandon(writer);
    return result;
}

void det_writer_abandon(det_writer *writer)
{
    if (!writer) return;
    if (writer->format->release) writer->format->release(writer);
    if (writer->file.stream)
        det_output_abandon(&writer->file);
    else if (writer->stream)
        fclose(writer->stream);
    det_free(writer);
}
