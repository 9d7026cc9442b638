/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/detector/candidates.h"
#include "src/image/nms.h"
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

/* ---- Voting --------------------------------------------------------------------------------- */

static void assert_box(det_box found, det_box expected)
{
    const float *a = &found.x0, *b = &expected.x0;
    for (int i = 0; i < 4; i++)
        if (!(fabsf(a[i] - b[i]) < 1e-5f))
            fail_msg("side %d is %g, not %g", i, (double)a[i], (double)b[i]);
}

/* The second overlaps the first by 80 / 100, the third by exactly 1/2, the fourth by 25 / 100. Sums
 * of scores: .8 + .4 + .2 = 1.4; right sides (10 * .8 + 8 * .4 + 5 * .2) / 1.4 = 12.2 / 1.4. */
static void a_kept_box_moves_to_the_mean_of_those_around_it(void **state)
{
    (void)state;
    const det_box boxes[] = {{0, 0, 10, 10}, {0, 0, 8, 10}, {0, 0, 5, 10}, {0, 0, 5, 5}};
    const float scores[] = {.8f, .4f, .2f, .7f};
    const size_t kept[] = {0};
    det_box voted;
    det_nms_vote(boxes, scores, 4, kept, 1, .5f, &voted);
    assert_box(voted, (det_box){0, 0, 12.2f / 1.4f, 10});
    det_nms_vote(boxes, scores, 4, kept, 1, .51f, &voted);
    assert_box(voted, (det_box){0, 0, 11.2f / 1.2f, 10});
    det_nms_vote(boxes, scores, 4, kept, 1, 1, &voted);
    assert_box(voted, boxes[0]);
}

static void boxes_without_a_score_have_no_vote(void **state)
{
    (void)state;
    const det_box boxes[] = {{0, 0, 10, 10}, {0, 0, 8, 10}};
    const size_t kept[] = {0};
    det_box voted;
    det_nms_vote(boxes, (const float[]){.5f, 0}, 2, kept, 1, .5f, &voted);
    assert_box(voted, boxes[0]);
    det_nms_vote(boxes, (const float[]){0, 0}, 2, kept, 1, .5f, &voted);
    assert_box(voted, boxes[0]);
}

/* ---- Soft suppression ----------------------------------------------------------------------- */

/* IoU 1/2 with the first, 0 with each other. Linear: .8 * (1 - 1/2) = .4. Gaussian with sigma 1/2:
 * .8 * exp(-1/4 / (1/2)) = .8 * .60653 = .48522. */
static void boxes_lose_score_by_their_overlap(void **state)
{
    (void)state;
    const det_box boxes[] = {{0, 0, 4, 4}, {0, 0, 4, 2}, {10, 0, 14, 4}};
    const det_soft_nms gaussian = {.sigma = .5f}, linear = {true, .3f, 1, 0},
                       tolerant = {true, .5f, 1, 0};
    const size_t expected[] = {0, 2, 1};
    size_t kept[3];
    float scores[] = {.9f, .8f, .7f};
    assert_int_equal(det_nms_soft(boxes, scores, 3, &gaussian, kept), 3);
    assert_memory_equal(kept, expected, sizeof expected);
    assert_true(fabsf(scores[1] - .485225f) < 1e-6f);
    assert_true(scores[0] == .9f && scores[2] == .7f);

    float again[] = {.9f, .8f, .7f};
    assert_int_equal(det_nms_soft(boxes, again, 3, &linear, kept), 3);
    assert_memory_equal(kept, expected, sizeof expected);
    assert_true(fabsf(again[1] - .4f) < 1e-6f);

    float same[] = {.9f, .8f, .7f}; /* an overlap of exactly iou_max costs nothing */
    assert_int_equal(det_nms_soft(boxes, same, 3, &tolerant, kept), 3);
    assert_true(same[1] == .8f && kept[1] == 1);
}

/* B and C overlap A by 1/2 and 1/3, and each other by 2/3: A takes half of B and a third of C,
 * which is then the better one and takes two thirds of what B has left. */
static void scores_fall_with_every_box_that_is_taken(void **state)
{
    (void)state;
    const det_box boxes[] = {{0, 0, 6, 1}, {0, 0, 3, 1}, {0, 0, 2, 1}};
    const det_soft_nms linear = {true, .1f, 1, 0};
    float scores[] = {.9f, .6f, .6f};
    size_t kept[3];
    assert_int_equal(det_nms_soft(boxes, scores, 3, &linear, kept), 3);
    assert_int_equal(kept[0], 0);
    assert_int_equal(kept[1], 2);
    assert_int_equal(kept[2], 1);
    assert_true(fabsf(scores[2] - .4f) < 1e-6f);
    assert_true(fabsf(scores[1] - .1f) < 1e-6f);
}

static void boxes_below_the_least_score_are_dropped(void **state)
{
    (void)state;
    const det_box boxes[] = {{0, 0, 4, 4}, {0, 0, 4, 2}, {0, 0, 4, 4}};
    const det_soft_nms how = {true, .3f, 1, .4f};
    float scores[] = {.9f, .8f, .7f};
    size_t kept[3];
    assert_int_equal(det_nms_soft(boxes, scores, 3, &how, kept), 2); /* .4 is not below */
    assert_int_equal(kept[1], 1);
    assert_true(scores[2] == 0);
    assert_int_equal(det_nms_soft(NULL, NULL, 0, &how, kept), 0);
}

static void senseless_soft_suppression_is_refused(void **state)
{
    (void)state;
    const det_box box = {0, 0, 1, 1};
    const det_soft_nms good = {.sigma = .5f}, bad[] = {{.sigma = 0},
                                                       {.sigma = NAN},
                                                       {.sigma = 1, .iou_max = 2},
                                                       {.sigma = 1, .iou_max = NAN}};
    float score = 1, scores[] = {-1, NAN, INFINITY};
    size_t kept[1];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(det_nms_soft(&box, &score, 1, &bad[i], kept), DET_ARGUMENT);
    for (int i = 0; i < 3; i++)
        assert_int_equal(det_nms_soft(&box, &scores[i], 1, &good, kept), DET_ARGUMENT);
}

/* ---- Candidates ----------------------------------------------------------------------------- */

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
    const det_fusion_options options = {.method = DET_NMS_HARD, .iou = .3f};
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
    const det_fusion_options options = {.method = DET_NMS_HARD, .iou = .3f, .max_detections = 3};
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
    const det_fusion_options options = {.method = DET_NMS_NONE};
    test_assert_ok(det_candidates_fuse(&list, &options, NULL), NULL);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.items[0].region, 0);
    det_candidates_free(&list);
}

/* Regions 0 and 1 overlap by 90 / 100; the bottom becomes (10 * .9 + 9 * .6) / 1.5 = 9.6. What
 * another class found there has no vote. */
static void survivors_move_to_where_their_class_votes(void **state)
{
    (void)state;
    const short_candidate items[] = {{7, 0, .9f}, {7, 1, .6f}, {3, 1, .7f}};
    det_candidates list = list_of(items, 3);
    const det_fusion_options options = {.method = DET_NMS_VOTE, .iou = .3f, .vote_iou = .5f};
    test_assert_ok(det_candidates_fuse(&list, &options, NULL), NULL);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.items[0].region, 0);
    assert_true(list.items[0].score == .9f);
    assert_box(list.items[0].box, (det_box){0, 0, 10, 9.6f});
    assert_box(list.items[1].box, boxes_of_regions[1]);
    det_candidates_free(&list);
}

/* .6 * (1 - .9) = .06 and .5 * (1 - .9) = .05: in the order of the scores that are left. */
static void soft_suppression_lowers_scores_and_drops_the_lowest(void **state)
{
    (void)state;
    const short_candidate items[] = {{7, 0, .9f}, {7, 1, .6f}, {3, 1, .7f}, {3, 0, .5f}};
    det_candidates list = list_of(items, 4);
    const det_fusion_options options = {
        .method = DET_NMS_SOFT, .iou = .3f, .linear = true, .sigma = 1, .score_min = .055f};
    test_assert_ok(det_candidates_fuse(&list, &options, NULL), NULL);
    assert_int_equal(list.count, 3);
    assert_true(list.items[0].score == .9f && list.items[1].score == .7f);
    assert_true(fabsf(list.items[2].score - .06f) < 1e-6f);
    assert_int_equal(list.items[2].class_id, 7);
    assert_int_equal(list.items[2].region, 1);
    assert_box(list.items[2].box, boxes_of_regions[1]);
    det_candidates_free(&list);
}

#ifdef DET_FAULT_INJECTION
static void run_out_of_memory(det_nms_method method)
{
    const short_candidate items[] = {{7, 0, .9f}, {7, 1, .8f}, {3, 1, .7f}};
    const det_fusion_options options = {.method = method, .iou = .3f, .sigma = 1};
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
    assert_true(failures >= 6);
}

static void memory_that_runs_out_is_an_error_and_leaks_nothing(void **state)
{
    (void)state;
    run_out_of_memory(DET_NMS_HARD);
    run_out_of_memory(DET_NMS_VOTE);
    run_out_of_memory(DET_NMS_SOFT);
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
        cmocka_unit_test(a_kept_box_moves_to_the_mean_of_those_around_it),
        cmocka_unit_test(boxes_without_a_score_have_no_vote),
        cmocka_unit_test(boxes_lose_score_by_their_overlap),
        cmocka_unit_test(scores_fall_with_every_box_that_is_taken),
        cmocka_unit_test(boxes_below_the_least_score_are_dropped),
        cmocka_unit_test(senseless_soft_suppression_is_refused),
        cmocka_unit_test(classes_do_not_suppress_each_other),
        cmocka_unit_test(only_the_best_remain_where_there_are_too_many),
        cmocka_unit_test(without_suppression_all_remain_in_order),
        cmocka_unit_test(survivors_move_to_where_their_class_votes),
        cmocka_unit_test(soft_suppression_lowers_scores_and_drops_the_lowest),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(memory_that_runs_out_is_an_error_and_leaks_nothing),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
