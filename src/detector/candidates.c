/* SPDX-License-Identifier: Apache-2.0 */
/* Candidates (region, class, score, box) and their fusion: NMS class by class, then the best of
 * all. */
#include "src/detector/candidates.h"

#include "src/base/memory.h"
#include "src/image/nms.h"

#include <stdlib.h>
#include <string.h>

bool det_candidates_add(det_candidates *list, det_candidate candidate)
{
    if (!det_grow_array(&list->items, &list->capacity, list->count + 1, sizeof *list->items))
        return false;
    list->items[list->count++] = candidate;
    return true;
}

void det_candidates_free(det_candidates *list)
{
    det_free(list->items);
    *list = (det_candidates){0};
}

det_fusion_options det_fusion_options_of(const det_config *config)
{
    return (det_fusion_options){.method = config->postprocess.nms_method,
                                .iou = config->postprocess.nms_iou,
                                .vote_iou = config->postprocess.nms_vote_iou,
                                .linear = strcmp(config->postprocess.nms_decay, "linear") == 0,
                                .sigma = config->postprocess.nms_sigma,
                                .score_min = config->postprocess.score_threshold,
                                .max_detections = config->postprocess.max_detections};
}

static int compare_indices(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int by_class_then_region(const void *a, const void *b)
{
    const det_candidate *x = a, *y = b;
    const int classes = compare_indices(x->class_id, y->class_id);
    return classes ? classes : compare_indices(x->region, y->region);
}

static int by_score_then_region(const void *a, const void *b)
{
    const det_candidate *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    const int regions = compare_indices(x->region, y->region);
    return regions ? regions : compare_indices(x->class_id, y->class_id);
}

/* Room for the candidates of one class, and for the survivors of all. */
typedef struct {
    det_box *boxes, *voted;
    float *scores;
    size_t *kept;
    det_candidate *survivors;
    size_t survivor_count;
} workspace;

static bool create_workspace(workspace *w, size_t count)
{
    w->boxes = det_alloc_array(count, sizeof *w->boxes);
    w->voted = det_alloc_array(count, sizeof *w->voted);
    w->scores = det_alloc_array(count, sizeof *w->scores);
    w->kept = det_alloc_array(count, sizeof *w->kept);
    w->survivors = det_alloc_array(count, sizeof *w->survivors);
    return w->boxes && w->voted && w->scores && w->kept && w->survivors;
}

static void free_workspace(workspace *w)
{
    det_free(w->boxes);
    det_free(w->voted);
    det_free(w->scores);
    det_free(w->kept);
    det_free(w->survivors);
}

/* How many of the first `count` boxes are kept, or a negative status. */
static int64_t keep(workspace *w, size_t count, const det_fusion_options *options)
{
    const det_soft_nms soft = {.linear = options->linear,
                               .iou_max = options->iou,
                               .sigma = options->sigma,
                               .score_min = options->score_min};
    if (options->method == DET_NMS_SOFT)
        return det_nms_soft(w->boxes, w->scores, count, &soft, w->kept);
    return det_nms_hard(w->boxes, w->scores, count, options->iou, w->kept);
}

static void add_survivors(workspace *w, const det_candidate *items, size_t kept, bool voted)
{
    for (size_t i = 0; i < kept; i++) {
        det_candidate *survivor = &w->survivors[w->survivor_count++];
        *survivor = items[w->kept[i]];
        survivor->score = w->scores[w->kept[i]];
        if (voted) survivor->box = w->voted[i];
    }
}

static det_status suppress_class(const det_candidate *items, size_t count,
                                 const det_fusion_options *options, workspace *w, det_error *error)
{
    for (size_t i = 0; i < count; i++) {
        w->boxes[i] = items[i].box;
        w->scores[i] = items[i].score;
    }
    const int64_t kept = keep(w, count, options);
    if (kept == DET_ARGUMENT)
        return det_fail(error, DET_ARGUMENT,
                        "suppression at IoU %g: outside 0..1, or a score is not finite",
                        (double)options->iou);
    if (kept < 0) return det_fail_memory(error, "non-maximum suppression");
    const bool vote = options->method == DET_NMS_VOTE;
    if (vote)
        det_nms_vote(w->boxes, w->scores, count, w->kept, (size_t)kept, options->vote_iou,
                     w->voted);
    add_survivors(w, items, (size_t)kept, vote);
    return DET_OK;
}

static det_status suppress(det_candidates *list, const det_fusion_options *options,
                           det_error *error)
{
    workspace w = {0};
    det_status status = DET_OK;
    if (!create_workspace(&w, list->count)) {
        status = det_fail_memory(error, "non-maximum suppression");
        goto done;
    }
    qsort(list->items, list->count, sizeof *list->items, by_class_then_region);
    for (size_t first = 0, end; first < list->count && status == DET_OK; first = end) {
        end = first;
        while (end < list->count && list->items[end].class_id == list->items[first].class_id) end++;
        status = suppress_class(list->items + first, end - first, options, &w, error);
    }
    if (status < 0) goto done;
    for (size_t i = 0; i < w.survivor_count; i++) list->items[i] = w.survivors[i];
    list->count = w.survivor_count;
done:
    free_workspace(&w);
    return status;
}

det_status det_candidates_fuse(det_candidates *list, const det_fusion_options *options,
                               det_error *error)
{
    if (list->count == 0) return DET_OK;
    if (options->method != DET_NMS_NONE) {
        const det_status status = suppress(list, options, error);
        if (status < 0) return status;
    }
    qsort(list->items, list->count, sizeof *list->items, by_score_then_region);
    if (options->max_detections > 0 && list->count > options->max_detections)
        list->count = options->max_detections;
    return DET_OK;
}
