/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/box_fit.h"

#include "src/base/memory.h"
#include "src/base/run.h"
#include "src/detector/box_deltas.h"
#include "src/train/ridge.h"

#include <string.h>

enum { MOST = 4000 };
static const double norm = 20;

/* The examples of a class. */
typedef struct {
    const det_fit_examples *from;
    det_row *rows;  /* count */
    float *targets; /* count x DET_BOX_DELTAS */
    bool *seen;     /* heads x count */
    size_t count;
    float *weights, *biases; /* heads x DET_BOX_DELTAS x width; heads x DET_BOX_DELTAS */
} box_fit;

static void release(box_fit *f)
{
    det_free(f->rows);
    det_free(f->targets);
    det_free(f->seen);
    det_free(f->weights);
    det_free(f->biases);
}

static bool allocate(box_fit *f, size_t count)
{
    const size_t heads = f->from->head_count, functions = heads * DET_BOX_DELTAS;
    f->rows = det_alloc_array(count, sizeof *f->rows);
    f->targets = det_alloc_array(count, DET_BOX_DELTAS * sizeof *f->targets);
    f->seen = det_alloc_array(count, heads * sizeof *f->seen);
    f->weights = det_alloc_array(f->from->set->width, functions * sizeof *f->weights);
    f->biases = det_alloc_array(functions, sizeof *f->biases);
    return f->rows && f->targets && f->seen && f->weights && f->biases;
}

static void encode(const det_training_set *set, det_row row, float *targets)
{
    const det_training_image *image = &set->images[row.image];
    const det_box object =
        det_object_box(set->annotations, image->labels.objects[row.region],
                       image->features.picture_width, image->features.picture_height);
    det_box_deltas_encode(image->features.boxes[row.region], object, targets);
}

static size_t count_class(const det_fit_examples *from, int class_id)
{
    size_t count = 0;
    for (size_t i = 0; i < from->count; i++)
        count += det_row_label(from->set, from->rows[i]) == class_id;
    return count;
}

/* Of `all` examples of the class `count` in even distances. */
static void choose(box_fit *f, int class_id, size_t all, size_t count)
{
    const det_fit_examples *from = f->from;
    size_t met = 0;
    f->count = 0;
    for (size_t i = 0; i < from->count; i++) {
        if (det_row_label(from->set, from->rows[i]) != class_id) continue;
        if (met++ * count / all < f->count) continue;
        for (size_t h = 0; h < from->head_count; h++)
            f->seen[h * count + f->count] = from->weights[h * from->count + i] > 0;
        encode(from->set, from->rows[i], f->targets + f->count * DET_BOX_DELTAS);
        f->rows[f->count++] = from->rows[i];
    }
}

static void hand_over(const box_fit *f, int class_id, det_linear_head *heads)
{
    const size_t width = f->from->set->width, first = DET_BOX_DELTAS * (size_t)class_id;
    for (size_t h = 0; h < f->from->head_count; h++) {
        memcpy(heads[h].delta_weights + first * width, f->weights + h * DET_BOX_DELTAS * width,
               DET_BOX_DELTAS * width * sizeof *f->weights);
        memcpy(heads[h].delta_biases + first, f->biases + h * DET_BOX_DELTAS,
               DET_BOX_DELTAS * sizeof *f->biases);
    }
}

static det_status fit_class(const det_fit_examples *from, int class_id, double lambda,
                            const det_run *run, det_linear_head *heads, det_error *error)
{
    box_fit f = {.from = from};
    const size_t all = count_class(from, class_id), count = all < MOST ? all : MOST;
    det_status status = DET_OK;
    if (allocate(&f, count)) {
        choose(&f, class_id, all, count);
        const det_set_rows list = {from->set, f.rows, f.count};
        const det_feature_rows rows = det_rows_of_set(&list);
        const det_ridge_examples examples = {&rows, f.targets, DET_BOX_DELTAS, f.seen,
                                             from->head_count};
        status = det_fit_ridge(&examples, &(det_ridge_options){lambda, norm}, run, f.weights,
                               f.biases, error);
    } else {
        status = det_fail_memory(error, "the examples of boxes");
    }
    if (status == DET_OK) hand_over(&f, class_id, heads);
    release(&f);
    return status;
}

/* ---- Classes -------------------------------------------------------------------------------- */

typedef struct {
    const det_run *run;
    uint64_t done, total; /* classes */
} counting;

static bool tell(void *context, uint64_t done, uint64_t total)
{
    (void)done, (void)total;
    const counting *c = context;
    return !c->run || !c->run->progress ||
           c->run->progress(c->run->progress_context, c->done, c->total);
}

det_status det_fit_boxes(const det_fit_examples *examples, double lambda, const det_run *run,
                         det_linear_head *heads, det_error *error)
{
    counting c = {.run = run, .total = examples->set->classes.count};
    const det_run within = {
        .progress = tell, .progress_context = &c, .deadline_s = run ? run->deadline_s : 0};
    det_status status = DET_OK;
    for (; status == DET_OK && c.done < c.total; c.done++)
        status = fit_class(examples, (int)c.done, lambda, &within, heads, error);
    return status == DET_OK ? det_run_check(run, c.total, c.total, error) : status;
}
