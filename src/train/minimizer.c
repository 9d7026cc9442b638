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

float *det_minimizer_start(det_minimizer *m)
{
    return m->trial;
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

/* ---- State ---------------------------------------------------------------------------------- */

/* What a state begins with; the vectors follow. */
typedef struct {
    uint64_t count, pairs;
    double value, slope, step, products[HISTORY];
    int64_t iterations, steps, begun, done;
} numbers;

enum { POINTS = 4 };

/* Of these pairs that many are still known. */
static size_t known(uint64_t pairs)
{
    return pairs < HISTORY ? (size_t)pairs : HISTORY;
}

static size_t state_size(size_t count, uint64_t pairs)
{
    return sizeof(numbers) + (POINTS + 2 * known(pairs)) * count * sizeof(float);
}

size_t det_minimizer_state_size(const det_minimizer *m)
{
    return state_size(m->count, m->pairs);
}

/* The vectors of a state in their order: POINTS + 2 * HISTORY of them. */
static void list_vectors(const det_minimizer *m, float *vectors[POINTS + 2 * HISTORY])
{
    float *const points[POINTS] = {m->best, m->gradient, m->direction, m->trial};
    memcpy(vectors, points, sizeof points);
    for (int i = 0; i < HISTORY; i++) {
        vectors[POINTS + 2 * i] = m->moves[i];
        vectors[POINTS + 2 * i + 1] = m->changes[i];
    }
}

void det_minimizer_save(const det_minimizer *m, void *state)
{
    numbers n = {.count = m->count,
                 .pairs = m->pairs,
                 .value = m->value,
                 .slope = m->slope,
                 .step = m->step,
                 .iterations = m->iterations,
                 .steps = m->steps,
                 .begun = m->begun,
                 .done = m->done};
    float *vectors[POINTS + 2 * HISTORY];
    const size_t bytes = m->count * sizeof(float);
    uint8_t *to = state;
    memcpy(n.products, m->products, sizeof n.products);
    memcpy(to, &n, sizeof n);
    to += sizeof n;
    list_vectors(m, vectors);
    for (size_t i = 0; i < POINTS + 2 * known(m->pairs); i++, to += bytes)
        memcpy(to, vectors[i], bytes);
}

bool det_minimizer_restore(det_minimizer *m, const void *state, size_t size)
{
    numbers n;
    float *vectors[POINTS + 2 * HISTORY];
    const size_t bytes = m->count * sizeof(float);
    const uint8_t *from = state;
    if (size < sizeof n) return false;
    memcpy(&n, from, sizeof n);
    from += sizeof n;
    if (n.count != m->count || size != state_size(m->count, n.pairs) || n.iterations < 0 ||
        n.iterations > m->options.iterations || n.steps < 0 || n.steps > MOST_STEPS)
        return false;
    m->pairs = (size_t)n.pairs;
    m->value = n.value;
    m->slope = n.slope;
    m->step = n.step;
    m->iterations = (int)n.iterations;
    m->steps = (int)n.steps;
    m->begun = n.begun != 0;
    m->done = n.done != 0;
    memcpy(m->products, n.products, sizeof n.products);
    list_vectors(m, vectors);
    for (size_t i = 0; i < POINTS + 2 * known(n.pairs); i++, from += bytes)
        memcpy(vectors[i], from, bytes);
    return true;
}
