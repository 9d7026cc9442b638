/* SPDX-License-Identifier: Apache-2.0 */
/* Linear functions fitted by passes over the rows: a block of rows is unpacked to numbers, one
 * product of matrices gives the outputs of all heads, the loss turns them into residuals, and a
 * second product adds the block's part to the gradients. */
#include "src/train/fit.h"

#include "src/base/memory.h"
#include "src/base/run.h"
#include "src/train/blas.h"
#include "src/train/fit_state.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 256 };
static const double wanted_norm = 20;

typedef struct {
    const det_fit_examples *examples;
    const det_fit_options *options;
    size_t width, outputs; /* outputs: of a head */
    size_t columns;        /* outputs of all heads */
    const double *sums;    /* what the loss of each head is divided by */
    float *mean;           /* width: of the features */
    float scale;
    float *block;                             /* BLOCK x width */
    float *results, *residual;                /* columns x the rows of a block */
    float *weights, *gradients;               /* columns x width */
    double *biases, *bias_gradients, *losses; /* columns, columns, heads */
    det_minimizer **minimizers;               /* of each head: outputs x (width + 1) variables */
} fit;

/* ---- Blocks --------------------------------------------------------------------------------- */

/* On this thread alone: threads of ours that have just worked and those of OpenBLAS would wait for
 * one another by keeping the processors busy. */
static size_t unpack(const fit *f, size_t first)
{
    const size_t left = f->examples->count - first, count = left < BLOCK ? left : BLOCK;
    for (size_t r = 0; r < count; r++)
        det_row_features(f->examples->set, f->examples->rows[first + r], f->block + r * f->width);
    return count;
}

/* The mean of the features, and the factor that gives them the wanted norm without it. */
static void measure_features(fit *f)
{
    const size_t count = f->examples->count;
    double squares = 0;
    for (size_t first = 0; first < count; first += BLOCK) {
        const size_t some = unpack(f, first);
        for (size_t r = 0; r < some; r++)
            for (size_t i = 0; i < f->width; i++) {
                const float value = f->block[r * f->width + i];
                f->mean[i] += value / (float)count;
                squares += (double)value * value;
            }
    }
    for (size_t i = 0; i < f->width; i++) squares -= (double)count * f->mean[i] * f->mean[i];
    const double norm = sqrt(fmax(squares, 0) / (double)count);
    f->scale = norm > 0 ? (float)(wanted_norm / norm) : 1;
}

/* ---- The loss and its gradient -------------------------------------------------------------- */

/* The points of the minimisers as one matrix, for features as they are: an output is
 * scale * (x - mean) . w + b. */
static void collect_points(fit *f)
{
    for (size_t h = 0; h < f->examples->head_count; h++) {
        const float *point = det_minimizer_point(f->minimizers[h]);
        for (size_t o = 0; o < f->outputs; o++) {
            const float *from = point + o * (f->width + 1);
            float *to = f->weights + (h * f->outputs + o) * f->width;
            double bias = from[f->width];
            for (size_t i = 0; i < f->width; i++) {
                to[i] = from[i] * f->scale;
                bias -= (double)to[i] * f->mean[i];
            }
            f->biases[h * f->outputs + o] = bias;
        }
    }
}

/* The output that is right for a row. */
static size_t truth_of(const fit *f, size_t row)
{
    const det_fit_beside *beside = f->examples->beside;
    const int label = det_row_label(f->examples->set, f->examples->rows[row]);
    const int first = beside ? (int)beside->first : 0;
    return label < first || label - first >= (int)f->outputs - 1 ? f->outputs - 1
                                                                 : (size_t)(label - first);
}

/* The last output of each head is what is there already. */
static void set_beside(const fit *f, size_t first, size_t count)
{
    for (size_t h = 0; h < f->examples->head_count; h++)
        memcpy(f->results + ((h + 1) * f->outputs - 1) * count,
               f->examples->beside->outputs + first, count * sizeof *f->results);
}

/* ... and does not learn. */
static void clear_beside(const fit *f, size_t count)
{
    for (size_t h = 0; h < f->examples->head_count; h++)
        memset(f->residual + ((h + 1) * f->outputs - 1) * count, 0, count * sizeof *f->residual);
}

/* The other way round: a head's functions as the first point of its minimiser. */
static void begin_at(const fit *f, size_t at, const det_linear_head *head)
{
    float *point = det_minimizer_start(f->minimizers[at]);
    for (size_t o = 0; o < f->outputs; o++) {
        const float *weights = head->weights + o * f->width;
        double bias = (double)head->biases[o];
        for (size_t i = 0; i < f->width; i++) {
            *point++ = weights[i] / f->scale;
            bias += (double)weights[i] * (double)f->mean[i];
        }
        *point++ = (float)bias;
    }
}

/* The residuals of a row, its loss differentiated by its outputs, `stride` apart as these are.
 * @return the loss. */
static double find_residuals(const fit *f, size_t row, float weight, const float *outputs,
                             float *residuals, size_t stride)
{
    const size_t truth = truth_of(f, row);
    float most = outputs[0];
    double sum = 0;
    for (size_t o = 1; o < f->outputs; o++) most = fmaxf(most, outputs[o * stride]);
    for (size_t o = 0; o < f->outputs; o++) sum += exp((double)(outputs[o * stride] - most));
    for (size_t o = 0; o < f->outputs; o++) {
        const double probability = exp((double)(outputs[o * stride] - most)) / sum;
        residuals[o * stride] = weight * (float)(probability - (o == truth));
    }
    return weight * (log(sum) - (double)(outputs[truth * stride] - most));
}

static void add_block(fit *f, size_t first, size_t count)
{
    const det_fit_examples *e = f->examples;
    det_blas_outputs(f->block, count, f->weights, f->columns, f->width, f->results);
    memset(f->residual, 0, f->columns * count * sizeof *f->residual);
    for (size_t c = 0; c < f->columns; c++)
        for (size_t r = 0; r < count; r++) f->results[c * count + r] += (float)f->biases[c];
    if (e->beside) set_beside(f, first, count);
    for (size_t h = 0; h < e->head_count; h++)
        for (size_t r = 0; r < count; r++) {
            const size_t at = h * f->outputs * count + r;
            const float weight = e->weights[h * e->count + first + r];
            if (weight <= 0) continue;
            f->losses[h] +=
                find_residuals(f, first + r, weight, f->results + at, f->residual + at, count);
        }
    if (e->beside) clear_beside(f, count);
    for (size_t c = 0; c < f->columns; c++)
        for (size_t r = 0; r < count; r++) f->bias_gradients[c] += f->residual[c * count + r];
    det_blas_gradients(f->residual, count, f->columns, f->block, f->width, f->gradients);
}

/* Tells a minimiser what its head's loss and gradient are. `gradient` has room for them. */
static void tell(fit *f, size_t head, float *gradient)
{
    const float *point = det_minimizer_point(f->minimizers[head]);
    const double *own = f->options->head_l2;
    const double sum = f->sums[head], decay = own ? own[head] : f->options->l2;
    double squares = 0;
    for (size_t o = 0; o < f->outputs; o++) {
        const size_t column = head * f->outputs + o;
        const double bias = f->bias_gradients[column];
        for (size_t i = 0; i < f->width; i++) {
            const size_t at = o * (f->width + 1) + i;
            const double centred =
                f->scale * (f->gradients[column * f->width + i] - bias * f->mean[i]);
            gradient[at] = (float)(centred / sum + decay * point[at]);
            squares += (double)point[at] * point[at];
        }
        gradient[o * (f->width + 1) + f->width] = (float)(bias / sum);
    }
    f->losses[head] = f->losses[head] / sum + decay * squares / 2;
    det_minimizer_tell(f->minimizers[head], f->losses[head], gradient);
}

static bool all_done(const fit *f)
{
    bool done = true;
    for (size_t h = 0; h < f->examples->head_count; h++)
        done = done && det_minimizer_is_done(f->minimizers[h]);
    return done;
}

static void evaluate(fit *f, float *gradient)
{
    collect_points(f);
    memset(f->gradients, 0, f->columns * f->width * sizeof *f->gradients);
    memset(f->bias_gradients, 0, f->columns * sizeof *f->bias_gradients);
    memset(f->losses, 0, f->examples->head_count * sizeof *f->losses);
    for (size_t first = 0; first < f->examples->count; first += BLOCK)
        add_block(f, first, unpack(f, first));
    for (size_t h = 0; h < f->examples->head_count; h++) tell(f, h, gradient);
}

/* ---- Fitting -------------------------------------------------------------------------------- */

static void free_fit(fit *f)
{
    for (size_t h = 0; f->minimizers && h < f->examples->head_count; h++)
        det_minimizer_free(f->minimizers[h]);
    det_free(f->minimizers);
    det_free(f->mean);
    det_free(f->block);
    det_free(f->results);
    det_free(f->residual);
    det_free(f->weights);
    det_free(f->gradients);
    det_free(f->biases);
    det_free(f->bias_gradients);
    det_free(f->losses);
}

static det_status prepare(fit *f, det_error *error)
{
    const det_minimizer_options options = {f->options->iterations, f->options->tolerance};
    const size_t heads = f->examples->head_count;
    f->width = f->examples->set->width;
    f->columns = heads * f->outputs;
    f->mean = det_alloc_zeroed(f->width, sizeof *f->mean);
    f->block = det_alloc_array(f->width, BLOCK * sizeof *f->block);
    f->results = det_alloc_array(f->columns, BLOCK * sizeof *f->results);
    f->residual = det_alloc_array(f->columns, BLOCK * sizeof *f->residual);
    f->weights = det_alloc_array(f->columns, f->width * sizeof *f->weights);
    f->gradients = det_alloc_array(f->columns, f->width * sizeof *f->gradients);
    f->biases = det_alloc_array(f->columns, sizeof *f->biases);
    f->bias_gradients = det_alloc_array(f->columns, sizeof *f->bias_gradients);
    f->losses = det_alloc_array(heads, sizeof *f->losses);
    f->minimizers = det_alloc_zeroed(heads, sizeof *f->minimizers);
    if (!f->mean || !f->block || !f->results || !f->residual || !f->weights || !f->gradients ||
        !f->biases || !f->bias_gradients || !f->losses || !f->minimizers)
        return det_fail_memory(error, "the fit of a head");
    for (size_t h = 0; h < heads; h++) {
        const det_status status =
            det_minimizer_create(f->outputs * (f->width + 1), &options, &f->minimizers[h], error);
        if (status < 0) return status;
    }
    return DET_OK;
}

static void go_on(fit *f, uint64_t *passes)
{
    det_fit_state_read(f->options->state, f->minimizers, f->examples->head_count, passes);
}

/* A state that cannot be written costs time, nothing else: the fit is then begun anew. */
static void keep_state(const fit *f, uint64_t passes)
{
    det_fit_state_write(f->options->state, f->minimizers, f->examples->head_count, passes, NULL);
}

static det_status minimise(fit *f, const det_linear_head *heads, const det_run *run,
                           det_error *error)
{
    float *gradient = det_alloc_array(f->outputs, (f->width + 1) * sizeof *gradient);
    if (!gradient) return det_fail_memory(error, "the fit of a head");
    const uint64_t total = (uint64_t)f->options->iterations;
    det_status status = DET_OK;
    uint64_t passes = 0;
    measure_features(f);
    for (size_t h = 0; h < f->examples->head_count; h++) begin_at(f, h, &heads[h]);
    if (f->options->state) go_on(f, &passes);
    while (status == DET_OK && !all_done(f)) {
        status = det_run_check(run, passes < total ? passes : total, total, error);
        if (status < 0) break;
        evaluate(f, gradient);
        det_event_iteration(f->options->log, ++passes, f->losses, f->examples->head_count);
    }
    det_free(gradient);
    if (status == DET_OK) status = det_run_check(run, total, total, error);
    if (status == DET_CANCELLED && f->options->state) keep_state(f, passes);
    return status;
}

/* Copies what was found for a head, for features as they are. */
static void hand_over(const fit *f, size_t at, det_linear_head *head)
{
    memcpy(head->weights, f->weights + at * f->outputs * f->width,
           f->outputs * f->width * sizeof *head->weights);
    for (size_t o = 0; o < f->outputs; o++) head->biases[o] = (float)f->biases[at * f->outputs + o];
}

/* The sum of each head's weights; 1 for a head that sees nothing, which stays 0. */
static double *sum_weights(const det_fit_examples *e)
{
    double *sums = det_alloc_zeroed(e->head_count, sizeof *sums);
    for (size_t h = 0; sums && h < e->head_count; h++) {
        for (size_t i = 0; i < e->count; i++) sums[h] += e->weights[h * e->count + i];
        if (sums[h] <= 0) sums[h] = 1;
    }
    return sums;
}

static det_status fit_all(fit *f, const det_linear_head *heads, const det_run *run,
                          det_error *error)
{
    double *sums = sum_weights(f->examples);
    f->sums = sums;
    det_status status = sums ? prepare(f, error) : det_fail_memory(error, "the fit of a head");
    if (status == DET_OK) status = minimise(f, heads, run, error);
    if (status == DET_OK) collect_points(f);
    det_free(sums);
    return status;
}

det_status det_fit_classes(const det_fit_examples *examples, const det_fit_options *options,
                           const det_run *run, det_linear_head *heads, det_error *error)
{
    fit f = {.examples = examples, .options = options, .outputs = heads[0].output_count};
    const det_status status = fit_all(&f, heads, run, error);
    for (size_t h = 0; status == DET_OK && h < examples->head_count; h++)
        hand_over(&f, h, &heads[h]);
    free_fit(&f);
    return status;
}
