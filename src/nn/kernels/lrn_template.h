/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a normalisation; a file of a kind of processor defines and includes it:
 *   vector, BLOCK
 *   load(call, index), store(call, plane, index, vector)   of a block, `index` values into the map
 *   zero(), all(number), add(a, b), subtract(a, b), multiply(a, b)
 *   before(previous, here, n), behind(here, next, n)       lanes moved by n channels
 *   inverse_root_estimate(a)                               1 / sqrt(a), to 11 bits or more */
#include "src/nn/kernels/lrn.h"

/* 1 / sqrt(a): the estimate and a step of Newton's. */
static inline __attribute__((always_inline)) vector inverse_root(vector a)
{
    const vector r = inverse_root_estimate(a);
    const vector half = multiply(multiply(all(.5F), a), multiply(r, r));
    return multiply(r, subtract(all(1.5F), half));
}

/* With r = base^(-1/2): r * sqrt(r) = r * r / sqrt(r). */
static inline __attribute__((always_inline)) vector to_minus_three_quarters(vector base)
{
    const vector r = inverse_root(base);
    return multiply(multiply(r, r), inverse_root(r));
}

/* Sum of the squares of 5 channels around each; squares of three blocks that follow each other. */
static inline __attribute__((always_inline)) vector around(vector previous, vector here,
                                                           vector next)
{
    const vector near = add(before(previous, here, 1), behind(here, next, 1)),
                 far = add(before(previous, here, 2), behind(here, next, 2));
    return add(here, add(near, far));
}

static void run(const det_lrn_call *call)
{
    const vector k = all(call->k), alpha = all(call->alpha_by_size);
    const size_t plane_values = call->area * BLOCK;
    for (size_t pixel = call->begin; pixel < call->end; pixel++) {
        vector previous = zero(), x = load(call, pixel * BLOCK), here = multiply(x, x);
        for (size_t plane = 0; plane < call->planes; plane++) {
            const size_t index = plane * plane_values + pixel * BLOCK;
            const vector x_next =
                plane + 1 < call->planes ? load(call, index + plane_values) : zero();
            const vector next = multiply(x_next, x_next);
            const vector base = add(k, multiply(alpha, around(previous, here, next)));
            store(call, plane, index, multiply(x, to_minus_three_quarters(base)));
            previous = here;
            here = next;
            x = x_next;
        }
    }
}
