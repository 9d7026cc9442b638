/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/minimizer.h"

#include "src/base/memory.h"

#include <math.h>
#include <string.h>

enum { HISTORY = 10, MOST_STEPS = 20 };

/* A step must lower the function by this share of what its slope promises (Armijo). */
static const double sufficient = 1e-4;

struct det_minimizer {
    det_minimizer_options options;
    size_t count;
    float *best, *gradient; /* the last point that was accepted */
    float *direction, *trial;
    float *moves[HISTORY], *changes[HISTORY]; /* of points and of gradients; a ring */
    double products[HISTORY];                 /* of each pair */
    size_t pairs;                             /* ever stored */
    double value, slope, step;
    int iterations, steps; /* steps: of the line search */
    bool begun, done;
};

static double dot(const float *a, const float *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += (double)a[i] * b[i];
    return sum;
}

static void add_scaled(float *to, double factor, const float *from, size_t count)
{
    for (size_t i = 0; i < count; i++) to[i] += (float)(factor * from[i]);
}

det_status det_minimizer_create(size_t count, const det_minimizer_options *options,
                                det_minimizer **minimizer, det_error *error)
{
    det_minimizer *m = det_alloc_zeroed(1, sizeof *m);
    if (!m) return det_fail_memory(error, "a minimisation");
    m->options = *options;
    m->count = count;
    float **const vectors[] = {&m->best, &m->gradient, &m->direction, &m->trial};
    bool enough = true;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        enough = (*vectors[i] = det_alloc_zeroed(count, sizeof(float))) && enough;
    for (int i = 0; i < HISTORY; i++) {
        m->moves[i] = det_alloc_array(count, sizeof(float));
        m->changes[i] = det_alloc_array(count, sizeof(float));
        enough = enough && m->moves[i] && m->changes[i];
    }
    if (enough) {
        *minimizer = m;
        return DET_OK;
    }
    det_minimizer_free(m);
    return det_fail_memory(error, "a minimisation");
}

void det_minimizer_free(det_minimizer *m)
{
    if (!m) return;
    for (int i = 0; i < HISTORY; i++) {
        det_free(m->moves[i]);
        det_free(m->changes[i]);
    }
    det_free(m->best);
    det_free(m->gradient);
    det_free(m->direction);
    det_free(m->trial);
    det_free(m);
}

bool det_minimizer_is_done(const det_minimizer *m)
{
    return m->done;
}

const float *det_minimizer_point(const det_minimizer *m)
{
    return m->done ? m->best : m->trial;
}

/* The two loops of algorithm 7.4: direction = -H gradient. */
static void choose_direction(det_minimizer *m)
{
    const size_t first = m->pairs > HISTORY ? m->pairs - HISTORY : 0;
    double shares[HISTORY];
    for (size_t i = 0; i < m->count; i++) m->direction[i] = -m->gradient[i];
    for (size_t i = m->pairs; i-- > first;) {
        const size_t at = i % HISTORY;
        shares[at] = dot(m->moves[at], m->direction, m->count) / m->products[at];
        add_scaled(m->direction, -shares[at], m->changes[at], m->count);
    }
    if (m->pairs > 0) {
        const size_t last = (m->pairs - 1) % HISTORY;
        const double scale = m->products[last] / dot(m->changes[last], m->changes[last], m->count);
        for (size_t i = 0; i < m->count; i++) m->direction[i] = (float)(m->direction[i] * scale);
    }
    for (size_t i = first; i < m->pairs; i++) {
        const size_t at = i % HISTORY;
        const double share = dot(m->changes[at], m->direction, m->count) / m->products[at];
        add_scaled(m->direction, shares[at] - share, m->moves[at], m->count);
    }
}

static void take_step(det_minimizer *m, double step)
{
    m->step = step;
    memcpy(m->trial, m->best, m->count * sizeof *m->trial);
    add_scaled(m->trial, step, m->direction, m->count);
}

static void begin_search(det_minimizer *m)
{
    choose_direction(m);
    m->slope = dot(m->direction, m->gradient, m->count);
    m->steps = 0;
    if (!(m->slope < 0)) {
        m->done = true;
        return;
    }
    /* Without a history the length of the gradient says nothing: a step of 1. */
    take_step(m, m->pairs > 0 ? 1 : 1 / sqrt(-m->slope));
}

/* Where the parabola through value, slope and the value at the step has its least, within bounds.
 */
static double shorten(const det_minimizer *m, double value)
{
    const double curve = 2 * (value - m->value - m->slope * m->step);
    const double step = -m->slope * m->step * m->step / curve;
    if (!isfinite(step) || step > .5 * m->step) return .5 * m->step;
    return step < .1 * m->step ? .1 * m->step : step;
}

static void remember(det_minimizer *m, const float *gradient)
{
    const size_t at = m->pairs % HISTORY;
    for (size_t i = 0; i < m->count; i++) {
        m->moves[at][i] = m->trial[i] - m->best[i];
        m->changes[at][i] = gradient[i] - m->gradient[i];
    }
    m->products[at] = dot(m->moves[at], m->changes[at], m->count);
    if (m->products[at] > 0) m->pairs++;
}

static void accept(det_minimizer *m, double value, const float *gradient)
{
    const double gain = m->value - value;
    if (m->begun) remember(m, gradient);
    memcpy(m->best, m->trial, m->count * sizeof *m->best);
    memcpy(m->gradient, gradient, m->count * sizeof *m->gradient);
    m->value = value;
    if (m->begun)
        m->done =
            ++m->iterations >= m->options.iterations || gain <= m->options.tolerance * fabs(value);
    m->begun = true;
    if (!m->done) begin_search(m);
}

void det_minimizer_tell(det_minimizer *m, double value, const float *gradient)
{
    if (m->done) return;
    if (!m->begun || value <= m->value + sufficient * m->step * m->slope)
        accept(m, value, gradient);
    else if (++m->steps >= MOST_STEPS)
        m->done = true;
    else
        take_step(m, shorten(m, value));
}
