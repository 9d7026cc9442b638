/* SPDX-License-Identifier: Apache-2.0 */
#include "src/detector/nms.h"

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
