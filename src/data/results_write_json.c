/* SPDX-License-Identifier: Apache-2.0 */
/* Results as the document of `detect` (configs/output.schema.json), or its lines: all pictures of
 * the annotations in their order, the detections of each by score, equal ones in the order of the
 * results. */
#include "src/data/results_write.h"

#include "detect/json.h"
#include "detect/version.h"
#include "src/base/memory.h"
#include "src/base/run.h"
#include "src/data/names.h"

#include <stdlib.h>

typedef struct json_writer {
    const det_results_out *out;
    det_results_groups groups; /* by picture, best first */
    det_output file;
    bool lines;
} json_writer;

static det_status out_of_memory(det_error *error)
{
    return det_fail_memory(error, "results");
}

/* ---- Order ---- */

/* A detection by which others are compared. */
typedef struct ranked {
    double score;
    uint32_t category, at; /* where in the results */
} ranked;

static int compare_scores(const ranked *x, const ranked *y)
{
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

static int compare_ranked(const void *a, const void *b)
{
    return compare_scores(a, b);
}

static int compare_in_class(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->category != y->category) return x->category < y->category ? -1 : 1;
    return compare_scores(x, y);
}

static ranked rank(const det_results *results, uint32_t at)
{
    return (ranked){results->objects[at].score, results->objects[at].category, at};
}

static void sort_picture(const det_results *results, uint32_t *items, size_t count, ranked *room)
{
    for (size_t i = 0; i < count; i++) room[i] = rank(results, items[i]);
    if (count > 0) qsort(room, count, sizeof *room, compare_ranked);
    for (size_t i = 0; i < count; i++) items[i] = room[i].at;
}

/* Equal scores of a class stay in the order of the results only where their pictures do. */
static void note_order(const det_results_out *out, ranked *room)
{
    const det_results *r = out->results;
    uint32_t last = 0;
    for (uint32_t i = 0; i < r->object_count; i++) room[i] = rank(r, i);
    if (r->object_count > 0) qsort(room, r->object_count, sizeof *room, compare_in_class);
    for (size_t i = 0; i < r->object_count; i++) {
        const uint32_t image = r->objects[room[i].at].image;
        const bool same =
            i > 0 && room[i].category == room[i - 1].category && room[i].score == room[i - 1].score;
        if (same && image < last)
            det_loss_note(out->tally, DET_LOSS_ORDER, "detection %u on %.200s", room[i].at + 1,
                          out->annotations->images[image].file);
        last = same && image < last ? last : image;
    }
}

static det_status sort_all(json_writer *w, det_error *error)
{
    const size_t *first = w->groups.first;
    ranked *room = det_alloc_array(w->out->results->object_count, sizeof *room);
    if (!room) return out_of_memory(error);
    note_order(w->out, room);
    for (size_t i = 0; i < w->out->annotations->image_count; i++)
        sort_picture(w->out->results, w->groups.items + first[i], first[i + 1] - first[i], room);
    det_free(room);
    return DET_OK;
}

/* ---- Names ---- */

/* A reader finds the first class of a name, and no picture where several fit as well. */
static det_status note_names(const det_results_out *out, det_error *error)
{
    const det_annotations *a = out->annotations;
    det_name_set names = {0};
    det_status status = DET_OK;
    out->tally->descriptions[DET_LOSS_SAME_NAME] =
        "classes and pictures of a name that another has, too, which cannot be told apart";
    for (size_t c = 0; status == DET_OK && c < a->category_count; c++) {
        bool added = false;
        status = det_name_set_add(&names, a->categories[c].name, &added, error);
        if (status == DET_OK && !added)
            det_loss_note(out->tally, DET_LOSS_SAME_NAME, "class %.200s", a->categories[c].name);
    }
    det_name_set_free(&names);
    for (size_t i = 0; status == DET_OK && i < a->image_count; i++) {
        size_t found = 0;
        if (det_annotations_find_image(a, a->images[i].file, &found, NULL) < 0 || found != i)
            det_loss_note(out->tally, DET_LOSS_SAME_NAME, "%.200s", a->images[i].file);
    }
    return status;
}

/* ---- Pictures ---- */

static void put_box(det_json *json, const double box[4])
{
    static const char *const keys[] = {"x", "y", "width", "height"};
    det_json_begin_object(json, "box");
    for (size_t i = 0; i < 4; i++) det_json_exact(json, keys[i], box[i]);
    det_json_end(json);
}

static void put_detection(const json_writer *w, det_json *json, size_t detection)
{
    const det_detected_object *d = &w->out->results->objects[detection];
    double box[4];
    det_results_out_box(w->out, detection, DET_BOX_SIZED, box);
    if (!(d->score >= 0 && d->score <= 1))
        det_loss_note(w->out->tally, DET_LOSS_SCORE, "%g, detection %zu", d->score, detection + 1);
    det_json_begin_object(json, NULL);
    det_json_string(json, "class", w->out->annotations->categories[d->category].name);
    det_json_integer(json, "class_id", d->category);
    det_json_exact(json, "score", d->score);
    put_box(json, box);
    det_json_string(json, "source", "unknown");
    det_json_end(json);
}

static det_json *make_picture(const json_writer *w, size_t image, int width, int height)
{
    det_json *json = det_json_create();
    if (!json) return NULL;
    det_json_begin_object(json, NULL);
    if (w->lines) det_json_integer(json, "schema_version", 1);
    det_json_string(json, "file", w->out->annotations->images[image].file);
    det_json_integer(json, "width", width);
    det_json_integer(json, "height", height);
    det_json_begin_array(json, "detections");
    for (size_t i = w->groups.first[image]; i < w->groups.first[image + 1]; i++)
        put_detection(w, json, w->groups.items[i]);
    det_json_end(json);
    det_json_null(json, "proposal_count");
    det_json_null(json, "error");
    det_json_end(json);
    return json;
}

static det_status write_picture(json_writer *w, size_t image, det_error *error)
{
    const char *text;
    size_t size;
    int width = 0, height = 0;
    det_status status = det_convert_size(w->out->annotations, image, &width, &height, error);
    if (status < 0) return status;
    if (width < 1 || height < 1)
        det_loss_note(w->out->tally, DET_LOSS_NO_SIZE, "%.200s",
                      w->out->annotations->images[image].file);
    det_json *json = make_picture(w, image, width, height);
    if (!json) return out_of_memory(error);
    status = det_json_finish(json, &text, &size, error);
    if (status == DET_OK) {
        if (!w->lines) fputs(image > 0 ? ",\n" : "\n", w->file.stream);
        fwrite(text, 1, size, w->file.stream);
        if (w->lines) fputs("\n", w->file.stream);
    }
    det_json_free(json);
    return status;
}

/* ---- The file ---- */

static det_status write_all(json_writer *w, det_error *error)
{
    const size_t count = w->out->annotations->image_count;
    FILE *stream = w->file.stream;
    det_status status = DET_OK;
    if (!w->lines)
        fprintf(stream,
                "{\"schema_version\":1,\"detector\":{\"version\":\"%s\",\"models\":[],"
                "\"proposals\":[],\"precision\":null,\"threads\":1},\"images\":[",
                det_version());
    for (size_t i = 0; status == DET_OK && !ferror(stream) && i < count; i++) {
        status = det_run_check(w->out->options->run, i, count, error);
        if (status == DET_OK) status = write_picture(w, i, error);
    }
    if (!w->lines) fputs("\n]}\n", stream);
    return status;
}

static det_status write_json(const det_results_out *out, bool lines, det_error *error)
{
    json_writer w = {.out = out, .lines = lines};
    out->tally->descriptions[DET_LOSS_NO_SIZE] = "pictures whose size is not known, written as 0";
    det_status status = det_results_group(out, false, &w.groups, error);
    if (status == DET_OK) status = sort_all(&w, error);
    if (status == DET_OK) status = note_names(out, error);
    if (status == DET_OK) status = det_convert_open(out->path, out->options, &w.file, error);
    if (status == DET_OK) {
        status = write_all(&w, error);
        if (status == DET_OK)
            status = det_output_commit(&w.file, error);
        else
            det_output_abandon(&w.file);
    }
    det_results_groups_free(&w.groups);
    return status;
}

det_status det_results_write_json(const det_results_out *out, det_error *error)
{
    return write_json(out, false, error);
}

det_status det_results_write_jsonl(const det_results_out *out, det_error *error)
{
    return write_json(out, true, error);
}
