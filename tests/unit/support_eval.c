/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/support_eval.h"

#include "src/base/random.h"
#include "tests/unit/support.h"

#include <math.h>

test_set *test_set_begin(det_box_form form, size_t images, size_t classes)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    static test_set set;
    set = (test_set){
        .annotations = {.format =
                            form == DET_BOX_SIZED ? DET_ANNOTATIONS_COCO : DET_ANNOTATIONS_VOC,
                        .images = set.images,
                        .image_count = images,
                        .categories = set.categories,
                        .category_count = classes,
                        .objects = set.objects},
        .results = {.form = form, .objects = set.found},
    };
    for (size_t i = 0; i < images; i++) set.images[i].id = (int64_t)i + 1;
    for (size_t c = 0; c < classes; c++)
        set.categories[c] = (det_category){names[c], (int64_t)c + 1};
    return &set;
}

det_annotated_object *test_set_object(test_set *set, size_t image, size_t category, double a,
                                      double b, double c, double d)
{
    if (set->images[image].object_count++ == 0)
        set->images[image].first_object = set->annotations.object_count;
    det_annotated_object *object = &set->objects[set->annotations.object_count++];
    *object = (det_annotated_object){.id = (int64_t)set->annotations.object_count,
                                     .image = image,
                                     .category = category,
                                     .box = {a, b, c, d},
                                     .area = c * d};
    return object;
}

void test_set_found(test_set *set, uint32_t image, double score, double a, double b, double c,
                    double d)
{
    set->found[set->results.object_count++] =
        (det_detected_object){.image = image, .score = score, .box = {a, b, c, d}};
}

test_set *test_coco_set(size_t images)
{
    return test_set_begin(DET_BOX_SIZED, images, 1);
}

test_set *test_voc_set(size_t images)
{
    return test_set_begin(DET_BOX_INCLUSIVE, images, 1);
}

/* Where the square begins: pixels are counted from 0 or from 1. */
static double square_begin(const test_set *set)
{
    return set->results.form == DET_BOX_SIZED ? 0 : 1;
}

det_annotated_object *test_set_square(test_set *set, size_t image)
{
    const double begin = square_begin(set);
    return test_set_object(set, image, 0, begin, begin, 10, 10);
}

void test_set_found_square(test_set *set, uint32_t image, double score)
{
    const double begin = square_begin(set);
    test_set_found(set, image, score, begin, begin, 10, 10);
}

void test_set_swap_found(test_set *set)
{
    const det_detected_object first = set->found[0];
    set->found[0] = set->found[1];
    set->found[1] = first;
}

/* Coordinates of few values, so that overlaps and scores tie. */
static double any(det_random *random, uint32_t below, double step)
{
    return det_random_below(random, below) * step;
}

test_set *test_set_random(uint64_t seed)
{
    enum { images = TEST_RANDOM_IMAGES, objects = TEST_RANDOM_OBJECTS };
    det_random random = det_random_create(seed, 0);
    test_set *set = test_set_begin(DET_BOX_SIZED, images, TEST_RANDOM_CLASSES);
    for (size_t i = 0; i < images; i++) set->images[i].id = (int64_t)((i * 5 + seed) % 7 + 1);
    for (size_t i = 0; i < objects; i++) {
        det_annotated_object *o = test_set_object(
            set, i * images / objects, det_random_below(&random, TEST_RANDOM_CLASSES),
            any(&random, 8, 16), any(&random, 8, 16), 16 + any(&random, 8, 16),
            16 + any(&random, 8, 16));
        o->crowd = det_random_below(&random, 10) == 0;
        o->id = det_random_below(&random, 12) == 0 ? 0 : o->id;
        o->area *= det_random_below(&random, 2) ? 1 : .5;
    }
    for (size_t i = 0; i < TEST_RANDOM_DETECTIONS; i++) {
        const det_annotated_object *o = &set->objects[det_random_below(&random, objects)];
        test_set_found(set, (uint32_t)o->image, any(&random, 10, .1),
                       o->box[0] + any(&random, 3, 4), o->box[1] + any(&random, 3, 4), o->box[2],
                       o->box[3] + any(&random, 3, 2));
        set->found[i].category = (uint32_t)(det_random_below(&random, 8) ? o->category : 0);
    }
    return set;
}

det_evaluation *test_evaluate(const test_set *set, const det_eval_options *options)
{
    det_evaluation *evaluation = NULL;
    det_error error = {0};
    test_assert_ok(
        det_evaluate(&set->annotations, &set->results, options, NULL, &evaluation, &error), &error);
    return evaluation;
}

det_evaluation *test_evaluate_kept(const test_set *set, det_metric metric)
{
    return test_evaluate(set, &(det_eval_options){.metric = metric, .keep_matches = true});
}

double test_ap(const test_set *set, det_metric metric)
{
    det_evaluation *evaluation = test_evaluate(set, &(det_eval_options){.metric = metric});
    const double ap = evaluation->mean.ap;
    det_evaluation_free(evaluation);
    return ap;
}

void test_assert_figure(double value, double expected)
{
    if (isnan(expected) ? !isnan(value) : !(fabs(value - expected) <= 1e-12))
        fail_msg("%.17g is not %.17g", value, expected);
}
