/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/detector/candidates.h"
#include "src/detector/nms.h"
#include "tests/unit/support.h"

#include <math.h>

/* IoU of [0,0,4,4] and [0,0,4,2] is 8 / 16 = 1/2. */
static void a_box_at_exactly_the_threshold_survives(void **state)
{
    (void)state;
    const det_box boxes[] = {{0, 0, 4, 4}, {0, 0, 4, 2}};
    const float scores[] = {.9f, .8f};
    size_t kept[2];
    assert_int_equal(det_nms_hard(boxes, scores, 2, .5f, kept), 2);
    assert_int_equal(det_nms_hard(boxes, scores, 2, .49f, kept), 1);
    assert_int_equal(kept[0], 0);
}

static void the_best_comes_first_and_equal_scores_keep_their_order(void **state)
{
    (void)state;
    const det_box boxes[] = {{0, 0, 1, 1}, {2, 0, 3, 1}, {4, 0, 5, 1}, {6, 0, 7, 1}};
    const float scores[] = {.5f, .7f, .5f, .9f};
    size_t kept[4];
    assert_int_equal(det_nms_hard(boxes, scores, 4, .5f, kept), 4);
    const size_t expected[] = {3, 1, 0, 2};
    assert_memory_equal(kept, expected, sizeof expected);
}

/* B overlaps A and C; A drops B, so C, which only B overlaps, stays. */
static void a_dropped_box_drops_nothing(void **state)
{
    (void)state;
    const det_box boxes[] = {{0, 0, 10, 10}, {4, 0, 14, 10}, {8, 0, 18, 10}};
    const float scores[] = {.9f, .8f, .7f};
    size_t kept[3];
    assert_int_equal(det_nms_hard(boxes, scores, 3, .3f, kept), 2);
    assert_int_equal(kept[0], 0);
    assert_int_equal(kept[1], 2);
}

static void no_boxes_give_none(void **state)
{
    (void)state;
    size_t kept[1];
    assert_int_equal(det_nms_hard(NULL, NULL, 0, .5f, kept), 0);
}

static void senseless_thresholds_and_scores_are_refused(void **state)
{
    (void)state;
    const det_box box = {0, 0, 1, 1};
    const float good = 1, bad = NAN;
    size_t kept[1];
    assert_int_equal(det_nms_hard(&box, &good, 1, -.1f, kept), DET_ARGUMENT);
    assert_int_equal(det_nms_hard(&box, &good, 1, 1.1f, kept), DET_ARGUMENT);
    assert_int_equal(det_nms_hard(&box, &good, 1, NAN, kept), DET_ARGUMENT);
    assert_int_equal(det_nms_hard(&box, &bad, 1, .5f, kept), DET_ARGUMENT);
}

/* What suppression promises, on boxes where cases run out. */
static void survivors_do_not_overlap_and_every_victim_overlaps_a_better_survivor(void **state)
{
    (void)state;
    enum { n = 200 };
    det_random random = det_random_create(3, 3);
    det_box boxes[n];
    float scores[n];
    size_t kept[n];
    for (int i = 0; i < n; i++) {
        const float x = (float)det_random_below(&random, 50),
                    y = (float)det_random_below(&random, 50);
        boxes[i] = (det_box){x, y, x + 5 + (float)det_random_below(&random, 30),
                             y + 5 + (float)det_random_below(&random, 30)};
        scores[i] = (float)det_random_below(&random, 20) / 20; /* with ties */
    }
    const int64_t count = det_nms_hard(boxes, scores, n, .4f, kept);
    assert_true(count > 1 && count < n);
    int state_of[n] = {0};
    for (int64_t i = 0; i < count; i++) {
        state_of[kept[i]] = 1;
        for (int64_t j = 0; j < i; j++)
            assert_true(det_box_iou(boxes[kept[i]], boxes[kept[j]]) <= (double).4f);
    }
    for (size_t i = 0; i < n; i++) {
        int better = state_of[i];
        for (int64_t j = 0; j < count && !better; j++)
            better =
                scores[kept[j]] >= scores[i] && det_box_iou(boxes[i], boxes[kept[j]]) > (double).4f;
        assert_true(better);
    }
}

static const det_box boxes_of_regions[] = {{0, 0, 10, 10}, {0, 0, 10, 9}, {50, 50, 60, 60}};

/* A candidate with the box of its region. */
typedef struct {
    size_t class_id, region;
    float score;
} short_candidate;

static det_candidates list_of(const short_candidate *items, size_t count)
{
    det_candidates list = {0};
    for (size_t i = 0; i < count; i++)
        assert_true(det_candidates_add(&list, (det_candidate){items[i].class_id, items[i].region,
                                                              items[i].score,
                                                              boxes_of_regions[items[i].region]}));
    return list;
}

static void classes_do_not_suppress_each_other(void **state)
{
    (void)state;
    const short_candidate items[] = {{7, 0, .9f}, {7, 1, .8f}, {3, 1, .7f}, {3, 2, .95f}};
    det_candidates list = list_of(items, 4);
    const det_fusion_options options = {DET_NMS_HARD, .3f, 0};
    test_assert_ok(det_candidates_fuse(&list, &options, NULL), NULL);
    assert_int_equal(list.count, 3);
    assert_int_equal(list.items[0].class_id, 3);
    assert_int_equal(list.items[0].region, 2);
    assert_int_equal(list.items[1].class_id, 7);
    assert_int_equal(list.items[2].class_id, 3);
    assert_int_equal(list.items[2].region, 1);
    det_candidates_free(&list);
}

static void only_the_best_remain_where_there_are_too_many(void **state)
{
    (void)state;
    const short_candidate items[] = {{0, 0, .2f}, {1, 2, .5f}, {2, 1, .5f}, {3, 0, .9f}};
    det_candidates list = list_of(items, 4);
    const det_fusion_options options = {DET_NMS_HARD, .3f, 3};
    test_assert_ok(det_candidates_fuse(&list, &options, NULL), NULL);
    assert_int_equal(list.count, 3);
    assert_int_equal(list.items[0].class_id, 3);
    assert_int_equal(list.items[1].class_id, 2); /* equal scores: the earlier region */
    assert_int_equal(list.items[2].class_id, 1);
    det_candidates_free(&list);
}

static void without_suppression_all_remain_in_order(void **state)
{
    (void)state;
    const short_candidate items[] = {{7, 1, .8f}, {7, 0, .9f}};
    det_candidates list = list_of(items, 2);
    const det_fusion_options options = {DET_NMS_NONE, .3f, 0};
    test_assert_ok(det_candidates_fuse(&list, &options, NULL), NULL);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.items[0].region, 0);
    det_candidates_free(&list);
}

#ifdef DET_FAULT_INJECTION
static void memory_that_runs_out_is_an_error_and_leaks_nothing(void **state)
{
    (void)state;
    const short_candidate items[] = {{7, 0, .9f}, {7, 1, .8f}, {3, 1, .7f}};
    const det_fusion_options options = {DET_NMS_HARD, .3f, 0};
    int failures = 0;
    for (uint64_t n = 1;; n++) {
        det_candidates list = list_of(items, 3);
        det_memory_fail_at(n);
        const det_status status = det_candidates_fuse(&list, &options, NULL);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        det_candidates_free(&list);
        if (!failed) break;
        assert_int_equal(status, DET_MEMORY);
        failures++;
    }
    assert_true(failures >= 5);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_box_at_exactly_the_threshold_survives),
        cmocka_unit_test(the_best_comes_first_and_equal_scores_keep_their_order),
        cmocka_unit_test(a_dropped_box_drops_nothing),
        cmocka_unit_test(no_boxes_give_none),
        cmocka_unit_test(senseless_thresholds_and_scores_are_refused),
        cmocka_unit_test(survivors_do_not_overlap_and_every_victim_overlaps_a_better_survivor),
        cmocka_unit_test(classes_do_not_suppress_each_other),
        cmocka_unit_test(only_the_best_remain_where_there_are_too_many),
        cmocka_unit_test(without_suppression_all_remain_in_order),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(memory_that_runs_out_is_an_error_and_leaks_nothing),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
