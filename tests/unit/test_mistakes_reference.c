/* SPDX-License-Identifier: Apache-2.0 */
/* Mistakes and their costs against a plain reference, written from the description alone: every
 * step as long as it likes to be. Only what the metric found true is taken from the evaluation. */
#include "tests/unit/support.h"
#include "tests/unit/support_eval.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
    CLASSES = TEST_RANDOM_CLASSES,
    OBJECTS = TEST_RANDOM_OBJECTS,
    DETECTIONS = TEST_RANDOM_DETECTIONS,
    NONE = OBJECTS,
    NO_PART = 9,
    FALSE_POSITIVES = DET_MISTAKE_KINDS,
    FALSE_NEGATIVES,
    REPAIRS
};

typedef struct reference {
    const test_set *set;
    det_metric metric;
    int outcomes[DETECTIONS]; /* det_outcome or NO_PART */
    int kinds[DETECTIONS];
    size_t means[DETECTIONS];
    bool counts[OBJECTS], found[OBJECTS];
    size_t repairer[OBJECTS]; /* DETECTIONS: none */
} reference;

/* ---- What is wrong ---- */

static double overlap(const double *d, const double *g)
{
    const double w = fmin(d[0] + d[2], g[0] + g[2]) - fmax(d[0], g[0]);
    const double h = fmin(d[1] + d[3], g[1] + g[3]) - fmax(d[1], g[1]);
    return w <= 0 || h <= 0 ? 0 : w * h / (d[2] * d[3] + g[2] * g[3] - w * h);
}

static double threshold(const reference *r, size_t g)
{
    const double *box = r->set->objects[g].box;
    if (r->metric != DET_METRIC_ILSVRC) return .5;
    return fmin(.5, box[2] * box[3] / ((box[2] + 10) * (box[3] + 10)));
}

typedef bool test_function(const reference *r, size_t d, size_t g, double iou);

static bool is_any(const reference *r, size_t d, size_t g, double iou)
{
    (void)r, (void)d, (void)g, (void)iou;
    return true;
}

static bool is_own(const reference *r, size_t d, size_t g, double iou)
{
    (void)iou;
    return r->set->objects[g].category == r->set->found[d].category;
}

static bool is_other_reached(const reference *r, size_t d, size_t g, double iou)
{
    return !is_own(r, d, g, iou) && iou >= threshold(r, g);
}

static bool is_own_found(const reference *r, size_t d, size_t g, double iou)
{
    return is_own(r, d, g, iou) && iou >= threshold(r, g) && r->found[g];
}

/* The object of highest overlap for which the test holds. */
static size_t best(const reference *r, size_t d, test_function *test, double *iou)
{
    size_t chosen = NONE;
    *iou = 0;
    for (size_t g = 0; g < OBJECTS; g++) {
        if (!r->counts[g] || r->set->objects[g].image != r->set->found[d].image) continue;
        const double here = overlap(r->set->found[d].box, r->set->objects[g].box);
        if (here <= *iou || !test(r, d, g, here)) continue;
        *iou = here;
        chosen = g;
    }
    return chosen;
}

static int kind_of(const reference *r, size_t d, size_t *g)
{
    double iou;
    *g = best(r, d, is_own, &iou);
    if (*g != NONE && iou >= .1 && iou <= threshold(r, *g)) return DET_MISTAKE_BOX;
    *g = best(r, d, is_other_reached, &iou);
    if (*g != NONE) return DET_MISTAKE_CLASS;
    *g = best(r, d, is_own_found, &iou);
    if (*g != NONE) return DET_MISTAKE_DUPLICATE;
    *g = best(r, d, is_any, &iou);
    return iou <= .1 ? DET_MISTAKE_BACKGROUND : DET_MISTAKE_BOTH;
}

static void take_matches(reference *r, const det_evaluation *e)
{
    for (size_t d = 0; d < DETECTIONS; d++) r->outcomes[d] = NO_PART;
    for (size_t c = 0; c < CLASSES; c++) {
        const det_class_matches *m = &e->classes[c].matches;
        for (size_t i = 0; i < m->positive_count; i++) r->counts[m->positives[i]] = true;
        for (size_t i = 0; i < m->count; i++) {
            r->outcomes[m->detections[i]] = m->outcomes[i];
            if (m->outcomes[i] == DET_TRUE_POSITIVE) r->found[m->objects[i]] = true;
        }
    }
}

static void examine(reference *r)
{
    const det_detected_object *found = r->set->found;
    for (size_t g = 0; g < OBJECTS; g++) r->repairer[g] = DETECTIONS;
    for (size_t d = 0; d < DETECTIONS; d++) {
        r->kinds[d] = -1;
        if (r->outcomes[d] == NO_PART || r->outcomes[d] == DET_TRUE_POSITIVE) continue;
        r->kinds[d] = kind_of(r, d, &r->means[d]);
        if (r->kinds[d] > DET_MISTAKE_BOX || r->found[r->means[d]]) continue;
        size_t *repairer = &r->repairer[r->means[d]];
        if (*repairer == DETECTIONS || found[d].score > found[*repairer].score) *repairer = d;
    }
}

static bool is_missed(const reference *r, size_t g)
{
    return r->counts[g] && !r->found[g] && r->repairer[g] == DETECTIONS;
}

/* ---- Average precision ---- */

typedef struct curve {
    size_t order[DETECTIONS];
    bool right[DETECTIONS];
    size_t count;
    double recall[DETECTIONS], precision[DETECTIONS];
} curve;

static bool before(const reference *r, size_t a, size_t b)
{
    const det_detected_object *x = &r->set->found[a], *y = &r->set->found[b];
    const int64_t i = r->set->images[x->image].id, j = r->set->images[y->image].id;
    if (x->score != y->score) return x->score > y->score;
    if (i != j && (r->metric == DET_METRIC_COCO || r->metric == DET_METRIC_ILSVRC)) return i < j;
    return a < b;
}

static void insert(const reference *r, curve *c, size_t d, bool right)
{
    size_t at = c->count++;
    for (; at > 0 && before(r, d, c->order[at - 1]); at--) {
        c->order[at] = c->order[at - 1];
        c->right[at] = c->right[at - 1];
    }
    c->order[at] = d;
    c->right[at] = right;
}

static double best_at(const curve *c, double recall)
{
    double highest = 0;
    for (size_t i = 0; i < c->count; i++)
        if (c->recall[i] >= recall) highest = fmax(highest, c->precision[i]);
    return highest;
}

static double average(const reference *r, curve *c, double positives)
{
    double right = 0, sum = 0;
    for (size_t i = 0; i < c->count; i++) {
        right += c->right[i];
        c->recall[i] = right / positives;
        c->precision[i] =
            right / ((double)(i + 1) + (r->metric == DET_METRIC_COCO ? DBL_EPSILON : 0));
    }
    if (r->metric == DET_METRIC_COCO) {
        for (int k = 0; k <= 100; k++) sum += best_at(c, k * .01) / 101;
    } else if (r->metric == DET_METRIC_VOC07) {
        for (int k = 0; k <= 10; k++) sum += best_at(c, k * .1) / 11;
    } else {
        for (size_t i = 0; i < c->count; i++)
            sum += (c->recall[i] - (i > 0 ? c->recall[i - 1] : 0)) * best_at(c, c->recall[i]);
    }
    return sum;
}

/* What detection d, not true, is once `repair` is done: -1 gone, 0 false, 1 true for `category`. */
static int repaired(const reference *r, size_t d, int repair, size_t *category)
{
    const size_t g = r->means[d];
    *category = r->set->found[d].category;
    if (repair == FALSE_POSITIVES) return -1;
    if (r->kinds[d] != repair) return r->outcomes[d] == DET_FALSE_POSITIVE ? 0 : -1;
    if (repair > DET_MISTAKE_BOX || r->repairer[g] != d) return -1;
    *category = r->set->objects[g].category;
    return 1;
}

/* repair -1: none. */
static double average_of(const reference *r, size_t category, int repair)
{
    curve c = {.count = 0};
    double positives = 0, all = 0;
    bool wrong = false;
    for (size_t d = 0; d < DETECTIONS; d++) {
        size_t becomes = r->set->found[d].category;
        int state = r->outcomes[d] == DET_TRUE_POSITIVE ? 1 : -1;
        if (r->kinds[d] >= 0) state = repaired(r, d, repair, &becomes);
        if (state >= 0 && becomes == category) insert(r, &c, d, state == 1);
        wrong = wrong || (state == 0 && becomes == category);
    }
    for (size_t g = 0; g < OBJECTS; g++) {
        if (!r->counts[g] || r->set->objects[g].category != category) continue;
        all++;
        positives += !(repair == FALSE_NEGATIVES && !r->found[g]) &&
                     !(repair == DET_MISTAKE_MISSED && is_missed(r, g));
    }
    if (all == 0) return NAN;
    if (positives == 0) return wrong ? 0 : 1;
    return average(r, &c, positives);
}

/* ---- The comparison ---- */

static void compare_counts(const reference *r, const det_mistake_analysis *a)
{
    size_t counts[CLASSES][DET_MISTAKE_KINDS] = {{0}};
    for (size_t d = 0; d < DETECTIONS; d++)
        if (r->kinds[d] >= 0 && r->outcomes[d] == DET_FALSE_POSITIVE)
            counts[r->set->found[d].category][r->kinds[d]]++;
    for (size_t g = 0; g < OBJECTS; g++)
        counts[r->set->objects[g].category][DET_MISTAKE_MISSED] += is_missed(r, g);
    for (size_t c = 0; c < CLASSES; c++)
        assert_memory_equal(a->classes[c].count, counts[c], sizeof counts[c]);
    for (size_t i = 0; i < a->mistake_count; i++) {
        const det_mistake *m = &a->mistakes[i];
        if (m->kind == DET_MISTAKE_MISSED) continue;
        assert_int_equal(m->kind, r->kinds[m->detection]);
        const size_t g = r->means[m->detection];
        assert_int_equal(m->object, g == NONE ? UINT32_MAX : g);
    }
}

static double cost_of(const det_mistake_figures *f, int repair)
{
    if (repair == FALSE_POSITIVES) return f->false_positives_cost;
    if (repair == FALSE_NEGATIVES) return f->false_negatives_cost;
    return f->cost[repair];
}

static void compare_costs(const reference *r, const det_mistake_analysis *a)
{
    for (int repair = 0; repair < REPAIRS; repair++) {
        double sum = 0;
        for (size_t c = 0; c < CLASSES; c++) {
            const double cost = average_of(r, c, repair) - average_of(r, c, -1);
            assert_true(isnan(cost) || cost >= -1e-12); /* no repair makes it worse */
            test_assert_figure(cost_of(&a->classes[c], repair), cost);
            sum += cost / CLASSES;
        }
        test_assert_figure(cost_of(&a->all, repair), sum);
    }
    for (size_t c = 0; c < CLASSES; c++) test_assert_figure(a->classes[c].ap, average_of(r, c, -1));
}

/* Moves some detections away, so that there are all kinds. */
static test_set *mistaken_set(uint64_t seed)
{
    test_set *set = test_set_random(seed);
    for (size_t d = 0; d < DETECTIONS; d++) {
        if (d % 3 == 0) set->found[d].box[0] += 16 * (double)(d % 5);
        if (d % 4 == 0) set->found[d].category = (uint32_t)(d % 8 == 0);
    }
    return set;
}

static void compare(const test_set *set, const det_eval_options *options,
                    size_t seen[DET_MISTAKE_KINDS])
{
    static reference r;
    det_mistake_analysis *one = NULL, *four = NULL;
    det_evaluation *e = test_evaluate(set, options);
    memset(&r, 0, sizeof r);
    r.set = set;
    r.metric = options->metric;
    take_matches(&r, e);
    examine(&r);
    assert_int_equal(det_evaluation_mistakes(e, NULL, &(det_run){.threads = 1}, &one, NULL),
                     DET_OK);
    assert_int_equal(det_evaluation_mistakes(e, NULL, &(det_run){.threads = 4}, &four, NULL),
                     DET_OK);
    compare_counts(&r, one);
    compare_costs(&r, one);
    assert_memory_equal(&one->all, &four->all, sizeof one->all);
    for (int kind = 0; kind < DET_MISTAKE_KINDS; kind++) seen[kind] += one->all.count[kind];
    det_mistake_analysis_free(one);
    det_mistake_analysis_free(four);
    det_evaluation_free(e);
}

static void random_sets_give_what_a_plain_reference_gives(void **state)
{
    (void)state;
    static const size_t most = 12;
    static const det_eval_options options[] = {
        {.metric = DET_METRIC_COCO, .keep_matches = true},
        {.metric = DET_METRIC_COCO,
         .keep_matches = true,
         .max_detections = &most,
         .max_detections_count = 1},
        {.metric = DET_METRIC_VOC07, .keep_matches = true},
        {.metric = DET_METRIC_VOC10, .keep_matches = true},
        {.metric = DET_METRIC_ILSVRC, .keep_matches = true},
    };
    size_t seen[DET_MISTAKE_KINDS] = {0};
    for (uint64_t seed = 1; seed <= 30; seed++)
        for (size_t i = 0; i < sizeof options / sizeof *options; i++)
            compare(mistaken_set(seed), &options[i], seen);
    for (int kind = 0; kind < DET_MISTAKE_KINDS; kind++) assert_true(seen[kind] > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_sets_give_what_a_plain_reference_gives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
