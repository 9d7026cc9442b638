/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TESTS_SUPPORT_EVAL_H
#define DETECT_TESTS_SUPPORT_EVAL_H

#include "detect/eval.h"

/** A small set of annotations and results, made by hand. Boxes are of the form that it was begun
 *  with: annotations of COCO and sized results, or annotations of VOC and inclusive results. */
typedef struct test_set {
    det_annotated_image images[64];
    det_category categories[8];
    det_annotated_object objects[256];
    det_detected_object found[1024];
    det_annotations annotations;
    det_results results;
} test_set;

/** Begins a set of images with the ids 1, 2, ... and classes; valid until the next call. */
test_set *test_set_begin(det_box_form form, size_t images, size_t classes);
/** Adds an object: its id is 1, 2, ..., its area that of the box. Objects of an image must follow
 *  one another. @return it, to be changed. */
det_annotated_object *test_set_object(test_set *set, size_t image, size_t category, double a,
                                      double b, double c, double d);
void test_set_found(test_set *set, uint32_t image, double score, double a, double b, double c,
                    double d);

/** A set of one class in the form of COCO, or of VOC. */
test_set *test_coco_set(size_t images);
test_set *test_voc_set(size_t images);
/** An object of class 0 that is the first 10 x 10 pixels of a picture, and a detection of the same
 *  square. Otherwise as above. */
det_annotated_object *test_set_square(test_set *set, size_t image);
void test_set_found_square(test_set *set, uint32_t image, double score);
/** Exchanges the first two detections. */
void test_set_swap_found(test_set *set);

/** What a random set has. */
enum {
    TEST_RANDOM_IMAGES = 6,
    TEST_RANDOM_CLASSES = 2,
    TEST_RANDOM_OBJECTS = 40,
    TEST_RANDOM_DETECTIONS = 160
};
/** A set of sized boxes with ties of scores and overlaps, crowds, and objects with the id 0. */
test_set *test_set_random(uint64_t seed);

/** Evaluates, failing the test where that fails; free it. */
det_evaluation *test_evaluate(const test_set *set, const det_eval_options *options);
/** The same with the metric's defaults and its matches. */
det_evaluation *test_evaluate_kept(const test_set *set, det_metric metric);
/** mean.ap of a metric with its defaults. */
double test_ap(const test_set *set, det_metric metric);
/** Fails the test unless the values differ by at most 1e-12, or both are NaN. */
void test_assert_figure(double value, double expected);

#endif
