/* SPDX-License-Identifier: Apache-2.0 */
/* Results as JSON: one document, streamed a picture at a time, or a line for each picture. The
 * reference of both is configs/output.schema.json. */
#include "src/data/writer.h"

#include "detect/version.h"
#include "src/base/parallel.h"

static void write_box(det_json *json, det_box box)
{
    det_json_begin_object(json, "box");
    det_json_coordinate(json, "x", box.x0);
    det_json_coordinate(json, "y", box.y0);
    det_json_coordinate(json, "width", (double)box.x1 - box.x0);
    det_json_coordinate(json, "height", (double)box.y1 - box.y0);
    det_json_end(json);
}

static void write_detections(det_json *json, const det_result *result)
{
    det_json_begin_array(json, "detections");
    for (size_t i = 0; i < result->detection_count; i++) {
        const det_detection *found = &result->detections[i];
        det_json_begin_object(json, NULL);
        det_json_string(json, "class", found->class_name);
        det_json_integer(json, "class_id", found->class_id);
        det_json_number(json, "score", found->score);
        write_box(json, found->box);
        det_json_string(json, "source", det_source_name(found->source));
        det_json_end(json);
    }
    det_json_end(json);
}

static void write_proposals(det_json *json, const det_result *result)
{
    det_json_begin_array(json, "proposals");
    for (size_t i = 0; i < result->region_count; i++) {
        const det_region *region = &result->regions[i];
        det_json_begin_object(json, NULL);
        write_box(json, region->box);
        det_json_number(json, "score", region->score);
        det_json_string(json, "source", det_source_name(region->source));
        det_json_integer(json, "hierarchy", region->hierarchy);
        det_json_end(json);
    }
    det_json_end(json);
}

static void write_labels(det_json *json, const det_result *result)
{
    det_json_begin_array(json, "labels");
    for (size_t i = 0; i < result->label_count; i++) {
        const det_label *label = &result->labels[i];
        det_json_begin_object(json, NULL);
        det_json_string(json, "class", label->class_name);
        det_json_integer(json, "class_id", label->class_id);
        det_json_number(json, "score", label->score);
        det_json_end(json);
    }
    det_json_end(json);
}

static void write_timings(det_json *json, const det_timings *timings)
{
    det_json_begin_object(json, "timings_ms");
    det_json_coordinate(json, "decode", timings->decode_ms);
    det_json_coordinate(json, "proposals", timings->proposals_ms);
    det_json_coordinate(json, "crops", timings->crops_ms);
    det_json_coordinate(json, "network", timings->network_ms);
    det_json_coordinate(json, "fusion", timings->fusion_ms);
    det_json_coordinate(json, "total", timings->total_ms);
    det_json_end(json);
}

static void write_error(det_json *json, const det_error *error)
{
    if (error->status == DET_OK) {
        det_json_null(json, "error");
        return;
    }
    det_json_begin_object(json, "error");
    det_json_string(json, "status", det_status_name(error->status));
    det_json_string(json, "file", error->file);
    det_json_string(json, "where", error->where);
    det_json_string(json, "message", error->message);
    det_json_end(json);
}

/* An element of "images"; a line by itself says which version of the schema it follows. */
static det_json *picture(const det_writer *writer, const det_result *result, bool line)
{
    det_json *json = det_json_create();
    if (!json) return NULL;
    det_json_begin_object(json, NULL);
    if (line) det_json_integer(json, "schema_version", 1);
    det_json_string(json, "file", result->file);
    det_json_integer(json, "width", result->width);
    det_json_integer(json, "height", result->height);
    if (writer->options.proposals)
        write_proposals(json, result);
    else if (writer->options.labels)
        write_labels(json, result);
    else
        write_detections(json, result);
    if (!writer->options.labels)
        det_json_integer(json, "proposal_count", (int64_t)result->proposal_count);
    if (writer->options.proposals)
        det_json_integer(json, "too_small_count", (int64_t)result->too_small_count);
    if (writer->options.timings) write_timings(json, &result->timings);
    write_error(json, &result->error);
    det_json_end(json);
    return json;
}

static void write_names(det_json *json, const char *key, const char *const *names, size_t count)
{
    det_json_begin_array(json, key);
    for (size_t i = 0; i < count; i++) det_json_string(json, NULL, names[i]);
    det_json_end(json);
}

static det_status begin_document(det_writer *writer, det_error *error)
{
    const det_run_info *info = &writer->options.info;
    det_json *json = det_json_create();
    if (json) {
        det_json_begin_object(json, NULL);
        det_json_string(json, "version", det_version());
        write_names(json, "models", info->models, info->model_count);
        write_names(json, "proposals", info->proposals, info->proposal_count);
        det_json_string(json, "precision", info->precision);
        det_json_integer(json, "threads", det_resolve_threads(info->threads));
        if (info->crops > 0) det_json_integer(json, "crops", info->crops);
        det_json_end(json);
    }
    return det_writer_write_json(writer, "{\"schema_version\":1,\"detector\":", json,
                                 ",\"images\":[", error);
}

static det_status add_to_document(det_writer *writer, const det_result *result, det_error *error)
{
    return det_writer_write_json(writer, writer->added ? ",\n" : "\n",
                                 picture(writer, result, false), "", error);
}

static det_status end_document(det_writer *writer, det_error *error)
{
    return det_writer_write(writer, "\n]}\n", 4, error);
}

static det_status add_line(det_writer *writer, const det_result *result, det_error *error)
{
    return det_writer_write_json(writer, "", picture(writer, result, true), "\n", error);
}

const det_writer_format det_writer_json = {.detections = true,
                                           .proposals = true,
                                           .labels = true,
                                           .begin = begin_document,
                                           .add = add_to_document,
                                           .end = end_document};

const det_writer_format det_writer_jsonl = {
    .detections = true, .proposals = true, .labels = true, .add = add_line};
