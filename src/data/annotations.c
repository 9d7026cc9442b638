/* SPDX-License-Identifier: Apache-2.0 */
/* What the annotations of every format share: growing, checking, freeing, and the choice of the
 * format. */
#include "src/data/annotations.h"

#include "src/base/memory.h"
#include "src/base/text.h"
#include "src/data/paths.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- Growing ---- */

det_annotations_data *det_annotations_begin(det_annotations_format format, det_error *error)
{
    det_annotations_data *data = det_alloc_zeroed(1, sizeof *data);
    if (!data)
        det_fail_memory(error, "annotations");
    else
        data->seen.format = format;
    return data;
}

void det_annotations_free(det_annotations *annotations)
{
    if (!annotations) return;
    det_annotations_data *data = (det_annotations_data *)annotations;
    for (size_t i = 0; i < data->seen.image_count; i++) det_free((char *)data->images[i].file);
    for (size_t i = 0; i < data->seen.category_count; i++)
        det_free((char *)data->categories[i].name);
    for (size_t i = 0; i < data->seen.warning_count; i++) det_free((char *)data->warnings[i].text);
    det_free(data->images);
    det_free(data->categories);
    det_free(data->objects);
    det_free(data->last_of_id);
    det_free(data->file_order);
    det_free(data->warnings);
    det_free(data->keys);
    det_free(data->folder);
    json_object_put(data->category_names);
    det_free(data);
}

static det_status out_of_memory(char *name, det_error *error)
{
    det_free(name);
    return det_fail_memory(error, "annotations");
}

det_status det_annotations_add_image(det_annotations_data *data, char *file, int64_t id,
                                     det_error *error)
{
    const size_t count = data->seen.image_count;
    if (!file ||
        !det_grow_array(&data->images, &data->image_capacity, count + 1, sizeof *data->images))
        return out_of_memory(file, error);
    data->images[count] =
        (det_annotated_image){.file = file, .id = id, .first_object = data->seen.object_count};
    data->seen.image_count++;
    return DET_OK;
}

det_status det_annotations_add_category(det_annotations_data *data, char *name, int64_t id,
                                        det_error *error)
{
    const size_t count = data->seen.category_count;
    if (!name || !det_grow_array(&data->categories, &data->category_capacity, count + 1,
                                 sizeof *data->categories))
        return out_of_memory(name, error);
    data->categories[count] = (det_category){name, id};
    data->seen.category_count++;
    return DET_OK;
}

det_status det_annotations_add_object(det_annotations_data *data, det_annotated_object object,
                                      det_error *error)
{
    const size_t count = data->seen.object_count;
    if (!det_grow_array(&data->objects, &data->object_capacity, count + 1, sizeof *data->objects))
        return out_of_memory(NULL, error);
    object.id = (int64_t)count + 1;
    object.image = data->seen.image_count - 1;
    data->objects[count] = object;
    data->images[object.image].object_count++;
    data->seen.object_count++;
    return DET_OK;
}

void det_annotations_note(det_annotations_data *data, det_annotations_oddity oddity,
                          const char *format, ...)
{
    det_oddity_count *counted = &data->oddities[oddity];
    if (counted->count++ > 0) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(counted->first, sizeof counted->first, format, arguments);
    va_end(arguments);
}

void det_annotations_pass_over(det_annotations_data *data, const char *inside,
                               const char *separator, const char *name)
{
    char full[sizeof data->unread->name];
    size_t i = 0;
    snprintf(full, sizeof full, "%s%s%s", inside, *inside ? separator : "", name);
    while (i < data->seen.unread_count && strcmp(data->unread[i].name, full) != 0) i++;
    if (i >= det_most_unread - 1) {
        i = det_most_unread - 1;
        snprintf(full, sizeof full, "other");
    }
    if (i >= data->seen.unread_count) {
        memcpy(data->unread[i].name, full, sizeof full);
        data->seen.unread_count = i + 1;
    }
    data->unread[i].count++;
}

/* ---- Finishing ---- */

static void check_object(det_annotations_data *data, size_t index)
{
    const double slack =
        1; /* coordinates are rounded, and some begin at 0 where they should at 1 */
    const det_annotated_object *object = &data->objects[index];
    const det_annotated_image *image = &data->images[object->image];
    const bool sized = image->width > 0 && image->height > 0;
    double c[4];
    det_annotations_corners(&data->seen, index, c);
    const bool relative = data->seen.format == DET_ANNOTATIONS_YOLO;
    const bool empty = relative ? object->box[2] <= 0 || object->box[3] <= 0
                                : c[2] <= c[0] || c[3] <= c[1] || object->area <= 0;
    if (empty)
        det_annotations_note(data, DET_ODDITY_EMPTY, "object %lld on %s", (long long)object->id,
                             image->file);
    if (sized && (c[0] < -slack || c[1] < -slack || c[2] > image->width + slack ||
                  c[3] > image->height + slack))
        det_annotations_note(data, DET_ODDITY_OUTSIDE, "object %lld on %s, %d x %d pixels",
                             (long long)object->id, image->file, image->width, image->height);
}

static const char *const descriptions[DET_ODDITY_COUNT] = {
    [DET_ODDITY_UNKNOWN_IMAGE] = "objects on images that the file does not have, left out",
    [DET_ODDITY_UNKNOWN_CATEGORY] = "objects of categories that the file does not have, left out",
    [DET_ODDITY_NO_ID] = "objects without an id",
    [DET_ODDITY_ID_ZERO] = "objects with the id 0, which pycocotools never takes for found",
    [DET_ODDITY_SAME_ID] = "objects with an id that another has, too",
    [DET_ODDITY_NO_AREA] = "objects without an area, which is taken from the box",
    [DET_ODDITY_SAME_FILE] = "pictures of a file that another has, too",
    [DET_ODDITY_SAME_NAME] = "categories of a name that another has, too",
    [DET_ODDITY_OTHER_FILENAME] = "XML files whose <filename> is not their own name, which counts",
    [DET_ODDITY_EMPTY] = "objects whose width, height or area is not above 0",
    [DET_ODDITY_OUTSIDE] = "objects that reach beyond the picture",
    [DET_ODDITY_POLYGON] = "outlines, of which the box around them is taken",
    [DET_ODDITY_NO_LABELS] = "pictures without a file of labels, taken as without objects",
    [DET_ODDITY_NO_PICTURE] = "files of labels without a picture, left out",
    [DET_ODDITY_UNREADABLE] = "pictures whose size cannot be read",
};

static det_status add_warning(det_annotations_data *data, det_annotations_oddity oddity,
                              det_error *error)
{
    const det_oddity_count *counted = &data->oddities[oddity];
    det_text text = {0};
    det_text_format(&text, "%s: %zu (first: %s)", descriptions[oddity], counted->count,
                    counted->first);
    if (text.failed) {
        det_text_free(&text);
        return out_of_memory(NULL, error);
    }
    data->warnings[data->seen.warning_count++] =
        (det_annotations_warning){oddity, counted->count, text.data};
    return DET_OK;
}

static det_status make_warnings(det_annotations_data *data, det_error *error)
{
    data->warnings = det_alloc_array(DET_ODDITY_COUNT, sizeof *data->warnings);
    if (!data->warnings) return out_of_memory(NULL, error);
    det_status status = DET_OK;
    for (int i = 0; status == DET_OK && i < DET_ODDITY_COUNT; i++)
        if (data->oddities[i].count > 0)
            status = add_warning(data, (det_annotations_oddity)i, error);
    return status;
}

det_status det_annotations_finish(det_annotations_data *data, det_error *error)
{
    data->seen.images = data->images;
    data->seen.categories = data->categories;
    data->seen.objects = data->objects;
    data->seen.last_of_id = data->last_of_id;
    data->seen.file_order = data->file_order;
    data->seen.unread = data->unread;
    data->seen.folder = data->folder ? data->folder : "";
    for (size_t i = 0; i < data->seen.object_count; i++) check_object(data, i);
    det_status status = det_annotations_sort_names(data, error);
    if (status == DET_OK) status = make_warnings(data, error);
    data->seen.warnings = data->warnings;
    return status;
}

/* ---- Boxes ---- */

void det_annotations_corners(const det_annotations *annotations, size_t object, double corners[4])
{
    const det_annotated_object *o = &annotations->objects[object];
    const det_annotated_image *image = &annotations->images[o->image];
    const double *b = o->box;
    switch (annotations->format) {
    case DET_ANNOTATIONS_COCO:
        corners[0] = b[0];
        corners[1] = b[1];
        corners[2] = b[0] + b[2];
        corners[3] = b[1] + b[3];
        return;
    case DET_ANNOTATIONS_VOC:
        corners[0] = b[0] - 1;
        corners[1] = b[1] - 1;
        corners[2] = b[2];
        corners[3] = b[3];
        return;
    case DET_ANNOTATIONS_YOLO:
        corners[0] = (b[0] - b[2] / 2) * image->width;
        corners[1] = (b[1] - b[3] / 2) * image->height;
        corners[2] = (b[0] + b[2] / 2) * image->width;
        corners[3] = (b[1] + b[3] / 2) * image->height;
        return;
    }
}

det_box det_annotations_box(const det_annotations *annotations, size_t object)
{
    double c[4] = {0};
    det_annotations_corners(annotations, object, c);
    return (det_box){(float)c[0], (float)c[1], (float)c[2], (float)c[3]};
}

/* ---- The choice of the format ---- */

const char *det_annotations_format_name(det_annotations_format format)
{
    static const char *const names[] = {"coco", "voc", "yolo"};
    return (unsigned)format < sizeof names / sizeof *names ? names[format] : "unknown";
}

/* Who looks whether a path is theirs, in this order. */
static const struct {
    det_annotations_format format;
    det_status (*recognises)(const char *path, bool *found, det_error *error);
} recognisers[] = {{DET_ANNOTATIONS_VOC, det_voc_recognises},
                   {DET_ANNOTATIONS_YOLO, det_yolo_recognises},
                   {DET_ANNOTATIONS_COCO, det_coco_recognises},
                   {DET_ANNOTATIONS_YOLO, det_yolo_suspects}};

static det_status recognise(const char *path, det_annotations_format *format, det_error *error)
{
    if (!det_is_folder(path) && !det_is_file(path)) return det_fail_errno(error, path, "open");
    for (size_t i = 0; i < sizeof recognisers / sizeof *recognisers; i++) {
        bool found = false;
        const det_status status = recognisers[i].recognises(path, &found, error);
        *format = recognisers[i].format;
        if (status < 0 || found) return status;
    }
    return det_fail_at(
        error, DET_UNSUPPORTED, path, NULL,
        "is none of the annotations that are read: COCO (a .json file, or a folder with one, with "
        "annotations/ or _annotations.coco.json), VOC (a folder with Annotations/, or of .xml "
        "files), YOLO (a folder with images/, a .yaml file, classes.txt or obj.names, or that "
        ".yaml file)");
}

static det_status read_coco(const char *path, const det_annotations_options *options,
                            det_annotations_data *data, det_error *error)
{
    char *chosen = NULL;
    const bool folder = det_is_folder(path);
    if (options->split && !folder)
        return det_fail_at(error, DET_ARGUMENT, path, NULL,
                           "COCO annotations have no split \"%s\": a file is one", options->split);
    det_status status = folder ? det_coco_choose(path, options->split, &chosen, error) : DET_OK;
    const char *file = folder ? chosen : path;
    if (status == DET_OK) status = det_coco_read(file, false, data, error);
    if (status == DET_OK) status = det_coco_set_folder(file, options->pictures, data, error);
    det_free(chosen);
    return status;
}

static det_status read_format(const char *path, const det_annotations_options *options,
                              det_annotations_data *data, det_error *error)
{
    if (data->seen.format == DET_ANNOTATIONS_VOC) return det_voc_read(path, options, data, error);
    if (data->seen.format == DET_ANNOTATIONS_YOLO)
        return det_yolo_read(path, options->split, data, error);
    return read_coco(path, options, data, error);
}

det_status det_annotations_read(const char *path, const det_annotations_options *options,
                                det_annotations **annotations, det_error *error)
{
    static const det_annotations_options defaults = {0};
    det_annotations_format format = DET_ANNOTATIONS_COCO;
    det_status status = recognise(path, &format, error);
    if (status < 0) return status;
    det_annotations_data *data = det_annotations_begin(format, error);
    if (!data) return DET_MEMORY;
    status = read_format(path, options ? options : &defaults, data, error);
    if (status == DET_OK) status = det_annotations_finish(data, error);
    if (status < 0)
        det_annotations_free(&data->seen);
    else
        *annotations = &data->seen;
    return det_error_file(error, path, status);
}
