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

/* A picture whose regions are labelled. */
typedef struct {
    const det_annotations *annotations;
    const det_annotated_image *image;
    const det_learned_classes *classes;
    const det_example_options *options;
    det_box *boxes; /* of its objects */
    bool *counts;   /* whether each is learned */
} labelled;

/* Whether a region shows too much of something that must teach nothing. */
static bool shows_ignored(const labelled *l, det_box region)
{
    const double half = .5;
    for (size_t i = 0; i < l->image->object_count; i++) {
        if (l->counts[i]) continue;
        const bool crowd = l->annotations->objects[l->image->first_object + i].crowd;
        const double share =
            crowd ? det_share_in_crowd(region, l->boxes[i]) : det_box_iou(region, l->boxes[i]);
        if (share > 0 && share >= (crowd ? half : l->options->negative_iou)) return true;
    }
    return false;
}

static void label_region(const labelled *l, const det_box region, size_t at,
                         const det_region_labels *labels)
{
    double most = 0;
    size_t nearest = SIZE_MAX;
    for (size_t i = 0; i < l->image->object_count; i++) {
        const double overlap = l->counts[i] ? det_box_iou(region, l->boxes[i]) : 0;
        if (overlap <= most) continue;
        most = overlap;
        nearest = l->image->first_object + i;
    }
    labels->overlaps[at] = (float)most;
    labels->objects[at] = nearest;
    if (most >= l->options->positive_iou)
        labels->labels[at] = l->classes->classes[l->annotations->objects[nearest].category];
    else if (most < l->options->negative_iou && !shows_ignored(l, region))
        labels->labels[at] = DET_LABEL_BACKGROUND;
    else
        labels->labels[at] = DET_LABEL_NOTHING;
}

static det_status prepare(labelled *l, const det_region_features *regions,
                          det_region_labels *labels, det_error *error)
{
    const size_t objects = l->image->object_count;
    l->boxes = det_alloc_array(objects, sizeof *l->boxes);
    l->counts = det_alloc_array(objects, sizeof *l->counts);
    labels->labels = det_alloc_array(regions->count, sizeof *labels->labels);
    labels->overlaps = det_alloc_array(regions->count, sizeof *labels->overlaps);
    labels->objects = det_alloc_array(regions->count, sizeof *labels->objects);
    if (!l->boxes || !l->counts || !labels->labels || !labels->overlaps || !labels->objects)
        return det_fail_memory(error, "the labels of regions");
    for (size_t i = 0; i < objects; i++) {
        const size_t object = l->image->first_object + i;
        l->boxes[i] =
            det_object_box(l->annotations, object, regions->picture_width, regions->picture_height);
        l->counts[i] = det_object_counts(l->annotations, object, regions->picture_width,
                                         regions->picture_height);
    }
    return DET_OK;
}

det_status det_label_regions(const det_annotations *annotations, size_t image,
                             const det_learned_classes *classes, const det_region_features *regions,
                             const det_example_options *options, det_region_labels *labels,
                             det_error *error)
{
    labelled l = {.annotations = annotations,
                  .image = &annotations->images[image],
                  .classes = classes,
                  .options = options};
    *labels = (det_region_labels){0};
    const det_status status = prepare(&l, regions, labels, error);
    for (size_t i = 0; status == DET_OK && i < regions->count; i++)
        label_region(&l, regions->boxes[i], i, labels);
    det_free(l.boxes);
    det_free(l.counts);
    return status;
}

void det_region_labels_free(det_region_labels *labels)
{
    det_free(labels->labels);
    det_free(labels->overlaps);
    det_free(labels->objects);
    *labels = (det_region_labels){0};
}
