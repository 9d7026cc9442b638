/* SPDX-License-Identifier: Apache-2.0 */
/* Annotations as Ultralytics' YOLO has them: in labels/PART/ a text file a picture, in images/PART/
 * links to the pictures, and config.yaml, which names the classes and says where the pictures are.
 * A part that is there already stays. What is not to count has no mark there and is left out. */
#include "src/data/annotations_write.h"

#include "src/base/memory.h"
#include "src/base/number.h"
#include "src/base/run.h"
#include "src/data/boxes.h"
#include "src/data/id_places.h"
#include "src/data/picture_names.h"
#include "src/data/yolo_description.h"

#include <math.h>
#include <string.h>

typedef struct yolo_writer {
    const det_annotations_out *out;
    det_data_set set;
    det_yolo_part part;
    det_paths names;            /* of the pictures, below their folder */
    det_yolo_description there; /* what config.yaml said before */
    size_t *places, *numbers;   /* classes in the order of their numbers; the number of each */
    det_text labels;            /* of the picture at hand */
} yolo_writer;

static const char *const parts[DET_YOLO_PARTS] = {"train", "val", "test"};

static det_status out_of_memory(det_error *error)
{
    return det_fail_memory(error, "YOLO annotations");
}

/* ---- Classes ---- */

/* Numbers from 0 without gaps, in the order of the ids. */
static det_status number_classes(yolo_writer *w, det_error *error)
{
    const det_annotations *a = w->out->annotations;
    const size_t count = a->category_count;
    det_id_place *sorted = det_alloc_array(count, sizeof *sorted);
    w->places = det_alloc_array(count, sizeof *w->places);
    w->numbers = det_alloc_array(count, sizeof *w->numbers);
    det_status status = sorted && w->places && w->numbers ? DET_OK : out_of_memory(error);
    for (size_t c = 0; status == DET_OK && c < count; c++) {
        sorted[c] = (det_id_place){a->categories[c].id, c};
        status = det_out_check_name("class", a->categories[c].name, error);
    }
    if (status == DET_OK) det_id_places_sort(sorted, count);
    for (size_t i = 0; status == DET_OK && i < count; i++) {
        w->places[i] = sorted[i].at;
        w->numbers[sorted[i].at] = i;
        if (a->format != DET_ANNOTATIONS_VOC && sorted[i].id != (int64_t)i)
            det_loss_note(w->out->tally, DET_LOSS_CATEGORY_ID, "%lld becomes %zu, %.200s",
                          (long long)sorted[i].id, i, a->categories[sorted[i].at].name);
    }
    det_free(sorted);
    return status;
}

/* ---- config.yaml ---- */

static const char config_name[] = "config.yaml";

/* Whether another part is described. */
static bool has_others(const yolo_writer *w)
{
    for (int i = 0; i < DET_YOLO_PARTS; i++)
        if (i != (int)w->part && w->there.parts[i].count > 0) return true;
    return false;
}

static bool has_same_classes(const yolo_writer *w)
{
    const det_annotations *a = w->out->annotations;
    if (w->there.path || w->there.name_count != a->category_count) return false;
    for (size_t i = 0; i < a->category_count; i++)
        if (w->there.names[i].id != (int64_t)i ||
            strcmp(w->there.names[i].name, a->categories[w->places[i]].name) != 0)
            return false;
    return true;
}

/* Reads what describes the parts that are there. */
static det_status read_config(yolo_writer *w, det_error *error)
{
    det_status status = DET_OK;
    char *path = det_path_join(w->set.root, config_name);
    if (!path) return out_of_memory(error);
    if (det_is_file(path)) status = det_yolo_read_yaml(path, &w->there, error);
    if (status == DET_OK && w->there.parts[w->part].count > 0 && !w->set.overwrite)
        status =
            det_fail_at(error, DET_ARGUMENT, path, NULL,
                        "describes the part \"%s\" already: choose another one with --part, or "
                        "let --overwrite replace it",
                        parts[w->part]);
    if (status == DET_OK && has_others(w) && !has_same_classes(w))
        status = det_fail_at(error, DET_ARGUMENT, path, NULL,
                             "describes parts with other classes, or in another place: choose "
                             "another folder, or remove this file");
    det_free(path);
    return status;
}

/* In single quotes, where only these have to be doubled. */
static void put_quoted(det_text *text, const char *name)
{
    det_text_add(text, "'");
    for (; *name; name++) det_text_append(text, *name == '\'' ? "''" : name, *name == '\'' ? 2 : 1);
    det_text_add(text, "'");
}

static void put_part(const yolo_writer *w, det_text *text, int part)
{
    const det_paths *entries = &w->there.parts[part];
    if (part == (int)w->part) {
        det_text_format(text, "%s: images/%s\n", parts[part], parts[part]);
        return;
    }
    if (entries->count == 0) return;
    det_text_format(text, "%s: [", parts[part]);
    for (size_t i = 0; i < entries->count; i++) {
        det_text_add(text, i > 0 ? ", " : "");
        put_quoted(text, entries->items[i]);
    }
    det_text_add(text, "]\n");
}

static det_status write_config(const yolo_writer *w, det_error *error)
{
    const det_annotations *a = w->out->annotations;
    det_text text = {0};
    for (int i = 0; i < DET_YOLO_PARTS; i++) put_part(w, &text, i);
    det_text_add(&text, "names:\n");
    for (size_t i = 0; i < a->category_count; i++) {
        det_text_format(&text, "  %zu: ", i);
        put_quoted(&text, a->categories[w->places[i]].name);
        det_text_add(&text, "\n");
    }
    const det_status status = det_data_set_write(&w->set, config_name, &text, false, error);
    det_text_free(&text);
    return status;
}

/* ---- Boxes ---- */

/* Centre and length, relative to a side, from which a reader computes a start and a length. */
typedef struct relative {
    double centre, length;
} relative;

static double fault(relative r, double side, double start, double length)
{
    const double low = (r.centre - r.length / 2) * side, high = (r.centre + r.length / 2) * side;
    return fabs(low - start) + fabs(high - low - length);
}

/* The number before (-1), itself (0) or the next (1). */
static double neighbour(double value, int which)
{
    return which == 0 ? value : nextafter(value, which * HUGE_VAL);
}

/* Of the neighbouring numbers, those that read back best. @return whether to the last bit. */
static bool make_relative(double start, double length, double side, relative *best)
{
    enum { around = 1 }; /* further ones are no better */
    const relative first = {(start + length / 2) / side, length / side};
    *best = first;
    double least = fault(first, side, start, length);
    for (int i = -around; least > 0 && i <= around; i++)
        for (int j = -around; least > 0 && j <= around; j++) {
            const relative r = {neighbour(first.centre, i), neighbour(first.length, j)};
            const double f = fault(r, side, start, length);
            if (f >= least) continue;
            least = f;
            *best = r;
        }
    return least == 0;
}

/* @return false where a reader takes a number for pixels. */
static bool is_near(const double box[4])
{
    for (size_t i = 0; i < 4; i++)
        if (!(box[i] >= -1 && box[i] <= 2)) return false;
    return true;
}

/* The relative box of an object. @return whether it reads back to the last bit. */
static bool take_box(const yolo_writer *w, size_t object, int width, int height, double box[4])
{
    const det_annotations *a = w->out->annotations;
    double sized[4];
    relative x, y;
    if (a->format == DET_ANNOTATIONS_YOLO) {
        memcpy(box, a->objects[object].box, 4 * sizeof *box);
        return true;
    }
    det_annotations_box_in(a, object, DET_BOX_SIZED, sized);
    const bool exact_x = make_relative(sized[0], sized[2], width, &x);
    const bool exact_y = make_relative(sized[1], sized[3], height, &y);
    const double made[4] = {x.centre, y.centre, x.length, y.length};
    memcpy(box, made, sizeof made);
    return exact_x && exact_y;
}

/* ---- Labels ---- */

/* @return false where an object has no place in labels. */
static bool is_held(const yolo_writer *w, size_t object, bool sized)
{
    const det_annotated_object *o = &w->out->annotations->objects[object];
    det_loss why = DET_LOSS_COUNT;
    if (o->crowd)
        why = DET_LOSS_CROWD;
    else if (o->ignore)
        why = DET_LOSS_IGNORE;
    else if (o->difficult)
        why = DET_LOSS_DIFFICULT;
    else if (!sized && w->out->annotations->format != DET_ANNOTATIONS_YOLO)
        why = DET_LOSS_NO_SIZE;
    if (why == DET_LOSS_COUNT) return true;
    det_out_note(w->out, why, object);
    return false;
}

static void put_label(yolo_writer *w, size_t object, int width, int height)
{
    const det_annotations *a = w->out->annotations;
    const det_annotated_object *o = &a->objects[object];
    double box[4];
    char number[DET_NUMBER_SIZE];
    if (!is_held(w, object, width > 0 && height > 0)) return;
    const bool exact = take_box(w, object, width, height, box);
    if (!is_near(box)) {
        det_out_note(w->out, DET_LOSS_FAR, object);
        return;
    }
    if (!exact) det_out_note(w->out, DET_LOSS_LAST_BITS, object);
    if (o->truncated || o->occluded) det_out_note(w->out, DET_LOSS_MARK, object);
    if (a->format == DET_ANNOTATIONS_COCO && !det_same_area(o->box[2] * o->box[3], o->area))
        det_out_note(w->out, DET_LOSS_AREA, object);
    det_text_format(&w->labels, "%zu", w->numbers[o->category]);
    for (size_t i = 0; i < 4; i++)
        det_text_format(&w->labels, " %s", det_exact_text(number, box[i]));
    det_text_add(&w->labels, "\n");
}

static det_status make_labels(yolo_writer *w, size_t image, det_error *error)
{
    int width = 0, height = 0;
    const det_annotated_image *of = &w->out->annotations->images[image];
    const det_status status = det_convert_size(w->out->annotations, image, &width, &height, error);
    if (status < 0) return status;
    w->labels.length = 0;
    for (size_t i = of->first_object; i < of->first_object + of->object_count; i++)
        put_label(w, i, width, height);
    return w->labels.failed ? out_of_memory(error) : DET_OK;
}

/* ---- Files ---- */

/* "images/PART/a/b.jpg"; NULL when memory is short. */
static char *picture_name(const yolo_writer *w, size_t image)
{
    det_text name = {0};
    det_text_format(&name, "images/%s/%s", parts[w->part], w->names.items[image]);
    if (!name.failed) return name.data;
    det_text_free(&name);
    return NULL;
}

/* Where a reader looks for the labels of it. */
static char *label_name(const yolo_writer *w, size_t image)
{
    char *picture = picture_name(w, image);
    char *name = picture ? det_yolo_label_path(picture) : NULL;
    det_free(picture);
    return name;
}

static det_status link_picture(const yolo_writer *w, size_t image, det_error *error)
{
    bool there = false;
    char *name = picture_name(w, image);
    char *picture = det_convert_picture(w->out->annotations, image);
    const det_status status = name && picture
                                  ? det_data_set_link(&w->set, name, picture, &there, error)
                                  : out_of_memory(error);
    if (status == DET_OK && !there)
        det_loss_note(w->out->tally, DET_LOSS_NO_PICTURE, "%.250s", picture);
    det_free(name);
    det_free(picture);
    return status;
}

static det_status write_picture(yolo_writer *w, size_t image, det_error *error)
{
    char *name = label_name(w, image);
    det_status status = name ? make_labels(w, image, error) : out_of_memory(error);
    if (status == DET_OK) status = det_data_set_write(&w->set, name, &w->labels, true, error);
    if (status == DET_OK) status = link_picture(w, image, error);
    det_out_note_ids(w->out, image);
    det_free(name);
    return status;
}

/* Two pictures that differ in their endings alone have the same labels. */
static det_status check_pictures(const yolo_writer *w, det_error *error)
{
    det_name_set taken = {0};
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < w->names.count; i++) {
        char *name = label_name(w, i);
        status =
            name ? det_picture_name_add(&taken, name, w->out->annotations->images[i].file, error)
                 : out_of_memory(error);
        if (status == DET_OK) status = det_data_set_check(&w->set, name, error);
        det_free(name);
    }
    det_name_set_free(&taken);
    return status;
}

static det_status check_part(yolo_writer *w, det_error *error)
{
    for (int i = 0; i < DET_YOLO_PARTS; i++) {
        w->part = (det_yolo_part)i;
        if (strcmp(w->out->part, parts[i]) == 0) return DET_OK;
    }
    return det_fail(error, DET_ARGUMENT,
                    "YOLO's parts are train, val and test, and \"%.60s\" is none: choose one with "
                    "--part",
                    w->out->part);
}

static det_status write_all(yolo_writer *w, det_error *error)
{
    const size_t count = w->out->annotations->image_count;
    det_status status = det_data_set_begin(&w->set, config_name, error);
    if (status == DET_OK) status = read_config(w, error);
    if (status == DET_OK) status = check_pictures(w, error);
    for (size_t i = 0; status == DET_OK && i < count; i++) {
        status = det_run_check(w->out->options->run, i, count, error);
        if (status == DET_OK) status = write_picture(w, i, error);
    }
    return status < 0 ? status : write_config(w, error);
}

det_status det_yolo_write(const det_annotations_out *out, det_error *error)
{
    yolo_writer w = {.out = out, .set = {.root = out->path, .overwrite = out->options->overwrite}};
    out->tally->descriptions[DET_LOSS_LAST_BITS] =
        "boxes that read back within a billionth of a pixel, not to the last bit";
    det_status status = check_part(&w, error);
    if (status == DET_OK) status = number_classes(&w, error);
    if (status == DET_OK) status = det_picture_names_make(out->annotations, &w.names, error);
    if (status == DET_OK) status = write_all(&w, error);
    det_yolo_description_free(&w.there);
    det_paths_free(&w.names);
    det_free(w.places);
    det_free(w.numbers);
    det_text_free(&w.labels);
    return status;
}
