/* SPDX-License-Identifier: Apache-2.0 */
/* Which labels are doubted, how much, and that the worst come first. */
#include "src/train/suspicions.h"

#include "src/base/memory.h"
#include "src/base/random.h"
#include "tests/unit/support.h"
#include "tests/unit/support_eval.h"

#include <math.h>

static det_held_out_objects found_in(test_set *set)
{
    return (det_held_out_objects){set->found, set->results.object_count};
}

static det_suspicions suspicions_of(test_set *set, size_t most)
{
    const det_held_out_objects found = found_in(set);
    det_suspicions list;
    det_error error = {0};
    test_assert_ok(det_find_suspicions(&set->annotations, &found, most, &list, &error), &error);
    return list;
}

/* A detection of a class in the first picture. */
static void find(test_set *set, uint32_t category, double score, double x, double y, double side)
{
    test_set_found(set, 0, score, x, y, side, side);
    set->found[set->results.object_count - 1].category = category;
}

static void assert_none(test_set *set)
{
    det_suspicions list = suspicions_of(set, 20);
    assert_int_equal(list.count, 0);
    det_suspicions_free(&list);
}

/* The only suspicion. */
static det_suspicions one_of(test_set *set, det_suspicion_kind kind, size_t object, double doubt,
                             const char *why)
{
    det_suspicions list = suspicions_of(set, 20);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].kind, kind);
    assert_true(list.items[0].object == object);
    assert_float_equal(list.items[0].doubt, doubt, 1e-9);
    assert_string_equal(list.items[0].why, why);
    return list;
}

/* ---- Kinds ---- */

/* A picture with a 40 x 40 square of class a at (0, 0). */
static test_set *square_set(void)
{
    test_set *set = test_set_begin(DET_BOX_SIZED, 1, 2);
    test_set_object(set, 0, 0, 0, 0, 40, 40);
    return set;
}

static void what_is_found_where_no_label_is_is_missed(void **state)
{
    (void)state;
    test_set *set = square_set();
    find(set, 0, .9, 0, 0, 40);
    find(set, 1, .8, 60, 60, 30);
    det_suspicions list =
        one_of(set, DET_SUSPICION_MISSED, SIZE_MAX, .8, "b is found here (0.80) and has no label");
    assert_int_equal(list.items[0].image, 0);
    assert_int_equal(list.items[0].category, 1);
    assert_memory_equal(&list.items[0].box, (&(det_box){60, 60, 90, 90}), sizeof(det_box));
    det_suspicions_free(&list);
}

/* 40 x 40 and 40 x 40 moved by 36: 4 * 40 / (2 * 1600 - 160) = .0526; moved by 30: 400 / 2800. */
static void a_missed_object_overlaps_no_label_by_a_tenth(void **state)
{
    (void)state;
    test_set *set = square_set();
    find(set, 1, .8, 36, 0, 40);
    det_suspicions list = one_of(set, DET_SUSPICION_MISSED, SIZE_MAX, .8 * (1 - 160. / 3040),
                                 "b is found here (0.80) and has no label");
    det_suspicions_free(&list);
    set = square_set();
    find(set, 1, .8, 30, 0, 40);
    assert_none(set);
}

/* The object of class a is found as b with .9, as a with .2. */
static void what_is_found_as_another_class_has_the_wrong_class(void **state)
{
    (void)state;
    test_set *set = square_set();
    find(set, 1, .9, 0, 0, 40);
    find(set, 0, .2, 0, 0, 40);
    det_suspicions list =
        one_of(set, DET_SUSPICION_CLASS, 0, .81 / 1.1, "labelled a, found as b (0.90)");
    assert_int_equal(list.items[0].category, 1);
    assert_float_equal(list.items[0].overlap, 1, 0);
    det_suspicions_free(&list);
}

/* One label is of class b, in the place of another: the detection of b speaks against none. */
static void a_detection_that_a_label_explains_speaks_against_no_other(void **state)
{
    (void)state;
    test_set *set = square_set();
    test_set_object(set, 0, 1, 4, 0, 40, 40);
    find(set, 1, .9, 0, 0, 40);
    assert_none(set);
}

/* 20 x 40 of 40 x 40 moved by 20: 800 / 2400 = 1/3. */
static void what_is_found_beside_its_label_has_a_loose_box(void **state)
{
    (void)state;
    test_set *set = square_set();
    find(set, 0, .9, 20, 0, 40);
    det_suspicions list =
        one_of(set, DET_SUSPICION_BOX, 0, .9 * 2 / 3,
               "a is found elsewhere (0.90): its box and the label's have an IoU of 0.33");
    det_suspicions_free(&list);
    find(set, 0, .6, 0, 0, 40);
    list = one_of(set, DET_SUSPICION_BOX, 0, .9 * .4 * 2 / 3,
                  "a is found elsewhere (0.90): its box and the label's have an IoU of 0.33");
    det_suspicions_free(&list);
}

/* 15 x 40 of 40 x 40 moved by 25: 600 / 2600 = .231. */
static void what_is_found_farther_from_a_label_of_its_class_is_a_neighbour(void **state)
{
    (void)state;
    test_set *set = square_set();
    find(set, 0, .9, 25, 0, 40);
    assert_none(set);
}

/* 38 of 40 columns are common: .95. Of different classes: 36 of 40: .9; 35: .875. */
static void labels_of_one_object_are_duplicates(void **state)
{
    (void)state;
    test_set *set = square_set();
    test_set_object(set, 0, 0, 0, 0, 38, 40);
    det_suspicions list = one_of(set, DET_SUSPICION_DUPLICATE, 1, .95,
                                 "labelled twice, a and a: their boxes have an IoU of 0.95");
    assert_int_equal(list.items[0].other, 0);
    assert_true(isnan(list.items[0].score));
    det_suspicions_free(&list);
    set = square_set();
    test_set_object(set, 0, 1, 0, 0, 37, 40);
    list = one_of(set, DET_SUSPICION_DUPLICATE, 1, .925,
                  "labelled twice, a and b: their boxes have an IoU of 0.93");
    det_suspicions_free(&list);
    set = square_set();
    test_set_object(set, 0, 1, 0, 0, 35, 40);
    assert_none(set);
    set = square_set();
    test_set_object(set, 0, 0, 0, 0, 31, 40);
    assert_none(set);
}

/* ---- What does not count ---- */

static void a_detection_that_is_not_confident_says_nothing(void **state)
{
    (void)state;
    test_set *set = square_set();
    find(set, 1, .49, 60, 60, 30);
    find(set, 1, .49, 0, 0, 40);
    find(set, 0, .49, 20, 0, 40);
    assert_none(set);
}

/* 10 x 10 by half in a crowd of 40 x 40; 12 x 12 at the edge of an ignored square of that size
 * overlaps it by nearly nothing. */
static void what_lies_in_a_crowd_or_on_a_marked_object_says_nothing(void **state)
{
    (void)state;
    test_set *set = square_set();
    set->objects[0].crowd = true;
    find(set, 1, .9, 35, 0, 10);
    assert_none(set);
    set->objects[0].crowd = false;
    set->objects[0].difficult = true;
    find(set, 1, .9, 0, 0, 40);
    set->results.object_count = 1;
    set->found[0] = set->found[1];
    assert_none(set);
    find(set, 1, .7, 39, 0, 40);
    det_suspicions list = suspicions_of(set, 20);
    assert_int_equal(list.count, 1);
    det_suspicions_free(&list);
}

static void marked_labels_are_no_duplicates(void **state)
{
    (void)state;
    test_set *set = square_set();
    test_set_object(set, 0, 0, 0, 0, 40, 40)->crowd = true;
    test_set_object(set, 0, 0, 0, 0, 40, 40)->ignore = true;
    assert_none(set);
}

static void without_labels_and_detections_there_is_no_suspicion(void **state)
{
    (void)state;
    assert_none(test_set_begin(DET_BOX_SIZED, 2, 1));
}

/* ---- Ranking ---- */

/* A missed object of .9; a wrong class of .95 with .5 for its own; a duplicate of 1. */
static void kinds_are_ranked_together(void **state)
{
    (void)state;
    test_set *set = square_set();
    test_set_object(set, 0, 1, 100, 0, 40, 40);
    test_set_object(set, 0, 1, 100, 0, 40, 40);
    find(set, 1, .95, 0, 0, 40);
    find(set, 0, .5, 0, 0, 40);
    find(set, 0, .9, 60, 60, 30);
    det_suspicions list = suspicions_of(set, 20);
    assert_int_equal(list.count, 3);
    assert_int_equal(list.items[0].kind, DET_SUSPICION_DUPLICATE);
    assert_int_equal(list.items[1].kind, DET_SUSPICION_MISSED);
    assert_int_equal(list.items[2].kind, DET_SUSPICION_CLASS);
    test_assert_figure(list.items[2].doubt, .95 * .95 / 1.45);
    det_suspicions_free(&list);
    list = suspicions_of(set, 2);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.items[1].kind, DET_SUSPICION_MISSED);
    det_suspicions_free(&list);
}

/* Two classes found in one place, and a label that is a duplicate of the wrong class. */
static void of_suspicions_of_one_place_the_most_doubtful_stays(void **state)
{
    (void)state;
    test_set *set = square_set();
    find(set, 0, .6, 60, 60, 30);
    find(set, 1, .8, 62, 60, 30);
    det_suspicions list =
        one_of(set, DET_SUSPICION_MISSED, SIZE_MAX, .8, "b is found here (0.80) and has no label");
    det_suspicions_free(&list);
    set = square_set();
    test_set_object(set, 0, 0, 0, 0, 40, 40);
    find(set, 1, .9, 0, 0, 40);
    list = one_of(set, DET_SUSPICION_DUPLICATE, 1, 1,
                  "labelled twice, a and a: their boxes have an IoU of 1.00");
    det_suspicions_free(&list);
}

static void equal_doubts_are_in_the_order_of_the_annotations(void **state)
{
    (void)state;
    test_set *set = test_set_begin(DET_BOX_SIZED, 3, 1);
    for (uint32_t i = 0; i < 3; i++) test_set_found(set, i, .7, 0, 0, 40, 40);
    test_set_found(set, 2, .7, 50, 0, 40, 40);
    det_suspicions list = suspicions_of(set, 3);
    assert_int_equal(list.count, 3);
    for (size_t i = 0; i < 3; i++) assert_int_equal(list.items[i].image, i);
    det_suspicions_free(&list);
}

/* ---- Labels spoilt on purpose ---- */

enum { PICTURES = 40, CELLS = 4, CELL = 100 };

/* In each picture a few objects in cells of their own, each found well (score .7 to 1, box within
 * 5 %), with weak detections beside them. */
static test_set *sound_set(det_random *random)
{
    test_set *set = test_set_begin(DET_BOX_SIZED, PICTURES, 3);
    for (uint32_t i = 0; i < PICTURES; i++)
        for (int cell = 0; cell < CELLS; cell++) {
            if (det_random_double(random) < .3) continue;
            const double x = CELL * cell + 10 * det_random_double(random), y = 5;
            const double side = 40 + 40 * det_random_double(random);
            const uint32_t category = (uint32_t)(3 * det_random_double(random));
            const double off = side * .05 * det_random_double(random);
            test_set_object(set, i, category, x, y, side, side);
            test_set_found(set, i, .7 + .3 * det_random_double(random), x + off, y, side, side);
            set->found[set->results.object_count - 1].category = category;
            test_set_found(set, i, .4 * det_random_double(random), x, y + 100, side, side);
        }
    return set;
}

static void spoil(test_set *set, det_suspicion_kind kind, size_t object)
{
    det_annotated_object *o = &set->objects[object];
    switch (kind) {
    case DET_SUSPICION_MISSED: /* its label is on the other side of the picture */
        o->box[1] += 10 * CELL;
        break;
    case DET_SUSPICION_CLASS:
        o->category = (o->category + 1) % 3;
        break;
    case DET_SUSPICION_BOX:
        o->box[2] *= .5;
        o->box[3] *= .8;
        break;
    default: { /* the label of another object of the picture is put onto this one */
        const det_annotated_image *image = &set->images[o->image];
        const size_t first = image->first_object;
        const size_t next = first + (object - first + 1) % image->object_count;
        for (int k = 0; k < 4; k++) set->objects[next].box[k] = o->box[k];
        set->objects[next].category = o->category;
    }
    }
}

static void no_label_of_a_sound_set_is_doubted(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        det_random random = det_random_create(seed, 0);
        assert_none(sound_set(&random));
    }
}

/* Whatever label of whatever set is spoilt in whatever way, it comes out, and but for what goes
 * with it (the object whose label was taken away) nothing else does. */
static void a_label_that_is_spoilt_is_found(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 80; seed++) {
        det_random random = det_random_create(seed, 0);
        const det_suspicion_kind kind = (det_suspicion_kind)(seed % DET_SUSPICION_KINDS);
        test_set *set = sound_set(&random);
        size_t object;
        do {
            object = (size_t)(det_random_double(&random) * (double)set->annotations.object_count);
        } while (set->images[set->objects[object].image].object_count < 2);
        const size_t image = set->objects[object].image;
        spoil(set, kind, object);
        det_suspicions list = suspicions_of(set, 20);
        bool there = false;
        for (size_t i = 0; i < list.count; i++) {
            const det_suspicion *s = &list.items[i];
            assert_int_equal(s->image, image);
            assert_true(s->doubt > .3 && s->doubt <= 1);
            there |= s->kind == kind;
        }
        assert_true(there);
        assert_in_range(list.count, 1, kind == DET_SUSPICION_DUPLICATE ? 2 : 1);
        det_suspicions_free(&list);
    }
}

/* ---- Memory ---- */

#ifdef DET_FAULT_INJECTION
static void memory_that_is_short_is_told_and_nothing_is_lost(void **state)
{
    (void)state;
    test_set *set = square_set();
    test_set_object(set, 0, 0, 0, 0, 40, 40);
    find(set, 1, .9, 60, 60, 30);
    const det_held_out_objects found = found_in(set);
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        det_suspicions list;
        det_error error = {0};
        det_memory_fail_at(nth);
        const det_status status = det_find_suspicions(&set->annotations, &found, 20, &list, &error);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        det_suspicions_free(&list);
    }
}
#endif

static void every_kind_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(det_suspicion_kind_name(DET_SUSPICION_MISSED), "missed box");
    assert_string_equal(det_suspicion_kind_name(DET_SUSPICION_CLASS), "wrong class");
    assert_string_equal(det_suspicion_kind_name(DET_SUSPICION_BOX), "loose box");
    assert_string_equal(det_suspicion_kind_name(DET_SUSPICION_DUPLICATE), "duplicate");
    assert_string_equal(det_suspicion_kind_name(DET_SUSPICION_KINDS), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_found_where_no_label_is_is_missed),
        cmocka_unit_test(a_missed_object_overlaps_no_label_by_a_tenth),
        cmocka_unit_test(what_is_found_as_another_class_has_the_wrong_class),
        cmocka_unit_test(a_detection_that_a_label_explains_speaks_against_no_other),
        cmocka_unit_test(what_is_found_beside_its_label_has_a_loose_box),
        cmocka_unit_test(what_is_found_farther_from_a_label_of_its_class_is_a_neighbour),
        cmocka_unit_test(labels_of_one_object_are_duplicates),
        cmocka_unit_test(a_detection_that_is_not_confident_says_nothing),
        cmocka_unit_test(what_lies_in_a_crowd_or_on_a_marked_object_says_nothing),
        cmocka_unit_test(marked_labels_are_no_duplicates),
        cmocka_unit_test(without_labels_and_detections_there_is_no_suspicion),
        cmocka_unit_test(kinds_are_ranked_together),
        cmocka_unit_test(of_suspicions_of_one_place_the_most_doubtful_stays),
        cmocka_unit_test(equal_doubts_are_in_the_order_of_the_annotations),
        cmocka_unit_test(no_label_of_a_sound_set_is_doubted),
        cmocka_unit_test(a_label_that_is_spoilt_is_found),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(memory_that_is_short_is_told_and_nothing_is_lost),
#endif
        cmocka_unit_test(every_kind_has_a_name),
    };
    return cmocka_run_group_tests_name("suspicions", tests, NULL, NULL);
}
