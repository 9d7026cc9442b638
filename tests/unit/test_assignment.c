/* SPDX-License-Identifier: Apache-2.0 */
#include "proposals/multibox/assignment.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "tests/unit/support.h"

#include <math.h>

enum { MOST = 6 };

static double assign(const double *costs, size_t rows, size_t columns, size_t *column)
{
    det_error error = {0};
    test_assert_ok(det_assign(costs, rows, columns, column, &error), &error);
    double sum = 0;
    size_t assigned = 0;
    bool taken[MOST] = {false};
    for (size_t r = 0; r < rows; r++) {
        if (column[r] == DET_UNASSIGNED) continue;
        assert_true(column[r] < columns && !taken[column[r]]);
        taken[column[r]] = true;
        sum += costs[r * columns + column[r]];
        assigned++;
    }
    assert_int_equal(assigned, rows < columns ? rows : columns);
    return sum;
}

/* Greedy would give row 0 column 0 (1) and row 1 column 1 (9), 10 together; the best is 2 + 2. */
static void the_whole_counts_not_the_first(void **state)
{
    (void)state;
    size_t column[2];
    assert_float_equal((float)assign((const double[]){1, 2, 2, 9}, 2, 2, column), 4, 0);
    assert_int_equal(column[0], 1);
    assert_int_equal(column[1], 0);
}

/* Three rows for two columns: the middle one, the dearest, has none. */
static void rows_may_be_left_over(void **state)
{
    (void)state;
    size_t column[3];
    assert_float_equal((float)assign((const double[]){5, 1, 7, 8, 2, 4}, 3, 2, column), 3, 0);
    assert_int_equal(column[0], 1);
    assert_int_equal(column[1], DET_UNASSIGNED);
    assert_int_equal(column[2], 0);
}

/* ---- Against all permutations ---- */

/* The least that rows from `row` on cost, with `skips` of them left over. */
static double search(const double *costs, size_t rows, size_t columns, size_t row, size_t skips,
                     bool *taken)
{
    if (row == rows) return 0;
    double least = INFINITY;
    if (skips > 0) least = search(costs, rows, columns, row + 1, skips - 1, taken);
    for (size_t c = 0; c < columns; c++) {
        if (taken[c]) continue;
        taken[c] = true;
        const double rest = search(costs, rows, columns, row + 1, skips, taken);
        least = fmin(least, costs[row * columns + c] + rest);
        taken[c] = false;
    }
    return least;
}

/* Small whole numbers, also negative ones, so that many assignments are equal. */
static void no_permutation_is_better(void **state)
{
    (void)state;
    det_random random = det_random_create(3, 0);
    for (int round = 0; round < 400; round++) {
        const size_t rows = 1 + det_random_below(&random, MOST - 1);
        const size_t columns = 1 + det_random_below(&random, MOST - 1);
        double costs[MOST * MOST];
        for (size_t i = 0; i < rows * columns; i++)
            costs[i] = (double)det_random_below(&random, 12) - 4;
        size_t column[MOST], again[MOST];
        bool taken[MOST] = {false};
        const size_t skips = rows > columns ? rows - columns : 0;
        const double least = search(costs, rows, columns, 0, skips, taken);
        assert_float_equal((float)assign(costs, rows, columns, column), (float)least, 1e-9);
        assign(costs, rows, columns, again);
        assert_memory_equal(column, again, rows * sizeof *column);
    }
}

/* A permutation hidden in a large matrix: its entries are 0, all others above. */
static void a_large_assignment_is_found(void **state)
{
    (void)state;
    enum { ROWS = 60, COLUMNS = 200 };
    static double costs[ROWS * COLUMNS];
    size_t column[ROWS];
    det_random random = det_random_create(4, 0);
    for (size_t i = 0; i < (size_t)ROWS * COLUMNS; i++)
        costs[i] = 1e-3 + det_random_double(&random);
    for (size_t r = 0; r < ROWS; r++) costs[r * COLUMNS + r * 3 % COLUMNS] = 0;
    det_error error = {0};
    test_assert_ok(det_assign(costs, ROWS, COLUMNS, column, &error), &error);
    for (size_t r = 0; r < ROWS; r++) assert_int_equal(column[r], r * 3 % COLUMNS);
}

static void nothing_to_assign_is_fine(void **state)
{
    (void)state;
    size_t column[2] = {7, 7};
    assert_int_equal(det_assign(NULL, 0, 5, column, NULL), DET_OK);
    assert_int_equal(det_assign(NULL, 2, 0, column, NULL), DET_OK);
    assert_int_equal(column[0], DET_UNASSIGNED);
    assert_int_equal(column[1], DET_UNASSIGNED);
}

static void costs_must_be_finite(void **state)
{
    (void)state;
    const double wrong[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    for (size_t i = 0; i < 3; i++) {
        const double costs[] = {0, 1, 2, wrong[i]};
        size_t column[2];
        det_error error = {0};
        test_assert_error(det_assign(costs, 2, 2, column, &error), DET_ARGUMENT, &error,
                          "row 1 in column 1");
    }
}

#ifdef DET_FAULT_INJECTION
static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    const double costs[] = {0, 1, 2, 3};
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        size_t column[2];
        det_memory_fail_at(nth);
        const det_status status = det_assign(costs, 2, 2, column, NULL);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_counts_not_the_first),
        cmocka_unit_test(rows_may_be_left_over),
        cmocka_unit_test(no_permutation_is_better),
        cmocka_unit_test(a_large_assignment_is_found),
        cmocka_unit_test(nothing_to_assign_is_fine),
        cmocka_unit_test(costs_must_be_finite),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(a_failing_allocation_is_reported),
#endif
    };
    return cmocka_run_group_tests_name("assignment", tests, NULL, NULL);
}
