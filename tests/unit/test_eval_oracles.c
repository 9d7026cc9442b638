/* SPDX-License-Identifier: Apache-2.0 */
/* Figures that the official evaluations gave for the same files. */
#include "detect/eval.h"
#include "src/base/json_reader.h"
#include "tests/unit/support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static det_annotations *read_annotations(const char *path)
{
    det_annotations *annotations = NULL;
    det_error error = {0};
    test_assert_ok(det_annotations_read(path, NULL, &annotations, &error), &error);
    return annotations;
}

static det_results *read_results(const char *path, const det_annotations *annotations)
{
    det_results *results = NULL;
    det_error error = {0};
    test_assert_ok(det_results_read(path, annotations, NULL, &results, &error), &error);
    return results;
}

static det_evaluation *evaluate(const det_annotations *annotations, const det_results *results,
                                const det_eval_options *options)
{
    det_evaluation *evaluation = NULL;
    det_error error = {0};
    test_assert_ok(det_evaluate(annotations, results, options, NULL, &evaluation, &error), &error);
    return evaluation;
}

static json_object *read_expected(const char *name)
{
    json_object *expected = NULL;
    det_error error = {0};
    test_assert_ok(det_json_read(test_data(name), &expected, &error), &error);
    return expected;
}

static double number_in(json_object *object, const char *key)
{
    json_object *value = NULL;
    double number = NAN;
    assert_true(json_object_object_get_ex(object, key, &value));
    assert_true(det_json_number_of(value, &number));
    return number;
}

/* ---- Mistakes ---- */

/* Each false positive is one mistake, each object is found, missed, or meant by a mistake; no
 * repair makes it worse; without a mistake a repair changes nothing, so that AP is computed alike.
 */
static void check_mistakes(const det_evaluation *e)
{
    det_mistake_analysis *a = NULL;
    det_error error = {0};
    size_t wrong = 0, right = 0, unfound = 0;
    test_assert_ok(det_evaluation_mistakes(e, NULL, NULL, &a, &error), &error);
    for (size_t c = 0; c < e->class_count; c++) {
        const det_class_matches *m = &e->classes[c].matches;
        const det_mistake_figures *f = &a->classes[c];
        size_t class_wrong = 0;
        for (size_t i = 0; i < m->count; i++) {
            class_wrong += m->outcomes[i] == DET_FALSE_POSITIVE;
            right += m->outcomes[i] == DET_TRUE_POSITIVE;
        }
        wrong += class_wrong;
        unfound += f->false_negatives;
        assert_int_equal(f->false_positives, class_wrong);
        if (e->classes[c].objects > 0) assert_true(f->ap == e->classes[c].figures.ap_at[0]);
        for (int kind = DET_MISTAKE_BOX; kind < DET_MISTAKE_KINDS; kind++)
            if (f->count[kind] == 0 && e->classes[c].objects > 0) assert_true(f->cost[kind] == 0);
    }
    assert_int_equal(a->all.false_positives, wrong);
    assert_int_equal(a->first[DET_MISTAKE_MISSED], wrong);
    assert_int_equal(right + unfound, e->objects);
    assert_true(a->all.count[DET_MISTAKE_MISSED] <= unfound);
    assert_true(a->all.ap == e->mean.ap_at[0]);
    for (int kind = 0; kind < DET_MISTAKE_KINDS; kind++) assert_true(a->all.cost[kind] >= 0);
    assert_true(a->all.cost[DET_MISTAKE_MISSED] <= a->all.false_negatives_cost);
    det_mistake_analysis_free(a);
}

/* Every object that counts is in its row of the matrix, whatever the score. */
static void check_confusion(const det_evaluation *e)
{
    det_confusion *confusion = NULL;
    det_error error = {0};
    test_assert_ok(det_evaluation_confusion(e, NULL, NULL, &confusion, &error), &error);
    const size_t side = e->class_count + 1;
    for (size_t row = 0; row < e->class_count; row++) {
        size_t sum = 0;
        for (size_t column = 0; column < side; column++)
            sum += confusion->counts[row * side + column];
        assert_int_equal(sum, e->classes[row].objects);
    }
    assert_int_equal(confusion->counts[side * side - 1], 0);
    det_confusion_free(confusion);
}

/* ---- COCO ---- */

static void the_twelve_figures_of_coco_are_exact(void **state)
{
    (void)state;
    json_object *expected = read_expected("oracles/coco100/expected.json"), *stats = NULL;
    assert_true(json_object_object_get_ex(expected, "stats", &stats));
    det_annotations *annotations =
        read_annotations(test_data("oracles/coco100/instances_val2014_100.json"));
    det_results *results = read_results(
        test_data("oracles/coco100/instances_val2014_fakebbox100_results.json"), annotations);
    const det_eval_options options = {.keep_matches = true};
    det_evaluation *e = evaluate(annotations, results, &options);

    const struct {
        const char *key;
        double value;
    } figures[] = {
        {"AP", e->mean.ap},
        {"AP50", e->mean.ap_at[0]},
        {"AP75", e->mean.ap_at[5]},
        {"APs", e->mean.ap_size[DET_SIZE_SMALL]},
        {"APm", e->mean.ap_size[DET_SIZE_MEDIUM]},
        {"APl", e->mean.ap_size[DET_SIZE_LARGE]},
        {"AR1", e->mean.ar_max[0]},
        {"AR10", e->mean.ar_max[1]},
        {"AR100", e->mean.ar_max[2]},
        {"ARs", e->mean.ar_size[DET_SIZE_SMALL]},
        {"ARm", e->mean.ar_size[DET_SIZE_MEDIUM]},
        {"ARl", e->mean.ar_size[DET_SIZE_LARGE]},
    };
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        const double wanted = number_in(stats, figures[i].key);
        if (fabs(figures[i].value - wanted) > 1e-10)
            fail_msg("%s is %.17g, not %.17g", figures[i].key, figures[i].value, wanted);
    }
    check_mistakes(e);
    check_confusion(e);
    det_evaluation_free(e);
    det_results_free(results);
    det_annotations_free(annotations);
    json_object_put(expected);
}

/* ---- VOC ---- */

static void the_eleven_point_figures_of_voc2007_are_exact(void **state)
{
    (void)state;
    json_object *expected = read_expected("oracles/voc07/expected.json"), *classes = NULL;
    assert_true(json_object_object_get_ex(expected, "AP", &classes));
    test_unpack("oracles/voc07/annotations_test.tar.xz");
    test_unpack("oracles/voc07/detections_comp4_test.tar.xz");
    det_annotations *annotations = read_annotations(test_path("VOC2007"));
    det_results *results = read_results(test_path("results"), annotations);
    const det_eval_options options = {.metric = DET_METRIC_VOC07, .keep_matches = true};
    det_evaluation *e = evaluate(annotations, results, &options);

    assert_int_equal(e->class_count, 20);
    assert_int_equal(results->listed_count, results->object_count);
    for (size_t c = 0; c < e->class_count; c++) {
        const char *name = annotations->categories[c].name;
        const double wanted = number_in(classes, name), ap = e->classes[c].figures.ap;
        if (!(fabs(ap - wanted) <= 1e-12)) fail_msg("%s is %.17g, not %.17g", name, ap, wanted);
    }
    assert_true(fabs(e->mean.ap - number_in(expected, "mAP")) <= 1e-12);
    check_mistakes(e);
    check_confusion(e);
    det_evaluation_free(e);
    det_results_free(results);
    det_annotations_free(annotations);
    json_object_put(expected);
}

/* ---- A small set ---- */

/* Reads lines "object x y w h" or "object score x y w h" of seven files, the corners inclusive. */
static size_t read_toy(const char *folder, bool scored, size_t most, det_detected_object *objects)
{
    size_t count = 0;
    for (uint32_t image = 0; image < 7; image++) {
        char name[64];
        snprintf(name, sizeof name, "oracles/toy/%s/%05u.txt", folder, image + 1);
        FILE *file = fopen(test_data(name), "r");
        assert_non_null(file);
        double v[5];
        while (fscanf(file, scored ? "object %lf %lf %lf %lf %lf\n" : "object %lf %lf %lf %lf\n",
                      &v[0], &v[1], &v[2], &v[3], &v[4]) == (scored ? 5 : 4)) {
            assert_true(count < most);
            const double *box = scored ? v + 1 : v;
            objects[count++] = (det_detected_object){
                .image = image,
                .score = scored ? v[0] : 0,
                .box = {box[0], box[1], box[0] + box[2], box[1] + box[3]},
            };
        }
        fclose(file);
    }
    return count;
}

static void a_small_set_gives_its_known_figures_at_four_thresholds(void **state)
{
    (void)state;
    enum { objects = 15, detections = 24 };
    static const double ious[] = {.1, .3, .5, .75};
    static const char *const keys[] = {"0.1", "0.3", "0.5", "0.75"};
    det_detected_object truth[objects], found[detections];
    det_annotated_object annotated[objects] = {0};
    det_annotated_image images[7] = {0};
    const det_category category = {"object", 1};
    assert_int_equal(read_toy("gts", false, objects, truth), objects);
    assert_int_equal(read_toy("dets", true, detections, found), detections);
    for (size_t i = 0; i < objects; i++) {
        annotated[i].image = truth[i].image;
        memcpy(annotated[i].box, truth[i].box, sizeof truth[i].box);
    }
    const det_annotations annotations = {.format = DET_ANNOTATIONS_VOC,
                                         .images = images,
                                         .image_count = 7,
                                         .categories = &category,
                                         .category_count = 1,
                                         .objects = annotated,
                                         .object_count = objects};
    const det_results results = {
        .form = DET_BOX_INCLUSIVE, .objects = found, .object_count = detections};
    static const struct {
        det_metric metric;
        const char *key;
    } metrics[] = {{DET_METRIC_VOC07, "ap_11_point"}, {DET_METRIC_VOC10, "ap_area"}};
    json_object *expected = read_expected("oracles/toy/expected.json"), *wanted = NULL;
    for (size_t m = 0; m < 2; m++) {
        const det_eval_options options = {
            .metric = metrics[m].metric, .ious = ious, .iou_count = 4};
        det_evaluation *e = evaluate(&annotations, &results, &options);
        assert_true(json_object_object_get_ex(expected, metrics[m].key, &wanted));
        for (size_t t = 0; t < 4; t++)
            assert_true(fabs(e->mean.ap_at[t] - number_in(wanted, keys[t])) <= 1e-10);
        det_evaluation_free(e);
    }
    json_object_put(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_twelve_figures_of_coco_are_exact),
        cmocka_unit_test(the_eleven_point_figures_of_voc2007_are_exact),
        cmocka_unit_test(a_small_set_gives_its_known_figures_at_four_thresholds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
