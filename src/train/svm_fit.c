/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/svm_fit.h"

#include "src/base/memory.h"
#include "src/train/svm_head.h"

#include <string.h>

/* What an example is to the machine of a class. */
enum { NOTHING, POSITIVE, NEGATIVE };

typedef struct {
    const det_fit_examples *from;
    const det_fit_options *options;
    size_t class_count, machine_count; /* machines: one a class of a head, head after head */
    uint8_t *roles;                    /* from->count x class_count */
    uint32_t *lists;                   /* that the examples of all machines lie in */
    det_svm_examples *examples;        /* machine_count */
    float *weights, *biases;           /* machine_count (x width) */
} svm_fit;

static void release(svm_fit *f)
{
    det_free(f->roles);
    det_free(f->lists);
    det_free(f->examples);
    det_free(f->weights);
    det_free(f->biases);
}

/* ---- Roles ---------------------------------------------------------------------------------- */

static uint8_t role_of(const svm_fit *f, det_row row, size_t class_id)
{
    const det_training_set *set = f->from->set;
    const det_region_features *regions = &set->images[row.image].features;
    const int label = det_row_label(set, row);
    if (label == DET_LABEL_BACKGROUND) return NEGATIVE;
    if (label == (int)class_id) return row.region >= regions->proposal_count ? POSITIVE : NOTHING;
    const double overlap = det_class_overlap(
        set->annotations, row.image, set->classes.categories[class_id], regions, row.region);
    return overlap < f->options->negative_iou ? NEGATIVE : NOTHING;
}

/* @return examples that are positive or negative, of all classes. */
static size_t find_roles(svm_fit *f)
{
    size_t count = 0;
    for (size_t i = 0; i < f->from->count; i++)
        for (size_t c = 0; c < f->class_count; c++) {
            const uint8_t role = role_of(f, f->from->rows[i], c);
            f->roles[i * f->class_count + c] = role;
            count += role != NOTHING;
        }
    return count;
}

/* ---- Machines ------------------------------------------------------------------------------- */

/* Appends the examples with a role that a head sees. @return how many. */
static size_t list(const svm_fit *f, size_t head, size_t class_id, uint8_t role, uint32_t *rows)
{
    const float *weights = f->from->weights + head * f->from->count;
    size_t count = 0;
    for (size_t i = 0; i < f->from->count; i++)
        if (weights[i] > 0 && f->roles[i * f->class_count + class_id] == role)
            rows[count++] = (uint32_t)i;
    return count;
}

static void list_all(svm_fit *f)
{
    uint32_t *next = f->lists;
    for (size_t m = 0; m < f->machine_count; m++) {
        const size_t head = m / f->class_count, class_id = m % f->class_count;
        det_svm_examples *e = &f->examples[m];
        e->positives = next;
        e->positive_count = list(f, head, class_id, POSITIVE, next);
        next += e->positive_count;
        e->negatives = next;
        e->negative_count = list(f, head, class_id, NEGATIVE, next);
        next += e->negative_count;
        if (f->options->balanced && e->positive_count > 0 && e->negative_count > 0)
            e->positive_weight = (double)e->negative_count / (double)e->positive_count;
    }
}

static det_status prepare(svm_fit *f, det_error *error)
{
    const size_t width = f->from->set->width;
    size_t roles = 0;
    f->machine_count = f->from->head_count * f->class_count;
    f->roles = det_alloc_array(f->from->count, f->class_count * sizeof *f->roles);
    f->examples = det_alloc_zeroed(f->machine_count, sizeof *f->examples);
    f->weights = det_alloc_array(f->machine_count, width * sizeof *f->weights);
    f->biases = det_alloc_array(f->machine_count, sizeof *f->biases);
    if (f->roles) roles = find_roles(f);
    f->lists = det_alloc_array(f->from->head_count, roles * sizeof *f->lists);
    if (!f->roles || !f->examples || !f->weights || !f->biases || !f->lists)
        return det_fail_memory(error, "the examples of support vector machines");
    list_all(f);
    return DET_OK;
}

static void hand_over(const svm_fit *f, size_t at, det_linear_head *head)
{
    const size_t first = at * f->class_count, width = f->from->set->width;
    memcpy(head->weights, f->weights + first * width,
           f->class_count * width * sizeof *head->weights);
    memcpy(head->biases, f->biases + first, f->class_count * sizeof *head->biases);
}

det_status det_fit_svm_heads(const det_fit_examples *examples, const det_fit_options *options,
                             const det_run *run, det_linear_head *heads, det_error *error)
{
    svm_fit f = {.from = examples, .options = options, .class_count = examples->set->classes.count};
    const det_set_rows list = {examples->set, examples->rows, examples->count};
    const det_feature_rows rows = det_rows_of_set(&list);
    det_status status = prepare(&f, error);
    if (status == DET_OK)
        status = det_fit_svms(&rows, f.examples, f.machine_count,
                              &(det_svm_options){.seed = options->seed}, run,
                              &(det_svm_results){.weights = f.weights, .biases = f.biases}, error);
    for (size_t h = 0; status == DET_OK && h < examples->head_count; h++)
        hand_over(&f, h, &heads[h]);
    release(&f);
    return status;
}
