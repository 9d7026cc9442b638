/* SPDX-License-Identifier: Apache-2.0 */
#include "proposals/multibox/loss.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "tests/unit/support.h"

#include <math.h>

/* log 3: a confidence of .75. */
#define LOG3 1.0986123F

typedef float corners[DET_MULTIBOX_CORNERS];

static corners two[2] = {{0, 0, .5F, .5F}, {.5F, .5F, 1, 1}};
static float two_odds[2] = {0, LOG3};
static const det_multibox_priors two_priors = {2, two, two_odds};

static void match(const det_multibox_priors *priors, const det_multibox_outputs *outputs,
                  const det_multibox_objects *objects, size_t *matches)
{
    det_error error = {0};
    test_assert_ok(det_multibox_match(priors, outputs, objects, .3, matches, &error), &error);
}

/* ---- By hand ---- */

/* Confidences .75 and .5, the first prediction at .1, 0, .5, .5, the object at 0, 0, .5, .7:
 * F_match = (.1^2 + .2^2) / 2 = .025, F_conf = -log .75 - log .5 = .98082925. */
static void the_loss_is_that_of_the_paper(void **state)
{
    (void)state;
    const corners object = {0, 0, .5F, .7F};
    const det_multibox_objects objects = {&object, 1};
    const float locations[8] = {.1F}, logits[2] = {LOG3, -LOG3};
    const det_multibox_outputs outputs = {locations, logits};
    size_t matched;
    match(&two_priors, NULL, &objects, &matched);
    assert_int_equal(matched, 0);
    float location_slopes[8], logit_slopes[2];
    const det_multibox_gradient gradient = {location_slopes, logit_slopes};
    const det_multibox_loss loss =
        det_multibox_lose(&two_priors, &outputs, &objects, &matched, .3, &gradient);
    assert_float_equal((float)loss.match, .025, 1e-7);
    assert_float_equal((float)loss.confidence, .98082925, 1e-6);
    assert_float_equal((float)loss.total, .98832925, 1e-6);
    const float expected[8] = {.03F, 0, 0, -.06F}; /* .3 (l - g) */
    for (size_t i = 0; i < 8; i++) assert_float_equal(location_slopes[i], expected[i], 1e-7);
    assert_float_equal(logit_slopes[0], -.25, 1e-6); /* c - 1 */
    assert_float_equal(logit_slopes[1], .5, 1e-6);   /* c */
}

/* The bare priors, .5 and .75, and no object: -log .5 - log .25. */
static void a_picture_without_objects_wants_no_confidence(void **state)
{
    (void)state;
    const det_multibox_loss loss =
        det_multibox_lose(&two_priors, NULL, &(det_multibox_objects){0}, NULL, .3, NULL);
    assert_float_equal((float)loss.match, 0, 0);
    assert_float_equal((float)loss.total, 2.0794415, 1e-6);
}

/* Large numbers neither overflow nor lose the slope. */
static void confidences_may_be_extreme(void **state)
{
    (void)state;
    const float logits[2] = {1000, -1000};
    float location_slopes[8], logit_slopes[2];
    const det_multibox_gradient gradient = {location_slopes, logit_slopes};
    const det_multibox_loss loss =
        det_multibox_lose(&two_priors, &(det_multibox_outputs){.logits = logits},
                          &(det_multibox_objects){0}, NULL, .3, &gradient);
    assert_float_equal((float)loss.total, 1000, 1e-3);
    assert_float_equal(logit_slopes[0], 1, 0);
    assert_float_equal(logit_slopes[1], 0, 0);
}

/* ---- Matching ---- */

/* Near the first prior, which is 1 / 2 * 4 * .1^2 = .02 away, the second .32. With confidences of
 * .5 and .75 the costs are .3 * .02 - 0 and .3 * .32 - log 3. */
static void predictions_that_are_sure_are_preferred_to_near_ones(void **state)
{
    (void)state;
    const corners object = {.1F, .1F, .6F, .6F};
    const det_multibox_objects objects = {&object, 1};
    size_t matched;
    match(&two_priors, NULL, &objects, &matched);
    assert_int_equal(matched, 0);
    match(&two_priors, &(det_multibox_outputs){0}, &objects, &matched);
    assert_int_equal(matched, 1);
    const float logits[2] = {2, -LOG3};
    match(&two_priors, &(det_multibox_outputs){.logits = logits}, &objects, &matched);
    assert_int_equal(matched, 0);
}

/* Both objects are nearest to the first prior; the second object, nearer, keeps it. */
static void each_prior_has_one_object(void **state)
{
    (void)state;
    const corners both[] = {{.1F, .1F, .6F, .6F}, {0, 0, .5F, .5F}};
    size_t matches[2];
    match(&two_priors, NULL, &(det_multibox_objects){both, 2}, matches);
    assert_int_equal(matches[0], 1);
    assert_int_equal(matches[1], 0);
}

static void objects_beyond_the_number_of_priors_have_no_match(void **state)
{
    (void)state;
    const corners three[] = {{.4F, .4F, .6F, .6F}, {0, 0, .5F, .5F}, {.5F, .5F, 1, 1}};
    size_t matches[3];
    const det_multibox_objects objects = {three, 3};
    match(&two_priors, NULL, &objects, matches);
    assert_int_equal(matches[0], DET_MULTIBOX_UNMATCHED);
    assert_int_equal(matches[1], 0);
    assert_int_equal(matches[2], 1);
    const det_multibox_loss loss =
        det_multibox_lose(&two_priors, NULL, &objects, matches, .3, NULL);
    assert_float_equal((float)loss.match, 0, 0);
    assert_float_equal((float)loss.confidence, .98082925, 1e-6); /* -log .5 - log .75 */
}

static void predictions_must_be_finite(void **state)
{
    (void)state;
    const corners object = {0, 0, 1, 1};
    const float logits[2] = {NAN, 0};
    size_t matched;
    det_error error = {0};
    test_assert_error(det_multibox_match(&two_priors, &(det_multibox_outputs){.logits = logits},
                                         &(det_multibox_objects){&object, 1}, .3, &matched, &error),
                      DET_ARGUMENT, &error, "must be finite");
}

/* ---- Against differences ---- */

enum { PRIORS = 5, OBJECTS = 3, OUTPUTS = 5 * PRIORS };

typedef struct {
    corners prior_corners[PRIORS], object_corners[OBJECTS];
    float odds[PRIORS], values[OUTPUTS]; /* locations, then logits */
    det_multibox_priors priors;
    det_multibox_objects objects;
    size_t matches[OBJECTS];
    bool to_predictions;
} problem;

static void make_problem(problem *p, uint64_t seed, bool to_predictions)
{
    det_random random = det_random_create(seed, 0);
    for (size_t i = 0; i < PRIORS; i++) {
        for (size_t j = 0; j < 4; j++) p->prior_corners[i][j] = (float)det_random_double(&random);
        p->odds[i] = (float)(4 * det_random_double(&random) - 2);
    }
    for (size_t i = 0; i < OBJECTS; i++)
        for (size_t j = 0; j < 4; j++) p->object_corners[i][j] = (float)det_random_double(&random);
    for (size_t i = 0; i < OUTPUTS; i++) p->values[i] = (float)(2 * det_random_double(&random) - 1);
    p->priors = (det_multibox_priors){PRIORS, p->prior_corners, p->odds};
    p->objects = (det_multibox_objects){p->object_corners, OBJECTS};
    p->to_predictions = to_predictions;
}

/* Matched anew: at the best matches F has the slope that it has with these held. */
static double evaluate(problem *p, const det_multibox_gradient *gradient)
{
    const det_multibox_outputs outputs = {p->values, p->values + (size_t)4 * PRIORS};
    match(&p->priors, p->to_predictions ? &outputs : NULL, &p->objects, p->matches);
    return det_multibox_lose(&p->priors, &outputs, &p->objects, p->matches, .3, gradient).total;
}

static void the_gradient_is_that_of_differences(void **state)
{
    (void)state;
    static const float step = 1.F / 1024;
    for (uint64_t seed = 0; seed < 20; seed++) {
        problem p;
        make_problem(&p, seed, seed % 2 == 0);
        float slopes[OUTPUTS];
        evaluate(&p, &(det_multibox_gradient){slopes, slopes + (size_t)4 * PRIORS});
        for (size_t i = 0; i < OUTPUTS; i++) {
            const float value = p.values[i];
            p.values[i] = value + step;
            const double above = evaluate(&p, NULL);
            p.values[i] = value - step;
            const double below = evaluate(&p, NULL);
            p.values[i] = value;
            assert_float_equal((float)((above - below) / (2 * (double)step)), slopes[i], 1e-4);
        }
    }
}

/* Matches to predictions are those of least F: no permutation of matches has less. */
static void matching_to_predictions_minimises_the_loss(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        problem p;
        make_problem(&p, seed, true);
        const double least = evaluate(&p, NULL);
        const det_multibox_outputs outputs = {p.values, p.values + (size_t)4 * PRIORS};
        for (size_t code = 0; code < (size_t)PRIORS * PRIORS * PRIORS; code++) {
            const size_t others[OBJECTS] = {code % PRIORS, code / PRIORS % PRIORS,
                                            code / PRIORS / PRIORS};
            if (others[0] == others[1] || others[1] == others[2] || others[0] == others[2])
                continue;
            const double other =
                det_multibox_lose(&p.priors, &outputs, &p.objects, others, .3, NULL).total;
            assert_true(other >= least - 1e-9);
        }
    }
}

#ifdef DET_FAULT_INJECTION
static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    bool failed = true;
    problem p;
    make_problem(&p, 0, false);
    for (uint64_t nth = 1; failed; nth++) {
        det_memory_fail_at(nth);
        const det_status status =
            det_multibox_match(&p.priors, NULL, &p.objects, .3, p.matches, NULL);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loss_is_that_of_the_paper),
        cmocka_unit_test(a_picture_without_objects_wants_no_confidence),
        cmocka_unit_test(confidences_may_be_extreme),
        cmocka_unit_test(predictions_that_are_sure_are_preferred_to_near_ones),
        cmocka_unit_test(each_prior_has_one_object),
        cmocka_unit_test(objects_beyond_the_number_of_priors_have_no_match),
        cmocka_unit_test(predictions_must_be_finite),
        cmocka_unit_test(the_gradient_is_that_of_differences),
        cmocka_unit_test(matching_to_predictions_minimises_the_loss),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(a_failing_allocation_is_reported),
#endif
    };
    return cmocka_run_group_tests_name("MultiBox: matching and loss", tests, NULL, NULL);
}
