/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/svm_head.h"

#include "src/base/memory.h"
#include "src/base/parallel.h"
#include "src/base/run.h"
#include "src/train/dual_descent.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

enum { BLOCK = 256 };
/* R-CNN: negatives above the first are hard, those below the second are let go again. */
static const double hard_score = -1.0001, easy_score = -1.2;

/* What the machines of all classes share. */
typedef struct {
    const det_feature_rows *rows;
    const det_svm_examples *classes;
    size_t class_count;
    det_svm_options options; /* without zeros */
    const det_run *run;
    int threads;
    float scale;
    const det_svm_results *results;
    det_status *statuses; /* of each class */
    atomic_size_t done;   /* classes */
    atomic_bool stopped;
    det_error *error; /* of what stopped it */
} job;

/* The machine of a class, with the examples that it is trained on. */
typedef struct {
    job *j;
    const det_svm_examples *examples;
    int worker;
    det_dual dual;
    size_t capacity; /* examples that there is room for */
    float *features; /* capacity x width, scaled; as all below, what `dual` looks at */
    double *squares, *alphas;
    bool *positive;
    size_t *order, *sources; /* sources: places among the negatives; of positives unused */
    bool *collected;         /* of each negative */
    size_t fresh;            /* examples that it was not trained on */
    float *block;            /* BLOCK x width: negatives that are tried */
    double scores[BLOCK];
    det_random random;
    det_svm_report report;
} machine;

/* ---- Options -------------------------------------------------------------------------------- */

static void fill_defaults(det_svm_options *o)
{
    if (o->c == 0) o->c = .001;
    if (o->positive_weight == 0) o->positive_weight = 2;
    if (o->bias == 0) o->bias = 10;
    if (o->norm == 0) o->norm = 20;
    if (o->retrain_every == 0) o->retrain_every = 2000;
    if (o->passes == 0) o->passes = 1;
    if (o->tolerance == 0) o->tolerance = .01;
    if (o->rounds == 0) o->rounds = 1000;
}

static bool above_zero(double value)
{
    return value > 0 && isfinite(value);
}

static det_status check(const det_svm_options *o, det_error *error)
{
    if (above_zero(o->c) && above_zero(o->positive_weight) && above_zero(o->bias) &&
        above_zero(o->norm) && above_zero(o->tolerance) && o->passes > 0 && o->rounds > 0)
        return DET_OK;
    return det_fail(error, DET_ARGUMENT,
                    "support vector machines with C %g, positive weight %g, bias %g, norm %g, "
                    "tolerance %g, %d passes, %d rounds: all must be above 0",
                    o->c, o->positive_weight, o->bias, o->norm, o->tolerance, o->passes, o->rounds);
}

/* ---- The norm of features ------------------------------------------------------------------- */

typedef struct {
    const det_feature_rows *rows;
    float *room;   /* threads x width */
    double *norms; /* of each row */
} measuring;

static void measure_row(void *context, size_t row, int worker)
{
    const measuring *m = context;
    float *features = m->room + (size_t)worker * m->rows->width;
    m->rows->read(m->rows->context, row, features);
    m->norms[row] = sqrt((double)det_row_product(features, features, m->rows->width));
}

static det_status measure_scale(job *j, det_error *error)
{
    const size_t count = j->rows->count;
    measuring m = {.rows = j->rows,
                   .room = det_alloc_array(j->rows->width, (size_t)j->threads * sizeof(float)),
                   .norms = det_alloc_array(count, sizeof *m.norms)};
    double sum = 0;
    const bool enough = m.room && m.norms;
    if (enough) {
        det_parallel_for(count, j->threads, measure_row, &m);
        for (size_t i = 0; i < count; i++) sum += m.norms[i];
    }
    det_free(m.room);
    det_free(m.norms);
    j->scale = sum > 0 ? (float)(j->options.norm * (double)count / sum) : 1;
    return enough ? DET_OK : det_fail_memory(error, "the norms of features");
}

/* ---- Examples of a machine ------------------------------------------------------------------ */

static void read_scaled(const machine *m, uint32_t row, float *features)
{
    const det_feature_rows *rows = m->j->rows;
    rows->read(rows->context, row, features);
    for (size_t i = 0; i < rows->width; i++) features[i] *= m->j->scale;
}

static bool reserve(machine *m, size_t needed)
{
    const struct {
        void *array;
        size_t size;
    } arrays[] = {{&m->features, m->j->rows->width * sizeof *m->features},
                  {&m->squares, sizeof *m->squares},
                  {&m->alphas, sizeof *m->alphas},
                  {&m->positive, sizeof *m->positive},
                  {&m->order, sizeof *m->order},
                  {&m->sources, sizeof *m->sources}};
    size_t capacity = m->capacity;
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        capacity = m->capacity;
        if (!det_grow_array(arrays[i].array, &capacity, needed, arrays[i].size)) return false;
    }
    m->capacity = capacity;
    m->dual.rows = m->features;
    m->dual.squares = m->squares;
    m->dual.alphas = m->alphas;
    m->dual.positive = m->positive;
    m->dual.order = m->order;
    return true;
}

/* Takes the example whose features stand behind the others. */
static void take(machine *m, bool positive, size_t source)
{
    const size_t at = m->dual.count++, width = m->dual.width;
    const float *row = m->features + at * width;
    m->squares[at] = (double)det_row_product(row, row, width) + m->dual.bias * m->dual.bias;
    m->alphas[at] = 0;
    m->positive[at] = positive;
    m->sources[at] = source;
    m->fresh++;
}

static void drop_easy(machine *m)
{
    const size_t width = m->dual.width, count = m->dual.count;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const float *row = m->features + i * width;
        if (!m->positive[i] && m->alphas[i] <= 0 && det_dual_score(&m->dual, row) < easy_score) {
            m->collected[m->sources[i]] = false;
            continue;
        }
        memmove(m->features + kept * width, row, width * sizeof *row);
        m->squares[kept] = m->squares[i];
        m->alphas[kept] = m->alphas[i];
        m->positive[kept] = m->positive[i];
        m->sources[kept++] = m->sources[i];
    }
    m->dual.count = kept;
}

/* ---- Training ------------------------------------------------------------------------------- */

/* Whether to go on. One worker asks the caller, so that it is never asked by two at once. */
static bool goes_on(machine *m)
{
    job *j = m->j;
    if (m->worker == 0 && !atomic_load(&j->stopped) &&
        det_run_check(j->run, atomic_load(&j->done), j->class_count, j->error) < 0)
        atomic_store(&j->stopped, true);
    return !atomic_load(&j->stopped);
}

/* Ends where a round over all examples finds nothing to improve; those that are left out of rounds
 * in between get their turn when the others are done. */
static void train(machine *m)
{
    det_dual *dual = &m->dual;
    det_dual_activate_all(dual);
    for (int i = 0; i < m->j->options.rounds; i++) {
        if (!goes_on(m)) return;
        const bool all = dual->active == dual->count;
        const bool done = det_dual_descend(dual, &m->random) <= m->j->options.tolerance;
        m->report.rounds++;
        if (done && all) break;
        if (done) det_dual_activate_all(dual);
    }
    m->report.trainings++;
    m->fresh = 0;
}

/* ---- Negatives that are hard ---------------------------------------------------------------- */

typedef struct {
    machine *m;
    size_t first; /* of the block */
} trial;

static void try_negative(void *context, size_t index, int worker)
{
    (void)worker;
    const trial *t = context;
    machine *m = t->m;
    if (m->collected[t->first + index]) return;
    float *row = m->block + index * m->dual.width;
    read_scaled(m, m->examples->negatives[t->first + index], row);
    m->scores[index] = det_dual_score(&m->dual, row);
}

static bool try_block(machine *m, size_t first, size_t count)
{
    const size_t width = m->dual.width;
    det_parallel_for(count, m->j->threads, try_negative, &(trial){m, first});
    if (!reserve(m, m->dual.count + count)) return false;
    for (size_t i = 0; i < count; i++) {
        if (m->collected[first + i] || !(m->scores[i] > hard_score)) continue;
        memcpy(m->features + m->dual.count * width, m->block + i * width,
               width * sizeof *m->features);
        m->collected[first + i] = true;
        take(m, false, first + i);
        m->report.added++;
    }
    return true;
}

/* A pass over the negatives. */
static bool pass(machine *m)
{
    const size_t count = m->examples->negative_count;
    for (size_t first = 0; first < count && goes_on(m); first += BLOCK) {
        if (!try_block(m, first, count - first < BLOCK ? count - first : BLOCK)) return false;
        if (m->fresh < m->j->options.retrain_every) continue;
        train(m);
        drop_easy(m);
    }
    if (m->fresh > 0) train(m);
    return true;
}

/* ---- A class -------------------------------------------------------------------------------- */

static void free_machine(machine *m)
{
    det_free(m->features);
    det_free(m->squares);
    det_free(m->alphas);
    det_free(m->positive);
    det_free(m->order);
    det_free(m->sources);
    det_free(m->collected);
    det_free(m->block);
    det_free(m->dual.weights);
}

static bool prepare(machine *m)
{
    const size_t width = m->j->rows->width;
    const det_svm_options *o = &m->j->options;
    const double own = m->examples->positive_weight;
    m->dual.width = width;
    m->dual.bias = o->bias;
    m->dual.bounds[false] = o->c;
    m->dual.bounds[true] = o->c * (own > 0 ? own : o->positive_weight);
    m->dual.weights = det_alloc_zeroed(width, sizeof *m->dual.weights);
    m->block = det_alloc_array(width, BLOCK * sizeof *m->block);
    m->collected = det_alloc_zeroed(m->examples->negative_count, sizeof *m->collected);
    if (!m->dual.weights || !m->block || !m->collected || !reserve(m, m->examples->positive_count))
        return false;
    for (size_t i = 0; i < m->examples->positive_count; i++) {
        read_scaled(m, m->examples->positives[i], m->features + i * width);
        take(m, true, 0);
    }
    m->fresh = 0; /* they wait for the first negatives */
    return true;
}

static void hand_over(machine *m, size_t class_id)
{
    job *j = m->j;
    for (size_t i = 0; i < m->dual.width; i++)
        j->results->weights[class_id * m->dual.width + i] = m->dual.weights[i] * j->scale;
    j->results->biases[class_id] = (float)(m->dual.offset * m->dual.bias);
    for (size_t i = 0; i < m->dual.count; i++) m->report.kept += !m->positive[i];
    if (j->results->reports) j->results->reports[class_id] = m->report;
}

static void train_class(void *context, size_t class_id, int worker)
{
    job *j = context;
    machine m = {.j = j,
                 .examples = &j->classes[class_id],
                 .worker = worker,
                 .random = det_random_create(j->options.seed, class_id)};
    bool enough = goes_on(&m) && prepare(&m);
    for (int i = 0; i < j->options.passes && enough; i++) enough = pass(&m);
    if (enough && m.report.trainings == 0) train(&m);
    if (enough) hand_over(&m, class_id);
    if (!enough) j->statuses[class_id] = DET_MEMORY;
    free_machine(&m);
    atomic_fetch_add(&j->done, 1);
}

/* ---- All classes ---------------------------------------------------------------------------- */

static det_status train_classes(job *j, det_error *error)
{
    det_parallel_for(j->class_count, j->threads, train_class, j);
    if (atomic_load(&j->stopped)) return DET_CANCELLED;
    for (size_t c = 0; c < j->class_count; c++)
        if (j->statuses[c] < 0) return det_fail_memory(error, "a support vector machine");
    return det_run_check(j->run, j->class_count, j->class_count, error);
}

det_status det_fit_svms(const det_feature_rows *rows, const det_svm_examples *classes,
                        size_t class_count, const det_svm_options *options, const det_run *run,
                        const det_svm_results *results, det_error *error)
{
    job j = {.rows = rows,
             .classes = classes,
             .class_count = class_count,
             .options = options ? *options : (det_svm_options){0},
             .run = run,
             .threads = det_resolve_threads(run ? run->threads : 0),
             .results = results,
             .error = error};
    fill_defaults(&j.options);
    det_status status = check(&j.options, error);
    if (status == DET_OK) status = measure_scale(&j, error);
    if (status < 0) return status;
    j.statuses = det_alloc_zeroed(class_count, sizeof *j.statuses);
    status =
        j.statuses ? train_classes(&j, error) : det_fail_memory(error, "support vector machines");
    det_free(j.statuses);
    return status;
}
