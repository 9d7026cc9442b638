/* SPDX-License-Identifier: Apache-2.0 */
/* Annotations as COCO has them, an element a line. Besides COCO's own members, objects have VOC's
 * marks where they are set; "ignore" beside "difficult" is for other programs. */
#include "src/data/annotations_write.h"

#include "detect/json.h"
#include "src/base/memory.h"
#include "src/base/run.h"
#include "src/data/boxes.h"
#include "src/data/id_places.h"
#include "src/data/image_ids.h"
#include "src/data/picture_names.h"

#include <string.h>

typedef struct coco_writer {
    const det_annotations_out *out;
    det_output file;
    int64_t *ids;        /* of the pictures */
    det_paths names;     /* of the pictures, for YOLO: elsewhere they are kept */
    det_id_place *taken; /* the ids of the objects, sorted */
    int64_t next_id;     /* for an object that has none: those before are taken */
    bool any;            /* the array at hand has an element */
} coco_writer;

static det_status out_of_memory(det_error *error)
{
    return det_fail_memory(error, "COCO annotations");
}

/* ---- Arrays of elements ---- */

static void begin_array(coco_writer *w, const char *before)
{
    fputs(before, w->file.stream);
    w->any = false;
}

/* Writes an element and frees it; NULL is one that memory was short for. */
static det_status add_element(coco_writer *w, det_json *json, det_error *error)
{
    const char *text;
    size_t size;
    if (!json) return out_of_memory(error);
    det_json_end(json);
    const det_status status = det_json_finish(json, &text, &size, error);
    if (status == DET_OK) {
        fputs(w->any ? ",\n" : "\n", w->file.stream);
        fwrite(text, 1, size, w->file.stream);
        w->any = true;
    }
    det_json_free(json);
    return status;
}

/* A closed pipe or a full disk is found here, and what is left need not be written. */
static det_status check_stream(const coco_writer *w, det_error *error)
{
    return ferror(w->file.stream) ? det_fail_errno(error, w->file.path, "write") : DET_OK;
}

static det_json *begin_element(void)
{
    det_json *json = det_json_create();
    if (json) det_json_begin_object(json, NULL);
    return json;
}

/* ---- The elements ---- */

static det_status add_category(coco_writer *w, const det_category *category, det_error *error)
{
    det_json *json = begin_element();
    if (json) {
        det_json_integer(json, "id", category->id);
        det_json_string(json, "name", category->name);
    }
    return add_element(w, json, error);
}

static det_status add_image(coco_writer *w, size_t image, det_error *error)
{
    int width = 0, height = 0;
    const char *name =
        w->names.count > 0 ? w->names.items[image] : w->out->annotations->images[image].file;
    det_status status = det_convert_size(w->out->annotations, image, &width, &height, error);
    if (status < 0) return status;
    det_json *json = begin_element();
    if (json) {
        det_json_integer(json, "id", w->ids[image]);
        det_json_string(json, "file_name", name);
        if (width > 0) det_json_integer(json, "width", width);
        if (height > 0) det_json_integer(json, "height", height);
    }
    return add_element(w, json, error);
}

static void put_box(det_json *json, const double box[4])
{
    det_json_begin_array(json, "bbox");
    for (size_t i = 0; i < 4; i++) det_json_exact(json, NULL, box[i]);
    det_json_end(json);
}

static void put_marks(det_json *json, const det_annotated_object *o)
{
    det_json_integer(json, "iscrowd", o->crowd);
    if (o->ignore || o->difficult) det_json_integer(json, "ignore", 1);
    if (o->difficult) det_json_integer(json, "difficult", 1);
    if (o->truncated) det_json_integer(json, "truncated", 1);
    if (o->occluded) det_json_integer(json, "occluded", 1);
}

static void note_losses(const coco_writer *w, size_t object, const double box[4])
{
    const det_annotations *a = w->out->annotations;
    const det_annotated_object *o = &a->objects[object];
    double back[4];
    if (o->id == -1) det_out_note(w->out, DET_LOSS_NO_ID, object);
    if (o->difficult && a->format != DET_ANNOTATIONS_COCO)
        det_out_note(w->out, DET_LOSS_DIFFICULT, object);
    if (a->format != DET_ANNOTATIONS_VOC) return;
    det_box_convert(box, DET_BOX_SIZED, DET_BOX_INCLUSIVE, back);
    if (!det_box_same(back, o->box)) det_out_note(w->out, DET_LOSS_LAST_BITS, object);
}

/* The least number above 0 that no other object has. */
static int64_t free_id(coco_writer *w)
{
    while (det_id_places_find(w->taken, w->out->annotations->object_count, w->next_id))
        w->next_id++;
    return w->next_id++;
}

static det_status add_object(coco_writer *w, size_t object, det_error *error)
{
    const det_annotations *a = w->out->annotations;
    const det_annotated_object *o = &a->objects[object];
    const det_annotated_image *image = &a->images[o->image];
    double box[4];
    if (a->format == DET_ANNOTATIONS_YOLO && (image->width < 1 || image->height < 1)) {
        det_out_note(w->out, DET_LOSS_NO_SIZE, object);
        return DET_OK;
    }
    det_annotations_box_in(a, object, DET_BOX_SIZED, box);
    det_json *json = begin_element();
    if (json) {
        det_json_integer(json, "id", o->id != -1 ? o->id : free_id(w));
        det_json_integer(json, "image_id", w->ids[o->image]);
        det_json_integer(json, "category_id", a->categories[o->category].id);
        put_box(json, box);
        det_json_exact(json, "area", o->area);
        put_marks(json, o);
        note_losses(w, object, box);
    }
    return add_element(w, json, error);
}

/* ---- The file ---- */

static det_status write_categories(coco_writer *w, det_error *error)
{
    const det_annotations *a = w->out->annotations;
    det_status status = DET_OK;
    begin_array(w, "{\"info\":{},\n\"categories\":[");
    for (size_t i = 0; status == DET_OK && i < a->category_count; i++)
        status = add_category(w, &a->categories[i], error);
    return status;
}

static det_status write_images(coco_writer *w, det_error *error)
{
    const det_annotations *a = w->out->annotations;
    det_status status = DET_OK;
    begin_array(w, "\n],\n\"images\":[");
    for (size_t i = 0; status == DET_OK && i < a->image_count; i++) {
        status = det_run_check(w->out->options->run, i, a->image_count, error);
        if (status == DET_OK) status = add_image(w, i, error);
        if (status == DET_OK) status = check_stream(w, error);
    }
    return status;
}

/* Objects that share an id stay in the order of the file, because the last of them counts. */
static det_status write_objects(coco_writer *w, det_error *error)
{
    enum { steps = 1024 };
    const det_annotations *a = w->out->annotations;
    det_status status = DET_OK;
    begin_array(w, "\n],\n\"annotations\":[");
    for (size_t i = 0; status == DET_OK && i < a->object_count; i++) {
        if (i % steps == 0)
            status = det_run_check(w->out->options->run, a->image_count, a->image_count, error);
        if (status == DET_OK) status = add_object(w, a->file_order ? a->file_order[i] : i, error);
        if (status == DET_OK) status = check_stream(w, error);
    }
    if (status == DET_OK) fputs("\n]}\n", w->file.stream);
    return status;
}

/* JSON is UTF-8; of what is not, U+FFFD would remain. */
static det_status check_names(const coco_writer *w, det_error *error)
{
    const det_annotations *a = w->out->annotations;
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < a->image_count; i++)
        status =
            det_out_check_text(w->names.count > 0 ? w->names.items[i] : a->images[i].file, error);
    for (size_t i = 0; status == DET_OK && i < a->category_count; i++)
        status = det_out_check_text(a->categories[i].name, error);
    return status;
}

static det_status prepare(coco_writer *w, det_error *error)
{
    const det_annotations *a = w->out->annotations;
    w->out->tally->descriptions[DET_LOSS_DIFFICULT] =
        "difficult objects, marked \"ignore\", at which pycocotools does not look";
    w->ids = det_alloc_array(a->image_count, sizeof *w->ids);
    det_status status = w->ids ? det_annotations_image_ids(a, w->ids, error) : out_of_memory(error);
    if (status == DET_OK && a->format == DET_ANNOTATIONS_YOLO)
        status = det_picture_names_make(a, &w->names, error);
    w->taken = det_alloc_array(a->object_count, sizeof *w->taken);
    if (status == DET_OK && !w->taken) status = out_of_memory(error);
    if (status < 0) return status;
    for (size_t i = 0; i < a->object_count; i++) w->taken[i] = (det_id_place){a->objects[i].id, i};
    det_id_places_sort(w->taken, a->object_count);
    return check_names(w, error);
}

det_status det_coco_write(const det_annotations_out *out, det_error *error)
{
    coco_writer w = {.out = out, .next_id = 1};
    det_status status = prepare(&w, error);
    if (status == DET_OK) status = det_convert_open(out->path, out->options, &w.file, error);
    if (status == DET_OK) {
        status = write_categories(&w, error);
        if (status == DET_OK) status = write_images(&w, error);
        if (status == DET_OK) status = write_objects(&w, error);
        if (status == DET_OK)
            status = det_output_commit(&w.file, error);
        else
            det_output_abandon(&w.file);
    }
    det_paths_free(&w.names);
    det_free(w.ids);
    det_free(w.taken);
    return status;
}
