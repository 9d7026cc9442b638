/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of activations, from histograms. With the limit t, values become multiples of t / 255:
 * a value x <= t is off by up to half a step, on average (t / 255)^2 / 12 squared; a larger one
 * becomes t. Zeros are exact. */
#include "src/detector/activation_range.h"

#include <math.h>

static void double_width(det_activation_range *range)
{
    for (int i = 0; i < DET_RANGE_BINS; i++) {
        const int from = 2 * i;
        range->counts[i] =
            from < DET_RANGE_BINS ? range->counts[from] + range->counts[from + 1] : 0;
    }
    range->width *= 2;
}

/* Makes room for `largest`. */
static void widen(det_activation_range *range, float largest)
{
    if (!(largest > 0)) return;
    if (range->width <= 0) range->width = exp2(ceil(log2((double)largest))) / DET_RANGE_BINS;
    while ((double)largest >= range->width * DET_RANGE_BINS) double_width(range);
}

void det_range_add(det_activation_range *range, const float *values, size_t count)
{
    float largest = 0;
    for (size_t i = 0; i < count; i++) {
        if (!(values[i] >= 0 && values[i] < INFINITY)) {
            range->negative = true;
            return;
        }
        largest = values[i] > largest ? values[i] : largest;
    }
    widen(range, largest);
    if (largest > range->largest) range->largest = largest;
    const float bins = range->width > 0 ? (float)(1 / range->width) : 0;
    for (size_t i = 0; i < count; i++) {
        if (values[i] > 0) range->counts[(int)(values[i] * bins)]++;
        range->sum += (double)values[i];
    }
    range->total += count;
}

static double percentile(const det_activation_range *range, double share)
{
    double total = 0, below = 0;
    for (int i = 0; i < DET_RANGE_BINS; i++) total += (double)range->counts[i];
    for (int i = 0; i < DET_RANGE_BINS; i++) {
        below += (double)range->counts[i];
        if (below >= share * total) return (i + 1) * range->width;
    }
    return (double)range->largest;
}

static double squared_error(const det_activation_range *range, double limit)
{
    const double rounding = limit / 255 * (limit / 255) / 12;
    double sum = 0;
    for (int i = 0; i < DET_RANGE_BINS; i++) {
        const double x = (i + .5) * range->width, beyond = x > limit ? x - limit : 0;
        sum += (double)range->counts[i] * (beyond > 0 ? beyond * beyond : rounding);
    }
    return sum;
}

/* Of 100 limits up to the largest value. */
static double least_error(const det_activation_range *range)
{
    enum { tried = 100 };
    double best = (double)range->largest, least = squared_error(range, best);
    for (int i = 1; i < tried; i++) {
        const double limit = (double)range->largest * i / tried;
        const double error = squared_error(range, limit);
        if (error < least) {
            least = error;
            best = limit;
        }
    }
    return best;
}

float det_range_limit(const det_activation_range *range, det_range_rule rule)
{
    const double largest = (double)range->largest;
    if (!(largest > 0)) return 0;
    if (rule == DET_RANGE_PERCENTILE) return (float)fmin(percentile(range, .9999), largest);
    return rule == DET_RANGE_ERROR ? (float)least_error(range) : range->largest;
}
