/* SPDX-License-Identifier: Apache-2.0 */
/* Rows enter one after another. Prices of rows u and columns v keep cost - u - v at least 0, and at
 * 0 where a row has its column, so that the assignment so far is the best one (duality). A new row
 * looks for the shortest path, in these reduced costs, over rows that give their column away, to a
 * column that is free (Dijkstra); prices are then corrected by the lengths of paths. */
#include "proposals/multibox/assignment.h"

#include "src/base/error.h"
#include "src/base/memory.h"

#include <math.h>

typedef struct {
    const double *costs;
    size_t columns;               /* at least as many as rows */
    size_t row_step, column_step; /* in `costs`: it may lie the other way round */
    double *row_prices, *column_prices;
    size_t *owners;  /* of each column: its row, or DET_UNASSIGNED */
    double *lengths; /* of each column: of the shortest path to it */
    size_t *from;    /* of each column: the column before it on this path, or DET_UNASSIGNED */
    bool *settled;   /* of each column: no shorter path is possible */
} assignment;

static double reduced_cost(const assignment *a, size_t row, size_t column)
{
    return a->costs[row * a->row_step + column * a->column_step] - a->row_prices[row] -
           a->column_prices[column];
}

/* Lengthens the path that ends in a row, whose own column is `at`, to all columns. */
static void extend_path(assignment *a, size_t row, size_t at, double length)
{
    for (size_t c = 0; c < a->columns; c++) {
        if (a->settled[c]) continue;
        const double longer = length + reduced_cost(a, row, c);
        if (longer >= a->lengths[c]) continue;
        a->lengths[c] = longer;
        a->from[c] = at;
    }
}

static size_t nearest_column(const assignment *a)
{
    size_t nearest = DET_UNASSIGNED;
    for (size_t c = 0; c < a->columns; c++)
        if (!a->settled[c] && (nearest == DET_UNASSIGNED || a->lengths[c] < a->lengths[nearest]))
            nearest = c;
    return nearest;
}

/* @return the free column at the end of the shortest path from a row. */
static size_t find_path(assignment *a, size_t row)
{
    for (size_t c = 0; c < a->columns; c++) {
        a->lengths[c] = INFINITY;
        a->settled[c] = false;
    }
    extend_path(a, row, DET_UNASSIGNED, 0);
    for (;;) {
        const size_t at = nearest_column(a);
        if (a->owners[at] == DET_UNASSIGNED) return at;
        a->settled[at] = true;
        extend_path(a, a->owners[at], at, a->lengths[at]);
    }
}

static void correct_prices(assignment *a, size_t row, double length)
{
    a->row_prices[row] += length;
    for (size_t c = 0; c < a->columns; c++) {
        if (!a->settled[c]) continue;
        a->row_prices[a->owners[c]] += length - a->lengths[c];
        a->column_prices[c] -= length - a->lengths[c];
    }
}

static void enter_row(assignment *a, size_t row)
{
    size_t at = find_path(a, row);
    correct_prices(a, row, a->lengths[at]);
    for (; a->from[at] != DET_UNASSIGNED; at = a->from[at]) a->owners[at] = a->owners[a->from[at]];
    a->owners[at] = row;
}

static void hand_over(const assignment *a, bool turned, size_t rows, size_t *column)
{
    for (size_t r = 0; r < rows; r++) column[r] = DET_UNASSIGNED;
    for (size_t c = 0; c < a->columns; c++) {
        if (a->owners[c] == DET_UNASSIGNED) continue;
        if (turned)
            column[c] = a->owners[c];
        else
            column[a->owners[c]] = c;
    }
}

static det_status check(const double *costs, size_t rows, size_t columns, det_error *error)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            if (!isfinite(costs[r * columns + c]))
                return det_fail(error, DET_ARGUMENT,
                                "the cost of row %zu in column %zu is %g: it must be finite", r, c,
                                costs[r * columns + c]);
    return DET_OK;
}

det_status det_assign(const double *costs, size_t rows, size_t columns, size_t *column,
                      det_error *error)
{
    det_status status = check(costs, rows, columns, error);
    if (status < 0) return status;
    const bool turned = rows > columns;
    const size_t fewer = turned ? columns : rows, more = turned ? rows : columns;
    assignment a = {.costs = costs,
                    .columns = more,
                    .row_step = turned ? 1 : columns,
                    .column_step = turned ? columns : 1,
                    .row_prices = det_alloc_zeroed(fewer, sizeof *a.row_prices),
                    .column_prices = det_alloc_zeroed(more, sizeof *a.column_prices),
                    .owners = det_alloc_array(more, sizeof *a.owners),
                    .lengths = det_alloc_array(more, sizeof *a.lengths),
                    .from = det_alloc_array(more, sizeof *a.from),
                    .settled = det_alloc_array(more, sizeof *a.settled)};
    if (a.row_prices && a.column_prices && a.owners && a.lengths && a.from && a.settled) {
        for (size_t c = 0; c < more; c++) a.owners[c] = DET_UNASSIGNED;
        for (size_t r = 0; r < fewer; r++) enter_row(&a, r);
        hand_over(&a, turned, rows, column);
    } else {
        status = det_fail_memory(error, "an assignment");
    }
    det_free(a.row_prices);
    det_free(a.column_prices);
    det_free(a.owners);
    det_free(a.lengths);
    det_free(a.from);
    det_free(a.settled);
    return status;
}
