/* SPDX-License-Identifier: Apache-2.0 */
/* Results as COCO takes them, an element a line. */
#include "src/data/results_write.h"

#include "src/base/memory.h"
#include "src/base/number.h"
#include "src/base/run.h"
#include "src/data/image_ids.h"
#include "src/data/names.h"

static det_status out_of_memory(det_error *error)
{
    return det_fail_memory(error, "COCO results");
}

/* Classes have numbers alone. */
static det_status note_classes(const det_results_out *out, det_error *error)
{
    const det_annotations *a = out->annotations;
    if (out->results->format == DET_RESULTS_COCO) return DET_OK;
    bool *met = det_alloc_zeroed(a->category_count, sizeof *met);
    if (!met) return out_of_memory(error);
    out->tally->descriptions[DET_LOSS_CLASS_NAME] =
        "classes of which the numbers are kept, whose names the annotations give";
    for (size_t i = 0; i < out->results->object_count; i++)
        met[out->results->objects[i].category] = true;
    for (size_t c = 0; c < a->category_count; c++)
        if (met[c])
            det_loss_note(out->tally, DET_LOSS_CLASS_NAME, "%.200s is %lld", a->categories[c].name,
                          (long long)a->categories[c].id);
    det_free(met);
    return DET_OK;
}

/* Read against annotations that are not COCO's, a number is the name of a file. */
static void note_images(const det_results_out *out, const int64_t *ids)
{
    const det_annotations *a = out->annotations;
    out->tally->descriptions[DET_LOSS_IMAGE_ID] =
        "pictures whose number is their place, as in COCO annotations that are made of these";
    for (size_t i = 0; a->format != DET_ANNOTATIONS_COCO && i < a->image_count; i++) {
        int64_t number = 0;
        if (!det_name_number(a->images[i].file, &number) || number != ids[i])
            det_loss_note(out->tally, DET_LOSS_IMAGE_ID, "%.200s is %lld", a->images[i].file,
                          (long long)ids[i]);
    }
}

static void put_result(const det_results_out *out, size_t detection, int64_t image_id, FILE *stream)
{
    const det_detected_object *d = &out->results->objects[detection];
    double box[4];
    char number[DET_NUMBER_SIZE];
    det_results_out_box(out, detection, DET_BOX_SIZED, box);
    fprintf(stream, "%s\n{\"image_id\":%lld,\"category_id\":%lld,\"bbox\":[",
            detection > 0 ? "," : "", (long long)image_id,
            (long long)out->annotations->categories[d->category].id);
    for (size_t i = 0; i < 4; i++)
        fprintf(stream, "%s%s", i > 0 ? "," : "", det_exact_text(number, box[i]));
    fprintf(stream, "],\"score\":%s}", det_exact_text(number, d->score));
}

static det_status write_all(const det_results_out *out, const int64_t *ids, FILE *stream,
                            det_error *error)
{
    enum { steps = 4096 };
    const size_t count = out->results->object_count;
    det_status status = DET_OK;
    fputs("[", stream);
    for (size_t i = 0; status == DET_OK && !ferror(stream) && i < count; i++) {
        if (i % steps == 0) status = det_run_check(out->options->run, i, count, error);
        if (status == DET_OK) put_result(out, i, ids[out->results->objects[i].image], stream);
    }
    fputs("\n]\n", stream);
    return status;
}

det_status det_results_write_coco(const det_results_out *out, det_error *error)
{
    det_output file;
    int64_t *ids = det_alloc_array(out->annotations->image_count, sizeof *ids);
    det_status status =
        ids ? det_annotations_image_ids(out->annotations, ids, error) : out_of_memory(error);
    if (status == DET_OK) status = note_classes(out, error);
    if (status == DET_OK) status = det_convert_open(out->path, out->options, &file, error);
    if (status == DET_OK) {
        note_images(out, ids);
        status = write_all(out, ids, file.stream, error);
        if (status == DET_OK)
            status = det_output_commit(&file, error);
        else
            det_output_abandon(&file);
    }
    det_free(ids);
    return status;
}
