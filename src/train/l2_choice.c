/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/l2_choice.h"

#include "src/base/memory.h"
#include "src/base/run.h"
#include "src/train/calibration.h"

#include <math.h>
#include <string.h>

enum { MOST_EXAMPLES = 6000, ITERATIONS = 30, PARTS = 3 };

static const double tolerance = 1e-4;

const double det_l2_candidates[] = {1e-4, 1e-3, 1e-2, 1e-1};

_Static_assert(sizeof det_l2_candidates / sizeof *det_l2_candidates == DET_L2_CANDIDATES,
               "all of them are counted");

typedef struct {
    const det_fit_examples *from;
    det_row *rows; /* count: the examples that are looked at */
    size_t count;
    float *weights;         /* heads x count; 0 where the picture is held out or not seen */
    bool *held_out;         /* heads x count */
    det_linear_head *heads; /* of from->head_count */
    bool *tried;            /* heads: something is held out */
    double *least;          /* heads: the least loss so far */
    float *outputs;         /* count x outputs: of what is held out */
    size_t *truths;         /* count: likewise; shares: what each of them weighs */
    double *shares;
    size_t *places; /* count: of rows among all */
} choice;

/* Progress of all candidates. */
typedef struct {
    const det_run *run;
    uint64_t done;
} counting;

static void release(choice *c)
{
    for (size_t h = 0; c->heads && h < c->from->head_count; h++) det_linear_head_free(&c->heads[h]);
    det_free(c->heads);
    det_free(c->rows);
    det_free(c->weights);
    det_free(c->held_out);
    det_free(c->tried);
    det_free(c->least);
    det_free(c->shares);
    det_free(c->outputs);
    det_free(c->truths);
    det_free(c->places);
}

static det_status allocate(choice *c, det_error *error)
{
    const size_t heads = c->from->head_count, classes = c->from->set->classes.count;
    c->rows = det_alloc_array(c->count, sizeof *c->rows);
    c->places = det_alloc_array(c->count, sizeof *c->places);
    c->weights = det_alloc_zeroed(heads, c->count * sizeof *c->weights);
    c->held_out = det_alloc_zeroed(heads, c->count * sizeof *c->held_out);
    c->tried = det_alloc_array(heads, sizeof *c->tried);
    c->least = det_alloc_array(heads, sizeof *c->least);
    c->shares = det_alloc_array(c->count, sizeof *c->shares);
    c->outputs = det_alloc_array(c->count, (classes + 1) * sizeof *c->outputs);
    c->truths = det_alloc_array(c->count, sizeof *c->truths);
    c->heads = det_alloc_zeroed(heads, sizeof *c->heads);
    if (!c->rows || !c->places || !c->weights || !c->held_out || !c->tried || !c->least ||
        !c->shares || !c->outputs || !c->truths || !c->heads)
        return det_fail_memory(error, "the choice of l2");
    det_status status = DET_OK;
    for (size_t h = 0; status == DET_OK && h < heads; h++)
        status = det_linear_head_create(DET_HEAD_SOFTMAX, c->from->set->width, classes, false,
                                        &c->heads[h], error);
    return status;
}

/* ---- What is held out ----------------------------------------------------------------------- */

static void choose_rows(choice *c)
{
    for (size_t i = 0; i < c->count; i++) {
        c->places[i] = i * c->from->count / c->count;
        c->rows[i] = c->from->rows[c->places[i]];
    }
}

/* The last of every three pictures that a head sees. @return whether there is one. */
static bool split(choice *c, size_t head)
{
    const float *weights = c->from->weights + head * c->from->count;
    float *kept = c->weights + head * c->count;
    bool *held_out = c->held_out + head * c->count, any = false;
    size_t pictures = 0;
    uint32_t last = UINT32_MAX;
    for (size_t i = 0; i < c->count; i++) {
        const float weight = weights[c->places[i]];
        if (weight <= 0) continue;
        pictures += c->rows[i].image != last;
        last = c->rows[i].image;
        held_out[i] = pictures % PARTS == 0;
        kept[i] = held_out[i] ? 0 : weight;
        any = any || held_out[i];
    }
    return any;
}

/* ---- Trying --------------------------------------------------------------------------------- */

/* The mean of -log of the probabilities of the truths, weighted as the examples are. */
static double measure_loss(const choice *c, size_t count, size_t row)
{
    const double inverse = 1 / det_fit_temperature(c->outputs, c->truths, count, row);
    double loss = 0, all = 0;
    for (size_t i = 0; i < count; i++) {
        const float *outputs = c->outputs + i * row;
        double sum = 0;
        for (size_t o = 0; o < row; o++)
            sum += exp(inverse * (double)(outputs[o] - outputs[c->truths[i]]));
        loss += c->shares[i] * log(sum);
        all += c->shares[i];
    }
    return loss / all;
}

static double try_head(choice *c, size_t head)
{
    const det_linear_head *h = &c->heads[head];
    const float *weights = c->from->weights + head * c->from->count;
    size_t count = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (!c->held_out[head * c->count + i]) continue;
        const int label = det_row_label(c->from->set, c->rows[i]);
        det_linear_head_outputs(h, &c->from->set->images[c->rows[i].image].features,
                                c->rows[i].region, c->outputs + count * h->output_count);
        c->shares[count] = (double)weights[c->places[i]];
        c->truths[count++] = label == DET_LABEL_BACKGROUND ? h->class_count : (size_t)label;
    }
    return measure_loss(c, count, h->output_count);
}

static bool tell(void *context, uint64_t done, uint64_t total)
{
    (void)done, (void)total;
    const counting *counts = context;
    const det_run *run = counts->run;
    return !run || !run->progress ||
           run->progress(run->progress_context, counts->done, DET_L2_CANDIDATES);
}

/* Fits the heads with a candidate, and notes it where it is better than those before. */
static det_status try_candidate(choice *c, double candidate, const det_run *run, double *l2,
                                det_error *error)
{
    const size_t heads = c->from->head_count;
    const det_fit_examples examples = {c->from->set, c->rows, c->count, c->weights, heads, NULL};
    const det_fit_options options = {
        .l2 = candidate, .iterations = ITERATIONS, .tolerance = tolerance};
    const det_status status = det_fit_classes(&examples, &options, run, c->heads, error);
    for (size_t h = 0; status == DET_OK && h < heads; h++) {
        if (!c->tried[h]) continue;
        const double loss = try_head(c, h);
        if (!(loss < c->least[h])) continue;
        c->least[h] = loss;
        l2[h] = candidate;
    }
    return status;
}

det_status det_choose_l2(const det_fit_examples *examples, const det_run *run, double *l2,
                         det_error *error)
{
    choice c = {.from = examples,
                .count = examples->count < MOST_EXAMPLES ? examples->count : MOST_EXAMPLES};
    counting counts = {.run = run};
    const det_run within = {.threads = run ? run->threads : 0,
                            .progress = tell,
                            .progress_context = &counts,
                            .deadline_s = run ? run->deadline_s : 0};
    det_status status = allocate(&c, error);
    if (status == DET_OK) choose_rows(&c);
    for (size_t h = 0; status == DET_OK && h < examples->head_count; h++) {
        l2[h] = DET_L2_DEFAULT;
        c.least[h] = INFINITY;
        c.tried[h] = split(&c, h);
    }
    for (; status == DET_OK && counts.done < DET_L2_CANDIDATES; counts.done++)
        status = try_candidate(&c, det_l2_candidates[counts.done], &within, l2, error);
    release(&c);
    return status == DET_OK ? det_run_check(run, DET_L2_CANDIDATES, DET_L2_CANDIDATES, error)
                            : status;
}
