/* SPDX-License-Identifier: Apache-2.0 */
/* Results as COCO takes them: an array of image_id, category_id, bbox and score. The number of
 * every picture is settled before any work is done: by file name from an annotation file, else from
 * the digits of the names. Pictures that failed have no elements. */
#include "src/data/writer.h"

#include "src/base/error.h"
#include "src/base/memory.h"
#include "src/data/image_ids.h"

#include <string.h>

typedef struct state {
    int64_t *ids; /* one for each of options.inputs */
    size_t next;  /* where the search for the next picture begins */
    bool any;     /* an element has been written */
} state;

static det_status begin(det_writer *writer, det_error *error)
{
    const det_writer_options *options = &writer->options;
    if (!options->inputs)
        return det_fail(error, DET_ARGUMENT, "coco output needs the list of all pictures");
    state *s = writer->state = det_alloc_zeroed(1, sizeof *s);
    if (s) s->ids = det_alloc_array(options->inputs->count, sizeof *s->ids);
    if (!s || !s->ids) return det_fail_memory(error, "the numbers of the pictures");
    const det_status result = det_image_ids(options->inputs, options->annotations, s->ids, error);
    return result < 0 ? result : det_writer_write(writer, "[", 1, error);
}

/* Results come in the order of the inputs, perhaps with gaps. */
static det_status find_id(det_writer *writer, const char *file, int64_t *id, det_error *error)
{
    state *s = writer->state;
    const det_inputs *inputs = writer->options.inputs;
    for (size_t i = 0; i < inputs->count; i++) {
        const size_t at = (s->next + i) % inputs->count;
        if (strcmp(inputs->paths[at], file) != 0) continue;
        s->next = at + 1;
        *id = s->ids[at];
        return DET_OK;
    }
    return det_fail_at(error, DET_ARGUMENT, file, NULL,
                       "is not among the pictures that the output was opened for");
}

static det_json *element(int64_t image_id, const det_detection *found)
{
    det_json *json = det_json_create();
    if (!json) return NULL;
    det_json_begin_object(json, NULL);
    det_json_integer(json, "image_id", image_id);
    det_json_integer(json, "category_id",
                     found->category_id >= 0 ? found->category_id : found->class_id + 1);
    det_json_begin_array(json, "bbox");
    det_json_coordinate(json, NULL, found->box.x0);
    det_json_coordinate(json, NULL, found->box.y0);
    det_json_coordinate(json, NULL, (double)found->box.x1 - found->box.x0);
    det_json_coordinate(json, NULL, (double)found->box.y1 - found->box.y0);
    det_json_end(json);
    det_json_number(json, "score", found->score);
    det_json_end(json);
    return json;
}

static det_status add(det_writer *writer, const det_result *result, det_error *error)
{
    state *s = writer->state;
    int64_t id = 0;
    if (result->error.status != DET_OK) return DET_OK;
    det_status status = find_id(writer, result->file, &id, error);
    for (size_t i = 0; status == DET_OK && i < result->detection_count; i++) {
        status = det_writer_write_json(writer, s->any ? ",\n" : "\n",
                                       element(id, &result->detections[i]), "", error);
        s->any = true;
    }
    return status;
}

static det_status end(det_writer *writer, det_error *error)
{
    return det_writer_write(writer, "\n]\n", 3, error);
}

static void release(det_writer *writer)
{
    state *s = writer->state;
    if (s) det_free(s->ids);
    det_free(s);
}

const det_writer_format det_writer_coco = {
    .detections = true, .begin = begin, .add = add, .end = end, .release = release};
