/* SPDX-License-Identifier: Apache-2.0 */
#include "proposals/multibox/loss.h"
#include "src/base/memory.h"
#include "tests/unit/support_multibox.h"

#include <math.h>
#include <string.h>

enum { PRIORS = 16, OUTPUTS = 5 * PRIORS };

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance)) fail_msg("%.9g is not %.9g", value, expected);
}

static det_multibox_head fit(const det_multibox_examples *examples, const bool *seen,
                             const det_multibox_fit_options *options)
{
    det_multibox_head head;
    det_error error = {0};
    test_assert_ok(det_fit_multibox(examples, seen, options, NULL, &head, &error), &error);
    return head;
}

/* Mean of F over all rows, of the head's outputs for their features. */
static double mean_loss(const det_multibox_head *head, const det_multibox_examples *e,
                        bool to_predictions)
{
    double sum = 0;
    for (size_t r = 0; r < e->count; r++) {
        float values[OUTPUTS];
        det_multibox_head_outputs(head, e->features + r * e->width, values);
        const det_multibox_outputs outputs = {values, values + 4 * head->priors.count};
        const det_multibox_objects objects = {e->corners + e->first_object[r],
                                              e->first_object[r + 1] - e->first_object[r]};
        size_t matches[8];
        det_error error = {0};
        test_assert_ok(det_multibox_match(&head->priors, to_predictions ? &outputs : NULL, &objects,
                                          .3, matches, &error),
                       &error);
        sum += det_multibox_lose(&head->priors, &outputs, &objects, matches, .3, NULL).total;
    }
    return sum / (double)e->count;
}

static double bare_loss(const det_multibox_head *head, const det_multibox_examples *e)
{
    det_multibox_head bare = *head;
    float weights[OUTPUTS * TEST_WIDTH] = {0}, biases[OUTPUTS] = {0};
    bare.weights = weights;
    bare.biases = biases;
    return mean_loss(&bare, e, false);
}

/* ---- By hand ---- */

/* Four pictures, two places, three objects at the first: its odds are (3 + .5) / (4 - 3 + .5). */
static void log_odds_are_those_of_matches(void **state)
{
    (void)state;
    const float features[] = {1, 2, 3, 4};
    const size_t first[] = {0, 1, 2, 4, 4};
    const float corners[][4] = {{0, 0, .5F, 1}, {0, 0, .5F, 1}, {.5F, 0, 1, 1}, {0, 0, .5F, 1}};
    const uint32_t classes[4] = {0};
    const det_multibox_examples examples = {.count = 4,
                                            .width = 1,
                                            .features = features,
                                            .picture_count = 4,
                                            .first_object = first,
                                            .corners = corners,
                                            .classes = classes};
    const double never = (double)INFINITY;
    det_multibox_head head = fit(
        &examples, NULL, &(det_multibox_fit_options){.l2_locations = never, .l2_logits = never});
    assert_int_equal(head.priors.count, 2);
    const size_t left = head.priors.corners[0][0] < .25F ? 0 : 1;
    assert_near(head.priors.log_odds[left], log(3.5 / 1.5), 1e-6);
    assert_near(head.priors.log_odds[1 - left], log(1.5 / 3.5), 1e-6);
    for (size_t i = 0; i < 10; i++) {
        assert_near(head.weights[i], 0, 0);
        assert_near(head.biases[i], 0, 0);
    }
    /* c is .7 and .3. -log .7 -log .7 where the left one shows an object; -log .7 -log .3 where
     * both do; -log .3 -log .7 where none does. */
    assert_near(head.loss, -(6 * log(.7) + 2 * log(.3)) / 4, 1e-6);
    det_multibox_head_free(&head);
}

/* ---- What is learned ---- */

static void a_head_learns_what_features_tell(void **state)
{
    (void)state;
    const test_pictures *t = test_pictures_make(1, true);
    det_multibox_head head = fit(&t->examples, NULL, &(det_multibox_fit_options){.priors = PRIORS});
    assert_int_equal(head.priors.count, PRIORS);
    assert_true(isfinite(head.l2_locations) && isfinite(head.l2_logits));
    assert_true(head.loss < bare_loss(&head, &t->examples) / 2);
    det_multibox_head_free(&head);
}

/* Features of pictures as they are go in, and the loss is that of the fit, in its own directions.
 */
static void outputs_are_those_of_the_fit(void **state)
{
    (void)state;
    const test_pictures *t = test_pictures_make(2, true);
    const det_multibox_fit_options options = {
        .priors = PRIORS, .l2_locations = 1e-3, .l2_logits = 1e-3};
    det_multibox_head head = fit(&t->examples, NULL, &options);
    assert_near(mean_loss(&head, &t->examples, false), head.loss, 1e-4);
    det_multibox_head_free(&head);
}

static void a_head_of_noise_is_that_of_bare_priors(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 3; seed++) {
        const test_pictures *t = test_pictures_make(seed, false);
        det_multibox_head head =
            fit(&t->examples, NULL, &(det_multibox_fit_options){.priors = PRIORS});
        assert_true(head.l2_locations >= .1 && head.l2_logits >= .1);
        assert_near(mean_loss(&head, &t->examples, false), bare_loss(&head, &t->examples), .05);
        det_multibox_head_free(&head);
    }
}

/* Each round lowers the loss and decay together; decay is so small here that it does not show. */
static void matching_to_predictions_lowers_the_loss(void **state)
{
    (void)state;
    const test_pictures *t = test_pictures_make(3, false);
    det_multibox_fit_options options = {
        .priors = PRIORS, .l2_locations = 1e-4, .l2_logits = 1e-4, .iterations = 200};
    det_multibox_head to_priors = fit(&t->examples, NULL, &options);
    options.match_predictions = true;
    double before = mean_loss(&to_priors, &t->examples, true);
    for (options.rounds = 1; options.rounds <= 3; options.rounds++) {
        det_multibox_head head = fit(&t->examples, NULL, &options);
        const double loss = mean_loss(&head, &t->examples, true);
        assert_true(loss <= before + 1e-3);
        assert_true(head.loss >= loss - 1e-4); /* its matches were those of the round before */
        before = loss;
        det_multibox_head_free(&head);
    }
    assert_true(before < to_priors.loss - .1);
    det_multibox_head_free(&to_priors);
}

/* Noise that is there twice: a head that sees one row of a picture knows the other, so that decay
 * would be chosen far too small if rows of a picture were not left out together. */
static void rows_of_a_picture_are_left_out_together(void **state)
{
    (void)state;
    const test_pictures *t = test_pictures_make(4, false);
    enum { HALF = TEST_PICTURES / 2 };
    static float features[TEST_PICTURES * TEST_WIDTH], corners[TEST_PICTURES][4];
    size_t pictures[TEST_PICTURES];
    for (size_t i = 0; i < (size_t)2 * HALF; i++) {
        pictures[i] = i % HALF;
        memcpy(features + i * TEST_WIDTH, t->features + pictures[i] * TEST_WIDTH,
               TEST_WIDTH * sizeof *features);
        memcpy(corners[i], t->corners[pictures[i]], sizeof *corners);
    }
    det_multibox_examples examples = t->examples;
    examples.count = examples.picture_count = (size_t)2 * HALF;
    examples.features = features;
    examples.corners = (const float(*)[4])corners;
    const det_multibox_fit_options options = {.priors = 4};
    det_multibox_head torn = fit(&examples, NULL, &options);
    assert_true(torn.l2_logits < .1);
    examples.pictures = pictures;
    examples.picture_count = HALF;
    det_multibox_head whole = fit(&examples, NULL, &options);
    assert_true(whole.l2_logits >= .1);
    det_multibox_head_free(&torn);
    det_multibox_head_free(&whole);
}

/* Rows that are not seen may hold anything. */
static void rows_that_are_not_seen_do_not_count(void **state)
{
    (void)state;
    test_pictures *t = test_pictures_make(5, true);
    bool seen[TEST_PICTURES];
    for (size_t i = 0; i < TEST_PICTURES; i++) seen[i] = i % 3 > 0;
    const det_multibox_fit_options options = {.priors = PRIORS};
    det_multibox_head head = fit(&t->examples, seen, &options);
    for (size_t i = 0; i < TEST_PICTURES; i += 3) {
        t->features[i * TEST_WIDTH] = NAN;
        t->corners[i][0] = -7;
    }
    det_multibox_head other = fit(&t->examples, seen, &options);
    assert_memory_equal(head.weights, other.weights, (size_t)OUTPUTS * TEST_WIDTH * sizeof(float));
    assert_memory_equal(head.biases, other.biases, OUTPUTS * sizeof(float));
    det_multibox_head_free(&head);
    det_multibox_head_free(&other);
}

static void a_single_picture_leaves_the_priors(void **state)
{
    (void)state;
    const test_pictures *t = test_pictures_make(6, true);
    const bool seen[TEST_PICTURES] = {[5] = true};
    det_multibox_head head = fit(&t->examples, seen, &(det_multibox_fit_options){0});
    assert_int_equal(head.priors.count, 1);
    assert_true(isinf(head.l2_locations) && isinf(head.l2_logits));
    assert_memory_equal(head.priors.corners[0], t->corners[5], sizeof t->corners[5]);
    det_multibox_head_free(&head);
    det_multibox_head_free(NULL);
}

/* ---- What can go wrong ---- */

static void senseless_fits_are_refused(void **state)
{
    (void)state;
    static const struct {
        det_multibox_fit_options options;
        const char *part;
    } wrong[] = {
        {{.alpha = -1}, "alpha is -1"},
        {{.l2_logits = -1}, "l2 is 0 and -1"},
        {{.iterations = -2}, "-2 iterations"},
    };
    test_pictures *t = test_pictures_make(7, true);
    det_multibox_head head;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        det_error error = {0};
        test_assert_error(
            det_fit_multibox(&t->examples, NULL, &wrong[i].options, NULL, &head, &error),
            DET_ARGUMENT, &error, wrong[i].part);
    }
    const det_multibox_fit_options options = {0};
    const bool none[TEST_PICTURES] = {false};
    det_error error = {0};
    test_assert_error(det_fit_multibox(&t->examples, none, &options, NULL, &head, &error),
                      DET_ARGUMENT, &error, "no picture shows an object");
    t->features[TEST_WIDTH + 2] = INFINITY;
    test_assert_error(det_fit_multibox(&t->examples, NULL, &options, NULL, &head, &error),
                      DET_ARGUMENT, &error, "feature 2 of row 1");
}

static bool stop_at(void *context, uint64_t done, uint64_t total)
{
    assert_true(done < total);
    return done < *(uint64_t *)context;
}

static void it_can_be_cancelled(void **state)
{
    (void)state;
    const test_pictures *t = test_pictures_make(8, false);
    const det_multibox_fit_options options = {.priors = 2, .match_predictions = true};
    for (uint64_t at = 0; at < 20; at += 6) {
        const det_run run = {.progress = stop_at, .progress_context = &at};
        det_multibox_head head;
        det_error error = {0};
        test_assert_error(det_fit_multibox(&t->examples, NULL, &options, &run, &head, &error),
                          DET_CANCELLED, &error, "cancelled");
    }
}

#ifdef DET_FAULT_INJECTION
static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    const test_pictures *t = test_pictures_make(9, true);
    const bool seen[TEST_PICTURES] = {[0 ... 5] = true};
    const det_multibox_fit_options options = {
        .priors = 2, .l2_locations = .1, .folds = 2, .iterations = 2, .match_predictions = true};
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        det_multibox_head head;
        det_memory_fail_at(nth);
        const det_status status = det_fit_multibox(&t->examples, seen, &options, NULL, &head, NULL);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        det_multibox_head_free(&head);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_odds_are_those_of_matches),
        cmocka_unit_test(a_head_learns_what_features_tell),
        cmocka_unit_test(outputs_are_those_of_the_fit),
        cmocka_unit_test(a_head_of_noise_is_that_of_bare_priors),
        cmocka_unit_test(matching_to_predictions_lowers_the_loss),
        cmocka_unit_test(rows_of_a_picture_are_left_out_together),
        cmocka_unit_test(rows_that_are_not_seen_do_not_count),
        cmocka_unit_test(a_single_picture_leaves_the_priors),
        cmocka_unit_test(senseless_fits_are_refused),
        cmocka_unit_test(it_can_be_cancelled),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(a_failing_allocation_is_reported),
#endif
    };
    return cmocka_run_group_tests_name("MultiBox: heads", tests, NULL, NULL);
}
