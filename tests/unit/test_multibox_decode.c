/* SPDX-License-Identifier: Apache-2.0 */
#include "proposals/multibox/multibox.h"
#include "src/base/memory.h"
#include "tests/unit/support.h"

#include <math.h>
#include <string.h>

enum { PRIORS = 3 };

/* Left half, right half, and nearly the left half: IoU .45 / .5 = .9 with the first. */
static float corners[PRIORS][4] = {{0, 0, .5F, 1}, {.5F, 0, 1, 1}, {0, 0, .45F, 1}};
static float log_odds[PRIORS] = {0, -1.0986123F, 1.0986123F}; /* .5, .25, .75 */
static const det_multibox_priors priors = {PRIORS, corners, log_odds};
static const det_multibox_options options = {.picture_width = 200, .picture_height = 100};

typedef struct {
    det_region *regions;
    size_t count;
} decoded;

static decoded decode(const det_multibox_outputs *outputs, const det_multibox_options *how)
{
    decoded d;
    det_error error = {0};
    test_assert_ok(det_multibox_decode(&priors, outputs, how, &d.regions, &d.count, &error),
                   &error);
    for (size_t i = 0; i < d.count; i++) {
        assert_int_equal(d.regions[i].source, DET_SOURCE_MULTIBOX);
        assert_int_equal(d.regions[i].hierarchy, 0);
        assert_true(d.regions[i].score > 0 && d.regions[i].score <= 1);
    }
    return d;
}

static void assert_region(const det_region *region, float score, det_box box)
{
    assert_float_equal(region->score, score, 1e-6);
    assert_float_equal(region->box.x0, box.x0, 1e-4);
    assert_float_equal(region->box.y0, box.y0, 1e-4);
    assert_float_equal(region->box.x1, box.x1, 1e-4);
    assert_float_equal(region->box.y1, box.y1, 1e-4);
}

/* The third, .75, drops the first, which overlaps it by .9. */
static void bare_priors_come_by_their_odds(void **state)
{
    (void)state;
    const decoded d = decode(NULL, &options);
    assert_int_equal(d.count, 2);
    assert_region(&d.regions[0], .75F, (det_box){0, 0, 90, 100});
    assert_region(&d.regions[1], .25F, (det_box){100, 0, 200, 100});
    det_regions_free(d.regions);
}

/* Prior 1 moves to .25 - .75 and grows beyond the picture's top; log odds -1.0986 + 2.1972. */
static void outputs_are_added_to_the_priors(void **state)
{
    (void)state;
    const float locations[PRIORS * 4] = {[4] = -.25F, -.1F, -.25F, -.5F};
    const float logits[PRIORS] = {0, 2.1972246F, -10};
    const decoded d = decode(&(det_multibox_outputs){locations, logits}, &options);
    assert_int_equal(d.count, 2);
    assert_region(&d.regions[0], .75F, (det_box){50, 0, 150, 50});
    assert_region(&d.regions[1], .5F, (det_box){0, 0, 100, 100});
    det_regions_free(d.regions);
}

static void suppression_and_the_number_can_be_chosen(void **state)
{
    (void)state;
    det_multibox_options how = options;
    how.nms_iou = 1;
    decoded d = decode(NULL, &how);
    assert_int_equal(d.count, 3);
    assert_region(&d.regions[1], .5F, (det_box){0, 0, 100, 100});
    det_regions_free(d.regions);
    how.max = 1;
    d = decode(NULL, &how);
    assert_int_equal(d.count, 1);
    assert_region(&d.regions[0], .75F, (det_box){0, 0, 90, 100});
    det_regions_free(d.regions);
}

/* One leaves the picture, one is turned inside out, one has no place. */
static void boxes_of_which_nothing_is_left_are_left_out(void **state)
{
    (void)state;
    const float locations[PRIORS * 4] = {-.5F, 0, -.5F, 0, .5F, 0, -.5F, 0, 0, NAN, 0, 0};
    decoded d = decode(&(det_multibox_outputs){.locations = locations}, &options);
    assert_int_equal(d.count, 0);
    det_regions_free(d.regions);
    const float logits[PRIORS] = {NAN, 0, 0};
    det_multibox_options how = options;
    how.nms_iou = 1;
    d = decode(&(det_multibox_outputs){.logits = logits}, &how);
    assert_int_equal(d.count, 2);
    det_regions_free(d.regions);
}

/* Rounded confidences are still above 0; equal ones keep the order of the priors. */
static void confidences_stay_in_their_range(void **state)
{
    (void)state;
    const float logits[PRIORS] = {-1e30F, INFINITY, 500};
    det_multibox_options how = options;
    how.nms_iou = 1;
    const decoded d = decode(&(det_multibox_outputs){.logits = logits}, &how);
    assert_int_equal(d.count, 3);
    assert_region(&d.regions[0], 1, (det_box){100, 0, 200, 100});
    assert_region(&d.regions[1], 1, (det_box){0, 0, 90, 100});
    assert_region(&d.regions[2], 0, (det_box){0, 0, 100, 100});
    det_regions_free(d.regions);
}

static void no_priors_give_no_regions(void **state)
{
    (void)state;
    decoded d;
    assert_int_equal(
        det_multibox_decode(&(det_multibox_priors){0}, NULL, &options, &d.regions, &d.count, NULL),
        DET_OK);
    assert_int_equal(d.count, 0);
    det_regions_free(d.regions);
    det_multibox_priors_free(NULL);
}

static void senseless_options_are_refused(void **state)
{
    (void)state;
    static const struct {
        det_multibox_options options;
        const char *part;
    } wrong[] = {
        {{.picture_width = 0, .picture_height = 9}, "0 x 9 pixels"},
        {{.picture_width = 9, .picture_height = -1}, "9 x -1 pixels"},
        {{.picture_width = 9, .picture_height = 9, .nms_iou = 1.5F}, "nms_iou is 1.5"},
        {{.picture_width = 9, .picture_height = 9, .nms_iou = NAN}, "nms_iou"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        decoded d;
        det_error error = {0};
        test_assert_error(
            det_multibox_decode(&priors, NULL, &wrong[i].options, &d.regions, &d.count, &error),
            DET_ARGUMENT, &error, wrong[i].part);
        assert_null(d.regions);
    }
}

#ifdef DET_FAULT_INJECTION
static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        decoded d;
        det_memory_fail_at(nth);
        const det_status status =
            det_multibox_decode(&priors, NULL, &options, &d.regions, &d.count, NULL);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        det_regions_free(d.regions);
    }
    failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        det_multibox_priors made;
        det_memory_fail_at(nth);
        const det_status status = det_multibox_priors_create(2, &made, NULL);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        det_multibox_priors_free(&made);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bare_priors_come_by_their_odds),
        cmocka_unit_test(outputs_are_added_to_the_priors),
        cmocka_unit_test(suppression_and_the_number_can_be_chosen),
        cmocka_unit_test(boxes_of_which_nothing_is_left_are_left_out),
        cmocka_unit_test(confidences_stay_in_their_range),
        cmocka_unit_test(no_priors_give_no_regions),
        cmocka_unit_test(senseless_options_are_refused),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(a_failing_allocation_is_reported),
#endif
    };
    return cmocka_run_group_tests_name("MultiBox: from outputs to regions", tests, NULL, NULL);
}
