/* SPDX-License-Identifier: Apache-2.0 */
/* Recall, average recall and average best overlap of proposals.
 *
 * An object's best overlap b is its highest IoU with the first regions of its picture. Of n objects
 *   recall(t) = |{b >= t}| / n
 *   AR        = 2 * integral of recall(t) over t = .5 ... 1 = 2 / n * sum of max(b - .5, 0)
 *   ABO       = mean of b over the objects of a class, MABO = mean of ABO over the classes
 * (Hosang et al., PAMI 2016; Uijlings et al., IJCV 2013). The best overlaps of all objects are kept
 * and summed up at the end, in the order of the annotations, so that the order in which pictures
 * come does not show in the sums. */
#include "detect/eval.h"

#include "src/base/error.h"
#include "src/base/memory.h"

#include <math.h>

static const size_t default_budgets[] = {10, 100, 1000, SIZE_MAX};

struct det_recall {
    const det_annotations *annotations;
    size_t *budgets;
    uint64_t *boxes; /* of each budget, over all pictures */
    size_t budget_count;
    bool without_difficult;
    bool *measured; /* of each picture */
    double *best;   /* object x budget: best overlap */
};

double det_recall_threshold(size_t index)
{
    return (double)(50 + 5 * index) / 100;
}

/* ---- Overlap ---- */

static double area(const double c[4])
{
    return c[2] > c[0] && c[3] > c[1] ? (c[2] - c[0]) * (c[3] - c[1]) : 0;
}

static double overlap(const double object[4], const det_box *region)
{
    const double box[4] = {region->x0, region->y0, region->x1, region->y1};
    const double common[4] = {fmax(object[0], box[0]), fmax(object[1], box[1]),
                              fmin(object[2], box[2]), fmin(object[3], box[3])};
    const double both = area(common), region_area = area(box);
    if (!(both > 0 && region_area > 0)) return 0; /* NaN ends here, too */
    return both / (area(object) + region_area - both);
}

/* ---- Which objects count ---- */

typedef enum { counts, is_crowd, is_difficult, is_empty } standing;

static standing standing_of(const det_recall *recall, size_t object)
{
    const det_annotated_object *o = &recall->annotations->objects[object];
    double corners[4];
    det_annotations_corners(recall->annotations, object, corners);
    if (o->crowd || o->ignore) return is_crowd;
    if (recall->without_difficult && o->difficult) return is_difficult;
    return area(corners) > 0 ? counts : is_empty;
}

/* ---- Adding ---- */

static det_status check_budgets(const size_t *budgets, size_t count, det_error *error)
{
    if (count == 0) return det_fail(error, DET_ARGUMENT, "recall at no budget at all");
    for (size_t i = 0; i < count; i++)
        if (budgets[i] == 0 || (i > 0 && budgets[i] <= budgets[i - 1]))
            return det_fail(error, DET_ARGUMENT,
                            "budget %zu of %zu, %zu regions, does not ascend from above 0", i + 1,
                            count, budgets[i]);
    return DET_OK;
}

static bool allocate(det_recall *recall, const size_t *budgets)
{
    const size_t count = recall->budget_count, images = recall->annotations->image_count;
    size_t cells;
    if (!det_multiply_size(recall->annotations->object_count, count, &cells)) return false;
    recall->budgets = det_alloc_array(count, sizeof *recall->budgets);
    recall->boxes = det_alloc_zeroed(count, sizeof *recall->boxes);
    recall->measured = det_alloc_zeroed(images, sizeof *recall->measured);
    recall->best = det_alloc_zeroed(cells, sizeof *recall->best);
    if (!recall->budgets || !recall->boxes || !recall->measured || !recall->best) return false;
    for (size_t i = 0; i < count; i++) recall->budgets[i] = budgets[i];
    return true;
}

det_status det_recall_create(const det_annotations *annotations, const det_recall_options *options,
                             det_recall **recall, det_error *error)
{
    const bool given = options && options->budgets;
    const size_t *budgets = given ? options->budgets : default_budgets;
    const size_t count =
        given ? options->budget_count : sizeof default_budgets / sizeof *default_budgets;
    const det_status status = check_budgets(budgets, count, error);
    if (status < 0) return status;

    det_recall *made = det_alloc_zeroed(1, sizeof *made);
    if (!made) return det_fail_memory(error, "recall");
    made->annotations = annotations;
    made->budget_count = count;
    made->without_difficult = options && options->without_difficult;
    if (!allocate(made, budgets)) {
        det_recall_free(made);
        return det_fail_memory(error, "the best overlaps of objects");
    }
    *recall = made;
    return DET_OK;
}

void det_recall_free(det_recall *recall)
{
    if (!recall) return;
    det_free(recall->budgets);
    det_free(recall->boxes);
    det_free(recall->measured);
    det_free(recall->best);
    det_free(recall);
}

static void find_best(const det_recall *recall, size_t object, const det_region *regions,
                      size_t count)
{
    double corners[4], best = 0;
    size_t next = 0;
    det_annotations_corners(recall->annotations, object, corners);
    for (size_t b = 0; b < recall->budget_count; b++) {
        for (; next < count && next < recall->budgets[b]; next++)
            best = fmax(best, overlap(corners, &regions[next].box));
        recall->best[object * recall->budget_count + b] = best;
    }
}

det_status det_recall_add(det_recall *recall, size_t image, const det_region *regions, size_t count,
                          det_error *error)
{
    const det_annotations *annotations = recall->annotations;
    if (image >= annotations->image_count)
        return det_fail(error, DET_ARGUMENT, "picture %zu of annotations of %zu", image,
                        annotations->image_count);
    const det_annotated_image *picture = &annotations->images[image];
    if (recall->measured[image])
        return det_fail_at(error, DET_ARGUMENT, picture->file, NULL,
                           "this picture was measured already");
    recall->measured[image] = true;
    for (size_t i = 0; i < picture->object_count; i++)
        find_best(recall, picture->first_object + i, regions, count);
    for (size_t b = 0; b < recall->budget_count; b++)
        recall->boxes[b] += count < recall->budgets[b] ? count : recall->budgets[b];
    return DET_OK;
}

/* ---- The figures ---- */

/* A report that is being made; what the public view points to. */
typedef struct {
    det_recall_report seen; /* comes first: the view that the caller has */
    size_t *category_objects;
    det_recall_figures *figures;
    double *abo; /* budget x category */
} report_data;

void det_recall_report_free(det_recall_report *report)
{
    if (!report) return;
    report_data *data = (report_data *)report;
    det_free(data->category_objects);
    det_free(data->figures);
    det_free(data->abo);
    det_free(data);
}

static report_data *create_report(const det_recall *recall)
{
    const size_t categories = recall->annotations->category_count, budgets = recall->budget_count;
    size_t cells;
    report_data *data = det_alloc_zeroed(1, sizeof *data);
    if (!data) return NULL;
    data->category_objects = det_alloc_zeroed(categories, sizeof *data->category_objects);
    data->figures = det_alloc_zeroed(budgets, sizeof *data->figures);
    if (det_multiply_size(budgets, categories, &cells))
        data->abo = det_alloc_zeroed(cells, sizeof *data->abo);
    if (!data->category_objects || !data->figures || !data->abo) {
        det_recall_report_free(&data->seen);
        return NULL;
    }
    data->seen.category_count = categories;
    data->seen.category_objects = data->category_objects;
    data->seen.figures = data->figures;
    data->seen.budget_count = budgets;
    return data;
}

static void add_object(const det_recall *recall, size_t object, report_data *data)
{
    const size_t category = recall->annotations->objects[object].category;
    const double *best = &recall->best[object * recall->budget_count];
    data->seen.object_count++;
    data->category_objects[category]++;
    for (size_t b = 0; b < recall->budget_count; b++) {
        det_recall_figures *f = &data->figures[b];
        for (size_t t = 0; t < DET_RECALL_THRESHOLDS; t++)
            f->recall[t] += best[b] >= det_recall_threshold(t);
        f->average_recall += 2 * fmax(best[b] - .5, 0);
        data->abo[b * data->seen.category_count + category] += best[b];
    }
}

static void add_objects(const det_recall *recall, report_data *data)
{
    const det_annotations *annotations = recall->annotations;
    for (size_t i = 0; i < annotations->image_count; i++) {
        if (!recall->measured[i]) continue;
        const det_annotated_image *image = &annotations->images[i];
        data->seen.image_count++;
        for (size_t o = image->first_object; o < image->first_object + image->object_count; o++) {
            const standing s = standing_of(recall, o);
            data->seen.crowd_count += s == is_crowd;
            data->seen.difficult_count += s == is_difficult;
            data->seen.empty_count += s == is_empty;
            if (s == counts) add_object(recall, o, data);
        }
    }
}

/* The quotient, NaN where there is nothing to divide by. */
static double mean(double sum, size_t count)
{
    return count > 0 ? sum / (double)count : (double)NAN;
}

static void divide(const det_recall *recall, size_t budget, report_data *data)
{
    const size_t categories = data->seen.category_count, objects = data->seen.object_count;
    double *abo = &data->abo[budget * categories], sum = 0;
    size_t classes = 0;
    for (size_t c = 0; c < categories; c++) {
        abo[c] = mean(abo[c], data->category_objects[c]);
        if (data->category_objects[c] == 0) continue;
        sum += abo[c];
        classes++;
    }
    det_recall_figures *f = &data->figures[budget];
    for (size_t t = 0; t < DET_RECALL_THRESHOLDS; t++) f->recall[t] = mean(f->recall[t], objects);
    f->budget = recall->budgets[budget];
    f->boxes_per_image = mean((double)recall->boxes[budget], data->seen.image_count);
    f->average_recall = mean(f->average_recall, objects);
    f->mabo = mean(sum, classes);
    f->abo = abo;
}

det_status det_recall_finish(const det_recall *recall, det_recall_report **report, det_error *error)
{
    report_data *data = create_report(recall);
    if (!data) return det_fail_memory(error, "a report of recall");
    add_objects(recall, data);
    for (size_t b = 0; b < recall->budget_count; b++) divide(recall, b, data);
    *report = &data->seen;
    return DET_OK;
}
