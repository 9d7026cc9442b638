/* SPDX-License-Identifier: Apache-2.0 */
/* A file that is converted, and back, gives the same figures. */
#include "detect/eval.h"
#include "src/base/json_reader.h"
#include "src/base/random.h"
#include "tests/unit/support.h"
#include "tests/unit/support_convert.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { IMAGES = 12, CLASSES = 4, OBJECTS = 60, FOUND = 400 };

/* Random annotations and results, which lie in the arrays. */
typedef struct random_set {
    char files[IMAGES][16];
    det_annotated_image images[IMAGES];
    det_category categories[CLASSES];
    det_annotated_object objects[OBJECTS];
    det_detected_object found[FOUND];
    det_annotations annotations;
    det_results results;
} random_set;

/* Eighths of pixels are exact in every format that has pixels. */
static double eighths(det_random *random, uint32_t below)
{
    return det_random_below(random, below * 8) / 8.;
}

static void make_box(det_random *random, det_box_form form, double box[4])
{
    const double x = eighths(random, 60), y = eighths(random, 40);
    const double width = 1 + eighths(random, 120), height = 1 + eighths(random, 80);
    const double sized[4] = {x, y, width, height},
                 inclusive[4] = {x + 1, y + 1, x + width, y + height};
    memcpy(box, form == DET_BOX_SIZED ? sized : inclusive, sizeof sized);
}

static void make_objects(random_set *set, det_random *random, det_box_form form)
{
    const bool coco = form == DET_BOX_SIZED;
    for (size_t i = 0; i < OBJECTS; i++) {
        det_annotated_object *o = &set->objects[i];
        *o = (det_annotated_object){.id = (int64_t)i + 1,
                                    .image = i * IMAGES / OBJECTS,
                                    .category = det_random_below(random, CLASSES)};
        make_box(random, form, o->box);
        o->area = coco ? o->box[2] * o->box[3] * (.5 + det_random_double(random))
                       : (o->box[2] - o->box[0] + 1) * (o->box[3] - o->box[1] + 1);
        const uint32_t mark = det_random_below(random, 8);
        o->crowd = coco && mark == 0;
        o->ignore = coco && mark == 1;
        o->difficult = !coco && mark < 2;
        o->truncated = !coco && mark % 2;
        o->occluded = !coco && mark > 5;
    }
}

/* Half of them lie where an object is, nearly; scores are few, so that many are equal. */
static void make_found(random_set *set, det_random *random, det_box_form form, uint32_t scores)
{
    for (size_t i = 0; i < FOUND; i++) {
        det_detected_object *d = &set->found[i];
        const det_annotated_object *o = &set->objects[det_random_below(random, OBJECTS)];
        d->image = (uint32_t)o->image;
        d->category = (uint32_t)o->category;
        d->score = det_random_below(random, scores) / (double)scores;
        make_box(random, form, d->box);
        if (i % 2) continue;
        for (size_t j = 0; j < 4; j++) d->box[j] = o->box[j] + (j < 2 ? 1 : 2) * eighths(random, 2);
    }
}

static void make_set(random_set *set, uint64_t seed, det_box_form form, uint32_t scores)
{
    static const char *const names[CLASSES] = {"bird", "cat", "dog", "zebra"};
    det_random random = det_random_create(seed, 1);
    *set = (random_set){
        .annotations = {.format =
                            form == DET_BOX_SIZED ? DET_ANNOTATIONS_COCO : DET_ANNOTATIONS_VOC,
                        .folder = "",
                        .images = set->images,
                        .image_count = IMAGES,
                        .categories = set->categories,
                        .category_count = CLASSES,
                        .objects = set->objects,
                        .object_count = OBJECTS},
        .results = {.format = form == DET_BOX_SIZED ? DET_RESULTS_COCO : DET_RESULTS_VOC,
                    .form = form,
                    .objects = set->found,
                    .object_count = FOUND}};
    for (size_t c = 0; c < CLASSES; c++)
        set->categories[c] = (det_category){names[c], (int64_t)c + 1};
    make_objects(set, &random, form);
    make_found(set, &random, form, scores);
    for (size_t i = 0; i < IMAGES; i++) {
        snprintf(set->files[i], sizeof set->files[i], "%06zu.jpg", i + 1);
        set->images[i] = (det_annotated_image){
            .file = set->files[i], .id = (int64_t)i + 1, .width = 200, .height = 150};
    }
    for (size_t i = 0; i < OBJECTS; i++) {
        det_annotated_image *image = &set->images[set->objects[i].image];
        if (image->object_count++ == 0) image->first_object = i;
    }
}

static const char *numbered(const char *format, uint64_t seed)
{
    char name[64];
    snprintf(name, sizeof name, format, (int)seed); /* NOLINT: written below */
    return test_path(name);
}

static det_evaluation *evaluate(const det_annotations *annotations, const det_results *results,
                                const det_eval_options *options)
{
    det_evaluation *evaluation = NULL;
    det_error error = {0};
    test_assert_ok(det_evaluate(annotations, results, options, NULL, &evaluation, &error), &error);
    return evaluation;
}

static void assert_same(double a, double b, double tolerance)
{
    if (isnan(a) ? !isnan(b) : !(fabs(a - b) <= tolerance)) fail_msg("%.17g is not %.17g", b, a);
}

/* Fails the test unless all figures of two evaluations are the same. */
static void assert_same_figures(const det_evaluation *a, const det_evaluation *b, double tolerance)
{
    assert_int_equal(a->class_count, b->class_count);
    assert_int_equal(a->objects, b->objects);
    assert_int_equal(a->ignored, b->ignored);
    assert_int_equal(a->detections, b->detections);
    for (size_t i = 0; i < a->max_detections_count; i++)
        assert_same(a->mean.ar_max[i], b->mean.ar_max[i], tolerance);
    for (size_t s = 0; s < DET_SIZE_COUNT; s++) {
        assert_same(a->mean.ap_size[s], b->mean.ap_size[s], tolerance);
        assert_same(a->mean.ar_size[s], b->mean.ar_size[s], tolerance);
    }
    for (size_t c = 0; c < a->class_count; c++)
        for (size_t t = 0; t < a->iou_count; t++)
            assert_same(a->classes[c].figures.ap_at[t], b->classes[c].figures.ap_at[t], tolerance);
}

/* The figures of a metric before and after. */
static void compare(const det_annotations *a, const det_results *r, const det_annotations *b,
                    const det_results *s, const det_eval_options *options, double tolerance)
{
    det_evaluation *before = evaluate(a, r, options), *after = evaluate(b, s, options);
    assert_same_figures(before, after, tolerance);
    det_evaluation_free(before);
    det_evaluation_free(after);
}

static const det_eval_options coco = {.metric = DET_METRIC_COCO},
                              corrected = {.metric = DET_METRIC_COCO, .corrected = true},
                              voc07 = {.metric = DET_METRIC_VOC07},
                              voc10 = {.metric = DET_METRIC_VOC10},
                              ilsvrc = {.metric = DET_METRIC_ILSVRC};

/* ---- Annotations ---- */

/* Every second set has ids that several objects share. */
static void coco_to_coco_keeps_every_figure(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        random_set set;
        make_set(&set, seed, DET_BOX_SIZED, 50);
        for (size_t i = 0; seed % 2 && i < OBJECTS; i += 3) set.objects[i].id = (int64_t)(i % 7);
        det_annotations *a =
            test_convert(&set.annotations, DET_ANNOTATIONS_COCO, numbered("c%d.json", seed));
        assert_int_equal(a->last_of_id != NULL, seed % 2);
        det_annotations *b = test_convert(a, DET_ANNOTATIONS_COCO, numbered("d%d.json", seed));
        compare(a, &set.results, b, &set.results, &coco, 0);
        compare(a, &set.results, b, &set.results, &corrected, 0);
        if (seed % 2 == 0) compare(&set.annotations, &set.results, b, &set.results, &coco, 0);
        det_annotations_free(b);
        det_annotations_free(a);
    }
}

static void voc_to_coco_and_back_keeps_every_figure(void **state)
{
    (void)state;
    const det_eval_options *const metrics[] = {&voc07, &voc10, &ilsvrc, &corrected};
    for (uint64_t seed = 0; seed < 10; seed++) {
        random_set set;
        make_set(&set, seed, DET_BOX_INCLUSIVE, 50);
        det_annotations *voc =
            test_convert(&set.annotations, DET_ANNOTATIONS_VOC, numbered("v%d", seed));
        det_annotations *as_coco =
            test_convert(voc, DET_ANNOTATIONS_COCO, numbered("v%d.json", seed));
        det_annotations *back = test_convert(as_coco, DET_ANNOTATIONS_VOC, numbered("w%d", seed));
        for (size_t m = 0; m < 4; m++) {
            compare(&set.annotations, &set.results, voc, &set.results, metrics[m], 0);
            compare(voc, &set.results, as_coco, &set.results, metrics[m], 0);
            compare(voc, &set.results, back, &set.results, metrics[m], 0);
        }
        for (size_t i = 0; i < OBJECTS; i++) {
            const det_annotated_object *o = &set.objects[i], *p = &back->objects[i];
            assert_memory_equal(p->box, o->box, sizeof o->box);
            assert_true(p->difficult == o->difficult && p->truncated == o->truncated &&
                        p->occluded == o->occluded && p->id == o->id);
        }
        compare(voc, &set.results, back, &set.results, &coco, 0);
        det_annotations_free(back);
        det_annotations_free(as_coco);
        det_annotations_free(voc);
    }
}

/* Pictures of these sizes lie there, or the shares would have no pixels. */
static void yolo_keeps_the_figures_of_what_it_holds(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 3; seed++) {
        random_set set;
        make_set(&set, seed, DET_BOX_SIZED, 1 << 20);
        set.annotations.folder = test_folder();
        for (size_t i = 0; i < IMAGES && seed == 0; i++)
            test_write_picture(test_path(set.files[i]), 200, 150);
        for (size_t i = 0; i < OBJECTS; i++) {
            det_annotated_object *o = &set.objects[i];
            o->crowd = o->ignore = false;
            o->box[0] += .001; /* no overlap is a threshold exactly */
            o->area = o->box[2] * o->box[3];
        }
        det_annotations *yolo =
            test_convert(&set.annotations, DET_ANNOTATIONS_YOLO, numbered("y%d", seed));
        det_annotations *back =
            test_convert(yolo, DET_ANNOTATIONS_COCO, numbered("y%d.json", seed));
        det_annotations *voc = test_convert(yolo, DET_ANNOTATIONS_VOC, numbered("yv%d", seed));
        compare(&set.annotations, &set.results, yolo, &set.results, &coco, 0);
        compare(yolo, &set.results, back, &set.results, &coco, 0);
        compare(yolo, &set.results, voc, &set.results, &voc10, 0);
        det_annotations_free(voc);
        det_annotations_free(back);
        det_annotations_free(yolo);
    }
}

/* ---- Results ---- */

/* Scores that are equal on different pictures keep their order in COCO results and VOC's files. */
static void results_in_every_format_keep_every_figure(void **state)
{
    (void)state;
    static const char *const names[] = {"r%d.json", "r%d.json", "r%d.jsonl", "r%d"};
    for (uint64_t seed = 0; seed < 10; seed++) {
        random_set set;
        make_set(&set, seed, seed % 2 ? DET_BOX_SIZED : DET_BOX_INCLUSIVE, 50);
        det_annotations *a = test_convert(&set.annotations, set.annotations.format,
                                          numbered(seed % 2 ? "ra%d.json" : "ra%d", seed));
        for (int f = 0; f < 4; f++) {
            char name[32];
            snprintf(name, sizeof name, "%d-%d-%s", (int)seed, f, names[f]);
            const bool ordered = f == DET_RESULTS_COCO || f == DET_RESULTS_VOC;
            det_results *r =
                test_convert_results(&set.results, a, (det_results_format)f, test_path(name));
            compare(a, &set.results, a, r, &coco, 0);
            compare(a, &set.results, a, r, &ilsvrc, 0);
            if (ordered) compare(a, &set.results, a, r, &voc07, 0);
            det_results_free(r);
        }
        det_annotations_free(a);
    }
}

/* ---- The official files ---- */

static void the_figures_of_coco_stay_through_our_json(void **state)
{
    (void)state;
    det_annotations *a =
        test_read_annotations(test_data("oracles/coco100/instances_val2014_100.json"));
    det_results *r = test_read_results(
        test_data("oracles/coco100/instances_val2014_fakebbox100_results.json"), a);
    det_annotations *b = test_convert(a, DET_ANNOTATIONS_COCO, test_path("coco100.json"));
    det_results *own = test_convert_results(r, a, DET_RESULTS_JSON, test_path("own.json"));
    det_results *back = test_convert_results(own, b, DET_RESULTS_COCO, test_path("back.json"));
    assert_int_equal(back->object_count, r->object_count);
    compare(a, r, b, back, &coco, 0);
    det_results_free(back);
    det_results_free(own);
    det_results_free(r);
    det_annotations_free(b);
    det_annotations_free(a);
}

static void the_figures_of_voc2007_stay_through_coco_and_our_json(void **state)
{
    (void)state;
    json_object *expected = NULL, *classes = NULL, *value = NULL;
    det_error error = {0};
    test_assert_ok(det_json_read(test_data("oracles/voc07/expected.json"), &expected, &error),
                   &error);
    assert_true(json_object_object_get_ex(expected, "AP", &classes));
    test_unpack("oracles/voc07/annotations_test.tar.xz");
    test_unpack("oracles/voc07/detections_comp4_test.tar.xz");
    det_annotations *voc = test_read_annotations(test_path("VOC2007"));
    det_annotations *as_coco = test_convert(voc, DET_ANNOTATIONS_COCO, test_path("voc07.json"));
    det_annotations *back = test_convert(as_coco, DET_ANNOTATIONS_VOC, test_path("voc07"));
    det_results *r = test_read_results(test_path("results"), voc);
    det_results *own =
        test_convert_results(r, as_coco, DET_RESULTS_JSON, test_path("voc07-r.json"));
    det_results *comp4 = test_convert_results(own, back, DET_RESULTS_VOC, test_path("voc07-r"));
    assert_int_equal(comp4->object_count, r->object_count);
    det_evaluation *e = evaluate(back, comp4, &voc07);
    assert_int_equal(e->class_count, 20);
    for (size_t c = 0; c < e->class_count; c++) {
        double wanted = NAN;
        assert_true(json_object_object_get_ex(classes, back->categories[c].name, &value));
        assert_true(det_json_number_of(value, &wanted));
        assert_same(wanted, e->classes[c].figures.ap, 1e-12);
    }
    det_evaluation_free(e);
    det_results_free(comp4);
    det_results_free(own);
    det_results_free(r);
    det_annotations_free(back);
    det_annotations_free(as_coco);
    det_annotations_free(voc);
    json_object_put(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coco_to_coco_keeps_every_figure),
        cmocka_unit_test(voc_to_coco_and_back_keeps_every_figure),
        cmocka_unit_test(yolo_keeps_the_figures_of_what_it_holds),
        cmocka_unit_test(results_in_every_format_keep_every_figure),
        cmocka_unit_test(the_figures_of_coco_stay_through_our_json),
        cmocka_unit_test(the_figures_of_voc2007_stay_through_coco_and_our_json),
    };
    return cmocka_run_group_tests_name("convert_figures", tests, NULL, NULL);
}
