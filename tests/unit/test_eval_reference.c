/* SPDX-License-Identifier: Apache-2.0 */
/* COCO's figures against a plain reference, written from the description alone: every step as long
 * as it likes to be. And what must not change them. */
#include "tests/unit/support.h"
#include "tests/unit/support_eval.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
    IMAGES = TEST_RANDOM_IMAGES,
    CLASSES = TEST_RANDOM_CLASSES,
    OBJECTS = TEST_RANDOM_OBJECTS,
    DETECTIONS = TEST_RANDOM_DETECTIONS,
    MOST = 5
};

/* ---- The reference ---- */

static double overlap(const double *d, const double *g, bool crowd)
{
    const double w = fmin(d[0] + d[2], g[0] + g[2]) - fmax(d[0], g[0]);
    const double h = fmin(d[1] + d[3], g[1] + g[3]) - fmax(d[1], g[1]);
    if (w <= 0 || h <= 0) return 0;
    return w * h / (crowd ? d[2] * d[3] : d[2] * d[3] + g[2] * g[3] - w * h);
}

static bool within(double area, int size)
{
    double range[2];
    det_object_size_range((det_object_size)size, range);
    return area >= range[0] && area <= range[1];
}

/* Whether detection a comes before b. */
static bool before(const test_set *s, size_t a, size_t b)
{
    const det_detected_object *x = &s->found[a], *y = &s->found[b];
    if (x->score != y->score) return x->score > y->score;
    const int64_t i = s->images[x->image].id, j = s->images[y->image].id;
    return i != j ? i < j : a < b;
}

static size_t sort_class(const test_set *s, size_t category, size_t *order)
{
    size_t count = 0;
    for (size_t i = 0; i < s->results.object_count; i++) {
        if (s->found[i].category != category) continue;
        size_t at = count++;
        for (; at > 0 && before(s, i, order[at - 1]); at--) order[at] = order[at - 1];
        order[at] = i;
    }
    return count;
}

/* Takes an object for a detection. @return its index, or OBJECTS. */
static size_t take(const test_set *s, size_t detection, int size, double threshold,
                   const bool *taken)
{
    const det_detected_object *d = &s->found[detection];
    for (int ignored = 0; ignored < 2; ignored++) { /* those that count first */
        size_t best = OBJECTS;
        double most = fmin(threshold, 1 - 1e-10);
        for (size_t g = 0; g < OBJECTS; g++) {
            const det_annotated_object *o = &s->objects[g];
            if (o->image != d->image || o->category != d->category) continue;
            if ((o->crowd || !within(o->area, size)) != (bool)ignored) continue;
            if (taken[g] && !o->crowd) continue;
            if (overlap(d->box, o->box, o->crowd) < most) continue;
            most = overlap(d->box, o->box, o->crowd);
            best = g;
        }
        if (best < OBJECTS) return best;
    }
    return OBJECTS;
}

static double reference(const test_set *s, size_t category, int size, double threshold)
{
    size_t order[DETECTIONS], used[IMAGES] = {0};
    bool taken[OBJECTS] = {0};
    double recall[DETECTIONS], precision[DETECTIONS], positives = 0, right = 0, wrong = 0, sum = 0;
    const size_t count = sort_class(s, category, order);
    size_t points = 0;
    for (size_t g = 0; g < OBJECTS; g++)
        positives += s->objects[g].category == category && !s->objects[g].crowd &&
                     within(s->objects[g].area, size);
    if (positives == 0) return NAN;
    for (size_t i = 0; i < count; i++) {
        const det_detected_object *d = &s->found[order[i]];
        if (used[d->image]++ >= MOST) continue;
        const size_t g = take(s, order[i], size, threshold, taken);
        const det_annotated_object *o = g < OBJECTS ? &s->objects[g] : NULL;
        const bool seen = o && o->id != 0;
        if (o) taken[g] = true;
        if (o && (o->crowd || !within(o->area, size))) continue;
        if (!seen && !within(d->box[2] * d->box[3], size)) continue;
        right += seen;
        wrong += !seen;
        recall[points] = right / positives;
        precision[points++] = right / (right + wrong + DBL_EPSILON);
    }
    for (int r = 0; r <= 100; r++) {
        double best = 0;
        for (size_t i = 0; i < points; i++)
            if (recall[i] >= r * .01) best = fmax(best, precision[i]);
        sum += best;
    }
    return sum / 101;
}

static void random_sets_give_what_a_plain_reference_gives(void **state)
{
    (void)state;
    const size_t most = MOST;
    const det_eval_options options = {.max_detections = &most, .max_detections_count = 1};
    for (uint64_t seed = 1; seed <= 40; seed++) {
        const test_set *set = test_set_random(seed);
        det_evaluation *e = test_evaluate(set, &options);
        for (size_t c = 0; c < CLASSES; c++) {
            for (int size = 0; size < DET_SIZE_COUNT; size++) {
                double mean = 0;
                for (size_t t = 0; t < e->iou_count; t++)
                    mean += reference(set, c, size, e->ious[t]) / (double)e->iou_count;
                test_assert_figure(e->classes[c].figures.ap_size[size], mean);
            }
        }
        det_evaluation_free(e);
    }
}

/* ---- Properties ---- */

static void assert_same(const det_eval_figures *a, const det_eval_figures *b)
{
    for (int size = 0; size < DET_SIZE_COUNT; size++) {
        assert_memory_equal(&a->ap_size[size], &b->ap_size[size], sizeof(double));
        assert_memory_equal(&a->ar_size[size], &b->ar_size[size], sizeof(double));
    }
    for (size_t m = 0; m < 3; m++)
        assert_memory_equal(&a->ar_max[m], &b->ar_max[m], sizeof(double));
}

/* Turns the images of a set round, with the objects on them, and the order of detections of
 * different images. */
static void turn_round(test_set *set)
{
    static test_set old;
    memcpy(&old, set, sizeof old);
    size_t at = 0, found = 0;
    for (size_t i = 0; i < IMAGES; i++) {
        const size_t was = IMAGES - 1 - i;
        set->images[i] = old.images[was];
        for (size_t g = 0; g < OBJECTS; g++) {
            if (old.objects[g].image != was) continue;
            set->objects[at] = old.objects[g];
            set->objects[at++].image = i;
        }
        for (size_t d = 0; d < DETECTIONS; d++) {
            if (old.found[d].image != was) continue;
            set->found[found] = old.found[d];
            set->found[found++].image = (uint32_t)i;
        }
    }
}

static void the_order_of_images_and_of_detections_of_different_images_does_not_matter(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        test_set *set = test_set_random(seed);
        det_evaluation *before_it = test_evaluate(set, NULL);
        const double ilsvrc = test_ap(set, DET_METRIC_ILSVRC);
        turn_round(set);
        det_evaluation *after = test_evaluate(set, NULL);
        assert_same(&before_it->mean, &after->mean);
        assert_true(test_ap(set, DET_METRIC_ILSVRC) == ilsvrc);
        det_evaluation_free(before_it);
        det_evaluation_free(after);
    }
}

/* As it should be: of different pictures, too, equal scores stay in the order of the results. */
static void it_does_to_the_figures_of_voc(void **state)
{
    (void)state;
    size_t changed = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        test_set *set = test_set_random(seed);
        const double ap = test_ap(set, DET_METRIC_VOC10);
        turn_round(set);
        changed += test_ap(set, DET_METRIC_VOC10) != ap;
    }
    assert_true(changed > 10);
}

static void the_number_of_threads_does_not_matter(void **state)
{
    (void)state;
    const test_set *set = test_set_random(3);
    det_evaluation *one = NULL, *four = NULL;
    assert_int_equal(
        det_evaluate(&set->annotations, &set->results, NULL, &(det_run){.threads = 1}, &one, NULL),
        DET_OK);
    assert_int_equal(
        det_evaluate(&set->annotations, &set->results, NULL, &(det_run){.threads = 4}, &four, NULL),
        DET_OK);
    assert_same(&one->mean, &four->mean);
    det_evaluation_free(one);
    det_evaluation_free(four);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_sets_give_what_a_plain_reference_gives),
        cmocka_unit_test(the_order_of_images_and_of_detections_of_different_images_does_not_matter),
        cmocka_unit_test(it_does_to_the_figures_of_voc),
        cmocka_unit_test(the_number_of_threads_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
