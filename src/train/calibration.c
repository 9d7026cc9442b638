/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/calibration.h"

#include <math.h>

enum { MOST_ROUNDS = 100 };

/* ---- Temperature ---------------------------------------------------------------------------- */

/* First and second derivative of the loss by the inverse temperature. Of one example they are the
 * mean of the outputs minus the true one, and the variance of the outputs, both under the
 * probabilities. */
typedef struct {
    double first, second;
} derivatives;

static derivatives differentiate_example(const float *outputs, size_t label, size_t class_count,
                                         double inverse)
{
    double most = (double)outputs[0], total = 0, sum = 0, squares = 0;
    for (size_t i = 1; i < class_count; i++) most = fmax(most, (double)outputs[i]);
    for (size_t i = 0; i < class_count; i++) {
        const double below = (double)outputs[i] - most, share = exp(inverse * below);
        total += share;
        sum += share * below;
        squares += share * below * below;
    }
    const double mean = sum / total;
    return (derivatives){mean - ((double)outputs[label] - most), squares / total - mean * mean};
}

static derivatives differentiate(const float *outputs, const size_t *labels, size_t example_count,
                                 size_t class_count, double inverse)
{
    derivatives sum = {0};
    for (size_t i = 0; i < example_count; i++) {
        const derivatives one =
            differentiate_example(outputs + i * class_count, labels[i], class_count, inverse);
        sum.first += one.first;
        sum.second += one.second;
    }
    return sum;
}

/* The slope rises with the inverse temperature. Where Newton's step leaves the interval in which
 * it changes its sign, half of the interval is taken away instead. */
double det_fit_temperature(const float *outputs, const size_t *labels, size_t example_count,
                           size_t class_count)
{
    double low = 1 / DET_TEMPERATURE_MAX, high = 1 / DET_TEMPERATURE_MIN, at = 1;
    if (example_count == 0) return at;
    for (int round = 0; round < MOST_ROUNDS && high - low > 1e-9 * low; round++) {
        const derivatives d = differentiate(outputs, labels, example_count, class_count, at);
        if (d.first == 0) break;
        *(d.first > 0 ? &high : &low) = at;
        const double next = at - d.first / d.second, before = at;
        at = next > low && next < high ? next : sqrt(low * high);
        if (fabs(at - before) <= 1e-9 * at) break;
    }
    return 1 / at;
}

/* ---- Sigmoid -------------------------------------------------------------------------------- */

/* Scores with the probabilities that are aimed at. */
typedef struct {
    const float *scores;
    const bool *positive;
    size_t count;
    double high, low; /* aims of positive and negative examples */
} aims;

static double aim_of(const aims *a, size_t i)
{
    return a->positive[i] ? a->high : a->low;
}

/* Both branches are the same number; each is exact where it is taken. */
static double sigmoid_loss(const aims *a, det_sigmoid s)
{
    double loss = 0;
    for (size_t i = 0; i < a->count; i++) {
        const double x = (double)a->scores[i] * s.slope + s.offset, aim = aim_of(a, i);
        loss += x >= 0 ? aim * x + log1p(exp(-x)) : (aim - 1) * x + log1p(exp(x));
    }
    return loss;
}

/* The gradient of the loss and its Hessian, whose diagonal is raised a little so that it can be
 * inverted. */
typedef struct {
    double slope, offset;
    double slope_slope, slope_offset, offset_offset;
} curvature;

static curvature curve_of(const aims *a, det_sigmoid s)
{
    const double ridge = 1e-12;
    curvature c = {.slope_slope = ridge, .offset_offset = ridge};
    for (size_t i = 0; i < a->count; i++) {
        const double score = (double)a->scores[i], p = det_sigmoid_probability(s, score);
        const double missing = aim_of(a, i) - p, weight = p * (1 - p);
        c.slope += score * missing;
        c.offset += missing;
        c.slope_slope += score * score * weight;
        c.slope_offset += score * weight;
        c.offset_offset += weight;
    }
    return c;
}

/* Along Newton's direction, halved until the loss falls. @return whether it does. */
static bool step(const aims *a, const curvature *c, det_sigmoid *s, double *loss)
{
    const double det = c->slope_slope * c->offset_offset - c->slope_offset * c->slope_offset;
    const double slope = -(c->offset_offset * c->slope - c->slope_offset * c->offset) / det;
    const double offset = -(c->slope_slope * c->offset - c->slope_offset * c->slope) / det;
    const double promised = c->slope * slope + c->offset * offset;
    for (int halvings = 0; halvings < 34; halvings++) { /* down to 1e-10 */
        const double size = ldexp(1, -halvings);
        const det_sigmoid next = {s->slope + size * slope, s->offset + size * offset};
        const double lower = sigmoid_loss(a, next);
        if (!(lower < *loss + 1e-4 * size * promised)) continue;
        *s = next;
        *loss = lower;
        return true;
    }
    return false;
}

det_sigmoid det_fit_sigmoid(const float *scores, const bool *positive, size_t count)
{
    double positives = 0;
    for (size_t i = 0; i < count; i++) positives += positive[i];
    const double negatives = (double)count - positives;
    const aims a = {scores, positive, count, (positives + 1) / (positives + 2),
                    1 / (negatives + 2)};
    det_sigmoid s = {0, log((negatives + 1) / (positives + 1))};
    double loss = sigmoid_loss(&a, s);
    for (int round = 0; round < MOST_ROUNDS; round++) {
        const curvature c = curve_of(&a, s);
        if (fabs(c.slope) < 1e-5 && fabs(c.offset) < 1e-5) break;
        if (!step(&a, &c, &s, &loss)) break;
    }
    return s;
}

double det_sigmoid_probability(det_sigmoid sigmoid, double score)
{
    const double x = sigmoid.slope * score + sigmoid.offset;
    return x >= 0 ? exp(-x) / (1 + exp(-x)) : 1 / (1 + exp(x));
}

/* ---- How far off ---------------------------------------------------------------------------- */

double det_calibration_error(const float *probabilities, const bool *truths, size_t count,
                             size_t bins)
{
    double claimed[DET_CALIBRATION_BINS_MAX] = {0}, found[DET_CALIBRATION_BINS_MAX] = {0};
    for (size_t i = 0; i < count; i++) {
        const double place = ceil((double)probabilities[i] * (double)bins) - 1;
        const size_t bin = place > 0 ? (size_t)place : 0;
        claimed[bin] += (double)probabilities[i];
        found[bin] += truths[i];
    }
    double sum = 0;
    for (size_t bin = 0; bin < bins; bin++) sum += fabs(claimed[bin] - found[bin]);
    return count > 0 ? sum / (double)count : 0;
}
