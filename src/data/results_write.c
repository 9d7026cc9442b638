/* SPDX-License-Identifier: Apache-2.0 */
/* Results into any format: what the writers share. */
#include "src/data/results_write.h"

#include "src/base/memory.h"
#include "src/data/boxes.h"

/* ---- Groups ---- */

static size_t group_of(const det_detected_object *object, bool by_class)
{
    return by_class ? object->category : object->image;
}

/* A counting sort. */
det_status det_results_group(const det_results_out *out, bool by_class, det_results_groups *groups,
                             det_error *error)
{
    const det_results *r = out->results;
    const size_t count =
        by_class ? out->annotations->category_count : out->annotations->image_count;
    groups->items = det_alloc_array(r->object_count, sizeof *groups->items);
    groups->first = det_alloc_zeroed(count + 2, sizeof *groups->first);
    if (!groups->items || !groups->first) return det_fail_memory(error, "results");
    size_t *next = groups->first + 1; /* moves to where the next group begins */
    for (size_t i = 0; i < r->object_count; i++) next[group_of(&r->objects[i], by_class) + 1]++;
    for (size_t g = 0; g < count; g++) next[g + 1] += next[g];
    for (size_t i = 0; i < r->object_count; i++)
        groups->items[next[group_of(&r->objects[i], by_class)]++] = (uint32_t)i;
    return DET_OK;
}

void det_results_groups_free(det_results_groups *groups)
{
    det_free(groups->items);
    det_free(groups->first);
    *groups = (det_results_groups){0};
}

/* ---- Boxes ---- */

void det_results_out_box(const det_results_out *out, size_t detection, det_box_form form,
                         double box[4])
{
    const det_detected_object *d = &out->results->objects[detection];
    double back[4];
    det_box_convert(d->box, out->results->form, form, box);
    det_box_convert(box, form, out->results->form, back);
    if (!det_box_same(back, d->box))
        det_loss_note(out->tally, DET_LOSS_LAST_BITS, "detection %zu on %.200s", detection + 1,
                      out->annotations->images[d->image].file);
}

/* ---- What no format keeps ---- */

static void note_origin(const det_results_out *out)
{
    const det_results *r = out->results;
    const bool own = r->format == DET_RESULTS_JSON || r->format == DET_RESULTS_JSONL;
    det_oddity_count *counted = &out->tally->counted[DET_LOSS_ORIGIN];
    if (own && r->object_count > 0)
        det_loss_note(out->tally, DET_LOSS_ORIGIN, "\"source\", \"detector\", \"proposal_count\"");
    if (own) counted->count = r->object_count;
    if (r->more_count > 0) det_loss_note(out->tally, DET_LOSS_UNREAD, "such as \"segmentation\"");
    out->tally->counted[DET_LOSS_UNREAD].count = r->more_count;
}

det_status det_results_write(const det_results *results, const det_annotations *annotations,
                             det_results_format format, const char *path,
                             const det_convert_options *options, det_losses **losses,
                             det_error *error)
{
    static const det_convert_options defaults = {0};
    static det_status (*const writers[])(const det_results_out *out, det_error *error) = {
        [DET_RESULTS_COCO] = det_results_write_coco,
        [DET_RESULTS_JSON] = det_results_write_json,
        [DET_RESULTS_JSONL] = det_results_write_jsonl,
        [DET_RESULTS_VOC] = det_results_write_voc,
    };
    if ((unsigned)format >= sizeof writers / sizeof *writers)
        return det_fail(error, DET_ARGUMENT, "%d is no format of results", (int)format);
    if (!path && format == DET_RESULTS_VOC)
        return det_fail(error, DET_ARGUMENT,
                        "voc results are a folder of files: name the folder with --output");
    det_loss_tally tally = {
        .descriptions = {[DET_LOSS_UNREAD] = "members of detections, not kept"}};
    const det_results_out out = {.results = results,
                                 .annotations = annotations,
                                 .path = path,
                                 .options = options ? options : &defaults,
                                 .tally = &tally};
    const det_status status = writers[format](&out, error);
    if (status < 0) return path ? det_error_file(error, path, status) : status;
    note_origin(&out);
    return losses ? det_losses_make(&tally, NULL, losses, error) : DET_OK;
}
