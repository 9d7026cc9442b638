/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/multibox_fit.h"

#include "proposals/multibox/loss.h"
#include "proposals/multibox/priors.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/base/run.h"
#include "src/train/blas.h"
#include "src/train/minimizer.h"
#include "src/train/subspace.h"

#include <math.h>
#include <string.h>

enum { CORNERS = DET_MULTIBOX_CORNERS, OUTPUTS = CORNERS + 1, NO_FOLD = -1 };
static const double tolerance = 1e-5;
static const double decays[] = {1, .1, .01, 1e-3, 1e-4, 1e-5};
enum { DECAYS = sizeof decays / sizeof *decays };

/* Of locations and of logits. */
typedef struct {
    double locations, logits;
} pair;

typedef struct {
    const det_multibox_examples *examples;
    det_multibox_fit_options options; /* without zeros */
    const det_run *run;
    uint64_t done, total; /* fits */
    size_t *places;       /* row_count: the rows of the examples that are seen */
    size_t row_count;
    float *mean, *basis; /* width; rank x width */
    float scale;
    size_t columns; /* rank + 1 */
    float *codes;   /* row_count x columns: what rows have of the directions; 1 */
    det_multibox_priors priors;
    size_t functions;           /* OUTPUTS * priors.count: locations, then logits */
    size_t *matches;            /* of each object of the examples */
    int *folds;                 /* of each row */
    float *weights, *trial;     /* functions x columns */
    float *gradient;            /* likewise */
    float *outputs, *slopes;    /* functions x row_count */
    float *of_row, *row_slopes; /* functions */
} fit;

/* ---- The head ------------------------------------------------------------------------------- */

void det_multibox_head_free(det_multibox_head *head)
{
    if (!head) return;
    det_multibox_priors_free(&head->priors);
    det_free(head->weights);
    det_free(head->biases);
    *head = (det_multibox_head){0};
}

void det_multibox_head_outputs(const det_multibox_head *head, const float *features, float *outputs)
{
    const size_t functions = OUTPUTS * head->priors.count;
    det_blas_outputs(features, 1, head->weights, functions, head->width, outputs);
    for (size_t i = 0; i < functions; i++) outputs[i] += head->biases[i];
}

/* ---- Features ------------------------------------------------------------------------------- */

static const float *features_of(const fit *f, size_t row)
{
    return f->examples->features + f->places[row] * f->examples->width;
}

static det_status check_features(const fit *f, det_error *error)
{
    for (size_t r = 0; r < f->row_count; r++)
        for (size_t i = 0; i < f->examples->width; i++)
            if (!isfinite(features_of(f, r)[i]))
                return det_fail(error, DET_ARGUMENT, "feature %zu of row %zu is not finite", i,
                                f->places[r]);
    return DET_OK;
}

static void find_mean(fit *f)
{
    for (size_t i = 0; i < f->examples->width; i++) {
        double sum = 0;
        for (size_t r = 0; r < f->row_count; r++) sum += (double)features_of(f, r)[i];
        f->mean[i] = (float)(sum / (double)f->row_count);
    }
}

/* Rows without the mean, and the factor that gives them a mean square of 1. */
static void centre(fit *f, float *rows)
{
    const size_t width = f->examples->width;
    double squares = 0;
    for (size_t r = 0; r < f->row_count; r++)
        for (size_t i = 0; i < width; i++) {
            const float value = features_of(f, r)[i] - f->mean[i];
            rows[r * width + i] = value;
            squares += (double)value * (double)value;
        }
    f->scale = squares > 0 ? (float)sqrt((double)f->row_count / squares) : 1;
}

/* What rows have of the directions; the last column is 1. `shares` is rank x row_count. */
static void fill_codes(fit *f, const float *shares)
{
    const size_t rank = f->columns - 1;
    for (size_t r = 0; r < f->row_count; r++) {
        for (size_t i = 0; i < rank; i++)
            f->codes[r * f->columns + i] = shares[i * f->row_count + r] * f->scale;
        f->codes[r * f->columns + rank] = 1;
    }
}

static det_status reduce_features(fit *f, det_error *error)
{
    const size_t width = f->examples->width, rank = f->columns - 1;
    float *rows = det_alloc_array(f->row_count, width * sizeof *rows);
    float *shares = det_alloc_array(f->row_count, rank * sizeof *shares);
    det_status status = DET_MEMORY;
    if (rows && shares) {
        find_mean(f);
        centre(f, rows);
        status =
            det_find_subspace(rows, f->row_count, width, rank, f->options.seed, f->basis, error);
    } else {
        status = det_fail_memory(error, "the features of pictures");
    }
    if (status == DET_OK) {
        det_blas_outputs(rows, f->row_count, f->basis, rank, width, shares);
        fill_codes(f, shares);
    }
    det_free(rows);
    det_free(shares);
    return status;
}

/* ---- Objects -------------------------------------------------------------------------------- */

static size_t first_object(const fit *f, size_t row)
{
    return f->examples->first_object[f->places[row]];
}

static det_multibox_objects objects_of(const fit *f, size_t row)
{
    const size_t first = first_object(f, row);
    return (det_multibox_objects){f->examples->corners + first,
                                  f->examples->first_object[f->places[row] + 1] - first};
}

static det_status find_priors(fit *f, det_error *error)
{
    size_t count = 0;
    for (size_t r = 0; r < f->row_count; r++) count += objects_of(f, r).count;
    if (count == 0) return det_fail(error, DET_ARGUMENT, "no picture shows an object to learn");
    float(*boxes)[CORNERS] = det_alloc_array(count, sizeof *boxes);
    if (!boxes) return det_fail_memory(error, "the boxes of objects");
    size_t filled = 0;
    for (size_t r = 0; r < f->row_count; r++) {
        const det_multibox_objects objects = objects_of(f, r);
        if (objects.count == 0) continue;
        memcpy(boxes + filled, objects.corners, objects.count * sizeof *boxes);
        filled += objects.count;
    }
    const det_status status =
        det_multibox_cluster((const float(*)[CORNERS])boxes, count, f->options.priors,
                             f->options.seed, &f->priors, error);
    det_free(boxes);
    return status;
}

/* The outputs for a row, gathered from `outputs`. */
static det_multibox_outputs gather_outputs(const fit *f, size_t row)
{
    for (size_t i = 0; i < f->functions; i++) f->of_row[i] = f->outputs[i * f->row_count + row];
    return (det_multibox_outputs){f->of_row, f->of_row + CORNERS * f->priors.count};
}

/* To the priors, or to the predictions that `outputs` has. */
static det_status match_all(fit *f, bool to_predictions, det_error *error)
{
    det_status status = DET_OK;
    for (size_t r = 0; status == DET_OK && r < f->row_count; r++) {
        const det_multibox_objects objects = objects_of(f, r);
        const det_multibox_outputs outputs = gather_outputs(f, r);
        status = det_multibox_match(&f->priors, to_predictions ? &outputs : NULL, &objects,
                                    f->options.alpha, f->matches + first_object(f, r), error);
    }
    return status;
}

/* (m + 1/2) / (n - m + 1/2): neither 0 nor infinite. */
static void count_odds(fit *f)
{
    for (size_t i = 0; i < f->priors.count; i++) f->priors.log_odds[i] = .5F;
    for (size_t r = 0; r < f->row_count; r++)
        for (size_t i = 0; i < objects_of(f, r).count; i++) {
            const size_t matched = f->matches[first_object(f, r) + i];
            if (matched != DET_MULTIBOX_UNMATCHED) f->priors.log_odds[matched] += 1;
        }
    const float all = (float)f->row_count + 1;
    for (size_t i = 0; i < f->priors.count; i++)
        f->priors.log_odds[i] = logf(f->priors.log_odds[i] / (all - f->priors.log_odds[i]));
}

/* ---- The loss ------------------------------------------------------------------------------- */

static void add_loss(pair *sum, const det_multibox_loss *loss, double alpha)
{
    sum->locations += alpha * loss->match;
    sum->logits += loss->confidence;
}

/* The loss of the rows outside a fold, and of those in it (`held`), for the weights at hand; the
 * former's derivatives by the outputs in `slopes`. */
static pair lose_rows(fit *f, const float *weights, int fold, pair *held)
{
    pair learned = {0};
    *held = (pair){0};
    det_blas_outputs(f->codes, f->row_count, weights, f->functions, f->columns, f->outputs);
    for (size_t r = 0; r < f->row_count; r++) {
        const det_multibox_objects objects = objects_of(f, r);
        const det_multibox_outputs outputs = gather_outputs(f, r);
        const det_multibox_gradient gradient = {f->row_slopes,
                                                f->row_slopes + CORNERS * f->priors.count};
        const det_multibox_loss loss =
            det_multibox_lose(&f->priors, &outputs, &objects, f->matches + first_object(f, r),
                              f->options.alpha, &gradient);
        const bool out = f->folds[r] == fold;
        add_loss(out ? held : &learned, &loss, f->options.alpha);
        for (size_t i = 0; i < f->functions; i++)
            f->slopes[i * f->row_count + r] = out ? 0 : f->row_slopes[i];
    }
    return learned;
}

/* Half the decay times the squares of weights, and its derivatives, after which the gradient is
 * that of the mean. Weights that decay without limit stay where they are, at 0. */
static double decay_weights(float *gradient, const float *weights, size_t count, double decay,
                            double rows)
{
    if (isinf(decay)) {
        memset(gradient, 0, count * sizeof *gradient);
        return 0;
    }
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        const double weight = (double)weights[i];
        squares += weight * weight;
        gradient[i] = (float)((double)gradient[i] / rows + decay * weight);
    }
    return decay * squares / 2;
}

/* What is minimised: the mean loss of the rows outside a fold, and decay. */
static double evaluate(fit *f, const float *weights, int fold, pair decay)
{
    const size_t locations = CORNERS * f->priors.count * f->columns;
    const size_t all = f->functions * f->columns;
    pair held;
    const pair learned = lose_rows(f, weights, fold, &held);
    size_t rows = 0;
    for (size_t r = 0; r < f->row_count; r++) rows += f->folds[r] != fold;
    memset(f->gradient, 0, all * sizeof *f->gradient);
    det_blas_gradients(f->slopes, f->row_count, f->functions, f->codes, f->columns, f->gradient);
    const double count = (double)rows;
    return (learned.locations + learned.logits) / count +
           decay_weights(f->gradient, weights, locations, decay.locations, count) +
           decay_weights(f->gradient + locations, weights + locations, all - locations,
                         decay.logits, count);
}

/* Begins at the weights at hand, which it improves. */
static det_status minimize(fit *f, int fold, pair decay, det_error *error)
{
    const size_t count = f->functions * f->columns;
    const det_minimizer_options options = {f->options.iterations, tolerance};
    det_minimizer *minimizer = NULL;
    det_status status = det_minimizer_create(count, &options, &minimizer, error);
    while (status == DET_OK && !det_minimizer_is_done(minimizer)) {
        status = det_run_check(f->run, f->done, f->total, error);
        if (status < 0) break;
        const float *step = det_minimizer_point(minimizer);
        for (size_t i = 0; i < count; i++) f->trial[i] = f->weights[i] + step[i];
        det_minimizer_tell(minimizer, evaluate(f, f->trial, fold, decay), f->gradient);
    }
    if (status == DET_OK) {
        const float *step = det_minimizer_point(minimizer);
        for (size_t i = 0; i < count; i++) f->weights[i] += step[i];
        f->done++;
    }
    det_minimizer_free(minimizer);
    return status;
}

/* ---- Decay ---------------------------------------------------------------------------------- */

/* Deals the pictures that are seen out to folds, by lot. @return how many folds there are. */
static det_status deal_folds(fit *f, size_t *count, det_error *error)
{
    const det_multibox_examples *e = f->examples;
    size_t *order = det_alloc_array(e->picture_count, sizeof *order), dealt = 0;
    int *folds = det_alloc_array(e->picture_count, sizeof *folds);
    if (order && folds) {
        det_random random = det_random_create(f->options.seed, 1);
        det_random_order(&random, order, e->picture_count);
        for (size_t i = 0; i < e->picture_count; i++) folds[i] = NO_FOLD;
        for (size_t r = 0; r < f->row_count; r++)
            folds[e->pictures ? e->pictures[f->places[r]] : f->places[r]] = 0;
        for (size_t i = 0; i < e->picture_count; i++)
            if (folds[order[i]] != NO_FOLD) folds[order[i]] = (int)(dealt++ % f->options.folds);
        for (size_t r = 0; r < f->row_count; r++)
            f->folds[r] = folds[e->pictures ? e->pictures[f->places[r]] : f->places[r]];
        *count = dealt < f->options.folds ? dealt : f->options.folds;
    }
    const bool enough = order && folds;
    det_free(order);
    det_free(folds);
    return enough ? DET_OK : det_fail_memory(error, "the folds of pictures");
}

/* Adds the losses of a fold, held out, for each decay: from much decay to little, each fit
 * beginning where the last one ended. */
static det_status try_decays(fit *f, int fold, pair losses[DECAYS + 1], det_error *error)
{
    pair held;
    memset(f->weights, 0, f->functions * f->columns * sizeof *f->weights);
    lose_rows(f, f->weights, fold, &held);
    losses[DECAYS].locations += held.locations;
    losses[DECAYS].logits += held.logits;
    for (size_t i = 0; i < DECAYS; i++) {
        const det_status status = minimize(f, fold, (pair){decays[i], decays[i]}, error);
        if (status < 0) return status;
        lose_rows(f, f->weights, fold, &held);
        losses[i].locations += held.locations;
        losses[i].logits += held.logits;
    }
    return DET_OK;
}

/* Of equal losses the bare priors', then that of more decay. */
static pair best_decay(const pair losses[DECAYS + 1])
{
    pair best = {INFINITY, INFINITY}, least = losses[DECAYS];
    for (size_t i = 0; i < DECAYS; i++) {
        if (losses[i].locations < least.locations) {
            least.locations = losses[i].locations;
            best.locations = decays[i];
        }
        if (losses[i].logits < least.logits) {
            least.logits = losses[i].logits;
            best.logits = decays[i];
        }
    }
    return best;
}

static det_status choose_decay(fit *f, pair *decay, det_error *error)
{
    *decay = (pair){f->options.l2_locations, f->options.l2_logits};
    if (decay->locations > 0 && decay->logits > 0) return DET_OK;
    pair losses[DECAYS + 1] = {{0}}, best = {INFINITY, INFINITY};
    size_t folds;
    det_status status = deal_folds(f, &folds, error);
    for (size_t i = 0; status == DET_OK && folds > 1 && i < folds; i++)
        status = try_decays(f, (int)i, losses, error);
    if (status < 0) return status;
    if (folds > 1) best = best_decay(losses);
    if (!(decay->locations > 0)) decay->locations = best.locations;
    if (!(decay->logits > 0)) decay->logits = best.logits;
    return DET_OK;
}

/* ---- The fit -------------------------------------------------------------------------------- */

/* Matches the predictions of the weights at hand. @return whether a match changed. */
static det_status match_anew(fit *f, size_t *before, bool *changed, det_error *error)
{
    const size_t bytes = f->examples->first_object[f->examples->count] * sizeof *f->matches;
    if (bytes > 0) memcpy(before, f->matches, bytes);
    det_blas_outputs(f->codes, f->row_count, f->weights, f->functions, f->columns, f->outputs);
    const det_status status = match_all(f, true, error);
    *changed = bytes > 0 && memcmp(before, f->matches, bytes) != 0;
    return status;
}

static det_status match_in_rounds(fit *f, pair decay, det_error *error)
{
    size_t *before =
        det_alloc_zeroed(f->examples->first_object[f->examples->count], sizeof *before);
    if (!before) return det_fail_memory(error, "the matches of objects");
    bool changed = true;
    det_status status = DET_OK;
    for (int round = 0; status == DET_OK && round < f->options.rounds; round++) {
        status = match_anew(f, before, &changed, error);
        if (status < 0 || !changed) break;
        status = minimize(f, NO_FOLD, decay, error);
    }
    det_free(before);
    return status;
}

/* Weights of features as they are. */
static det_status hand_over(fit *f, det_multibox_head *head, det_error *error)
{
    const size_t width = f->examples->width, rank = f->columns - 1;
    float *scaled = det_alloc_array(f->functions, rank * sizeof *scaled);
    head->width = width;
    head->weights = det_alloc_zeroed(f->functions, width * sizeof *head->weights);
    head->biases = det_alloc_array(f->functions, sizeof *head->biases);
    const bool enough = scaled && head->weights && head->biases;
    if (enough) {
        for (size_t i = 0; i < f->functions; i++)
            for (size_t j = 0; j < rank; j++)
                scaled[i * rank + j] = f->weights[i * f->columns + j] * f->scale;
        det_blas_gradients(scaled, rank, f->functions, f->basis, width, head->weights);
        for (size_t i = 0; i < f->functions; i++) {
            double bias = (double)f->weights[i * f->columns + rank];
            for (size_t j = 0; j < width; j++)
                bias -= (double)head->weights[i * width + j] * (double)f->mean[j];
            head->biases[i] = (float)bias;
        }
        head->priors = f->priors;
        f->priors = (det_multibox_priors){0};
    }
    det_free(scaled);
    return enough ? DET_OK : det_fail_memory(error, "a MultiBox head");
}

static det_status fit_head(fit *f, det_multibox_head *head, det_error *error)
{
    pair decay, held;
    det_status status = choose_decay(f, &decay, error);
    if (status < 0) return status;
    for (size_t r = 0; r < f->row_count; r++) f->folds[r] = 0;
    memset(f->weights, 0, f->functions * f->columns * sizeof *f->weights);
    status = minimize(f, NO_FOLD, decay, error);
    if (status == DET_OK && f->options.match_predictions) status = match_in_rounds(f, decay, error);
    if (status < 0) return status;
    const pair learned = lose_rows(f, f->weights, NO_FOLD, &held);
    head->loss = (learned.locations + learned.logits) / (double)f->row_count;
    head->l2_locations = decay.locations;
    head->l2_logits = decay.logits;
    return hand_over(f, head, error);
}

/* ---- Room ----------------------------------------------------------------------------------- */

static void release(fit *f)
{
    det_free(f->places);
    det_free(f->mean);
    det_free(f->basis);
    det_free(f->codes);
    det_multibox_priors_free(&f->priors);
    det_free(f->matches);
    det_free(f->folds);
    det_free(f->weights);
    det_free(f->trial);
    det_free(f->gradient);
    det_free(f->outputs);
    det_free(f->slopes);
    det_free(f->of_row);
    det_free(f->row_slopes);
}

static det_status list_rows(fit *f, const bool *seen, det_error *error)
{
    f->places = det_alloc_array(f->examples->count, sizeof *f->places);
    f->folds = det_alloc_zeroed(f->examples->count, sizeof *f->folds);
    if (!f->places || !f->folds) return det_fail_memory(error, "the rows of pictures");
    for (size_t i = 0; i < f->examples->count; i++)
        if (!seen || seen[i]) f->places[f->row_count++] = i;
    return DET_OK;
}

static det_status allocate_features(fit *f, det_error *error)
{
    const size_t width = f->examples->width;
    size_t rank = f->options.rank < width ? f->options.rank : width;
    if (rank > f->row_count) rank = f->row_count;
    f->columns = rank + 1;
    f->mean = det_alloc_array(width, sizeof *f->mean);
    f->basis = det_alloc_array(rank, width * sizeof *f->basis);
    f->codes = det_alloc_array(f->row_count, f->columns * sizeof *f->codes);
    if (f->mean && f->basis && f->codes) return DET_OK;
    return det_fail_memory(error, "the features of pictures");
}

static det_status allocate_outputs(fit *f, det_error *error)
{
    const size_t objects = f->examples->first_object[f->examples->count];
    f->functions = OUTPUTS * f->priors.count;
    const size_t of_row = f->functions * sizeof(float), of_column = f->columns * sizeof(float);
    f->matches = det_alloc_zeroed(objects, sizeof *f->matches);
    f->weights = det_alloc_array(f->functions, of_column);
    f->trial = det_alloc_array(f->functions, of_column);
    f->gradient = det_alloc_array(f->functions, of_column);
    f->outputs = det_alloc_zeroed(f->row_count, of_row);
    f->slopes = det_alloc_array(f->row_count, of_row);
    f->of_row = det_alloc(of_row);
    f->row_slopes = det_alloc(of_row);
    if (f->matches && f->weights && f->trial && f->gradient && f->outputs && f->slopes &&
        f->of_row && f->row_slopes)
        return DET_OK;
    return det_fail_memory(error, "a MultiBox head");
}

/* ---- Options -------------------------------------------------------------------------------- */

static void fill_defaults(det_multibox_fit_options *o)
{
    if (o->priors == 0) o->priors = DET_MULTIBOX_DEFAULT_PRIORS;
    if (o->alpha == 0) o->alpha = .3;
    if (o->rounds == 0) o->rounds = 5;
    if (o->rank == 0) o->rank = 64;
    if (o->folds == 0) o->folds = 3;
    if (o->iterations == 0) o->iterations = 60;
}

static det_status check_options(const det_multibox_fit_options *o, det_error *error)
{
    if (!(o->alpha > 0 && isfinite(o->alpha)))
        return det_fail(error, DET_ARGUMENT, "alpha is %g: it must be above 0", o->alpha);
    if (!(o->l2_locations >= 0 && o->l2_logits >= 0))
        return det_fail(error, DET_ARGUMENT, "l2 is %g and %g: it must not be negative",
                        o->l2_locations, o->l2_logits);
    if (o->rounds < 0 || o->iterations < 0)
        return det_fail(error, DET_ARGUMENT, "%d rounds of %d iterations: at least one of either",
                        o->rounds, o->iterations);
    return DET_OK;
}

static det_status prepare(fit *f, const bool *seen, det_error *error)
{
    det_status status = list_rows(f, seen, error);
    if (status == DET_OK) status = find_priors(f, error);
    if (status == DET_OK) status = check_features(f, error);
    if (status == DET_OK) status = allocate_features(f, error);
    if (status == DET_OK) status = allocate_outputs(f, error);
    if (status == DET_OK) status = reduce_features(f, error);
    if (status == DET_OK) status = match_all(f, false, error);
    if (status == DET_OK) count_odds(f);
    return status;
}

det_status det_fit_multibox(const det_multibox_examples *examples, const bool *seen,
                            const det_multibox_fit_options *options, const det_run *run,
                            det_multibox_head *head, det_error *error)
{
    fit f = {.examples = examples, .options = *options, .run = run};
    *head = (det_multibox_head){0};
    fill_defaults(&f.options);
    f.total = f.options.folds * DECAYS + 1 +
              (f.options.match_predictions ? (uint64_t)f.options.rounds : 0);
    det_status status = check_options(&f.options, error);
    if (status == DET_OK) status = prepare(&f, seen, error);
    if (status == DET_OK) status = fit_head(&f, head, error);
    release(&f);
    return status;
}
