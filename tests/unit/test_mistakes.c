/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with detections, and what it costs. Objects are squares of 10 pixels, so that a
 * detection of the upper h rows overlaps one by h / 10. Average precision is the area below the
 * curve (voc10), unless the case is about another metric. */
#include "src/base/memory.h"
#include "tests/unit/support.h"
#include "tests/unit/support_eval.h"

#include <math.h>

enum { CAT, DOG, CLASSES };

/* Analyses the set; free it. */
static det_mistake_analysis *analyse(const test_set *set, det_metric metric)
{
    det_evaluation *e = test_evaluate_kept(set, metric);
    det_mistake_analysis *analysis = NULL;
    det_error error = {0};
    test_assert_ok(det_evaluation_mistakes(e, NULL, NULL, &analysis, &error), &error);
    det_evaluation_free(e);
    return analysis;
}

static test_set *begin(void)
{
    return test_set_begin(DET_BOX_SIZED, 4, CLASSES);
}

static void object_at(test_set *set, size_t image, size_t category, double x)
{
    test_set_object(set, image, category, x, 0, 10, 10);
}

/* The upper rows of an object at x. */
static void found(test_set *set, uint32_t image, uint32_t category, double score, double x,
                  double rows)
{
    test_set_found(set, image, score, x, 0, 10, rows);
    set->found[set->results.object_count - 1].category = category;
}

static void assert_counts(const det_mistake_figures *f, const size_t counts[DET_MISTAKE_KINDS])
{
    for (int kind = 0; kind < DET_MISTAKE_KINDS; kind++)
        if (f->count[kind] != counts[kind])
            fail_msg("%zu, not %zu, are %s", f->count[kind], counts[kind],
                     det_mistake_kind_name((det_mistake_kind)kind));
}

static void assert_costs(const det_mistake_figures *f, const double costs[DET_MISTAKE_KINDS])
{
    for (int kind = 0; kind < DET_MISTAKE_KINDS; kind++)
        test_assert_figure(f->cost[kind], costs[kind]);
}

/* The kind of the only mistake that is a detection; checks what it means. */
static det_mistake_kind only_kind(const test_set *set, det_metric metric, uint32_t object)
{
    det_mistake_analysis *a = analyse(set, metric);
    assert_int_equal(a->all.false_positives, 1);
    const det_mistake first = a->mistakes[0];
    assert_int_equal(first.object, object);
    det_mistake_analysis_free(a);
    return first.kind;
}

static void kinds_have_names(void **state)
{
    (void)state;
    assert_string_equal(det_mistake_kind_name(DET_MISTAKE_CLASS), "class");
    assert_string_equal(det_mistake_kind_name(DET_MISTAKE_MISSED), "missed");
    assert_string_equal(det_mistake_kind_name(DET_MISTAKE_KINDS), "unknown");
}

/* ---- Each kind, and its repair ---- */

/* Cats A and B, dog C. Cat AP: A found, B not: 1/2. Dog AP: a false one (B taken for a dog), then
 * C: 1/2. Repaired: B is a cat with score .8: cat AP 1; the false dog is gone: dog AP 1. */
static void a_wrong_class_becomes_a_find_of_the_right_one(void **state)
{
    (void)state;
    test_set *set = begin();
    object_at(set, 0, CAT, 0);
    object_at(set, 1, CAT, 0);
    object_at(set, 2, DOG, 0);
    found(set, 0, CAT, .9, 0, 10);
    found(set, 1, DOG, .8, 0, 10);
    found(set, 2, DOG, .7, 0, 10);
    det_mistake_analysis *a = analyse(set, DET_METRIC_VOC10);
    assert_counts(&a->all, (size_t[]){1, 0, 0, 0, 0, 0});
    test_assert_figure(a->all.ap, .5);
    assert_costs(&a->all, (double[]){.5, 0, 0, 0, 0, 0});
    test_assert_figure(a->classes[CAT].cost[DET_MISTAKE_CLASS], .5);
    test_assert_figure(a->classes[DOG].cost[DET_MISTAKE_CLASS], .5);
    assert_counts(&a->classes[CAT], (size_t[]){0, 0, 0, 0, 0, 0});
    assert_counts(&a->classes[DOG], (size_t[]){1, 0, 0, 0, 0, 0});
    assert_int_equal(a->mistake_count, 1);
    assert_int_equal(a->mistakes[0].detection, 1);
    assert_int_equal(a->mistakes[0].object, 1);
    test_assert_figure(a->mistakes[0].overlap, 1);
    test_assert_figure(a->mistakes[0].score, .8);
    det_mistake_analysis_free(a);
}

/* A dog with score .6 that means cat B comes between the false cat of .7 and the true one of .5:
 * true, false, true, true. Area: 1/3 + 2/3 * 3/4, against 1/3 + 1/3 * 2/3 without it. */
static void what_arrives_takes_its_place_by_score(void **state)
{
    (void)state;
    test_set *set = begin();
    for (size_t i = 0; i < 3; i++) object_at(set, i, CAT, 0);
    found(set, 0, CAT, .9, 0, 10);
    found(set, 3, CAT, .7, 0, 10);
    found(set, 1, DOG, .6, 0, 10);
    found(set, 2, CAT, .5, 0, 10);
    det_mistake_analysis *a = analyse(set, DET_METRIC_VOC10);
    test_assert_figure(a->all.ap, 5. / 9);
    test_assert_figure(a->all.cost[DET_MISTAKE_CLASS], 5. / 6 - 5. / 9);
    det_mistake_analysis_free(a);
}

/* Of equal scores the metric decides: COCO takes the picture with the lower id first, so that the
 * dog of picture 1 comes before the false cat of picture 4, VOC what is first in the file. The
 * cats' AP is 0; repaired 1 (COCO: 101 of 101 recalls), and with one false one before it 1/2. */
static void arrivals_of_equal_score_follow_the_order_of_the_metric(void **state)
{
    (void)state;
    test_set *set = begin();
    object_at(set, 0, CAT, 0);
    found(set, 3, CAT, .7, 0, 10);
    found(set, 0, DOG, .7, 0, 10);
    det_mistake_analysis *a = analyse(set, DET_METRIC_COCO);
    test_assert_figure(a->all.cost[DET_MISTAKE_CLASS], 1);
    det_mistake_analysis_free(a);
    a = analyse(set, DET_METRIC_VOC10);
    test_assert_figure(a->all.cost[DET_MISTAKE_CLASS], .5);
    det_mistake_analysis_free(a);
}

/* Of two poor boxes of one cat the better score becomes true, the other is removed: AP 1 from 0. */
static void a_poor_box_becomes_a_find_once(void **state)
{
    (void)state;
    test_set *set = begin();
    object_at(set, 0, CAT, 0);
    found(set, 0, CAT, .8, 0, 3);
    found(set, 0, CAT, .9, 0, 4);
    det_mistake_analysis *a = analyse(set, DET_METRIC_VOC10);
    assert_counts(&a->all, (size_t[]){0, 2, 0, 0, 0, 0});
    assert_costs(&a->all, (double[]){0, 1, 0, 0, 0, 0});
    assert_int_equal(a->mistakes[0].detection, 1);
    test_assert_figure(a->mistakes[0].overlap, .4);
    test_assert_figure(a->mistakes[1].overlap, .3);
    assert_int_equal(a->all.false_negatives, 1);
    det_mistake_analysis_free(a);
}

/* Cats A and B found with .9 and .7, between them what is false: AP 1/2 + 1/2 * 2/3 = 5/6, and 1
 * when it is removed. */
static void assert_removal(test_set *set, det_mistake_kind kind)
{
    object_at(set, 2, CAT, 0);
    object_at(set, 3, CAT, 0);
    found(set, 2, CAT, .9, 0, 10);
    found(set, 3, CAT, .7, 0, 10);
    det_mistake_analysis *a = analyse(set, DET_METRIC_VOC10);
    const det_mistake_figures *cats = &a->classes[CAT];
    assert_int_equal(cats->count[kind], 1);
    assert_int_equal(cats->false_positives, 1);
    for (int other = 0; other < DET_MISTAKE_KINDS; other++)
        test_assert_figure(cats->cost[other], other == (int)kind ? 1. / 6 : 0);
    test_assert_figure(cats->false_positives_cost, 1. / 6);
    det_mistake_analysis_free(a);
}

/* A cat on the poor half of a dog. It repairs nothing: the dog is missed. */
static void a_wrong_class_with_a_poor_box_is_removed(void **state)
{
    (void)state;
    test_set *set = begin();
    object_at(set, 0, DOG, 0);
    found(set, 0, CAT, .8, 0, 4);
    assert_removal(set, DET_MISTAKE_BOTH);
    assert_int_equal(only_kind(set, DET_METRIC_VOC10, 0), DET_MISTAKE_BOTH);
    det_mistake_analysis *a = analyse(set, DET_METRIC_VOC10);
    assert_int_equal(a->classes[DOG].count[DET_MISTAKE_MISSED], 1);
    det_mistake_analysis_free(a);
}

static void a_duplicate_is_removed(void **state)
{
    (void)state;
    test_set *set = begin();
    found(set, 2, CAT, .8, 0, 9);
    assert_removal(set, DET_MISTAKE_DUPLICATE);
    assert_int_equal(only_kind(set, DET_METRIC_VOC10, 0), DET_MISTAKE_DUPLICATE);
    assert_int_equal(only_kind(set, DET_METRIC_COCO, 0), DET_MISTAKE_DUPLICATE);
}

static void what_lies_on_the_background_is_removed(void **state)
{
    (void)state;
    test_set *set = begin();
    found(set, 2, CAT, .8, 50, 10);
    assert_removal(set, DET_MISTAKE_BACKGROUND);
    assert_int_equal(only_kind(set, DET_METRIC_VOC10, UINT32_MAX), DET_MISTAKE_BACKGROUND);
}

/* One cat of two is found, AP 1/2. Asked for that one alone, AP 1. */
static void a_missed_object_is_no_longer_asked_for(void **state)
{
    (void)state;
    test_set *set = begin();
    object_at(set, 0, CAT, 0);
    object_at(set, 0, CAT, 20);
    found(set, 0, CAT, .9, 0, 10);
    det_mistake_analysis *a = analyse(set, DET_METRIC_VOC10);
    assert_counts(&a->all, (size_t[]){0, 0, 0, 0, 0, 1});
    assert_costs(&a->all, (double[]){0, 0, 0, 0, 0, .5});
    test_assert_figure(a->all.false_negatives_cost, .5);
    assert_int_equal(a->mistake_count, 1);
    assert_int_equal(a->mistakes[0].kind, DET_MISTAKE_MISSED);
    assert_int_equal(a->mistakes[0].detection, UINT32_MAX);
    assert_int_equal(a->mistakes[0].object, 1);
    det_mistake_analysis_free(a);
}

/* ---- The order of the tests, and their edges ---- */

/* An object at 0 of class `one` and one at y = 5 below it of class `other`: the cat on rows 0 to
 * `rows` of the first overlaps both. */
static test_set *two_objects(size_t one, size_t other, double y)
{
    test_set *set = begin();
    object_at(set, 0, one, 0);
    test_set_object(set, 0, other, 0, y, 10, 10);
    return set;
}

/* The detection, rows 0 to 10, has 100 / 100 of the dog and of the cat at y = 5 50 / 150 = 1/3. */
static void a_box_comes_before_a_class(void **state)
{
    (void)state;
    test_set *set = two_objects(DOG, CAT, 5);
    found(set, 0, CAT, .9, 0, 10);
    assert_int_equal(only_kind(set, DET_METRIC_VOC10, 1), DET_MISTAKE_BOX);
}

/* The cat at y = 1 is overlapped by 90 / 110, the dog by all: without a free cat it is the class.
 */
static void a_class_comes_before_a_duplicate(void **state)
{
    (void)state;
    test_set *set = two_objects(DOG, CAT, 1);
    test_set_found(set, 0, .95, 0, 1, 10, 10);
    found(set, 0, CAT, .9, 0, 10);
    assert_int_equal(only_kind(set, DET_METRIC_VOC10, 0), DET_MISTAKE_CLASS);
    assert_int_equal(only_kind(set, DET_METRIC_COCO, 0), DET_MISTAKE_CLASS);
}

/* Half of a cat that was found already: as in tidecv, a box. */
static void an_overlap_of_exactly_the_threshold_is_a_box(void **state)
{
    (void)state;
    test_set *set = begin();
    object_at(set, 0, CAT, 0);
    found(set, 0, CAT, .9, 0, 10);
    found(set, 0, CAT, .8, 0, 5);
    assert_int_equal(only_kind(set, DET_METRIC_VOC10, 0), DET_MISTAKE_BOX);
}

/* The same half of a dog is as much of it as a find needs: the class. */
static void a_class_needs_no_more_than_the_threshold(void **state)
{
    (void)state;
    test_set *set = begin();
    object_at(set, 0, DOG, 0);
    found(set, 0, CAT, .8, 0, 5);
    assert_int_equal(only_kind(set, DET_METRIC_VOC10, 0), DET_MISTAKE_CLASS);
}

/* A tenth of a cat is a box of a cat, and background for a dog; a little more is both. */
static void an_overlap_of_exactly_the_background(void **state)
{
    (void)state;
    static const struct {
        uint32_t category;
        double rows;
        det_mistake_kind kind;
    } cases[] = {{CAT, 1, DET_MISTAKE_BOX},
                 {CAT, .99, DET_MISTAKE_BACKGROUND},
                 {DOG, 1, DET_MISTAKE_BACKGROUND},
                 {DOG, 1.01, DET_MISTAKE_BOTH}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_set *set = begin();
        object_at(set, 0, CAT, 0);
        found(set, 0, cases[i].category, .8, 0, cases[i].rows);
        assert_int_equal(only_kind(set, DET_METRIC_COCO, 0), cases[i].kind);
    }
}

/* ---- Several mistakes of one object ---- */

/* A poor cat (.9) and a dog (.8) on the same cat: the cat of the higher score can repair it, so
 * that repairing classes finds nothing. With the scores the other way round it is the dog. */
static void the_best_score_repairs_an_object_whatever_its_kind(void **state)
{
    (void)state;
    for (int dog_first = 0; dog_first < 2; dog_first++) {
        test_set *set = begin();
        object_at(set, 0, CAT, 0);
        found(set, 0, CAT, dog_first ? .7 : .9, 0, 4);
        found(set, 0, DOG, .8, 0, 10);
        det_mistake_analysis *a = analyse(set, DET_METRIC_VOC10);
        assert_counts(&a->all, (size_t[]){1, 1, 0, 0, 0, 0});
        if (dog_first) /* true, then the false cat */
            assert_costs(&a->all, (double[]){1, 0, 0, 0, 0, 0});
        else
            assert_costs(&a->all, (double[]){0, 1, 0, 0, 0, 0});
        det_mistake_analysis_free(a);
    }
}

/* A dog on a cat that is found: there is nothing to repair, it is removed. */
static void a_wrong_class_on_a_found_object_is_removed(void **state)
{
    (void)state;
    test_set *set = begin();
    object_at(set, 0, CAT, 0);
    object_at(set, 1, DOG, 0);
    found(set, 0, CAT, .9, 0, 10);
    found(set, 0, DOG, .8, 0, 10);
    found(set, 1, DOG, .7, 0, 10);
    det_mistake_analysis *a = analyse(set, DET_METRIC_VOC10);
    test_assert_figure(a->classes[DOG].ap, .5);
    test_assert_figure(a->classes[DOG].cost[DET_MISTAKE_CLASS], .5);
    test_assert_figure(a->classes[CAT].cost[DET_MISTAKE_CLASS], 0);
    det_mistake_analysis_free(a);
}

/* ---- What does not count ---- */

/* A crowd of cats and a cat; the poor cat in both is ignored, no mistake, but can repair the cat.
 */
static void an_ignored_detection_is_no_mistake_but_may_repair(void **state)
{
    (void)state;
    test_set *set = begin();
    object_at(set, 0, CAT, 0);
    test_set_object(set, 0, CAT, 0, 0, 90, 90)->crowd = true;
    found(set, 0, CAT, .9, 0, 4);
    found(set, 0, CAT, .8, 50, 10);
    det_mistake_analysis *a = analyse(set, DET_METRIC_COCO);
    assert_counts(&a->all, (size_t[]){0, 0, 0, 0, 0, 0});
    assert_costs(&a->all, (double[]){0, 1, 0, 0, 0, 0});
    assert_int_equal(a->mistake_count, 0);
    assert_int_equal(a->all.false_negatives, 1);
    det_mistake_analysis_free(a);
}

/* A dog on a difficult cat: the cat is not looked at. */
static void difficult_objects_are_not_looked_at(void **state)
{
    (void)state;
    test_set *set = begin();
    test_set_object(set, 0, CAT, 0, 0, 10, 10)->difficult = true;
    found(set, 0, DOG, .9, 0, 10);
    found(set, 0, CAT, .9, 0, 10);
    det_mistake_analysis *a = analyse(set, DET_METRIC_VOC10);
    assert_counts(&a->all, (size_t[]){0, 0, 0, 0, 1, 0});
    assert_int_equal(a->mistakes[0].object, UINT32_MAX);
    assert_true(isnan(a->all.ap) && isnan(a->all.cost[DET_MISTAKE_BACKGROUND]));
    det_mistake_analysis_free(a);
}

/* pycocotools never finds the object with the id 0. */
static void an_object_with_the_id_0_is_missed_unless_corrected(void **state)
{
    (void)state;
    test_set *set = begin();
    test_set_object(set, 0, CAT, 0, 0, 10, 10)->id = 0;
    found(set, 0, CAT, .9, 0, 10);
    assert_int_equal(only_kind(set, DET_METRIC_COCO, 0), DET_MISTAKE_BOTH);
    det_mistake_analysis *a = analyse(set, DET_METRIC_COCO);
    assert_int_equal(a->all.count[DET_MISTAKE_MISSED], 1);
    det_mistake_analysis_free(a);
    det_evaluation *e =
        test_evaluate(set, &(det_eval_options){.corrected = true, .keep_matches = true});
    assert_int_equal(det_evaluation_mistakes(e, NULL, NULL, &a, NULL), DET_OK);
    assert_int_equal(a->mistake_count, 0);
    det_mistake_analysis_free(a);
    det_evaluation_free(e);
}

/* Cats at 0 and at 20 share an id: the one at 20 is wanted twice, and that at 0 never. Found once,
 * AP is 51 of 101 recalls. A dog on it can repair the other time. */
static void of_objects_that_share_an_id_the_last_is_wanted_for_each(void **state)
{
    (void)state;
    static const size_t last_of_id[] = {1, 1};
    test_set *set = begin();
    object_at(set, 0, CAT, 0);
    object_at(set, 0, CAT, 20);
    set->annotations.last_of_id = last_of_id;
    found(set, 0, CAT, .9, 20, 10);
    det_mistake_analysis *a = analyse(set, DET_METRIC_COCO);
    assert_counts(&a->all, (size_t[]){0, 0, 0, 0, 0, 1});
    assert_int_equal(a->mistakes[0].object, 1);
    assert_int_equal(a->all.false_negatives, 1);
    test_assert_figure(a->all.cost[DET_MISTAKE_MISSED], 50. / 101);
    det_mistake_analysis_free(a);
    found(set, 0, DOG, .8, 20, 10);
    a = analyse(set, DET_METRIC_COCO);
    assert_counts(&a->all, (size_t[]){1, 0, 0, 0, 0, 0});
    test_assert_figure(a->all.cost[DET_MISTAKE_CLASS], 50. / 101);
    det_mistake_analysis_free(a);
}

/* ---- The whole ---- */

static void without_detections_everything_is_missed(void **state)
{
    (void)state;
    test_set *set = begin();
    object_at(set, 0, CAT, 0);
    object_at(set, 1, DOG, 0);
    det_mistake_analysis *a = analyse(set, DET_METRIC_COCO);
    assert_counts(&a->all, (size_t[]){0, 0, 0, 0, 0, 2});
    assert_costs(&a->all, (double[]){0, 0, 0, 0, 0, 1});
    test_assert_figure(a->all.false_negatives_cost, 1);
    test_assert_figure(a->all.false_positives_cost, 0);
    det_mistake_analysis_free(a);
}

/* All that is left of the cats is a false one. */
static void missed_objects_beside_false_ones_alone_cost_nothing(void **state)
{
    (void)state;
    test_set *set = begin();
    object_at(set, 0, CAT, 0);
    found(set, 1, CAT, .9, 0, 10);
    det_mistake_analysis *a = analyse(set, DET_METRIC_COCO);
    assert_counts(&a->all, (size_t[]){0, 0, 0, 0, 1, 1});
    assert_costs(&a->all, (double[]){0, 0, 0, 0, 0, 0});
    det_mistake_analysis_free(a);
}

static void perfect_detections_have_no_mistakes(void **state)
{
    (void)state;
    for (int metric = DET_METRIC_COCO; metric <= DET_METRIC_ILSVRC; metric++) {
        test_set *set = begin();
        for (uint32_t i = 0; i < 4; i++) {
            object_at(set, i, i % CLASSES, 0);
            found(set, i, i % CLASSES, .1 * i, 0, 10);
        }
        det_mistake_analysis *a = analyse(set, (det_metric)metric);
        assert_counts(&a->all, (size_t[]){0, 0, 0, 0, 0, 0});
        assert_costs(&a->all, (double[]){0, 0, 0, 0, 0, 0});
        test_assert_figure(a->all.ap, 1);
        det_mistake_analysis_free(a);
    }
}

static void without_objects_there_is_no_cost(void **state)
{
    (void)state;
    test_set *set = begin();
    found(set, 0, CAT, .9, 0, 10);
    det_mistake_analysis *a = analyse(set, DET_METRIC_COCO);
    assert_counts(&a->all, (size_t[]){0, 0, 0, 0, 1, 0});
    assert_true(isnan(a->all.ap) && isnan(a->all.cost[DET_MISTAKE_MISSED]));
    assert_true(isnan(a->all.false_positives_cost));
    det_mistake_analysis_free(a);
}

/* Kinds one after another, best scores first. */
static void mistakes_are_listed_by_kind_and_score(void **state)
{
    (void)state;
    static const uint32_t order[] = {3, 4, 1, 2, 0, UINT32_MAX};
    static const size_t first[] = {0, 1, 2, 2, 2, 5, 6};
    test_set *set = begin();
    object_at(set, 0, CAT, 0);
    object_at(set, 0, DOG, 20);
    object_at(set, 0, DOG, 60);
    found(set, 0, DOG, .1, 80, 10);
    found(set, 0, CAT, .4, 80, 10);
    found(set, 0, DOG, .4, 80, 10);
    found(set, 0, CAT, .2, 20, 10);
    found(set, 0, CAT, .3, 0, 4);
    det_mistake_analysis *a = analyse(set, DET_METRIC_VOC10);
    assert_memory_equal(a->first, first, sizeof first);
    assert_int_equal(a->mistake_count, 6);
    for (size_t i = 0; i < 6; i++) assert_int_equal(a->mistakes[i].detection, order[i]);
    det_mistake_analysis_free(a);
}

/* ---- Options ---- */

/* An object of 10 x 10 pixels is found at an IoU of 100 / 400 = .25. */
static void ilsvrc_has_the_threshold_of_the_object(void **state)
{
    (void)state;
    test_set *set = begin();
    object_at(set, 0, CAT, 0);
    found(set, 0, DOG, .9, 0, 3);
    assert_int_equal(only_kind(set, DET_METRIC_ILSVRC, 0), DET_MISTAKE_CLASS);
    set->found[0].category = CAT;
    set->found[0].box[3] = 2;
    assert_int_equal(only_kind(set, DET_METRIC_ILSVRC, 0), DET_MISTAKE_BOX);
}

/* Of the cat .4: at a threshold of .3 a find, at .6 a poor box, at a background of .45 nothing. */
static void another_threshold_and_another_background_can_be_asked_for(void **state)
{
    (void)state;
    static const double ious[] = {.3, .6};
    static const struct {
        det_mistake_options options;
        size_t counts[DET_MISTAKE_KINDS];
        double background;
    } cases[] = {{{.iou = 0}, {0, 0, 0, 0, 0, 0}, .1},
                 {{.iou = 1}, {0, 1, 0, 0, 0, 0}, .1},
                 {{.iou = 1, .background = .45}, {0, 0, 0, 0, 1, 1}, .45}};
    test_set *set = begin();
    object_at(set, 0, CAT, 0);
    found(set, 0, CAT, .9, 0, 4);
    det_evaluation *e =
        test_evaluate(set, &(det_eval_options){.ious = ious, .iou_count = 2, .keep_matches = true});
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_mistake_analysis *a = NULL;
        assert_int_equal(det_evaluation_mistakes(e, &cases[i].options, NULL, &a, NULL), DET_OK);
        assert_counts(&a->all, cases[i].counts);
        test_assert_figure(a->iou, ious[cases[i].options.iou]);
        test_assert_figure(a->background, cases[i].background);
        det_mistake_analysis_free(a);
    }
    det_evaluation_free(e);
}

static void the_background_is_by_default_no_more_than_the_threshold(void **state)
{
    (void)state;
    static const double low = .05;
    det_mistake_analysis *a = NULL;
    det_evaluation *e = test_evaluate(
        begin(), &(det_eval_options){.ious = &low, .iou_count = 1, .keep_matches = true});
    assert_int_equal(det_evaluation_mistakes(e, NULL, NULL, &a, NULL), DET_OK);
    test_assert_figure(a->background, .05);
    det_mistake_analysis_free(a);
    det_evaluation_free(e);
}

static bool cancel(void *context, uint64_t done, uint64_t total)
{
    (void)total;
    return done < *(const uint64_t *)context;
}

static void senseless_questions_are_refused(void **state)
{
    (void)state;
    static const struct {
        det_mistake_options options;
        const char *message;
    } cases[] = {{{.iou = 10}, "IoU threshold 10 of 10"},
                 {{.background = -1}, "the background overlap -1"},
                 {{.background = 1.5}, "1.5"},
                 {{.background = NAN}, "nan"}};
    det_error error = {0};
    det_mistake_analysis *a = NULL;
    det_evaluation *e = test_evaluate_kept(begin(), DET_METRIC_COCO),
                   *without = test_evaluate(begin(), NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        test_assert_error(det_evaluation_mistakes(e, &cases[i].options, NULL, &a, &error),
                          DET_ARGUMENT, &error, cases[i].message);
    test_assert_error(det_evaluation_mistakes(without, NULL, NULL, &a, &error), DET_ARGUMENT,
                      &error, "not kept");
    for (uint64_t stage = 0; stage < 3; stage++) {
        const det_run run = {.progress = cancel, .progress_context = &stage};
        test_assert_error(det_evaluation_mistakes(e, NULL, &run, &a, &error), DET_CANCELLED, &error,
                          "cancelled");
    }
    assert_null(a);
    det_mistake_analysis_free(NULL);
    det_evaluation_free(e);
    det_evaluation_free(without);
}

#ifdef DET_FAULT_INJECTION
static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    test_set *set = begin();
    object_at(set, 0, CAT, 0);
    object_at(set, 0, DOG, 20);
    found(set, 0, DOG, .9, 0, 10);
    found(set, 0, CAT, .8, 50, 10);
    det_evaluation *e = test_evaluate_kept(set, DET_METRIC_COCO);
    const det_run run = {.threads = 1};
    for (uint64_t nth = 1;; nth++) {
        det_error error = {0};
        det_mistake_analysis *a = NULL;
        det_memory_fail_at(nth);
        const det_status status = det_evaluation_mistakes(e, NULL, &run, &a, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        det_mistake_analysis_free(a);
        if (!failed) {
            test_assert_ok(status, &error);
            break;
        }
        test_assert_error(status, DET_MEMORY, &error, "out of memory");
    }
    det_evaluation_free(e);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_have_names),
        cmocka_unit_test(a_wrong_class_becomes_a_find_of_the_right_one),
        cmocka_unit_test(what_arrives_takes_its_place_by_score),
        cmocka_unit_test(arrivals_of_equal_score_follow_the_order_of_the_metric),
        cmocka_unit_test(a_poor_box_becomes_a_find_once),
        cmocka_unit_test(a_wrong_class_with_a_poor_box_is_removed),
        cmocka_unit_test(a_duplicate_is_removed),
        cmocka_unit_test(what_lies_on_the_background_is_removed),
        cmocka_unit_test(a_missed_object_is_no_longer_asked_for),
        cmocka_unit_test(a_box_comes_before_a_class),
        cmocka_unit_test(a_class_comes_before_a_duplicate),
        cmocka_unit_test(an_overlap_of_exactly_the_threshold_is_a_box),
        cmocka_unit_test(a_class_needs_no_more_than_the_threshold),
        cmocka_unit_test(an_overlap_of_exactly_the_background),
        cmocka_unit_test(the_best_score_repairs_an_object_whatever_its_kind),
        cmocka_unit_test(a_wrong_class_on_a_found_object_is_removed),
        cmocka_unit_test(an_ignored_detection_is_no_mistake_but_may_repair),
        cmocka_unit_test(difficult_objects_are_not_looked_at),
        cmocka_unit_test(an_object_with_the_id_0_is_missed_unless_corrected),
        cmocka_unit_test(of_objects_that_share_an_id_the_last_is_wanted_for_each),
        cmocka_unit_test(without_detections_everything_is_missed),
        cmocka_unit_test(missed_objects_beside_false_ones_alone_cost_nothing),
        cmocka_unit_test(perfect_detections_have_no_mistakes),
        cmocka_unit_test(without_objects_there_is_no_cost),
        cmocka_unit_test(mistakes_are_listed_by_kind_and_score),
        cmocka_unit_test(ilsvrc_has_the_threshold_of_the_object),
        cmocka_unit_test(another_threshold_and_another_background_can_be_asked_for),
        cmocka_unit_test(the_background_is_by_default_no_more_than_the_threshold),
        cmocka_unit_test(senseless_questions_are_refused),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(every_failing_allocation_is_reported),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
