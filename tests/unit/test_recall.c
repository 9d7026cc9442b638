/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/eval.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "tests/unit/support.h"

#include <math.h>
#include <string.h>

static const det_category categories[] = {{"cat", 1}, {"dog", 2}, {"emu", 3}};

/* Annotations of pictures that hold so many objects each, in their order. */
static det_annotations annotate(det_annotated_image *images, size_t image_count,
                                det_annotated_object *objects)
{
    size_t count = 0;
    for (size_t i = 0; i < image_count; i++) {
        images[i].file = "a.png";
        images[i].first_object = count;
        for (size_t o = 0; o < images[i].object_count; o++) objects[count++].image = i;
    }
    return (det_annotations){.format = DET_ANNOTATIONS_COCO,
                             .folder = "",
                             .images = images,
                             .image_count = image_count,
                             .categories = categories,
                             .category_count = 3,
                             .objects = objects,
                             .object_count = count};
}

static det_recall *begin(const det_annotations *annotations, const det_recall_options *options)
{
    det_recall *recall = NULL;
    det_error error;
    test_assert_ok(det_recall_create(annotations, options, &recall, &error), &error);
    return recall;
}

static void add(det_recall *recall, size_t image, const det_region *regions, size_t count)
{
    det_error error;
    test_assert_ok(det_recall_add(recall, image, regions, count, &error), &error);
}

/* The report of all that was added; frees the recall. */
static det_recall_report *end(det_recall *recall)
{
    det_recall_report *report = NULL;
    det_error error;
    test_assert_ok(det_recall_finish(recall, &report, &error), &error);
    det_recall_free(recall);
    return report;
}

static det_region region(float x0, float y0, float x1, float y1)
{
    return (det_region){.box = {x0, y0, x1, y1}};
}

static void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) < 1e-12)) fail_msg("%.17g is not %.17g", value, expected);
}

/* ---- Worked out by hand ---- */

static void thresholds_go_from_one_half_to_one_in_steps_of_a_twentieth(void **state)
{
    (void)state;
    static const double expected[] = {.5, .55, .6, .65, .7, .75, .8, .85, .9, .95, 1};
    for (size_t i = 0; i < DET_RECALL_THRESHOLDS; i++)
        assert_true(det_recall_threshold(i) == expected[i]);
}

/* A region of the object's first rows: IoU is the share of the rows, (50 + 5 t) / 100. */
static void an_overlap_equal_to_a_threshold_reaches_it(void **state)
{
    (void)state;
    for (size_t t = 0; t < DET_RECALL_THRESHOLDS; t++) {
        det_annotated_image image = {.object_count = 1};
        det_annotated_object object = {.box = {0, 0, 10, 10}};
        const det_annotations a = annotate(&image, 1, &object);
        const det_region r = region(0, 0, 10, 5 + (float)t / 2);
        det_recall *recall = begin(&a, NULL);
        add(recall, 0, &r, 1);
        det_recall_report *report = end(recall);
        for (size_t i = 0; i < DET_RECALL_THRESHOLDS; i++)
            assert_true(report->figures[0].recall[i] == (i <= t));
        assert_near(report->figures[0].average_recall, (double)t / 10);
        det_recall_report_free(report);
    }
}

/* Cats: IoU 1 and 50 / 100; dog: 20 / 100. Recall at .5 is 2/3, at .55 1/3; AR is 2 (.5 + 0 + 0) /
 * 3; ABO of cats .75, of dogs .2; of emus there is none, so MABO is (.75 + .2) / 2. */
static void average_best_overlap_is_of_a_class_and_recall_of_all_objects(void **state)
{
    (void)state;
    det_annotated_image images[] = {{.object_count = 2}, {.object_count = 1}};
    det_annotated_object objects[] = {
        {.box = {0, 0, 10, 10}, .category = 0},
        {.box = {100, 0, 10, 10}, .category = 0},
        {.box = {0, 0, 10, 10}, .category = 1},
    };
    const det_annotations a = annotate(images, 2, objects);
    const det_region first[] = {region(0, 0, 10, 10), region(100, 0, 110, 5)};
    const det_region second[] = {region(0, 0, 10, 2)};
    det_recall *recall = begin(&a, NULL);
    add(recall, 0, first, 2);
    add(recall, 1, second, 1);
    det_recall_report *report = end(recall);
    const det_recall_figures *f = &report->figures[3];
    assert_near(f->recall[0], 2. / 3);
    assert_near(f->recall[1], 1. / 3);
    assert_near(f->recall[10], 1. / 3);
    assert_near(f->average_recall, 1. / 3);
    assert_near(f->abo[0], .75);
    assert_near(f->abo[1], .2);
    assert_true(isnan(f->abo[2]));
    assert_near(f->mabo, .475);
    assert_near(f->boxes_per_image, 1.5);
    assert_int_equal(report->image_count, 2);
    assert_int_equal(report->object_count, 3);
    assert_int_equal(report->category_objects[0], 2);
    assert_int_equal(report->category_objects[2], 0);
    det_recall_report_free(report);
}

/* IoU 1/3 (50 of 150), then .8, then less again: the best so far counts. */
static void only_the_first_regions_count(void **state)
{
    (void)state;
    det_annotated_image image = {.object_count = 1};
    det_annotated_object object = {.box = {0, 0, 10, 10}};
    const det_annotations a = annotate(&image, 1, &object);
    const det_region regions[] = {region(0, 5, 10, 15), region(0, 0, 10, 8), region(0, 0, 1, 1)};
    const size_t budgets[] = {1, 2, 3, 100};
    det_recall *recall = begin(&a, &(det_recall_options){.budgets = budgets, .budget_count = 4});
    add(recall, 0, regions, 3);
    det_recall_report *report = end(recall);
    static const double best[] = {1. / 3, .8, .8, .8}, boxes[] = {1, 2, 3, 3};
    for (size_t b = 0; b < 4; b++) {
        assert_int_equal(report->figures[b].budget, budgets[b]);
        assert_near(report->figures[b].mabo, best[b]);
        assert_near(report->figures[b].boxes_per_image, boxes[b]);
    }
    assert_near(report->figures[0].average_recall, 0);
    assert_near(report->figures[1].average_recall, .6);
    det_recall_report_free(report);
}

/* Pixels 1 to 10 of VOC are 0 to 10, half-open. A quarter of 32 pixels relative to 128 wide. */
static void corners_are_those_of_the_format(void **state)
{
    (void)state;
    const struct {
        det_annotations_format format;
        double box[4];
        det_region same;
    } cases[] = {
        {DET_ANNOTATIONS_COCO, {2, 3, 10, 20}, region(2, 3, 12, 23)},
        {DET_ANNOTATIONS_VOC, {1, 1, 10, 10}, region(0, 0, 10, 10)},
        {DET_ANNOTATIONS_YOLO, {.5, .5, .25, .5}, region(48, 16, 80, 48)},
    };
    for (size_t i = 0; i < 3; i++) {
        det_annotated_image image = {.object_count = 1, .width = 128, .height = 64};
        det_annotated_object object = {0};
        memcpy(object.box, cases[i].box, sizeof object.box);
        det_annotations a = annotate(&image, 1, &object);
        a.format = cases[i].format;
        det_recall *recall = begin(&a, NULL);
        add(recall, 0, &cases[i].same, 1);
        det_recall_report *report = end(recall);
        assert_true(report->figures[0].recall[10] == 1);
        assert_near(report->figures[0].mabo, 1);
        det_recall_report_free(report);
    }
}

/* ---- What counts ---- */

static det_recall_report *standings(bool without_difficult)
{
    static det_annotated_image image;
    static det_annotated_object objects[5];
    image = (det_annotated_image){.object_count = 5};
    for (size_t i = 0; i < 5; i++) objects[i] = (det_annotated_object){.box = {0, 0, 10, 10}};
    objects[1].crowd = true;
    objects[2].ignore = true;
    objects[3].difficult = true;
    objects[4].box[2] = 0;
    const det_annotations a = annotate(&image, 1, objects);
    const det_region r = region(0, 0, 10, 10);
    det_recall *recall = begin(&a, &(det_recall_options){.without_difficult = without_difficult});
    add(recall, 0, &r, 1);
    return end(recall);
}

static void crowds_and_empty_boxes_are_left_out_and_difficult_objects_count(void **state)
{
    (void)state;
    det_recall_report *report = standings(false);
    assert_int_equal(report->object_count, 2);
    assert_int_equal(report->crowd_count, 2);
    assert_int_equal(report->difficult_count, 0);
    assert_int_equal(report->empty_count, 1);
    assert_near(report->figures[0].recall[0], 1);
    det_recall_report_free(report);
}

static void difficult_objects_are_left_out_on_request(void **state)
{
    (void)state;
    det_recall_report *report = standings(true);
    assert_int_equal(report->object_count, 1);
    assert_int_equal(report->crowd_count, 2);
    assert_int_equal(report->difficult_count, 1);
    assert_int_equal(report->empty_count, 1);
    det_recall_report_free(report);
}

static void without_objects_no_figure_exists_but_the_number_of_boxes(void **state)
{
    (void)state;
    det_annotated_image images[2] = {{0}};
    det_annotated_object none;
    const det_annotations a = annotate(images, 2, &none);
    const det_region r = region(0, 0, 1, 1);
    det_recall *recall = begin(&a, NULL);
    add(recall, 1, &r, 1);
    add(recall, 0, NULL, 0);
    det_recall_report *report = end(recall);
    const det_recall_figures *f = &report->figures[0];
    assert_true(isnan(f->recall[0]) && isnan(f->average_recall) && isnan(f->mabo));
    assert_near(f->boxes_per_image, .5);
    det_recall_report_free(report);
}

static void without_pictures_no_figure_exists(void **state)
{
    (void)state;
    det_annotated_image image = {.object_count = 1};
    det_annotated_object object = {.box = {0, 0, 10, 10}};
    const det_annotations a = annotate(&image, 1, &object);
    det_recall_report *report = end(begin(&a, NULL));
    assert_int_equal(report->image_count, 0);
    assert_int_equal(report->object_count, 0);
    assert_true(isnan(report->figures[3].boxes_per_image) && isnan(report->figures[3].mabo));
    det_recall_report_free(report);
}

/* ---- Random boxes ---- */

enum { SIDE = 24, PICTURES = 12, OBJECTS = 3, REGIONS = 40 };

typedef struct {
    det_annotated_image images[PICTURES];
    det_annotated_object objects[PICTURES * OBJECTS];
    det_region regions[PICTURES][REGIONS];
    det_annotations annotations;
} scene;

static void random_side(det_random *random, int *low, int *high)
{
    *low = (int)det_random_below(random, SIDE - 1);
    *high = *low + 1 + (int)det_random_below(random, (uint32_t)(SIDE - *low));
}

static void make_scene(scene *s, uint64_t seed)
{
    det_random random = det_random_create(seed, 0);
    int x0, y0, x1, y1;
    for (size_t i = 0; i < PICTURES; i++) s->images[i] = (det_annotated_image){.object_count = 3};
    for (size_t o = 0; o < PICTURES * OBJECTS; o++) {
        random_side(&random, &x0, &x1);
        random_side(&random, &y0, &y1);
        s->objects[o] = (det_annotated_object){.box = {x0, y0, x1 - x0, y1 - y0},
                                               .category = det_random_below(&random, 3)};
    }
    for (size_t r = 0; r < PICTURES * REGIONS; r++) {
        random_side(&random, &x0, &x1);
        random_side(&random, &y0, &y1);
        s->regions[r / REGIONS][r % REGIONS] = region((float)x0, (float)y0, (float)x1, (float)y1);
    }
    s->annotations = annotate(s->images, PICTURES, s->objects);
}

/* Every picture, the `step`th first (modulo their number). */
static det_recall_report *measure_scene(const scene *s, size_t step)
{
    const size_t budgets[] = {1, 5, 20, SIZE_MAX};
    det_recall *recall =
        begin(&s->annotations, &(det_recall_options){.budgets = budgets, .budget_count = 4});
    for (size_t i = 0; i < PICTURES; i++) {
        const size_t image = (1 + i) * step % (PICTURES + 1) - 1;
        add(recall, image, s->regions[image], REGIONS);
    }
    return end(recall);
}

/* IoU by counting pixels. */
static double counted_overlap(const double *box, const det_box *b)
{
    int both = 0, either = 0;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            const bool in_a =
                x >= box[0] && x < box[0] + box[2] && y >= box[1] && y < box[1] + box[3];
            const bool in_b =
                (float)x >= b->x0 && (float)x < b->x1 && (float)y >= b->y0 && (float)y < b->y1;
            both += in_a && in_b;
            either += in_a || in_b;
        }
    return (double)both / either;
}

static double counted_best(const scene *s, size_t object, size_t budget)
{
    double best = 0;
    for (size_t r = 0; r < REGIONS && r < budget; r++)
        best = fmax(best,
                    counted_overlap(s->objects[object].box, &s->regions[object / OBJECTS][r].box));
    return best;
}

static double counted_recall(const double *best, double threshold)
{
    int found = 0;
    for (size_t o = 0; o < PICTURES * OBJECTS; o++) found += best[o] >= threshold;
    return (double)found / (PICTURES * OBJECTS);
}

static void compare(const scene *s, const det_recall_figures *f)
{
    enum { STEPS = 2000 };
    double best[PICTURES * OBJECTS], integral = 0, sums[3] = {0}, counts[3] = {0};
    for (size_t o = 0; o < PICTURES * OBJECTS; o++) {
        best[o] = counted_best(s, o, f->budget);
        sums[s->objects[o].category] += best[o];
        counts[s->objects[o].category]++;
    }
    for (size_t t = 0; t < DET_RECALL_THRESHOLDS; t++)
        assert_near(f->recall[t], counted_recall(best, .5 + .05 * (double)t - 1e-9));
    for (int i = 0; i < STEPS; i++) integral += counted_recall(best, .5 + .5 * (i + .5) / STEPS);
    assert_true(fabs(f->average_recall - integral / STEPS) < 1. / STEPS);
    for (size_t c = 0; c < 3; c++) assert_near(f->abo[c], sums[c] / counts[c]);
    assert_near(f->mabo, (f->abo[0] + f->abo[1] + f->abo[2]) / 3);
}

static void random_boxes_agree_with_counting_pixels(void **state)
{
    (void)state;
    static scene s;
    for (uint64_t seed = 0; seed < 5; seed++) {
        make_scene(&s, seed);
        det_recall_report *report = measure_scene(&s, 1);
        for (size_t b = 0; b < report->budget_count; b++) compare(&s, &report->figures[b]);
        det_recall_report_free(report);
    }
}

static void recall_grows_with_the_regions_and_falls_with_the_threshold(void **state)
{
    (void)state;
    static scene s;
    make_scene(&s, 7);
    det_recall_report *report = measure_scene(&s, 1);
    for (size_t b = 0; b < report->budget_count; b++) {
        const det_recall_figures *f = &report->figures[b];
        for (size_t t = 1; t < DET_RECALL_THRESHOLDS; t++)
            assert_true(f->recall[t] <= f->recall[t - 1]);
        if (b == 0) continue;
        for (size_t t = 0; t < DET_RECALL_THRESHOLDS; t++)
            assert_true(f->recall[t] >= f[-1].recall[t]);
        assert_true(f->average_recall >= f[-1].average_recall && f->mabo > f[-1].mabo);
    }
    det_recall_report_free(report);
}

static void the_order_of_the_pictures_changes_no_bit(void **state)
{
    (void)state;
    static scene s;
    make_scene(&s, 3);
    det_recall_report *one = measure_scene(&s, 1), *other = measure_scene(&s, 5);
    for (size_t b = 0; b < one->budget_count; b++) {
        const det_recall_figures *f = &one->figures[b], *g = &other->figures[b];
        assert_memory_equal(f->recall, g->recall, sizeof f->recall);
        assert_memory_equal(&f->average_recall, &g->average_recall, sizeof(double));
        assert_memory_equal(&f->mabo, &g->mabo, sizeof(double));
        assert_memory_equal(&f->boxes_per_image, &g->boxes_per_image, sizeof(double));
        assert_memory_equal(f->abo, g->abo, 3 * sizeof(double));
    }
    det_recall_report_free(one);
    det_recall_report_free(other);
}

static void the_objects_themselves_are_found_and_none_without_regions(void **state)
{
    (void)state;
    static scene s;
    make_scene(&s, 4);
    for (size_t o = 0; o < PICTURES * OBJECTS; o++)
        s.regions[o / OBJECTS][o % OBJECTS].box = det_annotations_box(&s.annotations, o);
    det_recall_report *report = measure_scene(&s, 1);
    const det_recall_figures *all = &report->figures[3];
    assert_true(all->recall[10] == 1 && all->average_recall == 1 && all->mabo == 1);
    det_recall_report_free(report);

    det_recall *recall = begin(&s.annotations, NULL);
    for (size_t i = 0; i < PICTURES; i++) add(recall, i, NULL, 0);
    report = end(recall);
    const det_recall_figures *none = &report->figures[3];
    assert_true(none->recall[0] == 0 && none->average_recall == 0 && none->mabo == 0);
    assert_true(none->boxes_per_image == 0);
    det_recall_report_free(report);
}

static void regions_without_an_area_cover_nothing(void **state)
{
    (void)state;
    det_annotated_image image = {.object_count = 1};
    det_annotated_object object = {.box = {0, 0, 10, 10}};
    const det_annotations a = annotate(&image, 1, &object);
    const det_region regions[] = {region(5, 5, 5, 8), region(8, 8, 2, 2), region(-9, -9, 0, 0),
                                  region(NAN, 0, 10, NAN)};
    det_recall *recall = begin(&a, NULL);
    add(recall, 0, regions, 4);
    det_recall_report *report = end(recall);
    assert_true(report->figures[3].mabo == 0);
    det_recall_report_free(report);
}

/* ---- Real pictures, whose sizes are all that random boxes need ---- */

static void random_boxes_find_most_fruit(void **state)
{
    (void)state;
    det_annotations *annotations = NULL;
    det_error error;
    test_assert_ok(
        det_annotations_read(test_data("data/fruit/test.json"), NULL, &annotations, &error),
        &error);
    det_recall *recall = begin(annotations, NULL);
    for (size_t i = 0; i < annotations->image_count; i++) {
        const det_image size = {.width = annotations->images[i].width,
                                .height = annotations->images[i].height,
                                .pixels = (uint8_t[3]){0}};
        det_region *regions;
        size_t count;
        test_assert_ok(det_propose_uniform(&size, NULL, &regions, &count, &error), &error);
        add(recall, i, regions, count);
        det_regions_free(regions);
    }
    det_recall_report *report = end(recall);
    const det_recall_figures *f = report->figures;
    print_message("recall at IoU .5 of 10, 100, 1000 random boxes: %.3f %.3f %.3f\n",
                  f[0].recall[0], f[1].recall[0], f[2].recall[0]);
    assert_int_equal(report->object_count, 117);
    assert_true(f[0].recall[0] < .6 && f[2].recall[0] > .85);
    det_recall_report_free(report);
    det_annotations_free(annotations);
}

/* ---- Errors ---- */

static void budgets_ascend_from_above_0(void **state)
{
    (void)state;
    det_annotated_image image = {0};
    det_annotated_object none;
    const det_annotations a = annotate(&image, 1, &none);
    static const size_t wrong[][2] = {{0, 5}, {5, 5}, {6, 5}};
    for (size_t i = 0; i < 3; i++) {
        const det_recall_options options = {.budgets = wrong[i], .budget_count = 2};
        det_recall *recall = NULL;
        det_error error;
        test_assert_error(det_recall_create(&a, &options, &recall, &error), DET_ARGUMENT, &error,
                          "does not ascend");
        assert_null(recall);
    }
    det_recall *recall = NULL;
    det_error error;
    const det_recall_options no_budget = {.budgets = wrong[0]};
    test_assert_error(det_recall_create(&a, &no_budget, &recall, &error), DET_ARGUMENT, &error,
                      "no budget");
}

static void a_picture_is_added_once_and_must_be_there(void **state)
{
    (void)state;
    det_annotated_image image = {0};
    det_annotated_object none;
    const det_annotations a = annotate(&image, 1, &none);
    det_recall *recall = begin(&a, NULL);
    det_error error;
    test_assert_error(det_recall_add(recall, 1, NULL, 0, &error), DET_ARGUMENT, &error,
                      "picture 1 of annotations of 1");
    add(recall, 0, NULL, 0);
    test_assert_error(det_recall_add(recall, 0, NULL, 0, &error), DET_ARGUMENT, &error,
                      "measured already");
    assert_string_equal(error.file, "a.png");
    det_recall_free(recall);
}

static void nothing_can_be_freed(void **state)
{
    (void)state;
    det_recall_free(NULL);
    det_recall_report_free(NULL);
}

#ifdef DET_FAULT_INJECTION
static void every_allocation_may_fail(void **state)
{
    (void)state;
    static scene s;
    make_scene(&s, 1);
    bool failed = true;
    uint64_t nth = 0;
    while (failed) {
        det_recall *recall = NULL;
        det_recall_report *report = NULL;
        det_error error = {0};
        det_memory_fail_at(++nth);
        det_status status = det_recall_create(&s.annotations, NULL, &recall, &error);
        if (status == DET_OK) status = det_recall_add(recall, 0, s.regions[0], REGIONS, &error);
        if (status == DET_OK) status = det_recall_finish(recall, &report, &error);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        if (failed)
            test_assert_error(status, DET_MEMORY, &error, "out of memory");
        else
            test_assert_ok(status, &error);
        det_recall_free(recall);
        det_recall_report_free(report);
    }
    assert_true(nth > 8);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thresholds_go_from_one_half_to_one_in_steps_of_a_twentieth),
        cmocka_unit_test(an_overlap_equal_to_a_threshold_reaches_it),
        cmocka_unit_test(average_best_overlap_is_of_a_class_and_recall_of_all_objects),
        cmocka_unit_test(only_the_first_regions_count),
        cmocka_unit_test(corners_are_those_of_the_format),
        cmocka_unit_test(crowds_and_empty_boxes_are_left_out_and_difficult_objects_count),
        cmocka_unit_test(difficult_objects_are_left_out_on_request),
        cmocka_unit_test(without_objects_no_figure_exists_but_the_number_of_boxes),
        cmocka_unit_test(without_pictures_no_figure_exists),
        cmocka_unit_test(random_boxes_agree_with_counting_pixels),
        cmocka_unit_test(recall_grows_with_the_regions_and_falls_with_the_threshold),
        cmocka_unit_test(the_order_of_the_pictures_changes_no_bit),
        cmocka_unit_test(the_objects_themselves_are_found_and_none_without_regions),
        cmocka_unit_test(regions_without_an_area_cover_nothing),
        cmocka_unit_test(random_boxes_find_most_fruit),
        cmocka_unit_test(budgets_ascend_from_above_0),
        cmocka_unit_test(a_picture_is_added_once_and_must_be_there),
        cmocka_unit_test(nothing_can_be_freed),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(every_allocation_may_fail),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
