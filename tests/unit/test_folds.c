/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "src/train/folds.h"
#include "tests/unit/support.h"
#include "tests/unit/support_eval.h"

#include <string.h>

enum { IMAGES = 60, FOLDS = 5 };

static void show(test_set *set, size_t image, size_t category)
{
    test_set_object(set, image, category, 0, 0, 10, 10);
}

static void split(const test_set *set, size_t fold_count, uint64_t seed, int *folds)
{
    det_error error = {0};
    memset(folds, 0xff, set->annotations.image_count * sizeof *folds);
    test_assert_ok(det_split_folds(&set->annotations, fold_count, seed, folds, &error), &error);
    for (size_t i = 0; i < set->annotations.image_count; i++)
        assert_true(folds[i] >= 0 && folds[i] < (int)fold_count);
}

/* How many pictures that show a class a fold has. */
static size_t count_class(const test_set *set, const int *folds, int fold, size_t category)
{
    size_t count = 0;
    for (size_t i = 0; i < set->annotations.image_count; i++) {
        const det_annotated_image *image = &set->images[i];
        bool shows = false;
        for (size_t j = 0; j < image->object_count; j++)
            shows = shows || set->objects[image->first_object + j].category == category;
        count += shows && folds[i] == fold;
    }
    return count;
}

static size_t count_images(const test_set *set, const int *folds, int fold)
{
    size_t count = 0;
    for (size_t i = 0; i < set->annotations.image_count; i++) count += folds[i] == fold;
    return count;
}

/* Every second picture shows class 0, every third class 1, the last five class 2, some several. */
static test_set *make_set(void)
{
    test_set *set = test_set_begin(DET_BOX_SIZED, IMAGES, 3);
    for (size_t i = 0; i < IMAGES; i++) {
        if (i % 2 == 0) show(set, i, 0);
        if (i % 3 == 0) show(set, i, 1);
        if (i >= IMAGES - FOLDS) show(set, i, 2);
    }
    return set;
}

static void every_class_is_spread_over_all_folds(void **state)
{
    (void)state;
    const test_set *set = make_set();
    int folds[IMAGES];
    for (uint64_t seed = 0; seed < 50; seed++) {
        split(set, FOLDS, seed, folds);
        for (int fold = 0; fold < FOLDS; fold++) {
            assert_int_equal(count_class(set, folds, fold, 2), 1);
            assert_in_range(count_class(set, folds, fold, 1), 3, 5); /* of 20 */
            assert_in_range(count_class(set, folds, fold, 0), 5, 7); /* of 30 */
            assert_in_range(count_images(set, folds, fold), 10, 14); /* of 60 */
        }
    }
}

/* Class 1 (two pictures) goes first: one each. Class 0 then has one in either, and its other two
 * pictures go one each. */
static void the_rarest_class_is_dealt_first(void **state)
{
    (void)state;
    test_set *set = test_set_begin(DET_BOX_SIZED, 4, 2);
    for (size_t i = 0; i < 4; i++) {
        show(set, i, 0);
        if (i < 2) show(set, i, 1);
    }
    int folds[4];
    for (uint64_t seed = 0; seed < 20; seed++) {
        split(set, 2, seed, folds);
        assert_int_not_equal(folds[0], folds[1]);
        assert_int_not_equal(folds[2], folds[3]);
    }
}

/* Five pictures of one class in two folds: three and two, wherever the third is. */
static void folds_of_one_class_differ_by_at_most_a_picture(void **state)
{
    (void)state;
    test_set *set = test_set_begin(DET_BOX_SIZED, 5, 1);
    for (size_t i = 0; i < 5; i++) show(set, i, 0);
    int folds[5];
    split(set, 2, 7, folds);
    assert_in_range(count_images(set, folds, 0), 2, 3);
}

/* Three pictures show class 0, three a crowd, a difficult and an ignored object, three nothing. */
static void pictures_without_objects_that_count_fill_up_the_folds(void **state)
{
    (void)state;
    test_set *set = test_set_begin(DET_BOX_SIZED, 9, 2);
    for (size_t i = 0; i < 3; i++) show(set, i, 0);
    for (size_t i = 3; i < 6; i++) {
        det_annotated_object *object = test_set_object(set, i, 1, 0, 0, 10, 10);
        object->crowd = i == 3;
        object->difficult = i == 4;
        object->ignore = i == 5;
    }
    int folds[9];
    split(set, 3, 1, folds);
    for (int fold = 0; fold < 3; fold++) {
        assert_int_equal(count_images(set, folds, fold), 3);
        assert_int_equal(count_class(set, folds, fold, 0), 1);
    }
}

/* Written down once: a change of these would be a change of everybody's folds. */
static void a_seed_gives_the_same_folds_for_ever(void **state)
{
    (void)state;
    const test_set *set = make_set();
    int folds[IMAGES], again[IMAGES], others[IMAGES];
    split(set, FOLDS, 1, folds);
    split(set, FOLDS, 1, again);
    split(set, FOLDS, 2, others);
    assert_memory_equal(folds, again, sizeof folds);
    assert_memory_not_equal(folds, others, sizeof folds);
    const int first[] = {3, 3, 3, 0, 0, 4, 4, 1, 0, 0, 1, 2};
    assert_memory_equal(folds, first, sizeof first);
}

static void there_may_be_fewer_pictures_than_folds_and_none(void **state)
{
    (void)state;
    test_set *set = test_set_begin(DET_BOX_SIZED, 2, 1);
    show(set, 1, 0);
    int folds[2];
    split(set, FOLDS, 0, folds);
    assert_int_not_equal(folds[0], folds[1]);
    split(set, 1, 0, folds);
    assert_int_equal(folds[0] + folds[1], 0);
    assert_int_equal(det_split_folds(&(det_annotations){0}, FOLDS, 0, NULL, NULL), DET_OK);
}

#ifdef DET_FAULT_INJECTION
static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    const test_set *set = make_set();
    int folds[IMAGES];
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        det_memory_fail_at(nth);
        const det_status status = det_split_folds(&set->annotations, FOLDS, 0, folds, NULL);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_class_is_spread_over_all_folds),
        cmocka_unit_test(the_rarest_class_is_dealt_first),
        cmocka_unit_test(folds_of_one_class_differ_by_at_most_a_picture),
        cmocka_unit_test(pictures_without_objects_that_count_fill_up_the_folds),
        cmocka_unit_test(a_seed_gives_the_same_folds_for_ever),
        cmocka_unit_test(there_may_be_fewer_pictures_than_folds_and_none),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(a_failing_allocation_is_reported),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
