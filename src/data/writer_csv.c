/* SPDX-License-Identifier: Apache-2.0 */
/* Results as CSV with a header (RFC 4180, lines ended by LF): a line for each detection,
 * proposal or label. Pictures that failed have no lines. */
#include "src/data/writer.h"

#include "src/base/error.h"
#include "src/base/number.h"

#include <string.h>

/* A field with a comma, a quote or a line end goes in quotes, its quotes doubled. */
static void add_field(det_text *text, const char *field)
{
    if (!strpbrk(field, ",\"\r\n")) {
        det_text_add(text, field);
        return;
    }
    det_text_add(text, "\"");
    for (const char *c = field; *c; c++)
        det_text_append(text, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
    det_text_add(text, "\"");
}

static void add_numbers(det_text *text, float score, det_box box)
{
    char buffer[DET_NUMBER_SIZE];
    const double coordinates[] = {box.x0, box.y0, (double)box.x1 - box.x0, (double)box.y1 - box.y0};
    det_text_add(text, ",");
    det_text_add(text, det_number_text(buffer, score, 9));
    for (size_t i = 0; i < 4; i++) {
        det_text_add(text, ",");
        det_text_add(text, det_coordinate_text(buffer, coordinates[i]));
    }
}

static void add_detections(det_text *text, const det_result *result)
{
    for (size_t i = 0; i < result->detection_count; i++) {
        const det_detection *found = &result->detections[i];
        add_field(text, result->file);
        det_text_add(text, ",");
        add_field(text, found->class_name);
        det_text_format(text, ",%lld", (long long)found->class_id);
        add_numbers(text, found->score, found->box);
        det_text_format(text, ",%s\n", det_source_name(found->source));
    }
}

static void add_proposals(det_text *text, const det_result *result)
{
    for (size_t i = 0; i < result->region_count; i++) {
        const det_region *region = &result->regions[i];
        add_field(text, result->file);
        add_numbers(text, region->score, region->box);
        det_text_format(text, ",%s,%d\n", det_source_name(region->source), region->hierarchy);
    }
}

static void add_labels(det_text *text, const det_result *result)
{
    char buffer[DET_NUMBER_SIZE];
    for (size_t i = 0; i < result->label_count; i++) {
        const det_label *label = &result->labels[i];
        add_field(text, result->file);
        det_text_add(text, ",");
        add_field(text, label->class_name);
        det_text_format(text, ",%lld,%s\n", (long long)label->class_id,
                        det_number_text(buffer, label->score, 9));
    }
}

static det_status begin(det_writer *writer, det_error *error)
{
    const char *header = "file,class,class_id,score,x,y,width,height,source\n";
    if (writer->options.proposals) header = "file,score,x,y,width,height,source,hierarchy\n";
    if (writer->options.labels) header = "file,class,class_id,score\n";
    return det_writer_write(writer, header, strlen(header), error);
}

static det_status add(det_writer *writer, const det_result *result, det_error *error)
{
    if (result->error.status != DET_OK) return DET_OK;
    det_text text = {0};
    if (writer->options.proposals)
        add_proposals(&text, result);
    else if (writer->options.labels)
        add_labels(&text, result);
    else
        add_detections(&text, result);
    const det_status status = text.failed ? det_fail_memory(error, "lines of CSV")
                                          : det_writer_write(writer, text.data, text.length, error);
    det_text_free(&text);
    return status;
}

const det_writer_format det_writer_csv = {
    .detections = true, .proposals = true, .labels = true, .begin = begin, .add = add};
