/* SPDX-License-Identifier: Apache-2.0 */
/* What all sources of proposals share. */
#include "proposals/regions.h"

#include "src/base/memory.h"

#include <math.h>
#include <stdlib.h>

const char *det_source_name(det_source source)
{
    switch (source) {
    case DET_SOURCE_SELECTIVE_SEARCH:
        return "selective_search";
    case DET_SOURCE_MULTIBOX:
        return "multibox";
    case DET_SOURCE_UNIFORM:
        return "uniform";
    case DET_SOURCE_SLIDING:
        return "sliding";
    case DET_SOURCE_PICTURE:
        return "picture";
    }
    return "unknown";
}

void det_regions_free(det_region *regions)
{
    det_free(regions);
}

void det_working_size(const det_image *image, int width_px, double *width, double *height)
{
    enum { longest = 4 };
    double scale = 1;
    if (width_px > 0) {
        const double to_width = (double)width_px / image->width;
        const double to_height = (double)width_px / image->height;
        scale = to_width > 1 ? fmax(1, fmin(to_width, longest * to_height))
                             : fmin(1, fmax(to_width, to_height / longest));
    }
    *width = fmax(1, round(image->width * scale));
    *height = fmax(1, round(image->height * scale));
}

static int compare_boxes(const det_box *a, const det_box *b)
{
    if (a->x0 != b->x0) return a->x0 < b->x0 ? -1 : 1;
    if (a->y0 != b->y0) return a->y0 < b->y0 ? -1 : 1;
    if (a->x1 != b->x1) return a->x1 < b->x1 ? -1 : 1;
    if (a->y1 != b->y1) return a->y1 < b->y1 ? -1 : 1;
    return 0;
}

static int best_first(const void *a, const void *b)
{
    const det_region *p = a, *q = b;
    if (p->score != q->score) return p->score > q->score ? -1 : 1;
    if (p->source != q->source) return p->source < q->source ? -1 : 1;
    if (p->hierarchy != q->hierarchy) return p->hierarchy < q->hierarchy ? -1 : 1;
    return compare_boxes(&p->box, &q->box);
}

static int by_box_best_first(const void *a, const void *b)
{
    const det_region *p = a, *q = b;
    const int boxes = compare_boxes(&p->box, &q->box);
    return boxes ? boxes : best_first(a, b);
}

size_t det_regions_unite(det_region *regions, size_t count)
{
    size_t kept = 0;
    qsort(regions, count, sizeof *regions, by_box_best_first);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare_boxes(&regions[kept - 1].box, &regions[i].box) != 0)
            regions[kept++] = regions[i];
    qsort(regions, kept, sizeof *regions, best_first);
    return kept;
}
