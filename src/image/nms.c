/* SPDX-License-Identifier: Apache-2.0 */
/* Suppression of overlapping boxes: hard, with votes, soft. Orders are total, so that the results
 * depend on the boxes and scores alone. */
#include "src/image/nms.h"

#include "src/base/memory.h"

#include <math.h>
#include <stdlib.h>

static bool all_finite(const float *scores, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(scores[i])) return false;
    return true;
}

static int compare(const void *a, const void *b, void *context)
{
    const float *scores = context;
    const size_t i = *(const size_t *)a, j = *(const size_t *)b;
    if (scores[i] != scores[j]) return scores[i] > scores[j] ? -1 : 1;
    return (i > j) - (i < j);
}

static bool overlaps_any(const det_box *boxes, const size_t *kept, size_t count, det_box box,
                         float iou_max)
{
    for (size_t i = 0; i < count; i++)
        if (det_box_iou(boxes[kept[i]], box) > (double)iou_max) return true;
    return false;
}

int64_t det_nms_hard(const det_box *boxes, const float *scores, size_t n, float iou_max,
                     size_t *kept)
{
    if (!(iou_max >= 0 && iou_max <= 1) || !all_finite(scores, n)) return DET_ARGUMENT;

    size_t *order = det_alloc_array(n, sizeof *order);
    if (!order) return DET_MEMORY;
    for (size_t i = 0; i < n; i++) order[i] = i;
    /* qsort_r takes its context as non-const; the comparison only reads it. */
    union {
        const float *read;
        void *passed;
    } context = {.read = scores};
    qsort_r(order, n, sizeof *order, compare, context.passed);

    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (!overlaps_any(boxes, kept, count, boxes[order[i]], iou_max)) kept[count++] = order[i];
    det_free(order);
    return (int64_t)count;
}

/* ---- Voting --------------------------------------------------------------------------------- */

static void add_vote(double sums[4], det_box box, double weight)
{
    sums[0] += weight * (double)box.x0;
    sums[1] += weight * (double)box.y0;
    sums[2] += weight * (double)box.x1;
    sums[3] += weight * (double)box.y1;
}

static det_box vote_around(const det_box *boxes, const float *scores, size_t n, det_box kept,
                           float iou_min)
{
    double sums[4] = {0}, total = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(scores[i] > 0) || det_box_iou(boxes[i], kept) < (double)iou_min) continue;
        add_vote(sums, boxes[i], (double)scores[i]);
        total += (double)scores[i];
    }
    if (!(total > 0)) return kept;
    return (det_box){(float)(sums[0] / total), (float)(sums[1] / total), (float)(sums[2] / total),
                     (float)(sums[3] / total)};
}

void det_nms_vote(const det_box *boxes, const float *scores, size_t n, const size_t *kept,
                  size_t count, float iou_min, det_box *voted)
{
    for (size_t i = 0; i < count; i++)
        voted[i] = vote_around(boxes, scores, n, boxes[kept[i]], iou_min);
}

/* ---- Soft suppression ----------------------------------------------------------------------- */

static double share_left(double iou, const det_soft_nms *how)
{
    if (!how->linear) return exp(-iou * iou / (double)how->sigma);
    return iou > (double)how->iou_max ? 1 - iou : 1;
}

/* @return where the best of the indices is. */
static size_t find_best(const size_t *indices, size_t count, const float *scores)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++) {
        const size_t a = indices[i], b = indices[best];
        if (scores[a] > scores[b] || (scores[a] == scores[b] && a < b)) best = i;
    }
    return best;
}

static bool is_sensible(const float *scores, size_t n, const det_soft_nms *how)
{
    if (!(how->iou_max >= 0 && how->iou_max <= 1 && how->sigma > 0)) return false;
    for (size_t i = 0; i < n; i++)
        if (!(scores[i] >= 0)) return false;
    return all_finite(scores, n);
}

int64_t det_nms_soft(const det_box *boxes, float *scores, size_t n, const det_soft_nms *how,
                     size_t *kept)
{
    if (!is_sensible(scores, n, how)) return DET_ARGUMENT;
    size_t *left = det_alloc_array(n, sizeof *left);
    if (!left) return DET_MEMORY;
    for (size_t i = 0; i < n; i++) left[i] = i;

    size_t count = 0;
    for (size_t remaining = n; remaining > 0;) {
        const size_t at = find_best(left, remaining, scores), taken = left[at];
        if (scores[taken] < how->score_min) break;
        kept[count++] = taken;
        left[at] = left[--remaining];
        for (size_t i = 0; i < remaining; i++) {
            const double share = share_left(det_box_iou(boxes[left[i]], boxes[taken]), how);
            scores[left[i]] = (float)((double)scores[left[i]] * share);
        }
    }
    det_free(left);
    return (int64_t)count;
}
