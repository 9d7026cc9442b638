/* SPDX-License-Identifier: Apache-2.0 */
/* What selective search begins with: the picture at the size to work on, its fragments in a colour
 * space, and, for whoever wants to see them, its segments. */
#include "proposals/selective_search/superpixels.h"

#include "proposals/selective_search/segment.h"
#include "src/base/error.h"
#include "src/base/memory.h"
#include "src/base/run.h"
#include "src/image/resize.h"

#include <string.h>

void det_search_arenas_free(det_search_arenas *arenas)
{
    det_arena_free(&arenas->wave);
    det_arena_free(&arenas->task);
    det_arena_free(&arenas->step);
}

det_status det_search_picture(const det_search_plan *plan, const det_image *image,
                              det_image *resized, const det_image **picture, det_error *error)
{
    int width, height;
    *picture = image;
    det_status status = det_search_plan_size(plan, image, &width, &height, error);
    if (status < 0 || (width == image->width && height == image->height)) return status;
    status = det_image_resize(image, width, height, resized, error);
    *picture = resized;
    return status;
}

det_status det_search_fragments(const det_search_plan *plan, size_t space, const det_image *picture,
                                det_search_arenas *arenas, det_planes *planes,
                                det_fragments *fragments, det_error *error)
{
    det_arena *wave = &arenas->wave, *task = &arenas->task, *step = &arenas->step;
    det_pixel_graph graph;
    det_status status = det_color_convert(picture, plan->space[space], task, planes, error);
    if (status == DET_OK)
        status = det_pixel_graph_create(planes, plan->sigma_px, task, step, &graph, error);
    det_arena_reset(step);
    if (status == DET_OK)
        status =
            det_fragments_create(&graph, plan->least_k, plan->most_k, wave, step, fragments, error);
    det_arena_reset(step);
    return status;
}

static det_status copy_segments(const det_segments *segments, det_segmentation *segmentation,
                                det_error *error)
{
    const size_t pixels = (size_t)segments->width * (size_t)segments->height;
    int32_t *labels = det_alloc_array(pixels, sizeof *labels);
    if (!labels) return det_fail_memory(error, "the segments of a picture");
    memcpy(labels, segments->labels, pixels * sizeof *labels);
    *segmentation = (det_segmentation){segments->width, segments->height, segments->count, labels};
    return DET_OK;
}

det_status det_selective_search_segment(const det_image *image,
                                        const det_selective_search_options *options,
                                        const det_run *run, det_segmentation *segmentation,
                                        det_error *error)
{
    enum { steps = 3 };
    *segmentation = (det_segmentation){0};
    det_image resized = {0};
    det_search_arenas arenas = {0};
    const det_image *picture;
    det_planes planes;
    det_fragments fragments;
    det_segments segments;
    det_search_plan plan;
    det_status status = det_search_plan_create(options, &plan, error);
    if (status == DET_OK) status = det_search_picture(&plan, image, &resized, &picture, error);
    if (status == DET_OK) status = det_run_check(run, 1, steps, error);
    if (status == DET_OK)
        status = det_search_fragments(&plan, 0, picture, &arenas, &planes, &fragments, error);
    if (status == DET_OK) status = det_run_check(run, 2, steps, error);
    if (status == DET_OK)
        status =
            det_segment(&fragments, plan.k[0], plan.min_size[0], &arenas.task, &segments, error);
    if (status == DET_OK) status = det_run_check(run, steps, steps, error);
    if (status == DET_OK) status = copy_segments(&segments, segmentation, error);
    det_search_arenas_free(&arenas);
    det_image_free(&resized);
    return status;
}

void det_segmentation_free(det_segmentation *segmentation)
{
    if (!segmentation) return;
    det_free(segmentation->labels);
    *segmentation = (det_segmentation){0};
}
