/* SPDX-License-Identifier: Apache-2.0 */
/* Annotations are written anew, picture by picture, as their files show them to be; whatever is
 * changed or left out on the way is counted. detect/check.h lists what that may be. */
#include "detect/check.h"

#include "src/base/memory.h"
#include "src/base/text.h"
#include "src/data/annotations.h"
#include "src/data/id_places.h"
#include "src/train/examples.h"
#include "src/train/picture_check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- What is found -------------------------------------------------------------------------- */

enum { PLACES = 3 }; /* that are named of a fault */

typedef struct {
    size_t count;
    det_text places;
} fault_tally;

/* What the public view points to. */
typedef struct {
    det_annotations_report seen; /* comes first: the view that the caller has */
    det_annotations_data *repaired;
    det_fault_line lines[DET_FAULT_COUNT];
    char *texts[DET_FAULT_COUNT]; /* of the lines */
} report_data;

typedef struct {
    const det_annotations *annotations;
    det_seen_picture *pictures; /* image_count */
    det_picture_frame *frames;  /* image_count */
    size_t *same;               /* of each picture, the first of the same bytes; itself */
    size_t *next;               /* the next of the same bytes, SIZE_MAX: none */
    det_annotations_data *out;
    det_box *boxes; /* of the objects of `out` */
    size_t box_capacity;
    fault_tally tallies[DET_FAULT_COUNT];
} checking;

typedef enum { OF_PICTURES, OF_OBJECTS, OF_CLASSES } fault_subject;

static const struct {
    fault_subject of;
    const char *what, *advice; /* advice: or NULL */
} descriptions[DET_FAULT_COUNT] = {
    [DET_FAULT_MISSING] = {OF_PICTURES, "pictures that are not there, left out",
                           "if they are elsewhere, name their folder with --images"},
    [DET_FAULT_UNREADABLE] = {OF_PICTURES, "pictures that cannot be read, left out", NULL},
    [DET_FAULT_TWICE] = {OF_PICTURES,
                         "pictures that are there twice, taken as one with the boxes of both",
                         NULL},
    [DET_FAULT_TURNED] = {OF_PICTURES,
                          "pictures annotated before their EXIF orientation turned them; their "
                          "boxes are turned, too",
                          NULL},
    [DET_FAULT_TURN_UNKNOWN] = {OF_PICTURES,
                                "pictures with an EXIF orientation that may have been annotated "
                                "before it turned them; their boxes are taken as they are",
                                "look at one; if they are wrong, take the orientation out of the "
                                "files: exiv2 -M 'del Exif.Image.Orientation' FILE"},
    [DET_FAULT_RESIZED] = {OF_PICTURES,
                           "pictures annotated in another size; their boxes are scaled", NULL},
    [DET_FAULT_WRONG_SIZE] = {OF_PICTURES,
                              "pictures whose annotated size is wrong, but whose boxes fit; taken "
                              "as they are",
                              NULL},
    [DET_FAULT_OTHER_SHAPE] = {OF_PICTURES,
                               "pictures that are not of the shape that was annotated, left out",
                               "annotate them as they are now"},
    [DET_FAULT_OUTSIDE] = {OF_OBJECTS, "boxes that reach beyond the picture, cut at its edges",
                           NULL},
    [DET_FAULT_EMPTY] = {OF_OBJECTS, "boxes without an area inside the picture, left out", NULL},
    [DET_FAULT_SAME_ID] = {OF_OBJECTS, "objects without an id of their own, numbered anew", NULL},
    [DET_FAULT_NO_OBJECTS] = {OF_CLASSES, "classes without a box, not learned", NULL},
};

static void note(checking *c, det_fault fault, const char *format, ...) DET_PRINTF(3, 4);

static void note(checking *c, det_fault fault, const char *format, ...)
{
    fault_tally *tally = &c->tallies[fault];
    char place[512];
    if (tally->count++ >= PLACES) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(place, sizeof place, format, arguments);
    va_end(arguments);
    det_text_format(&tally->places, "%s%s", tally->count > 1 ? "; " : "", place);
}

static void note_object(checking *c, det_fault fault, const det_annotated_object *object)
{
    note(c, fault, "object %lld on %s", (long long)object->id,
         c->annotations->images[object->image].file);
}

/* ---- Pictures that are there twice ---------------------------------------------------------- */

typedef struct {
    const char *digest;
    size_t image;
} digest_place;

static int compare_digests(const void *a, const void *b)
{
    const digest_place *x = a, *y = b;
    const int order = strcmp(x->digest, y->digest);
    return order ? order : (x->image > y->image) - (x->image < y->image);
}

/* Pictures that can be learned from, and are not of another shape than annotated. */
static bool is_usable(const checking *c, size_t image)
{
    return c->pictures[image].status == DET_OK && c->frames[image].fault != DET_FAULT_OTHER_SHAPE;
}

static det_status find_same(checking *c, det_error *error)
{
    const size_t count = c->annotations->image_count;
    size_t usable = 0;
    digest_place *places = det_alloc_array(count, sizeof *places);
    if (!places) return det_fail_memory(error, "the digests of pictures");
    for (size_t i = 0; i < count; i++) {
        c->same[i] = i;
        c->next[i] = SIZE_MAX;
        if (is_usable(c, i)) places[usable++] = (digest_place){c->pictures[i].digest, i};
    }
    if (usable > 0) qsort(places, usable, sizeof *places, compare_digests);
    for (size_t i = 1; i < usable; i++) {
        if (strcmp(places[i].digest, places[i - 1].digest) != 0) continue;
        c->same[places[i].image] = c->same[places[i - 1].image];
        c->next[places[i - 1].image] = places[i].image;
    }
    det_free(places);
    return DET_OK;
}

/* ---- Objects -------------------------------------------------------------------------------- */

/* The reverse of det_annotations_corners. */
static void set_corners(det_annotations_format format, const det_seen_picture *picture,
                        const double c[4], double box[4])
{
    const double width = c[2] - c[0], height = c[3] - c[1];
    const double coco[4] = {c[0], c[1], width, height}, voc[4] = {c[0] + 1, c[1] + 1, c[2], c[3]};
    const double yolo[4] = {(c[0] + c[2]) / 2 / picture->width, (c[1] + c[3]) / 2 / picture->height,
                            width / picture->width, height / picture->height};
    const double *boxes[] = {coco, voc, yolo};
    memcpy(box, boxes[format], sizeof coco);
}

/* Puts an object into the picture. @return false where nothing of it is inside. */
static bool fit_object(checking *c, size_t index, det_annotated_object *object, det_box *box)
{
    const det_seen_picture *picture = &c->pictures[object->image];
    const det_picture_frame *frame = &c->frames[object->image];
    double corners[4];
    det_frame_corners(c->annotations, index, picture, frame, corners);
    const bool outside = det_corners_leave(corners, picture->width, picture->height);
    const double cut[4] = {fmax(corners[0], 0), fmax(corners[1], 0),
                           fmin(corners[2], picture->width), fmin(corners[3], picture->height)};
    if (cut[2] - cut[0] < 1 || cut[3] - cut[1] < 1) {
        note_object(c, DET_FAULT_EMPTY, object);
        return false;
    }
    if (outside) note_object(c, DET_FAULT_OUTSIDE, object);
    *box = (det_box){(float)cut[0], (float)cut[1], (float)cut[2], (float)cut[3]};
    const bool moved = outside || frame->turned || frame->scale_x != 1 || frame->scale_y != 1;
    if (!moved) return true;
    set_corners(c->annotations->format, picture, outside ? cut : corners, object->box);
    object->area =
        fmin(object->area * frame->scale_x * frame->scale_y, (cut[2] - cut[0]) * (cut[3] - cut[1]));
    return true;
}

/* Whether the picture that was added last has the object already. */
static bool is_there(const checking *c, const det_annotated_object *object, det_box box)
{
    const double same = .9;
    const det_annotated_image *image = &c->out->images[c->out->seen.image_count - 1];
    for (size_t i = image->first_object; i < image->first_object + image->object_count; i++)
        if (c->out->objects[i].category == object->category &&
            det_box_iou(c->boxes[i], box) >= same)
            return true;
    return false;
}

static det_status add_object(checking *c, const det_annotated_object *object, det_box box,
                             det_error *error)
{
    const size_t count = c->out->seen.object_count;
    if (!det_grow_array(&c->boxes, &c->box_capacity, count + 1, sizeof *c->boxes))
        return det_fail_memory(error, "the boxes of objects");
    const det_status status = det_annotations_add_object(c->out, *object, error);
    if (status < 0) return status;
    c->boxes[count] = box;
    c->out->objects[count].id = object->id;
    return DET_OK;
}

/* @param again the picture that was added last is the same. */
static det_status add_objects(checking *c, size_t index, bool again, det_error *error)
{
    const det_annotated_image *image = &c->annotations->images[index];
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < image->object_count; i++) {
        det_annotated_object object = c->annotations->objects[image->first_object + i];
        det_box box;
        if (fit_object(c, image->first_object + i, &object, &box) &&
            !(again && is_there(c, &object, box)))
            status = add_object(c, &object, box, error);
    }
    return status;
}

/* ---- Pictures ------------------------------------------------------------------------------- */

static void note_picture(checking *c, size_t index)
{
    const det_annotated_image *image = &c->annotations->images[index];
    const det_seen_picture *seen = &c->pictures[index];
    const det_fault fault = c->frames[index].fault;
    if (seen->missing)
        note(c, DET_FAULT_MISSING, "%s", image->file);
    else if (seen->status < 0)
        note(c, DET_FAULT_UNREADABLE, "%s: %s", image->file, seen->reason);
    else if (fault == DET_FAULT_TURN_UNKNOWN)
        note(c, fault, "%s", image->file);
    else if (fault != DET_FAULT_COUNT)
        note(c, fault, "%s, annotated as %d x %d pixels, is %d x %d upright", image->file,
             image->width, image->height, seen->width, seen->height);
}

static det_status add_picture(checking *c, size_t index, det_error *error)
{
    const det_annotated_image *image = &c->annotations->images[index];
    note_picture(c, index);
    if (!is_usable(c, index)) return DET_OK;
    if (c->same[index] != index) {
        note(c, DET_FAULT_TWICE, "%s is %s", image->file,
             c->annotations->images[c->same[index]].file);
        return DET_OK;
    }
    det_status status =
        det_annotations_add_image(c->out, det_copy_string(image->file), image->id, error);
    for (size_t i = index; status == DET_OK && i != SIZE_MAX; i = c->next[i])
        status = add_objects(c, i, i != index, error);
    if (status < 0) return status;
    det_annotated_image *added = &c->out->images[c->out->seen.image_count - 1];
    added->width = c->pictures[index].width;
    added->height = c->pictures[index].height;
    return DET_OK;
}

/* ---- Classes -------------------------------------------------------------------------------- */

static det_status add_classes(checking *c, det_error *error)
{
    const det_annotations *a = c->annotations;
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < a->category_count; i++)
        status = det_annotations_add_category(c->out, det_copy_string(a->categories[i].name),
                                              a->categories[i].id, error);
    return status;
}

static det_status note_classes(checking *c, det_error *error)
{
    const size_t count = c->annotations->category_count;
    bool *found = det_alloc_zeroed(count, sizeof *found);
    if (!found) return det_fail_memory(error, "the classes");
    for (size_t i = 0; i < c->out->seen.object_count; i++)
        if (det_object_is_plain(&c->out->objects[i])) found[c->out->objects[i].category] = true;
    for (size_t i = 0; i < count; i++)
        if (!found[i] && c->out->seen.image_count > 0)
            note(c, DET_FAULT_NO_OBJECTS, "%s", c->annotations->categories[i].name);
    det_free(found);
    return DET_OK;
}

/* ---- Numbers of objects --------------------------------------------------------------------- */

/* Objects are left without a number where they have none of their own, and take free ones then. */
static det_status number_objects(checking *c, det_error *error)
{
    det_annotated_object *objects = c->out->objects;
    const size_t count = c->out->seen.object_count;
    int64_t free_id = 1;
    det_id_place *ids = det_alloc_array(count, sizeof *ids);
    if (!ids) return det_fail_memory(error, "the numbers of objects");
    for (size_t i = 0; i < count; i++) ids[i] = (det_id_place){objects[i].id, i};
    det_id_places_sort(ids, count);
    for (size_t i = 0; i < count; i++) {
        det_annotated_object *object = &objects[i];
        const bool own = object->id != 0 && object->id != -1 &&
                         det_id_places_find(ids, count, object->id)->at == i;
        if (own) continue;
        note(c, DET_FAULT_SAME_ID, "object %lld on %s", (long long)object->id,
             c->out->images[object->image].file);
        while (det_id_places_find(ids, count, free_id)) free_id++;
        object->id = free_id++;
    }
    det_free(ids);
    return DET_OK;
}

/* ---- The report ----------------------------------------------------------------------------- */

static det_status add_line(const checking *c, det_fault fault, report_data *data, det_error *error)
{
    const det_annotations *a = c->annotations;
    const size_t totals[] = {a->image_count, a->object_count, a->category_count};
    const fault_tally *tally = &c->tallies[fault];
    const char *advice = descriptions[fault].advice;
    if (tally->count == 0) return DET_OK;
    det_text text = {0};
    if (!tally->places.failed)
        det_text_format(&text, "%s: %zu of %zu (%s%s)%s%s", descriptions[fault].what, tally->count,
                        totals[descriptions[fault].of], tally->count > PLACES ? "first: " : "",
                        tally->places.data, advice ? ": " : "", advice ? advice : "");
    if (text.failed || !text.data) {
        det_text_free(&text);
        return det_fail_memory(error, "the report of a check");
    }
    data->texts[data->seen.fault_count] = text.data;
    data->lines[data->seen.fault_count++] = (det_fault_line){fault, tally->count, text.data};
    return DET_OK;
}

static det_status write_report(const checking *c, report_data *data, det_error *error)
{
    det_status status = DET_OK;
    data->seen.faults = data->lines;
    for (int i = 0; status == DET_OK && i < DET_FAULT_COUNT; i++)
        status = add_line(c, (det_fault)i, data, error);
    return status;
}

void det_annotations_report_free(det_annotations_report *report)
{
    if (!report) return;
    report_data *data = (report_data *)report;
    for (size_t i = 0; i < data->seen.fault_count; i++) det_free(data->texts[i]);
    if (data->repaired) det_annotations_free(&data->repaired->seen);
    det_free(data);
}

/* ---- All of it ------------------------------------------------------------------------------ */

static det_status look(checking *c, const det_run *run, det_error *error)
{
    const size_t count = c->annotations->image_count;
    c->pictures = det_alloc_zeroed(count, sizeof *c->pictures);
    c->frames = det_alloc_array(count, sizeof *c->frames);
    c->same = det_alloc_array(count, sizeof *c->same);
    c->next = det_alloc_array(count, sizeof *c->next);
    if (!c->pictures || !c->frames || !c->same || !c->next)
        return det_fail_memory(error, "the check of annotations");
    const det_status status = det_look_at_pictures(c->annotations, run, c->pictures, error);
    if (status < 0) return status;
    det_settle_frames(c->annotations, c->pictures, c->frames);
    return find_same(c, error);
}

static det_status repair(checking *c, det_error *error)
{
    c->out->folder = det_copy_string(c->annotations->folder);
    if (!c->out->folder) return det_fail_memory(error, "annotations");
    det_status status = add_classes(c, error);
    for (size_t i = 0; status == DET_OK && i < c->annotations->image_count; i++)
        status = add_picture(c, i, error);
    if (status == DET_OK) status = number_objects(c, error);
    if (status == DET_OK) status = note_classes(c, error);
    return status == DET_OK ? det_annotations_finish(c->out, error) : status;
}

static void free_checking(checking *c)
{
    for (int i = 0; i < DET_FAULT_COUNT; i++) det_text_free(&c->tallies[i].places);
    det_free(c->pictures);
    det_free(c->frames);
    det_free(c->same);
    det_free(c->next);
    det_free(c->boxes);
}

det_status det_annotations_check(const det_annotations *annotations, const det_run *run,
                                 det_annotations_report **report, det_error *error)
{
    checking c = {.annotations = annotations};
    report_data *data = det_alloc_zeroed(1, sizeof *data);
    if (!data) return det_fail_memory(error, "the check of annotations");
    data->repaired = c.out = det_annotations_begin(annotations->format, error);
    det_status status = c.out ? look(&c, run, error) : DET_MEMORY;
    if (status == DET_OK) status = repair(&c, error);
    if (status == DET_OK) status = write_report(&c, data, error);
    free_checking(&c);
    if (status < 0) {
        det_annotations_report_free(&data->seen);
        return status;
    }
    data->seen.annotations = &data->repaired->seen;
    *report = &data->seen;
    return DET_OK;
}
