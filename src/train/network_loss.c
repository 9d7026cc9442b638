/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/network_loss.h"

#include "src/base/parallel.h"

#include <inttypes.h>
#include <math.h>

enum { DELTAS = DET_BOX_DELTAS, CHUNKS = 64, LANES = 8 };

const float det_delta_deviations[DELTAS] = {.1f, .1f, .2f, .2f};

det_status det_loss_check(const char *name, double loss, uint64_t step, det_error *error)
{
    if (isfinite(loss)) return DET_OK;
    return det_fail(error, DET_ARGUMENT,
                    "the loss of %s is %g in step %" PRIu64 ": the learning rate may be too high",
                    name, loss, step);
}

/* ---- Labels --------------------------------------------------------------------------------- */

static size_t find_greatest(const float *values, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (values[i] > values[best]) best = i;
    return best;
}

/* log of the sum of exp(scale * (values[i] - most)) */
static double log_sum(const float *values, size_t count, double most, double scale)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += exp(scale * ((double)values[i] - most));
    return log(sum);
}

/* The derivative of -log p[label] by output i is p[i] - [i = label]. */
static void add_label_gradient(const float *values, size_t count, size_t label, double log_all,
                               double factor, float *gradients)
{
    for (size_t i = 0; i < count; i++) {
        const double aim = i == label ? 1 : 0;
        gradients[i] += (float)(factor * (exp((double)values[i] - log_all) - aim));
    }
}

det_label_loss det_lose_labels(const det_loss_outputs *outputs, const size_t *labels,
                               const float *weights, double factor)
{
    det_label_loss sum = {0};
    for (size_t r = 0; r < outputs->row_count; r++) {
        const double weight = weights ? (double)weights[r] : 1;
        if (weight == 0) continue;
        const size_t at = r * outputs->width;
        const float *values = outputs->values + at;
        const size_t best = find_greatest(values, outputs->width);
        const double most = (double)values[best];
        const double log_all = most + log_sum(values, outputs->width, most, 1);
        sum.loss += weight * (log_all - (double)values[labels[r]]);
        sum.right += best == labels[r];
        if (outputs->gradients)
            add_label_gradient(values, outputs->width, labels[r], log_all, factor * weight,
                               outputs->gradients + at);
    }
    sum.loss *= factor;
    return sum;
}

/* ---- Teacher -------------------------------------------------------------------------------- */

/* The softmax of a row divided by the temperature, as what its logarithms need. */
typedef struct {
    const float *values;
    double scale, most, log_all;
} soft;

static soft make_soft(const float *values, size_t count, double scale)
{
    const double most = (double)values[find_greatest(values, count)];
    return (soft){values, scale, most, log_sum(values, count, most, scale)};
}

static double log_share(const soft *s, size_t i)
{
    return s->scale * ((double)s->values[i] - s->most) - s->log_all;
}

/* The derivative of the sum of q log(q / p) by output i is (p - q) / T.
 * @return that sum. */
static double lose_soft(const soft *p, const soft *q, size_t count, double slope, float *gradients)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        const double log_q = log_share(q, i), log_p = log_share(p, i), share = exp(log_q);
        if (share > 0) sum += share * (log_q - log_p);
        if (gradients) gradients[i] += (float)(slope * (exp(log_p) - share));
    }
    return sum;
}

double det_lose_teacher(const det_loss_outputs *outputs, const float *teacher, double temperature,
                        double factor)
{
    double sum = 0;
    for (size_t r = 0; r < outputs->row_count; r++) {
        const size_t at = r * outputs->width;
        const soft p = make_soft(outputs->values + at, outputs->width, 1 / temperature);
        const soft q = make_soft(teacher + at, outputs->width, 1 / temperature);
        sum += lose_soft(&p, &q, outputs->width, factor * temperature,
                         outputs->gradients ? outputs->gradients + at : NULL);
    }
    return factor * temperature * temperature * sum;
}

/* ---- Boxes ---------------------------------------------------------------------------------- */

/* s(x); *slope receives its derivative. */
static double smooth(double x, double *slope)
{
    if (fabs(x) < 1) {
        *slope = x;
        return x * x / 2;
    }
    *slope = x < 0 ? -1 : 1;
    return fabs(x) - .5;
}

double det_lose_boxes(const det_loss_outputs *outputs, const size_t *labels,
                      const float (*moves)[DELTAS], double factor)
{
    double sum = 0;
    for (size_t r = 0; r < outputs->row_count; r++) {
        if (labels[r] >= outputs->width / DELTAS) continue;
        for (size_t i = 0; i < DELTAS; i++) {
            const size_t at = r * outputs->width + DELTAS * labels[r] + i;
            const double aim = (double)moves[r][i] / (double)det_delta_deviations[i];
            double slope;
            sum += smooth((double)outputs->values[at] - aim, &slope);
            if (outputs->gradients) outputs->gradients[at] += (float)(factor * slope);
        }
    }
    return factor * sum;
}

/* ---- Features ------------------------------------------------------------------------------- */

typedef struct {
    const det_loss_outputs *outputs;
    const float *teacher;
    float factor;
    double sums[CHUNKS];
} features;

static double sum_squares(const float *values, const float *teacher, size_t count)
{
    double sums[LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++) {
            const double difference = (double)values[i + lane] - (double)teacher[i + lane];
            sums[lane] += difference * difference;
        }
    for (; i < count; i++) {
        const double difference = (double)values[i] - (double)teacher[i];
        sum += difference * difference;
    }
    for (size_t lane = 0; lane < LANES; lane++) sum += sums[lane];
    return sum;
}

static void add_difference(float *restrict gradients, const float *restrict values,
                           const float *restrict teacher, float factor, size_t count)
{
    for (size_t i = 0; i < count; i++) gradients[i] += factor * (values[i] - teacher[i]);
}

/* Chunk `index` of CHUNKS equal ones, however many threads there are. */
static void lose_chunk(void *context, size_t index, int worker)
{
    (void)worker;
    features *f = context;
    const size_t all = f->outputs->row_count * f->outputs->width, most = all / CHUNKS + 1;
    const size_t first = index * most < all ? index * most : all;
    const size_t count = all - first < most ? all - first : most;
    const float *values = f->outputs->values + first, *teacher = f->teacher + first;
    f->sums[index] = sum_squares(values, teacher, count);
    if (f->outputs->gradients)
        add_difference(f->outputs->gradients + first, values, teacher, f->factor, count);
}

double det_lose_features(const det_loss_outputs *outputs, const float *teacher, double factor,
                         int threads)
{
    features f = {.outputs = outputs, .teacher = teacher, .factor = (float)factor};
    double sum = 0;
    det_parallel_for(CHUNKS, threads, lose_chunk, &f);
    for (size_t i = 0; i < CHUNKS; i++) sum += f.sums[i];
    return factor * sum / 2;
}
