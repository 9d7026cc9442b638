/* SPDX-License-Identifier: Apache-2.0 */
#include "proposals/multibox/priors.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "tests/unit/support.h"

#include <math.h>
#include <string.h>

typedef float corners[DET_MULTIBOX_CORNERS];

static det_multibox_priors cluster(const corners *boxes, size_t count, size_t k, uint64_t seed)
{
    det_multibox_priors priors;
    det_error error = {0};
    test_assert_ok(det_multibox_cluster(boxes, count, k, seed, &priors, &error), &error);
    for (size_t i = 0; i < priors.count; i++) assert_float_equal(priors.log_odds[i], 0, 0);
    return priors;
}

static double squared_distance(const corners a, const corners b)
{
    double sum = 0;
    for (int i = 0; i < DET_MULTIBOX_CORNERS; i++) {
        const double difference = (double)a[i] - (double)b[i];
        sum += difference * difference;
    }
    return sum;
}

static size_t nearest(const det_multibox_priors *priors, const corners box)
{
    size_t best = 0;
    for (size_t i = 1; i < priors->count; i++)
        if (squared_distance(priors->corners[i], box) <
            squared_distance(priors->corners[best], box))
            best = i;
    return best;
}

/* Two boxes at the left, three at the right; means worked out by hand. */
static void priors_are_the_means_of_clusters(void **state)
{
    (void)state;
    const corners boxes[] = {{0, 0, .1F, .2F},
                             {.7F, .5F, 1, 1},
                             {.1F, 0, .3F, .2F},
                             {.8F, .5F, 1, 1},
                             {.6F, .5F, .7F, 1}};
    for (uint64_t seed = 0; seed < 20; seed++) {
        det_multibox_priors priors = cluster(boxes, 5, 2, seed);
        assert_int_equal(priors.count, 2);
        const size_t left = nearest(&priors, boxes[0]);
        const corners expected[] = {{.05F, 0, .2F, .2F}, {.7F, .5F, .9F, 1}};
        for (size_t i = 0; i < 4; i++) {
            assert_float_equal(priors.corners[left][i], expected[0][i], 1e-6);
            assert_float_equal(priors.corners[1 - left][i], expected[1][i], 1e-6);
        }
        det_multibox_priors_free(&priors);
    }
}

/* Three boxes, one of them four times. */
static void there_are_no_more_priors_than_boxes_that_differ(void **state)
{
    (void)state;
    const corners boxes[] = {{0, 0, 1, 1}, {0, 0, 1, 1},         {.5F, 0, 1, 1},
                             {0, 0, 1, 1}, {.2F, .2F, .4F, .4F}, {0, 0, 1, 1}};
    for (uint64_t seed = 0; seed < 20; seed++) {
        det_multibox_priors priors = cluster(boxes, 6, 10, seed);
        assert_int_equal(priors.count, 3);
        for (size_t i = 0; i < 6; i++)
            assert_true(squared_distance(priors.corners[nearest(&priors, boxes[i])], boxes[i]) ==
                        0);
        det_multibox_priors_free(&priors);
    }
    det_multibox_priors one = cluster(boxes, 6, 1, 0);
    assert_int_equal(one.count, 1);
    assert_float_equal(one.corners[0][0], .7 / 6, 1e-6);
    det_multibox_priors_free(&one);
}

enum { BOXES = 60, K = 12 };

/* With steps: on a coarse grid, so that many are equal or equally far; 0: anywhere. */
static void draw_boxes(corners *boxes, uint64_t seed, uint32_t steps)
{
    det_random random = det_random_create(seed, 1);
    for (size_t i = 0; i < BOXES; i++)
        for (size_t j = 0; j < DET_MULTIBOX_CORNERS; j++)
            boxes[i][j] = steps > 0 ? (float)det_random_below(&random, steps) / (float)steps
                                    : (float)det_random_double(&random);
}

/* What Lloyd's rounds end in: each prior is the mean of the boxes that are nearest to it. */
static void rounds_end_where_nothing_changes(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        corners boxes[BOXES];
        draw_boxes(boxes, seed, 0);
        det_multibox_priors priors = cluster(boxes, BOXES, K, seed);
        assert_int_equal(priors.count, K);
        double sums[K][DET_MULTIBOX_CORNERS] = {{0}}, sizes[K] = {0};
        for (size_t i = 0; i < BOXES; i++) {
            const size_t at = nearest(&priors, boxes[i]);
            for (size_t j = 0; j < DET_MULTIBOX_CORNERS; j++) sums[at][j] += (double)boxes[i][j];
            sizes[at]++;
        }
        for (size_t m = 0; m < K; m++)
            for (size_t j = 0; j < DET_MULTIBOX_CORNERS; j++)
                assert_float_equal(priors.corners[m][j], (float)(sums[m][j] / sizes[m]), 1e-6);
        det_multibox_priors_free(&priors);
    }
}

static void no_prior_is_without_boxes(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        corners boxes[BOXES];
        draw_boxes(boxes, seed, 3);
        det_multibox_priors priors = cluster(boxes, BOXES, K, seed);
        assert_int_equal(priors.count, K);
        bool has[K] = {false};
        for (size_t i = 0; i < BOXES; i++) has[nearest(&priors, boxes[i])] = true;
        for (size_t m = 0; m < K; m++) assert_true(has[m]);
        det_multibox_priors_free(&priors);
    }
}

static void a_seed_gives_the_same_priors(void **state)
{
    (void)state;
    corners boxes[BOXES];
    draw_boxes(boxes, 5, 0);
    det_multibox_priors a = cluster(boxes, BOXES, 8, 1), b = cluster(boxes, BOXES, 8, 1);
    det_multibox_priors c = cluster(boxes, BOXES, 8, 2);
    assert_memory_equal(a.corners, b.corners, 8 * sizeof *a.corners);
    assert_memory_not_equal(a.corners, c.corners, 8 * sizeof *a.corners);
    det_multibox_priors_free(&a);
    det_multibox_priors_free(&b);
    det_multibox_priors_free(&c);
}

static void no_boxes_or_no_priors_are_refused(void **state)
{
    (void)state;
    const corners box = {0, 0, 1, 1};
    det_multibox_priors priors;
    det_error error = {0};
    test_assert_error(det_multibox_cluster(&box, 0, 3, 0, &priors, &error), DET_ARGUMENT, &error,
                      "3 priors of 0 boxes");
    test_assert_error(det_multibox_cluster(&box, 1, 0, 0, &priors, &error), DET_ARGUMENT, &error,
                      "0 priors of 1 boxes");
}

#ifdef DET_FAULT_INJECTION
static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    const corners boxes[] = {{0, 0, 1, 1}, {.5F, 0, 1, 1}};
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        det_multibox_priors priors;
        det_memory_fail_at(nth);
        const det_status status = det_multibox_cluster(boxes, 2, 2, 0, &priors, NULL);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        det_multibox_priors_free(&priors);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(priors_are_the_means_of_clusters),
        cmocka_unit_test(there_are_no_more_priors_than_boxes_that_differ),
        cmocka_unit_test(rounds_end_where_nothing_changes),
        cmocka_unit_test(no_prior_is_without_boxes),
        cmocka_unit_test(a_seed_gives_the_same_priors),
        cmocka_unit_test(no_boxes_or_no_priors_are_refused),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(a_failing_allocation_is_reported),
#endif
    };
    return cmocka_run_group_tests_name("MultiBox: priors", tests, NULL, NULL);
}
