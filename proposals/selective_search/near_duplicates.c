/* SPDX-License-Identifier: Apache-2.0 */
/* Several hierarchies find nearly the same box again and again, so that a list that is cut short
 * holds some objects ten times and others not at all. The near duplicates therefore go last.
 *
 * Two boxes overlap by more than t only if their widths, and their heights, are at least t times
 * each other's. Boxes are therefore kept in cells by the logarithm to the base 1/t of both sides,
 * and a box is compared with those of its own cell and the eight around it. */
#include "proposals/selective_search/near_duplicates.h"

#include "proposals/selective_search/similarity.h"
#include "src/base/memory.h"

#include <math.h>

enum { most_cells = 64 }; /* along one side; the last holds all that are longer */

typedef struct {
    det_ranked *boxes;
    double iou;
    int32_t *cells; /* [most_cells][most_cells]: 1 + the box put there last; 0: none */
    int32_t *next;  /* of a box: 1 + the one put into its cell before; 0: none */
} sieve;

static int cell_of(int side, double iou)
{
    const double cell = log(side) / -log(iou);
    return cell < most_cells - 1 ? (int)cell : most_cells - 1;
}

static bool overlap_more(det_rectangle a, det_rectangle b, double iou)
{
    const det_rectangle both = {a.x0 > b.x0 ? a.x0 : b.x0, a.y0 > b.y0 ? a.y0 : b.y0,
                                a.x1 < b.x1 ? a.x1 : b.x1, a.y1 < b.y1 ? a.y1 : b.y1};
    if (both.x0 >= both.x1 || both.y0 >= both.y1) return false;
    const int64_t common = det_rectangle_area(both);
    return (double)common > iou * (double)(det_rectangle_area(a) + det_rectangle_area(b) - common);
}

static bool has_near(const sieve *s, det_rectangle box, int column, int row)
{
    for (int r = row > 0 ? row - 1 : 0; r <= row + 1 && r < most_cells; r++)
        for (int c = column > 0 ? column - 1 : 0; c <= column + 1 && c < most_cells; c++)
            for (int32_t i = s->cells[r * most_cells + c]; i > 0; i = s->next[i - 1])
                if (overlap_more(s->boxes[i - 1].box, box, s->iou)) return true;
    return false;
}

static void mark(const sieve *s, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const det_rectangle box = s->boxes[i].box;
        const int column = cell_of(box.x1 - box.x0, s->iou), row = cell_of(box.y1 - box.y0, s->iou);
        s->boxes[i].near_duplicate = has_near(s, box, column, row);
        if (s->boxes[i].near_duplicate) continue;
        int32_t *cell = &s->cells[row * most_cells + column];
        s->next[i] = *cell;
        *cell = (int32_t)i + 1;
    }
}

/* Both kinds keep their order; `behind` has room for all boxes. */
static void part(det_ranked *boxes, size_t count, det_ranked *behind)
{
    size_t kept = 0, put_behind = 0;
    for (size_t i = 0; i < count; i++)
        if (boxes[i].near_duplicate)
            behind[put_behind++] = boxes[i];
        else
            boxes[kept++] = boxes[i];
    for (size_t i = 0; i < put_behind; i++) boxes[kept + i] = behind[i];
}

det_status det_defer_near_duplicates(det_ranked *boxes, size_t count, double iou)
{
    if (iou >= 1 || count == 0) return DET_OK;
    const sieve s = {.boxes = boxes,
                     .iou = iou,
                     .cells = det_alloc_zeroed((size_t)most_cells * most_cells, sizeof *s.cells),
                     .next = det_alloc_zeroed(count, sizeof *s.next)};
    det_ranked *behind = det_alloc_array(count, sizeof *behind);
    const bool ok = s.cells && s.next && behind;
    if (ok) {
        mark(&s, count);
        part(boxes, count, behind);
    }
    det_free(s.cells);
    det_free(s.next);
    det_free(behind);
    return ok ? DET_OK : DET_MEMORY;
}
