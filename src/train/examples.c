/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/examples.h"

#include "eval/overlap.h"
#include "src/base/memory.h"

#include <math.h>
#include <stdint.h>

/* ---- Objects -------------------------------------------------------------------------------- */

det_box det_object_box(const det_annotations *annotations, size_t object, int picture_width,
                       int picture_height)
{
    double c[4];
    det_annotations_corners(annotations, object, c);
    return (det_box){(float)det_greatest(c[0], 0), (float)det_greatest(c[1], 0),
                     (float)det_least(c[2], picture_width), (float)det_least(c[3], picture_height)};
}

bool det_object_is_plain(const det_annotated_object *object)
{
    return !object->crowd && !object->ignore && !object->difficult;
}

bool det_object_counts(const det_annotations *annotations, size_t object, int picture_width,
                       int picture_height)
{
    if (!det_object_is_plain(&annotations->objects[object])) return false;
    const det_box box = det_object_box(annotations, object, picture_width, picture_height);
    return box.x1 - box.x0 >= 1 && box.y1 - box.y0 >= 1;
}

double det_share_in_crowd(det_box region, det_box crowd)
{
    const double sized[2][4] = {
        {region.x0, region.y0, (double)region.x1 - region.x0, (double)region.y1 - region.y0},
        {crowd.x0, crowd.y0, (double)crowd.x1 - crowd.x0, (double)crowd.y1 - crowd.y0}};
    return det_overlap_sized(sized[0], sized[1], true);
}

double det_class_overlap(const det_annotations *annotations, size_t image, size_t category,
                         const det_region_features *regions, size_t region)
{
    const det_annotated_image *pictured = &annotations->images[image];
    const int width = regions->picture_width, height = regions->picture_height;
    double most = 0;
    for (size_t i = 0; i < pictured->object_count; i++) {
        const size_t object = pictured->first_object + i;
        if (annotations->objects[object].category != category ||
            !det_object_counts(annotations, object, width, height))
            continue;
        const det_box box = det_object_box(annotations, object, width, height);
        most = fmax(most, (double)det_box_iou(regions->boxes[region], box));
    }
    return most;
}

/* ---- Labels --------------------------------------------------------------------------------- */

/* Whether a region shows too much of something that must teach nothing. */
static bool shows_ignored(const det_picture_objects *o, const det_example_options *options,
                          det_box region)
{
    const double half = .5;
    for (size_t i = 0; i < o->image->object_count; i++) {
        if (o->counts[i]) continue;
        const bool crowd = o->annotations->objects[o->image->first_object + i].crowd;
        const double share =
            crowd ? det_share_in_crowd(region, o->boxes[i]) : det_box_iou(region, o->boxes[i]);
        if (share > 0 && share >= (crowd ? half : options->negative_iou)) return true;
    }
    return false;
}

det_region_label det_label_region(const det_picture_objects *objects,
                                  const det_example_options *options, det_box region)
{
    const det_annotated_image *image = objects->image;
    double most = 0;
    size_t nearest = SIZE_MAX;
    for (size_t i = 0; i < image->object_count; i++) {
        const double overlap = objects->counts[i] ? det_box_iou(region, objects->boxes[i]) : 0;
        if (overlap <= most) continue;
        most = overlap;
        nearest = image->first_object + i;
    }
    det_region_label label = {DET_LABEL_NOTHING, (float)most, nearest};
    if (most >= options->positive_iou)
        label.label = objects->classes->classes[objects->annotations->objects[nearest].category];
    else if (most < options->negative_iou && !shows_ignored(objects, options, region))
        label.label = DET_LABEL_BACKGROUND;
    return label;
}

det_status det_picture_objects_make(const det_annotations *annotations, size_t image,
                                    const det_learned_classes *classes,
                                    const det_region_features *regions,
                                    det_picture_objects *objects, det_error *error)
{
    const int width = regions->picture_width, height = regions->picture_height;
    const det_annotated_image *pictured = &annotations->images[image];
    *objects =
        (det_picture_objects){.annotations = annotations, .image = pictured, .classes = classes};
    objects->boxes = det_alloc_array(pictured->object_count, sizeof *objects->boxes);
    objects->counts = det_alloc_array(pictured->object_count, sizeof *objects->counts);
    if (!objects->boxes || !objects->counts)
        return det_fail_memory(error, "the objects of a picture");
    for (size_t i = 0; i < pictured->object_count; i++) {
        const size_t object = pictured->first_object + i;
        objects->boxes[i] = det_object_box(annotations, object, width, height);
        objects->counts[i] = det_object_counts(annotations, object, width, height);
    }
    return DET_OK;
}

void det_picture_objects_free(det_picture_objects *objects)
{
    det_free(objects->boxes);
    det_free(objects->counts);
    *objects = (det_picture_objects){0};
}

static det_status make_labels(size_t count, det_region_labels *labels, det_error *error)
{
    labels->labels = det_alloc_array(count, sizeof *labels->labels);
    labels->overlaps = det_alloc_array(count, sizeof *labels->overlaps);
    labels->objects = det_alloc_array(count, sizeof *labels->objects);
    if (labels->labels && labels->overlaps && labels->objects) return DET_OK;
    return det_fail_memory(error, "the labels of regions");
}

det_status det_label_regions(const det_annotations *annotations, size_t image,
                             const det_learned_classes *classes, const det_region_features *regions,
                             const det_example_options *options, det_region_labels *labels,
                             det_error *error)
{
    det_picture_objects objects;
    *labels = (det_region_labels){0};
    det_status status =
        det_picture_objects_make(annotations, image, classes, regions, &objects, error);
    if (status == DET_OK) status = make_labels(regions->count, labels, error);
    for (size_t i = 0; status == DET_OK && i < regions->count; i++) {
        const det_region_label label = det_label_region(&objects, options, regions->boxes[i]);
        labels->labels[i] = label.label;
        labels->overlaps[i] = label.overlap;
        labels->objects[i] = label.object;
    }
    det_picture_objects_free(&objects);
    return status;
}

void det_region_labels_free(det_region_labels *labels)
{
    det_free(labels->labels);
    det_free(labels->overlaps);
    det_free(labels->objects);
    *labels = (det_region_labels){0};
}
