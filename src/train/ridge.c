/* SPDX-License-Identifier: Apache-2.0 */
/* Both ways begin with features whose mean over all rows is taken away, so that little is lost to
 * rounding where the mean of the rows of a fit is taken away as well. */
#include "src/train/ridge.h"

#include "src/base/memory.h"
#include "src/base/run.h"
#include "src/train/blas.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 256 };

typedef struct {
    const det_ridge_examples *examples;
    size_t width, outputs, count; /* count: rows */
    double lambda;                /* for features as they are */
    const det_run *run;
    uint64_t done, total;     /* blocks and fits */
    double *mean;             /* width: over all rows */
    float *row;               /* width */
    double *blocks[2];        /* BLOCK x width: rows without the mean */
    double *matrix;           /* of a fit: width x width or, from products, rows x rows */
    double *right, *averages; /* outputs x columns of the matrix; columns */
    double *products;         /* count x count; only where they are used */
    size_t *places;           /* count: the rows that a fit sees */
    float *weights, *biases;
} ridge;

/* ---- Features ------------------------------------------------------------------------------- */

static void read_row(const ridge *r, size_t row)
{
    r->examples->rows->read(r->examples->rows->context, row, r->row);
}

static void read_centred(const ridge *r, size_t row, double *features)
{
    read_row(r, row);
    for (size_t i = 0; i < r->width; i++) features[i] = (double)r->row[i] - r->mean[i];
}

/* Whether to go on with another block or fit. */
static det_status begin_step(ridge *r, det_error *error)
{
    return det_run_check(r->run, r->done++, r->total, error);
}

static size_t block_size(size_t count, size_t first)
{
    return count - first < BLOCK ? count - first : BLOCK;
}

/* The mean, and lambda for features as they are. */
static void measure(ridge *r, const det_ridge_options *options)
{
    for (size_t i = 0; i < r->count; i++) {
        read_row(r, i);
        for (size_t j = 0; j < r->width; j++) r->mean[j] += (double)r->row[j];
    }
    for (size_t j = 0; j < r->width; j++) r->mean[j] /= (double)r->count;
    double squares = 0;
    for (size_t i = 0; i < r->count && options->norm > 0; i++) {
        read_centred(r, i, r->blocks[0]);
        for (size_t j = 0; j < r->width; j++) squares += r->blocks[0][j] * r->blocks[0][j];
    }
    r->lambda = options->lambda;
    if (squares > 0) r->lambda *= squares / (double)r->count / (options->norm * options->norm);
}

/* ---- A fit ---------------------------------------------------------------------------------- */

static size_t list_seen(ridge *r, size_t fit)
{
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++)
        if (r->examples->seen[fit * r->count + i]) r->places[count++] = i;
    return count;
}

/* The mean of an output over the rows of a fit. */
static double mean_target(const ridge *r, size_t output, size_t seen)
{
    double sum = 0;
    for (size_t i = 0; i < seen; i++)
        sum += (double)r->examples->targets[r->places[i] * r->outputs + output];
    return sum / (double)seen;
}

/* Solves the fit's equations, whose right side becomes the solution. */
static det_status solve(ridge *r, size_t size, det_error *error)
{
    for (size_t i = 0; i < size; i++) r->matrix[i * size + i] += r->lambda;
    if (det_blas_solve(r->matrix, size, r->right, r->outputs)) return DET_OK;
    return det_fail(error, DET_ARGUMENT,
                    "lambda is too small: the equations of %zu unknowns have no exact solution",
                    size);
}

/* The function of an output: its weights in double, and what it is at the mean of all rows. */
static void hand_over(const ridge *r, size_t fit, size_t output, const double *weights,
                      double at_mean)
{
    const size_t at = fit * r->outputs + output;
    double bias = at_mean;
    for (size_t i = 0; i < r->width; i++) {
        r->weights[at * r->width + i] = (float)weights[i];
        bias -= weights[i] * r->mean[i];
    }
    r->biases[at] = (float)bias;
}

/* ---- As many unknowns as features ----------------------------------------------------------- */

/* Adds a block of rows to the matrix, the right side and the sums of features. */
static void add_block(ridge *r, size_t first, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double *x = r->blocks[0] + i * r->width;
        const float *targets = r->examples->targets + r->places[first + i] * r->outputs;
        read_centred(r, r->places[first + i], x);
        for (size_t j = 0; j < r->width; j++) r->averages[j] += x[j];
        for (size_t o = 0; o < r->outputs; o++)
            for (size_t j = 0; j < r->width; j++)
                r->right[o * r->width + j] += (double)targets[o] * x[j];
    }
    det_blas_add_squares(r->blocks[0], count, r->width, r->matrix);
}

static det_status sum_features(ridge *r, size_t seen, det_error *error)
{
    const size_t width = r->width;
    memset(r->matrix, 0, width * width * sizeof *r->matrix);
    memset(r->right, 0, r->outputs * width * sizeof *r->right);
    memset(r->averages, 0, width * sizeof *r->averages);
    for (size_t first = 0; first < seen; first += BLOCK) {
        const det_status status = begin_step(r, error);
        if (status < 0) return status;
        add_block(r, first, block_size(seen, first));
    }
    for (size_t i = 0; i < width; i++) r->averages[i] /= (double)seen;
    return DET_OK;
}

/* (X' X + lambda) w = X' (targets - their mean), where X has the mean of its rows taken away. */
static det_status fit_features(ridge *r, size_t fit, size_t seen, det_error *error)
{
    const size_t width = r->width;
    det_status status = sum_features(r, seen, error);
    if (status < 0) return status;
    for (size_t i = 0; i < width; i++)
        for (size_t j = 0; j <= i; j++)
            r->matrix[i * width + j] -= (double)seen * r->averages[i] * r->averages[j];
    for (size_t o = 0; o < r->outputs; o++) {
        const double total = (double)seen * mean_target(r, o, seen);
        for (size_t i = 0; i < width; i++) r->right[o * width + i] -= total * r->averages[i];
    }
    status = solve(r, width, error);
    for (size_t o = 0; status == DET_OK && o < r->outputs; o++) {
        const double *weights = r->right + o * width;
        double at_mean = mean_target(r, o, seen);
        for (size_t i = 0; i < width; i++) at_mean -= weights[i] * r->averages[i];
        hand_over(r, fit, o, weights, at_mean);
    }
    return status;
}

/* ---- As many unknowns as rows --------------------------------------------------------------- */

/* The products of all rows with one another. */
static det_status multiply_rows(ridge *r, det_error *error)
{
    for (size_t a = 0; a < r->count; a += BLOCK) {
        const size_t rows = block_size(r->count, a);
        const det_status status = begin_step(r, error);
        if (status < 0) return status;
        for (size_t i = 0; i < rows; i++) read_centred(r, a + i, r->blocks[0] + i * r->width);
        for (size_t b = 0; b <= a; b += BLOCK) {
            const size_t columns = block_size(r->count, b);
            for (size_t i = 0; i < columns; i++)
                read_centred(r, b + i, r->blocks[1] + i * r->width);
            det_blas_products(r->blocks[0], rows, r->blocks[1], columns, r->width,
                              r->products + a * r->count + b, r->count);
        }
    }
    for (size_t i = 0; i < r->count; i++)
        for (size_t j = 0; j < i; j++)
            r->products[j * r->count + i] = r->products[i * r->count + j];
    return DET_OK;
}

/* The products of the rows that a fit sees, from whose features their mean is taken away: from each
 * product the averages of its row and column, to which the average of all comes back. */
static void centre_products(ridge *r, size_t seen)
{
    double all = 0;
    for (size_t i = 0; i < seen; i++) {
        const double *products = r->products + r->places[i] * r->count;
        double sum = 0;
        for (size_t j = 0; j < seen; j++) sum += products[r->places[j]];
        r->averages[i] = sum / (double)seen;
        all += r->averages[i] / (double)seen;
    }
    for (size_t i = 0; i < seen; i++) {
        const double *products = r->products + r->places[i] * r->count;
        for (size_t j = 0; j <= i; j++)
            r->matrix[i * seen + j] =
                products[r->places[j]] - r->averages[i] - r->averages[j] + all;
    }
}

/* w of all outputs as sums of rows, into the room of a block. */
static void sum_rows(ridge *r, size_t seen, double *weights)
{
    memset(weights, 0, r->outputs * r->width * sizeof *weights);
    for (size_t i = 0; i < seen; i++) {
        read_centred(r, r->places[i], r->blocks[0]);
        for (size_t o = 0; o < r->outputs; o++) {
            const double share = r->right[o * seen + i];
            for (size_t j = 0; j < r->width; j++)
                weights[o * r->width + j] += share * r->blocks[0][j];
        }
    }
}

/* (X X' + lambda) a = targets - their mean, w = X' a. The entries of a add up to 0, so that it does
 * not matter which mean is taken away from the rows of the sum. */
static det_status fit_rows(ridge *r, size_t fit, size_t seen, det_error *error)
{
    det_status status = begin_step(r, error);
    if (status < 0) return status;
    centre_products(r, seen);
    for (size_t o = 0; o < r->outputs; o++) {
        const double mean = mean_target(r, o, seen);
        for (size_t i = 0; i < seen; i++)
            r->right[o * seen + i] =
                (double)r->examples->targets[r->places[i] * r->outputs + o] - mean;
    }
    status = solve(r, seen, error);
    if (status < 0) return status;
    double *weights = r->blocks[1];
    sum_rows(r, seen, weights);
    for (size_t o = 0; o < r->outputs; o++) {
        double at_mean = mean_target(r, o, seen);
        for (size_t i = 0; i < seen; i++) at_mean -= r->right[o * seen + i] * r->averages[i];
        hand_over(r, fit, o, weights + o * r->width, at_mean);
    }
    return DET_OK;
}

/* ---- All fits ------------------------------------------------------------------------------- */

static void release(ridge *r)
{
    det_free(r->mean);
    det_free(r->row);
    det_free(r->blocks[0]);
    det_free(r->blocks[1]);
    det_free(r->matrix);
    det_free(r->right);
    det_free(r->averages);
    det_free(r->products);
    det_free(r->places);
}

static bool from_rows(const ridge *r)
{
    return r->count < r->width;
}

static double *room(size_t rows, size_t columns)
{
    size_t bytes;
    if (!det_multiply_size(columns, sizeof(double), &bytes)) return NULL;
    return det_alloc_array(rows, bytes);
}

static bool allocate(ridge *r)
{
    const size_t size = from_rows(r) ? r->count : r->width;
    r->mean = det_alloc_zeroed(r->width, sizeof *r->mean);
    r->row = det_alloc_array(r->width, sizeof *r->row);
    r->blocks[0] = room(BLOCK, r->width);
    r->blocks[1] = room(r->outputs > BLOCK ? r->outputs : BLOCK, r->width);
    r->matrix = room(size, size);
    r->right = room(r->outputs, size);
    r->averages = room(1, size);
    r->products = from_rows(r) ? room(size, size) : NULL;
    r->places = det_alloc_array(r->count, sizeof *r->places);
    return r->mean && r->row && r->blocks[0] && r->blocks[1] && r->matrix && r->right &&
           r->averages && (!from_rows(r) || r->products) && r->places;
}

static det_status fit_all(ridge *r, det_error *error)
{
    const size_t fits = r->examples->fit_count, blocks = (r->count + BLOCK - 1) / BLOCK;
    r->total = from_rows(r) ? blocks + fits : blocks * fits;
    det_status status = from_rows(r) ? multiply_rows(r, error) : DET_OK;
    for (size_t fit = 0; status == DET_OK && fit < fits; fit++) {
        const size_t seen = list_seen(r, fit);
        if (seen > 0) status = (from_rows(r) ? fit_rows : fit_features)(r, fit, seen, error);
    }
    return status;
}

det_status det_fit_ridge(const det_ridge_examples *examples, const det_ridge_options *options,
                         const det_run *run, float *weights, float *biases, det_error *error)
{
    ridge r = {.examples = examples,
               .width = examples->rows->width,
               .outputs = examples->outputs,
               .count = examples->rows->count,
               .run = run,
               .weights = weights,
               .biases = biases};
    const size_t functions = examples->fit_count * examples->outputs;
    if (!(options->lambda > 0 && isfinite(options->lambda)))
        return det_fail(error, DET_ARGUMENT, "lambda is %g: it must be above 0", options->lambda);
    memset(weights, 0, functions * r.width * sizeof *weights);
    memset(biases, 0, functions * sizeof *biases);
    if (r.count == 0) return DET_OK;
    det_status status = DET_OK;
    if (allocate(&r)) {
        measure(&r, options);
        status = fit_all(&r, error);
    } else {
        status = det_fail_memory(error, "ridge regression");
    }
    release(&r);
    return status;
}
