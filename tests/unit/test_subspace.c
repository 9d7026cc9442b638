/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/train/subspace.h"
#include "tests/unit/support.h"

#include <math.h>
#include <string.h>

enum { ROWS = 40, WIDTH = 12, RANK = 6, TRUE_RANK = 3 };

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance)) fail_msg("%.9g is not %.9g", value, expected);
}

static double dot(const float *a, const float *b)
{
    double sum = 0;
    for (size_t i = 0; i < WIDTH; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

static void find(const float *rows, size_t count, size_t rank, float *basis)
{
    det_error error = {0};
    test_assert_ok(det_find_subspace(rows, count, WIDTH, rank, 7, basis, &error), &error);
}

/* The share of the squares of rows that lies in the first `rank` directions. */
static double share_held(const float *rows, const float *basis, size_t rank)
{
    double all = 0, held = 0;
    for (size_t r = 0; r < ROWS; r++) {
        all += dot(rows + r * WIDTH, rows + r * WIDTH);
        for (size_t i = 0; i < rank; i++) {
            const double along = dot(rows + r * WIDTH, basis + i * WIDTH);
            held += along * along;
        }
    }
    return held / all;
}

/* Sums of TRUE_RANK directions, and noise. */
static void make_rows(float rows[ROWS * WIDTH], double noise)
{
    det_random random = det_random_create(1, 2);
    float directions[TRUE_RANK * WIDTH];
    for (size_t i = 0; i < (size_t)TRUE_RANK * WIDTH; i++)
        directions[i] = (float)(det_random_double(&random) - .5);
    for (size_t r = 0; r < ROWS; r++) {
        double shares[TRUE_RANK];
        for (size_t d = 0; d < TRUE_RANK; d++) shares[d] = det_random_double(&random) - .5;
        for (size_t i = 0; i < WIDTH; i++) {
            double sum = noise * (det_random_double(&random) - .5);
            for (size_t d = 0; d < TRUE_RANK; d++)
                sum += shares[d] * (double)directions[d * WIDTH + i];
            rows[r * WIDTH + i] = (float)sum;
        }
    }
}

static void directions_are_of_length_1_and_at_right_angles(void **state)
{
    (void)state;
    float rows[ROWS * WIDTH], basis[RANK * WIDTH];
    make_rows(rows, .1);
    find(rows, ROWS, RANK, basis);
    for (size_t i = 0; i < RANK; i++)
        for (size_t j = 0; j <= i; j++)
            assert_near(dot(basis + i * WIDTH, basis + j * WIDTH), i == j ? 1 : 0, 1e-5);
}

static void what_rows_have_in_common_is_found(void **state)
{
    (void)state;
    float rows[ROWS * WIDTH], basis[RANK * WIDTH];
    make_rows(rows, 0);
    find(rows, ROWS, TRUE_RANK, basis);
    assert_near(share_held(rows, basis, TRUE_RANK), 1, 1e-5);
    make_rows(rows, .01);
    find(rows, ROWS, TRUE_RANK, basis);
    assert_true(share_held(rows, basis, TRUE_RANK) > .999);
}

/* Rows of two numbers that are not 0: whatever is asked for, there are two directions. */
static void there_are_no_more_directions_than_rows_have(void **state)
{
    (void)state;
    const float rows[3 * WIDTH] = {[1] = 1, [4] = 2, [WIDTH + 1] = -3, [2 * WIDTH + 4] = 5};
    float basis[RANK * WIDTH];
    find(rows, 3, RANK, basis);
    size_t directions = 0;
    for (size_t i = 0; i < RANK; i++) {
        const double length = dot(basis + i * WIDTH, basis + i * WIDTH);
        directions += length > .5;
        assert_near(length, length > .5 ? 1 : 0, 1e-5);
    }
    assert_int_equal(directions, 2);
    find(rows, 0, RANK, basis);
    for (size_t i = 0; i < (size_t)RANK * WIDTH; i++) assert_near(basis[i], 0, 0);
}

static void a_seed_gives_the_same_directions(void **state)
{
    (void)state;
    float rows[ROWS * WIDTH], basis[RANK * WIDTH], again[RANK * WIDTH];
    make_rows(rows, .1);
    find(rows, ROWS, RANK, basis);
    find(rows, ROWS, RANK, again);
    assert_memory_equal(basis, again, sizeof basis);
}

#ifdef DET_FAULT_INJECTION
static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    float rows[ROWS * WIDTH], basis[RANK * WIDTH];
    make_rows(rows, .1);
    det_memory_fail_at(1);
    const det_status status = det_find_subspace(rows, ROWS, WIDTH, RANK, 0, basis, NULL);
    det_memory_fail_at(0);
    assert_int_equal(status, DET_MEMORY);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directions_are_of_length_1_and_at_right_angles),
        cmocka_unit_test(what_rows_have_in_common_is_found),
        cmocka_unit_test(there_are_no_more_directions_than_rows_have),
        cmocka_unit_test(a_seed_gives_the_same_directions),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(a_failing_allocation_is_reported),
#endif
    };
    return cmocka_run_group_tests_name("subspace", tests, NULL, NULL);
}
